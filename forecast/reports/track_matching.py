"""The part of a backtest that is about the series of a report, and a check that it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast.errors import DataError
from forecast.panel import Panel
from forecast.series_key import KEY

if TYPE_CHECKING:
    from forecast.evaluate.track import Track

#: How far apart two copies of one figure may be: what writing and reading a table may cost.
_RELATIVE, _PERSONS = 1e-9, 1e-6
_REMEDY = (
    "Give a backtest of the same data (forecast.backtest of the same panel, forecast backtest "
    "with the same --data), or none."
)


def opened(track: Track | str | Path | None) -> Track | None:
    """Return a track that was given as such, or as the folder that it was saved to.

    Raises
    ------
    DataError
        If it is something else, or the folder holds none.
    """
    from forecast.evaluate.track import Track

    if isinstance(track, str | Path):
        return Track.open(track)
    if track is None or isinstance(track, Track):
        return track
    raise DataError(
        f"track is of the type {type(track).__name__}. Give what forecast.backtest returns, the "
        "folder that it was saved to, or None."
    )


def covered(track: Track, history: Panel) -> Track:
    """Return what a backtest says of the series of a forecast, and of no other.

    The backtest may have had more series, and more or fewer years: a record of the same figures
    is wanted, not of the same table. A figure is the same if any of its releases is the one
    that the backtest was scored on, first or latest.

    Parameters
    ----------
    track : Track
    history : Panel
        What the model of the report was shown.

    Raises
    ------
    DataError
        If they have no series with a common year, or a figure is not the same in both.
    """
    from forecast.evaluate.track import Track

    scored = track.table[[*KEY, "year", "observed", "observed_first"]].drop_duplicates()
    seen = history.to_frame()[[*KEY, "year", "value"]].dropna()
    both = scored.dropna(subset=["observed"]).merge(seen, on=[*KEY, "year"])
    if both.empty:
        raise DataError(
            f"the backtest given is of other series ({_some(track.table)}) than this report "
            f"({_some(history.latest)}). {_REMEDY}"
        )
    _check_figures(both)
    keys = pd.MultiIndex.from_frame(both[KEY].drop_duplicates())
    wanted = pd.MultiIndex.from_frame(track.table[KEY]).isin(keys)
    if wanted.all():
        return track
    # A joint score of all locations says nothing about a few of them.
    return Track(track.table[wanted].reset_index(drop=True), track.joint.iloc[:0], track.settings)


def _check_figures(both: pd.DataFrame) -> None:
    """Refuse a figure of which no release is the one that the backtest knew."""
    same = np.zeros(len(both), dtype=bool)
    for name in ("observed", "observed_first"):
        same |= np.isclose(both["value"], both[name], rtol=_RELATIVE, atol=_PERSONS)
    known = both.assign(same=same).groupby([*KEY, "year"])["same"].transform("any")
    other = both[~known].drop_duplicates([*KEY, "year"], keep="last")
    if other.empty:
        return
    first = other.iloc[0]
    more = f" ({len(other) - 1} more figures differ)" if len(other) > 1 else ""
    raise DataError(
        f"the backtest given is of other figures: {_named(first)} in {first['year']} is "
        f"{first['observed']:,.10g} there and {first['value']:,.10g} in the data of this "
        f"forecast{more}. {_REMEDY}"
    )


def _some(table: pd.DataFrame) -> str:
    """Name the first series of a table."""
    series = table[KEY].drop_duplicates()
    names = [_named(row) for _, row in series.head(2).iterrows()]
    return ", ".join(names) + (" ..." if len(series) > 2 else "")


def _named(row: pd.Series) -> str:
    source = f" ({row['source']})" if row["source"] else ""
    return f"{row['measure']} of {row['location']}{source}"
