"""The posterior of a panel's figures, as the sampler takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.models.hierarchical.graph import OF_GROUPS, OF_LOCATIONS
from forecast.models.hierarchical.priors import Prior

if TYPE_CHECKING:
    from nutpie.sample import CompiledModel

#: What is kept of each draw besides `OF_GROUPS`: the coordinates in which locations are
#: sampled are nobody's parameters.
OF_EACH = ("location_mean", "location_storm", "location_persistence", "shared_raw")


@dataclass(frozen=True, eq=False)
class Posterior:
    """The posterior of some figures.

    Attributes
    ----------
    figures : ndarray, shape (6, n, n_years)
        See `forecast.models.hierarchical.graph.OF_YEARS`.
    own : ndarray, shape (3, n)
        See `forecast.models.hierarchical.graph.stated`.
    group, parent : ndarray of int
        See `forecast.models.hierarchical.rates_panel.Pool`.
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

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return int(self.group.max()) + 1

    @property
    def size(self) -> int:
        """Length of the vector that is sampled."""
        return len(OF_GROUPS) * self.n_groups + len(OF_LOCATIONS) * len(self.group) + self.n_years

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
        from forecast.models.hierarchical.density import log_posterior

        group, above, prior, figures = self.arrays
        found: tuple[float, np.ndarray] = log_posterior(
            x, group, above, self.own, prior, figures, self.storm_floor
        )
        return found

    def model(self) -> CompiledModel:
        """Return what nutpie samples; compiled code is the same for every panel."""
        from nutpie.compile_pymc import CompiledPyMCModel

        from forecast.models.hierarchical import density

        n = len(self.group)
        lengths = [self.n_groups] * len(OF_GROUPS) + [n] * 3 + [self.n_years]
        names = [*OF_GROUPS, *OF_EACH]
        ends = np.cumsum(lengths)
        slices = [slice(int(end) - length, int(end)) for end, length in zip(ends, lengths)]
        numbers = (n, self.n_years, self.n_groups, self.storm_floor)
        arrays = (self.group, self.above, self.own, self._prior, self.figures)
        return CompiledPyMCModel(
            dims={},
            reparameterized_names=[],
            compiled_logp_func=density.log_density,
            compiled_expand_func=density.parameters,
            initial_point_func=lambda seed: self.start,
            shared_data={},
            shared_var_keys={},
            user_data=np.concatenate([numbers, *map(np.ravel, arrays)]).astype(np.float64),
            n_expanded=sum(lengths),
            shape_info=(names, slices, [(length,) for length in lengths]),
            logp_func=None,
            expand_func=None,
            _n_dim=self.size,
            _shapes={name: (length,) for name, length in zip(names, lengths)},
            _coords={},
        )

    @property
    def _prior(self) -> np.ndarray:
        return np.array([self.priors[name] for name in OF_GROUPS], dtype=float)
