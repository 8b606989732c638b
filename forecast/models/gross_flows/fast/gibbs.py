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
from numba import njit

from forecast.models.gross_flows.fast import CODE
from forecast.models.gross_flows.fast.kernel import (
    BAND,
    CORRELATION,
    DAMPING,
    DEGREES,
    GROWTH,
    LOG_SHOCK,
    MEAN,
    NOISE,
    SHARED,
    SPREAD,
    STATES,
    collapsed,
    draw,
    log_prior,
)

#: Most parameters that move at once: a place's sizes of shocks with growth, damping and noise.
WIDEST = 8
#: Sweeps after which steps are fitted anew in the warm-up.
OFTEN = 25
#: Moves of a sweep of a place's sizes of shocks together with what is of the world.
TOGETHER = 3


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
    root, half, now, then = work
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
        _walk(
            block, x, n_places, bounds, figures, variance, pull, prior, steps[block],
            tuning[block], work, generator,
        )  # fmt: skip
    for s in range(len(bounds)):
        first, last, place = bounds[s, 0], bounds[s, 1], bounds[s, 2]
        collapsed(first, last, place, x, figures, variance, pull, prior[9], root, half)
        draw(first, last, root, half, generator, level, slope)
    _sizes(x, n_places, prior, generator)
    _shocks(x, level, slope, common, mixing, cells, n_places, prior, limits, generator)


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
            pull[i] = shared * common[cells[2, i]]
    return variance, pull


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
def _walk(
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
    """Move the parameters of a block by a step of a random walk, if it is accepted."""
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
def _sizes(x: np.ndarray, n_places: int, prior: np.ndarray, generator: np.random.Generator) -> None:
    """Draw mean and spread of the sizes of shocks, given the sizes."""
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
    return (
        -2.0 * n_places * math.log(value) - 0.5 * squares / value**2 - 0.5 * (value / scale) ** 2
    )


@CODE.compiled(njit, error_model="numpy", nogil=True)
def _shocks(
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
    """Draw correlation, share, common shocks, degrees of freedom and mixing, given the paths."""
    n, n_years = len(mixing), len(common)
    scaled = np.zeros((n, 2))
    for i in range(1, n):
        if cells[0, i] == cells[0, i - 1]:
            for k in range(2):
                size = math.exp(x[LOG_SHOCK + 2 * cells[1, i] + k])
                scaled[i, k] = (level[i, k] - level[i - 1, k] - slope[i, k]) / size
    # Per year: sum of precisions, of standardised changes by precision, and of their squares.
    sums = np.zeros((n_years, 3))
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
    for parameter in (SHARED, CORRELATION):
        if parameter == SHARED and n_places == 1:
            continue
        most = limits[3] if parameter == SHARED else limits[2]
        least = 0.0 if parameter == SHARED else -most
        present = x[parameter]
        reached = of_shocks(x, sums, squares, n_places) + math.log(generator.random())
        for _ in range(200):
            x[parameter] = least + (most - least) * generator.random()
            if of_shocks(x, sums, squares, n_places) >= reached:
                break
            if x[parameter] < present:
                least = x[parameter]
            else:
                most = x[parameter]
        else:
            x[parameter] = present
    shared, correlation = x[SHARED] if n_places > 1 else 0.0, x[CORRELATION]
    own, turned = 1.0 - shared**2, 1.0 - correlation**2
    for year in range(n_years):
        precision = 1.0 + shared**2 * sums[year, 0] / own
        one, other = generator.standard_normal(), generator.standard_normal()
        other = correlation * one + math.sqrt(turned) * other
        for k, deviate in ((0, one), (1, other)):
            middle = shared / own * sums[year, 1 + k] / precision
            common[year, k] = middle + deviate / math.sqrt(precision)
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
            freedom = x[DEGREES]
            gamma = generator.standard_gamma((freedom + 2.0) / 2.0)
            mixing[i] = (freedom + forms[count]) / 2.0 / gamma
            count += 1


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
    return total - 0.5 * squares[3] * math.log(turned) - 0.5 * form / own


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
    return total


@CODE.compiled(njit, error_model="numpy", nogil=True)
def chain(
    state: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    given: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    steps: np.ndarray,
    warm_up: int,
    apart: int,
    generator: np.random.Generator,
    kept: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
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
        Filled: `x`, `level`, `slope` and `common` of each draw.
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
                _learn(steps, total, products, seen)
        elif not learning and (number - warm_up + 1) % apart == 0:
            row = (number - warm_up) // apart
            for j in range(len(x)):
                kept[0][row, j] = x[j]
            for k in range(2):
                for i in range(len(mixing)):
                    kept[1][row, i, k], kept[2][row, i, k] = level[i, k], slope[i, k]
                for year in range(len(common)):
                    kept[3][row, year, k] = common[year, k]


@CODE.compiled(njit, error_model="numpy", nogil=True)
def _learn(steps: np.ndarray, total: np.ndarray, products: np.ndarray, seen: float) -> None:
    """Write the root of the covariance that each block's parameters have had."""
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
