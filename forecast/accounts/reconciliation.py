"""Array kernels of reconciliation: bottom-up, top-down, middle-out, and shrunk covariances."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecast import validation
from forecast.accounts.identities import Identity
from forecast.errors import DataError
from forecast.panel import Panel
from forecast.series_key import SeriesKey


def shrunk_correlation(errors: np.ndarray) -> tuple[np.ndarray, float]:
    """Return a correlation matrix shrunk towards independence, and by how much.

    Parameters
    ----------
    errors : ndarray, shape (n, k)
        Rows are observations. A column that never moves is independent of all others.

    Returns
    -------
    correlation : ndarray, shape (k, k)
        Positive definite unless the shrinkage is nil.
    shrinkage : float
        Between 0 (as observed) and 1 (independent); the share that minimises the expected
        squared error (Schäfer and Strimmer 2005, doi:10.2202/1544-6115.1175).

    Examples
    --------
    >>> import numpy as np
    >>> few = np.random.default_rng(1).standard_normal((6, 3))
    >>> shrunk_correlation(few)[1] > 0.3
    True
    """
    values = np.asarray(errors, dtype=float)
    if values.ndim != 2 or len(values) < 3 or not np.isfinite(values).all():
        raise DataError(
            f"errors have shape {values.shape}; give (n, k) finite numbers with three rows or more."
        )
    n = len(values)
    spread = values.std(axis=0, ddof=1)
    moves = spread > 0
    scaled = (values - values.mean(axis=0)) / np.where(moves, spread, 1.0)
    correlation = scaled.T @ scaled / (n - 1)
    squares = scaled**2
    # Variance of each entry: that of the products, whose mean is the correlation.
    products = squares.T @ squares - n * ((n - 1) / n * correlation) ** 2
    variance = n / (n - 1) ** 3 * products
    off = ~np.eye(len(correlation), dtype=bool)
    total = float((correlation[off] ** 2).sum())
    shrinkage = 1.0 if total == 0 else float(np.clip(variance[off].sum() / total, 0.0, 1.0))
    correlation = (1.0 - shrinkage) * correlation
    np.fill_diagonal(correlation, 1.0)
    return correlation, shrinkage


def of_errors(errors: np.ndarray) -> np.ndarray:
    """Return the shrunk covariance of errors of shape (n, k), in their unit squared.

    Errors count from zero, not from their mean: a forecast that is always off is uncertain.
    """
    correlation, _ = shrunk_correlation(errors)
    scale = np.sqrt((np.asarray(errors, dtype=float) ** 2).mean(axis=0))
    return np.asarray(correlation * np.outer(scale, scale))


def of_draws(draws: np.ndarray) -> np.ndarray:
    """Return a covariance of draws of shape (n_draws, k) that heavy tails do not rule.

    Half the range of the middle 68 % stands for the standard deviation, and ranks for the
    dependence: futures of counts need not have a variance at all.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    values = np.asarray(draws, dtype=float)
    low, high = np.quantile(values, [0.1587, 0.8413], axis=0)
    scale = (high - low) / 2.0
    # A middle without width, as of counts near zero, still has a spread.
    scale = np.where(scale > 0, scale, values.std(axis=0))
    ranks = rankdata(values, axis=0)
    correlation, _ = shrunk_correlation(ndtri((ranks - 0.5) / len(values)))
    return np.asarray(correlation * np.outer(scale, scale))


def bottom_up(
    draws: np.ndarray, keys: Sequence[SeriesKey], identities: Sequence[Identity]
) -> np.ndarray:
    """Recompute nets and totals from the series below them.

    Parameters
    ----------
    draws : ndarray, shape (n_draws, k)
    keys : sequence of (source, location, measure)
    identities : sequence of Identity
        Sums ordered from the top downwards, as `identities.stated` gives them.

    Returns
    -------
    ndarray, shape (n_draws, k)

    Raises
    ------
    DataError
        If parts have to cancel out: there is no total to recompute.
    """
    _refuse(identities, "bottom-up", ("zero", "balance"))
    place = {key: position for position, key in enumerate(keys)}
    made = draws.copy()
    nets = [identity for identity in identities if identity.kind == "net"]
    sums = [identity for identity in identities if identity.kind == "sum"]
    # Nets of the lowest level enter the totals; nets of totals follow from their gross flows
    # and agree, because addition does.
    for identity in [*nets, *reversed(sums), *nets]:
        (whole, sign), *parts = identity.terms
        made[:, place[whole]] = sum(
            -coefficient / sign * made[:, place[key]] for key, coefficient in parts
        )
    return made


