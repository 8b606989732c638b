"""Draws of the future from what a series says about a state-space model."""

from __future__ import annotations

import numpy as np

from forecast.models.series.statespace import Posterior, root


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
    posterior: Posterior, n_draws: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw where the futures begin.

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
