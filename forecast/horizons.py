"""Policy concepts of Central Asia and the target years that they set."""

from __future__ import annotations

from dataclasses import dataclass

from forecast import locations
from forecast.errors import unknown_name

#: Target years of every report unless others are asked for.
DEFAULT_HORIZONS = (2025, 2027, 2030)


@dataclass(frozen=True, slots=True)
class Concept:
    """A policy document that names target years.

    Attributes
    ----------
    location : str
        ISO 3166-1 alpha-3 code of the country.
    title : str
        What the document is, in English.
    title_ru : str
        The same in Russian.
    phases : tuple of (int, int)
        First and last year of each phase; the last years are the target years.
    """

    location: str
    title: str
    title_ru: str
    phases: tuple[tuple[int, int], ...]

    @property
    def target_years(self) -> tuple[int, ...]:
        """The years by which the document wants something to be reached."""
        return tuple(last for _, last in self.phases)


CONCEPTS = {
    "KGZ": Concept(
        "KGZ",
        "Concept of State Migration Policy 2021–2030",
        "Концепция государственной миграционной политики на 2021–2030 годы",
        ((2021, 2025), (2026, 2030)),
    ),
    "KAZ": Concept(
        "KAZ",
        "Concept of Migration Policy 2023–2027",
        "Концепция миграционной политики на 2023–2027 годы",
        ((2023, 2027),),
    ),
    "UZB": Concept(
        "UZB",
        "Strategy “Uzbekistan – 2030”",
        "Стратегия «Узбекистан – 2030»",
        ((2023, 2030),),
    ),
}


def concept(location: str) -> Concept:
    """Return the policy concept of a country.

    Raises
    ------
    UnknownNameError
        If no concept is recorded for the country.
    """
    code = locations.canonical(location)
    if code not in CONCEPTS:
        raise unknown_name("policy concept", location, CONCEPTS)
    return CONCEPTS[code]
