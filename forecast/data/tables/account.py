"""What was understood of a file, told to the person who gave it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forecast.data.tables.reading import Reading

#: Names of places and measures that an account lists.
_PAIRS = 40


def account(reading: Reading) -> list[tuple[str, str]]:
    """Return what was understood, as pairs of a name and what is to be said of it."""
    where = [reading.kind, reading.encoding]
    where += [f"cells divided by {reading.delimiter!r}" if reading.delimiter else ""]
    where += [f"sheet {reading.sheet!r}" if reading.sheet else ""]
    noun = "line" if reading.kind == "CSV" else "row"
    counted = ", ".join(f"{count} {reason}" for reason, count in reading.reported.items())
    rows = f"{reading.rows_in} in the file: {reading.accepted} accepted"
    said = [
        (reading.file, ", ".join(part for part in where if part)),
        ("headings", f"{noun} {', '.join(map(str, reading.header))}; {reading.layout}"),
        ("title", " / ".join(reading.titles)),
        ("units", "; ".join(reading.units)),
        ("decimal mark", reading.decimal),
        ("measures", _pairs(reading.measures)),
        ("places", _pairs(reading.places)),
        *(
            ("not matched", f"{name}: {', '.join(near) or 'nothing comes near'}")
            for name, near in reading.unmatched.items()
        ),
        ("columns not used", ", ".join(reading.unused)),
        ("rows", f"{rows}; reported: {counted}" if counted else rows),
        ("flags added", "\n".join(reading.carried)),
    ]
    return [(name, value) for name, value in said if value]


def table(reading: Reading) -> str:
    """Return the account with its notes and problems as a table of HTML."""
    said = [*account(reading), *(("note", note) for note in reading.notes)]
    said += [("problem", str(problem)) for problem in reading.problems]
    rows = [f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in said]
    style = "style='text-align: left; vertical-align: top'"
    made = "".join(rows).replace("<th>", f"<th {style}>").replace("<td>", f"<td {style}>")
    return f"<table>{made}</table>"


def _pairs(named: Mapping[str, str]) -> str:
    pairs = [f"{name} → {code}" for name, code in named.items() if name != code]
    shown = pairs + [name for name, code in named.items() if name == code]
    more = f" and {len(shown) - _PAIRS} more" if len(shown) > _PAIRS else ""
    return ", ".join(shown[:_PAIRS]) + more
