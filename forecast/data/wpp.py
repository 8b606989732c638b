"""World Population Prospects: net migration by vintage, as fetched too, and the projections.

Two forms are read: the UN's own bulk files (CSV, one vintage each, `read_bulk`), and a
folder with the eight vintages 2008–2024 in tidy form. The figures stay outside
the package (CC BY 3.0 IGO, United Nations; https://population.un.org/wpp/).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from forecast.data.sources.catalogue import Get, Source
from forecast.data.sources.fetched import Fetched
from forecast.data.wpp_bulk import ANNUAL, PEOPLE, RELEASED, SOURCE, codes, read_bulk
from forecast.errors import DataError, unknown_name
from forecast.panel import Panel

#: Quantile levels of the UN's (and bayesMig's) intervals, by the end of the column name.
_LEVELS = {"median": 0.5, "pi80_low": 0.1, "pi80_high": 0.9, "pi95_low": 0.025, "pi95_high": 0.975}


def world(
    folder: str | Path,
    *,
    step: Literal[1, 5] = 1,
    vintages: Sequence[int] | None = None,
    smallest: float = 0.0,
) -> Panel:
    """Read net migration of all countries and areas from the tidy vintages.

    Parameters
    ----------
    folder : str or Path
        Holds ``wpp2024_net_migration.csv.gz`` and the like (`step` 1) and
        ``wpp_all_vintages_5year.csv.gz`` (`step` 5).
    step : {1, 5}
        Calendar years (vintages 2022 and 2024), or five-year periods from mid-year to
        mid-year keyed by their first year (all vintages; those of 2022 and 2024 summed
        to the same periods). Projections and half-projected periods are left out.
    vintages : sequence of int, optional
        All that the step has, by default. Each is a release with its date in ``as_of``.
    smallest : float
        Leave out areas with fewer inhabitants (persons) in the last year of the first
        vintage asked for, so that the choice knows nothing of later growth.

    Returns
    -------
    Panel
        Measure ``net_migration`` in persons per calendar year (per period for five-year
        panels), with mid-year (mean of the period) population in persons.

    Raises
    ------
    DataError
        If the folder lacks a file.
    UnknownNameError
        If a vintage does not exist in the step asked for.

    Examples
    --------
    >>> import tempfile
    >>> row = {"vintage": 2019, "kind": "estimate", "iso_numeric": 398, "iso3": "KAZ",
    ...        "period_start": 2010, "net_migration_thousands": -32.0,
    ...        "population_avg_thousands": 17000.0}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pd.DataFrame([row]).to_csv(f"{folder}/wpp_all_vintages_5year.csv.gz", index=False)
    ...     world(folder, step=5, vintages=[2019]).series[0].values.tolist()
    [-32000.0]
    """
    available = ANNUAL if step == 1 else tuple(RELEASED)
    wanted = tuple(sorted(available if vintages is None else vintages))
    for vintage in wanted:
        if vintage not in available:
            raise unknown_name("WPP vintage", vintage, [str(year) for year in available])
    if step == 1:
        table = pd.concat([_annual(Path(folder), vintage) for vintage in wanted])
    else:
        table = _periods(Path(folder), wanted)
    if smallest:
        first = table[table["as_of"] == RELEASED[wanted[0]]]
        last = first.sort_values("year").drop_duplicates("location", keep="last")
        large = last.loc[last["population"] >= smallest, "location"]
        table = table[table["location"].isin(large)]
    return Panel.from_frame(table.reset_index(drop=True), step=step)


def projections(folder: str | Path, *, step: Literal[1, 5] = 1) -> pd.DataFrame:
    """Read the UN's own projections of net migration, vintage by vintage.

    Parameters
    ----------
    folder : str or Path
        As of `world`.
    step : {1, 5}
        Calendar years, or five-year periods.

    Returns
    -------
    DataFrame
        ``released, source, location, measure, year, quantile, value`` in persons per
        calendar year (or period): the median of every vintage (the medium variant up to
        2022, which is a point forecast), and 80 and 95 % intervals of 2024's annual ones.

    Raises
    ------
    DataError
        If the folder lacks a file.

    Examples
    --------
    >>> import tempfile
    >>> row = {"vintage": 2019, "kind": "projection", "iso_numeric": 398, "iso3": "KAZ",
    ...        "period_start": 2020, "net_migration_thousands": -90.0}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pd.DataFrame([row]).to_csv(f"{folder}/wpp_all_vintages_5year.csv.gz", index=False)
    ...     projections(folder, step=5)[["released", "quantile", "value"]].values.tolist()
    [['2019-06-17', 0.5, -90000.0]]
    """
    root = Path(folder)
    if step == 5:
        table = pd.read_csv(_existing(root / "wpp_all_vintages_5year.csv.gz"))
        table = table[table["kind"] == "projection"].rename(columns={"period_start": "year"})
        table = table.rename(columns={"net_migration_thousands": "median"})
        table["released"] = table["vintage"].map(RELEASED)
        return _quantile_rows(table, ["median"])
    pieces = []
    for vintage in ANNUAL:
        table = _read_annual(root, vintage, "net_migration")
        table = table[table["kind"] == "projection"].assign(released=RELEASED[vintage])
        table = _short_names(table.rename(columns={"net_migration_thousands": "median"}))
        pieces.append(_quantile_rows(table, [name for name in _LEVELS if name in table]))
    return pd.concat(pieces, ignore_index=True)


def bayesian_projection(folder: str | Path) -> pd.DataFrame:
    """Read the Bayesian projection made from WPP 2015 (Azose, Sevcikova & Raftery 2016).

    Five-year periods, median with 80 and 95 % intervals, doi:10.1073/pnas.1606119113.

    Parameters
    ----------
    folder : str or Path
        Holds ``wpp2015bayesmig_net_migration_projection.csv``.

    Returns
    -------
    DataFrame
        Columns as of `projections`, persons per period; dated to the release of the vintage that
        it was made from.

    Raises
    ------
    DataError
        If the folder lacks the file.

    Examples
    --------
    >>> import tempfile
    >>> row = {"iso_numeric": 398, "iso3": "KAZ", "period_start": 2020}
    >>> row |= {f"net_migration_{name}_thousands": -90.0 for name in _LEVELS}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = f"{folder}/wpp2015bayesmig_net_migration_projection.csv"
    ...     pd.DataFrame([row]).to_csv(file, index=False)
    ...     sorted(bayesian_projection(folder)["quantile"])
    [0.025, 0.1, 0.5, 0.9, 0.975]
    """
    file = _existing(Path(folder) / "wpp2015bayesmig_net_migration_projection.csv")
    table = _short_names(pd.read_csv(file).rename(columns={"period_start": "year"}))
    return _quantile_rows(table.assign(released=RELEASED[2015]), list(_LEVELS))


def _short_names(table: pd.DataFrame) -> pd.DataFrame:
    return table.rename(columns=lambda name: re.sub("net_migration_|_thousands", "", name))


def _quantile_rows(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Turn one column per quantile into one row per quantile."""
    table = table.reset_index(drop=True)
    pieces = [
        pd.DataFrame(
            {
                "released": table["released"],
                "source": SOURCE,
                "location": codes(table["iso_numeric"], table["iso3"]),
                "measure": "net_migration",
                "year": table["year"].astype(int),
                "quantile": _LEVELS[column],
                "value": table[column] * PEOPLE,
            }
        )
        for column in columns
    ]
    return pd.concat(pieces, ignore_index=True).dropna(subset=["value"], ignore_index=True)


