"""Pools against closed forms and properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from forecast.models.ensemble.widths import (
    POOLS,
    choose,
    linear_pool,
    quantile_average,
    renormalised,
)

AT = (np.arange(400) + 0.5) / 400
LEVELS = np.array([0.025, 0.1, 0.5, 0.9, 0.975])


def normal(mean: float, sd: float) -> np.ndarray:
    return stats.norm(mean, sd).ppf(AT)[:, None]


def test_linear_pool_is_the_mixture() -> None:
    members = np.stack([normal(-2, 1), normal(3, 0.5)])
    weights = np.array([0.3, 0.7])
    pooled = linear_pool(members, weights, LEVELS)[:, 0]
    below = 0.3 * stats.norm(-2, 1).cdf(pooled) + 0.7 * stats.norm(3, 0.5).cdf(pooled)
    np.testing.assert_allclose(below, LEVELS, atol=0.003)


def test_quantile_average_of_normals_is_normal() -> None:
    members = np.stack([normal(-2, 1), normal(4, 3)])
    averaged = quantile_average(members, np.array([0.5, 0.5]), LEVELS)[:, 0]
    np.testing.assert_allclose(averaged, stats.norm(1, 2).ppf(LEVELS), atol=0.03)


@pytest.mark.parametrize("pool", sorted(POOLS))
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), members=st.integers(1, 5))
def test_properties_of_every_pool(pool: str, seed: int, members: int) -> None:
    generator = np.random.default_rng(seed)
    draws = generator.normal(size=(members, 60, 3)) * generator.uniform(0.1, 5, (members, 1, 1))
    weights = generator.dirichlet(np.ones(members))
    made = POOLS[pool](draws, weights, LEVELS)
    assert (np.diff(made, axis=0) >= 0).all(), "quantiles stay in order"
    assert (made >= draws.min(axis=(0, 1)) - 1e-12).all()
    assert (made <= draws.max(axis=(0, 1)) + 1e-12).all()
    turned = generator.permutation(members)
    np.testing.assert_allclose(POOLS[pool](draws[turned], weights[turned], LEVELS), made, atol=1e-9)
    moved = POOLS[pool](draws * 3 - 1, weights, LEVELS)
    np.testing.assert_allclose(moved, made * 3 - 1, atol=1e-9)
    twins = np.repeat(draws[:1], 2, axis=0)
    one = POOLS[pool](draws[:1], np.ones(1), LEVELS)
    both = POOLS[pool](twins, np.array([0.4, 0.6]), LEVELS)
    np.testing.assert_allclose(both, one, atol=0.12 * np.ptp(draws[0]))


def test_absent_members_give_their_weight_to_the_others() -> None:
    weights = np.array([0.5, 0.3, 0.2])
    present = np.array([[True, False, False], [True, True, False], [True, True, False]])
    shared = renormalised(weights, present)
    np.testing.assert_allclose(shared[:, 0], weights)
    np.testing.assert_allclose(shared[:, 1], [0, 0.6, 0.4])
    np.testing.assert_allclose(shared[:, 2], 0)
    alone = renormalised(np.array([1.0, 0.0, 0.0]), np.array([[False], [True], [True]]))
    np.testing.assert_allclose(alone[:, 0], [0, 0.5, 0.5])


def test_draws_come_from_members_in_proportion() -> None:
    generator = np.random.default_rng(1)
    uniform = (generator.permutation(1000) + generator.uniform(size=1000)) / 1000
    member = choose(np.array([0.2, 0.0, 0.8]), 1000, uniform)
    assert np.bincount(member, minlength=3).tolist() == [200, 0, 800]
