"""Columns of periods: months, quarters and dates of a table as numbers, in its own rows' words."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from forecast import measures, periods, to_date
from forecast.errors import DataError
from forecast.series_key import KEY


class Where:
    """Names a row of the user's table."""

    def __init__(self, table: pd.DataFrame, rows: Sequence[str] | None) -> None:
        self._labels: Sequence[Hashable] = list(table.index) if rows is None else list(rows)
        self._plain = rows is None

    def __call__(self, position: int) -> str:
        """Return how a row is called, by its position.

        Parameters
        ----------
        position : int
            From 0.
        """
        label = self._labels[position]
        return f"row {label}" if self._plain else str(label)


def first(mask: np.ndarray | pd.Series) -> int | None:
    """Return the position of the first row for which something is so, or None.

    Parameters
    ----------
    mask : ndarray or Series of bool, shape (n_rows,)
        For which rows it is.
    """
    positions = np.flatnonzero(np.asarray(mask, dtype=bool))
    return int(positions[0]) if positions.size else None


def from_long_form(table: pd.DataFrame) -> pd.DataFrame:
    """Rename Nixtla's columns; ``unique_id`` is [source/]location[/measure]."""
    converted = table.rename(columns={"ds": "year", "y": "value"}).drop(columns="unique_id")
    pieces = [str(name).split("/") for name in table["unique_id"]]
    if any(len(piece) > 3 for piece in pieces):
        bad = next(name for name, piece in zip(table["unique_id"], pieces) if len(piece) > 3)
        raise DataError(
            f"unique_id {bad!r} has more than three parts. Write location, "
            "location/measure or source/location/measure."
        )
    if "location" not in converted:
        converted["location"] = [piece[1] if len(piece) == 3 else piece[0] for piece in pieces]
    if "measure" not in converted:
        converted["measure"] = [
            piece[-1] if len(piece) > 1 else "net_migration" for piece in pieces
        ]
    if any(len(piece) == 3 for piece in pieces) and "source" not in converted:
        converted["source"] = [piece[0] if len(piece) == 3 else "user" for piece in pieces]
    return converted


def with_period_numbers(
    table: pd.DataFrame, frequency: str | None = None, rows: Sequence[str] | None = None
) -> tuple[pd.DataFrame, str]:
    """Return a table with numbers of periods as ``year``, and the frequency they are of.

    Parameters
    ----------
    table : DataFrame
        With the column ``period`` as text, or ``year`` as numbers, which are left as they are.
    frequency : str, optional
        What it has to be; as the periods are written by default.
    rows : sequence of str, optional
        How each row is called in messages; its index label by default.

    Raises
    ------
    DataError
        If a text is no period, or the periods are of several frequencies.
    """
    if {"unique_id", "ds", "y"} <= set(table.columns) and table.columns.is_unique:
        table = from_long_form(table)
    table = _with_period_texts(table, frequency)
    if "period" not in table.columns:
        return table, frequency or "year"
    if "year" in table.columns:
        raise DataError("the table has the columns period and year. Keep one of them.")
    where = Where(table, rows)
    if to_date.is_spanned(table):
        table = to_date.taken_apart(table, frequency, where, measures.Signs())
    read: dict[object, tuple[str, int] | None] = {
        text: periods.parse(text) for text in table["period"].unique()
    }
    found = [read[text] for text in table["period"].tolist()]
    bad = first(pd.Series(found).isna())
    if bad is not None:
        raise DataError(
            f"{where(bad)}, column period: {table['period'].iloc[bad]!r} is not a period. "
            f"Write {', '.join(periods.EXAMPLES.values())}."
        )
    frequency = frequency or next((kind for kind, _ in filter(None, found)), "year")
    other = first(np.array([one is not None and one[0] != frequency for one in found]))
    if other is not None:
        raise DataError(
            f"{where(other)}, column period: {table['period'].iloc[other]!r} is no {frequency}. "
            "A panel has one frequency: give months, quarters and years as panels of their own."
        )
    numbers = [one[1] for one in found if one is not None]
    return table.assign(period=numbers).rename(columns={"period": "year"}), frequency


def _with_period_texts(table: pd.DataFrame, frequency: str | None) -> pd.DataFrame:
    """Return a table with ``period`` for ``year``, if that holds months, or dates by month.

    Dates stand for years, unless a series has several in one year.
    """
    if "year" not in table.columns or "period" in table.columns or not table.columns.is_unique:
        return table
    given = table["year"]
    if pd.api.types.is_datetime64_any_dtype(given):
        names = [name for name in ("unique_id", *KEY, "as_of") if name in table.columns]
        months = given.dt.month.groupby([given.dt.year, *(table[name] for name in names)],
                                        dropna=False).nunique()  # fmt: skip
        if frequency is None and (months.empty or months.max() < 2):
            return table
        unit = frequency or periods.frequency_of(given.dropna().dt.month)
        numbers = periods.of_days(given, unit)
        texts = pd.Series([None if number != number else periods.label(int(number), unit)
                           for number in numbers], index=table.index)  # fmt: skip
        return table.drop(columns="year").assign(period=texts)
    if pd.api.types.is_numeric_dtype(given):
        return table
    found = [periods.parse(text) for text in given.unique()]
    spanned = given.map(lambda text: isinstance(text, str) and "/" in text).any()
    named = [kind for kind, _ in filter(None, found)]
    parts = (spanned or any(kind != "year" for kind in named)) and (spanned or None not in found)
    return table.rename(columns={"year": "period"}) if parts else table
