"""The screen for breaks: what it proposes, how often it is wrong, what it finds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast.data.breaks import screen
from forecast.data.breaks.statistics import (
    FAMILY,
    LEVEL,
    OUTLIER,
    Reference,
    profiles,
    reference,
    simulate,
)
from forecast.errors import DataError
from forecast.panel import Panel


def panel(values: np.ndarray, measure: str = "net_migration") -> Panel:
    years = range(2000, 2000 + len(values))
    table = {"location": "KAZ", "measure": measure, "year": list(years), "value": values}
    return Panel.from_frame(pd.DataFrame(table))


def quiet(length: int = 20) -> np.ndarray:
    return 1000 * np.random.default_rng(3).standard_normal(length)


def test_a_step_that_stays_is_a_level_break_and_one_taken_back_an_outlier() -> None:
    stepped = quiet()
    stepped[12:] += 40_000
    (row,) = screen(panel(stepped)).to_dict("records")
    assert (row["kind"], row["year"]) == (LEVEL, 2012)
    assert row["size"] == pytest.approx(40_000, abs=2500)
    struck = quiet()
    struck[8] -= 40_000
    (row,) = screen(panel(struck)).to_dict("records")
    assert (row["kind"], row["year"]) == (OUTLIER, 2008)
    assert "by chance in" in row["evidence"]


def test_nothing_is_applied() -> None:
    stepped = quiet()
    stepped[12:] += 40_000
    given = panel(stepped)
    before = given.hash
    screen(given)
    assert given.hash == before
    assert set(given.to_frame()["flag"]) == {""}


def test_statistics_ignore_scale_shift_and_drift() -> None:
    values = quiet()
    first = profiles(values)
    second = profiles(-3.5 * values + 1e5 + 700 * np.arange(20))
    for kind in (LEVEL, OUTLIER):
        np.testing.assert_allclose(second[kind], -first[kind], atol=1e-8)


def test_short_series_and_quiet_ones_are_left_alone() -> None:
    assert screen(panel(quiet()[:7])).empty
    assert screen(panel(quiet())).empty
    with pytest.raises(DataError, match="level is 5"):
        screen(panel(quiet()), level=5)


def test_probabilities_fall_with_the_evidence() -> None:
    expected = reference(12)
    chances = [expected.probability(LEVEL, at) for at in (0.0, 1.0, 2.0, 3.0, 5.0)]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 0.99
    assert chances[-1] < 0.01


def alarms(draws: int, years: int, persistence: float, degrees: float) -> float:
    generator = np.random.default_rng([5, years, round(10 * persistence)])
    series = simulate((draws, years), persistence, degrees, generator)
    found = {kind: np.log1p(np.abs(p).max(axis=1)) for kind, p in profiles(series).items()}
    expected = reference(years)
    hits = [
        min(expected.probability(kind, largest[at]) for kind, largest in found.items()) <= 0.05
        for at in range(draws)
    ]
    return float(np.mean(hits))


def test_false_alarms_stay_below_five_in_a_hundred() -> None:
    for persistence, degrees in ((0.0, 3.0), (1.0, np.inf)):
        assert alarms(300, 12, persistence, degrees) <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / 300)


@pytest.mark.slow
@pytest.mark.parametrize("years", [8, 12, 20, 34])
def test_false_alarms_over_the_whole_family(years: int) -> None:
    for persistence, degrees in FAMILY:
        assert alarms(2000, years, persistence, degrees) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)


def test_the_reference_is_the_same_every_time() -> None:
    assert Reference(9).probability(LEVEL, 2.0) == Reference(9).probability(LEVEL, 2.0)


def test_known_breaks_are_found_in_the_bundled_figures() -> None:
    register = screen(fc.load("central-asia").select(source="kg-nsc"))
    assert (register["year"] == 2021).any()
    assert register.loc[register["year"] == 2021, "declared"].tolist() == ["break"]
    regions = screen(fc.load("central-asia").select(source="uz-stat-balance"))
    together = regions[regions["scope"] == "group"].iloc[0]
    assert (together["year"], together["kind"]) == (2020, OUTLIER)
    assert together["probability"] < 0.01
    people = screen(fc.load("population").select(source="kz-bns", location=["KZ-59", "KZ-75"]))
    seen = set(zip(people["location"], people["year"].tolist()))
    assert {("KZ-59", 2009), ("KZ-75", 2015)} <= seen
