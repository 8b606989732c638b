"""Posterior draws of the corridors, and futures from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast.models.bayes.gate import convergence
from forecast.models.corridors.data import TERMS, PairFlows
from forecast.models.corridors.effects import SHARED
from forecast.models.corridors.gibbs import PairState

#: Hyperparameters, all that corridors have in common but gravity; sizes by what is shared.
SINGLE = ("persistence", "innovation", "noise", "size_effect", "evenness", "year_evenness")
HYPER = (*SINGLE, "shared_scale", "spread")
SPREADS = ("corridor", "origin", "destination")


@dataclass(frozen=True, eq=False)
class Posterior:
    """Draws of the posterior.

    Attributes
    ----------
    hyper : mapping of str to ndarray, shape (n_draws, ...)
        By the names of `HYPER`.
    level, volatility : ndarray, shape (n_draws, n_pairs)
    deviation : ndarray, shape (n_draws, tail, n_pairs)
        Deviations from the level in the last years, the newest last.
    table : DataFrame
        ``parameter, mean, sd, r_hat, ess_bulk, ess_tail``.
    learned_from : int
        Corridors from which hyperparameters are learned.
    failure : str
        What the gate refuses; empty for a sound fit.
    """

    hyper: Mapping[str, np.ndarray]
    level: np.ndarray
    volatility: np.ndarray
    deviation: np.ndarray
    table: pd.DataFrame
    learned_from: int
    failure: str


class _Kept:
    """What is kept of sweeps, chains joined."""

    def __init__(self, tail: int) -> None:
        self.tail = tail
        self.hyper: dict[str, list[np.ndarray]] = {name: [] for name in HYPER}
        self.paths: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def add(self, state: PairState) -> None:
        for name in HYPER:
            self.hyper[name].append(getattr(state, name).copy())
        late = np.moveaxis(state.deviation[-self.tail :], 0, 1)
        self.paths.append((state.level.copy(), state.own.copy(), late.copy()))

    def posterior(self, n: int, table: pd.DataFrame, learned: int, failure: str) -> Posterior:
        """Return `n` draws, evenly taken."""
        size = sum(len(one[0]) for one in self.paths)
        chosen = np.linspace(0, size - 1, min(n, size)).round().astype(int)
        level, volatility, late = (np.concatenate(part)[chosen] for part in zip(*self.paths))
        hyper = {name: np.concatenate(values)[chosen] for name, values in self.hyper.items()}
        return Posterior(hyper, level, volatility, late, table, learned, failure)


def sample(
    flows: PairFlows,
    priors: Mapping[str, Any],
    sampler: Mapping[str, int],
    limits: Mapping[str, float],
    seed: np.random.SeedSequence,
    tail: int,
) -> Posterior:
    """Draw from the posterior; see `forecast.models.corridors.graph` for the model.

    Parameters
    ----------
    flows : PairFlows
    priors, sampler, limits : mapping
        The tables ``[priors]``, ``[sampler]`` and ``[diagnostics]`` of ``models/corridors.toml``.
    seed : SeedSequence
    tail : int
        How many of the last years of paths are kept.
    """
    generator = np.random.default_rng(seed)
    whole = flows.n_pairs <= sampler["learned_from"]
    learning = flows if whole else flows.some(_teachers(flows, sampler["learned_from"]))
    state = PairState(learning, priors, sampler["chains"], generator)
    for _ in range(sampler["warm_up"]):
        state.sweep()
    state.freeze()
    kept, aim = _Kept(tail), sampler["kept"]
    traces: list[np.ndarray] = []
    # Paths are much larger than hyperparameters, and need not be kept of every sweep.
    every = max(1, sampler["kept"] * sampler["chains"] // sampler["paths"])
    while True:
        while len(traces) < aim:
            state.sweep()
            traces.append(_parameters(state))
            if len(traces) % every == 0:
                kept.add(state)
        table, failure = _examined(np.stack(traces, axis=1), state, limits)
        aim += sampler["kept"] // 4
        if not failure or aim > sampler["most"]:
            break
    if whole:
        return kept.posterior(sampler["paths"], table, flows.n_pairs, failure)
    hyper = kept.posterior(sampler["paths"], table, learning.n_pairs, failure).hyper
    rest = _given(flows, priors, hyper, sampler["settling"], tail, generator)
    return rest.posterior(sampler["paths"], table, learning.n_pairs, failure)


def _teachers(flows: PairFlows, n: int) -> np.ndarray:
    """Return the corridors that hyperparameters learn from: half the largest, half of all sizes."""
    order = np.argsort(-np.nansum(flows.counts, axis=0), kind="stable")
    others = np.linspace(n // 2, flows.n_pairs - 1, n - n // 2).round().astype(int)
    return np.sort(order[[*range(n // 2), *others]])


def _given(
    flows: PairFlows, priors: Mapping[str, Any], hyper: Mapping[str, np.ndarray], settling: int,
    tail: int, generator: np.random.Generator,
) -> _Kept:  # fmt: skip
    """Draw levels and paths of all corridors, a sweep for each draw of the hyperparameters."""
    state, kept = PairState(flows, priors, 1, generator), _Kept(tail)
    n = len(hyper["noise"])
    for at in (*np.arange(-settling, 0) % n, *range(n)):
        for name in HYPER:
            setattr(state, name, hyper[name][at : at + 1].copy())
        state.sweep(fixed=True)
        kept.add(state)
    kept.paths = kept.paths[settling:]
    kept.hyper = {name: values[settling:] for name, values in kept.hyper.items()}
    return kept


def _parameters(state: PairState) -> np.ndarray:
    """Return what the gate looks at, shape (n_chains, n_parameters)."""
    single = np.stack([getattr(state, name) for name in SINGLE], axis=1)
    gravity = state.coefficient[:, : 1 + len(TERMS)]
    return np.hstack([single, state.shared_scale, state.spread, gravity])


def _examined(
    draws: np.ndarray, state: PairState, limits: Mapping[str, float]
) -> tuple[pd.DataFrame, str]:
    """Return the diagnostics of the parameters that figures speak of, and what they refuse."""
    names = [
        *SINGLE, *(f"shared_scale[{one}]" for one in SHARED),
        *(f"spread[{one}]" for one in SPREADS), "mean", *(f"gravity[{one}]" for one in TERMS),
    ]  # fmt: skip
    shared = [bool(members.shape[1]) for members in state.members]
    spoken = [True] * len(SINGLE) + shared + [True, *shared[1:]] + [True] * (1 + len(TERMS))
    r_hat, bulk, tail = convergence(draws)
    table = pd.DataFrame(
        {
            "parameter": names, "mean": draws.mean(axis=(0, 1)), "sd": draws.std(axis=(0, 1)),
            "r_hat": r_hat, "ess_bulk": bulk, "ess_tail": tail,
        }
    )[spoken].reset_index(drop=True)  # fmt: skip
    worst = table.iloc[int(table["r_hat"].argmax())]
    thin = table.iloc[int(table["ess_bulk"].argmin())]
    if not worst["r_hat"] <= limits["largest_r_hat"]:
        return table, (
            f"R-hat is {worst['r_hat']:.3f} ({worst['parameter']}). Keep more draws "
            "(sampler={'most': 24000})."
        )
    if not thin["ess_bulk"] >= limits["least_ess"]:
        return table, (
            f"effective sample size is {thin['ess_bulk']:.0f} ({thin['parameter']}). Keep more "
            "draws (sampler={'most': 24000})."
        )
    return table, ""


def simulate(
    flows: PairFlows,
    posterior: Posterior,
    priors: Mapping[str, Any],
    n_ahead: int,
    n_draws: int,
    largest: np.ndarray,
    generator: np.random.Generator,
) -> np.ndarray:
    """Draw the last years of the panel, as the model sees them, and the years after it.

    Parameters
    ----------
    n_ahead : int
        Years after the last year of the panel.
    largest : ndarray, shape (n_pairs,)
        Counts that no draw exceeds.

    Returns
    -------
    ndarray, shape (tail + n_ahead, n_draws, n_pairs)
        Persons; draw *i* is the same world in all corridors.
    """
    order = generator.permutation(np.arange(n_draws) % len(posterior.level))
    hyper = {name: values[order] for name, values in posterior.hyper.items()}
    single = {name: hyper[name][:, None] for name in SINGLE}
    level, own = posterior.level[order], 1.0 / np.sqrt(posterior.volatility[order])
    tail = posterior.deviation.shape[1]
    members = [flows.members(what) for what in SHARED]
    deviation = posterior.deviation[order, -1]
    by_size = np.exp(-single["size_effect"] * flows.log_size)
    made = np.empty((tail + n_ahead, n_draws, flows.n_pairs))
    for step in range(tail + n_ahead):
        ahead = step - tail + 1
        if ahead <= 0:
            deviation = posterior.deviation[order, step]
            offset = flows.offset[len(flows.offset) - tail + step]
        else:
            shock = single["innovation"] * own
            half = single["year_evenness"] / 2
            shock /= np.sqrt(np.maximum(generator.standard_gamma(half) / half, 1e-9))
            shock *= generator.standard_t(float(priors["degrees"]), shock.shape)
            for at, group in enumerate(members):
                if group.shape[1]:
                    size = (n_draws, group.shape[1])
                    drawn = generator.standard_t(float(priors["shared_degrees"]), size)
                    shock += (hyper["shared_scale"][:, at, None] * drawn) @ group.T
            deviation = single["persistence"] * deviation + by_size * shock
            offset = flows.offset[-1] + flows.growth * ahead
        log_mean = offset + level + deviation
        log_mean += single["noise"] * by_size * generator.standard_normal(log_mean.shape)
        mean = np.exp(np.minimum(log_mean, np.log(largest)))
        made[step] = np.minimum(generator.poisson(mean), largest)
    return made
