"""The hierarchical model in PyMC: an ordinary model, and the one the compiled code samples."""

from __future__ import annotations

import warnings
from dataclasses import replace

import arviz_stats
import numpy as np
import pymc as pm
import pytest
import xarray as xr
from random_rates import PRIORS, rates_panel
from scipy.integrate import cumulative_trapezoid

import forecast as fc
from forecast.errors import DataError
from forecast.models.hierarchical import graph, simulation
from forecast.models.hierarchical.fast import kernel
from forecast.models.hierarchical.fast.posterior import PanelPosterior
from forecast.models.hierarchical.fitted import FittedHierarchical
from forecast.models.hierarchical.law import Parameters
from forecast.models.hierarchical.model import Hierarchical
from forecast.models.registry import specification
from forecast.panel import Panel

SETTINGS = specification("hierarchical")["settings"]
FREE = ("location_mean", "location_log_storm", "location_logit_persistence", "year_effect")


@pytest.fixture(scope="module")
def panel() -> Panel:
    return fc.load("central-asia").select(source="un-wpp")


@pytest.fixture(scope="module")
def fitted(panel: Panel) -> FittedHierarchical:
    return Hierarchical().fit(panel, 1)


@pytest.fixture(scope="module")
def tree(fitted: FittedHierarchical) -> xr.DataTree:
    return fitted.to_arviz()


def test_the_model_can_be_looked_at_and_drawn(panel: Panel) -> None:
    model = Hierarchical().pymc_model(panel)
    assert {rv.name for rv in model.free_RVs} == {*graph.OF_GROUPS, *FREE}
    assert [rv.name for rv in model.observed_RVs] == ["rate"]
    assert list(model.coords["location"]) == ["KAZ", "KGZ", "TJK", "TKM", "UZB"]
    assert "KAZ 1994" in model.coords["transition"]
    drawing = pm.model_to_graphviz(model).source
    assert "location_mean -> rate" in drawing
    assert "mean -> location_mean" in drawing


@pytest.mark.thorough
def test_arviz_has_all_groups_with_names(tree: xr.DataTree) -> None:
    assert set(tree.children) >= {
        "prior", "prior_predictive", "posterior", "posterior_predictive", "log_likelihood",
        "observed_data", "sample_stats", "constant_data",
    }  # fmt: skip
    for group in ("prior", "posterior"):
        kazakh = tree[group]["location_mean"].sel(location="KAZ")
        assert kazakh.dims == ("chain", "draw")
        assert tree[group]["year_effect"].coords["year"].to_numpy()[[0, -1]].tolist() == [
            1951,
            2023,
        ]
    for group in ("prior_predictive", "posterior_predictive", "log_likelihood"):
        assert np.isfinite(tree[group]["rate"].to_numpy()).all()


@pytest.mark.thorough
def test_leave_one_out_runs_without_a_warning(tree: xr.DataTree) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loo = arviz_stats.loo(tree)
        transforms = arviz_stats.loo_pit(tree)["rate"].to_numpy()
    assert np.isfinite(loo.elpd)
    assert loo.p > 0
    shares = np.histogram(transforms, bins=4, range=(0, 1))[0] / len(transforms)
    assert (np.abs(shares - 0.25) < 0.1).all()


@pytest.mark.thorough
def test_prior_and_figures_are_of_one_world(tree: xr.DataTree) -> None:
    before = tree["constant_data"]["before"]
    for group, widest in (("prior_predictive", 0.9), ("posterior_predictive", 0.7)):
        moves = tree[group]["rate"] - before
        observed = tree["observed_data"]["rate"] - before
        # Half of the moves lie between replicated quartiles, more or less.
        low, high = moves.quantile([0.25, 0.75], dim=("chain", "draw")).to_numpy()
        inside = ((observed >= low) & (observed <= high)).mean()
        assert 0.3 < inside < widest


