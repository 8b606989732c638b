"""What is drawn given levels and growth: sizes' mean and spread, shocks and tails; compiled."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from forecast.models.gross_flows.fast import CODE
from forecast.models.gross_flows.fast.kernel import (
    CORRELATION,
    DEGREES,
    LOG_SHOCK,
    MEAN,
    SHARED,
    SPREAD,
)


@CODE.compiled(njit, error_model="numpy", nogil=True)
def sizes(x: np.ndarray, n_places: int, prior: np.ndarray, generator: np.random.Generator) -> None:
    """Draw mean and spread of the sizes of shocks, given the sizes.

    Parameters
    ----------
    x : ndarray
        All parameters.
    n_places : int
        How many places there are.
    prior : ndarray
        See `forecast.models.gross_flows.fast.kernel.log_prior`.
    generator : numpy.random.Generator
        Source of the randomness.
    """
    squares = 0.0
    for k in range(2):
        precision, pulled = 1.0 / prior[1] ** 2, prior[0] / prior[1] ** 2
        for p in range(n_places):
            precision += 1.0 / x[SPREAD] ** 2
            pulled += x[LOG_SHOCK + 2 * p + k] / x[SPREAD] ** 2
        deviate = generator.standard_normal() / math.sqrt(precision)
        x[MEAN + k] = pulled / precision + deviate
        for p in range(n_places):
            squares += (x[LOG_SHOCK + 2 * p + k] - x[MEAN + k]) ** 2
    present, least, most = x[SPREAD], 0.0, 10.0 * max(prior[2], x[SPREAD])
    reached = _of_spread(present, squares, n_places, prior[2]) + math.log(generator.random())
    for _ in range(200):
        value = least + (most - least) * generator.random()
        if value > 0.0 and _of_spread(value, squares, n_places, prior[2]) >= reached:
            x[SPREAD] = value
            return
        if value < present:
            least = value
        else:
            most = value


@CODE.compiled(njit, error_model="numpy", nogil=True)
def _of_spread(value: float, squares: float, n_places: int, scale: float) -> float:
    return -2.0 * n_places * math.log(value) - 0.5 * squares / value**2 - 0.5 * (value / scale) ** 2


@CODE.compiled(njit, error_model="numpy", nogil=True)
def shocks(
    x: np.ndarray,
    level: np.ndarray,
    slope: np.ndarray,
    common: np.ndarray,
    mixing: np.ndarray,
    cells: np.ndarray,
    n_places: int,
    prior: np.ndarray,
    limits: np.ndarray,
    generator: np.random.Generator,
) -> None:
    """Draw correlation, share, common shocks, degrees of freedom and mixing, given the paths.

    Parameters
    ----------
    x, level, slope, common, mixing, cells, prior, limits, generator
        See `forecast.models.gross_flows.fast.gibbs.sweep`.
    n_places : int
        How many places there are.
    """
    n = len(mixing)
    scaled = np.zeros((n, 2))
    for i in range(1, n):
        if cells[0, i] == cells[0, i - 1]:
            for k in range(2):
                size = math.exp(x[LOG_SHOCK + 2 * cells[1, i] + k])
                scaled[i, k] = (level[i, k] - level[i - 1, k] - slope[i, k]) / size
    # Per year: sum of precisions, of standardised changes by precision, and of their squares.
    sums = np.zeros((len(common), 3))
    squares = np.zeros(4)
    for i in range(1, n):
        if cells[0, i] == cells[0, i - 1]:
            one, other, year = scaled[i, 0], scaled[i, 1], cells[2, i]
            sums[year, 0] += 1.0 / mixing[i]
            sums[year, 1] += one / mixing[i]
            sums[year, 2] += other / mixing[i]
            squares[0] += one**2 / mixing[i]
            squares[1] += other**2 / mixing[i]
            squares[2] += one * other / mixing[i]
            squares[3] += 1.0
    if n_places > 1:
        _slide(SHARED, 0.0, limits[3], x, sums, squares, n_places, generator)
    _slide(CORRELATION, -limits[2], limits[2], x, sums, squares, n_places, generator)
    shared, correlation = x[SHARED] if n_places > 1 else 0.0, x[CORRELATION]
    own, turned = 1.0 - shared**2, 1.0 - correlation**2
    _commons(x, common, sums, shared, generator)
    forms = np.empty(n)
    count = 0
    for i in range(1, n):
        if cells[0, i] == cells[0, i - 1]:
            one = scaled[i, 0] - shared * common[cells[2, i], 0]
            other = scaled[i, 1] - shared * common[cells[2, i], 1]
            forms[count] = (one**2 - 2.0 * correlation * one * other + other**2) / (turned * own)
            count += 1
    _tails(x, forms[:count], prior, limits, generator)
    count = 0
    for i in range(1, n):
        if cells[0, i] == cells[0, i - 1]:
            gamma = generator.standard_gamma((x[DEGREES] + 2.0) / 2.0)
            mixing[i] = (x[DEGREES] + forms[count]) / 2.0 / gamma
            count += 1


@CODE.compiled(njit, error_model="numpy", nogil=True)
def _slide(
    parameter: int,
    least: float,
    most: float,
    x: np.ndarray,
    sums: np.ndarray,
    squares: np.ndarray,
    n_places: int,
    generator: np.random.Generator,
) -> None:
    """Draw share or correlation by a slice that shrinks from all it may be."""
    present = x[parameter]
    reached = of_shocks(x, sums, squares, n_places) + math.log(generator.random())
    for _ in range(200):
        x[parameter] = least + (most - least) * generator.random()
        if of_shocks(x, sums, squares, n_places) >= reached:
            return
        if x[parameter] < present:
            least = x[parameter]
        else:
            most = x[parameter]
    x[parameter] = present


@CODE.compiled(njit, error_model="numpy", nogil=True)
def of_shocks(x: np.ndarray, sums: np.ndarray, squares: np.ndarray, n_places: int) -> float:
    """Return the log density of standardised changes, whatever the common shocks.

    Up to what hangs on neither share nor correlation.

    Parameters
    ----------
    x : ndarray
        All parameters.
    sums : ndarray, shape (n_years, 3)
        By year, sum of precisions and of the changes of both directions times their precision.
    squares : ndarray, shape (4,)
        Sums of squares of both directions and of their product, by precision; number of changes.
    n_places : int
        How many places there are.
    """
    shared = x[SHARED] if n_places > 1 else 0.0
    own = 1.0 - shared**2
    one, other, both = squares[0], squares[1], squares[2]
    total = -squares[3] * math.log(own)
    for year in range(len(sums)):
        if sums[year, 0] > 0.0:
            spread = 1.0 + shared**2 * sums[year, 0] / own
            part = shared**2 / own / spread
            one -= part * sums[year, 1] ** 2
            other -= part * sums[year, 2] ** 2
            both -= part * sums[year, 1] * sums[year, 2]
            total -= math.log(spread)
    turned = 1.0 - x[CORRELATION] ** 2
    form = (one - 2.0 * x[CORRELATION] * both + other) / turned
    return float(total - 0.5 * squares[3] * math.log(turned) - 0.5 * form / own)


@CODE.compiled(njit, error_model="numpy", nogil=True)
def _commons(
    x: np.ndarray,
    common: np.ndarray,
    sums: np.ndarray,
    shared: float,
    generator: np.random.Generator,
) -> None:
    """Draw the common shocks, given what is shared of them."""
    own, correlation = 1.0 - shared**2, x[CORRELATION]
    for year in range(len(common)):
        precision = 1.0 + shared**2 * sums[year, 0] / own
        one, other = generator.standard_normal(), generator.standard_normal()
        other = correlation * one + math.sqrt(1.0 - correlation**2) * other
        for k, deviate in ((0, one), (1, other)):
            middle = shared / own * sums[year, 1 + k] / precision
            common[year, k] = middle + deviate / math.sqrt(precision)


@CODE.compiled(njit, error_model="numpy", nogil=True)
def _tails(
    x: np.ndarray,
    forms: np.ndarray,
    prior: np.ndarray,
    limits: np.ndarray,
    generator: np.random.Generator,
) -> None:
    """Draw the degrees of freedom of own shocks, whatever their mixing."""
    present, least, most = x[DEGREES], limits[0], limits[1]
    reached = of_tails(present, forms, prior) + math.log(generator.random())
    for _ in range(200):
        value = least + (most - least) * generator.random()
        if of_tails(value, forms, prior) >= reached:
            x[DEGREES] = value
            return
        if value < present:
            least = value
        else:
            most = value


@CODE.compiled(njit, error_model="numpy", nogil=True)
def of_tails(degrees: float, forms: np.ndarray, prior: np.ndarray) -> float:
    """Return the log density of degrees of freedom given squares of standardised own shocks.

    Parameters
    ----------
    degrees : float
        Degrees of freedom.
    forms : ndarray
        Squares of own shocks over their scale.
    prior : ndarray
        See `sweep`.
    """
    total = (prior[7] - 1.0) * math.log(degrees) - prior[8] * degrees
    # The normalising constant of the bivariate t: Γ(ν/2 + 1) / (Γ(ν/2) ν π) is 1 / 2π.
    for form in forms:
        total -= (degrees / 2.0 + 1.0) * math.log1p(form / degrees)
    return float(total)
