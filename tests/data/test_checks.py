"""Checks on a panel, and what they carry as flags."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import forecast as fc
from forecast.cli.main import cli
from forecast.data.checks import add_flags, check, warnings_in_words
from forecast.data.tables import understand
from forecast.errors import DataError
from forecast.panel import Panel

YEARS = list(range(2010, 2025))
WILD = [310, -820, 455, 1290, -77, 640, -1010, 233, 905, -460, 118, 730, -345, 560, -28]


def panel(values: dict[str, list[float]], measure: str = "net_all_flows", **more: object) -> Panel:
    tables = [
        pd.DataFrame({"location": place, "measure": measure, "year": YEARS, "value": figures})
        for place, figures in values.items()
    ]
    return Panel.from_frame(pd.concat(tables).assign(**more))


def found(checked: Panel, name: str) -> list[tuple[str, int]]:
    table = check(checked)
    rows = table[table["check"] == name]
    return list(zip(rows["location"], rows["year"].tolist()))


def test_a_line_of_years_is_found_and_carried() -> None:
    values = [*WILD[:5], 100.0, 200.0, 300.0, 400.0, *WILD[9:]]
    flagged, said = add_flags(panel({"KZ-11": values}))
    (series,) = flagged
    assert series.years[series.flagged("interpolated")].tolist() == [2016, 2017]
    assert said == [
        "interpolated: net_all_flows of KZ-11 (user): 2016, 2017 (interpolated stretch)"
    ]
    assert check(flagged).empty
    assert np.array_equal(series.values, values)


def test_rounding_makes_no_lines() -> None:
    """Thousands with one decimal repeat themselves without being filled in."""
    rounded = [1000.0, 1100, 1100, 1100, 1100, 1200, 1100, 1100, 1100, 1000, 1100, 1200, 1300]
    table = panel({"KZ-11": [*rounded, 1300.0, 1200.0]}, precision=100.0)
    assert found(table, "interpolated stretch") == []


def test_a_copied_stretch_is_found_in_the_same_series_and_in_another() -> None:
    copied = [*WILD[:10], *WILD[:5]]
    assert [year for _, year in found(panel({"KZ-11": copied}), "duplicated stretch")] == [
        2020, 2021, 2022, 2023, 2024,
    ]  # fmt: skip
    other = [value + 3 for value in WILD[:8]] + WILD[8:]
    pair = panel({"KZ-11": WILD, "KZ-15": other})
    assert found(pair, "duplicated stretch") == [("KZ-15", year) for year in range(2018, 2025)]
    flagged, _ = add_flags(pair)
    assert flagged.series[1].flagged("suspect").sum() == 7


def test_short_and_small_runs_are_no_copies() -> None:
    small = [float(value % 4) for value in WILD]
    assert found(panel({"KZ-11": small, "KZ-15": small}), "duplicated stretch") == []


def test_a_jump_at_a_known_change_of_boundaries_is_found() -> None:
    people = [1_390_000 + 4_000 * at + at * at * 37 for at in range(15)]
    split = [value if year < 2022 else value - 610_000 for year, value in zip(YEARS, people)]
    east = panel({"KZ-63": split}, measure="population")
    assert found(east, "jump at a boundary change") == [("KZ-63", 2022)]
    flagged, said = add_flags(east)
    assert flagged.series[0].flagged("boundary_change").tolist() == [year == 2022 for year in YEARS]
    assert said[0].startswith("boundary_change: population of KZ-63")
    assert found(flagged, "jump at a boundary change") == []
    # The merged unit holds the whole area: the same jump there has another reason.
    whole = panel({"KZ-10+KZ-63": split}, measure="population")
    assert found(whole, "jump at a boundary change") == []


@pytest.mark.parametrize("first", [2017, 2018])
def test_south_kazakhstan_under_the_code_of_turkistan_is_found(first: int) -> None:
    """The office gives populations on the new boundaries from the year before the split."""
    people = [2_567_000 + 41_000 * at + at * at * 113 for at in range(15)]
    split = [value if year < first else value - 951_000 for year, value in zip(YEARS, people)]
    checked = panel({"KZ-61": split}, measure="population")
    assert found(checked, "jump at a boundary change") == [("KZ-61", first)]


def test_releases_are_held_against_each_other() -> None:
    first = panel({"KGZ": WILD}, measure="net_migration", as_of="2023-01-01").to_frame()
    later = first.assign(value=first["value"] * 0.2 + 2000, as_of="2024-01-01")
    both = Panel.from_frame(pd.concat([first, later]))
    assert len(found(both, "revised as a whole between releases")) == 1
    shifted = first.assign(value=np.roll(first["value"], 1), as_of="2024-01-01")
    moved = Panel.from_frame(pd.concat([first, shifted.iloc[1:]]))
    assert found(moved, "release shifted by a year") == [("KGZ", 2024)]


def test_bundled_panels_have_no_copies_and_no_unflagged_jumps() -> None:
    for name in ("central-asia", "kazakhstan"):
        names = set(check(fc.load(name))["check"])
        assert not names & {"duplicated stretch", "interpolated stretch"}


@pytest.mark.parametrize("carried", [True, False])
def test_flags_are_carried_by_reading_and_can_be_left_out(tmp_path: Path, carried: bool) -> None:
    values = [*WILD[:5], 100, 200, 300, 400, *WILD[9:]]
    panel({"KZ-11": values}).to_frame().to_csv(tmp_path / "a.csv", index=False)
    reading = understand(tmp_path / "a.csv", carry=carried)
    assert bool(reading.carried) == carried
    assert reading.panel.series[0].flagged("interpolated").any() == carried
    outlook = fc.forecast(reading.panel, model="naive", horizons=(2026,), draws=100)
    assert ("interpolated" in outlook.notes["flags"].iloc[0]) == carried
    # Flagged or not, the check finds what the table states.
    assert found(reading.stated, "interpolated stretch") == [("KZ-11", 2016), ("KZ-11", 2017)]


@pytest.fixture
def in_2026(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecast.data.checks.years.today", lambda: dt.date(2026, 5, 1))


@pytest.mark.usefixtures("in_2026")
def test_years_to_come_are_no_observations(tmp_path: Path) -> None:
    """A plan beside the figures: a forecast would start after its last year."""
    file = tmp_path / "plan.csv"
    head = "location,measure,2025,2026,2027,2028,2030\n"
    file.write_text(head + "KGZ,immigration,2100,2300,2200,2250,2290\n", encoding="utf-8")
    asked = r"of 2027–2028, 2030, and it is 2026: .* \(skip=\['2027', '2028', '2030'\]\)"
    with pytest.raises(DataError, match=asked):
        fc.read(file)
    kept = fc.read(file, skip=["2027", "2028", "2030"])
    assert kept.origin == 2026
    # A year without a figure holds no plan.
    file.write_text(head + "KGZ,immigration,2100,2300,,,\n", encoding="utf-8")
    assert fc.read(file).origin == 2026
    tidy = "location,measure,year,value\nKGZ,immigration,2027,2200\n"
    file.write_text(tidy, encoding="utf-8")
    with pytest.raises(DataError, match="remove the rows"):
        fc.read(file)


@pytest.mark.usefixtures("in_2026")
def test_no_figure_comes_out_before_its_year(tmp_path: Path) -> None:
    file = tmp_path / "early.csv"
    tidy = "location,measure,year,value,as_of\nKGZ,immigration,2020,1500,2019-05-01\n"
    file.write_text(tidy, encoding="utf-8")
    with pytest.raises(DataError, match="figures of 2020 in the release of 2019-05-01, before"):
        fc.read(file)
    file.write_text(tidy.replace("2019-05-01", "2020-12-31"), encoding="utf-8")
    assert fc.read(file).last_release == "2020-12-31"


@pytest.mark.usefixtures("in_2026")
def test_a_panel_with_years_to_come_is_found_out() -> None:
    table = pd.DataFrame(
        {"location": "KGZ", "measure": "immigration", "year": [2024, 2026, 2027], "value": 5.0}
        | {"as_of": ["2023-05-01", "2026-02-01", None]}
    )
    rows = check(Panel.from_frame(table)).query("severity == 'error'")
    assert list(zip(rows["check"], rows["year"])) == [
        ("released before its year", 2024), ("year still to come", 2027),
    ]  # fmt: skip


ARRIVALS = [10101.0, 9995, 10507, 10591, 10163, 10452, 11495, 11690, 10677, 10179, 10212, 8352]
ARRIVALS += [8177, 7180, 6594]


@pytest.mark.parametrize(
    ("zero", "years"),
    [((7,), [2017]), ((6, 7), [2016, 2017]), ((0,), [2010]), ((14,), [2024]), ((), [])],
    ids=["inside", "two in a row", "first", "last", "none"],
)
def test_a_missing_figure_written_as_zero_is_found(zero: tuple[int, ...], years: list[int]) -> None:
    values = [0.0 if at in zero else value for at, value in enumerate(ARRIVALS)]
    table = panel({"KGZ": values}, measure="immigration")
    assert [year for _, year in found(table, "zero among large figures")] == years
    assert len(warnings_in_words(table)) == bool(years)


def test_zeros_that_may_be_are_left_alone() -> None:
    """Nets cross zero, few people come to a small place, a flow may begin or end."""
    net = panel({"KGZ": [0.0 if at == 7 else 5000.0 + at for at in range(15)]}, "net_migration")
    small = panel({"KG-C": [0.0 if at == 7 else 40.0 + at for at in range(15)]}, "emigration")
    begun = panel({"KGZ": [0.0] * 8 + ARRIVALS[:7]}, "immigration")
    rounded = [0.0 if at == 7 else 2000.0 for at in range(15)]
    thousands = panel({"KGZ": rounded}, measure="immigration", precision=1000.0)
    for table in (net, small, begun, thousands):
        assert found(table, "zero among large figures") == []


def test_what_looks_wrong_is_said_where_it_is_read(tmp_path: Path) -> None:
    values = [0.0 if at == 7 else value for at, value in enumerate(ARRIVALS)]
    panel({"KGZ": values}, measure="immigration").to_frame().to_csv(tmp_path / "a.csv", index=False)
    said = "immigration of KGZ (user) is 0 in 2017, and about 11,086 in the years beside"
    assert understand(tmp_path / "a.csv").notes[-1].startswith(said)
    asked = ["predict", "--data", str(tmp_path / "a.csv"), "--model", "naive", "--draws", "100"]
    result = CliRunner().invoke(cli, asked, prog_name="forecast")
    assert result.exit_code == 0, result.output
    assert f"doubtful: {said}" in result.stderr


def test_a_carried_flag_is_a_finding_too(tmp_path: Path) -> None:
    """The account used to close with "No figure contradicts another" over a straight line."""
    values = panel({"KGZ": [5000.0] * 15}, measure="immigration")
    values.to_frame().to_csv(tmp_path / "a.csv", index=False)
    asked = ["data", "check", str(tmp_path / "a.csv")]
    result = CliRunner().invoke(cli, asked, prog_name="forecast")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("interpolated stretch,warning,user,KGZ,immigration,") == 13
    assert "No figure contradicts" not in result.stderr


@pytest.mark.parametrize(
    ("sources", "seconds"), [(30, 1.0), pytest.param(300, 10.0, marks=pytest.mark.thorough)]
)
@pytest.mark.parametrize(
    "same",
    [
        pytest.param(True, id="the same figures", marks=pytest.mark.thorough),
        pytest.param(False, id="accounts that differ"),
    ],
)
def test_many_series_take_little_time(same: bool, sources: int, seconds: float) -> None:
    figures = [abs(value) * 1000.0 + 7 for value in WILD]
    columns = {"location": "KAZ", "year": YEARS}
    parts = []
    for number in range(sources):
        for at, measure in enumerate(("immigration", "emigration", "net_migration")):
            shift = 0 if same else 1000 * at + number
            values = {"value": [figure + shift for figure in figures], "measure": measure}
            parts.append(pd.DataFrame({**columns, **values, "source": f"s{number}"}))
    large = Panel.from_frame(pd.concat(parts, ignore_index=True))
    start = time.process_time()
    assert len(check(large)) >= sources * len(YEARS)
    assert time.process_time() - start < seconds


def regions_of_tajikistan(wrong: float = 0.0, left_out: str = "") -> Panel:
    """Arrivals of every region rounded to hundreds, and of the country rounded by themselves."""
    places = {"TJ-DU": 6_240, "TJ-GB": 940, "TJ-KT": 3_040, "TJ-RA": 3_440, "TJ-SU": 4_140}
    rows = [
        (place, year, round(value * (1 + 0.03 * (year % 5)), -2) + wrong * (place == "TJ-KT"))
        for place, value in places.items()
        for year in range(2010, 2025)
        if place != left_out
    ]
    rows += [
        ("TJK", year, round(sum(places.values()) * (1 + 0.03 * (year % 5)), -2))
        for year in range(2010, 2025)
    ]
    table = pd.DataFrame(rows, columns=["location", "year", "value"])
    return Panel.from_frame(table.assign(measure="immigration", source="office", precision=100))


def test_arrivals_of_regions_are_held_against_the_country_s() -> None:
    def sums_of(*given: Any) -> pd.DataFrame:
        found = check(regions_of_tajikistan(*given))
        return found[found["check"] == "regions add up to the country"]

    sums = {wrong: sums_of(wrong) for wrong in (0.0, 600.0, 3_000.0)}
    assert sums[0.0].empty
    assert set(sums[600.0]["severity"]) == {"error"}
    assert set(sums[3_000.0]["severity"]) == {"error"}
    assert set(sums[3_000.0]["location"]) == {"TJK"}
    assert sums[3_000.0]["difference"].between(2_500, 3_500).all()
    assert len(sums[3_000.0]) == 15
    assert sums_of(3_000.0, "TJ-GB").empty


def corridors_of_kazakhstan(total: list[float]) -> Panel:
    """Two corridors to Kazakhstan, and its arrivals."""
    made = [
        ("UZB:KAZ", "flow", [300.0] * 5), ("RUS:KAZ", "flow", [100.0, 110, 120, 130, 140]),
        ("KAZ", "immigration", total),
    ]  # fmt: skip
    tables = [
        pd.DataFrame({"location": place, "measure": name, "year": range(2018, 2023), "value": them})
        for place, name, them in made
    ]
    return Panel.from_frame(pd.concat(tables))


def test_corridors_that_do_not_add_up_to_arrivals_are_found() -> None:
    name = "corridors to the place add up to immigration"
    whole = [400.0, 410, 420, 430, 440]
    assert found(corridors_of_kazakhstan(whole), name) == []
    assert found(corridors_of_kazakhstan([*whole[:4], 540.0]), name) == [("KAZ", 2022)]
    # Corridors that leave out some places contradict arrivals only where they exceed them.
    more = [value + 200 for value in whole]
    assert found(corridors_of_kazakhstan(more), name) == []
    assert found(corridors_of_kazakhstan([*more[:4], 240.0]), name) == [("KAZ", 2022)]
    table = check(corridors_of_kazakhstan([*whole[:4], 540.0]))
    assert table.loc[table["check"] == name, "severity"].tolist() == ["error"]
