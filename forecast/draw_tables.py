"""Tables of draws: numbers that a caller asks about, checked; quantiles, every draw, chances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast import measures, periods
from forecast.errors import DataError, unknown_name
from forecast.series import usual_maximum
from forecast.series_key import KEY

if TYPE_CHECKING:
    import xarray as xr

    from forecast.outlook import Forecast

#: Columns that name a series in the tables that users see.
TABLE_KEY = ["location", "measure", "source"]
#: Attributes of draws that are no forecast: they say what is taken for given.
MARKS = ("scenario", "condition")
#: Levels of the tidy quantile table: those of 50, 80 and 95 % intervals and some between.
QUANTILE_LEVELS = (
    0.025, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.975,
)  # fmt: skip


def whole(values: pd.Series, counted: pd.Series, digits: int = 0) -> pd.Series:
    """Return figures in whole units, but for those with decimals: these to six.

    Parameters
    ----------
    values : Series of float
        In the unit of each measure.
    counted : Series of str
        Names of the measures.
    digits : int
        Decimals of what is counted whole, such as 1 for persons to a tenth.

    Returns
    -------
    Series
        Of int, where all are whole.
    """
    fine = counted.map({name: _has_decimals(name) for name in counted.unique()}).astype(bool)
    # A millionth of a billion of USD is no more than noise.
    fine &= values.abs() < 10_000
    if fine.any():
        return values.where(fine, values.round(digits)).round(6)
    return values.round(digits) if digits else values.round().astype("int64")


def _has_decimals(name: str) -> bool:
    return name in measures.known() and measures.find(name).fractional


def threshold(name: str, given: object) -> float:
    """Return a threshold in persons.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    given : object
        What the caller gave; infinities are numbers, truth values are none.

    Returns
    -------
    float
        Persons per calendar year.

    Raises
    ------
    DataError
        If it is no number: nothing lies above or below a missing one, and a probability of
        zero would be read as an answer.
    """
    if not _is_number(given):
        raise DataError(f"{name}= is {given!r}; give a number of persons per year, such as 10000.")
    return float(given)  # type: ignore[arg-type]


def checked_level(given: object) -> float:
    """Return the probability inside an interval.

    Raises
    ------
    DataError
        If it is not between 0 and 1.
    """
    if not _is_number(given) or not 0 < float(given) < 1:  # type: ignore[arg-type]
        raise DataError(f"interval level is {given!r}; give a number between 0 and 1.")
    return float(given)  # type: ignore[arg-type]


def checked_levels(given: object) -> np.ndarray:
    """Return the levels of quantiles, shape (n_levels,).

    Raises
    ------
    DataError
        If they are no list of numbers between 0 and 1.
    """
    try:
        wanted = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        wanted = np.empty(())
    if wanted.ndim != 1 or not ((wanted > 0) & (wanted < 1)).all():
        raise DataError(f"quantile levels are {given!r}; give numbers between 0 and 1.")
    return wanted


def _is_number(given: object) -> bool:
    if isinstance(given, bool):
        return False
    return isinstance(given, Real) and not math.isnan(given)


def series_years(series: pd.DataFrame, years: Sequence[int]) -> pd.DataFrame:
    """Return the columns that name a series and ``year``, every series in every year.

    Parameters
    ----------
    series : DataFrame, shape (n_series, n_columns)
        Columns that name each series.
    years : sequence of int
        Shape (n_years,).

    Returns
    -------
    DataFrame, shape (n_series * n_years, n_columns + 1)
        Years vary fastest, as in an array (series, year).
    """
    repeated = series.loc[series.index.repeat(len(years))].reset_index(drop=True)
    return repeated.assign(year=np.tile(np.asarray(years, dtype=int), len(series)))


def quantile_values(
    paths: xr.DataArray, series: pd.DataFrame, years: Sequence[int], levels: np.ndarray
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the series and years that are forecast and their quantiles.

    Parameters
    ----------
    paths : DataArray, dims (draw, series, year)
        NaN where a year is observed.
    series : DataFrame
        Columns that name each series, in the order of the dimension.
    years : sequence of int
    levels : ndarray, shape (n_levels,)

    Returns
    -------
    rows : DataFrame
        The columns of `series` and ``year``.
    values : ndarray, shape (n_levels, n_rows)

    Raises
    ------
    UnknownNameError
        If a year is no forecast year.
    """
    available = set(paths["year"].to_numpy().tolist())
    for year in years:
        if year not in available:
            raise unknown_name("forecast year", year, [str(y) for y in sorted(available)])
    drawn = paths.sel(year=list(years)).transpose("draw", "series", "year").to_numpy()
    flat = drawn.reshape(drawn.shape[0], -1)
    forecast = ~np.isnan(flat[0])
    rows = series_years(series, years)[forecast].reset_index(drop=True)
    return rows, np.quantile(flat[:, forecast], levels, axis=0)