def top_down(
    draws: np.ndarray,
    keys: Sequence[SeriesKey],
    identities: Sequence[Identity],
    counts: np.ndarray,
    covariance: np.ndarray,
) -> np.ndarray:
    """Hand totals down by shares.

    Parts of a count take their own share of the total in each draw (forecast proportions,
    Athanasopoulos, Ahmed and Hyndman 2009, doi:10.1016/j.ijforecast.2008.07.004). Parts that
    may be negative have no shares: they divide the difference in proportion to their
    variance, and so do internal nets that have to cancel out.

    Parameters
    ----------
    draws : ndarray, shape (n_draws, n_keys)
        Persons per calendar year.
    keys : sequence of (source, location, measure)
        Of the columns.
    identities : sequence of Identity
        Totals and their parts, from the country downwards.
    counts : ndarray of bool, shape (n_keys,)
        Which series may not be below zero.
    covariance : ndarray, shape (n_keys, n_keys)
        How uncertain each series is, in persons squared.

    Raises
    ------
    DataError
        If a net is given both by its gross flows and as a part of a total: handing down
        one would break the other.
    """
    _refuse(identities, "top-down", ("balance",))
    place = {key: position for position, key in enumerate(keys)}
    made = draws.copy()
    variance = np.clip(np.diag(covariance), 0.0, None)
    derived = {identity.terms[0][0] for identity in identities if identity.kind == "net"}
    parts_of = [key for i in identities if i.kind == "sum" for key, _ in i.terms[1:]]
    gross_parts = {(source, where) for source, where, m in parts_of if m == "immigration"}
    nets = [identity for identity in identities if identity.kind == "net"]
    sums = [identity for identity in identities if identity.kind in ("sum", "zero")]
    for identity in [*nets, *sums, *nets]:
        if identity.kind == "net":
            (whole, _), (into, _), (out, _) = identity.terms
            made[:, place[whole]] = made[:, place[into]] - made[:, place[out]]
            continue
        terms = identity.terms if identity.kind == "zero" else identity.terms[1:]
        columns = [place[key] for key, _ in terms]
        overlap = [key for key, _ in terms if key in derived]
        if overlap:
            source, where, measure = overlap[0]
            if identity.kind == "sum" and (source, where) in gross_parts:
                # Gross flows are handed down; their nets add up by themselves.
                continue
            raise DataError(
                f"top-down: {measure} of {where} ({source}) is a part of {identity.location} and "
                "follows from its gross flows as well. Use method='mint'."
            )
        total = 0.0 if identity.kind == "zero" else made[:, place[identity.terms[0][0]]]
        gap = total - made[:, columns].sum(axis=1)
        if counts[columns].all():
            size = made[:, columns].sum(axis=1, keepdims=True)
            even = np.full((1, len(columns)), 1.0 / len(columns))
            share = np.where(size > 0, made[:, columns] / np.where(size > 0, size, 1.0), even)
        else:
            weight = variance[columns] if variance[columns].sum() > 0 else np.ones(len(columns))
            share = np.broadcast_to(weight / weight.sum(), (len(made), len(columns)))
        made[:, columns] = made[:, columns] + share * np.asarray(gap)[:, None]
    return made


def _refuse(identities: Sequence[Identity], method: str, kinds: Sequence[str]) -> None:
    for identity in identities:
        if identity.kind in kinds:
            raise DataError(
                f"{method} cannot make it true that {identity.name} ({identity.location}): "
                "no series follows from the others. Use method='mint'."
            )


