"""Mutated tables: one message or a panel, and every row accounted for.

The mutations are seeded: what editors, exports and broken transfers do to tables, and worse.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from forecast.data.tables import Reading, understand
from forecast.errors import ForecastError

_TOKENS = (
    "", " ", "-", "–", "…", "н/д", "x", "1 234", "1\u00a0234,5", "1,234.5", "12,5", "1.234",
    "(12)", "2020", "2020 г.", "2019-2020", "янв 2020", "1e400", "9" * 40, "-5", "#REF!", "=1+1",
    "nan", "inf", "True", "KAZ", "Алматы", "Казахстан", "ATLANTIS", "всего", "в том числе:",
    "Прибыло", "Сальдо", "тыс. человек", "на 1000 человек", "location", "value", "year",
    "population", "1234¹", "1234*", "😀", "\u202e", "\u200b", '"', "'", "\t", ";", ",", "|", "\r",
    "\\", "%", "<b>", "[red]", "٣", "２０２０",
)  # fmt: skip
_BYTES = (
    b"\x00", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b'"', b";", b",", b"\n", b"\r", b"\t",
    b"sep=;\n",
)  # fmt: skip

TIDY = (
    "location,measure,year,value,population,flag\n"
    "KAZ,immigration,2020,11370,18755666,\nKAZ,immigration,2021,11039,19000987,\n"
    "KAZ,immigration,2022,17425,19503159,\nKAZ,emigration,2022,24147,19503159,provisional\n"
)
ACROSS = (
    "Сальдо миграции населения по регионам (все потоки), человек;;;\n"
    ";;;\nРегион;2022 г.;2023 г.;2024 г.\nРеспублика Казахстан;-6 722;9 293;16 550\n"
    "Акмолинская область;-3 108;–5 210;…\nг. Алматы;1 234;-;5 678\nв том числе:;;;\n"
    "Всего;1;2;3\nИсточник: Бюро национальной статистики;;;\n"
)
FLOWS = (
    "Страна\tГод\tПрибыло\tВыбыло\tСальдо миграции\nКыргызстан\t2021\t8229\t8998\t-769\n"
    "Кыргызстан\t2022\t12444\t6527\t5917\nКыргызстан\t2023\t14453\t4610\t9843\n"
)
SDMX = (
    "DATAFLOW,FREQ,REF_AREA,INDICATOR,TIME_PERIOD,OBS_VALUE,UNIT_MULT,OBS_STATUS\n"
    "X:Y(1.0),A,UZB,EMIGRATION,2022,15.9,3,A\nX:Y(1.0),A,UZB,EMIGRATION,2023,17.2,3,P\n"
    "X:Y(1.0),A,UZB,EMIGRATION,2024,,3,M\n"
)
SECTIONS = (
    "Hududlar;2021;2022;2023\nIchki migratsiya: ko'chib kelganlar, ming kishi;;;\n"
    "Toshkent shahri;12,5;13,1;14,0\nFarg‘ona viloyati;1,5;3,1;4,0\n"
)
UNITS = (
    "location,measure,unit,sex,year,value\nKZ,emigration,THS_PER,T,2020,29.1\n"
    "KZ,emigration,THS_PER,T,2021,32.3\nKZ,emigration,THS_PER,T,2022,24.2\n"
)
BULK = (
    "freq,age,unit,sex,geo\\TIME_PERIOD\t2015 \t2016 \t2017 \n"
    "A,TOTAL,NR,T,EL\t64446 b\t116867 \t112247 p\nA,TOTAL,NR,T,EU27_2020\t: c\t1 \t2 bep\n"
)
BANK = (
    '"Data Source","World Development Indicators",\n\n"Country Name","Country Code",'
    '"Indicator Name","Indicator Code","2019","2020",\n"Chile","CHL","Net migration",'
    '"SM.POP.NETM","1100","900",\n"Arab World","ARB","Net migration","SM.POP.NETM","1","2",\n'
)
LEVELS = (
    ",2022,,2023,\nRegion,arrivals,departures,arrivals,departures\n"
    'Kazakhstan,"17,425","24,147","25,387","16,094"\n'
)


def workbook() -> bytes:
    """Return a small workbook with a title, headings and a footnote."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    for row in (
        ["Число прибывших в Республику Казахстан, человек"],
        [],
        ["Страна", 2021, 2022, "2023 г."],
        ["Казахстан", 11039, 17425, 25387],
        ["Источник: Бюро национальной статистики"],
    ):
        sheet.append(row)
    book.create_sheet("notes").append(["nothing here"])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def parquet() -> bytes:
    """Return a small Parquet file."""
    stream = io.BytesIO()
    pd.read_csv(io.StringIO(TIDY)).to_parquet(stream)
    return stream.getvalue()


