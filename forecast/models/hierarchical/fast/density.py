"""The posterior density and its gradient, compiled once for panels of every shape.

The density is that of `forecast.models.hierarchical.graph`. Written out, it needs no graph to be
compiled for each panel: a fit starts at once.
"""

from __future__ import annotations

import math

import numpy as np
from numba import carray, cfunc, njit, types  # type: ignore[attr-defined]

from forecast.models.hierarchical.fast.kernel import compiled, log_likelihood

#: Numbers that stand before the arrays in what the sampler hands back to `log_density`.
HEADER = 4


@compiled(njit, error_model="numpy")
def locations_of(
    groups: np.ndarray, raw: np.ndarray, group: np.ndarray, above: np.ndarray, own: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return parameters of the locations and what they are drawn around.

    Parameters
    ----------
    groups : ndarray, shape (10, n_groups)
        In the order of `OF_GROUPS`.
    raw : ndarray, shape (3, n)
        Coordinates of the locations.
    group, above : ndarray of int, shape (n,)
        Group and country of each; -1 where there is no country. Countries come first.
    own : ndarray, shape (3, n)
        See `forecast.models.hierarchical.graph.centred`.

    Returns
    -------
    drawn, centre, scale : ndarray, shape (3, n)
        On the scale on which they are normal; the scale is that of `raw`.
    """
    drawn, centre, scale = np.empty(raw.shape), np.empty(raw.shape), np.empty(raw.shape)
    for j in range(3):
        for c in range(raw.shape[1]):
            centre[j, c] = groups[j, group[c]]
            if j == 0 and above[c] >= 0:
                centre[j, c] = drawn[j, above[c]]
            if c > 0 and group[c] == group[c - 1] and own[j, c] == own[j, c - 1]:
                scale[j, c] = scale[j, c - 1]
            else:
                scale[j, c] = math.exp((1.0 - own[j, c]) * groups[3 + j, group[c]])
            drawn[j, c] = (1.0 - own[j, c]) * centre[j, c] + scale[j, c] * raw[j, c]
    return drawn, centre, scale


@compiled(njit, error_model="numpy")
def log_posterior(
    x: np.ndarray,
    group: np.ndarray,
    above: np.ndarray,
    own: np.ndarray,
    priors: np.ndarray,
    figures: np.ndarray,
    storm_floor: float,
) -> tuple[float, np.ndarray]:
    """Log posterior density up to a constant, and its gradient.

    Parameters
    ----------
    x : ndarray, shape (10 n_groups + 3 n + n_years,)
        Parameters of the groups, coordinates of the locations, and years, one after another.
    group, above, own : ndarray
        See `locations_of`.
    priors : ndarray, shape (10, 2)
        Mean and standard deviation, in the order of `OF_GROUPS`.
    figures : ndarray, shape (6, n, n_years)

    Returns
    -------
    float
    ndarray, shape of `x`
    """
    n, n_years = figures.shape[1:]
    of_groups, before_years = len(x) - 3 * n - n_years, len(x) - n_years
    groups = x[:of_groups].reshape((10, of_groups // 10))
    raw, year = x[of_groups:before_years].reshape((3, n)), x[before_years:]
    gradient = np.zeros(len(x))
    by_groups = gradient[:of_groups].reshape(groups.shape)
    by_raw, by_year = gradient[of_groups:before_years].reshape((3, n)), gradient[before_years:]
    drawn, centre, scale = locations_of(groups, raw, group, above, own)
    locations, scales = np.empty((7, n)), np.empty(groups.shape)
    # Number by number, here and elsewhere: whole arrays at once take longer to compile.
    for k in range(3, 10):
        for g in range(groups.shape[1]):
            scales[k, g] = math.exp(groups[k, g])
    for c in range(n):
        g = group[c]
        locations[0, c] = drawn[0, c]
        locations[1, c] = math.exp(drawn[1, c])
        locations[2, c] = 1.0 / (1.0 + math.exp(-drawn[2, c]))
        locations[3, c], locations[4, c] = scales[6, g], groups[7, g]
        locations[5, c], locations[6, c] = groups[8, g], scales[9, g]
    total, by, of_figures = log_likelihood(locations, year, figures, storm_floor)
    for t in range(n_years):
        total -= 0.5 * year[t] * year[t]
        by_year[t] = of_figures[t] - year[t]
    for c in range(n):
        g = group[c]
        by[1, c] *= locations[1, c]
        by[2, c] *= locations[2, c] * (1.0 - locations[2, c])
        by_groups[6, g] += by[3, c] * locations[3, c]
        by_groups[7, g] += by[4, c]
        by_groups[8, g] += by[5, c]
        by_groups[9, g] += by[6, c] * locations[6, c]
    for j in range(3):
        # Regions come last and are done first: their country gathers what they pull.
        for c in range(n - 1, -1, -1):
            g, share = group[c], own[j, c]
            distance = (drawn[j, c] - centre[j, c]) / scales[3 + j, g]
            total -= 0.5 * distance * distance + share * groups[3 + j, g]
            pull = by[j, c] - distance / scales[3 + j, g]
            by_raw[j, c] = pull * scale[j, c]
            by_centre = pull * (1.0 - share) + distance / scales[3 + j, g]
            by_groups[3 + j, g] += (
                pull * (1.0 - share) * scale[j, c] * raw[j, c] + distance * distance - share
            )
            if j == 0 and above[c] >= 0:
                by[j, above[c]] += by_centre
            else:
                by_groups[j, g] += by_centre
    for k in range(10):
        for g in range(groups.shape[1]):
            off = (groups[k, g] - priors[k, 0]) / priors[k, 1]
            total -= 0.5 * off * off
            by_groups[k, g] -= off / priors[k, 1]
    return total, gradient


@compiled(njit, error_model="numpy")
def unpacked(
    given: np.ndarray, n: int, n_years: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return group, above, own, priors and figures out of one vector.

    Parameters
    ----------
    given : ndarray, shape (5 n + 20 + 6 n n_years,)
        The arrays of `log_posterior`, one after another; group and country as floats.
    n, n_years : int
        Number of locations and of years, padding included.

    Returns
    -------
    group, above : ndarray of int, shape (n,)
    own : ndarray, shape (3, n)
    priors : ndarray, shape (10, 2)
    figures : ndarray, shape (6, n, n_years)
        The last three are views of `given`.
    """
    group, above = given[:n].astype(np.int64), given[n : 2 * n].astype(np.int64)
    own = given[2 * n : 5 * n].reshape((3, n))
    priors = given[5 * n : 5 * n + 20].reshape((10, 2))
    return group, above, own, priors, given[5 * n + 20 :].reshape((6, n, n_years))


POINTER = types.CPointer(types.double)  # type: ignore[no-untyped-call]


@compiled(cfunc, types.int64(types.uint64, POINTER, POINTER, POINTER, POINTER))
def log_density(size, x, gradient, density, given):  # type: ignore[no-untyped-def]
    """`log_posterior` as nutpie calls it; not zero where it is not a number.

    ``given`` holds the number of locations, of years and of groups, the floor of storms,
    and the arrays of `unpacked`.

    Parameters
    ----------
    size : int
        Length of `x`.
    x, gradient : pointer to double
        A point; its gradient is written, in the order of `log_posterior`.
    density : pointer to double
        The log posterior density is written, up to a constant.
    given : pointer to double
        Filled by `forecast.models.hierarchical.fast.posterior.PanelPosterior.model`.

    Returns
    -------
    int
        0, or 4 where density or gradient are not finite: the sampler takes it for a divergence.
    """
    n, n_years = int(given[0]), int(given[1])
    whole = carray(given, (HEADER + 5 * n + 20 + 6 * n * n_years,))
    group, above, own, priors, figures = unpacked(whole[HEADER:], n, n_years)
    point = carray(x, (size,))
    found, by = log_posterior(point, group, above, own, priors, figures, given[3])
    density[0] = found
    sound = math.isfinite(found)
    for i in range(size):
        gradient[i] = by[i]
        sound = sound and math.isfinite(by[i])
    return 0 if sound else 4


@compiled(cfunc, types.int64(types.uint64, types.uint64, POINTER, POINTER, POINTER))
def parameters(size, expanded, x, out, given):  # type: ignore[no-untyped-def]
    """Parameters of a point, in the order of `posterior.PanelPosterior`.

    Parameters
    ----------
    size, expanded : int
        Length of `x`, and of `out`; they are the same.
    x : pointer to double
        A point, as of `log_density`: coordinates of the locations.
    out : pointer to double
        Written: groups as they are, mean, storm size (per 1,000) and persistence (0 to 1) of every
        location, years.
    given : pointer to double
        As of `log_density`.

    Returns
    -------
    int
        0.
    """
    n, n_years, n_groups = int(given[0]), int(given[1]), int(given[2])
    whole = carray(given, (HEADER + 5 * n + 20 + 6 * n * n_years,))
    group, above, own, _, _ = unpacked(whole[HEADER:], n, n_years)
    point = carray(x, (size,))
    of_groups = 10 * n_groups
    groups = point[:of_groups].reshape((10, n_groups))
    raw = point[of_groups : of_groups + 3 * n].reshape((3, n))
    drawn, _, _ = locations_of(groups, raw, group, above, own)
    for j in range(of_groups):
        out[j] = point[j]
    for j in range(of_groups + 3 * n, size):
        out[j] = point[j]
    for c in range(n):
        out[of_groups + c] = drawn[0, c]
        out[of_groups + n + c] = math.exp(drawn[1, c])
        out[of_groups + 2 * n + c] = 1.0 / (1.0 + math.exp(-drawn[2, c]))
    return 0
