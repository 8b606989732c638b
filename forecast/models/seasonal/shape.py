"""Level and season of one series, outliers withstood: what the seasonal models start from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from forecast.errors import TooShortError
from forecast.models.registry import specification
from forecast.models.series.univariate import Prepared, prepare
from forecast.panel import Series
from forecast.series import last_break, usable_since_break

#: Steps to each side of the running median that an outlier is held against.
BESIDE = 2
#: Beyond this many robust standard deviations from it a figure is an outlier.
OUTLYING = 4.0
#: Rounds in which level and season are estimated in turn.
ROUNDS = 3


@dataclass(frozen=True)
class Shape:
    """The season of one series, and how surely it is known.

    Attributes
    ----------
    effects : ndarray, shape (season,)
        Deviation of each part of the year from the level, adding to zero; part 0 is the first of
        the calendar year.
    errors : ndarray, shape (season,)
        Standard error of each; infinite where a part was never observed.
    cleaned : ndarray, shape (n,)
        The values with outliers drawn back to the edge of what is usual; NaN stays NaN.
    """

    effects: np.ndarray
    errors: np.ndarray
    cleaned: np.ndarray


def running(values: np.ndarray, beside: int, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the running mean (with weights) or median over so many steps to each side.

    Parameters
    ----------
    values : ndarray, shape (n,)
        NaN does not count.
    beside : int
        Steps to each side; fewer at the ends.
    weights : ndarray, shape (2 * beside + 1,), optional
        Of the mean; the median without.

    Returns
    -------
    ndarray, shape (n,)
        NaN where nothing is near.
    """
    padded = np.pad(values, beside, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * beside + 1)
    there = ~np.isnan(windows)
    if weights is None:
        # NaN sorts last, so the middle of those that are there is known by their number.
        ordered, count = np.sort(windows, axis=1), np.maximum(there.sum(axis=1), 1)
        rows = np.arange(len(values))
        return np.asarray(0.5 * (ordered[rows, (count - 1) // 2] + ordered[rows, count // 2]))
    mass = np.where(there, weights, 0.0).sum(axis=1)
    total = np.where(there, windows * weights, 0.0).sum(axis=1)
    return np.asarray(np.divide(total, mass, out=np.full(len(values), np.nan), where=mass > 0))


def decompose(values: np.ndarray, parts: np.ndarray, season: int, memory: float = 1.0) -> Shape:
    """Estimate level and season in turn, as classical decomposition does, and clean outliers.

    Parameters
    ----------
    values : ndarray, shape (n,)
        On the model's scale; NaN in gaps.
    parts : ndarray of int, shape (n,)
        Part of the year of each value, from 0.
    season : int
        Parts of a year.
    memory : float
        Share of a year's weight that the year before has: below one the season may change.
    """
    # Six models take the same series apart, one after the other.
    return _decomposed(
        values.astype(float).tobytes(), parts.astype(np.int64).tobytes(), season, memory
    )


@lru_cache(maxsize=4096)
def _decomposed(values_as_bytes: bytes, parts_as_bytes: bytes, season: int, memory: float) -> Shape:
    values, parts = np.frombuffer(values_as_bytes), np.frombuffer(parts_as_bytes, np.int64)
    half = season // 2
    span = np.ones(2 * half + 1)
    # A centred year: its first and last step are the same part of the year, a half each.
    span[[0, -1]] = 0.5 if season > 1 else 1.0
    ages = (len(values) - 1 - np.arange(len(values))) // season
    weight = memory ** ages.astype(float)
    effects, errors = np.zeros(season), np.full(season, np.inf)
    cleaned = values.copy()
    for _ in range(ROUNDS):
        adjusted = values - effects[parts]
        middle = running(adjusted, BESIDE)
        away = adjusted - middle
        size = OUTLYING * max(_spread(away), 1e-9)
        cleaned = middle + np.clip(away, -size, size) + effects[parts]
        level = running(cleaned - effects[parts], half, span)
        rest = cleaned - level
        known = ~np.isnan(rest)
        share = np.where(known, weight, 0.0)
        mass = np.bincount(parts, share, season)
        total = np.bincount(parts, np.where(known, share * rest, 0.0), season)
        effects = np.divide(total, mass, out=np.zeros(season), where=mass > 0)
        effects -= effects.mean()
        squares = np.bincount(parts, share**2, season)
        left = np.where(known, rest - effects[parts], 0.0)
        degrees = max(int(known.sum()) - season, 1)
        variance = float((left**2).sum()) / degrees
        seen = mass > 0
        spread = np.divide(squares, mass**2, out=np.ones(season), where=seen)
        errors = np.sqrt(np.where(seen, variance * spread, np.inf))
    for shared in (effects, errors, cleaned):
        shared.flags.writeable = False
    return Shape(effects, errors, cleaned)


def _spread(away: np.ndarray) -> float:
    """Return a robust standard deviation of deviations from a running median, many of them nil."""
    known = np.abs(away[~np.isnan(away) & (away != 0.0)])
    return float(np.median(known)) / 0.6745 if len(known) else 0.0


def pool(
    effects: np.ndarray, errors: np.ndarray, least: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shrink the seasons of series to that of their group, each as far as it is uncertain.

    Empirical Bayes with a normal distribution of each part's effect over the group (Efron & Morris
    1973, doi:10.1080/01621459.1973.10481350).

    Parameters
    ----------
    effects, errors : ndarray, shape (n_series, season)
        Of each series.
    least : int
        Groups of fewer series have no common season: theirs is shrunk towards none.

    Returns
    -------
    shrunk, uncertainty : ndarray, shape (n_series, season)
        Effects that add to zero in each series, and their standard deviations.
    group : ndarray, shape (season,)
        The common season.
    """
    known = np.isfinite(errors)
    noise = np.where(known, errors, 0.0) ** 2
    group, between = np.zeros(effects.shape[1]), 0.0
    for _ in range(10):
        precision = np.where(known, 1.0 / np.maximum(noise + between, 1e-9), 0.0)
        if len(effects) >= least:
            total = precision.sum(axis=0)
            group = (precision * effects).sum(axis=0) / np.maximum(total, 1e-12)
        excess = (effects - group) ** 2 - noise
        # Precise series say more of how different series are.
        share = np.where(known, precision**2, 0.0)
        between = max(float((share * excess).sum() / max(share.sum(), 1e-12)), 0.0)
    if between <= 0.0:
        shrunk = np.broadcast_to(group, effects.shape).copy()
        return shrunk, np.zeros_like(effects), group
    keep = np.where(known, between / (between + noise), 0.0)
    shrunk = group + keep * (effects - group)
    shrunk -= shrunk.mean(axis=1, keepdims=True)
    return shrunk, np.sqrt(between * (1.0 - keep)), group


@dataclass(frozen=True)
class SeasonalPrepared(Prepared):
    """A series as a seasonal model sees it: outliers drawn in, its season beside it.

    Attributes
    ----------
    excess : ndarray, shape (n,)
        What outliers exceed `values` by; NaN in gaps.
    shape : Shape
        Its own season.
    parts : ndarray of int, shape (n,)
        Part of the year of each step, from 0.
    """

    excess: np.ndarray
    shape: Shape
    parts: np.ndarray

    def parts_ahead(self, n_ahead: int) -> np.ndarray:
        """Return the part of the year of each of the steps that follow."""
        season = self.series.season
        return np.asarray((self.series.origin % season + 1 + np.arange(n_ahead)) % season)


def seasonally_prepared(series: Series, years: int = 2) -> SeasonalPrepared:
    """Put a series on its scale with outliers drawn in.

    Parameters
    ----------
    series : Series
        Of months, quarters or half-years.
    years : int
        Years of usable figures since the last break that are needed, besides two figures.

    Raises
    ------
    TooShortError
        If it is too short.
    """
    prepared = prepare(series)
    usable, least = usable_since_break(series), years * series.season + 2
    if usable < least:
        since = " since the last break" if last_break(series) else ""
        raise TooShortError(
            f"{usable} usable {series.frequency}s{since}; at least {least} are needed to tell "
            "season and change apart."
        )
    parts = np.asarray(series.years % series.season)
    start = last_break(series)
    memory = float(specification("seasonal-theta")["memory"])
    shape = decompose(prepared.values[start:], parts[start:], series.season, memory)
    cleaned = np.concatenate([prepared.values[:start], shape.cleaned])
    excess = prepared.values - cleaned
    return SeasonalPrepared(series, prepared.scale, cleaned, prepared.breaks, excess, shape, parts)
