"""Covariates of one place up to an origin, in the forms that a regression takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast import locations
from forecast.errors import DataError, unknown_name

_COLUMNS = ("location", "measure", "year", "value")
FORMS = ("ratio", "relative", "change", "level")


@dataclass(frozen=True, eq=False)
class Drivers:
    """What is known of the drivers of one place at an origin.

    Attributes
    ----------
    names : tuple of str
        The K drivers.
    years : ndarray of int, shape (n,)
        From the first year in which any is known to the origin.
    values : ndarray, shape (n, K)
        In units of a usual value: mean zero and standard deviation one up to the origin.
        NaN where there is no figure.
    """

    names: tuple[str, ...]
    years: np.ndarray
    values: np.ndarray

    def lagged(self, years: np.ndarray) -> np.ndarray:
        """Return the values of the year before each year, shape (n_years, K).

        Before its first figure a driver stands still at it, and so says nothing; where figures
        are missing later it stands still at the last one.
        """
        filled = pd.DataFrame(self.values).ffill().bfill().to_numpy()
        position = np.clip(np.asarray(years) - 1 - self.years[0], 0, len(self.years) - 1)
        return np.asarray(filled[position])


def check(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return covariates by measure, each a table of years by places, or say what is wrong.

    Raises
    ------
    DataError
        Naming the column, the row and the remedy.
    """
    missing = [name for name in _COLUMNS if name not in table]
    if missing:
        raise DataError(
            f"covariates have no column {missing[0]!r}; give {', '.join(_COLUMNS)}, one row per "
            "place, measure and year."
        )
    kept = table[list(_COLUMNS)].dropna(subset=["value"])
    numbers = pd.to_numeric(kept["value"], errors="coerce")
    if numbers.isna().any():
        row = kept[numbers.isna()].iloc[0]
        raise DataError(
            f"covariate {row['measure']} of {row['location']} in {row['year']} is "
            f"{row['value']!r}; give a number."
        )
    if kept.duplicated(list(_COLUMNS[:3])).any():
        row = kept[kept.duplicated(list(_COLUMNS[:3]))].iloc[0]
        raise DataError(
            f"covariate {row['measure']} of {row['location']} in {row['year']} stands twice. "
            "Keep one row."
        )
    typed = kept.assign(value=numbers.astype(float), year=kept["year"].astype(int))
    return {
        str(measure): rows.pivot(index="year", columns="location", values="value").sort_index()
        for measure, rows in typed.groupby("measure")
    }


def drivers(
    tables: Mapping[str, pd.DataFrame],
    location: str,
    origin: int,
    wanted: Sequence[Mapping[str, Any]],
    minimum: int,
) -> Drivers | None:
    """Return the drivers of a place as they stood at an origin.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        From `check`; rows after the origin are never looked at.
    location : str
    origin : int
    wanted : sequence of mapping
        ``name, measure, form`` and perhaps ``to`` or ``place``, see ``models/regression.toml``.
    minimum : int
        Fewest years for a driver to be used.

    Returns
    -------
    Drivers or None
        None if no driver of the place has figures enough.
    """
    columns = {}
    for driver in wanted:
        if driver["form"] not in FORMS:
            raise unknown_name(f"form of the driver {driver['name']!r}", driver["form"], FORMS)
        if driver["measure"] not in tables:
            continue
        made = _column(tables[driver["measure"]].loc[:origin], location, driver)
        if len(made) >= minimum and float(made.std()) > 0:
            columns[str(driver["name"])] = (made - made.mean()) / made.std()
    if not columns:
        return None
    joined = pd.DataFrame(columns).sort_index()
    years = np.arange(int(joined.index[0]), origin + 1)
    values = joined.reindex(years).to_numpy(dtype=float)
    return Drivers(tuple(columns), years, values)


def _column(known: pd.DataFrame, location: str, driver: Mapping[str, Any]) -> pd.Series[float]:
    """Return one driver by year, where it can be told."""
    form, nothing = driver["form"], pd.Series(dtype=float)
    place = str(driver.get("place", location))
    if place not in known or place == driver.get("to"):
        return nothing
    own = known[place].dropna()
    if form == "level":
        return own
    if form == "change":
        logs = np.log(own[own > 0])
        followed = pd.Series(logs.index, logs.index).diff() == 1
        return pd.Series(100 * logs.diff()[followed].dropna())
    if form == "ratio":
        against = known[driver["to"]].dropna() if driver["to"] in known else nothing
    else:
        country = locations.country_of(location)
        inside = [code for code in known if code != country and _within(str(code), country)]
        if country == location:
            return nothing
        against = known[inside].mean(axis=1).dropna()
    both = own[own > 0].index.intersection(against[against > 0].index)
    return pd.Series(np.log(own[both] / against[both]), both)


def _within(place: str, country: str) -> bool:
    return locations.country_of(place) == country
