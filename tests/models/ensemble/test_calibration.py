"""Calibration: what it promises, on simulated errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from forecast.models.ensemble.widths import BOUNDS, LEVELS, Widening, learn, none

FINE = (np.arange(999) + 0.5) / 999


def taught(said: float, true: float, n: int, pull: float, seed: int = 0) -> Widening:
    """Learn from n forecasts N(0, said) of what is N(0, true)."""
    observed = np.random.default_rng(seed).normal(0, true, n)
    quantiles = np.repeat(stats.norm(0, said).ppf(LEVELS)[:, None], n, 1)
    return learn(quantiles, np.zeros(n), observed, np.ones(n), n, pull)


@pytest.mark.parametrize(("said", "true"), [(1.0, 2.0), (2.0, 1.0), (1.0, 1.0)])
def test_coverage_becomes_what_is_said(said: float, true: float) -> None:
    made = taught(said, true, 4000, 0.0)
    moved = made.apply(stats.norm(0, said).ppf(FINE)[:, None], FINE)[:, 0]
    for level in (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975):
        reached = stats.norm(0, true).cdf(np.interp(level, FINE, moved))
        assert reached == pytest.approx(level, abs=0.02)


def test_heavy_tails_widen_the_ends_only() -> None:
    observed = np.random.default_rng(1).standard_t(2, 6000) * 0.8
    quantiles = np.repeat(stats.norm.ppf(LEVELS)[:, None], 6000, 1)
    made = learn(quantiles, np.zeros(6000), observed, np.ones(6000), 6000, 0.0)
    assert made.factors[0] > 1.5
    assert made.factors[-1] > 1.5
    assert made.factors[3] < 1.1
    assert made.factors[4] < 1.1


def test_skewed_errors_move_one_side() -> None:
    observed = np.abs(np.random.default_rng(2).normal(0, 2, 4000))
    quantiles = np.repeat(stats.norm.ppf(LEVELS)[:, None], 4000, 1)
    made = learn(quantiles, np.zeros(4000), observed, np.ones(4000), 4000, 0.0)
    assert made.factors[0] == BOUNDS[0]
    assert made.factors[-1] > 1.8


def test_few_errors_are_hardly_believed() -> None:
    wide = [
        np.mean([np.log(taught(1.0, 2.5, n, 20.0, seed).factors[1]) for seed in range(40)])
        for n in (3, 30, 3000)
    ]
    assert abs(wide[0]) < 0.1 < wide[1] < wide[2]
    assert wide[2] == pytest.approx(np.log(2.5), abs=0.1)
    np.testing.assert_array_equal(none().factors, 1.0)


@pytest.mark.parametrize("n", [39, 79])
def test_ends_hold_what_the_guarantee_says(n: int) -> None:
    """Exchangeable errors, skewed, of several sizes: what is said, and at most 1/(n + 1) more."""
    generator = np.random.default_rng(3)
    within = []
    for _ in range(2000):
        size = generator.gamma(4.0, 0.25, n + 1)
        observed = size * 1.3 * (generator.gamma(4.0, 0.5, n + 1) - 1.9)
        quantiles = stats.norm.ppf(LEVELS)[:, None] * size
        made = learn(quantiles[:, :-1], np.zeros(n), observed[:-1], np.ones(n), n, 0.0)
        ends = made.factors * quantiles[:, -1]
        within.append(np.where(LEVELS < 0.5, observed[-1] >= ends, observed[-1] <= ends))
    held, said = np.mean(within, axis=0), np.maximum(LEVELS, 1.0 - LEVELS)
    noise = 3.0 * np.sqrt(said * (1.0 - said) / 2000)
    assert (held >= said - noise).all()
    assert (held <= said + 1.0 / (n + 1) + noise).all()


@settings(max_examples=50, deadline=None)
@given(
    factors=st.lists(st.floats(*BOUNDS), min_size=len(LEVELS), max_size=len(LEVELS)),
    seed=st.integers(0, 1000),
)
def test_quantiles_stay_in_order_and_the_median_stays(factors: list[float], seed: int) -> None:
    quantiles = np.sort(np.random.default_rng(seed).standard_t(3, (999, 2)), axis=0)
    made = Widening(np.array(factors), 10.0).apply(quantiles, FINE)
    assert (np.diff(made, axis=0) >= 0).all()
    np.testing.assert_allclose(made[499], quantiles[499], atol=1e-12)
