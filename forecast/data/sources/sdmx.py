"""SDMX providers: messages in SDMX-CSV, SDMX-JSON and SDMX-ML into series.

SDMX-CSV is a plain table and read as such. SDMX-JSON and SDMX-ML are parsed by the
library sdmx1 (the extra ``sdmx``); it reads files that were fetched here and never goes
to the network itself.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from forecast.data.sources.catalogue import Get, Source, covariate_table, wrong_kind
from forecast.data.sources.fetched import Fetched, FetchedFile
from forecast.errors import DataError
from forecast.panel import Panel

#: Columns of SDMX-CSV that say which table this is, in versions 1 and 2 of the format.
_ABOUT = {"DATAFLOW", "STRUCTURE", "STRUCTURE_ID", "STRUCTURE_NAME", "ACTION", "LAST UPDATE"}
_STATUS = ("OBS_FLAG", "OBS_STATUS")
_TIME, _VALUE = "TIME_PERIOD", "OBS_VALUE"


def read_message(path: str | Path) -> pd.DataFrame:
    """Read a data message.

    Parameters
    ----------
    path : str or Path
        SDMX-CSV 1 or 2, SDMX-JSON, SDMX-ML (generic or structure-specific).

    Returns
    -------
    DataFrame
        One row per observation: every dimension by its id, as text; ``TIME_PERIOD``,
        ``OBS_VALUE`` (float; NaN is missing) and ``OBS_STATUS`` (empty if none is given).

    Raises
    ------
    DataError
        If the file is no such message, or sdmx1 is needed and not installed.
    """
    file = Path(path)
    content = file.read_bytes()
    start = content[:200].removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    table = _from_library(file, content) if start in (b"<", b"{") else _from_csv(file, content)
    missing = [column for column in (_TIME, _VALUE) if column not in table]
    if missing:
        raise DataError(f"{file.name} has no {missing[0]}; it is no SDMX table of series.")
    status = next((column for column in _STATUS if column in table), None)
    given = table[_VALUE].replace({"": None, "NaN": None, ":": None})
    numbers = pd.to_numeric(given, errors="coerce")
    odd = numbers.isna() & given.notna()
    if odd.any():
        raise DataError(f"{file.name}: {table.loc[odd, _VALUE].iloc[0]!r} is not a number.")
    left_out = {*_ABOUT, *_STATUS, _VALUE}
    kept = [name for name in map(str, table.columns) if name not in left_out]
    return table[kept].assign(
        OBS_VALUE=numbers.astype(float), OBS_STATUS="" if status is None else table[status]
    )


def _from_csv(file: Path, content: bytes) -> pd.DataFrame:
    """Read the table; with labels, codes are what stands before the colon."""
    try:
        table = pd.read_csv(
            io.BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"{file.name} is no SDMX-CSV: {error}.") from None
    labelled = [name for name in map(str, table.columns) if ": " in name]
    for name in labelled:
        table[name] = table[name].str.split(": ").str[0]
    return table.rename(columns={name: name.split(": ")[0] for name in labelled})


def _from_library(file: Path, content: bytes) -> pd.DataFrame:
    if b"<!DOCTYPE" in content[:65_536] or b"<!ENTITY" in content[:65_536]:
        raise DataError(f"{file.name} declares entities, which SDMX does not use. Not read.")
    try:
        import sdmx
    except ImportError:
        raise DataError(
            "SDMX-ML and SDMX-JSON are read by the library sdmx1, which is not installed. "
            "Install the extra: pip install 'migration-forecast[sdmx]'. SDMX-CSV needs nothing."
        ) from None
    # A missing structure is normal here: the series say all that is needed.
    logging.getLogger("sdmx").setLevel(logging.ERROR)
    try:
        form = "JSON" if content.lstrip()[:1] == b"{" else "XML"
        message: Any = sdmx.read_sdmx(io.BytesIO(content), format=form)
        pieces = [sdmx.to_pandas(part, attributes="o").reset_index() for part in message.data]
    except Exception as error:  # noqa: BLE001  the library lets through whatever its parsers raise
        raise DataError(
            f"{file.name} is no SDMX message that sdmx1 can read ({type(error).__name__}: "
            f"{str(error)[:120]})."
        ) from None
    if not pieces:
        raise DataError(f"{file.name} is an SDMX message without data.")
    table = pd.concat(pieces, ignore_index=True).rename(columns={"value": _VALUE})
    return table.astype({name: str for name in table if name != _VALUE})


def collect(source: Source, get: Get, releases: Sequence[int]) -> Mapping[str, str]:
    """Fetch the messages that the catalogue names.

    Parameters
    ----------
    source : Source
        Its ``files`` name the messages: path, content and role.
    get : Get
        Fetches one address and notes what came.
    releases : sequence of int
        Empty: only World Population Prospects has vintages to choose from.

    Returns
    -------
    mapping of str to str
        ``tables``, joined by commas; ``updated``, the newest day that a message in SDMX-CSV states,
        else empty.
    """
    days = []
    for number, file in enumerate(source["files"]):
        path = get(file["path"], file["content"], file.get("role", "data"), number=str(number))
        days.append(_last_update(path) if file["content"] == "csv" else "")
    tables = dict.fromkeys(str(file.get("table", file["path"])) for file in source["files"])
    return {"tables": ", ".join(tables), "updated": max(days, default="")}


def _last_update(path: Path) -> str:
    """Return the day in Eurostat's column LAST UPDATE (26/11/25 11:00:00), if there is one."""
    header = pd.read_csv(path, nrows=1, dtype=str, keep_default_na=False)
    if "LAST UPDATE" not in header or header.empty:
        return ""
    day = pd.to_datetime(header["LAST UPDATE"].iloc[0][:8], format="%d/%m/%y", errors="coerce")
    return "" if pd.isna(day) else str(day.date())


