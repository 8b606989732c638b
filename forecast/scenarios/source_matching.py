"""Which entry of a scenario counts a source that it may not name."""

from __future__ import annotations

import dataclasses

from forecast import locations
from forecast.outlook import Forecast
from forecast.scenarios.stated import Place, Shock

#: Measures that only a register has: who came and who left, counted one by one.
_GROSS = ("immigration", "emigration")
#: How each source of a place is counted, in words.
Said = dict[tuple[str, str], str]


def settled(shock: Shock, outlook: Forecast) -> tuple[Shock, Said]:
    """Add the sources of a forecast that a scenario does not name to the entries for them.

    Parameters
    ----------
    shock : Shock
    outlook : Forecast

    Returns
    -------
    Shock
        A source that no entry names, but that has arrivals or departures of the country, is
        now named by the entry for registers, if there is one.
    dict of (location, source) to str
        Which entry counts each source that has one, and how that is known.

    Notes
    -----
    A register shows a small part of what the UN shows, so that the wrong entry is wrong by
    several times. A net alone does not say which of the two it is; without an entry for
    all other sources such a source is left as it is. A source is counted by one entry in
    all its measures, so that its net stays arrivals less departures.
    """
    held: dict[tuple[str, str], set[str]] = {}
    for source, code, measure in outlook.history.keys:
        held.setdefault((locations.country_of(code), source), set()).add(measure)
    said: Said = {}
    places = []
    for place in shock.places:
        counted = list(place.counted)
        for (country, source), measures in sorted(held.items()):
            if country != place.location:
                continue
            inferred = _register(place, source, measures)
            if inferred is not None:
                entry = counted[inferred]
                counted[inferred] = dataclasses.replace(entry, sources=(*entry.sources, source))
            number = place.counted_by(source) if inferred is None else inferred
            if number is not None:
                said[country, source] = _how(place, source, number, inferred is not None)
        places.append(dataclasses.replace(place, counted=tuple(counted)))
    return dataclasses.replace(shock, places=tuple(places)), said


def unsaid(place: Place) -> str:
    """Return why a source stays as it is that no entry of a place is about."""
    known = ", ".join(sorted({name for entry in place.counted for name in entry.sources}))
    return (
        "the scenario does not say what this source counts; name it in [[place.counted]], or "
        f"give the table the name of a source that is counted: {known or 'none'}"
    )


def _register(place: Place, source: str, measures: set[str]) -> int | None:
    """Return the entry for registers if a source that is not named is told to be one."""
    if place.naming(source) or not measures.intersection(_GROSS):
        return None
    entries = [i for i, entry in enumerate(place.counted) if entry.register]
    # Of several registers one may be for those that have no entry of their own.
    open_ = [i for i in entries if not place.counted[i].sources]
    chosen = open_ or entries
    return chosen[0] if len(chosen) == 1 else None


def _how(place: Place, source: str, number: int, inferred: bool) -> str:
    entry = place.counted[number]
    names = ", ".join(entry.sources)
    if inferred:
        stated = f" ({names})" if names else ""
        return f"entry {number + 1}{stated}: it has arrivals or departures, so a register"
    if source in entry.sources:
        return f"entry {number + 1} ({names})"
    return f"entry {number + 1}: all sources that no other entry names"
