"""What is learned by horizon: far steps with few past forecasts follow the near ones."""

from __future__ import annotations

import numpy as np
from scipy import stats

from forecast.hindcast.quantiles import Hindcasts
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
