"""The UN's bulk CSV files of World Population Prospects, and what is known of each vintage."""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from pathlib import Path
from typing import IO

import pandas as pd

from forecast import locations
from forecast.errors import DataError, UnknownNameError
from forecast.panel import Panel

#: The name of the source in every panel made from World Population Prospects.
SOURCE = "un-wpp"
#: Day on which each vintage came out. 2008, 2010 and 2012 are known to the month or by
#: report; for these the last day of the month is taken, so that no fold sees them early.
RELEASED = {
    2008: "2009-03-31",
    2010: "2011-05-31",
    2012: "2013-06-13",
    2015: "2015-07-29",
    2017: "2017-06-21",
    2019: "2019-06-17",
    2022: "2022-07-11",
    2024: "2024-07-11",
}
ANNUAL = (2022, 2024)
#: Last estimated calendar year of the annual vintages, first year of the last estimated
#: period of the others; what comes later is a projection.
LAST_ESTIMATE = {
    2008: 2005, 2010: 2005, 2012: 2005, 2015: 2010, 2017: 2010, 2019: 2015, 2022: 2021, 2024: 2023
}  # fmt: skip
#: The files are in thousands.
PEOPLE = 1000.0
#: No bulk file has more bytes than this, packed or unpacked, or more rows.
LARGEST, _MOST_ROWS = 250_000_000, 2_000_000
_COUNTRY = "Country/Area"
#: Columns that tell the forms apart: by calendar year (2022 and later), by period (before).
_ANNUAL = ["LocID", "ISO3_code", "LocTypeName", "Time", "TPopulation1July", "NetMigrations"]
_PERIODS = ["LocID", "Time", "NetMigrations"]
_POPULATION = ["LocID", "Time", "PopTotal"]
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
    day, last = _vintage(file, vintage, released, last_estimate)
    table = _medium_variant(file)
    annual = "LocTypeName" in table
    rows = _annual(table) if annual else _periods(table, population)
    rows = rows[(rows["year"] <= last) & rows["value"].notna()]
    if rows.empty:
        raise DataError(
            f"{file.name} has no estimate of a country up to {last}. "
            "Give the file of the medium variant that holds the estimates."
        )
    made = rows.assign(
        source=SOURCE, measure="net_migration", as_of=day, precision=1.0
    ).reset_index(drop=True)
    # The checks go through text row by row, which is several times faster on plain objects.
    text = dict.fromkeys(("source", "location", "measure", "as_of"), object)
    return Panel.from_frame(made.astype(text), step=1 if annual else 5)


def _vintage(
    file: Path, vintage: int | None, released: str | None, last_estimate: int | None
) -> tuple[str, int]:
    """Return the day on which a vintage came out and its last estimated year."""
    named = re.search(r"WPP(\d{4})", file.name)
    chosen = vintage or (int(named.group(1)) if named else None)
    if chosen is None and (released is None or last_estimate is None):
        raise DataError(
            f"{file.name}: which vintage this is cannot be told from the name. "
            "Give vintage=2022 or vintage=2024."
        )
    day = released or RELEASED.get(chosen or 0)
    last = last_estimate or LAST_ESTIMATE.get(chosen or 0)
    if day is None or last is None:
        raise DataError(
            f"{file.name}: when the vintage {chosen} came out and where its estimates end is "
            "not known here. Give released='YYYY-MM-DD' and last_estimate=YEAR."
        )
    return day, last


def _content(file: Path) -> bytes:
    """Return the CSV text of a file that may be packed, whatever it is called."""
    if not file.is_file():
        raise DataError(f"there is no file {file}. Give the UN's bulk file to read_bulk().")
    if file.stat().st_size > LARGEST:
        raise DataError(
            f"{file.name} has {file.stat().st_size:,} bytes, more than a bulk file has."
        )
    try:
        with file.open("rb") as packed:
            start = packed.read(2)
            packed.seek(0)
            if start == b"\x1f\x8b":
                with gzip.open(packed) as unpacked:
                    text = unpacked.read(LARGEST + 1)
            elif start == b"PK":
                with zipfile.ZipFile(packed) as archive, _member(file, archive) as unpacked:
                    text = unpacked.read(LARGEST + 1)
            else:
                text = packed.read()
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError) as error:
        raise DataError(
            f"{file.name} is damaged or cut off ({error}). Download it again."
        ) from None
    if len(text) > LARGEST:
        raise DataError(f"{file.name} unpacks to more than {LARGEST:,} bytes; it is no bulk file.")
    if max(text.count(b"\n"), text.count(b"\r")) > _MOST_ROWS:
        raise DataError(f"{file.name} has more than {_MOST_ROWS:,} rows; it is no bulk file.")
    return text


