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

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import xarray as xr

from forecast.models.hierarchical.fast.moves import move_chain
from forecast.models.hierarchical.fast.posterior import OF_EACH, PanelPosterior
from forecast.models.hierarchical.graph import OF_GROUPS

#: Turns of locations and groups, and steps of each location in one of them.
ROUNDS, STEPS = 3, 4


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
    earlier = tree["posterior"].to_dataset()
    tree["posterior"] = xr.DataTree(
        earlier.assign({name: earlier[name].copy(data=values) for name, values in moved.items()})
    )
