"""The posterior as the sampler sees it: one vector in, log density and gradient out.

The density is that of `forecast.models.hierarchy.graph`. Written out, it needs no graph to be
compiled for each panel: a fit of any panel starts at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from forecast.models.hierarchy.graph import OF_GROUPS, OF_LOCATIONS
from forecast.models.hierarchy.kernel import log_likelihood
from forecast.models.hierarchy.priors import Prior

if TYPE_CHECKING:
    from nutpie.sample import CompiledModel

#: What is kept of each draw besides `OF_GROUPS`: the coordinates in which locations are
#: sampled are nobody's parameters.
OF_EACH = ("location_mean", "location_storm", "location_persistence", "shared_raw")


@njit(error_model="numpy", cache=True)
def locations_of(
    groups: np.ndarray, raw: np.ndarray, group: np.ndarray, above: np.ndarray, own: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return parameters of the locations and what they are drawn around.

    Parameters
    ----------
    groups : ndarray, shape (10, n_groups)
        In the order of `OF_GROUPS`.
    raw : ndarray, shape (3, n)
        Coordinates of the locations.
    group, above : ndarray of int, shape (n,)
        Group and country of each; -1 where there is no country. Countries come first.
    own : ndarray, shape (3, n)
        See `forecast.models.hierarchy.graph.stated`.

    Returns
    -------
    drawn, centre, scale : ndarray, shape (3, n)
        On the scale on which they are normal; the scale is that of `raw`.
    """
    drawn, centre, scale = np.empty(raw.shape), np.empty(raw.shape), np.empty(raw.shape)
    for j in range(3):
        for c in range(raw.shape[1]):
            centre[j, c] = groups[j, group[c]]
            if j == 0 and above[c] >= 0:
                centre[j, c] = drawn[j, above[c]]
            if c > 0 and group[c] == group[c - 1] and own[j, c] == own[j, c - 1]:
                scale[j, c] = scale[j, c - 1]
            else:
                scale[j, c] = math.exp((1.0 - own[j, c]) * groups[3 + j, group[c]])
            drawn[j, c] = (1.0 - own[j, c]) * centre[j, c] + scale[j, c] * raw[j, c]
    return drawn, centre, scale


