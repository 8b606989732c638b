"""Countries and regions: which codes exist, what they are called, which belongs to which."""

from __future__ import annotations

import csv
import difflib
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from forecast.errors import UnknownNameError, unknown_name
from forecast.shelf import shelf

Language = Literal["en", "ru"]

#: UN areas without a code in force in ISO 3166-1: Kosovo, and the Netherlands Antilles,
#: whose ANT was withdrawn in 2010 and which older UN vintages still report as one.
_USER_ASSIGNED = {"XKX": "Kosovo", "ANT": "Netherlands Antilles (until 2010)"}
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
_REGION = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class Location:
    """One country, region or merged unit.

    Attributes
    ----------
    code : str
        ISO 3166-1 alpha-3 (country), ISO 3166-2 (region), or codes joined by ``+``.
    parent : str or None
        Code of the country that a region belongs to; None for a country.
    names : dict of str
        Name by language; ``"en"`` is always there.
    """

    code: str
    parent: str | None
    names: dict[str, str]

    @property
    def is_country(self) -> bool:
        """Whether this is a country (or a sum of countries) rather than a region."""
        return self.parent is None

    def name(self, language: str = "en") -> str:
        """Return the name in a language, in English where there is none."""
        return self.names.get(language, self.names["en"])


@dataclass(frozen=True, slots=True)
class Change:
    """One change of regional boundaries.

    Attributes
    ----------
    country : str
    year : int or None
        Year in which figures change over; None if it is not known.
    kind : {"split", "transfer", "counted together"}
        A region became several; territory went from one to another; older tables count
        several as one.
    before, after : tuple of str
        Codes before and after.
    people : int or None
        Persons who changed region with their territory, where it is known.
    remark, source : str
    """

    country: str
    year: int | None
    kind: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    people: int | None
    remark: str
    source: str

    @property
    def parts(self) -> frozenset[str]:
        """All single codes concerned."""
        return frozenset(part for code in (*self.before, *self.after) for part in code.split("+"))


@cache
def _changes() -> tuple[Change, ...]:
    with (shelf("data") / "boundaries.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Change(
                row["country"],
                int(row["year"]) if row["year"] else None,
                row["kind"],
                tuple(row["from"].split()),
                tuple(row["to"].split()),
                int(row["people"]) if row["people"] else None,
                row["remark"],
                row["source"],
            )
            for row in csv.DictReader(file)
        )


def changes(country: str, first: int | None = None, last: int | None = None) -> tuple[Change, ...]:
    """Return the boundary changes of a country, of some years if they are given.

    A change whose year is not known belongs to any stretch of years.
    """
    parent = canonical(country)
    return tuple(
        change
        for change in _changes()
        if change.country == parent
        and (change.year is None or first is None or change.year > first)
        and (change.year is None or last is None or change.year <= last)
    )


def constant_units(country: str, first: int, last: int, *, transfers: bool = False) -> list[str]:
    """Return regions, merged where need be, that cover the same area from one year to another.

    Parameters
    ----------
    country : str
    first, last : int
        Years. Regions that were split after `first` are merged: before, their parts had no
        figures.
    transfers : bool
        Also merge regions between which territory moved from `first` to `last`; without it
        the year of the transfer is missing from their series.

    Returns
    -------
    list of str
        Codes that make up the country once.

    Examples
    --------
    >>> len(constant_units("KAZ", 2000, 2024)), len(constant_units("KAZ", 2022, 2024))
    (16, 20)
    """
    units = [{region} for region in regions(country)]
    moved = changes(country, first, last) if transfers else ()
    for change in changes(country, first):
        if change.kind == "split" or (change.kind == "transfer" and change in moved):
            touched = [unit for unit in units if unit & change.parts]
            units = [unit for unit in units if not unit & change.parts]
            units.append(set().union(*touched))
    return sorted(canonical("+".join(unit)) for unit in units)


@cache
def _central_asia() -> dict[str, Location]:
    with (shelf("data") / "locations.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["code"]: Location(
                row["code"], row["parent"] or None, {"en": row["name_en"], "ru": row["name_ru"]}
            )
            for row in csv.DictReader(file)
        }


def canonical(code: str) -> str:
    """Return the code in its one spelling: upper case, merged parts in sorted order."""
    return "+".join(sorted(part.strip().upper() for part in str(code).split("+")))


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


def find(code: str) -> Location:
    """Look a location up by its code.

    Parameters
    ----------
    code : str
        ``"KAZ"``, ``"KZ-75"`` or a merged unit ``"KZ-61+KZ-79"`` (parts in any order).

    Returns
    -------
    Location

    Raises
    ------
    UnknownNameError
        If ISO 3166 has no such code; the message names the nearest ones.
    """
    return _find(canonical(code))


@cache
def _find(code: str) -> Location:
    known = _central_asia()
    if code in known:
        return known[code]
    if "+" in code:
        parts = [_find(part) for part in code.split("+")]
        parents = {part.parent for part in parts}
        if len(parents) > 1:
            raise UnknownNameError(
                f"merged unit {code!r} joins places of different countries or levels. "
                "Join regions of one country, or countries."
            )
        return Location(code, parents.pop(), {"en": " + ".join(part.name() for part in parts)})
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


def _unknown(code: str) -> UnknownNameError:
    """Name the code that a place's name stands for, else the nearest codes, ours first."""
    import pycountry

    known = _central_asia()
    for place in known.values():
        if code in {spelling.upper() for spelling in place.names.values()}:
            return UnknownNameError(f"unknown location {code!r}. Write its code, {place.code}.")
    near = difflib.get_close_matches(code, known, n=3, cutoff=0.6)
    everywhere = [*known, *_USER_ASSIGNED, *(country.alpha_3 for country in pycountry.countries)]
    return unknown_name("location", code, near or everywhere)


def name(code: str, language: str = "en") -> str:
    """Return the name of a location in a language (``"en"`` or ``"ru"``)."""
    return find(code).name(language)


def country_of(code: str) -> str:
    """Return the country code that a location belongs to; a country returns itself."""
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
    return list(_subdivisions(parent))


@cache
def _subdivisions(country: str) -> tuple[str, ...]:
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


def parts(code: str) -> list[str]:
    """Return the single codes that a merged unit is made of."""
    return canonical(code).split("+")
