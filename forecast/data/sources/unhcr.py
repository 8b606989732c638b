"""The refugee data of UNHCR: the interface for population, in JSON, page by page.

See https://api.unhcr.org/docs/refugee-statistics.html; counts are numbers, digits as text,
or ``-`` where there is none.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from forecast.data.sources.fetched import Kept
from forecast.data.sources.readers import Get
from forecast.data.sources.source import Source
from forecast.data.sources.tables import covariates as joined
from forecast.data.sources.tables import located, no_panel
from forecast.errors import DataError
from forecast.panel import Panel

#: Who lives where, and who comes from where: the parameter and the column of each.
_SIDES = {
    "asylum": ("coa_all", "coa_iso", {"refugees": "hosted", "asylum_seekers": "hosted"}),
    "origin": ("coo_all", "coo_iso", {"refugees": "abroad", "asylum_seekers": "abroad"}),
}
_MOST_PAGES = 1000


def collect(source: Source, get: Get, releases: Sequence[int]) -> Mapping[str, str]:
    """Fetch the totals of every country of asylum and of origin."""
    first, last = source.get("first_year", 1951), dt.datetime.now(dt.UTC).year
    for side, (parameter, _, _) in _SIDES.items():
        page, pages = 1, 1
        while page <= pages:
            path = (
                f"population/?limit={source.get('per_page', 100)}&page={page}&yearFrom={first}"
                f"&yearTo={last}&{parameter}=true&cf_type=ISO"
            )
            where = f"{source.name}, by country of {side}, page {page}"
            try:
                content = json.loads(get(path, "json", side).read_bytes())
            except ValueError as error:
                raise DataError(f"{where}: damaged JSON ({error}).") from None
            _items(content, where)
            pages = int(content.get("maxPages") or 1)
            if pages > _MOST_PAGES:
                raise DataError(f"{where}: {pages} pages cannot be right.")
            page += 1
    return {}


def panel(kept: Kept) -> Panel:
    """Refuse: people who are there are no migration of a year."""
    raise no_panel(kept.source)


def covariates(kept: Kept) -> pd.DataFrame:
    """Return refugees and asylum seekers, persons at the end of the year.

    ``unhcr_refugees_hosted`` and ``unhcr_asylum_seekers_hosted`` by country of asylum,
    ``unhcr_refugees_abroad`` and ``unhcr_asylum_seekers_abroad`` by country of origin.
    """
    pieces = []
    for side, (_, column, counts) in _SIDES.items():
        items = [item for file in kept.of(side) for item in _items(kept.json(file), file.url)]
        try:
            table = pd.DataFrame(
                {
                    "code": [str(item[column] or "-") for item in items],
                    "year": [int(item["year"]) for item in items],
                    **{name: [_count(item[name]) for item in items] for name in counts},
                }
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{kept.source.name}, by country of {side}: a row is not of the documented form "
                f"({error!r}). The interface may have changed."
            ) from None
        placed = located(table, "code", kept.source)
        pieces += [
            placed[["location", "year"]].assign(
                value=placed[name],
                measure=f"unhcr_{name}_{where}",
                unit="persons",
                source=f"UNHCR Refugee Data Finder, {kept.retrieved}",
            )
            for name, where in counts.items()
        ]
    return joined(pieces)


def _items(content: Any, where: str) -> list[Any]:
    items = content.get("items") if isinstance(content, dict) else None
    if not isinstance(items, list):
        raise DataError(f"{where}: the answer is not of the documented form.")
    return items


def _count(given: object) -> float:
    """Read a count; a dash is a missing one."""
    text = str(given).strip()
    return float("nan") if text in ("-", "", "None") else float(text)