@njit(error_model="numpy", nogil=True, cache=True)
def log_posterior(
    x: np.ndarray,
    group: np.ndarray,
    above: np.ndarray,
    own: np.ndarray,
    priors: np.ndarray,
    figures: np.ndarray,
    calm_floor: float,
    storm_floor: float,
) -> tuple[float, np.ndarray]:
    """Log posterior density up to a constant, and its gradient.

    Parameters
    ----------
    x : ndarray, shape (10 n_groups + 3 n + n_years,)
        Parameters of the groups, coordinates of the locations, and years, one after another.
    group, above, own : ndarray
        See `locations_of`.
    priors : ndarray, shape (10, 2)
        Mean and standard deviation, in the order of `OF_GROUPS`.
    figures : ndarray, shape (5, n, n_years)
    calm_floor, storm_floor : float

    Returns
    -------
    float
    ndarray, shape of `x`
    """
    n, n_years = figures.shape[1:]
    of_groups, before_years = len(x) - 3 * n - n_years, len(x) - n_years
    groups = x[:of_groups].reshape((10, of_groups // 10))
    raw, year = x[of_groups:before_years].reshape((3, n)), x[before_years:]
    gradient = np.zeros(len(x))
    by_groups = gradient[:of_groups].reshape(groups.shape)
    by_raw, by_year = gradient[of_groups:before_years].reshape((3, n)), gradient[before_years:]
    drawn, centre, scale = locations_of(groups, raw, group, above, own)
    locations, spread = np.empty((7, n)), np.exp(groups[3:6])
    calm_scale, shared = np.exp(groups[6]), np.exp(groups[9])
    for c in range(n):
        g = group[c]
        locations[0, c] = drawn[0, c]
        locations[1, c] = math.exp(drawn[1, c])
        locations[2, c] = 1.0 / (1.0 + math.exp(-drawn[2, c]))
        locations[3, c], locations[4, c] = calm_scale[g], groups[7, g]
        locations[5, c], locations[6, c] = groups[8, g], shared[g]
    total, by, of_figures = log_likelihood(locations, year, figures, calm_floor, storm_floor)
    for t in range(n_years):
        total -= 0.5 * year[t] * year[t]
        by_year[t] = of_figures[t] - year[t]
    for c in range(n):
        g = group[c]
        by[1, c] *= locations[1, c]
        by[2, c] *= locations[2, c] * (1.0 - locations[2, c])
        by_groups[6, g] += by[3, c] * locations[3, c]
        by_groups[7, g] += by[4, c]
        by_groups[8, g] += by[5, c]
        by_groups[9, g] += by[6, c] * locations[6, c]
    for j in range(3):
        # Regions come last and are done first: their country gathers what they pull.
        for c in range(n - 1, -1, -1):
            g, share = group[c], own[j, c]
            distance = (drawn[j, c] - centre[j, c]) / spread[j, g]
            total -= 0.5 * distance * distance + share * groups[3 + j, g]
            pull = by[j, c] - distance / spread[j, g]
            by_raw[j, c] = pull * scale[j, c]
            by_centre = pull * (1.0 - share) + distance / spread[j, g]
            by_groups[3 + j, g] += (
                pull * (1.0 - share) * scale[j, c] * raw[j, c] + distance * distance - share
            )
            if j == 0 and above[c] >= 0:
                by[j, above[c]] += by_centre
            else:
                by_groups[j, g] += by_centre
    for k in range(10):
        for g in range(groups.shape[1]):
            off = (groups[k, g] - priors[k, 0]) / priors[k, 1]
            total -= 0.5 * off * off
            by_groups[k, g] -= off / priors[k, 1]
    return total, gradient


@dataclass(frozen=True, eq=False)
class Posterior:
    """The posterior of some figures.

    Attributes
    ----------
    figures : ndarray, shape (5, n, n_years)
        See `forecast.models.hierarchy.graph.OF_YEARS`.
    own : ndarray, shape (3, n)
        See `forecast.models.hierarchy.graph.stated`.
    group, parent : ndarray of int
        See `forecast.models.hierarchy.pool.Pool`.
    priors : mapping of str to (mean, standard deviation)
    floors : (float, float)
        Of calm and stormy years, per 1,000.
    """

    figures: np.ndarray
    own: np.ndarray
    group: np.ndarray
    parent: np.ndarray
    priors: Mapping[str, Prior]
    floors: tuple[float, float]

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
    def start(self) -> np.ndarray:
        """A point beside the middle of the prior, shape (size,)."""
        centre = [np.full(self.n_groups, self._prior[k].sum()) for k in range(len(OF_GROUPS))]
        middle = np.concatenate([*centre, np.zeros(self.size - self.n_groups * len(OF_GROUPS))])
        groups = middle[: self.n_groups * len(OF_GROUPS)].reshape(-1, self.n_groups)
        groups -= 0.9 * self._prior[:, 1:]
        # The sampler's first scales come from the gradient, which must be zero nowhere.
        return np.asarray(middle + 0.1 * np.cos(np.arange(self.size)))

    def density(self) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
        """Return the function from a point to log density and gradient."""
        above, figures = self.above, np.ascontiguousarray(self.figures)
        group, own = self.group.astype(np.int64), np.ascontiguousarray(self.own)
        prior = self._prior

        def of(x: np.ndarray) -> tuple[float, np.ndarray]:
            return log_posterior(x, group, above, own, prior, figures, *self.floors)  # type: ignore[no-any-return]

        return of

    def named(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Return the parameters of a point by name."""
        of_groups = self.n_groups * len(OF_GROUPS)
        groups = x[:of_groups].reshape(-1, self.n_groups)
        raw = x[of_groups : len(x) - self.n_years].reshape(len(OF_LOCATIONS), -1)
        drawn, _, _ = locations_of(groups, raw, self.group.astype(np.int64), self.above, self.own)
        each = (drawn[0], np.exp(drawn[1]), 1.0 / (1.0 + np.exp(-drawn[2])), x[-self.n_years :])
        return {**dict(zip(OF_GROUPS, groups)), **dict(zip(OF_EACH, each))}

    def model(self) -> CompiledModel:
        """Return what nutpie samples."""
        from nutpie.compiled_pyfunc import from_pyfunc

        n = len(self.group)
        shapes = [(self.n_groups,)] * len(OF_GROUPS) + [(n,)] * 3 + [(self.n_years,)]

        def expansion(*seeds: Any) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
            return self.named

        return from_pyfunc(
            self.size,
            self.density,
            expansion,
            [np.dtype(np.float64)] * len(shapes),
            shapes,
            [*OF_GROUPS, *OF_EACH],
            make_initial_point_fn=lambda seed: self.start,
        )

    @property
    def _prior(self) -> np.ndarray:
        return np.array([self.priors[name] for name in OF_GROUPS], dtype=float)
