"""Gibbs sampler of the gross flows, a chain at a time; compiled.

Sizes of shocks, growth, damping and noise are moved by random walks with levels and growth
integrated out (partially collapsed: van Dyk and Park 2008, doi:10.1198/016214508000000409), whose
steps learn the posterior's shape in the warm-up (Haario, Saksman and Tamminen 2001,
doi:10.2307/3318737); mean and spread of the sizes both with the sizes and with their standardised
distances held (interweaving: Yu and Meng 2011, doi:10.1198/jcgs.2011.203main); what is shared, the
correlation and the tails by slices (Neal 2003, doi:10.1214/aos/1056562461), the first two with the
common shocks integrated out, the last with their mixing integrated out.
"""

from __future__ import annotations

import math

import numpy as np
from numba import float64, int64, njit, types, void

from forecast.models.gross_flows.fast import CODE
from forecast.models.gross_flows.fast.kernel import (
    BAND,
    LOG_SHOCK,
    SHARED,
    STATES,
    collapsed,
    draw,
)
from forecast.models.gross_flows.fast.slices import shocks, sizes
from forecast.models.gross_flows.fast.walks import bend_of, learn, unbounded, walk

#: Sweeps after which steps are fitted anew in the warm-up.
OFTEN = 25
#: Moves of a sweep of a place's sizes of shocks together with what is of the world.
TOGETHER = 3
#: Types of arrays without gaps.
VECTOR, TABLE, ARRAY = float64[::1], float64[:, ::1], float64[:, :, ::1]
INTEGERS = int64[:, ::1]
STATE = types.Tuple((VECTOR, TABLE, TABLE, TABLE, VECTOR))  # type: ignore[no-untyped-call]
GIVEN = types.Tuple((INTEGERS, INTEGERS, ARRAY, VECTOR, VECTOR))  # type: ignore[no-untyped-call]
KEPT = types.Tuple((TABLE, ARRAY, ARRAY, ARRAY, TABLE))  # type: ignore[no-untyped-call]


@CODE.compiled(njit, error_model="numpy", nogil=True)
def sweep(
    x: np.ndarray,
    level: np.ndarray,
    slope: np.ndarray,
    common: np.ndarray,
    mixing: np.ndarray,
    cells: np.ndarray,
    bounds: np.ndarray,
    figures: np.ndarray,
    prior: np.ndarray,
    limits: np.ndarray,
    steps: np.ndarray,
    tuning: np.ndarray,
    work: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    generator: np.random.Generator,
) -> None:
    """Renew everything once, in place.

    Parameters
    ----------
    x : ndarray
        All parameters; see `forecast.models.gross_flows.fast.kernel`.
    level, slope, mixing : ndarray, shapes (n_cells, 2), (n_cells, 2) and (n_cells,)
        Levels around their stretch's centre, growth, and mixing variance of own shocks.
    common : ndarray, shape (n_years, 2)
        Common shocks.
    cells : ndarray of int, shape (3, n_cells)
        Stretch, place and year of each cell.
    bounds : ndarray of int, shape (n_stretches, 3)
        First and last cell of each stretch, and its place.
    figures : ndarray
        See `collapsed`.
    prior : ndarray
        See `log_prior`; then shape and rate of the degrees of freedom, and the width of first
        levels.
    limits : ndarray
        Least and most degrees of freedom, largest correlation and share.
    steps : ndarray, shape (n_blocks, WIDEST, WIDEST)
        Roots of the covariance of each block's steps.
    tuning : ndarray, shape (n_blocks, 2)
        Log scale of each block's steps, and how fast it still learns.
    work : tuple of ndarray
        `root` and `half` of `collapsed`, and the log density of each stretch, twice.
    """
    root, half, now, _ = work
    n_places = (len(x) - LOG_SHOCK) // 2
    variance, pull = _weights(x, common, mixing, cells, n_places)
    for s in range(len(bounds)):
        first, last, place = bounds[s, 0], bounds[s, 1], bounds[s, 2]
        now[s] = collapsed(first, last, place, x, figures, variance, pull, prior[9], root, half)
    for turn in range(n_places + TOGETHER + 1):
        block = turn if turn < n_places else 2 * n_places
        if n_places <= turn < n_places + TOGETHER:
            # That of a year picked at random: places with many figures say most of the world.
            row = min(int(generator.random() * len(mixing)), len(mixing) - 1)
            block = n_places + cells[1, row]
        walk(
            block, x, n_places, bounds, figures, variance, pull, prior, steps[block],
            tuning[block], work, generator,
        )  # fmt: skip
    for s in range(len(bounds)):
        first, last, place = bounds[s, 0], bounds[s, 1], bounds[s, 2]
        collapsed(first, last, place, x, figures, variance, pull, prior[9], root, half)
        draw(first, last, root, half, generator, level, slope)
    sizes(x, n_places, prior, generator)
    shocks(x, level, slope, common, mixing, cells, n_places, prior, limits, generator)


