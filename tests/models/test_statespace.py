"""The filter against statsmodels, and its draws against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.tsa.statespace.exponential_smoothing import ExponentialSmoothing
from statsmodels.tsa.statespace.sarimax import SARIMAX
from statsmodels.tsa.statespace.structural import UnobservedComponents

from forecast.models.series.classical import DampedTrend, nodes_of, orders
from forecast.models.series.representation import Nodes, simulate
from forecast.models.series.statespace import condition
from forecast.models.series.structural import (
    RandomWalk,
    RandomWalkWithDrift,
    autoregression,
    damped_trend,
    local_level,
    signal_to_noise,
)
from forecast.models.series.univariate import Prepared
from forecast.panel import Series
from forecast.scales import Scale


def walk(n_years: int = 30, seed: int = 0) -> np.ndarray:
    return 5 + np.random.default_rng(seed).normal(size=n_years).cumsum()


def prepared(values: np.ndarray) -> Prepared:
    unknown = np.full(len(values), np.nan)
    years = np.arange(len(values))
    flags = (frozenset[str](),) * len(values)
    series = Series("s", "KAZ", "net_migration", years, values, unknown, unknown, flags, 1)
    return Prepared(
        series, Scale("persons", values, 0.0, None, 1), values, np.zeros(len(values), bool)
    )


def filtered(nodes: Nodes, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the log likelihood and the one-year-ahead forecast at each node."""
    posterior = condition(nodes, values, np.zeros(len(values), bool))
    ahead = (nodes.transition * posterior.state[:, None, :]).sum(axis=2)
    return posterior.log_likelihood, (nodes.design * ahead).sum(axis=1) + posterior.shift


def theirs(model: object, parameters: np.ndarray) -> tuple[float, float]:
    """Return statsmodels' log likelihood with the scale at its maximum, and its forecast."""
    with model.ssm.fixed_scale(1.0):  # type: ignore[attr-defined]
        result = model.smooth(parameters)  # type: ignore[attr-defined]
    burn = model.loglikelihood_burn  # type: ignore[attr-defined]
    variance = result.filter_results.forecasts_error_cov[0, 0]
    error = result.filter_results.forecasts_error[0]
    keep = ~np.isnan(error)
    keep[np.flatnonzero(keep)[:burn]] = False
    n = keep.sum()
    scale = (error[keep] ** 2 / variance[keep]).sum() / n
    log_likelihood = -0.5 * (n * np.log(2 * np.pi * scale) + np.log(variance[keep]).sum() + n)
    exog = {"exog": np.ones((1, 1))} if getattr(model, "k_exog", 0) else {}
    return log_likelihood, float(np.asarray(result.forecast(1, **exog))[0])


@pytest.mark.parametrize("gaps", [(), (4, 5, 11)])
def test_local_level_equals_statsmodels(gaps: tuple[int, ...]) -> None:
    values = walk()
    values[list(gaps)] = np.nan
    model = UnobservedComponents(values, level="local level")
    model.ssm.initialize_approximate_diffuse(1e7)
    ours, forecasts = filtered(local_level(), values)
    for node, gain in enumerate(local_level().parameters["gain"]):
        expected, ahead = theirs(model, np.array(signal_to_noise(gain)))
        assert ours[node] == pytest.approx(expected, abs=1e-3)
        assert forecasts[node] == pytest.approx(ahead, abs=1e-4)


def test_autoregression_equals_statsmodels() -> None:
    values = walk(40, seed=2)
    values[7] = np.nan
    model = UnobservedComponents(values, level="fixed intercept", autoregressive=1)
    ours, forecasts = filtered(autoregression(), values)
    for node in (3, 30, 45, 57):
        expected, ahead = theirs(
            model, np.array([1.0, autoregression().parameters["persistence"][node]])
        )
        assert ours[node] == pytest.approx(expected, abs=2e-2)
        assert forecasts[node] == pytest.approx(ahead, abs=2e-2)


@pytest.mark.parametrize("order", orders())
def test_arima_equals_statsmodels(order: tuple[int, int, int]) -> None:
    values = walk(40, seed=5)
    values[20] = np.nan
    nodes = nodes_of(order)
    mean = None if order[1] else np.ones(len(values))
    model = SARIMAX(values, exog=mean, mle_regression=False, order=order)
    ours, forecasts = filtered(nodes, values)
    for node in np.linspace(0, len(ours) - 1, 5).astype(int):
        coefficients = [nodes.parameters[name][node] for name in nodes.parameters]
        expected, ahead = theirs(model, np.array([*coefficients, 1.0]))
        assert ours[node] == pytest.approx(expected, abs=2e-2)
        assert forecasts[node] == pytest.approx(ahead, abs=2e-2)


def test_exponential_smoothing_equals_statsmodels() -> None:
    """With many years the diffuse start is forgotten and both give the same forecast."""
    values = walk(200, seed=6)
    nodes = DampedTrend().nodes(prepared(values))
    _, forecasts = filtered(nodes, values)
    model = ExponentialSmoothing(
        values, trend=True, damped_trend=True, initialization_method="concentrated"
    )
    for node in (100, 150, 200):
        named = [
            nodes.parameters[n][node] for n in ("smoothing_level", "smoothing_trend", "damping")
        ]
        ahead = np.asarray(model.smooth(np.array(named)).forecast(1))[0]
        assert forecasts[node] == pytest.approx(ahead, abs=1e-4)


