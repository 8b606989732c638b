"""Countries, regions and corridors: which codes exist, their names, which belongs to which.

Codes, numbers and subdivisions are those of ISO 3166, names those of the Unicode CLDR.
"""

from __future__ import annotations

import csv
import difflib
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from forecast.errors import DataError, UnknownNameError, unknown_name
from forecast.shelf import shelf

#: Kinds of subdivisions of ISO 3166-2 that are counted apart from their country.
_ELSEWHERE = {
    "Arctic region",
    "Dependency",
    "Outlying area",
    "Overseas collectivity",
    "Overseas collectivity with special status",
    "Overseas territory",
    "Special administrative region",
    "Special municipality",
}
#: Codes of UN areas whose number is not an ISO 3166-1 numeric code in force.
UN_AREAS = {412: "XKX", 530: "ANT", 736: "SDN+SSD", 830: "GGY+JEY"}


def un_area(number: int) -> str | None:
    """Return the code of a country or area by its number at the UN; None for groups.

    The UN's number of a country is its ISO 3166-1 numeric code; four areas have none in force.
    """
    import pycountry

    country = pycountry.countries.get(numeric=f"{int(number):03d}")
    return UN_AREAS.get(int(number)) or (country.alpha_3 if country else None)


@cache
def iso_code(code: str) -> str | None:
    """Return the ISO 3166-1 alpha-3 code of a country's two or three letters, or None."""
    import pycountry

    text = str(code).strip().upper()
    if text == "XKX":
        return text
    by_length = {2: "alpha_2", 3: "alpha_3"}
    country = pycountry.countries.get(**{by_length.get(len(text), "alpha_3"): text})  # type: ignore[arg-type]
    return None if country is None else str(country.alpha_3)


@cache
def cldr_name(code: str, language: str) -> str | None:
    """Return what the Unicode CLDR calls a country in a language, or None.

    Parameters
    ----------
    code : str
        ISO 3166-1 alpha-3, or XKX for Kosovo.
    language : str
        ISO 639-1, such as ``"ru"``.

    Returns
    -------
    str or None
        None for a code that is no country.
    """
    import pycountry
    from babel import Locale

    country = pycountry.countries.get(alpha_3=code)
    letters = "XK" if code == "XKX" else country and country.alpha_2
    return Locale.parse(language).territories.get(letters) if letters else None


@cache
def subdivisions(country: str) -> tuple[str, ...]:
    """Return the codes of the regions that make up a country outside the shipped list, sorted."""
    import pycountry

    known = pycountry.countries.get(alpha_3=country) if len(country) == 3 else None
    if known is None:
        return ()
    found = pycountry.subdivisions.get(country_code=known.alpha_2)  # type: ignore[no-untyped-call]
    return tuple(sorted(one.code for one in found or () if _is_part(one)))


def _is_part(subdivision: Any) -> bool:
    """Whether an office that counts a country counts this subdivision as a region of it."""
    import pycountry

    if subdivision.parent_code is not None or subdivision.type in _ELSEWHERE:
        return False
    # Aruba is NL-AW, and AW; a state such as US-IN only shares its code with a country.
    country = pycountry.countries.get(alpha_2=subdivision.code.partition("-")[2])
    return country is None or not country.name.startswith(subdivision.name)


#: UN areas without a code in force in ISO 3166-1: Kosovo, and the Netherlands Antilles,
#: whose ANT was withdrawn in 2010 and which older UN vintages still report as one.
_USER_ASSIGNED = {"XKX": "Kosovo", "ANT": "Netherlands Antilles (until 2010)"}
#: What stands between origin and destination of a corridor.
_ARROW = re.compile(r"\s*(?::|→|->)\s*")
_REGION = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}")
_CODES = re.compile(rf"(?:[A-Z]{{3}}|{_REGION.pattern})(?:\+(?:[A-Z]{{3}}|{_REGION.pattern}))*")


