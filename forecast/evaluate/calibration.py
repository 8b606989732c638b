"""Do intervals hold what they promise? Coverage, PIT histograms and surprises."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecast.errors import DataError
from forecast.evaluate.summaries import check_columns
from forecast.hindcast.columns import SCORED

LEVELS = (0.5, 0.8, 0.95)


def coverage(table: pd.DataFrame, by: Sequence[str], *, step: int = 1) -> pd.DataFrame:
    """Return the share of figures inside the 50, 80 and 95 % intervals.

    Parameters
    ----------
    table : DataFrame
        The score table.
    by : sequence of str
        Columns to group by. Calm and shock years are told apart by ``"shock"``; that
        split looks at the outcome, so coverage below the level in shock years and above
        it in calm ones is to be expected even of a perfect forecast (Lerch et al. 2017,
        doi:10.1214/16-STS588). It shows how much is lost in a shock, not who is right.
    step : int

    Returns
    -------
    DataFrame
        The groups, ``level, coverage, standard_error, forecasts, origins``. The standard
        error treats each origin as one observation, since the series of one year share
        its shocks; it ignores the overlap of neighbouring origins.
    """
    groups = check_columns(table, by)
    rows = table[(table["status"] == SCORED) & table["inside_80"].notna()]
    if rows.empty:
        raise DataError("no scored forecast has intervals. Look at track.missing for the reasons.")
    pieces = []
    for level in LEVELS:
        column = f"inside_{level * 100:.0f}"
        grouped = rows.groupby(groups, sort=False)
        by_origin = rows.groupby([*groups, "origin"], sort=False)[column].mean()
        spread = by_origin.groupby(groups, sort=False).agg(["std", "count"])
        pieces.append(
            pd.DataFrame(
                {
                    "level": level,
                    "coverage": grouped[column].mean(),
                    "standard_error": spread["std"] / np.sqrt(spread["count"]),
                    "forecasts": grouped.size(),
                    "origins": grouped["origin"].nunique(),
                }
            ).reset_index()
        )
    made = pd.concat(pieces, ignore_index=True)
    return made.sort_values([*groups, "level"], ignore_index=True, kind="stable")


def pit_histogram(table: pd.DataFrame, by: Sequence[str], bins: int = 10) -> pd.DataFrame:
    """Return how often the outcome fell into each equal part of the forecast.

    Returns
    -------
    DataFrame
        The groups, ``lower`` and ``upper`` edge of each part, ``count``, and ``density``:
        1 everywhere if calibrated, high at the ends if intervals are too narrow, high in
        the middle if they are too wide.
    """
    groups = check_columns(table, by)
    if not isinstance(bins, int) or bins < 2:
        raise DataError(f"bins is {bins!r}; give a whole number, 2 or above.")
    rows = table[(table["status"] == SCORED) & table["pit"].notna()]
    if rows.empty:
        raise DataError("no scored forecast has a PIT. Look at track.missing for the reasons.")
    edges = np.linspace(0.0, 1.0, bins + 1)
    pieces = []
    for values, group in rows.groupby(groups, sort=False):
        count = np.histogram(group["pit"], edges)[0]
        named = {name: [value] * bins for name, value in zip(groups, values)}
        counted = {"lower": edges[:-1], "upper": edges[1:], "count": count}
        density = count / count.sum() * bins
        pieces.append(pd.DataFrame({**named, **counted, "density": density}))
    return pd.concat(pieces, ignore_index=True)


def surprises(table: pd.DataFrame) -> pd.DataFrame:
    """Return the figures outside their 95 % interval, the most surprising first."""
    rows = table[(table["status"] == SCORED) & (table["inside_95"] == 0.0)]
    above = (rows["observed"] - rows["upper_95"]).clip(lower=0.0)
    below = (rows["lower_95"] - rows["observed"]).clip(lower=0.0)
    width = rows["upper_95"] - rows["lower_95"]
    kept = ["model", "location", "measure", "source", "origin", "as_of", "year", "horizon"]
    kept += ["observed", "median", "lower_80", "upper_80", "lower_95", "upper_95", "shock"]
    return (
        rows[kept]
        .assign(excess=(above + below) / width)
        .sort_values("excess", ascending=False, ignore_index=True, kind="stable")
    )
