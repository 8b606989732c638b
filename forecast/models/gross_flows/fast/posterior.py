"""The posterior of a panel's flows as the compiled code takes it, and draws from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import xarray as xr

from forecast.models.bayes.gate import Sampled, examine
from forecast.models.gross_flows import law
from forecast.models.gross_flows.data import Gross
from forecast.models.gross_flows.fast import CODE
from forecast.models.gross_flows.graph import (
    DEGREES,
    MOST,
    NEWS,
    PARAMETERS,
    WIDE,
    Cells,
    beta,
    coordinates,
)

#: Threads that chains run in.
CORES = 2
#: What the gate looks at.
EXAMINED = (*PARAMETERS, "growth_news", "common_news", "move", "first_level")
#: Dimensions of what a vector of parameters holds, in the order of `fast.kernel`.
DIMENSIONS = dict.fromkeys(("mean", "growth", "damping", "noise"), ("flow",)) | {
    "log_shock": ("place", "flow")
}


class Chains:
    """Chains of the compiled sampler, which go on from where they are.

    Parameters
    ----------
    gross : Gross
        The figures.
    priors : mapping
        The table ``[priors]`` of ``models/flows.toml``.
    generators : iterable of numpy.random.Generator
        Source of each chain's randomness.
    """

    def __init__(
        self, gross: Gross, priors: Mapping[str, Any], generators: Iterable[np.random.Generator]
    ) -> None:
        # Before anything is imported that would be compiled here.
        CODE.compile_apart()
        self.names, self.cells = coordinates(gross), Cells.of(gross)
        self.generators = list(generators)
        cells, n_places = self.cells, len(gross.places)
        known = ~np.isnan(cells.values)
        first = np.flatnonzero(np.diff(cells.stretch, prepend=-1))
        last = np.append(first[1:], len(cells.stretch)) - 1
        self.given = (
            np.stack([cells.stretch, cells.place, cells.year]).astype(np.int64),
            np.stack([first, last, gross.place], axis=1).astype(np.int64),
            np.stack([np.zeros(known.shape), cells.error, known.astype(float)]),
            numbers(priors),
            np.array([*DEGREES, MOST, MOST]),
        )
        self.observe(cells.values[known])
        n_cells, n_years = len(cells.stretch), gross.values.shape[1]
        paths = [np.zeros((n, 2)) for n in (n_cells, n_cells, n_years)]
        self.states = [
            (begun(n_places, generator), *(path.copy() for path in paths), np.ones(n_cells))
            for generator in self.generators
        ]
        walks = [np.diag([0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.3, 0.3])] * (2 * n_places)
        walks.append(np.diag([0.1, 0.1, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0]))
        self.steps = [np.stack(walks) for _ in self.generators]

    def observe(self, figures: np.ndarray) -> None:
        """Take other figures of the same places and years.

        Parameters
        ----------
        figures : ndarray, shape (n_figures,)
            In the order of the PyMC model's.
        """
        known = ~np.isnan(self.cells.values)
        self.given[2][0][known] = figures - self.cells.centre[self.cells.stretch][known]

    def run(self, warm_up: int, kept: int, apart: int) -> list[np.ndarray]:
        """Go on, and return parameters, levels around their centre, growth, common shocks, mixing.

        Parameters
        ----------
        warm_up, kept, apart : int
            Sweeps before anything is kept, draws kept of each chain, and sweeps from one to the
            next.

        Returns
        -------
        list of ndarray, shape (n_chains, kept, ...)
        """
        from forecast.models.gross_flows.fast.gibbs import chain

        made = [np.empty((len(self.states), kept, *values.shape)) for values in self.states[0]]

        def one(row: int) -> None:
            state, steps, kept_of_it = self.states[row], self.steps[row], [m[row] for m in made]
            chain(state, self.given, steps, warm_up, apart, self.generators[row], tuple(kept_of_it))

        with ThreadPoolExecutor(CORES) as pool:
            list(pool.map(one, range(len(self.states))))
        return made


def sample(
    gross: Gross,
    priors: Mapping[str, Any],
    sampler: Mapping[str, Any],
    limits: Mapping[str, Any],
    seed: int,
) -> Sampled:
    """Draw from the posterior; twice as long, and again, where the gate asks for it.

    Parameters
    ----------
    priors, sampler, limits : mapping
        The tables ``[priors]``, ``[sampler]`` and ``[diagnostics]`` of ``models/flows.toml``.
    """
    seeds = np.random.SeedSequence(seed).spawn(int(sampler["chains"]))
    chains = Chains(gross, priors, map(np.random.default_rng, seeds))
    kept, apart = int(sampler["kept"]), int(sampler["apart"])
    made = chains.run(int(sampler["warm_up"]), kept, apart)
    while True:
        tree = xr.DataTree.from_dict({"posterior": named(made, chains)})
        sampled = examine(tree, limits, EXAMINED)
        if not sampled.failure or 2 * apart > int(sampler["farthest"]):
            return sampled
        # Every second draw, and as many again.
        more = chains.run(0, kept - kept // 2, 2 * apart)
        made = [
            np.concatenate([old[:, 1::2], new], axis=1)[:, -kept:] for old, new in zip(made, more)
        ]
        apart *= 2


def named(made: list[np.ndarray], chains: Chains) -> xr.Dataset:
    """Return the variables of the PyMC model.

    Parameters
    ----------
    made : list of ndarray
        See `Chains.run`.
    chains : Chains
        Whose draws they are.
    """
    x, relative, growing, common, mixed = made
    cells, names = chains.cells, chains.names
    values: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    begin = 0
    for name in PARAMETERS:
        dims = DIMENSIONS.get(name, ())
        shape = [len(names[dim]) for dim in dims]
        end = begin + int(np.prod(shape))
        values[name] = (dims, x[:, :, begin:end].reshape(*x.shape[:2], *shape))
        begin = end
    growth, damping, correlation, shared = (
        values[name][1][:, :, None] for name in ("growth", "damping", "correlation", "shared")
    )
    shock = np.exp(values["log_shock"][1])
    changes, centre = cells.changes, cells.centre
    level = relative + centre[cells.stretch]
    move = level[:, :, changes] - level[:, :, changes - 1]
    news = growing.copy()
    news[:, :, changes] -= damping * growing[:, :, changes - 1]
    news[:, :, changes] /= np.sqrt(1.0 - damping**2)
    first, size = level[:, :, chains.given[1][:, 0]], shock[:, :, cells.place[changes]]
    share = shared[..., None] * (len(names["place"]) > 1)
    pull = law.drift(growing[:, :, changes], size, share, common[:, :, cells.year[changes]])
    mixing = mixed[:, :, changes]
    own = (move - pull) / (law.own_scale(size, share) * np.sqrt(mixing)[..., None])
    parts = {
        "growth_news": news / growth,
        "shock_news": law.parted(own, correlation),
        "first_level": (first - centre) / WIDE,
        "common_news": law.parted(common, correlation),
    }
    if len(names["place"]) == 1:
        del parts["common_news"]
    values |= {name: ((NEWS[name], "flow"), part) for name, part in parts.items()}
    flat = [part.reshape(*x.shape[:2], -1) for part in parts.values()]
    values |= {
        "shock": (("place", "flow"), shock),
        "mixing": (("change",), mixing),
        "news": (("news_item",), np.concatenate(flat, axis=2)),
        "growth_path": (("place_year", "flow"), growing),
        "first_level": (("stretch", "flow"), first),
        "move": (("change", "flow"), move),
        "level": (("place_year", "flow"), level),
        "common": (("year", "flow"), common),
    }
    if len(names["place"]) == 1:
        for name in ("shared", "common"):
            del values[name]
    used = {dim for dims, _ in values.values() for dim in dims}
    return xr.Dataset(
        {name: (("chain", "draw", *dims), array) for name, (dims, array) in values.items()},
        coords={
            "chain": np.arange(x.shape[0]),
            "draw": np.arange(x.shape[1]),
            **{dim: entries for dim, entries in names.items() if dim in used},
        },
    )


def numbers(priors: Mapping[str, Any]) -> np.ndarray:
    """Return the priors as compiled code takes them; see `fast.gibbs.sweep`.

    Parameters
    ----------
    priors : mapping
        The table ``[priors]`` of ``models/flows.toml``.
    """
    scales = (priors["shock_spread"], priors["growth"], priors["noise"])
    powers = (*beta(*priors["damping"]), *priors["degrees"])
    return np.array([*priors["log_shock"], *scales, *powers, WIDE], dtype=float)


def begun(n_places: int, generator: np.random.Generator) -> np.ndarray:
    """Return parameters that a chain may begin from, far from those of another.

    Parameters
    ----------
    n_places : int
        How many places there are.
    generator : numpy.random.Generator
        Source of the randomness.
    """
    draw = generator
    return np.concatenate(
        [
            draw.normal(-1.6, 0.3, 2), draw.uniform(0.2, 0.5, 1), draw.uniform(0.03, 0.15, 2),
            draw.uniform(0.5, 0.9, 2), draw.uniform(0.01, 0.1, 2), draw.uniform(*DEGREES, 1),
            draw.uniform(-0.4, 0.4, 1), draw.uniform(0.1, 0.5, 1),
            draw.normal(-1.6, 0.3, 2 * n_places),
        ]
    )  # fmt: skip
