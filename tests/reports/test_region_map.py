"""The map of regions: numbers of the draws, colours that the legend explains, honest units."""

from __future__ import annotations

import html
import re

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast import labels, locations
from forecast.data import package
from forecast.language import Language, language, rounded
from forecast.outlook import Forecast
from forecast.reports.region_map import region_map
from forecast.reports.series_view import SeriesView, series_views

YEAR = 2030
CODES = {"KAZ": "kz-bns-balance", "UZB": "uz-stat-balance"}


@pytest.fixture(scope="module")
def regional() -> Forecast:
    panel = fc.load("central-asia").select(source=list(CODES.values()))
    return fc.forecast(panel, model="naive", draws=200)


def views(outlook: Forecast, country: str) -> list[SeriesView]:
    return [v for v in series_views(outlook) if v.country == country and not v.national]


def titles(svg: str) -> dict[str, tuple[str, str]]:
    """Number and class of each unit, by the name of the place."""
    found = re.findall(r"fill: var\(--([\w-]+)\)\"><title>(.*?): ([^<:]+)</title>", svg)
    return {html.unescape(place): (number, kind) for kind, place, number in found}


@pytest.mark.parametrize("country", list(CODES))
def test_colours_and_numbers_are_those_of_the_draws(
    regional: Forecast, country: str, words: Language
) -> None:
    made = region_map(views(regional, country), country, YEAR, words)
    assert made is not None
    shown = titles(made["svg"])
    assert len(shown) == len(package.outlines(country))
    bounds = _bounds(made["classes"])
    panel = regional.history.to_frame()
    for code in package.outlines(country):
        rows = panel[panel["location"] == code].sort_values("year")
        people = rows["population"].dropna().iloc[-1]
        drawn = regional.sample(
            location=code, measure="net_all_flows", source=CODES[country], year=YEAR
        )
        rate = 1000 * float(np.median(drawn)) / people
        number, kind = shown[labels.place(code, words)]
        assert _read(number) == pytest.approx(rate, abs=0.0501)
        low, high = bounds[kind]
        assert low <= rate <= high, code
    assert {kind for _, kind in shown.values()} <= set(bounds)


def _read(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ".").replace("+", ""))


def _bounds(classes: list[dict[str, str]]) -> dict[str, tuple[float, float]]:
    found = {}
    for entry in classes:
        ends = [_read(part) for part in entry["said"].strip("<> ").split(" … ")]
        if entry["said"][0] == "<":
            ends = [-np.inf, *ends]
        elif entry["said"][0] == ">":
            ends = [*ends, np.inf]
        found[entry["name"]] = (ends[0], ends[1])
    return found


def test_labels_in_the_drawing_do_not_touch(regional: Forecast) -> None:
    for country in CODES:
        made = region_map(views(regional, country), country, YEAR, language("en"))
        assert made is not None
        places = re.findall(r'<text x="([\d.]+)" y="([\d.]+)">(.*?)</text>', made["svg"])
        assert len(places) >= 8
        for at, (x, y, text) in enumerate(places):
            for a, b, other in places[at + 1 :]:
                apart = abs(float(x) - float(a)) > 3.3 * (len(text) + len(other))
                assert apart or abs(float(y) - float(b)) > 11


def test_what_is_not_drawn_is_named(regional: Forecast) -> None:
    words, ours = language("en"), views(regional, "KAZ")
    whole = region_map(ours, "KAZ", YEAR, words)
    assert whole is not None
    assert "Drawn as one: East Kazakhstan (+ Abai)" in whole["note"]
    assert "Left grey" not in whole["note"]
    most = [view for view in ours if view.series.location != "KZ-11"]
    part = region_map(most, "KAZ", YEAR, words)
    assert part is not None
    assert "Left grey, without a figure: Akmola." in part["note"]
    assert titles(part["svg"])["Akmola"] == ("–", "wash")


def test_regions_of_today_add_up_to_the_units_that_are_drawn(words: Language) -> None:
    """In every draw, so that the median is that of the sum, and no population is made up."""
    generator = np.random.default_rng(4)
    codes = [part for code in package.outlines("KGZ") for part in code.split("+")]
    rows = [
        {
            "location": code,
            "measure": "net_all_flows",
            "source": "own",
            "year": year,
            "value": value,
        }
        for code in codes
        for year, value in zip(range(2008, 2026), generator.normal(-1500, 900, 18).round())
    ]
    outlook = fc.forecast(fc.Panel.from_frame(pd.DataFrame(rows)), model="naive", draws=200)
    made = region_map(views(outlook, "KGZ"), "KGZ", YEAR, words)
    assert made is not None
    both = sum(
        outlook.sample(location=code, measure="net_all_flows", source="own", year=YEAR)
        for code in ("KG-GO", "KG-O")
    )
    number, _ = titles(made["svg"])[labels.place("KG-GO+KG-O", words)]
    assert number == words.persons(rounded(float(np.median(both)), 3), sign=True)
    assert labels.place("KG-GO+KG-O", words) in made["note"]
    assert ".." not in made["note"]
    assert words.say("{year}, median, persons", year=YEAR) == made["unit"]
    assert words.say("Not on the map: {places}.", places="").strip(" .") not in made["note"]


def test_there_is_no_map_where_units_are_others(regional: Forecast, outlook: Forecast) -> None:
    words = language("en")
    assert region_map(views(outlook, "KAZ"), "KAZ", YEAR, words) is None
    assert region_map(views(regional, "KAZ"), "TJK", YEAR, words) is None
    assert package.outlines("DEU") == {}


def test_outlines_are_closed_rings_of_known_units() -> None:
    for country, units in (("KAZ", 16), ("KGZ", 8), ("UZB", 14)):
        outlines = package.outlines(country)
        assert len(outlines) == units
        single = {part for code in outlines for part in code.split("+")}
        assert single == set(locations.regions(country))
        for code, rings in outlines.items():
            assert locations.country_of(code) == country
            for ring in rings:
                assert len(ring) >= 4
                assert (ring[0] == ring[-1]).all()
                assert (ring >= [46, 37]).all()
                assert (ring <= [88, 56]).all()
