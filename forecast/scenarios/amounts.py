"""Uncertain numbers of a scenario, as they are stated: how many, what share, how long."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import BeforeValidator

from forecast.errors import unknown_name

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
