"""The statistical database SIAT of Uzbekistan's office: one JSON file per indicator.

The office lists these files under "SDMX", but they are a form of its own: a list of one
object with ``metadata`` (names and values in four languages) and ``data``, rows with
``Code`` (SOATO), names and one key per year. Standard SDMX is read by
`forecast.data.sources.sdmx`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from forecast import boundary_changes
from forecast.data.sources.catalogue import Get, Source
from forecast.data.sources.fetched import Fetched
from forecast.errors import DataError
from forecast.panel import Panel

_YEAR = re.compile(r"\d{4}")
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)|(\d\d)\.(\d\d)\.(\d{4})")
_THOUSAND = ("thousand", "ming", "тыс")


def collect(source: Source, get: Get, releases: Sequence[int]) -> Mapping[str, str]:
    """Fetch the file of every indicator.

    Parameters
    ----------
    source : Source
        Its ``files`` have an ``indicator`` and a ``factor``, what its figures are multiplied by.
    get : Get
        Fetches one address and notes what came.
    releases : sequence of int
        Empty: only World Population Prospects has vintages to choose from.

    Returns
    -------
    mapping of str to str
        ``indicators``, joined by commas.
    """
    for file in source["files"]:
        notes = {key: str(file[key]) for key in ("indicator", "factor")}
        get(file["path"], file["content"], file["role"], **notes)
    return {"indicators": ", ".join(str(file["indicator"]) for file in source["files"])}


def panel(fetched: Fetched) -> Panel:
    """Return the balance of all moves: population change minus births plus deaths.

    Returns
    -------
    Panel
        ``net_all_flows`` in persons per calendar year, for the regions and the country,
        with mid-year population. A year whose population stands on another level, or in
        which a region gained or lost territory, is left empty and says so in its flag.
    """
    people, births, deaths = (
        _figures(fetched, role) for role in ("population", "births", "deaths")
    )
    net = people.shift(-1, axis="columns") - people - (births - deaths)
    middle = (people.shift(-1, axis="columns") + people) / 2
    middle = middle.reindex(index=net.index, columns=net.columns)
    cells = pd.MultiIndex.from_product([net.index, net.columns], names=["location", "year"])
    values = {"value": net.to_numpy(float).ravel(), "population": middle.to_numpy(float).ravel()}
    table = pd.DataFrame(values, index=cells).reset_index()
    table["flag"] = np.where(table["value"].isna(), "", "derived")

    def empty(rows: pd.Series, flag: str) -> None:
        table.loc[rows, "value"] = np.nan
        table.loc[rows, "flag"] = flag

    for year in fetched.source.get("rebased", []):
        empty(table["year"] == year, "rebased")
    for change in boundary_changes.changes(str(fetched.source["country"])):
        concerned = table["location"].isin(list(change.parts))
        empty((table["year"] == change.year) & concerned, "boundary_change")
    table = table[(table["flag"] != "") & table["population"].notna()].reset_index(drop=True)
    if table["value"].notna().sum() == 0:
        raise DataError(
            f"{fetched.source.name}: population, births and deaths have no year in common. "
            "Fetch them again later."
        )
    return Panel.from_frame(
        table.assign(
            source=fetched.source["source"],
            measure="net_all_flows",
            precision=float(fetched.source["precision"]),
            as_of=_updated(fetched),
        ),
        step=1,
    )


def _figures(fetched: Fetched, role: str) -> pd.DataFrame:
    """Return the figures of one file in persons, shape (places, years)."""
    (file,) = fetched.of(role)
    content = _object(fetched.json(file), file.url)
    factor = float(file.told["factor"])
    unit = _metadata(content, "unit").lower()
    if unit and any(word in unit for word in _THOUSAND) != (factor == 1000):
        raise DataError(
            f"{file.url} states the unit {unit!r}, which is not the one in the catalogue "
            f"(times {factor:g}). The office has changed the table."
        )
    rows = {}
    for row in content["data"]:
        place = fetched.source.get("locations", {}).get(str(row.get("Code", "")).strip())
        if place is not None:
            rows[place] = {
                int(key): _number(value, file.url) * factor
                for key, value in row.items()
                if _YEAR.fullmatch(str(key))
            }
    if not rows:
        raise DataError(f"{file.url} has no row of a known region. The office may have new codes.")
    table = pd.DataFrame.from_dict(rows, orient="index")
    return table.reindex(columns=range(int(min(table.columns)), int(max(table.columns)) + 1))


def _object(content: Any, url: str) -> Mapping[str, Any]:
    first = content[0] if isinstance(content, list) and content else content
    if not isinstance(first, dict) or not isinstance(first.get("data"), list):
        raise DataError(f"{url}: the answer is not of the known form (metadata and data).")
    return first


def _metadata(content: Mapping[str, Any], word: str) -> str:
    """Return what the metadata say under a name with this word, in English."""
    for entry in content.get("metadata") or []:
        if isinstance(entry, dict) and word in str(entry.get("name_en", "")).lower():
            return str(entry.get("value_en") or "")
    return ""


def _updated(fetched: Fetched) -> str:
    """Return the newest day of change that the files state, else the day of the download."""
    days = []
    for file in fetched.files:
        found = _DAY.search(_metadata(_object(fetched.json(file), file.url), "modified"))
        if found:
            year, month, day, day2, month2, year2 = found.groups()
            days.append(f"{year or year2}-{month or month2}-{day or day2}")
    return max(days, default=fetched.retrieved)


def _number(given: object, url: str) -> float:
    if given is None or str(given).strip() in ("", "-", "–", "…", "..."):
        return float("nan")
    try:
        return float(str(given).replace("\u00a0", "").replace(" ", "").replace(",", "."))
    except ValueError:
        raise DataError(f"{url} holds {given!r} where a figure should be.") from None
