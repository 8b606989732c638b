"""Theta: exponential smoothing plus half the long-run trend."""

from __future__ import annotations

from functools import cache

import numpy as np

from forecast.contract import BY_NAME
from forecast.models.series.representation import DUMMY, from_statsmodels
from forecast.models.series.simulation import simulate
from forecast.models.series.statespace import Nodes, Posterior
from forecast.models.series.univariate import Prepared, StateSpaceModel
from forecast.models.specification import specification


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

    def posterior(self, prepared: Prepared) -> Posterior:
        """Weigh the smoothing parameters on the series without half its trend."""
        slope, _, _ = _slope(prepared)
        trend = 0.5 * slope * np.arange(len(prepared.values))
        return self.weigh(self.nodes(prepared), prepared, prepared.values - trend)

    def paths(
        self,
        prepared: Prepared,
        posterior: Posterior,
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
