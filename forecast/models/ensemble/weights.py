"""What past forecasts teach about the series of one scale: weights and widths by horizon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from forecast.hindcast.past import Past
from forecast.models.ensemble import stacking, widths
from forecast.models.ensemble.opinion_pools import POOLS, renormalised
from forecast.models.ensemble.widths import Widening
from forecast.series_key import SeriesKey


@dataclass(frozen=True)
class Lesson:
    """What is known of one number of steps ahead.

    Attributes
    ----------
    weights : ndarray, shape (n_members,)
    scores : ndarray, shape (n_members,)
        CRPS of each member alone, relative to that of the pool; infinite if not judged.
    widening : Widening
    independent : float
        About how many separate past forecasts there were.
    forecasts : int
        Past forecasts in all.
    """

    weights: np.ndarray
    scores: np.ndarray
    widening: Widening
    independent: float
    forecasts: int


@dataclass(frozen=True)
class Lessons:
    """What is known of every number of steps ahead, for the series of one scale.

    Attributes
    ----------
    steps : list of Lesson
    errors : DataFrame
        Normal scores of past errors in the calibrated pool, one row per past forecast:
        ``origin, key, score``.
    """

    steps: list[Lesson]
    errors: pd.DataFrame

    def at(self, step: int) -> Lesson:
        """Return the lesson of a number of steps ahead; beyond the last one, the last."""
        return self.steps[min(step, len(self.steps)) - 1]


def learn(
    pasts: Sequence[Past], members: int, step_years: int, settings: Mapping[str, Any], unit: bool
) -> Lessons:
    """Learn weights and widths from past forecasts.

    Parameters
    ----------
    pasts : sequence of Past
        By steps ahead.
    members : int
        Number of members.
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
        pasts = _with_latest_sizes(pasts)
    weighing, widening = settings["weights"], settings["calibration"]
    power = float(weighing["scale_power"]) if unit else 1.0
    shares = _shares(pasts, power, float(weighing["half_life"]) * step_years)
    recency = _shares(pasts, 0.0, float(widening["half_life"]) * step_years)
    parts = [stacking.terms(past.quantiles, past.observed) for past in pasts]
    counts = [
        independent(past, step + 1, step_years, float(weighing["shared"]), recent)
        for step, (past, recent) in enumerate(zip(pasts, recency))
    ]
    taught = [step for step, past in enumerate(pasts) if len(past)]
    if not taught:
        return Lessons([_untaught(members)], pd.DataFrame())
    centre = _of_all_steps(parts, shares, taught, max(counts), float(weighing["pull"]))
    pooled: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    weights_of, scores_of = [], []
    for step in range(taught[-1] + 1):
        near = _near(step, taught, int(weighing["bandwidth"]))
        distance, apart = stacking.average(
            stacking.Terms(
                np.concatenate([parts[other].distance for other, _ in near], axis=1),
                np.concatenate([parts[other].apart for other, _ in near], axis=2),
            ),
            np.concatenate([share * shares[other] for other, share in near]),
        )
        pull = stacking.pull_of(_nearest(counts, step, taught), float(weighing["pull_steps"]))
        weights = stacking.stack(distance, apart, pull, centre)
        weights_of.append(weights)
        judged = np.isfinite(distance)
        together = float(
            weights[judged] @ distance[judged]
            - 0.5 * weights[judged] @ apart[np.ix_(judged, judged)] @ weights[judged]
        )
        alone = distance - 0.5 * np.diag(apart)
        scores_of.append(alone / together if together > 0 else alone)
        pooled.append(_pooled(pasts[step], weights, str(settings["pool"])))
    lessons = []
    for step, weights in enumerate(weights_of):
        near = _near(step, taught, int(widening["bandwidth"]))
        made = widths.learn(
            np.concatenate([pooled[other][0] for other, _ in near], axis=1),
            np.concatenate([pooled[other][1] for other, _ in near]),
            np.concatenate([pasts[other].observed for other, _ in near]),
            np.concatenate([share * recency[other] * pooled[other][2] for other, share in near]),
            _nearest(counts, step, taught),
            float(widening["pull"]),
        )
        count = _nearest(counts, step, taught)
        lessons.append(Lesson(weights, scores_of[step], made, count, len(pasts[step])))
    return Lessons(lessons, _errors(pasts, lessons, str(settings["pool"])))


def independent(past: Past, step: int, step_years: int, shared: float, share: np.ndarray) -> float:
    """Return about how many separate forecasts these are.

    Origins closer than the horizon share years; series share shocks, with correlation
    `shared`: S series are worth S / (1 + (S − 1) shared) independent ones; unequal weights
    `share` leave (Σ w)² / Σ w² of them (Kish 1965, Survey Sampling).
    """
    if not len(past):
        return 0.0
    span = float(past.origin.max() - past.origin.min())
    apart = np.diff(np.unique(past.origin))
    spacing = max(float(step * step_years), float(apart.min()) if len(apart) else 1.0)
    series = len(set(past.key))
    effective = float(share.sum() ** 2 / (share**2).sum()) / len(past)
    return effective * (1.0 + span / spacing) * series / (1.0 + (series - 1) * shared)


