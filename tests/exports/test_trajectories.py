"""Net migration in the form that bayesPop reads."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import forecast as fc
from forecast.cli.main import cli
from forecast.errors import DataError, UnknownNameError
from forecast.outlook import Forecast
from forecast.panel import Panel


def test_the_columns_that_bayespop_reads(outlook: Forecast, tmp_path: Path) -> None:
    path = outlook.to_bayespop(tmp_path / "migration.csv", "un-wpp")
    table = pd.read_csv(path)
    assert list(table.columns) == ["LocID", "Year", "Trajectory", "Migration"]
    assert sorted(set(table["LocID"])) == [398, 795]
    assert sorted(set(table["Year"])) == list(range(2024, 2031))
    assert table["Trajectory"].min() == 1
    assert table["Trajectory"].max() == 400
    assert len(table) == 2 * 7 * 400
    drawn = outlook.sample(location="TKM", measure="net_migration", year=2027)
    ours = table[(table["LocID"] == 795) & (table["Year"] == 2027)].sort_values("Trajectory")
    np.testing.assert_allclose(ours["Migration"] * 1000, drawn, atol=0.01)


def test_a_year_already_known_stands_in_every_trajectory(varied: Panel) -> None:
    mixed = Panel.from_frame(
        pd.concat(
            [
                varied.select(source="un-wpp", location="TKM").to_frame(),
                varied.select(source="kz-bns", measure="net_migration")
                .to_frame()
                .assign(source="un-wpp"),
            ]
        )
    )
    table = fc.forecast(mixed, model="naive", draws=100).bayespop()
    (register,) = varied.select(source="kz-bns", measure="net_migration")
    known = table[(table["LocID"] == 398) & (table["Year"] == 2024)]
    assert len(known) == 100
    np.testing.assert_allclose(known["Migration"] * 1000, register.values[-1], atol=0.01)


def test_one_source_at_a_time(outlook: Forecast) -> None:
    assert set(outlook.bayespop("kz-bns")["LocID"]) == {398}
    with pytest.raises(DataError, match=r"known from kz-bns, un-wpp\. Say which is meant"):
        outlook.bayespop()
    with pytest.raises(UnknownNameError, match="kz-bns"):
        outlook.bayespop("kz-bsn")


def test_five_year_periods_are_named_by_their_middle() -> None:
    made = fc.forecast(
        fc.load("central-asia-five-year"), model="naive", draws=100, horizons=(2025,)
    )
    assert sorted(set(made.bayespop()["Year"])) == [2023, 2028]


def test_only_regions_is_said(varied: Panel) -> None:
    made = fc.forecast(varied.select(source="kz-bns-balance"), model="naive", draws=100)
    with pytest.raises(DataError, match="no country's net_migration"):
        made.bayespop()


def test_from_the_shell() -> None:
    done = CliRunner().invoke(
        cli,
        [
            "predict",
            "--model",
            "naive",
            "--draws",
            "100",
            "--table",
            "bayespop",
            "--source",
            "un-wpp",
        ],
    )
    assert done.exit_code == 0, done.output
    table = pd.read_csv(io.StringIO(done.stdout))
    assert sorted(set(table["LocID"])) == [398, 417, 762, 795, 860]
