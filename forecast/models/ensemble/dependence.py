"""Dependence: draw i stays one world, whatever is done to the single distributions.

Two things are kept apart. *Through time* every series keeps whole paths of its members: after
pooling and calibration a path has the same ranks, year by year, as before (an empirical
copula; ensemble copula coupling, Schefzik, Thorarinsdottir & Gneiting 2013,
doi:10.1214/13-STS443). *Between series* whole paths are put in the order that past joint errors
ask for (in the spirit of the Schaake shuffle, Clark et al. 2004,
doi:10.1175/1525-7541(2004)005<0243:TSSAMF>2.0.CO;2), with correlations shrunk towards those of
the members' own draws as far as few past origins demand (Schäfer & Strimmer 2005,
doi:10.2202/1544-6115.1175).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

#: Fewer joint past errors than this say nothing about a correlation.
FEWEST = 6


def with_ranks_of(template: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Put ascending values in the order of a template, column by column.

    Parameters
    ----------
    template : ndarray, shape (n_draws, n)
        Whose ranks are kept; ties keep their order.
    values : ndarray, shape (n_draws, n)
        Each column ascending.
    """
    order = np.argsort(template, axis=0, kind="stable")
    placed = np.empty_like(values)
    np.put_along_axis(placed, order, values, axis=0)
    return placed


def correlation(scores: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return a correlation matrix of past errors, shrunk towards what the members say.

    Parameters
    ----------
    scores : ndarray, shape (n_past, n_series)
        Normal scores of past errors; NaN where a series was not forecast.
    target : ndarray, shape (n_series, n_series)
        Correlation of the members' own draws: zero off the diagonal for members that
        look at each series alone.

    Returns
    -------
    ndarray, shape (n_series, n_series)
        Positive definite. Pairs with fewer than `FEWEST` joint errors have the target's.
    """
    known = np.isfinite(scores)
    n = known.T.astype(float) @ known
    filled = np.where(known, scores, 0.0)
    # Errors have mean zero if forecasts are unbiased: about zero, not about their mean.
    product = filled.T @ filled
    square = (filled**2).T @ known
    with np.errstate(divide="ignore", invalid="ignore"):
        raw = product / np.sqrt(square * square.T)
    usable = (n >= FEWEST) & np.isfinite(raw)
    np.fill_diagonal(usable, False)
    raw = np.where(usable, raw, target)
    noise = np.where(usable, (1.0 - raw**2) ** 2 / np.maximum(n - 1.0, 1.0), 0.0).sum()
    signal = np.where(usable, (raw - target) ** 2, 0.0).sum()
    kept = max(0.0, 1.0 - noise / signal) if signal > 0 else 0.0
    shrunk = kept * raw + (1.0 - kept) * target
    np.fill_diagonal(shrunk, 1.0)
    values, vectors = np.linalg.eigh(0.5 * (shrunk + shrunk.T))
    made = (vectors * np.clip(values, 1e-6, None)) @ vectors.T
    size = np.sqrt(np.diag(made))
    return np.asarray(made / np.outer(size, size))


def order_between(
    paths: np.ndarray, matrix: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Return, for every series, the order of its paths that gives the wanted correlation.

    Parameters
    ----------
    paths : ndarray, shape (n_draws, n_series)
        How high each path of each series lies (mean rank over its years).
    matrix : ndarray, shape (n_series, n_series)
        Correlation wanted between normal scores.

    Returns
    -------
    ndarray of int, shape (n_draws, n_series)
        ``paths[order[:, s], s]`` is the path of series *s* in each world.
    """
    n_draws, size = paths.shape
    root = np.linalg.cholesky(matrix)
    wanted = generator.standard_normal((n_draws, size)) @ root.T
    rank = np.argsort(np.argsort(wanted, axis=0, kind="stable"), axis=0, kind="stable")
    ascending = np.argsort(paths, axis=0, kind="stable")
    return np.take_along_axis(ascending, rank, axis=0)


def height(template: np.ndarray) -> np.ndarray:
    """Return how high each path lies: its mean rank over the years that it has.

    Parameters
    ----------
    template : ndarray, shape (n_draws, n_series, n_years)
        NaN in years that a series has already observed (for all draws).

    Returns
    -------
    ndarray, shape (n_draws, n_series)
        Between 0 and 1. Equal draws, such as counts of zero, are equally high: by their
        order two series would seem to go together.
    """
    n_draws = len(template)
    ranks = pd.DataFrame(template.reshape(n_draws, -1)).rank().to_numpy().reshape(template.shape)
    rank = (ranks - 1.0) / (n_draws - 1.0)
    there = np.isfinite(template)
    count = np.maximum(there.sum(axis=2), 1)
    return np.asarray(np.where(there, rank, 0.0).sum(axis=2) / count)
