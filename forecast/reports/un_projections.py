"""What the United Nations project and had projected, beside what came and what is said here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from forecast.data import package
from forecast.language import Language
from forecast.reports import labels
from forecast.reports.numbers import rounded
from forecast.reports.series_view import Subject

#: The measure that the United Nations project.
MEASURE = "net_migration"


def section(known: Sequence[Subject], words: Language) -> dict[str, Any] | None:
    """Return the UN's projections for the target years, and how its earlier ones did.

    Returns
    -------
    dict or None
        ``vintages``, the years of release; ``rows``, one per country and target year;
        ``past``, sentences on years that a release had projected and a later one estimates.
        None if no series of the page is the UN's.
    """
    table = package.projections()
    table["vintage"] = pd.to_datetime(table["as_of"]).dt.year
    ours = [s for s in known if s.national and s.forecast and _theirs(s, table)]
    if not ours:
        return None
    vintages = sorted(table["vintage"].unique().tolist())
    past = [said for subject in ours if (said := hindsight(subject, table, words))]
    return {
        "vintages": vintages,
        "rows": [
            _row(subject, year, table, vintages, words)
            for subject in ours
            for year in subject.horizons
            if year in subject.years
        ],
        "past": past,
    }


def hindsight(subject: Subject, table: pd.DataFrame, words: Language) -> str:
    """Say what earlier projections had said of years that are estimated by now."""
    known = dict(zip(subject.series.years.tolist(), subject.series.values.tolist()))
    rows = table[table["location"] == subject.series.location]
    said = []
    for vintage, group in rows.groupby("vintage", sort=True):
        judged = [row for row in group.to_dict("records") if row["year"] in known]
        if judged:
            told = "; ".join(
                words.say(
                    "{projected} for {year}, now estimated at {estimated}",
                    year=row["year"],
                    projected=words.persons(rounded(row["value"], 3), sign=True),
                    estimated=words.persons(rounded(known[row["year"]], 3), sign=True),
                )
                for row in judged
            )
            said.append(
                words.say(
                    "{place}, said in {vintage}: {told}.",
                    place=labels.place(subject.series.location, words),
                    vintage=vintage,
                    told=told,
                )
            )
    return " ".join(said)


def _theirs(subject: Subject, table: pd.DataFrame) -> bool:
    source, place, measure = subject.key
    return measure == MEASURE and bool(
        ((table["source"] == source) & (table["location"] == place)).any()
    )


def _row(
    subject: Subject, year: int, table: pd.DataFrame, vintages: Sequence[int], words: Language
) -> dict[str, Any]:
    """Return what each release says of one country and year, and what is said here."""
    source, place, _ = subject.key
    rows = table[
        (table["source"] == source) & (table["location"] == place) & (table["year"] == year)
    ].set_index("vintage")
    said: list[str] = []
    for vintage in vintages:
        if vintage not in rows.index:
            said.append("–")
            continue
        middle, lower, upper = (
            float(rows[name].to_dict()[vintage]) for name in ("value", "lower_80", "upper_80")
        )
        said.append(_said(middle, lower, upper, words))
    lower, middle, upper = np.quantile(subject.at(year), [0.1, 0.5, 0.9])
    return {
        "place": labels.place(place, words),
        "year": year,
        "said": said,
        "here": _said(middle, lower, upper, words),
    }


def _said(middle: float, lower: float, upper: float, words: Language) -> str:
    """Write a middle value with its 80 % interval, where there is one."""
    number = words.persons(rounded(float(middle), 3), sign=True)
    if np.isnan(lower) or np.isnan(upper):
        return number
    low, high = (words.persons(rounded(float(end), 3), sign=True) for end in (lower, upper))
    return words.say("{middle} ({low} to {high})", middle=number, low=low, high=high)
