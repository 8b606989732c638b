"""One sweep of the Gibbs sampler of the corridors: the law of `graph.pymc_model`, in arrays.

Given the weights of heavy tails and the shocks that corridors share, the corridors are independent
of each other, and a scalar Kalman filter runs over all of them at once; the corridor's level and
its path are integrated out where persistence and sizes of innovations are drawn.
Arrays are (year, chain, corridor).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.special import gammaln

from forecast.models.corridors.data import PairFlows

#: Shocks that corridors share, by what they have in common.
SHARED = ("year", "origin", "destination")
#: Degrees of freedom, of innovations and of sizes, stay above this.
LEAST_DEGREES = 2.0
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


class State:
    """Where the chains are; every variable is named as in the PyMC model.

    Parameters
    ----------
    flows : PairFlows
    priors : mapping
        ``[priors]`` of ``models/corridors.toml``.
    chains : int
    generator : numpy.random.Generator
    """

    def __init__(
        self, flows: PairFlows, priors: Mapping[str, Any], chains: int,
        generator: np.random.Generator,
    ) -> None:  # fmt: skip
        self.flows, self.priors, self.generator = flows, priors, generator
        shape = (flows.n_years, chains, flows.n_pairs)
        self.seen = ~np.isnan(flows.counts)[:, None]
        log_count, self.counting = (part[:, None] for part in flows.log_counts())
        self.rate = log_count - flows.offset[:, None]

        def about(value: float, spread: float = 0.3) -> np.ndarray:
            return np.asarray(value * np.exp(spread * generator.standard_normal(chains)))

        self.persistence = generator.uniform(0.7, 0.95, chains)
        self.innovation, self.noise = about(0.2), about(0.1)
        self.degrees, self.evenness = about(6.0), about(6.0)
        self.volatility = np.ones(shape[1:])
        self.weight = np.ones(shape)
        self.level = np.nanmean(np.where(self.seen, self.rate, np.nan), axis=0)
        self.level = np.tile(self.level, (chains, 1))
        self.deviation = np.zeros(shape)
        self.members = [flows.members(what) for what in SHARED]
        self.shared = [np.zeros((*shape[:2], one.shape[1])) for one in self.members]
        self.shared_weight = [np.ones_like(one) for one in self.shared]
        self.shared_scale = np.exp(about(0.0)[:, None] * 0.3 + np.log(0.05)) * np.ones((1, 3))
        self.design, self.centre = flows.design(priors)
        self.squares = self.design.T @ self.design
        self.coefficient = np.tile(self.centre, (chains, 1))
        self.spread = np.exp(0.3 * generator.standard_normal((chains, 3)))
        self.walks = {
            "rates": Walk(3, chains, generator), "tails": Walk(2, chains, generator),
            "evenness": Walk(1, chains, generator), "levels": Walk(3, chains, generator),
            "shared": Walk(3, chains, generator),
        }  # fmt: skip

    def freeze(self) -> None:
        """End the warm-up: proposals no longer learn."""
        for walk in self.walks.values():
            walk.learning = False

    def sweep(self, fixed: bool = False) -> None:
        """Draw every variable once; with `fixed`, all but the hyperparameters."""
        common = self._common()
        if not fixed:
            self._draw_rates(common)
        self._draw_paths(common)
        innovations = self._steps()[1:] - self._common()[1:]
        if not fixed:
            self._draw_tails(innovations)
        self._draw_weights(innovations)
        if not fixed:
            self._draw_evenness()
        self._draw_shared(fixed)
        self._draw_levels(fixed)

    def _common(self) -> np.ndarray:
        """Return the shared shocks of every corridor."""
        return sum(  # type: ignore[return-value]
            shock @ members.T for shock, members in zip(self.shared, self.members)
        )

    def _steps(self) -> np.ndarray:
        """Return what each path moved beyond its persistence; the first year is meaningless."""
        before = np.concatenate([np.zeros_like(self.deviation[:1]), self.deviation[:-1]])
        return self.deviation - self.persistence[:, None] * before

    @property
    def expected_level(self) -> np.ndarray:
        """Levels that gravity, origin and destination say, shape (n_chains, n_pairs)."""
        return self.coefficient @ self.design.T

    # Persistence, innovation, noise; levels; paths.

    def _filter(
        self, persistence: np.ndarray, innovation: np.ndarray, noise: np.ndarray,
        common: np.ndarray, keep: bool = False,
    ) -> tuple[np.ndarray, ...]:  # fmt: skip
        """Run the filter of deviations from a level that is left open.

        Means are linear in the level, m + b level; what the data say of it is its precision and
        its precision-weighted mean.
        """
        phi, q = persistence[:, None], innovation[:, None] ** 2 / self.volatility
        r, rate = noise[:, None] ** 2, self.rate
        m, b = np.zeros_like(q), np.zeros_like(q)
        v = q / (1.0 - phi**2)
        log_density, precision, pull = np.zeros_like(q), np.zeros_like(q), np.zeros_like(q)
        kept = []
        for t in range(len(rate)):
            if t:
                m, b = phi * m + common[t], phi * b
                v = phi**2 * v + q / self.weight[t]
            seen = self.seen[t]
            f = v + r + self.counting[t]
            of_data, of_level = rate[t] - m, 1.0 + b
            informed = np.where(seen, 1.0 / f, 0.0)
            log_density += np.where(seen, np.log(f), 0.0) + informed * of_data**2
            precision += informed * of_level**2
            pull += informed * of_level * of_data
            gain = v * informed
            m, b, v = m + gain * of_data, b - gain * of_level, v - gain * v
            if keep:
                kept.append((m, b, v))
        if keep:
            return (precision, pull, *(np.stack(part) for part in zip(*kept)))
        return -0.5 * log_density, precision, pull

    def _draw_rates(self, common: np.ndarray) -> None:
        prior, expected = self.priors, self.expected_level
        tau = self.spread[:, :1] ** 2

        def density(at: np.ndarray) -> np.ndarray:
            logit, log_innovation, noise = at.T
            phi = 1.0 / (1.0 + np.exp(-logit))
            innovation = np.exp(log_innovation)
            data, precision, pull = self._filter(phi, innovation, noise, common)
            precision = precision + 1.0 / tau
            pull = pull + expected / tau
            level = -0.5 * (np.log(precision) - pull**2 / precision)
            a, b = prior["persistence"]
            return np.where(noise > 0, 0.0, -np.inf) + (
                (data + level).sum(axis=1) + a * np.log(phi) + b * np.log1p(-phi)
                - 0.5 * (innovation / prior["innovation"]) ** 2 + log_innovation
                - 0.5 * (noise / prior["noise"]) ** 2
            )  # fmt: skip

        logit = np.log(self.persistence) - np.log1p(-self.persistence)
        at = np.stack([logit, np.log(self.innovation), self.noise], axis=1)
        logit, log_innovation, self.noise = self.walks["rates"].step(at, density, 4).T
        self.persistence = 1.0 / (1.0 + np.exp(-logit))
        self.innovation = np.exp(log_innovation)

    def _draw_paths(self, common: np.ndarray) -> None:
        """Draw levels, then paths given them, from the last year to the first."""
        precision, pull, m, b, v = self._filter(
            self.persistence, self.innovation, self.noise, common, keep=True
        )
        tau = self.spread[:, :1] ** 2
        precision = precision + 1.0 / tau
        mean = (pull + self.expected_level / tau) / precision
        normal = self.generator.standard_normal
        self.level = mean + normal(mean.shape) / np.sqrt(precision)
        m += b * self.level
        phi = self.persistence[:, None]
        q = self.innovation[:, None] ** 2 / self.volatility
        path = np.empty_like(m)
        path[-1] = m[-1] + np.sqrt(v[-1]) * normal(mean.shape)
        for t in range(len(m) - 2, -1, -1):
            gain = phi * v[t] / (phi**2 * v[t] + q / self.weight[t + 1])
            centre = m[t] + gain * (path[t + 1] - phi * m[t] - common[t + 1])
            path[t] = centre + np.sqrt(v[t] * (1.0 - gain * phi)) * normal(mean.shape)
        self.deviation = path

    # Heavy tails, and sizes of corridors' own.

    def _draw_tails(self, innovations: np.ndarray) -> None:
        """Draw size and degrees of freedom of innovations, their weights integrated out."""
        scaled = innovations**2 * self.volatility
        n = scaled.shape[0] * scaled.shape[2]
        first = (self.deviation[0] ** 2 * self.volatility).sum(axis=1)
        first *= 1.0 - self.persistence**2
        shape, rate = self.priors["degrees"]

        def density(at: np.ndarray) -> np.ndarray:
            log_size, log_degrees = at.T
            size, extra = np.exp(log_size), np.exp(log_degrees)
            nu = LEAST_DEGREES + extra
            tails = np.log1p(scaled / (nu * size**2)[:, None]).sum(axis=(0, 2))
            return np.asarray(
                n * (gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu) - log_size)
                - (nu + 1) / 2 * tails
                - self.flows.n_pairs * log_size - 0.5 * first / size**2
                - 0.5 * (size / self.priors["innovation"]) ** 2 + log_size
                + shape * log_degrees - rate * extra
            )  # fmt: skip

        at = np.stack([np.log(self.innovation), np.log(self.degrees - LEAST_DEGREES + 1e-9)], 1)
        log_size, log_degrees = self.walks["tails"].step(at, density, 2).T
        self.innovation = np.exp(log_size)
        self.degrees = LEAST_DEGREES + np.exp(log_degrees)

    def _draw_weights(self, innovations: np.ndarray) -> None:
        """Draw the weights of innovations, then each corridor's own size."""
        size = self.innovation[:, None] ** 2
        nu = self.degrees[:, None]
        squares = innovations**2 / size
        gamma = self.generator.standard_gamma
        drawn = gamma(np.broadcast_to((nu + 1) / 2, squares.shape))
        self.weight[1:] = np.maximum(2.0 * drawn / (nu + squares * self.volatility), 1e-12)
        total = (squares * self.weight[1:]).sum(axis=0)
        total += self.deviation[0] ** 2 * (1.0 - self.persistence[:, None] ** 2) / size
        half = self.evenness[:, None] / 2
        drawn = gamma(np.broadcast_to(half + (len(squares) + 1) / 2, total.shape))
        self.volatility = np.maximum(drawn / (half + total / 2), 1e-9)

    def _draw_evenness(self) -> None:
        """Draw how alike corridors' own sizes are."""
        log_sum, total = np.log(self.volatility).sum(axis=1), self.volatility.sum(axis=1)
        shape, rate = self.priors["evenness"]

        def density(at: np.ndarray) -> np.ndarray:
            extra = np.exp(at[:, 0])
            half = (LEAST_DEGREES + extra) / 2
            own = self.flows.n_pairs * (half * np.log(half) - gammaln(half))
            return np.asarray(own + half * (log_sum - total) + shape * at[:, 0] - rate * extra)

        at = np.log(self.evenness[:, None] - LEAST_DEGREES + 1e-9)
        self.evenness = LEAST_DEGREES + np.exp(self.walks["evenness"].step(at, density, 3)[:, 0])

    # Shocks that corridors share.

    def _draw_shared(self, fixed: bool) -> None:
        nu, normal = float(self.priors["shared_degrees"]), self.generator.standard_normal
        steps = self._steps()[1:]
        weight = self.weight[1:] * self.volatility / self.innovation[:, None] ** 2
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
            spread = np.exp(np.clip(at, -12.0, 6.0))
            own, factor, right = self._normal_equations(spread)
            half = np.linalg.solve(factor, right[..., None])[..., 0]
            diagonal = np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
            fit = squared / spread[:, 0] ** 2 + (own * self.centre**2).sum(axis=1)
            return np.asarray(
                -self.flows.n_pairs * at[:, 0] + 0.5 * np.log(own).sum(axis=1) - diagonal
                - 0.5 * (fit - (half**2).sum(axis=1))
                + (at - 0.5 * (np.exp(at) / scales) ** 2).sum(axis=1)
            )  # fmt: skip

        if not fixed:
            self.spread = np.exp(self.walks["levels"].step(np.log(self.spread), density, 3))
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
    return np.maximum(centre - deviation * ndtri_exp(drawn), 1e-12)
