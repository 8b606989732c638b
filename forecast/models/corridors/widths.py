"""How wide intervals of corridors have to be: what hindcasts of their own past say of it.

The model is fitted at earlier origins, and each outcome a step later held against the interval it
was given. Factors for the 50, 80 and 95 % interval, by size of corridor, make these intervals hold
what they promise; a number of made-up cases for which they already do draws factors towards 1.
Romano, Patterson and Candès (2019, https://arxiv.org/abs/1905.03222) widen quantiles in this way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from forecast.models.corridors.data import REST, PairFlows
from forecast.models.corridors.sampler import sample, simulate

#: Intervals that have a factor each.
LEVELS = np.array([0.5, 0.8, 0.95])
#: Draws of a hindcast.
DRAWS = 1000
#: Sizes for which factors are found (those between are interpolated), and factors tried.
_SIZES = 9
_TRIED = np.exp(np.linspace(np.log(0.3), np.log(3.0), 400))


@dataclass(frozen=True, eq=False)
class Widths:
    """Factors of intervals, on the scale of log(1 + persons) from the median.

    Attributes
    ----------
    size : ndarray, shape (n_sizes,)
        Logarithm of 1 + mean persons of a corridor, rising.
    factor : ndarray, shape (n_sizes, 3)
        Of the intervals of `LEVELS`, above and below the median alike.
    cases : int
        Outcomes that the factors are learned from.
    """

    size: np.ndarray
    factor: np.ndarray
    cases: int

    def applied(self, counts: np.ndarray, log_mean: np.ndarray) -> np.ndarray:
        """Return draws whose intervals are as wide as hindcasts ask for.

        Every draw keeps its rank among the draws of its corridor, so that what corridors have in
        common stays.

        Parameters
        ----------
        counts : ndarray, shape (n_draws, n_pairs)
            Persons.
        log_mean : ndarray, shape (n_pairs,)
            Size of each corridor, see `PairFlows.log_mean`.
        """
        factor = [np.interp(log_mean, self.size, column) for column in self.factor.T]
        logs = np.log1p(counts)
        median, half = _half_widths(logs)
        apart = logs - median
        moved = np.zeros_like(apart)
        for side, above in ((half[0], apart < 0), (half[1], apart >= 0)):
            # A wider interval is nowhere narrower than one inside it.
            wanted = np.maximum.accumulate(side * np.array(factor), axis=0)
            moved = np.where(above, _stretched(np.abs(apart), side, wanted, factor[-1]), moved)
        made = np.expm1(np.maximum(median + np.sign(apart) * moved, 0.0))
        return np.asarray(np.rint(made))


def _half_widths(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return medians, shape (n_pairs,), and distances to the ends of intervals below and above.

    Distances have shape (2, n_levels, n_pairs).
    """
    at = np.concatenate([[0.5], 0.5 - LEVELS / 2, 0.5 + LEVELS / 2])
    median, *ends = np.quantile(logs, at, axis=0)
    return median, np.abs(np.array(ends) - median).reshape(2, len(LEVELS), -1)


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


#: Sizes of corridors, and how far out their outcomes lay.
type Cases = tuple[np.ndarray, np.ndarray]


def hindcasts(
    flows: PairFlows, priors: Mapping[str, Any], sampler: Mapping[str, int],
    stated: Mapping[str, Any], seed: np.random.SeedSequence,
) -> list[Callable[[], Cases]]:  # fmt: skip
    """Return the hindcasts of some corridors to be made, nothing after each origin seen by it.

    Parameters
    ----------
    flows : PairFlows
    priors, sampler : mapping
        Of the model; chains are as long as ``[widths]`` says, or shorter.
    stated : mapping
        All of ``models/corridors.toml``.
    seed : SeedSequence

    Returns
    -------
    list of callable
        Each gives what `learned` learns from; none where the past is too short.
    """
    rules = stated["widths"]
    short = {**sampler, **{k: min(sampler[k], rules[k]) for k in ("warm_up", "kept", "paths")}}
    short["most"] = short["kept"]
    order = np.argsort(-flows.log_mean, kind="stable")
    some = np.linspace(0, flows.n_pairs - 1, min(flows.n_pairs, rules["corridors"]))
    flows = flows.some(np.sort(order[some.round().astype(int)]))
    own = np.array([REST not in pair for pair in flows.pairs])
    made: list[Callable[[], Cases]] = []
    for n in range(flows.n_years - 1, stated["settings"]["least_figures"] - 1, -1):
        told = np.isfinite(flows.counts[n - 1]) & np.isfinite(flows.counts[n]) & own
        if len(made) < rules["origins"] and told.any():
            seeds = seed.spawn(2)
            made.append(partial(_hindcast, flows, n, told, priors, short, stated, seeds))
    return made


