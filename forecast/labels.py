"""What measures, sources, scales and flags are called on the page."""

from __future__ import annotations

from collections.abc import Mapping

from forecast import locations, measures
from forecast.language import Language, message, rounded

_SOURCES = {
    "un-wpp": message("UN estimate"),
    "kz-bns": message("national register"),
    "kg-nsc": message("national register"),
    "uz-stat": message("national register"),
    "kz-bns-balance": message("population balance"),
    "kg-nsc-balance": message("population balance"),
    "uz-stat-balance": message("population balance"),
    "destatis": message("German register"),
    "eurostat-immigration": message("register of the destination"),
    "eurostat-emigration": message("register of the origin"),
    "meta": message("estimate by Meta"),
    "abel-cohen": message("estimate by Abel and Cohen"),
    "gaskin-abel": message("estimate by Gaskin and Abel"),
    "mirror": message("what was probably moved"),
}
_SCALES = {
    "log": message("logarithm of persons"),
    "rate": message("per 1,000 population"),
    "persons": message("persons"),
}
#: What a flag means for the chart and the fit, before the years that carry it.
FLAGS = {
    "break": message("New level from {years}."),
    "outlier": message("Known distortion, kept out of the fit: {years}."),
    "interpolated": message("Interpolated, kept out of the fit: {years}."),
    "suspect": message("Disputed by another source: {years}."),
    "adjusted": message("Corrected for territory that changed hands: {years}."),
    "provisional": message("Provisional: {years}."),
    "census_rebasing": message("Left empty, two censuses do not match: {years}."),
    "boundary_change": message("Left empty, boundaries changed: {years}."),
    "rebased": message("Left empty, population re-based: {years}."),
}
#: Flags that mark a figure as doubtful, and flags that stand where a figure is missing.
DOUBTED = ("outlier", "suspect", "adjusted", "provisional")
MISSING = ("census_rebasing", "boundary_change", "rebased")
_WHY = (
    (
        r"(?P<n>\d+) usable observed years since the break of (?P<year>\d+); "
        r"at least (?P<least>\d+) are needed\.(?: The flag .*)?",
        message(
            "usable years since the break of {year}: {n}; at least {least} are needed to tell "
            "a trend from noise."
        ),
    ),
    (
        # What a flag keeps out stands beside the chart already.
        r"(?P<n>\d+) usable observed years; at least (?P<least>\d+) are needed\.(?: The flag .*)?",
        message("usable years: {n}; at least {least} are needed to tell a trend from noise."),
    ),
    (
        r"all (?P<n>\d+) usable values are equal \((?P<value>\S+)\); .*",
        message(
            "all {n} usable values are equal ({value}); a series that never moves says nothing "
            "about how it may move."
        ),
    ),
    (
        r"Rests on the model: (?P<n>\d+) usable figures?; .*",
        message(
            "rests on the model: usable figures: {n}; origin, destination and gravity say the rest."
        ),
    ),
    (
        r"Sum of corridors and what they do not cover\.",
        message("sum of corridors and what they do not cover"),
    ),
    (r"the data hold no such series", message("the data hold no such series")),
    (
        r"there is no figure of (?P<year>\d+) to compare with",
        message("there is no figure of {year} to compare with"),
    ),
    (r"this year is observed already", message("this year is observed already")),
    (r"the series was not forecast", message("the series was not forecast")),
    (r"(?P<year>\d+) was not forecast", message("{year} was not forecast")),
)


def measure(name: str, words: Language) -> str:
    """Return the name of a measure, as a heading.

    Parameters
    ----------
    name : str
        Such as ``"net_migration"``, see `forecast.measures`.
    words : Language
        The language of the page.

    Returns
    -------
    str

    Raises
    ------
    UnknownNameError
        If it is neither shipped nor declared.
    """
    return measures.find(name).words.said(words.code)


def source(name: str, words: Language) -> str:
    """Return what a source is, in a few words; a user's own source by its own name.

    Parameters
    ----------
    name : str
        As in the panel, such as ``"un-wpp"``.
    words : Language
        The language of the page.

    Returns
    -------
    str
    """
    return words.say(_SOURCES[name]) if name in _SOURCES else name


def place(code: str, words: Language) -> str:
    """Return the name of a location.

    Parameters
    ----------
    code : str
        Code or name of a country, a region, or regions merged with ``+``.
    words : Language
        The language of the page; places without a name in it have their English one.

    Returns
    -------
    str

    Raises
    ------
    UnknownNameError
        If there is no such place.
    """
    return locations.name(code, words.code)


def scale(kind: str, words: Language) -> str:
    """Return on which scale a series was modelled.

    Parameters
    ----------
    kind : str
        See `forecast.scales`; one that is not known there stands as it is.
    words : Language
        The language of the page.

    Returns
    -------
    str
    """
    return words.say(_SCALES[kind]) if kind in _SCALES else kind


def reason(note: Mapping[str, object], words: Language) -> str:
    """Return why a series was not forecast; a reason of a user's model as it stands.

    Parameters
    ----------
    note : mapping
        A row of `Forecast.notes`; its ``reason`` is an English sentence.
    words : Language
        The language of the page.

    Returns
    -------
    str
        In English where the catalogue does not have the sentence.
    """
    import re

    given = str(note["reason"])
    for pattern, sentence in _WHY:
        found = re.fullmatch(pattern, given)
        if found:
            return words.say(sentence, **found.groupdict())
    return words.lookup(given)


def figure(value: float, measure: str, words: Language, digits: int = 0) -> str:
    """Return a figure as readers write it: whole, signed where it may be below zero.

    Parameters
    ----------
    value : float
        In the unit of the measure.
    measure : str
        What is counted.
    words : Language
        How numbers are written.
    digits : int
        To how many it is rounded, 0 for none; a rate, and what has decimals below a thousand, has
        two decimals, or three digits, whatever it says, an amount of a million or more at most
        three digits.

    Returns
    -------
    str

    Examples
    --------
    >>> from forecast.language import language
    >>> figure(23761.0, "immigration", language("en"), 2)
    '24,000'
    >>> figure(3.1e9, "remittances", language("en"))
    '3.1 billion'
    """
    counted = measures.find(measure)
    if counted.kind == "rate" or (counted.fractional and abs(value) < 1000):
        return words.decimal(value)
    # Whole tens would make nothing of a handful; of a net they are noise.
    small = abs(value) < 20 and not counted.signed
    shown = rounded(value, digits) if digits and not small else value
    if counted.kind == "amount":
        return words.amount(shown, sign=counted.signed)
    return words.persons(shown, sign=counted.signed)
