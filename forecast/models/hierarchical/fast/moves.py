"""Single moves of posterior draws, compiled: of a location, of the groups, of the years."""

from __future__ import annotations

import math

import numpy as np
from numba import float64, int64, njit, types, void

from forecast.models.hierarchical.fast.kernel import (
    FAST,
    LARGEST_LOGIT,
    LEAST_SQUARE,
    NORMAL,
    compiled,
    exponentials,
    sum_of_logs,
)

#: Moves of each centre and spread, and of the years, at a time.
REPEATS = 4
#: Log storm sizes and logits beyond are refused: they would overflow.
FARTHEST = 30.0
#: A difference of draws is taken in part: near moves are accepted more often, far ones lead to
#: another mode.
LEAST_PART, LARGEST_PART = 0.2, 1.05
#: Types of arrays without gaps.
VECTOR, INTEGERS, TABLE, ARRAY = float64[::1], int64[::1], float64[:, ::1], float64[:, :, ::1]


@compiled(njit, fastmath=FAST, error_model="numpy", nogil=True)
def weights(
    groups: np.ndarray,
    year: np.ndarray,
    group: np.ndarray,
    figures: np.ndarray,
    calm: np.ndarray,
    stormy: np.ndarray,
) -> None:
    """Write what does not depend on a location's own parameters.

    Parameters
    ----------
    groups : ndarray, shape (10, n_groups)
    year : ndarray, shape (n_years,)
    group : ndarray of int, shape (n,)
    figures : ndarray, shape (6, n, n_years)
    calm, stormy : ndarray, shape (n, n_years)
        Filled: density of each figure as a calm year's times the chance of one; constant of
        Student's t times the chance of a stormy year. One and zero where a year does not count.
    """
    n, n_years = figures.shape[1:]
    logit, odds = np.empty(n_years), np.empty(n_years)
    power, height = np.empty(n_years), np.empty(n_years)
    variance, powers = np.empty(n_years), np.empty(n_years, np.int64)
    for c in range(n):
        g = group[c]
        scale, shared = math.exp(groups[6, g]), math.exp(groups[9, g])
        value, before, move = figures[0, c], figures[1, c], figures[2, c]
        log_move, used, floor = figures[3, c], figures[4, c], figures[5, c]
        of_calm, of_stormy = calm[c], stormy[c]
        for t in range(n_years):
            linear = groups[7, g] + groups[8, g] * log_move[t] + shared * year[t]
            logit[t] = min(max(linear, -LARGEST_LOGIT), LARGEST_LOGIT)
            change = value[t] - before[t]
            variance[t] = scale * scale * move[t] * move[t] + floor[t] * floor[t]
            power[t] = max(-0.5 * change * change / variance[t], -600.0)
        exponentials(logit, odds, powers)
        exponentials(power, height, powers)
        for t in range(n_years):
            share = used[t] / (1.0 + odds[t])
            of_calm[t] = share * NORMAL * height[t] / math.sqrt(variance[t]) + 1.0 - used[t]
            of_stormy[t] = share * odds[t]


@compiled(njit, fastmath=FAST, error_model="numpy", nogil=True)
def log_density_of(
    mean: float,
    size: float,
    kept: float,
    storm_floor: float,
    value: np.ndarray,
    before: np.ndarray,
    calm: np.ndarray,
    stormy: np.ndarray,
    squares: np.ndarray,
) -> float:
    """Log density of one location's figures, as `kernel` has it.

    Parameters
    ----------
    mean : float
        Level to which the rate returns, per 1,000 population.
    size : float
        Scale of a stormy year at the mean, per 1,000.
    kept : float
        Persistence: the share of the distance to the mean that is left after a year.
    storm_floor : float
        Least scale of a stormy year, per 1,000.
    value, before : ndarray, shape (n_years,)
        Rates of each year and of the year before, per 1,000.
    calm, stormy : ndarray, shape (n_years,)
        As `weights` fills them: what does not depend on the location's own parameters.
    squares : ndarray, shape (n_years,)
        Room to work in.

    Returns
    -------
    float
        Sum over the years that count.
    """
    for t in range(len(value)):
        away = before[t] - mean
        variance = size * math.sqrt(size * size + away * away) + storm_floor * storm_floor
        surprise = value[t] - mean - kept * away
        spread = 2.0 * variance + surprise * surprise
        density = calm[t] + stormy[t] * variance / (spread * math.sqrt(spread))
        squares[t] = density * density + LEAST_SQUARE
    return 0.5 * float(sum_of_logs(squares))