@CODE.compiled(njit, error_model="numpy", nogil=True)
def _weights(
    x: np.ndarray, common: np.ndarray, mixing: np.ndarray, cells: np.ndarray, n_places: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return `variance` and `pull`: where one place alone moves, whatever its common shock."""
    n = len(mixing)
    variance, pull = np.ones(n), np.zeros((n, 2))
    shared = x[SHARED] if n_places > 1 else 0.0
    moving = np.zeros(len(common))
    for i in range(1, n):
        if cells[0, i] == cells[0, i - 1]:
            moving[cells[2, i]] += 1.0
    for i in range(1, n):
        if cells[0, i] != cells[0, i - 1]:
            continue
        variance[i] = (1.0 - shared**2) * mixing[i]
        if moving[cells[2, i]] == 1.0:
            variance[i] += shared**2
        else:
            for k in range(2):
                pull[i, k] = shared * common[cells[2, i], k]
    return variance, pull


# With its types, so that it is compiled, or read from disk, as soon as this module is imported.
@CODE.compiled(
    njit,
    void(STATE, GIVEN, ARRAY, int64, int64, types.npy_rng, KEPT),
    error_model="numpy",
    nogil=True,
)
def chain(
    state: tuple[np.ndarray, ...],
    given: tuple[np.ndarray, ...],
    steps: np.ndarray,
    warm_up: int,
    apart: int,
    generator: np.random.Generator,
    kept: tuple[np.ndarray, ...],
) -> None:
    """Run a chain, and write what is kept of it.

    Parameters
    ----------
    state : tuple of ndarray
        `x`, `level`, `slope`, `common` and `mixing` of `sweep`.
    given : tuple of ndarray
        `cells`, `bounds`, `figures`, `prior` and `limits` of `sweep`.
    steps : ndarray
        First steps of each block; learned in the warm-up.
    warm_up, apart : int
        Sweeps before anything is kept, and from one draw that is kept to the next.
    generator : numpy.random.Generator
        Source of the randomness.
    kept : tuple of ndarray
        Filled: `state` of each draw.
    """
    x, level, slope, common, mixing = state
    cells, bounds, figures, prior, limits = given
    n_states = STATES * len(mixing) + BAND
    work = (
        np.zeros((n_states, BAND)), np.zeros(n_states), np.zeros(len(bounds)),
        np.zeros(len(bounds)),
    )  # fmt: skip
    tuning = np.zeros((len(steps), 2))
    total, products, seen = np.zeros(len(x)), np.zeros((len(x), len(x))), 0.0
    moved = np.empty(len(x))
    for number in range(warm_up + apart * len(kept[0])):
        learning = number < warm_up
        for block in range(len(steps)):
            tuning[block, 1] = 2.0 / math.sqrt(5.0 + number) if learning else 0.0
        sweep(
            x, level, slope, common, mixing, cells, bounds, figures, prior, limits, steps, tuning,
            work, generator,
        )  # fmt: skip
        if learning and number >= warm_up // 10:
            seen += 1.0
            for j in range(len(x)):
                moved[j] = unbounded(j, x[j], bend_of(j, prior))
                total[j] += moved[j]
                for m in range(j + 1):
                    products[j, m] += moved[j] * moved[m]
            if number % OFTEN == 0 and seen >= 2 * OFTEN:
                learn(steps, total, products, seen)
        elif not learning and (number - warm_up + 1) % apart == 0:
            row = (number - warm_up) // apart
            for j in range(len(x)):
                kept[0][row, j] = x[j]
            for i in range(len(mixing)):
                kept[4][row, i] = mixing[i]
            for k in range(2):
                for i in range(len(mixing)):
                    kept[1][row, i, k], kept[2][row, i, k] = level[i, k], slope[i, k]
                for year in range(len(common)):
                    kept[3][row, year, k] = common[year, k]
