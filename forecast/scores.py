"""Proper scores of draws against outcomes, as array functions over scoringrules.

Every function takes draws along the first axis and returns one number per forecast;
smaller is better. Inputs are in any one unit (persons in the score table).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from forecast.errors import DataError

#: Central intervals of the weighted interval score, as probability inside.
WIS_LEVELS = (0.2, 0.4, 0.5, 0.6, 0.8, 0.9, 0.95)
#: Central intervals whose coverage and score are reported one by one.
INTERVAL_LEVELS = (0.5, 0.8, 0.95)
#: Levels whose quantile loss is reported.
QUANTILE_LEVELS = (0.1, 0.9)
#: Order of the variogram score (Scheuerer and Hamill 2015, doi:10.1175/MWR-D-14-00269.1).
VARIOGRAM_ORDER = 0.5


@cache
def _scoringrules() -> Any:
    """Return scoringrules without its compiled kernels, which nothing here uses.

    Where numba can be imported, they are compiled whenever scoringrules is: two seconds in every
    process. One who has imported it before keeps them.
    """
    if "scoringrules" not in sys.modules:
        numba = sys.modules.get("numba")
        # What Python takes for a module that cannot be imported.
        sys.modules["numba"] = None  # type: ignore[assignment]
        try:
            import scoringrules
        finally:
            del sys.modules["numba"]
            if numba is not None:
                sys.modules["numba"] = numba
        return scoringrules
    return sys.modules["scoringrules"]


@dataclass(frozen=True)
class SortedDraws:
    """Draws in ascending order, which most scores need.

    Attributes
    ----------
    values : ndarray, shape (n_draws, n)
        Each column ascending.
    """

    values: np.ndarray

    @classmethod
    def of(cls, draws: np.ndarray) -> SortedDraws:
        """Sort draws of shape (n_draws, n); raise `DataError` on a number that is not finite."""
        values = np.sort(np.asarray(draws, dtype=float), axis=0)
        if values.ndim != 2 or len(values) < 2:
            raise DataError(
                f"draws have shape {values.shape}; give (n_draws, n), two draws or more."
            )
        if not np.isfinite(values[[0, -1]]).all():
            raise DataError("a draw is not a finite number. Look at the model's diagnostics.")
        return cls(values)

    def quantile(self, level: float) -> np.ndarray:
        """Return the quantile of every forecast, shape (n,), by linear interpolation.

        The same as ``numpy.quantile(draws, level, axis=0)``, without sorting again.
        """
        position = level * (len(self.values) - 1)
        below = int(np.floor(position))
        above = min(below + 1, len(self.values) - 1)
        low, high = self.values[below], self.values[above]
        return np.asarray(low + (high - low) * (position - below))

    @property
    def is_point(self) -> np.ndarray:
        """Whether all draws are equal: a point forecast, which has no intervals, shape (n,)."""
        return np.asarray(self.values[0] == self.values[-1])


def crps(draws: SortedDraws, observed: np.ndarray) -> np.ndarray:
    """Return the continuous ranked probability score, shape (n,).

    The unbiased estimator from probability-weighted moments (scoringrules ``"pwm"``): a
    forecast is not punished for being known by few draws. A point forecast scores its
    absolute error. Matheson and Winkler (1976, doi:10.1287/mnsc.22.10.1087).

    Parameters
    ----------
    draws : SortedDraws, shape (n_draws, n)
    observed : ndarray, shape (n,)
    """
    # The backend is named because the default depends on what else is installed, and
    # with it the last bits of the result.
    return np.asarray(
        _scoringrules().crps_ensemble(
            observed,
            draws.values,
            m_axis=0,
            estimator="pwm",
            sorted_ensemble=True,
            backend="numpy",
        )
    )


def interval_score(
    lower: np.ndarray, upper: np.ndarray, observed: np.ndarray, level: float
) -> np.ndarray:
    """Return the score of a central interval, shape (n,).

    Width, plus 2/(1 − level) times the distance of an observation outside (Gneiting and
    Raftery 2007, doi:10.1198/016214506000001437).

    Parameters
    ----------
    lower, upper, observed : ndarray, shape (n,)
    level : float in (0, 1)
        Probability inside the interval.
    """
    return np.asarray(
        _scoringrules().interval_score(observed, lower, upper, 1.0 - level, backend="numpy")
    )


def weighted_interval_score(
    draws: SortedDraws, observed: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the weighted interval score and its parts, each of shape (n,).

    Over the median and the intervals `WIS_LEVELS`, with the canonical weights α/2
    (Bracher et al. 2021, doi:10.1371/journal.pcbi.1008618).

    Parameters
    ----------
    draws : SortedDraws, shape (n_draws, n)
    observed : ndarray, shape (n,)

    Returns
    -------
    wis, sharpness, underprediction, overprediction : ndarray
        The first is the sum of the other three: width of the intervals, and what the
        observation lay above them and below them.
    """
    intervals = []
    for level in WIS_LEVELS:
        alpha = 1.0 - level
        intervals.append((level, draws.quantile(alpha / 2), draws.quantile(1.0 - alpha / 2)))
    return wis_of_intervals(draws.quantile(0.5), intervals, observed)


