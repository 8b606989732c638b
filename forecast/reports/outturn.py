"""Earlier editions: their forecasts beside outcomes, and a running record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from forecast import labels, measures
from forecast.evaluate.editions import Edition, outturn, running_record
from forecast.language import Language
from forecast.panel import Panel


def section(editions: Sequence[Edition], panel: Panel, words: Language) -> dict[str, Any] | None:
    """Return the section on earlier editions, or None if nothing of theirs is known yet.

    Parameters
    ----------
    editions : sequence of Edition
    panel : Panel
        The newest figures.

    Returns
    -------
    dict or None
        ``text``, sentences on the newest edition of which something is known; ``rows``, what
        it said beside what came, countries first; ``record``, one row per edition.
    """
    judged = outturn(editions, panel)
    if not len(judged):
        return None
    record = running_record(judged)
    newest = judged[judged["edition"] == judged["edition"].max()]
    counted = sorted(set(judged["measure"]), key=lambda name: measures.find(name).fractional)
    error = partial(_error, measure=counted[-1], words=words)
    regional = ["-" in place for place in newest["location"]]
    newest = newest.assign(regional=regional).sort_values(
        ["regional", "location", "measure", "source", "year"], kind="stable"
    )
    return {
        "text": _sentence(newest, record[record["edition"] != "all"].iloc[-1], error, words),
        "rows": [_row(row, words) for row in newest.to_dict("records")],
        "record": [_summed(row, error, words) for row in record.to_dict("records")],
    }


def _error(value: float, measure: str, words: Language) -> str:
    """Write a mean error of figures, of which one with decimals gives the form."""
    return labels.figure(float(value), measure, words, 3).removeprefix("+")


def _sentence(
    newest: pd.DataFrame, record: pd.Series, error: Callable[[float], str], words: Language
) -> str:
    said = words.count(
        "The edition of {day} was made with {model}. Since then {n} figure that it had forecast "
        "has come out: {inside} within its 80 % interval, where {expected} can be expected.",
        "The edition of {day} was made with {model}. Since then {n} figures that it had forecast "
        "have come out: {inside} within their 80 % intervals, where {expected} can be expected.",
        len(newest),
        day=record["edition"],
        model=words.listed(sorted(set(newest["model"]))),
        inside=int(newest["inside_80"].sum()),
        expected=round(0.8 * len(newest)),
    )
    if pd.isna(record["of_no_change"]):
        return said
    off = words.say(
        "Its middle estimates were {error} off on average; assuming no change would have been off "
        "by {other}.",
        error=error(record["mean_error"]),
        other=error(record["of_no_change"]),
    )
    return f"{said} {off}"


def _row(row: Mapping[Any, Any], words: Language) -> dict[str, Any]:
    numbers = (row[name] for name in ("median", "lower_80", "upper_80"))
    return {
        "national": "-" not in row["location"],
        "place": labels.place(row["location"], words),
        "measure": labels.measure(row["measure"], words),
        "source": labels.source(row["source"], words),
        "year": int(row["year"]),
        "said": [labels.figure(float(number), row["measure"], words, 3) for number in numbers],
        "came": labels.figure(row["observed"], row["measure"], words),
        "inside": bool(row["inside_80"]),
    }


def _summed(
    row: Mapping[Any, Any], error: Callable[[float], str], words: Language
) -> dict[str, Any]:
    def shown(name: str, write: Callable[[float], str]) -> str:
        return "–" if pd.isna(row[name]) else write(float(row[name]))

    return {
        "edition": words.say("All") if row["edition"] == "all" else row["edition"],
        "figures": words.persons(row["figures"]),
        "errors": [shown(name, error) for name in ("mean_error", "of_no_change")],
        "shares": [shown(f"inside_{level}", words.share) for level in (50, 80, 95)],
    }
