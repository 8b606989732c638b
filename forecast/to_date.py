"""Year-to-date figures: sums from January on, as offices publish them, taken apart into periods.

``2024-01/2024-06`` in the column ``period`` is the sum over January to June 2024. The difference of
two such sums is the figure of the periods between them. Where it is of one period, it becomes an
ordinary figure; where a sum before is missing, the sum stays what it is, under its last period and
with the flag ``year-to-date``: no model takes it for the figure of that period, and a nowcast uses
it as the part of the year that is in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pandas as pd

from forecast import periods
from forecast.errors import DataError
from forecast.flags import names_of
from forecast.series_key import KEY

#: The flag of a sum since January that could not be taken apart.
FLAG = "year-to-date"
_SPAN = re.compile(r"(?P<start>[^/]+)/(?P<end>[^/]+)")
#: Frequencies from the coarsest: the first into whose periods all sums fall is taken.
_COARSEST_FIRST = ("year", "half-year", "quarter", "month")


def span(text: object) -> tuple[int, int] | None:
    """Return year and last month of a sum from January on that is written as text, or None.

    Parameters
    ----------
    text : object
        Such as ``"2024-01/2024-06"``.

    Raises
    ------
    DataError
        If it is a span of months, but none from a January on within one year.

    Examples
    --------
    >>> span("2024-01/2024-06"), span("2024-06")
    ((2024, 6), None)
    """
    found = _SPAN.fullmatch(str(text).strip())
    if found is None:
        return None
    start, end = periods.parse(found["start"]), periods.parse(found["end"])
    if start is None or end is None or (start[0], end[0]) != ("month", "month"):
        raise DataError(f"{text!r} is no span of months. Write the first and the last: "
                        "2024-01/2024-06.")  # fmt: skip
    year, month = periods.year_of(end[1], "month"), periods.part_of(end[1], "month")
    if start[1] != periods.number(year, 1, "month"):
        raise DataError(
            f"{text!r} is no sum from January on. Write a quarter as {year}-Q2, a half-year as "
            f"{year}-H2, and a sum since January as {year}-01/{year}-{month:02d}."
        )
    return year, month


def is_spanned(table: pd.DataFrame) -> bool:
    """Whether a table with the column ``period`` has sums since January in it."""
    return bool(table["period"].map(lambda text: "/" in str(text)).any())


def taken_apart(
    table: pd.DataFrame,
    frequency: str | None,
    where: Callable[[int], str],
    signed: Mapping[str, bool],
) -> pd.DataFrame:
    """Return a table whose sums since January are figures of single periods, where they can be.

    Parameters
    ----------
    table : DataFrame
        Tidy, with sums in the column ``period`` as ``2024-01/2024-06``; a year, ``2024``, is the
        sum over all of it. Other periods stay as they are.
    frequency : str, optional
        Of the panel; by default that of the other periods, or the coarsest that has an end of
        period wherever a sum ends.
    where : callable
        Name of a row by its position, in messages.
    signed : mapping of str to bool
        Measures, and whether figures of them can be below zero.

    Returns
    -------
    DataFrame
        With ``period`` as text of one frequency, and the flag `FLAG` on sums that stay.

    Raises
    ------
    DataError
        If a span is not from January on, does not end with a period of the frequency, or a sum
        of counts is below the one before.

    Examples
    --------
    >>> table = pd.DataFrame({"location": "KAZ", "measure": "immigration", "value": [10, 25, 70],
    ...                       "period": ["2024-01/2024-03", "2024-01/2024-06", "2024"]})
    >>> taken_apart(table, None, str, {})[["period", "value", "flag"]].values.tolist()
    [['2024-Q1', 10.0, ''], ['2024-Q2', 15.0, ''], ['2024-Q4', 70.0, 'year-to-date']]
    """
    ends, others = _ends(table, where)
    unit = frequency or (others.pop() if len(others) == 1 else _unit(ends))
    months = 12 // periods.PER_YEAR[unit]
    names = [name for name in KEY if name in table]
    keys = list(table[names].astype(str).itertuples(index=False, name=None))
    days = _days(table)
    given = table["value"].tolist()
    values = pd.to_numeric(table["value"], errors="coerce").to_numpy(float)
    texts = [str(text) for text in table["period"]]
    flags = ["" if pd.isna(flag) else str(flag) for flag in table.get("flag", [""] * len(table))]
    sums: dict[tuple[object, ...], list[int]] = {}
    for position, end in enumerate(ends):
        if end is not None and values[position] == values[position]:
            sums.setdefault((*keys[position], *end), []).append(position)
    for position, end in enumerate(ends):
        if end is None:
            continue
        year, last = end
        if last % months:
            raise DataError(
                f"{where(position)}, column period: {texts[position]!r} ends within a {unit}. "
                "Give sums that end otherwise as a panel of their own."
            )
        texts[position] = periods.label(periods.number(year, last // months, unit), unit)
        if last == months or values[position] != values[position]:
            continue
        earlier = sums.get((*keys[position], year, last - months), [])
        before = [one for one in earlier if days[one] <= days[position]]
        if not before:
            flags[position] = ";".join(filter(None, (flags[position], FLAG)))
            continue
        latest = max(before, key=lambda one: days[one])
        given[position] = values[position] - values[latest]
        if given[position] < 0 and not signed.get(str(table["measure"].iloc[position]), True):
            raise DataError(
                f"{where(position)}: the sum since January up to month {last} of {year} is "
                f"{values[position]:g}, below the {values[latest]:g} of the one before "
                f"({where(latest)}); a count cannot fall. Correct the figure."
            )
    return table.assign(period=texts, value=given, flag=flags)


def _ends(
    table: pd.DataFrame, where: Callable[[int], str]
) -> tuple[list[tuple[int, int] | None], set[str]]:
    """Return year and last month of each sum, None of other periods, and of what those are."""
    ends: list[tuple[int, int] | None] = []
    others: set[str] = set()
    for position, text in enumerate(table["period"]):
        try:
            end = span(text)
        except DataError as error:
            raise DataError(f"{where(position)}, column period: {error}") from None
        plain = None if end else periods.parse(text)
        if plain is not None and plain[0] == "year":
            end = plain[1], 12
        elif plain is not None:
            others.add(plain[0])
        ends.append(end)
    return ends, others


def is_to_date(flag: object) -> bool:
    """Whether a figure with this flag is a sum since January."""
    return FLAG in names_of(flag)


def _unit(ends: list[tuple[int, int] | None]) -> str:
    """Return the coarsest frequency that has an end of period wherever a sum ends."""
    for frequency in _COARSEST_FIRST:
        if all(end is None or not end[1] % (12 // periods.PER_YEAR[frequency]) for end in ends):
            return frequency
    return "month"


def _days(table: pd.DataFrame) -> list[str]:
    """Return the day of each row's release as text that sorts; those without one come first."""
    if "as_of" not in table:
        return [""] * len(table)
    return ["" if pd.isna(day) else str(day)[:10] for day in table["as_of"]]
