"""Why a forecast is as it is: which members took part, their weights, parts of the variance."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from forecast import scales
from forecast.contract import FORECAST, NOT_FORECAST, NOTE_COLUMNS, ModelBase, meant_for
from forecast.hindcast.members import MemberForecast
from forecast.models.assembly import note
from forecast.models.ensemble.joint import Combined
from forecast.panel import Panel
from forecast.series_key import SeriesKey

#: Columns of `forecast.outlook.Forecast.explanation`.
COLUMNS = ("source", "location", "measure", "year", "what", "name", "value")
#: Parts of the variance; `forecast.drawing.PARTS` says in words what they are.
PARTS = ("shocks", "parameters", "disagreement", "unsplit", "calibration", "revisions", "accounts")
#: What a member says by itself.
SAYS = ("lower quartile", "upper quartile", "chance above zero")


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

    Parameters
    ----------
    panel : Panel
        What the ensemble was shown.
    combined : mapping of (source, location, measure) to Combined
        Draws with the parts of their variance.
    forecasts : sequence of MemberForecast
        What each member says by itself.
    years : sequence of int
        Calendar years of the rows.
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
    years = [year for year, step in steps.items() if step >= 1]
    at = [steps[year] - 1 for year in years]
    for made in forecasts if years else []:
        if key in made:
            drawn = made.of(key)[:, at]
            values = [*np.quantile(drawn, [0.25, 0.75], axis=0), (drawn > 0).mean(axis=0)]
            for year, said in zip(years, np.transpose(values).tolist()):
                rows += [(*key, year, what, made.name, value) for what, value in zip(SAYS, said)]
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
