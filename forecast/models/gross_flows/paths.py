"""Levels and growth of the gross flows: drawn as whole vectors from their Gaussian conditional."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from forecast.models.gross_flows.data import Gross

#: Degrees of freedom of a place's own shocks that are weighed.
DEGREES = np.array([3.0, 4, 5, 6, 8, 10, 15, 20, 30, 50])
#: Smallest and largest standard deviation of the noise.
_NOISE = (0.002, 0.5)


class Paths:
    """Present values of all chains, and draws of their paths; arrays start with the chain."""

    def __init__(
        self, gross: Gross, priors: Mapping[str, Any], chains: int, generator: np.random.Generator
    ) -> None:
        self.priors, self.generator, self.chains = priors, generator, chains
        n_stretches, n_years, _ = gross.values.shape
        years = np.arange(n_years)
        inside = (years >= gross.start[:, None]) & (years <= gross.end[:, None])
        self.moves = inside & (years > gross.start[:, None])
        self.linked = self.moves[:, 1:] & self.moves[:, :-1]
        self.outside = ~inside
        self.observed = ~np.isnan(gross.values) & inside[:, :, None]
        self.values = np.where(self.observed, gross.values, 0.0)
        self.error = gross.error
        counted = np.maximum(self.observed.sum(axis=1), 1)
        self.centre = self.values.sum(axis=1) / counted
        identity, before = np.eye(n_years), np.eye(n_years, k=-1)
        self.difference = self.moves[:, :, None] * (identity - before)
        self.place = gross.place
        self.n_places = len(gross.places)
        self.belongs = (gross.place == np.arange(self.n_places)[:, None]).astype(float)
        shape = (chains, n_stretches, n_years)
        draw = generator
        self.shock = np.exp(draw.normal(-1.6, 0.3, (chains, self.n_places, 2)))
        self.mean = np.full((chains, 2), -1.6)
        self.spread = draw.uniform(0.2, 0.5, chains)
        self.growth = draw.uniform(0.03, 0.15, (chains, 2))
        self.damping = draw.uniform(0.5, 0.9, (chains, 2))
        self.noise = draw.uniform(0.01, 0.1, (chains, 2))
        self.degrees = draw.choice(DEGREES, chains)
        several = self.n_places > 1
        self.shared = draw.uniform(0.1, 0.5, chains) if several else np.zeros(chains)
        self.correlation = draw.uniform(-0.4, 0.4, chains)
        self.mixing = np.ones(shape)
        self.common = np.zeros((chains, n_years, 2))
        self.slope = np.zeros((*shape, 2))
        self.level = np.zeros((*shape, 2))

    @property
    def _weight(self) -> np.ndarray:
        """Precision of the standardised own shock, zero where nothing moves."""
        own = (1.0 - self.shared**2)[:, None, None]
        return np.where(self.moves, 1.0 / (own * self.mixing), 0.0)

    @property
    def _inverse(self) -> np.ndarray:
        """Inverse of the correlation between directions, shape (chains, 2, 2)."""
        diagonal = 1.0 / (1.0 - self.correlation**2)
        off = -self.correlation * diagonal
        return np.stack([np.stack([diagonal, off], -1), np.stack([off, diagonal], -1)], -2)

    @property
    def _factor(self) -> np.ndarray:
        """What the common shock does to each level, shape (chains, stretches, years, 2)."""
        shared = (self.shared[:, None, None] * self.common)[:, None]
        return np.asarray(self.shock[:, self.place][:, :, None] * shared)

    def _precision(self) -> np.ndarray:
        size = self.shock[:, self.place]
        return np.asarray(self._inverse[:, None] / (size[..., :, None] * size[..., None, :]))

    def _observation(self, noise: np.ndarray) -> np.ndarray:
        variance = noise[:, None, None, :] ** 2 + self.error
        return np.where(self.observed, 1.0 / variance, 0.0)

    def _paths(self) -> None:
        """Draw the noise with the levels integrated out, then the levels."""
        weight, between = self._weight, self._precision()
        turned = np.swapaxes(self.difference, 1, 2)
        kernel = turned @ (weight[..., None] * self.difference)
        pull = turned @ (weight[..., None] * (self.slope + self._factor) * self.moves[..., None])
        pull = np.einsum("cskj,cstj->cstk", between, pull)
        n_years = kernel.shape[-1]
        base = np.einsum("cstu,cskj->cstkuj", kernel, between)
        anchor = np.where(self.outside, 1.0, 1e-4)
        pull = pull + anchor[..., None] * self.centre[:, None]
        proposed = self.noise * np.exp(0.8 * self.generator.standard_normal(self.noise.shape))
        now, then = (self._given(noise, base, pull, anchor) for noise in (self.noise, proposed))
        allowed = (proposed > _NOISE[0]).all(axis=1) & (proposed < _NOISE[1]).all(axis=1)
        ratio = then[0] - now[0] + np.log(proposed / self.noise).sum(axis=1)
        accepted = allowed & (np.log(self.generator.random(self.chains)) < ratio)
        self.noise = np.where(accepted[:, None], proposed, self.noise)
        root = np.where(accepted[:, None, None, None], then[1], now[1])
        half = np.where(accepted[:, None, None], then[2], now[2])
        half = half + self.generator.standard_normal(half.shape)
        path = solve(root, half[..., None], transposed=True)[..., 0]
        self.level = path.reshape((self.chains, len(self.place), n_years, 2))
        self.change = np.zeros_like(self.level)
        self.change[:, :, 1:] = np.diff(self.level, axis=2)
        self.change *= self.moves[..., None]

    def _given(
        self, noise: np.ndarray, base: np.ndarray, pull: np.ndarray, anchor: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return log density of a noise, root of the paths' precision, and L⁻¹ of the pull."""
        shape = base.shape
        observation = self._observation(noise)
        precision = base.copy()
        year = np.arange(shape[2])
        for direction in range(2):
            precision[:, :, year, direction, year, direction] += (
                observation[..., direction] + anchor
            )
        size = shape[2] * 2
        root = np.linalg.cholesky(precision.reshape((*shape[:2], size, size)))
        right = (pull + observation * self.values).reshape((*shape[:2], size, 1))
        half = solve(root, right)[..., 0]
        diagonal = np.diagonal(root, axis1=-2, axis2=-1)
        density = 0.5 * (half**2).sum(axis=(1, 2)) - np.log(diagonal).sum(axis=(1, 2))
        density = density - 0.5 * (observation * self.values**2).sum(axis=(1, 2, 3))
        logs = np.log(np.where(self.observed, observation, 1.0)).sum(axis=(1, 2, 3))
        prior = half_normal(noise, self.priors["noise"]).sum(axis=1)
        return density + 0.5 * logs + prior, root, half

    def _slopes(self) -> None:
        """Draw the growth of every year."""
        weight, between = self._weight, self._precision()
        pull = np.einsum(
            "cskj,cstj->cstk", between, weight[..., None] * (self.change - self._factor)
        )
        n_years = weight.shape[-1]
        year = np.arange(n_years)
        precision = np.zeros((*weight.shape, 2, n_years, 2))
        padded = np.zeros((self.linked.shape[0], n_years + 1), dtype=bool)
        padded[:, 1:-1] = self.linked
        before, after = padded[:, :-1], padded[:, 1:]
        for k in range(2):
            for j in range(2):
                precision[:, :, year, k, year, j] += weight * between[:, :, k, j][:, :, None]
            share = self.damping[:, k][:, None, None]
            single = (1.0 / self.growth[:, k] ** 2)[:, None, None]
            scaled = single / (1.0 - share**2)
            inner = np.where(before | after, scaled, single)
            inner = np.where(before & after, (1.0 + share**2) * scaled, inner)
            precision[:, :, year, k, year, k] += inner
            off = -share * scaled * self.linked
            precision[:, :, year[1:], k, year[:-1], k] += off
            precision[:, :, year[:-1], k, year[1:], k] += off
        size = n_years * 2
        root = np.linalg.cholesky(precision.reshape((*weight.shape[:2], size, size)))
        right = pull.reshape((*weight.shape[:2], size, 1))
        noise = self.generator.standard_normal(right.shape)
        half = solve(root, right) + noise
        path = solve(root, half, transposed=True)[..., 0]
        self.slope = path.reshape(self.change.shape) * self.moves[..., None]


def solve(root: np.ndarray, right: np.ndarray, transposed: bool = False) -> np.ndarray:
    """Solve with stacks of lower triangular matrices, or their transposes."""
    # scipy's solve_triangular takes stacks too, but half of its time goes into checks.
    from scipy.linalg.lapack import dtrtrs

    made = np.empty_like(right)
    for place in np.ndindex(right.shape[:-2]):
        # Rows first, as they lie here, are an upper triangle to LAPACK, which reads columns first.
        made[place] = dtrtrs(root[place].T, right[place], lower=0, trans=int(not transposed))[0]
    return made


def normal(grid: np.ndarray, prior: Sequence[float]) -> np.ndarray:
    """Return the log density of a normal prior (mean, standard deviation), up to a constant."""
    mean, deviation = prior
    return np.asarray(-0.5 * ((grid - mean) / deviation) ** 2)


def half_normal(grid: np.ndarray, scale: float) -> np.ndarray:
    """Return the log density of a half-normal prior, up to a constant."""
    return np.asarray(-0.5 * (grid / scale) ** 2)