def panel(fetched: Fetched) -> Panel:
    """Return the series of the messages that name a measure."""
    pieces = []
    people = [_rows(fetched, file) for file in fetched.of("population")]
    for file in fetched.of("data"):
        entry = _entry(fetched, file)
        if entry.get("unit"):
            continue
        rows = _rows(fetched, file).assign(
            source=entry.get("source", fetched.source.name), measure=entry["measure"]
        )
        own = str(entry.get("flag", ""))
        rows["flag"] = [";".join(filter(None, (own, flag))) for flag in rows["flag"]]
        if people and entry["measure"] == "net_migration":
            middle = people[0][["location", "year", "value"]]
            rows = rows.merge(
                middle.rename(columns={"value": "population"}), on=["location", "year"], how="left"
            )
        pieces.append(rows)
    if not pieces:
        raise wrong_kind(fetched.source, "panel")
    table = pd.concat(pieces, ignore_index=True)
    observed = table.groupby(["source", "measure", "location"])["value"].transform("count") > 0
    return Panel.from_frame(
        table[observed].reset_index(drop=True).assign(as_of=fetched.updated), step=1
    )


def covariates(fetched: Fetched) -> pd.DataFrame:
    """Return the drivers: messages whose entry has a unit."""
    pieces = []
    for file in fetched.of("data"):
        entry = _entry(fetched, file)
        if entry.get("unit"):
            pieces.append(
                _rows(fetched, file)[["location", "year", "value"]].assign(
                    measure=entry["measure"],
                    unit=entry["unit"],
                    source=f"{fetched.source['institution']}, {entry.get('table', '')}",
                )
            )
    if not pieces:
        raise wrong_kind(fetched.source, "covariates")
    return covariate_table(pieces)


def _entry(fetched: Fetched, file: FetchedFile) -> Mapping[str, Any]:
    entry: Mapping[str, Any] = fetched.source["files"][int(file.told["number"])]
    return entry


def _rows(fetched: Fetched, file: FetchedFile) -> pd.DataFrame:
    """Return ``location, year, value, flag`` of one message, calendar years only."""
    table = read_message(fetched.path(file))
    where = str(fetched.source["location"])
    if where not in table:
        found = ", ".join(map(str, table.columns))
        raise DataError(f"{file.url} has no dimension {where!r}; it has {found}.")
    for dimension, code in _entry(fetched, file).get("where", {}).items():
        if dimension not in table:
            raise DataError(f"{file.url} has no dimension {dimension!r}, named under 'where'.")
        table = table[table[dimension] == str(code)]
    table = table[table[_TIME].str.fullmatch(r"\d{4}")]
    _check_single(table, where, file.url)
    placed = fetched.source.located(table, where)
    flags = {str(key).lower(): flag for key, flag in fetched.source.get("flags", {}).items()}
    return pd.DataFrame(
        {
            "location": placed["location"],
            "year": placed[_TIME].astype(int),
            "value": placed["OBS_VALUE"],
            "flag": [_flag(str(text), flags) for text in placed["OBS_STATUS"]],
        }
    )


def _flag(text: str, known: Mapping[str, str]) -> str:
    """Return our flags for the letters of a status; those without a meaning here drop."""
    return ";".join(known[letter] for letter in text.strip().lower() if letter in known)


def _check_single(table: pd.DataFrame, where: str, url: str) -> None:
    doubled = table.duplicated([where, _TIME])
    if not doubled.any():
        return
    others = set(map(str, table.columns)) - {where, _TIME, _VALUE, "OBS_STATUS"}
    open_ones = sorted(name for name in others if len(table[name].unique()) > 1)
    raise DataError(
        f"{url} has several figures for {table.loc[doubled, where].iloc[0]} in "
        f"{table.loc[doubled, _TIME].iloc[0]}. Choose one code of {', '.join(open_ones) or 'each'} "
        "under 'where' in the catalogue."
    )
