"""ISO 3166 and the Unicode CLDR: codes, numbers, names and subdivisions of countries."""

from __future__ import annotations

from functools import cache
from typing import Any

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
