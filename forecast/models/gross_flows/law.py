"""How arrivals and departures move: the law of the gross flows, for arrays and for graphs.

For a place, a direction k (arrivals, departures) and year t, log rates θ follow

    θ_t = θ_{t−1} + g_t + σ_k (a f_t + √(1 − a²) e_t)
    g_t = δ_k g_{t−1} + √(1 − δ_k²) κ_k u_t,  stationary with standard deviation κ_k

f and e are pairs of correlation ρ between the directions: f is standard normal and shared by all
places, e is bivariate Student-t and a place's own, u is standard normal. A shock moves the level
and carries no momentum; growth does, and fades. Where a register breaks, both begin anew. The
PyMC model and the futures read the law here.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def growth(news: Any, size: Any, weights: Any) -> Any:
    """Return growth by place and year from standard normal news.

    Parameters
    ----------
    news : array or tensor, shape (..., n, 2)
        Of the years of one or more stretches.
    size : array or tensor, shape (..., 1, 2)
        κ of both directions.
    weights : pair of arrays or tensors, shape (..., n, n)
        See `fading`, of both directions.

    Returns
    -------
    array or tensor, shape (..., n, 2)
        Growth of log rates a year.

    Examples
    --------
    >>> lag = np.array([[0, -1], [1, 0]])
    >>> one = fading(np.array([[0.5]]), lag)
    >>> growth(np.ones((2, 2)), np.array([[0.1, 0.2]]), (one, one))[0].tolist()
    [0.1, 0.2]
    """
    into, out = (weights[k] @ news[..., k, None] for k in (0, 1))
    return size * _beside(into[..., 0], out[..., 0])


def fading(damping: Any, lag: np.ndarray) -> Any:
    """Return how growth adds up from news, in units of its standard deviation.

    Parameters
    ----------
    damping : array or tensor, shape (..., 1, 1)
        δ: the share of the growth that is left a year later.
    lag : ndarray of int, shape (n, n)
        Years from the column to the row; negative where the column's year is later, or of
        another stretch. In its first year a stretch has the news of all years before.

    Returns
    -------
    array or tensor, shape (..., n, n)

    Examples
    --------
    >>> fading(np.array([[0.6]]), np.array([[0, -1], [1, 0]])).tolist()
    [[1.0, 0.0], [0.6, 0.8]]
    """
    past = (lag >= 0).astype(float)
    first = (past.sum(axis=1) == 1).astype(float)
    fresh = first + (1.0 - first) * (1.0 - damping**2) ** 0.5
    return past * damping ** np.maximum(lag, 0) * fresh


def drift(growing: Any, size: Any, shared: Any, common: Any) -> Any:
    """Return what moves a level besides its place's own shock: growth and the common shock.

    Parameters
    ----------
    growing : array or tensor
        Growth of log rates a year.
    size : array or tensor
        σ: standard deviation of shocks, of log rates.
    shared : array or tensor
        a: correlation of a shock with the common one.
    common : array or tensor
        f: the common shock, standard normal.

    Returns
    -------
    array or tensor

    Examples
    --------
    >>> drift(0.1, 0.2, 0.5, 1.0)
    0.2
    """
    return growing + size * shared * common


def own_scale(size: Any, shared: Any) -> Any:
    """Return the scale of a place's own shocks.

    Parameters
    ----------
    size : array or tensor
        σ: standard deviation of shocks, of log rates.
    shared : array or tensor
        a: correlation of a shock with the common one.

    Returns
    -------
    array or tensor

    Examples
    --------
    >>> own_scale(0.5, 0.6)
    0.4
    """
    return size * (1.0 - shared**2) ** 0.5


def pair(first: Any, other: Any, correlation: Any) -> Any:
    """Return pairs of the given correlation from two standard normal arrays.

    Parameters
    ----------
    first, other : array or tensor, shape (...)
        Standard normal, of the first direction, and what the second has of its own.
    correlation : array or tensor
        ρ of the directions.

    Returns
    -------
    array or tensor, shape (..., 2)

    Examples
    --------
    >>> pair(np.array(1.0), np.array(0.0), 0.6).tolist()
    [1.0, 0.6]
    """
    return _beside(first, correlation * first + (1.0 - correlation**2) ** 0.5 * other)


def parted(pairs: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    """Return the independent numbers that `pair` makes pairs of, shape (..., n, 2).

    Parameters
    ----------
    pairs : ndarray, shape (..., n, 2)
        Standard normal pairs.
    correlation : ndarray, shape (..., 1)
        Of each.

    Returns
    -------
    ndarray, shape (..., n, 2)

    Examples
    --------
    >>> parted(np.array([[1.0, 0.6]]), np.array([0.6])).tolist()
    [[1.0, 0.0]]
    """
    first, other = pairs[..., 0], pairs[..., 1]
    return np.stack([first, (other - correlation * first) / (1.0 - correlation**2) ** 0.5], axis=-1)


def _beside(first: Any, other: Any) -> Any:
    """Put two arrays or tensors side by side along a new last dimension."""
    unit = np.eye(2)
    return first[..., None] * unit[0] + other[..., None] * unit[1]
