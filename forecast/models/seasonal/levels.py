"""How the levels of many series go on after so many steps: one regression for each horizon.

The array kernel of `forecast.models.seasonal.pooled`. For each horizon h the adjusted value at
t + h less the level of the last quarter of a year is regressed on what was known at t, over all
series and all t (median regression). The residuals, over a spread that depends on how stormy the
series has been, are one distribution for all, heavy tails and all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import ndtri

from forecast.models.series.reversion import median_regression, spread_regression

#: Points that the distribution of residuals is kept at.
POINTS = 400
#: Share of a step's weight that the step before has in the recent mean absolute change.
MEMORY = 0.85
#: Shares of the past below and above which a gap or storminess counts as the edge.
EDGES = (0.005, 0.995)
#: What is known at a step, in order; all less the level of the last quarter.
GAPS = (
    "last", "half_year", "year", "two_years", "all_past", "same_time", "common_last", "common_year",
)  # fmt: skip
SPREADS = ("change", "recent_change", "deviation", "distance", "size")


@dataclass(frozen=True)
class LearnedHorizon:
    """What all series say about one horizon.

    Attributes
    ----------
    coefficients : ndarray, shape (len(GAPS),)
    spread : ndarray, shape (1 + len(SPREADS),)
        Log-linear coefficients of the mean absolute residual.
    residuals : ndarray, shape (POINTS,)
        Quantiles of standardised residuals, ascending.
    scores : ndarray, shape (n_series, n_steps)
        Normal score of each residual by the step it was forecast from; NaN where there is none.
    edges : pair of ndarray, shapes (2, len(GAPS)) and (2, 1 + len(SPREADS))
        The range of what was learned from, for the gaps and for the storminess.
    """

    coefficients: np.ndarray
    spread: np.ndarray
    residuals: np.ndarray
    scores: np.ndarray
    edges: tuple[np.ndarray, np.ndarray]

    def ahead(self, gaps: np.ndarray, storm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the expected change and the spread of some series, shapes (n,).

        What lies beyond all that was learned from counts as its edge: a regression says nothing of
        what no series has been through.
        """
        gaps, storm = np.clip(gaps, *self.edges[0]), np.clip(storm, *self.edges[1])
        return gaps @ self.coefficients, np.exp(storm @ self.spread)


