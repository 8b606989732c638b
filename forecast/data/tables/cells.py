"""Cells of a table as they stand in the file, and figures as people write them.

They come with grouped digits, two decimal marks, dashes and footnote marks.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from forecast.data.tables.words import meaning, spaced, unmarked
from forecast.errors import DataError

_SIGN = r"(?P<sign>[-+−–]?) ?"
_FORMS = {
    "digits": r"[0-9]+",
    "grouped by spaces": r"[0-9]{1,3}(?: [0-9]{3})+(?P<mark>[.,][0-9]+)?",
    "commas and point": r"[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+|[0-9]{1,3}(?:,[0-9]{3}){2,}",
    "points and comma": r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+|[0-9]{1,3}(?:\.[0-9]{3}){2,}",
    "one comma": r"[0-9]+,[0-9]+",
    "one point": r"[0-9]*\.[0-9]+|[0-9]+\.",
    "power": r"[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]{1,3}",
}
_PATTERNS = {name: re.compile(_SIGN + f"(?P<body>{form})") for name, form in _FORMS.items()}
_COULD_GROUP = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")


class Figure(NamedTuple):
    """One cell as a figure.

    Attributes
    ----------
    state : {"number", "missing", "unclear"}
    value : float
        NaN unless it is a number.
    decimals : int
        Digits after the decimal mark.
    marks : str
        Footnote marks behind it.
    """

    state: str
    value: float
    decimals: int
    marks: str


class Written(NamedTuple):
    """How a text is written, before it is known which decimal mark the table uses."""

    form: str
    sign: str
    body: str
    marks: str


MISSING = Figure("missing", math.nan, 0, "")
UNCLEAR = Figure("unclear", math.nan, 0, "")


def is_blank(cell: object) -> bool:
    """Whether a cell holds nothing."""
    if cell is None or cell == "":
        return True
    if isinstance(cell, str):
        # Most texts show with their first sign that they hold something.
        return not cell[0].isalnum() and not cell.strip(
            "\ufeff\u200b \t\r\n\u00a0\u202f\u2009\u2007"
        )
    return isinstance(cell, float) and math.isnan(cell)


@lru_cache(maxsize=65536)
def written(text: str) -> Written | None:
    """Return the form of a text that is a number in one of the usual forms, else None."""
    plain, marks = unmarked(text)
    for name, pattern in _PATTERNS.items():
        found = pattern.fullmatch(plain)
        if found:
            return Written(name, found["sign"], found["body"], marks)
    return None


@lru_cache(maxsize=65536)
def is_missing(text: str) -> bool:
    """Whether a text says that a figure is missing."""
    return meaning("missing", unmarked(text)[0]) is not None


def looks_like_figure(cell: object) -> bool:
    """Whether a cell is a number, or a word for a missing one."""
    if isinstance(cell, str):
        return written(cell) is not None or is_missing(cell)
    return isinstance(cell, (int, float)) and not isinstance(cell, bool)


def could_group(text: str) -> bool:
    """Whether a text is one to three digits, a mark and three digits, as 1,234 or 1.234."""
    found = written(text)
    return found is not None and _COULD_GROUP.fullmatch(found.body) is not None


class Convention(NamedTuple):
    """Which mark stands before decimals in a table, and how that is known.

    Attributes
    ----------
    decimal : {".", ",", ""}
        Empty: no figure has a mark, or the figures do not say.
    unclear : str
        A figure that can be read in two ways; empty if there is none.
    clash : tuple of str
        Two figures that contradict each other.
    """

    decimal: str
    reason: str
    unclear: str
    clash: tuple[str, ...]


def convention(texts: Iterable[str], given: str | None = None, hint: str = "") -> Convention:
    """Find the decimal mark of a table from all its figures.

    Parameters
    ----------
    texts : iterable of str
        The cells that hold figures.
    given : {".", ","}, optional
        What the reader was told.
    hint : {"", ".", ","}
        What the format suggests; it decides only where the figures leave it open.
    """
    evidence, unsure, smallest_plain, largest_plain = _written_marks(texts)
    if given:
        return Convention(given, "as told", "", ())
    if len(evidence) == 2:
        return Convention("", "", "", (evidence["."], evidence[","]))
    if evidence:
        (mark, text), *_ = evidence.items()
        return Convention(mark, f"as in {text.strip()!r}", "", ())
    if len(unsure) == 2:
        return Convention("", "", "", (unsure["."], unsure[","]))
    if not unsure:
        return Convention("", "no figure has decimals", "", ())
    (mark, text), *_ = unsure.items()
    other = "," if mark == "." else "."
    if 0 < smallest_plain < 1000 and largest_plain < 1000:
        # Written with three decimals, a whole number would show them too.
        return Convention(other, f"{text.strip()!r} groups digits, as 1–999 stand without", "", ())
    if hint:
        return Convention(hint, "the mark that goes with the format", text.strip(), ())
    return Convention("", "", text.strip(), ())


def _written_marks(texts: Iterable[str]) -> tuple[dict[str, str], dict[str, str], float, float]:
    """Return figures that show a decimal mark, those that may, and the range of plain ones."""
    evidence: dict[str, str] = {}
    unsure: dict[str, str] = {}
    smallest_plain, largest_plain = math.inf, 0.0
    for text in texts:
        found = written(text)
        if found is None:
            continue
        body = found.body
        if found.form == "digits":
            if len(body) < 12:
                smallest_plain = min(smallest_plain, int(body))
                largest_plain = max(largest_plain, int(body))
        elif found.form == "grouped by spaces":
            mark = next((sign for sign in ".," if sign in body), "")
            if mark:
                evidence.setdefault(mark, text)
        elif found.form == "commas and point":
            evidence.setdefault(".", text)
        elif found.form == "points and comma":
            evidence.setdefault(",", text)
        elif found.form in ("one comma", "one point"):
            mark = "," if found.form == "one comma" else "."
            if _COULD_GROUP.fullmatch(body):
                unsure.setdefault(mark, text)
            else:
                evidence.setdefault(mark, text)
    return evidence, unsure, smallest_plain, largest_plain


def figure(cell: object, decimal: str = ".") -> Figure:
    """Return a cell as a figure, with the decimal mark of its table.

    Parameters
    ----------
    cell : object
        As a file has it: text, a number of the workbook, a day, or nothing.
    decimal : {".", ","}
        Decimal mark of the table, see `convention`; it says nothing of cells that are numbers.

    Returns
    -------
    Figure
        ``unclear`` where the cell holds something else than a number.
    """
    if is_blank(cell):
        return MISSING
    if isinstance(cell, str):
        return _from_text(cell, decimal)
    if isinstance(cell, (bool, complex, dt.date, dt.time, dt.timedelta)):
        return UNCLEAR
    if isinstance(cell, (int, float)):
        try:
            value = float(cell)
        except OverflowError:
            value = math.inf
        return Figure("number", value, _decimals(value), "")
    return UNCLEAR


def _from_text(text: str, decimal: str) -> Figure:
    found = written(text)
    if found is None:
        return MISSING if is_missing(text) else UNCLEAR
    body = found.body.replace(" ", "")
    group = "," if decimal == "." else "."
    if found.form in ("one comma", "one point") and group in body:
        if not _COULD_GROUP.fullmatch(body):
            return UNCLEAR
        body = body.replace(group, "")
    elif found.form in ("commas and point", "points and comma"):
        if body.count(decimal) > 1 or decimal in body.split(group)[0]:
            return UNCLEAR
        body = body.replace(group, "")
    elif found.form == "grouped by spaces" and group in body:
        return UNCLEAR
    body = body.replace(decimal, ".")
    value = float(body)
    decimals = len(body.partition(".")[2]) if found.form != "power" else 0
    negative = found.sign in {"-", "−", "–"}
    return Figure("number", -value if negative else value, decimals, found.marks)


def _decimals(value: float) -> int:
    """Return how many decimals a stored number shows, up to six."""
    if not math.isfinite(value):
        return 0
    text = f"{value:.6f}".rstrip("0")
    return len(text.partition(".")[2])


#: A table of yearly series is small; what is larger is something else, or meant to harm.
LARGEST_FILE = 32 * 1024 * 1024
MOST_CELLS = 1_500_000
MOST_ROWS = 200_000
MOST_FIGURES = 200_000
#: After so many rows with a problem the rest of a table is not looked at.
MOST_PROBLEMS = 1_000
MOST_COLUMNS = 2_000


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file.

    Attributes
    ----------
    number : int
        Its number in the file, from 1 (of the last line, where a quoted cell spans several).
    cells : tuple
        Text, numbers, dates or None.
    filled : tuple of int
        Positions of the cells that hold something.
    """

    number: int
    cells: tuple[object, ...]
    filled: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        held = tuple([at for at, cell in enumerate(self.cells) if not is_blank(cell)])
        object.__setattr__(self, "filled", held)

    @property
    def texts(self) -> list[str]:
        """The cells that hold something, as texts."""
        return [spaced(str(self.cells[at])) for at in self.filled]

    def cell(self, column: int) -> object:
        """Return one cell; None behind the last one."""
        return self.cells[column] if column < len(self.cells) else None


