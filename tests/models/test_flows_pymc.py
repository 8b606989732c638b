"""Gross flows in PyMC: an ordinary model, and the one the compiled code samples."""

from __future__ import annotations

import warnings

import arviz_stats
import numpy as np
import pymc as pm
import pytest
from pymc.model.transform.conditioning import remove_value_transforms
from scipy.stats import invgamma, multivariate_normal, multivariate_t

import forecast as fc
from forecast.errors import DataError
from forecast.models.gross_flows import graph, law
from forecast.models.gross_flows.data import Gross, collect
from forecast.models.gross_flows.fast import kernel, slices
from forecast.models.gross_flows.fast.posterior import Chains
from forecast.models.gross_flows.left_out import left_out, of_figures, without
from forecast.models.gross_flows.model import Flows
from forecast.models.registry import specification
from forecast.panel import Panel

PRIORS = specification("flows")["priors"]
World = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def panel() -> Panel:
    return fc.load("central-asia").select(source=["kz-bns", "kg-nsc", "uz-stat"])


@pytest.fixture(scope="module")
def gross(panel: Panel) -> Gross:
    found = collect(panel)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def worlds(gross: Gross) -> list[World]:
    """Draws of every variable from the priors."""
    model = graph.pymc_model(gross, PRIORS)
    variables = [*model.free_RVs, *model.deterministics, *model.observed_RVs]
    drawn = pm.draw(variables, draws=4, random_seed=1)
    return [{v.name: values[row] for v, values in zip(variables, drawn)} for row in range(4)]


def test_the_model_can_be_looked_at_and_drawn(panel: Panel) -> None:
    model = Flows().pymc_model(panel)
    assert {rv.name for rv in model.free_RVs} == set(graph.FREE)
    assert [rv.name for rv in model.observed_RVs] == ["log_rate"]
    assert list(model.coords["place"]) == ["KGZ (kg-nsc)", "KAZ (kz-bns)", "UZB (uz-stat)"]
    assert list(model.coords["flow"]) == ["immigration", "emigration"]
    assert model.coords["year"][-1] == 2025
    assert "KGZ (kg-nsc) from 2021" in model.coords["stretch"]
    drawing = pm.model_to_graphviz(model).source
    assert "news -> level" in drawing
    assert "level -> log_rate" in drawing