def means(values: np.ndarray, window: int) -> np.ndarray:
    """Return the mean of the last `window` steps up to each, NaN where a half of them is missing.

    Parameters
    ----------
    values : ndarray, shape (n_series, n_steps)
        NaN where there is no value.
    window : int
        Steps; at most as many as there are.
    """
    there = ~np.isnan(values)
    total = np.cumsum(np.where(there, values, 0.0), axis=1)
    count = np.cumsum(there, axis=1)
    total[:, window:], count[:, window:] = (
        total[:, window:] - total[:, :-window],
        count[:, window:] - count[:, :-window],
    )
    enough = count >= max(1, (min(window, values.shape[1]) + 1) // 2)
    made = np.full(values.shape, np.nan)
    return np.asarray(np.divide(total, count, out=made, where=enough))


@dataclass
class Levels:
    """Adjusted series on one grid of steps, and what they say together.

    Attributes
    ----------
    values : ndarray, shape (n_series, n_steps)
        Without their season; NaN in gaps and before the last break.
    groups : ndarray of int, shape (n_series,)
        Series that may move together.
    season : int
        Steps of a year.
    logs : bool
        Whether the values are logs of counts: small counts are noisier than large ones.
    settings : mapping
        ``models/seasonal-pooled.toml``.
    """

    values: np.ndarray
    groups: np.ndarray
    season: int
    logs: bool
    settings: Mapping[str, Any]
    steps: dict[int, LearnedHorizon | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Describe every step of every series by what had been observed up to it."""
        values, season = self.values, self.season
        quarter = max(1, season // 4)
        self.filled = _carried(values)
        self.base = means(values, quarter)
        there = ~np.isnan(values)
        age = np.cumsum(there, axis=1)
        self.usable = there & ~np.isnan(self.base) & (age >= self.settings["least_years"] * season)
        total = np.cumsum(np.where(there, values, 0.0), axis=1)
        past = total / np.maximum(age, 1)
        year = self._else(means(values, season))
        two = self._else(means(values, 2 * season), year)
        half = self._else(means(values, 2 * quarter))
        gaps = [self.filled, half, year, two, past]
        self.gaps = [np.nan_to_num(gap - self.base) for gap in gaps]
        self.common = [self._common(self.gaps[0]), self._common(self.gaps[2])]
        self.storm = self._storm(year)
        self.small = 0.05 * float(np.median(self.storm[0][self.usable])) if self.usable.any() else 1

    def _else(self, mean: np.ndarray, other: np.ndarray | None = None) -> np.ndarray:
        return np.where(np.isnan(mean), self.base if other is None else other, mean)

    def _common(self, gap: np.ndarray) -> np.ndarray:
        """Return the median of a gap over the series of each group, at each step."""
        made = np.zeros_like(gap)
        for group in np.unique(self.groups):
            own = self.groups == group
            known = np.where(self.usable[own], gap[own], np.nan)
            some = self.usable[own].any(axis=0)
            middle = np.zeros(gap.shape[1])
            middle[some] = np.nanmedian(known[:, some], axis=0)
            made[own] = middle
        return made

    def _storm(self, year: np.ndarray) -> list[np.ndarray]:
        """Return how stormy each series has been up to each step."""
        filled = self.filled
        change = np.abs(np.diff(filled, axis=1, prepend=filled[:, :1]))
        moved = ~np.isnan(change) & ~np.isnan(self.values)
        change = np.where(moved, change, 0.0)
        count = np.maximum(np.cumsum(moved, axis=1), 1)
        recent, mass = np.zeros_like(change), np.zeros_like(change)
        for step in range(1, change.shape[1]):
            recent[:, step] = MEMORY * recent[:, step - 1] + change[:, step]
            mass[:, step] = MEMORY * mass[:, step - 1] + moved[:, step]
        away = np.nan_to_num((filled - year) ** 2)
        deviation = np.sqrt(means(away, self.season))
        return [
            np.cumsum(change, axis=1) / count,
            recent / np.maximum(mass, 1e-9),
            np.nan_to_num(deviation),
            np.abs(np.nan_to_num(self.base - year)),
            np.exp(-0.5 * np.nan_to_num(self.base)) if self.logs else np.ones_like(change),
        ]

    def design(self, horizon: int, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the gaps (n, len(GAPS)) and log storminess (n, 1 + len(SPREADS)) of some steps.

        Parameters
        ----------
        horizon : int
        chosen : ndarray of bool, shape (n_series, n_steps)
        """
        gaps = [gap[chosen] for gap in self.gaps]
        gaps += [self._same_time(horizon)[chosen], *(common[chosen] for common in self.common)]
        storm = [np.log(one[chosen] + self.small) for one in self.storm[:-1]]
        storm.append(np.log(self.storm[-1][chosen]))
        return np.stack(gaps, axis=1), np.stack([np.ones(len(storm[0])), *storm], axis=1)

    def _same_time(self, horizon: int) -> np.ndarray:
        """Return how far the same time of an earlier year lay off its surroundings."""
        filled, quarter = self.filled, max(1, self.season // 4)
        back = -(-horizon // self.season) * self.season - horizon
        beside = []
        for offset in range(-quarter, quarter + 1):
            # Of the surroundings, only what had been observed by then.
            shift = back - offset
            if offset and shift >= 0:
                beside.append(_shifted(filled, shift))
        same = _shifted(filled, back)
        near = np.stack([*beside, same])
        count = np.maximum((~np.isnan(near)).sum(axis=0), 1)
        return np.asarray(np.nan_to_num(same - np.nansum(near, axis=0) / count))

    def step(self, horizon: int) -> tuple[LearnedHorizon, int] | None:
        """Return what is known of a horizon, and of which nearest one; None if of none."""
        for candidate in range(horizon, 0, -1):
            if candidate not in self.steps:
                self.steps[candidate] = self._learn(candidate)
            learned = self.steps[candidate]
            if learned is not None:
                return learned, candidate
        return None

    def _learn(self, horizon: int) -> LearnedHorizon | None:
        outcome = np.full_like(self.values, np.nan)
        if horizon < outcome.shape[1]:
            outcome[:, :-horizon] = self.values[:, horizon:]
        chosen = self.usable & ~np.isnan(outcome)
        settings = self.settings
        if chosen.sum() < settings["minimum_cells"]:
            return None
        if chosen.any(axis=1).sum() < settings["minimum_series"]:
            return None
        x, s = self.design(horizon, chosen)
        edges = np.quantile(x, EDGES, axis=0), np.quantile(s, EDGES, axis=0)
        x, s = np.clip(x, *edges[0]), np.clip(s, *edges[1])
        y = outcome[chosen] - self.base[chosen]
        when = np.nonzero(chosen)[1]
        recent = 0.5 ** ((when.max() - when) / (settings["half_life"] * self.season))
        prior = np.zeros(s.shape[1])
        prior[1] = 1.0
        expected = np.exp(s @ prior)
        coefficients, spread = np.zeros(x.shape[1]), prior
        for _ in range(2):
            weights = recent / expected
            coefficients, _ = median_regression(
                x, y, weights / weights.mean(), float(settings["ridge"]) * horizon,
                when // horizon, 0.2 * self.small,
            )  # fmt: skip
            residual = y - x @ coefficients
            spread = spread_regression(
                s, np.abs(residual) + 0.2 * self.small, float(settings["ridge"]), prior
            )
            expected = np.exp(s @ spread)
        standard = residual / expected
        order = standard.argsort(kind="stable")
        reached = np.cumsum(recent[order]) - 0.5 * recent[order]
        reached /= recent.sum()
        points = np.interp((np.arange(POINTS) + 0.5) / POINTS, reached, standard[order])
        score = np.empty(len(order))
        score[order] = ndtri(np.clip(reached, 1e-6, 1.0 - 1e-6))
        scores = np.full(self.values.shape, np.nan)
        scores[chosen] = score
        return LearnedHorizon(coefficients, spread, points, scores, edges)

    def copula(self, n_ahead: int) -> np.ndarray:
        """Return a root of the correlation of residuals over horizons, (n_ahead, n_ahead)."""
        steps = np.arange(n_ahead)
        # Where too little is known: shares of a common random walk.
        correlation = np.sqrt(
            (1 + np.minimum.outer(steps, steps)) / (1 + np.maximum.outer(steps, steps))
        )
        learned = {
            h: step.scores.ravel() for h in range(1, n_ahead + 1) if (step := self.steps.get(h))
        }
        for first, one in learned.items():
            for second, other in learned.items():
                both = ~np.isnan(one) & ~np.isnan(other)
                if second > first and both.sum() >= 30:
                    found = float(np.corrcoef(one[both], other[both])[0, 1])
                    correlation[first - 1, second - 1] = found
                    correlation[second - 1, first - 1] = found
        values, vectors = np.linalg.eigh(correlation)
        made = vectors * np.sqrt(np.clip(values, 0.0, None))
        return np.asarray(made / np.sqrt((made**2).sum(axis=1, keepdims=True)))


def _carried(values: np.ndarray) -> np.ndarray:
    """Return the values with gaps carried forward; NaN before the first."""
    at = np.where(np.isnan(values), -1, np.arange(values.shape[1]))
    last = np.maximum.accumulate(at, axis=1)
    rows = np.arange(len(values))[:, None]
    return np.where(last >= 0, values[rows, np.maximum(last, 0)], np.nan)


def _shifted(values: np.ndarray, by: int) -> np.ndarray:
    """Return what stood so many steps earlier; NaN before the first step."""
    made = np.full_like(values, np.nan)
    if by < values.shape[1]:
        made[:, by:] = values[:, : values.shape[1] - by]
    return made
