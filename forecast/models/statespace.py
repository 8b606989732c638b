"""Linear Gaussian state-space models on a grid of parameters: filter, posterior, simulation.

One form serves every time-series model here. A model is a set of *nodes*, each a full
set of parameters with its state-space matrices (built by statsmodels) relative to one
unknown variance. The Kalman filter runs over all nodes at once; the variance is
integrated out in closed form; draws come from nodes in proportion to their posterior
weight. So intervals contain innovation, state and parameter uncertainty, without
iteration and without a fit that can fail to converge.

Conventions follow Durbin and Koopman (2012, doi:10.1093/acprof:oso/9780199641178.001.0001):
y_t = Z a_t + e_t, a_t = T a_{t-1} + n_t, with Var(e_t) = s2 h and Var(n_t) = s2 Q.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

#: Variance of a diffuse state, relative to the innovation variance of the series.
DIFFUSE = 1e7


@dataclass(frozen=True, eq=False)
class Nodes:
    """State-space matrices of every parameter node; compared by identity.

    Attributes
    ----------
    design : ndarray, shape (k, m)
        Z of each of the k nodes with m states.
    transition : ndarray, shape (k, m, m)
        T.
    state_noise : ndarray, shape (k, m, m)
        Q, relative to the unknown variance.
    observation_noise : ndarray, shape (k,)
        h, relative to the unknown variance.
    initial : ndarray, shape (k, m, m)
        Covariance of the first state without its diffuse part.
    diffuse : ndarray of bool, shape (m,)
        States that nothing is known about before the first observation.
    level : ndarray of bool, shape (m,)
        States that are forgotten at a break.
    log_prior : ndarray, shape (k,)
        Log prior weight of each node.
    parameters : mapping of str to ndarray, shape (k,)
        Named parameter values, for the diagnostics.
    """

    design: np.ndarray
    transition: np.ndarray
    state_noise: np.ndarray
    observation_noise: np.ndarray
    initial: np.ndarray
    diffuse: np.ndarray
    level: np.ndarray
    log_prior: np.ndarray
    parameters: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Posterior:
    """What a series says about the nodes.

    Attributes
    ----------
    weights : ndarray, shape (k,)
        Posterior probability of each node.
    log_likelihood : ndarray, shape (k,)
        Diffuse log likelihood at each node, with the variance at its maximum.
    state : ndarray, shape (k, m)
        Filtered state after the last year, in units of the series.
    state_root : ndarray, shape (k, m, m)
        A square root of the filtered state covariance, relative to the variance.
    sum_squares : ndarray, shape (k,)
        Sum of squared standardised innovations, plus the floor.
    degrees : float
        Degrees of freedom of the variance.
    shift : float
        Subtracted from the series before filtering.
    fitted : ndarray, shape (n_years,)
        One-step predictions averaged over nodes, NaN where the state was diffuse.
    """

    nodes: Nodes
    weights: np.ndarray
    log_likelihood: np.ndarray
    state: np.ndarray
    state_root: np.ndarray
    sum_squares: np.ndarray
    degrees: float
    shift: float
    fitted: np.ndarray

    def mean(self, parameter: str) -> float:
        """Return the posterior mean of a named parameter."""
        return float(self.weights @ self.nodes.parameters[parameter])


@lru_cache(maxsize=256)
def _gains(
    nodes: Nodes, observed: tuple[bool, ...], breaks: tuple[bool, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Run the variance recursion, which depends on which years are observed but not on values.

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
    n_nodes, n_states = nodes.design.shape
    n_years = len(observed)
    variance = np.full((n_years, n_nodes), np.nan)
    gain = np.zeros((n_years, n_nodes, n_states))
    burned = np.zeros(n_years, dtype=bool)
    to_burn = int(nodes.diffuse.sum())
    covariance = nodes.initial + DIFFUSE * np.diag(nodes.diffuse.astype(float))
    forget = DIFFUSE * np.diag((nodes.level & (nodes.level.any())).astype(float))
    moved = np.swapaxes(nodes.transition, 1, 2)
    for year in range(n_years):
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
    return variance, gain, burned, covariance


def root(covariance: np.ndarray) -> np.ndarray:
    """Return R with R R' = covariance for positive semi-definite stacks (..., m, m)."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.clip(values, 0.0, None))[..., None, :]


