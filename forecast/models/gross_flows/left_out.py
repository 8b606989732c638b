"""Each figure of the gross flows given all the others, exactly but for the parameters.

A figure says much of its own level, so that weighing draws of levels would not leave it out. Given
the parameters and the mixing of the shocks figures are jointly normal, and what the others say of
one is known (Bürkner, Gabry and Vehtari 2021, doi:10.1007/s00180-020-01045-4).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from forecast.models.gross_flows import law
from forecast.models.gross_flows.graph import WIDE, Cells


def left_out(
    cells: Cells, draw: Mapping[str, np.ndarray], mixing: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of every figure given all others.

    Parameters
    ----------
    cells : Cells
        The figures.
    draw : mapping of str to ndarray
        One draw of the variables of the PyMC model.
    mixing : ndarray, shape (n_changes,)
        Mixing variance of own shocks; see `mixing`.

    Returns
    -------
    mean, deviation : ndarray, shape (n_figures,)
        In the order of the model's figures.
    """
    mean, covariance = of_figures(cells, draw, mixing)
    values = cells.values[~np.isnan(cells.values)]
    precision = np.linalg.inv(covariance)
    variance = 1.0 / np.diag(precision)
    return values - variance * (precision @ (values - mean)), np.sqrt(variance)


def of_figures(
    cells: Cells, draw: Mapping[str, np.ndarray], mixing: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance of all figures, whatever levels, growth and common shocks.

    Parameters
    ----------
    cells : Cells
        The figures.
    draw, mixing
        See `left_out`.
    """
    changes, lag = cells.changes, cells.lag
    within = (lag[:, changes] >= 0).astype(float)
    size, shared = draw["shock"][cells.place[changes]], draw.get("shared", np.zeros(()))
    year = cells.year[changes]
    shocks = shared**2 * (year[:, None] == year) + np.diag(law.own_scale(1.0, shared) ** 2 * mixing)
    same = (cells.stretch[:, None] == cells.stretch).astype(float)
    apart = np.abs(cells.year[:, None] - cells.year)
    n = len(lag)
    covariance = np.empty((n, 2, n, 2))
    for k in range(2):
        for j in range(2):
            together = 1.0 if k == j else float(draw["correlation"])
            moved = together * shocks * np.outer(size[:, k], size[:, j])
            covariance[:, k, :, j] = within @ moved @ within.T
        grown = same * draw["growth"][k] ** 2 * draw["damping"][k] ** apart
        grown = within @ grown[np.ix_(changes, changes)] @ within.T
        covariance[:, k, :, k] += grown + WIDE**2 * same
    covariance += np.einsum(
        "ik,ij,kl->ikjl", draw["noise"] ** 2 + cells.error, np.eye(n), np.eye(2)
    )
    known = np.flatnonzero(~np.isnan(cells.values.ravel()))
    middle = cells.centre[cells.stretch].ravel()
    return middle[known], covariance.reshape(2 * n, 2 * n)[np.ix_(known, known)]


def mixing(
    cells: Cells, draw: Mapping[str, np.ndarray], generator: np.random.Generator
) -> np.ndarray:
    """Draw the mixing variance of own shocks given how levels moved, shape (n_changes,).

    Parameters
    ----------
    cells : Cells
        The figures.
    draw : mapping of str to ndarray
        See `left_out`.
    generator : numpy.random.Generator
        Source of the randomness.
    """
    size = draw["shock"][cells.place[cells.changes]]
    shared, common = draw.get("shared", np.zeros(())), draw.get("common")
    own = draw["move"] - draw["growth_path"][cells.changes]
    if common is not None:
        own = own - law.drift(0.0, size, shared, common[cells.year[cells.changes]])
    one, other = (own / law.own_scale(size, shared)).T
    correlation, degrees = draw["correlation"], draw["degrees"]
    form = (one**2 - 2.0 * correlation * one * other + other**2) / (1.0 - correlation**2)
    return np.asarray((degrees + form) / 2.0 / generator.gamma(degrees / 2.0 + 1.0, size=len(form)))
