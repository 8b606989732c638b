"""What corridors have in common: shocks by year, origin and destination, and expected levels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from forecast.models.corridors.data import PairFlows

#: Shocks that corridors share, by what they have in common.
SHARED = ("year", "origin", "destination")
#: So many shared shocks of a year are drawn at once; of more, by what is shared.
TOGETHER = 12
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
                new = density(proposed)
                new = np.where(np.isfinite(new), new, -np.inf)
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


class SharedEffects:
    """The part of a sampler's state that corridors share; see `gibbs.PairState`."""

    flows: PairFlows
    priors: Mapping[str, Any]
    generator: np.random.Generator
    walks: dict[str, Walk]
    persistence: np.ndarray
    log_size: np.ndarray
    size_effect: np.ndarray
    own: np.ndarray
    innovation: np.ndarray
    weight: np.ndarray
    calm: np.ndarray
    level: np.ndarray
    deviation: np.ndarray
    members: list[np.ndarray]
    shared: list[np.ndarray]
    shared_weight: list[np.ndarray]
    shared_scale: np.ndarray
    design: np.ndarray
    centre: np.ndarray
    coefficient: np.ndarray
    spread: np.ndarray

    def _steps(self) -> np.ndarray:
        """Return what each path moved beyond its persistence, in units of its size.

        The first year is meaningless.
        """
        before = np.concatenate([np.zeros_like(self.deviation[:1]), self.deviation[:-1]])
        larger = np.exp(self.size_effect[:, None] * self.log_size)
        return np.asarray((self.deviation - self.persistence[:, None] * before) * larger)

    @property
    def step_weight(self) -> np.ndarray:
        """Precision of each innovation relative to that of its corridor."""
        return np.asarray(self.weight * self.calm[..., None])

    @property
    def expected_level(self) -> np.ndarray:
        """Levels that gravity, origin and destination say, shape (n_chains, n_pairs)."""
        return np.asarray(self.coefficient @ self.design.T)

    # Shocks that corridors share.

    def _draw_shared(self, fixed: bool) -> None:
        nu, normal = float(self.priors["shared_degrees"]), self.generator.standard_normal
        steps = self._steps()[1:]
        weight = self.step_weight[1:] * self.own / self.innovation[:, None] ** 2
        together = sum(members.shape[1] for members in self.members) <= TOGETHER
        if together:
            self._draw_together(steps, weight)
        for at, members in enumerate(self.members):
            if not members.shape[1]:
                continue
            others = sum(
                self.shared[k][1:] @ self.members[k].T
                for k in range(len(SHARED)) if k != at
            )  # fmt: skip
            weighed = weight * (steps - others)
            precision, pull = weight @ members, weighed @ members
            scale = self.shared_scale[:, at, None]
            own = self.shared_weight[at][1:] / scale**2
            mean = pull / (precision + own)
            shock = mean + normal(mean.shape) / np.sqrt(precision + own)
            if together:
                shock = self.shared[at][1:]
            if not fixed:
                # In units of the scale, so that small scales mix as well (Yu and Meng 2011).
                unit = shock / scale
                total = (precision * unit**2).sum(axis=(0, 2)) + self.priors["shared"][at] ** -2
                centre = (pull * unit).sum(axis=(0, 2)) / total
                self.shared_scale[:, at] = _above_zero(centre, 1.0 / np.sqrt(total), self.generator)
                shock = unit * self.shared_scale[:, at, None]
            self.shared[at][1:] = shock
        if not fixed:
            self._draw_shared_scales(nu)
        for at, shock in enumerate(self.shared):
            squares = (shock[1:] / self.shared_scale[:, at, None]) ** 2
            drawn = self.generator.standard_gamma((nu + 1) / 2, size=squares.shape)
            self.shared_weight[at][1:] = 2.0 * drawn / (nu + squares)

    def _draw_together(self, steps: np.ndarray, weight: np.ndarray) -> None:
        """Draw all shared shocks of each year at once, where they are few and look alike."""
        members = np.hstack(self.members)
        own = [
            shared[1:] / self.shared_scale[:, at, None] ** 2
            for at, shared in enumerate(self.shared_weight)
        ]
        matrix = np.swapaxes(weight[..., None] * members, -1, -2) @ members
        index = np.arange(members.shape[1])
        matrix[..., index, index] += np.concatenate(own, axis=2)
        factor = np.linalg.cholesky(matrix)
        half = np.linalg.solve(factor, ((weight * steps) @ members)[..., None])
        half += self.generator.standard_normal(half.shape)
        drawn = np.linalg.solve(np.swapaxes(factor, -1, -2), half)[..., 0]
        ends = np.cumsum([one.shape[1] for one in self.members])[:-1]
        for at, part in enumerate(np.split(drawn, ends, axis=2)):
            self.shared[at][1:] = part

    def _draw_shared_scales(self, nu: float) -> None:
        scale = np.asarray(self.priors["shared"])
        squares = [shock[1:] ** 2 for shock in self.shared]

        def density(at: np.ndarray) -> np.ndarray:
            total = np.where((at > 0).all(axis=1), 0.0, -np.inf)
            total -= 0.5 * ((at / scale) ** 2).sum(axis=1)
            for k, one in enumerate(squares):
                n = one.shape[0] * one.shape[2]
                tails = np.log1p(one / (nu * at[:, k, None] ** 2)).sum(axis=(0, 2))
                total = total - n * np.log(np.abs(at[:, k])) - (nu + 1) / 2 * tails
            return np.asarray(total)

        self.shared_scale = self.walks["shared"].step(self.shared_scale, density, 3)

    # Levels: gravity, origins, destinations.

    def _normal_equations(
        self, spread: np.ndarray, certain: np.ndarray, said: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return weights of corridors, prior precisions, Cholesky factor, right side."""
        own = self.flows.coefficient_precision(self.priors, spread)
        weight = 1.0 / (1.0 / certain + spread[:, :1] ** 2)
        matrix = (self.design.T * weight[:, None]) @ self.design
        index = np.arange(matrix.shape[1])
        matrix[:, index, index] += own
        right = (weight * said) @ self.design + own * self.centre
        return weight, own, np.linalg.cholesky(matrix), right

    def _draw_levels(self, certain: np.ndarray, pull: np.ndarray, fixed: bool) -> None:
        """Draw spreads and what levels are expected from, levels themselves integrated out.

        Parameters
        ----------
        certain, pull : ndarray, shape (n_chains, n_pairs)
            Precision and precision-weighted mean of what figures say of each level.
        """
        scales, said = np.asarray(self.priors["spread"]), pull / certain

        def density(at: np.ndarray) -> np.ndarray:
            spread = np.maximum(at, 1e-4)
            weight, own, factor, right = self._normal_equations(spread, certain, said)
            half = np.linalg.solve(factor, right[..., None])[..., 0]
            diagonal = np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
            fit = (weight * said**2).sum(axis=1) + (own * self.centre**2).sum(axis=1)
            total = 0.5 * (np.log(weight).sum(axis=1) + np.log(own).sum(axis=1)) - diagonal
            total -= 0.5 * (fit - (half**2).sum(axis=1))
            total -= 0.5 * ((spread / scales) ** 2).sum(axis=1)
            return np.where((at > 0).all(axis=1), total, -np.inf)

        if not fixed:
            self.spread = self.walks["levels"].step(self.spread, density, 2)
        _, _, factor, right = self._normal_equations(self.spread, certain, said)
        half = np.linalg.solve(factor, right[..., None])
        half += self.generator.standard_normal(half.shape)
        self.coefficient = np.linalg.solve(np.swapaxes(factor, 1, 2), half)[..., 0]


def _above_zero(
    centre: np.ndarray, deviation: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Draw from normal distributions cut off at zero."""
    from scipy.special import log_ndtr, ndtri_exp

    most = log_ndtr(centre / deviation)
    drawn = np.log(generator.uniform(size=centre.shape)) + most
    return np.asarray(np.maximum(centre - deviation * ndtri_exp(drawn), 1e-12))
