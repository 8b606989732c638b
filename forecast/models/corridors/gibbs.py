"""One sweep of the Gibbs sampler of the corridors: the law of `graph.pymc_model`, in arrays.

Given the weights of heavy tails and the shocks that corridors share, the corridors are independent
of each other, and a scalar Kalman filter runs over all of them at once; the corridor's level and
its path are integrated out where persistence and sizes of innovations are drawn.
Arrays are (year, chain, corridor).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import gammaln

from forecast.models.corridors.data import PairFlows
from forecast.models.corridors.effects import SHARED, SharedEffects, Walk

#: Evenness, the degrees of freedom of corridors' own sizes and of years', stays above this.
LEAST_DEGREES = 1.0


class PairState(SharedEffects):
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
        self.degrees, self.evenness = float(priors["degrees"]), about(6.0)
        self.log_size, self.size_effect = flows.log_size, np.zeros(chains)
        self.own = np.ones(shape[1:])
        self.calm, self.year_evenness = np.ones(shape[:2]), about(8.0)
        self.weight = np.ones(shape)
        self.level = np.nanmean(np.where(self.seen, self.rate, np.nan), axis=0)
        self.level = np.tile(self.level, (chains, 1))
        self.deviation = np.zeros(shape)
        self.members = [flows.members(what) for what in SHARED]
        self.shared = [np.zeros((*shape[:2], one.shape[1])) for one in self.members]
        self.shared_weight = [np.ones_like(one) for one in self.shared]
        self.shared_scale = np.exp(about(0.0)[:, None] * 0.3 + np.log(0.05)) * np.ones((1, 3))
        self.design, self.centre = flows.design(priors)
        self.coefficient = np.tile(self.centre, (chains, 1))
        self.spread = np.exp(0.3 * generator.standard_normal((chains, 3)))
        self.walks = {
            "rates": Walk(5, chains, generator), "innovation": Walk(1, chains, generator),
            "sizes": Walk(2, chains, generator), "years": Walk(2, chains, generator),
            "levels": Walk(3, chains, generator), "shared": Walk(3, chains, generator),
            "scales": Walk(3, chains, generator),
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
            common = self._scale_shared()
        passed = self._filter(
            self.persistence, self.innovation, self.noise, self.size_effect, common, keep=True
        )
        self._draw_levels(passed[0], passed[1], fixed)
        self._draw_paths(common, *passed)
        innovations = self._steps()[1:] - self._common()[1:]
        if not fixed:
            self._draw_innovation(innovations)
        self._draw_weights(innovations, fixed)
        self._draw_years(innovations, fixed)
        self._draw_shared(fixed)

    def _common(self) -> np.ndarray:
        """Return the shared shocks of every corridor."""
        parts = [shock @ who.T for shock, who in zip(self.shared, self.members)]
        return np.asarray(sum(parts))

    # Persistence, innovation, noise; levels; paths.

    def _filter(
        self, persistence: np.ndarray, innovation: np.ndarray, noise: np.ndarray,
        size_effect: np.ndarray, common: np.ndarray, keep: bool = False,
    ) -> tuple[np.ndarray, ...]:  # fmt: skip
        """Run the filter of deviations from a level that is left open.

        Means are linear in the level, m + b level; what the data say of it is its precision and
        its precision-weighted mean.
        """
        by_size = np.exp(-size_effect[:, None] * self.log_size)
        phi, q = persistence[:, None], (innovation[:, None] * by_size) ** 2 / self.own
        # All that does not hang on the year before, of all years at once: loops are slow.
        drift, news = by_size * common, q / self.step_weight
        noise_variance = (noise[:, None] * by_size) ** 2 + self.counting
        phi_squared, seen = phi**2, self.seen.astype(float)
        # Where the level is zero, and how much less than it by each unit: one recursion for both.
        level, v = np.zeros((2, *q.shape)), q / (1.0 - phi_squared)
        target = np.ones((len(seen), 2, *self.rate.shape[1:]))
        target[:, 0] = self.rate
        apart = np.empty((len(seen), *level.shape))
        f, informed = np.empty((2, len(seen), *q.shape))
        kept = []
        for t in range(len(seen)):
            if t:
                level *= phi
                level[0] += drift[t]
                v *= phi_squared
                v += news[t]
            np.add(v, noise_variance[t], out=f[t])
            np.subtract(target[t], level, out=apart[t])
            np.divide(seen[t], f[t], out=informed[t])
            gain = v * informed[t]
            level += gain * apart[t]
            v -= gain * v
            if keep:
                kept.append((level[0].copy(), -level[1], v.copy()))
        of_data, of_level = apart[:, 0], apart[:, 1]
        weighted = informed * of_level
        precision, pull = (weighted * of_level).sum(axis=0), (weighted * of_data).sum(axis=0)
        if keep:
            return (precision, pull, *(np.stack(part) for part in zip(*kept)))
        log_density = (seen * np.log(f) + informed * of_data**2).sum(axis=0)
        return -0.5 * log_density, precision, pull

    def _draw_rates(self, common: np.ndarray) -> None:
        prior, expected = self.priors, self.expected_level

        def density(at: np.ndarray) -> np.ndarray:
            logit, log_innovation, noise, size_effect, spread = at.T
            tau = spread[:, None] ** 2
            phi = 1.0 / (1.0 + np.exp(-logit))
            innovation = np.exp(log_innovation)
            data, precision, pull = self._filter(phi, innovation, noise, size_effect, common)
            precision = precision + 1.0 / tau
            pull = pull + expected / tau
            level = np.log(precision * tau) + expected**2 / tau - pull**2 / precision
            a, b = prior["persistence"]
            return np.where((noise > 0) & (spread > 0), 0.0, -np.inf) + np.asarray(
                (data - 0.5 * level).sum(axis=1) + a * np.log(phi) + b * np.log1p(-phi)
                - 0.5 * (innovation / prior["innovation"]) ** 2 + log_innovation
                - 0.5 * (noise / prior["noise"]) ** 2
                - 0.5 * (spread / prior["spread"][0]) ** 2
                - 0.5 * ((size_effect - prior["size_effect"][0]) / prior["size_effect"][1]) ** 2
            )  # fmt: skip

        logit = np.log(self.persistence) - np.log1p(-self.persistence)
        at = np.stack(
            [logit, np.log(self.innovation), self.noise, self.size_effect, self.spread[:, 0]],
            axis=1,
        )
        at = self.walks["rates"].step(at, density, 5)
        logit, log_innovation, self.noise, self.size_effect, self.spread[:, 0] = at.T
        self.persistence = 1.0 / (1.0 + np.exp(-logit))
        self.innovation = np.exp(log_innovation)

    def _scale_shared(self) -> np.ndarray:
        """Draw sizes of shared shocks, which grow and shrink with them, paths integrated out.

        Where shocks are small beside the noise of figures, sizes given paths hardly move.

        Returns
        -------
        ndarray, shape (n_years, n_chains, n_pairs)
            The shared shocks of every corridor.
        """
        before, tau = self.shared_scale, self.spread[:, :1] ** 2
        units = [
            (shock / before[:, at, None]) @ who.T
            for at, (shock, who) in enumerate(zip(self.shared, self.members))
        ]
        expected, prior = self.expected_level, np.asarray(self.priors["shared"])

        def common(at: np.ndarray) -> np.ndarray:
            return np.asarray(sum(at[:, k, None] * unit for k, unit in enumerate(units)))

        def density(at: np.ndarray) -> np.ndarray:
            data, precision, pull = self._filter(
                self.persistence, self.innovation, self.noise, self.size_effect, common(at)
            )
            precision, pull = precision + 1.0 / tau, pull + expected / tau
            total = (data - 0.5 * (np.log(precision) - pull**2 / precision)).sum(axis=1)
            total = total - 0.5 * ((at / prior) ** 2).sum(axis=1)
            return np.where((at > 0).all(axis=1), total, -np.inf)

        scale = self.walks["scales"].step(before, density, 2)
        self.shared = [
            shock * (scale / before)[:, at, None] for at, shock in enumerate(self.shared)
        ]
        self.shared_scale = scale
        return common(scale)

    def _draw_paths(
        self, common: np.ndarray, precision: np.ndarray, pull: np.ndarray, m: np.ndarray,
        b: np.ndarray, v: np.ndarray,
    ) -> None:  # fmt: skip
        """Draw levels, then paths given them, from the last year to the first."""
        tau = self.spread[:, :1] ** 2
        precision = precision + 1.0 / tau
        mean = (pull + self.expected_level / tau) / precision
        normal = self.generator.standard_normal
        self.level = mean + normal(mean.shape) / np.sqrt(precision)
        m += b * self.level
        phi = self.persistence[:, None]
        by_size = np.exp(-self.size_effect[:, None] * self.log_size)
        q = (self.innovation[:, None] * by_size) ** 2 / self.own
        weight = self.step_weight
        path = np.empty_like(m)
        path[-1] = m[-1] + np.sqrt(v[-1]) * normal(mean.shape)
        for t in range(len(m) - 2, -1, -1):
            gain = phi * v[t] / (phi**2 * v[t] + q / weight[t + 1])
            centre = m[t] + gain * (path[t + 1] - phi * m[t] - by_size * common[t + 1])
            path[t] = centre + np.sqrt(v[t] * (1.0 - gain * phi)) * normal(mean.shape)
        self.deviation = path

    @property
    def _first(self) -> np.ndarray:
        """Deviations of the first year, as large as one step's innovations."""
        larger = np.exp(self.size_effect[:, None] * self.log_size)
        first = self.deviation[0] * larger
        return np.asarray(first * np.sqrt(1.0 - self.persistence[:, None] ** 2))

    # Heavy tails, and sizes of corridors' own.

    def _draw_innovation(self, innovations: np.ndarray) -> None:
        """Draw the size of innovations again, with the weights of their tails integrated out."""
        scaled = innovations**2 * self.own * self.calm[1:, :, None] / self.degrees
        n = scaled.shape[0] * scaled.shape[2]
        first = (self._first**2 * self.own).sum(axis=1)

        def density(at: np.ndarray) -> np.ndarray:
            log_size = at[:, 0]
            size = np.exp(log_size)
            tails = np.log1p(scaled / size[:, None] ** 2).sum(axis=(0, 2))
            return np.asarray(
                -(n + self.flows.n_pairs) * log_size - (self.degrees + 1) / 2 * tails
                - 0.5 * first / size**2
                - 0.5 * (size / self.priors["innovation"]) ** 2 + log_size
            )  # fmt: skip

        at = np.log(self.innovation[:, None])
        self.innovation = np.exp(self.walks["innovation"].step(at, density, 2)[:, 0])

    def _draw_weights(self, innovations: np.ndarray, fixed: bool) -> None:
        """Draw the weights of innovations, then each corridor's own size."""
        nu, size = self.degrees, self.innovation[:, None] ** 2
        gamma = self.generator.standard_gamma
        squares = innovations**2 * self.calm[1:, :, None]
        drawn = gamma((nu + 1) / 2, size=squares.shape)
        self.weight[1:] = np.maximum(2.0 * drawn / (nu + squares * (self.own / size)), 1e-12)
        total = (squares * self.weight[1:]).sum(axis=0)
        total += self._first**2
        if not fixed:
            self._draw_sizes(total, len(squares) + 1)
        half = self.evenness[:, None] / 2
        drawn = gamma(np.broadcast_to(half + (len(squares) + 1) / 2, total.shape))
        total = total / self.innovation[:, None] ** 2
        self.own = np.maximum(drawn / (half + total / 2), 1e-9)

    def _draw_sizes(self, total: np.ndarray, n: int) -> None:
        """Draw size of innovations and how alike corridors are, their own sizes integrated out."""
        self.innovation, self.evenness = self._drawn_sizes("sizes", "evenness", total, n)

    def _draw_years(self, innovations: np.ndarray, fixed: bool) -> None:
        """Draw how calm years are, and before that, years integrated out, how alike they are."""
        n = innovations.shape[2]
        total = (innovations**2 * self.weight[1:] * self.own).sum(axis=2)
        if not fixed:
            first = (self._first**2 * self.own).sum(axis=1)
            self.innovation, self.year_evenness = self._drawn_sizes(
                "years", "year_evenness", total.T, n, (first, n)
            )
        half = self.year_evenness / 2
        drawn = self.generator.standard_gamma(np.broadcast_to(half + n / 2, total.shape))
        calm = drawn / (half + total / (2.0 * self.innovation**2))
        self.calm[1:] = np.maximum(calm, 1e-9)

    def _drawn_sizes(
        self, walk: str, evenness: str, total: np.ndarray, n: int,
        besides: tuple[np.ndarray | float, int] = (0.0, 0),
    ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        """Draw the size of innovations and the evenness of groups whose precisions it scatters.

        Precisions of groups, gamma around 1, are integrated out.

        Parameters
        ----------
        walk, evenness : str
            Names of the proposals, and of the prior and present value of the evenness.
        total : ndarray, shape (n_chains, n_groups)
            Sum of squared innovations of each group, in units of all other precisions.
        n : int
            Innovations of each group.
        besides : (sum of squares, number)
            Of innovations of no group.
        """
        shape, rate = self.priors[evenness]
        alone, n_alone = besides

        def density(at: np.ndarray) -> np.ndarray:
            log_size, log_extra = at.T
            extra = np.exp(log_extra)
            half = (LEAST_DEGREES + extra) / 2
            scaled = total / (2.0 * np.exp(2.0 * log_size) * half)[:, None]
            own = gammaln(half + n / 2) - gammaln(half) - n / 2 * np.log(half) - n * log_size
            return np.asarray(
                total.shape[1] * own - (half + n / 2) * np.log1p(scaled).sum(axis=1)
                - n_alone * log_size - 0.5 * alone / np.exp(2.0 * log_size)
                - 0.5 * (np.exp(log_size) / self.priors["innovation"]) ** 2 + log_size
                + shape * log_extra - rate * extra
            )  # fmt: skip

        extra = getattr(self, evenness) - LEAST_DEGREES + 1e-9
        at = np.stack([np.log(self.innovation), np.log(extra)], 1)
        log_size, log_extra = self.walks[walk].step(at, density, 3).T
        return np.exp(log_size), LEAST_DEGREES + np.exp(log_extra)
