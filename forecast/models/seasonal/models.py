"""Seasonal models of single series: the last year again, ETS, components, ARIMA, theta.

Their matrices are those of statsmodels, on a grid of parameters.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np

from forecast.contract import BY_NAME
from forecast.errors import DataError
from forecast.models.registry import specification
from forecast.models.seasonal.linear import condition, simulate
from forecast.models.seasonal.shape import SeasonalPrepared, pool, seasonally_prepared
from forecast.models.series.classical import Theta, aicc
from forecast.models.series.representation import Nodes, SeriesPosterior, from_statsmodels, joined
from forecast.models.series.structural import signal_to_noise
from forecast.models.series.univariate import (
    FittedSeriesModel,
    Prepared,
    StateSpaceModel,
)
from forecast.panel import Panel, Series

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


def require_season(name: str, panel: Panel) -> None:
    """Refuse figures by year for a seasonal model.

    Parameters
    ----------
    name : str
            Of the model.
    panel : Panel
        What it is given.

    Raises
    ------
    DataError
        With what to use instead.
    """
    if panel.frequency == "year":
        raise DataError(
            f"{name!r} forecasts months, quarters and half-years; these are figures by year, which "
            "have no season. Use 'ensemble', or a model of years such as 'ets'."
        )


class SeasonalModel(StateSpaceModel):
    """Base of the seasonal models of single series: nodes in, forecasts of a panel out."""

    def prepared(self, series: Series) -> Prepared:
        """Return a series on its scale, outliers drawn in; see `seasonally_prepared`."""
        return seasonally_prepared(series)

    def fit(self, panel: Panel, seed: int) -> FittedSeriesModel:
        """Fit every series by itself; see `forecast.contract.Model`.

        Raises
        ------
        DataError
            Of figures by year.
        TooShortError
            If no series is long enough.
        """
        require_season(self.name, panel)
        return super().fit(panel, seed)

    def weigh(
        self, nodes: Nodes, prepared: Prepared, values: np.ndarray, skip: int = 0
    ) -> SeriesPosterior:
        """Weigh nodes by the figures of a series; see `StateSpaceModel.weigh`.

        Parameters
        ----------
        nodes : Nodes
            As `nodes` returns.
        prepared : Prepared
            Its breaks, rounding and outliers are respected.
        values : ndarray, shape (n,)
            On the model's scale; NaN in gaps.
        skip : int
            First errors that do not count.

        Returns
        -------
        SeriesPosterior

        Examples
        --------
        >>> import pandas as pd
        >>> import forecast as fc
        >>> from forecast.models.registry import model
        >>> months = [str(one) for one in pd.period_range("2020-01", periods=48, freq="M")]
        >>> table = pd.DataFrame({"location": "KAZ", "measure": "immigration", "period": months,
        ...                       "value": np.random.default_rng(1).poisson(500, 48)})
        >>> naive = model("seasonal-naive")
        >>> one = naive.prepared(fc.Panel.from_frame(table).series[0])
        >>> bool(naive.weigh(naive.nodes(one), one, one.values).spread > 0)
        True
        """
        assert isinstance(prepared, SeasonalPrepared)  # noqa: S101
        return condition(
            nodes, values, prepared.excess, prepared.breaks, prepared.scale.floor,
            self.discounts, skip,
        )  # fmt: skip

    def paths(
        self,
        prepared: Prepared,
        posterior: SeriesPosterior,
        n_ahead: int,
        n_draws: int,
        generator: np.random.Generator,
    ) -> np.ndarray:
        """Draw futures on the model's scale."""
        return simulate(posterior, n_ahead, n_draws, generator)


class SeasonalNaive(SeasonalModel):
    """y_t = y_{t-s} + e_t: the same part of last year, with a width learned from its errors.

    The variance drifts as that of every other model, so that skill against it is not won by width
    alone. It is the reference of skill for months, quarters and half-years.
    """

    name = "seasonal-naive"
    recipe = BY_NAME

    def prepared(self, series: Series) -> Prepared:
        """Return a series with its outliers as they are: last year is repeated, whatever it was."""
        made = seasonally_prepared(series, 1)
        return replace(made, values=made.values + made.excess, excess=0.0 * made.excess)

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the single node."""
        return walk(prepared.series.season)


class SeasonalEts(SeasonalModel):
    """Level, damped trend and season driven by one error, averaged over a grid."""

    name = "seasonal-ets"
    recipe = BY_NAME

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the grid of smoothing and damping parameters."""
        return smoothing(prepared.series.season)


class SeasonalComponents(SeasonalModel):
    """A level that walks or reverts, noise, and a season that may change."""

    name = "seasonal-components"
    recipe = BY_NAME

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the nodes of both kinds of level."""
        return components(prepared.series.season)


class SeasonalArima(SeasonalModel):
    """Seasonal ARIMA; order by AICc among a few, coefficients averaged over a grid.

    All orders have one seasonal difference. Those without another one leave out as many more
    errors, so that all likelihoods are of the same figures.
    """

    name = "seasonal-arima"
    recipe = BY_NAME

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the nodes of the order that AICc chooses."""
        return self.posterior(prepared).nodes

    def posterior(self, prepared: Prepared) -> SeriesPosterior:
        """Fit every order and keep the one with the smallest AICc."""
        most = max(own[1] for own, _ in orders())
        best: tuple[float, SeriesPosterior] | None = None
        for order in orders():
            nodes = arima(order, prepared.series.season)
            made = self.weigh(nodes, prepared, prepared.values, most - order[0][1])
            n_parameters = len(nodes.parameters) + 1
            score = aicc(
                float(made.log_likelihood.max()), n_parameters, int(np.isfinite(made.fitted).sum())
            )
            if best is None or score < best[0]:
                best = score, made
        assert best is not None  # noqa: S101
        return best[1]


class SeasonalTheta(SeasonalModel, Theta):
    """Theta on seasonally adjusted figures; the season and its own uncertainty come back after."""

    name = "seasonal-theta"
    recipe = BY_NAME

    def prepared(self, series: Series) -> Prepared:
        """Return a series without its season, which is shrunk as far as it is uncertain."""
        made = seasonally_prepared(series)
        effects, errors, _ = pool(made.shape.effects[None], made.shape.errors[None], 2)
        shape = replace(made.shape, effects=effects[0], errors=errors[0])
        return replace(made, values=made.values - effects[0][made.parts], shape=shape)

    def paths(
        self,
        prepared: Prepared,
        posterior: SeriesPosterior,
        n_ahead: int,
        n_draws: int,
        generator: np.random.Generator,
    ) -> np.ndarray:
        """Add the season to the futures of the adjusted series."""
        assert isinstance(prepared, SeasonalPrepared)  # noqa: S101
        shape, parts = prepared.shape, prepared.parts_ahead(n_ahead)
        error = generator.standard_normal((n_draws, len(shape.errors)))
        season = shape.effects + shape.errors * error
        paths = Theta.paths(self, prepared, posterior, n_ahead, n_draws, generator)
        return np.asarray(paths + season[:, parts])
