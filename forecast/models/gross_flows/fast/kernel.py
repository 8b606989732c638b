"""Densities of the gross flows with levels and growth integrated out, and draws of both; compiled.

Given the rest, levels and growth of a stretch are normal, and their precision is a band (Chan and
Jeliazkov 2009, doi:10.1504/IJMMNO.2009.030090): four numbers a year, levels of arrivals and
departures and growth of both, linked to those of the year before.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from forecast.models.gross_flows.fast import CODE

#: Positions of the world's parameters in a vector; two of each that has a direction. Log sizes of
#: shocks follow, two of each place.
MEAN, SPREAD, GROWTH, DAMPING, NOISE, DEGREES, CORRELATION, SHARED = 0, 2, 3, 5, 7, 9, 10, 11
LOG_SHOCK = 12
#: Numbers a year, and as many as a column of the band holds.
STATES, BAND = 4, 8
#: Each year's increments beyond this are not beyond reason but beyond number.
LOG_2_PI = math.log(2.0 * math.pi)


@CODE.compiled(njit, error_model="numpy", nogil=True)
def collapsed(
    first: int,
    last: int,
    place: int,
    x: np.ndarray,
    figures: np.ndarray,
    variance: np.ndarray,
    pull: np.ndarray,
    wide: float,
    root: np.ndarray,
    half: np.ndarray,
) -> float:
    """Return the log density of a stretch's figures, whatever its levels and growth.

    Parameters
    ----------
    first, last : int
        Cells of the stretch, the last one included.
    place : int
        Which place's shocks it has.
    x : ndarray
        All parameters.
    figures : ndarray, shape (3, n_cells, 2)
        Values around the centre of their stretch, their counting error, whether they are known.
    variance : ndarray, shape (n_cells,)
        Of the change to each cell, over the squared size of the place's shocks.
    pull : ndarray, shape (n_cells, 2)
        What the common shocks add to each change, over the size of the place's shocks.
    wide : float
        Standard deviation of the first level.
    root, half : ndarray, shapes (n_cells * STATES + BAND, BAND) and (n_cells * STATES + BAND,)
        Filled in the stretch's rows: root of the precision of its states, diagonal first, and
        what `draw` needs besides.
    """
    top, end = first * STATES, (last + 1) * STATES
    # One by one: an assignment to a slice brings a message about shapes, seconds to compile.
    for row in range(top, end):
        half[row] = 0.0
        for m in range(BAND):
            root[row, m] = 0.0
    log_density = -2.0 * math.log(wide)
    turned = 1.0 - x[CORRELATION] ** 2
    for k in range(2):
        growth, damping = x[GROWTH + k], x[DAMPING + k]
        root[top + k, 0] += 1.0 / wide**2
        root[top + 2 + k, 0] += 1.0 / growth**2
        fresh = 1.0 / ((1.0 - damping**2) * growth**2)
        log_density += -math.log(growth) + 0.5 * (last - first) * math.log(fresh)
        for i in range(first, last + 1):
            row = i * STATES
            if i > first:
                root[row + 2 + k, 0] += fresh
                root[row - 2 + k, 0] += damping**2 * fresh
                root[row - 2 + k, 4] -= damping * fresh
            if figures[2, i, k] > 0.0:
                precision = 1.0 / (x[NOISE + k] ** 2 + figures[1, i, k])
                value = figures[0, i, k]
                root[row + k, 0] += precision
                half[row + k] += precision * value
                log_density += 0.5 * (math.log(precision) - precision * value * value - LOG_2_PI)
    size = (math.exp(x[LOG_SHOCK + 2 * place]), math.exp(x[LOG_SHOCK + 2 * place + 1]))
    for i in range(first + 1, last + 1):
        row, weight = i * STATES, 1.0 / (variance[i] * turned)
        same = (weight / size[0] ** 2, weight / size[1] ** 2)
        cross = -x[CORRELATION] * weight / (size[0] * size[1])
        log_density += 0.5 * math.log(same[0] * same[1] * turned)
        for k in range(2):
            other = pull[i, 1 - k] * size[1 - k]
            to = same[k] * pull[i, k] * size[k] + cross * other
            log_density -= 0.5 * to * pull[i, k] * size[k]
            half[row + k] += to
            half[row - 4 + k] -= to
            half[row + 2 + k] -= to
            root[row + k, 0] += same[k]
            root[row - 4 + k, 0] += same[k]
            root[row + 2 + k, 0] += same[k]
            root[row - 4 + k, 4] -= same[k]
            root[row + k, 2] -= same[k]
            root[row - 4 + k, 6] += same[k]
            # Of one direction with the other.
            root[row - 4 + k, 5 - 2 * k] -= cross
            root[row + k, 3 - 2 * k] -= cross
            root[row - 4 + k, 7 - 2 * k] += cross
        root[row, 1] += cross
        root[row - 4, 1] += cross
        root[row + 2, 1] += cross
    for j in range(top, end):
        if root[j, 0] <= 0.0:
            return -np.inf
        diagonal = math.sqrt(root[j, 0])
        root[j, 0] = diagonal
        half[j] /= diagonal
        log_density += 0.5 * half[j] ** 2 - math.log(diagonal)
        # Rows after the last one of the stretch are left as they are: its columns end in zeros.
        for m in range(1, BAND):
            root[j, m] /= diagonal
            half[j + m] -= root[j, m] * half[j]
        for m in range(1, BAND):
            for lower in range(m, BAND):
                root[j + m, lower - m] -= root[j, m] * root[j, lower]
    return log_density


@CODE.compiled(njit, error_model="numpy", nogil=True)
def draw(
    first: int,
    last: int,
    root: np.ndarray,
    half: np.ndarray,
    generator: np.random.Generator,
    level: np.ndarray,
    slope: np.ndarray,
) -> None:
    """Draw levels, around the centre of the stretch, and growth of a stretch.

    Parameters
    ----------
    first, last : int
        Cells of the stretch.
    root, half : ndarray
        See `collapsed`, which has filled them.
    generator : numpy.random.Generator
        Source of the randomness.
    level, slope : ndarray, shape (n_cells, 2)
        Filled in the stretch's rows.
    """
    top, end = first * STATES, (last + 1) * STATES
    for j in range(end - 1, top - 1, -1):
        value = half[j] + generator.standard_normal()
        for m in range(1, min(BAND, end - j)):
            value -= root[j, m] * half[j + m]
        half[j] = value / root[j, 0]
    for i in range(first, last + 1):
        for k in range(2):
            level[i, k], slope[i, k] = half[i * STATES + k], half[i * STATES + 2 + k]


@CODE.compiled(njit, error_model="numpy", nogil=True)
def log_prior(x: np.ndarray, n_places: int, prior: np.ndarray) -> float:
    """Return the log density of all parameters that `collapsed` hangs on and their spread.

    Parameters
    ----------
    x : ndarray
        All parameters.
    n_places : int
        How many places there are.
    prior : ndarray
        Mean and standard deviation of the mean, scales of spread, growth and noise, both powers
        of the damping's beta distribution.
    """
    spread = x[SPREAD]
    if spread <= 0.0:
        return -np.inf
    total = -0.5 * (spread / prior[2]) ** 2
    for k in range(2):
        damping = x[DAMPING + k]
        if damping <= 0.0 or damping >= 1.0:
            return -np.inf
        total -= 0.5 * ((x[MEAN + k] - prior[0]) / prior[1]) ** 2
        total -= 0.5 * (x[GROWTH + k] / prior[3]) ** 2 + 0.5 * (x[NOISE + k] / prior[4]) ** 2
        total += (prior[5] - 1.0) * math.log(damping) + (prior[6] - 1.0) * math.log1p(-damping)
        for p in range(n_places):
            gap = (x[LOG_SHOCK + 2 * p + k] - x[MEAN + k]) / spread
            total -= 0.5 * gap**2 + math.log(spread)
    return float(total)