@pytest.mark.thorough
@pytest.mark.parametrize("seed", [1, 2])
def test_compiled_density_and_gradient_are_those_of_the_model(seed: int) -> None:
    # With regions within countries, and without.
    pool = rates_panel(seed) if seed == 1 else rates_panel(seed, places=("KAZ", "KGZ", "UZB"))
    model = graph.pymc_model(pool, PRIORS, SETTINGS)
    posterior = PanelPosterior.of(pool, PRIORS, SETTINGS)
    n, n_groups, n_top = len(pool.group), len(pool.groups), len(pool.group) - len(pool.parent)
    value, slope = model.compile_logp(), model.compile_dlogp()
    means = ["top_mean", "nested_mean"] if len(pool.parent) else ["location_mean"]
    names = [
        *graph.OF_GROUPS,
        *(f"{name}_partlycentred__" for name in (*means, *FREE[1:3])),
        "year_effect",
    ]
    of_means = [n_top, n - n_top] if len(pool.parent) else [n]
    lengths = [n_groups] * 10 + [*of_means, n, n, pool.n_transitions]
    ends = np.cumsum(lengths)
    generator, constants = np.random.default_rng(3), []
    for _ in range(4):
        x = posterior.start + 0.5 * generator.normal(size=posterior.size)
        x[ends[-1] :] = 0.0
        point = dict(zip(names, np.split(x, ends[:-1])))
        point["year_effect"] = point["year_effect"][: pool.n_transitions]
        density, gradient = posterior.log_density(x)
        order = [variable.name for variable in model.value_vars]
        cuts = np.cumsum([len(point[name]) for name in order])[:-1]
        stated = dict(zip(order, np.split(slope(point), cuts)))
        np.testing.assert_allclose(
            gradient[: ends[-1]], np.concatenate([stated[name] for name in names]),
            rtol=1e-6, atol=1e-6,
        )  # fmt: skip
        constants.append(density - float(value(point)))
    np.testing.assert_allclose(constants, constants[0], atol=1e-6)


def test_a_diverging_point_is_told_from_a_sound_one() -> None:
    posterior = PanelPosterior.of(rates_panel(1), PRIORS, SETTINGS)
    for far in (800.0, np.nan, np.inf):
        x = posterior.start
        x[2] = far
        assert not np.isfinite(posterior.log_density(x)[0])


def test_exponentials_are_exact_to_the_last_digits() -> None:
    values = np.linspace(-690.0, 690.0, 100_003)
    powers, whole = np.empty_like(values), np.empty(len(values), np.int64)
    kernel.exponentials(values, powers, whole)
    np.testing.assert_allclose(powers, np.exp(values), rtol=1e-13)


@pytest.mark.thorough
def test_figures_of_another_origin_are_set_without_another_model() -> None:
    pool = rates_panel(4, gaps=0.0)
    earlier = replace(pool, rates=np.where(np.arange(17) < 12, pool.rates, np.nan))
    model = graph.pymc_model(pool, PRIORS, SETTINGS)
    of_earlier = graph.pymc_model(earlier, PRIORS, SETTINGS)
    names = graph.coordinates(earlier, SETTINGS)["transition"]
    assert len(names) == 6 * 11
    with model:
        pm.set_data(graph.data(earlier, SETTINGS), coords={"transition": names})
    drawn = pm.sample_prior_predictive(5, model=of_earlier, random_seed=1)
    parameters = xr.DataTree.from_dict({"posterior": drawn["prior"].dataset})
    likelihoods = [
        pm.compute_log_likelihood(
            parameters, model=of, extend_inferencedata=False, progressbar=False
        )["rate"].to_numpy()
        for of in (model, of_earlier)
    ]
    np.testing.assert_allclose(likelihoods[0], likelihoods[1], rtol=1e-9)


