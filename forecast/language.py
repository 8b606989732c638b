"""The language of a report: words from a catalogue, numbers in its own form."""

from __future__ import annotations

import gettext
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from forecast import periods
from forecast.errors import unknown_name

#: Languages that are complete. English is what the messages themselves are written in.
LANGUAGES = ("en", "ru", "kk", "ky", "uz")
#: Languages whose words need no review by an office of statistics, or have had it.
REVIEWED = ("en", "ru")
#: Letters in their order, where that is another one than the order of their code points.
_ALPHABETS = {
    "kk": "а ә б в г ғ д е ё ж з и й к қ л м н ң о ө п р с т у ұ ү ф х һ ц ч ш щ ъ ы і ь э ю я",
    "ky": "а б в г д е ё ж з и й к л м н ң о ө п р с т у ү ф х ц ч ш щ ъ ы ь э ю я",
    "uz": "a b d e f g h i j k l m n o p q r s t u v x y z oʻ gʻ sh ch",
}
#: The word for year behind a year, with what joins it.
_YEAR_WORDS = {
    "ru": r"(?:[ \u00a0](?:год[ауе]?|годах|гг?\.))",
    "kk": r"(?:[ \u00a0-]жыл\w*)",
    "ky": r"(?:[ \u00a0-]жыл\w*)",
    "uz": r"(?:[ \u00a0-]yil\w*)",
}
#: The word for "in the year", and what is said in place of it behind a month.
_WITHIN = {"kk": ("жылы", "кезеңінде"), "ky": ("жылы", "мезгилинде"), "uz": ("yilda", "davrida")}
MINUS, NARROW = "\u2212", "\u202f"


@dataclass(frozen=True, eq=False)
class Language:
    """Words and number forms of one language.

    Attributes
    ----------
    code : str
        ISO 639-1.
    catalogue : gettext.NullTranslations
        Where messages are looked up; one without entries gives English.
    frequency : str
        What the periods are that a page in this language speaks of.
    step : int
        Periods in a row of its figures.
    """

    code: str
    catalogue: gettext.NullTranslations
    frequency: str = "year"
    step: int = 1

    def period(self, number: int) -> int:
        """Return a period as a number that reads as text; a year is its own number.

        Parameters
        ----------
        number : int
            Of the period, in which the page counts.

        Returns
        -------
        int

        Examples
        --------
        >>> language("en").say("In {year}", year=language("en").period(2027))
        'In 2027'
        """
        return periods.named(number, self.frequency)

    @property
    def unreviewed(self) -> str:
        """What a page says of words that no office has reviewed; empty where one has."""
        if self.code in REVIEWED:
            return ""
        return self.say("This translation has not been reviewed by the office of statistics.")

    def say(self, message: str, **values: object) -> str:
        """Return a message in this language with ``{name}`` filled in.

        Parameters
        ----------
        message : str
        **values : object
            What stands in for each name in braces.

        Returns
        -------
        str

        Examples
        --------
        >>> language("en").say("In {year}", year=2027)
        'In 2027'
        """
        return self.catalogue.gettext(message).format(**values)

    def count(self, one: str, many: str, n: int, **values: object) -> str:
        """Return the plural form that fits a number.

        Parameters
        ----------
        one, many : str
            The message for one and for several, ``{n}`` for the number.
        n : int
        **values : object

        Returns
        -------
        str

        Examples
        --------
        >>> language("en").count("{n} year", "{n} years", 3)
        '3 years'
        """
        return self.catalogue.ngettext(one, many, n).format(n=self.persons(n), **values)

    def lookup(self, text: str) -> str:
        """Return a text that comes from data, in this language where the catalogue has it.

        Parameters
        ----------
        text : str

        Returns
        -------
        str

        Examples
        --------
        >>> language("en").lookup("UN estimate")
        'UN estimate'
        """
        return self.catalogue.gettext(text) if text else text

    def persons(self, value: float, *, sign: bool = False) -> str:
        """Write whole persons with the language's thousands mark and a true minus.

        Parameters
        ----------
        value : float
            Already rounded as it shall be shown.
        sign : bool
            Whether to write a plus before positive numbers.

        Returns
        -------
        str

        Examples
        --------
        >>> language("en").persons(24_300, sign=True)
        '+24,300'
        """
        from babel.numbers import format_decimal

        whole = round(value)
        prefix = MINUS if whole < 0 else "+" if sign and whole > 0 else ""
        return prefix + format_decimal(abs(whole), format="#,##0", locale=self.code)

    def amount(self, value: float, *, sign: bool = False) -> str:
        """Write an amount: from a million on to three digits, in millions, billions or trillions.

        Parameters
        ----------
        value : float
        sign : bool
            Whether to write a plus before positive numbers.

        Returns
        -------
        str

        Examples
        --------
        >>> language("en").amount(12_412_000_000), language("en").amount(24_300)
        ('12.4 billion', '24,300')
        """
        from babel.numbers import format_compact_decimal

        # A whole number has the plural form that a reader expects: 340 миллионов.
        whole = rounded(value, 3)
        if abs(whole) < 1_000_000:
            return self.persons(value, sign=sign)
        prefix = MINUS if whole < 0 else "+" if sign else ""
        # Russian words for such numbers bend with what stands before them, abbreviations do not.
        length: Literal["short", "long"] = "short" if self.code == "ru" else "long"
        return prefix + format_compact_decimal(
            abs(whole), format_type=length, locale=self.code, fraction_digits=2
        )

    def decimal(self, value: float) -> str:
        """Write a number with at most two decimals; below a tenth with three digits.

        Parameters
        ----------
        value : float

        Returns
        -------
        str

        Examples
        --------
        >>> language("en").decimal(0.125), language("en").decimal(0.04125)
        ('0.12', '0.0412')
        """
        from babel.numbers import format_decimal

        prefix, size = MINUS if value < 0 else "", abs(value)
        places = 2 if size == 0 or size >= 0.1 else 2 - math.floor(math.log10(size))
        return prefix + format_decimal(size, format=f"#,##0.{places * '#'}", locale=self.code)

    def percent(self, probability: float) -> str:
        r"""Write a probability as whole per cent; never 0 or 100, which draws cannot show.

        Parameters
        ----------
        probability : float

        Returns
        -------
        str

        Examples
        --------
        >>> language("en").percent(0.0004)
        'under 1\u202f%'
        """
        share = 100 * probability
        if share < 1:
            return self.say("under {number}", number=f"1{NARROW}%")
        if share > 99:
            return self.say("over {number}", number=f"99{NARROW}%")
        return f"{round(share)}{NARROW}%"

    def share(self, value: float, *, sign: bool = False) -> str:
        """Write an observed share as whole per cent; 0 and 100 can happen here.

        Parameters
        ----------
        value : float
        sign : bool
            Whether to write a plus before positive numbers.

        Returns
        -------
        str

        Examples
        --------
        >>> language("en").share(1) == language("en").persons(100) + NARROW + "%"
        True
        """
        return f"{self.persons(100 * value, sign=sign)}{NARROW}%"

    def opening(self, text: str) -> str:
        """Return a text as it opens a sentence.

        Parameters
        ----------
        text : str

        Returns
        -------
        str

        Examples
        --------
        >>> language("en").opening("register")
        'Register'
        """
        return text[:1].upper() + text[1:]

    def order(self, name: str) -> list[tuple[int, str]]:
        """Return a key that sorts names as the alphabet of this language does.

        Parameters
        ----------
        name : str

        Returns
        -------
        list of (int, str)

        Examples
        --------
        >>> sorted(["қала", "лагерь", "кала"], key=language("kk").order)
        ['кала', 'қала', 'лагерь']
        """
        letters = _ALPHABETS.get(self.code, "").split()
        if not letters:
            return [(0, name)]
        found = re.findall("|".join([*sorted(letters, key=len, reverse=True), "."]), name.lower())
        return [(letters.index(one) if one in letters else -1, one) for one in found]

    def without_years(self, text: str) -> str:
        """Return a text without the word for year that sentences put behind 2024-06 or 2024-Q2.

        Where words bend instead of standing behind "in", "in the year" becomes "in the period".
        Where pages are of years the text stays as it is.

        Parameters
        ----------
        text : str
            With periods where years would be, or places for them: ``{year}``, ``{origin}``.

        Returns
        -------
        str

        Examples
        --------
        >>> Language("ru", language("ru").catalogue, "month").without_years("В 2025-06 году: 840")
        'В 2025-06: 840'
        >>> Language("uz", language("uz").catalogue, "month").without_years("2025-06-yilda 840")
        '2025-06 davrida 840'
        """
        word = _YEAR_WORDS.get(self.code)
        if self.frequency == "year" or word is None:
            return text
        period = r"(\b\d{4}-(?:\d\d|[QH]\d)|\{(?:year|origin)\})"
        if self.code in _WITHIN:
            inside, said = _WITHIN[self.code]
            text = re.sub(rf"{period}[ \u00a0-]{inside}\b", rf"\1 {said}", text)
        return re.sub(f"{period}{word}", r"\1", text)

    def listed(self, items: Sequence[object]) -> str:
        """Join items as a sentence does.

        Parameters
        ----------
        items : sequence

        Returns
        -------
        str

        Examples
        --------
        >>> language("en").listed([2025, 2027, 2030])
        '2025, 2027 and 2030'
        """
        words = [str(item) for item in items]
        if len(words) < 2:
            return "".join(words)
        return self.say("{first} and {last}", first=", ".join(words[:-1]), last=words[-1])


