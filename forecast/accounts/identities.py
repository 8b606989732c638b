"""Identities of the accounts: net = arrivals − departures, regions = country, corridors = total."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from forecast import locations
from forecast.series_key import SeriesKey

#: (source, location, measure) of a series, as everywhere.
Kind = Literal["net", "sum", "zero", "balance", "corridors"]
NETS = (
    ("net_migration", "immigration", "emigration"),
    ("internal_net", "internal_arrivals", "internal_departures"),
)
#: Measures whose regional figures add up to that of the country. Immigration of a region
#: from abroad does too; a move inside the country is no arrival there.
ADDITIVE = ("net_migration", "immigration", "emigration", "net_all_flows", "population")


@dataclass(frozen=True)
class Identity:
    """A sum of series that has to be zero in every year and every draw.

    Attributes
    ----------
    name : str
        What it says, in the words of the report, and of which sources.
    kind : {"net", "sum", "zero", "balance", "corridors"}
        A net and its gross flows, a total and its parts, parts that cancel out, two groups of
        parts that have the same sum, or departures (arrivals) and the corridors they go along.
    location : str
        The place it is about.
    terms : tuple of (key, float)
        Series and their coefficients; the first one is what the others determine (the net,
        the total).
    """

    name: str
    kind: Kind
    location: str
    terms: tuple[tuple[SeriesKey, float], ...]

    @property
    def keys(self) -> tuple[SeriesKey, ...]:
        """The series it is about."""
        return tuple(key for key, _ in self.terms)


def stated(keys: Iterable[SeriesKey]) -> list[Identity]:
    """Return the identities that series of these names have to obey.

    Parameters
    ----------
    keys : iterable of (source, location, measure)
        Series of one source obey: net = arrivals − departures; a country, or a merged unit,
        is the sum of regions that cover it once; internal nets of all regions add up to
        zero and internal arrivals to internal departures; departures of a place are the sum of
        its corridors, arrivals too (where corridors leave out some, figures break it, and it is
        not trusted). Between sources: the regions'
        net of all flows adds up to the country's net across its border, where the country
        itself has no net of all flows of that source. Whether the data obey
        it is another question; see `forecast.accounts.broken`.

    Returns
    -------
    list of Identity
        Sums come first, from the country downwards, then nets.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> [identity.name for identity in stated(panel.keys)]
    ['net_migration = immigration - emigration (kz-bns)']
    """
    known = sorted(set(keys))
    return [*_sums(known), *_across(known), *_internal(known), *_corridors(known), *_nets(known)]


def matrix(identities: Sequence[Identity], keys: Sequence[SeriesKey]) -> np.ndarray:
    """Return the coefficients A, shape (n_identities, n_keys); A x = 0 is coherent.

    Parameters
    ----------
    identities : sequence of Identity
        A row each.
    keys : sequence of (source, location, measure)
        A column each; all series of the identities are among them.
    """
    place = {key: position for position, key in enumerate(keys)}
    coefficients = np.zeros((len(identities), len(keys)))
    for row, identity in enumerate(identities):
        for key, coefficient in identity.terms:
            coefficients[row, place[key]] += coefficient
    return coefficients


def cover(whole: str, places: Iterable[str]) -> list[str]:
    """Return the largest places inside a location that make it up exactly, or none.

    Parameters
    ----------
    whole : str
        A country or a merged unit.
    places : iterable of str
        Codes to choose from.

    Returns
    -------
    list of str
        Empty if they overlap, leave something out, or there are fewer than two.

    Examples
    --------
    >>> cover("KZ-61+KZ-79", ["KZ-61", "KZ-79", "KZ-11"])
    ['KZ-61', 'KZ-79']
    """
    wanted = _units(whole)
    inside = {place: _units(place) for place in places if place != whole}
    inside = {place: units for place, units in inside.items() if units and units < wanted}
    maximal = [
        place
        for place, units in inside.items()
        if not any(units < other for other in inside.values())
    ]
    units = [unit for place in maximal for unit in inside[place]]
    exact = len(units) == len(set(units)) and set(units) == wanted
    return sorted(maximal) if exact and len(maximal) > 1 else []


def _units(place: str) -> frozenset[str]:
    """Return the single regions of a location; all of them for a country."""
    if locations.find(place).is_country and "+" not in place:
        return frozenset(locations.regions(place))
    return frozenset(locations.parts(place))


def _by(known: Sequence[SeriesKey], measure: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for source, place, counted in known:
        if counted == measure:
            found.setdefault(source, []).append(place)
    return found


def _sums(known: Sequence[SeriesKey]) -> list[Identity]:
    made = []
    for measure in ADDITIVE:
        for source, places in _by(known, measure).items():
            # The largest first, so that what is handed down is final when it is reached.
            for whole in sorted(places, key=lambda place: (-len(_units(place)), place)):
                parts = cover(whole, places)
                if parts:
                    terms = [((source, whole, measure), 1.0)]
                    terms += [((source, part, measure), -1.0) for part in parts]
                    name = f"{measure} of {len(parts)} regions = {whole} ({source})"
                    made.append(Identity(name, "sum", whole, tuple(terms)))
    return made


def _across(known: Sequence[SeriesKey]) -> list[Identity]:
    """Link a country's net across the border to the net of all flows of another source."""
    national = [
        (source, place)
        for source, place, measure in known
        if measure == "net_migration" and locations.find(place).is_country
    ]
    made = []
    for source, places in _by(known, "net_all_flows").items():
        for register, country in national:
            if register == source:
                continue
            total = (register, country, "net_migration")
            parts = [country] if country in places else cover(country, places)
            if not parts:
                continue
            terms = [(total, 1.0), *(((source, part, "net_all_flows"), -1.0) for part in parts)]
            name = f"net of all flows ({source}) = net migration ({register})"
            made.append(Identity(name, "sum", country, tuple(terms)))
    return made


