"""Files to cells: what kind a file is, which sheet holds the table, and the cells of Parquet."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.data.tables import pairs, text
from forecast.data.tables.cells import LARGEST_FILE, MOST_CELLS, MOST_COLUMNS, MOST_ROWS, Grid, Line
from forecast.data.tables.words import year
from forecast.errors import DataError
from forecast.validation import clean

if TYPE_CHECKING:
    from forecast.data.tables.workbook import Book

_ENDINGS = {".csv": "CSV", ".txt": "CSV", ".tsv": "CSV", ".xlsx": "XLSX", ".parquet": "Parquet"}
#: First bytes of formats that are often saved under a wrong name.
_SIGNATURES = {
    b"PK\x03\x04": "XLSX",
    b"PAR1": "Parquet",
    b"%PDF": "PDF",
    b"\xd0\xcf\x11\xe0": "XLS (Excel 97–2003)",
    b"\x1f\x8b": "gzip",
}

_LARGEST_PARQUET = 128 * 1024 * 1024


def content_of(file: Path) -> tuple[bytes, str]:
    """Return the bytes of a file and its kind: CSV, XLSX or Parquet.

    Raises
    ------
    DataError
        If it is not there, empty, too large, or not what its name says.
    """
    if not file.exists():
        raise DataError(f"there is no file {file}. Check the name and the folder.")
    if file.is_dir():
        raise DataError(f"{file} is a folder. Give one file.")
    if not file.is_file():
        raise DataError(f"{file} is a device or a pipe. Give one file.")
    named = _ENDINGS.get(file.suffix.lower())
    if (size := file.stat().st_size) > LARGEST_FILE:
        raise DataError(
            f"{file.name}: the file has {size / 1024**2:,.0f} MB; tables of up to "
            f"{LARGEST_FILE // 1024**2} MB are read. Keep the series that are wanted, and "
            "leave out the rest."
        )
    content = file.read_bytes()
    if not content.strip():
        raise DataError(f"{file} is empty. Give a table with a header and at least one row.")
    if file.suffix.lower() in {".xlsm", ".xltm", ".xlsb"}:
        raise DataError(
            f"{file.name}: a workbook with macros is not opened. Save it as XLSX, without them."
        )
    if named is None:
        raise DataError(
            f"{file.name}: cannot read files that end in {file.suffix!r}. "
            f"Save it as one of {', '.join(sorted(_ENDINGS))}."
        )
    found = next((kind for start, kind in _SIGNATURES.items() if content.startswith(start)), "CSV")
    if found != named:
        described = "text" if found == "CSV" else found
        raise DataError(
            f"{file.name}: the name says {named}, the content is {described}. "
            "Rename the file after its content, or save it again in the format it is named for."
        )
    return content, named


def grid_of(
    content: bytes, kind: str, sheet: str | int | None, is_table: Callable[[Grid], bool]
) -> Grid:
    """Return the cells of a file.

    Parameters
    ----------
    kind : {"CSV", "XLSX", "Parquet"}
    sheet : str, int or None
        Sheet of a workbook; None takes the only one that holds a table, and stops where
        several do.
    is_table : callable
        Whether a sheet holds a table.

    Raises
    ------
    DataError
    """
    if kind == "XLSX":
        return _sheet(content, sheet, is_table)
    if isinstance(sheet, str):
        raise DataError(f"there is no sheet {sheet!r}; a {kind} file has none.")
    return text.read(content) if kind == "CSV" else _parquet(content)


def _sheet(content: bytes, sheet: str | int | None, is_table: Callable[[Grid], bool]) -> Grid:
    from forecast.data.tables.workbook import Book

    with closing(Book(content)) as book:
        names = book.names
        if sheet is not None:
            numbered = isinstance(sheet, int) and not isinstance(sheet, bool)
            if sheet not in names and not (numbered and 0 <= int(sheet) < len(names)):
                raise DataError(
                    f"there is no sheet {sheet!r}; the workbook has {', '.join(names)}."
                )
            name = sheet if isinstance(sheet, str) else names[int(sheet)]
            return _noted(book.grid(name), [other for other in names if other != name])
        visible = [name for name in book.names if name not in book.hidden]
        if len(visible) > 1 and all(year(name) for name in visible):
            matrices = pairs.joined([book.grid(name) for name in visible])
            if matrices is not None:
                return matrices
        chosen = _only_table(book, is_table)
    if not any(line.filled for line in chosen.lines):
        raise DataError("the sheet is empty. Give a table with a header and at least one row.")
    return _noted(chosen, [name for name in names if name != chosen.sheet])


def _only_table(book: Book, is_table: Callable[[Grid], bool]) -> Grid:
    """Return the only sheet that holds a table, the first sheet if none does; refuse several.

    Hidden sheets are left out where others are visible: nobody means what they cannot see.
    """
    names = [name for name in book.names if name not in book.hidden] or book.names
    chosen = first = book.grid(names[0])
    found = [names[0]] if len(names) == 1 or is_table(first) else []
    for name in names[1:]:
        try:
            other = book.grid(name)
        except DataError:
            # One that cannot be read is said to be unread, and does not bar a table beside it.
            if found:
                continue
            raise
        if is_table(other):
            chosen = chosen if found else other
            found.append(name)
    if len(found) > 1:
        listed = " and ".join([", ".join(map(repr, found[:-1])), repr(found[-1])])
        raise DataError(
            f"the sheets {listed} hold a table of figures each. Say which one is meant, such as "
            f"sheet={found[0]!r} (forecast data check FILE --sheet {found[0]!r} --out tidy.csv)."
        )
    return chosen


def _noted(grid: Grid, others: list[str]) -> Grid:
    if not others:
        return grid
    return replace(grid, remarks=(*grid.remarks, f"sheets not read: {', '.join(others)}"))


def _parquet(content: bytes) -> Grid:
    """Return the cells of a Parquet file; row 0 holds the names of the columns."""
    from pyarrow import ArrowException, parquet

    try:
        file = parquet.ParquetFile(io.BytesIO(content))
        about = file.metadata
        size = sum(about.row_group(at).total_byte_size for at in range(about.num_row_groups))
        if (
            about.num_rows > MOST_ROWS
            or about.num_rows * about.num_columns > MOST_CELLS
            or size > _LARGEST_PARQUET
        ):
            raise DataError(
                f"the file has {about.num_rows:,} rows, {about.num_columns:,} columns and unpacks "
                f"to {size / 1024**2:,.0f} MB; more than a table of yearly series needs. "
                "Keep the series that are wanted, and leave out the rest."
            )
        if about.num_columns > MOST_COLUMNS:
            raise DataError(
                f"the file has {about.num_columns:,} columns; a table of yearly series needs no "
                f"more than {MOST_COLUMNS:,}. Keep the columns that are wanted."
            )
        columns = [about.schema.column(at) for at in range(about.num_columns)]
        nested = [c.path for c in columns if c.max_repetition_level > 0 or "." in c.path]
        if nested:
            raise DataError(
                f"the column {nested[0][:60]!r} holds lists or tables in its cells. Give one "
                "figure a cell, as a flat table."
            )
        texts = [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]
        # A long text repeated in every row stays one text.
        table = parquet.read_table(io.BytesIO(content), read_dictionary=texts).to_pandas()
    except DataError:
        raise
    except (ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        reason = (str(error).splitlines() or [""])[0][:120]
        raise DataError(f"this is not a readable Parquet file ({reason}). Save it again.") from None
    cells = [table[name].astype(object) for name in table.columns]
    lines = [Line(0, tuple(clean(str(name)).strip() for name in table.columns))]
    for number, row in enumerate(zip(*cells), start=1):
        lines.append(Line(number, tuple(map(_plain, row))))
    return Grid("Parquet", tuple(lines))


def _plain(cell: Any) -> object:
    """Return a Python object instead of one of NumPy or pandas, text without steering signs."""
    import pandas as pd

    if isinstance(cell, str):
        return clean(cell)
    if hasattr(cell, "__len__"):
        return cell
    if pd.isna(cell):
        return None
    return cell.item() if hasattr(cell, "item") else cell