def condition(
    nodes: Nodes, values: np.ndarray, breaks: np.ndarray, floor: float = 0.0
) -> Posterior:
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

    Returns
    -------
    Posterior
        The prior of the variance is p(s2) proportional to 1/s2, the reference prior
        of a scale, so predictive distributions are mixtures of Student-t.
    """
    observed = ~np.isnan(values)
    shift = float(values[observed][0])
    variance, gain, burned, covariance = _gains(
        nodes, tuple(observed.tolist()), tuple(breaks.tolist())
    )
    n_nodes, n_states = nodes.design.shape
    state = np.zeros((n_nodes, n_states))
    sum_squares = np.zeros(n_nodes)
    log_variance = np.zeros(n_nodes)
    innovations = np.full((len(values), n_nodes), np.nan)
    for year, value in enumerate(values):
        if year > 0:
            state = (nodes.transition * state[:, None, :]).sum(axis=2)
        if not observed[year]:
            continue
        innovation = value - shift - (nodes.design * state).sum(axis=1)
        state = state + gain[year] * innovation[:, None]
        if burned[year]:
            continue
        innovations[year] = innovation
        sum_squares += innovation**2 / variance[year]
        log_variance += np.log(variance[year])
    degrees = float(observed.sum() - burned.sum())
    sum_squares = sum_squares + degrees * floor**2
    tiny = np.finfo(float).tiny
    log_integrated = -0.5 * (log_variance + degrees * np.log(np.maximum(sum_squares, tiny)))
    log_likelihood = log_integrated + 0.5 * degrees * (np.log(degrees) - np.log(2 * np.pi) - 1)
    log_weights = log_integrated + nodes.log_prior
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    fitted = values - innovations @ weights
    return Posterior(
        nodes,
        weights,
        log_likelihood,
        state,
        root(covariance),
        sum_squares,
        degrees,
        shift,
        fitted,
    )


def simulate(
    posterior: Posterior, n_ahead: int, n_draws: int, generator: np.random.Generator
) -> np.ndarray:
    """Draw futures of the series.

    Parameters
    ----------
    posterior : Posterior
    n_ahead : int
        Years after the last one.
    n_draws : int
    generator : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n_draws, n_ahead)
        In the unit of the series.
    """
    nodes = posterior.nodes
    cumulated = np.cumsum(posterior.weights)
    # Stratified choice of nodes: each is drawn in proportion, with little Monte Carlo noise.
    positions = (np.arange(n_draws) + generator.uniform(size=n_draws)) / n_draws
    chosen = np.searchsorted(cumulated / cumulated[-1], generator.permutation(positions))
    chosen = np.minimum(chosen, len(cumulated) - 1)
    chi_square = generator.chisquare(posterior.degrees, size=n_draws)
    scale = np.sqrt(posterior.sum_squares[chosen] / chi_square)
    n_states = nodes.design.shape[1]
    start = generator.standard_normal((n_draws, n_states))
    state = posterior.state[chosen] + scale[:, None] * _apply(posterior.state_root[chosen], start)
    transition, design = nodes.transition[chosen], nodes.design[chosen]
    noise_root = root(nodes.state_noise)[chosen]
    observation_scale = scale * np.sqrt(nodes.observation_noise[chosen])
    paths = np.empty((n_draws, n_ahead))
    for step in range(n_ahead):
        shocks = generator.standard_normal((n_draws, n_states))
        state = _apply(transition, state) + scale[:, None] * _apply(noise_root, shocks)
        error = observation_scale * generator.standard_normal(n_draws)
        paths[:, step] = (design * state).sum(axis=1) + error
    return paths + posterior.shift


def _apply(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    product: np.ndarray = (matrices * vectors[:, None, :]).sum(axis=2)
    return product
