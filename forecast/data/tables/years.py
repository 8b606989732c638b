"""Calendar years as people write them: `2020 г.`, `2020-yil`, dates, and what is not a year."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import NamedTuple

from forecast.data.tables.words import meanings_inside, spaced, unmarked

_FIRST, _LAST = 1800, 2200
_BEHIND = r"(?:гг?|год[ау]?|году|жылы?|ж|jyly?|yili?|й|йили?|y)"
_PLAIN = re.compile(
    rf"(?:за |в |during |in |year )?(?P<year>[0-9]{{4}})(?:\.0+)?(?:[ -]?{_BEHIND}\.?)?"
)
_ISO = re.compile(
    r"(?P<year>[0-9]{4})[-./](?P<month>[0-9]{1,2})[-./](?P<day>[0-9]{1,2})(?:[T ].*)?"
)
_DAY_FIRST = re.compile(
    r"(?P<day>[0-9]{1,2})[-./](?P<month>[0-9]{1,2})[-./](?P<year>[0-9]{4})(?: г\.?)?"
)
_SEVERAL = re.compile(
    r"(?:[0-9]{4})\s?[-–—/]\s?(?:[0-9]{4}|[0-9]{2})(?: ?(?:гг?\.?|years|жж?\.?))?"
)
_PART = re.compile(
    r"[0-9]{4}[- ]?(?:M|Q|S|H|W|М)[0-9]{1,2}|[0-9]{4}-(?:0[1-9]|1[0-2])"
    r"|.*(?:январ|феврал|март|апрел|\bма[йя]\b|июн|июл|август|сентябр|октябр|ноябр|декабр|квартал"
    r"|полугоди|месяц|quarter|month|\bq[1-4]\b|january|february|march|april|june|july|august"
    r"|september|october|november|december|чорак|chorak|тоқсан|кварталы|қаңтар|yanvar).*",
    re.IGNORECASE,
)


class Year(NamedTuple):
    """A calendar year as it stands in a table.

    Attributes
    ----------
    year : int
    provisional : bool
        Whether a word beside it says so.
    """

    year: int
    provisional: bool = False


def year(cell: object) -> Year | None:
    """Return the calendar year that a cell is, or None."""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, (dt.datetime, dt.date)):
        return Year(cell.year) if _FIRST <= cell.year <= _LAST else None
    if isinstance(cell, (int, float)):
        whole = cell == cell and abs(cell) < 1e6 and int(cell) == cell
        return Year(int(cell)) if whole and _FIRST <= cell <= _LAST else None
    return _from_text(cell) if isinstance(cell, str) else None


@lru_cache(maxsize=8192)
def _from_text(text: str) -> Year | None:
    plain = unmarked(text)[0].casefold()
    provisional = False
    head, bracket, tail = plain.partition("(")
    if bracket and meanings_inside("provisional", tail):
        plain, provisional = spaced(head), True
    for pattern in (_PLAIN, _ISO, _DAY_FIRST):
        found = pattern.fullmatch(plain)
        if not found:
            continue
        parts = found.groupdict()
        stated = int(parts["year"])
        if "month" in parts:
            try:
                dt.date(stated, int(parts["month"]), int(parts["day"]))
            except ValueError:
                return None
        return Year(stated, provisional) if _FIRST <= stated <= _LAST else None
    return None


def not_one_year(cell: object) -> str | None:
    """Return why a text that speaks of time is no calendar year, or None."""
    if not isinstance(cell, str) or len(cell) > 60:
        return None
    plain = unmarked(cell)[0]
    if _SEVERAL.fullmatch(plain):
        return "several years"
    if re.search(r"[0-9]{4}", plain) and _PART.fullmatch(plain):
        return "a part of a year"
    return None