@dataclass(frozen=True, slots=True)
class Location:
    """One country, region, merged unit, or corridor from one of them to another.

    Attributes
    ----------
    code : str
        ISO 3166-1 alpha-3 (country), ISO 3166-2 (region), or codes joined by ``+``; of a corridor
        the codes of origin and destination with a colon between.
    parent : str or None
        Code of the country that a region belongs to; None for a country or corridor.
    names : dict of str
        Name by language; ``"en"`` is always there.
    """

    code: str
    parent: str | None
    names: dict[str, str]

    @property
    def is_country(self) -> bool:
        """Whether this is a country (or a sum of countries) rather than a region or corridor."""
        return self.parent is None and ":" not in self.code

    @property
    def origin(self) -> str | None:
        """Code of the place that a corridor leaves; None for a place."""
        return ends(self.code)[0]

    @property
    def destination(self) -> str | None:
        """Code of the place to which a corridor leads; None for a place."""
        return ends(self.code)[1]

    def name(self, language: str = "en") -> str:
        """Return the name in a language, in English where there is none."""
        return self.names.get(language, self.names["en"])


@cache
def _central_asia() -> dict[str, Location]:
    with (shelf("data") / "locations.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["code"]: Location(
                row["code"],
                row["parent"] or None,
                {column[5:]: cell for column, cell in row.items() if column.startswith("name_")},
            )
            for row in csv.DictReader(file)
        }


def canonical(location: str) -> str:
    """Return the code of a location in its one spelling.

    Parameters
    ----------
    location : str
        A code in any case, merged parts in any order; or a name of a country or region, as
        the package or ISO 3166 writes it in English (those of Central Asia also in Russian,
        Kazakh, Kyrgyz and Uzbek).

    Returns
    -------
    str
        The code, in upper case and with sorted parts. What is neither a code nor a known name
        comes back in upper case, for `find` to refuse.

    Examples
    --------
    >>> canonical("kz-79+KZ-61"), canonical("Kazakhstan"), canonical("Uzbekistan → rus")
    ('KZ-61+KZ-79', 'KAZ', 'UZB:RUS')
    """
    return _canonical(str(location))


@lru_cache(maxsize=16_384)
def _canonical(location: str) -> str:
    if len(two := _ARROW.split(location)) == 2:
        return ":".join(map(_canonical, two))
    spelled = _spelled(location)
    if _CODES.fullmatch(spelled):
        return spelled
    name = location.strip().casefold()
    return _codes_by_name(False).get(name) or _codes_by_name(True).get(name) or spelled


def _spelled(code: str) -> str:
    units = (unit.split("+") for unit in code.split(":"))
    return ":".join("+".join(sorted(part.strip().upper() for part in unit)) for unit in units)


def ends(code: str) -> tuple[str, str] | tuple[None, None]:
    """Return the codes of origin and destination of a corridor; (None, None) for a place.

    Examples
    --------
    >>> ends("UZB:RUS"), ends("UZB")
    (('UZB', 'RUS'), (None, None))
    """
    origin, colon, destination = code.partition(":")
    return (origin, destination) if colon else (None, None)


@cache
def _codes_by_name(everywhere: bool) -> dict[str, str]:
    """Return codes by name in small letters; names that stand for several are left out."""
    named = [
        (name, place.code) for place in _central_asia().values() for name in place.names.values()
    ]
    if everywhere:
        # The ISO tables are read only for names outside the shipped list.
        import pycountry

        named = [
            (name, country.alpha_3)
            for country in pycountry.countries
            for name in {country.name, getattr(country, "common_name", country.name)}
            | {cldr_name(country.alpha_3, "en") or country.name}
        ]
    codes: dict[str, set[str]] = {}
    for name, code in named:
        codes.setdefault(name.casefold(), set()).add(code)
    return {name: min(several) for name, several in codes.items() if len(several) == 1}


def find(code: str) -> Location:
    """Look a location up by its code.

    Parameters
    ----------
    code : str
        ``"KAZ"``, ``"KZ-75"``, a merged unit ``"KZ-61+KZ-79"`` (parts in any order) or a corridor
        ``"UZB:RUS"``.

    Returns
    -------
    Location

    Raises
    ------
    UnknownNameError
        If ISO 3166 has no such code; the message names the nearest ones.
    DataError
        If a corridor leads from a place to itself, or has more than two ends.
    """
    return _find(_spelled(str(code)))


