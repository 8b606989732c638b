"""Weights of the members and widths of their pool, learned by horizon from hindcasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import ndtri

from forecast.hindcast.quantiles import Hindcasts
from forecast.models.ensemble import stacking, widths
from forecast.models.ensemble.widths import POOLS, Widening, renormalised
from forecast.series_key import SeriesKey


@dataclass(frozen=True, eq=False)
class GroupWeights:
    """Weights of the members and widths of their pool, for one group of series.

    Attributes
    ----------
    table : Dataset
        By ``horizon`` (steps ahead): ``weight`` and ``relative_crps`` by ``member``, the latter
        that of the member alone over that of the pool, infinite if not judged; ``factor`` by
        ``level``, see `Widening`; ``independent``, about how many separate hindcasts there were,
        and ``hindcasts``, how many in all.
    errors : DataFrame
        Normal scores of past errors in the calibrated pool, one row per hindcast:
        ``origin, key, score``.
    """

    table: xr.Dataset
    errors: pd.DataFrame

    def weights(self, n_ahead: int) -> np.ndarray:
        """Return the weights of so many steps ahead; beyond the last one judged, its weights.

        Returns
        -------
        ndarray, shape (n_ahead, n_members)
        """
        values = self.table["weight"].to_numpy()
        return np.asarray(values[np.minimum(np.arange(n_ahead), len(values) - 1)])

    def widenings(self, n_ahead: int) -> list[Widening]:
        """Return the factors of so many steps ahead, as `weights` does."""
        last = self.table.sizes["horizon"] - 1
        factors = self.table["factor"].to_numpy()
        independent = self.table["independent"].to_numpy()
        steps = [min(step, last) for step in range(n_ahead)]
        return [Widening(factors[step], float(independent[step])) for step in steps]


@dataclass(frozen=True, eq=False)
class LearnedWeights:
    """Weights and widths of all groups of series.

    Attributes
    ----------
    by_group : dict of str to GroupWeights
    groups : dict of (source, location, measure) to str
        The group of each series.
    """

    by_group: dict[str, GroupWeights]
    groups: dict[SeriesKey, str]

    def of(self, key: SeriesKey) -> GroupWeights:
        """Return the weights and widths of a series."""
        return self.by_group[self.groups[key]]

    @property
    def table(self) -> xr.Dataset:
        """One labelled array of all groups, see `GroupWeights`; NaN beyond the last horizon."""
        index = pd.Index(list(self.by_group), name="group")
        tables = [group.table for group in self.by_group.values()]
        return xr.concat(tables, index, join="outer")


def learn(
    hindcasts: Sequence[Hindcasts],
    members: Sequence[str],
    step_years: int,
    settings: Mapping[str, Any],
    unit: bool,
) -> GroupWeights:
    """Learn weights and widths from hindcasts.

    Parameters
    ----------
    hindcasts : sequence of Hindcasts
        By steps ahead.
    members : sequence of str
        Names of the members.
    step_years : int
        Years per step.
    settings : mapping
        ``models/ensemble.toml``.
    unit : bool
        Whether the series share a unit (rates, logs); persons are divided by their own
        usual change entirely, one number per series (as in the mean absolute scaled error,
        Hyndman & Koehler 2006, doi:10.1016/j.ijforecast.2006.03.001): a series that was
        constant for long would decide for all if it were divided by what was usual then.
    """
    if not unit:
        hindcasts = _with_latest_sizes(hindcasts)
    weighing, widening = settings["weights"], settings["calibration"]
    power = float(weighing["scale_power"]) if unit else 1.0
    shares = _shares(hindcasts, power, float(weighing["half_life"]) * step_years)
    recency = _shares(hindcasts, 0.0, float(widening["half_life"]) * step_years)
    counts = [
        made.independent((step + 1) * step_years, float(weighing["shared"]), recent)
        for step, (made, recent) in enumerate(zip(hindcasts, recency))
    ]
    judged = [step for step, made in enumerate(hindcasts) if len(made)]
    if not judged:
        return _unjudged(members)
    nearest = [counts[_nearest(step, judged)] for step in range(judged[-1] + 1)]
    weights, relative = _weights(hindcasts, shares, judged, nearest, max(counts), weighing)
    pool = str(settings["pool"])
    pooled = [_pooled(made, own, pool) for made, own in zip(hindcasts, weights)]
    factors = []
    for step, count in enumerate(nearest):
        near = _near(step, judged, int(widening["bandwidth"]))
        factors.append(
            widths.learn(
                np.concatenate([pooled[other][0] for other, _ in near], axis=1),
                np.concatenate([pooled[other][1] for other, _ in near]),
                np.concatenate([hindcasts[other].observed for other, _ in near]),
                np.concatenate(
                    [share * recency[other] * pooled[other][2] for other, share in near]
                ),
                count,
                float(widening["pull"]),
            )
        )
    sizes = [len(made) for made in hindcasts[: len(weights)]]
    table = _table(members, weights, relative, factors, nearest, sizes)
    return GroupWeights(table, _errors(hindcasts, weights, factors, pool))


def _weights(
    hindcasts: Sequence[Hindcasts],
    shares: Sequence[np.ndarray],
    judged: Sequence[int],
    counts: Sequence[float],
    most: float,
    settings: Mapping[str, Any],
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the weights of each step, and each member's own CRPS over that of the pool."""
    parts = [stacking.terms(made.quantiles, made.observed) for made in hindcasts]
    overall = stacking.over_steps([stacking.average(parts[at], shares[at]) for at in judged])
    poor = _poor(*overall, float(settings["limit"]))
    shared_pull = stacking.pull_of(most, float(settings["pull"]))
    centre = stacking.stack(np.where(poor, np.inf, overall[0]), overall[1], shared_pull)
    chosen, terms = [], []
    for step, count in enumerate(counts):
        near = _near(step, judged, int(settings["bandwidth"]))
        distance, apart = stacking.average(
            stacking.Terms(
                np.concatenate([parts[other].distance for other, _ in near], axis=1),
                np.concatenate([parts[other].apart for other, _ in near], axis=2),
            ),
            np.concatenate([share * shares[other] for other, share in near]),
        )
        pull = stacking.pull_of(count, float(settings["pull_steps"]))
        left = np.where(poor, np.inf, distance)
        # Where no other member can be judged, those left out are all there is.
        left = left if np.isfinite(left).any() else distance
        chosen.append(stacking.stack(left, apart, pull, centre))
        terms.append((distance, apart))
    weights_of = list(stacking.smoothed(np.stack(chosen), int(settings["smoothing"])))
    return weights_of, [_relative(*one, own) for one, own in zip(terms, weights_of)]


