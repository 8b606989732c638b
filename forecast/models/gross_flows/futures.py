"""Futures of the gross flows: the law of `forecast.models.gross_flows.law`, drawn ahead."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from forecast.models.bayes.gate import Sampled
from forecast.models.gross_flows import law
from forecast.models.gross_flows.data import Gross
from forecast.models.gross_flows.graph import Cells
from forecast.panel import Series
from forecast.scales import closed, is_rate, population_ahead

#: Few places have seen more than this many arrivals or departures per 1,000 in a year; draws
#: stay below it, or below three times what the place itself has seen.
LARGEST_RATE = 200.0
#: The largest mean that the counting error of a count is drawn for.
LARGEST_COUNT = 1e9


def simulate(
    gross: Gross,
    sampled: Sampled,
    tail: int,
    n_ahead: int,
    n_draws: int,
    generator: np.random.Generator,
) -> list[np.ndarray]:
    """Draw the years around and after the end of every place.

    Parameters
    ----------
    tail : int
        How many of the last years of the panel are drawn as well.
    n_ahead : int
        Years after the last year of the panel.

    Returns
    -------
    list of ndarray, shape (n_draws, tail + n_ahead, 2)
        Persons per year by place: the last ``tail`` years of the panel, as the model sees
        what was not observed there, then the years after it. Draw *i* is the same world in
        all places.
    """
    # Each posterior draw is used equally often, in an order of its own.
    available = len(sampled.draws("degrees"))
    order = generator.permutation(np.arange(n_draws) * available // n_draws)

    def chosen(name: str) -> np.ndarray:
        return np.asarray(sampled.draws(name)[order])

    cells, last_year = Cells.of(gross), gross.values.shape[1] - 1
    shock, noise, level, growing = map(chosen, ("shock", "noise", "level", "growth_path"))
    several = len(gross.places) > 1
    shared = chosen("shared")[:, None, None] if several else 0.0
    one, other = generator.standard_normal((2, n_draws, n_ahead))
    common = law.pair(one, other, chosen("correlation")[:, None])
    if several:
        common = np.concatenate([chosen("common")[:, last_year + 1 - tail :], common], axis=1)
    else:
        common = np.concatenate([np.zeros((n_draws, tail, 2)), common], axis=1)
    made = []
    for row, (place, stretch) in enumerate(zip(gross.places, gross.last_stretch)):
        within = np.flatnonzero(cells.stretch == stretch)
        late = int(last_year - gross.end[stretch])
        # A stretch that is shorter than the tail begins with its first level.
        known = within[np.maximum(np.arange(late - tail, 0), -len(within))]
        ahead = _ahead(
            chosen, growing[:, within[-1]], shock[:, [row]], shared,
            common[:, tail - late :], generator,
        )  # fmt: skip
        path = np.concatenate([level[:, known], level[:, [within[-1]]] + ahead], axis=1)
        years = gross.first_year + last_year - tail + 1 + np.arange(tail + n_ahead)
        made.append(_persons(path, place.flows, years, noise, generator))
    return made


def _ahead(
    chosen: Callable[[str], np.ndarray],
    growing: np.ndarray,
    shock: np.ndarray,
    shared: np.ndarray | float,
    common: np.ndarray,
    generator: np.random.Generator,
) -> np.ndarray:
    """Draw how far a place's levels move from now to each later year, shape (n_draws, n, 2)."""
    n_draws, n = common.shape[:2]
    size, correlation = chosen("growth")[:, None], chosen("correlation")[:, None]
    half = np.broadcast_to(chosen("degrees")[:, None] / 2.0, (n_draws, n))
    news = generator.standard_normal((n_draws, n + 1, 2))
    news[:, 0] = growing / size[:, 0]
    years = np.arange(n + 1)
    lag = np.maximum(years[:, None] - years, -1)
    weights = [law.fading(chosen("damping")[:, k, None, None], lag) for k in (0, 1)]
    grown = law.growth(news, size, weights)[:, 1:]
    one, other = generator.standard_normal((2, n_draws, n))
    own = law.pair(one, other, correlation)
    # A normal pair over a chi of its own is bivariate Student's t.
    own *= np.sqrt(half / generator.gamma(half))[..., None]
    moves = law.drift(grown, shock, shared, common) + law.own_scale(shock, shared) * own
    return np.asarray(np.cumsum(moves, axis=1))


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
