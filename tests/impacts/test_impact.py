"""The verb `impact`: recovery, leakage, placebos, verdicts and what it refuses."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast import measures
from forecast.errors import DataError, ForecastError, TooShortError, UnknownNameError
from forecast.impacts.event import Event, event, names
from forecast.impacts.placebo import comparable, untouched
from forecast.impacts.result import ORDINARY, STANDS_OUT, UNDECIDED, Impact
from forecast.panel import Panel
from tests.impacts.conftest import EVENT, frame, moved


def test_effects_are_what_came_minus_the_draws(nothing: Impact) -> None:
    table = nothing.effects(0.80)
    assert table["year"].tolist() == ["2023", "2024", "sum"]
    observed, drawn = nothing.window.columns
    np.testing.assert_allclose(observed[-1], observed[:-1].sum())
    np.testing.assert_allclose(drawn[:, -1], drawn[:, :-1].sum(axis=1))
    np.testing.assert_allclose(table["effect"], observed - np.median(drawn, axis=0))
    np.testing.assert_allclose(table["upper"], observed - np.quantile(drawn, 0.1, axis=0))
    wide = nothing.effects(0.95)
    for low, high in (("lower", "upper"), ("lower_calibrated", "upper_calibrated")):
        assert (wide[low] <= table[low]).all()
        assert (wide[high] >= table[high]).all()
        assert (table[low] <= table["effect"]).all()
        assert (table[high] >= table["effect"]).all()


def test_a_known_effect_is_recovered(nothing: Impact, large: Impact) -> None:
    """Net flows: an effect added to the figures is added to the estimate, to the person."""
    np.testing.assert_array_equal(large.window.draws, nothing.window.draws)
    added = large.effects()["effect"] - nothing.effects()["effect"]
    np.testing.assert_allclose(added, [150_000, 150_000, 300_000])
    total = large.effects(0.95).iloc[-1]
    assert total["lower_calibrated"] < 300_000 < total["upper_calibrated"]
    assert (nothing.verdict, large.verdict) == (ORDINARY, STANDS_OUT)
    assert large.overall.p_value == large.overall.smallest < 0.05


def test_placebos_come_from_where_they_should(nothing: Impact) -> None:
    table = nothing.placebos.table
    dates = table[table["set"] == "dates"]
    assert set(dates["location"]) == {"KAZ"}
    assert dates["origin"].max() == 2020, "its window, 2021 and 2022, ends before the event"
    places = table[table["set"] == "places"]
    assert set(places["origin"]) == {2022}
    assert sorted(places["location"]) == ["KGZ", "TJK", "TKM", "UZB"]
    others = table[table["set"] == "others"]
    assert set(np.diff(sorted(set(others["origin"])))) == {2}
    assert "KAZ" not in set(others["location"])
    assert nothing.tests.set_index("placebos")["windows"].to_dict() == {
        "dates": len(dates), "places": 4, "others": len(others), "all": len(table),
    }  # fmt: skip


def test_nothing_after_the_origin_is_seen(nothing: Impact) -> None:
    """Altered figures of the window change what came, not one bit of what was expected."""
    altered = frame()
    later = altered["year"] >= 2023
    altered.loc[later, "value"] = altered.loc[later, "value"] * 3 + 77_000
    other = fc.impact(Panel.from_frame(altered), **EVENT, draws=300)
    np.testing.assert_array_equal(other.window.draws, nothing.window.draws)
    before = other.placebos.table["set"] != "places"
    np.testing.assert_array_equal(other.placebos.gaps[before], nothing.placebos.gaps[before])


def test_the_same_call_gives_the_same_numbers(calm: Panel, nothing: Impact) -> None:
    again = fc.impact(calm, **EVENT, draws=300)
    pd.testing.assert_frame_equal(again.to_frame(), nothing.to_frame())
    pd.testing.assert_frame_equal(again.tests, nothing.tests)
    other = fc.impact(calm, **EVENT, draws=300, seed=2, placebos_from="places")
    assert not np.array_equal(other.window.draws, nothing.window.draws)


def test_few_placebos_decide_nothing(calm: Panel) -> None:
    found = fc.impact(
        Panel.from_frame(moved(frame(), 900_000)), **EVENT, draws=200, placebos_from="places"
    )
    assert found.overall.smallest == pytest.approx(0.2)
    assert found.verdict == UNDECIDED
    assert "cannot be decided" in found.sentence()
    assert "0.2" in found.sentence()
    assert all(np.isnan(value) for value in found.power.values())
    assert found.effects(0.95)["lower_calibrated"].isna().all()
    alone = fc.impact(calm.select(location="KAZ"), **EVENT, draws=200, placebos_from="places")
    assert alone.verdict == UNDECIDED
    assert "no placebo" in alone.sentence()


def test_an_effect_of_the_size_said_would_be_seen(nothing: Impact) -> None:
    """The power is the share of placebo worlds in which the effect is found."""
    effect, gaps = nothing.power["rise"], nothing.placebos.gaps[:, -1]
    unit = nothing.window.ruler
    found = []
    for gap in gaps:
        came = unit.persons(np.full(3, gap))[-1] + effect
        out = np.abs(unit.measure(np.full(3, came))[-1])
        found.append((1 + (np.abs(gaps) >= out).sum()) / (len(gaps) + 1) <= 0.05)
    assert np.mean(found) >= 0.80


def test_excluded_neighbours_are_no_placebos_at_the_date(calm: Panel) -> None:
    found = fc.impact(calm, **EVENT, draws=200, exclude=["kgz", "UZB"])
    table = found.placebos.table
    assert set(table.loc[table["set"] == "places", "location"]) == {"TJK", "TKM"}
    assert {"KGZ", "UZB"} <= set(table.loc[table["set"] == "others", "location"])


def series(source: str, location: str, measure: str = "net_migration") -> pd.DataFrame:
    years = np.arange(2000, 2025)
    values = np.random.default_rng(len(source + location)).normal(0, 900, len(years)).cumsum()
    return pd.DataFrame(
        {"source": source, "location": location, "measure": measure, "year": years, "value": values}
    )


def test_what_is_comparable() -> None:
    panel = Panel.from_frame(
        pd.concat(
            [
                series("un", "KAZ"), series("un", "KGZ"), series("kz-register", "KAZ"),
                series("kg-register", "KGZ"), series("uz-register", "UZB"),
                series("kz-register", "KZ-71"), series("kz-register", "KZ-75"),
                series("kz-register", "KAZ", "internal_net"),
            ]
        )
    )  # fmt: skip
    asked = Event("", "KAZ", "net_migration", "kz-register", 2020)
    # Not the UN, which has a figure of the same place; not regions; not another measure.
    assert comparable(panel, asked) == [
        ("kg-register", "KGZ", "net_migration"),
        ("uz-register", "UZB", "net_migration"),
    ]
    named = dataclasses.replace(asked, comparable=("un",))
    assert [key[1] for key in comparable(panel, named)] == ["KGZ"]
    region = dataclasses.replace(asked, location="KZ-71")
    keys = comparable(panel, region)
    assert keys == [("kz-register", "KZ-75", "net_migration")]
    assert untouched(keys, region) == keys
    assert untouched(keys, dataclasses.replace(region, exclude=("KAZ",))) == []


def test_gaps_in_the_figures_are_respected() -> None:
    """The year before is missing: the forecast starts earlier, for the placebos too."""
    table = frame()
    gone = (table["location"] == "KAZ") & (table["year"] == 2022)
    found = fc.impact(Panel.from_frame(table[~gone]), **EVENT, draws=200)
    assert (found.origin, found.years) == (2021, (2023, 2024))
    assert found.placebos.table.query("set == 'dates'")["origin"].max() == 2018


def test_flagged_years_make_no_placebo() -> None:
    table = frame().assign(flag="official")
    table.loc[(table["location"] == "KAZ") & (table["year"] == 2010), "flag"] = "outlier"
    found = fc.impact(Panel.from_frame(table), **EVENT, draws=200, placebos_from="dates")
    assert not {2008, 2009} & set(found.placebos.table["origin"])
    table.loc[(table["location"] == "KAZ") & (table["year"] == 2023), "flag"] = "break"
    with pytest.raises(DataError, match="carries the flag 'break' in 2023"):
        fc.impact(Panel.from_frame(table), **EVENT)


def test_only_what_was_released_counts() -> None:
    first = frame().assign(as_of="2025-03-01")
    revised = first[first["year"] == 2024].assign(as_of="2026-03-01", value=1e6)
    panel = Panel.from_frame(pd.concat([first, revised]))
    then = fc.impact(panel, **EVENT, as_of="2025-12-31", draws=200, placebos_from="dates")
    now = fc.impact(panel, **EVENT, draws=200, placebos_from="dates")
    assert then.window.observed[-1] != 1e6 == now.window.observed[-1]
    assert then.as_of == "2025-12-31"


def test_counts_never_fall_below_nothing() -> None:
    table = frame().assign(measure="immigration")
    table["value"] = np.exp(9 + table["value"] / 50_000).round()
    panel = Panel.from_frame(table)
    found = fc.impact(panel, **{**EVENT, "measure": "immigration"}, draws=300)
    total = found.effects(0.95).iloc[-1]
    assert total["upper_calibrated"] <= total["observed"]
    assert found.power["rise"] > 0


@pytest.mark.parametrize(
    ("change", "error", "part"),
    [
        ({"location": "XXX"}, ForecastError, "unknown location"),
        ({"measure": "arrivals"}, UnknownNameError, "measure in the event"),
        ({"source": "us"}, UnknownNameError, "source in this panel"),
        ({"start": 1990}, DataError, "not before 1990"),
        ({"start": 2030}, DataError, "no figure from 2030"),
        ({"start": "2020"}, DataError, "start = '2020'"),
        ({"start": None}, DataError, "no event given"),
        ({"start": 1999}, TooShortError, "too short for 'naive'"),
        ({"end": 2020}, DataError, "end = 2020; give a calendar year from 2023 on"),
        ({"draws": 5}, DataError, "draws is 5"),
        ({"seed": -1}, DataError, "seed is -1"),
        ({"model": "magic"}, UnknownNameError, "unknown model"),
        ({"placebos_from": ["moon"]}, UnknownNameError, "set of placebos"),
        ({"event": "kz-arrivals-2022"}, DataError, "as well as its parts"),
        ({"as_of": "soon"}, DataError, "write a day"),
    ],
)
def test_bad_input_is_refused(
    calm: Panel, change: dict[str, Any], error: type[Exception], part: str
) -> None:
    with pytest.raises(error, match=part):
        fc.impact(calm, **{**EVENT, **change})


def test_the_only_source_need_not_be_named(calm: Panel, nothing: Impact) -> None:
    unnamed = {key: value for key, value in EVENT.items() if key != "source"}
    found = fc.impact(calm, **unnamed, draws=300)
    pd.testing.assert_frame_equal(found.to_frame(), nothing.to_frame())
    two = pd.concat([frame(), frame().assign(source="register")])
    with pytest.raises(DataError, match=r"known from register, un\. Say which is meant"):
        fc.impact(Panel.from_frame(two), **unnamed)


def test_other_things_than_annual_panels_are_refused(calm: Panel) -> None:
    with pytest.raises(DataError, match="needs a Panel"):
        fc.impact(calm.to_frame(), "kz-arrivals-2022")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="steps by 5 years"):
        fc.impact(fc.load("central-asia-five-year"), "kz-arrivals-2022")


TOML = 'location = "KAZ"\nmeasure = "net_migration"\nsource = "un"\nstart = 2023\n'


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("start =", "is not TOML"),
        (TOML.replace('"un"', "3"), "names no source"),
        (TOML + "beginning = 2", "unknown key"),
        (TOML + 'exclude = "KGZ"', "give a list"),
        (TOML + "title = 3", "give a text"),
        (TOML.replace("2023", "true"), "start = True"),
    ],
)
def test_bad_event_files_are_refused(tmp_path: Path, text: str, part: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ForecastError, match=part):
        event(path)


def test_an_event_of_ones_own(tmp_path: Path, calm: Panel, nothing: Impact) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TOML, encoding="utf-8")
    found = fc.impact(calm, path, draws=300, model="naive")
    assert found.event.name == "mine"
    np.testing.assert_array_equal(found.window.draws, nothing.window.draws)
    with pytest.raises(UnknownNameError, match="unknown event"):
        fc.impact(calm, "kz-arrival-2022")


@pytest.mark.parametrize("name", names())
def test_bundled_events_say_what_and_where_from(name: str) -> None:
    found = event(name)
    panel = fc.load("central-asia")
    own = panel.select(location=found.location, measure=found.measure, source=found.source)
    assert own.series[0].years[0] < found.start <= own.origin
    for text in (found.title, found.announced, found.limit):
        assert len(text) > 10


def test_the_arrivals_of_2022_stand_out_of_the_register() -> None:
    found = fc.impact(fc.load("central-asia"), "kz-arrivals-2022", draws=400)
    assert found.years == (2022,)
    assert found.verdict == STANDS_OUT
    assert found.overall.as_far == 0
    total = found.total
    assert 4_000 < total["effect"] < 9_000
    assert total["lower_calibrated"] > 0


def test_an_event_of_a_rate_is_refused(tmp_path: Path) -> None:
    fc.measure("refusals", kind="rate", unit="share")
    path = tmp_path / "mine.toml"
    path.write_text(TOML.replace("net_migration", "refusals"), encoding="utf-8")
    try:
        with pytest.raises(DataError, match="a rate, and an effect is a sum over years"):
            event(path)
    finally:
        measures._declared.clear()
