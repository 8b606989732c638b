"""The verb `forecast data check`: what was understood of a table, and what is doubtful."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from forecast.cli.output import in_shell, progress, ruled, show
from forecast.cli.request import DEFAULT_DATA, Figures, figures_options
from forecast.language import plain

if TYPE_CHECKING:
    import pandas as pd

    from forecast.data.tables import Reading
    from forecast.panel import Panel

#: Rows of a list that are shown; JSON and CSV hold all.
_SHOWN = 20


def tell(
    reading: Reading | None,
    panel: Panel,
    findings: pd.DataFrame,
    proposals: pd.DataFrame,
    *,
    to_stderr: bool = False,
) -> None:
    """Print the account of a panel and of the table it came from.

    Parameters
    ----------
    reading : Reading or None
        How a file was understood; nothing is said of a bundled panel.
    panel : Panel
        What came of it.
    findings : DataFrame
        As of `forecast.data.checks.check`.
    proposals : DataFrame
        Breaks as of `forecast.data.breaks.screen`.
    to_stderr : bool
        Whether stdout is kept for what the command itself prints.
    """
    console = Console(stderr=to_stderr, highlight=False)
    if reading is not None:
        _reading(console, reading)
    console.print(Text(repr(panel), style="bold"))
    _findings(console, findings)
    _proposals(console, proposals)


def tell_reading(reading: Reading, *, to_stderr: bool = False) -> None:
    """Print the account of a table that makes no panel.

    Parameters
    ----------
    reading : Reading
        How the file was understood.
    to_stderr : bool
        Whether stdout is kept for what the command itself prints.
    """
    _reading(Console(stderr=to_stderr, highlight=False), reading)


def _reading(console: Console, reading: Reading) -> None:
    grid = Table(show_header=False, box=None, pad_edge=False)
    grid.add_column(style="bold")
    grid.add_column(overflow="fold")
    for name, value in reading.account():
        # Cells are plain text: what a user's file holds is never taken for markup.
        grid.add_row(Text(name), Text(value))
    console.print(grid)
    _list(console, "Notes", reading.notes, "yellow")
    _list(console, "Problems", [str(problem) for problem in reading.problems], "red")


def _list(console: Console, name: str, lines: Iterable[str], style: str) -> None:
    told = [in_shell(line) for line in lines]
    for line in told[:_SHOWN]:
        console.print(Text.assemble((f"{name[:-1].lower()}: ", style), line))
    if len(told) > _SHOWN:
        console.print(f"{name.lower()}: {len(told) - _SHOWN} more; --json lists all.")


def _findings(console: Console, findings: pd.DataFrame) -> None:
    if findings.empty:
        console.print("No figure contradicts another.")
        return
    words = ("severity", "check", "source", "location", "measure")
    numbers = ("year", "expected", "found")
    rows = []
    for row in findings.head(_SHOWN).to_dict("records"):
        style = "red" if row["severity"] == "error" else "yellow"
        amounts = ["" if row[n] != row[n] else plain(row[n]) for n in numbers[1:]]
        cells = [str(row[name]) for name in (*words[1:], "year")]
        rows.append([Text(str(row["severity"]), style=style), *cells, *amounts])
    columns = {**dict.fromkeys(words, "left"), **dict.fromkeys(numbers, "right")}
    console.print(ruled(columns, rows, f"{len(findings)} findings"))
    if len(findings) > _SHOWN:
        named = findings["severity"] + ": " + findings["check"]
        for name, count in named.value_counts().sort_index().items():
            console.print(Text(f"{name}: {count}"))


def _proposals(console: Console, proposals: pd.DataFrame) -> None:
    """Print proposed breaks; they are for the reader to judge, and nothing was changed."""
    fresh = proposals[proposals["declared"] == ""]
    if fresh.empty:
        console.print("No unflagged break or outlier to propose (series of 8 years or more).")
        return
    columns = ("source", "location", "measure", "year", "kind", "evidence")
    rows = [[str(row[name]) for name in columns] for row in fresh.head(_SHOWN).to_dict("records")]
    title = f"{len(fresh)} proposed breaks and outliers; none is applied"
    console.print(ruled(dict.fromkeys(columns, "left"), rows, title))
    if len(fresh) > _SHOWN:
        console.print(f"{len(fresh) - _SHOWN} more; --json lists all.")


@click.command("check")
@click.argument("data", default=DEFAULT_DATA, metavar="[FILE|NAME]")
@figures_options()
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON document.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the table as it was understood: a tidy CSV that every other command reads.",
)
def check_data(figures: Figures, as_json: bool, out: Path | None) -> None:
    """Say what was understood of a table and where its own figures disagree.

    On a terminal as text; otherwise the findings as CSV on stdout and the account on stderr.
    Exit status 1 if the table cannot be read or a check finds an error; warnings do not
    change it.
    """
    from forecast.data.breaks import screen
    from forecast.data.checks import check

    with progress("reading the data"):
        reading, panel = figures.read()
    if panel is None:
        assert reading is not None  # noqa: S101  a bundled panel is never None
        _refuse(reading, as_json)
        return
    panel = figures.select(panel)
    with progress("checking"):
        # What was carried as a flag is a finding all the same.
        findings = check(panel if reading is None else figures.select(reading.stated))
        proposals = screen(panel)
    if as_json:
        click.echo(_json(reading, panel, findings, proposals))
    else:
        here = sys.stdout.isatty()
        tell(reading, panel, findings, proposals, to_stderr=not here)
        if not here:
            show(findings)
    if out is not None:
        from forecast.artifacts import write_text

        write_text(out, panel.to_frame().to_csv(index=False, lineterminator="\n"))
        click.echo(str(out), err=True)
    errors = int((findings["severity"] == "error").sum())
    if errors:
        raise click.ClickException(
            f"{errors} of {len(findings)} findings are errors; see the table."
        )


def _refuse(reading: Reading, as_json: bool) -> None:
    """Show all problems of a table that makes no panel."""
    if as_json:
        click.echo(_json(reading, None, None, None))
    else:
        tell_reading(reading, to_stderr=not sys.stdout.isatty())
    count = len(reading.problems)
    noun = "problem stands" if count == 1 else "problems stand"
    raise click.ClickException(
        f"{reading.file}: {in_shell(str(reading.problems[0]))}"
        + (f" ({count} {noun} in the way; all are listed above.)" if count > 1 else "")
    )


def _json(
    reading: Reading | None,
    panel: Panel | None,
    findings: pd.DataFrame | None,
    proposals: pd.DataFrame | None,
) -> str:
    document = {
        "understood": None if reading is None else reading.to_dict(),
        "panel": None
        if panel is None
        else {
            "series": [
                {
                    "source": series.source,
                    "location": series.location,
                    "measure": series.measure,
                    "first": int(series.years[0]),
                    "last": int(series.years[-1]),
                    "observations": int((series.values == series.values).sum()),
                }
                for series in panel
            ],
            "hash": panel.hash,
        },
        "findings": _records(findings),
        "proposals": _records(proposals),
    }
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)


def _records(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Return rows of a table as JSON objects; a number that is missing is null."""
    if table is None:
        return []
    records: list[dict[str, Any]] = json.loads(table.to_json(orient="records", force_ascii=False))
    return records