@cache
def language(code: str) -> Language:
    """Return a language by its code.

    Raises
    ------
    UnknownNameError
        If there is no complete catalogue for it.
    """
    if code not in LANGUAGES:
        raise unknown_name("language", code, LANGUAGES)
    if code == "en":
        return Language(code, gettext.NullTranslations())

    return Language(code, read_catalogue(code))


def message(text: str) -> str:
    """Mark a text for the catalogue where it is defined; it is looked up where it is used."""
    return text


def plain(value: float) -> str:
    """Write a figure in a message: whole from a hundred on, else with the decimals it needs.

    Parameters
    ----------
    value : float

    Returns
    -------
    str

    Examples
    --------
    >>> plain(23_761.4), plain(12.0), plain(0.0412)
    ('23,761', '12', '0.0412')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.4g}"


def rounded(value: float, digits: int = 2) -> int:
    """Round to a number of significant digits; below 100 to whole tens, since more is noise.

    Parameters
    ----------
    value : float
        Persons.
    digits : int
        Significant digits to keep.

    Examples
    --------
    >>> rounded(12_345), rounded(-12_345, 3), rounded(47)
    (12000, -12300, 50)
    """
    if value == 0 or not math.isfinite(value):
        return 0
    power = max(10 ** (math.floor(math.log10(abs(value))) + 1 - digits), 10)
    return int(math.floor(abs(value) / power + 0.5) * power * math.copysign(1, value))


def read_catalogue(code: str) -> gettext.GNUTranslations:
    """Read ``locale/CODE/LC_MESSAGES/forecast.po``; the text form needs no build step."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    path = files("forecast.reports") / "locale" / code / "LC_MESSAGES" / "forecast.po"
    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=code))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
