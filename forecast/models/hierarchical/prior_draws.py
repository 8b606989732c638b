"""Worlds drawn from the prior: what the model believes before it sees a figure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import expit

from forecast.models.hierarchical.graph import OF_GROUPS, STORM_DEGREES
from forecast.models.hierarchical.priors import Prior
from forecast.models.hierarchical.simulation import scale_of_storms
from forecast.models.hierarchical.volatility import after, calm_floor


def prior_parameters(
    priors: Mapping[str, Prior],
    group: np.ndarray,
    parent: np.ndarray,
    n_years: int,
    draws: int,
    generator: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Draw parameters from their priors.

    Parameters
    ----------
    priors : mapping of str to (mean, standard deviation)
    group, parent : ndarray of int
        See `forecast.models.hierarchical.rates_panel.Pool`.
    n_years, draws : int
    generator : numpy.random.Generator

    Returns
    -------
    dict
        Of groups ``(draws, n_groups)``, ``location_mean``, ``location_storm`` and
        ``location_persistence`` ``(draws, n)`` and ``shared_raw`` ``(draws, n_years)``.
    """
    n, n_groups = len(group), int(group.max()) + 1
    found = {
        name: centre + spread * generator.standard_normal((draws, n_groups))
        for name, (centre, spread) in ((name, priors[name]) for name in OF_GROUPS)
    }

    def around(centre: str, spread: str) -> np.ndarray:
        off = np.exp(found[spread])[:, group] * generator.standard_normal((draws, n))
        drawn = found[centre][:, group] + off
        if centre == "mean" and len(parent):
            drawn[:, n - len(parent) :] = drawn[:, parent] + off[:, n - len(parent) :]
        return np.asarray(drawn)

    found["location_mean"] = around("mean", "log_mean_spread")
    found["location_storm"] = np.exp(around("log_storm_size", "log_storm_spread"))
    found["location_persistence"] = expit(around("logit_persistence", "log_persistence_spread"))
    found["shared_raw"] = generator.standard_normal((draws, n_years))
    return found


def prior_histories(
    parameters: Mapping[str, np.ndarray],
    group: np.ndarray,
    begun: np.ndarray,
    settings: Mapping[str, float],
    generator: np.random.Generator,
) -> np.ndarray:
    """Draw the rates that parameters make, shocks of locations independent.

    Parameters
    ----------
    parameters : mapping
        See `prior_parameters`.
    group : ndarray of int, shape (n,)
    begun : ndarray, shape (draws, n, 2)
        The first two rates of each series, per 1,000.
    settings : mapping
        ``floor, usual_share, memory, storm_floor, least_move``.
    generator : numpy.random.Generator

    Returns
    -------
    ndarray, shape (draws, n, 2 + n_years)
    """
    years = parameters["shared_raw"]
    rates = np.concatenate([begun, np.empty((*begun.shape[:2], years.shape[1]))], axis=2)
    mean, size = parameters["location_mean"], parameters["location_storm"]
    calm_scale = np.exp(parameters["log_calm_scale"])[:, group]
    shared = np.exp(parameters["log_shared_storms"])[:, group]
    usual = np.full(rates.shape[:2], np.nan)
    for t in range(2, rates.shape[2]):
        before = rates[:, :, t - 1]
        moved = np.abs(before - rates[:, :, t - 2])
        usual, move = after(usual, moved, settings), moved + settings["least_move"]
        logit = (
            parameters["logit_storm_chance"][:, group]
            + parameters["storm_echo"][:, group] * np.log(move)
            + shared * years[:, t - 2, None]
        )
        away = before - mean
        scale = scale_of_storms(size, away, settings["storm_floor"])
        stormy = (
            mean
            + parameters["location_persistence"] * away
            + scale * generator.standard_t(STORM_DEGREES, mean.shape)
        )
        shock = generator.standard_normal(mean.shape)
        calm = before + np.hypot(calm_scale * move, calm_floor(usual, settings)) * shock
        rates[:, :, t] = np.where(generator.random(mean.shape) < expit(logit), stormy, calm)
    return rates
