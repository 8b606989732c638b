"""From a stated shock to draws: who moves and back, who counts it, and accounts that add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast import locations
from forecast.accounts.audit import TOLERANCE, about, check
from forecast.accounts.identities import cover, matrix, stated
from forecast.errors import DataError
from forecast.outlook import Forecast
from forecast.scenarios.shock import DEPARTURES, AffectedCountry, Shock
from forecast.series_key import SeriesKey


@dataclass(frozen=True, eq=False)
class Movement:
    """What a shock does to one country, in each draw.

    Attributes
    ----------
    place : AffectedCountry
        The country, and who counts them.
    start : ndarray of int, shape (n_draws,)
        Year in which it starts.
    people : ndarray, shape (n_draws,)
        All who move, over all years together, before anybody moves back.
    arrivals, departures : ndarray, shape (n_draws, n_years)
        People who really come and go, persons per calendar year, zero or more; on a corridor,
        along it and back.
    shares : ndarray, shape (n_draws, n_counted)
        Share of them that each entry of ``place.counted`` shows.
    """

    place: AffectedCountry
    start: np.ndarray
    people: np.ndarray
    arrivals: np.ndarray
    departures: np.ndarray
    shares: np.ndarray


def movements(shock: Shock, years: np.ndarray, n_draws: int, seed: int) -> list[Movement]:
    """Draw what a shock does to each of its countries.

    Parameters
    ----------
    years : ndarray of int, shape (n_years,)
        Consecutive calendar years.
    seed : int
        Source of all randomness; nothing else changes the numbers.

    Returns
    -------
    list of Movement
        One per place. It is one event: the year of its start, how fast it fades and how
        large it is (as a quantile of each place's range) are the same in every place of a
        draw. The share counted is drawn for each place and entry by itself.
    """
    event, *places = np.random.SeedSequence(seed).spawn(1 + len(shock.places))
    generator = np.random.default_rng(event)
    start = generator.integers(shock.first, shock.last, size=n_draws, endpoint=True)
    size = generator.random(n_draws)
    profile = spread(
        years[None, :] - start[:, None], shock.fading.half_life.draw(generator, n_draws)
    )
    going_back = shock.returns and (
        shock.returns.share.draw(generator, n_draws),
        shock.returns.half_life.draw(generator, n_draws),
    )
    found = []
    for place, own in zip(shock.places, places):
        people = place.people.quantile(size)
        there = people[:, None] * profile
        again = moved_back(there, *going_back) if going_back else np.zeros_like(there)
        shares = np.random.default_rng(own).random((n_draws, len(place.counted)))
        counted = [entry.share.quantile(shares[:, i]) for i, entry in enumerate(place.counted)]
        into, out = (there, again) if place.direction != DEPARTURES else (again, there)
        found.append(Movement(place, start, people, into, out, np.stack(counted, axis=1)))
    return found


def spread(elapsed: np.ndarray, half_life: np.ndarray) -> np.ndarray:
    """Return which part of all moves in the years after the start.

    Parameters
    ----------
    elapsed : ndarray of int, shape (n_draws, n_years)
        Years since the start; negative before it.
    half_life : ndarray, shape (n_draws,)
        Years.

    Returns
    -------
    ndarray, shape (n_draws, n_years)
        Of year k, (1 - r) r^k with r = 2^(-1 / half-life): over all years it adds up to 1.
    """
    rate = 0.5 ** (1 / half_life)[:, None]
    return np.where(elapsed >= 0, (1 - rate) * rate ** np.maximum(elapsed, 0), 0.0)


def moved_back(moved: np.ndarray, share: np.ndarray, half_life: np.ndarray) -> np.ndarray:
    """Return how many move back in each year, from the year after they came.

    Parameters
    ----------
    moved : ndarray, shape (n_draws, n_years)
        Persons who move in each year.
    share : ndarray, shape (n_draws,)
        Share of them that moves back at some time.
    half_life : ndarray, shape (n_draws,)
        Years after which half of that share has moved back.
    """
    stays = 0.5 ** (1 / half_life)
    waiting = np.zeros(len(moved))
    back = np.zeros_like(moved)
    for year in range(1, moved.shape[1]):
        waiting = waiting + share * moved[:, year - 1]
        back[:, year] = (1 - stays) * waiting
        waiting = stays * waiting
    return back


#: Measures that only a register has: who came and who left, counted one by one.
_GROSS = ("immigration", "emigration")
#: How each source of a place is counted, in words.
CountedBy = dict[tuple[str, str], str]
MOVED, UNTOUCHED = "moved", "untouched"
_COLUMNS = ["source", "location", "measure", "status", "part", "reason", "counted"]


def accounts(
    outlook: Forecast, moved: Sequence[Movement], name: str, counted_by: CountedBy | None = None
) -> tuple[np.ndarray, pd.DataFrame]:
    """Share a movement out over the series of a forecast.

    Parameters
    ----------
    name : str
        Name of the scenario, for messages.
    counted_by : dict, optional
        Which entry counts each source, in words; see `settled`.

    Returns
    -------
    added : ndarray, shape (n_draws, n_series, n_years)
        Persons per calendar year.
    effects : DataFrame
        One row per series of the countries concerned: ``source, location, measure, status,
        part, reason, counted``; ``part`` is the region's share in its country, ``counted``
        the entry that says how much of a movement the source shows.

    Raises
    ------
    DataError
        If the scenario breaks an account that adds up in every draw of the forecast.

    Notes
    -----
    Arrivals raise immigration and, by as much, every net; departures raise emigration and
    lower it. A country's movement is shared out over its regions, so that they still add up:
    by the shares that the scenario states, else by population. Moves inside the country and
    population itself stay as they are, and are listed with the reason. All series of one
    source take the same share of those who really move, so whatever identity the baseline
    obeys in a draw, it obeys with the shock too; between sources it does if the scenario
    counts them in one entry.
    """
    series = outlook.series
    paths = outlook.paths
    added = np.zeros(tuple(paths.sizes[dim] for dim in ("draw", "series", "year")))
    people = last_population(outlook)
    rows = []
    legs = [(one, *leg) for one in moved for leg in one.place.reached.items()]
    for movement, location, takes in legs:
        place = movement.place
        ours = series[series["location"].map(locations.country_of) == location]
        for source, group in ours.groupby("source", sort=True):
            entry = place.counted_by(str(source))
            known = {
                str(row.location): people.get((str(source), str(row.location), str(row.measure)))
                for row in group.itertuples()
            }
            parts = _parts(location, known, place.regions)
            for position, row in zip(group.index, group.itertuples()):
                reason = _reason(row, place, parts, takes)
                counted = (
                    "" if reason else (counted_by or {}).get((place.location, str(source)), "")
                )
                part = parts.get(str(row.location), 0.0)
                rows.append(
                    [row.source, row.location, row.measure, UNTOUCHED if reason else MOVED,
                     np.nan if reason else part, reason, counted]
                )  # fmt: skip
                if reason:
                    continue
                into, out = takes[str(row.measure)]
                flow = into * movement.arrivals + out * movement.departures
                added[:, position, :] += flow * (movement.shares[:, entry] * part)[:, None]
    _refuse_broken(outlook, added, name, [one.place for one in moved])
    effects = pd.DataFrame(rows, columns=_COLUMNS)
    if any(":" in one.place.location for one in moved):
        # Several corridors may meet in a place, whose series are moved by each of them.
        effects = effects.drop_duplicates(_COLUMNS[:3], ignore_index=True)
    return added, effects


def _refuse_broken(
    outlook: Forecast, added: np.ndarray, name: str, places: Sequence[AffectedCountry]
) -> None:
    """Refuse a shock that breaks an identity which the forecast obeys in every draw."""
    keys = outlook.keys
    identities = about(keys, stated(keys))
    off = np.abs(np.einsum("ik,dky->idy", matrix(identities, keys), added)).max(axis=(1, 2))
    size = 1.0 + float(np.abs(added).max(initial=0.0))
    suspects = [one for one, largest in zip(identities, off) if largest > TOLERANCE * size]
    before = check(outlook, suspects)
    for row in before[before["holds"].astype(bool)].itertuples():
        broken = next(one for one in suspects if one.name == row.identity)
        remedy = (
            "Say where people come from and where they go: "
            f'location = "{broken.keys[1][1]}" in [[place]], or another corridor.'
            if broken.kind == "corridors" and all(":" not in place.location for place in places)
            else "Count its sources in one entry [[place.counted]]."
        )
        raise DataError(
            f"scenario {name!r} breaks the account {row.identity!r}, which adds up in every draw "
            f"of the forecast. {remedy}"
        )


def _reason(
    row: Any, place: AffectedCountry, parts: Mapping[str, float],
    takes: Mapping[str, tuple[float, float]],
) -> str:  # fmt: skip
    """Return why a series stays as it is; empty if it does not."""
    measure, location, source = map(str, (row.measure, row.location, row.source))
    if measure == "population":
        return "population follows from the net flows and is not moved by itself"
    if measure not in takes:
        return "moves inside the country are not part of the scenario"
    if place.counted_by(source) is None:
        return unsaid(place)
    if location not in parts:
        return "its share in the country is not known"
    return ""


def last_population(outlook: Forecast) -> dict[SeriesKey, float]:
    """Return the last known population beside each series of the history, in persons."""
    known = {one.key: one.population[~np.isnan(one.population)] for one in outlook.history}
    return {key: float(sizes[-1]) for key, sizes in known.items() if sizes.size}


def _parts(
    country: str, people: Mapping[str, float | None], shares: Mapping[str, float]
) -> dict[str, float]:
    """Return the share of each place in its country, the country's own being 1.

    Regions that cover the country (or a merged unit) once share it out between them.
    """
    found = {country: 1.0}
    _share_out(country, people, shares, found)
    if len(found) == 1 and not shares and people.get(country):
        # Not all regions are there; those that are take what their population says.
        whole = people[country] or 1.0
        found |= {
            place: size / whole for place, size in people.items() if size and place != country
        }
    return found


def _share_out(
    whole: str,
    people: Mapping[str, float | None],
    shares: Mapping[str, float],
    found: dict[str, float],
) -> None:
    inside = cover(whole, people)
    weights = [_weight(place, people, shares) for place in inside]
    sizes = [weight for weight in weights if weight is not None]
    if not inside or len(sizes) < len(inside) or not sum(sizes):
        return
    for place, size in zip(inside, sizes):
        found[place] = found[whole] * size / sum(sizes)
        _share_out(place, people, shares, found)


def _weight(
    place: str, people: Mapping[str, float | None], shares: Mapping[str, float]
) -> float | None:
    """Return what a place is worth beside others: its stated share, or its population.

    With stated shares, a region that none names takes nothing, a merged unit takes what its
    parts do, and what a part of a stated merged unit takes is not known.
    """
    if not shares:
        return people[place]
    if place in shares:
        return shares[place]
    if any(place in locations.parts(named) for named in shares):
        return None
    return sum(shares.get(part, 0.0) for part in locations.parts(place))


def settled(shock: Shock, outlook: Forecast) -> tuple[Shock, CountedBy]:
    """Add the sources of a forecast that a scenario does not name to the entries for them.

    Parameters
    ----------
    shock : Shock
        As it was stated; it is not changed.
    outlook : Forecast
        Its history says which sources have which measures of a country.

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
    for place in shock.places:
        # Of a corridor, a source is told by what it has of its ends as well.
        for source in {source for _, source in held} if ":" in place.location else ():
            there = [held.get((code, source), set()) for code in place.reached]
            held[place.location, source] = set().union(*there)
    counted_by: CountedBy = {}
    places = []
    for place in shock.places:
        counted = list(place.counted)
        for (country, source), measures in sorted(held.items()):
            if country != place.location:
                continue
            inferred = _register(place, source, measures)
            if inferred is not None:
                entry = counted[inferred]
                counted[inferred] = entry.model_copy(update={"sources": (*entry.sources, source)})
            number = place.counted_by(source) if inferred is None else inferred
            if number is not None:
                counted_by[country, source] = _how(place, source, number, inferred is not None)
        places.append(place.model_copy(update={"counted": tuple(counted)}))
    return shock.model_copy(update={"places": tuple(places)}), counted_by


def unsaid(place: AffectedCountry) -> str:
    """Return why a source stays as it is that no entry of a place is about."""
    known = ", ".join(sorted({name for entry in place.counted for name in entry.sources}))
    return (
        "the scenario does not say what this source counts; name it in [[place.counted]], or "
        f"give the table the name of a source that is counted: {known or 'none'}"
    )


def _register(place: AffectedCountry, source: str, measures: set[str]) -> int | None:
    """Return the entry for registers if a source that is not named is told to be one."""
    if place.naming(source) or not measures.intersection(_GROSS):
        return None
    entries = [i for i, entry in enumerate(place.counted) if entry.registers]
    # Of several registers one may be for those that have no entry of their own.
    open_ = [i for i in entries if not place.counted[i].sources]
    chosen = open_ or entries
    return chosen[0] if len(chosen) == 1 else None


def _how(place: AffectedCountry, source: str, number: int, inferred: bool) -> str:
    entry = place.counted[number]
    names = ", ".join(entry.sources)
    if inferred:
        stated = f" ({names})" if names else ""
        return f"entry {number + 1}{stated}: it has arrivals or departures, so a register"
    if source in entry.sources:
        return f"entry {number + 1} ({names})"
    return f"entry {number + 1}: all sources that no other entry names"
