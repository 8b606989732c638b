"""What is stated in PyMC and what the sampler of corridors draws from are the same law."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import chisquare, multivariate_normal

from forecast.models.corridors.data import PairFlows
from forecast.models.corridors.gibbs import LEAST_DEGREES, PairState
from forecast.models.registry import specification

PAIRS = tuple((origin, to) for origin in ("KAZ", "UZB") for to in ("RUS", "DEU", "TUR"))
YEARS = 6
#: Narrower than the shipped ones, so that what is drawn from them is not absurd.
PRIORS = specification("corridors")["priors"] | {
    "spread": (0.6, 0.4, 0.4), "mean_spread": 1.0, "innovation": 0.4, "persistence": (4.0, 2.0),
}  # fmt: skip


class Given(PairFlows):
    """Corridors whose variance of counting and mean level are given, not taken from figures."""

    def log_counts(self) -> tuple[np.ndarray, np.ndarray]:
        seen = np.isfinite(self.counts)
        return np.where(seen, self.counts, 0.0), np.where(seen, 0.02, 0.0)

    @property
    def log_size(self) -> np.ndarray:  # type: ignore[override]
        return np.linspace(-2.0, 2.0, len(PAIRS))

    def design(self, priors: Any) -> tuple[np.ndarray, np.ndarray]:
        design, centre = super().design(priors)
        centre[0] = 3.0
        return design, centre


@pytest.fixture
def given() -> Given:
    """Six corridors over six years, two figures missing; two origins have shocks of their own."""
    counts = np.full((YEARS, len(PAIRS)), 3.0)
    counts[2, 1] = counts[0, 4] = np.nan
    gravity = np.random.default_rng(3).normal(size=(len(PAIRS), 5)) / 2
    years = np.arange(2000, 2000 + YEARS)
    return Given(PAIRS, counts, np.zeros_like(counts), np.zeros(len(PAIRS)), years, gravity)


def test_the_filter_is_the_density_of_the_normal_law_it_stands_for(given: Given) -> None:
    state = PairState(given, PRIORS, 2, np.random.default_rng(1))
    generator = np.random.default_rng(2)
    state.rate = state.rate + generator.normal(size=(YEARS, 2, len(PAIRS)))
    state.weight = generator.gamma(3.0, size=state.weight.shape)
    state.own = generator.gamma(3.0, size=state.own.shape)
    state.calm = generator.gamma(3.0, size=state.calm.shape)
    common = generator.normal(size=state.weight.shape) / 4
    phi, size, noise = np.array([0.8, 0.3]), np.array([0.4, 0.2]), np.array([0.1, 0.3])
    effect = np.array([0.2, -0.1])
    density, precision, pull = state._filter(phi, size, noise, effect, common)
    tau, expected = 0.7, 2.5
    for chain in range(2):
        for pair in range(len(PAIRS)):
            smaller = np.exp(-effect[chain] * given.log_size[pair])
            q = (size[chain] * smaller) ** 2 / state.own[chain, pair]
            left = np.tril(phi[chain] ** np.abs(np.subtract.outer(range(YEARS), range(YEARS))))
            moves = np.r_[q / (1 - phi[chain] ** 2), q / state.step_weight[1:, chain, pair]]
            mean = left @ np.r_[0.0, smaller * common[1:, chain, pair]] + expected
            spread = left @ np.diag(moves) @ left.T + tau**2
            spread += np.diag((noise[chain] * smaller) ** 2 + state.counting[:, 0, pair])
            seen = np.isfinite(given.counts[:, pair])
            dense = multivariate_normal(mean[seen], spread[np.ix_(seen, seen)])
            said = dense.logpdf(state.rate[seen, chain, pair])
            p = precision[chain, pair] + tau**-2
            h = pull[chain, pair] + expected / tau**2
            ours = density[chain, pair] - 0.5 * (
                np.log(p * tau**2) + expected**2 / tau**2 - h**2 / p
            )
            assert ours - 0.5 * seen.sum() * np.log(2 * np.pi) == pytest.approx(said)


@pytest.mark.thorough
def test_posteriors_of_what_the_pymc_model_draws_are_calibrated(given: Given) -> None:
    """Simulation-based calibration (Talts et al. 2018): the model draws, the sampler infers.

    Each chain has figures of its own; the rank of each parameter among its posterior draws has to
    be uniform over chains.
    """
    import pymc as pm

    from forecast.models.corridors.graph import pymc_model

    n = 120
    model = pymc_model(given, PRIORS)
    names = [
        "persistence", "innovation", "noise", "extra_evenness", "extra_year_evenness",
        "year_shock_size",
        "origin_shock_size", "spread", "origin_spread", "mean", "size_effect", "level",
        "gravity", "deviation",
    ]  # fmt: skip
    prior = pm.sample_prior_predictive(
        n, model=model, var_names=[*names, "log_count"], random_seed=11
    )
    figures = prior["prior_predictive"]["log_count"].to_numpy()[0]
    truth = {name: prior["prior"][name].to_numpy()[0] for name in names}
    state = PairState(given, PRIORS, n, np.random.default_rng(12))
    year, pair = np.nonzero(np.isfinite(given.counts))
    state.rate = np.zeros((YEARS, n, len(PAIRS)))
    state.rate[year, :, pair] = figures.T
    for _ in range(600):
        state.sweep()
    state.freeze()
    kept: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for at in range(1200):
        state.sweep()
        if at % 30:
            continue
        for name, values in {
            "persistence": state.persistence, "innovation": state.innovation,
            "noise": state.noise, "extra_evenness": state.evenness - LEAST_DEGREES,
            "extra_year_evenness": state.year_evenness - LEAST_DEGREES,
            "year_shock_size": state.shared_scale[:, 0],
            "origin_shock_size": state.shared_scale[:, 1], "spread": state.spread[:, 0],
            "origin_spread": state.spread[:, 1], "mean": state.coefficient[:, 0],
            "size_effect": state.size_effect,
            "level": state.level[:, 1], "gravity": state.coefficient[:, 3],
            "deviation": state.deviation[-1, :, 1],
        }.items():  # fmt: skip
            kept[name].append(values.copy())
    truth |= {"level": truth["level"][:, 1], "gravity": truth["gravity"][:, 2]}
    truth["deviation"] = truth["deviation"][:, -1, 1]
    for name in names:
        rank = (np.array(kept[name]) < truth[name]).sum(axis=0)
        bins = np.bincount(np.minimum(rank * 10 // 41, 9), minlength=10)
        assert chisquare(bins).pvalue > 0.001, (name, bins)
