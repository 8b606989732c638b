"""Pools of predictive distributions: mixtures of draws and averages of quantiles.

Calibration: intervals as wide as past errors at the same horizon say they have to be.

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


def linear_pool(quantiles: np.ndarray, weights: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return quantiles of the mixture of several distributions.

    The linear pool (Stone 1961, doi:10.1214/aoms/1177704862): a draw comes from member
    *k* with probability ``weights[k]``. It is wider than its members where they disagree.

    Parameters
    ----------
    quantiles : ndarray, shape (n_members, n_points, n)
        Of each member, at equally spaced probabilities (k + ½)/n_points; or its draws.
    weights : ndarray, shape (n_members,) or (n_members, n)
        Not negative, adding to one over members.
    levels : ndarray, shape (n_levels,)
        Probabilities wanted.

    Returns
    -------
    ndarray, shape (n_levels, n)
    """
    members, points, size = quantiles.shape
    share = np.broadcast_to(weights if weights.ndim == 2 else weights[:, None], (members, size))
    values = quantiles.reshape(members * points, size)
    order = np.argsort(values, axis=0, kind="stable")
    values = np.take_along_axis(values, order, axis=0)
    mass = np.take_along_axis(np.repeat(share / points, points, axis=0), order, axis=0)
    below = np.cumsum(mass, axis=0) - mass / 2.0
    pooled = [np.interp(levels, below[:, i], values[:, i]) for i in range(size)]
    return np.stack(pooled, axis=1) if size else np.empty((len(levels), 0))


def quantile_average(quantiles: np.ndarray, weights: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return the weighted mean of the members' quantiles (Vincentization).

    Keeps the members' mean width whatever their disagreement (Ratcliff 1979,
    doi:10.1037/0033-2909.86.3.446; Lichtendahl, Grushka-Cockayne & Winkler 2013,
    doi:10.1287/mnsc.1120.1667).

    Parameters
    ----------
    quantiles, weights, levels : ndarray
        Shapes as in `linear_pool`.
    """
    points = quantiles.shape[1]
    share = weights if weights.ndim == 2 else weights[:, None]
    ordered = np.sort(quantiles, axis=1)
    averaged = (ordered * share[:, None, :]).sum(axis=0)
    at = (np.arange(points) + 0.5) / points
    columns = [np.interp(levels, at, averaged[:, i]) for i in range(averaged.shape[1])]
    return np.stack(columns, axis=1) if columns else np.empty((len(levels), 0))


#: Name -> how members become one distribution.
POOLS = {"linear": linear_pool, "quantile": quantile_average}


def renormalised(weights: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Share the weight of absent members among those that are there.

    Parameters
    ----------
    weights : ndarray, shape (n_members,)
    present : ndarray of bool, shape (n_members, n)

    Returns
    -------
    ndarray, shape (n_members, n)
        Adding to one in every column with a member present; equal shares where all the
        weight belonged to absent ones.
    """
    kept = np.where(present, weights[:, None], 0.0)
    total = kept.sum(axis=0)
    count = present.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        shared = np.where(total > 1e-9, kept / total, present / count)
    return np.asarray(np.where(count > 0, shared, 0.0))


def choose(weights: np.ndarray, n_draws: int, uniform: np.ndarray) -> np.ndarray:
    """Return which member each draw comes from, in proportion and nearly without noise.

    Parameters
    ----------
    weights : ndarray, shape (n_members,)
    uniform : ndarray, shape (n_draws,)
        A stratified sample of (0, 1) in random order; the same one for every series, so
        that a draw is of one member in all of them wherever the weights agree.
    """
    edges = np.cumsum(weights)
    return np.minimum(np.searchsorted(edges / edges[-1], uniform), len(weights) - 1)


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
    Guarantee, where all past errors count alike, nothing is pulled and no bound is reached: if
    past errors and the coming one, each in widths of its own forecast, are exchangeable, the
    coming observation lies within each end of `LEVELS` with at least the probability that it
    says (as far as n past errors reach, n/(n + 1)) and, ties aside, at most 1/(n + 1) more, on
    average over the series that were pooled; so a central interval holds within 2/(n + 1) of
    what it says. Not: for every single series, in a year of shock, or after a break of regime.
    What is shipped comes near this and promises less: recent errors count more, the members'
    weights were taught by the same past (which makes past errors too small where it is short),
    and with few past errors factors are pulled towards one, which leaves what the members' own
    intervals hold.
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