def _of_all_steps(
    parts: Sequence[stacking.Terms],
    shares: Sequence[np.ndarray],
    taught: Sequence[int],
    count: float,
    pull: float,
) -> np.ndarray:
    """Return the weights that are best on average over the steps, every step counting alike.

    Far steps can be judged by few past forecasts, so their own weights are pulled to these.
    """
    found = [stacking.average(parts[step], shares[step]) for step in taught]
    best = [float((distance - 0.5 * np.diag(apart)).min()) for distance, apart in found]
    sound = [(d / b, a / b) for (d, a), b in zip(found, best) if 0.0 < b < np.inf]
    members = len(parts[0].distance)
    if not sound:
        return np.full(members, 1.0 / members)
    distance = np.stack([d for d, _ in sound])
    judged = np.isfinite(distance)
    mean = np.full(members, np.inf)
    some = judged.any(axis=0)
    mean[some] = np.where(judged, distance, 0.0).sum(axis=0)[some] / judged.sum(axis=0)[some]
    both = judged[:, :, None] & judged[:, None, :]
    apart = np.where(both, np.stack([a for _, a in sound]), 0.0).sum(axis=0)
    apart = apart / np.maximum(both.sum(axis=0), 1)
    return stacking.stack(mean, apart, stacking.pull_of(count, pull))


def _untaught(members: int) -> Lesson:
    equal = np.full(members, 1.0 / members)
    return Lesson(equal, np.full(members, np.inf), widths.none(), 0.0, 0)


def _shares(pasts: Sequence[Past], power: float, half_life: float) -> list[np.ndarray]:
    """Return the weight of each past forecast: smaller for a stormy series, or long ago."""
    sizes = np.concatenate([past.size for past in pasts])
    known = sizes[np.isfinite(sizes) & (sizes > 0)]
    typical = float(np.median(known)) if len(known) else 1.0
    latest = max((int(past.origin.max()) for past in pasts if len(past)), default=0)
    made = []
    for past in pasts:
        size = np.where(np.isfinite(past.size), past.size, typical)
        calm = (size + 0.1 * typical if power < 1 else np.maximum(size, 1e-9)) ** -power
        made.append(calm * 0.5 ** ((latest - past.origin) / half_life))
    return made


def _with_latest_sizes(pasts: Sequence[Past]) -> list[Past]:
    """Give every past forecast of a series the usual change known at the latest of them."""
    latest: dict[SeriesKey, tuple[int, float]] = {}
    for past in pasts:
        for key, origin, size in zip(past.key, past.origin.tolist(), past.size.tolist()):
            if np.isfinite(size) and origin >= latest.get(key, (origin, 0.0))[0]:
                latest[key] = origin, size
    return [
        replace(past, size=np.array([latest.get(key, (0, np.nan))[1] for key in past.key]))
        for past in pasts
    ]


def _near(step: int, taught: Sequence[int], bandwidth: int) -> list[tuple[int, float]]:
    """Return the taught steps near one, with their weights; the nearest one if there is none.

    The first steps learn from fewer neighbours, the very first from none: past forecasts of them
    are the most, and from one year ahead to the next everything changes most.
    """
    reach = min(bandwidth, step)
    found = [
        (other, 1.0 - abs(other - step) / (reach + 1.0))
        for other in taught
        if abs(other - step) <= reach
    ]
    return found or [(min(taught, key=lambda other: abs(other - step)), 1.0)]


def _nearest(counts: Sequence[float], step: int, taught: Sequence[int]) -> float:
    return counts[min(taught, key=lambda other: abs(other - step))]


def _pooled(
    past: Past, weights: np.ndarray, pool: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pool past forecasts: quantiles at the levels of the calibration, medians, weight present."""
    present = np.isfinite(past.quantiles).all(axis=1)
    shared = renormalised(weights, present)
    values = np.where(present[:, None, :], past.quantiles, 0.0)
    levels = np.sort(np.append(widths.LEVELS, 0.5))
    made = POOLS[pool](values, shared, levels)
    middle = int(np.flatnonzero(levels == 0.5)[0])
    return np.delete(made, middle, axis=0), made[middle], weights @ present


def _errors(pasts: Sequence[Past], lessons: Sequence[Lesson], pool: str) -> pd.DataFrame:
    """Return normal scores of past errors."""
    levels = (np.arange(200) + 0.5) / 200
    rows = []
    for past, lesson in zip(pasts, lessons):
        if not len(past):
            continue
        present = np.isfinite(past.quantiles).all(axis=1)
        values = np.where(present[:, None, :], past.quantiles, 0.0)
        made = POOLS[pool](values, renormalised(lesson.weights, present), levels)
        made = lesson.widening.apply(made, levels)
        below = (made < past.observed).mean(axis=0) + 0.5 * (made == past.observed).mean(axis=0)
        score = ndtri(np.clip(below, levels[0], levels[-1]))
        rows.append(pd.DataFrame({"origin": past.origin, "key": past.key, "score": score}))
    return pd.concat(rows, ignore_index=True)
