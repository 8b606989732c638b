"""Ranks, p-values, half-widths and power: closed forms and properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import DataError
from forecast.impacts.counterfactual import Ruler, ruler
from forecast.impacts.placebo import half_width, rank, smallest_effect

NINETEEN = np.arange(1.0, 20.0)


@pytest.mark.parametrize(
    ("gap", "as_far", "p_value"),
    [(30.0, 0, 1 / 20), (-30.0, 0, 1 / 20), (10.5, 9, 0.5), (0, 19, 1)],
)
def test_the_p_value_is_the_rank(gap: float, as_far: int, p_value: float) -> None:
    found = rank(gap, NINETEEN, 0.5)
    assert (found.as_far, found.placebos, found.smallest) == (as_far, 19, 1 / 20)
    assert found.p_value == pytest.approx(p_value)


def test_ties_count_against_the_event_and_are_broken_by_chance() -> None:
    tied = np.array([2.0, 2.0, 2.0, -2.0])
    assert rank(2.0, tied, 0.3).p_value == 1.0
    assert rank(2.0, tied, 0.3).p_randomised == pytest.approx(0.3)
    assert rank(3.0, tied, 0.3).p_randomised == pytest.approx(0.3 / 5)


def test_without_placebos_nothing_is_said() -> None:
    found = rank(9.0, np.empty(0), 0.4)
    assert (found.p_value, found.smallest, found.p_randomised) == (1.0, 1.0, 0.4)
    assert half_width(np.empty(0), 0.5) == np.inf


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-9, 9), max_size=30), st.floats(-9, 9), st.floats(0, 0.999))
def test_p_values_are_in_order(placebos: list[float], gap: float, uniform: float) -> None:
    found = rank(gap, np.array(placebos), uniform)
    assert 0 <= found.p_randomised <= found.p_value <= 1
    assert found.smallest <= found.p_value


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-9, 9), min_size=1, max_size=40), st.floats(-9, 9))
def test_the_interval_and_the_test_agree(placebos: list[float], gap: float) -> None:
    """A gap outside the 95 % half-width is one whose p-value is at most 5 %."""
    gaps = np.array(placebos)
    outside = abs(gap) > half_width(gaps, 0.95)
    assert outside == (rank(gap, gaps, 0.5).p_value <= 0.05 + 1e-12)


@pytest.mark.parametrize("n", [19, 23, 38, 7, 4])
def test_levels_hold_whatever_the_number_of_placebos(n: int) -> None:
    """Rejections at 5 %: conservative at most, randomised exactly; also with many ties."""
    generator = np.random.default_rng(n)
    for ties in (False, True):
        gaps = generator.standard_t(3, size=(4000, n + 1))
        gaps = np.round(gaps) if ties else gaps
        found = [rank(row[0], row[1:], generator.uniform()) for row in gaps]
        conservative = np.mean([one.p_value <= 0.05 for one in found])
        randomised = np.mean([one.p_randomised <= 0.05 for one in found])
        assert conservative <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 4000)
        assert abs(randomised - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 4000)


def test_half_widths_are_conformal_quantiles() -> None:
    assert half_width(NINETEEN, 0.95) == 19
    assert half_width(NINETEEN, 0.80) == 16
    assert half_width(NINETEEN[:18], 0.95) == np.inf
    with pytest.raises(DataError, match="gap 1 is not a number"):
        half_width(np.array([1.0, np.nan]), 0.5)


@pytest.mark.parametrize("signed", [True, False])
def test_the_ruler_goes_there_and_back(signed: bool) -> None:
    draws = np.exp(np.random.default_rng(1).normal(9, 0.4, size=(500, 3)))
    unit = ruler(draws, signed)
    gaps = np.array([[-1.5, 0.0, 2.0], [0.5, -0.2, 0.1]])
    np.testing.assert_allclose(unit.measure(unit.persons(gaps)), gaps, atol=1e-9)
    # One unit is one standard deviation to that side.
    low, high = np.quantile(draws, [0.1587, 0.8413], axis=0)
    np.testing.assert_allclose(unit.measure(high), 1.0, atol=1e-9)
    np.testing.assert_allclose(unit.measure(low), -1.0, atol=1e-9)


def test_power_in_closed_form() -> None:
    """Signed, unit ruler: the effect has to lift the 20 % lowest placebo beyond the limit."""
    unit = Ruler(True, np.zeros(1), np.ones(1), np.ones(1))
    gaps = np.linspace(-2, 2, 101)
    limit = half_width(gaps, 0.95)
    effect = smallest_effect(unit, gaps, "rise")
    seen = np.mean(np.abs(gaps + effect) > limit)
    missed = np.mean(np.abs(gaps + effect - 0.05) > limit)
    assert seen >= 0.80 > missed
    assert smallest_effect(unit, gaps, "fall") == pytest.approx(-effect)


def test_no_power_is_said_so() -> None:
    unit = Ruler(True, np.zeros(1), np.ones(1), np.ones(1))
    assert np.isnan(smallest_effect(unit, NINETEEN[:18], "rise"))
    # A count cannot fall below zero, however large the effect.
    count = Ruler(False, np.log1p([100.0]), np.full(1, 5.0), np.full(1, 5.0))
    gaps = np.random.default_rng(2).normal(size=60)
    assert np.isnan(smallest_effect(count, gaps, "fall"))
    assert smallest_effect(count, gaps, "rise") > 0
