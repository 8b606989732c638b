"""How old the figures are: the last year of each source, when the next is due, how to bring it."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from forecast import periods
from forecast.data.sources import catalogue
from forecast.panel import Panel

#: Days that a figure may be late before it is called so.
GRACE = 31


def status(panel: Panel, today: dt.date | None = None) -> pd.DataFrame:
    """Return one row per source and measure: how far its figures reach, and what is due.

    A source is taken to publish as regularly as it has: the next figures are due as long after
    the last newer ones as those came after the ones before, half of the time (a year and step
    where a source has brought newer figures only once).

    Parameters
    ----------
    panel : Panel
        With days of release in ``as_of``; a source without any has no day due.
    today : date, optional

    Returns
    -------
    DataFrame
        Ordered by source and measure: ``source, measure, locations``; ``last_year``, which
        most series of the source have; ``released``, the day it came out; ``due``;
        ``overdue``, whether that was more than `GRACE` days ago; ``how``, the command that
        brings newer figures.

    Examples
    --------
    >>> import datetime, forecast as fc
    >>> table = status(fc.load("central-asia"), datetime.date(2026, 11, 28))
    >>> table.loc[table["source"] == "un-wpp", ["last_year", "due", "overdue"]].values.tolist()
    [[2023, '2026-07-12', True]]
    """
    last = "last_year" if panel.frequency == "year" else "last_period"
    day = pd.Timestamp(today or dt.date.today())
    rows = []
    figures = panel.figures.dropna(subset=["value"])
    for (source, measure), group in figures.groupby(["source", "measure"], sort=True):
        reached = group.groupby("as_of")["year"].max().sort_index().cummax()
        newer = reached[reached.diff().fillna(1) > 0].index
        gap = pd.Series(newer).diff().median()
        due = pd.NaT
        if len(newer):
            usual = 365 * panel.step // periods.PER_YEAR[panel.frequency]
            due = newer[-1] + (pd.Timedelta(days=usual) if pd.isna(gap) else gap)
        rows.append(
            {
                "source": source,
                "measure": measure,
                "locations": group["location"].nunique(),
                last: periods.named(
                    int(group.groupby("location")["year"].max().quantile(0.5, "higher")),
                    panel.frequency,
                ),
                "released": str(newer[-1].date()) if len(newer) else "",
                "due": "" if pd.isna(due) else str(due.date()),
                "overdue": bool(due + pd.Timedelta(days=GRACE) < day),
                "how": _how(str(source)),
            }
        )
    table = pd.DataFrame(rows)
    if panel.frequency != "year" and len(table):
        table[last] = [str(one[last]) for one in rows]
    return table


def _how(source: str) -> str:
    for name in catalogue.table()["source"]:
        entry = catalogue.source(str(name)).entry
        if source in (entry.get("source"), entry.get("panel", {}).get("source"), f"un-{name}"):
            return f"forecast data fetch {name}"
    return "forecast data add FILE --as-of DAY"
