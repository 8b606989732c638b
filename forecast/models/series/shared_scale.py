"""Series that share one scale, and what they say together about each horizon.

The learning of `forecast.models.series.pooled`: median regression of changes on gaps, the spread of
its residuals, and their ranks over horizons.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from forecast.errors import TooShortError
from forecast.models.registry import specification
from forecast.models.series.reversion import SeriesPast, median_regression, past, spread_regression
from forecast.models.series.univariate import MINIMUM_YEARS, Prepared
from forecast.series_key import SeriesKey


@dataclass(frozen=True)
class Step:
    """What a pool says about one horizon.

    Attributes
    ----------
    coefficients : ndarray, shape (len(GAPS),)
        Share of each gap that is closed.
    covariance : ndarray, shape (len(GAPS), len(GAPS))
    spread : ndarray, shape (1 + len(SPREADS),)
        Log-linear coefficients of the mean absolute residual.
    residuals : ndarray, shape (n,)
        Standardised, ascending.
    scores : DataFrame
        Normal score of the residual by (series, year), for the copula.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    spread: np.ndarray
    residuals: np.ndarray
    scores: pd.Series


class SharedScale:
    """The series that share one scale, and what they say about each horizon."""

    def __init__(self, members: dict[SeriesKey, Prepared], kind: str, step: int) -> None:
        self.settings = specification("pooled")
        self.members = members
        self.pasts: dict[SeriesKey, SeriesPast] = {
            key: past(one.values, one.breaks, MINIMUM_YEARS, step) for key, one in members.items()
        }
        # Persons of a small region and of a country are not comparable; rates and logs are.
        self.own_unit = kind == "persons"
        moved = np.concatenate([one.spreads[:, 0] for one in self.pasts.values()])
        typical = 1.0 if self.own_unit else float(np.median(moved))
        self.small = 0.05 * max(typical, 1e-9)
        self.steps: dict[int, Step] = {}
        lengths = [int((~np.isnan(one.values)).sum()) for one in members.values()]
        self.least = int(np.clip(np.median(lengths) // 3, *self.settings["least_past"]))

    def unit(self, one: SeriesPast) -> np.ndarray:
        """Return what the values of a series are divided by, shape (n,)."""
        if not self.own_unit:
            return np.ones(len(one.where))
        return np.asarray(np.maximum(one.spreads[:, 0], 1e-9 * (1.0 + np.abs(one.value))))

    def design(self, one: SeriesPast) -> tuple[np.ndarray, np.ndarray]:
        """Return the gaps (n, 3) and the log measures of storminess (n, 1 + 5)."""
        unit = self.unit(one)[:, None]
        storm = np.log(one.spreads / unit + self.small)
        return one.gaps / unit, np.column_stack([np.ones(len(storm)), storm])

    def learn(self, horizon: int) -> Step | None:
        """Learn one horizon from every year that is followed by a value so much later."""
        gaps, storm, change, years, names = [], [], [], [], []
        for key, one in self.pasts.items():
            values, breaks = self.members[key].values, self.members[key].breaks
            later = one.where + horizon
            inside = later < len(values)
            outcome = np.where(inside, values[np.minimum(later, len(values) - 1)], np.nan)
            moved = np.cumsum(breaks)
            same_level = moved[np.minimum(later, len(values) - 1)] == moved[one.where]
            used = np.isfinite(outcome) & same_level & (one.years >= self.least)
            if not used.any():
                continue
            first, second = self.design(one)
            gaps.append(first[used])
            storm.append(second[used])
            change.append(((outcome - one.value) / self.unit(one))[used])
            origin = self.members[key].series.years[one.where[used]]
            years.append(origin)
            names += [(key, int(year)) for year in origin]
        if len(gaps) < self.settings["minimum_series"]:
            return None
        x, s, y, when = map(np.concatenate, (gaps, storm, change, years))
        if len(y) < self.settings["minimum_cells"]:
            return None
        ridge = float(self.settings["ridge"]) * horizon
        # Changes that overlap share their surprise.
        step = next(iter(self.members.values())).series.step
        blocks = when // (horizon * step)
        # To start with, the spread is in proportion to the mean absolute change.
        prior = np.zeros(s.shape[1])
        prior[1] = 1.0
        expected = np.exp(s @ prior)
        coefficients = np.zeros(x.shape[1])
        covariance = np.zeros((x.shape[1], x.shape[1]))
        spread = prior
        for _ in range(2):
            weights = expected ** -float(self.settings["weight_power"])
            coefficients, covariance = median_regression(
                x, y, weights / weights.mean(), ridge, blocks, 0.2 * self.small
            )
            residual = y - x @ coefficients
            spread = spread_regression(s, np.abs(residual) + 0.4 * self.small, ridge, prior)
            expected = np.exp(s @ spread)
        standard = residual / expected
        order = standard.argsort(kind="stable")
        score = np.empty(len(order))
        score[order] = ndtri((np.arange(len(order)) + 0.5) / len(order))
        index = pd.MultiIndex.from_tuples(names)
        return Step(
            coefficients, covariance, spread, standard[order], pd.Series(score, index=index)
        )

    def step(self, horizon: int) -> tuple[Step, float]:
        """Return what is known of a horizon, and how much wider it is than what was learned.

        Beyond the longest horizon that can be learned, the last one is used and its
        spread grows as a random walk's.
        """
        for candidate in range(horizon, 0, -1):
            if candidate not in self.steps:
                learned = self.learn(candidate)
                if learned is None:
                    continue
                self.steps[candidate] = learned
            return self.steps[candidate], float(np.sqrt(horizon / candidate))
        raise TooShortError("no horizon can be learned")

    def copula(self, n_ahead: int) -> np.ndarray:
        """Return a root of the rank correlation of residuals over horizons, (n_ahead, n_ahead)."""
        table = pd.concat([self.step(h + 1)[0].scores for h in range(n_ahead)], axis=1)
        correlation = table.corr(min_periods=20).to_numpy()
        steps = np.arange(n_ahead)
        # Where too little is known: shares of a common random walk.
        walk = np.sqrt((1 + np.minimum.outer(steps, steps)) / (1 + np.maximum.outer(steps, steps)))
        correlation = np.where(np.isfinite(correlation), correlation, walk)
        values, vectors = np.linalg.eigh(0.5 * (correlation + correlation.T))
        made = vectors * np.sqrt(np.clip(values, 0.0, None))
        return np.asarray(made / np.sqrt((made**2).sum(axis=1, keepdims=True)))
