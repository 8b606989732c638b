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

import numpy as np
from scipy.special import gammaln

from forecast.models.gross_flows.paths import DEGREES, Paths, half_normal, normal

_LOG_SHOCK = np.linspace(np.log(0.02), np.log(2.0), 70)
_MEAN = np.linspace(np.log(0.03), 0.0, 60)
_SPREAD = np.linspace(0.05, 1.5, 40)
_DAMPING = np.linspace(0.2, 0.98, 40)
_LOG_GROWTH = np.linspace(np.log(0.005), np.log(0.6), 60)
_SHARED = np.linspace(0.0, 0.9, 19)
_CORRELATION = np.linspace(-0.9, 0.9, 37)


class State(Paths):
    """All chains' present values and the steps that renew them."""

    def step(self) -> None:
        """Renew everything once."""
        self._prepare()
        self._paths()
        self._slopes()
        self._growth()
        self._shocks()
        self._common_and_tails()
        self._correlation()

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
        weight, between = self.weight, self.between
        for k in range(2):
            j = 1 - k
            shape = self.slope[..., k] / self.growth[:, k][:, None, None]
            rest = self.change - self.factor
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
        weight, inverse = self.weight, self.inverse
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
        inverse = self.inverse
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
        half = DEGREES / 2
        shape, rate = self.priors["degrees"]
        weights = n_moves * (half * np.log(half) - gammaln(half)) - (half + 1) * logs
        weights = weights - half * inverse + (shape - 1) * np.log(DEGREES) - rate * DEGREES
        # The grid is coarser where it matters less; each point stands for its cell.
        weights = weights + np.log(np.gradient(DEGREES))
        self.degrees = DEGREES[choose(weights, self.generator)]

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


def choose(log_weights: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw positions along the last axis in proportion to exp(log_weights).

    Parameters
    ----------
    log_weights : ndarray, shape (..., n)
        Up to a constant.
    generator : numpy.random.Generator
        Source of the randomness.

    Returns
    -------
    ndarray of int, shape (...)
    """
    weights = np.exp(log_weights - log_weights.max(axis=-1, keepdims=True))
    cumulated = weights.cumsum(axis=-1)
    target = generator.random((*cumulated.shape[:-1], 1)) * cumulated[..., -1:]
    return np.asarray(np.minimum((cumulated < target).sum(axis=-1), cumulated.shape[-1] - 1))
