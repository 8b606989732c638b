"""Futures of the hierarchical model: arrays in, rates out; worlds that sum to zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, ndtr, ndtri
from scipy.stats import t as student

from forecast.accounts.reconciliation import shrunk_correlation
from forecast.models.bayes.gate import Sampled
from forecast.models.hierarchical.posterior import STORM_DEGREES
from forecast.models.hierarchical.rates_panel import RatesPanel, after, calm_floor
from forecast.outlook import Forecast

#: Fewest years known of two locations at once for their shocks to be called related.
COMMON_YEARS = 10


@dataclass(frozen=True, eq=False)
class Parameters:
    """Draws of what the kernel needs, each of shape (n_draws, n) unless said otherwise.

    Attributes
    ----------
    mean, storm, persistence : ndarray
        Of each location; rates per 1,000, the last a share.
    chance, echo, calm, shared : ndarray
        Logit of a storm after a move of 1 per 1,000, its growth with the log of the move, the
        calm scale, and the spread of the years' common part on the logit.
    """

    mean: np.ndarray
    storm: np.ndarray
    persistence: np.ndarray
    chance: np.ndarray
    echo: np.ndarray
    calm: np.ndarray
    shared: np.ndarray

    @classmethod
    def of(cls, sampled: Sampled, group: np.ndarray) -> Parameters:
        """Take the draws of a posterior."""
        return cls(
            sampled.draws("location_mean"),
            sampled.draws("location_storm"),
            sampled.draws("location_persistence"),
            sampled.draws("logit_storm_chance")[:, group],
            sampled.draws("storm_echo")[:, group],
            np.exp(sampled.draws("log_calm_scale"))[:, group],
            np.exp(sampled.draws("log_shared_storms"))[:, group],
        )

    def take(self, rows: np.ndarray) -> Parameters:
        """Return some of the draws."""
        return Parameters(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def simulate(
    parameters: Parameters,
    last: np.ndarray,
    moves: tuple[np.ndarray, np.ndarray],
    start: np.ndarray,
    until: int,
    correlation: np.ndarray,
    settings: Mapping[str, Any],
    generator: np.random.Generator,
) -> np.ndarray:
    """Draw the years after each location's last one, storms and shocks shared.

    Parameters
    ----------
    parameters : Parameters
        One row per draw.
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
    generator : numpy.random.Generator

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
        common = generator.standard_normal((n_draws, 1))
        logit = parameters.chance + parameters.shared * common
        logit += parameters.echo * np.log(moved + least)
        stormy = generator.random((n_draws, n)) < expit(logit)
        shock = generator.standard_normal((n_draws, n)) @ root.T
        # A normal shock over a chi of its own is Student's t and keeps the shared sign.
        tail = np.sqrt(generator.chisquare(STORM_DEGREES, (n_draws, n)) / STORM_DEGREES)
        away = rate - parameters.mean
        calm_scale = np.hypot(parameters.calm * (moved + least), calm_floor(usual, settings))
        storm_scale = scale_of_storms(parameters.storm, away, storm_floor)
        calm = rate + calm_scale * shock
        thrown = parameters.mean + parameters.persistence * away + storm_scale * shock / tail
        drawn = np.clip(np.where(stormy, thrown, calm), low, high)
        active = start < position
        moved = np.where(active, np.abs(drawn - rate), moved)
        usual = np.where(active, after(usual, moved, settings), usual)
        rate = np.where(active, drawn, rate)
        paths[:, active, position - first - 1] = rate[:, active]
    return paths


def scale_of_storms(size: np.ndarray, away: np.ndarray, floor: float) -> np.ndarray:
    """Scale of a storm's shock: its size, growing with the root of the distance from the mean."""
    return np.asarray(np.sqrt(size * np.hypot(size, away) + floor**2))


def chance_of_storms(
    parameters: Parameters, move: np.ndarray, year_effects: np.ndarray
) -> np.ndarray:
    """Chance of a storm in every known year, shape (n_draws, n, n_years)."""
    logit = parameters.chance[:, :, None] + parameters.echo[:, :, None] * np.log(move)
    return np.asarray(expit(logit + parameters.shared[:, :, None] * year_effects[:, None, :]))


def scores(
    parameters: Parameters,
    data: Mapping[str, np.ndarray],
    storm_floor: float,
    year_effects: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return log density and probability integral transform of every transition.

    Parameters
    ----------
    parameters : Parameters
    data : mapping
        See `forecast.models.hierarchical.rates_panel.transitions`.
    storm_floor : float
    year_effects : ndarray, shape (n_draws, n_years)
        The years' common part before scaling.

    Returns
    -------
    log_density, transform : ndarray, shape (n_draws, n, n_years)
    """
    value, before, move = (data[name][None] for name in ("value", "before", "move"))
    chance = chance_of_storms(parameters, move, year_effects)
    calm_scale = np.hypot(parameters.calm[:, :, None] * move, data["floor"])
    calm = (value - before) / calm_scale
    mean, size = parameters.mean[:, :, None], parameters.storm[:, :, None]
    away = before - mean
    storm_scale = scale_of_storms(size, away, storm_floor)
    storm = (value - mean - parameters.persistence[:, :, None] * away) / storm_scale
    log_calm = -0.5 * calm**2 - 0.5 * np.log(2 * np.pi) - np.log(calm_scale)
    log_storm = student.logpdf(storm, STORM_DEGREES) - np.log(storm_scale)
    log_density = np.logaddexp(np.log1p(-chance) + log_calm, np.log(chance) + log_storm)
    transform = (1.0 - chance) * ndtr(calm) + chance * student.cdf(storm, STORM_DEGREES)
    return np.asarray(log_density), np.asarray(transform)


def replicates(
    parameters: Parameters,
    data: Mapping[str, np.ndarray],
    storm_floor: float,
    year_effects: np.ndarray,
    generator: np.random.Generator,
) -> np.ndarray:
    """Draw every figure anew, given the year before it.

    Parameters
    ----------
    parameters, data, storm_floor, year_effects
        See `scores`.
    generator : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n_draws, n, n_years)
        Rates per 1,000.
    """
    before, move = data["before"][None], data["move"][None]
    chance = chance_of_storms(parameters, move, year_effects)
    calm = before + np.hypot(parameters.calm[:, :, None] * move, data["floor"]) * (
        generator.standard_normal(chance.shape)
    )
    mean = parameters.mean[:, :, None]
    away = before - mean
    scale = scale_of_storms(parameters.storm[:, :, None], away, storm_floor)
    thrown = mean + parameters.persistence[:, :, None] * away
    stormy = thrown + scale * generator.standard_t(STORM_DEGREES, chance.shape)
    return np.asarray(np.where(generator.random(chance.shape) < chance, stormy, calm))


def shock_correlation(transform: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return how the locations' shocks go together, shrunk towards independence.

    Margins first, dependence second (Joe 1997, doi:10.1201/9780367803896): normal scores of the
    transforms are correlated over the years that are known.

    Parameters
    ----------
    transform : ndarray, shape (n, n_years)
        PanelPosterior mean of the probability integral transforms.
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
    outlook : Forecast
    pooled : RatesPanel
        Which series are countries of a source that covers many.
    """
    values = outlook.paths.to_numpy().copy()
    kinds = {s.key: pooled.groups[g] for s, g in zip(pooled.series, pooled.group)}
    sources = outlook.paths["source"].to_numpy()
    keys = list(
        zip(sources, outlook.paths["location"].to_numpy(), outlook.paths["measure"].to_numpy())
    )
    for source in set(sources):
        rows = [
            place
            for place, key in enumerate(keys)
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
