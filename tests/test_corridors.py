"""Corridors are locations with two ends: codes, names, panels, selections, tables of a forecast."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import forecast as fc
from forecast import locations
from forecast.cli.main import cli
from forecast.errors import DataError, UnknownNameError
from forecast.panel import Panel

YEARS = list(range(2010, 2022))


def table(**changes: object) -> pd.DataFrame:
    """Two corridors to Russia, twelve years each, by origin and destination."""
    rows = [
        {"origin": origin, "destination": "RUS", "year": year, "value": 900 + 31 * at + at**2 % 7}
        for origin in ("UZB", "KAZ")
        for at, year in enumerate(YEARS)
    ]
    return pd.DataFrame(rows).assign(**changes)


def both(frame: pd.DataFrame) -> Panel:
    place = pd.DataFrame(
        {"location": "KAZ", "measure": "immigration", "year": YEARS, "value": range(50, 62)}
    )
    return Panel.from_frame(pd.concat([Panel.from_frame(frame).to_frame(), place]))


@pytest.mark.parametrize(
    "given", ["UZB:RUS", "uzb : rus", "Uzbekistan → Russia", "Узбекистан->Russian Federation"]
)
def test_a_corridor_has_one_spelling(given: str) -> None:
    assert locations.canonical(given) == "UZB:RUS"


def test_a_corridor_knows_its_ends_and_its_name_in_each_language() -> None:
    corridor = locations.find("uzb:rus")
    assert (corridor.code, corridor.origin, corridor.destination) == ("UZB:RUS", "UZB", "RUS")
    assert not corridor.is_country
    assert corridor.parent is None
    assert locations.find("KAZ").origin is None
    assert locations.find("KAZ").destination is None
    assert locations.name("UZB:RUS") == corridor.name() == "Uzbekistan → Russia"
    assert locations.name("UZB:DEU", "ru") == "Узбекистан → Германия"
    assert locations.name("KAZ:DEU", "uz") == "Qozogʻiston → Germaniya"
    merged = locations.find("RUS:KZ-79+KZ-61")
    assert merged.code == "RUS:KZ-61+KZ-79"
    assert merged.destination == "KZ-61+KZ-79"
    assert locations.parts("UZB:RUS") == ["UZB:RUS"]
    assert locations.country_of("UZB:RUS") == "UZB:RUS"


@pytest.mark.parametrize(
    ("code", "error", "message"),
    [
        ("UZX:RUS", UnknownNameError, "corridor UZX:RUS: unknown location 'UZX'.*UZB"),
        ("UZB:KAZ:RUS", DataError, "ORIGIN:DESTINATION"),
        ("KAZ:KAZ", DataError, "from Kazakhstan to itself"),
    ],
)
def test_a_wrong_corridor_is_refused(code: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        locations.find(code)


def test_a_panel_takes_origin_and_destination_and_gives_them_back() -> None:
    panel = Panel.from_frame(table(destination="Russia"))
    assert panel.locations == ["KAZ:RUS", "UZB:RUS"]
    assert panel.measures == ["flow"]
    frame = panel.to_frame()
    assert list(frame)[:5] == ["source", "location", "origin", "destination", "measure"]
    assert Panel.from_frame(frame).hash == panel.hash
    mixed = both(table())
    ends = mixed.to_frame().set_index("location")[["origin", "destination"]]
    assert ends.loc["KAZ"].isna().all(axis=None)
    assert (ends.loc["UZB:RUS", "origin"] == "UZB").all()
    assert Panel.from_frame(mixed.to_frame()).hash == mixed.hash
    places = mixed.select(location="KAZ").to_frame()
    assert "origin" not in places
    assert len(places.columns) == 9


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (table(location="UZB:KAZ"), "row 0: location UZB:KAZ contradicts origin UZB"),
        (table().drop(columns="origin"), "'destination' stands alone.*'origin'"),
        (table(origin=None), "row 0, column origin: empty"),
        (table(destination="KAZ"), "row 12, column location: .*Kazakhstan to itself"),
        (table(measure="immigration"), "row 0: immigration is of one place.*Its measure is flow"),
        (table(value=-1), "a count cannot be negative"),
        (
            pd.DataFrame({"location": ["KAZ"], "measure": "flow", "year": 2020, "value": 1}),
            "row 0: flow of KAZ names only one end",
        ),
    ],
)
def test_contradictions_are_refused(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Panel.from_frame(frame)


def test_corridors_are_chosen_by_their_ends() -> None:
    panel = both(table())
    assert panel.select(origin="Uzbekistan").locations == ["UZB:RUS"]
    assert panel.select(destination="RUS", origin=["KAZ", "UZB"]).locations == [
        "KAZ:RUS",
        "UZB:RUS",
    ]
    with pytest.raises(UnknownNameError, match=r"unknown origin in this panel 'UZX'.*UZB"):
        panel.select(origin="UZX")
    with pytest.raises(DataError, match="this panel has none"):
        panel.select(location="KAZ").select(origin="KAZ")


def test_tables_of_a_forecast_name_both_ends_where_there_are_corridors() -> None:
    outlook = fc.forecast(both(table()), "naive", horizons=(2023,), draws=100)
    for shown in (outlook.intervals(0.8), outlook.to_frame(), outlook.to_frame("sample")):
        assert list(shown)[:3] == ["location", "origin", "destination"]
        assert set(shown["destination"].dropna()) == {"RUS"}
    assert outlook.probability(above=0, location="uzb:rus", measure="flow", year=2023) == 1.0
    places = fc.forecast(both(table()).select(location="KAZ"), "naive", horizons=(2023,), draws=100)
    assert "origin" not in places.intervals(0.8)


def test_the_shell_chooses_corridors(tmp_path: Path) -> None:
    file = tmp_path / "flows.csv"
    Panel.from_frame(table()).to_frame()[["location", "measure", "year", "value"]].to_csv(
        file, index=False
    )
    words = ["predict", "--data", str(file), "--model", "naive", "--horizons", "2023"]
    done = CliRunner().invoke(
        cli, [*words, "--draws", "100", "--origin", "Uzbekistan", "--format", "csv"]
    )
    assert done.exit_code == 0, done.output
    assert "UZB:RUS,UZB,RUS,flow" in done.stdout
    assert "KAZ" not in done.stdout
