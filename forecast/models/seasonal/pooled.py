"""Pooled seasons and levels: what single series cannot say, all of them say together.

The season of each series is shrunk to that of its group as far as it is uncertain (empirical
Bayes); how the level goes on, and how far off that was, is learned from all series, each horizon
by itself (`forecast.models.seasonal.levels`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.special import ndtr

from forecast.contract import BY_NAME, ModelBase
from forecast.models.registry import specification
from forecast.models.seasonal.levels import GAPS, SPREADS, Levels
from forecast.models.seasonal.models import require_season
from forecast.models.seasonal.shape import SeasonalPrepared, pool, seasonally_prepared
from forecast.models.series.pooled import FittedScales, by_scale
from forecast.models.series.univariate import series_seed
from forecast.panel import Panel
from forecast.series import last_break
from forecast.series_key import SeriesKey


@dataclass(frozen=True)
class Pool:
    """The series of one scale.

    Attributes
    ----------
    series : dict of (source, location, measure) to SeasonalPrepared
        In the order of the rows.
    effects, errors : ndarray, shape (n_series, season)
        Pooled seasons and their standard deviations, in units of the series.
    unit : ndarray, shape (n_series,)
        What the values of each are divided by.
    levels : Levels
    """

    series: dict[SeriesKey, SeasonalPrepared]
    effects: np.ndarray
    errors: np.ndarray
    unit: np.ndarray
    levels: Levels


class SeasonalPooled(ModelBase):
    """Seasons drawn to those of their group, levels that go on as those of all series did."""

    name = "seasonal-pooled"
    recipe = BY_NAME

    def fit(self, panel: Panel, seed: int) -> FittedSeasonalPools:
        """Learn from all series; see `forecast.contract.Model`.

        Raises
        ------
        DataError
            Of figures by year.
        TooShortError
            If no scale has enough series to learn from.
        """
        require_season(self.name, panel)

        def shared(members: dict[SeriesKey, SeasonalPrepared], _: str) -> Pool | None:
            made = _pool(members)
            return None if made.levels.step(1) is None else made

        ready = partial(seasonally_prepared, years=1)
        pools, notes = by_scale(panel, self.name, ready, shared, "seasonal-ets")
        return FittedSeasonalPools(panel, seed, pools, notes)


def _pool(members: dict[SeriesKey, SeasonalPrepared]) -> Pool:
    """Pool the seasons by measure and put the adjusted series on one grid."""
    settings = specification("seasonal-pooled")
    made = list(members.values())
    season = made[0].series.season
    logs = made[0].scale.kind == "log"
    unit = np.ones(len(made))
    if not logs:
        # Persons of a small and of a large place compare in units of their usual change.
        for row, one in enumerate(made):
            changes = np.abs(np.diff(one.values[~np.isnan(one.values)]))
            unit[row] = max(float(np.median(changes)), one.scale.floor, 1e-9)
    effects = np.stack([one.shape.effects for one in made]) / unit[:, None]
    errors = np.stack([one.shape.errors for one in made]) / unit[:, None]
    measures = np.array([one.series.measure for one in made])
    groups = np.unique(measures, return_inverse=True)[1]
    for group in range(groups.max() + 1):
        own = groups == group
        effects[own], errors[own], _ = pool(
            effects[own], errors[own], int(settings["common_season"])
        )
    first = min(int(one.series.years[0]) for one in made)
    last = max(one.series.origin for one in made)
    values = np.full((len(made), last - first + 1), np.nan)
    for row, one in enumerate(made):
        start = last_break(one.series)
        at = one.series.years[start:] - first
        values[row, at] = one.values[start:] / unit[row] - effects[row][one.parts[start:]]
    return Pool(members, effects, errors, unit, Levels(values, groups, season, logs, settings))


class FittedSeasonalPools(FittedScales):
    """Pools that have seen a panel."""

    name = "seasonal-pooled"

    @property
    def diagnostics(self) -> pd.DataFrame:
        """One row per scale, horizon and coefficient: of the level's gaps and of the spread."""
        rows = []
        for kind, made in self.pools.items():
            for horizon, step in sorted(made.levels.steps.items()):
                if step is None:
                    continue
                for name, value in zip(GAPS, step.coefficients):
                    rows.append((kind, horizon, f"gap_{name}", value))
                for name, value in zip(("level", *SPREADS), step.spread):
                    rows.append((kind, horizon, f"spread_{name}", value))
        return pd.DataFrame(rows, columns=["scale", "horizon", "parameter", "mean"])

    def _drawn(self, pool: Pool, last: int, draws: int) -> dict[SeriesKey, np.ndarray]:
        """Draw futures of the series of one scale up to a period, in persons."""
        levels = pool.levels
        end = max(one.series.origin for one in pool.series.values())
        anchor = np.array(
            [int(np.flatnonzero(~np.isnan(row))[-1]) for row in levels.values], dtype=int
        )
        first = end - levels.values.shape[1] + 1
        n_steps = last - first - anchor
        longest = int(n_steps.max())
        here = np.zeros(levels.values.shape, dtype=bool)
        here[np.arange(len(anchor)), anchor] = True
        middle = np.empty((len(anchor), longest))
        wide = np.empty_like(middle)
        points = []
        for horizon in range(1, longest + 1):
            found = levels.step(horizon)
            assert found is not None  # noqa: S101
            step, learned = found
            gaps, storm = levels.design(horizon, here)
            change, spread = step.ahead(gaps, storm)
            middle[:, horizon - 1] = levels.base[here] + change
            wide[:, horizon - 1] = np.sqrt(horizon / learned) * spread
            points.append(step.residuals)
        root = levels.copula(longest)
        drawn = {}
        for row, (key, one) in enumerate(pool.series.items()):
            generator = np.random.default_rng(series_seed(self.seed, "seasonal-pooled", key))
            rank = ndtr(generator.standard_normal((draws, longest)) @ root.T)
            error = generator.standard_normal((draws, pool.effects.shape[1]))
            season = pool.effects[row] + pool.errors[row] * error
            skipped = one.series.origin - first - anchor[row]
            ahead = max(0, last - one.series.origin)
            paths = np.empty((draws, ahead))
            at = (np.arange(len(points[0])) + 0.5) / len(points[0])
            for column, part in enumerate(one.parts_ahead(ahead)):
                place = column + skipped
                surprise = np.interp(rank[:, place], at, points[place])
                level = middle[row, place] + wide[row, place] * surprise
                paths[:, column] = level + season[:, part]
            drawn[key] = one.scale.to_persons(paths * pool.unit[row])
        return drawn