def renamed() -> bytes:
    """Return a workbook whose sheet is a part that does not end in .xml."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook())) as archive,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as copy,
    ):
        for name in archive.namelist():
            content = archive.read(name).replace(b"sheet1.xml", b"sheet1.bin")
            copy.writestr(name.replace("sheet1.xml", "sheet1.bin"), content)
    return stream.getvalue()


def nested() -> bytes:
    """Return a Parquet file with lists in its cells."""
    stream = io.BytesIO()
    pd.DataFrame({"location": ["KAZ"] * 3, "2022": [[1, 2], [3], []]}).to_parquet(stream)
    return stream.getvalue()


def wide() -> bytes:
    """Return a table with more columns than a table of yearly series has."""
    years = ",".join(str(1800 + at % 220) for at in range(2_500))
    return f"location,{years}\nKAZ,{','.join('1' * 2_500)}\n".encode()


def seeds() -> list[tuple[str, bytes]]:
    """Return (suffix, content) of the tables that are mutated."""
    texts = [TIDY, ACROSS, FLOWS, SDMX, SECTIONS, LEVELS, UNITS, BANK]
    plain = [(".csv", text.encode()) for text in texts]
    plain += [(".csv", ACROSS.replace("–", "-").encode("cp1251")), (".csv", TIDY.encode("utf-16"))]
    return [*plain, (".xlsx", workbook()), (".xlsx", renamed()), (".parquet", parquet())]


def refused() -> list[tuple[str, bytes]]:
    """Return (suffix, content) of files that are mutated as well, but make no panel themselves."""
    return [
        (".tsv", BULK.encode()), (".parquet", nested()), (".csv", wide()),
        (".csv.gz", gzip.compress(TIDY.encode(), mtime=0)),
        (".csv", gzip.compress(TIDY.encode(), mtime=0)),
    ]  # fmt: skip


def mutate(suffix: str, content: bytes, chance: random.Random) -> bytes:
    """Return a mutated copy of a table."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        ways: list[Callable[[bytes, random.Random], bytes]] = [_bytes]
        if suffix in {".csv", ".tsv"}:
            ways += [_cells, _cells, _lines, _encoding]
        elif suffix == ".xlsx":
            ways = [_bytes, _parts, _parts, _parts]
        content = chance.choice(ways)(content, chance)
    return content


def _bytes(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 2, 8))):
        at = chance.randrange(len(changed) + 1)
        way = chance.randrange(5)
        if way == 0 and at < len(changed):
            changed[at] ^= 1 << chance.randrange(8)
        elif way == 1:
            changed[at:at] = chance.choice(_BYTES)
        elif way == 2:
            del changed[at : at + chance.choice((1, 3, 40))]
        elif way == 3:
            changed[at:at] = changed[max(0, at - chance.choice((1, 10, 80))) : at]
        elif chance.random() < 0.3:
            del changed[at:]
    return bytes(changed)


def _text(content: bytes) -> tuple[str, str]:
    for codec in ("utf-16", "utf-8", "cp1251"):
        if codec == "utf-16" and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
            continue
        try:
            return content.decode(codec), codec
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1"), "latin-1"


def _cells(content: bytes, chance: random.Random) -> bytes:
    text, codec = _text(content)
    sign = max(",;\t", key=text.count)
    rows = [line.split(sign) for line in text.split("\n")]
    for _ in range(chance.choice((1, 1, 2, 6))):
        row = rows[chance.randrange(len(rows))]
        row[chance.randrange(len(row))] = chance.choice(_TOKENS)
    return "\n".join(sign.join(row) for row in rows).encode(codec, "replace")


