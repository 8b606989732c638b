"""Why an interval is as wide as it is: members, weights and the parts of the variance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast.errors import DataError
from forecast.models.ensemble.joint import Combined
from forecast.series_key import SeriesKey

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Columns of `forecast.outlook.Forecast.explanation`.
COLUMNS = ("source", "location", "measure", "year", "what", "name", "value")
#: Parts of the variance, in the order in which they are drawn.
PARTS = ("shocks", "parameters", "disagreement", "unsplit", "calibration", "revisions")
_MEANING = {
    "shocks": "shocks to come",
    "parameters": "uncertain parameters",
    "disagreement": "models disagree",
    "unsplit": "shocks and parameters, not told apart",
    "calibration": "calibration by past errors",
    "revisions": "figures will be revised",
}
_COLOURS = {
    "shocks": "#4c78a8",
    "parameters": "#72b7b2",
    "disagreement": "#f58518",
    "unsplit": "#9d9da1",
    "calibration": "#b279a2",
    "revisions": "#e7c03c",
}


def table(
    key: SeriesKey, combined: Combined, members: Sequence[str], steps: Mapping[int, int]
) -> pd.DataFrame:
    """Return the explanation of one series at its target years.

    Parameters
    ----------
    key : (source, location, measure)
    combined : Combined
    members : sequence of str
    steps : mapping of int to int
        Target year -> steps ahead; years already observed are left out.

    Returns
    -------
    DataFrame
        `COLUMNS`. Rows with ``what == "weight"``: the weight of each member. Rows with
        ``what == "variance share"``: the share of each of `PARTS`, adding to one; that of
        the calibration is below zero where it narrows.
    """
    rows: list[tuple[object, ...]] = []
    for year, step in steps.items():
        if step < 1:
            continue
        at = step - 1
        for name, weight in zip(members, combined.weights[:, at]):
            rows.append((*key, year, "weight", name, float(weight)))
        parts = {name: float(getattr(combined, name)[at]) for name in PARTS}
        total = sum(parts.values())
        for name, value in parts.items():
            if name in ("unsplit", "revisions") and value == 0.0:
                continue
            share = value / total if total > 0 else np.nan
            rows.append((*key, year, "variance share", name, share))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def figure(
    explanation: pd.DataFrame, location: str, measure: str, source: str | None = None
) -> Figure:
    """Draw weights and parts of the variance of one series over its target years.

    Parameters
    ----------
    explanation : DataFrame
        `forecast.outlook.Forecast.explanation`.
    location, measure : str
    source : str, optional
        Needed if several sources have the series.

    Returns
    -------
    matplotlib Figure
        Left: the weights; right: shares of the variance, those that narrow below zero.

    Raises
    ------
    DataError
        If the explanation has no such series, or several.
    """
    from matplotlib.figure import Figure

    rows = explanation[(explanation["location"] == location) & (explanation["measure"] == measure)]
    if source is not None:
        rows = rows[rows["source"] == source]
    sources = sorted(set(rows["source"]))
    if len(sources) != 1:
        found = ", ".join(sources) or "none"
        raise DataError(
            f"{measure} of {location}: sources explained are {found}. Name exactly one series."
        )
    made = Figure(figsize=(8.0, 3.2), layout="constrained")
    left, right = made.subplots(1, 2, sharex=True)
    weights = rows[rows["what"] == "weight"].pivot(index="year", columns="name", values="value")
    weights = weights[weights.mean().sort_values(ascending=False).index]
    shares = rows[rows["what"] == "variance share"]
    shares = shares.pivot(index="year", columns="name", values="value").fillna(0.0)
    years = [str(year) for year in weights.index]
    floor = np.zeros(len(years))
    for position, name in enumerate(weights):
        values = weights[name].to_numpy()
        if values.max() < 0.005:
            continue
        left.bar(years, values, bottom=floor, label=name, color=f"C{position % 10}", width=0.6)
        floor = floor + values
    above, below = np.zeros(len(years)), np.zeros(len(years))
    for name in PARTS:
        if name not in shares:
            continue
        values = shares[name].to_numpy()
        bottom = np.where(values >= 0, above, below)
        right.bar(
            years, values, bottom=bottom, label=_MEANING[name], color=_COLOURS[name], width=0.6
        )
        above, below = above + np.maximum(values, 0), below + np.minimum(values, 0)
    left.set_title("Weight of each model", fontsize=9)
    right.set_title("Share of the variance", fontsize=9)
    right.axhline(0, color="black", linewidth=0.6)
    for axes in (left, right):
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return made
