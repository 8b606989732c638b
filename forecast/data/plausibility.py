"""What cannot have been observed: figures of years to come, or from after their own release."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from forecast.errors import DataError
from forecast.horizons import spans
from forecast.series_key import KEY


def today() -> dt.date:
    """Return the present day; it has begun when it has begun somewhere on Earth."""
    return (dt.datetime.now(dt.UTC) + dt.timedelta(hours=14)).date()


def to_come(table: pd.DataFrame, day: dt.date) -> np.ndarray:
    """Return which figures of a panel's table are of a calendar year after that of a day."""
    return np.asarray(table["value"].notna() & (table["year"] > day.year))


def before_its_year(table: pd.DataFrame) -> np.ndarray:
    """Return which figures of a panel's table are said to be out before their year began."""
    return np.asarray(table["value"].notna() & (table["year"] > table["as_of"].dt.year))


def refuse_before_its_year(table: pd.DataFrame) -> None:
    """Refuse a table with figures that are said to have come out before their year began.

    Raises
    ------
    DataError
        Naming the series, the years, the day and the remedy.
    """
    early = table[before_its_year(table)]
    if early.empty:
        return
    first = early.iloc[0]
    same = (early[KEY] == first[KEY]).all(axis=1) & (early["as_of"] == first["as_of"])
    raise DataError(
        f"{first['measure']} of {first['location']} has figures of "
        f"{spans(early.loc[same, 'year'])} in the release of {first['as_of'].date()}, before "
        "these years began. Give the day on which they came out, or correct the years."
    )
