"""Linear Gaussian state-space models on a grid of parameters: filter and posterior.

One form serves every time-series model here. A model is a set of *nodes*, each a full
set of parameters with its state-space matrices (most of them from statsmodels) relative to one
unknown variance. The Kalman filter runs over all nodes at once; the variance is
integrated out in closed form; draws come from nodes in proportion to their posterior
weight. So intervals contain innovation, state and parameter uncertainty, without
iteration and without a fit that can fail to converge.

The variance may drift: with a discount below one, older surprises count less, so that
an exodus thirty years ago does not set the width of today's intervals (West and Harrison
1997, section 10.8, doi:10.1007/b98971). The series itself weighs the discounts, by how
well each would have predicted every year from the years before it. The nodes are weighed
under a constant variance: were shocks discounted there too, calm stretches alone would
say how long a shock lasts, and forecasts made after one would carry it on.

Conventions follow Durbin and Koopman (2012, doi:10.1093/acprof:oso/9780199641178.001.0001):
y_t = Z a_t + e_t, a_t = T a_{t-1} + n_t, with Var(e_t) = s2 h and Var(n_t) = s2 Q.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.special import gammaln

from forecast.models.series.representation import Nodes, SeriesPosterior, root

#: Variance of a diffuse state, relative to the innovation variance of the series.
DIFFUSE = 1e7


@lru_cache(maxsize=256)
def gains(
    nodes: Nodes, observed: tuple[bool, ...], breaks: tuple[bool, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Run the variance recursion, which depends on which years are observed but not on values.

    Parameters
    ----------
    nodes : Nodes
        k sets of parameters of a model with m states.
    observed : tuple of bool
        Whether each year has a figure.
    breaks : tuple of bool
        Whether each year starts a new level.

    Returns
    -------
    variance : ndarray, shape (n_years, k)
        Innovation variance F, NaN in unobserved years.
    gain : ndarray, shape (n_years, k, m)
        Kalman gain.
    burned : ndarray of bool, shape (n_years,)
        Observed years that only identify a diffuse state.
    covariance : ndarray, shape (k, m, m)
        Filtered state covariance after the last year.
    """
    variance, gain, burned, (covariance,) = gains_and_covariances(nodes, observed, breaks, ())
    return variance, gain, burned, covariance


def gains_and_covariances(
    nodes: Nodes, observed: tuple[bool, ...], breaks: tuple[bool, ...], lengths: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[np.ndarray]]:
    """Run the variance recursion; as `gains`, with the covariance after each of some lengths.

    Parameters
    ----------
    nodes, observed, breaks
        As of `gains`.
    lengths : tuple of int
        Shorter than the whole length, in rising order. The last covariance is that of the whole.
    """
    n_nodes, n_states = nodes.design.shape
    n_years = len(observed)
    variance = np.full((n_years, n_nodes), np.nan)
    gain = np.zeros((n_years, n_nodes, n_states))
    burned = np.zeros(n_years, dtype=bool)
    to_burn = int(nodes.diffuse.sum())
    covariance = nodes.initial + DIFFUSE * np.diag(nodes.diffuse.astype(float))
    forget = DIFFUSE * np.diag((nodes.level & (nodes.level.any())).astype(float))
    moved = np.swapaxes(nodes.transition, 1, 2)
    covariances = []
    for year in range(n_years):
        if year in lengths:
            covariances.append(covariance)
        if year > 0:
            covariance = nodes.transition @ covariance @ moved + nodes.state_noise
        if breaks[year] and year > 0:
            covariance = covariance + forget
            to_burn += 1
        if not observed[year]:
            continue
        product = (covariance @ nodes.design[:, :, None])[:, :, 0]
        variance[year] = (nodes.design * product).sum(axis=1) + nodes.observation_noise
        gain[year] = product / variance[year][:, None]
        covariance = covariance - gain[year][:, :, None] * product[:, None, :]
        covariance = 0.5 * (covariance + np.swapaxes(covariance, 1, 2))
        if to_burn:
            burned[year] = True
            to_burn -= 1
    return variance, gain, burned, [*covariances, covariance]


def condition(
    nodes: Nodes,
    values: np.ndarray,
    breaks: np.ndarray,
    floor: float = 0.0,
    discounts: Sequence[float] = (1.0,),
) -> SeriesPosterior:
    """Weigh the nodes by a series.

    Parameters
    ----------
    nodes : Nodes
    values : ndarray, shape (n_years,)
        The series; NaN in years that are missing or must not steer.
    breaks : ndarray of bool, shape (n_years,)
        Years from which the series is on a new level.
    floor : float
        Standard deviation that innovations cannot fall below (rounding), in the
        unit of the series.
    discounts : sequence of float in (0, 1]
        Share of the past that counts one year later; one is a constant variance.

    Returns
    -------
    SeriesPosterior
        The prior of the variance is p(s2) proportional to 1/s2, the reference prior
        of a scale, so predictive distributions are mixtures of Student-t. A series that
        only just identifies its level has no degrees of freedom for it.

    Raises
    ------
    ValueError
        If no year is usable.
    """
    observed = ~np.isnan(values)
    if not observed.any():
        raise ValueError("a series needs one usable year")
    shift = float(values[observed][0])
    variance, gain, burned, covariance = gains(
        nodes, tuple(observed.tolist()), tuple(breaks.tolist())
    )
    n_nodes, n_states = nodes.design.shape
    state = np.zeros((n_nodes, n_states))
    innovations = np.full((len(values), n_nodes), np.nan)
    for year, value in enumerate(values):
        if year > 0:
            state = (nodes.transition * state[:, None, :]).sum(axis=2)
        if not observed[year]:
            continue
        innovation = value - shift - (nodes.design * state).sum(axis=1)
        state = state + gain[year] * innovation[:, None]
        if not burned[year]:
            innovations[year] = innovation
    return settle(
        nodes, values, innovations, variance, observed & ~burned,
        (state, root(covariance), shift), floor, discounts,
    )  # fmt: skip


