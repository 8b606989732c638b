"""Tables that people bring: CSV, XLSX or Parquet, tidy or with the years across."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from pathlib import Path
from xml.etree.ElementTree import ParseError

import pandas as pd

from forecast.errors import DataError
from forecast.panel import Panel

_ENDINGS = {".csv": "CSV", ".txt": "CSV", ".tsv": "CSV", ".xlsx": "XLSX", ".parquet": "Parquet"}
#: First bytes of formats that are often saved under a wrong name.
_SIGNATURES = {
    b"PK\x03\x04": "XLSX",
    b"PAR1": "Parquet",
    b"%PDF": "PDF",
    b"\xd0\xcf\x11\xe0": "XLS (Excel 97–2003)",
    b"\x1f\x8b": "gzip",
}
#: What openpyxl lets through when a workbook is cut off or altered.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    KeyError,
    ValueError,
    AttributeError,
    EOFError,
)
#: Cells that mean a missing figure.
_MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "-", "–", "—", "…", "...", ".."]


def read(
    path: str | Path,
    *,
    sheet: str | int = 0,
    source: str | None = None,
    measure: str | None = None,
) -> Panel:
    """Read a table of one's own into a Panel.

    Parameters
    ----------
    path : str or Path
        CSV (UTF-8; comma, semicolon or tab), XLSX or Parquet. Either tidy, with the
        columns ``location, measure, year, value`` and optionally ``source, population,
        as_of, flag, precision``; or Nixtla's ``unique_id, ds, y``; or with the years
        across: ``location``, optionally ``measure`` and ``source``, then one column a year.
        Values are persons per calendar year.
    sheet : str or int
        Sheet of an XLSX workbook, by name or number from 0.
    source, measure : str, optional
        Written into every row if the table has no such column.

    Returns
    -------
    Panel

    Raises
    ------
    DataError, UnknownNameError
        Naming the file, the line, the value and the remedy.

    Examples
    --------
    >>> panel = read("arrivals.csv", measure="immigration")  # doctest: +SKIP
    """
    file = Path(path)
    content = _bytes(file)
    kind = _kind(file, content)
    try:
        if kind == "CSV":
            table, lines = _from_csv(content)
        elif kind == "XLSX":
            table, lines = _from_xlsx(content, sheet)
        else:
            table = _from_parquet(content)
            lines = list(range(1, len(table) + 1))
        table.columns = [str(column).strip() for column in table.columns]
        table, lines = _years_down(table, lines)
        for column, given in (("source", source), ("measure", measure)):
            if given is None:
                continue
            if column in table:
                raise DataError(
                    f"the table has a column {column!r} of its own; leave out {column}={given!r}."
                )
            table[column] = given
        noun = "line" if kind == "CSV" else "row"
        return Panel.from_frame(table, rows=[f"{noun} {line}" for line in lines])
    except DataError as error:
        raise type(error)(f"{file.name}: {error}") from None
    except LookupError as error:
        raise type(error)(f"{file.name}: {error}") from None


def _bytes(file: Path) -> bytes:
    if not file.exists():
        raise DataError(f"there is no file {file}. Check the name and the folder.")
    if file.is_dir():
        raise DataError(f"{file} is a folder. Give one file.")
    if not file.is_file():
        raise DataError(f"{file} is a device or a pipe. Give one file.")
    content = file.read_bytes()
    if not content.strip():
        raise DataError(f"{file} is empty. Give a table with a header and at least one row.")
    return content


def _kind(file: Path, content: bytes) -> str:
    named = _ENDINGS.get(file.suffix.lower())
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
    return named


def _from_csv(content: bytes) -> tuple[pd.DataFrame, list[int]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(
            f"line {line}: the byte 0x{content[error.start]:02x} is not UTF-8. "
            "Save the table as CSV UTF-8."
        ) from None
    if "\x00" in text:
        raise DataError("the file holds NUL bytes, so it is not text. Save it as CSV UTF-8.")
    header = text.lstrip("\n\r").split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: list[str] | None = None
    records: list[list[str]] = []
    lines: list[int] = []
    try:
        for record in reader:
            if not any(cell.strip() for cell in record):
                continue
            if columns is None:
                columns = _header([cell.strip() for cell in record])
                continue
            if len(record) != len(columns):
                raise DataError(
                    f"line {reader.line_num} has {len(record)} cells, the header {len(columns)}: "
                    f"{delimiter.join(record)[:60]!r}. Add or remove cells so that they agree."
                )
            records.append([cell.strip() for cell in record])
            lines.append(reader.line_num)
    except csv.Error as error:
        raise DataError(
            f"line {reader.line_num}: {error}. Check the quotation marks there."
        ) from None
    return _without_missing(pd.DataFrame(records, columns=columns, dtype=object)), lines


def _from_xlsx(content: bytes, sheet: str | int) -> tuple[pd.DataFrame, list[int]]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (*_DAMAGED, InvalidFileException) as error:
        raise DataError(
            f"this is not a readable XLSX workbook ({error}). Save it again as XLSX."
        ) from None
    names = [page.title for page in book.worksheets]
    if sheet not in names and not (isinstance(sheet, int) and 0 <= sheet < len(names)):
        raise DataError(f"there is no sheet {sheet!r}; the workbook has {', '.join(names)}.")
    page = book[sheet if isinstance(sheet, str) else names[sheet]]
    try:
        numbered = [
            (number, list(row))
            for number, row in enumerate(page.iter_rows(values_only=True), start=1)
            if any(cell is not None and str(cell).strip() for cell in row)
        ]
    except _DAMAGED as error:
        raise DataError(
            f"sheet {page.title!r} is damaged ({error}). Save the workbook again as XLSX."
        ) from None
    finally:
        book.close()
    if not numbered:
        raise DataError("the sheet is empty. Give a table with a header and at least one row.")
    columns = ["" if cell is None else str(cell).strip() for cell in numbered[0][1]]
    width = max((i + 1 for i, name in enumerate(columns) if name), default=0)
    table = pd.DataFrame(
        [row[:width] for _, row in numbered[1:]], columns=_header(columns[:width]), dtype=object
    )
    return _without_missing(table), [number for number, _ in numbered[1:]]


def _from_parquet(content: bytes) -> pd.DataFrame:
    from pyarrow import ArrowException

    try:
        return pd.read_parquet(io.BytesIO(content))
    except (ArrowException, OSError) as error:
        raise DataError(
            f"this is not a readable Parquet file ({str(error).splitlines()[0]}). Save it again."
        ) from None


def _header(columns: list[str]) -> list[str]:
    seen: set[str] = set()
    for position, column in enumerate(columns, start=1):
        if not column:
            raise DataError(f"column {position} has no heading. Give it one, or remove the column.")
        if column in seen:
            raise DataError(
                f"the heading {column!r} occurs twice. Give each column its own heading."
            )
        seen.add(column)
    return columns


def _without_missing(table: pd.DataFrame) -> pd.DataFrame:
    """Make cells that say 'missing' empty; text columns keep theirs as text."""
    return table.mask(table.isin(_MISSING), None)


def _is_year(column: str) -> bool:
    return column.isdecimal() and len(column) == 4


def _years_down(table: pd.DataFrame, lines: list[int]) -> tuple[pd.DataFrame, list[int]]:
    """Turn a table with the years across into a tidy one; leave a tidy one as it is."""
    years = [column for column in table.columns if _is_year(column)]
    if not years:
        return table, lines
    if "year" in table or "value" in table:
        raise DataError(
            f"the table has a column {years[0]!r} and a column 'year' or 'value'. "
            "Give either one row per year or one column per year."
        )
    kept = [column for column in table.columns if column not in years]
    numbered = table.set_axis(range(len(table)))
    tidy = numbered.melt(
        id_vars=kept, value_vars=years, var_name="year", value_name="value", ignore_index=False
    )
    return tidy.reset_index(drop=True), [lines[position] for position in tidy.index]
