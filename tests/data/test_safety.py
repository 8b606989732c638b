"""Files that are meant to harm, or just too large: refused or ignored in time, with a reason."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import forecast as fc
from forecast.data.tables import understand
from forecast.errors import DataError

#: What the reader may take of any file.
SECONDS, MEGABYTES = 5.0, 500
ACROSS = [["Страна", 2022, 2023], ["Казахстан", 17425, 25387]]


def book(path: Path, rows: list[list[object]] | None = None) -> Path:
    from openpyxl import Workbook

    made = Workbook()
    sheet = made.active
    assert sheet is not None
    for row in ACROSS if rows is None else rows:
        sheet.append(row)
    made.save(path)
    return path


def repacked(path: Path, parts: dict[str, bytes]) -> Path:
    """Replace or add parts of a workbook."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content |= parts
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in content.items():
            archive.writestr(name, text)
    return path


def sheet(body: str) -> bytes:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>'.encode()


def bomb_of_zeros(path: Path) -> Path:
    """One part of 100 MB that packs to 100 kB."""
    book(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image1.xml", bytes(100 << 20))
    return path


def bomb_of_cells(path: Path) -> Path:
    """A million empty cells in one row, below the limits of sizes and of packing."""
    cells = "".join(f'<c s="{number * 7919 % 100_003}"/>' for number in range(1_000_000))
    return repacked(book(path), {"xl/worksheets/sheet1.xml": sheet(f"<row>{cells}</row>")})


def bomb_of_parts(path: Path) -> Path:
    book(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3000):
            archive.writestr(f"xl/other/{number}.xml", b"<a/>")
    return path


def bomb_of_entities(path: Path) -> Path:
    """A billion laughs."""
    lines = ['<!ENTITY a0 "ha">'] + [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)]
    text = f"<?xml version='1.0'?><!DOCTYPE x [{''.join(lines)}]><x>&a11;</x>"
    return repacked(book(path), {"xl/sharedStrings.xml": text.encode()})


def far_cell(path: Path) -> Path:
    """One figure in the last row and column that a sheet can have."""
    body = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    return repacked(book(path), {"xl/worksheets/sheet1.xml": sheet(body)})


def lying_size(path: Path) -> Path:
    """A directory that states 10 bytes for a part of 30 MB."""
    book(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/big.xml", b"<a>" + b" " * 30_000_000 + b"</a>")
    content = bytearray(path.read_bytes())
    true = (30_000_007).to_bytes(4, "little")
    at = content.rfind(true)
    while at >= 0:
        content[at : at + 4] = (10).to_bytes(4, "little")
        at = content.rfind(true)
    path.write_bytes(content)
    return path


def sparse(path: Path) -> Path:
    """A CSV file of 2 GB with nothing in it."""
    with path.open("wb") as stream:
        stream.write(b"location,measure,year,value\n")
        stream.truncate(2 * 1024**3)
    return path


def many_cells(path: Path) -> Path:
    """A CSV file below the limit of sizes, of commas."""
    path.write_bytes(b"location,2022\n" + (b"," * 999 + b"\n") * 30_000)
    return path


def long_parquet(path: Path) -> Path:
    """Ten million rows that pack to a few kilobytes."""
    import pyarrow as pa
    from pyarrow import parquet

    column = pa.array([2022] * 10_000_000, pa.int32())
    parquet.write_table(pa.table({"location": column, "2022": column}), path)
    return path


def nested_parquet(path: Path) -> Path:
    """Lists of lists in cells: a few kilobytes that unpack to gigabytes."""
    import pyarrow as pa
    from pyarrow import parquet

    cells = pa.array([[[1] * 2000] * 40] * 100, pa.list_(pa.list_(pa.int32())))
    parquet.write_table(pa.table({"location": ["KAZ"] * 100, "2022": cells}), path)
    return path


def struct_parquet(path: Path) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    cells = pa.array([{"in": 1, "out": 2}] * 10)
    parquet.write_table(pa.table({"location": ["KAZ"] * 10, "2022": cells}), path)
    return path


def wide_csv(path: Path) -> Path:
    """20,000 columns with headings of their own in one row."""
    heads = ",".join(f"c{at}" for at in range(20_000))
    path.write_text(f"{heads}\n{','.join('1' * 20_000)}\n", encoding="utf-8")
    return path


def wide_parquet(path: Path) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table({f"c{at}": [at] for at in range(3_000)}), path)
    return path


def unknown_names(path: Path) -> Path:
    """20,000 names that no place has, each with its nearest ones looked for."""
    rows = [f"Place{at * 7919 % 99_991:x}stan,immigration,2020,5" for at in range(20_000)]
    path.write_text("\n".join(["location,measure,year,value", *rows]), encoding="utf-8")
    return path