@compiled(njit, error_model="numpy", nogil=True)
def move_groups(
    groups: np.ndarray,
    locations: np.ndarray,
    group: np.ndarray,
    above: np.ndarray,
    priors: np.ndarray,
    generator: np.random.Generator,
) -> None:
    """Draw centres and log spreads of the groups given the locations, in place.

    Parameters
    ----------
    groups : ndarray, shape (10, n_groups)
    locations : ndarray, shape (3, n)
        Mean, log storm size and logit of persistence.
    group, above : ndarray of int, shape (n,)
        See `forecast.models.hierarchical.fast.density.locations_of`.
    priors : ndarray, shape (10, 2)
    """
    for g in range(groups.shape[1]):
        for j in range(3):
            around, deviation = priors[3 + j]
            for _ in range(REPEATS):
                spread = math.exp(-2.0 * groups[3 + j, g])
                precision, pull = priors[j, 1] ** -2.0, priors[j, 0] * priors[j, 1] ** -2.0
                for c in range(len(group)):
                    if group[c] == g and not (j == 0 and above[c] >= 0):
                        precision += spread
                        pull += spread * locations[j, c]
                noise = generator.standard_normal()
                groups[j, g] = pull / precision + noise / math.sqrt(precision)
                squares, members = 0.0, 0
                for c in range(len(group)):
                    if group[c] == g:
                        nested = j == 0 and above[c] >= 0
                        centre = locations[0, above[c]] if nested else groups[j, g]
                        squares += (locations[j, c] - centre) ** 2
                        members += 1
                old = groups[3 + j, g]
                new = old + 2.4 / math.sqrt(2.0 * members + deviation**-2.0) * (
                    generator.standard_normal()
                )
                gain = -members * (new - old) - 0.5 * squares * (
                    math.exp(-2.0 * new) - math.exp(-2.0 * old)
                )
                gain -= 0.5 * ((new - around) ** 2 - (old - around) ** 2) * deviation**-2.0
                if math.log(generator.random()) < gain:
                    groups[3 + j, g] = new


@compiled(njit, error_model="numpy", nogil=True)
def move_years(
    groups: np.ndarray, year: np.ndarray, priors: np.ndarray, generator: np.random.Generator
) -> None:
    """Move the years' common part against the chance of storms and its spread, in place.

    Added to all years and taken off the chances, or years divided and their spreads multiplied:
    the chance of a storm in each year stays (Liu and Sabatti 2000, doi:10.1093/biomet/87.2.353).

    Parameters
    ----------
    groups : ndarray, shape (10, n_groups)
    year : ndarray, shape (n_years,)
    priors : ndarray, shape (10, 2)
    """
    n_years, n_groups = len(year), groups.shape[1]
    of_chance, of_shared = priors[7, 1] ** -2.0, priors[9, 1] ** -2.0
    for _ in range(REPEATS):
        # Year by year: whole arrays at once take longer to compile.
        total, squares = 0.0, 0.0
        for t in range(n_years):
            total += year[t]
        precision, pull = float(n_years), -total
        for g in range(n_groups):
            shared = math.exp(groups[9, g])
            precision += shared * shared * of_chance
            pull += shared * (groups[7, g] - priors[7, 0]) * of_chance
        added = pull / precision + generator.standard_normal() / math.sqrt(precision)
        for t in range(n_years):
            year[t] += added
            squares += year[t] * year[t]
        step = 2.4 / math.sqrt(2.0 * n_years + n_groups * of_shared)
        step *= generator.standard_normal()
        gain = -0.5 * squares * (math.exp(-2.0 * step) - 1.0) - n_years * step
        for g in range(n_groups):
            groups[7, g] -= math.exp(groups[9, g]) * added
            off = groups[9, g] - priors[9, 0]
            gain -= 0.5 * ((off + step) ** 2 - off * off) * of_shared
        if math.log(generator.random()) < gain:
            for g in range(n_groups):
                groups[9, g] += step
            for t in range(n_years):
                year[t] *= math.exp(-step)


