"""Periods in a table: ``2024``, ``март 2024``, ``I квартал 2024``, ``январь–июнь 2024``."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import NamedTuple

from forecast import periods, to_date
from forecast.data.tables import words
from forecast.data.tables.words import Year
from forecast.errors import DataError

_LONGEST = 60
_GLUED = re.compile(r"(?<=[0-9])(?=[^\W\d_])|(?<=[^\W\d_])(?=[0-9])")
_MONTH_FIRST = re.compile(
    r"(?P<part>0?[1-9]|1[0-2])[./](?P<year>(?:18|19|20|21)[0-9]{2})(?: ?г\.?)?"
)
_DAY = re.compile(r"(?P<year>[0-9]{4})[-./](?P<month>[0-9]{1,2})[-./][0-9]{1,2}(?:[T ].*)?")
_DAY_FIRST = re.compile(r"[0-9]{1,2}[-./](?P<month>[0-9]{1,2})[-./](?P<year>[0-9]{4})(?: г\.?)?")
#: As spreadsheets show months: янв.24, Jan-24.
_SHORT = re.compile(r"(?P<month>[^\W\d_]{3,9})[-. '’]{1,2}(?P<year>[0-9]{2})")
_DIGITS = re.compile(r"[0-9]{5,}|[0-9]{4}\.[0-9]{2}")
#: A school year and a month are written alike: 2011-12.
_AMBIGUOUS = re.compile(r"[0-9]{2}(?P<year>[0-9]{2})[-–](?P<part>[0-9]{2})")
#: Words of numbers, as in "I квартал" with a Cyrillic letter.
ROMAN = str.maketrans({"і": "i", "Ӏ": "i", "ⅰ": "i"})


class Part(NamedTuple):
    """A part of a year that does not say which.

    Attributes
    ----------
    frequency : str
        As of a Panel, such as ``"month"``.
    number : int
        Which one, from 1.
    through : bool
        Whether it is the sum from January to the end of that month.
    """

    frequency: str
    number: int
    through: bool = False

    def of(self, year: Year) -> Year:
        """Return the part of a year."""
        if self.frequency == "year":
            return year
        return year._replace(
            year=periods.number(year.year, self.number, self.frequency),
            frequency=self.frequency, through=self.through,
        )  # fmt: skip


def stated(cell: object) -> Year | Part | None:
    """Return the period that a cell is, or the part of a year, or None.

    Parameters
    ----------
    cell : object
        As the file has it.

    Examples
    --------
    >>> stated("I квартал 2024 г."), stated("январь–июнь 2024"), stated("март"), stated("2024")
    (Year(year=8096, provisional=False, frequency='quarter', through=False, month=0), \
Year(year=24293, provisional=False, frequency='month', through=True, month=0), \
Part(frequency='month', number=3, through=False), \
Year(year=2024, provisional=False, frequency='year', through=False, month=0))
    """
    found = words.year(cell)
    if isinstance(cell, (dt.datetime, dt.date)):
        return found and found._replace(month=cell.month)
    if not isinstance(cell, str) or len(cell) > _LONGEST:
        return found
    if found is None:
        return _from_text(cell)
    day = _DAY.fullmatch(plain := words.unmarked(cell)[0]) or _DAY_FIRST.fullmatch(plain)
    return found._replace(month=int(day["month"])) if day else found


def is_ambiguous(cell: object) -> bool:
    """Whether a text may be a month, or two years: ``2011-12``.

    Parameters
    ----------
    cell : object
        As the file has it.
    """
    found = _AMBIGUOUS.fullmatch(cell.strip()) if isinstance(cell, str) else None
    return found is not None and (int(found["year"]) + 1) % 100 == int(found["part"])


@lru_cache(maxsize=8192)
def _from_text(text: str) -> Year | Part | None:
    plain = words.unmarked(text)[0]
    provisional = False
    head, bracket, tail = plain.partition("(")
    if bracket and words.meanings_inside("provisional", tail):
        plain, provisional = words.spaced(head), True
    if "/" in plain and (ended := _sum(plain)):
        return Year(periods.number(*ended, "month"), provisional, "month", through=True)
    found = None if _DIGITS.fullmatch(plain) else periods.parse(plain)
    if found is not None and found[0] != "year":
        return _year(found[1], found[0], provisional)
    written = _MONTH_FIRST.fullmatch(plain)
    if written:
        number = periods.number(int(written["year"]), int(written["part"]), "month")
        return _year(number, "month", provisional)
    if short := _SHORT.fullmatch(plain):
        plain = f"{short['month']} {_century(int(short['year']))}"
    read = _read(_GLUED.sub(" ", words.folded(plain.translate(ROMAN).replace("&", " "))).split())
    if read is None:
        return None
    year, part = read
    return part if year is None else part.of(Year(year, provisional))


def _sum(plain: str) -> tuple[int, int] | None:
    """Return year and last month of a sum since January: ``2024-01/2024-06``; else None."""
    try:
        return to_date.span(plain)
    except DataError:
        return None


def _year(number: int, frequency: str, provisional: bool) -> Year | None:
    year = periods.year_of(number, frequency)
    return Year(number, provisional, frequency) if 1800 <= year <= 2200 else None


def _century(year: int) -> int:
    """Return a year of which two digits are written."""
    return year + (2000 if year <= 50 else 1900)


def _read(tokens: list[str]) -> tuple[int | None, Part] | None:
    """Return the year, if one is named, and the part of it that words name."""
    years: list[int] = []
    numbers: list[int] = []
    months, units = [], []
    for token in tokens:
        if token.isdecimal():
            (years if len(token) == 4 else numbers).append(int(token))
            continue
        kind, _, value = (words.meaning("period", token) or "").partition(" ")
        if not kind:
            return None
        if kind == "month" and value:
            months.append(int(value))
        elif kind == "number":
            numbers.append(int(value))
        elif kind != "filler":
            units.append(kind)
    if len(years) > 1 or any(not 1800 <= year <= 2200 for year in years):
        return None
    part = _part(numbers, months, units)
    return None if part is None else (years[0] if years else None, part)


def _part(numbers: list[int], months: list[int], units: list[str]) -> Part | None:
    if len(months) == 1 and not numbers and units in ([], ["month"]):
        return Part("month", months[0])
    if len(months) == 2 and not numbers and not units:
        return _span(*months)
    if len(numbers) != 1 or len(units) != 1 or months:
        return None
    (number,), (unit,) = numbers, units
    if not 1 <= number <= periods.PER_YEAR[unit]:
        return None
    return _span(1, number) if unit == "month" else Part(unit, number)


def _span(first: int, last: int) -> Part | None:
    """Return the part of a year from the first to the last month."""
    months = last - first + 1
    if first == 1:
        return Part("month", last, through=True) if 1 < last < 12 else (
            Part("year", 1) if last == 12 else Part("month", 1)
        )  # fmt: skip
    for frequency, parts in periods.PER_YEAR.items():
        if months == 12 // parts and last % months == 0:
            return Part(frequency, last // months)
    return None
