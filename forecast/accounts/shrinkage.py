"""Covariances that few errors or many draws can carry."""

from __future__ import annotations

import numpy as np

from forecast.errors import DataError


def shrunk_correlation(errors: np.ndarray) -> tuple[np.ndarray, float]:
    """Return a correlation matrix shrunk towards independence, and by how much.

    Parameters
    ----------
    errors : ndarray, shape (n, k)
        Rows are observations. A column that never moves is independent of all others.

    Returns
    -------
    correlation : ndarray, shape (k, k)
        Positive definite unless the shrinkage is nil.
    shrinkage : float
        Between 0 (as observed) and 1 (independent); the share that minimises the expected
        squared error (Schäfer and Strimmer 2005, doi:10.2202/1544-6115.1175).

    Examples
    --------
    >>> import numpy as np
    >>> few = np.random.default_rng(1).standard_normal((6, 3))
    >>> shrunk_correlation(few)[1] > 0.3
    True
    """
    values = np.asarray(errors, dtype=float)
    if values.ndim != 2 or len(values) < 3 or not np.isfinite(values).all():
        raise DataError(
            f"errors have shape {values.shape}; give (n, k) finite numbers with three rows or more."
        )
    n = len(values)
    spread = values.std(axis=0, ddof=1)
    moves = spread > 0
    scaled = (values - values.mean(axis=0)) / np.where(moves, spread, 1.0)
    correlation = scaled.T @ scaled / (n - 1)
    squares = scaled**2
    # Variance of each entry: that of the products, whose mean is the correlation.
    products = squares.T @ squares - n * ((n - 1) / n * correlation) ** 2
    variance = n / (n - 1) ** 3 * products
    off = ~np.eye(len(correlation), dtype=bool)
    total = float((correlation[off] ** 2).sum())
    shrinkage = 1.0 if total == 0 else float(np.clip(variance[off].sum() / total, 0.0, 1.0))
    correlation = (1.0 - shrinkage) * correlation
    np.fill_diagonal(correlation, 1.0)
    return correlation, shrinkage


def of_errors(errors: np.ndarray) -> np.ndarray:
    """Return the shrunk covariance of errors of shape (n, k), in their unit squared.

    Errors count from zero, not from their mean: a forecast that is always off is uncertain.
    """
    correlation, _ = shrunk_correlation(errors)
    scale = np.sqrt((np.asarray(errors, dtype=float) ** 2).mean(axis=0))
    return np.asarray(correlation * np.outer(scale, scale))


def of_draws(draws: np.ndarray) -> np.ndarray:
    """Return a covariance of draws of shape (n_draws, k) that heavy tails do not rule.

    Half the range of the middle 68 % stands for the standard deviation, and ranks for the
    dependence: futures of counts need not have a variance at all.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    values = np.asarray(draws, dtype=float)
    low, high = np.quantile(values, [0.1587, 0.8413], axis=0)
    scale = (high - low) / 2.0
    # A middle without width, as of counts near zero, still has a spread.
    scale = np.where(scale > 0, scale, values.std(axis=0))
    ranks = rankdata(values, axis=0)
    correlation, _ = shrunk_correlation(ndtri((ranks - 0.5) / len(values)))
    return np.asarray(correlation * np.outer(scale, scale))