def wis_of_intervals(
    median: np.ndarray,
    intervals: Sequence[tuple[float, np.ndarray, np.ndarray]],
    observed: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the weighted interval score and its parts where only some quantiles are known.

    Parameters
    ----------
    median : ndarray, shape (n,)
    intervals : sequence of (level, lower, upper)
        Central intervals: probability inside, and both ends, each of shape (n,).
    observed : ndarray, shape (n,)

    Returns
    -------
    wis, sharpness, underprediction, overprediction : ndarray
        See `weighted_interval_score`.
    """
    sharpness = np.zeros_like(median)
    under = 0.5 * np.maximum(observed - median, 0.0)
    over = 0.5 * np.maximum(median - observed, 0.0)
    for level, lower, upper in intervals:
        sharpness += (1.0 - level) / 2 * (upper - lower)
        under += np.maximum(observed - upper, 0.0)
        over += np.maximum(lower - observed, 0.0)
    share = len(intervals) + 0.5
    parts = sharpness / share, under / share, over / share
    return parts[0] + parts[1] + parts[2], *parts


def quantile_loss(quantile: np.ndarray, observed: np.ndarray, level: float) -> np.ndarray:
    """Return the pinball loss of a quantile, shape (n,): half the absolute error at 0.5.

    Parameters
    ----------
    quantile, observed : ndarray, shape (n,)
    level : float in (0, 1)
        Probability below the quantile.
    """
    return np.asarray(
        _scoringrules().quantile_score(observed, quantile, np.asarray(level), backend="numpy")
    )


def log_score(draws: SortedDraws, observed: np.ndarray) -> np.ndarray:
    """Return minus the log predictive density, shape (n,), by kernel density estimation.

    Gaussian kernels with Silverman's bandwidth, as scoringrules' ``logs_ensemble``. Far
    outside the draws the estimate falls like a Gaussian, whatever the model's tails: use
    it to compare the bulk, and the CRPS for the rest. NaN for a point forecast. The value
    depends on the unit: differences between models do not.

    Parameters
    ----------
    draws : SortedDraws
        Shape (n_draws, n), rising along the draws.
    observed : ndarray, shape (n,)
        In the unit of the draws.

    Returns
    -------
    ndarray, shape (n,)
        Minus the log of a density per unit; smaller is better.
    """
    values = draws.values
    n_draws = len(values)
    spread = np.minimum(
        values.std(axis=0, ddof=1), (draws.quantile(0.75) - draws.quantile(0.25)) / 1.34
    )
    bandwidth = 1.06 * spread * n_draws ** (-0.2)
    usable = bandwidth > 0
    width = np.where(usable, bandwidth, 1.0)
    exponent = -0.5 * ((observed - values) / width) ** 2
    largest = exponent.max(axis=0)
    density = np.log(np.exp(exponent - largest).mean(axis=0)) + largest
    density -= np.log(width) + 0.5 * np.log(2 * np.pi)
    return np.where(usable, -density, np.nan)


def pit(draws: SortedDraws, observed: np.ndarray) -> np.ndarray:
    """Return the probability integral transform, shape (n,), between 0 and 1.

    The share of draws below the observation, draws equal to it counted half. Uniform
    over many forecasts if the forecasts are calibrated (Dawid 1984, doi:10.2307/2981683).

    Parameters
    ----------
    draws : SortedDraws, shape (n_draws, n)
    observed : ndarray, shape (n,)
    """
    below = (draws.values < observed).mean(axis=0)
    equal = (draws.values == observed).mean(axis=0)
    return np.asarray(below + 0.5 * equal)


def energy_score(draws: np.ndarray, observed: np.ndarray) -> float:
    """Return the energy score of one joint forecast, unbiased in the number of draws.

    Parameters
    ----------
    draws : ndarray, shape (n_draws, n_dimensions)
        Row *i* is one world.
    observed : ndarray, shape (n_dimensions,)

    Notes
    -----
    Equals scoringrules' ``es_ensemble`` with ``estimator="fair"``, without its array of
    draws × draws × dimensions. Gneiting and Raftery (2007, section 4.3).
    """
    from scipy.spatial.distance import pdist

    error = np.sqrt(((draws - observed) ** 2).sum(axis=1)).mean()
    return float(error - 0.5 * pdist(draws).mean())


def variogram_score(draws: np.ndarray, observed: np.ndarray) -> float:
    """Return the variogram score of one joint forecast, averaged over pairs of dimensions.

    Judges the dependence between dimensions, which the energy score hardly sees. Order
    `VARIOGRAM_ORDER`, equal weights; shapes as in `energy_score`. NaN for one dimension.

    Parameters
    ----------
    draws : ndarray, shape (n_draws, n_dimensions)
    observed : ndarray, shape (n_dimensions,)
    """
    size = draws.shape[1]
    if size < 2:
        return float("nan")
    squares = 0.0
    # Row by row of the matrix of pairs, which would not fit into memory for many draws.
    for first in range(size - 1):
        apart = np.abs(draws[:, first + 1 :] - draws[:, [first]]) ** VARIOGRAM_ORDER
        actual = np.abs(observed[first + 1 :] - observed[first]) ** VARIOGRAM_ORDER
        squares += float(((actual - apart.mean(axis=0)) ** 2).sum())
    return float(squares / (size * (size - 1) / 2))


def score(draws: np.ndarray, observed: np.ndarray) -> dict[str, np.ndarray]:
    """Return every univariate score of the score table.

    Parameters
    ----------
    draws : ndarray, shape (n_draws, n)
    observed : ndarray, shape (n,)

    Returns
    -------
    dict of str to ndarray, shape (n,)
        What needs a distribution is NaN for point forecasts (all draws equal).
    """
    ordered = SortedDraws.of(draws)
    point = ordered.is_point
    columns: dict[str, np.ndarray] = {"median": ordered.quantile(0.5)}
    bounds = {
        level: (ordered.quantile((1 - level) / 2), ordered.quantile((1 + level) / 2))
        for level in INTERVAL_LEVELS
    }
    for level, (lower, upper) in bounds.items():
        columns[f"lower_{level * 100:.0f}"] = np.where(point, np.nan, lower)
        columns[f"upper_{level * 100:.0f}"] = np.where(point, np.nan, upper)
    columns["crps"] = crps(ordered, observed)
    wis, sharpness, under, over = weighted_interval_score(ordered, observed)
    columns |= {
        "wis": wis,
        "wis_sharpness": sharpness,
        "wis_underprediction": under,
        "wis_overprediction": over,
    }
    for level, (lower, upper) in bounds.items():
        name = f"{level * 100:.0f}"
        inside = (observed >= lower) & (observed <= upper)
        scored = interval_score(lower, upper, observed, level)
        columns[f"interval_score_{name}"] = np.where(point, np.nan, scored)
        columns[f"inside_{name}"] = np.where(point, np.nan, inside)
    for level in QUANTILE_LEVELS:
        loss = quantile_loss(ordered.quantile(level), observed, level)
        columns[f"quantile_loss_{level * 100:.0f}"] = np.where(point, np.nan, loss)
    columns["log_score"] = log_score(ordered, observed)
    columns["pit"] = np.where(point, np.nan, pit(ordered, observed))
    columns["error"] = columns["median"] - observed
    columns["absolute_error"] = np.abs(columns["error"])
    # Of the median too: heavy-tailed futures of counts need not have a mean.
    columns["squared_error"] = columns["error"] ** 2
    return columns
