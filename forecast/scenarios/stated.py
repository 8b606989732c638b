"""A shock scenario as it was stated: who, when, how many, how sure, and who counts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forecast.scenarios.amounts import Amount

ARRIVALS, DEPARTURES = "arrivals", "departures"


@dataclass(frozen=True, slots=True)
class Counted:
    """How much of a movement a source's figures show.

    Attributes
    ----------
    sources : tuple of str
        Which sources; empty for all that no other entry names.
    share : Amount
        Of those who really move, the share that the source counts.
    because : str
        What the range rests on.
    register : bool
        Whether it is about changes of residence as registers count them. It then also
        counts a source that no entry names and that has arrivals or departures, and no
        other source that is not named.
    """

    sources: tuple[str, ...]
    share: Amount
    because: str
    register: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """One country that a shock reaches.

    Attributes
    ----------
    location : str
        Code of the country.
    direction : {"arrivals", "departures"}
        Whether people come or go.
    people : Amount
        All who move, over all years together, before anybody moves back.
    counted : tuple of Counted
    regions : dict of str to float
        Share of each region; empty for shares by population.
    """

    location: str
    direction: str
    people: Amount
    counted: tuple[Counted, ...]
    regions: Mapping[str, float]

    def counted_by(self, source: str) -> int | None:
        """Return which entry of `counted` is about a source, or None.

        The one that names it, else the one for all sources that no other names. Sources
        that are told by what they hold are added beforehand, see
        `forecast.scenarios.source_matching.settled`.
        """
        rest = [i for i, one in enumerate(self.counted) if not one.sources and not one.register]
        return next(iter([*self.naming(source), *rest]), None)

    def naming(self, source: str) -> list[int]:
        """Return which entries of `counted` name a source."""
        return [i for i, entry in enumerate(self.counted) if source in entry.sources]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A figure that a scenario rests on, and where it is from."""

    title: str
    figure: str
    link: str


@dataclass(frozen=True, slots=True)
class Shock:
    """A shock scenario as it was stated.

    Attributes
    ----------
    name : str
    title, summary, judgement : str
        What it is called, what happens, and how sure anybody is of it.
    first, last : int
        The first and the last year in which it may start, each year alike.
    half_life : Amount
        Years after which half of all have moved.
    places : tuple of Place
    returns_share, returns_half_life : Amount or None
        Of those who moved, the share that moves back later, and how soon half of these do.
    sources : tuple of Evidence
    """

    name: str
    title: str
    summary: str
    judgement: str
    first: int
    last: int
    half_life: Amount
    places: tuple[Place, ...]
    returns_share: Amount | None
    returns_half_life: Amount | None
    sources: tuple[Evidence, ...]
