"""Reads shock scenarios: small TOML files that say who, when, how many and how sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from forecast import locations
from forecast.config import read_toml
from forecast.errors import DataError, unknown_name
from forecast.scenarios.shock import (
    ARRIVALS,
    DEPARTURES,
    AffectedCountry,
    Counted,
    Evidence,
    Shock,
    amount,
)
from forecast.shelf import shelf

#: Keys of a scenario, and of the tables in it. Those after the bar may be missing.
_SCENARIO = ("title", "summary", "judgement", "when", "fading", "place", "source"), ("returns",)
_PLACE = ("location", "direction", "people", "counted"), ("regions",)
_COUNTED = ("share", "because"), ("sources", "register")
_SOURCE = ("title", "figure"), ("link",)
_WHEN = ("first", "last"), ()
_FADING = ("half_life",), ()
_RETURNS = ("share", "half_life"), ()
_YEARS = 1900, 2200


def names() -> list[str]:
    """Return the names of the scenarios that the package ships."""
    return sorted(path.stem for path in _folder().glob("*.toml"))


def read(given: str | Path | Mapping[str, Any]) -> Shock:
    """Read a shock scenario.

    Parameters
    ----------
    given : str, Path or mapping
        Name of a shipped scenario, a TOML file, or its content (perhaps with a ``name``).

    Returns
    -------
    Shock

    Raises
    ------
    DataError
        If the file is missing or is not TOML, or a value is not what it should be.
    UnknownNameError
        If a name or a key is not known; the message lists those that are.
    """
    if isinstance(given, Mapping):
        return _shock(given, str(given.get("name", "own")), "the scenario")
    path = Path(given)
    if path.suffix != ".toml" and not path.is_file():
        if str(given) not in names():
            raise unknown_name("scenario", str(given), names())
        path = _folder() / f"{given}.toml"
    content = read_toml(path, f"Give a TOML file, or one of: {', '.join(names())}.")
    return _shock(content, path.stem, path.name)


def _folder() -> Path:
    return shelf("models") / "scenarios"


def _shock(given: Mapping[str, Any], name: str, where: str) -> Shock:
    content = {key: value for key, value in given.items() if key != "name"}
    _keys(content, _SCENARIO, where)
    when = _table(content["when"], _WHEN, f"[when] of {where}")
    first, last = (_year(when[key], f"{key} in [when] of {where}") for key in ("first", "last"))
    if first > last:
        raise DataError(
            f"[when] of {where} runs from {first} to {last}. Give the earlier year first."
        )
    fading = _table(content["fading"], _FADING, f"[fading] of {where}")
    returns = content.get("returns")
    share = half = None
    if returns is not None:
        inside = f"[returns] of {where}"
        returns = _table(returns, _RETURNS, inside)
        share = amount(returns["share"], f"share in {inside}", least=0, most=1, unit="shares")
        half = amount(returns["half_life"], f"half_life in {inside}", least=0.05, unit="years")
    places = tuple(
        _place(table, f"[[place]] {number} of {where}")
        for number, table in enumerate(_tables(content["place"], "place", where), 1)
    )
    twice = [place.location for place in places]
    if len(set(twice)) < len(twice):
        raise DataError(f"{where} names a place twice: {', '.join(twice)}. Keep one [[place]].")
    title, summary, judgement = (
        _text(content[key], f"{key} of {where}") for key in ("title", "summary", "judgement")
    )
    half_life = f"half_life in [fading] of {where}"
    sources = enumerate(_tables(content["source"], "source", where), 1)
    return Shock(
        name,
        title,
        summary,
        judgement,
        first,
        last,
        amount(fading["half_life"], half_life, least=0.05, unit="years"),
        places,
        share,
        half,
        tuple(_evidence(table, f"[[source]] {number} of {where}") for number, table in sources),
    )


def _place(given: object, where: str) -> AffectedCountry:
    table = _table(given, _PLACE, where)
    place = locations.find(_text(table["location"], f"location in {where}"))
    if not place.is_country or "+" in place.code:
        raise DataError(
            f"{where} is about {place.code}, which is no single country. Name the country; "
            "regions share it out, see the key regions."
        )
    if table["direction"] not in (ARRIVALS, DEPARTURES):
        raise unknown_name(f"direction in {where}", table["direction"], (ARRIVALS, DEPARTURES))
    counted = tuple(
        _counted(entry, f"counted {number} in {where}")
        for number, entry in enumerate(_tables(table["counted"], "place.counted", where), 1)
    )
    for register in (False, True):
        if sum(not one.sources and one.register is register for one in counted) > 1:
            raise DataError(f"{where} has several counted entries without sources. Keep one.")
    people = amount(table["people"], f"people in {where}", least=0, unit="persons")
    return AffectedCountry(
        place.code, table["direction"], people, counted, _shares(table, place.code, where)
    )


def _shares(table: Mapping[str, Any], country: str, where: str) -> dict[str, float]:
    """Return the shares of regions as they are stated; none where population decides."""
    given = table.get("regions", "population")
    if given == "population":
        return {}
    if not isinstance(given, Mapping) or not given:
        raise DataError(
            f'regions in {where} is {given!r}; write "population", or a table of shares.'
        )
    shares = {}
    for code, share in given.items():
        if locations.country_of(code) != country or locations.canonical(code) == country:
            raise DataError(f"regions in {where} names {code}, which is no region of {country}.")
        shares[locations.canonical(code)] = amount(
            share, f"{code} in regions of {where}", least=0, most=1, unit="a share"
        ).low
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise DataError(
            f"the shares of regions in {where} add up to {sum(shares.values()):g}; make it 1."
        )
    return shares


def _counted(given: object, where: str) -> Counted:
    table = _table(given, _COUNTED, where)
    sources = table.get("sources", [])
    if not isinstance(sources, list) or not all(isinstance(name, str) for name in sources):
        raise DataError(f"sources in {where} is {sources!r}; give a list of names.")
    share = amount(table["share"], f"share in {where}", least=0, most=1, unit="shares")
    register = table.get("register", False)
    if not isinstance(register, bool):
        raise DataError(f"register in {where} is {register!r}; write true or false.")
    because = _text(table["because"], f"because in {where}")
    return Counted(tuple(sources), share, because, register)


def _evidence(given: object, where: str) -> Evidence:
    table = _table(given, _SOURCE, where)
    title, figure = (_text(table[key], f"{key} in {where}") for key in ("title", "figure"))
    link = str(table.get("link", ""))
    if link and not link.startswith(("https://", "http://")):
        raise DataError(f"link in {where} is {link!r}; give an address that starts with https://.")
    return Evidence(title, figure, link)


def _tables(given: object, name: str, where: str) -> Sequence[object]:
    if not isinstance(given, list) or not given:
        raise DataError(f"{where} holds no table [[{name}]]. Write at least one.")
    return given


def _table(
    given: object, known: tuple[tuple[str, ...], tuple[str, ...]], where: str
) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise DataError(f"{where} is {given!r}; write a table.")
    _keys(given, known, where)
    return given


def _keys(
    given: Mapping[str, Any], known: tuple[tuple[str, ...], tuple[str, ...]], where: str
) -> None:
    """Refuse a key that is not known, then one that is missing."""
    needed, optional = known
    for key in given:
        if key not in (*needed, *optional):
            raise unknown_name(f"key in {where}", key, (*needed, *optional))
    for key in needed:
        if key not in given:
            raise DataError(f"{where} lacks {key}. It needs {', '.join(needed)}.")


def _text(given: object, where: str) -> str:
    if not isinstance(given, str) or not given.strip():
        raise DataError(f"{where} is {given!r}; write a text.")
    return given


def _year(given: object, where: str) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or not _YEARS[0] < given < _YEARS[1]:
        raise DataError(f"{where} is {given!r}; give a calendar year.")
    return given
