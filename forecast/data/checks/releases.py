"""Release against release: signs that changed, series that were revised as a whole."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from forecast.data.checks.finding import Finding
from forecast.panel import Panel
from forecast.series_key import KEY

SIGN = "sign changed between releases"
REVISED = "revised as a whole between releases"
SHIFTED = "release shifted by a year"
#: Mean revision as a share of the mean size from which a series counts as revised as a whole.
_LARGE, _LEAST = 0.5, 5


def vintages(panel: Panel) -> Iterator[Finding]:
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


def _finding(check: str, row: dict[str, object]) -> Finding:
    before, value = float(str(row["before"])), float(str(row["value"]))
    return Finding(
        check, "warning", str(row["source"]), str(row["location"]), str(row["measure"]),
        int(str(row["year"])), before, value, value - before,
    )  # fmt: skip