@cache
def _find(code: str) -> Location:
    known = _central_asia()
    if code in known:
        return known[code]
    if ":" in code:
        return _corridor(code)
    if "+" in code:
        parts = [_find(part) for part in code.split("+")]
        parents = {part.parent for part in parts}
        if len(parents) > 1:
            raise UnknownNameError(
                f"merged unit {code!r} joins places of different countries or levels. "
                "Join regions of one country, or countries."
            )
        spoken = set.intersection(*(set(part.names) for part in parts))
        joined = {one: " + ".join(part.names[one] for part in parts) for one in spoken}
        return Location(code, parents.pop(), joined)
    if code in _USER_ASSIGNED:
        return Location(code, None, {"en": _USER_ASSIGNED[code]})
    # The ISO tables are read only for places outside the shipped list.
    import pycountry

    if _REGION.fullmatch(code):
        region = pycountry.subdivisions.get(code=code)  # type: ignore[no-untyped-call]
        if region is not None:
            return Location(code, region.country.alpha_3, {"en": region.name})
    else:
        country = pycountry.countries.get(alpha_3=code) if len(code) == 3 else None
        if country is not None:
            name = getattr(country, "common_name", country.name)
            return Location(code, None, {"en": name})
    raise _unknown(code)


def _corridor(code: str) -> Location:
    two = code.split(":")
    if len(two) != 2:
        raise DataError(f"{code!r} is no corridor: write ORIGIN:DESTINATION, such as UZB:RUS.")
    try:
        origin, destination = map(_find, two)
    except UnknownNameError as error:
        raise UnknownNameError(f"corridor {code}: {error}") from None
    if origin == destination:
        raise DataError(
            f"corridor {code} leads from {origin.name()} to itself. Moves inside a place are "
            "internal_arrivals and internal_departures of its parts."
        )
    spoken = next(iter(_central_asia().values())).names
    named = ([_in_short(end, one) for end in (origin, destination)] for one in spoken)
    return Location(code, None, dict(zip(spoken, map(" → ".join, named))))


def _in_short(place: Location, language: str) -> str:
    """Return a name as it is spoken: Russia, not the Russian Federation of ISO 3166."""
    shipped = place.code in _central_asia() and place.names.get(language)
    return shipped or cldr_name(place.code, language) or place.name(language)


def _unknown(code: str) -> UnknownNameError:
    """Name the code that a place's name stands for, else the nearest codes, ours first."""
    import pycountry

    known = _central_asia()
    named = canonical(code)
    if named != code:
        return UnknownNameError(f"unknown location {code!r}. Write its code, {named}.")
    near = difflib.get_close_matches(code, known, n=3, cutoff=0.6)
    everywhere = [*known, *_USER_ASSIGNED, *(country.alpha_3 for country in pycountry.countries)]
    return unknown_name("location", code, near or everywhere)


def name(code: str, language: str = "en") -> str:
    """Return the name of a location in a language, in English where there is none.

    The package names places of Central Asia, the Unicode CLDR other countries.

    Parameters
    ----------
    code : str
        Code or name of a country, a region, regions merged with ``+``, or of a corridor.
    language : str
        ISO 639-1, such as ``"ru"``; English where a place has no name in it.

    Returns
    -------
    str

    Raises
    ------
    UnknownNameError
        If there is no such place.

    Examples
    --------
    >>> name("KZ-23", "kk"), name("DEU", "uz")
    ('Атырау облысы', 'Germaniya')
    >>> name("UZB:RUS")
    'Uzbekistan → Russia'
    """
    place = find(code)
    return place.names.get(language) or cldr_name(place.code, language) or place.name()


def country_of(code: str) -> str:
    """Return the country code that a location belongs to; a country or corridor is its own."""
    location = find(code)
    return location.parent or location.code


def regions(country: str) -> list[str]:
    """Return the codes of the single regions that make up a country, in order.

    Those of Central Asia are as its offices count today; of other countries, the
    subdivisions of ISO 3166-2 that lie in no other one, without those that are counted apart
    (Aruba, Puerto Rico, Svalbard). Figures by smaller regions (Spanish provinces), or by other
    ones, make up no country here.

    Examples
    --------
    >>> len(regions("KAZ")), len(regions("CHE"))
    (20, 26)
    """
    parent = canonical(country)
    shipped = _central_asia()
    if parent in shipped:
        return [
            code for code, place in shipped.items() if place.parent == parent and "+" not in code
        ]
    return list(subdivisions(parent))


def parts(code: str) -> list[str]:
    """Return the single codes that a merged unit is made of."""
    code = canonical(code)
    return [code] if ":" in code else code.split("+")
