"""The posterior of a panel's figures: stated in PyMC, and as the sampler takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.models.hierarchical.priors import Prior

if TYPE_CHECKING:
    import pytensor.tensor as pt
    from nutpie.sample import CompiledModel
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
        See `forecast.models.hierarchical.rates_panel.RatesPanel`.
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


#: What is kept of each draw besides `OF_GROUPS`: the coordinates in which locations are
#: sampled are nobody's parameters.
OF_EACH = ("location_mean", "location_storm", "location_persistence", "shared_raw")


@dataclass(frozen=True, eq=False)
class PanelPosterior:
    """The posterior of some figures.

    Attributes
    ----------
    figures : ndarray, shape (6, n, n_years)
        See `forecast.models.hierarchical.posterior.OF_YEARS`.
    own : ndarray, shape (3, n)
        See `forecast.models.hierarchical.posterior.stated`.
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