def test_damped_trend_without_damping_is_the_local_linear_trend() -> None:
    nodes = damped_trend()
    node = 7
    gain, trend_variance = nodes.parameters["gain"][node], nodes.parameters["trend_variance"][node]
    irregular, level = signal_to_noise(gain)
    model = UnobservedComponents(walk(), level="local linear trend")
    model.update(np.array([irregular, level, trend_variance * level]))
    # The trend's shock enters level and trend in the same year here, a year later there.
    noise = nodes.state_noise[node]
    assert noise[1, 1] == pytest.approx(model.ssm["state_cov"][1, 1])
    assert noise[0, 0] - noise[1, 1] == pytest.approx(model.ssm["state_cov"][0, 0])


def test_random_walk_draws_are_student_t() -> None:
    values = walk(20, seed=8)
    posterior = RandomWalk().posterior(prepared(values))
    draws = simulate(posterior, 5, 200_000, np.random.default_rng(1))
    changes = np.diff(values)
    spread = np.sqrt((changes**2).mean())
    for ahead in (1, 5):
        exact = stats.t(len(changes), values[-1], spread * np.sqrt(ahead))
        for level in (0.025, 0.1, 0.5, 0.9, 0.975):
            drawn = np.quantile(draws[:, ahead - 1], level)
            assert drawn == pytest.approx(exact.ppf(level), abs=0.03 * spread * np.sqrt(ahead))


def test_drift_draws_are_the_regression_t() -> None:
    values = walk(15, seed=9)
    posterior = RandomWalkWithDrift().posterior(prepared(values))
    draws = simulate(posterior, 4, 200_000, np.random.default_rng(1))
    changes = np.diff(values)
    n, spread = len(changes), changes.std(ddof=1)
    ahead = 4
    exact = stats.t(
        n - 1, values[-1] + ahead * changes.mean(), spread * np.sqrt(ahead + ahead**2 / n)
    )
    for level in (0.05, 0.5, 0.95):
        assert np.quantile(draws[:, 3], level) == pytest.approx(exact.ppf(level), abs=0.05 * spread)


def test_a_break_starts_a_new_level() -> None:
    values = walk(20, seed=1)
    values[10:] += 1000
    breaks = np.zeros(20, bool)
    assert condition(local_level(), values, breaks).sum_squares.min() > 1e5
    breaks[10] = True
    with_break = condition(local_level(), values, breaks)
    assert with_break.sum_squares.min() < 50
    assert with_break.degrees.tolist() == [18]
    assert np.isnan(with_break.fitted[[0, 10]]).all()


def test_the_start_of_the_series_is_not_a_break() -> None:
    values, breaks = walk(12), np.zeros(12, bool)
    breaks[0] = True
    again = condition(local_level(), values, breaks)
    plain = condition(local_level(), values, np.zeros(12, bool))
    np.testing.assert_array_equal(again.degrees, plain.degrees)


@pytest.mark.parametrize("persistence", [0.0, 0.5, 0.9])
def test_persistence_is_recovered(persistence: float) -> None:
    generator = np.random.default_rng(4)
    values = np.zeros(3000)
    for year in range(1, 3000):
        values[year] = persistence * values[year - 1] + generator.normal()
    posterior = condition(autoregression(), values, np.zeros(3000, bool))
    assert posterior.mean("persistence") == pytest.approx(persistence, abs=0.05)


def test_the_evidence_is_the_product_of_one_step_predictions() -> None:
    """Against the density of each year given those before, by the series' own posterior."""
    values, discount = walk(12, seed=3), 0.9
    posterior = condition(
        RandomWalk().nodes(prepared(values)), values, np.zeros(12, bool), 0.0, (discount,)
    )
    changes = np.diff(values)
    expected, total, degrees = -np.log(abs(changes[0])), changes[0] ** 2, 1.0
    for change in changes[1:]:
        total, degrees = discount * total, discount * degrees
        expected += stats.t(degrees, 0, np.sqrt(total / degrees)).logpdf(change)
        total, degrees = total + change**2, degrees + 1
    assert posterior.evidence[0, 0] == pytest.approx(expected)
    assert posterior.sum_squares[0, 0] == pytest.approx(total)
    assert posterior.degrees[0] == pytest.approx(degrees)


def test_a_stormy_past_does_not_widen_calm_times() -> None:
    generator = np.random.default_rng(5)
    scale = np.r_[np.full(15, 50.0), np.full(35, 1.0)]
    values = (generator.normal(size=50) * scale).cumsum()
    discounts = (0.8, 0.9, 0.96, 1.0)
    nodes, breaks = local_level(), np.zeros(50, bool)
    drifting = condition(nodes, values, breaks, 0.0, discounts)
    constant = condition(nodes, values, breaks)
    assert drifting.mean("discount") < 0.9
    assert drifting.spread < 0.2 * constant.spread


def test_steady_series_prefer_a_constant_variance() -> None:
    values = np.random.default_rng(6).normal(size=400).cumsum()
    posterior = condition(local_level(), values, np.zeros(400, bool), 0.0, (0.8, 0.9, 1.0))
    assert posterior.weights.sum(axis=0)[-1] > 0.9
