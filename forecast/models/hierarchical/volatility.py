"""How much a series has moved: last year, and usually."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def usual_moves(rates: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Return the usual move as known after each year: moves that count less the older they are.

    Parameters
    ----------
    rates : ndarray, shape (..., n_years)
        Per 1,000; NaN in gaps, over which the usual move stays.
    settings : mapping
        ``memory``: the weight of the newest move.

    Returns
    -------
    ndarray, shape of `rates`
        Per 1,000; NaN before the first move.
    """
    moved = np.abs(np.diff(rates, axis=-1))
    usual = np.full_like(rates, np.nan)
    for year in range(moved.shape[-1]):
        usual[..., year + 1] = after(usual[..., year], moved[..., year], settings)
    return usual


def after(usual: np.ndarray, moved: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Return the usual move after one more; a missing move changes nothing."""
    weight = float(settings["memory"])
    newer = np.where(np.isnan(usual), moved, weight * moved + (1.0 - weight) * usual)
    return np.where(np.isnan(moved), usual, newer)


def calm_floor(usual: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Return the least standard deviation of a calm year's shock, per 1,000."""
    return np.hypot(float(settings["usual_share"]) * usual, float(settings["floor"]))


def now(
    rates: np.ndarray, start: np.ndarray, settings: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the last and the usual move of each series at some year.

    Parameters
    ----------
    rates : ndarray, shape (n, n_years)
    start : ndarray of int, shape (n,)
        Position of the year.
    settings : mapping

    Returns
    -------
    move, usual : ndarray, shape (n,)
        Where a series has not moved yet, the median move of all stands for it.
    """
    moved = np.abs(np.diff(rates, axis=1))
    typical = float(np.nanmedian(moved)) if (~np.isnan(moved)).any() else 1.0
    every = np.arange(len(rates))
    last = np.abs(rates[every, start] - rates[every, np.maximum(start - 1, 0)])
    last = np.where(np.isnan(last) | (start == 0), typical, last)
    usual = usual_moves(rates, settings)[every, start]
    return last, np.where(np.isnan(usual), typical, usual)
