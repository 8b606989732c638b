"""Why a forecast is as it is: which members took part, their weights, parts of the variance."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast import scales
from forecast.contract import FORECAST, NOT_FORECAST, NOTE_COLUMNS, ModelBase, meant_for
from forecast.errors import DataError
from forecast.hindcast.members import MemberForecast
from forecast.models.assembly import note
from forecast.models.ensemble.joint import Combined
from forecast.panel import Panel
from forecast.series_key import SeriesKey

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Columns of `forecast.outlook.Forecast.explanation`.
COLUMNS = ("source", "location", "measure", "year", "what", "name", "value")
#: Parts of the variance, in the order in which they are drawn.
PARTS = ("shocks", "parameters", "disagreement", "unsplit", "calibration", "revisions", "accounts")
#: What a member says by itself.
SAYS = ("lower quartile", "upper quartile", "chance above zero")
_MEANING = {
    "shocks": "shocks to come",
    "parameters": "uncertain parameters",
    "disagreement": "models disagree",
    "unsplit": "shocks and parameters, not told apart",
    "calibration": "calibration by past errors",
    "revisions": "figures will be revised",
    "accounts": "accounts have to add up",
}
_COLOURS = {
    "shocks": "#4c78a8",
    "parameters": "#72b7b2",
    "disagreement": "#f58518",
    "unsplit": "#9d9da1",
    "calibration": "#b279a2",
    "revisions": "#e7c03c",
    "accounts": "#54a24b",
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
        ``what == "variance share"``: the share of each of `PARTS`, adding to one; those
        of the calibration and the accounts are below zero where they narrow.
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
            if name in ("unsplit", "revisions", "accounts") and value == 0.0:
                continue
            share = value / total if total > 0 else np.nan
            rows.append((*key, year, "variance share", name, share))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def tables(
    panel: Panel,
    combined: Mapping[SeriesKey, Combined],
    forecasts: Sequence[MemberForecast],
    years: Sequence[int],
) -> pd.DataFrame:
    """Return the explanation of all series that are forecast, at calendar years.

    Below the rows of `table` of each series, those of what its members say by themselves:
    ``what`` is one of `SAYS`, the quartiles in persons and the chance of a positive figure.
    """
    members = [made.name for made in forecasts]
    pieces = []
    for one in panel:
        if one.key in combined:
            steps = {year: (year - one.origin) // one.step for year in years}
            pieces.append(table(one.key, combined[one.key], members, steps))
            pieces.append(_by_themselves(one.key, forecasts, steps))
    return pd.concat(pieces, ignore_index=True)


def _by_themselves(
    key: SeriesKey, forecasts: Sequence[MemberForecast], steps: Mapping[int, int]
) -> pd.DataFrame:
    rows: list[tuple[object, ...]] = []
    for year, step in steps.items():
        for made in forecasts if step >= 1 else []:
            if key in made:
                drawn = made.of(key)[:, step - 1]
                lower, upper = np.quantile(drawn, [0.25, 0.75])
                values = (float(lower), float(upper), float((drawn > 0).mean()))
                rows += [(*key, year, what, made.name, value) for what, value in zip(SAYS, values)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def notes(
    panel: Panel,
    members: Sequence[ModelBase],
    forecasts: Sequence[MemberForecast],
    able: Collection[SeriesKey],
) -> pd.DataFrame:
    """Return the notes of a forecast: what dropped out, and why, stands in the reason.

    Parameters
    ----------
    panel : Panel
    members : sequence of ModelBase
    forecasts : sequence of MemberForecast
        One per member.
    able : collection of key
        The series that some member forecast.

    Returns
    -------
    DataFrame
        `forecast.contract.NOTE_COLUMNS`, one row per series.
    """
    meant = [meant_for(member, panel) for member in members]
    rows = []
    for series in panel:
        dropped: dict[str, list[str]] = {}
        remarks = []
        for made, own in zip(forecasts, meant):
            reason = made.failure or made.reason(series.key)
            if reason and series.key in own:
                dropped.setdefault(reason, []).append(made.name)
            elif made.remark(series.key):
                remarks.append(f"{made.name}: {made.remark(series.key)}")
        texts = [f"without {', '.join(names)}: {why}" for why, names in dropped.items()]
        if series.key in able:
            # What the others say of themselves matters where the forecast rests on few.
            texts += remarks if dropped else []
            rows.append(note(series, FORECAST, " ".join(texts), scales.choose(series).kind))
        else:
            # Members mostly decline for the same reason; the first one's is told.
            reasons = [why for made in forecasts if (why := made.reason(series.key))]
            # A fault is told with the name of the member that has it.
            reasons += [
                made.failure.removeprefix(f"no series can be forecast by {made.name!r}: ")
                for made, own in zip(forecasts, meant)
                if made.failure and not made.broke and series.key in own
            ]
            rows.append(note(series, NOT_FORECAST, next(iter(reasons), " ".join(texts))))
    return pd.DataFrame(rows, columns=list(NOTE_COLUMNS))


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
