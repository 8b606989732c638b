"""CSV to cells: encoding and delimiter are found out, never asked for."""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import replace
from itertools import islice

from forecast.data.tables.cells import Budget, Grid, Line, is_blank
from forecast.data.tables.sdmx import eurostat_flags
from forecast.errors import DataError
from forecast.validation import clean

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with a byte order mark"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
#: Code pages that are not read, as one cannot be sure, but named in the message.
_OTHERS = (("koi8-r", "KOI8-R"), ("cp866", "CP866 (DOS)"))
_DELIMITERS = ",;\t|"
_STATED = re.compile(r"\ufeff?sep=(.)\r?\n?$", re.IGNORECASE)
#: Letters that Russian, Kyrgyz, Kazakh and Uzbek text is made of, and what stands between them.
_USUAL = re.compile(r"[\w\s.,;:!?()\[\]\"'«»„“”‘’№%/+*=&#@<>–—…-]", re.UNICODE)
#: First heading of Eurostat's bulk files: names of keys, and what stands across.
_BULK = re.compile(r"[A-Za-z_]+(?:,[A-Za-z_]+)+\\[A-Za-z_]+")
_CYRILLIC = re.compile(r"[А-Яа-яЁё]")
_WORD = re.compile(r"[А-Яа-яЁё]{3,}")


def read(content: bytes) -> Grid:
    """Return the cells of a CSV file.

    Raises
    ------
    DataError
        If the bytes are no text, or quotation marks do not pair.
    """
    text, encoding = _decoded(content)
    remarks = []
    if encoding.startswith("CP1251"):
        remarks.append("the text is not UTF-8; read as CP1251 (Windows, Cyrillic)")
    first = text.split("\n", 1)[0]
    stated = _STATED.match(first + "\n")
    delimiter = stated[1] if stated else _delimiter(text)
    if _BULK.fullmatch(first.split("\t")[0].strip()):
        delimiter = "\t"
    steering = clean(text) != text
    if steering:
        remarks.append("signs that steer terminals or the direction of writing were taken out")
    budget = Budget()
    lines: list[Line] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for record in reader:
            budget.take(len(record))
            lines.append(
                Line(reader.line_num, tuple(map(clean, record)) if steering else tuple(record))
            )
    except csv.Error as error:
        raise DataError(
            f"line {reader.line_num}: {error}. Check the quotation marks there."
        ) from None
    if stated:
        lines[0] = Line(lines[0].number, ())
        remarks.append(f"the first line states the delimiter {delimiter!r}")
    grid = Grid("CSV", tuple(lines), encoding, delimiter, remarks=tuple(remarks))
    first_cell = lines[0].cell(0) if lines else None
    if isinstance(first_cell, str) and _BULK.fullmatch(first_cell.strip()):
        return _bulk(grid)
    return grid


def _bulk(grid: Grid) -> Grid:
    """Return the grid of Eurostat's bulk file, keys and flags in cells of their own.

    The keys of a row stand in its first cell, divided by commas; flags behind each figure.
    """
    keys = len(str(grid.lines[0].cell(0)).split(","))
    lines, flags, broken = [], {}, {}
    for line in grid.lines:
        cells: list[object] = list(str(line.cell(0) or "").split(",")) if line.cells else []
        cells += [""] * (keys - len(cells)) if cells else []
        for cell in line.cells[1:]:
            figure, _, letters = str(cell).strip().partition(" ")
            place = (line.number, len(cells))
            marks = eurostat_flags(letters) if line is not grid.lines[0] else ()
            if figure == ":":
                letters = ""
            elif marks is None:
                broken[place] = f"the flag {letters!r}, which marks no observation"
            elif marks:
                flags[place] = marks
            cells.append(figure if marks != () or letters.isalpha() else str(cell).strip())
        lines.append(Line(line.number, tuple(cells)))
    first = list(lines[0].cells)
    first[keys - 1] = str(first[keys - 1]).split("\\")[0]
    lines[0] = Line(lines[0].number, tuple(first))
    remark = "the layout is Eurostat's, with keys and flags in the cells of the series"
    return replace(
        grid, lines=tuple(lines), remarks=(*grid.remarks, remark), flags=flags, broken=broken,
        keys=keys,
    )  # fmt: skip


