"""The key of a series: source, location and measure, in this order everywhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecast import locations
from forecast.errors import DataError, unknown_name

#: What a series is: who says it, of which place, and what is counted.
SeriesKey = tuple[str, str, str]
#: Columns that name a series, in the order of `SeriesKey`.
KEY = ["source", "location", "measure"]


def keys_of(table: pd.DataFrame) -> list[SeriesKey]:
    """Return the key of every row of a table that has the columns `KEY`."""
    return list(zip(*(table[name].tolist() for name in KEY)))


def rows_of(table: pd.DataFrame, key: Sequence[str]) -> np.ndarray:
    """Return which rows of a table are of one series, as booleans of shape (n_rows,).

    Parameters
    ----------
    table : DataFrame
        With the columns `KEY`.
    key : (source, location, measure)
        Of the series.
    """
    return (table[KEY] == list(key)).all(axis=1).to_numpy()


def find_series(
    series: pd.DataFrame,
    location: str,
    measure: str,
    source: str | None,
    where: str,
    such_as: str = "source={source!r}",
) -> int:
    """Return the position of the one series of a table that is meant.

    Parameters
    ----------
    series : DataFrame
        At least the columns `KEY`.
    location, measure : str
    source : str or None
        None where only one source has the series.
    where : str
        What the table is of, in messages, such as ``"this forecast"``.
    such_as : str
        How a source is named, with ``{source}`` for the name, in messages.

    Raises
    ------
    UnknownNameError
        If there is no such series.
    DataError
        If several sources have it and none is named: their figures differ, often by several
        times, so none is chosen silently.
    """
    fits = np.ones(len(series), dtype=bool)
    wanted = {"location": locations.canonical(location), "measure": measure, "source": source}
    for column, name in wanted.items():
        if name is None:
            continue
        mask = fits & (series[column] == name).to_numpy()
        if not mask.any():
            raise unknown_name(f"{column} in {where}", name, set(series[column][fits]))
        fits = mask
    sources = sorted(set(series["source"][fits]))
    if len(sources) > 1:
        raise several_sources(measure, location, sources, such_as)
    return int(np.flatnonzero(fits)[0])


def several_sources(
    measure: str, location: str, sources: Sequence[str], such_as: str = "source={source!r}"
) -> DataError:
    """Return the error that says which sources have a series, so that one can be named.

    Parameters
    ----------
    measure, location : str
        Of the series that was asked for.
    sources : sequence of str
        The sources that have it, at least two.
    such_as : str
        How a caller names one, ``{source!r}`` for the first of them.

    Returns
    -------
    DataError
        To be raised.
    """
    return DataError(
        f"{measure} of {location} is known from {', '.join(sources)}. "
        f"Say which is meant, such as {such_as.format(source=sources[0])}."
    )
