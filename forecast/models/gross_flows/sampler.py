"""Draws from the posterior of the gross-flow model, and whether its chains agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.models.gross_flows.data import Gross
from forecast.models.gross_flows.gibbs import State

#: What is kept of each iteration, besides paths.
PARAMETERS = (
    "shock",
    "mean",
    "spread",
    "growth",
    "damping",
    "noise",
    "degrees",
    "shared",
    "correlation",
)


@dataclass(frozen=True, eq=False)
class Draws:
    """The posterior, chains by iterations flattened to draws.

    Attributes
    ----------
    parameters : mapping of str to ndarray, shape (n_draws, ...)
    level, slope : ndarray, shape (n_draws, n_places, tail, 2)
        θ and g of the stretch each place is in, the last years, the newest last.
    common : ndarray, shape (n_draws, tail, 2)
        f of the last years of the panel.
    rhat : mapping of str to float
        Largest potential scale reduction of each parameter's entries.
    """

    parameters: Mapping[str, np.ndarray]
    level: np.ndarray
    slope: np.ndarray
    common: np.ndarray
    rhat: Mapping[str, float]


def sample(
    gross: Gross,
    priors: Mapping[str, Any],
    *,
    chains: int,
    warm_up: int,
    kept: int,
    seed: np.random.SeedSequence,
    tail: int,
) -> Draws:
    """Draw from the posterior; see `forecast.models.gross_flows.gibbs` for the model.

    Parameters
    ----------
    gross : Gross
    priors : mapping
        The table ``[priors]`` of ``models/flows.toml``.
    chains, warm_up, kept : int
    seed : numpy.random.SeedSequence
    tail : int
        How many of the last years of the paths are kept.
    """
    state = State(gross, priors, chains, np.random.default_rng(seed))
    traces: dict[str, list[np.ndarray]] = {name: [] for name in PARAMETERS}
    level, slope, common = [], [], []
    last = gross.last_stretch
    years = gross.end[last][:, None] - np.arange(tail - 1, -1, -1)
    years = np.maximum(years, gross.start[last][:, None])
    for iteration in range(warm_up + kept):
        state.step()
        if iteration < warm_up:
            continue
        for name in PARAMETERS:
            traces[name].append(getattr(state, name).copy())
        level.append(state.level[:, last[:, None], years])
        slope.append(state.slope[:, last[:, None], years])
        common.append(state.common[:, -tail:].copy())
    stacked = {name: np.stack(trace) for name, trace in traces.items()}
    return Draws(
        {name: _flat(values) for name, values in stacked.items()},
        _flat(np.stack(level)),
        _flat(np.stack(slope)),
        _flat(np.stack(common)),
        {name: rhat(values) for name, values in stacked.items()},
    )


def rhat(trace: np.ndarray) -> float:
    """Return the largest split potential scale reduction of a trace (iterations, chains, ...).

    Gelman et al. (2013), Bayesian Data Analysis, section 11.4: each chain is cut into halves.
    """
    half = len(trace) // 2
    parts = np.concatenate([trace[:half], trace[half : 2 * half]], axis=1)
    within = parts.var(axis=0, ddof=1).mean(axis=0)
    between = parts.mean(axis=0).var(axis=0, ddof=1)
    still = within <= 0
    ratio = np.sqrt((half - 1) / half + between / np.where(still, 1.0, within))
    return float(np.where(still, 1.0, ratio).max())


def _flat(values: np.ndarray) -> np.ndarray:
    return values.reshape((-1, *values.shape[2:]))
