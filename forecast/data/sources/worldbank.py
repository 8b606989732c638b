"""The World Bank's indicators, version 2 of its interface, in JSON, page by page.

An answer is a list of two: what page this is, and its rows. See
https://datahelpdesk.worldbank.org/knowledgebase/articles/898581
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from forecast.data.sources.fetched import Kept, KeptFile
from forecast.data.sources.readers import Get
from forecast.data.sources.source import Source
from forecast.data.sources.tables import covariates as joined
from forecast.data.sources.tables import located
from forecast.errors import DataError
from forecast.panel import Panel

#: More pages than any indicator has.
_MOST_PAGES = 1000


def collect(source: Source, get: Get, releases: Sequence[int]) -> Mapping[str, str]:
    """Fetch every page of every indicator; the day of the newest figures is kept."""
    import json

    panel = source["panel"]
    wanted = [panel["indicator"], panel["population"]]
    wanted += [entry["indicator"] for entry in source.get("covariates", [])]
    updated = []
    for indicator in wanted:
        page, pages = 1, 1
        while page <= pages:
            path = (
                f"country/all/indicator/{indicator}?format=json"
                f"&per_page={source.get('per_page', 1000)}&page={page}"
            )
            file = get(path, "json", indicator)
            try:
                content = json.loads(file.read_bytes())
            except ValueError as error:
                raise DataError(
                    f"{source.name}, {indicator}, page {page}: damaged JSON ({error})."
                ) from None
            about = _about(content, f"{source.name}, {indicator}, page {page}")
            pages = int(about["pages"])
            if pages > _MOST_PAGES:
                raise DataError(f"{source.name}, {indicator}: {pages} pages cannot be right.")
            updated.append(str(about.get("lastupdated") or ""))
            page += 1
    return {"indicators": ", ".join(wanted), "updated": max(updated)}


def panel(kept: Kept) -> Panel:
    """Return net migration with population; persons per calendar year."""
    told = kept.source["panel"]
    table = _indicator(kept, str(told["indicator"])).dropna(subset=["value"])
    if table.empty:
        raise DataError(f"{kept.source.name}: {told['indicator']} has no figure. Fetch it again.")
    gaps = table.sort_values("year").groupby("location")["year"].diff().dropna()
    if len(gaps) and (gaps % 5 == 0).all():
        raise DataError(
            f"{kept.source.name}: {told['indicator']} has a figure only every fifth year. These "
            "are totals of five years, not persons per calendar year. Use the source wpp."
        )
    people = _indicator(kept, str(told["population"])).rename(columns={"value": "population"})
    rows = table.merge(people, on=["location", "year"], how="left", validate="one_to_one")
    return Panel.from_frame(
        rows.assign(
            source=told["source"], measure=told["measure"], as_of=kept.updated, precision=1.0
        ),
        step=1,
    )


def covariates(kept: Kept) -> pd.DataFrame:
    """Return the drivers of the catalogue's list, every country and year with a figure."""
    return joined(
        [
            _indicator(kept, str(entry["indicator"])).assign(
                measure=entry["measure"],
                unit=entry["unit"],
                source=f"{kept.source['institution']}, {entry['indicator']}, {kept.updated}",
            )
            for entry in kept.source.get("covariates", [])
        ]
    )


def _indicator(kept: Kept, indicator: str) -> pd.DataFrame:
    """Return ``location, year, value`` of one indicator, countries only."""
    rows = [row for file in kept.of(indicator) for row in _rows(kept, file)]
    try:
        table = pd.DataFrame(
            {
                "code": [str(row["countryiso3code"]) for row in rows],
                "year": [int(row["date"]) for row in rows],
                "value": [None if row["value"] is None else float(row["value"]) for row in rows],
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{kept.source.name}, {indicator}: a row is not of the documented form ({error!r}). "
            "The interface may have changed."
        ) from None
    table = table.astype({"value": float})
    return located(table, "code", kept.source)[["location", "year", "value"]]


def _rows(kept: Kept, file: KeptFile) -> list[Any]:
    content = kept.json(file)
    _about(content, file.url)
    rows = content[1] if len(content) > 1 else None
    return rows if isinstance(rows, list) else []


def _about(content: Any, where: str) -> Mapping[str, Any]:
    """Return what an answer says of itself; an answer that is a complaint is refused."""
    first = content[0] if isinstance(content, list) and content else None
    if isinstance(first, dict) and "message" in first:
        said = "; ".join(str(item.get("value", item)) for item in first["message"])
        raise DataError(f"{where}: the World Bank answers: {said}")
    if not isinstance(first, dict) or "pages" not in first:
        raise DataError(f"{where}: the answer is not of the documented form.")
    return first
