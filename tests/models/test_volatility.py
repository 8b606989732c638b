"""How much a series has moved: what the likelihood reads and what the future starts from."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.models.hierarchical import law, rates_panel
from forecast.models.hierarchical.law import Parameters
from forecast.models.hierarchical.simulation import simulate
from forecast.models.registry import specification

SETTINGS = specification("hierarchical")["settings"]


def test_older_moves_count_for_less_and_gaps_change_nothing() -> None:
    rates = np.array([[0.0, 2.0, 3.0, np.nan, 5.0, 5.0]])
    usual = law.usual_moves(rates, {"memory": 0.25})
    expected = [np.nan, 2.0, 0.75 * 2.0 + 0.25, 1.75, 1.75, 0.75 * 1.75]
    np.testing.assert_allclose(usual[0], expected)


def test_a_series_that_has_not_moved_yet_is_given_the_typical_move() -> None:
    rates = np.array([[np.nan, np.nan, 7.0], [1.0, 2.0, 5.0]])
    move, usual = rates_panel.now(rates, np.array([2, 2]), SETTINGS)
    assert move.tolist() == [2.0, 3.0]
    assert usual[0] == 2.0
    assert usual[1] == pytest.approx(1.0 + 2.0 * SETTINGS["memory"])
    lone = np.array([[3.0]])
    assert [x.tolist() for x in rates_panel.now(lone, np.array([0]), SETTINGS)] == [[1.0], [1.0]]


@pytest.mark.parametrize("usual", [0.0, 5.0])
def test_one_quiet_year_does_not_make_a_lively_series_quiet(usual: float) -> None:
    n_draws = 20_000
    flat = np.ones((n_draws, 1))
    # No storm ever, so that a step is that of a calm year after one without a move.
    calm = Parameters(0 * flat, flat, flat, 0.7 * flat, -30.0 * flat, 0 * flat, 0 * flat)
    rates = simulate(
        calm, np.zeros(1), (np.zeros(1), np.full(1, usual)), np.array([0]), 1, np.eye(1),
        SETTINGS, np.random.default_rng(1),
    )  # fmt: skip
    squares = (0.7 * SETTINGS["least_move"]) ** 2 + SETTINGS["floor"] ** 2
    squares += (SETTINGS["usual_share"] * usual) ** 2
    assert rates.std() == pytest.approx(np.sqrt(squares), rel=0.02)
