"""Finding: one figure that contradicts another, or that is to be known."""

from __future__ import annotations

from typing import NamedTuple

from forecast.panel import Series


class Finding(NamedTuple):
    """One contradiction, in persons unless the check says otherwise."""

    check: str
    severity: str
    source: str
    location: str
    measure: str
    year: int
    expected: float
    found: float
    difference: float


def finding(
    check: str, severity: str, series: Series, position: int, expected: float, found: float
) -> Finding:
    """Return the finding about one year of a series."""
    year = int(series.years[position])
    difference = float(found - expected)
    return Finding(check, severity, *series.key, year, float(expected), float(found), difference)