def nets_from_flows(
    values: np.ndarray,
    forecast: np.ndarray,
    keys: Sequence[SeriesKey],
    identities: Sequence[Identity],
) -> np.ndarray:
    """Make nets that are no part of a total the difference of their flows, in place.

    Parameters
    ----------
    values : ndarray, shape (n_draws, n_series, n_years)
        Draws in persons, with figures already observed in their place.
    forecast : ndarray of bool, shape (n_series, n_years)
    keys : sequence of SeriesKey
    identities : sequence of Identity

    Returns
    -------
    ndarray of bool, shape (n_series, n_years)
        Nets and flows that are settled by it.
    """
    place = {key: position for position, key in enumerate(keys)}
    parts = {key for one in identities if one.kind == "sum" for key, _ in one.terms[1:]}
    settled = np.zeros_like(forecast)
    for identity in identities:
        if identity.kind != "net" or identity.keys[0] in parts:
            continue
        net, into, out = (place[key] for key in identity.keys)
        made = values[:, into] - values[:, out]
        there = forecast[net] & ~np.isnan(made[0])
        values[:, net] = np.where(there, made, values[:, net])
        settled[[net, into, out]] |= there
    return settled


def order_of_the_country(
    values: np.ndarray,
    settled: np.ndarray,
    keys: Sequence[SeriesKey],
    identities: Sequence[Identity],
) -> None:
    """Put the worlds of regions in the order of their country's net, in place.

    World *i* of the regions becomes the one whose sum ranks, on average over the years, as
    the country's net does in world *i*. Each region keeps its draws and their course; less
    is left to be shared out.

    Parameters
    ----------
    values : ndarray, shape (n_draws, n_series, n_years)
        Draws in persons per year, which are changed.
    settled : ndarray of bool, shape (n_series, n_years)
        What must stay as it is.
    keys : sequence of (source, location, measure)
        Of the series.
    identities : sequence of Identity
        Which regions make up which country.
    """
    place = {key: position for position, key in enumerate(keys)}
    for whole, parts, others in _countries(settled.any(axis=1), place, identities):
        total = values[:, parts].sum(axis=1)
        years = settled[whole] & ~np.isnan(total[0])
        if years.any():
            ours, theirs = (
                np.argsort(_height(drawn[:, years]), kind="stable")
                for drawn in (values[:, whole], total)
            )
            turned = values[:, others].copy()
            values[np.ix_(ours, others)] = turned[theirs]


def _height(drawn: np.ndarray) -> np.ndarray:
    """Return the mean rank of each path of shape (n_draws, n_years) over the years."""
    return np.asarray(np.argsort(np.argsort(drawn, axis=0), axis=0).mean(axis=1))


def _countries(
    settled: np.ndarray, place: dict[SeriesKey, int], identities: Sequence[Identity]
) -> list[tuple[int, list[int], list[int]]]:
    """Return columns of each settled total, of its parts, and of all that hangs on them."""
    found = []
    for identity in identities:
        whole, *parts = (place[key] for key in identity.keys)
        net = validation.MEASURES[identity.keys[0][2]]
        if identity.kind != "sum" or not (net and settled[whole]) or settled[parts].any():
            continue
        others = set(parts)
        for below in identities:
            columns = {place[key] for key in below.keys}
            if columns & others and not settled[list(columns)].any():
                others |= columns
        found.append((whole, parts, sorted(others)))
    return found


def handed_down(
    draws: np.ndarray,
    matrix: np.ndarray,
    panel: Panel,
    keys: Sequence[SeriesKey],
    held: np.ndarray,
) -> np.ndarray:
    """Return draws of which those not held share by inhabitants what all leave open on average.

    Parameters
    ----------
    draws : ndarray, shape (n_draws, k)
    matrix : ndarray, shape (m, k)
        Coefficients of the identities.
    panel : Panel
        The last populations. If one of them is not known, nothing is shared.
    keys : sequence of SeriesKey
    held : ndarray of bool, shape (k,)
        Series that stay as they are.
    """
    inhabitants = np.zeros(len(keys))
    for position in np.flatnonzero(~held):
        series = panel.find(keys[int(position)])
        people = np.empty(0) if series is None else series.population
        known = people[~np.isnan(people)]
        if not len(known):
            return draws
        inhabitants[position] = known[-1]
    open_middle = np.median(draws @ matrix.T, axis=0)
    weighted = inhabitants[:, None] * matrix.T
    shift = weighted @ np.linalg.lstsq(matrix @ weighted, open_middle, rcond=None)[0]
    return np.asarray(draws - shift)
