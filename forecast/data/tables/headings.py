"""Headings: what a cell above a column, or a label beside a row, says about its figures."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from functools import lru_cache

from forecast import measures
from forecast.data.tables import dates, words
from forecast.data.tables.dates import Part
from forecast.data.tables.words import Year
from forecast.language import LANGUAGES
from forecast.validation import COLUMNS, MEASURES

#: Nixtla's long form, handed on as it is.
LONG_FORM = ("unique_id", "ds", "y")
_YEAR_INSIDE = re.compile(
    r"\b((?:18|19|20|21)[0-9]{2})\b(?: ?(?:гг?|год[ау]?|году|жылы?|ж|jyly?|yili?|й|йили?)\b)?"
)
#: Signs of increase and decrease behind a heading.
_SIGNS = re.compile(r"\(\s*[+−–-]\s*\)|\([+−–-]?\s*,?\s*[+−–/-]+\s*\)")


@dataclass(frozen=True, slots=True)
class Heading:
    """What one heading, or several above each other, say.

    Attributes
    ----------
    column : str
        Role of a column: ``location, code, number, measure, year, value, unit, population,
        source, flag, precision, as_of`` or one of Nixtla's; empty if it has none.
    measure : str
        A measure of the package, or ``arrivals, departures, net``, of which it is not said
        yet whether they cross the border.
    scope : {"", "external", "internal", "all"}
    unit : float or None
        By what figures are multiplied to be persons.
    trouble : str
        Why figures under it cannot be used.
    part : Part or None
        Which month or quarter it is of, where the year stands elsewhere.
    """

    column: str = ""
    measure: str = ""
    scope: str = ""
    year: Year | None = None
    unit: float | None = None
    trouble: str = ""
    part: Part | None = None

    @property
    def figures(self) -> bool:
        """Whether figures stand under it."""
        return bool(self.dated or self.measure or self.column in {"value", "y"})

    @property
    def dated(self) -> bool:
        """Whether it says a period."""
        return self.year is not None or self.part is not None

    def over(self, other: Heading) -> Heading:
        """Return what both say; the lower one has the last word."""
        return Heading(
            other.column or self.column, other.measure or self.measure, other.scope or self.scope,
            other.year or self.year, other.unit if other.unit is not None else self.unit,
            other.trouble or self.trouble, other.part or self.part,
        )  # fmt: skip


def understand(cell: object) -> Heading | None:
    """Return what a heading says, or None if nothing in it is known."""
    if isinstance(cell, bool) or cell is None:
        return None
    if isinstance(cell, (int, float, dt.date)):
        return _dated(dates.stated(cell))
    short = isinstance(cell, str) and len(cell) <= 300
    return _from_text(str(cell), measures.declared()) if short else None


def _dated(found: Year | Part | None) -> Heading | None:
    if isinstance(found, Part):
        return Heading(part=found)
    return None if found is None else Heading(year=found)


@lru_cache(maxsize=16384)
def _from_text(text: str, declared: int) -> Heading | None:
    """Return what a text says; measures may be `declared` between two readings of it."""
    plain = words.unmarked(text)[0]
    if not plain:
        return None
    name = plain.casefold()
    if name in MEASURES:
        column = name if name == "population" else ""
        return Heading(column, name)
    if name in COLUMNS or name in LONG_FORM:
        return Heading(name)
    found = dates.stated(text)
    if found:
        return _dated(found)
    trouble = words.not_one_year(text)
    if trouble:
        return Heading(trouble=trouble)
    if words.is_rate(plain):
        says = _word(plain) or _composite(words.without("rate", plain))
        counted = measures.known().get(says.measure) if says else None
        if counted is not None and counted.kind == "rate":
            return says
        return replace(_composite(plain) or Heading(), trouble="a rate or a share")
    return _word(plain) or _composite(plain)


def _word(text: str) -> Heading | None:
    """Return what a text says as one word of the list."""
    scopes = words.meanings_inside("scope", text)
    scope = scopes.pop() if len(scopes) == 1 else ""
    measure = words.meaning("measure", text) or titles(measures.declared()).get(words.folded(text))
    if measure:
        return Heading("population" if measure == "population" else "", measure, scope)
    column = words.meaning("column", text)
    if column:
        return Heading(column, "population" if column == "population" else "")
    return None


def _composite(text: str) -> Heading | None:
    """Return what a heading of several parts says: measure, year, unit, scope."""
    unit = words.stated(text)
    scopes = words.meanings_inside("scope", text)
    if len(scopes) > 1:
        return None
    scope = next(iter(scopes), "")
    rest = words.folded(_SIGNS.sub(" ", text))
    found = _YEAR_INSIDE.findall(rest)
    if len(found) > 1:
        return None
    year = Year(int(found[0])) if found else None
    if found:
        rest = " ".join(_YEAR_INSIDE.sub(" ", rest).split())
    if unit is not None or words.terms("currency", text):
        rest = words.without_unit(rest)
        for word in _units(measures.declared()):
            rest = f" {rest} ".replace(f" {word} ", " ").strip()
    bare = words.without("topic", words.without("scope", rest))
    for left in (rest, words.without("total", rest), words.without("scope", rest), bare):
        known = _word(left) if left else None
        if known and _other_currency(known.measure, text):
            return None
        if known:
            return replace(known, year=year or known.year, unit=unit, scope=scope or known.scope)
    if not bare and (year or unit is not None or scope):
        return Heading(year=year, unit=unit, scope=scope)
    return None


def _other_currency(measure: str, text: str) -> bool:
    """Whether a text names a currency that is not the measure's."""
    counted, said = measures.known().get(measure), words.terms("currency", text)
    ours = words.terms("currency", counted.unit.en) if counted else set()
    return bool(said and ours and not said & ours)


@lru_cache(maxsize=4)
def _units(declared: int) -> tuple[str, ...]:
    """Return the units of measures that are no persons, as words, the longest first."""
    units = {"долл сша", "us dollars", "dollars"} | {
        words.folded(one.unit.said(code))
        for one in measures.known().values()
        for code in LANGUAGES
        if one.unit.en != "persons"
    }
    return tuple(sorted(units, key=len, reverse=True))


def label_measure(text: str) -> Heading | None:
    """Return what a label beside a row says if it names a measure, else None."""
    heading = understand(text)
    if heading is None or not heading.measure or heading.dated:
        return None
    return replace(heading, column="")


def measures_in(title: str) -> set[str]:
    """Return the measures of a title.

    "Population" is one only where the title is of the population itself: not where it stands
    in the name of a publisher, or beside births, growth or a stock of migrants.
    """
    padded = f" {words.folded(title)} "
    named = {*words.phrases("measure"), *titles(measures.declared()).items()}
    said = {word: sense for word, sense in named if f" {word} " in padded}
    # "Quota of labour permits" says quota, not permits.
    counted = set(measures.known()) - measures.RESIDENCE
    found = {
        sense
        for word, sense in said.items()
        if not any(word != other and f" {word} " in f" {other} " and {sense, said[other]} & counted
                   for other in said if said[other] != sense)
    }  # fmt: skip
    return found - {"population"} if words.meanings_inside("other_count", title) else found


@lru_cache(maxsize=4)
def titles(declared: int) -> dict[str, str]:
    """Return the measure of each heading of the package or of one's own, but for migration's.

    Those say not yet which border is crossed.

    Parameters
    ----------
    declared : int
        As of `forecast.measures.declared`.
    """
    return {
        words.folded(text): name
        for text, name in measures.headings()
        if name not in measures.RESIDENCE
    }
