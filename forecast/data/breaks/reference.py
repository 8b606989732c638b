"""What the statistics reach by chance, by simulation of series without breaks.

The family spans what yearly migration does without any break: independent figures with heavy
tails, autocorrelation of 0.5 and 0.8 with heavy tails, and random walks with normal and with
heavy-tailed steps (Student t with 3 or 5 degrees of freedom). A probability is the largest
over the family, so it holds whichever of them is true.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from forecast.data.breaks.statistics import LEVEL, OUTLIER, profiles

#: (autocorrelation, degrees of freedom of the innovations).
FAMILY = ((0.0, 3.0), (0.5, 3.0), (0.8, 3.0), (1.0, 5.0), (1.0, np.inf))
#: Correlations between the series of a group that are simulated.
TOGETHER = (0.0, 0.25, 0.5, 0.75)
_GROUP_DRAWS = 1000
#: Series from which a group's correlation can be taken.
GROUP = 5
#: Lengths and sizes of groups that are simulated; others use the nearest, groups the smaller one.
_LENGTHS = (*range(8, 21), 23, 26, 30, 35, 40, 50, 60, 75, 100, 150)
_MEMBERS = (1, 2, 5, 8, 14)


def simulate(
    shape: tuple[int, ...],
    persistence: float,
    degrees: float,
    generator: np.random.Generator,
    together: float = 0.0,
) -> np.ndarray:
    """Return series without breaks, shape `shape` with years last.

    Series along the second-last axis move together with correlation `together`.
    """
    normal = generator.standard_normal(shape)
    if together > 0:
        shared = generator.standard_normal((*shape[:-2], 1, shape[-1]))
        normal = np.sqrt(together) * shared + np.sqrt(1 - together) * normal
    if np.isfinite(degrees):
        # Each series has its own mixing, so that storms are not shared by construction.
        normal = normal / np.sqrt(generator.chisquare(degrees, shape) / degrees)
    if persistence == 0:
        return normal
    made = np.empty(shape)
    made[..., 0] = normal[..., 0] / (np.sqrt(1 - persistence**2) if persistence < 1 else 1.0)
    for t in range(1, shape[-1]):
        made[..., t] = persistence * made[..., t - 1] + normal[..., t]
    return made


def combine(profile: np.ndarray) -> np.ndarray:
    """Return one profile of a group, shape (..., n): the mean of log(1 + |statistic|)."""
    return np.log1p(np.abs(profile)).mean(axis=-2)


class Reference:
    """The distribution of the largest statistics of a series, or of a group, without breaks.

    Parameters
    ----------
    years : int
        Length of the series.
    members : int
        Series in the group; 1 for one series.
    together : float
        Correlation between them.
    """

    def __init__(self, years: int, members: int = 1, together: float = 0.0) -> None:
        entropy = [20210101, years, members, round(100 * together)]
        seeds = np.random.SeedSequence(entropy).spawn(len(FAMILY))
        draws = int(np.clip(100_000 // years, 2000, 6000)) if members == 1 else _GROUP_DRAWS
        # The upper end of the simulated share's 95 % interval: few draws must not raise alarms.
        # Groups have their margin in the correlation, which is rounded up.
        self._margin = 1.645 if members == 1 else 0.0
        self._largest: dict[str, list[np.ndarray]] = {LEVEL: [], OUTLIER: []}
        for (persistence, degrees), seed in zip(FAMILY, seeds):
            generator = np.random.default_rng(seed)
            shape = (draws, members, years)
            series = simulate(shape, persistence, degrees, generator, together)
            for kind, profile in profiles(series).items():
                self._largest[kind].append(combine(profile).max(axis=-1))
        self._sorted = {
            kind: [np.sort(one) for one in found] for kind, found in self._largest.items()
        }
        least = [
            np.minimum(self._one(LEVEL, level), self._one(OUTLIER, outlier))
            for level, outlier in zip(self._largest[LEVEL], self._largest[OUTLIER])
        ]
        self._least = [np.sort(one) for one in least]

    def _one(self, kind: str, largest: np.ndarray) -> np.ndarray:
        """Return P(larger by chance) for one kind, the largest over the family."""
        chances = [
            (len(drawn) - np.searchsorted(drawn, largest, side="left") + 1) / (len(drawn) + 1)
            for drawn in self._sorted[kind]
        ]
        return np.max(chances, axis=0)

    def probability(self, kind: str, statistic: float) -> float:
        """Return how often a series without breaks gives evidence as strong, of either kind.

        Parameters
        ----------
        kind : {"level break", "outlier"}
        statistic : float
            The combined statistic, on the scale of `combine`.
        """
        one = float(self._one(kind, np.array([statistic]))[0])
        return max(_upper(drawn, one, self._margin) for drawn in self._least)


def _upper(drawn: np.ndarray, one: float, margin: float) -> float:
    """Return the share of `drawn` (sorted) up to a value, and `margin` standard errors more."""
    share = (np.searchsorted(drawn, one, side="right") + 1) / (len(drawn) + 1)
    error = np.sqrt(share * (1.0 - share) / len(drawn))
    return float(min(share + margin * error, 1.0))


def reference(years: int, members: int = 1, together: float = 0.0) -> Reference:
    """Return the reference distribution for series of about this length.

    Parameters
    ----------
    years, members : int
    together : float
        Correlation between the members; the next higher one of `TOGETHER` is taken.
    """
    length = min(_LENGTHS, key=lambda known: abs(known - years))
    size = max(known for known in _MEMBERS if known <= members)
    higher = [known for known in TOGETHER if known >= together]
    return _reference(length, size, min(higher, default=TOGETHER[-1]))


def correlation(y: np.ndarray) -> float:
    """Return the median rank correlation of steps over all pairs of a group, shape (m, n).

    Two series alone say too little about it: the largest but one of `TOGETHER` is taken.
    """
    if len(y) < GROUP:
        return TOGETHER[-2]
    ranks = np.diff(y, axis=-1).argsort(axis=-1).argsort(axis=-1)
    every: np.ndarray = np.atleast_2d(np.corrcoef(ranks))
    pairs = every[np.triu_indices(len(y), 1)]
    return float(np.median(pairs))


@cache
def _reference(years: int, members: int, together: float) -> Reference:
    return Reference(years, members, together)
