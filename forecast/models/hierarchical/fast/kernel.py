"""The likelihood of calm and stormy years with its gradient, compiled.

One pass over the figures, a row at a time, where automatic differentiation stores some thirty
matrices between passes: a fifth of the time. Compiled code is kept on disk by numba.
"""

from __future__ import annotations

import math

import numpy as np
from numba import float64, int64, njit, void

from forecast.models.hierarchical.fast import CODE

compiled = CODE.compiled

#: Sums may be reordered and no number is infinite: `log_likelihood` sees to that.
FAST = {"reassoc", "arcp", "contract", "nsz", "nnan", "ninf"}
#: As it is written: reordered, adding and subtracting `TO_INTEGER` would be nothing.
IN_ORDER = FAST - {"reassoc"}
#: Normalising constant of the normal. That of Student's t with two degrees of freedom is one
#: where its density is written as variance / (2 variance + surprise^2)^1.5.
NORMAL = 1.0 / math.sqrt(2.0 * math.pi)
#: Adding this to a number leaves its nearest integer in the low bits.
TO_INTEGER = 1.5 * 2.0**52
#: Odds of a storm are kept within e^±30, and squared densities above 1e-37, so that a product
#: of eight of them, of which one logarithm is taken, is a number.
LARGEST_LOGIT, LEAST_SQUARE = 30.0, 1e-37
#: Products below, or above its inverse, are taken the logarithm of before they go on.
LEAST_PRODUCT = 1e-140
#: A trajectory that leaves this is diverging.
LARGEST = 1e8


# With their types, so that these two are compiled once for all that call them.
@compiled(
    njit, void(float64[::1], float64[::1], int64[::1]), fastmath=IN_ORDER, error_model="numpy"
)
def exponentials(values: np.ndarray, out: np.ndarray, powers: np.ndarray) -> None:
    """Write e to the power of each value, to 3e-14 for values within ±700.

    The library's function is called number by number; this is done four at a time. Cody and
    Waite's reduction to a power of two (1980, Software Manual for the Elementary Functions).

    Parameters
    ----------
    values : ndarray, shape (n,)
        Not changed.
    out : ndarray of float, shape (n,)
        Filled.
    powers : ndarray of int64, shape (n,)
        Room to work in.
    """
    bits = out.view(np.int64)
    for t in range(len(values)):
        out[t] = values[t] * math.log2(math.e) + TO_INTEGER
    for t in range(len(values)):
        powers[t] = bits[t] << 52
    for t in range(len(values)):
        whole = out[t] - TO_INTEGER
        rest = (values[t] - whole * 0.693145751953125) - whole * 1.42860682030941723212e-6
        series = 1.0 / 362880.0 + rest * (1.0 / 3628800.0 + rest / 39916800.0)
        series = 1.0 / 720.0 + rest * (1.0 / 5040.0 + rest * (1.0 / 40320.0 + rest * series))
        series = 1.0 / 6.0 + rest * (1.0 / 24.0 + rest * (1.0 / 120.0 + rest * series))
        out[t] = 1.0 + rest * (1.0 + rest * (0.5 + rest * series))
    for t in range(len(values)):
        bits[t] += powers[t]


@compiled(njit, float64(float64[::1]), fastmath=FAST, error_model="numpy")
def sum_of_logs(squares: np.ndarray) -> float:
    """Sum of the logs of squared densities, one logarithm for as many as a product can hold."""
    total, product = 0.0, 1.0
    whole = len(squares) - len(squares) % 8
    for t in range(0, whole, 8):
        first = squares[t] * squares[t + 1] * squares[t + 2] * squares[t + 3]
        second = squares[t + 4] * squares[t + 5] * squares[t + 6] * squares[t + 7]
        eight = first * second
        if eight < LEAST_PRODUCT:
            total += math.log(eight)
        else:
            product *= eight
            if not LEAST_PRODUCT < product < 1.0 / LEAST_PRODUCT:
                total += math.log(product)
                product = 1.0
    for t in range(whole, len(squares)):
        total += math.log(squares[t])
    return total + math.log(product)


@compiled(njit, error_model="numpy")
def within_reach(locations: np.ndarray) -> bool:
    """Whether all parameters are numbers that cannot overflow; false where one is NaN."""
    for c in range(locations.shape[1]):
        for j in range(7):
            if not abs(locations[j, c]) < LARGEST:
                return False
        if locations[1, c] < 1.0 / LARGEST or locations[3, c] < 1.0 / LARGEST:
            return False
    return True