@pytest.mark.thorough
def test_arviz_and_pymc_run_on_it_without_a_warning() -> None:
    alone = fc.load("central-asia").select(source="kz-bns")
    fitted = Flows().fit(alone, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree = fitted.to_arviz()
        loo = arviz_stats.loo(tree)
        transforms = arviz_stats.loo_pit(tree)["log_rate"].to_numpy()
        with Flows().pymc_model(alone):
            again = pm.sample_posterior_predictive(tree, random_seed=1, progressbar=False)
    assert set(tree.children) >= {
        "prior", "prior_predictive", "posterior", "posterior_predictive", "log_likelihood",
        "observed_data", "constant_data",
    }  # fmt: skip
    for group in ("prior_predictive", "posterior_predictive", "log_likelihood"):
        assert np.isfinite(tree[group]["log_rate"].to_numpy()).all()
    for group in ("prior", "posterior"):
        assert tree[group]["shock"].sel(place="KAZ (kz-bns)", flow="emigration").size == 1000
    assert np.isfinite(loo.elpd)
    shares = np.histogram(transforms, bins=4, range=(0, 1))[0] / len(transforms)
    assert (np.abs(shares - 0.25) < 0.15).all()
    # Given its own level a figure is known to within the noise, and no more of it is left out.
    away = again["posterior_predictive"]["log_rate"] - tree["observed_data"]["log_rate"]
    left = tree["posterior_predictive"]["log_rate"] - tree["observed_data"]["log_rate"]
    assert float(away.std()) < 0.7 * float(left.std())


@pytest.mark.thorough
def test_leave_one_out_of_all_registers_runs_without_a_warning(panel: Panel) -> None:
    """Three of the five countries publish arrivals and departures; one of them nine years only."""
    fitted = Flows().fit(panel, 1)
    tree = fitted.to_arviz(400)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weighted = arviz_stats.loo(tree, pointwise=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loo, transforms = fitted.leave_one_out(tree)
    assert not loo.warning
    anew = (weighted.pareto_k > weighted.good_k).to_numpy()
    assert anew.any()
    assert (loo.pareto_k.to_numpy()[anew] == 0.0).all()
    # What was not fitted anew is what ArviZ makes of the draws.
    same = ~anew
    np.testing.assert_array_equal(loo.elpd_i.to_numpy()[same], weighted.elpd_i.to_numpy()[same])
    assert np.isfinite(loo.elpd)
    assert ((transforms >= 0.0) & (transforms <= 1.0)).all()
    shares = np.histogram(transforms, bins=4, range=(0, 1))[0] / len(transforms)
    assert (np.abs(shares - 0.25) < 0.15).all()


def test_figures_are_left_out_of_a_fit_one_by_one(gross: Gross) -> None:
    cells = graph.Cells.of(gross)
    known = ~np.isnan(cells.values)
    one = int(np.flatnonzero(known.ravel()[known.ravel()].cumsum() == 40)[0])
    row, flow = np.argwhere(known)[one]
    rest = graph.Cells.of(without(gross, one)).values
    assert np.isnan(rest[row, flow])
    rest[row, flow] = cells.values[row, flow]
    np.testing.assert_array_equal(rest, cells.values)


@pytest.mark.thorough
def test_other_figures_are_set_without_another_model(panel: Panel) -> None:
    model = Flows().pymc_model(panel)
    density = model.compile_logp(vars=model["log_rate"])
    before = float(density(model.initial_point()))
    with model:
        pm.set_data({"figures": model["figures"].get_value() + 1.0})
    assert float(density(model.initial_point())) != before


def forms(cells: graph.Cells, world: World) -> np.ndarray:
    """Squares of standardised own shocks."""
    size = world["shock"][cells.place[cells.changes]]
    common = world["common"][cells.year[cells.changes]]
    drift = law.drift(world["growth_path"][cells.changes], size, world["shared"], common)
    own = (world["move"] - drift) / law.own_scale(size, world["shared"])
    correlation = np.eye(2) + float(world["correlation"]) * (1 - np.eye(2))
    return np.einsum("ck,kj,cj->c", own, np.linalg.inv(correlation), own)


def packed(world: World) -> np.ndarray:
    """Parameters as compiled code takes them."""
    return np.concatenate([np.ravel(world[name]) for name in graph.PARAMETERS])


@pytest.fixture(scope="module")
def densities(gross: Gross, worlds: list[World]) -> list[float]:
    """PyMC's log density of each world, in terms of levels and growth."""
    model = remove_value_transforms(graph.pymc_model(gross, PRIORS))
    value = model.compile_logp()
    found, cells = [], graph.Cells.of(gross)
    for world in worlds:
        with model:
            pm.set_data({"figures": world["log_rate"]})
        point = {}
        for rv in model.free_RVs:
            point[model.rvs_to_values[rv].name] = world[rv.name]
        # From news to growth and levels: a scale for every year and flow.
        fresh = np.ones((len(cells.stretch), 2))
        fresh[cells.changes] = np.sqrt(1 - world["damping"] ** 2)
        own = law.own_scale(world["shock"][cells.place[cells.changes]], world["shared"])
        size = own[:, 0] * own[:, 1] * np.sqrt(1 - world["correlation"] ** 2) * world["mixing"]
        density = float(value(point)) - np.log(fresh * world["growth"]).sum()
        found.append(density - np.log(size).sum() - cells.centre.size * np.log(graph.WIDE))
    return found


@pytest.mark.thorough
def test_the_compiled_densities_are_those_of_the_model(
    gross: Gross, worlds: list[World], densities: list[float]
) -> None:
    """Joint density = figures, whatever levels and growth, times levels and growth given them."""
    cells, generator = graph.Cells.of(gross), np.random.default_rng(2)
    constants = []
    for world, stated in zip(worlds, densities):
        chains = Chains(gross, PRIORS, [generator])
        chains.observe(world["log_rate"])
        _, bounds, figures, prior, _ = chains.given
        x, n, n_places = packed(world), len(cells.stretch), len(gross.places)
        mixing = world["mixing"]
        variance, pull = np.ones(n), np.zeros((n, 2))
        variance[cells.changes] = (1 - world["shared"] ** 2) * mixing
        pull[cells.changes] = world["shared"] * world["common"][cells.year[cells.changes]]
        root = np.zeros((4 * n + 8, 8))
        half, whole = np.zeros(4 * n + 8), 0.0
        states = np.concatenate(
            [world["level"] - cells.centre[cells.stretch], world["growth_path"]], axis=1
        ).ravel()
        for first, last, place in bounds:
            whole += kernel.collapsed(
                first, last, place, x, figures, variance, pull, prior[9], root, half
            )
            rows = slice(4 * first, 4 * (last + 1))
            size = 4 * (last - first + 1)
            lower = np.zeros((size, size))
            for m in range(8):
                for j in range(size - m):
                    lower[j + m, j] = root[rows][j, m]
            away = lower.T @ states[rows] - half[rows]
            whole += -0.5 * away @ away + np.log(np.diag(lower)).sum()
            whole -= 0.5 * size * np.log(2 * np.pi)
        whole += kernel.log_prior(x, n_places, prior)
        degrees = float(world["degrees"])
        whole += invgamma.logpdf(mixing, degrees / 2, scale=degrees / 2).sum()
        whole += (prior[7] - 1) * np.log(degrees) - prior[8] * degrees
        # News of the common shocks are standard normal.
        whole -= 0.5 * (world["common_news"] ** 2).sum()
        constants.append(whole - stated)
    np.testing.assert_allclose(constants, constants[0], atol=1e-5)


def test_shared_correlation_and_tails_have_their_densities(
    gross: Gross, worlds: list[World]
) -> None:
    cells, generator = graph.Cells.of(gross), np.random.default_rng(3)
    world = worlds[0]
    chains = Chains(gross, PRIORS, [generator])
    x = packed(world)
    own = forms(cells, world)
    mixing = generator.gamma(3.0, 0.4, len(cells.changes))
    size = world["shock"][cells.place[cells.changes]]
    scaled = (world["move"] - world["growth_path"][cells.changes]) / size
    year = cells.year[cells.changes]
    sums = np.zeros((gross.values.shape[1], 3))
    np.add.at(sums, year, np.column_stack([1 / mixing, *(scaled / mixing[:, None]).T]))
    squares = np.array(
        [*(scaled**2 / mixing[:, None]).sum(axis=0), (scaled.prod(axis=1) / mixing).sum(), len(own)]
    )
    gaps = []
    for shared, correlation in ((0.1, 0.5), (0.8, -0.3), (0.4, 0.0)):
        x[kernel.SHARED], x[kernel.CORRELATION] = shared, correlation
        together = shared**2 * (year[:, None] == year) + np.diag((1 - shared**2) * mixing)
        directions = np.eye(2) + correlation * (1 - np.eye(2))
        exact = multivariate_normal.logpdf(scaled.ravel(), cov=np.kron(together, directions))
        gaps.append(slices.of_shocks(x, sums, squares, len(gross.places)) - exact)
    np.testing.assert_allclose(gaps, gaps[0], atol=1e-8)
    gaps = []
    for degrees in (3.5, 12.0, 45.0):
        exact = multivariate_t.logpdf(
            np.sqrt(own)[:, None] * [1.0, 0.0], shape=np.eye(2), df=degrees
        )
        shape, rate = PRIORS["degrees"]
        prior = (shape - 1) * np.log(degrees) - rate * degrees
        gaps.append(slices.of_tails(degrees, own, chains.given[3]) - exact.sum() - prior)
    np.testing.assert_allclose(gaps, gaps[0], atol=1e-8)


def test_a_figure_given_the_others_is_the_ratio_of_their_densities(
    gross: Gross, worlds: list[World]
) -> None:
    cells, world = graph.Cells.of(gross), worlds[1]
    mean, covariance = of_figures(cells, world)
    figures = cells.values[~np.isnan(cells.values)]
    middle, deviation = left_out(cells, world)
    for one in (0, 40, len(figures) - 1):
        rest = np.delete(np.arange(len(figures)), one)
        whole = multivariate_normal.logpdf(figures, mean, covariance)
        others = multivariate_normal.logpdf(
            figures[rest], mean[rest], covariance[np.ix_(rest, rest)]
        )
        alone = -0.5 * ((figures[one] - middle[one]) / deviation[one]) ** 2
        alone -= np.log(deviation[one]) + 0.5 * np.log(2 * np.pi)
        assert alone == pytest.approx(whole - others, abs=1e-5)


@pytest.mark.slow
def test_nuts_on_the_model_itself_passes_the_gate(panel: Panel) -> None:
    sampler = {"compiled": False, "warm_up": 800, "kept": 1000, "target_accept": 0.95}
    plain = Flows(sampler=sampler).fit(panel, 1)
    assert plain.sampled.failure == ""
    one, two = (
        fitted.diagnostics.set_index("parameter") for fitted in (Flows().fit(panel, 1), plain)
    )
    shared = one.index.intersection(two.index)
    one, two = one.loc[shared], two.loc[shared]
    error = one["sd"] * np.sqrt(1 / one["ess_bulk"] + 1 / two["ess_bulk"])
    assert ((one["mean"] - two["mean"]).abs() < 5 * error).all()


class WithoutShock(Flows):
    """Has lost what futures are drawn from."""

    name = "without-shock"

    def pymc_model(self, panel: Panel) -> pm.Model:
        with pm.Model() as model:
            pm.Normal("log_rate", observed=np.zeros(3))
        return model


def test_a_changed_model_has_to_keep_what_futures_are_drawn_from(panel: Panel) -> None:
    with pytest.raises(DataError, match="no variable shock, growth, damping"):
        WithoutShock().fit(panel, 1)
