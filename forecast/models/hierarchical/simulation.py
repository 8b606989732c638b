"""Futures and histories that the hierarchical model makes; worlds that sum to zero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr, ndtri
from scipy.stats import t as student

from forecast.accounts.reconciliation import shrunk_correlation
from forecast.models.bayes.gate import Sampled
from forecast.models.hierarchical.law import (
    STORM_DEGREES,
    Parameters,
    after,
    calm_floor,
    transition,
)
from forecast.models.hierarchical.rates_panel import RatesPanel, now
from forecast.outlook import Forecast

#: Fewest years known of two locations at once for their shocks to be called related.
COMMON_YEARS = 10


#: Variables of the PyMC model that the future depends on.
NEEDED = (
    "location_mean", "location_storm", "location_persistence", "log_calm_scale",
    "logit_storm_chance", "storm_echo", "log_shared_storms", "year_effect",
)  # fmt: skip


def of_locations(sampled: Sampled, group: np.ndarray) -> Parameters:
    """Return the draws of a posterior, each parameter of shape (n_draws, n).

    Parameters
    ----------
    sampled : Sampled
        Draws that passed the gate.
    group : ndarray of int, shape (n,)
        Group of each location.
    """
    return Parameters(
        sampled.draws("location_mean"), sampled.draws("location_storm"),
        sampled.draws("location_persistence"), np.exp(sampled.draws("log_calm_scale"))[:, group],
        sampled.draws("logit_storm_chance")[:, group], sampled.draws("storm_echo")[:, group],
        np.exp(sampled.draws("log_shared_storms"))[:, group],
    )  # fmt: skip


def rows_of(parameters: Parameters, rows: np.ndarray) -> Parameters:
    """Return some of the draws.

    Parameters
    ----------
    parameters : Parameters
        Of all draws.
    rows : ndarray of int
        Which draws to take.
    """
    return Parameters(*(values[rows] for values in parameters))


def simulate(
    parameters: Parameters,
    last: np.ndarray,
    moves: tuple[np.ndarray, np.ndarray],
    start: np.ndarray,
    until: int,
    correlation: np.ndarray,
    settings: Mapping[str, Any],
    generator: np.random.Generator,
    years: np.ndarray | None = None,
) -> np.ndarray:
    """Draw the years after each location's last one, storms and shocks shared.

    Parameters
    ----------
    parameters : Parameters
        Each of shape (n_draws, n).
    last : ndarray, shape (n,)
        Last usable rate, per 1,000.
    moves : (ndarray, ndarray), each of shape (n,)
        Size of the last and of the usual move; see `forecast.models.hierarchical.rates_panel`.
    start : ndarray of int, shape (n,)
        Calendar position of the last usable year.
    until : int
        Calendar position of the last year wanted.
    correlation : ndarray, shape (n, n)
        Of the locations' shocks in one year.
    settings : mapping
        ``floor, usual_share, memory, storm_floor, least_move, bounds``.
    years : ndarray, shape (n_draws, n_steps), optional
        The years' common part before scaling; drawn where it is not given.

    Returns
    -------
    ndarray, shape (n_draws, n, n_steps)
        Rates from the earliest start on; NaN up to each location's own start.
    """
    n_draws, n = parameters.mean.shape
    least, storm_floor = float(settings["least_move"]), float(settings["storm_floor"])
    low, high = settings["bounds"]
    root = np.linalg.cholesky(correlation)
    rate = np.broadcast_to(last, (n_draws, n)).copy()
    moved, usual = (np.broadcast_to(move, (n_draws, n)).copy() for move in moves)
    first = int(start.min())
    paths = np.full((n_draws, n, until - first), np.nan)
    for position in range(first + 1, until + 1):
        step = position - first - 1
        common = generator.standard_normal((n_draws, 1)) if years is None else years[:, [step]]
        law = transition(
            parameters, rate, moved + least, calm_floor(usual, settings), common, storm_floor
        )
        stormy = generator.random((n_draws, n)) < expit(law.storm_logit)
        shock = generator.standard_normal((n_draws, n)) @ root.T
        # A normal shock over a chi of its own is Student's t and keeps the shared sign.
        tail = np.sqrt(generator.chisquare(STORM_DEGREES, (n_draws, n)) / STORM_DEGREES)
        thrown = law.storm_centre + law.storm_scale * shock / tail
        drawn = np.clip(np.where(stormy, thrown, rate + law.calm_scale * shock), low, high)
        active = start < position
        moved = np.where(active, np.abs(drawn - rate), moved)
        usual = np.where(active, after(usual, moved, settings), usual)
        rate = np.where(active, drawn, rate)
        paths[:, active, step] = rate[:, active]
    return paths


def transforms(
    parameters: Parameters,
    data: Mapping[str, np.ndarray],
    storm_floor: float,
    year_effects: np.ndarray,
) -> np.ndarray:
    """Return the probability integral transform of every transition, (n_draws, n, n_years).

    Parameters
    ----------
    parameters : Parameters
        Each of shape (n_draws, n).
    data : mapping
        See `forecast.models.hierarchical.rates_panel.transitions`.
    year_effects : ndarray, shape (n_draws, n_years)
        The years' common part before scaling.
    """
    by_year = Parameters(*(values[:, :, None] for values in parameters))
    before, value = data["before"], data["value"]
    law = transition(
        by_year, before, data["move"], data["floor"], year_effects[:, None, :], storm_floor
    )
    calm = ndtr((value - before) / law.calm_scale)
    stormy = student.cdf((value - law.storm_centre) / law.storm_scale, STORM_DEGREES)
    return np.asarray(calm + expit(law.storm_logit) * (stormy - calm))


def shock_correlation(transform: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return how the locations' shocks go together, shrunk towards independence.

    Margins first, dependence second (Joe 1997, doi:10.1201/9780367803896): normal scores of the
    transforms are correlated over the years that are known.

    Parameters
    ----------
    transform : ndarray, shape (n, n_years)
        Posterior mean of the probability integral transforms.
    weight : ndarray, shape (n, n_years)
        One for a transition that counts.

    Returns
    -------
    ndarray, shape (n, n)
        Positive definite.
    """
    n = len(transform)
    normal = np.where(weight > 0, ndtri(np.clip(transform, 1e-4, 1 - 1e-4)), 0.0)
    related = weight.sum(axis=1) >= COMMON_YEARS
    years = weight[related].any(axis=0) if related.any() else np.zeros(weight.shape[1], bool)
    correlation = np.eye(n)
    if related.sum() >= 2 and years.sum() >= COMMON_YEARS:
        found, _ = shrunk_correlation(normal[np.ix_(related, years)].T)
        # Zeros of unknown years only weaken a correlation; a ridge keeps the matrix definite.
        correlation[np.ix_(related, related)] = 0.99 * found + 0.01 * np.eye(int(related.sum()))
    return correlation


