"""What a file becomes: the fate of its rows, observations, and the account of all of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from forecast.data.tables.cells import MISSING, Figure
from forecast.errors import DataError, ForecastError
from forecast.panel import Panel

if TYPE_CHECKING:
    import pandas as pd

    from forecast.data.tables.cells import Line
    from forecast.data.tables.columns import Column
    from forecast.data.tables.words import Year

#: What may become of a row of the file.
ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one row of the file.

    Attributes
    ----------
    number : int
        Its number in the file.
    fate : str
        ``"accepted"``, or why it is reported: ``"title", "heading", "footnote", "empty",
        "total row", "section", "part of a row above", "problem"`` and so on.
    detail : str
        What stands in it, shortened.
    """

    number: int
    fate: str
    detail: str = ""


@dataclass(slots=True)
class Observation:
    """One cell with figures: what row, column and section say of it, and what it comes to be.

    The code of the place, the measure or `flows.FAMILY` stated, the measure kept (empty if none
    is), the figure, its factor, and value and rounding in persons are settled for all at once.
    """

    line: Line
    column: Column
    cell: object
    place: str
    measure: str
    scope: str
    stated: Year
    unit: float | None
    flags: tuple[str, ...]
    attributes: dict[str, object]
    code: str = ""
    year: int = 0
    family: str = ""
    kept: str = ""
    figure: Figure = MISSING
    factor: float = 1.0
    persons: float = math.nan
    rounding: float = 1.0


@dataclass
class Collected:
    """What the rows of a table gave.

    Attributes
    ----------
    observations, totals : list of Observation
        Figures; those of total rows apart.
    rows : dict of int to Row
        Fate of each row, by its position in the grid.
    problems : list of (position, error)
    aggregates : dict of str to None
        Labels of groups of countries, whose rows are left out.
    """

    observations: list[Observation] = field(default_factory=list)
    totals: list[Observation] = field(default_factory=list)
    rows: dict[int, Row] = field(default_factory=dict)
    problems: list[tuple[int, ForecastError]] = field(default_factory=list)
    aggregates: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the caller says of a table; None where the table is to say it."""

    measure: str | None = None
    source: str | None = None
    units: str | None = None
    location: str | None = None
    flows: str | None = None
    decimal: str | None = None
    frequency: str | None = None


@dataclass
class Harmonised:
    """A tidy table, how its rows are called, and what was inferred on the way."""

    table: pd.DataFrame | None = None
    frequency: str = "year"
    calls: list[str] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    unmatched: dict[str, tuple[str, ...]] = field(default_factory=dict)
    measures: dict[str, str] = field(default_factory=dict)
    units: list[str] = field(default_factory=list)
    decimal: str = ""
    notes: dict[str, None] = field(default_factory=dict)
    problems: list[tuple[int, ForecastError]] = field(default_factory=list)
    aside: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Reading:
    """What was understood of a table.

    Attributes
    ----------
    file, kind, encoding, delimiter, sheet : str
        Where the figures come from; empty where it means nothing.
    layout : str
        ``tidy, years across, places across, SDMX-CSV`` or ``long form``.
    header : tuple of int
        Numbers of the heading rows.
    titles : tuple of str
        Texts above the headings.
    decimal : str
        The decimal mark of the figures, and how it is known.
    units : tuple of str
        Units, and where they are stated or from what they were inferred.
    places : dict of str to str
        Code of each name that was matched.
    unmatched : dict of str to tuple of str
        Names that stand for no known place, with the nearest names; none was applied.
    measures : dict of str to str
        Measure of each heading or label.
    unused : tuple of str
        Columns that hold no figures and were not needed.
    rows : tuple of Row
        What became of each row of the file.
    notes : tuple of str
        What was inferred, ignored or found to disagree.
    problems : tuple of ForecastError
        What stands between the table and a Panel; each with place, value and remedy.
    carried : tuple of str
        Flags that checks added to years, such as interpolated stretches.
    """

    file: str
    kind: str
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    layout: str = ""
    header: tuple[int, ...] = ()
    titles: tuple[str, ...] = ()
    decimal: str = ""
    units: tuple[str, ...] = ()
    places: dict[str, str] = field(default_factory=dict)
    unmatched: dict[str, tuple[str, ...]] = field(default_factory=dict)
    measures: dict[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[ForecastError, ...] = ()
    carried: tuple[str, ...] = ()
    _panel: Panel | None = None
    _stated: Panel | None = None

    @property
    def panel(self) -> Panel:
        """The Panel.

        Raises
        ------
        DataError, UnknownNameError
            The first problem, with the number of further ones.
        """
        if self._panel is not None:
            return self._panel
        first = self.problems[0] if self.problems else DataError("nothing was read.")
        more = len(self.problems) - 1
        hint = f" ({more} more; `forecast data check` lists them.)" if more > 0 else ""
        raise type(first)(f"{self.file}: {first}{hint}")

    @property
    def stated(self) -> Panel:
        """The Panel without the flags that checks added, as the table states it."""
        return self.panel if self._stated is None else self._stated

    @property
    def rows_in(self) -> int:
        """Rows of the file."""
        return len(self.rows)

    @property
    def accepted(self) -> int:
        """Rows whose figures are in the Panel."""
        return sum(row.fate == ACCEPTED for row in self.rows)

    @property
    def reported(self) -> dict[str, int]:
        """Rows that are not in the Panel, counted by the reason."""
        counted = Counter(row.fate for row in self.rows if row.fate != ACCEPTED)
        return dict(sorted(counted.items()))

    def account(self) -> list[tuple[str, str]]:
        """Return what was understood, as pairs of a name and what is to be said of it.

        Returns
        -------
        list of (str, str)
            File, headings, title, units, decimal mark, measures, places, names not matched, columns
            not used, rows, flags added; those that mean something here.

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.data.tables.understand import understand
        >>> reading = understand(fc.example("office-table.xlsx"))
        >>> reading.account()[0][0]
        'office-table.xlsx'
        """
        return account(self)

    def __repr__(self) -> str:
        rows = f"{self.accepted} of {self.rows_in} rows hold figures"
        return f"<Reading of {self.file}: {rows}, {len(self.problems)} problems>"

    def _repr_html_(self) -> str:
        return table(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the Panel in the types of JSON.

        Returns
        -------
        dict of str to object
            Fields by name; rows that are not in the Panel with their number and the reason.

        Examples
        --------
        >>> Reading("arrivals.csv", "CSV", layout="tidy").to_dict()["layout"]
        'tidy'
        """
        return {
            "file": self.file,
            "kind": self.kind,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "sheet": self.sheet,
            "layout": self.layout,
            "header_rows": list(self.header),
            "titles": list(self.titles),
            "decimal": self.decimal,
            "units": list(self.units),
            "places": dict(self.places),
            "unmatched": {name: list(near) for name, near in self.unmatched.items()},
            "measures": dict(self.measures),
            "unused_columns": list(self.unused),
            "rows": {"in": self.rows_in, "accepted": self.accepted, "reported": self.reported},
            "rows_reported": [
                {"row": row.number, "reason": row.fate, "content": row.detail}
                for row in self.rows
                if row.fate not in {ACCEPTED, "empty"}
            ],
            "notes": list(self.notes),
            "problems": [str(problem) for problem in self.problems],
            "flags_carried": list(self.carried),
        }


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
