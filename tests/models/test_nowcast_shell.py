"""A nowcast in the shell and in the report."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

import forecast as fc
from forecast.cli.estimates import readable
from forecast.cli.main import cli
from forecast.cli.request import Figures
from forecast.panel import Panel
from forecast.reports.horizon import report


def months(last: str = "2024-09") -> Panel:
    generator = np.random.default_rng(3)
    periods = [str(one) for one in pd.period_range("2012-01", last, freq="M")]
    tables = [
        pd.DataFrame(
            {"location": place, "measure": "immigration", "period": periods,
             "value": generator.poisson(1000, len(periods))}
        )
        for place in ("KAZ", "KGZ")
    ]  # fmt: skip
    return Panel.from_frame(pd.concat(tables, ignore_index=True))


def yearly() -> Panel:
    table = months().figures.assign(year=lambda rows: rows["year"] // 12).query("year < 2024")
    return Panel.from_frame(
        table.groupby(["location", "measure", "year"])["value"].sum().reset_index()
    )


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names in place of files, so that the form of a table is not what is tried here."""
    panels = {"months": months(), "years": yearly()}
    monkeypatch.setattr(Figures, "all_series", lambda self: panels[self.data])


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), prog_name="forecast")


@pytest.mark.usefixtures("files")
def test_the_verb_prints_a_tidy_table_in_a_pipe() -> None:
    result = run("nowcast", "--data", "months", "--year", "2024", "--draws", "200")
    assert result.exit_code == 0, result.output
    table = pd.read_csv(io.StringIO(result.stdout))
    assert set(table["year"]) == {2024}
    assert len(table) == 2 * 15
    basis = run("nowcast", "--data", "months", "--table", "basis", "--location", "KGZ")
    rows = pd.read_csv(io.StringIO(basis.stdout))
    assert rows[["location", "parts", "parts_in"]].values.tolist() == [["KGZ", 12, 9]]


@pytest.mark.usefixtures("files")
def test_the_verb_says_in_one_message_what_is_wrong() -> None:
    result = run("nowcast", "--data", "years")
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert "this panel is by year" in result.output


@pytest.mark.thorough
def test_the_table_to_read_has_what_is_in_and_the_range() -> None:
    made = fc.nowcast(months(), draws=200)
    console = Console(file=io.StringIO(), width=120)
    console.print(readable(made))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "months in" in shown
    assert "9 of 12" in shown
    assert re.search(r"7\d %", shown)


@pytest.mark.thorough
@pytest.mark.usefixtures("files")
def test_a_forecast_takes_the_nowcast_by_an_option() -> None:
    plain, given = (
        run("predict", "--data", "years", "--model", "naive", "--horizons", "2024", *more)
        for more in ((), ("--nowcast", "months"))
    )
    assert given.exit_code == 0, given.output
    shown = run("nowcast", "--data", "months", "--yearly", "years")
    tables = [pd.read_csv(io.StringIO(result.stdout)) for result in (given, shown, plain)]
    values = [table.set_index(["location", "quantile"])["value"].sort_index() for table in tables]
    pd.testing.assert_series_equal(values[0], values[1])
    assert not values[0].equals(values[2])


@pytest.mark.thorough
def test_the_report_has_a_line_on_the_year_so_far(tmp_path: Path) -> None:
    found = fc.nowcast(months(), yearly=yearly(), draws=200)
    outlook = fc.forecast(yearly(), "naive", (2027,), draws=200, nowcast=found)
    report(outlook, folder=tmp_path, name="now")
    for page in ("now.html", "now-annex.html"):
        text = (tmp_path / page).read_text(encoding="utf-8")
        assert "2024 so far: 9 of 12 months are known. From " in text, page
    assert "nowcast = fc.nowcast(months, 2024)" in (tmp_path / "now-annex.html").read_text("utf-8")
    report(fc.forecast(yearly(), "naive", (2027,), draws=200), folder=tmp_path, name="plain")
    assert "so far" not in (tmp_path / "plain.html").read_text(encoding="utf-8")


def test_the_calls_of_the_page_run_as_they_stand() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "nowcast.md"
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        exec(block, names)  # noqa: S102
    assert isinstance(names["now"], fc.Forecast)
    assert names["now"].basis["parts_in"].tolist() == [9]  # type: ignore[attr-defined]
