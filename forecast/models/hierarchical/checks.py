"""The figures against histories that the hierarchical model makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from forecast.models.hierarchical import rates_panel, simulation
from forecast.models.hierarchical.law import Parameters
from forecast.models.hierarchical.rates_panel import RatesPanel

if TYPE_CHECKING:
    pass


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
