"""How wide intervals of corridors have to be: what hindcasts of their own past say of it.

The model is fitted at earlier origins, and each outcome a step later held against the interval it
was given. Factors for the 50, 80 and 95 % interval, by size of corridor, make these intervals hold
what they promise; a number of made-up cases for which they already do draws factors towards 1.
How factors are found and used: `forecast.models.ensemble.widths`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from forecast.models.corridors.data import REST, PairFlows
from forecast.models.corridors.sampler import sample, simulate
from forecast.models.ensemble.widths import Widths, fitted, ratios

#: Draws of a hindcast.
DRAWS = 1000


def stretched(widths: Widths, counts: np.ndarray, log_mean: np.ndarray) -> np.ndarray:
    """Return draws whose intervals are as wide, in log(1 + persons), as hindcasts ask for.

    Parameters
    ----------
    widths : Widths
    counts : ndarray, shape (n_draws, n_pairs)
        Persons.
    log_mean : ndarray, shape (n_pairs,)
        Size of each corridor, see `PairFlows.log_mean`.
    """
    return np.asarray(
        np.rint(np.expm1(np.maximum(widths.applied(np.log1p(counts), log_mean), 0.0)))
    )


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
    return past.log_mean[told], ratios(
        np.log1p(drawn[:, told]), np.log1p(flows.counts[n, known][told])
    )


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
    sizes, far = (np.concatenate(part) for part in zip(*cases))
    return fitted(sizes, far, flows.log_mean, rules)
