"""XLSX to cells: sizes are checked before anything is parsed, formulas are never computed."""

from __future__ import annotations

import io
import posixpath
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any
from xml.etree import ElementTree
from xml.parsers import expat

from forecast.data.tables.cells import Budget, Grid, Line
from forecast.errors import DataError
from forecast.validation import clean

#: Cells of all sheets that are looked through for the one with the table.
_MOST_SEARCHED = 500_000
#: What openpyxl lets through when a workbook is cut off or altered.
DAMAGED = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError,
    # Errors of the standard parser and, where it is installed, of lxml.
    SyntaxError, expat.ExpatError,
    LookupError, ValueError, TypeError, AttributeError, OverflowError, RuntimeError,
    AssertionError,
)  # fmt: skip


class Book:
    """An XLSX workbook that has passed the size checks.

    Raises
    ------
    DataError
        If it is damaged, encrypted, or unpacks to more than a table can need.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.remarks: list[str] = []
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                self.remarks += inspect(archive)
        except DataError:
            raise
        except DAMAGED as error:
            raise _unreadable(error) from None
        from openpyxl import load_workbook
        from openpyxl.utils.exceptions import InvalidFileException

        try:
            with _quiet(self.remarks):
                self._book: Any = load_workbook(
                    io.BytesIO(content), read_only=True, data_only=True, keep_links=False
                )
        except (*DAMAGED, InvalidFileException) as error:
            raise _unreadable(error) from None
        self._searched = 0
        self.names = [str(page.title) for page in self._book.worksheets]
        self.hidden = {
            str(page.title) for page in self._book.worksheets if page.sheet_state != "visible"
        }
        if not self.names:
            raise DataError("the workbook has no sheet with cells. Save the table as XLSX again.")

    def grid(self, name: str) -> Grid:
        """Return the cells of one sheet: values as last computed by the office program.

        Raises
        ------
        DataError
            If the sheet is damaged or too large.
        """
        page = self._book[name]
        budget = Budget()
        lines: list[Line] = []
        try:
            with _quiet(self.remarks):
                page.reset_dimensions()
                for number, row in enumerate(page.iter_rows(values_only=True), start=1):
                    cells = _trimmed(row)
                    budget.take(len(cells))
                    lines.append(Line(number, cells))
                formulas = self._formulas(name)
        except DataError:
            raise
        except DAMAGED as error:
            raise DataError(
                f"sheet {name!r} is damaged ({_said(error)}). Save the workbook again as XLSX."
            ) from None
        self._searched += budget.cells
        if self._searched > max(_MOST_SEARCHED, budget.cells):
            raise DataError(
                f"the sheets hold more than {_MOST_SEARCHED:,} cells together. Say which one is "
                f"meant, such as sheet={name!r}."
            )
        lacking = (
            "a formula without a stored result. Open the workbook, let it compute, and save it "
            "again"
        )
        broken = {at: lacking for at, has_value in formulas.items() if not has_value}
        remarks = list(self.remarks)
        if computed := sum(formulas.values()):
            remarks.append(f"{computed} formulas: their last stored results were read")
        for line in lines:
            for column, cell in enumerate(line.cells):
                text = cell if isinstance(cell, str) else ""
                if text.startswith("#") and text.rstrip("!?/A0").isupper():
                    broken[line.number, column] = f"the error {text} of a formula"
        rows = {row for row, _ in broken}
        while lines and not lines[-1].filled and lines[-1].number not in rows:
            lines.pop()
        return Grid("XLSX", tuple(lines), sheet=name, remarks=tuple(remarks), broken=broken)

    def _formulas(self, name: str) -> dict[tuple[int, int], bool]:
        """Return the cells with a formula and whether a result is stored, by row and column."""
        path = self._book[name]._worksheet_path
        with zipfile.ZipFile(io.BytesIO(self._content)) as archive:
            known = archive.namelist()
            part = path if path in known else posixpath.join("xl", path)
            if part not in known:
                return {}
            with archive.open(part) as sheet:
                return _formulas(sheet)

    def close(self) -> None:
        """Release the workbook."""
        self._book.close()


def _trimmed(row: Sequence[object]) -> tuple[object, ...]:
    """Return the cells of a row up to the last one that holds something."""
    width = len(row)
    while width and row[width - 1] is None:
        width -= 1
    return tuple(clean(cell) if isinstance(cell, str) else cell for cell in row[:width])


@contextmanager
def _quiet(remarks: list[str]) -> Iterator[None]:
    """Turn warnings about parts that are not understood into remarks."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for one in caught:
        said = f"the workbook is not quite in order: {_said(one.message)}"
        if said not in remarks:
            remarks.append(said)


def _formulas(sheet: IO[bytes]) -> dict[tuple[int, int], bool]:
    """Find the cells with a formula in the XML of a sheet, which `inspect` has passed."""
    from openpyxl.utils import column_index_from_string

    found: dict[tuple[int, int], bool] = {}
    row = column = 0
    for event, element in ElementTree.iterparse(sheet, ("start", "end")):  # noqa: S314
        tag = element.tag.rpartition("}")[2]
        if event == "start" and tag == "row":
            row, column = int(element.get("r", row + 1)), 0
        elif event == "start" and tag == "c":
            column += 1
            if placed := re.match(r"([A-Z]{1,3})([0-9]+)", element.get("r", "")):
                row, column = int(placed[2]), column_index_from_string(placed[1])
        elif event == "end" and tag == "c":
            inside = [(one.tag.rpartition("}")[2], one.text or "") for one in element.iter()]
            if any(name == "f" for name, _ in inside):
                held = any(name in {"v", "t"} and text.strip() for name, text in inside)
                found[row, column - 1] = held
            element.clear()
    return found


