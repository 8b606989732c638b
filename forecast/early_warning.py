"""Early warning: the chance that a coming period exceeds what has been usual."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast import periods
from forecast.draw_tables import threshold
from forecast.errors import DataError
from forecast.series import Series, usable_values
from forecast.series_key import KEY

if TYPE_CHECKING:
    from forecast.outlook import Forecast


def usual_maximum(series: Series, years: int = 5) -> float:
    """Return the largest usable figure of the last years up to the end of a series.

    Parameters
    ----------
    series : Series
        Persons per period.
    years : int
        Years that are looked back on; fewer if the series is shorter.
    """
    recent = usable_values(series)[-years * series.season // series.step or None :]
    return float(np.nanmax(recent)) if np.isfinite(recent).any() else float("nan")


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
    table = table[["location", "measure", "source", *columns[3:]]]
    return periods.labelled(table, outlook.frequency)
