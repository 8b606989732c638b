"""The largest changes from one year to the next: what no forecast would have said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecast.language import Language
from forecast.reports import labels
from forecast.reports.numbers import rounded
from forecast.reports.series_view import FIRST_YEAR, Subject

#: Flags of figures that do not show what happened.
_ASIDE = ("outlier", "suspect", "interpolated")


def largest(subject: Subject) -> tuple[int, float, float] | None:
    """Return the year of the largest change since the year before, with both figures.

    Only years from `FIRST_YEAR` on whose figures follow each other without a gap, a new
    level or doubt; None if there is no such pair.
    """
    series = subject.series
    good = ~np.isnan(series.values) & (series.years >= FIRST_YEAR)
    for flag in _ASIDE:
        good &= ~series.flagged(flag)
    pairs = good[1:] & good[:-1] & (np.diff(series.years) == 1)
    pairs &= ~series.flagged("break")[1:]
    if not pairs.any():
        return None
    change = np.where(pairs, np.abs(np.diff(series.values)), -1.0)
    at = int(change.argmax())
    return int(series.years[at + 1]), float(series.values[at]), float(series.values[at + 1])


def jumps_of(known: Sequence[Subject], words: Language) -> list[str]:
    """Tell of the largest change of each national series that is forecast."""
    told = []
    for subject in known:
        found = largest(subject) if subject.national and subject.forecast else None
        if found is None:
            continue
        year, before, after = found
        signed = subject.series.signed
        told.append(
            words.say(
                "{place}, {measure}, {source}: from {before} in {first} to {after} in {year}.",
                place=labels.place(subject.series.location, words),
                measure=labels.measure(subject.series.measure, words),
                source=labels.source(subject.series.source, words),
                before=words.persons(rounded(before, 3), sign=signed),
                first=year - 1,
                after=words.persons(rounded(after, 3), sign=signed),
                year=year,
            )
        )
    return told
