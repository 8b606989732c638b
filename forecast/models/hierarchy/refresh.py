"""Posterior draws moved where trajectories of all parameters at once are slow.

A location whose figures agree with two stories (a mean near its rates, or one far away that pulls
little) waits long for a trajectory that passes from one to the other. Given the groups and years,
locations are independent of each other, so each is moved by Metropolis steps of its own: by
differences between two draws of another chain (ter Braak and Vrugt 2008,
doi:10.1007/s11222-008-9104-9). Centres and spreads of the groups are then drawn given the
locations, and the years' common part is moved against what it trades off with. Such steps leave the
posterior as it is: a draw that is moved is as good a draw, and less like the one before it.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from forecast.models.hierarchy.graph import OF_GROUPS
from forecast.models.hierarchy.kernel import (
    FAST,
    LARGEST_LOGIT,
    LEAST_SQUARE,
    NORMAL,
    STUDENT,
    compiled,
    exponentials,
    sum_of_logs,
)
from forecast.models.hierarchy.posterior import OF_EACH, Posterior

if TYPE_CHECKING:
    import xarray as xr

#: Turns of locations and groups; steps of each location, and of each spread, in one of them.
ROUNDS, STEPS = 3, 4
#: A difference of draws is taken in part: near moves are accepted more often, far ones lead to
#: another mode.
LEAST_PART, LARGEST_PART = 0.2, 1.05
#: Log storm sizes and logits beyond are refused: they would overflow.
FARTHEST = 30.0


@compiled(njit, fastmath=FAST, error_model="numpy", nogil=True)
def weights(
    groups: np.ndarray,
    year: np.ndarray,
    group: np.ndarray,
    figures: np.ndarray,
    calm_floor: float,
    calm: np.ndarray,
    stormy: np.ndarray,
) -> None:
    """Write what does not depend on a location's own parameters.

    Parameters
    ----------
    groups : ndarray, shape (10, n_groups)
    year : ndarray, shape (n_years,)
    group : ndarray of int, shape (n,)
    figures : ndarray, shape (5, n, n_years)
    calm_floor : float
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
        log_move, used = figures[3, c], figures[4, c]
        of_calm, of_stormy = calm[c], stormy[c]
        for t in range(n_years):
            linear = groups[7, g] + groups[8, g] * log_move[t] + shared * year[t]
            logit[t] = min(max(linear, -LARGEST_LOGIT), LARGEST_LOGIT)
            change = value[t] - before[t]
            variance[t] = scale * scale * move[t] * move[t] + calm_floor * calm_floor
            power[t] = max(-0.5 * change * change / variance[t], -600.0)
        exponentials(logit, odds, powers)
        exponentials(power, height, powers)
        for t in range(n_years):
            share = used[t] / (1.0 + odds[t])
            of_calm[t] = share * NORMAL * height[t] / math.sqrt(variance[t]) + 1.0 - used[t]
            of_stormy[t] = share * STUDENT * odds[t]


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
    """Log density of one location's figures, as `forecast.models.hierarchy.kernel` has it."""
    for t in range(len(value)):
        away = before[t] - mean
        variance = size * math.sqrt(size * size + away * away) + storm_floor * storm_floor
        surprise = value[t] - mean - kept * away
        spread = 3.0 * variance + surprise * surprise
        inverse = 1.0 / (variance * spread)
        peak = 3.0 * variance * variance * inverse
        density = calm[t] + stormy[t] * math.sqrt(inverse * spread) * peak * peak
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
        See `forecast.models.hierarchy.density.locations_of`.
    priors : ndarray, shape (10, 2)
    generator : numpy.random.Generator
    """
    for g in range(groups.shape[1]):
        for j in range(3):
            around, told = priors[3 + j]
            for _ in range(STEPS):
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
                new = old + 2.4 / math.sqrt(2.0 * members + told**-2.0) * (
                    generator.standard_normal()
                )
                gain = -members * (new - old) - 0.5 * squares * (
                    math.exp(-2.0 * new) - math.exp(-2.0 * old)
                )
                gain -= 0.5 * ((new - around) ** 2 - (old - around) ** 2) * told**-2.0
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
    generator : numpy.random.Generator
    """
    n_years, n_groups = len(year), groups.shape[1]
    of_chance, of_shared = priors[7, 1] ** -2.0, priors[9, 1] ** -2.0
    for _ in range(STEPS):
        precision, pull = float(n_years), -year.sum()
        for g in range(n_groups):
            shared = math.exp(groups[9, g])
            precision += shared * shared * of_chance
            pull += shared * (groups[7, g] - priors[7, 0]) * of_chance
        added = pull / precision + generator.standard_normal() / math.sqrt(precision)
        year += added
        step = 2.4 / math.sqrt(2.0 * n_years + n_groups * of_shared)
        step *= generator.standard_normal()
        squares = (year * year).sum()
        gain = -0.5 * squares * (math.exp(-2.0 * step) - 1.0) - n_years * step
        for g in range(n_groups):
            groups[7, g] -= math.exp(groups[9, g]) * added
            off = groups[9, g] - priors[9, 0]
            gain -= 0.5 * ((off + step) ** 2 - off * off) * of_shared
        if math.log(generator.random()) < gain:
            groups[9] += step
            year *= math.exp(-step)


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
    """Log prior of one location and of the means of regions that are drawn around it."""
    total = 0.0
    for j in range(3):
        centre = locations[0, above[c]] if j == 0 and above[c] >= 0 else groups[j, group[c]]
        total -= 0.5 * ((point[j] - centre) * per_spread[j, group[c]]) ** 2
    for d in range(first_nested, len(group)):
        if above[d] == c:
            total -= 0.5 * ((locations[0, d] - point[0]) * per_spread[0, group[d]]) ** 2
    return total


