"""The drivers' own future: drawn jointly, each year by year from its own past.

Each driver goes back to a mean, or does not, with a persistence of its own; the surprises of
one year are correlated across drivers. Conjugate: normal and inverse gamma, no iteration.
"""

from __future__ import annotations

import numpy as np

from forecast.models.series.covariates import Drivers

#: Prior of the persistence: mean and standard deviation. Levels last, growth rates do not.
_PERSISTENCE = (0.7, 0.3)
#: Prior standard deviation of the constant, in standard deviations of the driver.
_CONSTANT = 0.5
#: Share of the observed correlations of surprises that is believed.
_BELIEVED = 0.7


def futures(
    drivers: Drivers, n_ahead: int, n_draws: int, generator: np.random.Generator
) -> np.ndarray:
    """Draw the drivers' values that meet the series in the years ahead.

    Parameters
    ----------
    drivers : Drivers
    n_ahead : int
    n_draws : int
    generator : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n_draws, n_ahead, K)
        Lagged: the first year ahead meets the value of the origin, observed or drawn.
    """
    values, size = drivers.values, drivers.values.shape[1]
    fitted = [_fit(values[:, column]) for column in range(size)]
    residuals = np.column_stack([residual for _, _, _, _, residual in fitted])
    mixing = np.linalg.cholesky(_correlation(residuals))
    slopes, scales = np.empty((n_draws, 2, size)), np.empty((n_draws, size))
    for column, (mean, root, degrees, squares, _) in enumerate(fitted):
        scales[:, column] = np.sqrt(squares / generator.chisquare(degrees, n_draws))
        normal = generator.standard_normal((n_draws, 2))
        slopes[:, :, column] = mean + scales[:, [column]] * (normal @ root.T)
    # A driver that runs away would say more than any past of it does.
    slopes[:, 1] = np.clip(slopes[:, 1], -1.0, 1.0)
    known = ~np.isnan(values)
    last_known = [int(np.flatnonzero(known[:, column])[-1]) for column in range(size)]
    start = min(last_known)
    current = np.tile(np.where(known[start], values[start], 0.0), (n_draws, 1))
    path = np.empty((n_draws, n_ahead, size))
    for position in range(start, len(values) - 1 + n_ahead):
        if position > start:
            shocks = generator.standard_normal((n_draws, size)) @ mixing.T
            drawn = slopes[:, 0] + slopes[:, 1] * current + scales * shocks
            inside = position < len(values)
            told = known[position] if inside else np.zeros(size, dtype=bool)
            current = np.where(told, values[position] if inside else 0.0, drawn)
        ahead = position - (len(values) - 1)
        if 0 <= ahead < n_ahead:
            path[:, ahead] = current
    return path


def _fit(column: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float, np.ndarray]:
    """Regress a driver on its year before.

    Returns
    -------
    mean : ndarray, shape (2,)
        Constant and persistence.
    root : ndarray, shape (2, 2)
        Square root of their covariance relative to the variance of the surprises.
    degrees, squares : float
        Of the variance: inverse gamma.
    residual : ndarray, shape (n - 1,)
        NaN where one of the two years is missing.
    """
    before, after = column[:-1], column[1:]
    paired = ~(np.isnan(before) | np.isnan(after))
    design = np.column_stack([np.ones(paired.sum()), before[paired]])
    # Relative to surprises of half a standard deviation of the driver.
    precision = np.diag([0.25 / _CONSTANT**2, 0.25 / _PERSISTENCE[1] ** 2])
    prior = np.array([0.0, _PERSISTENCE[0]])
    total = design.T @ design + precision
    mean = np.linalg.solve(total, design.T @ after[paired] + precision @ prior)
    error = after[paired] - design @ mean
    off = mean - prior
    degrees = float(paired.sum()) + 2.0
    squares = float(error @ error + off @ precision @ off) + 2.0 * 0.25
    residual = np.full(len(before), np.nan)
    residual[paired] = error
    return mean, np.linalg.cholesky(np.linalg.inv(total)), degrees, squares, residual


def _correlation(residuals: np.ndarray) -> np.ndarray:
    """Return the correlation of the surprises, pulled towards none."""
    whole = residuals[~np.isnan(residuals).any(axis=1)]
    size = residuals.shape[1]
    if size == 1 or len(whole) < 3:
        return np.eye(size)
    found = np.corrcoef(whole.T)
    return np.asarray(_BELIEVED * found + (1 - _BELIEVED) * np.eye(size))
