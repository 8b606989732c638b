"""The shipped figures against their sources, and against each other."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from html import escape
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

import forecast as fc
from forecast.data import package
from forecast.data.checks import check
from forecast.data.tables import understand
from forecast.errors import DataError, UnknownNameError
from forecast.panel import Panel
from forecast.shelf import shelf

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bundle() -> Panel:
    return fc.load("central-asia")


def figure(panel: Panel, source: str, place: str, measure: str, year: int) -> float:
    (series,) = panel.select(source=source, location=place, measure=measure)
    return float(series.values[series.years == year][0])


@pytest.mark.parametrize(
    ("source", "place", "measure", "year", "value"),
    [
        ("kz-bns", "KAZ", "immigration", 2023, 25_387),
        ("kz-bns", "KAZ", "emigration", 2023, 16_094),
        ("kz-bns", "KAZ", "net_migration", 2024, 16_550),
        ("kz-bns", "KAZ", "emigration", 1991, 228_473),
        ("kz-bns-balance", "KZ-71", "net_all_flows", 2016, 76_314),
        ("uz-stat-balance", "UZB", "net_all_flows", 2012, -41_018),
        ("uz-stat-balance", "UZ-QA", "net_all_flows", 2020, -21_419),
        ("uz-stat-balance", "UZ-TK", "net_all_flows", 2021, 44_058),
        ("kg-nsc", "KGZ", "immigration", 2021, 8_229),
        ("un-wpp", "UZB", "net_migration", 2012, -20_381),
    ],
)
def test_official_figures(
    bundle: Panel, source: str, place: str, measure: str, year: int, value: float
) -> None:
    assert figure(bundle, source, place, measure, year) == value


def test_what_is_covered(bundle: Panel) -> None:
    keys = set(bundle.keys)
    for country in ("KAZ", "KGZ", "UZB", "TJK", "TKM"):
        (series,) = bundle.select(source="un-wpp", location=country)
        assert (series.years[0], series.origin) == (1950, 2023)
        assert not np.isnan(series.population).any()
    for source, regions in (("kz-bns-balance", 16), ("uz-stat-balance", 14)):
        assert sum(s == source and "-" in place for s, place, _ in keys) == regions
    for measure in ("immigration", "emigration", "net_migration"):
        assert ("kz-bns", "KAZ", measure) in keys


def test_regions_add_up_to_the_register_in_every_usable_year(bundle: Panel) -> None:
    rows = bundle.latest
    regions = rows[(rows["source"] == "kz-bns-balance")]
    wide = regions.pivot_table(index="year", columns="location", values="value", dropna=False)
    total = wide.sum(axis=1, skipna=False).dropna()
    (net,) = bundle.select(source="kz-bns", measure="net_migration")
    stated = pd.Series(net.values, net.years).reindex(total.index)
    assert set(range(2000, 2025)) - set(total.index) == {2008, 2014, 2021}
    gap = total - stated
    assert gap[gap != 0].to_dict() == {2012: -3.0}


def test_uzbek_regions_add_up_to_the_country_but_for_transfers(bundle: Panel) -> None:
    rows = bundle.latest
    rows = rows[(rows["source"] == "uz-stat-balance") & rows["value"].notna()]
    wide = rows.pivot_table(index="year", columns="location", values="value")
    gap = wide.drop(columns="UZB").sum(axis=1) - wide["UZB"]
    assert gap.abs().max() == 0


def test_checks_find_the_known_contradictions_only(bundle: Panel) -> None:
    findings = check(bundle)
    assert set(findings["severity"]) == {"warning"}
    sums = findings[findings["check"] == "regions add up to the country"]
    assert (sums["location"] + " " + sums["year"].astype(str)).tolist().count("KAZ 2012") == 1
    flipped = findings[findings["check"] == "sign changed between releases"]
    assert {("KGZ", 2018), ("TKM", 2010)} <= set(zip(flipped["location"], flipped["year"]))


@pytest.mark.parametrize("change", ["identity", "rate", "run", "sum"])
def test_checks_see_planted_errors(bundle: Panel, change: str) -> None:
    table = bundle.to_frame()
    if change == "identity":
        spot = (table["measure"] == "immigration") & (table["location"] == "KAZ")
        table.loc[spot & (table["year"] == 2010), "value"] += 5_000
        expected = ("net = arrivals - departures", "error", "KAZ", 2010)
    elif change == "rate":
        spot = (table["source"] == "uz-stat-balance") & (table["location"] == "UZ-SI")
        table.loc[spot & (table["year"] == 2015), "value"] = -400_000
        expected = ("impossible rate", "error", "UZ-SI", 2015)
    elif change == "run":
        spot = (table["source"] == "un-wpp") & (table["location"] == "TJK")
        table.loc[spot & table["year"].between(2010, 2016), "value"] = -25_000
        expected = ("interpolated stretch", "warning", "TJK", 2013)
    else:
        spot = (table["source"] == "kz-bns-balance") & (table["location"] == "KZ-11")
        table.loc[spot & (table["year"] == 2010), "value"] += 20_000
        expected = ("regions add up to the country", "error", "KAZ", 2010)
    columns = ["check", "severity", "location", "year"]
    found = set(map(tuple, check(Panel.from_frame(table))[columns].to_numpy().tolist()))
    assert expected in found


def test_earlier_vintages_are_kept(bundle: Panel) -> None:
    then = bundle.as_of("2023-01-01")
    (known,) = then.select(source="un-wpp", location="KGZ")
    assert known.origin == 2021
    assert known.values[known.years == 2018][0] < 0
    assert figure(bundle, "un-wpp", "KGZ", "net_migration", 2018) > 0
    assert figure(bundle.as_of("2025-06-01"), "kz-bns", "KAZ", "net_migration", 2024) == 17_164


def test_flags_that_steer_the_models(bundle: Panel) -> None:
    (register,) = bundle.select(source="kg-nsc", measure="immigration")
    assert register.years[register.flagged("break")].tolist() == [2021]
    for series in bundle.select(source="kz-bns-balance"):
        assert series.years[series.flagged("outlier")].tolist() == [2016]
    for series in bundle.select(source="uz-stat-balance"):
        outliers = [] if series.location == "UZB" else [2020, 2021]
        assert series.years[series.flagged("outlier")].tolist() == outliers
    known = set(package.description()["flags"])
    used = {flag for flags in bundle.to_frame()["flag"] for flag in flags.split(";")}
    assert used <= known


@pytest.mark.parametrize("entry", package.description()["resources"], ids=lambda e: e["name"])
def test_every_table_says_what_it_is(entry: dict[str, object]) -> None:
    for field in (
        "title",
        "description",
        "sources",
        "table",
        "licenses",
        "attribution",
        "unit",
        "coverage",
        "caveats",
    ):
        assert entry[field], field
    content = (shelf("data") / str(entry["path"])).read_bytes()
    assert entry["bytes"] == len(content) < 600_000
    assert entry["hash"] == "sha256:" + hashlib.sha256(content).hexdigest()
    header = content.decode().split("\n", 1)[0].split(",")
    assert [f["name"] for f in entry["schema"]["fields"]] == header  # type: ignore[index]


@pytest.mark.parametrize("name", package.names())
def test_every_panel_loads(name: str) -> None:
    panel = fc.load(name)
    assert len(panel) > 2
    assert panel.step == (5 if "five-year" in name else 1)
    assert set(package.describe(name)["panel"]) == {name}


def test_unknown_names() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean: central-asia"):
        fc.load("centralasia")
    with pytest.raises(UnknownNameError, match="registers"):
        package.resource("register")


def test_the_paper_against_the_offices() -> None:
    facts = package.facts().set_index("fact")
    moves = package.facts()
    assert int(facts.loc["P03", "value"]) + int(facts.loc["P04", "value"]) == int(
        facts.loc["P02", "value"]
    )
    assert facts.loc["P42", "agreement"] == "disagrees"
    assert "5,066" in facts.loc["P42", "remark"]
    wage = (
        package.covariates()
        .query("location == 'KGZ' and measure == 'average_monthly_wage' and year == 2023")["value"]
        .item()
    )
    assert wage == 31_604
    assert facts.loc["P13", "agreement"] == "rounded"
    assert float(facts.loc["P13", "value"]) == pytest.approx(wage, rel=0.02)
    disputed = moves[moves["agreement"] == "disagrees"]
    assert (disputed["remark"].str.len() > 20).all()
    people = fc.load("population").select(location="KGZ")
    population = figure(people, "kg-nsc", "KGZ", "population", 2023)
    assert population == pytest.approx(float(facts.loc["P10", "value"]), abs=50)


def test_projections_are_the_un_own() -> None:
    table = package.projections().set_index(["location", "as_of", "year"])
    assert table.loc[("KAZ", "2022-07-11", 2025), "value"] == 0
    latest = table.loc[("KAZ", "2024-07-11", 2030)]
    assert latest["lower_95"] < latest["lower_80"] < latest["value"] < latest["upper_80"]


def test_the_tables_are_what_the_sources_say(shared: Path, tmp_path: Path) -> None:
    """Compiling again from the sources gives the same bytes."""
    subprocess.run(
        [sys.executable, ROOT / "data" / "compile", shared, tmp_path], check=True, cwd=tmp_path
    )
    for path in sorted(tmp_path.iterdir()):
        assert path.read_bytes() == (ROOT / "data" / path.name).read_bytes(), path.name


def test_world_population_prospects_to_the_person(shared: Path, bundle: Panel) -> None:
    source = pd.read_csv(shared / "wpp" / "wpp2024_net_migration.csv.gz")
    source = source[source["kind"] == "estimate"].set_index(["iso3", "year"])
    for series in bundle.select(source="un-wpp"):
        stated = source.loc[series.location].loc[series.years, "net_migration_thousands"]
        np.testing.assert_allclose(series.values, 1000 * stated, atol=0.5)


def test_kazakh_register_to_the_person(shared: Path, bundle: Panel) -> None:
    source = pd.read_csv(shared / "kaz" / "kaz_national_external.csv")
    theirs = {
        "external_arrivals": "immigration",
        "external_departures": "emigration",
        "external_net": "net_migration",
    }
    for measure, ours in theirs.items():
        stated = source[source["measure"] == measure].set_index("year")["value"]
        (series,) = bundle.select(source="kz-bns", measure=ours).until(2024)
        assert series.values.tolist() == stated.loc[series.years].tolist()


def test_the_example_is_the_file_that_its_script_makes(tmp_path: Path) -> None:
    """Cell by cell: a workbook also holds the day on which it was saved."""
    script = ROOT / "data" / "compile" / "example_table.py"
    made = tmp_path / "made.xlsx"
    subprocess.run([sys.executable, str(script), str(made)], check=True)
    here, there = (
        {
            sheet.title: list(sheet.iter_rows(values_only=True))
            for sheet in openpyxl.load_workbook(path).worksheets
        }
        for path in (fc.example("office-table.xlsx"), made)
    )
    assert here == there
    for rows in here.values():
        assert any("вымышлены" in str(cell) for row in rows for cell in row)


def test_an_unknown_example_gets_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean: office-table\.xlsx"):
        fc.example("office-tables.xlsx")


def test_the_example_is_read_and_its_mistake_is_found() -> None:
    path = fc.example("office-table.xlsx")
    with pytest.raises(DataError, match=r"'2030 \(план\)' is not understood.*skip="):
        fc.read(path)
    reading = understand(path, skip=["2030 (план)"])
    assert (reading.rows_in, reading.accepted, len(reading.panel)) == (30, 18, 18)
    assert reading.units == ("thousands, stated above the table",)
    wrong = check(reading.panel)
    assert set(zip(wrong["location"], wrong["year"])) == {("TJ-KT", 2014), ("TJK", 2014)}
    assert set(wrong["severity"]) == {"error", "warning"}


def test_a_reading_shows_itself_in_a_line_and_as_a_table(tmp_path: Path) -> None:
    reading = understand(fc.example("office-table.xlsx"), skip=["2030 (план)"])
    assert repr(reading) == "<Reading of office-table.xlsx: 18 of 30 rows hold figures, 0 problems>"
    html = reading._repr_html_()
    for name, value in reading.account():
        assert f">{escape(name)}</th>" in html
        assert f">{escape(value)}</td>" in html
    hostile = tmp_path / "arrivals.csv"
    hostile.write_text("location,year,<script>\nKAZ,2020,<b>1</b>\n", encoding="utf-8")
    html = understand(hostile, measure="immigration")._repr_html_()
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert ">problem</th>" in html
