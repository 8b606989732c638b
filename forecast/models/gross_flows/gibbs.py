"""Gibbs sampler of the gross-flow model, all chains at once.

For place l, direction k (arrivals, departures) and year t

    y = θ + ε,                       ε ~ N(0, noise_k² + counting error)
    θ_t = θ_{t−1} + g_t + σ_lk η_t,  η_t = a f_t + √((1 − a²) λ_lt) e_lt
    g_t = δ_k g_{t−1} + ...,         stationary with standard deviation κ_k

with f and e bivariate normal of correlation ρ, f shared by all places, λ inverse gamma, so
that a place's own shocks are Student-t, and log σ_lk ~ N(m_k, τ²). A shock moves the level and
carries no momentum; growth does and fades. Paths are drawn as whole vectors from their
Gaussian conditional (Chan and Jeliazkov 2009, doi:10.1504/IJMMNO.2009.030090), the noise with
paths integrated out, all other parameters on grids (Ritter and Tanner 1992,
doi:10.1080/01621459.1992.10475289).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import gammaln

from forecast.models.gross_flows.data import Gross
from forecast.models.gross_flows.grids import choose, half_normal, normal, solve

_LOG_SHOCK = np.linspace(np.log(0.02), np.log(2.0), 70)
_MEAN = np.linspace(np.log(0.03), 0.0, 60)
_SPREAD = np.linspace(0.05, 1.5, 40)
_DAMPING = np.linspace(0.2, 0.98, 40)
_LOG_GROWTH = np.linspace(np.log(0.005), np.log(0.6), 60)
_DEGREES = np.array([3.0, 4, 5, 6, 8, 10, 15, 20, 30, 50])
_SHARED = np.linspace(0.0, 0.9, 19)
_CORRELATION = np.linspace(-0.9, 0.9, 37)
_NOISE = (0.002, 0.5)


class State:
    """All chains' present values and the steps that renew them; arrays start with the chain."""

    def __init__(
        self,
        gross: Gross,
        priors: Mapping[str, Any],
        chains: int,
        generator: np.random.Generator,
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
        self.degrees = draw.choice(_DEGREES, chains)
        several = self.n_places > 1
        self.shared = draw.uniform(0.1, 0.5, chains) if several else np.zeros(chains)
        self.correlation = draw.uniform(-0.4, 0.4, chains)
        self.mixing = np.ones(shape)
        self.common = np.zeros((chains, n_years, 2))
        self.slope = np.zeros((*shape, 2))
        self.level = np.zeros((*shape, 2))

    def step(self) -> None:
        """Renew everything once."""
        self._paths()
        self._slopes()
        self._growth()
        self._shocks()
        self._common_and_tails()
        self._correlation()

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

    def _growth(self) -> None:
        """Draw damping and size of the growth."""
        begins = self.moves.copy()
        begins[:, 1:] &= ~self.moves[:, :-1]
        n_linked, n_all = int(self.linked.sum()), int(self.moves.sum())
        for k in range(2):
            slope = self.slope[..., k]
            first = (slope**2 * begins).sum(axis=(1, 2))[:, None]
            later, earlier = slope[:, :, 1:] * self.linked, slope[:, :, :-1] * self.linked
            squares, products, lagged = (
                (one * other).sum(axis=(1, 2))[:, None]
                for one, other in ((later, later), (later, earlier), (earlier, earlier))
            )
            rest = squares - 2 * _DAMPING * products + _DAMPING**2 * lagged
            total = first + rest / (1.0 - _DAMPING**2)
            weights = -0.5 * n_linked * np.log(1.0 - _DAMPING**2)
            weights = weights - 0.5 * total / self.growth[:, k][:, None] ** 2
            chosen = choose(weights + normal(_DAMPING, self.priors["damping"]), self.generator)
            self.damping[:, k] = _DAMPING[chosen]
            sums = total[np.arange(self.chains), chosen][:, None]
            size = np.exp(_LOG_GROWTH)
            weights = (1 - n_all) * _LOG_GROWTH - 0.5 * sums / size**2
            weights = weights + half_normal(size, self.priors["growth"])
            self.growth[:, k] = size[choose(weights, self.generator)]
        self._growth_again()

    def _growth_again(self) -> None:
        """Draw the size of the growth once more, with the growth's shape held.

        Interweaving (Yu and Meng 2011, doi:10.1198/jcgs.2011.203main): chains move little
        while size and path hold each other.
        """
        size = np.exp(_LOG_GROWTH)
        weight, between = self._weight, self._precision()
        for k in range(2):
            j = 1 - k
            shape = self.slope[..., k] / self.growth[:, k][:, None, None]
            rest = self.change - self._factor
            other = rest[..., j] - self.slope[..., j]
            same, cross = (between[:, :, k, i][:, :, None] for i in (k, j))
            square = (weight * same * shape**2).sum(axis=(1, 2))[:, None]
            linear = weight * shape * (same * rest[..., k] + cross * other)
            linear = linear.sum(axis=(1, 2))[:, None]
            weights = _LOG_GROWTH + linear * size - 0.5 * square * size**2
            weights = weights + half_normal(size, self.priors["growth"])
            self.growth[:, k] = size[choose(weights, self.generator)]
            self.slope[..., k] = shape * self.growth[:, k][:, None, None]

    def _shocks(self) -> None:
        """Draw each place's size of shocks, their mean and their spread."""
        surprise = self.change - self.slope
        factor = (self.shared[:, None, None] * self.common)[:, None]
        weight, inverse = self._weight, self._inverse
        steps = self.belongs @ self.moves.sum(axis=1)
        one_over = np.exp(-_LOG_SHOCK)
        for k in range(2):
            j = 1 - k
            other = surprise[..., j] / self.shock[:, self.place, j][..., None] - factor[..., j]
            same, cross = (inverse[:, k, i][:, None, None] for i in (k, j))
            square = (weight * same * surprise[..., k] ** 2).sum(axis=2) @ self.belongs.T
            linear = weight * surprise[..., k] * (cross * other - same * factor[..., k])
            linear = linear.sum(axis=2) @ self.belongs.T
            weights = -steps[None, :, None] * _LOG_SHOCK - 0.5 * (
                square[..., None] * one_over**2 + 2 * linear[..., None] * one_over
            )
            gap = (_LOG_SHOCK - self.mean[:, k][:, None, None]) / self.spread[:, None, None]
            chosen = choose(weights - 0.5 * gap**2, self.generator)
            self.shock[:, :, k] = np.exp(_LOG_SHOCK[chosen])
        logs = np.log(self.shock)
        for k in range(2):
            gap = logs[:, :, k, None] - _MEAN
            weights = -0.5 * (gap**2).sum(axis=1) / self.spread[:, None] ** 2
            weights = weights + normal(_MEAN, self.priors["log_shock"])
            self.mean[:, k] = _MEAN[choose(weights, self.generator)]
        squares = ((logs - self.mean[:, None]) ** 2).sum(axis=(1, 2))[:, None]
        weights = -2 * self.n_places * np.log(_SPREAD) - 0.5 * squares / _SPREAD**2
        weights = weights + half_normal(_SPREAD, self.priors["shock_spread"])
        self.spread = _SPREAD[choose(weights, self.generator)]

    def _squares(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return the quadratic form of the directions' inverse correlation."""
        inverse = self._inverse
        same, cross = (inverse[:, 0, i][:, None, None] for i in (0, 1))
        return np.asarray(
            same * (first * second).sum(axis=-1)
            + cross * (first[..., 0] * second[..., 1] + first[..., 1] * second[..., 0])
        )

    def _common_and_tails(self) -> None:
        """Draw the common shocks, how much is shared, and the tails of own shocks."""
        scaled = (self.change - self.slope) / self.shock[:, self.place][:, :, None]
        per_mixing = np.where(self.moves, 1.0 / self.mixing, 0.0)
        n_moves = int(self.moves.sum())
        if self.n_places > 1:
            own = 1.0 - self.shared**2
            precision = 1.0 + per_mixing.sum(axis=1) * (self.shared**2 / own)[:, None]
            mean = (per_mixing[..., None] * scaled).sum(axis=1)
            mean = mean * (self.shared / own)[:, None, None] / precision[..., None]
            draw = self.generator.standard_normal(mean.shape)
            draw[..., 1] = (
                self.correlation[:, None] * draw[..., 0]
                + np.sqrt(1.0 - self.correlation**2)[:, None] * draw[..., 1]
            )
            self.common = mean + draw / np.sqrt(precision)[..., None]
            factor = np.broadcast_to(self.common[:, None], scaled.shape)
            zz, zf, ff = (
                (per_mixing * self._squares(one, other)).sum(axis=(1, 2))[:, None]
                for one, other in ((scaled, scaled), (scaled, factor), (factor, factor))
            )
            left = 1.0 - _SHARED**2
            form = (zz - 2 * _SHARED * zf + _SHARED**2 * ff) / left
            chosen = choose(-n_moves * np.log(left) - 0.5 * form, self.generator)
            self.shared = _SHARED[chosen]
        own = (1.0 - self.shared**2)[:, None, None]
        self.own = scaled - (self.shared[:, None, None] * self.common)[:, None]
        form = self._squares(self.own, self.own) / own
        degrees = self.degrees[:, None, None]
        gamma = self.generator.gamma(np.broadcast_to((degrees + 2) / 2, form.shape))
        self.mixing = np.where(self.moves, (degrees + form) / 2 / gamma, 1.0)
        logs = np.log(self.mixing).sum(axis=(1, 2))[:, None]
        inverse = np.where(self.moves, 1.0 / self.mixing, 0.0).sum(axis=(1, 2))[:, None]
        half = _DEGREES / 2
        shape, rate = self.priors["degrees"]
        weights = n_moves * (half * np.log(half) - gammaln(half)) - (half + 1) * logs
        weights = weights - half * inverse + (shape - 1) * np.log(_DEGREES) - rate * _DEGREES
        # The grid is coarser where it matters less; each point stands for its cell.
        weights = weights + np.log(np.gradient(_DEGREES))
        self.degrees = _DEGREES[choose(weights, self.generator)]

    def _correlation(self) -> None:
        """Draw the correlation between arrivals and departures."""
        own = (1.0 - self.shared**2)[:, None, None] * self.mixing
        pairs = self.own / np.sqrt(own)[..., None] * self.moves[..., None]
        first, second, product = (
            (pairs[..., i] * pairs[..., j]).sum(axis=(1, 2)) for i, j in ((0, 0), (1, 1), (0, 1))
        )
        count = int(self.moves.sum())
        if self.n_places > 1:
            first = first + (self.common[..., 0] ** 2).sum(axis=1)
            second = second + (self.common[..., 1] ** 2).sum(axis=1)
            product = product + (self.common[..., 0] * self.common[..., 1]).sum(axis=1)
            count += self.common.shape[1]
        left = 1.0 - _CORRELATION**2
        form = (first + second)[:, None] - 2 * _CORRELATION * product[:, None]
        weights = -0.5 * count * np.log(left) - 0.5 * form / left
        self.correlation = _CORRELATION[choose(weights, self.generator)]
