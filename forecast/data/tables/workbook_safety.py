"""What a workbook may hold: sizes and XML are checked, by content, before anything is read."""

from __future__ import annotations

import posixpath
import zipfile
from xml.parsers import expat

from forecast.errors import DataError

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
