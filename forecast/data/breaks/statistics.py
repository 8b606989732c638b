"""How far a series steps or strikes out, in units of its usual movement, and how often by chance.

Array kernels. For a series y_1..y_n without its median drift, s is the mean of the smaller
70 % of |y_t − y_{t−1}|: what a jump in a few years does not change. Then

- *level*: min(|y_t − y_{t−1}|, |median(y_t..y_{t+2}) − median(y_{t−3}..y_{t−1})|) / s if both
  point one way, else 0: a step that stays;
- *outlier*: min(|y_t − y_{t−1}|, |y_t − y_{t+1}|, |y_t − m|) / s with m the median of the three
  years on either side, if all point one way, else 0: a step that is taken back. Two years in a
  row count as one outlier by the smaller of both.

The minimum makes the two exclude each other, and keeps wandering series quiet.

What the statistics reach by chance is known from simulated series without breaks. Their family
spans what yearly migration does without any: independent figures with heavy tails,
autocorrelation of 0.5 and 0.8 with heavy tails, and random walks with normal and with
heavy-tailed steps (Student t with 3 or 5 degrees of freedom). A probability is the largest
over the family, so it holds whichever of them is true.
"""

from __future__ import annotations

from functools import cache

import numpy as np

#: Years on either side, and the share of steps that are taken for usual.
_SIDE, _USUAL = 3, 0.7
LEVEL, OUTLIER = "level break", "outlier"
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


def without_drift(y: np.ndarray) -> np.ndarray:
    """Return series without their median step, shape (..., n)."""
    step = np.median(np.diff(y, axis=-1), axis=-1, keepdims=True)
    drifted: np.ndarray = y - step * np.arange(y.shape[-1])
    return drifted


def usual_step(y: np.ndarray) -> np.ndarray:
    """Return the mean of the smaller 70 % of absolute steps, shape (...)."""
    steps = np.sort(np.abs(np.diff(y, axis=-1)), axis=-1)
    kept = max(3, int(np.ceil(_USUAL * steps.shape[-1])))
    usual: np.ndarray = steps[..., :kept].mean(axis=-1)
    return usual


def _median(parts: np.ndarray) -> np.ndarray:
    """Return the median over the last, short axis; faster than NumPy's for a few values."""
    placed = np.sort(parts, axis=-1)
    size = parts.shape[-1]
    middle: np.ndarray = 0.5 * (placed[..., (size - 1) // 2] + placed[..., size // 2])
    return middle


def _smallest(parts: np.ndarray) -> np.ndarray:
    """Return the part nearest to zero where all have one sign, else zero; over the last axis."""
    sign = np.sign(parts)
    first = sign[..., 0]
    agree = (sign == first[..., None]).all(axis=-1)
    nearest: np.ndarray = np.where(agree, first * np.abs(parts).min(axis=-1), 0.0)
    return nearest


def levels(y: np.ndarray) -> np.ndarray:
    """Return the lasting step at each year, zero where it cannot be told, shape (..., n)."""
    out = np.zeros(y.shape)
    for t in range(2, y.shape[-1] - 1):
        after = _median(y[..., t : t + _SIDE])
        before = _median(y[..., max(0, t - _SIDE) : t])
        out[..., t] = _smallest(np.stack([y[..., t] - y[..., t - 1], after - before], axis=-1))
    return out


def outliers(y: np.ndarray, length: int = 1) -> np.ndarray:
    """Return how far each year, or it and the next, strikes out and back, shape (..., n).

    Parameters
    ----------
    y : ndarray, shape (..., n)
        Series with years last.
    length : {1, 2}
        Years that strike out together.
    """
    n = y.shape[-1]
    out = np.zeros(y.shape)
    for t in range(1, n - length):
        around = np.concatenate(
            [y[..., max(0, t - _SIDE) : t], y[..., t + length : t + length + _SIDE]], axis=-1
        )
        if around.shape[-1] < _SIDE:
            continue
        middle = _median(around)
        end = t + length
        parts = [y[..., at] - middle for at in range(t, end)]
        parts += [y[..., t] - y[..., t - 1], y[..., end - 1] - y[..., end]]
        out[..., t] = _smallest(np.stack(parts, axis=-1))
    return out


def profiles(y: np.ndarray, floor: np.ndarray | float = 0.0) -> dict[str, np.ndarray]:
    """Return level and outlier statistics of each year, signed, shape (..., n).

    Parameters
    ----------
    y : ndarray, shape (..., n)
        Series without gaps.
    floor : float or ndarray, shape (...)
        The least that a usual step counts for, such as half of what figures are rounded to.
    """
    still = without_drift(y)
    scale = np.maximum(usual_step(still), np.maximum(floor, 1e-12))[..., None]
    one, two = outliers(still), outliers(still, 2)
    strongest = np.where(np.abs(two) > np.abs(one), two, one)
    return {LEVEL: levels(still) / scale, OUTLIER: strongest / scale}


def simulate(
    shape: tuple[int, ...],
    persistence: float,
    degrees: float,
    generator: np.random.Generator,
    together: float = 0.0,
) -> np.ndarray:
    """Return series without breaks, shape `shape` with years last.

    Series along the second-last axis move together with correlation `together`.

    Parameters
    ----------
    shape : tuple of int
        Of the result, years last.
    persistence : float
        Coefficient of the year before.
    degrees : float
        Degrees of freedom of the shocks.
    generator : numpy.random.Generator
        Source of the randomness.
    together : float
        Correlation of series along the second-last axis, 0 to 1.
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