def _annual(folder: Path, vintage: int) -> pd.DataFrame:
    flows, people = (
        _read_annual(folder, vintage, what) for what in ("net_migration", "population")
    )
    flows = flows[flows["kind"] == "estimate"]
    table = flows.merge(
        people[["iso_numeric", "year", "population_midyear_thousands"]],
        on=["iso_numeric", "year"],
        how="left",
        validate="one_to_one",
    )
    table = table.dropna(subset=["net_migration_thousands"], ignore_index=True)
    return _rows(table, "year", "population_midyear_thousands", RELEASED[vintage])


def _periods(folder: Path, vintages: Sequence[int]) -> pd.DataFrame:
    table = pd.read_csv(_existing(folder / "wpp_all_vintages_5year.csv.gz"))
    table = table[(table["kind"] == "estimate") & table["vintage"].isin(vintages)]
    table = table.dropna(subset=["net_migration_thousands"], ignore_index=True)
    released = table["vintage"].map(RELEASED)
    return _rows(table, "period_start", "population_avg_thousands", released)


def _rows(
    table: pd.DataFrame, year: str, population: str, released: str | pd.Series
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "source": SOURCE,
            "location": codes(table["iso_numeric"], table["iso3"]),
            "measure": "net_migration",
            "year": table[year].astype(int),
            "value": table["net_migration_thousands"] * PEOPLE,
            "population": table[population] * PEOPLE,
            "as_of": released,
            "precision": 1.0,
        }
    )


def _read_annual(folder: Path, vintage: int, what: str) -> pd.DataFrame:
    """Read a file of a vintage, packed or not."""
    packed = folder / f"wpp{vintage}_{what}.csv.gz"
    plain = folder / f"wpp{vintage}_{what}.csv"
    return pd.read_csv(_existing(plain if plain.is_file() and not packed.is_file() else packed))


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise DataError(
            f"there is no file {file}. Give the folder with the tidy WPP vintages, "
            "or the UN's bulk file to read_bulk()."
        )
    return file


def collect(source: Source, get: Get, releases: Sequence[int]) -> Mapping[str, str]:
    """Fetch the bulk files of the vintages asked for; all that are known by default.

    Parameters
    ----------
    source : Source
        Its ``files`` have a ``release``, the year of the vintage.
    get : Get
        Fetches one address and notes what came.
    releases : sequence of int
        Years of the vintages; none for all.

    Returns
    -------
    mapping of str to str
        ``releases``, joined by commas.

    Raises
    ------
    UnknownNameError
        If the catalogue has no such vintage.
    """
    known = sorted({int(file["release"]) for file in source["files"]})
    wanted = sorted(set(releases)) or known
    for release in wanted:
        if release not in known:
            raise unknown_name(f"vintage of {source.name}", str(release), map(str, known))
    for file in source["files"]:
        if file["release"] in wanted:
            notes = {
                key: str(file.get(key, ""))
                for key in ("release", "sha256", "released", "last_estimate")
            }
            get(file["path"], file["content"], file.get("role", "data"), **notes)
    return {"releases": ", ".join(map(str, wanted))}


def panel(fetched: Fetched) -> Panel:
    """Return net migration of all countries, every vintage with its day of release."""
    people = {file.told["release"]: fetched.path(file) for file in fetched.of("population")}
    read = []
    for file in fetched.of("data"):
        last = file.told.get("last_estimate")
        read.append(
            read_bulk(
                fetched.path(file),
                vintage=int(file.told["release"]),
                released=file.told.get("released") or None,
                last_estimate=int(last) if last else None,
                population=people.get(file.told["release"]),
            )
        )
    if len(read) == 1:
        return read[0]
    return Panel.from_frame(
        pd.concat([part.figures for part in read], ignore_index=True), step=read[0].step
    )


__all__ = [
    "ANNUAL", "RELEASED", "SOURCE", "bayesian_projection", "projections", "read_bulk", "world",
]  # fmt: skip
