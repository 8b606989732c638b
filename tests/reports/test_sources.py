"""Two sources beside each other, and the United Nations' own projections."""

from __future__ import annotations

import re

import numpy as np
import pytest

import forecast as fc
from forecast import labels
from forecast.data import package
from forecast.errors import DataError
from forecast.language import Language, language, rounded
from forecast.outlook import Forecast
from forecast.reports import other_sources, targets
from forecast.reports.series_view import SeriesView, series_views

ENGLISH = language("en")


@pytest.fixture(scope="module")
def national() -> Forecast:
    panel = fc.load("central-asia").select(
        source=["un-wpp", "kz-bns", "uz-stat"], measure="net_migration"
    )
    return fc.forecast(panel, model="naive", draws=200)


@pytest.fixture(scope="module")
def bundled(national: Forecast) -> list[SeriesView]:
    return series_views(national)


def test_two_sources_are_compared_by_their_figures(
    bundled: list[SeriesView], words: Language
) -> None:
    compared = list(other_sources.pairs(bundled))
    assert {first.country for first, _ in compared} == {"KAZ", "UZB"}
    for first, second in compared:
        assert (first.series.source, second.series.source)[0] == "un-wpp"
        ours = dict(zip(first.series.years, first.series.values))
        theirs = dict(zip(second.series.years, second.series.values))
        doubted = set(second.series.years[second.series.flagged("suspect")])
        both = [
            year for year in ours
            if year >= 1990 and year not in doubted and not np.isnan(theirs.get(year, np.nan))
        ]  # fmt: skip
        gaps = {year: abs(ours[year] - theirs[year]) for year in both}
        worst = max(gaps, key=lambda year: gaps[year])
        said = other_sources.difference(first, second, words)
        assert words.persons(rounded(float(np.mean(list(gaps.values()))))) in said
        assert words.persons(ours[worst], sign=True) in said
        assert words.persons(theirs[worst], sign=True) in said
        assert f"{min(both)}–{max(both)}" in said
        turned = sum(ours[year] * theirs[year] < 0 for year in both)
        stated = [number.rstrip(",") for number in re.findall(r"\d[\d,\u00a0]*", said)]
        assert (str(turned) in stated) == (turned > 0)


def test_a_disputed_figure_is_no_measure_of_a_difference(bundled: list[SeriesView]) -> None:
    pair = next(p for p in other_sources.pairs(bundled) if p[0].country == "UZB")
    assert 2005 in pair[1].series.years[pair[1].series.flagged("suspect")]
    assert 2005 not in other_sources.common(*pair)[0]


def test_the_contrast_is_drawn_and_described(bundled: list[SeriesView]) -> None:
    shown = other_sources.disagreements(bundled, ENGLISH)
    assert len(shown) == 2
    for entry in shown:
        assert str(entry["svg"]).count("<svg") == 1
        assert entry["caption"] in str(entry["svg"])


def test_one_source_is_no_contrast(known: dict[tuple[str, str, str], SeriesView]) -> None:
    alone = [view for view in known.values() if view.series.source == "un-wpp"]
    assert other_sources.disagreements(alone, ENGLISH) == []


def test_what_the_un_says_is_in_the_table(
    national: Forecast, bundled: list[SeriesView], words: Language
) -> None:
    shown = other_sources.un_projections(bundled, words)
    assert shown is not None
    table = package.projections()
    assert shown["vintages"] == sorted({int(day[:4]) for day in table["as_of"]})
    assert len(shown["rows"]) == 5 * 3
    row = shown["rows"][1]
    assert row["year"] == 2027
    place = next(s for s in bundled if s.series.source == "un-wpp").series.location
    told = table[(table["location"] == place) & (table["year"] == 2027)].sort_values("as_of")
    for said, stated in zip(row["said"], told.to_dict("records")):
        assert words.persons(rounded(stated["value"], 3), sign=True) in said
        if not np.isnan(stated["lower_80"]):
            for end in ("lower_80", "upper_80"):
                assert words.persons(rounded(stated[end], 3), sign=True) in said
    drawn = national.sample(location=place, measure="net_migration", source="un-wpp", year=2027)
    for number in np.quantile(drawn, [0.1, 0.5, 0.9]):
        assert words.persons(rounded(float(number), 3), sign=True) in row["here"]


def test_what_the_un_had_said_is_held_against_what_came(
    bundled: list[SeriesView], words: Language
) -> None:
    shown = other_sources.un_projections(bundled, words)
    assert shown is not None
    table = package.projections().query("location == 'KAZ' and year <= 2023")
    assert len(table) == 2
    kazakh = next(s for s in bundled if s.key == ("un-wpp", "KAZ", "net_migration"))
    said = next(
        line
        for line in shown["past"]
        if line.startswith(f"{labels.place('KAZ', words)}, ") and "2022" in line
    )
    for row in table.to_dict("records"):
        now = kazakh.observed(row["year"])
        assert now is not None
        assert words.persons(rounded(now, 3), sign=True) in said
        assert words.persons(rounded(row["value"], 3), sign=True) in said


def test_without_the_un_nothing_is_said_of_it(bundled: list[SeriesView]) -> None:
    assert (
        other_sources.un_projections([s for s in bundled if s.series.source != "un-wpp"], ENGLISH)
        is None
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("KAZ immigration > 40000", ("KAZ", "immigration", "", 40_000.0, True)),
        ("kaz net_migration kz-bns<-1,500", ("KAZ", "net_migration", "kz-bns", -1500.0, False)),
    ],
)
def test_thresholds_from_the_command_line(text: str, expected: tuple[object, ...]) -> None:
    found = targets.parse(text)
    told = (found.location, found.measure, found.source, found.value, found.above is not None)
    assert told == expected


@pytest.mark.parametrize("text", ["", "KAZ > 4", "KAZ immigration = 4", "KAZ immigration > many"])
def test_other_thresholds_are_refused(text: str) -> None:
    with pytest.raises(DataError, match=r"is not understood\. Write LOCATION MEASURE"):
        targets.parse(text)