@compiled(njit, error_model="numpy", nogil=True)
def log_prior_of(
    c: int,
    point: np.ndarray,
    groups: np.ndarray,
    per_spread: np.ndarray,
    locations: np.ndarray,
    group: np.ndarray,
    above: np.ndarray,
    first_nested: int,
) -> float:
    """Log prior of one location and of the means of regions that are drawn around it.

    Parameters
    ----------
    c : int
        Position of the location.
    point : ndarray, shape (3,)
        Its mean, log storm size and logit of persistence, now or proposed.
    groups : ndarray, shape (10, n_groups)
        In the order of `OF_GROUPS`.
    per_spread : ndarray, shape (3, n_groups)
        One over the spread of locations in each group.
    locations : ndarray, shape (3, n)
        All locations; of the others, the means are read.
    group, above : ndarray of int, shape (n,)
        See `forecast.models.hierarchical.fast.density.locations_of`.
    first_nested : int
        Position of the first region: only from there on locations have a country.

    Returns
    -------
    float
        Up to a constant that does not depend on `point`.
    """
    total = 0.0
    for j in range(3):
        centre = locations[0, above[c]] if j == 0 and above[c] >= 0 else groups[j, group[c]]
        total -= 0.5 * ((point[j] - centre) * per_spread[j, group[c]]) ** 2
    for d in range(first_nested, len(group)):
        if above[d] == c:
            total -= 0.5 * ((locations[0, d] - point[0]) * per_spread[0, group[d]]) ** 2
    return total


@compiled(njit, error_model="numpy", nogil=True)
def propose(
    kind: int,
    part: float,
    level: float,
    point: np.ndarray,
    one: np.ndarray,
    two: np.ndarray,
    new: np.ndarray,
) -> float:
    """Write a proposal for one location; return the log of how much it stretches volumes.

    Where little is pulled, figures hardly tell the mean: its spread depends on the persistence,
    that of the pull towards it (1 - persistence) (mean - level) much less.

    Parameters
    ----------
    kind : int
        0 to 2: that parameter alone; 3: all; 4: all, the pull in place of the mean.
    part : float
        Of the difference between the draws.
    level : float
        Of the location's figures.
    point, one, two : ndarray, shape (3,)
        The location now, and in two draws of another chain.
    new : ndarray, shape (3,)
        Filled.
    """
    for j in range(3):
        new[j] = point[j]
        if kind == j or kind >= 3:
            new[j] += part * (one[j] - two[j])
    if kind < 4:
        return 0.0
    pull = (point[0] - level) / (1.0 + math.exp(point[2]))
    pull += part * (one[0] - level) / (1.0 + math.exp(one[2]))
    pull -= part * (two[0] - level) / (1.0 + math.exp(two[2]))
    stretch = 1.0 + math.exp(min(new[2], FARTHEST))
    new[0] = level + pull * stretch
    return math.log(stretch / (1.0 + math.exp(point[2])))


