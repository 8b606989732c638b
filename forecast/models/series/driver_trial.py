"""Backtest of drivers: forecasts of the last years with and without them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Trial:
    """How the model with drivers did against the one without, before the present.

    Attributes
    ----------
    origins : int
        Inner origins that were tried.
    skill : float
        1 − CRPS with drivers / CRPS without; NaN without origins.
    p_value : float
        One-sided, that the drivers do not help; 1 where it cannot be tested.
    """

    origins: int
    skill: float
    p_value: float


def crps_of(paths: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Return the CRPS of draws, shape (n_draws, n), at observed values, shape (n,).

    Parameters
    ----------
    paths : ndarray, shape (n_draws, n)
        On the model's scale.
    observed : ndarray, shape (n,)
        On the same scale.
    """
    ordered = np.sort(paths, axis=0)
    size = len(ordered)
    weights = 2 * np.arange(1, size + 1) - size - 1
    spread = (weights[:, None] * ordered).sum(axis=0) / size**2
    return np.asarray(np.abs(ordered - observed).mean(axis=0) - spread)


def judged(losses: np.ndarray, overlap: int) -> Trial:
    """Compare losses with and without drivers, shape (n_origins, 2).

    A t-test on the mean difference whose origins count as often as their forecasts do not
    overlap.

    Parameters
    ----------
    losses : ndarray, shape (n_origins, 2)
        CRPS with and without drivers.
    overlap : int
        Steps that forecasts look ahead, in units of the distance of origins.
    """
    from scipy.special import stdtr

    size = len(losses)
    if size < 2 * overlap:
        return Trial(size, float("nan"), 1.0)
    skill = 1.0 - float(losses[:, 0].sum() / losses[:, 1].sum())
    difference = losses[:, 0] - losses[:, 1]
    separate = size / overlap
    error = float(difference.std(ddof=1)) / np.sqrt(separate)
    if error == 0.0:
        return Trial(size, skill, 1.0)
    p_value = float(stdtr(separate - 1, float(difference.mean()) / error))
    return Trial(size, skill, p_value)