def renamed(path: Path, part: bytes) -> Path:
    """Move a sheet to a part whose name does not end in .xml."""
    with zipfile.ZipFile(book(path)) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content["xl/worksheets/sheet1.dat"] = part
    del content["xl/worksheets/sheet1.xml"]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in content.items():
            archive.writestr(name, text.replace(b"sheet1.xml", b"sheet1.dat"))
    return path


def renamed_cells(path: Path) -> Path:
    cells = "".join(f'<c s="{number * 7919 % 100_003}"/>' for number in range(1_000_000))
    return renamed(path, sheet(f"<row>{cells}</row>"))


def renamed_entities(path: Path) -> Path:
    lines = ['<!ENTITY a0 "ha">'] + [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)]
    return renamed(path, f"<?xml version='1.0'?><!DOCTYPE x [{''.join(lines)}]><x/>".encode())


def one_part(path: Path) -> Path:
    """Forty sheets that are one and the same part."""
    import re

    from openpyxl import Workbook

    made = Workbook()
    for _ in range(39):
        made.create_sheet()
    made.save(path)
    with zipfile.ZipFile(path) as archive:
        links = archive.read("xl/_rels/workbook.xml.rels")
    links = re.sub(rb"sheet[0-9]+\.xml", b"sheet1.xml", links)
    row = '<row><c><v>1</v></c><c t="str"><v>x</v></c></row>'
    return repacked(
        path,
        {"xl/_rels/workbook.xml.rels": links, "xl/worksheets/sheet1.xml": sheet(row * 60_000)},
    )


def many_sheets(path: Path) -> Path:
    """Sheets that are each below the limits, but not all together."""
    from openpyxl import Workbook

    made = Workbook()
    for _ in range(11):
        made.create_sheet()
    made.save(path)
    row = '<row><c><v>1</v></c><c t="str"><v>x</v></c></row>'
    part = sheet(row * 60_000)
    return repacked(path, {f"xl/worksheets/sheet{at}.xml": part for at in range(1, 13)})


HOSTILE = {
    "nested.parquet": (nested_parquet, "holds lists or tables in its cells"),
    "struct.parquet": (struct_parquet, "holds lists or tables in its cells"),
    "wide.parquet": (wide_parquet, "3,000 columns"),
    "wide.csv": (wide_csv, "20,000 cells"),
    "names.csv": (unknown_names, "read"),
    "renamed.xlsx": (renamed_cells, "elements"),
    "hidden-entities.xlsx": (renamed_entities, "entities"),
    "one-part.xlsx": (one_part, "one and the same part"),
    "sheets.xlsx": (many_sheets, "elements"),
    "zeros.xlsx": (bomb_of_zeros, "unpacks to"),
    "cells.xlsx": (bomb_of_cells, "elements"),
    "parts.xlsx": (bomb_of_parts, "parts"),
    "entities.xlsx": (bomb_of_entities, "entities"),
    "far.xlsx": (far_cell, "rows or"),
    "lying.xlsx": (lying_size, "not a readable XLSX"),
    "sparse.csv": (sparse, "2,048 MB"),
    "commas.csv": (many_cells, "rows or"),
    "rows.parquet": (long_parquet, "10,000,000 rows"),
}
#: Reads each file that it is given the path of, in a process of its own; libraries are loaded once.
READER = f"""
import json, os, resource, sys, time
import forecast as fc
from forecast.data.tables import understand
from forecast.errors import ForecastError

def read(path):
    resource.setrlimit(resource.RLIMIT_DATA, ({MEGABYTES} << 20, {MEGABYTES} << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    started = time.process_time()
    try:
        understand(path)
        said = "read"
    except ForecastError as error:
        said = str(error)
    spent = time.process_time() - started
    # What getrusage reports includes the parent's memory at the time of the fork.
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    peak = int(status["VmHWM"].split()[0]) / 1024
    return {{"said": said, "seconds": spent, "megabytes": peak}}

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        try:
            answer = read(line.removesuffix("\\n"))
        except BaseException as error:
            answer = {{"said": "failed: " + repr(error)}}
        print(json.dumps(answer), flush=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        print(json.dumps({{"said": f"died: {{status}}"}}), flush=True)
"""
Reader = Callable[[Path], dict[str, Any]]


@pytest.fixture(scope="module")
def read_apart() -> Iterator[Reader]:
    """Read a file in a process of its own with a limit on memory; return what it said and took."""
    command = [sys.executable, "-W", "ignore", "-c", READER]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        given, answers = process.stdin, process.stdout

        def read(path: Path) -> dict[str, Any]:
            print(path, file=given, flush=True)
            answer: dict[str, Any] = json.loads(answers.readline())
            return answer

        yield read
        given.close()


