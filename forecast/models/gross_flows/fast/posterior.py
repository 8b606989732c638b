"""The posterior of a panel's flows as the compiled code takes it, and draws from it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from forecast.models.gross_flows import law
from forecast.models.gross_flows.data import Gross
from forecast.models.gross_flows.fast import CODE
from forecast.models.gross_flows.graph import DEGREES, MOST, WIDE, Cells, coordinates

#: Threads that chains run in.
CORES = 2


@dataclass(eq=False)
class Chains:
    """Chains of the compiled sampler, which go on where they are.

    Attributes
    ----------
    gross : Gross
        The figures.
    priors : mapping
        The table ``[priors]`` of ``models/flows.toml``.
    states : list of tuple of ndarray
        Present values of each chain; see `forecast.models.gross_flows.fast.gibbs.chain`.
    steps : list of ndarray
        Steps of the random walks of each chain.
    generators : list of numpy.random.Generator
        Source of each chain's randomness.
    """

    gross: Gross
    priors: Mapping[str, Any]
    n_chains: int
    seed: int | np.random.SeedSequence
    cells: Cells = field(init=False)

    def __post_init__(self) -> None:
        self.cells = Cells.of(self.gross)
        seeds = np.random.SeedSequence(self.seed) if isinstance(self.seed, int) else self.seed
        self.generators = [np.random.default_rng(s) for s in seeds.spawn(self.n_chains)]
        self.states = [self._start(generator) for generator in self.generators]
        n_places = len(self.gross.places)
        sizes = [0.2] * 2 + [0.1, 0.1, 0.1, 0.1, 0.02, 0.02]
        first = np.diag(sizes)
        whole = np.diag([0.2, 0.2, 0.1, 0, 0, 0, 0, 0])
        blocks = [first] * (2 * n_places) + [whole]
        self.steps = [0.5 * np.stack(blocks) for _ in range(self.n_chains)]
