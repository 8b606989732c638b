"""From a panel by month or quarter to the running sums of its years, series by series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast import measures, periods, to_date
from forecast.errors import DataError
from forecast.panel import Panel
from forecast.series_key import KEY, SeriesKey

#: Kinds of series that learn apart from each other.
KINDS = ("count", "amount", "net")


@dataclass(frozen=True)
class Parts:
    """Running sums of every series, as they are now and as they were first known.

    Attributes
    ----------
    keys : tuple of (source, location, measure)
    years : ndarray of int, shape (n_years,)
        Calendar years, without gaps; the last is the year that is not over.
    sums : ndarray, shape (n_series, n_years, n_parts + 1)
        Persons since January after 0, 1, ... parts of the year; the last is the year's total,
        from the yearly figures where there are any. NaN: not known.
    seen : ndarray, same shape
        The same as they were known as long after the year's begin as the last year's are now;
        NaN where no release of that time is known.
    """

    keys: tuple[SeriesKey, ...]
    years: np.ndarray
    sums: np.ndarray
    seen: np.ndarray

    @property
    def parts_in(self) -> np.ndarray:
        """Parts of the last year that are in, shape (n_series,)."""
        there = ~np.isnan(self.seen[:, -1])
        return np.asarray(there.shape[1] - 1 - there[:, ::-1].argmax(axis=1))

    @property
    def kinds(self) -> list[str]:
        """One of `KINDS` of each series; what may be below zero is a net."""
        found = [measures.find(measure) for _, _, measure in self.keys]
        return ["net" if one.signed else "amount" if one.fractional else "count"
                for one in found]  # fmt: skip


def parts_of(panel: Panel, year: int, yearly: Panel | None) -> Parts:
    """Return the running sums of a panel up to a year.

    Parameters
    ----------
    panel : Panel
        By month, quarter or half-year.
    year : int
        The year that is not over; nothing after it is looked at.
    yearly : Panel, optional
        Totals of years before, of the same series.

    Raises
    ------
    DataError
        If a panel is of the wrong frequency, or no series has figures that add up to a year.
    """
    if panel.frequency == "year":
        raise DataError(
            "a nowcast needs the months, quarters or half-years of a year, and this panel is by "
            "year. Give the yearly figures as yearly=, or ask for a forecast."
        )
    if yearly is not None and (yearly.frequency, yearly.step) != ("year", 1):
        raise DataError(
            f"yearly= is by {yearly.frequency if yearly.step == 1 else 'five years'}; "
            "give a panel of calendar years."
        )
    figures = panel.figures.dropna(subset="value")
    every = sorted(set(figures[KEY].itertuples(index=False, name=None)))
    keys = tuple(key for key in every if measures.find(key[2]).adds_over_time)
    if not keys:
        raise DataError(
            f"{panel.measures[0]} is a stock or a rate: a year's is no sum of its months. "
            "Ask for a forecast, or give flows."
        )
    per = periods.PER_YEAR[panel.frequency]
    table = panel.figures
    first = int(table["year"].min()) // per
    totals = None if yearly is None else yearly.figures
    if totals is not None:
        totals = totals[totals["year"] < year]
        first = min(first, int(totals["year"].min())) if len(totals) else first
    if first >= year:
        raise DataError(
            f"the figures begin in {first}; a nowcast of {year} needs the year before at least."
        )
    years = np.arange(first, year + 1)
    sums = _sums(table, keys, years, per)
    seen = _first_known(table, keys, years, per, sums)
    if totals is not None and len(totals):
        _, at, values = _placed(totals, keys, years, 1)
        sums[*at, per] = values
    return Parts(keys, years, sums, seen)


def _placed(
    table: pd.DataFrame, keys: tuple[SeriesKey, ...], years: np.ndarray, per: int
) -> tuple[pd.DataFrame, tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Return the last release of the figures of some series and years, and where each belongs."""
    table = table.drop_duplicates([*KEY, "year"], keep="last")
    rows = pd.MultiIndex.from_tuples(keys).get_indexer(pd.MultiIndex.from_frame(table[KEY]))
    columns = table["year"].to_numpy() // per - years[0]
    fits = (rows >= 0) & (columns >= 0) & (columns < len(years)) & table["value"].notna().to_numpy()
    return table[fits], (rows[fits], columns[fits]), table["value"].to_numpy(float)[fits]


def _sums(
    table: pd.DataFrame, keys: tuple[SeriesKey, ...], years: np.ndarray, per: int
) -> np.ndarray:
    """Return sums since January of the last release, shape (n_series, n_years, per + 1)."""
    table, at, values = _placed(table, keys, years, per)
    part = table["year"].to_numpy() % per
    figures = np.full((len(keys), len(years), per), np.nan)
    whole = np.zeros(figures.shape, dtype=bool)
    figures[*at, part] = values
    whole[*at, part] = [to_date.is_to_date(flag) for flag in table["flag"]]
    sums = np.zeros((len(keys), len(years), per + 1))
    for place in range(per):
        added = np.where(whole[:, :, place], 0.0, sums[:, :, place]) + figures[:, :, place]
        sums[:, :, place + 1] = added
    return sums


def _first_known(
    table: pd.DataFrame,
    keys: tuple[SeriesKey, ...],
    years: np.ndarray,
    per: int,
    latest: np.ndarray,
) -> np.ndarray:
    """Return sums as they were known in each year, as late in it as the newest release is now.

    Without dated releases only that of all parts is known, which yearly figures may differ from.
    """
    newest = table["as_of"].max()
    seen = np.full(latest.shape, np.nan)
    seen[:, -1], seen[:, :, -1] = latest[:, -1], latest[:, :, -1]
    if pd.isna(newest) or not table.duplicated([*KEY, "year"]).any():
        return seen
    for column, year in enumerate(years[:-1]):
        day = newest - pd.DateOffset(years=int(years[-1] - year))
        seen[:, column] = _sums(table[table["as_of"] <= day], keys, years, per)[:, column]
    return seen
