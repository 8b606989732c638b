"""Checks of the hierarchical model: what ArviZ needs, replicated histories, worlds of the prior."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit

from forecast.models.bayes.gate import Sampled
from forecast.models.hierarchical import rates_panel, simulation
from forecast.models.hierarchical.posterior import OF_GROUPS, STORM_DEGREES
from forecast.models.hierarchical.priors import Prior
from forecast.models.hierarchical.rates_panel import RatesPanel, after, calm_floor
from forecast.models.hierarchical.simulation import scale_of_storms

if TYPE_CHECKING:
    import xarray as xr


def tree(
    sampled: Sampled,
    pool: RatesPanel,
    data: Mapping[str, np.ndarray],
    storm_floor: float,
    draws: int,
    seed: int,
) -> xr.DataTree:
    """Gather what ArviZ's checks read; see `FittedHierarchical.to_arviz`."""
    import xarray as xr

    kept = sampled.posterior["posterior"].dataset
    chains, length = kept.sizes["chain"], kept.sizes["draw"]
    each = max(1, min(length, draws // chains))
    within = np.arange(each) * length // each
    rows = (np.arange(chains)[:, None] * length + within).ravel()
    parameters = simulation.Parameters.of(sampled, pool.group).take(rows)
    year = sampled.draws("shared_raw")[rows]
    log_density, _ = simulation.scores(parameters, data, storm_floor, year)
    again = simulation.replicates(parameters, data, storm_floor, year, np.random.default_rng(seed))
    used = data["weight"] > 0
    where, when = np.nonzero(used)
    labels = [
        f"{pool.series[row].location} {pool.first_year + (step + 1) * pool.step}"
        for row, step in zip(where, when)
    ]

    def pointwise(values: np.ndarray) -> xr.Dataset:
        flat = values[:, used].reshape(chains, each, -1)
        array = xr.DataArray(
            flat, dims=("chain", "draw", "transition"), coords={"transition": labels}
        )
        return array.to_dataset(name="rate")

    observed = xr.DataArray(
        data["value"][used], dims="transition", coords={"transition": labels}
    ).to_dataset(name="rate")
    thinned = kept.isel(draw=within).assign_coords(draw=np.arange(each))
    statistics = sampled.posterior["sample_stats"].dataset.isel(draw=within)
    return xr.DataTree.from_dict(
        {
            "posterior": thinned,
            "sample_stats": statistics.assign_coords(draw=np.arange(each)),
            "log_likelihood": pointwise(log_density),
            "posterior_predictive": pointwise(again),
            "observed_data": observed,
        }
    )


def predictive(
    parameters: simulation.Parameters,
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
    parameters : Parameters
    pool : RatesPanel
    correlation : ndarray, shape (n, n)
    settings : mapping
        See `forecast.models.hierarchical.simulation.simulate`.
    seed : int

    Returns
    -------
    DataFrame
        See `FittedHierarchical.predictive_check`.
    """
    rates, every = pool.rates, np.arange(len(pool.rates))
    first = np.argmax(~np.isnan(rates), axis=1)
    later = np.minimum(first + 1, rates.shape[1] - 1)
    begun = np.where(np.isnan(rates[every, later]), rates[every, first], rates[every, later])
    moves = rates_panel.now(rates, later, settings)
    drawn = simulation.simulate(
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
        See `forecast.models.hierarchical.rates_panel.RatesPanel`.
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
