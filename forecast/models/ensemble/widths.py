"""Pools of predictive distributions: mixtures of draws and averages of quantiles.

Calibration: intervals as wide as past errors say they have to be, by horizon (`learn`) or by size
of series (`fitted`).

A multiplicative form of split-conformal prediction (Vovk et al. 2005,
doi:10.1007/b106715; Romano, Patterson & Candès 2019, arXiv:1905.03222), one factor per
quantile level and horizon. The factor of level τ multiplies the distance between the
median and the τ-quantile, so that past observations fell below the moved quantile with
frequency τ. It may widen or narrow, and differs above and below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri


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


#: Central intervals that have a factor each, the same on both sides, in `Widths`.
CENTRAL = np.array([0.5, 0.8, 0.95])
#: Sizes for which factors are found (those between are interpolated), and factors tried.
_SIZES = 9
_TRIED = np.exp(np.linspace(np.log(0.3), np.log(3.0), 400))


@dataclass(frozen=True, eq=False)
class Widths:
    """Factors on the half-widths of central intervals, by size of series.

    Attributes
    ----------
    size : ndarray, shape (n_sizes,)
        Logarithm of 1 + mean persons of a series, rising.
    factor : ndarray, shape (n_sizes, 3)
        Of the intervals of `CENTRAL`, above and below the median alike.
    cases : int
        Outcomes that the factors are learned from.
    """

    size: np.ndarray
    factor: np.ndarray
    cases: int

    def applied(self, values: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        """Return draws whose intervals are as wide as past outcomes ask for.

        Every draw keeps its rank among the draws of its series, so that what series have in
        common stays.

        Parameters
        ----------
        values : ndarray, shape (n_draws, n)
            Draws, on the scale on which intervals are stretched.
        sizes : ndarray, shape (n,)
            Size of each series, as in `size`.
        """
        factor = [np.interp(sizes, self.size, column) for column in self.factor.T]
        median, half = half_widths(values)
        apart = values - median
        moved = np.zeros_like(apart)
        for side, above in ((half[0], apart < 0), (half[1], apart >= 0)):
            # A wider interval is nowhere narrower than one inside it.
            wanted = np.maximum.accumulate(side * np.array(factor), axis=0)
            moved = np.where(above, _stretched(np.abs(apart), side, wanted, factor[-1]), moved)
        return np.asarray(median + np.sign(apart) * moved)


def half_widths(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return medians, shape (n,), and distances to the ends of intervals below and above.

    Distances have shape (2, n_levels, n).
    """
    at = np.concatenate([[0.5], 0.5 - CENTRAL / 2, 0.5 + CENTRAL / 2])
    median, *ends = np.quantile(values, at, axis=0)
    return median, np.abs(np.array(ends) - median).reshape(2, len(CENTRAL), -1)


def _stretched(
    apart: np.ndarray, ends: np.ndarray, wanted: np.ndarray, beyond: np.ndarray
) -> np.ndarray:
    """Return distances from the median, moved so that `ends` come to lie where wanted."""
    moved, last, last_wanted = np.zeros_like(apart), np.zeros_like(beyond), np.zeros_like(beyond)
    for end, to in zip(ends, wanted):
        room = end - last
        slope = np.divide(to - last_wanted, room, out=np.zeros_like(room), where=room > 0)
        moved += slope * np.clip(apart - last, 0.0, room)
        last, last_wanted = end, to
    return np.asarray(moved + beyond * np.maximum(apart - last, 0.0))


def ratios(values: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Return how far outcomes lie out, in intervals' own half-widths, shape (n, n_levels).

    Parameters
    ----------
    values : ndarray, shape (n_draws, n)
        What was forecast.
    outcome : ndarray, shape (n,)
        What came, on the same scale.
    """
    median, half = half_widths(values)
    apart = outcome - median
    side = np.where(apart < 0, half[0], half[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(apart == 0, 0.0, np.abs(apart) / side)
    return np.asarray(ratio.T)


def fitted(
    sizes: np.ndarray,
    ratios: np.ndarray,
    of: np.ndarray,
    rules: Mapping[str, Any],
    weights: np.ndarray | float = 1.0,
    towards: float = 1.0,
) -> Widths:
    """Return the factors with which intervals of past cases hold what they promise.

    Parameters
    ----------
    sizes : ndarray, shape (n_cases,)
    ratios : ndarray, shape (n_cases, n_levels)
        How far outcomes lay from the median, in half-widths of each interval, see `ratios`.
    of : ndarray
        Sizes of the series that factors are for.
    rules : mapping
        ``alike`` is the distance in size at which a case counts 0.6, ``pseudo_cases`` the number
        of made-up cases.
    weights : ndarray, shape (n_cases,), or float
        What each case counts besides.
    towards : float
        The factor with which intervals of made-up cases hold what they promise.

    References
    ----------
    Romano, Patterson & Candès (2019, https://arxiv.org/abs/1905.03222), on widening quantiles.
    """
    knots = np.unique(np.quantile(of, np.linspace(0, 1, _SIZES)))
    normal = ndtri((1 + CENTRAL) / 2) / towards
    factor = np.empty((len(knots), len(CENTRAL)))
    for at, size in enumerate(knots):
        weight = weights * np.exp(-0.5 * ((sizes - size) / rules["alike"]) ** 2)
        for level, z in enumerate(normal):
            held = (weight * (ratios[:, level] <= _TRIED[:, None])).sum(axis=1)
            held += rules["pseudo_cases"] * (2.0 * ndtr(_TRIED * z) - 1.0)
            held /= weight.sum() + rules["pseudo_cases"]
            factor[at, level] = np.interp(CENTRAL[level], held, _TRIED)
    return Widths(knots, factor, len(sizes))
