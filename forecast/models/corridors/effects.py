"""What corridors have in common: shocks by year, origin and destination, and expected levels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from forecast.models.corridors.data import PairFlows
from forecast.models.corridors.walk import Walk

#: Shocks that corridors share, by what they have in common.
SHARED = ("year", "origin", "destination")


class SharedEffects:
    """The part of a sampler's state that corridors share; see `gibbs.State`."""

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
    level: np.ndarray
    deviation: np.ndarray
    members: list[np.ndarray]
    shared: list[np.ndarray]
    shared_weight: list[np.ndarray]
    shared_scale: np.ndarray
    design: np.ndarray
    centre: np.ndarray
    squares: np.ndarray
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
    def expected_level(self) -> np.ndarray:
        """Levels that gravity, origin and destination say, shape (n_chains, n_pairs)."""
        return np.asarray(self.coefficient @ self.design.T)

    # Shocks that corridors share.

    def _draw_shared(self, fixed: bool) -> None:
        nu, normal = float(self.priors["shared_degrees"]), self.generator.standard_normal
        steps = self._steps()[1:]
        weight = self.weight[1:] * self.own / self.innovation[:, None] ** 2
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

    def _normal_equations(self, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return precision matrix, its Cholesky factor and right side of the coefficients."""
        own = self.flows.coefficient_precision(self.priors, spread)
        tau = spread[:, 0] ** 2
        matrix = self.squares / tau[:, None, None]
        index = np.arange(matrix.shape[1])
        matrix[:, index, index] += own
        right = self.level @ self.design / tau[:, None] + own * self.centre
        return own, np.linalg.cholesky(matrix), right

    def _draw_levels(self, fixed: bool) -> None:
        squared = (self.level**2).sum(axis=1)
        scales = np.asarray(self.priors["spread"])

        def density(at: np.ndarray) -> np.ndarray:
            inside = (at > 0).all(axis=1)
            spread = np.maximum(at, 1e-4)
            own, factor, right = self._normal_equations(spread)
            half = np.linalg.solve(factor, right[..., None])[..., 0]
            diagonal = np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
            fit = squared / spread[:, 0] ** 2 + (own * self.centre**2).sum(axis=1)
            total = -self.flows.n_pairs * np.log(spread[:, 0]) + 0.5 * np.log(own).sum(axis=1)
            total -= diagonal + 0.5 * (fit - (half**2).sum(axis=1))
            total -= 0.5 * ((spread / scales) ** 2).sum(axis=1)
            return np.where(inside, total, -np.inf)

        if not fixed:
            self.spread = self.walks["levels"].step(self.spread, density, 3)
        _, factor, right = self._normal_equations(self.spread)
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
