"""Doubts in words: warnings that a forecast would be spoilt by, said where figures are read."""

from __future__ import annotations

from forecast.data.checks.years import zeros
from forecast.panel import Panel
from forecast.series_key import KEY
from forecast.years import spans


def doubts(panel: Panel) -> list[str]:
    """Return one line per series whose figures look wrong and are used all the same.

    Parameters
    ----------
    panel : Panel

    Returns
    -------
    list of str
        Zeros in counts of hundreds and more. Nothing is changed: whether a zero is one
        only the office knows.
    """
    found: dict[tuple[str, ...], list[int]] = {}
    near: dict[tuple[str, ...], float] = {}
    for one in zeros(panel):
        key = tuple(str(getattr(one, name)) for name in KEY)
        found.setdefault(key, []).append(one.year)
        near.setdefault(key, one.expected)
    return [
        f"{measure} of {place} ({source}) is 0 in {spans(years)}, and about "
        f"{near[source, place, measure]:,.0f} in the years beside: a missing figure is left empty, "
        "not written as 0"
        for (source, place, measure), years in found.items()
    ]
