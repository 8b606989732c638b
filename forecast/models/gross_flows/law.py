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
    """
    past = (lag >= 0).astype(float)
    first = (past.sum(axis=1) == 1).astype(float)
    fresh = first + (1.0 - first) * (1.0 - damping**2) ** 0.5
    return past * damping ** np.maximum(lag, 0) * fresh


def drift(growing: Any, size: Any, shared: Any, common: Any) -> Any:
    """Return what moves a level besides its place's own shock: growth and the common shock."""
    return growing + size * shared * common


def own_scale(size: Any, shared: Any) -> Any:
    """Return the scale of a place's own shocks."""
    return size * (1.0 - shared**2) ** 0.5


def pair(first: Any, other: Any, correlation: Any) -> Any:
    """Return pairs of the given correlation from two standard normal arrays, shape (..., 2)."""
    return _beside(first, correlation * first + (1.0 - correlation**2) ** 0.5 * other)


def _beside(first: Any, other: Any) -> Any:
    """Put two arrays or tensors side by side along a new last dimension."""
    unit = np.eye(2)
    return first[..., None] * unit[0] + other[..., None] * unit[1]
