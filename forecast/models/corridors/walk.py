"""Random-walk Metropolis steps of several chains at once, whose proposals learn in warm-up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

#: Proposals take on the shape of the points visited so far after so many steps.
LEARN_AFTER = (50, 100, 200, 400, 800)


class Walk:
    """Random-walk Metropolis steps of all chains, whose proposals learn during warm-up."""

    def __init__(self, size: int, chains: int, generator: np.random.Generator) -> None:
        self.generator = generator
        self.factor = 0.1 * np.eye(size)
        self.scale = np.full(chains, 2.4 / np.sqrt(size))
        self.visited: list[np.ndarray] = []
        self.learning = True

    def step(
        self, at: np.ndarray, density: Callable[[np.ndarray], np.ndarray], times: int = 1
    ) -> np.ndarray:
        """Return the point some steps on, shape (n_chains, size).

        The log density of points has shape (n_chains,).
        """
        now = density(at)
        for _ in range(times):
            normal = self.generator.standard_normal(at.shape)
            proposed = at + self.scale[:, None] * normal @ self.factor.T
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                new = np.nan_to_num(density(proposed), nan=-np.inf, posinf=-np.inf)
            moved = np.log(self.generator.uniform(size=len(at))) < new - now
            if self.learning:
                self._learn(at, moved)
            at, now = np.where(moved[:, None], proposed, at), np.where(moved, new, now)
        return at

    def _learn(self, at: np.ndarray, moved: np.ndarray) -> None:
        """Adapt the size of proposals to how many are taken, and their shape to the points."""
        self.visited.append(at)
        n = len(self.visited)
        self.scale *= np.exp((moved - 0.3) / np.sqrt(n))
        if n in LEARN_AFTER:
            spread = np.concatenate(self.visited[n // 2 :])
            spread = spread - spread.mean(axis=0)
            covariance = spread.T @ spread / len(spread)
            self.factor = np.linalg.cholesky(covariance + 1e-6 * np.eye(at.shape[1]))
            self.scale[:] = 2.4 / np.sqrt(at.shape[1])
