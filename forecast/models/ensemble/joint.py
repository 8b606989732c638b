"""From the members' draws to one set of joint draws: pool, calibrate, put in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from forecast.hindcast.members import MemberForecast
from forecast.models.ensemble import dependence
from forecast.models.ensemble.weights import GroupWeights
from forecast.models.ensemble.widths import POOLS, choose, renormalised
from forecast.scales import Scale
from forecast.series_key import SeriesKey

#: Variances are those of draws within these probabilities: heavy tails need not have one.
CENTRAL = (0.005, 0.995)


@dataclass(frozen=True)
class Combined:
    """The forecast of one series, and what its width is made of.

    Attributes
    ----------
    paths : ndarray, shape (n_draws, n_ahead)
        In persons.
    weights : ndarray, shape (n_members, n_ahead)
        Zero for members that made no forecast.
    disagreement, parameters, shocks, unsplit, calibration : ndarray, shape (n_ahead,)
        Parts of the variance, in persons squared; the last may be below zero.
    revisions, accounts : ndarray, shape (n_ahead,)
        What revisions of the figures to come add to it, and accounts that have to add up.
    """

    paths: np.ndarray
    weights: np.ndarray
    disagreement: np.ndarray
    parameters: np.ndarray
    shocks: np.ndarray
    unsplit: np.ndarray
    calibration: np.ndarray
    revisions: np.ndarray
    accounts: np.ndarray

    def revised(self, paths: np.ndarray) -> Combined:
        """Return the forecast with draws that revisions have moved."""
        return replace(self, paths=paths, revisions=np.maximum(self._added(paths), 0.0))

    def reconciled(self, paths: np.ndarray) -> Combined:
        """Return the forecast with draws that obey the accounts."""
        if np.array_equal(paths, self.paths):
            return self
        return replace(self, paths=paths, accounts=self._added(paths))

    def less(self, other: Combined, paths: np.ndarray) -> Combined:
        """Return what explains draws of the difference between this series and another.

        Their variances add up; what they have in common is the part of the accounts.
        """
        names = ("disagreement", "parameters", "shocks", "unsplit", "calibration", "revisions")
        parts = {name: getattr(self, name) + getattr(other, name) for name in names}
        rest = _central_variance(paths) - sum(parts.values())
        return Combined(paths, (self.weights + other.weights) / 2, **parts, accounts=rest)

    def _added(self, paths: np.ndarray) -> np.ndarray:
        return np.asarray(_central_variance(paths) - _central_variance(self.paths))


def combine(
    forecasts: Sequence[MemberForecast],
    ahead: Mapping[SeriesKey, int],
    counts: Mapping[SeriesKey, Scale],
    learned: Mapping[SeriesKey, GroupWeights],
    pool: str,
    n_draws: int,
    generator: np.random.Generator,
) -> dict[SeriesKey, Combined]:
    """Combine the members' draws of all series.

    Parameters
    ----------
    forecasts : sequence of MemberForecast
        One per member, with draws.
    ahead : mapping of key to int
        Steps after each series' own last year.
    counts : mapping of key to Scale
        Those of series that are pooled as log(1 + persons).
    learned : mapping of key to GroupWeights
    pool : {"linear", "quantile"}

    Returns
    -------
    dict of key to Combined
        Row *i* of every series is the same world.
    """
    # One stratified sample for all series: a draw is of the same member wherever weights agree.
    uniform = (generator.permutation(n_draws) + generator.uniform(size=n_draws)) / n_draws
    combined = {
        key: _one(forecasts, key, n_ahead, counts.get(key), learned[key], pool, uniform)
        for key, n_ahead in ahead.items()
    }
    return _ordered(combined, learned, generator)


def _one(
    forecasts: Sequence[MemberForecast],
    key: SeriesKey,
    n_ahead: int,
    count: Scale | None,
    learned: GroupWeights,
    pool: str,
    uniform: np.ndarray,
) -> Combined:
    """Pool and calibrate one series; its paths keep the ranks of the members' paths."""
    n_draws = len(uniform)
    present = np.array([key in made for made in forecasts])
    nothing = np.zeros(n_ahead)
    if n_ahead == 0:
        empty = np.zeros((len(forecasts), 0))
        return Combined(np.empty((n_draws, 0)), empty, *(nothing,) * 7)
    there = np.flatnonzero(present).tolist()
    draws = np.stack([forecasts[k].of(key)[:, :n_ahead] for k in there])
    weights = np.stack(
        [renormalised(own, present[:, None])[:, 0] for own in learned.weights(n_ahead)], axis=1
    )
    levels = (np.arange(n_draws) + 0.5) / n_draws
    scaled = draws if count is None else count.logs(draws)
    pooled = POOLS[pool](scaled, weights[there], levels)
    calibrated = np.stack(
        [
            widening.apply(pooled[:, [step]], levels)[:, 0]
            for step, widening in enumerate(learned.widenings(n_ahead))
        ],
        axis=1,
    )
    if count is not None:
        pooled, calibrated = count.to_persons(pooled), count.to_persons(calibrated)
    member = choose(weights[there].mean(axis=1), n_draws, uniform)
    template = draws[member, np.arange(n_draws)]
    paths = dependence.with_ranks_of(template, calibrated)
    shares = [forecasts[k].parameter_share(key) for k in there]
    parts = _variances(draws, weights[there], shares, pooled, calibrated)
    return Combined(paths, weights, *(*parts, nothing, nothing))