@dataclass(frozen=True, slots=True)
class Grid:
    """All rows of one table.

    Attributes
    ----------
    kind : {"CSV", "XLSX", "Parquet"}
    lines : tuple of Line
        Every row of the file, the empty ones too.
    encoding, delimiter, sheet : str
        Empty where they mean nothing.
    remarks : tuple of str
        What was ignored in the file, or found out about it.
    broken : dict of (int, int) to str
        Cells that cannot be used, by row number and column, with the reason.
    flags : dict of (int, int) to tuple of str
        Flags that stood beside the figure in its cell, by row number and column.
    keys : int
        Columns before the years in Eurostat's files of one row a series; else 0.
    """

    kind: str
    lines: tuple[Line, ...]
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    remarks: tuple[str, ...] = ()
    broken: dict[tuple[int, int], str] = field(default_factory=dict)
    flags: dict[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)
    keys: int = 0

    def where(self, line: Line) -> str:
        """Return what a row is called in messages."""
        return f"{'line' if self.kind == 'CSV' else 'row'} {line.number}"


class Budget:
    """Counts rows and cells while a file is read, and stops when there are too many."""

    def __init__(self) -> None:
        self.cells = 0
        self.rows = 0

    def take(self, cells: int) -> None:
        """Count one row.

        Raises
        ------
        DataError
            If the table is larger than any table of yearly series.
        """
        self.rows += 1
        self.cells += cells
        if cells > MOST_COLUMNS:
            raise DataError(
                f"a row has {cells:,} cells; a table of yearly series needs no more than "
                f"{MOST_COLUMNS:,} columns. Keep the columns that are wanted."
            )
        if self.cells > MOST_CELLS or self.rows > MOST_ROWS:
            raise DataError(
                f"the table has more than {MOST_ROWS:,} rows or {MOST_CELLS:,} cells. "
                "Keep the series that are wanted, and leave out the rest."
            )
