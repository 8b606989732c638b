"""Single years that stand out: rates and years that cannot be, jumps where boundaries changed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from forecast import locations
from forecast.data import plausibility
from forecast.data.checks.finding import Finding, finding
from forecast.panel import Panel, Series

#: Net migrants per 1,000 population that no year without a flag should exceed.
IMPOSSIBLE_RATE = 200.0
ZERO = "zero among large figures"
#: From this many persons in the nearest other years on, a zero stands out.
_FAR = 100.0
TO_COME, EARLY = "year still to come", "released before its year"
BOUNDARY = "jump at a boundary change"
#: A jump is this many times the usual step between years.
_JUMP = 4.0
#: Steps besides those at the change that must be known.
_LEAST = 4


def rates(panel: Panel) -> Iterator[Finding]:
    """More than 200 migrants a year per 1,000 inhabitants, in a year without a flag."""
    for series in panel:
        if series.measure == "population":
            continue
        rate = 1000 * series.values / series.population / series.step
        excused = series.flagged("outlier") | series.flagged("break")
        for position in np.flatnonzero((np.abs(rate) > IMPOSSIBLE_RATE) & ~excused):
            size = float(series.population[position]) * series.step
            limit = IMPOSSIBLE_RATE * size / 1000 * np.sign(rate[position])
            value = float(series.values[position])
            yield finding("impossible rate", "error", series, int(position), limit, value)


def zeros(panel: Panel) -> Iterator[Finding]:
    """Zeros in a count whose neighbours are far from zero: a missing figure, written as 0.

    In a count of hundreds a true zero is as good as impossible, and on the scale of
    logarithms it is a shock that no interval forgets. Several in a row are found too.
    """
    for series in panel:
        if series.signed:
            continue
        seen = np.flatnonzero(~np.isnan(series.values))
        values = series.values[seen]
        filled = np.flatnonzero(values != 0)
        # Half of a series cannot be a slip: such a flow begins, ends, or hardly exists.
        if 2 * len(filled) <= len(values):
            continue
        stated = series.precision[~np.isnan(series.precision)]
        far = max(_FAR, 10.0 * float(stated.max(initial=0.0)))
        for at in np.flatnonzero(values == 0):
            beside = np.searchsorted(filled, at)
            neighbours = values[filled[max(beside - 1, 0) : beside + 1]]
            if neighbours.min() >= far:
                expected = float(neighbours.mean())
                yield finding(ZERO, "warning", series, int(seen[at]), expected, 0.0)


def unobserved(panel: Panel) -> Iterator[Finding]:
    """Figures of years to come, and figures released before their year began.

    Tables are refused for these when they are read; a panel made otherwise may hold them.
    """
    table = panel.to_frame()
    for check, late in (
        (TO_COME, plausibility.to_come(table, plausibility.today())),
        (EARLY, plausibility.before_its_year(table)),
    ):
        for row in table[late].itertuples():
            key = (str(row.source), str(row.location), str(row.measure))
            year, value = int(str(row.year)), float(str(row.value))
            yield Finding(check, "error", *key, year, np.nan, value, np.nan)


def boundary_jumps(panel: Panel) -> Iterator[Finding]:
    """Jumps in a region's series in a year in which its boundaries are known to have changed.

    Only where the series does not hold the whole area that changed hands, and where the year
    carries no flag that says so already.
    """
    for series in panel:
        yield from _jumps(series)


def _jumps(series: Series) -> Iterator[Finding]:
    if series.step != 1 or locations.find(series.location).is_country:
        return
    own = set(locations.parts(series.location))
    country = locations.country_of(series.location)
    first, last = int(series.years[0]), int(series.years[-1])
    excused = np.zeros(len(series.years), dtype=bool)
    for flag in ("boundary_change", "break", "outlier", "adjusted", "census_rebasing"):
        excused |= series.flagged(flag)
    for change in locations.changes(country, first, last):
        if change.year is None or not own & change.parts or change.parts <= own:
            continue
        at = change.year - first
        # A stock shows the change in its own year or the next; offices also carry new
        # boundaries back to the year before.
        jumps: list[tuple[float, int, float]] = []
        for position in (at - 1, at, at + 1):
            if 0 < position < len(series.years) and not excused[position]:
                usual = _jump(series.values, position, at)
                if usual is not None:
                    step = float(series.values[position] - series.values[position - 1])
                    jumps.append((abs(step - usual), position, usual))
        if jumps:
            _, position, usual = max(jumps)
            expected = float(series.values[position - 1]) + usual
            found = float(series.values[position])
            yield finding(BOUNDARY, "warning", series, position, expected, found)


def _jump(values: np.ndarray, position: int, change: int) -> float | None:
    """Return the usual step if the one to `position` is far from it, else None."""
    steps = np.diff(values)
    near = {change - 2, change - 1, change}
    others = np.array([step for at, step in enumerate(steps) if at not in near])
    others = others[~np.isnan(others)]
    step = steps[position - 1]
    if len(others) < _LEAST or np.isnan(step):
        return None
    usual = float(np.median(others))
    spread = max(1.4826 * float(np.median(np.abs(others - usual))), 1.0)
    return usual if abs(step - usual) > _JUMP * spread else None
