"""What the Gibbs sampler does again and again: grids, priors, triangular systems."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def choose(log_weights: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw positions along the last axis in proportion to exp(log_weights)."""
    weights = np.exp(log_weights - log_weights.max(axis=-1, keepdims=True))
    cumulated = weights.cumsum(axis=-1)
    target = generator.random((*cumulated.shape[:-1], 1)) * cumulated[..., -1:]
    return np.asarray(np.minimum((cumulated < target).sum(axis=-1), cumulated.shape[-1] - 1))


def solve(root: np.ndarray, right: np.ndarray, transposed: bool = False) -> np.ndarray:
    """Solve with stacks of lower triangular matrices, or their transposes."""
    from scipy.linalg import solve_triangular

    matrix = np.swapaxes(root, -1, -2) if transposed else root
    return np.asarray(solve_triangular(matrix, right, lower=not transposed, check_finite=False))


def normal(grid: np.ndarray, prior: Sequence[float]) -> np.ndarray:
    """Return the log density of a normal prior (mean, standard deviation), up to a constant."""
    mean, deviation = prior
    return np.asarray(-0.5 * ((grid - mean) / deviation) ** 2)


def half_normal(grid: np.ndarray, scale: float) -> np.ndarray:
    """Return the log density of a half-normal prior, up to a constant."""
    return np.asarray(-0.5 * (grid / scale) ** 2)
