"""Periods: months, quarters, half-years and years, as whole numbers and as text.

A panel has one frequency. Its periods are counted: a year is its own number, a quarter is
``4 * year + quarter - 1``, a month ``12 * year + month - 1``. So the next period is always one
more, whatever the frequency, and models and backtests need no calendar. Tables that people read
and write have the text instead: ``2027``, ``2026-H1``, ``2026-Q4``, ``2027-06``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from forecast.errors import DataError, unknown_name

if TYPE_CHECKING:
    import pandas as pd

#: Periods in a year, by frequency.
PER_YEAR = {"year": 1, "half-year": 2, "quarter": 4, "month": 12}
#: How a period of each frequency is written, in messages.
EXAMPLES = {"year": "2027", "half-year": "2026-H1", "quarter": "2026-Q4", "month": "2027-06"}
_FORMS = (
    ("year", re.compile(r"(?P<year>\d{4})")),
    ("month", re.compile(r"(?P<year>\d{4})[-/.]?M?(?P<part>\d{2})", re.IGNORECASE)),
    ("month", re.compile(r"(?P<year>\d{4})[- ]?M(?P<part>\d{1,2})", re.IGNORECASE)),
    ("quarter", re.compile(r"(?P<year>\d{4})[- ]?Q(?P<part>[1-4])", re.IGNORECASE)),
    ("half-year", re.compile(r"(?P<year>\d{4})[- ]?[HS](?P<part>[12])", re.IGNORECASE)),
)


def check_frequency(frequency: str) -> str:
    """Return the name of a frequency, or say which there are.

    Raises
    ------
    UnknownNameError
        If it is none of `PER_YEAR`.
    """
    if frequency not in PER_YEAR:
        raise unknown_name("frequency", frequency, PER_YEAR)
    return frequency


def number(year: int, part: int, frequency: str) -> int:
    """Return the number of a period.

    Parameters
    ----------
    year : int
        Calendar year.
    part : int
        Month, quarter or half of it, from 1; 1 for a year.
    frequency : str
        One of `PER_YEAR`.

    Examples
    --------
    >>> number(2027, 6, "month"), number(2026, 4, "quarter"), number(2027, 1, "year")
    (24329, 8107, 2027)
    """
    return int(year) * PER_YEAR[frequency] + int(part) - 1


def year_of(period: int, frequency: str) -> int:
    """Return the calendar year of a period.

    Parameters
    ----------
    period : int
        Its number.
    frequency : str
        One of `PER_YEAR`.
    """
    return int(period) // PER_YEAR[frequency]


def part_of(period: int, frequency: str) -> int:
    """Return which month, quarter or half of its year a period is, from 1.

    Parameters
    ----------
    period : int
        Its number.
    frequency : str
        One of `PER_YEAR`.
    """
    return int(period) % PER_YEAR[frequency] + 1


def label(period: int, frequency: str) -> str:
    """Return a period as text.

    Parameters
    ----------
    period : int
        Its number.
    frequency : str
        One of `PER_YEAR`.

    Examples
    --------
    >>> label(24329, "month"), label(8107, "quarter"), label(2027, "year")
    ('2027-06', '2026-Q4', '2027')
    """
    year, part = year_of(period, frequency), part_of(period, frequency)
    mark = {"year": "", "half-year": f"-H{part}", "quarter": f"-Q{part}", "month": f"-{part:02d}"}
    return f"{year}{mark[frequency]}"


class Period(int):
    """A number of a period that reads as text wherever it is written, on pages and in messages."""

    frequency: str

    def __new__(cls, period: int, frequency: str) -> Period:
        """Return the number with its frequency."""
        made = super().__new__(cls, period)
        made.frequency = frequency
        return made

    def __str__(self) -> str:
        return label(int(self), self.frequency)

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __reduce__(self) -> tuple[object, ...]:
        return Period, (int(self), self.frequency)


def named(period: int, frequency: str) -> int:
    """Return a number of a period that reads as text; a year is its own number.

    Parameters
    ----------
    period : int
        Its number.
    frequency : str
        One of `PER_YEAR`.

    Examples
    --------
    >>> f"from {named(24329, 'month')}", named(24329, "month") + 1, named(2027, "year")
    ('from 2027-06', 24330, 2027)
    """
    return int(period) if frequency == "year" else Period(period, frequency)


def end(period: int, frequency: str) -> pd.Timestamp:
    """Return the last day of a period.

    Parameters
    ----------
    period : int
        Its number.
    frequency : str
        One of `PER_YEAR`.

    Examples
    --------
    >>> str(end(24329, "month").date()), str(end(2027, "year").date())
    ('2027-06-30', '2027-12-31')
    """
    import pandas as pd

    months = part_of(period, frequency) * 12 // PER_YEAR[frequency]
    first = pd.Timestamp(year_of(period, frequency), months, 1)
    return pd.Timestamp(first + pd.offsets.MonthEnd(0))


def frequency_of(months: Iterable[int]) -> str:
    """Return what dates stand for that lie in some months of the year: the coarsest that fits.

    Parameters
    ----------
    months : iterable of int
        Numbers of months; more than one, or the dates stand for years.

    Examples
    --------
    >>> frequency_of({3, 6, 12}), frequency_of({1, 7}), frequency_of({1, 2}), frequency_of({12})
    ('quarter', 'half-year', 'month', 'year')
    """
    found = set(months)
    return next(
        name for name, parts in PER_YEAR.items() if len({one % (12 // parts) for one in found}) == 1
    )


def of_days(days: pd.Series, frequency: str) -> pd.Series:
    """Return the numbers of the periods in which days lie; NaN where there is no day.

    Parameters
    ----------
    days : Series of datetime64
        The days.
    frequency : str
        One of `PER_YEAR`.

    Examples
    --------
    >>> import pandas as pd
    >>> of_days(pd.Series(pd.to_datetime(["2024-03-31", "2024-04-01"])), "quarter").tolist()
    [8096, 8097]
    """
    parts = PER_YEAR[frequency]
    numbers: pd.Series = days.dt.year * parts + (days.dt.month - 1) * parts // 12
    return numbers


def parse(text: object) -> tuple[str, int] | None:
    """Return the frequency and number of a period that is written as text, or None.

    Parameters
    ----------
    text : object
        Such as ``2027``, ``"2027-06"``, ``"2027M6"``, ``"2026Q4"``, ``"2026-H1"``, or a pandas
        Period of months, quarters or years.

    Examples
    --------
    >>> parse("2026Q4"), parse("2027-06"), parse(2027), parse("June")
    (('quarter', 8107), ('month', 24329), ('year', 2027), None)
    """
    unit = {"M": "month", "Q": "quarter", "Y": "year"}.get(getattr(text, "freqstr", "")[:1])
    if unit:
        # A pandas Period, told apart without loading pandas.
        year, place = int(getattr(text, "year", 0)), int(getattr(text, unit, 0))
        return unit, number(year, 1 if unit == "year" else place, unit)
    for frequency, form in _FORMS:
        found = form.fullmatch(str(text).strip())
        if found:
            part = int(found.groupdict().get("part") or 1)
            if 1 <= part <= PER_YEAR[frequency]:
                return frequency, number(int(found["year"]), part, frequency)
    return None


def read(value: object, frequency: str) -> int:
    """Return the number of a period of a frequency, given as text or, for years, as a number.

    Parameters
    ----------
    value : object
        As `parse` takes it.
    frequency : str
        The frequency it has to be of.

    Raises
    ------
    DataError
        If it is no period, or one of another frequency.

    Examples
    --------
    >>> read("2027-06", "month"), read(2027, "year")
    (24329, 2027)
    """
    found = parse(value)
    if found is None or found[0] != frequency:
        raise DataError(
            f"{value!r} is no {frequency} of a panel by {frequency}. "
            f"Write it as {EXAMPLES[frequency]}."
        )
    return found[1]


def texts[T: Iterable[int]](numbers: T, frequency: str) -> T | list[str]:
    """Return periods as text, years as their numbers.

    Parameters
    ----------
    numbers : iterable of int
        Numbers of periods.
    frequency : str
        One of `PER_YEAR`.
    """
    return numbers if frequency == "year" else [label(one, frequency) for one in numbers]


def labelled(table: pd.DataFrame, frequency: str) -> pd.DataFrame:
    """Return a table for people: ``period`` as text in place of ``year``; years as they are.

    Parameters
    ----------
    table : DataFrame
        With a column ``year`` that holds numbers of periods.
    frequency : str
        One of `PER_YEAR`.
    """
    if frequency == "year":
        return table
    texts = [label(period, frequency) for period in table["year"]]
    return table.assign(year=texts).rename(columns={"year": "period"})
