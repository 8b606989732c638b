"""The model in PyMC: calm and stormy years of many locations.

With r the rate of a location and m = |r[t-1] - r[t-2]| + least move,

    calm:    r[t] ~ Normal(r[t-1], (k m)^2 + floor^2)
    stormy:  r[t] ~ Student-t3(u + p (r[t-1] - u), s (s + |r[t-1] - u|) + storm floor^2)
    chance of a stormy year: logit = a + b log m + (a part that all locations share in year t)

The location's mean u, persistence p and storm size s come from its group; the mean of a
region is drawn around that of its country. Which of the two a year was is summed out. The
calm scale follows last year's move, so volatility changes in time and calm stretches cannot
rule the stormy ones; the floors keep interpolated stretches from being believed exactly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from forecast.models.hierarchy.priors import Prior

if TYPE_CHECKING:
    from nutpie.sample import CompiledModel

#: Normalising constants of the normal and of Student's t with three degrees of freedom.
NORMAL = 1.0 / math.sqrt(2.0 * math.pi)
STUDENT = 2.0 / (math.pi * math.sqrt(3.0))


@lru_cache(maxsize=4)
def compiled(
    shape: tuple[int, int],
    group: tuple[int, ...],
    parent: tuple[int, ...],
    priors: tuple[tuple[str, Prior], ...],
    floors: tuple[float, float],
) -> CompiledModel:
    """Compile the model once for a shape; new figures of that shape are put in later.

    Parameters
    ----------
    shape : (int, int)
        Locations and padded transitions.
    group, parent : tuple of int
        See `forecast.models.hierarchy.pool.Pool`.
    priors : tuple of (name, (mean, standard deviation))
    floors : (float, float)
        Of calm and stormy years, per 1,000.
    """
    import nutpie
    import pymc as pm
    import pytensor.tensor as pt

    n, n_years = shape
    prior: Mapping[str, Prior] = dict(priors)
    members, above = np.array(group), np.array(parent, dtype=int)
    n_groups, n_top = int(members.max()) + 1, n - len(above)

    def of_groups(name: str) -> pt.TensorVariable:
        centre, spread = prior[name]
        # A start beside the prior mean: the sampler's first scale comes from the gradient.
        start = np.full(n_groups, centre + 0.1 * spread)
        return pm.Normal(name, centre, spread, shape=n_groups, initval=start)

    def of_locations(name: str) -> pt.TensorVariable:
        start = 0.1 * np.cos(np.arange(n))
        return pm.Normal(name, 0.0, 1.0, shape=n, initval=start)

    with pm.Model() as model:
        data = {
            name: pm.Data(name, np.zeros(shape) if name != "move" else np.ones(shape))
            for name in ("value", "before", "move", "weight")
        }
        centre = of_groups("mean")[members]
        pulled = pt.exp(of_groups("log_mean_spread"))[members] * of_locations("mean_raw")
        top = centre[:n_top] + pulled[:n_top]
        if len(above):
            top = pt.concatenate([top, top[above] + pulled[n_top:]])
        mean = pm.Deterministic("location_mean", top)
        log_size = of_groups("log_storm_size")[members]
        log_size = log_size + pt.exp(of_groups("log_storm_spread"))[members] * of_locations(
            "storm_raw"
        )
        size = pm.Deterministic("location_storm", pt.exp(log_size))
        logit = of_groups("logit_persistence")[members]
        logit = logit + pt.exp(of_groups("log_persistence_spread"))[members] * of_locations(
            "persistence_raw"
        )
        kept = pm.Deterministic("location_persistence", pt.sigmoid(logit))
        shared = pm.Normal("shared_raw", 0.0, 1.0, shape=n_years, initval=0.1 * np.ones(n_years))
        shared_scale = pt.exp(of_groups("log_shared_storms"))[members]
        echo = of_groups("storm_echo")[members][:, None]
        chance = pt.sigmoid(
            of_groups("logit_storm_chance")[members][:, None]
            + echo * pt.log(data["move"])
            + shared_scale[:, None] * shared[None, :]
        )
        calm_scale = pt.exp(of_groups("log_calm_scale"))[members][:, None]
        calm_variance = pt.sqr(calm_scale * data["move"]) + floors[0] ** 2
        change = data["value"] - data["before"]
        calm = NORMAL * pt.exp(-0.5 * pt.sqr(change) / calm_variance) / pt.sqrt(calm_variance)
        away = data["before"] - mean[:, None]
        storm_variance = size[:, None] * (size[:, None] + pt.abs(away)) + floors[1] ** 2
        surprise = data["value"] - mean[:, None] - kept[:, None] * away
        ratio = 1.0 + pt.sqr(surprise) / (3.0 * storm_variance)
        stormy = STUDENT / (pt.sqr(ratio) * pt.sqrt(storm_variance))
        density = (1.0 - chance) * calm + chance * stormy
        pm.Potential("likelihood", pt.sum(data["weight"] * pt.log(density)))
        # Every start is given above, so no initial point needs noise.
        return nutpie.compile_pymc_model(model, jitter_rvs=set())
