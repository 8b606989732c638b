"""How much of the country's net each region takes."""

from __future__ import annotations

import numpy as np

#: Degrees of freedom of the Student-t that makes one wild year count less.
_DEGREES = 4.0
_ITERATIONS = 20


def shares(
    values: np.ndarray,
    population: np.ndarray,
    total: np.ndarray,
    mean: float,
    deviation: float,
) -> np.ndarray:
    """Return the share of each region in a change of the country's net.

    Yearly changes of a region's rate are regressed on those of the country's rate, with
    Student-t errors and a normal prior around the same rate everywhere; shares are the
    responses times the shares in the population, adjusted to add up to one.

    Parameters
    ----------
    values, population : ndarray, shape (n_years, n_regions)
        Persons.
    total : ndarray, shape (n_years,)
        Persons.
    mean, deviation : float
        Prior of the response.

    Returns
    -------
    ndarray, shape (n_regions,)
        They add up to one.
    """
    size = population[-1] / population[-1].sum()
    change = np.diff(1000.0 * values / population, axis=0)
    common = np.diff(1000.0 * total / population.sum(axis=1))
    response = np.full(values.shape[1], mean)
    for region in range(values.shape[1]):
        known = np.isfinite(change[:, region]) & np.isfinite(common)
        if known.sum() < 3:
            continue
        theirs, ours = common[known], change[known, region]
        for _ in range(_ITERATIONS):
            left = ours - response[region] * theirs
            scale = 1.4826 * float(np.median(np.abs(left))) + 1e-6
            weight = (_DEGREES + 1) / (_DEGREES + (left / scale) ** 2)
            precision = 1.0 / deviation**2 + float((weight * theirs**2).sum()) / scale**2
            pull = mean / deviation**2 + float((weight * theirs * ours).sum()) / scale**2
            response[region] = pull / precision
    found = response * size
    # What is missing or too much is laid on everyone by population.
    return np.asarray(found + (1.0 - found.sum()) * size)