def _variances(
    draws: np.ndarray,
    weights: np.ndarray,
    shares: Sequence[np.ndarray],
    pooled: np.ndarray,
    calibrated: np.ndarray,
) -> tuple[np.ndarray, ...]:
    """Split the variance of the calibrated pool by the law of total variance."""
    bounds = np.quantile(pooled, CENTRAL, axis=0)
    kept = np.clip(draws, bounds[0], bounds[1])
    centre, spread = kept.mean(axis=1), kept.var(axis=1)
    mean = (weights * centre).sum(axis=0)
    disagreement = (weights * (centre - mean) ** 2).sum(axis=0)
    share = np.stack([one[: draws.shape[2]] for one in shares])
    split = np.isfinite(share)
    parameters = (weights * spread * np.where(split, share, 0.0)).sum(axis=0)
    shocks = (weights * spread * np.where(split, 1.0 - share, 0.0)).sum(axis=0)
    unsplit = (weights * spread * ~split).sum(axis=0)
    total = _central_variance(calibrated)
    # What is left is the work of the calibration (and, for averaged quantiles, of the pool).
    rest = total - disagreement - parameters - shocks - unsplit
    return disagreement, parameters, shocks, unsplit, rest


def _central_variance(paths: np.ndarray) -> np.ndarray:
    within = np.quantile(paths, CENTRAL, axis=0)
    return np.asarray(np.clip(paths, within[0], within[1]).var(axis=0))


def _ordered(
    combined: Mapping[SeriesKey, Combined],
    learned: Mapping[SeriesKey, GroupWeights],
    generator: np.random.Generator,
) -> dict[SeriesKey, Combined]:
    """Put whole paths of the series side by side as past joint errors ask for."""
    keys = [key for key, one in combined.items() if one.paths.shape[1]]
    if len(keys) < 2:
        return dict(combined)
    heights = [dependence.height(combined[key].paths[:, None, :])[:, 0] for key in keys]
    high = np.stack(heights, axis=1)
    n_draws = len(high)
    own = np.corrcoef(high, rowvar=False)
    own = np.where(np.abs(own) < 4.0 / np.sqrt(n_draws), 0.0, own)
    np.fill_diagonal(own, 1.0)
    # A series may have belonged to another group at an earlier origin.
    tables = {id(one): one.errors for one in learned.values() if len(one.errors)}
    scores = np.full((1, len(keys)), np.nan)
    if tables:
        table = pd.concat(tables.values(), ignore_index=True)
        table = table.pivot_table(index="origin", columns="key", values="score", aggfunc="mean")
        scores = np.stack(
            [
                table[key].to_numpy() if key in table else np.full(len(table), np.nan)
                for key in keys
            ],
            axis=1,
        )
    matrix = dependence.correlation(scores, own)
    order = dependence.order_between(high, matrix, generator)
    turned = dict(combined)
    for position, key in enumerate(keys):
        one = combined[key]
        turned[key] = replace(one, paths=one.paths[order[:, position]])
    return turned
