"""Years that stand out in a series: impossible ones, zeros, straight lines, copies, jumps."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from forecast import boundary_changes, locations, periods
from forecast.data.checks.contradictions import Inconsistency, in_year
from forecast.errors import DataError
from forecast.horizons import spans
from forecast.panel import Panel, Series
from forecast.series_key import KEY, SeriesKey

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
INTERPOLATED = "interpolated stretch"
DUPLICATED = "duplicated stretch"
#: A copied run has this many figures at the least, and this many digits in all.
_SHORTEST, _DIGITS = 4, 8.0
#: A line stands out where the other years bend by this many steps of rounding.
_BEND = 10.0


def rates(panel: Panel) -> Iterator[Inconsistency]:
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
            yield in_year("impossible rate", "error", series, int(position), limit, value)


def zeros(panel: Panel) -> Iterator[Inconsistency]:
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
                yield in_year(ZERO, "warning", series, int(seen[at]), expected, 0.0)


def unobserved(panel: Panel) -> Iterator[Inconsistency]:
    """Figures of years to come, and figures released before their year began.

    Tables are refused for these when they are read; a panel made otherwise may hold them.
    """
    table = panel.figures
    unit = panel.frequency
    late_and_early = (TO_COME, to_come(table, today(), unit)), (EARLY, before_its_year(table, unit))
    for check, late in late_and_early:
        for row in table[late].itertuples():
            key = (str(row.source), str(row.location), str(row.measure))
            year, value = int(str(row.year)), float(str(row.value))
            yield Inconsistency(check, "error", *key, year, np.nan, value, np.nan)


def boundary_jumps(panel: Panel) -> Iterator[Inconsistency]:
    """Jumps in a region's series in a year in which its boundaries are known to have changed.

    Only where the series does not hold the whole area that changed hands, and where the year
    carries no flag that says so already.
    """
    for series in panel:
        yield from _jumps(series)


def _jumps(series: Series) -> Iterator[Inconsistency]:
    if series.step != 1 or series.season > 1 or locations.find(series.location).is_country:
        return
    own = set(locations.parts(series.location))
    country = locations.country_of(series.location)
    first, last = int(series.years[0]), int(series.years[-1])
    excused = np.zeros(len(series.years), dtype=bool)
    for flag in ("boundary_change", "break", "outlier", "adjusted", "census_rebasing"):
        excused |= series.flagged(flag)
    for change in boundary_changes.changes(country, first, last):
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
            yield in_year(BOUNDARY, "warning", series, position, expected, found)


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


def runs(panel: Panel) -> Iterator[Inconsistency]:
    """Years that lie exactly on the line through their neighbours but carry no flag."""
    for series in panel:
        for position, line in on_a_line(series):
            yield in_year(
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
    unit, step = _rounding(series)
    on_line = np.zeros(len(values), dtype=bool)
    on_line[1:-1] = bend < 0.5 * unit
    neighbour = np.zeros(len(values), dtype=bool)
    neighbour[1:] |= on_line[:-1]
    neighbour[:-1] |= on_line[1:]
    others = bend[~np.isnan(bend) & (bend >= 0.5 * unit)]
    if len(others) and float(np.median(others)) < _BEND * step:
        return []
    marked = on_line & neighbour & ~series.flagged(INTERPOLATED.split()[0])
    return [(int(at), float(line[at - 1])) for at in np.flatnonzero(marked)]


def _rounding(series: Series) -> tuple[float, float]:
    """Return what a series is counted in and the step to which it is rounded."""
    stated = series.precision[~np.isnan(series.precision)]
    unit = series.last_decimal
    return unit, max(unit, float(np.median(stated))) if len(stated) else unit


def duplicates(panel: Panel) -> Iterator[Inconsistency]:
    """Find runs of figures that stand twice: in other years, places or flows.

    The later run is reported, year by year; the figure expected is unknown (NaN).
    """
    repeated = Counter(run for series in panel for run in _runs_of(series))
    # Where runs have stood, by what makes the same run elsewhere a copy.
    own: set[tuple[object, ...]] = set()
    flows: set[tuple[object, ...]] = set()
    places: dict[tuple[object, ...], dict[str, None]] = {}
    reported: set[tuple[SeriesKey, int]] = set()
    for series in panel:
        source, place, measure = series.key
        for position, run in enumerate(_runs_of(series)):
            if repeated[run] < 2 or not _telling(run, series):
                continue
            flow = (run, source, place, int(series.years[position]))
            others = places.setdefault((run, source, measure), {})
            # Net equals arrivals where nobody leaves; arrivals equal departures nowhere for years.
            copied = (run, series.key) in own or (not series.signed and flow in flows)
            if copied or any(_are_apart(other, place) for other in others):
                for at in range(position, position + _SHORTEST):
                    if (series.key, at) not in reported:
                        reported.add((series.key, at))
                        found = float(series.values[at])
                        yield in_year(DUPLICATED, "warning", series, at, np.nan, found)
            own.add((run, series.key))
            others[place] = None
            if not series.signed:
                flows.add(flow)


def _runs_of(series: Series) -> Iterator[tuple[float, ...]]:
    """Return the figures of every few years in a row, from each year on."""
    values = series.values.tolist()
    return zip(*(values[at : len(values) - _SHORTEST + 1 + at] for at in range(_SHORTEST)))


def _telling(run: Sequence[float], series: Series) -> bool:
    """Whether chance cannot repeat a run: different figures with enough digits, on no line."""
    if any(np.isnan(run)) or len(set(run)) < _SHORTEST - 1:
        return False
    unit, step = _rounding(series)
    if all(abs(bend) < 0.5 * unit for bend in np.diff(run, 2)):
        return False
    digits = sum(float(np.log10(abs(value) / step + 1)) for value in run)
    return digits >= _DIGITS


def _are_apart(one: str, other: str) -> bool:
    """Whether neither of two places lies in the other, so that the same figures are a copy."""
    shared = set(locations.parts(one)) & set(locations.parts(other))
    return not shared and locations.country_of(one) != other != one


def today() -> dt.date:
    """Return the present day; it has begun when it has begun somewhere on Earth."""
    return (dt.datetime.now(dt.UTC) + dt.timedelta(hours=14)).date()


def to_come(table: pd.DataFrame, day: dt.date, frequency: str = "year") -> np.ndarray:
    """Return which figures of a panel's table are of a period after that of a day.

    Parameters
    ----------
    table : DataFrame
        With the columns ``year`` and ``value``; missing values do not count.
    day : date
        The day on which the figures are looked at; its own period is not yet to come.
    frequency : str
        What the numbers in ``year`` count.

    Returns
    -------
    ndarray of bool, shape (n_rows,)
    """
    now = periods.of_days(pd.Series([pd.Timestamp(day)]), frequency).iloc[0]
    return np.asarray(table["value"].notna() & (table["year"] > now))


def before_its_year(table: pd.DataFrame, frequency: str = "year") -> np.ndarray:
    """Return which figures of a panel's table are said to be out before their period began.

    Parameters
    ----------
    table : DataFrame
        With the columns ``year`` (number of the period), ``value`` and ``as_of``; figures without a
        day are in order.
    frequency : str
        What a period is, see `forecast.periods`.

    Returns
    -------
    ndarray of bool, shape (n_rows,)
    """
    out = periods.of_days(table["as_of"], frequency)
    return np.asarray(table["value"].notna() & (table["year"] > out))


def refuse_before_its_year(table: pd.DataFrame, frequency: str = "year") -> None:
    """Refuse a table with figures that are said to have come out before their year began.

    Parameters
    ----------
    table : DataFrame
        See `before_its_year`.
    frequency : str
        What a period is, see `forecast.periods`.

    Raises
    ------
    DataError
        Naming the series, the years, the day and the remedy.
    """
    early = table[before_its_year(table, frequency)]
    if early.empty:
        return
    first = early.iloc[0]
    same = (early[KEY] == first[KEY]).all(axis=1) & (early["as_of"] == first["as_of"])
    raise DataError(
        f"{first['measure']} of {first['location']} has figures of "
        f"{spans(early.loc[same, 'year'], frequency)} in the release of "
        f"{first['as_of'].date()}, before these {frequency}s began. Give the day on which they "
        f"came out, or correct the {frequency}s."
    )
