"""Months, quarters and half-years added up to longer periods: figures, and every draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from forecast import measures, periods
from forecast.errors import DataError
from forecast.panel import Panel
from forecast.series import Series
from forecast.series_key import KEY, SeriesKey

if TYPE_CHECKING:
    from forecast.outlook import Forecast

_DROPPED = "no whole {frequency} of it is known or forecast."


def ratio(fine: str, coarse: str) -> int:
    """Return how many periods of one frequency make one of another.

    Parameters
    ----------
    fine, coarse : {"month", "quarter", "half-year", "year"}
        The shorter and the longer frequency.

    Returns
    -------
    int

    Raises
    ------
    UnknownNameError
        If the longer one is no frequency.
    DataError
        If it is not longer.

    Examples
    --------
    >>> ratio("month", "quarter"), ratio("quarter", "year")
    (3, 4)
    """
    periods.check_frequency(coarse)
    if periods.PER_YEAR[coarse] >= periods.PER_YEAR[fine]:
        longer = [name for name, n in periods.PER_YEAR.items() if n < periods.PER_YEAR[fine]]
        raise DataError(
            f"figures by {fine} cannot be added up to figures by {coarse}. "
            + (f"Ask for {' or '.join(longer)}." if longer else "They are by year already.")
        )
    return periods.PER_YEAR[fine] // periods.PER_YEAR[coarse]


def added_up(values: np.ndarray, measure: str) -> np.ndarray:
    """Return the longer period's value from the shorter ones on the last axis.

    The sum of what adds up over time; the mean of a rate; of a stock the last.

    Parameters
    ----------
    values : ndarray, shape (..., n_periods)
        The periods of one longer period, in their order.
    measure : str
        Whether it adds up over time is stated with the measure (`forecast.measures`).

    Returns
    -------
    ndarray, shape (...)
    """
    counted = measures.find(measure)
    if counted.adds_over_time:
        return np.asarray(values.sum(axis=-1))
    return np.asarray(values.mean(axis=-1) if counted.kind == "rate" else values[..., -1])


def panel_by(panel: Panel, frequency: str) -> Panel:
    """Add the figures of a panel up to a longer period; only whole ones count.

    Parameters
    ----------
    panel : Panel
        By month, quarter or half-year. The latest releases are used.
    frequency : {"quarter", "half-year", "year"}
        Longer than that of the panel.

    Returns
    -------
    Panel
        Without the series that have no whole period.

    Raises
    ------
    DataError
        If the period is not longer, or no series has a whole one.

    Examples
    --------
    >>> table = pd.DataFrame({"location": "KAZ", "measure": "immigration", "value": range(18),
    ...                       "period": [str(one) for one in pd.period_range("2024-01", "2025-06",
    ...                                                                      freq="M")]})
    >>> panel_by(Panel.from_frame(table), "year").to_frame()[["year", "value"]].values.tolist()
    [[2024.0, 66.0]]
    """
    n = ratio(panel.frequency, frequency)
    rows: list[dict[str, object]] = []
    for series in panel:
        rows += _rows(series, n, frequency)
    if not rows:
        raise DataError(
            f"no series has a whole {frequency}: {n} {panel.frequency}s are needed, all observed."
        )
    step = 1 if frequency == "year" else None
    return Panel.from_frame(pd.DataFrame(rows), step=step, frequency=frequency)


def _rows(series: Series, n: int, frequency: str) -> list[dict[str, object]]:
    """Return a row for every whole longer period of a series."""
    made: list[dict[str, object]] = []
    first = -(-int(series.years[0]) // n)
    for longer in range(first, (series.origin + 1) // n):
        at = slice(longer * n - int(series.years[0]), (longer + 1) * n - int(series.years[0]))
        values = series.values[at]
        if np.isnan(values).any():
            continue
        known = series.population[at][~np.isnan(series.population[at])]
        flags = sorted(set().union(*series.flags[at]))
        made.append(
            {
                **dict(zip(KEY, series.key)),
                ("year" if frequency == "year" else "period"): (
                    longer if frequency == "year" else periods.label(longer, frequency)
                ),
                "value": float(added_up(values, series.measure)),
                "population": float(known.mean()) if len(known) else np.nan,
                "flag": ",".join(flags) if flags else None,
            }
        )
    return made


def by(outlook: Forecast, frequency: str) -> Forecast:
    """Add the draws of a forecast up to quarters, half-years or years.

    In every draw the shorter periods add up to the longer one; observed ones of a period that is
    not over count as they are. Of stocks the last period is taken.

    Parameters
    ----------
    outlook : Forecast
        By month, quarter or half-year; it is the method's own.
    frequency : {"quarter", "half-year", "year"}
        Longer than that of the forecast.

    Returns
    -------
    Forecast
        Of every longer period that is whole, observed and forecast ones together.

    Raises
    ------
    DataError
        If the period is not longer, or the forecast reaches the end of none.

    Examples
    --------
    >>> import forecast as fc
    >>> table = pd.DataFrame({"location": "KAZ", "measure": "immigration",
    ...                       "value": np.tile([10.0, 30.0, 20.0], 14),
    ...                       "period": [str(one) for one in pd.period_range("2022-01", periods=42,
    ...                                                                      freq="M")]})
    >>> outlook = fc.forecast(Panel.from_frame(table), "naive", ("2025-12",), draws=200)
    >>> outlook.by("year").horizons
    (2025,)
    """
    n = ratio(outlook.frequency, frequency)
    history = panel_by(outlook.history, frequency)
    grid = outlook.paths["year"].to_numpy()
    drawn = outlook.paths.transpose("series", "draw", "year").to_numpy()
    totals = {
        key: _totals(outlook.history.find(key), drawn[row], grid, n)
        for row, key in enumerate(outlook.keys)
        if history.find(key) is not None
    }
    totals = {key: made for key, made in totals.items() if made}
    if not totals:
        last = periods.label(int(grid[-1]), outlook.frequency)
        end = periods.label((int(grid[-1]) // n + 1) * n - 1, outlook.frequency)
        raise DataError(
            f"the forecast ends in {last}, before any {frequency} is whole. "
            f"Forecast up to {end}, or give figures of a whole {frequency}."
        )
    return _assembled(outlook, history, totals, frequency)


def _totals(
    series: Series | None, drawn: np.ndarray, grid: np.ndarray, n: int
) -> dict[int, np.ndarray]:
    """Return the draws of every longer period that is whole and not all observed."""
    if series is None:
        return {}
    first = min(int(series.years[0]), int(grid[0]))
    whole = np.full((len(drawn), int(grid[-1]) - first + 1), np.nan)
    whole[:, series.years - first] = series.values
    ahead = grid > series.origin
    whole[:, grid[ahead] - first] = drawn[:, ahead]
    made = {}
    for longer in range((series.origin + 1) // n, (int(grid[-1]) + 1) // n):
        start = longer * n - first
        values = whole[:, max(start, 0) : start + n]
        if start >= 0 and not np.isnan(values).any():
            made[longer] = added_up(values, series.measure)
    return made


def _assembled(
    outlook: Forecast,
    history: Panel,
    totals: Mapping[SeriesKey, Mapping[int, np.ndarray]],
    frequency: str,
) -> Forecast:
    """Put the totals of single series together into a Forecast."""
    longer = sorted({period for made in totals.values() for period in made})
    grid = np.arange(longer[0], longer[-1] + 1)
    values = np.full((outlook.paths.sizes["draw"], len(totals), len(grid)), np.nan)
    for row, made in enumerate(totals.values()):
        for period, drawn in made.items():
            values[:, row, period - grid[0]] = drawn
    attributes = {name: value for name, value in outlook.paths.attrs.items() if name != "frequency"}
    origins = {one.key: one.origin for one in history}
    attributes |= {
        "unit": measures.unit_of(history.measures, frequency),
        "origin": max(origins[key] for key in totals),
        "data_hash": history.hash,
        **({} if frequency == "year" else {"frequency": frequency}),
    }
    sources, places, counted = (list(part) for part in zip(*totals))
    paths = xr.DataArray(
        values,
        dims=("draw", "series", "year"),
        coords={
            "draw": outlook.paths["draw"].to_numpy(),
            "year": grid,
            "location": ("series", places),
            "measure": ("series", counted),
            "source": ("series", sources),
            "origin": ("series", np.array([origins[key] for key in totals])),
        },
        name="draws",
        attrs=attributes,
    )
    notes = outlook.notes.copy()
    keys = list(zip(*(notes[name] for name in KEY)))
    notes["origin"] = [origins.get(key, origin) for key, origin in zip(keys, notes["origin"])]
    gone = set(outlook.keys) - set(totals)
    lost = [key in gone for key in keys]
    notes.loc[lost, ["status", "reason"]] = "not forecast", _DROPPED.format(frequency=frequency)
    return replace(
        outlook, paths=paths, horizons=tuple(longer), notes=notes, history=history,
        explanation=None,
    )  # fmt: skip
