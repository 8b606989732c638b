"""Futures of arrivals and departures from posterior draws, in whole persons."""

from __future__ import annotations

import numpy as np

from forecast.models.gross_flows.data import Gross
from forecast.models.gross_flows.sampler import Draws
from forecast.panel import Series
from forecast.scales import closed, is_rate, population_ahead

#: Few places have seen more than this many arrivals or departures per 1,000 in a year; draws
#: stay below it, or below three times what the place itself has seen.
LARGEST_RATE = 200.0
#: The largest mean that the counting error of a count is drawn for.
LARGEST_COUNT = 1e9


def simulate(
    gross: Gross, draws: Draws, n_ahead: int, n_draws: int, generator: np.random.Generator
) -> list[np.ndarray]:
    """Draw the years around and after the end of every place.

    Parameters
    ----------
    gross : Gross
    draws : Draws
    n_ahead : int
        Years after the last year of the panel.
    n_draws : int
    generator : numpy.random.Generator

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
