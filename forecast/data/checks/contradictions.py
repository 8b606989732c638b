"""Figures that contradict each other: net and parts, regions and country, releases, years."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from forecast import locations
from forecast.panel import Panel, Series
from forecast.series_key import KEY, SeriesKey
from forecast.validation import MEASURES

SLIP, BUNDLED = "slip by a power of ten", "far from the bundled figures"
#: Years on each side with which a figure is compared, and how many must be known.
_BESIDE, _LEAST = 4, 5
#: A count slips by this many decimal powers, and this many usual deviations beside; a net is so
#: many times the largest other one.
_POWERS, _DEVIATIONS, _TIMES = 0.85, 5.0, 15.0
#: Among smaller figures (persons) a jump is chance.
_SIZE = 500.0
#: From this many times on in every year, figures contradict the bundled ones.
_FAR = 3.0


def slips(panel: Panel) -> Iterator[Inconsistency]:
    """Figures several times as large or small as the years beside, at the ends as well.

    Two in a row are found too. Years flagged as break or outlier are explained.
    """
    for series in panel:
        sizes = np.abs(series.values)
        seen = np.flatnonzero(sizes > 0)
        if len(seen) <= _LEAST:
            continue
        expected = _net_limit(sizes[seen]) if series.signed else _usual(sizes[seen])
        excused = series.flagged("outlier") | series.flagged("break")
        for at in np.flatnonzero(~np.isnan(expected)):
            position = int(seen[at])
            if not excused[position]:
                size = float(expected[at]) * np.sign(series.values[position])
                yield in_year(SLIP, "warning", series, position, size, series.values[position])


def _usual(sizes: np.ndarray) -> np.ndarray:
    """Return the usual size beside each count that slipped, NaN for the others."""
    powers = np.log10(sizes)
    count = len(sizes)
    offsets = np.array([at for at in range(-_BESIDE, _BESIDE + 1) if at])
    at = np.arange(count)[:, None] + offsets
    beside = np.where((at >= 0) & (at < count), powers[np.clip(at, 0, count - 1)], np.nan)
    usual = _medians(beside)
    spread = _medians(np.abs(beside - usual[:, None]))
    far = np.abs(powers - usual) > _POWERS + _DEVIATIONS * spread
    large = np.maximum(powers, usual) >= np.log10(_SIZE)
    expected: np.ndarray = np.where(far & large, 10.0**usual, np.nan)
    return expected


def _medians(rows: np.ndarray) -> np.ndarray:
    """Return the median of each row without its NaN; NumPy's own takes far longer for few rows."""
    ordered = np.sort(rows, axis=1)
    known = (~np.isnan(rows)).sum(axis=1)
    at = np.arange(len(rows))
    medians: np.ndarray = (ordered[at, (known - 1) // 2] + ordered[at, known // 2]) / 2
    return medians


def _net_limit(sizes: np.ndarray) -> np.ndarray:
    """Return the largest other net, in absolute size, beside each net that slipped, else NaN."""
    ordered = np.sort(sizes)
    # Two slips in a row are held against the largest of the rest.
    rest = ordered[-3] if ordered[-2] > _TIMES * ordered[-3] else ordered[-2]
    expected: np.ndarray = np.where((sizes > _TIMES * rest) & (sizes >= _SIZE), rest, np.nan)
    return expected


@cache
def bundled_figures() -> dict[tuple[str, str, int], float]:
    """Return bundled figures by (location, measure, year): the median size over sources."""
    from forecast.data.package import load

    names = ("central-asia", "population", "kazakhstan-internal", "kazakhstan-split")
    rows = pd.concat([load(name).latest for name in names]).dropna(subset=["value"])
    sizes = rows.assign(size=rows["value"].abs()).groupby(["location", "measure", "year"])["size"]
    figures: dict[Any, float] = sizes.median().to_dict()
    return figures


def against_bundled(panel: Panel) -> Iterator[Inconsistency]:
    """Compare counts with the bundled ones of the same place and years; several times is far.

    Nets are not compared: offices and the UN differ about them by as much.
    """
    for series in panel:
        if MEASURES[series.measure] or series.step != 1:
            continue
        ratios = _ratios(series)
        if not ratios:
            continue
        sizes = [ratio for _, ratio in ratios]
        if min(sizes) < _FAR and max(sizes) > 1 / _FAR:
            continue
        position = ratios[-1][0]
        value = float(series.values[position])
        yield in_year(BUNDLED, "warning", series, position, value / ratios[-1][1], value)


def _ratios(series: Series) -> list[tuple[int, float]]:
    """Return position and ratio to the bundled figure of each year that has both."""
    bundled = bundled_figures()
    known = ((series.location, series.measure, int(year)) for year in series.years)
    return [
        (position, float(value) / bundled[key])
        for position, (key, value) in enumerate(zip(known, series.values))
        if value > 0 and bundled.get(key, 0.0) > 0
    ]


#: Share of the regional figures that rounding and late corrections may leave.
TOLERANCE = 0.001
SIGN = "sign changed between releases"
REVISED = "revised as a whole between releases"
SHIFTED = "release shifted by a year"
#: Mean revision as a share of the mean size from which a series counts as revised as a whole,
#: and fewest figures of which that is said.
_LARGE, _FEWEST = 0.5, 5


class Inconsistency(NamedTuple):
    """One figure that contradicts another, or stands out; persons unless the check says other."""

    check: str
    severity: str
    source: str
    location: str
    measure: str
    year: int
    expected: float
    found: float
    difference: float


def in_year(
    check: str, severity: str, series: Series, position: int, expected: float, found: float
) -> Inconsistency:
    """Return the inconsistency of one year of a series.

    Parameters
    ----------
    check, severity : str
        Name of the check; ``error`` or ``warning``.
    series : Series
        The series in doubt.
    position : int
        Of the year in `series.years`.
    expected, found : float
        What the check compares, in the unit of the series: persons per calendar year, or per period
        where a step is longer. Their difference is found less expected.

    Returns
    -------
    Inconsistency
    """
    year, difference = int(series.years[position]), float(found - expected)
    return Inconsistency(
        check, severity, *series.key, year, float(expected), float(found), difference
    )


def _wide(latest: pd.DataFrame, source: str, measure: str) -> pd.DataFrame:
    """Return years by locations of one source and measure."""
    rows = latest[(latest["source"] == source) & (latest["measure"] == measure)]
    return rows.pivot(index="year", columns="location", values="value")


def identities(panel: Panel) -> Iterator[Inconsistency]:
    """Net = arrivals - departures, within rounding."""
    triples = (
        ("net_migration", "immigration", "emigration"),
        ("internal_net", "internal_arrivals", "internal_departures"),
    )
    for source, rows in panel.latest.groupby("source", sort=True):
        sizes = rows.assign(rounding=rows["precision"].fillna(1.0))
        rounding = sizes.groupby(["location", "year"])["rounding"].sum()
        for net, arrivals, departures in triples:
            nets, into, out = (_wide(rows, str(source), m) for m in (net, arrivals, departures))
            for place in sorted({*nets} & {*into} & {*out}):
                made = into[place] - out[place]
                beyond = (nets[place] - made).abs() - rounding[place] / 2 > 0
                key = (str(source), place, net)
                check = "net = arrivals - departures"
                yield from _compare(check, nets[place].where(beyond), made, 100.0, key)


def regional_sums(panel: Panel) -> Iterator[Inconsistency]:
    """Net of all flows over regions = net across the border, in complete years."""
    rows = panel.latest
    regional = rows[rows["measure"] == "net_all_flows"]
    for source in sorted(set(regional["source"])):
        wide = _wide(rows, source, "net_all_flows")
        for country, places in _complete(wide):
            total = wide[places].sum(axis=1, skipna=False)
            national = rows[(rows["location"] == country) & (rows["measure"] == "net_migration")]
            registers = national[~national["source"].isin([source, "un-wpp"])]
            stated = {(source, country, "net_all_flows"): wide[country]} if country in wide else {}
            for register, own in registers.groupby("source", sort=True):
                stated[str(register), country, "net_migration"] = own.set_index("year")["value"]
            for key, whole in stated.items():
                limit = (0.1 * whole.abs()).clip(lower=1000.0)
                yield from _compare("regions add up to the country", total, whole, limit, key)


def border_sums(panel: Panel) -> Iterator[Inconsistency]:
    """Arrivals, departures or nets across the border over regions = the country's, if rounded."""
    for source, rows in panel.latest.groupby("source", sort=True):
        if all(locations.country_of(place) == place for place in set(rows["location"])):
            continue
        sizes = rows.assign(value=rows["precision"].fillna(1.0) / 2)
        for measure in ("immigration", "emigration", "net_migration"):
            wide = _wide(rows, str(source), measure)
            for country, places in _complete(wide):
                if country in wide:
                    total, whole = wide[places].sum(axis=1, skipna=False), wide[country]
                    rounding = _wide(sizes, str(source), measure)[[country, *places]].sum(axis=1)
                    differing = total.where((total - whole).abs() > rounding)
                    check, limit = "regions add up to the country", 0.01 * whole.abs()
                    key = (str(source), country, measure)
                    yield from _compare(check, differing, whole, limit, key)


def corridor_sums(panel: Panel) -> Iterator[Inconsistency]:
    """Corridors from a place add up to its departures, those to it to its arrivals.

    Corridors that leave out some places stay below the total in most years: then only sums above it
    contradict it.
    """
    for source, rows in panel.latest.groupby("source", sort=True):
        flows = _wide(rows, str(source), "flow")
        sizes = _wide(rows.assign(value=rows["precision"].fillna(1.0) / 2), str(source), "flow")
        for end, measure in enumerate(("emigration", "immigration")):
            ends = pd.Series(
                [locations.ends(str(code))[end] or "" for code in flows], flows.columns, object
            )
            totals = _wide(rows, str(source), measure)
            for place in sorted({*ends} & {*totals}):
                own = ends.index[ends == place]
                total, rounding = flows[own].sum(axis=1, skipna=False), sizes[own].sum(axis=1) + 0.5
                gap = (totals[place] - total).dropna()
                whole = (gap.abs() <= rounding[gap.index]).mean() >= 0.5
                wrong = total.where(gap < 0 if not whole else gap != 0)
                way = f"corridors {'from' if end == 0 else 'to'} the place add up to {measure}"
                yield from _compare(
                    way, wrong, totals[place], rounding, (str(source), place, measure)
                )


def _complete(wide: pd.DataFrame) -> Iterator[tuple[str, list[str]]]:
    """Yield each country with its places, where these cover every region of it once."""
    for country in sorted({locations.country_of(place) for place in wide.columns}):
        places = [p for p in wide.columns if locations.country_of(p) == country != p]
        parts = [part for place in places for part in locations.parts(place)]
        if parts and sorted(parts) == sorted(locations.regions(country)):
            yield country, places


def _compare(
    check: str,
    found: pd.Series,
    expected: pd.Series | float,
    limit: pd.Series | float,
    key: SeriesKey,
) -> Iterator[Inconsistency]:
    """Yield the years in which two figures differ: beyond the limit, both cannot be right."""
    both = pd.DataFrame({"found": found, "expected": expected, "limit": limit}).dropna()
    for row in both[both["found"] != both["expected"]].reset_index().to_dict("records"):
        gap = row["found"] - row["expected"]
        severity = "error" if abs(gap) > row["limit"] else "warning"
        yield Inconsistency(
            check, severity, *key, int(row["year"]), row["expected"], row["found"], gap
        )


def internal_sums(panel: Panel) -> Iterator[Inconsistency]:
    """Find years in which the internal nets of a country's regions do not cancel out."""
    rows = panel.latest
    for source in sorted(set(rows.loc[rows["measure"] == "internal_net", "source"])):
        wide = _wide(rows, source, "internal_net")
        for country, places in _complete(wide):
            total = wide[places].sum(axis=1, skipna=False)
            limit = TOLERANCE * wide[places].abs().sum(axis=1) + 10
            key = (source, country, "internal_net")
            yield from _compare("internal nets add up to zero", total, 0.0, limit, key)


def vintages(panel: Panel) -> Iterator[Inconsistency]:
    """Hold the last two releases of each figure against each other.

    Years whose sign changed by more than rounding; series whose mean revision is more than
    half of their mean size (the year of the largest is named); series whose newer release
    repeats the older one a year later, as a table pasted one row off does.
    """
    table = panel.figures.dropna(subset=["value", "as_of"])
    table["before"] = table.groupby([*KEY, "year"])["value"].shift()
    last = table.drop_duplicates([*KEY, "year"], keep="last").dropna(subset=["before"])
    flipped = last[last["before"] * last["value"] < 0]
    for at in range(len(flipped)):
        yield _finding(SIGN, flipped.iloc[at])
    for _, rows in last.groupby(KEY, sort=True):
        if len(rows) < _FEWEST:
            continue
        before, after = rows["before"].to_numpy(float), rows["value"].to_numpy(float)
        revision = np.abs(after - before)
        if revision.mean() > _LARGE * np.abs(after).mean():
            yield _finding(REVISED, rows.iloc[int(revision.argmax())])
        consecutive = np.diff(rows["year"].to_numpy()) == panel.step
        moved = (after[1:] == before[:-1]) & (revision[1:] > 0) & consecutive
        if moved.sum() >= _FEWEST - 1 and moved.mean() > 0.8:
            yield _finding(SHIFTED, rows.iloc[-1])


def _finding(check: str, row: pd.Series) -> Inconsistency:
    before, value = float(row["before"]), float(row["value"])
    key = (row["source"], row["location"], row["measure"], int(row["year"]))
    return Inconsistency(check, "warning", *key, before, value, value - before)
