"""Names of countries and regions in seven spellings, matched to ISO 3166 codes."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import NamedTuple

from forecast import locations
from forecast.data.tables.words import folded, meaning, phrases, unmarked
from forecast.shelf import shelf

_FILLERS = {"of", "the"}
_CODE = re.compile(
    r"[A-Za-z]{3}|[0-9]{3}|[A-Za-z]{2}-[A-Za-z0-9]{1,3}(?:\s*\+\s*[A-Za-z]{2}-[A-Za-z0-9]{1,3})*"
)
#: What stands between origin and destination of a corridor.
_ARROW = re.compile(r"\s*(?::|→|->)\s*")
#: Codes of two letters that Eurostat writes and ISO 3166 does not.
_EUROSTAT = {"EL": "GRC", "UK": "GBR", "XK": "XKX"}
_AGGREGATE = re.compile(r"(?:EU|EA|EEA)[0-9]{2}(?:_[0-9]{4})?|OWID_(?!KOS$)[A-Z0-9]+|W[0-9]{2}")
#: Languages in which countries of the whole world are known.
_LANGUAGES = ("en", "ru", "ky", "kk", "uz", "uz_Cyrl")


class Match(NamedTuple):
    """What a name stands for.

    Attributes
    ----------
    code : str
        ISO 3166 code; empty if the name stands for none or for several.
    candidates : tuple of str
        Codes between which the name does not decide.
    """

    code: str
    candidates: tuple[str, ...] = ()


def _key(name: str) -> tuple[str, str]:
    """Split a name into its stem and the kind of place it says it is."""
    kinds, stem = set(), []
    for word in folded(unmarked(name)[0]).split():
        if kind := meaning("place_kind", word):
            kinds.add(kind)
        elif word not in _FILLERS:
            stem.append(word)
    return " ".join(stem), kinds.pop() if len(kinds) == 1 else ""


@cache
def _known() -> tuple[dict[str, set[str]], dict[str, set[str]], dict[str, list[tuple[str, str]]]]:
    """Return codes by stem, kinds by code, and (name, code) by folded name."""
    stems: dict[str, set[str]] = {}
    kinds: dict[str, set[str]] = {}
    written: dict[str, list[tuple[str, str]]] = {}
    with (shelf("data") / "place_names.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            stem, kind = _key(row["name"])
            stems.setdefault(stem, set()).add(row["code"])
            kinds.setdefault(row["code"], set())
            if kind:
                kinds[row["code"]].add(kind)
            written.setdefault(folded(row["name"]), []).append((row["name"], row["code"]))
    return stems, kinds, written


@cache
def _world() -> dict[str, str]:
    """Return alpha-3 codes of all countries by folded name, in English and five languages more."""
    import pycountry
    from babel import Locale

    table: dict[str, set[str]] = {}
    spoken = [Locale.parse(language).territories for language in _LANGUAGES]
    for country in pycountry.countries:
        stated = {country.name, getattr(country, "common_name", ""), country.alpha_2}
        stated |= {names.get(country.alpha_2, "") for names in spoken}
        for name in stated - {""}:
            table.setdefault(_key(name)[0] or folded(name), set()).add(country.alpha_3)
    return {name: next(iter(codes)) for name, codes in table.items() if len(codes) == 1}


@lru_cache(maxsize=16384)
def match(name: str) -> Match:
    """Return the code of a place's name, or that there is none.

    Parameters
    ----------
    name : str
        A code, or a name in English, Russian, Kyrgyz, Kazakh or Uzbek (the last two also in
        Latin letters), today's or a former one, with or without its word for region or city.

    Examples
    --------
    >>> match("Алматинская обл.").code, match("Farg'ona viloyati").code
    ('KZ-19', 'UZ-FA')
    >>> match("Алматы").candidates
    ('KZ-19', 'KZ-75')
    """
    import pycountry

    plain = unmarked(name)[0]
    if len(two := _ARROW.split(plain)) == 2:
        matched = [match(end).code for end in two]
        return Match(":".join(matched) if all(matched) and matched[0] != matched[1] else "")
    if _CODE.fullmatch(plain):
        code = plain.replace(" ", "")
        if plain.isdecimal():
            # The numbers of ISO 3166-1, which the UN use as well (M49).
            country = pycountry.countries.get(numeric=plain)
            code = "" if country is None else country.alpha_3
        try:
            return Match(locations.find(code).code)
        except LookupError:
            pass
    if plain in _EUROSTAT or plain == "OWID_KOS":
        return Match(_EUROSTAT.get(plain, "XKX"))
    stems, kinds, written = _known()
    exact = {code for _, code in written.get(folded(plain), ())}
    stem, kind = _key(plain)
    codes = stems.get(stem, set())
    if kind:
        codes = {code for code in codes if kind in kinds[code] or not kinds[code]}
    elif len(codes) > 1 and len(exact) == 1 and not _shared(stem):
        codes = exact
    if len(codes) == 1:
        return Match(next(iter(codes)))
    if codes:
        return Match("", tuple(sorted(codes)))
    if stem and kind != "region" and stem in _world():
        return Match(_world()[stem])
    return Match("")


def to_itself(name: str) -> str:
    """Return the code of the place that a corridor leads from and to, or an empty text.

    Parameters
    ----------
    name : str
        As a cell has it, such as ``KAZ:KAZ``.
    """
    matched = [match(end).code for end in _ARROW.split(unmarked(name)[0])]
    return matched[0] if len(matched) == 2 and matched[0] == matched[1] else ""


def is_aggregate(name: str) -> bool:
    """Whether a name or code stands for a group of countries, such as ``World`` or ``EU27_2020``.

    Never true of what is a place as well.
    """
    plain = unmarked(name)[0]
    grouped = meaning("aggregate", plain) is not None or _AGGREGATE.fullmatch(plain) is not None
    return grouped and not match(plain).code


def _shared(stem: str) -> bool:
    """Whether a city and a region go by one name."""
    stems, kinds, _ = _known()
    return len(stems.get(stem, set())) > 1 and all(kinds[code] for code in stems[stem])


def nearest(name: str) -> tuple[str, ...]:
    """Return up to three known names that come near, with their codes; to suggest, not to apply."""
    from rapidfuzz import fuzz, process

    _, _, written = _known()
    near = process.extract(
        folded(name), list(written), scorer=fuzz.ratio, processor=None, limit=6, score_cutoff=60
    )
    shown: dict[str, str] = {}
    for key, *_ in near:
        spelled, code = written[key][0]
        shown.setdefault(code, f"{spelled} ({code})")
    return tuple(shown.values())[:3]


def settle(names: Iterable[str]) -> dict[str, Match]:
    """Match all names of a table; a name shared by a city and its region goes by elimination.

    ``"Алматы"`` beside ``"Алматинская область"`` is the city, beside ``"Алматы қаласы"`` the
    region; alone it stays undecided.
    """
    found = {name: match(name) for name in names}
    taken = {one.code for one in found.values() if one.code}
    for name, one in found.items():
        left = [code for code in one.candidates if code not in taken]
        if len(one.candidates) > 1 and len(left) == 1:
            found[name] = Match(left[0], one.candidates)
    return found


def country_in(text: str) -> str | None:
    """Return the country that a title speaks of in any case ending, if the list has its stem."""
    plain = folded(text)
    stems = phrases("country_stem")
    codes = {code for stem, code in stems if re.search(rf"\b{stem}", plain)}
    return codes.pop() if len(codes) == 1 else None
