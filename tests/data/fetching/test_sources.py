"""Each source from a server to a Panel or a table of drivers, and back from the cache."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from filelock import FileLock

import forecast as fc
from forecast.artifacts import places
from forecast.cli.main import cli
from forecast.data import package
from forecast.data.sources import catalogue, fetched
from forecast.data.sources.fetch import fetch
from forecast.data.sources.http import Limits
from forecast.errors import DataError, UnknownNameError
from forecast.locations import iso_code

from . import payloads
from .conftest import Server, plain


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(places.CACHE, str(tmp_path / "cache"))
    monkeypatch.setenv(places.STORE, str(tmp_path / "store"))
    return tmp_path / "cache" / "sources"


def test_world_bank(server: Server, brief: Limits, own_folders: Path) -> None:
    payloads.worldbank(server)
    made = fetch("worldbank", base_url=server.url + "/v2", limits=brief)
    assert len(made.files) == 6
    assert made.updated == "2026-07-01"
    panel = fc.load("worldbank")
    assert panel.keys == [
        ("world-bank", "GGY+JEY", "net_migration"),
        ("world-bank", "KAZ", "net_migration"),
    ]
    kazakh = panel.select(location="KAZ").series[0]
    assert kazakh.values.tolist() == [-12_000, 5_000]
    assert kazakh.population.tolist() == [19_600_000, 19_900_000]
    assert panel.last_release == "2026-07-01"
    drivers = fetched.covariates("worldbank")
    assert list(drivers) == list(package.covariates())
    wealth = drivers[drivers["measure"] == "wdi_gdp_per_capita_2015usd"]
    assert wealth[["location", "year", "value"]].to_numpy().tolist() == [
        ["GGY+JEY", 2022, 1.0],
        ["KAZ", 2022, 11_244.5],
    ]
    assert set(drivers["unit"]) == {"USD", "2015 USD", "persons"}
    manifest = json.loads((own_folders / "worldbank" / fetched.MANIFEST).read_text())
    assert manifest["licence"]["name"] == "CC-BY-4.0"
    assert "SM.POP.NETM" in manifest["citation"]
    assert manifest["retrieved"] in manifest["citation"]
    assert {"url", "sha256", "etag", "bytes"} <= set(manifest["files"][0])


def test_a_second_fetch_takes_what_has_not_changed(server: Server, brief: Limits) -> None:
    payloads.worldbank(server)
    first = fetch("worldbank", base_url=server.url + "/v2", limits=brief)
    for path in list(server.answers):
        if "SM.POP.NETM" not in path:
            server.answers[path] = plain("", 304)
    second = fetch("worldbank", base_url=server.url + "/v2", limits=brief)
    assert [file.sha256 for file in second.files] == [file.sha256 for file in first.files]
    assert server.headers[-1]["If-None-Match"] == first.files[-1].etag
    assert len(fc.load("worldbank")) == 2


def test_a_failed_fetch_leaves_the_earlier_one(
    server: Server, brief: Limits, own_folders: Path
) -> None:
    payloads.worldbank(server)
    fetch("worldbank", base_url=server.url + "/v2", limits=brief)
    before = {path.name: path.read_bytes() for path in (own_folders / "worldbank").iterdir()}
    payloads.worldbank(server, net=7.0, updated="2026-09-01")
    last = next(path for path in server.answers if "SL.TLF.TOTL.IN" in path)
    complaint = '[{"message": [{"id": "120", "key": "Invalid value", "value": "not valid"}]}]'
    for fault, message in (
        (plain("x", 500), "answered 500"),
        (plain("<html>", 200), "web page"),
        (plain(complaint), "the World Bank answers: not valid"),
        (plain('[{"page": 1}'), "damaged JSON"),
        (plain('[{"page": 1, "pages": 1}, [{"date": "2020"}]]'), "not of the documented form"),
    ):
        server.answers[last] = fault
        with pytest.raises(DataError, match=message):
            fetch("worldbank", base_url=server.url + "/v2", limits=brief)
        now = {path.name: path.read_bytes() for path in (own_folders / "worldbank").iterdir()}
        assert now == before
    assert fc.load("worldbank").select(location="KAZ").series[0].values[0] == -12_000


def test_five_year_totals_are_not_taken_for_calendar_years(server: Server, brief: Limits) -> None:
    payloads.worldbank(server)
    rows = [payloads._row("SM.POP.NETM", "KAZ", year, 5.0) for year in (2007, 2012, 2017)]
    about = {"page": 1, "pages": 1, "lastupdated": "2019-07-01"}
    path = f"/v2/country/all/indicator/SM.POP.NETM{payloads.WB}1"
    server.answers[path] = plain(json.dumps([about, rows]))
    with pytest.raises(DataError, match="only every fifth year"):
        fetch("worldbank", base_url=server.url + "/v2", limits=brief)


def test_unhcr(server: Server, brief: Limits) -> None:
    payloads.unhcr(server, dt.datetime.now(dt.UTC).year)
    made = fetch("unhcr", base_url=server.url, limits=brief)
    assert [file.role for file in made.files] == ["asylum", "asylum", "origin"]
    drivers = fetched.covariates("unhcr")
    found = drivers.set_index(["measure", "location", "year"])["value"].to_dict()
    assert found == {
        ("unhcr_asylum_seekers_abroad", "UZB", 2024): 0,
        ("unhcr_asylum_seekers_hosted", "TJK", 2024): 512,
        ("unhcr_refugees_abroad", "UZB", 2024): 2300,
        ("unhcr_refugees_hosted", "TJK", 2023): 10743,
        ("unhcr_refugees_hosted", "TJK", 2024): 9800,
    }
    with pytest.raises(DataError, match="holds drivers, not migration"):
        fc.load("unhcr")


def test_eurostat(server: Server, brief: Limits) -> None:
    payloads.eurostat(server)
    made = fetch("eurostat", base_url=server.url, limits=brief)
    assert made.updated == "2025-11-26"
    panel = fc.load("eurostat")
    german = panel.select(location="DEU", source="eurostat-balance").series[0]
    assert german.values.tolist() == [1_462_089, 662_964]
    assert german.flags == (frozenset({"derived", "break"}), frozenset({"derived", "provisional"}))
    assert german.population[0] == 83_797_985
    assert np.isnan(german.population[1])
    assert panel.locations == ["DEU", "GBR", "GRC"]
    gross = panel.select(source="eurostat")
    assert gross.measures == ["emigration", "immigration"]
    with pytest.raises(DataError, match="no drivers"):
        fetched.covariates("eurostat")


def test_uzbekistan(server: Server, brief: Limits) -> None:
    payloads.siat(server)
    fetch("uzstat", base_url=server.url, limits=brief)
    panel = fc.load("uzstat")
    assert panel.last_release == "2026-04-22"
    andijan = panel.select(location="UZ-AN").series[0]
    # (3,322.7 - 3,253.5) thousand people, less 90,000 births and plus 15,000 deaths
    assert andijan.values.tolist() == pytest.approx([60_000 - 62_000, 69_200 - 75_000])
    assert andijan.population.tolist() == pytest.approx([3_223_500, 3_288_100])
    assert andijan.precision.tolist() == [100, 100]
    # Tashkent City took in territory in 2021, so its balance of that year is no migration.
    tashkent = panel.to_frame().query("location == 'UZ-TK'").set_index("year")
    assert np.isnan(tashkent.loc[2021, "value"])
    assert tashkent.loc[2021, "flag"] == "boundary_change"
    payloads.siat(server, unit="people")
    with pytest.raises(DataError, match="states the unit 'people'"):
        fetch("uzstat", base_url=server.url, limits=brief)


def test_world_population_prospects(server: Server, brief: Limits) -> None:
    payloads.wpp(server)
    fetch("wpp", base_url=server.url, limits=brief)
    panel = fc.load("wpp")
    assert panel.last_release == "2024-07-11"
    assert panel.series[0].values.tolist() == pytest.approx([4_250] * 6)
    assert panel.as_of("2023-01-01").series[0].values.tolist() == pytest.approx([-9_500] * 4)
    fetch("wpp", base_url=server.url, limits=brief, releases=[2024])
    assert fc.load("wpp").to_frame()["as_of"].nunique() == 1
    with pytest.raises(UnknownNameError, match="vintage of wpp '2019'"):
        fetch("wpp", base_url=server.url, releases=[2019])
    with pytest.raises(DataError, match="no vintages to choose from"):
        fetch("unhcr", base_url=server.url, releases=[2019])


def test_a_packed_file_that_is_cut_off_inside(server: Server, brief: Limits) -> None:
    payloads.wpp(server)
    path = next(path for path in server.answers if path.endswith(".gz"))
    server.answers[path] = plain(payloads.gzip.compress(payloads.wpp_table(2024, 1).encode())[:90])
    with pytest.raises(DataError, match="damaged or cut off"):
        fetch("wpp", base_url=server.url, limits=brief)
    assert fetched.names() == []


def test_offline_says_what_is_missing_and_how_to_get_it(
    server: Server, brief: Limits, own_folders: Path
) -> None:
    with pytest.raises(DataError, match=r"(?s)nothing of eurostat .*migr_imm8.*--cache FOLDER"):
        fetch("eurostat", offline=True)
    with pytest.raises(DataError, match=r"page by page at https://api\.unhcr\.org"):
        fetch("unhcr", offline=True)
    payloads.eurostat(server)
    made = fetch("eurostat", base_url=server.url, limits=brief)
    asked = len(server.asked)
    assert fetch("eurostat", offline=True).files == made.files
    assert len(server.asked) == asked
    first, second = made.folder / made.files[0].file, made.folder / made.files[1].file
    first.unlink()
    second.write_text("altered")
    with pytest.raises(DataError, match=f"(?s){first.name} .*{second.name} .*demo_gind"):
        fetch("eurostat", offline=True)
    with pytest.raises(DataError, match=r"is not what was fetched|is missing"):
        fc.load("eurostat")
    fetch("eurostat", base_url=server.url, limits=brief)
    assert len(fc.load("eurostat")) == 6
    (own_folders / "eurostat" / fetched.MANIFEST).write_text("{")
    with pytest.raises(DataError, match="Remove the folder"):
        fc.load("eurostat")


def test_two_fetches_take_turns(
    server: Server, brief: Limits, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forecast.data.sources.fetch._PATIENCE", 0.1)
    payloads.eurostat(server)
    (own_folders / "eurostat").mkdir(parents=True)
    with (
        FileLock(own_folders / "eurostat" / ".lock"),
        pytest.raises(DataError, match="another process is fetching eurostat"),
    ):
        fetch("eurostat", base_url=server.url, limits=brief)
    (own_folders / "eurostat" / ".part-left").write_text("by a fetch that was killed")
    made = fetch("eurostat", base_url=server.url, limits=brief)
    kept_files = {path.name for path in made.folder.iterdir()}
    assert kept_files == {file.file for file in made.files} | {fetched.MANIFEST, ".lock"}


def test_names_that_stand_for_nothing_list_what_there_is(server: Server, brief: Limits) -> None:
    with pytest.raises(UnknownNameError, match="Run forecast data fetch wpp"):
        fc.load("wpp")
    payloads.eurostat(server)
    fetch("eurostat", base_url=server.url, limits=brief)
    with pytest.raises(UnknownNameError, match=r"bundled: .*; fetched: eurostat; to be fetched: "):
        fc.load("eurostrat")
    with pytest.raises(UnknownNameError, match="unknown source 'world'"):
        fetch("world")


def test_a_catalogue_of_ones_own(tmp_path: Path, server: Server, brief: Limits) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        """
[office]
title = "Arrivals"
institution = "An office"
format = "sdmx"
base_url = "https://localhost/sdmx"
citation = "An office: {tables}. Downloaded {date}."
location = "REF_AREA"
files = [{ path = "arrivals", content = "csv", measure = "immigration", where = { SEX = "T" } }]
""",
        encoding="utf-8",
    )
    message = (
        "STRUCTURE,STRUCTURE_ID,ACTION,REF_AREA: Area,SEX: Sex,TIME_PERIOD,OBS_VALUE,OBS_STATUS\n"
        "dataflow,O:A(1.0),I,KG: Kyrgyzstan,T: Total,2022,8229,A\n"
        "dataflow,O:A(1.0),I,KG: Kyrgyzstan,F: Female,2022,4000,A\n"
        "dataflow,O:A(1.0),I,KG: Kyrgyzstan,T: Total,2022-Q1,2000,A\n"
    )
    server.answers["/arrivals"] = plain(message)
    fetch("office", catalogue_file=path, base_url=server.url, limits=brief)
    # What was fetched says of itself how to read it, so the catalogue is needed no more.
    assert fc.load("office").series[0].values.tolist() == [8229]
    path.write_text(path.read_text().replace(', where = { SEX = "T" }', ""))
    with pytest.raises(DataError, match=r"several figures for KG in 2022\. Choose one code of SEX"):
        fetch("office", catalogue_file=path, base_url=server.url, limits=brief)
    for text, reason in (
        ("[x]\ntitle = 'a'", "lacks 'institution'"),
        (path.read_text().replace('"sdmx"', '"sdmy"'), "unknown format 'sdmy'"),
        ("[X y]", "is not TOML"),
        ("['X/y']", "cannot be a name"),
    ):
        path.write_text(text)
        with pytest.raises((DataError, UnknownNameError), match=reason):
            catalogue.sources(path)


def test_the_catalogue_is_complete() -> None:
    known = catalogue.sources()
    assert set(known) == {"wpp", "wpp-five-year", "worldbank", "eurostat", "uzstat", "unhcr"}
    for source in known.values():
        assert source["base_url"].startswith("https://")
        assert source.get("licence", {}).get("path", "").startswith("https://")
        assert "{date}" in source["citation"]
        assert source.get("caveat")
    assert iso_code("XKX") == "XKX"
    assert [iso_code(code) for code in ("KZ", "KAZ", "EU", "EU27_2020", "WLD")] == [
        *("KAZ", "KAZ"),
        *(None, None, None),
    ]


def test_the_shell(server: Server, tmp_path: Path, own_folders: Path) -> None:
    run = CliRunner().invoke
    payloads.worldbank(server)
    listed = run(cli, ["data", "sources"])
    assert listed.exit_code == 0
    assert "CC-BY" not in listed.output
    assert "Creative Commons Attribution 4.0" in listed.output
    refused = run(cli, ["data", "fetch", "worldbank", "--offline"])
    assert refused.exit_code == 1
    assert "Error: nothing of worldbank was fetched" in refused.stderr
    got = run(cli, ["data", "fetch", "worldbank", "--base-url", f"{server.url}/v2"])
    assert got.exit_code == 0, got.stderr
    assert len(got.stdout.splitlines()) == 7
    assert "asking http://127.0.0.1" in got.stderr
    assert "World Bank: World Development Indicators" in got.stderr
    listed = run(cli, ["data", "list"])
    assert "worldbank,world-bank,KAZ,net_migration,Kazakhstan,2022,2023,2,1," in listed.stdout
    drivers = run(cli, ["data", "covariates", "worldbank"])
    assert drivers.stdout.startswith("location,measure,year,value,unit,source\n")
    assert run(cli, ["data", "check", "worldbank"]).exit_code == 0
    added = run(cli, ["data", "add", "worldbank"])
    assert added.stdout == "worldbank: added the release of 2026-07-01 (3 figures).\n"
    payloads.worldbank(server, net=-9_000, updated="2026-08-01")
    run(cli, ["data", "fetch", "worldbank", "--base-url", f"{server.url}/v2"])
    assert "release of 2026-08-01" in run(cli, ["data", "add", "worldbank"]).stdout
    moved = run(cli, ["data", "changes", "worldbank"])
    assert "KAZ,net_migration,2022,-12000.0,-9000.0,3000.0,revised,2026-07-01" in moved.stdout
    (own_folders / "worldbank" / fetched.MANIFEST).write_text("{")
    assert run(cli, ["data", "list"]).exit_code == 0