def _internal(known: Sequence[SeriesKey]) -> list[Identity]:
    made = []
    for source, places in _by(known, "internal_net").items():
        for country, parts in _complete(places):
            terms = tuple(((source, part, "internal_net"), 1.0) for part in parts)
            made.append(
                Identity(f"internal nets add up to zero ({source})", "zero", country, terms)
            )
    arrivals, departures = (_by(known, f"internal_{flow}") for flow in ("arrivals", "departures"))
    for source in sorted(set(arrivals) & set(departures)):
        both = sorted(set(arrivals[source]) & set(departures[source]))
        for country, parts in _complete(both):
            terms = tuple(
                ((source, part, f"internal_{flow}"), sign)
                for flow, sign in (("arrivals", 1.0), ("departures", -1.0))
                for part in parts
            )
            name = f"internal arrivals = internal departures ({source})"
            made.append(Identity(name, "balance", country, terms))
    return made


def _complete(places: Sequence[str]) -> list[tuple[str, list[str]]]:
    countries = sorted({locations.country_of(place) for place in places})
    covered = [(country, cover(country, places)) for country in countries]
    return [(country, parts) for country, parts in covered if parts]


def _corridors(known: Sequence[SeriesKey]) -> list[Identity]:
    """State that corridors from a place make up its departures, and those to it its arrivals."""
    by_end: dict[tuple[str, str, str], list[SeriesKey]] = {}
    for source, code, measure in known:
        if measure == "flow":
            origin, destination = locations.ends(code)
            for place, total in ((origin, "emigration"), (destination, "immigration")):
                by_end.setdefault((source, str(place), total), []).append((source, code, measure))
    made = []
    for key in known:
        flows = by_end.get(key, [])
        if len(flows) > 1:
            source, place, total = key
            way = "from" if total == "emigration" else "to"
            name = f"{len(flows)} corridors {way} {place} = {total} ({source})"
            terms = ((key, 1.0), *((flow, -1.0) for flow in flows))
            made.append(Identity(name, "corridors", place, terms))
    return made


def _nets(known: Sequence[SeriesKey]) -> list[Identity]:
    there = set(known)
    made = []
    for source, place, measure in known:
        for net, into, out in NETS:
            gross = (source, place, into), (source, place, out)
            if measure == net and gross[0] in there and gross[1] in there:
                terms = (((source, place, net), 1.0), (gross[0], -1.0), (gross[1], 1.0))
                made.append(Identity(f"{net} = {into} - {out} ({source})", "net", place, terms))
    return made