def _poor(distance: np.ndarray, apart: np.ndarray, limit: float) -> np.ndarray:
    """Return which members score more than so many times as badly as the best one.

    They would earn a little weight from the few past years that no other member foresaw, and
    then decide the ends of all intervals.
    """
    scores = stacking.alone(distance, apart)
    return np.asarray(np.isfinite(scores) & (scores > limit * scores.min()))


def _relative(distance: np.ndarray, apart: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the CRPS of each member by itself over that of the pool."""
    scored = np.isfinite(distance)
    own = weights[scored]
    together = float(own @ distance[scored] - 0.5 * own @ apart[np.ix_(scored, scored)] @ own)
    scores = stacking.alone(distance, apart)
    return scores / together if together > 0 else scores


def _table(
    members: Sequence[str],
    weights: Sequence[np.ndarray],
    relative: Sequence[np.ndarray],
    factors: Sequence[Widening],
    independent: Sequence[float],
    hindcasts: Sequence[int],
) -> xr.Dataset:
    by_member = ("horizon", "member")
    return xr.Dataset(
        {
            "weight": (by_member, np.stack(weights)),
            "relative_crps": (by_member, np.stack(relative)),
            "factor": (("horizon", "level"), np.stack([one.factors for one in factors])),
            "independent": ("horizon", np.array(independent, dtype=float)),
            "hindcasts": ("horizon", np.array(hindcasts, dtype=int)),
        },
        coords={
            "horizon": np.arange(1, len(weights) + 1),
            "member": list(members),
            "level": widths.LEVELS,
        },
    )


def _unjudged(members: Sequence[str]) -> GroupWeights:
    """Return equal weights and no widening: nothing is known of past errors."""
    equal = np.full(len(members), 1.0 / len(members))
    unknown = np.full(len(members), np.inf)
    return GroupWeights(
        _table(members, [equal], [unknown], [widths.none()], [0.0], [0]), pd.DataFrame()
    )


def _shares(hindcasts: Sequence[Hindcasts], power: float, half_life: float) -> list[np.ndarray]:
    """Return the weight of each hindcast: smaller for a stormy series, or long ago."""
    sizes = np.concatenate([made.size for made in hindcasts])
    usable = sizes[np.isfinite(sizes) & (sizes > 0)]
    typical = float(np.median(usable)) if len(usable) else 1.0
    latest = max((int(made.origin.max()) for made in hindcasts if len(made)), default=0)
    shares = []
    for made in hindcasts:
        size = np.where(np.isfinite(made.size), made.size, typical)
        calm = (size + 0.1 * typical if power < 1 else np.maximum(size, 1e-9)) ** -power
        shares.append(calm * 0.5 ** ((latest - made.origin) / half_life))
    return shares


def _with_latest_sizes(hindcasts: Sequence[Hindcasts]) -> list[Hindcasts]:
    """Give every hindcast of a series the usual change known at the latest of them."""
    latest: dict[SeriesKey, tuple[int, float]] = {}
    for made in hindcasts:
        for key, origin, size in zip(made.keys, made.origin.tolist(), made.size.tolist()):
            if np.isfinite(size) and origin >= latest.get(key, (origin, 0.0))[0]:
                latest[key] = origin, size
    return [
        made.with_size(np.array([latest.get(key, (0, np.nan))[1] for key in made.keys]))
        for made in hindcasts
    ]


def _near(step: int, judged: Sequence[int], bandwidth: int) -> list[tuple[int, float]]:
    """Return the judged steps near one, with their weights; the nearest one if there is none.

    The first steps learn from fewer neighbours, the very first from none: hindcasts of them
    are the most, and from one year ahead to the next everything changes most.
    """
    reach = min(bandwidth, step)
    near = [
        (other, 1.0 - abs(other - step) / (reach + 1.0))
        for other in judged
        if abs(other - step) <= reach
    ]
    return near or [(_nearest(step, judged), 1.0)]


def _nearest(step: int, judged: Sequence[int]) -> int:
    return min(judged, key=lambda other: abs(other - step))


def _pooled(
    hindcasts: Hindcasts, weights: np.ndarray, pool: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pool hindcasts: quantiles at the levels of the calibration, medians, weight present."""
    levels = np.sort(np.append(widths.LEVELS, 0.5))
    quantiles, present = _at_levels(hindcasts, weights, pool, levels)
    middle = int(np.flatnonzero(levels == 0.5)[0])
    return np.delete(quantiles, middle, axis=0), quantiles[middle], weights @ present


def _at_levels(
    hindcasts: Hindcasts, weights: np.ndarray, pool: str, levels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return quantiles of the pool, shape (n_levels, n), and which members were there."""
    present = np.isfinite(hindcasts.quantiles).all(axis=1)
    values = np.where(present[:, None, :], hindcasts.quantiles, 0.0)
    return POOLS[pool](values, renormalised(weights, present), levels), present


def _errors(
    hindcasts: Sequence[Hindcasts],
    weights: Sequence[np.ndarray],
    factors: Sequence[Widening],
    pool: str,
) -> pd.DataFrame:
    """Return normal scores of past errors."""
    levels = (np.arange(200) + 0.5) / 200
    rows = []
    for made, own, widening in zip(hindcasts, weights, factors):
        if not len(made):
            continue
        quantiles = widening.apply(_at_levels(made, own, pool, levels)[0], levels)
        observed = made.observed
        below = (quantiles < observed).mean(axis=0) + 0.5 * (quantiles == observed).mean(axis=0)
        score = ndtri(np.clip(below, levels[0], levels[-1]))
        rows.append(pd.DataFrame({"origin": made.origin, "key": made.keys, "score": score}))
    return pd.concat(rows, ignore_index=True)
