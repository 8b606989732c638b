"""A variance that may drift: what each year says of it, older years counting less."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln


def prior(discounts: np.ndarray) -> np.ndarray:
    """Return prior weights: a constant variance has that of all drifting ones together.

    With equal weights the intervals of short series with a constant variance cover too much.
    """
    constant = discounts == 1.0
    drifting = max(int((~constant).sum()), 1)
    return np.where(constant, 1.0, 1.0 / drifting)


def learn(
    squares: np.ndarray, log_variance: np.ndarray, years: np.ndarray, discounts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Learn a drifting variance from standardised squared innovations, year by year.

    Parameters
    ----------
    squares, log_variance : ndarray, shape (n_used, k)
        Squared innovations over F, and log F.
    years : ndarray of int, shape (n_used,)
        Position of each in the series; the past is discounted once for every year between.
    discounts : ndarray, shape (d,)

    Returns
    -------
    evidence, sum_squares : ndarray, shape (k, d)
    degrees : ndarray, shape (d,)
        After the last of `years`; zero, like the others, if there are none.
    """
    if not len(years):
        nothing = np.zeros((squares.shape[1], len(discounts)))
        return nothing, nothing.copy(), np.zeros(len(discounts))
    tiny = np.finfo(float).tiny
    squares = np.maximum(squares, tiny)
    sums = np.repeat(squares[0][:, None], len(discounts), axis=1)
    degrees = np.ones(len(discounts))
    # Under the reference prior the density of the first innovation is 1/|e|.
    evidence = np.repeat(-0.5 * (np.log(squares[0]) + log_variance[0])[:, None], len(discounts), 1)
    for square, log_f, gap in zip(squares[1:], log_variance[1:], np.diff(years)):
        kept = discounts**gap
        sums, degrees = sums * kept, degrees * kept
        updated = sums + square[:, None]
        evidence = (
            evidence
            + gammaln((degrees + 1) / 2)
            - gammaln(degrees / 2)
            - 0.5 * (np.log(np.pi) + log_f[:, None])
            + 0.5 * (degrees * np.log(sums) - (degrees + 1) * np.log(updated))
        )
        sums, degrees = updated, degrees + 1
    return evidence, sums, degrees
