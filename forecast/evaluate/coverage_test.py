"""A test of the intervals of few, overlapping forecasts, and its power.

How often intervals of a right width hold so many of n figures, and intervals of a wrong width, is
found by simulation of what a backtest meets: forecasts that look `overlap` origins ahead share
shocks with their neighbours. From this follow both the test and its power.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

#: Simulated backtests, and their seed.
_SIMULATIONS, _SEED = 20_000, 20240711
#: Intervals so many times as wide as they should be are what a test of use would find; an 80 %
#: interval then holds 56 %, and one that is too wide by the same factor 97 %.
NARROW = 0.6


@dataclass(frozen=True)
class CoverageTest:
    """Test of the number of figures inside intervals.

    Attributes
    ----------
    p_value : float
        Two-sided.
    power_narrow, power_wide : float
        Chance to reject, at the level asked for, if intervals are `NARROW` times as wide as
        they should be, or too wide by the same factor.
    """

    p_value: float
    power_narrow: float
    power_wide: float


def coverage_test(
    hits: int, origins: int, promised: float, overlap: int = 1, level: float = 0.05
) -> CoverageTest:
    """Test whether intervals hold what they promise, under overlap.

    Parameters
    ----------
    hits : int
        Figures inside their interval.
    origins : int
        Forecasts, from neighbouring origins.
    promised : float
        Probability of the interval.
    overlap : int
        Every `overlap`-th forecast shares no outcome with the one before.
    level : float
        Of the test whose power is stated.

    Returns
    -------
    CoverageTest
        Under the null hypothesis errors are sums of `overlap` normal shocks, of which
        neighbours share all but one, as for a random walk: the strongest dependence that
        forecasts have which use all they know. With heavy tails the test keeps its level; where
        calm and stormy times last and intervals ignore them it rejects up to two to four times
        as often (docs/studies/backtests.md). The power is that on a random walk.

    Examples
    --------
    >>> coverage_test(0, 10, 0.8, overlap=4).p_value < 0.05
    True
    >>> coverage_test(10, 10, 0.8, overlap=4).power_wide  # ten origins cannot be too wide
    0.0
    """
    p_values = _p_values(origins, promised, overlap)
    rejects = p_values < level
    powers = [
        float(_chances(origins, promised, overlap, width)[rejects].sum())
        for width in (NARROW, 1.0 / NARROW)
    ]
    return CoverageTest(float(p_values[hits]), *powers)


@lru_cache(maxsize=512)
def _p_values(origins: int, promised: float, overlap: int) -> np.ndarray:
    """Return the two-sided p-value of each number of hits, shape (origins + 1,)."""
    chances = _chances(origins, promised, overlap, 1.0)
    at_most, at_least = np.cumsum(chances), np.cumsum(chances[::-1])[::-1]
    return np.minimum(1.0, 2.0 * np.minimum(at_most, at_least))


@lru_cache(maxsize=2048)
def _chances(origins: int, promised: float, overlap: int, width: float) -> np.ndarray:
    """Return the chance of each number of hits, shape (origins + 1,)."""
    from scipy.special import ndtri

    generator = np.random.default_rng([_SEED, origins, overlap])
    walks = np.cumsum(generator.standard_normal((_SIMULATIONS, origins + overlap)), axis=1)
    errors = (walks[:, overlap:] - walks[:, :-overlap]) / np.sqrt(overlap)
    inside = np.abs(errors) <= width * ndtri(0.5 + promised / 2.0)
    counts = np.bincount(inside.sum(axis=1), minlength=origins + 1)
    return np.asarray(counts / _SIMULATIONS)