def settle(
    nodes: Nodes,
    values: np.ndarray,
    innovations: np.ndarray,
    variance: np.ndarray,
    used: np.ndarray,
    last: tuple[np.ndarray, np.ndarray, float],
    floor: float,
    discounts: Sequence[float],
) -> SeriesPosterior:
    """Weigh the nodes by their one-step errors, the last part of every filter.

    Parameters
    ----------
    values : ndarray, shape (n_years,)
    innovations, variance : ndarray, shape (n_years, k)
        One-step errors and their relative variance.
    used : ndarray of bool, shape (n_years,)
        Years whose errors count.
    last : (state, state_root, shift)
        As in `SeriesPosterior`.
    floor, discounts
        See `condition`.
    """
    state, state_root, shift = last
    squares = innovations[used] ** 2 / variance[used] + floor**2
    log_variance = np.log(variance[used])
    n_used = int(used.sum())
    tiny = np.finfo(float).tiny
    # Without an innovation nothing is learned: weights stay those of the prior.
    profile = np.log(np.maximum(squares.sum(axis=0), tiny) / max(n_used, 1))
    log_likelihood = -0.5 * (n_used * (np.log(2 * np.pi) + profile + 1) + log_variance.sum(axis=0))
    log_integrated = -0.5 * (n_used * profile + log_variance.sum(axis=0))
    shares = np.asarray(discounts, dtype=float)
    evidence, sum_squares, degrees = learn_variance(
        squares, log_variance, np.flatnonzero(used), shares
    )
    log_nodes = log_integrated + nodes.log_prior
    node_weights = np.exp(log_nodes - log_nodes.max())
    given_node = np.exp(evidence - evidence.max(axis=1, keepdims=True)) * discount_prior(shares)
    weights = (node_weights / node_weights.sum())[:, None] * (
        given_node / given_node.sum(axis=1, keepdims=True)
    )
    fitted = values - innovations @ weights.sum(axis=1)
    return SeriesPosterior(
        nodes, weights, shares, evidence, log_likelihood, state, state_root, sum_squares, degrees,
        shift, fitted,
    )  # fmt: skip


def discount_prior(discounts: np.ndarray) -> np.ndarray:
    """Return prior weights: a constant variance has that of all drifting ones together.

    With equal weights the intervals of short series with a constant variance cover too much.
    """
    constant = discounts == 1.0
    drifting = max(int((~constant).sum()), 1)
    return np.where(constant, 1.0, 1.0 / drifting)


def learn_variance(
    squares: np.ndarray, log_variance: np.ndarray, years: np.ndarray, discounts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Learn a drifting variance from standardised squared innovations, year by year.

    Parameters
    ----------
    squares, log_variance : ndarray, shape (n_used, k)
        Squared innovations over F, and log F.
    years : ndarray of int, shape (n_used,)
        Position of each in the series; the past is discounted once for every year between.
    discounts : ndarray, shape (d,)

    Returns
    -------
    evidence, sum_squares : ndarray, shape (k, d)
    degrees : ndarray, shape (d,)
        After the last of `years`; zero, like the others, if there are none.
    """
    if not len(years):
        nothing = np.zeros((squares.shape[1], len(discounts)))
        return nothing, nothing.copy(), np.zeros(len(discounts))
    squares = np.maximum(squares, np.finfo(float).tiny)
    kept = np.array([discounts**gap for gap in np.diff(years, prepend=years[0])])
    # Before and after each year: the recursions are short, all logarithms are taken at once.
    before = np.empty((len(years), squares.shape[1], len(discounts)))
    after = np.empty_like(before)
    prior, degrees = np.zeros_like(kept), np.ones(len(discounts))
    after[0] = squares[0][:, None]
    rows = zip(after, before[1:], after[1:], kept[1:], squares[1:, :, None], prior[1:])
    for last, faded, updated, share, square, fewer in rows:
        np.add(np.multiply(last, share, out=faded), square, out=updated)
        np.multiply(degrees, share, out=fewer)
        degrees = fewer + 1
    prior, terms = prior[1:, None], np.empty((4 * len(years) - 3, *before.shape[1:]))
    # Under the reference prior the density of the first innovation is 1/|e|.
    terms[0] = -0.5 * (np.log(squares[0]) + log_variance[0])[:, None]
    terms[1::4] = gammaln((prior + 1) / 2)
    terms[2::4] = -gammaln(prior / 2)
    terms[3::4] = -0.5 * (np.log(np.pi) + log_variance[1:, :, None])
    terms[4::4] = 0.5 * (prior * np.log(before[1:]) - (prior + 1) * np.log(after[1:]))
    return terms.sum(axis=0), after[-1], degrees
