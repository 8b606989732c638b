"""Ranks of true parameters in the model of gross flows, for ``sbc.py``.

Three countries, one of them with a break in its register and one with a gap, so that every
branch of the sampler takes part. Worlds are drawn by PyMC from the model as it is stated, priors
included; the compiled sampler has no part in that.

`stay` asks the same question in seconds: worlds drawn from the priors, with all that is hidden in
them, are a sample from the priors, and have to stay one while the sampler renews the worlds and
the worlds their figures in turn (Geweke 2004, doi:10.1198/016214504000001132).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
from scipy.stats import chisquare

from forecast.models.gross_flows.data import Gross, Place
from forecast.models.gross_flows.fast.posterior import Chains, named
from forecast.models.gross_flows.graph import FREE, PARAMETERS, Cells, pymc_model
from forecast.models.registry import specification

N_YEARS = 22
#: Place, first and last year of each stretch between breaks.
STRETCHES = ((0, 0, 21), (1, 0, 9), (1, 10, 21), (2, 4, 21))
#: Posterior draws that a rank is counted among, sweeps from one to the next, and before the first.
KEPT, APART, WARM_UP = 99, 60, 1000
COUNTING = 4e-4
PRIORS = specification("flows")["priors"]


def registers() -> Gross:
    """Countries whose figures are all zero, to be drawn."""
    place, start, end = (np.array(column) for column in zip(*STRETCHES))
    values = np.zeros((len(STRETCHES), N_YEARS, 2))
    # One figure of one flow is missing, and a whole year of another place.
    values[0, 7, 1] = np.nan
    values[3, 12] = np.nan
    places = tuple(Place("register", code, (None, None), None, (20, 20)) for code in "ABC")
    error = np.full(values.shape, COUNTING)
    return Gross(places, 2000, values, error, start, end, place)


@cache
def world() -> Callable[[int], dict[str, np.ndarray]]:
    """Return what draws every variable of the model, figures included, from its priors."""
    from pymc.pytensorf import compile as compiled
    from pymc.pytensorf import find_rng_nodes, reseed_rngs

    model = pymc_model(registers(), PRIORS)
    variables = [*model.free_RVs, *model.deterministics, *model.observed_RVs]
    function, sources = compiled([], variables), find_rng_nodes(variables)

    def drawn(seed: int) -> dict[str, np.ndarray]:
        reseed_rngs(sources, seed)
        return {v.name: np.asarray(value) for v, value in zip(variables, function())}

    return drawn


def replicate(seed: int, apart: int = APART) -> dict[str, np.ndarray]:
    """Ranks of all true values of one simulated world."""
    true = world()(seed)
    chains = Chains(registers(), PRIORS, [np.random.default_rng(seed)])
    chains.observe(true["log_rate"])
    found = named(chains.run(WARM_UP, KEPT, apart), chains)
    return {name: (found[name].to_numpy()[0] < true[name]).sum(axis=0) for name in FREE}


def stay(
    seed: int, worlds: int = 400, steps: int = 80, given: Mapping[str, Any] | None = None
) -> dict[str, float]:
    """Return the chance of each parameter's values once the sampler has renewed the worlds.

    Parameters
    ----------
    worlds : int
        As many chains, each with figures of its own.
    given : mapping, optional
        Priors that the sampler is told, if not those that the worlds are from.

    Returns
    -------
    dict of str to float
        By parameter, the smallest chance of its entries, allowing for their number.
    """
    generator = np.random.default_rng(seed)
    seeds = generator.integers(0, 2**31, 6 * worlds).tolist()
    cells = Cells.of(registers())
    known = ~np.isnan(cells.values)
    renewed: dict[str, list[np.ndarray]] = {name: [] for name in PARAMETERS}
    chains = Chains(registers(), given or PRIORS, [generator])
    x, level, slope, common, mixed = chains.states[0]
    for number in seeds[:worlds]:
        true = world()(number)
        x[:] = np.concatenate([np.ravel(true[name]) for name in PARAMETERS])
        level[:], slope[:], common[:] = true["level"], true["growth_path"], true["common"]
        mixed[cells.changes] = true["mixing"]
        for _ in range(steps):
            # Positions of the noise among the parameters.
            deviation = np.sqrt(x[7:9] ** 2 + cells.error)
            figures = level + deviation * generator.standard_normal(level.shape)
            chains.observe(figures[known])
            chains.run(0, 1, 1)
        begin = 0
        for name, values in renewed.items():
            values.append(x[begin : begin + true[name].size].copy())
            begin += true[name].size
    prior = [world()(number) for number in seeds[worlds:]]
    return {
        name: _chance(
            np.stack(values).reshape(worlds, -1),
            np.stack([draw[name] for draw in prior]).reshape(len(prior), -1),
        )
        for name, values in renewed.items()
    }


def _chance(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the smallest chance that columns of both are alike, allowing for their number."""
    chances = []
    for ours, theirs in zip(found.T, expected.T):
        edges = np.unique(np.quantile(theirs, np.arange(0.1, 0.95, 0.1)))
        counts = [
            np.bincount(np.searchsorted(edges, column), minlength=len(edges) + 1)
            for column in (ours, theirs)
        ]
        shares = counts[1] / len(theirs)
        chances.append(float(chisquare(counts[0], shares * len(ours)).pvalue))
    return 1.0 - (1.0 - min(chances)) ** len(chances)