def _said(error: object) -> str:
    """Return the first line of a message, shortened; the kind of error where it says nothing."""
    text = str(error) or type(error).__name__
    return (text.strip().splitlines() or ["unknown"])[0][:120]


def _unreadable(error: BaseException) -> DataError:
    return DataError(
        f"this is not a readable XLSX workbook ({_said(error)}). Save it again as XLSX."
    )


#: Unpacked sizes in bytes, entries, and how much smaller than its content an entry may be.
_LARGEST_PART, _LARGEST_BOOK = 24 * 1024 * 1024, 48 * 1024 * 1024
_MOST_PARTS, _LARGEST_RATIO = 2000, 400
#: Elements of one part; a cell has two or three.
_MOST_ELEMENTS, _MOST_IN_ALL = 350_000, 2_000_000
#: Bytes from which it is seen whether a part is XML.
_SNIFFED = 4096


def inspect(archive: zipfile.ZipFile) -> list[str]:
    """Check the sizes and the XML of a workbook before anything of it is read.

    Returns
    -------
    list of str
        What it holds that is ignored: macros, links to other files.

    Raises
    ------
    DataError
        If it is encrypted, defines entities, or unpacks to more than a table can need.
    """
    remarks = []
    parts = archive.infolist()
    if len(parts) > _MOST_PARTS:
        raise _bomb(f"it holds {len(parts):,} parts")
    total = sum(part.file_size for part in parts)
    if total > _LARGEST_BOOK:
        raise _bomb(f"it unpacks to {total / 1024**2:,.0f} MB")
    names = {part.filename for part in parts}
    elements = 0
    for part in parts:
        if part.flag_bits & 1:
            raise DataError("the workbook is encrypted. Save it without a password.")
        if part.file_size > _LARGEST_PART:
            raise _bomb(f"{part.filename} unpacks to {part.file_size / 1024**2:,.0f} MB")
        ratio = part.file_size / max(part.compress_size, 1)
        if part.file_size > 1024**2 and ratio > _LARGEST_RATIO:
            raise _bomb(f"{part.filename} unpacks to {ratio:,.0f} times its size")
        elements = _count(archive, part, elements)
    if any("vbaProject" in name or (name.endswith(".bin") and "vba" in name) for name in names):
        remarks.append("the workbook holds macros; they were not run")
    if any(name.startswith("xl/externalLinks/") for name in names):
        remarks.append("the workbook links to other files; the links were not followed")
    return remarks


def _count(archive: zipfile.ZipFile, part: zipfile.ZipInfo, before: int) -> int:
    """Walk through one part if it is XML, whatever its name, and add up the elements.

    Raises
    ------
    DataError
        At a document type, or at too many elements in the part or in all of them.
    """
    with archive.open(part) as stream:
        start = stream.read(_SNIFFED)
        if not _is_xml(start):
            return before
        elements = 0
        sheets: set[str] = set()

        def element(tag: str, attributes: dict[str, str]) -> None:
            nonlocal elements
            elements += 1
            target = _sheet_target(tag.rpartition(":")[2], attributes)
            if target in sheets:
                raise _bomb("several of its sheets are one and the same part")
            sheets.update({target} if target else ())
            if elements > _MOST_ELEMENTS:
                raise _bomb(f"{part.filename} has more than {_MOST_ELEMENTS:,} elements")
            if before + elements > _MOST_IN_ALL:
                raise _bomb(f"its parts have more than {_MOST_IN_ALL:,} elements")

        def doctype(*_: object) -> None:
            raise DataError(
                f"{part.filename} defines XML entities of its own, which no office program "
                "writes. Save the workbook again as XLSX."
            )

        parser = expat.ParserCreate()
        parser.StartElementHandler = element
        parser.StartDoctypeDeclHandler = doctype
        parser.Parse(start, False)
        while chunk := stream.read(1 << 16):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    return before + elements


def _sheet_target(tag: str, attributes: dict[str, str]) -> str:
    """Return to which part an element leads, if it is an entry of a sheet; else nothing."""
    if tag == "Relationship" and attributes.get("Type", "").endswith("/worksheet"):
        return posixpath.normpath(attributes.get("Target", "")).lstrip("/").removeprefix("xl/")
    if tag == "sheet":
        return next((value for name, value in attributes.items() if name.endswith(":id")), "")
    return ""


def _is_xml(start: bytes) -> bool:
    """Whether content is XML by its first sign, in any encoding that parsers know."""
    bare = start.removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    return bare.lstrip(b" \t\r\n\x00")[:1] == b"<"


def _bomb(what: str) -> DataError:
    return DataError(
        f"the workbook is not a table of yearly series: {what}. "
        "Save the sheet that is wanted into a workbook of its own."
    )
