"""The verbs `forecast scenario`, `forecast condition` and `forecast targets`."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

import forecast as fc
from forecast.cli.main import cli
from forecast.outlook import Forecast


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), prog_name="forecast")


def frame(result: Result) -> pd.DataFrame:
    assert result.exit_code == 0, result.output
    return pd.read_csv(io.StringIO(result.stdout))


@pytest.fixture(scope="module")
def saved(outlook: Forecast, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(outlook.save(tmp_path_factory.mktemp("cli") / "saved"))


def test_shipped_scenarios_are_listed() -> None:
    listed = frame(run("scenario"))
    assert listed["scenario"].tolist() == ["afghanistan", "labour-return", "russia-kazakhstan"]


def test_scenarios_are_put_beside_the_baseline(
    saved: str, outlook: Forecast, tmp_path: Path
) -> None:
    result = run("scenario", "russia-kazakhstan", "--forecast", saved)
    table = frame(result)
    assert "not a forecast" in result.stderr
    made = fc.scenario(outlook, "russia-kazakhstan")
    expected = made.table(years=outlook.paths["year"].to_numpy().tolist())
    assert table["what_if"].tolist() == expected["what_if"].round(1).tolist()
    out = tmp_path / "x.csv"
    written = run(
        "scenario", "russia-kazakhstan", "afghanistan", "--forecast", saved, "--table", "event",
        "--out", str(out),
    )  # fmt: skip
    assert written.exit_code == 0
    assert set(pd.read_csv(out)["scenario"]) == {"russia-kazakhstan", "afghanistan"}
    for kind in ("unusual", "effects"):
        assert len(frame(run("scenario", "afghanistan", "--forecast", saved, "--table", kind)))


def test_who_counts_a_source_that_is_not_named_is_said(tmp_path: Path) -> None:
    table = fc.load("central-asia").select(location="KAZ").to_frame()
    arrivals = table[table["measure"] == "immigration"].assign(source="office")
    net = table[table["measure"] == "net_migration"].assign(source="other", as_of="2026-01-01")
    own = pd.concat([arrivals, net.drop_duplicates("year")])
    own.to_csv(tmp_path / "own.csv", index=False)
    result = run(
        "scenario", "russia-kazakhstan", "--data", str(tmp_path / "own.csv"), "--model", "naive",
        "--draws", "200",
    )  # fmt: skip
    assert set(frame(result)["source"]) == {"office"}
    assert "russia-kazakhstan: office is counted by entry 1 (kz-bns, " in result.stderr
    assert "not moved: net_migration of KAZ (other): the scenario does not" in result.stderr


def test_conditions_from_the_shell(saved: str) -> None:
    result = run(
        "condition", "KAZ immigration 2027 >= 9000", "--forecast", saved, "--minimum", "20"
    )
    table = frame(result)
    assert "of 400 draws in effect" in result.stderr
    row = table[(table["measure"] == "immigration") & (table["year"] == 2027)].iloc[0]
    assert row["given_lower"] >= 9000


def test_targets_from_the_shell(saved: str, outlook: Forecast) -> None:
    table = frame(run("targets", "--forecast", saved))
    assert len(table) == len(fc.targets(outlook))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("scenario", "afganistan"), "Did you mean: afghanistan"),
        (("scenario", "none.toml"), "does not exist"),
        (("condition", "KAZ"), "is not understood"),
        (("condition", "KAZ immigration 2027 >= 1e9"), "is not understood"),
        (("targets", "--targets", "none.toml"), "does not exist"),
        (("report", "--scenario", "none"), "unknown scenario"),
        (("report", "--targets", "none"), "does not exist"),
    ],
)
def test_what_is_not_acceptable_ends_with_one_message(
    arguments: tuple[str, ...], message: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stdout == ""


def test_a_condition_that_leaves_too_little_fails(saved: str) -> None:
    result = run("condition", "KAZ immigration 2027 >= 900000", "--forecast", saved)
    assert result.exit_code == 1
    assert "no draw of 400 meets the condition" in result.stderr
    assert run("condition").exit_code == 2
