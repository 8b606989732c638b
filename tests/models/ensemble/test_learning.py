"""What is learned by horizon: far steps with few past forecasts follow the near ones."""

from __future__ import annotations

import numpy as np
from scipy import stats

from forecast.hindcast.quantiles import Hindcasts
from forecast.models.ensemble.stacking import smoothed
from forecast.models.ensemble.weights import learn
from forecast.models.ensemble.widths import POOLS
from forecast.models.registry import specification

SETTINGS = specification("ensemble")
MEMBERS = ["first", "second"]
AT = (np.arange(40) + 0.5) / 40
FINE = (np.arange(400) + 0.5) / 400


def past(n: int, observed: np.ndarray) -> Hindcasts:
    """Forecasts of two members: the first says N(0, 1), the second N(2, 1)."""
    one = stats.norm.ppf(AT)
    quantiles = np.stack([np.repeat((m + one)[:, None], n, 1) for m in (0.0, 2.0)])
    keys = [("source", f"P{at % 20}", "net_migration") for at in range(n)]
    origin = 2000 + np.arange(n) // 20
    return Hindcasts.of(quantiles, observed, np.ones(n), origin, keys)


def test_a_far_step_with_few_past_forecasts_follows_the_near_ones() -> None:
    generator = np.random.default_rng(1)
    near = [past(200, generator.normal(0, 1, 200)) for _ in range(4)]
    # By chance the second member was right three times far ahead.
    far = past(3, np.full(3, 2.0))
    learned = learn([*near, far], MEMBERS, 1, SETTINGS, unit=True)
    assert learned.weights(5)[0, 0] > 0.9
    assert learned.weights(5)[4, 0] > 0.5
    alone = learn([past(0, np.empty(0))] * 4 + [far], MEMBERS, 1, SETTINGS, unit=True)
    assert alone.weights(5)[4, 1] > 0.5


def test_many_past_forecasts_of_a_far_step_speak_for_themselves() -> None:
    generator = np.random.default_rng(2)
    near = [past(400, generator.normal(0, 1, 400)) for _ in range(2)]
    far = [past(400, generator.normal(2, 1, 400)) for _ in range(3)]
    learned = learn([*near, *far], MEMBERS, 1, SETTINGS, unit=True)
    assert learned.weights(5)[0, 0] > 0.8
    assert learned.weights(5)[4, 1] > 0.8


def test_a_series_that_was_constant_for_long_does_not_decide_for_all() -> None:
    generator = np.random.default_rng(3)
    usual = past(200, generator.normal(0, 1, 200))
    # One more series in persons, still until 2008, then at the second member's two.
    calm = Hindcasts.of(
        usual.quantiles[:, :, :10], np.full(10, 2.0), np.where(np.arange(10) < 8, 1e-3, 1.0),
        2000 + np.arange(10), [("source", "CALM", "net_migration")] * 10,
    )  # fmt: skip
    both = Hindcasts.of(
        np.concatenate([usual.quantiles, calm.quantiles], axis=2),
        np.concatenate([usual.observed, calm.observed]),
        np.concatenate([usual.size, calm.size]),
        np.concatenate([usual.origin, calm.origin]),
        [*usual.keys, *calm.keys],
    )
    assert learn([both], MEMBERS, 1, SETTINGS, unit=False).weights(5)[0, 0] > 0.8


def test_as_shipped_intervals_come_near_what_the_guarantee_says() -> None:
    """Weights of the same past, recency and pull included, where years are exchangeable."""
    levels = (0.5, 0.8, 0.95)
    held = []
    for seed in range(40):
        generator = np.random.default_rng([4, seed])
        # Both members are too sure of themselves by a third, and one lies beside the truth.
        made = past(200, generator.normal(0, 1.5, 200))
        learned = learn([made], MEMBERS, 1, SETTINGS, unit=True)
        pooled = POOLS["linear"](made.quantiles[:, :, :1], learned.weights(1)[0], FINE)
        calibrated = learned.widenings(1)[0].apply(pooled, FINE)[:, 0]
        coming = generator.normal(0, 1.5, 500)
        ends = [np.interp([0.5 - at / 2, 0.5 + at / 2], FINE, calibrated) for at in levels]
        held.append([np.mean((low <= coming) & (coming <= high)) for low, high in ends])
    np.testing.assert_allclose(np.mean(held, axis=0), levels, atol=0.05)
    # Without calibration they would hold 36, 61 and 81 %.


