"""The UN's bulk CSV files of World Population Prospects, one vintage each, into a Panel."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from forecast.data import wpp_vintages as vintages
from forecast.data.wpp_vintages import PEOPLE, SOURCE
from forecast.errors import DataError
from forecast.panel import Panel

#: No bulk file is larger than this many bytes, packed or unpacked.
LARGEST = 1_500_000_000
_COUNTRY = "Country/Area"
#: Columns that tell the forms apart: by calendar year (2022 and later), by period (before).
_ANNUAL = ["LocID", "ISO3_code", "LocTypeName", "Time", "TPopulation1July", "NetMigrations"]
_PERIODS = ["LocID", "Time", "NetMigrations"]
_POPULATION = ["LocID", "Time", "PopTotal"]
_OPTIONAL = ["VarID"]
#: The number of the medium variant, which also carries the estimates.
_MEDIUM = 2


def read_bulk(
    path: str | Path,
    *,
    vintage: int | None = None,
    released: str | None = None,
    last_estimate: int | None = None,
    population: str | Path | None = None,
) -> Panel:
    """Read a bulk file of the UN: one vintage, all countries and areas, estimates only.

    Parameters
    ----------
    path : str or Path
        As downloaded from https://population.un.org/wpp/downloads, plain, ``.gz`` or
        ``.zip``. Vintages from 2022 on: ``WPP2024_Demographic_Indicators_Medium.csv.gz``,
        by calendar year. Vintages 2015 to 2019: ``WPP2019_Period_Indicators_Medium.csv``,
        by five-year period.
    vintage : int, optional
        Read from the file's name by default.
    released : str (YYYY-MM-DD), optional
        Day on which the vintage came out; known for the vintages up to 2024.
    last_estimate : int, optional
        Last estimated year (first year of the last estimated period); what comes later is
        a projection and is left out. Known for the vintages up to 2024.
    population : str or Path, optional
        ``WPP2019_TotalPopulationBySex.csv``: the five-year files hold no population. The
        mean of the figures on 1 July at both ends of a period is taken.

    Returns
    -------
    Panel
        Measure ``net_migration`` in persons per calendar year, or per five-year period,
        with mid-year population in persons.

    Raises
    ------
    DataError
        If columns are missing, a figure is not a number, the file is damaged, or the
        vintage is not known and not described.

    Examples
    --------
    >>> panel = read_bulk("WPP2024_Demographic_Indicators_Medium.csv.gz")  # doctest: +SKIP
    """
    file = Path(path)
    told = _vintage(file, vintage, released, last_estimate)
    content = _content(file)
    header = _header(file, content)
    annual = "TPopulation1July" in header or "LocTypeName" in header
    needed = _ANNUAL if annual else _PERIODS
    missing = [column for column in needed if column not in header]
    if missing:
        raise DataError(
            f"{file.name} has no column {missing[0]!r}. Give the UN's CSV 'Demographic "
            "Indicators' (2022 and later) or 'Period Indicators' (before), medium variant."
        )
    table = _table(file, content, [*needed, *(name for name in _OPTIONAL if name in header)])
    if "VarID" in table:
        table = table[table["VarID"] == _MEDIUM]
    rows = _annual(table) if annual else _periods(table, population)
    rows = rows[(rows["year"] <= told.last_estimate) & rows["value"].notna()]
    if rows.empty:
        raise DataError(
            f"{file.name} has no estimate of a country up to {told.last_estimate}. "
            "Give the file of the medium variant that holds the estimates."
        )
    made = rows.assign(
        source=SOURCE, measure="net_migration", as_of=told.released, precision=1.0
    ).reset_index(drop=True)
    # The checks go through text row by row, which is several times faster on plain objects.
    text = dict.fromkeys(("source", "location", "measure", "as_of"), object)
    return Panel.from_frame(made.astype(text), step=1 if annual else 5)


@dataclass(frozen=True)
class _Vintage:
    released: str
    last_estimate: int


def _vintage(
    file: Path, vintage: int | None, released: str | None, last_estimate: int | None
) -> _Vintage:
    named = re.search(r"WPP(\d{4})", file.name)
    chosen = vintage or (int(named.group(1)) if named else None)
    if chosen is None and (released is None or last_estimate is None):
        raise DataError(
            f"{file.name}: which vintage this is cannot be told from the name. "
            "Give vintage=2022 or vintage=2024."
        )
    day = released or vintages.RELEASED.get(chosen or 0)
    last = last_estimate or vintages.LAST_ESTIMATE.get(chosen or 0)
    if day is None or last is None:
        raise DataError(
            f"{file.name}: when the vintage {chosen} came out and where its estimates end is "
            "not known here. Give released='YYYY-MM-DD' and last_estimate=YEAR."
        )
    return _Vintage(day, last)


def _content(file: Path) -> bytes:
    """Return the CSV text of a file that may be packed, whatever it is called."""
    if not file.is_file():
        raise DataError(f"there is no file {file}. Give the UN's bulk file to read_bulk().")
    if file.stat().st_size > LARGEST:
        raise DataError(
            f"{file.name} has {file.stat().st_size:,} bytes, more than a bulk file has."
        )
    content = file.read_bytes()
    try:
        if content[:2] == b"\x1f\x8b":
            with gzip.open(io.BytesIO(content)) as unpacked:
                text = unpacked.read(LARGEST + 1)
        elif content[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                text = _member(file, archive)
        else:
            text = content
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError) as error:
        raise DataError(
            f"{file.name} is damaged or cut off ({error}). Download it again."
        ) from None
    if len(text) > LARGEST:
        raise DataError(f"{file.name} unpacks to more than {LARGEST:,} bytes; it is no bulk file.")
    return text


def _member(file: Path, archive: zipfile.ZipFile) -> bytes:
    tables = [name for name in archive.namelist() if name.lower().endswith(".csv")]
    if len(tables) != 1:
        raise DataError(
            f"{file.name} holds {len(tables)} CSV files. Unpack it and give the one with the "
            "demographic indicators."
        )
    with archive.open(tables[0]) as unpacked:
        return unpacked.read(LARGEST + 1)


def _header(file: Path, content: bytes) -> list[str]:
    first = content[: content.find(b"\n") if b"\n" in content else None]
    try:
        line = first.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{file.name} is not text in UTF-8. Download it again.") from None
    return [name.strip().strip('"') for name in line.split(",")]


def _table(file: Path, content: bytes, columns: list[str]) -> pd.DataFrame:
    """Read a few columns of a wide file; the others are never turned into values."""
    import pyarrow as pa
    from pyarrow import csv

    kinds = {
        "ISO3_code": pa.string(),
        "LocTypeName": pa.string(),
        "NetMigrations": pa.float64(),
        "TPopulation1July": pa.float64(),
        "PopTotal": pa.float64(),
        "LocID": pa.int64(),
        "VarID": pa.int64(),
        "Time": pa.string(),
    }
    try:
        table = csv.read_csv(
            pa.BufferReader(content),
            convert_options=csv.ConvertOptions(
                include_columns=columns,
                column_types={name: kinds[name] for name in columns},
                null_values=["", "NULL", "NA", "...", "…"],
                strings_can_be_null=True,
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise DataError(
            f"{file.name} cannot be read: {str(error).splitlines()[0]}. Download it again."
        ) from None
    made: pd.DataFrame = table.to_pandas()
    return made


def _annual(table: pd.DataFrame) -> pd.DataFrame:
    kept = table[table["LocTypeName"] == _COUNTRY].reset_index(drop=True)
    return pd.DataFrame(
        {
            "location": vintages.codes(kept["LocID"], kept["ISO3_code"]),
            "year": pd.to_numeric(kept["Time"]),
            "value": kept["NetMigrations"] * PEOPLE,
            "population": kept["TPopulation1July"] * PEOPLE,
        }
    )


def _periods(table: pd.DataFrame, population: str | Path | None) -> pd.DataFrame:
    """Take the countries of a file by period; their code is their ISO 3166-1 number."""
    table = table.assign(location=vintages.alpha_codes(table["LocID"]))
    kept = table[table["location"].notna()].reset_index(drop=True)
    first = pd.to_numeric(kept["Time"].str.slice(0, 4), errors="coerce")
    if first.isna().any():
        odd = kept.loc[first.isna(), "Time"].iloc[0]
        raise DataError(f"the column Time holds {odd!r}; periods are written like 2015-2020.")
    rows = pd.DataFrame(
        {
            "location": kept["location"],
            "year": first.astype(int),
            "value": kept["NetMigrations"] * PEOPLE,
        }
    )
    if population is None:
        return rows
    people = _people(Path(population))
    ends = [
        people.reindex(pd.MultiIndex.from_arrays([kept["LocID"], rows["year"] + years])).to_numpy()
        for years in (0, 5)
    ]
    return rows.assign(population=(ends[0] + ends[1]) / 2 * PEOPLE)


def _people(file: Path) -> pd.Series:
    """Return inhabitants in thousands by the UN's code and year, medium variant."""
    content = _content(file)
    header = _header(file, content)
    missing = [column for column in _POPULATION if column not in header]
    if missing:
        raise DataError(
            f"{file.name} has no column {missing[0]!r}. Give the UN's 'TotalPopulationBySex'."
        )
    table = _table(file, content, [*_POPULATION, *(name for name in _OPTIONAL if name in header)])
    if "VarID" in table:
        table = table[table["VarID"] == _MEDIUM]
    table = table.assign(Time=pd.to_numeric(table["Time"])).drop_duplicates(["LocID", "Time"])
    return table.set_index(["LocID", "Time"])["PopTotal"]


__all__ = ["LARGEST", "read_bulk"]
