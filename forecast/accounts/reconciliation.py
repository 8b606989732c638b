"""Array kernels of reconciliation: bottom-up, top-down, and shrunk covariances."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecast.accounts.identities import Identity
from forecast.errors import DataError
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
