"""Seasonal models of statsmodels on grids of their parameters: the matrices of every node."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np

from forecast.models.registry import specification
from forecast.models.series.representation import Nodes, from_statsmodels, joined
from forecast.models.series.structural import signal_to_noise

#: Orders (p, d, q) and (P, D, Q) of a seasonal ARIMA.
SeasonalOrder = tuple[tuple[int, int, int], tuple[int, int, int]]


def _dummy(season: int) -> np.ndarray:
    """Return a series that is long enough for statsmodels' constructors."""
    return np.arange(5.0 * season)


@cache
def walk(season: int) -> Nodes:
    """Return y_t = y_{t-s} + e_t: the last year once more."""
    turn = np.roll(np.eye(season), 1, axis=0)
    noise = np.zeros((season, season))
    noise[0, 0] = 1.0
    here = np.zeros(season)
    here[0] = 1.0
    known = np.ones(season, dtype=bool)
    return Nodes(
        here[None], turn[None], noise[None], np.zeros(1), np.zeros((1, season, season)), known,
        known, np.zeros(1), {}, tuple(f"last.{lag}" for lag in range(season)),
    )  # fmt: skip


@cache
def smoothing(season: int) -> Nodes:
    """Return level, damped trend and season, all driven by one error (ETS(A,Ad,A))."""
    from statsmodels.tsa.statespace.exponential_smoothing import ExponentialSmoothing

    grid = specification("seasonal-ets")["grid"]
    axes = ("smoothing_level", "trend_share", "season_share", "damping")
    # Without a moving trend its damping changes little: one value will do.
    nodes = np.array(
        [
            (level, share * level, part * (1.0 - level), damping)
            for level, share, part, damping in product(*(grid[axis] for axis in axes))
            if share > 0 or damping == grid["damping"][0]
        ]
    )
    model = ExponentialSmoothing(
        _dummy(season),
        trend=True,
        damped_trend=True,
        seasonal=season,
        initialization_method="known",
        initial_level=0.0,
        initial_trend=0.0,
        initial_seasonal=np.zeros(season),
    )
    names = ("smoothing_level", "smoothing_trend", "smoothing_seasonal", "damping")
    # Level and season cannot be told apart by the first year alone: one effect starts at nil.
    diffuse = [False, True, True, *[True] * (season - 1), False]
    return from_statsmodels(
        model,
        nodes,
        diffuse=diffuse,
        level=[False, True, *[False] * (season + 1)],
        log_prior=np.zeros(len(nodes)),
        names=dict(zip(names, nodes.T)),
    )


@cache
def components(season: int) -> Nodes:
    """Return a level that walks, or reverts to a mean, under noise and a season that may change."""
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    grid = specification("seasonal-components")["grid"]
    changing = [
        (*signal_to_noise(gain), change)
        for gain, change in product(grid["gain"], grid["season_change"])
    ]
    level = from_statsmodels(
        UnobservedComponents(_dummy(season), level="local level", seasonal=season),
        [(noise, walk, change * (noise + walk)) for noise, walk, change in changing],
        diffuse=[True] * season,
        level=[True, *[False] * (season - 1)],
        log_prior=np.zeros(len(changing)),
        names={
            "gain": np.array([gain for gain, _ in product(grid["gain"], grid["season_change"])]),
            "season_change": np.array([change for *_, change in changing]),
        },
    )
    nodes = np.array(list(product(grid["noise_share"], grid["season_change"], grid["persistence"])))
    reverting = from_statsmodels(
        UnobservedComponents(
            _dummy(season), level="deterministic constant", seasonal=season, autoregressive=1
        ),
        [(noise, change, 1.0 - noise, persistence) for noise, change, persistence in nodes],
        diffuse=[*[True] * season, False],
        level=[True, *[False] * season],
        log_prior=np.zeros(len(nodes)),
        names=dict(zip(("noise_share", "season_change", "persistence"), nodes.T)),
    )
    return joined({"weight_level": level, "weight_reverting": reverting})


@cache
def orders() -> tuple[SeasonalOrder, ...]:
    """Return the orders that are compared, as ``models/seasonal-arima.toml`` lists them."""
    stated = specification("seasonal-arima")["orders"]
    return tuple((tuple(own), tuple(seasonal)) for own, seasonal in stated)


@cache
def arima(order: SeasonalOrder, season: int) -> Nodes:
    """Return the grid of coefficients of one order, with one seasonal difference.

    Parameters
    ----------
    order : ((p, d, q), (P, D, Q))
            One of `orders`.
    season : int
        Periods of a year.
    """
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    grid = specification("seasonal-arima")["grid"]
    (p, d, q), (_, _, seasonal_q) = order
    axes = [grid["ar"]] * p + [grid["ma"]] * q + [grid["seasonal_ma"]] * seasonal_q
    nodes = np.array(list(product(*axes))).reshape(-1, len(axes))
    model = SARIMAX(
        _dummy(season),
        order=order[0],
        seasonal_order=(*order[1], season),
        enforce_stationarity=False,
        enforce_invertibility=False,
    )
    # statsmodels puts the differencing states first.
    diffuse = np.arange(model.k_states) < d + season
    labels = [f"ar{lag + 1}" for lag in range(p)] + [f"ma{lag + 1}" for lag in range(q)]
    labels += [f"seasonal_ma{lag + 1}" for lag in range(seasonal_q)]
    return from_statsmodels(
        model,
        np.column_stack([nodes, np.ones(len(nodes))]),
        diffuse=diffuse,
        level=diffuse,
        log_prior=np.zeros(len(nodes)),
        names=dict(zip(labels, nodes.T)),
    )