def _decoded(content: bytes) -> tuple[str, str]:
    for mark, codec, called in _MARKS:
        if content.startswith(mark):
            try:
                return _text(content.decode(codec).removeprefix("\ufeff")), called
            except UnicodeDecodeError as error:
                raise DataError(
                    f"the file starts like {called}, but byte {error.start} does not fit. "
                    "Save the table as CSV UTF-8."
                ) from None
    if content[:4096].count(0) > len(content[:4096]) // 4:
        for codec in ("utf-16-le", "utf-16-be"):
            try:
                text = content.decode(codec)
            except UnicodeDecodeError:
                continue
            if "\x00" not in text and any(sign in text for sign in _DELIMITERS):
                return _text(text), f"{codec.upper()} without a byte order mark"
    try:
        return _text(content.decode("utf-8")), "UTF-8"
    except UnicodeDecodeError as error:
        cyrillic = _cyrillic(content, "cp1251")
        if cyrillic is not None:
            return _text(cyrillic), "CP1251"
        raise _unknown_encoding(content, error.start) from None


def _unknown_encoding(content: bytes, start: int) -> DataError:
    """Return what to say of a text whose first foreign byte stands at `start`."""
    line = content[:start].count(b"\n") + 1
    # All these code pages keep ASCII, so a foreign word ends where an ASCII sign stands.
    foreign = re.match(rb"[\x80-\xff]{1,40}", content[start:])
    word = foreign[0] if foreign else b""
    shown = word.decode("cp1251", errors="replace")
    for codec, called in _OTHERS:
        read = _cyrillic(content, codec)
        if read is not None and _WORD.search(read):
            return DataError(
                f"line {line}: the text is not UTF-8, and as CP1251 reads {shown!r}. It looks like "
                f"{called} ({word.decode(codec)!r}); open it so, and save it as CSV UTF-8."
            )
    return DataError(
        f"line {line}: the text is not UTF-8, and as CP1251 reads {shown!r}, which is no word. "
        "Save the table as CSV UTF-8."
    )


def _cyrillic(content: bytes, codec: str) -> str | None:
    """Return the text in a code page if it then reads like words of Cyrillic letters."""
    try:
        text = content.decode(codec)
    except UnicodeDecodeError:
        return None
    foreign = [sign for sign in text if ord(sign) > 127]
    letters = [sign for sign in foreign if _CYRILLIC.match(sign)]
    unusual = [sign for sign in foreign if not _USUAL.match(sign) and sign != "\u00a0"]
    small = sum(sign.islower() for sign in letters)
    # A wrong code page, such as KOI8-R read as CP1251, mixes capitals and signs into the words.
    words = _WORD.findall(text)
    shaped = sum(word.islower() or word.istitle() or word.isupper() for word in words)
    if not letters and all(sign in "\u00a0–—…«»№" for sign in foreign):
        return text
    good = letters and not unusual and (not words or shaped >= 0.9 * len(words))
    return text if good and (small >= 0.5 * len(letters) or len(letters) < 20) else None


def _text(text: str) -> str:
    if "\x00" in text:
        raise DataError("the file holds NUL bytes, so it is not text. Save it as CSV UTF-8.")
    return text


def _delimiter(text: str) -> str:
    """Return the sign that splits the most lines into the same number of cells."""
    lines = io.StringIO(text[:65536], newline=None)
    sample = list(islice((line[:4096] for line in lines if not is_blank(line)), 60))
    best, best_score = ",", (0.0, 0)
    for sign in _DELIMITERS:
        try:
            widths = [len(record) for record in csv.reader(sample, delimiter=sign)]
        except csv.Error:
            continue
        split = [width for width in widths if width > 1]
        if not split:
            continue
        usual = max(set(split), key=split.count)
        # The heading is split by the same sign; a decimal comma splits figures only.
        score = (split.count(usual) / len(widths), usual)
        if score > best_score:
            best, best_score = sign, score
    return best
