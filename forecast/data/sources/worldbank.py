"""The World Bank's indicators, version 2 of its interface, in JSON, page by page.

An answer is a list of two: what page this is, and its rows. See
https://datahelpdesk.worldbank.org/knowledgebase/articles/898581
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from forecast.data.sources.catalogue import Get, Source, covariate_table, documented_form, pages
from forecast.data.sources.fetched import Fetched, FetchedFile
from forecast.errors import DataError
from forecast.panel import Panel


def collect(source: Source, get: Get, releases: Sequence[int]) -> Mapping[str, str]:
    """Fetch every page of every indicator; the day of the newest figures is kept.

    Parameters
    ----------
    source : Source
        Names the indicators of net migration, of population, and of drivers.
    get : Get
        Fetches one address and notes what came.
    releases : sequence of int
        Empty: only World Population Prospects has vintages to choose from.

    Returns
    -------
    mapping of str to str
        ``indicators``, joined by commas; ``updated``, a day (YYYY-MM-DD).

    Raises
    ------
    DataError
        If an answer is not of the documented form.
    """
    entry = source["panel"]
    indicators = [entry["indicator"], entry["population"]]
    indicators += [driver["indicator"] for driver in source.get("covariates", [])]
    days: list[str] = []
    for indicator in indicators:
        path = (
            f"country/all/indicator/{indicator}?format=json"
            f"&per_page={source.get('per_page', 1000)}&page={{page}}"
        )
        answers = pages(get, path, indicator, f"{source.name}, {indicator}", _page_count)
        days += [str(content[0].get("lastupdated") or "") for content in answers]
    return {"indicators": ", ".join(indicators), "updated": max(days)}


def panel(fetched: Fetched) -> Panel:
    """Return net migration with population; persons per calendar year."""
    source, entry = fetched.source, fetched.source["panel"]
    table = _indicator(fetched, str(entry["indicator"])).dropna(subset=["value"])
    if table.empty:
        raise DataError(f"{source.name}: {entry['indicator']} has no figure. Fetch it again.")
    gaps = table.sort_values("year").groupby("location")["year"].diff().dropna()
    if len(gaps) and (gaps % 5 == 0).all():
        raise DataError(
            f"{source.name}: {entry['indicator']} has a figure only every fifth year. These "
            "are totals of five years, not persons per calendar year. Use the source wpp."
        )
    people = _indicator(fetched, str(entry["population"])).rename(columns={"value": "population"})
    rows = table.merge(people, on=["location", "year"], how="left", validate="one_to_one")
    return Panel.from_frame(
        rows.assign(
            source=entry["source"], measure=entry["measure"], as_of=fetched.updated, precision=1.0
        ),
        step=1,
    )


def covariates(fetched: Fetched) -> pd.DataFrame:
    """Return the drivers of the catalogue's list, every country and year with a figure."""
    return covariate_table(
        [
            _indicator(fetched, str(entry["indicator"])).assign(
                measure=entry["measure"],
                unit=entry["unit"],
                source=f"{fetched.source['institution']}, {entry['indicator']}, {fetched.updated}",
            )
            for entry in fetched.source.get("covariates", [])
        ]
    )


def _indicator(fetched: Fetched, indicator: str) -> pd.DataFrame:
    """Return ``location, year, value`` of one indicator, countries only."""
    rows = [row for file in fetched.of(indicator) for row in _rows(fetched, file)]
    with documented_form(f"{fetched.source.name}, {indicator}"):
        table = pd.DataFrame(
            {
                "code": [str(row["countryiso3code"]) for row in rows],
                "year": [int(row["date"]) for row in rows],
                "value": [None if row["value"] is None else float(row["value"]) for row in rows],
            }
        ).astype({"value": float})
    return fetched.source.located(table, "code")[["location", "year", "value"]]


def _rows(fetched: Fetched, file: FetchedFile) -> list[Any]:
    content = fetched.json(file)
    _page_count(content, file.url)
    rows = content[1] if len(content) > 1 else None
    return rows if isinstance(rows, list) else []


def _page_count(content: Any, where: str) -> int:
    """Return how many pages an answer says there are; a complaint is refused."""
    about = content[0] if isinstance(content, list) and content else None
    if isinstance(about, dict) and "message" in about:
        reasons = "; ".join(str(item.get("value", item)) for item in about["message"])
        raise DataError(f"{where}: the World Bank answers: {reasons}")
    if not isinstance(about, dict) or "pages" not in about:
        raise DataError(f"{where}: the answer is not of the documented form.")
    return int(about["pages"])
