"""The refugee data of UNHCR: the interface for population, in JSON, page by page.

See https://api.unhcr.org/docs/refugee-statistics.html; counts are numbers, digits as text,
or ``-`` where there is none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from forecast.data.sources.catalogue import Get, Source, covariate_table, documented_form, pages
from forecast.data.sources.fetched import Fetched
from forecast.errors import DataError

#: Who lives where, and who comes from where: the parameter and the column of each.
_SIDES = {
    "asylum": ("coa_all", "coa_iso", {"refugees": "hosted", "asylum_seekers": "hosted"}),
    "origin": ("coo_all", "coo_iso", {"refugees": "abroad", "asylum_seekers": "abroad"}),
}


def collect(source: Source, get: Get, releases: Sequence[int]) -> Mapping[str, str]:
    """Fetch the totals of every country of asylum and of origin.

    Parameters
    ----------
    source : Source
        May state ``first_year`` (1951) and ``per_page`` (100).
    get : Get
        Fetches one address and notes what came.
    releases : sequence of int
        Empty: only World Population Prospects has vintages to choose from.

    Returns
    -------
    mapping
        Empty: the interface does not say when its figures were updated.

    Raises
    ------
    DataError
        If an answer is not of the documented form.
    """
    first, last = source.get("first_year", 1951), dt.datetime.now(dt.UTC).year
    size = source.get("per_page", 100)
    for side, (parameter, _, _) in _SIDES.items():
        path = (
            f"population/?limit={size}&page={{page}}&yearFrom={first}&yearTo={last}"
            f"&{parameter}=true&cf_type=ISO"
        )
        for _ in pages(get, path, side, f"{source.name}, by country of {side}", _page_count):
            pass
    return {}


def covariates(fetched: Fetched) -> pd.DataFrame:
    """Return refugees and asylum seekers, persons at the end of the year.

    ``unhcr_refugees_hosted`` and ``unhcr_asylum_seekers_hosted`` by country of asylum,
    ``unhcr_refugees_abroad`` and ``unhcr_asylum_seekers_abroad`` by country of origin.
    """
    pieces = []
    for side, (_, column, counts) in _SIDES.items():
        items = [row for file in fetched.of(side) for row in _items(fetched.json(file), file.url)]
        with documented_form(f"{fetched.source.name}, by country of {side}"):
            table = pd.DataFrame(
                {
                    "code": [str(item[column] or "-") for item in items],
                    "year": [int(item["year"]) for item in items],
                    **{name: [_count(item[name]) for item in items] for name in counts},
                }
            )
        places = fetched.source.located(table, "code")
        pieces += [
            places[["location", "year"]].assign(
                value=places[name],
                measure=f"unhcr_{name}_{where}",
                unit="persons",
                source=f"UNHCR Refugee Data Finder, {fetched.retrieved}",
            )
            for name, where in counts.items()
        ]
    return covariate_table(pieces)


def _page_count(content: Any, where: str) -> int:
    _items(content, where)
    return int(content.get("maxPages") or 1)


def _items(content: Any, where: str) -> list[Any]:
    items = content.get("items") if isinstance(content, dict) else None
    if not isinstance(items, list):
        raise DataError(f"{where}: the answer is not of the documented form.")
    return items


def _count(given: object) -> float:
    """Read a count; a dash is a missing one."""
    text = str(given).strip()
    return float("nan") if text in ("-", "", "None") else float(text)