@compiled(njit, error_model="numpy", nogil=True)
def move_chain(
    groups: np.ndarray,
    locations: np.ndarray,
    year: np.ndarray,
    other: np.ndarray,
    group: np.ndarray,
    above: np.ndarray,
    priors: np.ndarray,
    figures: np.ndarray,
    calm_floor: float,
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
    group, above, priors, figures, calm_floor, storm_floor
        See `forecast.models.hierarchy.density.log_posterior`.
    generator : numpy.random.Generator
    """
    n_draws, _, n = locations.shape
    n_years = year.shape[1]
    calm, stormy = np.empty((n, n_years)), np.empty((n, n_years))
    squares, point, new = np.empty(n_years), np.empty(3), np.empty(3)
    told, one, two = np.empty(n), np.empty(steps, np.int64), np.empty(steps, np.int64)
    first_nested = n
    for c in range(n - 1, -1, -1):
        if above[c] >= 0:
            first_nested = c
    for d in range(n_draws):
        move_years(groups[d], year[d], priors, generator)
        weights(groups[d], year[d], group, figures, calm_floor, calm, stormy)
        for turn in range(rounds):
            per_spread = np.exp(-groups[d, 3:6])
            for step in range(steps):
                # The same two draws for all locations: they are read one after another.
                one[step] = generator.integers(0, len(other))
                two[step] = generator.integers(0, len(other))
            for c in range(n):
                value, before = figures[0, c], figures[1, c]
                of_calm, of_stormy = calm[c], stormy[c]
                point[:] = locations[d, :, c]
                if turn == 0:
                    told[c] = log_density_of(
                        point[0], math.exp(point[1]), 1.0 / (1.0 + math.exp(-point[2])),
                        storm_floor, value, before, of_calm, of_stormy, squares,
                    )  # fmt: skip
                believed = log_prior_of(
                    c, point, groups[d], per_spread, locations[d], group, above, first_nested
                )
                for step in range(steps):
                    part = LEAST_PART + (LARGEST_PART - LEAST_PART) * generator.random()
                    # Every second step all three together, else one of them.
                    alone = -1 if step % 2 else int(3.0 * generator.random())
                    for j in range(3):
                        new[j] = point[j]
                        if alone in (-1, j):
                            new[j] += part * (other[one[step], c, j] - other[two[step], c, j])
                    if max(abs(new[1]), abs(new[2])) > FARTHEST:
                        continue
                    prior = log_prior_of(
                        c, new, groups[d], per_spread, locations[d], group, above, first_nested
                    )
                    found = log_density_of(
                        new[0], math.exp(new[1]), 1.0 / (1.0 + math.exp(-new[2])),
                        storm_floor, value, before, of_calm, of_stormy, squares,
                    )  # fmt: skip
                    if math.log(generator.random()) < found + prior - told[c] - believed:
                        told[c], believed = found, prior
                        point[:] = new
                locations[d, :, c] = point
            move_groups(groups[d], locations[d], group, above, priors, generator)


def refresh(tree: xr.DataTree, posterior: Posterior, seed: int) -> None:
    """Move the draws of a tree; those of a single chain stay as they are.

    The scale of calm years and the echo of storms stay, and so do the sampler's statistics.

    Parameters
    ----------
    tree : DataTree
        As `Posterior.model` is sampled; changed in place.
    posterior : Posterior
    seed : int
    """
    draws = {str(name): v.to_numpy() for name, v in tree["posterior"].data_vars.items()}
    n_chains = len(draws["shared_raw"])
    if n_chains < 2:
        return
    groups = np.stack([draws[name] for name in OF_GROUPS], axis=2)
    mean, size, kept = (draws[name] for name in OF_EACH[:3])
    # A number below one keeps no more of a logit than this.
    kept = np.clip(kept, 1e-15, 1.0 - 1e-15)
    locations = np.stack([mean, np.log(size), np.log(kept) - np.log1p(-kept)], axis=2)
    others = np.ascontiguousarray(np.moveaxis(np.roll(locations, -1, axis=0), 2, 3))
    year = np.array(draws["shared_raw"])
    generators = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(n_chains)]

    def move(chain: int) -> None:
        move_chain(
            groups[chain], locations[chain], year[chain], others[chain], *posterior.arrays,
            *posterior.floors, ROUNDS, STEPS, generators[chain],
        )  # fmt: skip

    with ThreadPoolExecutor(n_chains) as executor:
        list(executor.map(move, range(n_chains)))
    moved = {name: groups[:, :, k] for k, name in enumerate(OF_GROUPS)}
    size, kept = np.exp(locations[:, :, 1]), 1.0 / (1.0 + np.exp(-locations[:, :, 2]))
    moved.update(zip(OF_EACH, (locations[:, :, 0], size, kept, year)))
    for name, values in moved.items():
        tree["posterior"][name] = tree["posterior"].dataset[name].copy(data=values)
