"""Moves between regions: the picture, its numbers and its words."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from forecast import labels
from forecast.data import package
from forecast.errors import ForecastError
from forecast.language import Language, language, rounded
from forecast.reports import internal_migration

ENGLISH = language("en")


@pytest.fixture(scope="module")
def shown() -> internal_migration.RegionalMoves:
    return internal_migration.observed_moves()["KAZ"]


def test_the_newest_year_of_the_bundled_table(shown: internal_migration.RegionalMoves) -> None:
    table = package.moves()
    newest = table[table["year"] == table["year"].max()]
    assert shown.year == newest["year"].iloc[0]
    assert np.nansum(shown.counts) == newest["value"].sum()
    one = newest.sample(1, random_state=4).iloc[0]
    row, column = (shown.regions.index(one[end]) for end in ("origin", "destination"))
    assert shown.counts[row, column] == one["value"]
    assert np.isnan(np.diag(shown.counts)).all()


def test_what_regions_gain_adds_up_to_nothing(shown: internal_migration.RegionalMoves) -> None:
    gained = internal_migration.net(shown)
    assert gained.sum() == 0
    assert (np.diff(gained) <= 0).all()


def test_the_words_carry_the_numbers(
    shown: internal_migration.RegionalMoves, words: Language
) -> None:
    table = package.moves()
    total = table.groupby("year")["value"].sum()
    newest = table[table["year"] == total.index[-1]]
    gain = newest.groupby("destination")["value"].sum() - newest.groupby("origin")["value"].sum()
    said = internal_migration.summary(shown, words)
    for number in (rounded(total.iloc[-1], 3), rounded(total.iloc[0], 3)):
        assert words.persons(number) in said
    for place, value in ((gain.idxmax(), gain.max()), (gain.idxmin(), gain.min())):
        assert labels.place(str(place), words) in said
        assert words.persons(rounded(value, 3), sign=True) in said
    described = internal_migration.described(shown, words)
    for place, value in gain.items():
        number = words.persons(rounded(value, 3), sign=True)
        assert f"{labels.place(str(place), words)} {number}" in described


def test_the_largest_flows(shown: internal_migration.RegionalMoves) -> None:
    table = package.moves()
    newest = table[table["year"] == shown.year]
    back = newest.rename(columns={"origin": "destination", "destination": "origin"})
    both = newest.merge(back, on=["origin", "destination"], suffixes=("", "_back"))
    newest = both[both["value"] > both["value_back"]].nlargest(internal_migration.LARGEST, "value")
    rows = internal_migration.largest(shown, ENGLISH)
    assert [row["there"] for row in rows] == [ENGLISH.persons(v) for v in newest["value"]]
    first = newest.iloc[0]
    assert rows[0]["origin"] == labels.place(first["origin"], ENGLISH)
    assert rows[0]["destination"] == labels.place(first["destination"], ENGLISH)
    assert rows[0]["back"] == ENGLISH.persons(first["value_back"])
    assert rows[0]["net"] == ENGLISH.persons(first["value"] - first["value_back"], sign=True)


def test_every_cell_is_drawn_in_its_class(shown: internal_migration.RegionalMoves) -> None:
    svg = internal_migration.heat_map(shown, ENGLISH)
    root = ElementTree.fromstring(svg)  # noqa: S314
    drawn = [
        (node.get("style") or "", (node.get("d") or "").count("M"))
        for node in root.iter()
        if "fill: var(--accent)" in (node.get("style") or "")
    ]
    lows = [low for low, _ in internal_migration.CLASSES]
    highs = [*lows[1:], np.inf]
    expected = [
        int(((shown.counts >= low) & (shown.counts < high)).sum()) for low, high in zip(lows, highs)
    ]
    assert [count for _, count in drawn] == [count for count in expected if count]
    opacity = [float(re.findall(r"opacity: ([\d.]+)", style)[0]) if "opacity" in style else 1.0
               for style, _ in drawn]  # fmt: skip
    assert opacity == sorted(opacity)
    names = [node.text for node in root.iter("text")]
    assert sum(name == "Almaty City" for name in names) == 2
    assert svg == internal_migration.heat_map(shown, ENGLISH)


def test_no_moves_no_picture(shown: internal_migration.RegionalMoves) -> None:
    with pytest.raises(ForecastError, match="no moves inside KAZ in 2024"):
        internal_migration.heat_map(
            replace(shown, counts=np.full_like(shown.counts, np.nan)), ENGLISH
        )


def test_only_countries_with_figures() -> None:
    assert internal_migration.section("TKM", ENGLISH) is None
