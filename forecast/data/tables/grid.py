"""Grid: the cells of one table as they stand in the file, before anything is understood."""

from __future__ import annotations

from dataclasses import dataclass, field

from forecast.data.tables.numbers import is_blank
from forecast.data.tables.words import spaced
from forecast.errors import DataError

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