def three(n: int, observed: np.ndarray, far: float) -> Hindcasts:
    """Forecasts of N(0, 1), N(0.5, 1) and, of the third member, N(`far`, 1)."""
    one = stats.norm.ppf(AT)
    quantiles = np.stack([np.repeat((m + one)[:, None], n, 1) for m in (0.0, 0.5, far)])
    keys = [("source", f"P{at % 20}", "net_migration") for at in range(n)]
    return Hindcasts.of(quantiles, observed, np.ones(n), 2000 + np.arange(n) // 20, keys)


def rare(seed: int) -> np.ndarray:
    """One past figure in twelve was far up, where only the third member looks."""
    generator = np.random.default_rng(seed)
    return np.where(np.arange(240) % 12 == 0, 8.0, 0.0) + generator.normal(0, 1, 240)


def test_a_member_twice_as_bad_as_the_best_does_not_set_the_ends_of_intervals() -> None:
    steps = [three(240, rare(seed), far=8.0) for seed in range(4)]
    weights = learn(steps, ["a", "b", "far"], 1, SETTINGS, unit=True).weights(4)
    assert weights[:, 2].max() == 0.0
    without = {**SETTINGS, "weights": {**SETTINGS["weights"], "limit": 1e9}}
    earned = learn(steps, ["a", "b", "far"], 1, without, unit=True).weights(4)
    assert earned[:, 2].min() > 0.03


def test_a_member_is_left_out_for_what_it_said_at_all_horizons_not_at_one() -> None:
    near = [three(240, np.random.default_rng(at).normal(1, 1, 240), far=1.0) for at in range(5)]
    last = three(240, np.random.default_rng(9).normal(0, 1, 240), far=3.0)
    weights = learn([*near, last], ["a", "b", "far"], 1, SETTINGS, unit=True).weights(6)
    assert weights[:4, 2].min() > 0.5


def test_a_member_that_is_alone_takes_part_however_bad_it_was() -> None:
    steps = [past(40, np.full(40, 30.0)), past(0, np.empty(0)), past(40, np.full(40, 30.0))]
    for made in steps:
        made.data["quantiles"][0] = np.nan
    np.testing.assert_allclose(learn(steps, MEMBERS, 1, SETTINGS, unit=True).weights(3)[:, 1], 1.0)


def test_weights_of_neighbouring_horizons_differ_by_less_than_their_best_ones() -> None:
    generator = np.random.default_rng(5)
    steps = [past(200, generator.normal(2.0 * (at % 2), 1, 200)) for at in range(6)]
    rough = {**SETTINGS, "weights": {**SETTINGS["weights"], "bandwidth": 0, "smoothing": 0}}
    alone = learn(steps, MEMBERS, 1, rough, unit=True).weights(6)[:, 0]
    kept = learn(steps, MEMBERS, 1, SETTINGS, unit=True).weights(6)[:, 0]
    assert np.abs(np.diff(kept)).max() < 0.5 * np.abs(np.diff(alone)).max()


def test_smoothing_leaves_equal_weights_and_sums_alone() -> None:
    weights = np.random.default_rng(6).dirichlet(np.ones(4), size=7)
    np.testing.assert_allclose(smoothed(weights, 0), weights)
    np.testing.assert_allclose(smoothed(weights, 3).sum(axis=1), 1.0)
    equal = np.tile(weights[0], (5, 1))
    np.testing.assert_allclose(smoothed(equal, 2), equal)
