"""The world panel: units, codes, vintages, and the UN's own bulk file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast import locations
from forecast.data import wpp
from forecast.errors import DataError, UnknownNameError


def test_annual_vintages(shared: Path) -> None:
    panel = wpp.world(shared / "wpp")
    assert len(panel) == 236
    assert panel.step == 1
    assert panel.last_release == "2024-07-11"
    uzbek = panel.select(location="UZB").series[0]
    assert uzbek.values[uzbek.years == 2012][0] == pytest.approx(-20_380, abs=1)
    assert (uzbek.years[0], uzbek.years[-1]) == (1950, 2023)
    assert uzbek.population[uzbek.years == 2023][0] == pytest.approx(35.65e6, rel=0.01)
    earlier = panel.as_of("2023-01-01").select(location="UZB").series[0]
    assert earlier.origin == 2021
    assert len(wpp.world(shared / "wpp", vintages=[2024], smallest=100_000)) == 200


def test_five_year_vintages_and_areas_without_a_code(shared: Path) -> None:
    panel = wpp.world(shared / "wpp", step=5)
    assert panel.step == 5
    assert {"SDN+SSD", "GGY+JEY", "ANT", "XKX"} <= set(panel.locations)
    assert locations.name("ANT") == "Netherlands Antilles (until 2010)"
    kyrgyz = panel.select(location="KGZ")
    for day, expected in (("2019-12-31", -20_000), ("2022-12-31", -140_000), (None, 84_000)):
        known = kyrgyz.as_of(day).series[0] if day else kyrgyz.series[0]
        assert known.values[known.years == 2015][0] == pytest.approx(expected, abs=1000)
    assert len(wpp.world(shared / "wpp", step=5, vintages=[2008])) == 197


def test_projections(shared: Path) -> None:
    annual = wpp.projections(shared / "wpp")
    newest = annual[annual["released"] == "2024-07-11"]
    assert set(newest["quantile"]) == {0.025, 0.1, 0.5, 0.9, 0.975}
    assert newest["year"].min() == 2024
    assert set(annual.loc[annual["released"] == "2022-07-11", "quantile"]) == {0.5}
    afghan = wpp.bayesian_projection(shared / "wpp")
    first = afghan[(afghan["location"] == "AFG") & (afghan["year"] == 2015)].set_index("quantile")
    assert first.loc[0.5, "value"] == pytest.approx(223_833)
    assert first.loc[0.025, "value"] == pytest.approx(-7_122_181)


def test_what_is_not_there_is_said(shared: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="WPP vintage"):
        wpp.world(shared / "wpp", vintages=[2019])
    with pytest.raises(DataError, match="there is no file"):
        wpp.world(tmp_path)


@pytest.fixture
def bulk(tmp_path: Path) -> Path:
    """A few rows in the form of the UN's file."""
    path = tmp_path / "WPP2024_Demographic_Indicators_Medium.csv"
    years = np.arange(2020, 2026)
    pieces = [
        {"LocID": 860, "ISO3_code": "UZB", "LocTypeName": "Country/Area"},
        {"LocID": 412, "ISO3_code": "XKX", "LocTypeName": "Country/Area"},
        {"LocID": 900, "ISO3_code": None, "LocTypeName": "World"},
    ]
    table = pd.concat(
        [
            pd.DataFrame(
                {**piece, "Time": years, "TPopulation1July": 33_000.5, "NetMigrations": -20.38}
            )
            for piece in pieces
        ]
    )
    table.to_csv(path, index=False)
    return path


def test_the_bulk_file_of_the_un(bulk: Path) -> None:
    panel = wpp.read_bulk(bulk)
    assert panel.locations == ["UZB", "XKX"]
    series = panel.select(location="UZB").series[0]
    assert series.years.tolist() == [2020, 2021, 2022, 2023]  # later years are projected
    assert series.values.tolist() == pytest.approx([-20_380] * 4)
    assert series.population[0] == pytest.approx(33_000_500)
    assert panel.last_release == "2024-07-11"


def test_bulk_files_that_cannot_be_read(bulk: Path, tmp_path: Path) -> None:
    renamed = bulk.rename(tmp_path / "download.csv")
    with pytest.raises(DataError, match="vintage=2024"):
        wpp.read_bulk(renamed)
    assert len(wpp.read_bulk(renamed, vintage=2024)) == 2
    pd.read_csv(renamed).drop(columns="NetMigrations").to_csv(renamed, index=False)
    with pytest.raises(DataError, match="no column 'NetMigrations'"):
        wpp.read_bulk(renamed, vintage=2024)
