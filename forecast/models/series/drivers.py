"""Covariates of one place up to an origin, and their joint futures."""

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


#: Prior of the persistence: mean and standard deviation. Levels last, growth rates do not.
_PERSISTENCE = (0.7, 0.3)
#: Prior standard deviation of the constant, in standard deviations of the driver.
_CONSTANT = 0.5
#: Share of the observed correlations of surprises that is believed.
_BELIEVED = 0.7


def futures(
    drivers: Drivers, n_ahead: int, n_draws: int, generator: np.random.Generator
) -> np.ndarray:
    """Draw the drivers' values that meet the series in the years ahead.

    Parameters
    ----------
    drivers : Drivers
        Of the place, up to the origin.
    n_ahead : int
        Steps after the series' last year.
    n_draws : int
        Simulated futures.
    generator : numpy.random.Generator
        Source of the randomness.

    Returns
    -------
    ndarray, shape (n_draws, n_ahead, K)
        Lagged: the first year ahead meets the value of the origin, observed or drawn.
    """
    values, size = drivers.values, drivers.values.shape[1]
    fitted = [_fit(values[:, column]) for column in range(size)]
    residuals = np.column_stack([residual for _, _, _, _, residual in fitted])
    mixing = np.linalg.cholesky(_correlation(residuals))
    slopes, scales = np.empty((n_draws, 2, size)), np.empty((n_draws, size))
    for column, (mean, root, degrees, squares, _) in enumerate(fitted):
        scales[:, column] = np.sqrt(squares / generator.chisquare(degrees, n_draws))
        normal = generator.standard_normal((n_draws, 2))
        slopes[:, :, column] = mean + scales[:, [column]] * (normal @ root.T)
    # A driver that runs away would say more than any past of it does.
    slopes[:, 1] = np.clip(slopes[:, 1], -1.0, 1.0)
    known = ~np.isnan(values)
    last_known = [int(np.flatnonzero(known[:, column])[-1]) for column in range(size)]
    start = min(last_known)
    current = np.tile(np.where(known[start], values[start], 0.0), (n_draws, 1))
    path = np.empty((n_draws, n_ahead, size))
    for position in range(start, len(values) - 1 + n_ahead):
        if position > start:
            shocks = generator.standard_normal((n_draws, size)) @ mixing.T
            drawn = slopes[:, 0] + slopes[:, 1] * current + scales * shocks
            inside = position < len(values)
            told = known[position] if inside else np.zeros(size, dtype=bool)
            current = np.where(told, values[position] if inside else 0.0, drawn)
        ahead = position - (len(values) - 1)
        if 0 <= ahead < n_ahead:
            path[:, ahead] = current
    return path


def _fit(column: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float, np.ndarray]:
    """Regress a driver on its year before.

    Returns
    -------
    mean : ndarray, shape (2,)
        Constant and persistence.
    root : ndarray, shape (2, 2)
        Square root of their covariance relative to the variance of the surprises.
    degrees, squares : float
        Of the variance: inverse gamma.
    residual : ndarray, shape (n - 1,)
        NaN where one of the two years is missing.
    """
    before, after = column[:-1], column[1:]
    paired = ~(np.isnan(before) | np.isnan(after))
    design = np.column_stack([np.ones(paired.sum()), before[paired]])
    # Relative to surprises of half a standard deviation of the driver.
    precision = np.diag([0.25 / _CONSTANT**2, 0.25 / _PERSISTENCE[1] ** 2])
    prior = np.array([0.0, _PERSISTENCE[0]])
    total = design.T @ design + precision
    mean = np.linalg.solve(total, design.T @ after[paired] + precision @ prior)
    error = after[paired] - design @ mean
    off = mean - prior
    degrees = float(paired.sum()) + 2.0
    squares = float(error @ error + off @ precision @ off) + 2.0 * 0.25
    residual = np.full(len(before), np.nan)
    residual[paired] = error
    return mean, np.linalg.cholesky(np.linalg.inv(total)), degrees, squares, residual


def _correlation(residuals: np.ndarray) -> np.ndarray:
    """Return the correlation of the surprises, pulled towards none."""
    whole = residuals[~np.isnan(residuals).any(axis=1)]
    size = residuals.shape[1]
    if size == 1 or len(whole) < 3:
        return np.eye(size)
    found = np.corrcoef(whole.T)
    return np.asarray(_BELIEVED * found + (1 - _BELIEVED) * np.eye(size))
