"""Stretches that are no observations: figures on a straight line, figures copied from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from forecast import locations
from forecast.data.checks.finding import Finding, finding
from forecast.panel import Panel, Series
from forecast.series_key import SeriesKey

INTERPOLATED = "interpolated stretch"
DUPLICATED = "duplicated stretch"
#: A copied run has this many figures at the least, and this many digits in all.
_SHORTEST, _DIGITS = 4, 8.0
#: A line stands out where the other years bend by this many steps of rounding.
_BEND = 10.0


def runs(panel: Panel) -> Iterator[Finding]:
    """Years that lie exactly on the line through their neighbours but carry no flag."""
    for series in panel:
        for position, line in on_a_line(series):
            yield finding(
                INTERPOLATED, "warning", series, position, line, float(series.values[position])
            )


def on_a_line(series: Series) -> list[tuple[int, float]]:
    """Return positions that lie on a line, with the value that the line has there.

    One such year can be chance; two in a row are a filled stretch, unless the series as a
    whole bends so little that its rounding makes lines by itself.
    """
    values = series.values
    if len(values) < 3:
        return []
    line = 0.5 * (values[:-2] + values[2:])
    bend = np.abs(values[1:-1] - line)
    on_line = np.zeros(len(values), dtype=bool)
    on_line[1:-1] = bend < 0.5
    neighbour = np.zeros(len(values), dtype=bool)
    neighbour[1:] |= on_line[:-1]
    neighbour[:-1] |= on_line[1:]
    stated = series.precision[~np.isnan(series.precision)]
    step = max(1.0, float(np.median(stated))) if len(stated) else 1.0
    others = bend[~np.isnan(bend) & (bend >= 0.5)]
    if len(others) and float(np.median(others)) < _BEND * step:
        return []
    marked = on_line & neighbour & ~series.flagged(INTERPOLATED.split()[0])
    return [(int(at), float(line[at - 1])) for at in np.flatnonzero(marked)]


@dataclass(frozen=True, slots=True)
class _Run:
    """Where a run of figures stands."""

    series: Series
    position: int


def duplicates(panel: Panel) -> Iterator[Finding]:
    """Find runs of figures that stand twice: in other years, places or flows.

    The later run is reported, year by year; the figure expected is unknown (NaN).
    """
    seen: dict[tuple[float, ...], list[_Run]] = {}
    reported: set[tuple[SeriesKey, int]] = set()
    for series in panel:
        for position in range(len(series.values) - _SHORTEST + 1):
            run = tuple(series.values[position : position + _SHORTEST].tolist())
            if not _telling(run, series):
                continue
            for first in seen.get(run, ()):
                if not _comparable(first.series, first.position, series, position):
                    continue
                for at in range(position, position + _SHORTEST):
                    if (series.key, at) not in reported:
                        reported.add((series.key, at))
                        yield finding(
                            DUPLICATED, "warning", series, at, np.nan, float(series.values[at])
                        )
                break
            seen.setdefault(run, []).append(_Run(series, position))


def _telling(run: Sequence[float], series: Series) -> bool:
    """Whether chance cannot repeat a run: different figures with enough digits, on no line."""
    if any(np.isnan(run)) or len(set(run)) < _SHORTEST - 1:
        return False
    if all(abs(bend) < 0.5 for bend in np.diff(run, 2)):
        return False
    stated = series.precision[~np.isnan(series.precision)]
    step = max(1.0, float(np.median(stated))) if len(stated) else 1.0
    digits = sum(float(np.log10(abs(value) / step + 1)) for value in run)
    return digits >= _DIGITS


def _comparable(one: Series, first: int, other: Series, second: int) -> bool:
    """Whether the same figures in two series cannot both be right."""
    if one.key == other.key:
        return abs(first - second) >= 1
    if one.source != other.source:
        return False
    if one.location == other.location:
        # Net equals arrivals where nobody leaves; arrivals equal departures nowhere for years.
        return not one.signed and not other.signed and one.years[first] == other.years[second]
    if one.measure != other.measure:
        return False
    shared = set(locations.parts(one.location)) & set(locations.parts(other.location))
    return not shared and locations.country_of(one.location) != other.location != one.location
