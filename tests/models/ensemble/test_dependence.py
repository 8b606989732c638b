"""Dependence survives what is done to single distributions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from forecast.models.ensemble.dependence import (
    FEWEST,
    correlation,
    height,
    order_between,
    with_ranks_of,
)


def test_ranks_are_kept_exactly() -> None:
    generator = np.random.default_rng(1)
    template = generator.normal(size=(500, 4)).cumsum(axis=1)
    values = np.sort(generator.standard_t(2, (500, 4)), axis=0)
    placed = with_ranks_of(template, values)
    np.testing.assert_array_equal(np.sort(placed, axis=0), values)
    for column in range(4):
        same = stats.spearmanr(placed[:, column], template[:, column]).statistic
        assert same == pytest.approx(1.0)
    before = stats.spearmanr(template).statistic
    after = stats.spearmanr(placed).statistic
    np.testing.assert_allclose(after, before, atol=1e-12)


def test_past_joint_errors_decide_the_correlation() -> None:
    generator = np.random.default_rng(2)
    true = np.array([[1, 0.8, 0], [0.8, 1, 0], [0, 0, 1.0]])
    scores = generator.multivariate_normal(np.zeros(3), true, 400)
    made = correlation(scores, np.eye(3))
    np.testing.assert_allclose(made, true, atol=0.1)
    few = correlation(scores[: FEWEST - 1], np.eye(3))
    np.testing.assert_array_equal(few, np.eye(3))


def test_noise_is_shrunk_to_the_target() -> None:
    generator = np.random.default_rng(3)
    sizes = []
    for seed in range(30):
        scores = np.random.default_rng([4, seed]).normal(size=(10, 40))
        off = correlation(scores, np.eye(40))[np.triu_indices(40, 1)]
        sizes.append(np.sqrt((off**2).mean()))
    # Unshrunk it would be about 1/sqrt(10) = 0.32.
    assert np.mean(sizes) < 0.12
    target = np.full((3, 3), 0.6) + 0.4 * np.eye(3)
    unknown = correlation(np.full((9, 3), np.nan), target)
    np.testing.assert_allclose(unknown, target, atol=1e-9)
    assert np.linalg.eigvalsh(correlation(generator.normal(size=(8, 60)), np.eye(60))).min() > 0


def test_whole_paths_are_put_in_order() -> None:
    generator = np.random.default_rng(5)
    paths = generator.normal(size=(3000, 3, 6)).cumsum(axis=2)
    wanted = np.array([[1, 0.7, -0.5], [0.7, 1, 0], [-0.5, 0, 1.0]])
    order = order_between(height(paths), wanted, generator)
    turned = np.stack([paths[order[:, s], s] for s in range(3)], axis=1)
    for s in range(3):
        assert sorted(order[:, s]) == list(range(3000)), "each path is used once"
    reached = stats.spearmanr(height(turned)).statistic
    np.testing.assert_allclose(reached, wanted, atol=0.06)
    # Joint probabilities of sums follow: a positive correlation makes sums wider.
    assert np.var(turned[:, 0, -1] + turned[:, 1, -1]) > 1.4 * np.var(turned[:, 0, -1]) * 1.05


def test_years_already_observed_do_not_count() -> None:
    template = np.random.default_rng(6).normal(size=(50, 2, 4))
    template[:, 1, :2] = np.nan
    made = height(template)
    assert np.isfinite(made).all()
    assert np.ptp(made[:, 1]) > 0


def test_counts_of_zero_do_not_go_together() -> None:
    generator = np.random.default_rng(7)
    counts = np.where(generator.random((4000, 2, 1)) < 0.9, 0, generator.poisson(5, (4000, 2, 1)))
    made = height(counts.astype(float))
    assert abs(np.corrcoef(made.T)[0, 1]) < 0.05
    zero = counts[:, 0, 0] == 0
    assert np.ptp(made[zero, 0]) == 0
