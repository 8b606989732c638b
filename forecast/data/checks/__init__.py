"""Where figures contradict each other: accounts, sums, rates, stretches, boundaries, releases.

What checks are sure of they add as flags, and what looks wrong they say in words.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from forecast import periods
from forecast.data.checks.contradictions import (
    Inconsistency,
    against_bundled,
    border_sums,
    corridor_sums,
    identities,
    internal_sums,
    regional_sums,
    slips,
    vintages,
)
from forecast.data.checks.years import (
    BOUNDARY,
    DUPLICATED,
    INTERPOLATED,
    boundary_jumps,
    duplicates,
    rates,
    runs,
    unobserved,
    zeros,
)
from forecast.horizons import spans
from forecast.language import plain
from forecast.panel import Panel
from forecast.series_key import KEY

_CHECKS = (
    identities, regional_sums, border_sums, internal_sums, corridor_sums, rates, unobserved, zeros,
    slips, against_bundled, runs, duplicates, boundary_jumps, vintages,
)  # fmt: skip
#: Flag of each check that adds one.
FLAGS = {INTERPOLATED: "interpolated", DUPLICATED: "suspect", BOUNDARY: "boundary_change"}


def check(panel: Panel) -> pd.DataFrame:
    """Hold a panel against itself.

    Parameters
    ----------
    panel : Panel

    Returns
    -------
    DataFrame
        One row per inconsistency: ``check, severity, source, location, measure, year,
        expected, found, difference``. Severity ``error``: the figures cannot both be right
        and the difference is more than rounding; ``warning``: to be known. `add_flags` flags
        the years of those warnings that point at one figure. Nothing is adjusted.
    """
    rows = [row for test in _CHECKS for row in test(panel)]
    table = pd.DataFrame(rows, columns=Inconsistency._fields)
    table = table.sort_values(["severity", "check", *KEY, "year"], ignore_index=True)
    return periods.labelled(table, panel.frequency)


def add_flags(panel: Panel) -> tuple[Panel, list[str]]:
    """Flag the years that checks are sure of.

    Returns
    -------
    Panel
        ``interpolated`` on stretches on a straight line (models leave them out of the fit),
        ``suspect`` on copied stretches and ``boundary_change`` on jumps at known changes
        (both are said in the report and steer nothing). The values stay as they are.
    list of str
        What was flagged, one line per series and flag.

    Notes
    -----
    Contradictions between figures, such as net against arrivals and departures, add no
    flag: which of the figures is wrong is not known.
    """
    years = [year for check in (runs, duplicates, boundary_jumps) for year in check(panel)]
    if not years:
        return panel, []
    added: dict[tuple[object, ...], list[str]] = {}
    for year in years:
        key = (year.source, year.location, year.measure, year.year)
        added.setdefault(key, []).append(FLAGS[year.check])
    table = panel.figures
    latest = ~table.duplicated([*KEY, "year"], keep="last")
    keys = zip(table["source"], table["location"], table["measure"], table["year"].tolist())
    table["flag"] = [
        _joined(text, added.get(key, ())) if newest else text
        for text, key, newest in zip(table["flag"], keys, latest)
    ]
    return Panel.from_frame(table, step=panel.step, frequency=panel.frequency), _in_words(
        years, panel.frequency
    )


def _joined(text: str, added: Sequence[str]) -> str:
    own = [flag for flag in str(text).split(";") if flag]
    return ";".join([*own, *(flag for flag in added if flag not in own)])


def _in_words(years: list[Inconsistency], frequency: str) -> list[str]:
    table = pd.DataFrame(years, columns=Inconsistency._fields)
    lines = []
    for (check, source, place, measure), rows in table.groupby(
        ["check", "source", "location", "measure"], sort=True
    ):
        listed = ", ".join(periods.label(one, frequency) for one in sorted(rows["year"]))
        lines.append(f"{FLAGS[str(check)]}: {measure} of {place} ({source}): {listed} ({check})")
    return lines


def warnings_in_words(panel: Panel) -> list[str]:
    """Return one line per series whose figures look wrong and are used all the same.

    Returns
    -------
    list of str
        Zeros in counts of hundreds and more, slips by a power of ten, counts far from the
        bundled ones. Nothing is changed: what is right only the office knows.
    """
    return [*_zeros_in_words(panel), *_slips_in_words(panel), *_bundled_in_words(panel)]


def _zeros_in_words(panel: Panel) -> list[str]:
    years: dict[tuple[str, ...], list[int]] = {}
    neighbours: dict[tuple[str, ...], float] = {}
    for zero in zeros(panel):
        key = (zero.source, zero.location, zero.measure)
        years.setdefault(key, []).append(zero.year)
        neighbours.setdefault(key, zero.expected)
    return [
        f"{measure} of {place} ({source}) is 0 in "
        f"{spans(years[source, place, measure], panel.frequency)}, and "
        f"about {size:,.0f} in the {panel.frequency}s beside: a missing figure is left empty, not "
        "written as 0"
        for (source, place, measure), size in neighbours.items()
    ]


def _slips_in_words(panel: Panel) -> list[str]:
    lines = []
    for slip in slips(panel):
        times = abs(slip.found / slip.expected)
        size = f"{times:,.0f} times as large as" if times > 1 else f"{1 / times:,.0f} times below"
        lines.append(
            f"{slip.measure} of {slip.location} ({slip.source}) is {plain(slip.found)} in "
            f"{periods.label(slip.year, panel.frequency)}, {size} the {panel.frequency}s beside "
            f"(about {plain(abs(slip.expected))}): correct a "
            "slip of the unit or the decimal mark; flag a true jump as outlier or break"
        )
    return lines


def _bundled_in_words(panel: Panel) -> list[str]:
    return [
        f"{row.measure} of {row.location} ({row.source}) is {row.found:,.0f} in {row.year}, and "
        f"the bundled figure {row.expected:,.0f}: something else may be counted"
        for row in against_bundled(panel)
    ]


__all__ = ["Inconsistency", "add_flags", "check", "warnings_in_words"]