def sample_table(draws: xr.DataArray, series: pd.DataFrame) -> pd.DataFrame:
    """Return every draw: the columns of `series`, ``year, draw, value``; observed years left out.

    Parameters
    ----------
    draws : DataArray, dims (draw, series, year)
    series : DataFrame
        Columns that name each series, in the order of the dimension.
    """
    drawn = draws.transpose("series", "year", "draw")
    table = series_years(series, drawn["year"].to_numpy().tolist())
    repeated = table.loc[table.index.repeat(drawn.sizes["draw"])].reset_index(drop=True)
    number = np.tile(np.arange(drawn.sizes["draw"]), len(table))
    return repeated.assign(draw=number, value=drawn.to_numpy().ravel()).dropna(ignore_index=True)


def surges(outlook: Forecast, above: float | None = None, *, years: int = 5) -> pd.DataFrame:
    """Return the chance of a surge in each coming period, and by then.

    Parameters
    ----------
    outlook : Forecast
        Draws of any model; it is the method's own.
    above : float, optional
        A threshold in persons per period, the same for every series; by default the largest
        figure that each series had in the last years.
    years : int
        Years of that, from 1.

    Returns
    -------
    DataFrame
        ``location, measure, source, year`` (``period`` where not by year), ``ahead`` (periods
        after the last figure), ``threshold`` (persons), ``probability`` (of more than that in
        this period) and ``by_then`` (in this or an earlier one, but after the data).

    Raises
    ------
    DataError
        If the threshold is no number, or years is no whole number from 1.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", measure="immigration")
    >>> table = fc.forecast(panel, "naive", draws=200).surges()
    >>> bool((table["by_then"] >= table["probability"]).all())
    True
    """
    if isinstance(years, bool) or not isinstance(years, int) or years < 1:
        raise DataError(f"years is {years!r}; give a whole number of years, 1 or more.")
    given = None if above is None else threshold("above", above)
    grid = outlook.paths["year"].to_numpy()
    drawn = outlook.paths.transpose("series", "draw", "year").to_numpy()
    rows: list[tuple[object, ...]] = []
    for row, key in enumerate(outlook.keys):
        series = outlook.history.find(key)
        if series is None:
            continue
        limit = usual_maximum(series, years) if given is None else given
        ahead = ~np.isnan(drawn[row]).any(axis=0)
        higher = drawn[row][:, ahead] > limit
        ever = np.logical_or.accumulate(higher, axis=1)
        for at, year in enumerate(grid[ahead]):
            if int(year) in outlook.horizons:
                steps = (int(year) - series.origin) // series.step
                chances = float(higher[:, at].mean()), float(ever[:, at].mean())
                rows.append((*key, int(year), steps, limit, *chances))
    columns = [*KEY, "year", "ahead", "threshold", "probability", "by_then"]
    table = pd.DataFrame(rows, columns=columns)
    table = table[[*TABLE_KEY, *columns[3:]]]
    return periods.labelled(table, outlook.frequency)
