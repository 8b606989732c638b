"""Each figure of the gross flows given all the others, exactly but for the parameters.

A figure says much of its own level, so that weighing draws of levels would not leave it out. Given
the parameters and the mixing of the shocks figures are jointly normal, and what the others say of
one is known (Bürkner, Gabry and Vehtari 2021, doi:10.1007/s00180-020-01045-4).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from forecast.models.gross_flows.graph import Cells, covariance


def left_out(cells: Cells, draw: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of every figure given all others.

    Parameters
    ----------
    cells : Cells
        The figures.
    draw : mapping of str to ndarray
        One draw of the variables of the PyMC model.

    Returns
    -------
    mean, deviation : ndarray, shape (n_figures,)
        In the order of the model's figures.
    """
    mean, whole = of_figures(cells, draw)
    values = cells.values[~np.isnan(cells.values)]
    precision = np.linalg.inv(whole)
    variance = 1.0 / np.diag(precision)
    return values - variance * (precision @ (values - mean)), np.sqrt(variance)


def of_figures(cells: Cells, draw: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance of all figures, whatever levels, growth and common shocks.

    Parameters
    ----------
    cells, draw
        See `left_out`.
    """
    known = ~np.isnan(cells.values)
    names = "shock", "growth", "damping", "correlation", "shared", "mixing"
    levels = covariance(cells, *(draw.get(name, np.zeros(())) for name in names))
    around = (draw["noise"] ** 2 + cells.error)[known]
    return cells.centre[cells.stretch][known], levels + np.diag(around)
