"""Scores against scoringrules, closed forms, invariances and the truth."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import scoringrules
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from forecast import scores
from forecast.errors import DataError

INVARIANT = ("wis", "interval_score_80", "interval_score_95", "quantile_loss_10", "absolute_error")


@pytest.fixture
def sample() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(1)
    return generator.standard_t(4, size=(401, 60)), generator.standard_t(4, size=60)


def test_scores_equal_scoringrules(sample: tuple[np.ndarray, np.ndarray]) -> None:
    draws, observed = sample
    made = scores.score(draws, observed)
    fair = scoringrules.crps_ensemble(observed, draws, m_axis=0, estimator="fair", backend="numpy")
    np.testing.assert_allclose(made["crps"], fair, rtol=1e-10)
    levels = np.array(scores.WIS_LEVELS)
    lower, upper = (np.quantile(draws, (1 + s * levels) / 2, axis=0).T for s in (-1, 1))
    each = scoringrules.interval_score(observed, lower, upper, 1 - levels, backend="numpy")
    # Put together here: weighted_interval_score of scoringrules 0.11 adds, in its numpy
    # backend, the median itself where its absolute error belongs. Given
    # the error in the place of the median it is right.
    error = np.abs(observed - np.median(draws, axis=0))
    theirs = ((1 - levels) / 2 * each).sum(axis=1) + 0.5 * error
    np.testing.assert_allclose(made["wis"], theirs / (len(levels) + 0.5), rtol=1e-10)
    theirs = scoringrules.weighted_interval_score(
        observed, error, lower, upper, 1 - levels, backend="numpy"
    )
    np.testing.assert_allclose(made["wis"], theirs, rtol=1e-10)
    for level in (50, 80, 95):
        low, high = np.quantile(draws, [(1 - level / 100) / 2, (1 + level / 100) / 2], axis=0)
        theirs = scoringrules.interval_score(observed, low, high, 1 - level / 100, backend="numpy")
        np.testing.assert_allclose(made[f"interval_score_{level}"], theirs, rtol=1e-10)
        inside = (observed >= low) & (observed <= high)
        np.testing.assert_array_equal(made[f"inside_{level}"], inside)
    theirs = scoringrules.logs_ensemble(observed, draws, m_axis=0, backend="numpy")
    near = np.abs(observed) < 4  # far outside, their density underflows to log 0
    np.testing.assert_allclose(made["log_score"][near], theirs[near], rtol=1e-6)


def test_joint_scores_equal_scoringrules() -> None:
    generator = np.random.default_rng(2)
    draws, observed = generator.normal(size=(80, 7)), generator.normal(size=7)
    theirs = scoringrules.es_ensemble(observed, draws, estimator="fair", backend="numpy")
    assert scores.energy_score(draws, observed) == pytest.approx(float(theirs), rel=1e-12)
    # Theirs sums over ordered pairs, ours is the mean over pairs.
    theirs = scoringrules.vs_ensemble(observed, draws, p=0.5, estimator="nrg", backend="numpy")
    assert scores.variogram_score(draws, observed) == pytest.approx(float(theirs) / 42, rel=1e-12)
    assert np.isnan(scores.variogram_score(draws[:, :1], observed[:1]))


def test_closed_forms_of_a_normal_forecast() -> None:
    size = 200_001
    draws = ndtri((np.arange(size) + 0.5) / size)[:, None] * 3.0 + 10.0
    observed = np.array([11.5])
    made = {name: float(value[0]) for name, value in scores.score(draws, observed).items()}
    assert made["crps"] == pytest.approx(
        float(scoringrules.crps_normal(11.5, 10.0, 3.0, backend="numpy")), abs=1e-4
    )
    assert made["median"] == pytest.approx(10.0, abs=1e-6)
    assert made["upper_80"] - made["lower_80"] == pytest.approx(2 * 1.281552 * 3, abs=1e-3)
    assert made["interval_score_80"] == pytest.approx(2 * 1.281552 * 3, abs=1e-3)
    assert made["pit"] == pytest.approx(0.691462, abs=1e-4)
    assert made["log_score"] == pytest.approx(np.log(3) + 0.5 * np.log(2 * np.pi) + 0.125, abs=5e-3)
    assert made["quantile_loss_10"] == pytest.approx(0.1 * (1.5 + 1.281552 * 3), abs=1e-3)


def test_a_point_forecast_scores_its_absolute_error_and_has_no_intervals() -> None:
    made = scores.score(np.full((100, 1), 7.0), np.array([10.0]))
    assert made["crps"][0] == pytest.approx(3.0)
    assert made["wis"][0] == pytest.approx(3.0)
    for name in ("inside_80", "interval_score_95", "pit", "log_score", "lower_50"):
        assert np.isnan(made[name][0])


def test_wis_is_the_sum_of_its_parts(sample: tuple[np.ndarray, np.ndarray]) -> None:
    made = scores.score(*sample)
    parts = made["wis_sharpness"] + made["wis_underprediction"] + made["wis_overprediction"]
    np.testing.assert_allclose(made["wis"], parts)
    assert not ((made["wis_underprediction"] > 0) & (made["wis_overprediction"] > 0)).any()


def test_quantiles_equal_numpy(sample: tuple[np.ndarray, np.ndarray]) -> None:
    ordered = scores.SortedDraws.of(sample[0])
    for level in (0.0, 0.025, 0.1, 0.5, 0.77, 1.0):
        np.testing.assert_allclose(
            ordered.quantile(level), np.quantile(sample[0], level, axis=0), rtol=1e-12
        )


@settings(deadline=None, max_examples=40)
@given(st.floats(0.01, 1e5), st.floats(-1e5, 1e5), st.integers(0, 10_000))
def test_unit_and_origin_do_not_matter(factor: float, shift: float, seed: int) -> None:
    generator = np.random.default_rng(seed)
    draws, observed = generator.normal(size=(60, 4)), generator.normal(size=4)
    plain = scores.score(draws, observed)
    moved = scores.score(draws * factor + shift, observed * factor + shift)
    for name in (*INVARIANT, "crps"):
        np.testing.assert_allclose(moved[name] / factor, plain[name], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(moved["pit"], plain["pit"], atol=0.02)
    assert all((plain[name] >= 0).all() for name in INVARIANT)
    shuffled = scores.score(generator.permutation(draws, axis=0), observed)
    np.testing.assert_array_equal(shuffled["crps"], plain["crps"])


def test_draws_that_are_not_finite_are_refused() -> None:
    with pytest.raises(DataError, match="not a finite number"):
        scores.score(np.array([[1.0], [np.inf]]), np.array([0.0]))
    with pytest.raises(DataError, match="two draws or more"):
        scores.score(np.array([[1.0]]), np.array([0.0]))


def test_the_true_model_beats_its_neighbours_on_every_score() -> None:
    generator = np.random.default_rng(7)
    observed = generator.normal(size=20_000)
    standard = ndtri((np.arange(400) + 0.5) / 400)[:, None]
    truth = scores.score(np.broadcast_to(standard, (400, 20_000)), observed)
    neighbours = [(0.3, 1.0), (-0.3, 1.0), (0.0, 1.3), (0.0, 0.75)]
    proper = ("crps", "wis", "interval_score_50", "interval_score_80", "interval_score_95")
    proper += ("quantile_loss_10", "quantile_loss_90", "log_score")
    for shift, spread in neighbours:
        draws = np.broadcast_to(standard * spread + shift, (400, 20_000))
        other = scores.score(draws, observed)
        for name in proper:
            assert truth[name].mean() < other[name].mean(), (name, shift, spread)
        if shift:
            for name in ("absolute_error", "squared_error"):
                assert truth[name].mean() < other[name].mean(), (name, shift)


def test_the_true_dependence_beats_its_neighbours_on_the_joint_scores() -> None:
    generator = np.random.default_rng(8)
    shared = generator.normal(size=(200, 1))
    own = generator.normal(size=(200, 6))

    def joint(correlation: float) -> np.ndarray:
        return np.asarray(np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own)

    happened = [
        np.sqrt(0.6) * generator.normal() + np.sqrt(0.4) * generator.normal(size=6)
        for _ in range(400)
    ]
    for score in (scores.energy_score, scores.variogram_score):
        mean = {c: np.mean([score(joint(c), y) for y in happened]) for c in (0.1, 0.6, 0.98)}
        assert mean[0.6] < min(mean[0.1], mean[0.98]), score.__name__


def test_scoring_does_not_compile_what_it_does_not_use() -> None:
    """Importing scoringrules compiles its kernels for numba, two seconds in every process."""
    code = (
        "import numba, numpy as np; from numba.core import event; from forecast import scores\n"
        "with event.install_recorder('numba:compile') as recorder:\n"
        "    draws = scores.SortedDraws.of(np.arange(6.0).reshape(3, 2))\n"
        "    print(scores.crps(draws, np.array([5.0, 9.0])).round(6).tolist())\n"
        "import numba as again; print(len(recorder.buffer), again is numba)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    crps, rest = done.stdout.splitlines()
    assert crps == "[1.666667, 4.666667]"
    assert rest == "0 True"
