"""Scenario files: what is shipped, what is refused, and what a stated range means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import DataError, UnknownNameError
from forecast.scenarios.scenario import names, read
from forecast.scenarios.shock import Amount

LEVELS = np.linspace(0.001, 0.999, 999)


def test_every_shipped_scenario_has_what_it_needs() -> None:
    assert names() == ["afghanistan", "labour-return", "russia-kazakhstan"]
    for name in names():
        shock = read(name)
        assert shock.name == name
        assert shock.sources
        assert all(source.figure for source in shock.sources)
        assert all(entry.because for place in shock.places for entry in place.counted)
        # Written for the UN and for registers: nobody else is counted by mistake.
        assert all(place.counted_by("un-wpp") is not None for place in shock.places)
        assert all(place.counted_by("anything else") is None for place in shock.places)


def test_the_concept_s_number_is_the_middle_of_its_scenario() -> None:
    people = read("russia-kazakhstan").places[0].people
    assert people.quantile(np.array([0.5]))[0] == pytest.approx(800_000)
    assert people.quantile(np.array([0.1, 0.9])) == pytest.approx([400_000, 1_600_000])


def test_closed_forms() -> None:
    half = np.array([0.5])
    assert Amount("uniform", 2, 3, 4).quantile(half)[0] == 3
    assert Amount("fixed", 7, 7, 7).quantile(LEVELS) == pytest.approx(7)
    triangular = Amount("triangular", 0, 1, 4)
    assert triangular.quantile(np.array([0.25]))[0] == pytest.approx(1)
    assert triangular.quantile(np.linspace(0, 1, 100_001)).mean() == pytest.approx(5 / 3, rel=1e-3)
    assert Amount("triangular", 2, 2, 2).quantile(half)[0] == 2


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.sampled_from(["triangular", "uniform"]),
)
def test_draws_stay_in_their_range_and_rise(a: float, b: float, c: float, kind: str) -> None:
    low, middle, high = sorted((a, b, c))
    drawn = Amount(kind, low, middle, high).quantile(LEVELS)
    assert (np.diff(drawn) >= -1e-6).all()
    assert drawn.min() >= low - 1e-6
    assert drawn.max() <= high + 1e-6


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ("many", "is 'many'; give shares, or a table"),
        (True, "is True; give shares"),
        (
            {"distribution": "normal"},
            "has an unknown distribution 'normal'. Did you mean: log-normal",
        ),
        ({"distribution": "uniform", "low": 0.1}, "high = None; a uniform distribution needs"),
        ({"distribution": "uniform", "low": 0.1, "hihg": 0.2, "high": 1}, "Did you mean: high"),
        ({"distribution": "uniform", "low": 0.9, "high": 0.2}, "give low <= high"),
        ({"distribution": "uniform", "low": 0.5, "high": 1.2}, "from 0 to 1"),
        ({"distribution": "triangular", "low": 0, "middle": 2, "high": 1}, "low <= middle <= high"),
        ({"distribution": "log-normal", "low": 0, "high": 1, "inside": 0.8}, "needs 0 < low"),
        ({"distribution": "log-normal", "low": 0.1, "high": 1, "inside": 80}, "inside between"),
        (
            {"distribution": "uniform", "low": float("nan"), "high": 1},
            "low = nan; a uniform distribution needs low, high",
        ),
    ],
)
def test_bad_amounts_are_named(own: dict[str, Any], given_: object, message: str) -> None:
    own["returns"]["share"] = given_
    with pytest.raises(DataError, match=rf"^share in \[returns\] of the scenario .*{message}"):
        read(own)


def spoil(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        *way, last = path.split(".")
        for step in way:
            content = content[int(step) if step.isdigit() else step]
        if value is None:
            del content[last]
        else:
            content[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (spoil("titel", "x"), "unknown key in the scenario 'titel'. Did you mean: title"),
        (spoil("judgement", None), "lacks judgement"),
        (spoil("summary", " "), "summary in the scenario is ' '; write a text"),
        (
            spoil("when.first", 2028),
            r"last in \[when\] of the scenario is 2027, before first, 2028\. Give the earlier",
        ),
        (
            spoil("when.first", "2026"),
            r"first in \[when\] of the scenario is '2026'; give a whole number",
        ),
        (spoil("when.first", 26), "is 26; give a number above 1900"),
        (spoil("when.frist", 2026), "Did you mean: first"),
        (spoil("when", 2026), "is 2026; write a table"),
        (spoil("fading.half_life", 0), "at least 0.05"),
        (spoil("returns.share", 2), "from 0 to 1"),
        (spoil("place", []), r"place in the scenario is \[\]; give at least 1"),
        (spoil("place.0.direction", "in"), "unknown direction"),
        (spoil("place.0.location", "TJ-SU"), "is TJ-SU, no single country"),
        (spoil("place.0.location", "XXX"), "unknown location"),
        (spoil("place.0.people", -5), "at least 0"),
        (spoil("place.0.regions", "everywhere"), 'write "population"'),
        (spoil("place.0.regions", {"KZ-75": 1.0}), "no region of TJK"),
        (spoil("place.0.regions", {"TJ-SU": 0.5}), "add up to 0.5; make it 1"),
        (spoil("place.0.counted.0.sources", "register"), "is 'register'; give a list"),
        (spoil("place.0.counted.0.sources", []), "several counted entries without sources"),
        (spoil("place.0.counted.0.because", None), "lacks because"),
        (spoil("place.0.counted.0.register", "yes"), "register in .* is 'yes'; write true or f"),
        (spoil("source.0.link", "javascript:alert(1)"), "starts with https://"),
    ],
)
def test_bad_scenarios_are_named(
    own: dict[str, Any], change: Callable[[dict[str, Any]], None], message: str
) -> None:
    change(own)
    with pytest.raises((DataError, UnknownNameError), match=message):
        read(own)


def test_a_place_stands_once(own: dict[str, Any]) -> None:
    own["place"].append(own["place"][0])
    with pytest.raises(DataError, match="names a place twice: TJK, TJK"):
        read(own)


def test_files(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean: afghanistan"):
        read("afganistan")
    with pytest.raises(DataError, match=r"does not exist\. Give a TOML file, or one of: afghan"):
        read(tmp_path / "none.toml")
    path = tmp_path / "bad.toml"
    path.write_text("a = [")
    with pytest.raises(DataError, match="is not TOML"):
        read(path)
