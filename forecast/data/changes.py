"""What changed from one release to the next: new, revised and withdrawn figures."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.errors import DataError
from forecast.panel import Panel
from forecast.series_key import KEY

COLUMNS = [
    *KEY,
    "year",
    "before",
    "after",
    "change",
    "status",
    "released_before",
    "released_after",
]


def changes(panel: Panel, before: str | None = None, after: str | None = None) -> pd.DataFrame:
    """Compare the figures known on two days.

    Parameters
    ----------
    panel : Panel
        With days of release in ``as_of``.
    before, after : str (YYYY-MM-DD), optional
        The last two days of release by default; with one of them given, the other is the
        last release, or the one before.

    Returns
    -------
    DataFrame
        One row per figure that is not the same: ``source, location, measure, year,
        before, after, change`` (persons per calendar year, or per period), ``status``
        (new, revised, sign changed, withdrawn), ``released_before, released_after`` (days).

    Raises
    ------
    DataError
        If the panel has fewer than two releases, or the days are not in order.
    """
    days = sorted({str(day.date()) for day in panel.to_frame()["as_of"].dropna()})
    after = after or (days[-1] if days else "")
    earlier = [day for day in days if day < after]
    before = before or (earlier[-1] if earlier else "")
    if not before or before >= after:
        known = ", ".join(days) or "none"
        raise DataError(
            f"there are no two releases to compare; days of release: {known}. "
            "Add a second release, or give other days."
        )
    columns = [*KEY, "year"]
    first, second = (_figures(panel, day) for day in (before, after))
    both = first.merge(second, on=columns, how="outer", suffixes=("_before", "_after"))
    old, new = both["value_before"].to_numpy(), both["value_after"].to_numpy()
    status = np.select(
        [np.isnan(old) & np.isnan(new), np.isnan(old), np.isnan(new), old * new < 0, old != new],
        ["", "new", "withdrawn", "sign changed", "revised"],
        default="",
    )
    table = pd.DataFrame(
        {
            **{column: both[column] for column in columns},
            "before": old,
            "after": new,
            "change": new - old,
            "status": status,
            "released_before": both["as_of_before"].dt.strftime("%Y-%m-%d").fillna(""),
            "released_after": both["as_of_after"].dt.strftime("%Y-%m-%d").fillna(""),
        }
    )
    changed = table[table["status"] != ""]
    return changed.sort_values(columns, ignore_index=True)[COLUMNS]


def _figures(panel: Panel, day: str) -> pd.DataFrame:
    """Return the figures known on a day: key, year, value and when each came out."""
    try:
        known = panel.as_of(day).latest
    except DataError:
        raise DataError(f"nothing had been released by {day}. Give a later day.") from None
    return known[[*KEY, "year", "value", "as_of"]]


__all__ = ["COLUMNS", "changes"]
