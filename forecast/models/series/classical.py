"""Exponential smoothing, theta and ARIMA, averaged over grids of their parameters."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np

from forecast.contract import BY_NAME
from forecast.models.registry import specification
from forecast.models.series.representation import (
    DUMMY,
    Nodes,
    SeriesPosterior,
    from_statsmodels,
    simulate,
)
from forecast.models.series.univariate import Prepared, StateSpaceModel


@cache
def _damped_trend() -> Nodes:
    from statsmodels.tsa.statespace.exponential_smoothing import ExponentialSmoothing

    grid = specification("ets")["grid"]
    nodes = np.array(
        [
            (level, share * level, damping)
            for level, share, damping in product(
                grid["smoothing_level"], grid["trend_share"], grid["damping"]
            )
        ]
    )
    model = ExponentialSmoothing(
        DUMMY,
        trend=True,
        damped_trend=True,
        initialization_method="known",
        initial_level=0.0,
        initial_trend=0.0,
    )
    names = dict(zip(("smoothing_level", "smoothing_trend", "damping"), nodes.T))
    return from_statsmodels(
        model,
        nodes,
        diffuse=[False, True, True],
        level=[False, True, False],
        log_prior=np.zeros(len(nodes)),
        names=names,
    )


class DampedTrend(StateSpaceModel):
    """Level and damped trend driven by one error (Hyndman et al. 2008).

    Initial level and trend are diffuse; smoothing and damping are averaged over a grid
    with equal prior weights (``models/ets.toml``) instead of fixed at an optimum, so
    intervals widen where the series does not determine them.
    """

    name = "ets"
    recipe = BY_NAME

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the grid of smoothing and damping parameters."""
        return _damped_trend()


@cache
def _smoothing() -> Nodes:
    from statsmodels.tsa.statespace.exponential_smoothing import ExponentialSmoothing

    grid = np.array(specification("theta")["grid"]["smoothing_level"])
    model = ExponentialSmoothing(DUMMY, initialization_method="known", initial_level=0.0)
    return from_statsmodels(
        model,
        grid[:, None],
        diffuse=[False, True],
        level=[False, True],
        log_prior=np.zeros(len(grid)),
        names={"smoothing_level": grid},
    )


class Theta(StateSpaceModel):
    """Simple exponential smoothing with a drift of half the least-squares slope.

    The form of Hyndman and Billah (2003, doi:10.1016/S0169-2070(01)00143-1). The series is
    smoothed after half its linear trend is taken out; the slope's own uncertainty is
    drawn from its least-squares t-distribution since the last break.
    """

    name = "theta"
    recipe = BY_NAME

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the grid of smoothing parameters."""
        return _smoothing()

    def posterior(self, prepared: Prepared) -> SeriesPosterior:
        """Weigh the smoothing parameters on the series without half its trend."""
        trend = self.trend(prepared) * np.arange(len(prepared.values))
        return self.weigh(self.nodes(prepared), prepared, prepared.values - trend)

    def trend(self, prepared: Prepared) -> float:
        """Return half the slope, which the series is freed of before it is smoothed."""
        return 0.5 * _slope(prepared)[0]

    def paths(
        self,
        prepared: Prepared,
        posterior: SeriesPosterior,
        n_ahead: int,
        n_draws: int,
        generator: np.random.Generator,
    ) -> np.ndarray:
        """Add half a drawn slope to the smoothed level's futures."""
        slope, error, degrees = _slope(prepared)
        last = len(prepared.values) - 1
        drawn = slope + error * generator.standard_t(degrees, size=(n_draws, 1))
        ahead = np.arange(1, n_ahead + 1)
        return (
            simulate(posterior, n_ahead, n_draws, generator)
            + 0.5 * slope * last
            + 0.5 * drawn * ahead
        )