#: Those that take seconds; the others have the same limits.
_LONG = ("nested.parquet", "names.csv")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.thorough if name in _LONG else ()) for name in HOSTILE],
)
def test_hostile_files_are_refused_in_time_and_memory(
    tmp_path: Path, read_apart: Reader, name: str
) -> None:
    make, reason = HOSTILE[name]
    answer = read_apart(make(tmp_path / name))
    assert reason in str(answer["said"]), answer
    assert "\n" not in str(answer["said"])
    assert float(str(answer["seconds"])) < SECONDS, answer
    assert float(str(answer["megabytes"])) < MEGABYTES, answer


def test_formulas_are_read_as_last_computed(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx")
    head = '<row r="1"><c r="A1" t="str"><v>Страна</v></c><c r="B1"><v>2022</v></c></row>'
    figure = '<c r="B2"><f>1+1</f><v>17425</v></c>'
    body = f'<row r="2"><c r="A2" t="str"><v>Казахстан</v></c>{figure}</row>'
    repacked(path, {"xl/worksheets/sheet1.xml": sheet(head + body)})
    reading = understand(path, measure="immigration")
    assert reading.panel.series[0].values.tolist() == [17425]
    assert "1 formulas: their last stored results were read" in reading.notes


def test_a_formula_without_a_result_is_a_reported_cell(tmp_path: Path) -> None:
    rows = [["Страна", 2022, 2023], ["Казахстан", 17425, "=B2*2"], ["Кыргызстан", 12444, 14453]]
    reading = understand(book(tmp_path / "a.xlsx", rows), measure="immigration")
    assert reading.accepted == 1
    with pytest.raises(DataError, match=r"row 2, column 2023: the cell holds a formula without"):
        _ = reading.panel


def test_errors_of_formulas_are_reported(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", [["Страна", 2022], ["Казахстан", "#REF!"]])
    with pytest.raises(DataError, match=r"the error #REF! of a formula"):
        fc.read(path, measure="immigration")


def test_macros_and_links_are_ignored_and_said(tmp_path: Path) -> None:
    path = repacked(
        book(tmp_path / "a.xlsx"),
        {
            "xl/vbaProject.bin": b"\xd0\xcf\x11\xe0 not run",
            "xl/externalLinks/externalLink1.xml": b"<externalLink/>",
        },
    )
    reading = understand(path, measure="immigration")
    assert reading.panel.series[0].values.tolist() == [17425, 25387]
    assert "the workbook holds macros; they were not run" in reading.notes
    assert "the workbook links to other files; the links were not followed" in reading.notes


def test_a_workbook_with_macros_by_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xlsm").write_bytes(book(tmp_path / "a.xlsx").read_bytes())
    with pytest.raises(DataError, match=r"with macros is not opened. Save it as XLSX"):
        fc.read(tmp_path / "a.xlsm")


def test_an_encrypted_workbook_is_refused(tmp_path: Path) -> None:
    content = bytearray(book(tmp_path / "a.xlsx").read_bytes())
    for signature, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = content.find(signature)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(signature, at + 4)
    (tmp_path / "b.xlsx").write_bytes(content)
    with pytest.raises(DataError, match="encrypted"):
        fc.read(tmp_path / "b.xlsx")


def test_nothing_is_fetched_for_a_remote_schema(tmp_path: Path) -> None:
    text = b'<?xml version="1.0"?><!DOCTYPE sst SYSTEM "http://127.0.0.1:9/x.dtd"><sst/>'
    path = repacked(book(tmp_path / "a.xlsx"), {"xl/sharedStrings.xml": text})
    started = time.monotonic()
    with pytest.raises(DataError, match="entities of its own"):
        fc.read(path)
    assert time.monotonic() - started < SECONDS


def test_a_large_honest_table_is_read(tmp_path: Path) -> None:
    """World-sized: 235 places, 74 years, two measures."""
    import pycountry

    places = [country.alpha_3 for country in pycountry.countries][:235]
    lines = ["location,measure,year,value"]
    for at, place in enumerate(places):
        for measure in ("immigration", "emigration"):
            lines += [
                f"{place},{measure},{year},{(year**2 * 7919 + at * 613 + len(measure)) % 50_021}"
                for year in range(1950, 2024)
            ]
    path = tmp_path / "world.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    reading = understand(path)
    assert reading.accepted == 235 * 74 * 2
    assert len(reading.panel) == 470
