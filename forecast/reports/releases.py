"""How the figures of a series changed from one release to the next."""

from __future__ import annotations

import numpy as np

from forecast.language import Language
from forecast.reports.numbers import rounded
from forecast.reports.series_view import FIRST_YEAR, Subject


def revised(subject: Subject, words: Language) -> str:
    """Say how far the figures moved since the release before; empty if there is none."""
    years, pairs = _before_and_now(subject)
    if not len(years):
        return ""
    turned = _turned(pairs)
    moved = words.say(
        "Since the release before, the figures for {first} to {last} moved by {mean} a year on "
        "average",
        first=years.min(),
        last=years.max(),
        mean=words.persons(rounded(float(np.abs(pairs[:, 0] - pairs[:, 1]).mean()))),
    )
    if not turned:
        return f"{moved}."
    return words.count(
        "{moved}; the sign changed in {n} year.",
        "{moved}; the sign changed in {n} years.",
        turned,
        moved=moved,
    )


def other_sign(subject: Subject, words: Language) -> str:
    """Say in how many years the release before had the other sign; empty if in none."""
    years, pairs = _before_and_now(subject)
    turned = _turned(pairs) if len(years) else 0
    if not turned:
        return ""
    return words.count(
        "The release before had the opposite sign in {n} year of {of}: the chances hold only as "
        "far as the newest figures do.",
        "The release before had the opposite sign in {n} years of {of}: the chances hold only as "
        "far as the newest figures do.",
        turned,
        of=len(years),
    )


def _before_and_now(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    """Return years and figures, shape (n_years, 2), of the release before and the newest."""
    if not subject.releases:
        return np.empty(0, dtype=int), np.empty((0, 2))
    earlier = subject.releases[-1]
    now = dict(zip(subject.series.years.tolist(), subject.series.values.tolist()))
    both = [
        (year, then, now[year])
        for year, then in zip(earlier.index.tolist(), earlier.tolist())
        if year >= FIRST_YEAR and not np.isnan(then) and not np.isnan(now.get(year, np.nan))
    ]
    table = np.array(both, dtype=float).reshape(-1, 3)
    return table[:, 0].astype(int), table[:, 1:]


def _turned(pairs: np.ndarray) -> int:
    """Return how many figures changed their sign."""
    return int((np.sign(pairs[:, 0]) * np.sign(pairs[:, 1]) < 0).sum())
