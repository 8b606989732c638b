"""`forecast data check`: for people, for pipes, and as JSON."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from forecast.cli import check as check_command
from forecast.cli.main import cli
from forecast.data.breaks import screen
from forecast.data.checks import check
from forecast.data.tables import understand

ACROSS = (
    "Внешняя миграция: число прибывших, человек;;;\nСтрана;2022;2023;2024\n"
    "Казахстан;17 425;25 387;29 282\nВсего;17 425;25 387;29 282\n"
    "Примечание: [red]без СНГ[/red];;;\n"
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "across.csv"
    path.write_text(ACROSS, encoding="cp1251")
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["data", "check", *arguments], prog_name="forecast")


def test_a_pipe_gets_the_findings_as_csv_and_the_account_apart(table: Path) -> None:
    result = run(str(table))
    assert result.exit_code == 0, result.output
    assert pd.read_csv(io.StringIO(result.stdout)).columns.tolist()[:3] == [
        "check", "severity", "source",
    ]  # fmt: skip
    for part in ("CP1251", "persons, stated above the table", "Казахстан → KAZ", "1 accepted"):
        assert part in result.stderr


def test_json_holds_what_was_understood(table: Path) -> None:
    document = json.loads(run(str(table), "--json").stdout)
    reported = {"footnote": 1, "heading": 1, "title": 1, "total row": 1}
    assert document["understood"]["rows"] == {"in": 5, "accepted": 1, "reported": reported}
    assert document["panel"]["series"][0]["observations"] == 3
    assert document["findings"] == document["proposals"] == []


def test_a_table_that_cannot_be_read_lists_all_problems(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("Страна;2022\nКазакстания;1\nУзбекистания;2\n", encoding="utf-8")
    result = run(str(path), "--measure", "immigration")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "not matched" in result.stderr
    assert "2 problems stand in the way" in result.stderr
    document = json.loads(run(str(path), "--measure", "immigration", "--json").stdout)
    assert len(document["understood"]["problems"]) == 2
    assert document["panel"] is None


def test_the_table_as_understood_can_be_kept(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "tidy.csv"
    assert run(str(table), "--out", str(out)).exit_code == 0
    assert understand(out).panel.hash == understand(table).panel.hash


def test_options_say_what_the_table_does_not(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Показатель;2022;2023\nПрибыло;17,4;25,4\n", encoding="utf-8")
    result = run(str(path), "--units", "thousands", "--location", "KAZ", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["understood"]["units"] == ["thousands, as told"]
    assert run(str(path), "--units", "dozens").exit_code == 2


def test_the_account_for_a_terminal_takes_nothing_for_markup(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()

    def console(**_: object) -> Console:
        return Console(file=stream, width=160, force_terminal=False)

    monkeypatch.setattr(check_command, "Console", console)
    reading = understand(table)
    check_command.tell(reading, reading.panel, check(reading.panel), screen(reading.panel))
    text = stream.getvalue()
    assert "No figure contradicts another." in text
    assert "none that is flagged" not in text
    bad = table.with_name("bad.csv")
    bad.write_text("Страна;2022\n[red]Атлантида[/red];1\n", encoding="utf-8")
    check_command.tell_reading(understand(bad, measure="immigration"))
    assert "[red]Атлантида[/red]" in stream.getvalue()