def _hindcast(
    flows: PairFlows, n: int, told: np.ndarray, priors: Mapping[str, Any],
    sampler: Mapping[str, int], stated: Mapping[str, Any],
    seeds: Sequence[np.random.SeedSequence],
) -> Cases:  # fmt: skip
    """Fit the years before one, and hold its outcomes of the corridors chosen by `told`."""
    past = flows.until(n)
    known = np.flatnonzero(np.isfinite(past.counts).any(axis=0))
    past = past.some(known)
    posterior = sample(past, priors, sampler, stated["diagnostics"], seeds[0], 1)
    drawn = simulate(
        past, posterior, priors, 1, DRAWS, past.bounds(stated["settings"]),
        np.random.default_rng(seeds[1]),
    )[-1]  # fmt: skip
    told = told[known]
    return past.log_mean[told], _ratios(drawn[:, told], flows.counts[n, known][told])


def learned(cases: Sequence[Cases], flows: PairFlows, stated: Mapping[str, Any]) -> Widths | None:
    """Learn widths from what `hindcasts` gave.

    Parameters
    ----------
    cases : sequence
        Of each hindcast.
    flows : PairFlows
        The corridors that factors are for.
    stated : mapping
        All of ``models/corridors.toml``.

    Returns
    -------
    Widths or None
        None where the past is too short to tell.
    """
    rules = stated["widths"]
    if sum(len(sizes) for sizes, _ in cases) < rules["least_cases"]:
        return None
    sizes, ratios = (np.concatenate(part) for part in zip(*cases))
    return fitted(sizes, ratios, flows.log_mean, rules)


def _ratios(drawn: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Return how far outcomes lie out, in intervals' own half-widths, shape (n_cases, n_levels)."""
    median, half = _half_widths(np.log1p(drawn))
    apart = np.log1p(outcome) - median
    side = np.where(apart < 0, half[0], half[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(apart == 0, 0.0, np.abs(apart) / side)
    return np.asarray(ratio.T)


def fitted(
    sizes: np.ndarray, ratios: np.ndarray, of: np.ndarray, rules: Mapping[str, Any]
) -> Widths:
    """Return the factors with which intervals of past cases hold what they promise.

    Parameters
    ----------
    sizes : ndarray, shape (n_cases,)
    ratios : ndarray, shape (n_cases, n_levels)
        How far outcomes lay from the median, in half-widths of each interval.
    of : ndarray
        Sizes of the corridors that factors are for.
    rules : mapping
        ``[widths]``: ``alike`` is the distance in size at which a case counts 0.6, ``pseudo_cases``
        the number of made-up cases.
    """
    knots = np.unique(np.quantile(of, np.linspace(0, 1, _SIZES)))
    normal = ndtri((1 + LEVELS) / 2)
    factor = np.empty((len(knots), len(LEVELS)))
    for at, size in enumerate(knots):
        weight = np.exp(-0.5 * ((sizes - size) / rules["alike"]) ** 2)
        for level, z in enumerate(normal):
            held = (weight * (ratios[:, level] <= _TRIED[:, None])).sum(axis=1)
            held += rules["pseudo_cases"] * (2.0 * ndtr(_TRIED * z) - 1.0)
            held /= weight.sum() + rules["pseudo_cases"]
            factor[at, level] = np.interp(LEVELS[level], held, _TRIED)
    return Widths(knots, factor, len(sizes))