def _lines(content: bytes, chance: random.Random) -> bytes:
    text, codec = _text(content)
    lines = text.split("\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    way = chance.randrange(5)
    if way == 0:
        lines[one], lines[other] = lines[other], lines[one]
    elif way == 1:
        lines.insert(one, lines[other])
    elif way == 2:
        del lines[one]
    elif way == 3:
        lines.insert(one, chance.choice(_TOKENS))
    else:
        lines[one] += chance.choice((";", ",", "\t", ";;;", "\r"))
    return "\n".join(lines).encode(codec, "replace")


def _encoding(content: bytes, chance: random.Random) -> bytes:
    text, _ = _text(content)
    codec = chance.choice(
        ("utf-8-sig", "utf-16", "utf-16-le", "cp1251", "cp866", "koi8-r", "latin-1")
    )
    return text.encode(codec, "replace")


def _parts(content: bytes, chance: random.Random) -> bytes:
    """Change the XML inside a workbook, and pack it again."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError):
        return _bytes(content, chance)
    names = [name for name in parts if "sheet" in name or "shared" in name or "workbook" in name]
    name = chance.choice(names or list(parts))
    part = parts[name]
    if chance.random() < 0.6:
        token = chance.choice(_TOKENS).encode().replace(b"<", b"&lt;")
        targets = [b"<v>", b"<t>", b'<c r="', b't="s"', b't="n"', b"<row "]
        target = chance.choice([t for t in targets if t in part] or [b"<"])
        where = [at for at in range(len(part)) if part.startswith(target, at)]
        at = chance.choice(where) + len(target) if where else 0
        parts[name] = part[:at] + token + part[at:]
    else:
        parts[name] = _bytes(part, chance)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for title, text in parts.items():
            archive.writestr(title, text)
    return stream.getvalue()


def records(text: str, delimiter: str) -> int:
    """Return how many rows a CSV text has, counted apart from the reader."""
    return sum(1 for _ in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def one(path: Path, suffix: str, content: bytes) -> str:
    """Read one file and check what the reader promises; return what became of it."""
    file = path.with_name(path.name + suffix)
    file.write_bytes(content)
    refused = None
    try:
        reading = understand(file)
    except ForecastError as error:
        refused = str(error)
    if refused is not None:
        assert "\n" not in refused
        assert len(refused) < 1000
        return "refused"
    accounted(reading)
    if suffix in {".csv", ".tsv"}:
        assert reading.rows_in == rows_of(content, reading)
    if reading.problems:
        with pytest.raises(ForecastError) as caught:
            _ = reading.panel
        assert "\n" not in str(caught.value)
        return "problem"
    assert len(reading.panel.to_frame()) >= reading.accepted > 0
    return "panel"


def accounted(reading: Reading) -> None:
    """Check that rows in = accepted + reported, each with its own number and a reason."""
    assert reading.rows_in == reading.accepted + sum(reading.reported.values())
    numbers = [row.number for row in reading.rows]
    assert numbers == sorted(set(numbers))
    assert all(row.fate for row in reading.rows)


def rows_of(content: bytes, reading: Reading) -> int:
    codec = {
        "UTF-8": "utf-8",
        "UTF-8 with a byte order mark": "utf-8-sig",
        "UTF-16": "utf-16",
        "CP1251": "cp1251",
    }.get(reading.encoding)
    if codec is None:
        codec = reading.encoding.split()[0].lower()
    text = content.decode(codec).removeprefix("\ufeff")
    return records(text, reading.delimiter)


def run(folder: Path, count: int, seed: int) -> dict[str, int]:
    chance = random.Random(seed)  # noqa: S311  reproducible mutations, no secrets
    tables = [*seeds(), *refused()]
    fates: dict[str, int] = {}
    for number in range(count):
        suffix, content = tables[number % len(tables)]
        mutated = mutate(suffix, content, chance)
        try:
            fate = one(folder / "table", suffix, mutated)
        except BaseException:
            print(f"file {number} of seed {seed}: {suffix} {mutated!r}")  # noqa: T201
            raise
        fates[fate] = fates.get(fate, 0) + 1
    return fates


def test_the_seeds_themselves_make_panels(tmp_path: Path) -> None:
    fates = [one(tmp_path / "table", suffix, content) for suffix, content in seeds()]
    assert fates == ["panel"] * len(fates)


@pytest.mark.parametrize("files", [150, pytest.param(400, marks=pytest.mark.thorough)])
def test_mutated_files_are_read_or_refused(tmp_path: Path, files: int) -> None:
    fates = run(tmp_path, files, seed=1)
    assert min(fates.get(fate, 0) for fate in ("panel", "problem", "refused")) > files / 20, fates


@pytest.mark.slow
def test_twenty_thousand_mutated_files(tmp_path: Path) -> None:
    fates = run(tmp_path, 20_000, seed=20_000)
    assert sum(fates.values()) == 20_000
    assert min(fates.get(fate, 0) for fate in ("panel", "problem", "refused")) > 1000, fates
