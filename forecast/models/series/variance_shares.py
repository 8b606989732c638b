"""How much of a time-series model's variance comes from what it does not know of itself."""

from __future__ import annotations

import numpy as np

from forecast.models.series.statespace import Posterior


def parameter_share(posterior: Posterior, n_ahead: int) -> np.ndarray:
    """Split the predictive variance of a state-space model into known unknowns and shocks.

    By the law of total variance, on the model's scale: the spread of the expected path
    over parameter nodes and over the uncertain present state, against the shocks still
    to come.

    Parameters
    ----------
    posterior : Posterior
    n_ahead : int

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
