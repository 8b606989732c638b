"""The model stated in PyMC: calm and stormy years of many locations.

With r the rate of a location, m = |r[t-1] - r[t-2]| + least move, and w its usual move up to
t - 1 (`forecast.models.hierarchical.volatility`),

    calm:    r[t] ~ Normal(r[t-1], (k m)^2 + (usual share w)^2 + floor^2)
    stormy:  r[t] ~ Student-t2(u + p (r[t-1] - u), s root(s^2 + (r[t-1] - u)^2) + storm floor^2)
    chance of a stormy year: logit = a + b log m + (a part that all locations share in year t)

The location's mean u, persistence p and storm size s come from its group; the mean of a
region is drawn around that of its country. Which of the two a year was is summed out. The
calm scale follows last year's move, so volatility changes in time and calm stretches cannot
rule the stormy ones; one quiet year does not make a lively series quiet, for which the usual
move is there; the floors keep interpolated stretches from being believed exactly.

`forecast.models.hierarchical.posterior` samples the same density without compiling a graph for
each panel; a test holds the two together, value and gradient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from forecast.models.hierarchical.priors import Prior

if TYPE_CHECKING:
    import pytensor.tensor as pt
    from pymc import Model

#: Degrees of freedom of a stormy year's shock. The compiled density has them written out.
STORM_DEGREES = 2.0
#: What the likelihood reads of each location and year.
OF_YEARS = ("value", "before", "move", "log_move", "weight", "floor")
#: What each location has of its own, drawn around its group or country.
OF_LOCATIONS = ("mean", "storm", "persistence")
#: What each group has: the centres and the log spreads of the three above, then the rest.
OF_GROUPS = (
    "mean",
    "log_storm_size",
    "logit_persistence",
    "log_mean_spread",
    "log_storm_spread",
    "log_persistence_spread",
    "log_calm_scale",
    "logit_storm_chance",
    "storm_echo",
    "log_shared_storms",
)


def stated(
    figures: np.ndarray,
    own: np.ndarray,
    group: Sequence[int] | np.ndarray,
    parent: Sequence[int] | np.ndarray,
    priors: Mapping[str, Prior],
    storm_floor: float,
) -> Model:
    """State the model of some figures in PyMC.

    Parameters
    ----------
    figures : ndarray, shape (6, n, n_years)
        See `OF_YEARS` and `forecast.models.hierarchical.rates_panel.transitions`.
    own : ndarray, shape (3, n)
        How far each location is centred: 0 samples its distance from the group in units of
        the group's spread, 1 the parameter itself. Between them lies what samples best for
        series of middling length (Papaspiliopoulos, Roberts and Sköld 2007,
        doi:10.1214/088342307000000014); the posterior is the same.
    group, parent : sequence of int
        See `forecast.models.hierarchical.rates_panel.Pool`.
    priors : mapping of str to (mean, standard deviation)
    storm_floor : float
        Of the scale of stormy years, per 1,000.
    """
    import pymc as pm
    import pytensor.tensor as pt

    members, above = np.asarray(group), np.asarray(parent, dtype=int)
    n, n_groups, n_top = len(members), int(np.max(group)) + 1, len(members) - len(above)
    value, before, move, log_move, weight, floor = figures

    def around(name: str, centre: pt.TensorVariable) -> pt.TensorVariable:
        """Draw a parameter of every location around its centre; regions around their country."""
        share = own[OF_LOCATIONS.index(name)]
        log_spread = of_group[f"log_{name}_spread"][members]
        raw = pm.Flat(f"{name}_raw", shape=n)
        moved = pt.exp((1.0 - share) * log_spread) * raw
        drawn = (1.0 - share) * centre + moved
        if name == "mean" and len(above):
            country = drawn[:n_top][above]
            regions = (1.0 - share[n_top:]) * country + moved[n_top:]
            drawn = pt.concatenate([drawn[:n_top], regions])
            centre = pt.concatenate([centre[:n_top], country])
        distance = (drawn - centre) * pt.exp(-log_spread)
        pm.Potential(f"{name}_around", pt.sum(-0.5 * pt.sqr(distance) - share * log_spread))
        return drawn

    with pm.Model() as model:
        of_group = {name: pm.Normal(name, *priors[name], shape=n_groups) for name in OF_GROUPS}
        mean = pm.Deterministic("location_mean", around("mean", of_group["mean"][members]))
        log_size = around("storm", of_group["log_storm_size"][members])
        size = pm.Deterministic("location_storm", pt.exp(log_size))
        logit = around("persistence", of_group["logit_persistence"][members])
        kept = pm.Deterministic("location_persistence", pt.sigmoid(logit))
        year = pm.Normal("shared_raw", 0.0, 1.0, shape=figures.shape[2])
        chance = pt.sigmoid(
            of_group["logit_storm_chance"][members][:, None]
            + of_group["storm_echo"][members][:, None] * log_move
            + pt.exp(of_group["log_shared_storms"])[members][:, None] * year[None, :]
        )
        calm_scale = pt.exp(of_group["log_calm_scale"])[members][:, None]
        calm = pm.Normal.dist(before, pt.sqrt(pt.sqr(calm_scale * move) + floor**2))
        away = before - mean[:, None]
        spread = pt.sqrt(pt.sqr(size[:, None]) + pt.sqr(away))
        variance = size[:, None] * spread + storm_floor**2
        stormy = pm.StudentT.dist(
            nu=STORM_DEGREES, mu=mean[:, None] + kept[:, None] * away, sigma=pt.sqrt(variance)
        )
        density = pt.logaddexp(
            pt.log1p(-chance) + pm.logp(calm, value), pt.log(chance) + pm.logp(stormy, value)
        )
        pm.Potential("likelihood", pt.sum(weight * density))
    return model