def _slope(prepared: Prepared) -> tuple[float, float, int]:
    """Return the least-squares slope per year, its standard error and degrees of freedom."""
    breaks = np.flatnonzero(prepared.breaks)
    usable = ~np.isnan(prepared.values)
    if len(breaks):
        usable[: breaks[-1]] = False
    years = np.flatnonzero(usable).astype(float)
    values = prepared.values[usable]
    centred = years - years.mean()
    spread = float((centred**2).sum())
    slope = float((centred * values).sum() / spread)
    residuals = values - values.mean() - slope * centred
    degrees = len(years) - 2
    error = float(np.sqrt((residuals**2).sum() / degrees / spread))
    return slope, error, degrees


Order = tuple[int, int, int]


@cache
def orders() -> tuple[Order, ...]:
    """Return the orders that are compared, as ``models/arima.toml`` lists them."""
    return tuple((p, d, q) for p, d, q in specification("arima")["orders"])


@cache
def nodes_of(order: Order) -> Nodes:
    """Return the coefficient grid of one order, all stationary and invertible."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    p, d, q = order
    coefficients = _coefficients(p, q)
    parameters = np.column_stack([coefficients, np.ones(len(coefficients))])
    model = SARIMAX(
        DUMMY,
        order=order,
        exog=None if d else np.ones(len(DUMMY)),
        mle_regression=False,
        enforce_stationarity=False,
        enforce_invertibility=False,
    )
    n_states = model.k_states
    # statsmodels puts the d differencing states first and a regression state last.
    integrated = np.arange(n_states) < d if d else np.arange(n_states) == n_states - 1
    labels = [f"ar{lag + 1}" for lag in range(p)] + [f"ma{lag + 1}" for lag in range(q)]
    return from_statsmodels(
        model,
        parameters,
        diffuse=integrated,
        level=integrated,
        log_prior=np.zeros(len(parameters)),
        names=dict(zip(labels, coefficients.T)),
    )


def _coefficients(p: int, q: int) -> np.ndarray:
    """Return a grid over the stationary and invertible region, shape (k, p + q)."""
    if p + q == 0:
        return np.empty((1, 0))
    grid = specification("arima")["grid"]
    size = grid["fine"] if p + q == 1 else grid["coarse"]
    # Midpoints of equal parts of (-1, 1): partial autocorrelations never reach one.
    axis = (np.arange(size) + 0.5) * 2.0 / size - 1.0
    mesh = np.array(np.meshgrid(*([axis] * (p + q)), indexing="ij")).reshape(p + q, -1).T
    if (p, q) == (2, 0):
        first, second = mesh.T
        return np.column_stack([first * (1.0 - second), second])
    return mesh


def aicc(log_likelihood: float, n_parameters: int, n_observations: int) -> float:
    """Return Akaike's criterion corrected for short series (Hurvich and Tsai 1989).

    Parameters
    ----------
    log_likelihood : float
        At its maximum.
    n_parameters : int
        Coefficients plus the variance.
    n_observations : float
        Observations that enter the likelihood.
    """
    room = n_observations - n_parameters - 1
    if room <= 0:
        return float("inf")
    return 2 * n_parameters - 2 * log_likelihood + 2 * n_parameters * (n_parameters + 1) / room


class Arima(StateSpaceModel):
    """ARIMA(p, d, q); order by AICc, coefficients averaged over a grid.

    Orders without differencing have a diffuse mean. Both kinds then use the likelihood of
    the same n − 1 contrasts, which makes their AICc comparable. The variance may drift, so
    the likelihood is the predictive one, at the best coefficients and discount.
    """

    name = "arima"
    recipe = BY_NAME

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the nodes of the order that AICc chooses."""
        return self.posterior(prepared).nodes

    def posterior(self, prepared: Prepared) -> SeriesPosterior:
        """Fit every order and keep the one with the smallest AICc."""
        best: tuple[float, SeriesPosterior] | None = None
        for order in orders():
            candidate = self.weigh(nodes_of(order), prepared, prepared.values)
            n_parameters = order[0] + order[2] + 1
            observations = np.isfinite(candidate.fitted).sum()
            score = aicc(float(candidate.log_likelihood.max()), n_parameters, int(observations))
            if best is None or score < best[0]:
                best = score, candidate
        assert best is not None
        return best[1]