@pytest.mark.thorough
def test_the_model_itself_gives_the_draws_of_the_compiled_code(
    panel: Panel, fitted: FittedHierarchical
) -> None:
    plain = Hierarchical(sampler={"compiled": False}).fit(panel, 1)
    assert plain.sampled.failure == ""
    one = fitted.diagnostics.set_index("parameter")
    two = plain.diagnostics.set_index("parameter")
    shared = one.index.intersection(two.index)
    # The gate looks at what is sampled: the compiled code at locations, PyMC at their logs too.
    assert len(shared) == len(one) == 10 + 3 * 5 + 73
    one, two = one.loc[shared], two.loc[shared]
    error = one["sd"] * np.sqrt(1 / one["ess_bulk"] + 1 / two["ess_bulk"])
    assert ((one["mean"] - two["mean"]).abs() < 4.5 * error).all()
    outlook = plain.forecast((2025, 2030), 500)
    assert np.isfinite(outlook.draws.to_numpy()).all()


class NarrowMeans(Hierarchical):
    """Means of the locations hardly differ."""

    name = "narrow-means"

    def pymc_model(self, panel: Panel) -> pm.Model:
        return pm.do(super().pymc_model(panel), {"log_mean_spread": np.array([-3.0])})


@pytest.mark.thorough
def test_a_model_that_was_changed_is_the_one_that_is_fitted(
    panel: Panel, fitted: FittedHierarchical
) -> None:
    narrow = NarrowMeans(on_failure="mark", sampler={"kept": 300, "most": 300}).fit(panel, 1)
    means = narrow.posterior["posterior"]["location_mean"]
    assert float(means.std("location").mean()) < 0.1
    assert float(fitted.posterior["posterior"]["location_mean"].std("location").mean()) > 0.5
    assert np.isfinite(narrow.forecast((2027,), 200).draws.to_numpy()).all()
    sensitive = narrow.prior_sensitivity((2027,))
    assert "log_mean_spread" not in set(sensitive["prior"])
    assert "mean" in set(sensitive["prior"])


class WithoutEcho(Hierarchical):
    """Fixes what futures are drawn from, and keeps no variable of its name."""

    name = "without-echo"

    def pymc_model(self, panel: Panel) -> pm.Model:
        return pm.do(super().pymc_model(panel), {"storm_echo": np.array([0.6])})


def test_a_changed_model_has_to_keep_what_futures_are_drawn_from(panel: Panel) -> None:
    with pytest.raises(DataError, match="no variable storm_echo"):
        WithoutEcho().fit(panel, 1)


def test_transform_is_the_integral_of_the_density() -> None:
    pool = rates_panel(5, n_years=4, gaps=0.0, places=("KAZ",))
    grid = np.linspace(-4000, 4000, 400_001)
    figures = graph.data(pool, SETTINGS)
    wide = {name: np.full(len(grid), column[1]) for name, column in figures.items()}
    wide["figure"] = grid
    values = (0.5, 2.0, 0.7, 0.7, -0.5, 0.6, 0.4)
    mean, storm, persistence, calm, chance, echo, shared = values
    fixed = {
        "location_mean": mean,
        "location_log_storm": np.log(storm),
        "location_logit_persistence": np.log(persistence / (1 - persistence)),
        "log_calm_scale": np.log(calm),
        "logit_storm_chance": chance,
        "storm_echo": echo,
        "log_shared_storms": np.log(shared),
    }
    model = pm.do(
        graph.pymc_model(pool, PRIORS, SETTINGS),
        {**{name: np.array([x]) for name, x in fixed.items()}, "year_effect": np.zeros(3)},
    )
    with model:
        pm.set_data(wide, coords={"transition": [str(k) for k in range(len(grid))]})
    log_density = model.compile_logp(vars=model["rate"], sum=False)(model.initial_point())[0]
    integral = cumulative_trapezoid(np.exp(log_density), grid, initial=0.0)
    assert abs(integral[-1] - 1) < 1e-6
    wide["value"] = grid
    transform = simulation.transforms(
        Parameters(*(np.full((1, 1), x) for x in values)),
        {name: column[None] for name, column in wide.items()},
        SETTINGS["storm_floor"],
        np.zeros((1, len(grid))),
    )
    np.testing.assert_allclose(integral, transform[0, 0], atol=1e-4)
