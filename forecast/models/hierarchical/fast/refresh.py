"""Posterior draws moved where trajectories of all parameters at once are slow.

A location whose figures agree with two stories (a mean near its rates, or one far away that pulls
little) waits long for a trajectory that passes from one to the other. Given the groups and years,
locations are independent of each other, so each is moved by Metropolis steps of its own: by
differences between two draws of another chain (ter Braak and Vrugt 2008,
doi:10.1007/s11222-008-9104-9). Centres and spreads of the groups are then drawn given the
locations, and the years' common part is moved against what it trades off with. Such steps leave the
posterior as it is: a draw that is moved is as good a draw, and less like the one before it.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from forecast.models.hierarchical.fast.kernel import compiled
from forecast.models.hierarchical.fast.moves import (
    FARTHEST,
    log_density_of,
    log_prior_of,
    move_groups,
    move_years,
    propose,
    weights,
)
from forecast.models.hierarchical.fast.posterior import OF_EACH, PanelPosterior
from forecast.models.hierarchical.graph import OF_GROUPS

if TYPE_CHECKING:
    import xarray as xr

#: Turns of locations and groups, and steps of each location in one of them.
ROUNDS, STEPS = 3, 4
#: A difference of draws is taken in part: near moves are accepted more often, far ones lead to
#: another mode.
LEAST_PART, LARGEST_PART = 0.2, 1.05


@compiled(njit, error_model="numpy", nogil=True)
def move_chain(
    groups: np.ndarray,
    locations: np.ndarray,
    year: np.ndarray,
    other: np.ndarray,
    level: np.ndarray,
    group: np.ndarray,
    above: np.ndarray,
    priors: np.ndarray,
    figures: np.ndarray,
    storm_floor: float,
    rounds: int,
    steps: int,
    generator: np.random.Generator,
) -> None:
    """Move every draw of a chain, in place.

    Parameters
    ----------
    groups : ndarray, shape (n_draws, 10, n_groups)
    locations : ndarray, shape (n_draws, 3, n)
        Mean, log storm size and logit of persistence.
    year : ndarray, shape (n_draws, n_years)
    other : ndarray, shape (n_others, n, 3)
        Locations in the draws of another chain.
    level : ndarray, shape (n,)
        Of the locations' figures.
    group, above, priors, figures, storm_floor
        See `forecast.models.hierarchical.fast.density.log_posterior`.
    """
    n_draws, _, n = locations.shape
    n_years = year.shape[1]
    calm, stormy = np.empty((n, n_years)), np.empty((n, n_years))
    squares, point, new = np.empty(n_years), np.empty(3), np.empty(3)
    told, one, two = np.empty(n), np.empty(steps, np.int64), np.empty(steps, np.int64)
    first_nested = n
    for c in range(n - 1, -1, -1):
        if above[c] >= 0:
            first_nested = c
    for d in range(n_draws):
        move_years(groups[d], year[d], priors, generator)
        weights(groups[d], year[d], group, figures, calm, stormy)
        for turn in range(rounds):
            per_spread = np.exp(-groups[d, 3:6])
            for step in range(steps):
                # The same two draws for all locations: they are read one after another.
                one[step] = generator.integers(0, len(other))
                two[step] = generator.integers(0, len(other))
            for c in range(n):
                value, before = figures[0, c], figures[1, c]
                of_calm, of_stormy = calm[c], stormy[c]
                for j in range(3):
                    point[j] = locations[d, j, c]
                if turn == 0:
                    told[c] = log_density_of(
                        point[0], math.exp(point[1]), 1.0 / (1.0 + math.exp(-point[2])),
                        storm_floor, value, before, of_calm, of_stormy, squares,
                    )  # fmt: skip
                believed = log_prior_of(
                    c, point, groups[d], per_spread, locations[d], group, above, first_nested
                )
                for step in range(steps):
                    # A sign of its own: with that of the two draws, which a country shares with
                    # its regions, they would move together.
                    signed = 2.0 * generator.random() - 1.0
                    part = LEAST_PART + (LARGEST_PART - LEAST_PART) * abs(signed)
                    part = math.copysign(part, signed)
                    # One parameter alone, all three, and all three with the pull for the mean.
                    kind = (turn * steps + step) % 3 + 2
                    if kind == 2:
                        kind = int(3.0 * generator.random())
                    stretched = propose(
                        kind, part, level[c], point, other[one[step], c], other[two[step], c], new
                    )
                    if max(abs(new[1]), abs(new[2])) > FARTHEST:
                        continue
                    prior = log_prior_of(
                        c, new, groups[d], per_spread, locations[d], group, above, first_nested
                    )
                    found = log_density_of(
                        new[0], math.exp(new[1]), 1.0 / (1.0 + math.exp(-new[2])),
                        storm_floor, value, before, of_calm, of_stormy, squares,
                    )  # fmt: skip
                    gain = found + prior - told[c] - believed + stretched
                    if math.log(generator.random()) < gain:
                        told[c], believed = found, prior
                        for j in range(3):
                            point[j] = new[j]
                for j in range(3):
                    locations[d, j, c] = point[j]
            move_groups(groups[d], locations[d], group, above, priors, generator)


def refresh(tree: xr.DataTree, posterior: PanelPosterior, seed: int) -> None:
    """Move the draws of a tree; those of a single chain stay as they are.

    The scale of calm years and the echo of storms stay, and so do the sampler's statistics.

    Parameters
    ----------
    tree : DataTree
        As `PanelPosterior.model` is sampled; changed in place.
    """
    draws = {str(name): v.to_numpy() for name, v in tree["posterior"].data_vars.items()}
    n_chains = len(draws["year_effect"])
    if n_chains < 2:
        return
    groups = np.stack([draws[name] for name in OF_GROUPS], axis=2)
    mean, size, kept = (draws[name] for name in list(OF_EACH)[:3])
    # A number below one keeps no more of a logit than this.
    kept = np.clip(kept, 1e-15, 1.0 - 1e-15)
    locations = np.stack([mean, np.log(size), np.log(kept) - np.log1p(-kept)], axis=2)
    others = np.ascontiguousarray(np.moveaxis(np.roll(locations, -1, axis=0), 2, 3))
    year = np.array(draws["year_effect"])
    value, used = posterior.figures[0], posterior.figures[4] > 0.0
    level = np.array([np.median(v[u]) if u.any() else 0.0 for v, u in zip(value, used)])
    generators = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(n_chains)]

    def move(chain: int) -> None:
        move_chain(
            groups[chain], locations[chain], year[chain], others[chain], level, *posterior.arrays,
            posterior.storm_floor, ROUNDS, STEPS, generators[chain],
        )  # fmt: skip

    with ThreadPoolExecutor(n_chains) as executor:
        list(executor.map(move, range(n_chains)))
    moved = {name: groups[:, :, k] for k, name in enumerate(OF_GROUPS)}
    size, kept = np.exp(locations[:, :, 1]), 1.0 / (1.0 + np.exp(-locations[:, :, 2]))
    moved.update(zip(OF_EACH, (locations[:, :, 0], size, kept, year)))
    for name, values in moved.items():
        tree["posterior"][name] = tree["posterior"].dataset[name].copy(data=values)
