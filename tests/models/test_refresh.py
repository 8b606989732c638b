"""Draws that are moved: the posterior stays as it is."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from random_rates import PRIORS, rates_panel
from scipy.stats import ks_2samp

from forecast.models.hierarchical.fast.moves import (
    log_density_of,
    log_prior_of,
    move_groups,
    move_years,
    propose,
    weights,
)
from forecast.models.hierarchical.fast.posterior import OF_EACH, PanelPosterior
from forecast.models.hierarchical.fast.refresh import refresh
from forecast.models.hierarchical.graph import OF_GROUPS, pymc_model
from forecast.models.registry import specification

SETTINGS = specification("hierarchical")["settings"]
POOL = rates_panel(1)
GROUP, PARENT = POOL.group, POOL.parent
#: Years with those that pad.
N_YEARS = 16


def posterior(weight: float = 1.0) -> PanelPosterior:
    of = PanelPosterior.of(POOL, PRIORS, SETTINGS)
    of.figures[4] *= weight
    return of


def coordinates(of: PanelPosterior, groups: np.ndarray, locations: np.ndarray) -> np.ndarray:
    """Coordinates of the locations in which the density is sampled."""
    centre = groups[:3, GROUP]
    centre[0, 3:] = locations[0, PARENT]
    return (locations - (1.0 - of.own) * centre) / np.exp((1.0 - of.own) * groups[3:6, GROUP])


def test_steps_of_a_location_see_the_density_that_is_sampled() -> None:
    of, generator = posterior(), np.random.default_rng(1)
    group, above, _, figures = of.arrays
    groups, year = 0.4 * generator.normal(size=(10, 2)), generator.normal(size=N_YEARS)
    calm, stormy, squares = np.empty((6, N_YEARS)), np.empty((6, N_YEARS)), np.empty(N_YEARS)
    weights(groups, year, group, figures, calm, stormy)
    per_spread = np.exp(-groups[3:6])

    def whole(locations: np.ndarray) -> float:
        raw = coordinates(of, groups, locations)
        return of.log_density(np.concatenate([groups.ravel(), raw.ravel(), year]))[0]

    def alone(c: int, point: np.ndarray, locations: np.ndarray) -> float:
        prior: float = log_prior_of(c, point, groups, per_spread, locations, group, above, 3)
        return prior + float(
            log_density_of(
                point[0], np.exp(point[1]), 1.0 / (1.0 + np.exp(-point[2])), 0.5,
                figures[0, c], figures[1, c], calm[c], stormy[c], squares,
            )
        )  # fmt: skip

    for c in range(6):
        here = generator.normal(size=(3, 6))
        there = here.copy()
        there[:, c] += generator.normal(size=3) * np.array([20.0, 1.0, 1.0])
        gain = alone(c, there[:, c], here) - alone(c, here[:, c], here)
        assert gain == pytest.approx(whole(there) - whole(here), abs=1e-8)


def test_groups_are_drawn_from_what_their_locations_say() -> None:
    of, generator = posterior(), np.random.default_rng(2)
    locations = generator.normal(size=(3, 6))
    group, above, priors, _ = of.arrays
    groups, kept = np.zeros((10, 2)), np.empty((20_000, 10, 2))
    for k in range(len(kept)):
        move_groups(groups, locations, group, above, priors, generator)
        kept[k] = groups
    assert not groups[6:].any()
    # Group 1: one region by itself, and three around their countries.
    alone = int(np.flatnonzero(GROUP == 1)[0])
    centre, spread = np.meshgrid(np.linspace(-6, 6, 401), np.linspace(-6, 6, 401), indexing="ij")
    off = np.array([locations[0, d] - locations[0, p] for d, p in zip((3, 4, 5), PARENT)])
    log_density = (
        -0.5 * ((centre - priors[0, 0]) / priors[0, 1]) ** 2
        - 0.5 * ((spread - priors[3, 0]) / priors[3, 1]) ** 2
        - 4.0 * spread
        - 0.5 * ((locations[0, alone] - centre) ** 2 + (off**2).sum()) * np.exp(-2.0 * spread)
    )
    density = np.exp(log_density - log_density.max())
    density /= density.sum()
    for grid, drawn in ((centre, kept[:, 0, 1]), (spread, kept[:, 3, 1])):
        mean = float((grid * density).sum())
        deviation = float(np.sqrt(((grid - mean) ** 2 * density).sum()))
        assert drawn.mean() == pytest.approx(mean, abs=0.05 * deviation)
        assert drawn.std() == pytest.approx(deviation, rel=0.05)


def test_years_move_against_the_chance_of_storms_and_leave_it() -> None:
    generator = np.random.default_rng(4)
    _, _, priors, _ = posterior().arrays
    groups, year = generator.normal(size=(10, 2)), generator.normal(size=N_YEARS)
    moved, years = groups.copy(), year.copy()
    move_years(moved, years, priors, generator)
    assert (np.abs(years - year) > 1e-3).all()
    for g in range(2):
        np.testing.assert_allclose(
            moved[7, g] + np.exp(moved[9, g]) * years,
            groups[7, g] + np.exp(groups[9, g]) * year,
            rtol=1e-9,
        )
    np.testing.assert_array_equal(np.delete(moved, [7, 9], 0), np.delete(groups, [7, 9], 0))


def test_the_stretch_of_a_proposal_is_that_of_volumes() -> None:
    point, one, two = np.random.default_rng(5).normal(size=(3, 3))

    def to(x: np.ndarray, kind: int) -> np.ndarray:
        new = np.empty(3)
        propose(kind, 0.7, 2.0, x, one, two, new)
        return new

    for kind in range(5):
        new = np.empty(3)
        found = propose(kind, 0.7, 2.0, point, one, two, new)
        ends = [(to(point + e, kind) - to(point - e, kind)) / 2e-6 for e in 1e-6 * np.eye(3)]
        assert found == pytest.approx(np.linalg.slogdet(np.array(ends))[1], abs=1e-7)
        # The way back is the same way with the draws exchanged.
        back = np.empty(3)
        propose(kind, 0.7, 2.0, new, two, one, back)
        np.testing.assert_allclose(back, point, atol=1e-9)
        assert ((new != point).sum() == 1) == (kind < 3)


def prior_tree(n_chains: int, n_draws: int) -> xr.DataTree:
    model = pymc_model(POOL, PRIORS, SETTINGS)
    drawn = pm.sample_prior_predictive(n_chains * n_draws, model=model, random_seed=3)
    arrays = {
        name: (
            ("chain", "draw", f"{name}_of"),
            drawn["prior"][name].to_numpy().reshape(n_chains, n_draws, -1),
        )
        for name in (*OF_GROUPS, *OF_EACH)
    }
    return xr.DataTree.from_dict({"posterior": xr.Dataset(arrays)})


@pytest.mark.thorough
def test_without_figures_the_prior_stays_the_prior() -> None:
    tree, of = prior_tree(2, 2000), posterior(weight=0.0)
    before = {name: v.to_numpy().copy() for name, v in tree["posterior"].data_vars.items()}
    refresh(tree, of, 1)
    still = ("log_calm_scale", "storm_echo")
    for name, old in before.items():
        new = tree["posterior"][name].to_numpy()
        if name in still:
            np.testing.assert_array_equal(new, old)
            continue
        assert (new != old).mean() > 0.6
        for place in range(new.shape[2]):
            assert ks_2samp(new[..., place].ravel(), old[..., place].ravel()).pvalue > 1e-3


@pytest.mark.parametrize(
    ("kept", "within"), [(1500, 0.036), pytest.param(8000, 0.016, marks=pytest.mark.thorough)]
)
def test_regions_stay_as_far_from_their_country_as_they_were(kept: int, within: float) -> None:
    tree, of = prior_tree(2, kept), posterior(weight=0.0)
    refresh(tree, of, 1)
    draws = {name: v.to_numpy() for name, v in tree["posterior"].data_vars.items()}
    mean, spread = draws["location_mean"], np.exp(draws["log_mean_spread"])
    for place in np.flatnonzero(of.above >= 0):
        away = mean[..., place] - mean[..., of.above[place]]
        assert np.std(away / spread[..., GROUP[place]]) == pytest.approx(1.0, abs=within)


@pytest.mark.thorough
def test_the_same_seed_moves_the_same_and_one_chain_stays() -> None:
    found = []
    for n_chains in (2, 2, 1):
        tree = prior_tree(n_chains, 30)
        refresh(tree, posterior(), 7)
        found.append(tree["posterior"]["location_mean"].to_numpy())
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[2], prior_tree(1, 30)["posterior"]["location_mean"])
