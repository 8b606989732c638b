"""The key of a series: source, location and measure, in this order everywhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

#: What a series is: who says it, of which place, and what is counted.
SeriesKey = tuple[str, str, str]
#: Columns that name a series, in the order of `SeriesKey`.
KEY = ["source", "location", "measure"]


def keys_of(table: pd.DataFrame) -> list[SeriesKey]:
    """Return the key of every row of a table that has the columns `KEY`."""
    return list(table[KEY].itertuples(index=False, name=None))


def rows_of(table: pd.DataFrame, key: Sequence[str]) -> np.ndarray:
    """Return which rows of a table are of one series, as booleans of shape (n_rows,)."""
    return (table[KEY] == list(key)).all(axis=1).to_numpy()
