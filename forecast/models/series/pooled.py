"""Pooled reversion: the way back to past levels, learned from all series together.

A direct forecast: for each horizon h, the change y(t+h) − y(t) is regressed on the gaps
between y(t) and the series' own past levels, over all series and all years t of the past
(median regression). Its residuals, divided by a spread that depends on how stormy the
series has been, are one distribution for all, taken as it is: heavy tails, skewness and
all. So long horizons have the reversion that long horizons had, and shocks the tails that
shocks had, which one-step likelihoods of single series do not give.

Every draw has uncertain coefficients (a cluster-robust covariance) and a path of residuals
whose ranks follow a Gaussian copula over horizons, estimated from the same residuals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from forecast.contract import BY_NAME, FORECAST, NOT_FORECAST, NOTE_COLUMNS, FittedBase, ModelBase
from forecast.errors import TooShortError
from forecast.horizons import check_years
from forecast.models.assembly import assemble, note
from forecast.models.registry import specification
from forecast.models.series.reversion import (
    GAPS,
    SPREADS,
    SeriesPast,
    median_regression,
    past,
    spread_regression,
)
from forecast.models.series.univariate import MINIMUM_YEARS, Prepared, prepare, series_seed
from forecast.outlook import Forecast
from forecast.panel import Panel, Series
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


class PooledReversion(ModelBase):
    """Reversion to own past levels with coefficients shared by all series of one scale.

    Series pool by scale: rates per 1,000 (net flows with a known population), log counts,
    and persons (net flows without), the last in units of their own mean absolute change.
    """

    name = "pooled"
    recipe = BY_NAME

    def fit(self, panel: Panel, seed: int) -> FittedPools:
        """Describe the past of every series; see `forecast.contract.Model`.

        Raises
        ------
        TooShortError
            If no scale has enough series to learn from.
        """

        def shared(members: dict[SeriesKey, Prepared], kind: str) -> SharedScale | None:
            pool = SharedScale(members, kind, panel.step)
            if (first := pool.learn(1)) is not None:
                pool.steps[1] = first
                return pool
            return None

        pools, notes = by_scale(panel, self.name, prepare, shared, "structural")
        return FittedPools(panel, seed, pools, notes)


def by_scale[P: Prepared, S](
    panel: Panel,
    name: str,
    prepare_series: Callable[[Series], P],
    shared: Callable[[dict[SeriesKey, P], str], S | None],
    single: str,
) -> tuple[dict[str, S], pd.DataFrame]:
    """Describe together what series of one scale have in common.

    Parameters
    ----------
    name : str
        Of the model; its TOML says how many series and changes are needed.
    prepare_series : callable
        Makes a series ready, or raises `TooShortError`.
    shared : callable
        What the series of a scale have in common; None where there is too little to learn from.
    single : str
        A model of single series, named as a remedy.

    Returns
    -------
    shared : dict of str to object
        By scale.
    notes : DataFrame
        See `Forecast.notes`.

    Raises
    ------
    TooShortError
        If no scale has enough series to learn from.
    """
    settings = specification(name)
    ready: dict[SeriesKey, P] = {}
    reasons: dict[SeriesKey, str] = {}
    for series in panel:
        try:
            ready[series.key] = prepare_series(series)
        except TooShortError as error:
            reasons[series.key] = str(error)
    made: dict[str, S] = {}
    for kind in sorted({one.scale.kind for one in ready.values()}):
        members = {key: one for key, one in ready.items() if one.scale.kind == kind}
        if (common := shared(members, kind)) is not None:
            made[kind] = common
            continue
        reasons |= dict.fromkeys(
            members,
            f"{len(members)} series on the scale {kind!r} are too few or too short: "
            f"{settings['minimum_series']} series and {settings['minimum_cells']} past "
            "changes are needed to learn from.",
        )
    if not made:
        raise TooShortError(
            f"no series can be forecast by {name!r}: "
            f"{next(iter(reasons.values()), 'the panel is empty.')} Add series or earlier "
            f"figures, or use a model of single series such as {single!r}."
        )
    notes = [
        note(one, NOT_FORECAST, reasons[one.key])
        if one.key in reasons
        else note(one, FORECAST, "", ready[one.key].scale.kind)
        for one in panel
    ]
    return made, pd.DataFrame(notes, columns=list(NOTE_COLUMNS))


@dataclass(frozen=True)
class FittedScales(FittedBase):
    """Series of a panel, described together by scale.

    Attributes
    ----------
    panel : Panel
    seed : int
    pools : mapping
        What the series of each scale have in common.
    notes : DataFrame
        One row per series, see `Forecast.notes`.
    name : str
        Of the model.
    """

    panel: Panel
    seed: int
    pools: dict[str, Any]
    notes: pd.DataFrame
    name: ClassVar[str]

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        """Simulate futures; see `forecast.contract.FittedModel`."""
        wanted = check_years(self.panel, years)
        drawn: dict[SeriesKey, np.ndarray] = {}
        for pool in self.pools.values():
            drawn |= self._drawn(pool, wanted[-1], draws)
        return assemble(self.panel, drawn, wanted, self.notes, model=self.name, seed=self.seed)

    def _drawn(self, pool: Any, last: int, draws: int) -> dict[SeriesKey, np.ndarray]:
        """Draw futures of the series of one scale up to a year, in persons."""
        raise NotImplementedError


class FittedPools(FittedScales):
    """Pools that have seen a panel."""

    name = "pooled"

    @property
    def diagnostics(self) -> pd.DataFrame:
        """One row per scale, horizon and parameter: estimate and cluster-robust standard error."""
        rows = []
        for kind, pool in self.pools.items():
            for horizon, step in sorted(pool.steps.items()):
                error = np.sqrt(np.diag(step.covariance))
                for name, value, sd in zip(GAPS, step.coefficients, error):
                    rows.append((kind, horizon, f"gap_{name}", value, sd))
                for name, value in zip(("level", *SPREADS), step.spread):
                    rows.append((kind, horizon, f"spread_{name}", value, np.nan))
        return pd.DataFrame(rows, columns=["scale", "horizon", "parameter", "mean", "sd"])

    def _drawn(self, pool: SharedScale, last: int, draws: int) -> dict[SeriesKey, np.ndarray]:
        """Draw futures of the series of one scale up to a year, in persons."""
        drawn = {}
        ahead = {
            key: max(0, (last - one.series.origin) // self.panel.step)
            for key, one in pool.members.items()
        }
        # The last usable year may lie before the origin (an outlier, a gap).
        beyond = {
            key: len(pool.members[key].values) - 1 - int(pool.pasts[key].where[-1]) for key in ahead
        }
        longest = max(ahead[key] + beyond[key] for key in ahead)
        root = pool.copula(longest) if longest else np.empty((0, 0))
        for key, one in pool.members.items():
            generator = np.random.default_rng(series_seed(self.seed, "pooled", key))
            paths = _paths(pool, key, ahead[key] + beyond[key], draws, root, generator)
            drawn[key] = one.scale.to_persons(paths[:, beyond[key] :])
        return drawn

    def parameter_share(self, key: SeriesKey, n_ahead: int) -> np.ndarray:
        """Return the share of the variance that uncertain coefficients make, shape (n_ahead,)."""
        for pool in self.pools.values():
            if key not in pool.members:
                continue
            shares = np.empty(n_ahead)
            gaps, storm = (part[-1] for part in pool.design(pool.pasts[key]))
            for position in range(n_ahead):
                step, wider = pool.step(position + 1)
                known = float(gaps @ step.covariance @ gaps)
                shock = (wider * np.exp(storm @ step.spread)) ** 2 * step.residuals.var()
                shares[position] = known / (known + shock)
            return shares
        return np.full(n_ahead, np.nan)


def _paths(
    pool: SharedScale,
    key: SeriesKey,
    n_ahead: int,
    n_draws: int,
    root: np.ndarray,
    generator: np.random.Generator,
) -> np.ndarray:
    """Draw futures on the model's scale after the last usable year, (n_draws, n_ahead)."""
    one = pool.pasts[key]
    gaps, storm = (part[-1] for part in pool.design(one))
    unit, last = float(pool.unit(one)[-1]), float(one.value[-1])
    rank = ndtr(generator.standard_normal((n_draws, len(root))) @ root.T)
    # One standard normal per draw and coefficient: wrong coefficients stay wrong at all horizons.
    error = generator.standard_normal((n_draws, len(gaps)))
    paths = np.empty((n_draws, n_ahead))
    for position in range(n_ahead):
        step, wider = pool.step(position + 1)
        values, vectors = np.linalg.eigh(step.covariance)
        deviation = error @ (vectors * np.sqrt(np.clip(values, 0.0, None)) @ vectors.T).T
        level = (np.arange(len(step.residuals)) + 0.5) / len(step.residuals)
        surprise = np.interp(rank[:, position], level, step.residuals)
        change = (step.coefficients + deviation) @ gaps
        paths[:, position] = change + wider * np.exp(storm @ step.spread) * surprise
    return last + unit * paths
