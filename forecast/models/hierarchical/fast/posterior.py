"""The posterior of a panel's rates as the compiled code takes it, and draws from it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from forecast.models.bayes.gate import Sampled, draw
from forecast.models.hierarchical.fast import CODE
from forecast.models.hierarchical.graph import OF_GROUPS, centred, coordinates
from forecast.models.hierarchical.priors import Prior
from forecast.models.hierarchical.rates_panel import RatesPanel, transitions

if TYPE_CHECKING:
    from nutpie.sample import CompiledModel

#: What the density reads of each location and year, and what stands there if nothing is known.
OF_YEARS = {"value": 0.0, "before": 0.0, "move": 1.0, "log_move": 0.0, "weight": 0.0, "floor": 1.0}
#: Years are padded to a multiple of this: the density takes them eight at a time.
BLOCK = 8
#: What is sampled besides `OF_GROUPS`, with its dimension in the PyMC model. Years that pad are
#: sampled too, and dropped at the end.
OF_EACH = {
    "location_mean": "location",
    "location_storm": "location",
    "location_persistence": "location",
    "year_effect": "padded_year",
}


@dataclass(frozen=True, eq=False)
class PanelPosterior:
    """The posterior of a panel's rates.

    Attributes
    ----------
    figures : ndarray, shape (6, n, n_years)
        In the order of `OF_YEARS`, years padded.
    own : ndarray, shape (3, n)
        How far each location is centred; see `forecast.models.hierarchical.graph.centred`.
    group, parent : ndarray of int
        See `forecast.models.hierarchical.rates_panel.RatesPanel`.
    priors : mapping of str to (mean, standard deviation)
    storm_floor : float
        Of the scale of stormy years, per 1,000.
    """

    figures: np.ndarray
    own: np.ndarray
    group: np.ndarray
    parent: np.ndarray
    priors: Mapping[str, Prior]
    storm_floor: float

    @classmethod
    def of(
        cls, pool: RatesPanel, priors: Mapping[str, Prior], settings: Mapping[str, Any]
    ) -> PanelPosterior:
        """Take the figures of a panel; see `forecast.models.hierarchical.graph.pymc_model`."""
        table = transitions(pool, settings)
        table["log_move"] = np.log(table["move"])
        padding = ((0, 0), (0, -pool.n_transitions % BLOCK))
        padded = [
            np.pad(table[name], padding, constant_values=neutral)
            for name, neutral in OF_YEARS.items()
        ]
        own = centred(pool, settings)
        floor = float(settings["storm_floor"])
        return cls(np.stack(padded), own, pool.group, pool.parent, priors, floor)

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return int(self.group.max()) + 1

    @property
    def size(self) -> int:
        """Length of the vector that is sampled."""
        return len(OF_GROUPS) * self.n_groups + 3 * len(self.group) + self.n_years

    @property
    def n_years(self) -> int:
        """Number of transitions, padding included."""
        return int(self.figures.shape[2])

    @property
    def above(self) -> np.ndarray:
        """Position of the country of each location, -1 where it has none."""
        return np.concatenate([np.full(len(self.group) - len(self.parent), -1), self.parent])

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Group, country, priors and figures, as compiled code takes them."""
        return self.group.astype(np.int64), self.above.astype(np.int64), self._prior, self.figures

    @property
    def start(self) -> np.ndarray:
        """A point beside the middle of the prior, shape (size,)."""
        centre = [np.full(self.n_groups, self._prior[k].sum()) for k in range(len(OF_GROUPS))]
        middle = np.concatenate([*centre, np.zeros(self.size - self.n_groups * len(OF_GROUPS))])
        groups = middle[: self.n_groups * len(OF_GROUPS)].reshape(-1, self.n_groups)
        groups -= 0.9 * self._prior[:, 1:]
        # The sampler's first scales come from the gradient, which must be zero nowhere.
        return np.asarray(middle + 0.1 * np.cos(np.arange(self.size)))

    def log_density(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return log density up to a constant, and gradient, of a point."""
        from forecast.models.hierarchical.fast.density import log_posterior

        group, above, prior, figures = self.arrays
        found: tuple[float, np.ndarray] = log_posterior(
            x, group, above, self.own, prior, figures, self.storm_floor
        )
        return found

    def model(self, names: Mapping[str, list[Any]]) -> CompiledModel:
        """Return what nutpie samples; compiled code is the same for every panel.

        Parameters
        ----------
        names : mapping of str to list
            Coordinates of the dimensions ``group``, ``location`` and ``padded_year``.
        """
        import pandas as pd
        from nutpie.compile_pymc import CompiledPyMCModel

        from forecast.models.hierarchical.fast import density

        dims = {**dict.fromkeys(OF_GROUPS, "group"), **OF_EACH}
        lengths = [len(names[dim]) for dim in dims.values()]
        ends = np.cumsum(lengths)
        slices = [slice(int(end) - length, int(end)) for end, length in zip(ends, lengths)]
        numbers = (len(self.group), self.n_years, self.n_groups, self.storm_floor)
        arrays = (self.group, self.above, self.own, self._prior, self.figures)
        return CompiledPyMCModel(
            dims={name: (dim,) for name, dim in dims.items()},
            reparameterized_names=[],
            compiled_logp_func=density.log_density,
            compiled_expand_func=density.parameters,
            initial_point_func=lambda seed: self.start,
            shared_data={},
            shared_var_keys={},
            user_data=np.concatenate([numbers, *map(np.ravel, arrays)]).astype(np.float64),
            n_expanded=sum(lengths),
            shape_info=(list(dims), slices, [(length,) for length in lengths]),
            logp_func=None,
            expand_func=None,
            _n_dim=self.size,
            _shapes={name: (length,) for name, length in zip(dims, lengths)},
            _coords={dim: pd.Index(names[dim]) for dim in set(dims.values())},
        )

    @property
    def _prior(self) -> np.ndarray:
        return np.array([self.priors[name] for name in OF_GROUPS], dtype=float)


def sample(
    pool: RatesPanel,
    priors: Mapping[str, Prior],
    settings: Mapping[str, Any],
    sampler: Mapping[str, Any],
    limits: Mapping[str, Any],
    seed: int,
    kept: int,
) -> Sampled:
    """Draw from the posterior of a panel; see `forecast.models.bayes.gate.draw`.

    Parameters
    ----------
    pool : RatesPanel
        Rates of all locations, per 1,000 population per year.
    priors : mapping of str to (float, float)
        Mean and standard deviation of each of `OF_GROUPS`.
    settings : mapping
        The table ``[settings]`` of the model's TOML.
    sampler, limits : mapping
        The tables ``[sampler]`` and ``[diagnostics]`` of the model's TOML.
    seed : int
        Of the chains, and of the moves that refresh their draws.
    kept : int
        Draws of each chain at first.

    Returns
    -------
    Sampled
        Coordinates are codes and years; padded years are left out.
    """
    # While others compile. In a thread: ArviZ looks at the source of all callers of an import.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(_import_sampler).result()
    # Before anything is imported that would be compiled here.
    CODE.compile_apart()
    from forecast.models.hierarchical.fast import density  # noqa: F401
    from forecast.models.hierarchical.fast.refresh import refresh

    posterior = PanelPosterior.of(pool, priors, settings)
    names = coordinates(pool, settings)
    names["padded_year"] = list(range(posterior.n_years))

    def after(tree: xr.DataTree) -> None:
        refresh(tree, posterior, seed)
        draws = tree["posterior"].dataset.isel(padded_year=slice(len(names["year"])))
        draws = draws.rename(padded_year="year").assign_coords(year=names["year"])
        tree["posterior"] = xr.DataTree(draws)

    sampled = draw(posterior.model(names), sampler, limits, seed, kept, after)
    _complete(sampled.posterior, names)
    return sampled


def _import_sampler() -> None:
    """Import nutpie, which calls what `arviz_base` has: all of ArviZ would bring matplotlib."""
    there = "arviz" in sys.modules
    sys.modules.setdefault("arviz", import_module("arviz_base"))
    try:
        import_module("nutpie.compile_pymc")
    finally:
        if not there:
            del sys.modules["arviz"]


def _complete(tree: xr.DataTree, names: Mapping[str, list[Any]]) -> None:
    """Give a tree every free variable of the PyMC model."""
    draws = tree["posterior"].dataset.copy()
    mean, kept = draws["location_mean"], draws["location_persistence"]
    draws["location_log_storm"] = np.log(draws["location_storm"])
    draws["location_logit_persistence"] = np.log(kept) - np.log1p(-kept)
    if "nested" in names:
        n_top = len(names["top"])
        for dim, part in (("top", slice(n_top)), ("nested", slice(n_top, None))):
            places = mean.isel(location=part).rename(location=dim)
            draws[f"{dim}_mean"] = places.assign_coords({dim: names[dim]})
    tree["posterior"] = xr.DataTree(draws)
