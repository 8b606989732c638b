"""Posterior of a state-space model given a series, and draws of its future."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecast.models.series.representation import Nodes


@dataclass(frozen=True)
class SeriesPosterior:
    """What a series says about the nodes.

    Attributes
    ----------
    weights : ndarray, shape (k, d)
        SeriesPosterior probability of each node and discount.
    discounts : ndarray, shape (d,)
    evidence : ndarray, shape (k, d)
        Log predictive likelihood: the sum over years of the log density of each
        observation given those before it, up to a constant.
    log_likelihood : ndarray, shape (k,)
        Diffuse log likelihood at each node, with a constant variance at its maximum.
    state : ndarray, shape (k, m)
        Filtered state after the last year, in units of the series.
    state_root : ndarray, shape (k, m, m)
        A square root of the filtered state covariance, relative to the variance.
    sum_squares : ndarray, shape (k, d)
        Discounted sum of squared standardised innovations, plus the floor.
    degrees : ndarray, shape (d,)
        Degrees of freedom of the present variance.
    shift : float
        Subtracted from the series before filtering.
    fitted : ndarray, shape (n_years,)
        One-step predictions averaged over nodes, NaN where the state was diffuse.
    """

    nodes: Nodes
    weights: np.ndarray
    discounts: np.ndarray
    evidence: np.ndarray
    log_likelihood: np.ndarray
    state: np.ndarray
    state_root: np.ndarray
    sum_squares: np.ndarray
    degrees: np.ndarray
    shift: float
    fitted: np.ndarray

    def mean(self, parameter: str) -> float:
        """Return the posterior mean of a named parameter, or of ``"discount"``."""
        if parameter == "discount":
            return float(self.weights.sum(axis=0) @ self.discounts)
        return float(self.weights.sum(axis=1) @ self.nodes.parameters[parameter])

    @property
    def spread(self) -> float:
        """SeriesPosterior mean standard deviation of the present innovations."""
        return float((self.weights * np.sqrt(self.sum_squares / self.degrees)).sum())


def root(covariance: np.ndarray) -> np.ndarray:
    """Return R with R R' = covariance for positive semi-definite stacks (..., m, m)."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.clip(values, 0.0, None))[..., None, :]


def simulate(
    posterior: SeriesPosterior, n_ahead: int, n_draws: int, generator: np.random.Generator
) -> np.ndarray:
    """Draw futures of the series.

    Parameters
    ----------
    n_ahead : int
        Years after the last one.

    Returns
    -------
    ndarray, shape (n_draws, n_ahead)
        In the unit of the series.
    """
    nodes = posterior.nodes
    chosen, scale, state = start(posterior, n_draws, generator)
    n_states = state.shape[1]
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


def start(
    posterior: SeriesPosterior, n_draws: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw where the futures begin.

    Parameters
    ----------
    posterior : SeriesPosterior
        What the series says.
    n_draws : int
        Simulated futures.
    generator : numpy.random.Generator
        Source of the randomness.

    Returns
    -------
    chosen : ndarray of int, shape (n_draws,)
        Node of each draw.
    scale : ndarray, shape (n_draws,)
        Standard deviation of its innovations, relative variances being one.
    state : ndarray, shape (n_draws, m)
        State after the last year.
    """
    cumulated = np.cumsum(posterior.weights.ravel())
    # Stratified choice of nodes: each is drawn in proportion, with little Monte Carlo noise.
    positions = (np.arange(n_draws) + generator.uniform(size=n_draws)) / n_draws
    chosen = np.searchsorted(cumulated / cumulated[-1], generator.permutation(positions))
    chosen, discount = np.divmod(np.minimum(chosen, len(cumulated) - 1), len(posterior.discounts))
    chi_square = generator.chisquare(posterior.degrees[discount])
    scale = np.sqrt(posterior.sum_squares[chosen, discount] / chi_square)
    normal = generator.standard_normal((n_draws, posterior.state.shape[1]))
    state = posterior.state[chosen] + scale[:, None] * _apply(posterior.state_root[chosen], normal)
    return chosen, scale, state


def _apply(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    product: np.ndarray = (matrices * vectors[:, None, :]).sum(axis=2)
    return product


def parameter_share(posterior: SeriesPosterior, n_ahead: int) -> np.ndarray:
    """Split the predictive variance of a state-space model into known unknowns and shocks.

    By the law of total variance, on the model's scale: the spread of the expected path
    over parameter nodes and over the uncertain present state, against the shocks still
    to come.

    Parameters
    ----------
    posterior : SeriesPosterior
        What the series says.
    n_ahead : int
        Steps after its last year.

    Returns
    -------
    ndarray, shape (n_ahead,)
        Share of parameters and state, between 0 and 1.
    """
    nodes = posterior.nodes
    weights = posterior.weights.sum(axis=1)
    # Expected variance at each node; below three degrees of freedom it is infinite, and
    # the shares are those of the scale at three.
    degrees = np.maximum(posterior.degrees, 3.0)
    scale = (posterior.weights * posterior.sum_squares / (degrees - 2.0)).sum(axis=1)
    scale /= np.maximum(weights, np.finfo(float).tiny)
    state = posterior.state
    spread = posterior.state_root @ np.swapaxes(posterior.state_root, 1, 2)
    shocks = np.zeros_like(spread)
    moved = np.swapaxes(nodes.transition, 1, 2)
    shares = np.empty(n_ahead)
    for step in range(n_ahead):
        state = (nodes.transition * state[:, None, :]).sum(axis=2)
        spread = nodes.transition @ spread @ moved
        shocks = nodes.transition @ shocks @ moved + nodes.state_noise
        centre = (nodes.design * state).sum(axis=1)
        between = weights @ (centre - weights @ centre) ** 2
        known = np.einsum("ki,kij,kj->k", nodes.design, spread, nodes.design)
        noise = np.einsum("ki,kij,kj->k", nodes.design, shocks, nodes.design)
        noise = noise + nodes.observation_noise
        unknown = between + weights @ (scale * known)
        total = unknown + weights @ (scale * noise)
        shares[step] = unknown / total if total > 0 else 0.0
    return shares
