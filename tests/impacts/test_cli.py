"""The verb `forecast impact`."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from forecast.cli.main import cli
from tests.impacts.conftest import frame

PARTS = ("--location", "KAZ", "--measure", "net_migration", "--source", "un")
QUICK = ("--model", "naive", "--draws", "200")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), prog_name="forecast")


@pytest.fixture
def own(tmp_path: Path) -> str:
    path = tmp_path / "own.csv"
    frame().to_csv(path, index=False)
    return str(path)


def test_the_table_is_on_stdout_and_the_sentence_on_stderr() -> None:
    result = run("impact", "kz-arrivals-2022", *QUICK)
    assert result.exit_code == 0, result.output
    table = pd.read_csv(io.StringIO(result.stdout))
    assert table["level"].unique().tolist() == [0.8, 0.95]
    assert table["year"].unique().tolist() == ["2022", "sum"]
    assert table["observed"].iloc[0] == 17425
    assert result.stderr.startswith("Immigration, Kazakhstan, 2022: 17,400 came;")
    russian = run("impact", "kz-arrivals-2022", *QUICK, "--language", "ru")
    assert russian.stderr.startswith("Иммиграция, Казахстан, 2022")
    assert russian.stdout == result.stdout


def test_an_event_of_ones_own_data(own: str, tmp_path: Path) -> None:
    given = ("impact", "--data", own, *PARTS, "--start", "2022", "--end", "2023", *QUICK)
    out = tmp_path / "placebos.csv"
    result = run(*given, "--exclude", "UZB", "--table", "placebos", "--out", str(out))
    assert result.exit_code == 0, result.output
    table = pd.read_csv(out)
    places = table[table["set"] == "places"]
    assert sorted(places["location"]) == ["KGZ", "TJK", "TKM"]
    ranks = pd.read_csv(io.StringIO(run(*given, "--table", "tests").stdout))
    assert ranks["placebos"].tolist() == ["dates", "places", "others", "all"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("kz-arrival-2022",), "unknown event"),
        (PARTS, "no event given"),
        ((*PARTS, "--start", "2050"), "no figure from 2050"),
        (("kz-arrivals-2022", "--start", "2022"), "as well as its parts"),
        (("kz-arrivals-2022", "--as-of", "tomorrow"), "write a day"),
    ],
)
def test_what_cannot_be_done_is_one_message(
    own: str, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    out = tmp_path / "table.csv"
    result = run("impact", "--data", own, *arguments, "--out", str(out))
    assert result.exit_code == 1
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert not out.exists()
