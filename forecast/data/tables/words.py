"""What words in a table mean: headings, measures, units, rates, and calendar years."""

from __future__ import annotations

import csv
import datetime as dt
import re
import unicodedata
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from forecast.shelf import shelf

_APOSTROPHES = re.compile("['`´ʻʼʽˈ‘’‛′]")
_NOT_A_LETTER = re.compile(r"[^\w+#№%‰]+|_")
#: Superscripts, asterisks and daggers behind a word or a number.
_MARKS = re.compile(r"[\s]*[*†‡§¹²³⁰⁴-⁹]+$")
_NUMBERED = re.compile(r"\s+\(?[0-9]{1,2}\)$|(?<=[^\W\d])[0-9]\)$")
_COUNTED = (
    "persons|people|person|inhabitants|человек|чел|адам|киши|кісі|kishi|nafar|нафар|adam|odam|одам"
)
#: Units written in digits, such as "1000 persons", "в 1000 человек", "(1000s)" or "'000".
_IN_DIGITS = {
    1000.0: re.compile(
        r"['’`]000\b|\b000s\b|\( ?000 ?\)|\b(?:in|в|x|×) ?1 ?000\b(?! ?000)"
        rf"|\b1 ?000s\b|(?<!\d )\b1 ?000 ?(?:{_COUNTED})\b|\( ?1 ?000 ?\)"
    ),
    1_000_000.0: re.compile(
        rf"\b(?:in|в|x|×) ?1 ?000 ?000\b|\b1 ?000 ?000 ?(?:{_COUNTED})\b|\( ?1 ?000 ?000 ?\)"
    ),
}
_UNIT_DIGITS = re.compile(r"(?<!\d)\b(?:(?:in|в|x) )?(?:1 ?000(?: ?000)?s?|000s?)\b(?! ?\d)")
UNITS = {"persons": 1.0, "thousands": 1000.0, "millions": 1_000_000.0}
_LARGER = {"billions": 1e9, "trillions": 1e12}
_SIGNS = str.maketrans({"$": " usd ", "€": " eur ", "₽": " rub ", "₸": " kzt "})
_RATE = re.compile(
    r"\b(?:на|per|for every) ?1 ?000\b|\bper (?:thousand|cent)\b|на тысячу|‰|%|\bпромилле\b"
    r"|\bпроцент|\bкоэффициент|\bpermille\b|\bpercent|1000 (?:адамга|адамға|kishiga|aholiga|кишига)"
)
_FIRST, _LAST = 1800, 2200
_BEHIND = r"(?:гг?|год[ау]?|году|жылы?|ж|jyly?|yili?|й|йили?|y)"
_PLAIN = re.compile(
    r"(?:за |в |during |in |year )?(?P<year>[0-9]{4})(?:\.0+)?[*†‡§¹²³⁰⁴-⁹]*"
    rf"(?:[ -]?{_BEHIND}\.?)?"
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


@lru_cache(maxsize=65536)
def spaced(text: str) -> str:
    """Return a text with every kind of white space as one plain space, none at the ends."""
    return " ".join(text.replace("\ufeff", "").replace("\u200b", "").split())


def unmarked(text: str) -> tuple[str, str]:
    """Split a text into itself without footnote marks, and the marks.

    Examples
    --------
    >>> unmarked("1 234¹"), unmarked("Шымкент 2)"), unmarked("***")
    (('1 234', '¹'), ('Шымкент', '2)'), ('***', ''))
    """
    plain = spaced(text)
    marks = ""
    for pattern in (_MARKS, _NUMBERED, _MARKS):
        found = pattern.search(plain)
        if found and found.start() > 0:
            marks = found.group().strip() + marks
            plain = plain[: found.start()].rstrip()
    return plain, marks


@cache
def folded(text: str) -> str:
    """Return a text in the form in which words are compared.

    Small letters without accents, apostrophes and punctuation: ``"Oʻzbekiston "`` and
    ``"OʻZBEKISTON"`` are one word.
    """
    bare = _APOSTROPHES.sub("", text)
    apart = unicodedata.normalize("NFKD", bare.casefold())
    letters = "".join(sign for sign in apart if not unicodedata.combining(sign))
    return " ".join(_NOT_A_LETTER.sub(" ", letters.replace("ı", "i")).split())


@cache
def _words() -> dict[str, dict[str, str]]:
    """Return {kind: {word: meaning}}; a word that keeps nothing when folded stays as it is."""
    table: dict[str, dict[str, str]] = {}
    with (shelf("data") / "table_words.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            word = row["word"]
            known = table.setdefault(row["kind"], {})
            known.setdefault(folded(word) or word, row["meaning"])
            known.setdefault(word.casefold(), row["meaning"])
    return table


def meaning(kind: str, text: str) -> str | None:
    """Return what a whole text means as a word of a kind, or None.

    Parameters
    ----------
    kind : str
        As in ``data/table_words.csv``, such as ``"column"`` or ``"measure"``.
    """
    known = _words()[kind]
    plain = text.casefold().strip()
    return known.get(plain) or known.get(folded(plain) or plain)


def meanings_inside(kind: str, text: str) -> set[str]:
    """Return what the words of a kind mean that stand somewhere in a text as whole words.

    Parameters
    ----------
    kind : str
        As in ``data/table_words.csv``, such as ``"measure"`` or ``"scope"``.
    text : str
        Compared as `folded`: case, accents and punctuation do not count.

    Returns
    -------
    set of str
        Meanings, not the words; empty if none stands there.
    """
    padded = f" {folded(text)} "
    return {sense for word, sense in phrases(kind) if f" {word} " in padded}


@cache
def phrases(kind: str) -> tuple[tuple[str, str], ...]:
    """Return the words of a kind, as they are compared, with what they mean."""
    return tuple((word, sense) for word, sense in _words()[kind].items() if folded(word) == word)


def without(kind: str, text: str) -> str:
    """Return the folded text without the words of a kind.

    Parameters
    ----------
    kind : str
        As in ``data/table_words.csv``, such as ``"total"``; longer words go first.
    text : str
        Compared as `folded`; only whole words go.

    Returns
    -------
    str
        Folded.
    """
    padded = f" {folded(text)} "
    for word in sorted((word for word, _ in phrases(kind)), key=len, reverse=True):
        while f" {word} " in padded:
            padded = padded.replace(f" {word} ", " ")
    return padded.strip()


@lru_cache(maxsize=4096)
def stated(text: str) -> float | None:
    """Return by what figures must be multiplied to be persons, if a text says it.

    Examples
    --------
    >>> stated("Прибыло, тыс. человек"), stated("мың адам"), stated("persons"), stated("2020")
    (1000.0, 1000.0, 1.0, None)
    >>> stated("Immigration, 1000 persons"), stated("в 1000 человек"), stated("(1000s)")
    (1000.0, 1000.0, 1000.0)
    """
    sizes = {float(size) for size in meanings_inside("unit", text)}
    if not is_rate(text):
        plain = text.casefold().replace("1,000", "1 000").replace(",000,", " 000 ")
        sizes |= {size for size, pattern in _IN_DIGITS.items() if pattern.search(plain)}
    return max(sizes, default=None)


def terms(kind: str, text: str) -> set[str]:
    """Return the currencies, or the bases of a rate, that a text names.

    Parameters
    ----------
    kind : {"currency", "rate"}
    text : str
        Such as a title or a cell of a unit column.

    Examples
    --------
    >>> terms("currency", "Переводы, млн долл. США"), terms("rate", "per 1,000"), terms("rate", "%")
    ({'USD'}, {'1000'}, {'100'})
    """
    # One word may be of two currencies: som.
    found = meanings_inside(kind, text.translate(_SIGNS))
    return {term for meant in found for term in meant.split()}


def without_unit(text: str) -> str:
    """Return a folded text without the words, and the round numbers, that state a unit."""
    return without("unit", " ".join(_UNIT_DIGITS.sub(" ", text).split()))


@lru_cache(maxsize=4096)
def unit_of(text: str) -> float | Literal["rate"] | None:
    """Return what a cell of a unit column says, whole or as ``CODE: label``.

    Returns
    -------
    float, "rate" or None
        By what figures are multiplied to be persons; None if it is not understood.

    Examples
    --------
    >>> unit_of("THS_PER"), unit_of("PS: Persons"), unit_of("PC_POP"), unit_of("EUR")
    (1000.0, 1.0, 'rate', None)
    """
    if is_rate(text):
        return "rate"
    code, _, label = text.partition(":")
    for part in (text, label, code):
        meant = meaning("unit_code", part) if part.strip() else None
        if meant is not None:
            return "rate" if meant == "rate" else float(meant)
        size = stated(part)
        if size is not None:
            return size
    return None


@lru_cache(maxsize=4096)
def is_rate(text: str) -> bool:
    """Whether a text says that figures are rates or shares, not counts."""
    return bool(_RATE.search(folded(text.replace(",", ""))) or _RATE.search(text.casefold()))


def unit_name(factor: float) -> str:
    """Return the name of a unit."""
    names = {**UNITS, **_LARGER}
    return next((name for name, size in names.items() if size == factor), f"{factor:g} persons")


class Year(NamedTuple):
    """A calendar year, or another period, as it stands in a table.

    Attributes
    ----------
    year : int
        The calendar year, or the number of the period (`forecast.periods`).
    provisional : bool
        Whether a word beside it says so.
    frequency : str
        What the period is, as of a Panel.
    through : bool
        Whether figures are sums from January to the end of that month.
    month : int
        Of a date that stands for a year, or for a part of it, as the table shows; else 0.
    """

    year: int
    provisional: bool = False
    frequency: str = "year"
    through: bool = False
    month: int = 0


def year(cell: object) -> Year | None:
    """Return the calendar year that a cell is, or None."""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, (dt.datetime, dt.date)):
        return Year(cell.year) if _FIRST <= cell.year <= _LAST else None
    if isinstance(cell, (int, float)):
        whole = cell == cell and abs(cell) < 1e6 and int(cell) == cell
        return Year(int(cell)) if whole and _FIRST <= cell <= _LAST else None
    return _year_from_text(cell) if isinstance(cell, str) else None


@lru_cache(maxsize=8192)
def _year_from_text(text: str) -> Year | None:
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


def year_inside(text: str) -> int | None:
    """Return the only calendar year that a text names, or None."""
    found = set(re.findall(r"\b(?:18|19|20|21)[0-9]{2}\b", text))
    return int(found.pop()) if len(found) == 1 else None


def not_one_year(cell: object) -> str | None:
    """Return why a text that speaks of time is no calendar year, or None."""
    if not isinstance(cell, str) or len(cell) > 60:
        return None
    plain = unmarked(cell)[0]
    if _SEVERAL.fullmatch(plain):
        first, last = re.findall("[0-9]+", plain)
        later = (
            len(last) == 4 or int(last) == (int(first) + 1) % 100 or int(last) > int(first) % 100
        )
        return "several years" if later else "no month of a year"
    if re.search(r"[0-9]{4}", plain) and _PART.fullmatch(plain):
        return "a part of a year"
    return None