# With its types, so that it is compiled, or read from disk, as soon as this module is imported.
@compiled(
    njit,
    void(
        ARRAY, ARRAY, TABLE, ARRAY, VECTOR, INTEGERS, INTEGERS, TABLE, ARRAY, float64, int64, int64,
        types.npy_rng,
    ),
    error_model="numpy",
    nogil=True,
)  # fmt: skip
def move_chain(
    groups: np.ndarray,
    locations: np.ndarray,
    year: np.ndarray,
    other: np.ndarray,
    level: np.ndarray,
    group: np.ndarray,
    above: np.ndarray,
    priors: np.ndarray,
    figures: np.ndarray,
    storm_floor: float,
    rounds: int,
    steps: int,
    generator: np.random.Generator,
) -> None:
    """Move every draw of a chain, in place.

    Parameters
    ----------
    groups : ndarray, shape (n_draws, 10, n_groups)
    locations : ndarray, shape (n_draws, 3, n)
        Mean, log storm size and logit of persistence.
    year : ndarray, shape (n_draws, n_years)
    other : ndarray, shape (n_others, n, 3)
        Locations in the draws of another chain.
    level : ndarray, shape (n,)
        Of the locations' figures.
    group, above, priors, figures, storm_floor
        See `forecast.models.hierarchical.fast.density.log_posterior`.
    """
    n_draws, _, n = locations.shape
    n_years = year.shape[1]
    calm, stormy = np.empty((n, n_years)), np.empty((n, n_years))
    squares, point, new = np.empty(n_years), np.empty(3), np.empty(3)
    figures_density, one, two = np.empty(n), np.empty(steps, np.int64), np.empty(steps, np.int64)
    first_nested = n
    for c in range(n - 1, -1, -1):
        if above[c] >= 0:
            first_nested = c
    for d in range(n_draws):
        move_years(groups[d], year[d], priors, generator)
        weights(groups[d], year[d], group, figures, calm, stormy)
        for turn in range(rounds):
            per_spread = np.exp(-groups[d, 3:6])
            for step in range(steps):
                # The same two draws for all locations: they are read one after another.
                one[step] = generator.integers(0, len(other))
                two[step] = generator.integers(0, len(other))
            for c in range(n):
                value, before = figures[0, c], figures[1, c]
                of_calm, of_stormy = calm[c], stormy[c]
                for j in range(3):
                    point[j] = locations[d, j, c]
                if turn == 0:
                    figures_density[c] = log_density_of(
                        point[0], math.exp(point[1]), 1.0 / (1.0 + math.exp(-point[2])),
                        storm_floor, value, before, of_calm, of_stormy, squares,
                    )  # fmt: skip
                believed = log_prior_of(
                    c, point, groups[d], per_spread, locations[d], group, above, first_nested
                )
                for step in range(steps):
                    # A sign of its own: with that of the two draws, which a country shares with
                    # its regions, they would move together.
                    signed = 2.0 * generator.random() - 1.0
                    part = LEAST_PART + (LARGEST_PART - LEAST_PART) * abs(signed)
                    part = math.copysign(part, signed)
                    # One parameter alone, all three, and all three with the pull for the mean.
                    kind = (turn * steps + step) % 3 + 2
                    if kind == 2:
                        kind = int(3.0 * generator.random())
                    stretched = propose(
                        kind, part, level[c], point, other[one[step], c], other[two[step], c], new
                    )
                    if max(abs(new[1]), abs(new[2])) > FARTHEST:
                        continue
                    prior = log_prior_of(
                        c, new, groups[d], per_spread, locations[d], group, above, first_nested
                    )
                    found = log_density_of(
                        new[0], math.exp(new[1]), 1.0 / (1.0 + math.exp(-new[2])),
                        storm_floor, value, before, of_calm, of_stormy, squares,
                    )  # fmt: skip
                    gain = found + prior - figures_density[c] - believed + stretched
                    if math.log(generator.random()) < gain:
                        figures_density[c], believed = found, prior
                        for j in range(3):
                            point[j] = new[j]
                for j in range(3):
                    locations[d, j, c] = point[j]
            move_groups(groups[d], locations[d], group, above, priors, generator)
