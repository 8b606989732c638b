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

    def _prepare(self) -> None:
        """Set what paths, growth and shocks are weighed with.

        Precision of the standardised own shock, zero where nothing moves; inverse of the
        correlation between directions, shape (chains, 2, 2); the same in units of each place's
        shocks; what the common shock does to each level, shape (chains, stretches, years, 2).
        """
        own = (1.0 - self.shared**2)[:, None, None]
        self.weight = np.where(self.moves, 1.0 / (own * self.mixing), 0.0)
        diagonal = 1.0 / (1.0 - self.correlation**2)
        off = -self.correlation * diagonal
        self.inverse = np.stack([diagonal, off, off, diagonal], -1).reshape(-1, 2, 2)
        size = self.shock[:, self.place]
        self.between = self.inverse[:, None] / (size[..., :, None] * size[..., None, :])
        shared = (self.shared[:, None, None] * self.common)[:, None]
        self.factor = size[:, :, None] * shared

    def _observation(self, noise: np.ndarray) -> np.ndarray:
        variance = noise[:, None, None, :] ** 2 + self.error
        return np.where(self.observed, 1.0 / variance, 0.0)

    def _paths(self) -> None:
        """Draw the noise with the levels integrated out, then the levels."""
        weight, between = self.weight, self.between
        pull = weight[..., None] * (self.slope + self.factor)
        pull = np.einsum("cskj,cstj->cstk", between, _less_next(pull))
        steps = np.zeros_like(weight)
        steps[..., :-1] = weight[..., 1:]
        same = between[:, :, None, [0, 1], [0, 1]]
        cross = between[:, :, None, 0, 1]
        around = weight + steps
        base = banded(
            around[..., None] * same, around * cross, -steps[..., None] * same, -steps * cross
        )
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
        self.level = solve(root, half, transposed=True).reshape(self.level.shape)
        self.change = np.zeros_like(self.level)
        self.change[:, :, 1:] = np.diff(self.level, axis=2)
        self.change *= self.moves[..., None]

    def _given(
        self, noise: np.ndarray, base: np.ndarray, pull: np.ndarray, anchor: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return log density of a noise, root of the paths' precision, and L⁻¹ of the pull."""
        observation = self._observation(noise)
        precision = base.copy()
        flat = (*base.shape[:2], -1)
        precision[..., 0] += (observation + anchor[..., None]).reshape(flat)
        root = cholesky(precision)
        half = solve(root, (pull + observation * self.values).reshape(flat))
        density = 0.5 * (half**2).sum(axis=(1, 2)) - np.log(root[..., 0]).sum(axis=(1, 2))
        density = density - 0.5 * (observation * self.values**2).sum(axis=(1, 2, 3))
        logs = np.log(np.where(self.observed, observation, 1.0)).sum(axis=(1, 2, 3))
        prior = half_normal(noise, self.priors["noise"]).sum(axis=1)
        return density + 0.5 * logs + prior, root, half

    def _slopes(self) -> None:
        """Draw the growth of every year."""
        weight, between = self.weight, self.between
        pull = np.einsum(
            "cskj,cstj->cstk", between, weight[..., None] * (self.change - self.factor)
        )
        padded = np.pad(self.linked, ((0, 0), (1, 1)))
        before, after = padded[:, :-1, None], padded[:, 1:, None]
        share = self.damping[:, None, None]
        single = (1.0 / self.growth**2)[:, None, None]
        scaled = single / (1.0 - share**2)
        inner = np.where(before | after, scaled, single)
        inner = np.where(before & after, (1.0 + share**2) * scaled, inner)
        root = cholesky(
            banded(
                weight[..., None] * between[:, :, None, [0, 1], [0, 1]] + inner,
                weight * between[:, :, None, 0, 1],
                -share * scaled * after,
                np.zeros_like(weight),
            )
        )
        right = pull.reshape((*weight.shape[:2], -1))
        half = solve(root, right) + self.generator.standard_normal(right.shape)
        path = solve(root, half, transposed=True)
        self.slope = path.reshape(self.change.shape) * self.moves[..., None]


def _less_next(values: np.ndarray) -> np.ndarray:
    """Return each year's values less those of the year after, shape (chains, places, years, 2)."""
    made = values.copy()
    made[:, :, :-1] -= values[:, :, 1:]
    return made


def banded(
    same: np.ndarray, cross: np.ndarray, next_same: np.ndarray, next_cross: np.ndarray
) -> np.ndarray:
    """Return symmetric matrices that link the two directions of a year and of the next.

    Parameters
    ----------
    same, next_same : ndarray, shape (..., years, 2)
        Of a direction with itself, in the same year and in the next; the last ``next_same``
        is not used.
    cross, next_cross : ndarray, shape (..., years)
        Of one direction with the other.

    Returns
    -------
    ndarray, shape (..., 2 * years, 4)
        Column by column, the diagonal and what stands below it: only as much as is not zero.
    """
    made = np.zeros((*same.shape, 4))
    made[..., 0] = same
    made[..., 0, 1] = cross
    made[..., 1, 1] = made[..., 0, 3] = next_cross
    made[..., 2] = next_same
    made[..., -1, :, 2] = made[..., -1, 0, 3] = made[..., -1, 1, 1] = 0.0
    return made.reshape((*same.shape[:-2], -1, 4))


def cholesky(matrices: np.ndarray) -> np.ndarray:
    """Return the lower triangular roots of `banded` matrices, in the same form."""
    from scipy.linalg.lapack import dpbtrf

    made = np.empty_like(matrices)
    for place in np.ndindex(matrices.shape[:-2]):
        root, failed = dpbtrf(matrices[place].T, lower=1)
        if failed:
            raise np.linalg.LinAlgError("A precision of the gross flows is not positive definite.")
        made[place] = root.T
    return made


def solve(root: np.ndarray, right: np.ndarray, transposed: bool = False) -> np.ndarray:
    """Solve with the roots that `cholesky` returns, or their transposes.

    Parameters
    ----------
    root : ndarray
        Banded Cholesky roots, as `cholesky` returns them.
    right : ndarray
        Right-hand sides, one for each root.
    transposed : bool
        Whether to solve with the transposes.
    """
    from scipy.linalg.lapack import dtbtrs

    made = np.empty_like(right)
    for place in np.ndindex(right.shape[:-1]):
        made[place] = dtbtrs(root[place].T, right[place], uplo="L", trans="NT"[transposed])[0]
    return made


def normal(grid: np.ndarray, prior: Sequence[float]) -> np.ndarray:
    """Return the log density of a normal prior (mean, standard deviation), up to a constant.

    Parameters
    ----------
    grid : ndarray
        Values at which the density is wanted, of any shape.
    prior : (float, float)
        Mean and standard deviation, in the unit of the grid.

    Returns
    -------
    ndarray, shape of `grid`
    """
    mean, deviation = prior
    return np.asarray(-0.5 * ((grid - mean) / deviation) ** 2)


def half_normal(grid: np.ndarray, scale: float) -> np.ndarray:
    """Return the log density of a half-normal prior, up to a constant.

    Parameters
    ----------
    grid : ndarray
        Values at which the density is wanted, of any shape, none negative.
    scale : float
        Standard deviation of the normal law that is folded at zero.

    Returns
    -------
    ndarray, shape of `grid`
    """
    return np.asarray(-0.5 * (grid / scale) ** 2)