def zero_sum(outlook: Forecast, pooled: RatesPanel) -> Forecast:
    """Take the imbalance of each source's countries off, by the variance of each.

    This is the projection with the smallest change in units of each location's own
    uncertainty (Wickramasuriya et al. 2019, doi:10.1080/01621459.2018.1448825, diagonal).

    Parameters
    ----------
    pooled : RatesPanel
        Which series are countries of a source that covers many.
    """
    values = outlook.paths.to_numpy().copy()
    kinds = {s.key: pooled.groups[g] for s, g in zip(pooled.series, pooled.group)}
    for source in {source for source, _, _ in outlook.keys}:
        rows = [
            place
            for place, key in enumerate(outlook.keys)
            if key[0] == source and kinds[key].startswith("countries, one")
        ]
        if len(rows) < 2:
            continue
        part = values[:, rows]
        low, high = np.nanquantile(part, [0.159, 0.841], axis=0)
        variance = ((high - low) / 2.0) ** 2
        share = variance / np.nansum(variance, axis=0, keepdims=True)
        whole = part.sum(axis=1, keepdims=True)
        values[:, rows] = part - share[None] * whole
    balanced = outlook.paths.copy(data=values)
    return Forecast(balanced, outlook.horizons, outlook.notes, outlook.history)


def predictive(
    parameters: Parameters,
    pool: RatesPanel,
    correlation: np.ndarray,
    settings: Mapping[str, Any],
    seed: int,
) -> pd.DataFrame:
    """Compare statistics of the figures with those of replicated histories.

    Every series is begun anew from its first two known years and simulated over the years it
    has; gaps of the figures are gaps of the replicates.

    Parameters
    ----------
    correlation : ndarray, shape (n, n)
    settings : mapping
        See `simulate`.

    Returns
    -------
    DataFrame
        See `FittedHierarchical.predictive_check`.
    """
    rates, every = pool.rates, np.arange(len(pool.rates))
    first = np.argmax(~np.isnan(rates), axis=1)
    later = np.minimum(first + 1, rates.shape[1] - 1)
    begun = np.where(np.isnan(rates[every, later]), rates[every, first], rates[every, later])
    moves = now(rates, later, settings)
    drawn = simulate(
        parameters, begun, moves, later, rates.shape[1] - 1, correlation, settings,
        np.random.default_rng(seed),
    )  # fmt: skip
    from_first = rates[:, int(later.min()) + 1 :]
    drawn = np.where(np.isnan(from_first)[None], np.nan, drawn)
    seen = _statistics(np.where(np.isnan(drawn[0]), np.nan, from_first)[None])
    made = _statistics(drawn)
    rows = []
    for name, values in made.items():
        low, middle, high = np.nanquantile(values, [0.025, 0.5, 0.975])
        above = float(np.nanmean(values > seen[name][0]))
        rows.append((name, float(seen[name][0]), middle, low, high, above))
    return pd.DataFrame(
        rows, columns=["statistic", "observed", "replicated", "lower", "upper", "p"]
    )


def _statistics(rates: np.ndarray) -> dict[str, np.ndarray]:
    """Statistics over all series of each draw, rates of shape (draws, n, years)."""
    moves = np.diff(rates, axis=2)
    size = np.abs(moves)
    flat = size.reshape(len(size), -1)
    after, before = size[:, :, 1:].reshape(len(size), -1), size[:, :, :-1].reshape(len(size), -1)
    both = ~np.isnan(after) & ~np.isnan(before)
    joint = [
        np.corrcoef(np.log(a[k] + 0.1), np.log(b[k] + 0.1))[0, 1] if k.sum() > 2 else np.nan
        for a, b, k in zip(after, before, both)
    ]
    spread = rates.reshape(len(rates), -1)
    return {
        "median move": np.nanmedian(flat, axis=1),
        "moves above 5 per 1,000": np.nanmean(np.where(np.isnan(flat), np.nan, flat > 5), axis=1),
        "largest move": np.nanmax(flat, axis=1),
        "correlation of successive moves, logs": np.asarray(joint),
        "median rate": np.nanmedian(spread, axis=1),
        "distance of rates, 10 to 90 %": np.nanquantile(spread, 0.9, axis=1)
        - np.nanquantile(spread, 0.1, axis=1),
    }
