"""The UN's bulk files in every form that they have come in."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.data import wpp, wpp_bulk
from forecast.errors import DataError

ANNUAL = """\
SortOrder,LocID,Notes,ISO3_code,ISO2_code,SDMX_code,LocTypeID,LocTypeName,ParentID,Location,VarID,\
Variant,Time,TPopulation1Jan,TPopulation1July,Births,NetMigrations,CNMR
1,398,,KAZ,KZ,398,4,Country/Area,5500,Kazakhstan,2,Medium,2022,19500.1,19621.972,403.9,12.5,0.637
1,398,,KAZ,KZ,398,4,Country/Area,5500,Kazakhstan,2,Medium,2023,19700.1,19828.2,388.4,-7,-0.353
1,398,,KAZ,KZ,398,4,Country/Area,5500,Kazakhstan,2,Medium,2024,19900,20000,380,-6,-0.3
1,398,,KAZ,KZ,398,4,Country/Area,5500,Kazakhstan,3,High,2023,19700.1,19828.2,500,-7,-0.353
2,336,,VAT,VA,336,4,Country/Area,5500,Holy See,2,Medium,2023,0.5,0.5,,,
3,900,,,,,1,World,,World,2,Medium,2023,8000000,8045311,132000,0,0
4,5500,,,,,2,Geographic region,935,"Central Asia, all",2,Medium,2023,78000,78500,1,-50,-0.6
"""
PERIODS = """\
LocID,Location,VarID,Variant,Time,MidPeriod,TFR,Births,Deaths,CNMR,NetMigrations,GrowthRate
398,Kazakhstan,2,Medium,2010-2015,2013,2.7,1850,700,1.1,95.5,1.5
398,Kazakhstan,2,Medium,2015-2020,2018,2.76,1900,650,-1,-90,1.3
398,Kazakhstan,2,Medium,2020-2025,2023,2.6,1800,650,-0.5,-50,1.2
412,Kosovo,2,Medium,2015-2020,2018,2,1,1,NULL,NULL,1
830,Channel Islands,2,Medium,2015-2020,2018,1.5,8,7,5.1,4.4,0.9
902,Less developed regions,2,Medium,2015-2020,2018,2.6,1,1,-0.4,-1200,1.3
"""
PEOPLE = """\
LocID,Location,VarID,Variant,Time,MidPeriod,PopMale,PopFemale,PopTotal,PopDensity
398,Kazakhstan,2,Medium,2010,2010.5,1,1,16000,6
398,Kazakhstan,2,Medium,2015,2015.5,1,1,17500,6.5
398,Kazakhstan,2,Medium,2020,2020.5,1,1,18800,7
398,Kazakhstan,3,High,2020,2020.5,1,1,99999,7
830,Channel Islands,2,Medium,2015,2015.5,1,1,164,860
"""


@pytest.mark.parametrize("packing", ["plain", "gz", "zip", "gz called csv"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["no mark", "byte order mark"])
def test_calendar_years(tmp_path: Path, packing: str, mark: str) -> None:
    content = (mark + ANNUAL).encode()
    path = tmp_path / "WPP2024_Demographic_Indicators_Medium.csv"
    if packing == "zip":
        path = path.with_suffix(".zip")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("notes.txt", "notes")
            archive.writestr("WPP2024.csv", content)
    else:
        path = path.with_suffix(".csv.gz") if packing == "gz" else path
        path.write_bytes(content if packing == "plain" else gzip.compress(content))
    panel = wpp.read_bulk(path)
    (series,) = panel.series
    assert (series.key, panel.step) == (("un-wpp", "KAZ", "net_migration"), 1)
    assert series.years.tolist() == [2022, 2023]
    assert series.values.tolist() == [12_500, -7_000]
    assert series.population.tolist() == pytest.approx([19_621_972, 19_828_200])
    assert panel.last_release == "2024-07-11"


def test_five_year_periods(tmp_path: Path) -> None:
    path, people = tmp_path / "WPP2019_Period_Indicators_Medium.csv", tmp_path / "people.csv"
    path.write_text(PERIODS)
    people.write_text(PEOPLE)
    panel = wpp.read_bulk(path)
    assert (panel.step, panel.locations) == (5, ["GGY+JEY", "KAZ"])
    assert panel.last_release == "2019-06-17"
    kazakh = wpp.read_bulk(path, population=people).select(location="KAZ").series[0]
    assert kazakh.years.tolist() == [2010, 2015]
    assert kazakh.values.tolist() == [95_500, -90_000]
    assert kazakh.population.tolist() == [16_750_000, 18_150_000]
    assert np.isnan(panel.select(location="KAZ").series[0].population).all()
    # Earlier vintages estimate fewer periods; the rest of their rows are projections.
    older = path.rename(tmp_path / "WPP2017_Period_Indicators_Medium.csv")
    assert wpp.read_bulk(older).select(location="KAZ").series[0].years.tolist() == [2010]
    people.write_text(PEOPLE.replace("PopTotal", "Total"))
    with pytest.raises(DataError, match="no column 'PopTotal'"):
        wpp.read_bulk(older, population=people)


def test_a_vintage_that_came_after_this_version(tmp_path: Path) -> None:
    path = tmp_path / "WPP2026_Demographic_Indicators_Medium.csv"
    path.write_text(ANNUAL)
    with pytest.raises(DataError, match="released='YYYY-MM-DD' and last_estimate=YEAR"):
        wpp.read_bulk(path)
    panel = wpp.read_bulk(path, released="2026-07-11", last_estimate=2024)
    assert panel.series[0].years.tolist() == [2022, 2023, 2024]
    assert panel.last_release == "2026-07-11"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (ANNUAL.replace("12.5", "twelve").encode(), "cannot be read: .*twelve"),
        (ANNUAL.encode()[:400], "cannot be read"),
        (ANNUAL.replace("NetMigrations", "Net").encode(), "no column 'NetMigrations'"),
        (ANNUAL.replace(",2,Medium", ",3,High").encode(), "no estimate of a country"),
        (gzip.compress(ANNUAL.encode())[:200], "damaged or cut off"),
        (b"PK\x03\x04 and nothing else", "damaged or cut off"),
        (ANNUAL.encode("utf-16"), "not text in UTF-8"),
        (b"", "no column 'LocID'"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "WPP2024_Demographic_Indicators_Medium.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        wpp.read_bulk(path)


def test_files_that_are_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wpp_bulk, "LARGEST", 500)
    path = tmp_path / "WPP2024_Demographic_Indicators_Medium.csv"
    path.write_bytes(gzip.compress(b"0" * 100_000))
    with pytest.raises(DataError, match="unpacks to more than 500 bytes"):
        wpp.read_bulk(path)
    path.write_text(ANNUAL)
    with pytest.raises(DataError, match="has 771 bytes, more than"):
        wpp.read_bulk(path)
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", "1")
        archive.writestr("b.csv", "2")
    with pytest.raises(DataError, match="holds 2 CSV files"):
        wpp.read_bulk(tmp_path / "two.zip", vintage=2024)


def test_the_bulk_form_and_the_tidy_form_agree(shared: Path, tmp_path: Path) -> None:
    flows = pd.read_csv(shared / "wpp" / "wpp2024_net_migration.csv.gz")
    people = pd.read_csv(shared / "wpp" / "wpp2024_population.csv.gz")
    both = flows.merge(people, on=["iso_numeric", "year"], suffixes=("", "_2"))
    names = {"iso_numeric": "LocID", "iso3": "ISO3_code", "year": "Time"}
    names |= {"population_midyear_thousands": "TPopulation1July"}
    names |= {"net_migration_thousands": "NetMigrations"}
    path = tmp_path / "WPP2024_Demographic_Indicators_Medium.csv"
    both.rename(columns=names).assign(LocTypeName="Country/Area")[
        [*names.values(), "LocTypeName"]
    ].to_csv(path, index=False)
    assert wpp.read_bulk(path).hash == wpp.world(shared / "wpp", vintages=[2024]).hash
