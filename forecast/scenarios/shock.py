"""A shock scenario as it was stated: who, when, how many, how sure, and who counts them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from forecast import locations
from forecast.config import Names, Settings, Share, Text
from forecast.errors import unknown_name

ARRIVALS, DEPARTURES = "arrivals", "departures"
#: Direction of a corridor, which has its own.
ALONG = "along"
#: Keys that each distribution needs; ``inside`` is the probability between low and high.
DISTRIBUTIONS = {
    "log-normal": ("low", "high", "inside"),
    "triangular": ("low", "middle", "high"),
    "uniform": ("low", "high"),
    "fixed": ("value",),
}


#: What a measure takes of a movement: arrivals, departures.
TAKES = {
    "immigration": (1.0, 0.0),
    "emigration": (0.0, 1.0),
    "net_migration": (1.0, -1.0),
    "net_all_flows": (1.0, -1.0),
}


@dataclass(frozen=True, slots=True)
class Amount:
    """An uncertain number.

    Attributes
    ----------
    distribution : {"log-normal", "triangular", "uniform", "fixed"}
        Log-normal: symmetric on the scale of factors, with probability `inside` between
        `low` and `high`. Triangular: never outside `low` and `high`, most likely at
        `middle`. Uniform: anything between alike. Fixed: `low` for certain.
    low, middle, high : float
    inside : float
        Probability between `low` and `high`; 1 but for the log-normal.
    """

    distribution: str
    low: float
    middle: float
    high: float
    inside: float = 1.0

    def quantile(self, level: np.ndarray) -> np.ndarray:
        """Return quantiles, the shape of `level` (between 0 and 1)."""
        if self.distribution == "log-normal":
            from scipy.special import ndtri

            middle = (math.log(self.low) + math.log(self.high)) / 2
            spread = (math.log(self.high) - math.log(self.low)) / 2 / ndtri(0.5 + self.inside / 2)
            drawn: np.ndarray = np.exp(middle + spread * ndtri(level))
            return drawn
        if self.distribution == "triangular":
            width = self.high - self.low
            if width == 0:
                return np.full_like(level, self.low)
            turn = (self.middle - self.low) / width
            rising = self.low + np.sqrt(level * width * (self.middle - self.low))
            falling = self.high - np.sqrt((1 - level) * width * (self.high - self.middle))
            return np.where(level < turn, rising, falling)
        return self.low + level * (self.high - self.low)

    def draw(self, generator: np.random.Generator, n_draws: int) -> np.ndarray:
        """Return independent draws, shape (n_draws,)."""
        return self.quantile(generator.random(n_draws))


def _amount(given: object, least: float, most: float, unit: str) -> Amount:
    """Read an amount from a table, or from a plain number, which is taken for certain."""
    if _is_number(given):
        given = {"distribution": "fixed", "value": given}
    if not isinstance(given, Mapping):
        example = '{ distribution = "uniform", low = ..., high = ... }'
        raise ValueError(f"is {given!r}; give {unit}, or a table such as {example}.")
    kind = given.get("distribution")
    if kind not in DISTRIBUTIONS:
        raise ValueError(f"has an {unknown_name('distribution', kind, DISTRIBUTIONS)}")
    needed = DISTRIBUTIONS[str(kind)]
    for name in given.keys() - {"distribution", *needed}:
        raise ValueError(f"has an {unknown_name('key', name, (*needed, 'distribution'))}")
    for name in needed:
        if not _is_number(given.get(name)):
            listed = f"a {kind} distribution needs {', '.join(needed)} as numbers"
            raise ValueError(f"has {name} = {given.get(name)!r}; {listed}.")
    stated = {name: float(given[name]) for name in needed}
    low = stated.get("low", stated.get("value", 0.0))
    high = stated.get("high", low)
    middle = stated.get("middle", (low + high) / 2)
    inside = stated.get("inside", 1.0)
    if not least <= low <= middle <= high <= most:
        order = "low <= middle <= high" if kind == "triangular" else "low <= high"
        bounds = f"from {least:g} to {most:g}" if most < math.inf else f"at least {least:g}"
        raise ValueError(f"runs from {low:g} to {high:g}; give {order}, {unit}, {bounds}.")
    if kind == "log-normal" and not (0 < low < high and 0 < inside < 1):
        raise ValueError(
            f"has {low:g}, {high:g} and {inside:g}; a log-normal distribution needs 0 < low < high "
            "and inside between 0 and 1 (0.8: four chances in five)."
        )
    return Amount(str(kind), low, middle, high, inside)


def _is_number(given: object) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given)


def _within(least: float, most: float, unit: str) -> BeforeValidator:
    return BeforeValidator(lambda given: _amount(given, least, most, unit))


type People = Annotated[Amount, _within(0, math.inf, "persons")]
type Portion = Annotated[Amount, _within(0, 1, "shares")]
type Years = Annotated[Amount, _within(0.05, math.inf, "years")]


def _country(given: str) -> str:
    named = locations.canonical(given)
    code = locations.find(named if ":" in named else given).code
    for one in filter(None, locations.ends(code) if ":" in code else (code,)):
        if not locations.find(one).is_country or "+" in one:
            raise ValueError(
                f"is {one}, no single country. Name the country; regions share it out."
            )
    return code


def _address(given: str) -> str:
    if given and not given.startswith(("https://", "http://")):
        raise ValueError(f"is {given!r}; give an address that starts with https://.")
    return given


type Year = Annotated[int, Field(gt=1900, lt=2200)]


class Counted(Settings):
    """How much of a movement a source's figures show, ``[[place.counted]]``.

    Attributes
    ----------
    sources : tuple of str
        Which sources; empty for all that no other entry names.
    share : Amount
        Of those who really move, the share that the source counts.
    because : str
        What the range rests on.
    registers : bool
        Whether it is about changes of residence as registers count them. It then also
        counts a source that no entry names and that has arrivals or departures, and no
        other source that is not named.
    """

    share: Portion
    because: Text
    sources: Names = ()
    registers: bool = Field(False, alias="register")


class AffectedCountry(Settings):
    """One country, or corridor between two, that a shock reaches, ``[[place]]``.

    Attributes
    ----------
    location : str
        Code of the country, or of the corridor: ``RUS:KAZ``.
    direction : {"arrivals", "departures", "along"}
        Whether people come or go; those of a corridor go along it.
    people : Amount
        All who move, over all years together, before anybody moves back.
    counted : tuple of Counted
    regions : dict of str to float
        Share of each region; empty for shares by population.
    """

    location: Annotated[str, AfterValidator(_country)]
    direction: Literal["arrivals", "departures", "along"] = Field(ALONG, validate_default=True)
    people: People
    counted: tuple[Counted, ...] = Field(strict=False, min_length=1)
    regions: dict[str, Share] = Field(default_factory=dict, validate_default=False)

    @field_validator("direction")
    @classmethod
    def _as_the_place_has_it(cls, direction: str, info: ValidationInfo) -> str:
        place = str(info.data.get("location", ""))
        if place and (":" in place) != (direction == ALONG):
            raise ValueError(
                f"is {direction!r}, and {place} is a corridor, which says it. Leave direction out."
                if ":" in place
                else f'is not said of {place}. Write direction = "arrivals" or "departures".'
            )
        return direction

    @field_validator("counted")
    @classmethod
    def _one_for_all_others(cls, counted: tuple[Counted, ...]) -> tuple[Counted, ...]:
        others = [one.registers for one in counted if not one.sources]
        if len(others) > len(set(others)):
            raise ValueError("has several counted entries without sources. Keep one.")
        return counted

    @field_validator("regions", mode="before")
    @classmethod
    def _stated(cls, given: object) -> object:
        if given == "population":
            return {}
        if not isinstance(given, Mapping) or not given:
            raise ValueError(f'is {given!r}; write "population", or a table of shares.')
        return given

    @field_validator("regions")
    @classmethod
    def _of_the_country(cls, given: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        country = info.data.get("location")
        for code in given:
            if locations.country_of(code) != country or locations.canonical(code) == country:
                raise ValueError(f"names {code}, which is no region of {country}.")
        if given and abs(sum(given.values()) - 1) > 1e-6:
            raise ValueError(f"has shares that add up to {sum(given.values()):g}; make it 1.")
        return {locations.canonical(code): share for code, share in given.items()}

    @property
    def reached(self) -> dict[str, dict[str, tuple[float, float]]]:
        """What each measure takes of those who go and who come back, by place.

        Arrivals raise immigration and every net, departures emigration. Who goes along a corridor
        departs at one end and arrives at the other, and comes back along the opposite one.
        """
        origin, destination = locations.ends(self.location)
        if origin is None or destination is None:
            return {self.location: TAKES}
        swapped = {"immigration": "emigration", "emigration": "immigration"}
        left = {name: TAKES[swapped.get(name, name)] for name in TAKES}
        left |= {name: (-left[name][0], -left[name][1]) for name in TAKES if name not in swapped}
        return {
            self.location: {"flow": (1.0, 0.0)},
            f"{destination}:{origin}": {"flow": (0.0, 1.0)},
            destination: TAKES,
            origin: left,
        }

    def counted_by(self, source: str) -> int | None:
        """Return which entry of `counted` is about a source, or None.

        The one that names it, else the one for all sources that no other names. Sources
        that are told by what they hold are added beforehand, see
        `forecast.scenarios.accounting.settled`.

        Parameters
        ----------
        source : str
            Of figures.

        Returns
        -------
        int or None
            Position in `counted`.

        Examples
        --------
        >>> from forecast.scenarios.scenario import read
        >>> read("russia-kazakhstan").places[0].counted_by("un-wpp")
        1
        """
        rest = [i for i, one in enumerate(self.counted) if not one.sources and not one.registers]
        return next(iter([*self.naming(source), *rest]), None)

    def naming(self, source: str) -> list[int]:
        """Return which entries of `counted` name a source.

        Parameters
        ----------
        source : str
            Of figures.

        Returns
        -------
        list of int
            Positions in `counted`.

        Examples
        --------
        >>> from forecast.scenarios.scenario import read
        >>> read("russia-kazakhstan").places[0].naming("another")
        []
        """
        return [i for i, entry in enumerate(self.counted) if source in entry.sources]


class Evidence(Settings):
    """A figure that a scenario rests on, and where it is from, ``[[source]]``.

    Attributes
    ----------
    title : str
        Of the document.
    figure : str
        What it says.
    link : str
        Address of the document; may be empty.
    """

    title: Text
    figure: Text
    link: Annotated[str, AfterValidator(_address)] = ""


class Start(Settings):
    """The first and the last year in which a shock may start, each year alike, ``[when]``.

    Attributes
    ----------
    first, last : int
        Calendar years.
    """

    first: Year
    last: Year

    @field_validator("last")
    @classmethod
    def _in_order(cls, last: int, info: ValidationInfo) -> int:
        if last < (first := info.data.get("first", last)):
            raise ValueError(f"is {last}, before first, {first}. Give the earlier year first.")
        return last


class Fading(Settings):
    """Years after which half of all have moved, ``[fading]``.

    Attributes
    ----------
    half_life : Amount
        Years.
    """

    half_life: Years


class Returns(Settings):
    """Of those who moved, the share that moves back, and how soon half of these do.

    Attributes
    ----------
    share : Amount
        Of those who moved, between 0 and 1.
    half_life : Amount
        Years until half of them have moved back.
    """

    share: Portion
    half_life: Years


class Shock(Settings):
    """A shock scenario as it was stated, a TOML file.

    Attributes
    ----------
    name : str
    title, summary, judgement : str
        What it is called, what happens, and how sure anybody is of it.
    when : Start
    fading : Fading
    places : tuple of AffectedCountry
    sources : tuple of Evidence
    returns : Returns or None
    """

    name: str
    title: Text
    summary: Text
    judgement: Text
    when: Start
    fading: Fading
    places: tuple[AffectedCountry, ...] = Field(alias="place", strict=False, min_length=1)
    sources: tuple[Evidence, ...] = Field(alias="source", strict=False, min_length=1)
    returns: Returns | None = None

    @field_validator("places")
    @classmethod
    def _once(cls, places: tuple[AffectedCountry, ...]) -> tuple[AffectedCountry, ...]:
        codes = [place.location for place in places]
        if len(set(codes)) < len(codes):
            raise ValueError(f"names a place twice: {', '.join(codes)}. Keep one [[place]].")
        return places

    @property
    def first(self) -> int:
        """The first year in which it may start."""
        return self.when.first

    @property
    def last(self) -> int:
        """The last year in which it may start."""
        return self.when.last
