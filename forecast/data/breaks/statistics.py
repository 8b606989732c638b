"""How far a series steps or strikes out, in units of its own usual movement.

Array kernels. For a series y_1..y_n without its median drift, s is the mean of the smaller
70 % of |y_t − y_{t−1}|: what a jump in a few years does not change. Then

- *level*: min(|y_t − y_{t−1}|, |median(y_t..y_{t+2}) − median(y_{t−3}..y_{t−1})|) / s if both
  point one way, else 0: a step that stays;
- *outlier*: min(|y_t − y_{t−1}|, |y_t − y_{t+1}|, |y_t − m|) / s with m the median of the three
  years on either side, if all point one way, else 0: a step that is taken back. Two years in a
  row count as one outlier by the smaller of both.

The minimum makes the two exclude each other, and keeps wandering series quiet.
"""

from __future__ import annotations

import numpy as np

#: Years on either side, and the share of steps that are taken for usual.
_SIDE, _USUAL = 3, 0.7
LEVEL, OUTLIER = "level break", "outlier"


def without_drift(y: np.ndarray) -> np.ndarray:
    """Return series without their median step, shape (..., n)."""
    step = np.median(np.diff(y, axis=-1), axis=-1, keepdims=True)
    drifted: np.ndarray = y - step * np.arange(y.shape[-1])
    return drifted


def usual_step(y: np.ndarray) -> np.ndarray:
    """Return the mean of the smaller 70 % of absolute steps, shape (...)."""
    steps = np.sort(np.abs(np.diff(y, axis=-1)), axis=-1)
    kept = max(3, int(np.ceil(_USUAL * steps.shape[-1])))
    usual: np.ndarray = steps[..., :kept].mean(axis=-1)
    return usual


def _median(parts: np.ndarray) -> np.ndarray:
    """Return the median over the last, short axis; faster than NumPy's for a few values."""
    placed = np.sort(parts, axis=-1)
    size = parts.shape[-1]
    middle: np.ndarray = 0.5 * (placed[..., (size - 1) // 2] + placed[..., size // 2])
    return middle


def _smallest(parts: np.ndarray) -> np.ndarray:
    """Return the part nearest to zero where all have one sign, else zero; over the last axis."""
    sign = np.sign(parts)
    first = sign[..., 0]
    agree = (sign == first[..., None]).all(axis=-1)
    nearest: np.ndarray = np.where(agree, first * np.abs(parts).min(axis=-1), 0.0)
    return nearest


def levels(y: np.ndarray) -> np.ndarray:
    """Return the lasting step at each year, zero where it cannot be told, shape (..., n)."""
    out = np.zeros(y.shape)
    for t in range(2, y.shape[-1] - 1):
        after = _median(y[..., t : t + _SIDE])
        before = _median(y[..., max(0, t - _SIDE) : t])
        out[..., t] = _smallest(np.stack([y[..., t] - y[..., t - 1], after - before], axis=-1))
    return out


def outliers(y: np.ndarray, length: int = 1) -> np.ndarray:
    """Return how far each year, or it and the next, strikes out and back, shape (..., n)."""
    n = y.shape[-1]
    out = np.zeros(y.shape)
    for t in range(1, n - length):
        around = np.concatenate(
            [y[..., max(0, t - _SIDE) : t], y[..., t + length : t + length + _SIDE]], axis=-1
        )
        if around.shape[-1] < _SIDE:
            continue
        middle = _median(around)
        end = t + length
        parts = [y[..., at] - middle for at in range(t, end)]
        parts += [y[..., t] - y[..., t - 1], y[..., end - 1] - y[..., end]]
        out[..., t] = _smallest(np.stack(parts, axis=-1))
    return out


def profiles(y: np.ndarray, floor: np.ndarray | float = 0.0) -> dict[str, np.ndarray]:
    """Return level and outlier statistics of each year, signed, shape (..., n).

    Parameters
    ----------
    y : ndarray, shape (..., n)
        Series without gaps.
    floor : float or ndarray, shape (...)
        The least that a usual step counts for, such as half of what figures are rounded to.
    """
    still = without_drift(y)
    scale = np.maximum(usual_step(still), np.maximum(floor, 1e-12))[..., None]
    one, two = outliers(still), outliers(still, 2)
    strongest = np.where(np.abs(two) > np.abs(one), two, one)
    return {LEVEL: levels(still) / scale, OUTLIER: strongest / scale}
