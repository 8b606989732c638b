"""A nowcast put into a yearly forecast: the year that is not over, and what follows from it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from forecast import validation
from forecast.accounts.reconcile import reconcile
from forecast.errors import DataError, listed
from forecast.outlook import Forecast
from forecast.series_key import KEY, SeriesKey

#: The middle of the draws, between whose ends spreads are taken: extremes would rule a variance.
_MIDDLE = (0.16, 0.84)


def joined(outlook: Forecast, nowcast: Forecast) -> Forecast:
    """Return a yearly forecast whose first year is as a nowcast says, in every draw.

    Parameters
    ----------
    outlook : Forecast
        Of years; it may begin before the year of the nowcast.
    nowcast : Forecast
        From `forecast.nowcast`, or opened again. Series that are not in the forecast do no harm.

    Returns
    -------
    Forecast
        The draws of the year are those of the nowcast. Later years move with it as far as the
        draws of the forecast say that they go together: by the slope of each later year on the
        year (from ranks, so that extremes do not rule it), in logarithms for counts. What was
        uncertain beyond that stays. Accounts that held before hold again.

    Raises
    ------
    DataError
        If the nowcast is none, its year is not forecast, or no series is in both.

    Notes
    -----
    The update of an ensemble Kalman filter with the nowcast in place of the observation: for
    draws that are jointly normal it is the forecast given the nowcast (Evensen 2003,
    https://doi.org/10.1007/s10236-003-0036-9).
    """
    if nowcast.model != "nowcast" or nowcast.frequency != "year":
        raise DataError("nowcast= is no nowcast. Make one with forecast.nowcast(panel, year).")
    if outlook.frequency != "year" or outlook.history.step != 1:
        raise DataError("a nowcast is of a calendar year, and this forecast is not by year.")
    year = int(nowcast.horizons[-1])
    years = outlook.paths["year"].to_numpy()
    values = outlook.paths.transpose("draw", "series", "year").to_numpy().copy()
    common = [key for key in nowcast.keys if key in set(outlook.keys)]
    if not common:
        raise DataError(
            "the nowcast has none of the series that are forecast: it has "
            f"{listed(', '.join(key) for key in nowcast.keys)}. Sources and measures have to agree."
        )
    open_there = [
        key for key in common
        if year in years and not np.isnan(values[0, outlook.keys.index(key), years == year]).any()
    ]  # fmt: skip
    if not open_there:
        raise DataError(
            f"the forecast has no {year}: its years are {years[0]} to {years[-1]}. A nowcast goes "
            "into a forecast whose figures end before its year and whose horizons reach it."
        )
    worlds = np.arange(len(values)) % nowcast.paths.sizes["draw"]
    for key in open_there:
        place, signed = outlook.keys.index(key), validation.MEASURES[key[2]]
        settled: dict[int, np.ndarray] = {}
        for column in np.flatnonzero((years <= year) & ~np.isnan(values[0, place])).tolist():
            told = _told(nowcast, key, int(years[column]), worlds)
            if told is not None:
                settled[column] = told
                values[:, place] = _moved(values[:, place], column, told, signed)
        for column in settled:
            values[:, place, column] = settled[column]
    paths = outlook.paths.transpose("draw", "series", "year").copy(data=values)
    paths.attrs = {**outlook.paths.attrs, "nowcast": year}
    made = dataclasses.replace(outlook, paths=paths)
    if "reconciled" in outlook.paths.attrs:
        # Nets follow from the flows that were moved; without such flows all share the difference.
        flows = {key[2] for key in open_there if not validation.MEASURES[key[2]]}
        made = reconcile(made, "middle-out" if flows else "mint", strict=False)
    return dataclasses.replace(made, explanation=_explained(outlook, nowcast))


def _explained(outlook: Forecast, nowcast: Forecast) -> pd.DataFrame | None:
    """Return both explanations, without what widths were made of before the nowcast."""
    parts = [table for table in (outlook.explanation, nowcast.explanation) if table is not None]
    if not parts:
        return None
    table = pd.concat(parts, ignore_index=True)
    moved = pd.MultiIndex.from_frame(table[KEY]).isin(nowcast.keys)
    return table[~(moved & (table["what"] == "variance share"))].reset_index(drop=True)


def _told(nowcast: Forecast, key: SeriesKey, year: int, worlds: np.ndarray) -> np.ndarray | None:
    """Return what a nowcast says of a year of a series, a draw or a known total for each world."""
    place = nowcast.position(key)
    if place is not None and year in nowcast.paths["year"].to_numpy():
        drawn = nowcast.paths.sel(year=year).transpose("draw", "series").to_numpy()[:, place]
        if not np.isnan(drawn).any():
            return np.asarray(drawn[worlds])
    series = nowcast.history.find(key)
    if series is None or year not in series.years:
        return None
    known = float(series.values[series.years == year][0])
    return None if np.isnan(known) else np.full(len(worlds), known)


def _moved(paths: np.ndarray, column: int, told: np.ndarray, signed: bool) -> np.ndarray:
    """Return the paths of a series with one year replaced, and the others moved along.

    Parameters
    ----------
    paths : ndarray, shape (n_draws, n_years)
        NaN where a year is observed.
    column : int
        The year that is replaced.
    told : ndarray, shape (n_draws,)
        What takes its place, persons.
    signed : bool
        Nets move in persons, counts in logarithms.
    """
    scaled = paths if signed else np.log1p(np.maximum(paths, 0.0))
    new = told if signed else np.log1p(np.maximum(told, 0.0))
    made = scaled + _slopes(scaled, column) * (new - scaled[:, column])[:, None]
    made = made if signed else np.maximum(np.expm1(np.minimum(made, 23.0)), 0.0)
    made[:, column] = told
    return np.asarray(made)


def _slopes(scaled: np.ndarray, column: int) -> np.ndarray:
    """Return by how much each year moves with one of them, from ranks and middles of the draws.

    For jointly normal draws it is the regression's slope: the correlation that goes with Spearman's
    rank correlation, times the ratio of spreads.
    """
    low, high = np.quantile(scaled, _MIDDLE, axis=0)
    spread = high - low
    if not spread[column] > 0:
        return np.ones(scaled.shape[1])
    ranks = rankdata(scaled, axis=0)
    ranks -= ranks.mean(axis=0)
    size = np.sqrt((ranks**2).sum(axis=0))
    together = ranks[:, column] @ ranks / np.maximum(size[column] * size, 1e-12)
    return np.asarray(2.0 * np.sin(np.pi / 6.0 * together) * spread / spread[column])
