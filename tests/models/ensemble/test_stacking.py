"""Stacking: the score of a pool is what the quadratic form says, and the right member wins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from forecast import scores
from forecast.models.ensemble.stacking import Terms, average, stack, terms
from forecast.models.ensemble.widths import linear_pool

AT = (np.arange(40) + 0.5) / 40


def said(means: np.ndarray, sds: np.ndarray, n: int) -> np.ndarray:
    """Quantiles (n_members, 40, n) of normal forecasts."""
    one = stats.norm.ppf(AT)
    return np.stack([np.repeat((m + s * one)[:, None], n, 1) for m, s in zip(means, sds)])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_quadratic_form_is_the_crps_of_the_pool(seed: int) -> None:
    generator = np.random.default_rng(seed)
    quantiles = generator.normal(size=(3, 40, 6)) * generator.uniform(0.2, 4, (3, 1, 1))
    observed = generator.normal(size=6)
    weights = generator.dirichlet(np.ones(3))
    cells = terms(quantiles, observed)
    form = weights @ cells.distance - 0.5 * np.einsum("k,l,kln->n", weights, weights, cells.apart)
    points = linear_pool(quantiles, weights, (np.arange(4000) + 0.5) / 4000)
    # The pool's own CRPS; with many points the two estimators agree.
    direct = scores.crps(scores.SortedDraws.of(points), observed)
    np.testing.assert_allclose(form, direct, atol=0.06 * quantiles.std())


def test_the_right_member_is_found() -> None:
    generator = np.random.default_rng(2)
    observed = generator.normal(0, 1, 2000)
    cells = terms(said(np.array([0.0, 3.0, 0.0]), np.array([1.0, 1.0, 5.0]), 2000), observed)
    weights = stack(*average(cells, np.ones(2000)), pull=0.001)
    assert weights[0] > 0.95


def test_a_mixture_is_found() -> None:
    generator = np.random.default_rng(3)
    first = generator.uniform(size=6000) < 0.7
    observed = np.where(first, generator.normal(-3, 1, 6000), generator.normal(3, 1, 6000))
    cells = terms(said(np.array([-3.0, 3.0]), np.array([1.0, 1.0]), 6000), observed)
    weights = stack(*average(cells, np.ones(6000)), pull=0.0)
    np.testing.assert_allclose(weights, [0.7, 0.3], atol=0.03)


def test_the_pull_goes_from_best_to_equal() -> None:
    generator = np.random.default_rng(4)
    observed = generator.normal(0, 1, 200)
    found = average(terms(said(np.array([0.0, 2.0]), np.ones(2), 200), observed), np.ones(200))
    first = [stack(*found, pull=pull)[0] for pull in (0.0, 0.05, 0.5, 50.0, np.inf)]
    assert first == sorted(first, reverse=True)
    assert first[0] > 0.9
    assert first[-1] == 0.5
    assert first[-2] == pytest.approx(0.5, abs=0.01)


def test_weights_can_be_pulled_to_other_than_equal_ones() -> None:
    generator = np.random.default_rng(4)
    observed = generator.normal(0, 1, 200)
    found = average(terms(said(np.array([0.0, 2.0]), np.ones(2), 200), observed), np.ones(200))
    centre = np.array([0.2, 0.8])
    first = [stack(*found, pull=pull, centre=centre)[0] for pull in (0.0, 0.5, 50.0, np.inf)]
    assert first == sorted(first, reverse=True)
    assert first[-2] == pytest.approx(0.2, abs=0.02)
    assert first[-1] == 0.2
    # What a member that cannot be judged would have had goes to the others in proportion.
    distance, apart = np.array([1.0, 1.0, np.inf]), np.ones((3, 3))
    kept = stack(distance, apart, 50.0, np.array([0.1, 0.3, 0.6]))
    np.testing.assert_allclose(kept, [0.25, 0.75, 0.0], atol=1e-3)


def test_a_member_asked_less_often_is_judged_where_it_was_asked() -> None:
    """It took part in the hard half only, where it was better than the other."""
    generator = np.random.default_rng(5)
    n = 4000
    hard = np.arange(n) >= n // 2
    observed = generator.normal(0, np.where(hard, 3.0, 0.3))
    quantiles = said(np.array([0.0, 0.0]), np.array([1.0, 1.0]), n)
    quantiles[1] *= np.where(hard, 3.0, 1.0)
    quantiles[1][:, ~hard] = np.nan
    distance, apart = average(terms(quantiles, observed), np.ones(n))
    alone = distance - 0.5 * np.diag(apart)
    # Its plain mean over the hard half would be far above the other's over both.
    assert alone[1] < alone[0]
    assert stack(distance, apart, 0.0)[1] > 0.5


def test_members_without_a_past_get_nothing_where_others_have_one() -> None:
    cells = terms(said(np.zeros(3), np.ones(3), 50), np.zeros(50))
    cells = Terms(
        np.where(np.arange(3)[:, None] == 1, np.nan, cells.distance),
        cells.apart,
    )
    distance, apart = average(cells, np.ones(50))
    assert np.isinf(distance[1])
    np.testing.assert_allclose(stack(distance, apart, 0.1), [0.5, 0, 0.5], atol=1e-6)
    nobody = stack(np.full(3, np.inf), np.zeros((3, 3)), 0.1)
    np.testing.assert_allclose(nobody, 1 / 3)
