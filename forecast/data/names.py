"""Names that stand for figures: bundled panels, stored series, fetched sources."""

from __future__ import annotations

import difflib
from pathlib import Path

import pandas as pd

from forecast.data import package, store
from forecast.data.sources import catalogue, fetched
from forecast.data.sources.catalogue import WrongKindError
from forecast.errors import DataError, UnknownNameError
from forecast.panel import Panel


def kept_names() -> dict[str, str]:
    """Return what is on this machine beside the bundled panels: ``store`` or ``fetched``.

    A stored series comes before a fetched source of the same name: it holds the earlier
    fetches as well.
    """
    return dict.fromkeys(fetched.names(), "fetched") | dict.fromkeys(store.names(), "store")


def load(name: str = "central-asia") -> Panel:
    """Return a panel by its name, every release of its figures included.

    Parameters
    ----------
    name : str
        ``"central-asia"`` (countries and regions by calendar year),
        ``"central-asia-five-year"`` (UN vintages 2008 to 2019), ``"kazakhstan"`` (register,
        regions and internal moves), ``"kazakhstan-split"`` (regions that arose from splits),
        ``"kazakhstan-internal"``, ``"merged-units"``, ``"population"``, ``"corridors"`` (from
        country to country by calendar year, as several sources tell it) or
        ``"corridors-five-year"`` (Abel and Cohen); or a series kept with
        `forecast.data.store.add`; or a source fetched with ``forecast data fetch``.

    Returns
    -------
    Panel
        Persons per calendar year (per five years for the second); net inflow positive.

    Raises
    ------
    UnknownNameError
        If there is no such panel; the message lists those that are there.
    DataError
        If what was stored or fetched is damaged since.

    Examples
    --------
    >>> register = load("central-asia").select(location="KAZ", source="kz-bns")
    >>> register.select(measure="immigration").series[0].values[-2:].tolist()
    [29282.0, 23761.0]
    """
    if name in package.names():
        return package.load(name)
    where = kept_names().get(name)
    if where == "store":
        return store.load(name)
    if where == "fetched":
        return fetched.panel(name)
    raise _unknown(name)


def _unknown(name: str) -> UnknownNameError:
    if name in catalogue.sources():
        return UnknownNameError(
            f"{name!r} is an official source that has not been fetched on this machine. "
            f"Run forecast data fetch {name}"
        )
    here = kept_names()
    known = [*package.names(), *here]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f" Did you mean: {', '.join(near)}?" if near else ""
    listed = {
        "bundled": package.names(),
        "in the store": [one for one, where in here.items() if where == "store"],
        "fetched": [one for one, where in here.items() if where == "fetched"],
        "to be fetched": [one for one in catalogue.sources() if one not in here],
    }
    parts = [f"{where}: {', '.join(sorted(names))}" for where, names in listed.items() if names]
    return UnknownNameError(f"unknown panel {name!r}.{hint} There are, {'; '.join(parts)}.")


def describe() -> tuple[pd.DataFrame, list[str]]:
    """Return one row per series of the store and of fetched sources, and what is amiss.

    Returns
    -------
    table : DataFrame
        Columns of `forecast.data.package.describe`.
    problems : list of str
        Why something that is there cannot be read; the rest is listed all the same.
    """
    rows: list[dict[str, object]] = []
    problems: list[str] = []
    for name, where in sorted(kept_names().items()):
        try:
            panel = store.load(name, damaged=problems) if where == "store" else load(name)
            told = fetched.find(name) if where == "fetched" else None
        except WrongKindError:
            continue
        except (DataError, UnknownNameError) as error:
            problems.append(str(error))
            continue
        institution = "" if told is None else str(told.source["institution"])
        licence = "" if told is None else str(told.source.get("licence", {}).get("name", ""))
        rows += package.series_rows(panel.to_frame(), name, institution, licence)
    return pd.DataFrame(rows), problems


def resolve(data: str) -> Panel | None:
    """Return the panel that a name stands for on this machine; None if it may be a file."""
    if data in package.names() or data in kept_names():
        return load(data)
    if not Path(data).exists() and not Path(data).suffix:
        return load(data)
    return None
