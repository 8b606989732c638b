"""Figures that contradict each other: net and its parts, regions and country, two releases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from forecast import locations
from forecast.panel import Panel, Series
from forecast.series_key import KEY

#: Share of the regional figures that rounding and late corrections may leave.
TOLERANCE = 0.001
SIGN = "sign changed between releases"
REVISED = "revised as a whole between releases"
SHIFTED = "release shifted by a year"
#: Mean revision as a share of the mean size from which a series counts as revised as a whole.
_LARGE, _LEAST = 0.5, 5


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
    """Return the inconsistency of one year of a series."""
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
    rows = panel.latest
    sizes = rows.assign(rounding=rows["precision"].fillna(1.0))
    rounding = sizes.groupby(["source", "location", "year"])["rounding"].sum().to_dict()
    for source, own in rows.groupby("source", sort=True):
        for net, arrivals, departures in triples:
            if not {net, arrivals, departures} <= set(own["measure"]):
                continue
            stated, into, out = (_wide(own, str(source), m) for m in (net, arrivals, departures))
            for place in sorted({*stated} & {*into} & {*out}):
                columns = {"found": stated[place], "expected": into[place] - out[place]}
                for row in pd.DataFrame(columns).dropna().reset_index().to_dict("records"):
                    year, found, expected = int(row["year"]), row["found"], row["expected"]
                    if abs(found - expected) <= rounding[source, place, year] / 2:
                        continue
                    severity = "error" if abs(found - expected) > 100 else "warning"
                    yield Inconsistency(
                        "net = arrivals - departures", severity, str(source), place, net,
                        year, expected, found, found - expected,
                    )  # fmt: skip


def regional_sums(panel: Panel) -> Iterator[Inconsistency]:
    """Net of all flows over regions = net across the border, in complete years."""
    rows = panel.latest
    regional = rows[rows["measure"] == "net_all_flows"]
    for source in sorted(set(regional["source"])):
        wide = _wide(rows, source, "net_all_flows")
        for country in sorted({locations.country_of(place) for place in wide.columns}):
            places = [p for p in wide.columns if locations.country_of(p) == country != p]
            if not _is_complete(country, places):
                continue
            total = wide[places].sum(axis=1, skipna=False)
            if country in wide:
                yield from _compare(total, wide[country], source, country, "net_all_flows")
            national = rows[(rows["location"] == country) & (rows["measure"] == "net_migration")]
            registers = national[~national["source"].isin([source, "un-wpp"])]
            for register in sorted(set(registers["source"])):
                stated = registers[registers["source"] == register].set_index("year")["value"]
                yield from _compare(total, stated, register, country, "net_migration")


def _is_complete(country: str, places: Iterable[str]) -> bool:
    """Whether the places cover every region of a country once."""
    parts = [part for place in places for part in locations.parts(place)]
    return bool(parts) and sorted(parts) == sorted(locations.regions(country))


def _compare(
    total: pd.Series, stated: pd.Series, source: str, country: str, measure: str
) -> Iterator[Inconsistency]:
    both = pd.DataFrame({"total": total, "stated": stated}).dropna()
    both = both[both["total"] != both["stated"]]
    for year, found, expected in zip(both.index.tolist(), both["total"], both["stated"]):
        gap = float(found - expected)
        large = abs(gap) > max(1000.0, 0.1 * abs(float(expected)))
        yield Inconsistency(
            "regions add up to the country", "error" if large else "warning", source, country,
            measure, int(year), float(expected), float(found), gap,
        )  # fmt: skip


def internal_sums(panel: Panel) -> Iterator[Inconsistency]:
    """Find years in which the internal nets of a country's regions do not cancel out."""
    rows = panel.latest
    for source in sorted(set(rows.loc[rows["measure"] == "internal_net", "source"])):
        wide = _wide(rows, source, "internal_net")
        for country in sorted({locations.country_of(place) for place in wide.columns}):
            places = [p for p in wide.columns if locations.country_of(p) == country != p]
            if not _is_complete(country, places):
                continue
            total = wide[places].sum(axis=1, skipna=False).dropna()
            size = wide[places].abs().sum(axis=1)
            for year, gap, moved in zip(total.index.tolist(), total, size[total.index]):
                if gap == 0:
                    continue
                severity = "error" if abs(gap) > TOLERANCE * moved + 10 else "warning"
                yield Inconsistency(
                    "internal nets add up to zero", severity, source, country,
                    "internal_net", int(year), 0.0, float(gap), float(gap),
                )  # fmt: skip


def vintages(panel: Panel) -> Iterator[Inconsistency]:
    """Hold the last two releases of each figure against each other.

    Years whose sign changed by more than rounding; series whose mean revision is more than
    half of their mean size (the year of the largest is named); series whose newer release
    repeats the older one a year later, as a table pasted one row off does.
    """
    table = panel.to_frame().dropna(subset=["value", "as_of"])
    table["before"] = table.groupby([*KEY, "year"])["value"].shift()
    last = table.drop_duplicates([*KEY, "year"], keep="last").dropna(subset=["before"])
    flipped = last[last["before"] * last["value"] < 0]
    for at in range(len(flipped)):
        yield _finding(SIGN, _record(flipped, at))
    for _, rows in last.groupby(KEY, sort=True):
        if len(rows) < _LEAST:
            continue
        before, after = rows["before"].to_numpy(float), rows["value"].to_numpy(float)
        revision = np.abs(after - before)
        if revision.mean() > _LARGE * np.abs(after).mean():
            yield _finding(REVISED, _record(rows, int(revision.argmax())))
        consecutive = np.diff(rows["year"].to_numpy()) == panel.step
        moved = (after[1:] == before[:-1]) & (revision[1:] > 0) & consecutive
        if moved.sum() >= _LEAST - 1 and moved.mean() > 0.8:
            yield _finding(SHIFTED, _record(rows, -1))


def _record(rows: pd.DataFrame, at: int) -> dict[str, object]:
    return {str(name): value for name, value in rows.iloc[at].items()}


def _finding(check: str, row: dict[str, object]) -> Inconsistency:
    before, value = float(str(row["before"])), float(str(row["value"]))
    return Inconsistency(
        check, "warning", str(row["source"]), str(row["location"]), str(row["measure"]),
        int(str(row["year"])), before, value, value - before,
    )  # fmt: skip
