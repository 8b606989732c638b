"""Warnings carried as flags: what is sure goes with the figure into forecast and report."""

from __future__ import annotations

import pandas as pd

from forecast.data.checks.finding import Finding
from forecast.data.checks.stretches import DUPLICATED, INTERPOLATED, duplicates, runs
from forecast.data.checks.years import BOUNDARY, boundary_jumps
from forecast.panel import Panel
from forecast.series_key import KEY

#: Flag of each check that carries one.
FLAGS = {INTERPOLATED: "interpolated", DUPLICATED: "suspect", BOUNDARY: "boundary_change"}


def carry(panel: Panel) -> tuple[Panel, list[str]]:
    """Flag the years that checks are sure of.

    Parameters
    ----------
    panel : Panel

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
    Contradictions between figures, such as net against arrivals and departures, are not
    carried: which of the figures is wrong is not known.
    """
    found: list[Finding] = []
    for finder in (runs, duplicates, boundary_jumps):
        found.extend(finder(panel))
    if not found:
        return panel, []
    added: dict[tuple[str, str, str, int], list[str]] = {}
    for one in found:
        key = (one.source, one.location, one.measure, one.year)
        added.setdefault(key, []).append(FLAGS[one.check])
    table = panel.to_frame()
    latest = ~table.duplicated([*KEY, "year"], keep="last")
    for position in table.index[latest]:
        row = table.loc[position]
        key = (row["source"], row["location"], row["measure"], int(row["year"]))
        own = [flag for flag in str(row["flag"]).split(";") if flag]
        flags = [*own, *(flag for flag in added.get(key, ()) if flag not in own)]
        table.loc[position, "flag"] = ";".join(flags)
    return Panel.from_frame(table, step=panel.step), _said(found)


def _said(found: list[Finding]) -> list[str]:
    table = pd.DataFrame(found, columns=Finding._fields)
    lines = []
    for (check, source, place, measure), rows in table.groupby(
        ["check", "source", "location", "measure"], sort=True
    ):
        years = ", ".join(map(str, sorted(rows["year"].tolist())))
        lines.append(f"{FLAGS[str(check)]}: {measure} of {place} ({source}): {years} ({check})")
    return lines
