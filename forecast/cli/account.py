"""The account of a table in a terminal: what was understood, what is wrong, what is proposed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from forecast.cli.output import in_shell

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
    """Print the account of a panel and of the table it came from."""
    console = Console(stderr=to_stderr, highlight=False)
    if reading is not None:
        _reading(console, reading)
    console.print(Text(repr(panel), style="bold"))
    _findings(console, findings)
    _proposals(console, proposals)


def tell_reading(reading: Reading, *, to_stderr: bool = False) -> None:
    """Print the account of a table that makes no panel."""
    _reading(Console(stderr=to_stderr, highlight=False), reading)


def _reading(console: Console, reading: Reading) -> None:
    grid = Table(show_header=False, box=None, pad_edge=False)
    grid.add_column(style="bold")
    grid.add_column(overflow="fold")
    where = [reading.kind, reading.encoding]
    where += [f"cells divided by {reading.delimiter!r}" if reading.delimiter else ""]
    where += [f"sheet {reading.sheet!r}" if reading.sheet else ""]
    _line(grid, reading.file, ", ".join(part for part in where if part))
    noun = "line" if reading.kind == "CSV" else "row"
    _line(grid, "headings", f"{noun} {', '.join(map(str, reading.header))}; {reading.layout}")
    _line(grid, "title", " / ".join(reading.titles))
    _line(grid, "units", "; ".join(reading.units))
    _line(grid, "decimal mark", reading.decimal)
    _line(grid, "measures", _pairs(reading.measures))
    _line(grid, "places", _pairs(reading.places))
    for name, near in reading.unmatched.items():
        _line(grid, "not matched", f"{name}: " + (", ".join(near) or "nothing comes near"))
    _line(grid, "columns not used", ", ".join(reading.unused))
    counted = ", ".join(f"{count} {reason}" for reason, count in reading.reported.items())
    rows = f"{reading.rows_in} in the file: {reading.accepted} accepted"
    _line(grid, "rows", f"{rows}; reported: {counted}" if counted else rows)
    _line(grid, "flags added", "\n".join(reading.carried))
    console.print(grid)
    _list(console, "Notes", reading.notes, "yellow")
    _list(console, "Problems", [str(problem) for problem in reading.problems], "red")


def _line(grid: Table, name: str, value: str) -> None:
    # Cells are plain text: what a user's file holds is never taken for markup.
    if value:
        grid.add_row(Text(name), Text(value))


def _pairs(named: dict[str, str]) -> str:
    pairs = [f"{name} → {code}" for name, code in named.items() if name != code]
    same = [name for name, code in named.items() if name == code]
    shown = pairs + same
    more = f" and {len(shown) - 2 * _SHOWN} more" if len(shown) > 2 * _SHOWN else ""
    return ", ".join(shown[: 2 * _SHOWN]) + more


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
    table = Table(title=f"{len(findings)} findings", title_justify="left")
    for column in ("severity", "check", "source", "location", "measure"):
        table.add_column(column)
    for column in ("year", "expected", "found"):
        table.add_column(column, justify="right")
    for row in findings.head(_SHOWN).to_dict("records"):
        style = "red" if row["severity"] == "error" else "yellow"
        cells = [str(row[name]) for name in ("check", "source", "location", "measure", "year")]
        numbers = [
            "" if row[name] != row[name] else f"{row[name]:,.0f}" for name in ("expected", "found")
        ]
        table.add_row(
            Text(str(row["severity"]), style=style), *(Text(cell) for cell in (*cells, *numbers))
        )
    console.print(table)
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
    table = Table(
        title=f"{len(fresh)} proposed breaks and outliers; none is applied", title_justify="left"
    )
    for column in ("source", "location", "measure", "year", "kind", "evidence"):
        table.add_column(column, overflow="fold")
    for row in fresh.head(_SHOWN).to_dict("records"):
        cells = [
            str(row[name]) for name in ("source", "location", "measure", "year", "kind", "evidence")
        ]
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)
    if len(fresh) > _SHOWN:
        console.print(f"{len(fresh) - _SHOWN} more; --json lists all.")
