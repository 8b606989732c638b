"""Random walks of the gross flows' parameters, with levels and growth integrated out; compiled."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from forecast.models.gross_flows.fast import CODE
from forecast.models.gross_flows.fast.kernel import (
    DAMPING,
    DEGREES,
    GROWTH,
    LOG_SHOCK,
    MEAN,
    NOISE,
    SPREAD,
    collapsed,
    log_prior,
)

#: Most parameters that move at once: a place's sizes of shocks with growth, damping and noise.
WIDEST = 8


@CODE.compiled(njit, error_model="numpy", nogil=True)
def members(block: int, n_places: int, which: np.ndarray) -> int:
    """Write which parameters a block moves, and return how many.

    Parameters
    ----------
    block : int
        A place's sizes of shocks; those with what is of the world; mean and spread of the sizes.
    n_places : int
        How many places there are.
    which : ndarray of int
        Filled with positions.
    """
    if block == 2 * n_places:
        for j in range(3):
            which[j] = MEAN + j
        return 3
    for k in range(2):
        which[k] = LOG_SHOCK + 2 * (block % n_places) + k
    if block < n_places:
        return 2
    for j in range(6):
        which[2 + j] = GROWTH + j
    return WIDEST


@CODE.compiled(njit, error_model="numpy", nogil=True)
def bend_of(position: int, prior: np.ndarray) -> float:
    """Return where a parameter's scale turns from its log to itself.

    Parameters
    ----------
    position : int
        Which parameter.
    prior : ndarray
        See `log_prior`.
    """
    if position == SPREAD:
        return 0.3 * float(prior[2])
    return 0.3 * float(prior[3] if position < DAMPING else prior[4])


@CODE.compiled(njit, error_model="numpy", nogil=True)
def unbounded(position: int, value: float, bend: float) -> float:
    """Return a parameter as it is moved: shares as logits, what is above zero as its log.

    Parameters
    ----------
    position : int
        Which parameter.
    value : float
        Its value.
    bend : float
        Where the scale turns from its log to itself.
    """
    if DAMPING <= position < NOISE:
        return math.log(value) - math.log1p(-value)
    if SPREAD <= position < DEGREES:
        return math.log(math.expm1(min(value / bend, 500.0)))
    return value


@CODE.compiled(njit, error_model="numpy", nogil=True)
def walk(
    block: int,
    x: np.ndarray,
    n_places: int,
    bounds: np.ndarray,
    figures: np.ndarray,
    variance: np.ndarray,
    pull: np.ndarray,
    prior: np.ndarray,
    step: np.ndarray,
    tuning: np.ndarray,
    work: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    generator: np.random.Generator,
) -> None:
    """Move the parameters of a block by a step of a random walk, if it is accepted.

    Parameters
    ----------
    block : int
        See `members`.
    x, bounds, figures, prior, work, generator
        See `forecast.models.gross_flows.fast.gibbs.sweep`.
    n_places : int
        How many places there are.
    variance, pull : ndarray
        See `collapsed`.
    step, tuning : ndarray
        Of this block.
    """
    root, half, now, then = work
    which = np.empty(WIDEST, np.int64)
    count = members(block, n_places, which)
    normal = np.empty(count)
    for j in range(count):
        normal[j] = generator.standard_normal()
    proposed, scale, jacobian = x.copy(), math.exp(tuning[0]), 0.0
    for j in range(count):
        position = which[j]
        bend = bend_of(position, prior)
        value = unbounded(position, x[position], bend)
        for m in range(j + 1):
            value += scale * step[j, m] * normal[m]
        if DAMPING <= position < NOISE:
            value = 1.0 / (1.0 + math.exp(-value))
            jacobian += math.log(max(value * (1.0 - value), 1e-300))
            jacobian -= math.log(x[position] * (1.0 - x[position]))
        elif SPREAD <= position < DEGREES:
            # From the logarithm near zero to the parameter itself: what hardly differs from zero
            # is not lost in ever smaller numbers.
            value = bend * (math.log1p(math.exp(-abs(value))) + max(value, 0.0))
            jacobian += math.log(-math.expm1(-value / bend))
            jacobian -= math.log(-math.expm1(-x[position] / bend))
        proposed[position] = value
    if block == 2 * n_places:
        # Distances of the sizes from their mean, in units of their spread, stay.
        change = 0.5 * (x[SPREAD] ** 2 - proposed[SPREAD] ** 2) / prior[2] ** 2
        for k in range(2):
            change += 0.5 * ((x[MEAN + k] - prior[0]) / prior[1]) ** 2
            change -= 0.5 * ((proposed[MEAN + k] - prior[0]) / prior[1]) ** 2
        for j in range(LOG_SHOCK, len(x)):
            k = (j - LOG_SHOCK) % 2
            away = (x[j] - x[MEAN + k]) / x[SPREAD]
            proposed[j] = proposed[MEAN + k] + away * proposed[SPREAD]
    else:
        change = log_prior(proposed, n_places, prior) - log_prior(x, n_places, prior)
    change += jacobian
    for s in range(len(bounds)):
        first, last, place = bounds[s, 0], bounds[s, 1], bounds[s, 2]
        then[s] = now[s]
        if (block >= n_places or place == block) and change > -np.inf:
            then[s] = collapsed(
                first, last, place, proposed, figures, variance, pull, prior[9], root, half
            )
        change += then[s] - now[s]
    chance = math.exp(min(change, 0.0))
    if generator.random() < chance:
        for j in range(len(x)):
            x[j] = proposed[j]
        for s in range(len(bounds)):
            now[s] = then[s]
    tuning[0] += tuning[1] * (chance - (0.35 if count < 4 else 0.25))


@CODE.compiled(njit, error_model="numpy", nogil=True)
def learn(steps: np.ndarray, total: np.ndarray, products: np.ndarray, seen: float) -> None:
    """Write the root of the covariance that each block's parameters have had.

    Parameters
    ----------
    steps : ndarray, shape (n_blocks, WIDEST, WIDEST)
        Filled.
    total, products : ndarray
        Sums of the parameters as they are moved, and of their products, each below the diagonal.
    seen : float
        Number of sweeps that were added up.
    """
    n_places = (len(total) - LOG_SHOCK) // 2
    which = np.empty(WIDEST, np.int64)
    for block in range(len(steps)):
        root = steps[block]
        for j in range(members(block, n_places, which)):
            for m in range(j + 1):
                a, b = max(which[j], which[m]), min(which[j], which[m])
                value = products[a, b] / seen - total[a] * total[b] / seen**2
                if j == m:
                    value = 1.02 * value + 1e-10
                for below in range(m):
                    value -= root[j, below] * root[m, below]
                root[j, m] = math.sqrt(max(value, 1e-12)) if j == m else value / root[m, m]
