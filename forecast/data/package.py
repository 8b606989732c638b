"""The figures that the package ships, with their sources."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecast import locations
from forecast.corridors import with_location
from forecast.errors import unknown_name
from forecast.flags import names_of
from forecast.panel import Panel
from forecast.series_key import KEY
from forecast.shelf import shelf


@cache
def description() -> dict[str, Any]:
    """Return the data package's description: resources, licenses, caveats, panels, flags."""
    content = (shelf("data") / "datapackage.json").read_text(encoding="utf-8")
    described: dict[str, Any] = json.loads(content)
    return described


def names() -> list[str]:
    """Return the names of the bundled panels."""
    return list(description()["panels"])


def resource(name: str) -> dict[str, Any]:
    """Return the description of one table: sources, licenses, unit, coverage, caveats.

    Raises
    ------
    UnknownNameError
        If the package ships no such table.
    """
    resources = {str(entry["name"]): entry for entry in description()["resources"]}
    if name not in resources:
        raise unknown_name("bundled table", name, resources)
    entry: dict[str, Any] = resources[name]
    return entry


def path_of(name: str) -> Path:
    """Return the file of one bundled table."""
    return shelf("data") / str(resource(name)["path"])


def example(name: str) -> Path:
    """Return a file of the package to try out; its figures are invented and it says so.

    Parameters
    ----------
    name : str
        ``"office-table.xlsx"``: a table of migration by region as an office might publish it,
        with a mistake in it.

    Returns
    -------
    Path
        Where it lies; copy it before you change it.

    Raises
    ------
    UnknownNameError
        If there is no such file; the message lists those that are there.

    Examples
    --------
    >>> example("office-table.xlsx").is_file()
    True
    """
    there = {path.name: path for path in (shelf("data") / "examples").iterdir()}
    if name not in there:
        raise unknown_name("example", name, there)
    return there[name]


def _table(name: str) -> pd.DataFrame:
    # The licence of each figure is for readers of the file; what a panel holds has none.
    return pd.read_csv(path_of(name)).drop(columns="licence", errors="ignore")


def _part(panel: str, name: str) -> pd.DataFrame:
    """Return the rows of a table that belong to a panel."""
    table, country = with_location(_table(name), str), description()["only"].get(panel)
    if country is None:
        return table
    return table[[locations.country_of(place) == country for place in table["location"]]]


@cache
def outlines(country: str) -> dict[str, list[np.ndarray]]:
    """Return the outlines of a country's regions, for small maps; empty where none are shipped.

    Returns
    -------
    dict of list of ndarray, shape (n_points, 2)
        By code of a region or merged unit its parts, largest first, each a closed ring of
        longitude and latitude in degrees.
    """
    found: dict[str, list[np.ndarray]] = {}
    for row in _table("region_outlines").itertuples():
        if locations.country_of(str(row.location)) == country:
            points = np.array(str(row.outline).split(), dtype=float).reshape(-1, 2)
            found.setdefault(str(row.location), []).append(points)
    return {
        code: sorted(rings, key=lambda ring: -float(np.ptp(ring, axis=0).prod()))
        for code, rings in found.items()
    }


def load(name: str) -> Panel:
    """Return a bundled panel by its name, every release of its figures included.

    Raises
    ------
    UnknownNameError
        If the package ships no such panel.
    """
    if name not in description()["panels"]:
        raise unknown_name("bundled panel", name, names())
    return _bundled(name)


@cache
def _bundled(name: str) -> Panel:
    panels = description()["panels"]
    table = pd.concat([_part(name, part) for part in panels[name]], ignore_index=True)
    return Panel.from_frame(table, step=5 if name.endswith("five-year") else 1)


def describe(name: str | None = None) -> pd.DataFrame:
    """Return one row per bundled series.

    Parameters
    ----------
    name : str, optional
        One bundled panel; all of them by default, and then all corridors of a source in one row.

    Returns
    -------
    DataFrame
        ``panel, source, location, name, measure, first, last, observations, releases,
        flags, institution, licence``.
    """
    rows: list[dict[str, object]] = []
    panels = description()["panels"]
    if name is not None and name not in panels:
        raise unknown_name("bundled panel", name, panels)
    for panel in panels if name is None else [name]:
        load(panel)
        for part in panels[panel]:
            entry = resource(part)
            licence = "; ".join(item["name"] for item in entry["licenses"])
            institution = "; ".join(source["title"] for source in entry["sources"])
            table = _part(panel, part)
            rows += series_rows(table, panel, institution, licence, apart=name is not None)
    return pd.DataFrame(rows)


def series_rows(
    table: pd.DataFrame, panel: str, institution: str, licence: str, apart: bool = True
) -> list[dict[str, object]]:
    """Return one row of `describe` per series of a table with the columns of a Panel.

    Parameters
    ----------
    table : DataFrame
        As of `Panel.to_frame`; every series has at least one figure.
    panel : str
        Name of the panel that holds the series.
    institution, licence : str
        Who published the figures, and on which terms; shown as they are.
    apart : bool
        Whether each corridor has a row; else those of a source are counted together, since there
        are thousands of them.

    Returns
    -------
    list of dict
        Sorted by source, location and measure. ``first``, ``last`` and ``observations`` count years
        with a figure.
    """
    rows: list[dict[str, object]] = []
    if not apart and (pairs := table["location"].str.contains(":", regex=False)).any():
        number = table["location"].groupby(table["source"]).transform("nunique").astype(str)
        table = table.assign(location=table["location"].mask(pairs, number + " corridors"))
    for key, figures in table.groupby(KEY, sort=True):
        observed = figures[figures["value"].notna()]
        flags = sorted({flag for text in figures["flag"] for flag in names_of(text)})
        rows.append(
            {
                "panel": panel,
                **dict(zip(KEY, key)),
                "name": str(key[1]) if " " in str(key[1]) else locations.name(str(key[1])),
                "first": int(observed["year"].min()),
                "last": int(observed["year"].max()),
                "observations": int(observed["year"].nunique()),
                "releases": int(figures["as_of"].nunique()) if "as_of" in figures else 0,
                "flags": " ".join(flags).strip(),
                "institution": institution,
                "licence": licence,
            }
        )
    return rows


def projections() -> pd.DataFrame:
    """Return the UN's own projection of net migration and population.

    Returns
    -------
    DataFrame
        ``source, location, year, as_of, value, population, lower_80, upper_80, lower_95,
        upper_95`` in persons; intervals are empty before the vintage of 2024.
    """
    return _table("un_projection")


def moves() -> pd.DataFrame:
    """Return observed moves inside countries, origin by destination.

    Returns
    -------
    DataFrame
        ``table, origin, destination, year, value, flag``: persons per calendar year between
        two regions of one country; ``table`` is the bundled table it comes from.
    """
    named = description()["moves"]["central-asia"]
    parts = [_table(name).assign(table=name) for name in named]
    joined = pd.concat(parts, ignore_index=True)
    joined["flag"] = joined["flag"].fillna("")
    return joined[["table", "origin", "destination", "year", "value", "flag"]]


def covariates() -> pd.DataFrame:
    """Return possible drivers: ``location, measure, year, value, unit, source``."""
    return _table("covariates")


def facts() -> pd.DataFrame:
    """Return the numbers stated by the reference paper and how they compare with the offices'."""
    return _table("paper_facts")
