"""Checks that turn a table into the rows of a Panel, or say what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecast import corridors, flags, locations, measures, periods
from forecast.errors import DataError, unknown_name
from forecast.period_columns import Where, first, from_long_form
from forecast.series_key import KEY

#: What can be counted, and whether the count can be below zero.
MEASURES = measures.Signs()
COLUMNS = (
    "source",
    "location",
    "measure",
    "year",
    "value",
    "population",
    "flag",
    "precision",
    "as_of",
)
_REQUIRED = ("location", "measure", "year", "value")
_FIRST_YEAR, _LAST_YEAR = 1800, 2200
#: Control signs but for tabs and line ends; marks and overrides of the direction of writing.
_STEERING = re.compile(
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]"
)


def tidy(
    table: pd.DataFrame, rows: Sequence[str] | None = None, frequency: str = "year"
) -> pd.DataFrame:
    """Check a table and return it with the columns, types and order of a Panel.

    Parameters
    ----------
    table : DataFrame
        Tidy (``location, measure, year, value`` and optional columns) or Nixtla's
        long form (``unique_id, ds, y``); ``origin, destination`` may stand for ``location``.
    rows : sequence of str, optional
        How each row is called in messages (``"line 7 of arrivals.csv"``); its index
        label by default.
    frequency : str
        What the numbers in ``year`` count (`forecast.periods`).

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, sorted by series, year and release.

    Raises
    ------
    DataError
        Naming the row, the offending value and the remedy.
    """
    if not isinstance(table, pd.DataFrame):
        raise DataError(f"a Panel is made from a pandas DataFrame, not {type(table).__name__}.")
    doubled = table.columns[table.columns.duplicated()]
    if len(doubled):
        raise DataError(f"the column {doubled[0]!r} occurs twice. Keep one of them.")
    if {"unique_id", "ds", "y"} <= set(table.columns):
        table = from_long_form(table)
    where = Where(table, rows)
    table = corridors.with_location(table, where)
    missing = [column for column in _REQUIRED if column not in table.columns]
    if missing:
        found = ", ".join(map(str, table.columns)) or "none"
        raise DataError(
            f"missing column {', '.join(map(repr, missing))}; found: {found}. "
            f"A table needs the columns {', '.join(_REQUIRED)}."
        )
    unknown = [column for column in table.columns if column not in COLUMNS]
    if unknown:
        raise unknown_name("column", unknown[0], COLUMNS)
    if table.empty:
        raise DataError("the table has no rows. Give at least one observed year.")
    tidied = pd.DataFrame(index=pd.RangeIndex(len(table)))
    tidied["source"] = _text(table, "source", "user")
    tidied["location"] = _locations(table, where)
    tidied["measure"] = _measures(table, where)
    tidied["year"] = _years(table, where, frequency)
    tidied["value"] = _numbers(table, "value", where, tidied["measure"])
    tidied["population"] = _numbers(table, "population", where)
    tidied["flag"] = _flags(table, where)
    tidied["precision"] = _numbers(table, "precision", where, tidied["measure"])
    tidied["as_of"] = _dates(table, where)
    corridors.check_measures(tidied, where)
    _check_signs(tidied, where, frequency)
    _check_unique(tidied, where, frequency)
    _check_observed(tidied, where)
    return tidied.sort_values([*KEY, "year", "as_of"], ignore_index=True, na_position="first")


def clean(text: str) -> str:
    """Return a text without signs that steer terminals or turn the direction of writing."""
    return _STEERING.sub("", text)


def _text(table: pd.DataFrame, column: str, default: str) -> list[str]:
    if column not in table:
        return [default] * len(table)
    return [
        default if pd.isna(item) or item == "" else clean(str(item))
        for item in table[column].tolist()
    ]


def _flags(table: pd.DataFrame, where: Where) -> list[str]:
    """Return flags joined by ``;``; a misspelt one that would steer a model is refused."""
    given = _text(table, "flag", "")
    cleaned: dict[str, str] = {}
    for position, text in enumerate(given):
        if text not in cleaned:
            cleaned[text] = flags.clean(text, f"{where(position)}, column flag")
    return [cleaned[text] for text in given]


def _locations(table: pd.DataFrame, where: Where) -> list[str]:
    codes: dict[str, str] = {}
    for position, given in enumerate(table["location"].tolist()):
        text = str(given)
        if text in codes:
            continue
        if pd.isna(given) or not text.strip():
            raise DataError(f"{where(position)}, column location: empty. Write an ISO 3166 code.")
        try:
            codes[text] = locations.find(text).code
        except (LookupError, DataError) as error:
            raise type(error)(f"{where(position)}, column location: {error}") from None
    return [codes[str(given)] for given in table["location"].tolist()]


def _measures(table: pd.DataFrame, where: Where) -> list[str]:
    known = measures.known()
    for position, given in enumerate(table["measure"].tolist()):
        if given not in known:
            error = measures.unknown(given)
            raise type(error)(f"{where(position)}, column measure: {error}")
    return [str(given) for given in table["measure"].tolist()]


def _numbers(
    table: pd.DataFrame, column: str, where: Where, counted: pd.Series | None = None
) -> np.ndarray:
    if column not in table:
        return np.full(len(table), np.nan)
    given = table[column]
    # A column of numbers has no truth values among them.
    odd = given.iloc[:0] if given.dtype.kind in "iuf" else given
    kinds = odd.map(lambda item: isinstance(item, (bool, np.bool_, complex)))
    bad = first(kinds.to_numpy(dtype=bool))
    if bad is not None:
        raise DataError(
            f"{where(bad)}, column {column}: {given.iloc[bad]} is not a count of persons. "
            "Write digits, and leave a missing figure empty."
        )
    given = given.mask(given.isin(["", " "])) if given.dtype == object else given
    numbers = pd.to_numeric(given, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    bad = first(np.isnan(numbers) & ~given.isna().to_numpy())
    if bad is not None:
        raise DataError(
            f"{where(bad)}, column {column}: {table[column].iloc[bad]!r} is not a number. "
            "Write persons as digits with a point for decimals, and leave a missing figure empty."
        )
    names = pd.Series(["population"]) if counted is None else counted
    largest = names.map({name: measures.find(name).largest for name in names.unique()}).to_numpy()
    size = np.abs(np.nan_to_num(numbers, nan=0.0, posinf=np.inf, neginf=-np.inf))
    bad = first(size > largest)
    if bad is not None:
        one = measures.find(str(names.iloc[bad if counted is not None else 0]))
        than = "any count of people" if one.unit.en == "persons" else "can be believed"
        # Of a stock of people it is said as of the others.
        unit = "persons per calendar year" if one.unit.en == "persons" else one.unit.en
        raise DataError(
            f"{where(bad)}, column {column}: {numbers[bad]:g} is larger than {than}. "
            f"Check the unit: values are {unit}."
        )
    return numbers


def _years(table: pd.DataFrame, where: Where, frequency: str) -> np.ndarray:
    given = table["year"]
    if pd.api.types.is_datetime64_any_dtype(given):
        given = given.dt.year
    years = pd.to_numeric(given, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    calendar = np.floor(years / periods.PER_YEAR[frequency])
    fits = (calendar >= _FIRST_YEAR) & (calendar <= _LAST_YEAR) & (years == np.floor(years))
    bad = first(~fits)
    if bad is not None:
        found = table["year"].iloc[bad : bad + 1].tolist()[0]
        raise DataError(
            f"{where(bad)}, column year: {found!r} is not a calendar year. "
            f"Write a whole number between {_FIRST_YEAR} and {_LAST_YEAR}."
        )
    return years.astype(int)


def _dates(table: pd.DataFrame, where: Where) -> pd.Series:
    if "as_of" not in table:
        return pd.Series(pd.NaT, index=range(len(table)), dtype="datetime64[s]")
    # The day that is written counts, whatever hour or zone stands behind it.
    days = table["as_of"].map(lambda item: "" if pd.isna(item) else str(item)[:10])
    dates = pd.to_datetime(days, errors="coerce", format="%Y-%m-%d")
    bad = first((dates.isna() & (days != "")).to_numpy())
    if bad is not None:
        raise DataError(
            f"{where(bad)}, column as_of: {table['as_of'].iloc[bad]!r} is not a date. "
            "Write the day of the release as YYYY-MM-DD."
        )
    return pd.Series(dates.to_numpy(dtype="datetime64[s]"))


def _check_signs(tidied: pd.DataFrame, where: Where, frequency: str) -> None:
    count = ~tidied["measure"].map(dict(MEASURES)).to_numpy(dtype=bool)
    bad = first(count & (tidied["value"].to_numpy() < 0))
    if bad is not None:
        row = tidied.iloc[bad]
        raise DataError(
            f"{where(bad)}: {row['measure']} of {row['location']} in "
            f"{periods.label(row['year'], frequency)} is "
            f"{row['value']:g}; a count cannot be negative. "
            "Correct the figure, or give it as a net measure."
        )
    for column in ("population", "precision"):
        least = 1.0 if column == "population" else np.nextafter(0.0, 1.0)
        bad = first(tidied[column].to_numpy() < least)
        if bad is not None:
            size = tidied[column].iloc[bad]
            why = "not above zero" if size <= 0 else "less than one person"
            raise DataError(
                f"{where(bad)}, column {column}: {size:g} is {why}. Correct it, or leave it empty."
            )


def _check_unique(tidied: pd.DataFrame, where: Where, frequency: str) -> None:
    bad = first(tidied.duplicated([*KEY, "year", "as_of"]))
    if bad is not None:
        row = tidied.iloc[bad]
        when = periods.label(row["year"], frequency)
        raise DataError(
            f"{where(bad)}: {row['measure']} of {row['location']} has the {frequency} {when} twice "
            f"(value {row['value']:g}). Keep one row per series and {frequency}, or give each "
            "release its own date in as_of."
        )


def _check_observed(tidied: pd.DataFrame, where: Where) -> None:
    observed = tidied.groupby(KEY, sort=False)["value"].transform("count").to_numpy()
    bad = first(observed == 0)
    if bad is not None:
        row = tidied.iloc[bad]
        raise DataError(
            f"{where(bad)}: every value of {row['measure']} of {row['location']} is missing. "
            "Give at least one figure, or leave the series out."
        )
