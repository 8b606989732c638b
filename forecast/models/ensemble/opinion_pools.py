"""Pools of predictive distributions: mixtures of draws and averages of quantiles."""

from __future__ import annotations

import numpy as np


def linear_pool(quantiles: np.ndarray, weights: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return quantiles of the mixture of several distributions.

    The linear pool (Stone 1961, doi:10.1214/aoms/1177704862): a draw comes from member
    *k* with probability ``weights[k]``. It is wider than its members where they disagree.

    Parameters
    ----------
    quantiles : ndarray, shape (n_members, n_points, n)
        Of each member, at equally spaced probabilities (k + ½)/n_points; or its draws.
    weights : ndarray, shape (n_members,) or (n_members, n)
        Not negative, adding to one over members.
    levels : ndarray, shape (n_levels,)
        Probabilities wanted.

    Returns
    -------
    ndarray, shape (n_levels, n)
    """
    members, points, size = quantiles.shape
    share = np.broadcast_to(weights if weights.ndim == 2 else weights[:, None], (members, size))
    values = quantiles.reshape(members * points, size)
    order = np.argsort(values, axis=0, kind="stable")
    values = np.take_along_axis(values, order, axis=0)
    mass = np.take_along_axis(np.repeat(share / points, points, axis=0), order, axis=0)
    below = np.cumsum(mass, axis=0) - mass / 2.0
    pooled = [np.interp(levels, below[:, i], values[:, i]) for i in range(size)]
    return np.stack(pooled, axis=1) if size else np.empty((len(levels), 0))


def quantile_average(quantiles: np.ndarray, weights: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return the weighted mean of the members' quantiles (Vincentization).

    Keeps the members' mean width whatever their disagreement (Ratcliff 1979,
    doi:10.1037/0033-2909.86.3.446; Lichtendahl, Grushka-Cockayne & Winkler 2013,
    doi:10.1287/mnsc.1120.1667). Parameters as `linear_pool`.
    """
    points = quantiles.shape[1]
    share = weights if weights.ndim == 2 else weights[:, None]
    ordered = np.sort(quantiles, axis=1)
    averaged = (ordered * share[:, None, :]).sum(axis=0)
    at = (np.arange(points) + 0.5) / points
    columns = [np.interp(levels, at, averaged[:, i]) for i in range(averaged.shape[1])]
    return np.stack(columns, axis=1) if columns else np.empty((len(levels), 0))


#: Name -> how members become one distribution.
POOLS = {"linear": linear_pool, "quantile": quantile_average}


def renormalised(weights: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Share the weight of absent members among those that are there.

    Parameters
    ----------
    weights : ndarray, shape (n_members,)
    present : ndarray of bool, shape (n_members, n)

    Returns
    -------
    ndarray, shape (n_members, n)
        Adding to one in every column with a member present; equal shares where all the
        weight belonged to absent ones.
    """
    kept = np.where(present, weights[:, None], 0.0)
    total = kept.sum(axis=0)
    count = present.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        shared = np.where(total > 1e-9, kept / total, present / count)
    return np.asarray(np.where(count > 0, shared, 0.0))


def choose(weights: np.ndarray, n_draws: int, uniform: np.ndarray) -> np.ndarray:
    """Return which member each draw comes from, in proportion and nearly without noise.

    Parameters
    ----------
    weights : ndarray, shape (n_members,)
    n_draws : int
    uniform : ndarray, shape (n_draws,)
        A stratified sample of (0, 1) in random order; the same one for every series, so
        that a draw is of one member in all of them wherever the weights agree.
    """
    edges = np.cumsum(weights)
    return np.minimum(np.searchsorted(edges / edges[-1], uniform), len(weights) - 1)
