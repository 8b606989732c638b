"""A shock scenario as it was stated: who, when, how many, how sure, and who counts them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from forecast.errors import DataError, unknown_name

ARRIVALS, DEPARTURES = "arrivals", "departures"
#: Keys that each distribution needs; ``inside`` is the probability between low and high.
DISTRIBUTIONS = {
    "log-normal": ("low", "high", "inside"),
    "triangular": ("low", "middle", "high"),
    "uniform": ("low", "high"),
    "fixed": ("value",),
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


def amount(
    given: object, where: str, *, least: float, most: float = math.inf, unit: str = "a number"
) -> Amount:
    """Read an amount from a TOML table, or from a plain number, which is taken for certain.

    Parameters
    ----------
    given : mapping or number
        ``{distribution = "triangular", low = 0.02, middle = 0.06, high = 0.2}``.
    where : str
        How the place is called in messages.
    least, most : float
        Smallest and largest value allowed.
    unit : str
        What the numbers are, in messages.

    Raises
    ------
    DataError, UnknownNameError
        Naming the place, the value and the remedy.
    """
    if _is_number(given):
        given = {"distribution": "fixed", "value": given}
    if not isinstance(given, Mapping):
        raise DataError(
            f"{where} is {given!r}; give {unit}, or a table such as "
            '{ distribution = "uniform", low = ..., high = ... }.'
        )
    kind = given.get("distribution")
    if kind not in DISTRIBUTIONS:
        raise unknown_name(f"distribution in {where}", kind, DISTRIBUTIONS)
    needed = DISTRIBUTIONS[str(kind)]
    for name in given:
        if name not in (*needed, "distribution"):
            raise unknown_name(f"key in {where}", name, (*needed, "distribution"))
    for name in needed:
        if not _is_number(given.get(name)):
            raise DataError(
                f"{where}: {name} is {given.get(name)!r}; a {kind} distribution needs "
                f"{', '.join(needed)} as numbers."
            )
    stated = {name: float(given[name]) for name in needed}
    low = stated.get("low", stated.get("value", 0.0))
    high = stated.get("high", low)
    middle = stated.get("middle", (low + high) / 2)
    inside = stated.get("inside", 1.0)
    if not least <= low <= middle <= high <= most:
        order = "low <= middle <= high" if kind == "triangular" else "low <= high"
        bounds = f"from {least:g} to {most:g}" if most < math.inf else f"at least {least:g}"
        raise DataError(f"{where} runs from {low:g} to {high:g}; give {order}, {unit}, {bounds}.")
    if kind == "log-normal" and not (0 < low < high and 0 < inside < 1):
        raise DataError(
            f"{where}: a log-normal distribution needs 0 < low < high and inside between 0 and 1 "
            f"(0.8: four chances in five); given {low:g}, {high:g} and {inside:g}."
        )
    return Amount(str(kind), low, middle, high, inside)


def _is_number(given: object) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given)


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
class AffectedCountry:
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
        `forecast.scenarios.accounting.settled`.
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
    places : tuple of AffectedCountry
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
    places: tuple[AffectedCountry, ...]
    returns_share: Amount | None
    returns_half_life: Amount | None
    sources: tuple[Evidence, ...]