def _member(file: Path, archive: zipfile.ZipFile) -> IO[bytes]:
    tables = [name for name in archive.namelist() if name.lower().endswith(".csv")]
    if len(tables) != 1:
        raise DataError(
            f"{file.name} holds {len(tables)} CSV files. Unpack it and give the one with the "
            "demographic indicators."
        )
    return archive.open(tables[0])


def _medium_variant(file: Path, population: bool = False) -> pd.DataFrame:
    """Return the columns that are needed of a file's medium variant."""
    content = _content(file)
    try:
        line = content[: content.find(b"\n") if b"\n" in content else None].decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{file.name} is not text in UTF-8. Download it again.") from None
    header = [name.strip().strip('"') for name in line.split(",")]
    needed = _ANNUAL if {"TPopulation1July", "LocTypeName"} & {*header} else _PERIODS
    remedy = (
        "the UN's CSV 'Demographic Indicators' (2022 and later) or 'Period Indicators' (before), "
        "medium variant"
    )
    if population:
        needed, remedy = _POPULATION, "the UN's 'TotalPopulationBySex'"
    missing = [column for column in needed if column not in header]
    if missing:
        raise DataError(f"{file.name} has no column {missing[0]!r}. Give {remedy}.")
    table = _table(file, content, [*needed, *({"VarID"} & {*header})])
    return table[table["VarID"] == _MEDIUM] if "VarID" in table else table


def _table(file: Path, content: bytes, columns: list[str]) -> pd.DataFrame:
    """Read a few columns of a wide file; the others are never turned into values."""
    import pyarrow as pa
    from pyarrow import csv

    kinds = dict.fromkeys(("ISO3_code", "LocTypeName", "Time"), pa.string())
    kinds |= dict.fromkeys(("NetMigrations", "TPopulation1July", "PopTotal"), pa.float64())
    kinds |= dict.fromkeys(("LocID", "VarID"), pa.int64())
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
    if table["LocID"].null_count:
        raise DataError(f"{file.name} has a row without LocID. Download it again.")
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _annual(table: pd.DataFrame) -> pd.DataFrame:
    kept = table[table["LocTypeName"] == _COUNTRY].reset_index(drop=True)
    return pd.DataFrame(
        {
            "location": codes(kept["LocID"], kept["ISO3_code"]),
            "year": _years(kept["Time"], "a year has four digits"),
            "value": kept["NetMigrations"] * PEOPLE,
            "population": kept["TPopulation1July"] * PEOPLE,
        }
    )


def _periods(table: pd.DataFrame, population: str | Path | None) -> pd.DataFrame:
    """Take the countries of a file by period; their code is their ISO 3166-1 number."""
    by_number = {number: locations.un_area(number) for number in table["LocID"].unique()}
    table = table.assign(location=table["LocID"].map(by_number))
    kept = table[table["location"].notna()].reset_index(drop=True)
    rows = pd.DataFrame(
        {
            "location": kept["location"],
            "year": _years(kept["Time"].str.slice(0, 4), "periods are written like 2015-2020"),
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


def _years(written: pd.Series, form: str) -> pd.Series:
    years = pd.to_numeric(written.where(written.str.fullmatch(r"\d{4}").fillna(False)))
    if years.isna().any():
        raise DataError(f"the column Time holds {written[years.isna()].iloc[0]!r}; {form}.")
    return years.astype(int)


def _people(file: Path) -> pd.Series:
    """Return inhabitants in thousands by the UN's code and year, medium variant."""
    table = _medium_variant(file, population=True)
    table = table.assign(Time=_years(table["Time"], "a year has four digits")).drop_duplicates(
        ["LocID", "Time"]
    )
    return table.set_index(["LocID", "Time"])["PopTotal"]


def codes(numeric: pd.Series, alpha: pd.Series) -> list[str]:
    """Return location codes; UN areas without one in force get it from a list of four.

    Parameters
    ----------
    numeric : Series of int
        The UN's location codes.
    alpha : Series of str
        ISO 3166-1 alpha-3 codes; may be empty for the areas of the list.

    Raises
    ------
    UnknownNameError
        If an area outside the list has no alpha-3 code.
    """
    table = pd.DataFrame({"number": numeric.to_numpy(dtype=int), "alpha": alpha.to_numpy()})
    by_number = dict(table.drop_duplicates("number").itertuples(index=False)) | locations.UN_AREAS
    for number in table["number"].unique():
        if not isinstance(by_number[number], str) or not by_number[number]:
            raise UnknownNameError(f"the UN area {number} has no ISO 3166-1 alpha-3 code.")
    return table["number"].map(by_number).tolist()
