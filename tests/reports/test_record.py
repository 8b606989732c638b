"""The track record: its numbers are those of the score table, and it is never invented."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from forecast.errors import ForecastError
from forecast.evaluate.track import Track
from forecast.language import Language, language, rounded
from forecast.models.run import forecast
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.reports import record, track_charts, verdicts
from forecast.reports.horizon import report
from forecast.reports.series_view import SeriesView, series_views
from forecast.reports.track_charts import described, hedgehog
from forecast.scenarios.targets import Target

KEY = ("kz-bns", "KAZ", "immigration")
FAR_TARGET = Target(
    concept="KAZ", text="Many come", kind="stated", by=(2060,), location="KAZ",
    measure="immigration", at_least=40_000, reference="A law",
)  # fmt: skip
ENGLISH = language("en")


def numbers(text: str) -> list[int]:
    found = re.findall(r"[−+]?\d[\d,\u00a0]*", text)
    return [int(re.sub(r"[,\u00a0]", "", item).replace("−", "-")) for item in found]


@pytest.fixture(scope="module")
def found(track: Track) -> record.Record:
    made = record.record(track, "mean")
    assert made is not None
    return made


def rows_of(track: Track, model: str, horizon: int) -> pd.DataFrame:
    table = track.table
    source, location, measure = (table[name] for name in ("source", "location", "measure"))
    mine = (source == KEY[0]) & (location == KEY[1]) & (measure == KEY[2])
    chosen = table[mine & (table["horizon"] == horizon) & (table["status"] == "scored")]
    return chosen[chosen["model"] == model].set_index("origin")


def test_a_verdict_s_numbers_are_those_of_the_scores(
    track: Track, found: record.Record, words: Language
) -> None:
    judged = found.nearest(KEY, 3)
    ours, theirs = rows_of(track, "mean", 3), rows_of(track, "naive", 3)
    skill = 1 - ours["crps"].mean() / theirs.loc[ours.index, "crps"].mean()
    held = ours["inside_80"].mean()
    said = numbers(verdicts.verdict(judged, words))
    assert said == [3, abs(round(100 * skill)), 80, round(100 * held), len(ours)]


def test_coverage_is_recounted(track: Track, found: record.Record, words: Language) -> None:
    ours = track.select(model="mean")
    table = ours.table[ours.table["status"] == "scored"]
    expected = [80]
    for horizon in (1, 3):
        inside = table.loc[table["horizon"] == horizon, "inside_80"]
        expected += [horizon, round(100 * inside.mean()), len(inside)]
    # A language may name the whole before the part.
    assert sorted(numbers(record.coverage(ours.calibration(), words))) == sorted(expected)


def test_a_surprise_shows_what_had_been_said(track: Track, words: Language) -> None:
    rows = track.surprises("mean").to_dict("records")
    row = {str(name): value for name, value in rows[0].items()}
    shown = [rounded(row[name], 3) for name in ("observed", "lower_95", "upper_95")]
    said = numbers(record.surprise(row, words))
    assert said == [row["year"], shown[0], row["origin"], shown[1], shown[2], 95]


@pytest.mark.parametrize(
    ("asked", "tried", "far"),
    [
        (1, 1, False), (2, 3, False), (3, 1, False), (4, 3, False), (6, 3, False),
        (7, 3, True), (36, 3, True),
    ],
)  # fmt: skip
def test_the_nearest_horizon_is_judged_unless_it_is_far(
    found: record.Record, asked: int, tried: int, far: bool
) -> None:
    rows = [row for row in found.verdicts[KEY] if row["horizon"] <= tried]
    judged = record.Record(found.track, "mean", {KEY: rows}).nearest(KEY, asked)
    assert judged is not None
    assert (judged.tried, judged.far) == (tried, far)
    assert found.nearest(("a", "b", "c"), 1) is None


def judged(verdict: str, tried: int, asked: int, **more: float) -> verdicts.Judged:
    return verdicts.Judged({"horizon": tried, "verdict": verdict, **more}, asked)


def test_verdicts_in_short() -> None:
    numbers_of = {"coverage": 0.78, "origins": 18}
    assert verdicts.held(judged("skilful", 3, 3, **numbers_of), ENGLISH) == "78\u202f% of 18"
    nearest = verdicts.held(judged("skilful", 1, 3, **numbers_of), ENGLISH)
    assert nearest == "78\u202f% of 18 (1 year ahead)"
    few = judged("too little data", 3, 3, coverage=0.5, origins=2)
    assert verdicts.held(few, ENGLISH) == "not known"
    assert verdicts.held(None, ENGLISH) == ""
    assert verdicts.verdict(judged("too little data", 1, 1), ENGLISH) == (
        "Track record 1 year ahead: too few past forecasts to judge."
    )
    assert verdicts.in_cell(judged("skilful", 3, 3), ENGLISH) == "better"
    assert verdicts.in_cell(judged("skilful", 1, 2), ENGLISH) == "better (1 year ahead)"
    assert verdicts.in_cell(None, ENGLISH) == ""


def test_a_short_record_says_nothing_of_the_far_future(words: Language) -> None:
    """One year tried is no praise of a forecast thirty-six years ahead."""
    far = judged("skilful", 1, 36, skill=0.2, coverage=0.8, origins=20)
    for say in (verdicts.in_cell, verdicts.verdict):
        said = say(far, words)
        assert numbers(said) == [1]
        assert verdicts.cell("skilful", words) not in said.lower()
    assert verdicts.held(far, ENGLISH) == "not known"


@pytest.mark.thorough
def test_a_record_of_other_horizons_is_named_on_the_page(
    track: Track, varied: Panel, tmp_path: Path
) -> None:
    outlook = forecast(varied, model="mean", horizons=(2026, 2027, 2060), draws=100)
    text = report(outlook, track, folder=tmp_path, targets=[FAR_TARGET])[0].read_text("utf-8")
    first = text[text.index('class="first"') : text.index("</aside>")]
    held = re.findall(r'data-year="(\d+)".*?class="held".*?>(.*?)</td>', first, re.DOTALL)
    assert {said for year, said in held if year == "2060"} == {"not known"}
    # Four years ahead were not tried themselves: the cell names what was.
    assert any(said.endswith("(3 years ahead)") for _, said in held)
    cells = re.findall(r'<td class="judged">(.*?)</td>', text)
    assert cells == ["not tried so far ahead (up to 3 years)"]


def test_a_model_without_a_record_has_none(track: Track, known: dict) -> None:
    assert record.record(None, "mean") is None
    assert record.record(track, "ets") is None
    assert record.section(None, list(known.values()), ENGLISH) is None


def test_the_reference_has_coverage_but_no_verdict(track: Track, outlook: Forecast) -> None:
    made = record.record(track, "naive")
    shown = record.section(made, series_views(outlook), ENGLISH)
    assert made is not None
    assert shown is not None
    assert not made.verdicts
    assert shown["verdicts"] == []
    assert [row["skill"] for row in shown["rows"]] == ["–", "–"]


def test_the_page_carries_the_record(
    judged_report: Callable[[str], list[Path]], spoken: Language
) -> None:
    made = judged_report(spoken.code)
    main, text = (made[at].read_text(encoding="utf-8") for at in (0, 4))
    assert 'id="record"' in text
    assert 'href="#record"' in text
    assert f'href="{made[4].name}#record"' in main
    assert text.count("<caption") > 6
    first = main[main.index('class="first"') : main.index("</aside>")]
    # Each range stands beside how often such ranges held.
    assert first.count('class="held"') >= 3
    assert len(re.findall(r'class="held"[^>]*>[^<]*\d+\u202f?%', first)) >= 2
    assert verdicts.legend(spoken) in html.unescape(text)


def test_a_page_says_when_the_record_is_of_other_models(
    track: Track, varied: Panel, tmp_path: Path
) -> None:
    other = forecast(varied, model="drift", draws=100)
    text = report(other, track, folder=tmp_path)[0].read_text(encoding="utf-8")
    assert "does not cover this model" in text
    assert 'id="record"' not in text


def test_hedgehogs_draw_every_origin_and_count_what_held(
    track: Track, known: dict[tuple[str, str, str], SeriesView], words: Language
) -> None:
    table = track.select(model="mean").table
    rows = table[
        (table["source"] == KEY[0]) & (table["measure"] == KEY[2]) & (table["status"] == "scored")
    ]
    svg = hedgehog(known[KEY], rows, words)
    root = ElementTree.fromstring(svg.replace("<svg ", '<svg xmlns="x" ', 1))  # noqa: S314
    assert svg == hedgehog(known[KEY], rows, words)
    assert root.find("{x}desc").text == described(rows, words)
    assert svg.count("var(--accent)") >= 2 * rows["origin"].nunique()
    inside = int(rows["inside_80"].sum())
    assert numbers(described(rows, words)) == [
        len(rows), rows["origin"].min(), rows["origin"].max(), 80, inside
    ]  # fmt: skip


def test_a_skill_of_nothing_is_said_as_such() -> None:
    for skill, said in (
        (-0.004, "error the same, within 1\u202f%"),
        (-0.006, "error larger by 1\u202f%"),
        (0.2, "error smaller by 20\u202f%"),
    ):
        row = judged("no better than naive", 3, 3, coverage=0.8, origins=12, skill=skill)
        assert said in verdicts.verdict(row, ENGLISH)


def test_surprises_are_told_by_year(track: Track) -> None:
    told = record.surprises_of(track.surprises("naive"), ENGLISH)
    national = [int(line[:4]) for line in told if "had said" in line]
    assert national == sorted(national)
    assert len(national) > 1


def test_surprises_of_regions_are_told_by_year(track: Track) -> None:
    rows = track.surprises("naive").drop_duplicates(["source", "location", "measure", "year"])
    told = record.surprises_of(rows, ENGLISH)
    regional = rows[rows["location"].str.contains("-")]
    assert sum("region" in line for line in told) == regional["year"].nunique()


def test_the_reliability_chart_carries_the_calibration(track: Track, words: Language) -> None:
    calibration = track.select(model="mean").calibration()
    (entry,) = track_charts.figures(calibration, words)
    svg = entry["svg"]
    assert track_charts.reliability_in_words(calibration, words) in svg
    for row in calibration.to_dict("records"):
        assert words.share(float(row["coverage"])) in track_charts.reliability_in_words(
            calibration, words
        )
    root = ElementTree.fromstring(str(svg).replace("<svg ", '<svg xmlns="x" ', 1))  # noqa: S314
    dots = [node for node in root.iter("{x}use") if "var(--accent)" in str(node.get("style"))]
    assert len(dots) == len(calibration)
    assert track_charts.figures(calibration.head(0), words) == []
    with pytest.raises(ForecastError, match="would be empty"):
        track_charts.reliability(calibration.head(0), words)
