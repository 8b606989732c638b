"""The verb `forecast backtest`."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

import forecast as fc
from forecast.cli.main import cli
from forecast.models.registry import REGISTRY
from forecast.panel import Panel

SHORT = ("--origins", "2010:2012", "--horizons", "1,3", "--draws", "100")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["backtest", *arguments], prog_name="forecast")


@pytest.fixture
def own(tmp_path: Path, walks: Callable[..., Panel]) -> str:
    path = tmp_path / "own.csv"
    walks().to_frame().dropna(axis="columns", how="all").to_csv(path, index=False)
    return str(path)


def test_the_summary_goes_to_stdout(own: str) -> None:
    result = run("--data", own, "--models", "naive,ets", *SHORT)
    assert result.exit_code == 0, result.output
    table = pd.read_csv(io.StringIO(result.stdout))
    assert table["model"].tolist() == ["naive", "naive", "ets", "ets"]
    assert table["forecasts"].tolist() == [9] * 4


@pytest.mark.thorough
def test_a_folder_holds_everything_and_can_be_opened(own: str, tmp_path: Path) -> None:
    out = tmp_path / "track"
    for _ in range(2):  # the second replaces the first
        result = run("--data", own, "--models", "naive,ets", *SHORT, "--out", str(out))
        assert result.exit_code == 0, result.output
    names = {path.name for path in out.iterdir()}
    for table in ("scores", "summary", "skill", "verdicts", "calibration", "surprises", "missing"):
        assert f"{table}.csv" in names
    assert {"skill.svg", "pit.svg", "reliability.svg", "scores.parquet", "track.json"} <= names
    track = fc.Track.open(out)
    direct = fc.backtest(fc.read(own), ["naive", "ets"], range(2010, 2013), (1, 3), draws=100)
    pd.testing.assert_frame_equal(track.table, direct.table, check_exact=True)


def test_a_folder_of_somebody_else_is_left_alone(own: str, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    result = run("--data", own, *SHORT, "--out", str(tmp_path / "mine"))
    assert result.exit_code == 1
    assert "not a folder written by forecast backtest" in result.output
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


def test_failures_are_told_and_only_strict_makes_them_an_error(
    own: str, breaks_in: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(REGISTRY, "breaks", lambda: breaks_in(2011))
    arguments = ("--data", own, "--models", "naive,breaks", *SHORT)
    relaxed, strict = run(*arguments), run(*arguments, "--strict")
    assert relaxed.exit_code == 0, relaxed.output
    assert "failed: 6 forecasts by breaks" in relaxed.stderr
    assert strict.exit_code == 1
    assert "6 forecasts failed" in strict.stderr
    assert strict.stdout == relaxed.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("--models", "nave"), 1, "Did you mean: naive"),
        (("--origins", "1700:1701"), 1, "nothing to see"),
        (("--origins", "soon"), 2, "or a range such as 2003:2018"),
        (("--horizons", "one"), 2, "not a list of years such as 1,3,5,7"),
        (("--engine", "spark"), 2, "spark"),
        (("--scheduler", "tcp://127.0.0.1:1"), 1, "--engine dask"),
    ],
)
def test_bad_input_is_one_message(
    own: str, arguments: tuple[str, ...], status: int, message: str
) -> None:
    result = run("--data", own, *arguments)
    assert result.exit_code == status
    assert message in result.output
    assert "Traceback" not in result.output


@pytest.mark.thorough
def test_a_folder_of_vintages_brings_the_projections_of_the_un(shared: Path) -> None:
    folder = str(shared / "wpp")
    result = run(
        *("--data", folder, "--step", "5", "--vintage", "as_published", "--horizons", "5"),
        *("--models", "naive,un-wpp,bayesmig", "--draws", "100", "--jobs", "1"),
    )
    assert result.exit_code == 0, result.output
    assert set(pd.read_csv(io.StringIO(result.stdout))["model"]) == {"naive", "un-wpp", "bayesmig"}
