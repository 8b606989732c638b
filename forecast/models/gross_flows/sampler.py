"""Posterior draws of the gross-flow model by Gibbs sampling, and futures from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.models.gross_flows.data import Gross
from forecast.models.gross_flows.gibbs import State
from forecast.panel import Series
from forecast.scales import closed, is_rate, population_ahead

#: What is kept of each iteration, besides paths.
PARAMETERS = (
    "shock", "mean", "spread", "growth", "damping", "noise", "degrees", "shared", "correlation",
)  # fmt: skip
#: Few places have seen more than this many arrivals or departures per 1,000 in a year; draws
#: stay below it, or below three times what the place itself has seen.
LARGEST_RATE = 200.0
#: The largest mean that the counting error of a count is drawn for.
LARGEST_COUNT = 1e9


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
    priors : mapping
        The table ``[priors]`` of ``models/flows.toml``.
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


def simulate(
    gross: Gross, draws: Draws, n_ahead: int, n_draws: int, generator: np.random.Generator
) -> list[np.ndarray]:
    """Draw the years around and after the end of every place.

    Parameters
    ----------
    n_ahead : int
        Years after the last year of the panel.

    Returns
    -------
    list of ndarray, shape (n_draws, tail + n_ahead, 2)
        Persons per year by place: the last ``tail`` years of the panel, as the model sees
        what was not observed there, then the years after it. Draw *i* is the same world in
        all places.
    """
    available = len(draws.level)
    # Each posterior draw is used equally often, in an order of its own.
    order = generator.permutation(np.arange(n_draws) % available)
    chosen = {name: values[order] for name, values in draws.parameters.items()}
    tail = draws.level.shape[2]
    correlation = chosen["correlation"]
    shared = chosen["shared"][:, None]
    last_year = gross.values.shape[1] - 1
    known = draws.common[order]
    common = [_pair(correlation, generator) for _ in range(n_ahead)]
    made = []
    for number, (place, stretch) in enumerate(zip(gross.places, gross.last_stretch)):
        late = int(last_year - gross.end[stretch])
        level, slope = draws.level[order, number], draws.slope[order, number]
        path = [level[:, step] for step in range(late, tail)]
        theta, growth = level[:, -1], slope[:, -1]
        for step in range(late + n_ahead):
            is_past = step < late
            factor = known[:, tail - late + step] if is_past else common[step - late]
            degrees = chosen["degrees"]
            mixing = degrees / 2 / generator.gamma(degrees / 2)
            own = np.sqrt((1 - shared**2) * mixing[:, None]) * _pair(correlation, generator)
            damping = chosen["damping"]
            fresh = np.sqrt(1 - damping**2) * generator.standard_normal(growth.shape)
            growth = damping * growth + chosen["growth"] * fresh
            theta = theta + growth + chosen["shock"][:, number] * (shared * factor + own)
            path.append(theta)
        years = gross.first_year + last_year - tail + 1 + np.arange(tail + n_ahead)
        levels = np.stack(path, axis=1)
        made.append(_persons(levels, place.flows, years, chosen["noise"], generator))
    return made


def _pair(correlation: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw standard normal pairs of shape (n_draws, 2) with the given correlations."""
    draw = generator.standard_normal((len(correlation), 2))
    draw[:, 1] = correlation * draw[:, 0] + np.sqrt(1 - correlation**2) * draw[:, 1]
    return draw


def _persons(
    path: np.ndarray,
    flows: tuple[Series | None, Series | None],
    years: np.ndarray,
    noise: np.ndarray,
    generator: np.random.Generator,
) -> np.ndarray:
    """Turn log rates into registered persons: over-dispersed counts, never negative."""
    registered = path + noise[:, None] * generator.standard_normal(path.shape)
    counts = np.full_like(registered, np.nan)
    for direction, series in enumerate(flows):
        if series is None:
            continue
        log_rate = registered[..., direction]
        if is_rate(series):
            ahead = population_ahead(series.population, int(years[-1] - series.origin))
            population = np.append(closed(series.population), ahead)
            thousands = population[np.maximum(years - series.years[0], 0)] / 1000.0
            seen = np.nanmax(1000.0 * series.values / series.population, initial=0.0)
            most = max(LARGEST_RATE, 3.0 * seen)
            mean = np.exp(np.minimum(log_rate, np.log(most))) * thousands
        else:
            mean = np.exp(np.minimum(log_rate, np.log(LARGEST_COUNT)))
        counts[..., direction] = generator.poisson(np.minimum(mean, LARGEST_COUNT))
    return counts
