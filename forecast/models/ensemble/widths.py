"""Calibration: intervals as wide as past errors at the same horizon say they have to be.

A multiplicative form of split-conformal prediction (Vovk et al. 2005,
doi:10.1007/b106715; Romano, Patterson & Candès 2019, arXiv:1905.03222), one factor per
quantile level and horizon. The factor of level τ multiplies the distance between the
median and the τ-quantile, so that past observations fell below the moved quantile with
frequency τ. It may widen or narrow, and differs above and below.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

#: Levels that get a factor of their own; between them it changes linearly in normal scores.
LEVELS = np.array([0.025, 0.05, 0.1, 0.25, 0.75, 0.9, 0.95, 0.975])
#: A factor is never outside these bounds: beyond them the forecast is wrong, not its width.
BOUNDS = (0.4, 3.0)


@dataclass(frozen=True)
class Widening:
    """Factors on the distance from the median.

    Attributes
    ----------
    factors : ndarray, shape (len(LEVELS),)
    independent : float
        About how many separate past errors they rest on.

    Notes
    -----
    Guarantee: if the past errors and the coming one are exchangeable and no pull is
    applied, the coming observation lies below the calibrated τ-quantile with a
    probability within 1/(n + 1) of τ, n past errors, on average over the series that
    were pooled. Not: for every single series, in a year of shock, or after a break of
    regime. With a pull towards one (few past errors) the guarantee weakens to what the
    members' own intervals give.
    """

    factors: np.ndarray
    independent: float

    def at(self, levels: np.ndarray) -> np.ndarray:
        """Return the factor of any level in (0, 1)."""
        return np.asarray(np.interp(ndtri(levels), ndtri(LEVELS), self.factors))

    def apply(self, quantiles: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """Move quantiles away from the median or towards it; they stay in order.

        Parameters
        ----------
        quantiles : ndarray, shape (n_levels, n)
            Ascending over levels.
        levels : ndarray, shape (n_levels,)
        """
        middle = np.stack([np.interp(0.5, levels, column) for column in quantiles.T])
        moved = middle + self.at(levels)[:, None] * (quantiles - middle)
        upper = levels >= 0.5
        moved[upper] = np.maximum.accumulate(moved[upper], axis=0)
        moved[~upper] = np.minimum.accumulate(moved[~upper][::-1], axis=0)[::-1]
        return np.asarray(moved)


def none() -> Widening:
    """Return factors of one: nothing is known about past errors."""
    return Widening(np.ones(len(LEVELS)), 0.0)


def learn(
    quantiles: np.ndarray,
    median: np.ndarray,
    observed: np.ndarray,
    share: np.ndarray,
    independent: float,
    pull: float,
) -> Widening:
    """Learn the factors of one horizon from past forecasts.

    Parameters
    ----------
    quantiles : ndarray, shape (len(LEVELS), n)
        Of past forecasts, at `LEVELS`.
    median : ndarray, shape (n,)
    observed : ndarray, shape (n,)
    share : ndarray, shape (n,)
        Weight of each past forecast.
    independent : float
        About how many separate past forecasts these are: neighbouring origins share
        years, neighbouring countries shocks.
    pull : float
        Log factors are multiplied by ``independent / (independent + pull)``.

    Returns
    -------
    Widening
    """
    kept = np.isfinite(quantiles).all(axis=0) & np.isfinite(observed) & (share > 0)
    if not kept.any():
        return none()
    mass = share[kept] / share[kept].sum()
    n = int(kept.sum())
    factors = np.empty(len(LEVELS))
    for position, level in enumerate(LEVELS):
        reach = quantiles[position, kept] - median[kept]
        error = observed[kept] - median[kept]
        upper = level > 0.5
        size = np.maximum(np.abs(reach), 1e-12)
        ratio = (error if upper else -error) / size
        wanted = level if upper else 1.0 - level
        # The finite-sample correction of conformal prediction.
        wanted = min(wanted * (n + 1) / n, 1.0)
        order = np.argsort(ratio, kind="stable")
        reached = np.cumsum(mass[order])
        first = min(int(np.searchsorted(reached, wanted - 1e-12)), n - 1)
        factors[position] = ratio[order][first]
    factors = np.clip(factors, *BOUNDS)
    trust = independent / (independent + pull) if independent > 0 else 0.0
    return Widening(np.exp(trust * np.log(factors)), independent)