@compiled(njit, fastmath=FAST, error_model="numpy")
def log_likelihood(
    locations: np.ndarray, year: np.ndarray, figures: np.ndarray, storm_floor: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """Sum of the log densities of all figures, with its gradient.

    Parameters
    ----------
    locations : ndarray, shape (7, n)
        Mean, storm size, persistence, calm scale, logit of a storm, echo, and spread of the
        years' common part; see `forecast.models.hierarchical.law`.
    year : ndarray, shape (n_years,)
        Common part of the years, before scaling.
    figures : ndarray, shape (6, n, n_years)
        Value, before, move, log of the move, weight, and floor of the calm scale; see
        `forecast.models.hierarchical.rates_panel.transitions`.

    Returns
    -------
    float
        Minus infinity where a parameter has left all reason.
    ndarray, shape (7, n)
        Gradient by `locations`.
    ndarray, shape (n_years,)
        Gradient by `year`.
    """
    n, n_years = figures.shape[1:]
    by_location, by_year = np.zeros(locations.shape), np.zeros(n_years)
    if not within_reach(locations):
        return -math.inf, by_location, by_year
    # Logits of storms, then exponents of calm densities: taken to the power together.
    exponents, powered = np.empty(2 * n_years), np.empty(2 * n_years)
    logit, power = exponents[:n_years], exponents[n_years:]
    odds, height = powered[:n_years], powered[n_years:]
    calm_variance, per_calm_variance = np.empty(n_years), np.empty(n_years)
    squares, powers = np.empty(n_years), np.empty(2 * n_years, np.int64)
    total = 0.0
    for c in range(n):
        mean, size, kept = locations[0, c], locations[1, c], locations[2, c]
        calm_scale, chance = locations[3, c], locations[4, c]
        echo, shared = locations[5, c], locations[6, c]
        # Row by row: the compiler has to see that each is contiguous.
        value, before, move = figures[0, c], figures[1, c], figures[2, c]
        log_move, weight, floor = figures[3, c], figures[4, c], figures[5, c]
        square = calm_scale * calm_scale
        for t in range(n_years):
            linear = chance + echo * log_move[t] + shared * year[t]
            logit[t] = min(max(linear, -LARGEST_LOGIT), LARGEST_LOGIT)
            change = value[t] - before[t]
            calm_variance[t] = square * move[t] * move[t] + floor[t] * floor[t]
            per_calm_variance[t] = 1.0 / calm_variance[t]
            power[t] = max(-0.5 * change * change * per_calm_variance[t], -600.0)
        exponentials(exponents, powered, powers)
        by_mean = by_size = by_kept = by_calm = by_chance = by_echo = by_shared = 0.0
        for t in range(n_years):
            used = weight[t]
            away = before[t] - mean
            reach = math.sqrt(size * size + away * away)
            variance = size * reach + storm_floor * storm_floor
            surprise = value[t] - mean - kept * away
            spread = 2.0 * variance + surprise * surprise
            # Three reciprocals for the price of one division, here and below.
            shared_inverse = 1.0 / (reach * variance * spread)
            per_reach = shared_inverse * variance * spread
            per_variance = shared_inverse * reach * spread
            per_spread = shared_inverse * reach * variance
            # Both densities times the root of the calm variance: one root instead of two.
            stormy = variance * per_spread * math.sqrt(calm_variance[t] * per_spread) * odds[t]
            calm = NORMAL * height[t]
            either, one = calm + stormy, 1.0 + odds[t]
            shared_inverse = used / (either * one)
            per_one = shared_inverse * either
            share = shared_inverse * one * stormy
            density = either * per_one
            squares[t] = density * density * per_calm_variance[t] + (1.0 - used) + LEAST_SQUARE
            by_surprise = -3.0 * surprise * per_spread
            by_variance = per_variance - 3.0 * per_spread
            by_logit = share - odds[t] * per_one
            by_mean += share * (by_surprise * (kept - 1.0) - by_variance * size * away * per_reach)
            by_size += share * by_variance * (reach + size * size * per_reach)
            by_kept -= share * by_surprise * away
            by_calm -= (
                (used - share) * (2.0 * power[t] + 1.0) * per_calm_variance[t] * move[t] * move[t]
            )
            by_chance += by_logit
            by_echo += by_logit * log_move[t]
            by_shared += by_logit * year[t]
            by_year[t] += by_logit * shared
        # One by one: an assignment to a slice brings a message about shapes, seconds to compile.
        by_location[0, c], by_location[1, c], by_location[2, c] = by_mean, by_size, by_kept
        by_location[3, c], by_location[4, c] = by_calm * calm_scale, by_chance
        by_location[5, c], by_location[6, c] = by_echo, by_shared
        total += sum_of_logs(squares)
    return 0.5 * total, by_location, by_year
