"""Ranks of true parameters in the model of gross flows, for ``sbc.py``.

Three countries, one of them with a break in its register and one with a gap, so that every
branch of the sampler takes part. Grids stand for continuous priors: true values are drawn from
the grids themselves, and ties are broken by chance. The first levels have a prior that is
flat; they are given.

`stay` asks the same question in seconds: worlds drawn from the priors, with all that is hidden in
them, are a sample from the priors, and have to stay one while the sampler renews the worlds and
the worlds their figures in turn (Geweke 2004, doi:10.1198/016214504000001132).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import chisquare

from forecast.models.gross_flows import gibbs, paths
from forecast.models.gross_flows.data import Gross
from forecast.models.gross_flows.gibbs import choose
from forecast.models.gross_flows.paths import half_normal, normal
from forecast.models.gross_flows.sampler import PARAMETERS
from forecast.models.registry import specification

N_YEARS = 22
#: Place, first and last year of each stretch between breaks.
STRETCHES = ((0, 0, 21), (1, 0, 9), (1, 10, 21), (2, 4, 21))
#: Posterior draws that a rank is counted among: the ends of as many chains, so that they are
#: independent, after so many iterations.
KEPT, ITERATIONS = 19, 400
COUNTING = 4e-4


def replicate(seed: int, iterations: int = ITERATIONS) -> dict[str, np.ndarray]:
    """Ranks of all true parameters of one simulated world."""
    priors = specification("flows")["priors"]
    generator = np.random.default_rng(seed)
    true = prior_parameters(priors, generator)
    gross, hidden = _history(true, generator)
    level = hidden["level"]
    state = gibbs.State(gross, priors, KEPT, generator)
    for _ in range(iterations):
        state.step()
    last = np.array([end == N_YEARS - 1 for _, _, end in STRETCHES])
    found = {}
    for name in (*PARAMETERS, "level"):
        drawn, truth = getattr(state, name), true[name] if name != "level" else level
        if name == "level":
            drawn, truth = drawn[:, last, -1], truth[last, -1]
        below = (drawn < truth - 1e-12).sum(axis=0)
        ties = (np.abs(drawn - truth) <= 1e-12).sum(axis=0)
        found[name] = np.asarray(below + generator.integers(0, ties + 1))
    return found


def prior_parameters(
    priors: dict[str, Any], generator: np.random.Generator
) -> dict[str, np.ndarray]:
    """Draw one set of parameters from the priors that the sampler states on its grids."""
    n_places = max(place for place, _, _ in STRETCHES) + 1
    pair = (2, 1)

    def draw(grid: np.ndarray, log_weights: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        weights = np.broadcast_to(log_weights, (*shape, len(grid)))
        return np.asarray(grid[choose(weights, generator)])

    mean = draw(gibbs._MEAN, normal(gibbs._MEAN, priors["log_shock"]), (2,))
    spread = draw(gibbs._SPREAD, half_normal(gibbs._SPREAD, priors["shock_spread"]), ())
    gap = (gibbs._LOG_SHOCK - mean[:, None, None]) / spread
    shock = np.exp(
        np.stack([draw(gibbs._LOG_SHOCK, -0.5 * gap[k, 0] ** 2, (n_places,)) for k in range(2)], 1)
    )
    size = np.exp(gibbs._LOG_GROWTH)
    # The grid is even in logs: the density of the size times the size.
    growth = draw(size, half_normal(size, priors["growth"]) + gibbs._LOG_GROWTH, pair[:1])
    damping = draw(gibbs._DAMPING, normal(gibbs._DAMPING, priors["damping"]), pair[:1])
    noise = np.empty(2)
    for k in range(2):
        while (
            not paths._NOISE[0]
            < (value := abs(priors["noise"] * generator.normal()))
            < paths._NOISE[1]
        ):
            pass
        noise[k] = value
    shape, rate = priors["degrees"]
    weights = (shape - 1) * np.log(gibbs.DEGREES) - rate * gibbs.DEGREES
    degrees = draw(gibbs.DEGREES, weights + np.log(np.gradient(gibbs.DEGREES)), ())
    shared = draw(gibbs._SHARED, np.zeros(len(gibbs._SHARED)), ())
    correlation = draw(gibbs._CORRELATION, np.zeros(len(gibbs._CORRELATION)), ())
    return {
        "mean": mean, "spread": spread, "shock": shock, "growth": growth, "damping": damping,
        "noise": noise, "degrees": degrees, "shared": shared, "correlation": correlation,
    }  # fmt: skip


def _history(
    true: dict[str, np.ndarray], generator: np.random.Generator
) -> tuple[Gross, dict[str, np.ndarray]]:
    """Draw figures and what is hidden behind them, as the model's docstring has them."""
    n_stretches = len(STRETCHES)
    correlation = np.array([[1.0, true["correlation"]], [true["correlation"], 1.0]])
    root = np.linalg.cholesky(correlation)
    common = generator.standard_normal((N_YEARS, 2)) @ root.T
    level, slope = np.zeros((2, n_stretches, N_YEARS, 2))
    tails = np.ones((n_stretches, N_YEARS))
    for number, (place, start, end) in enumerate(STRETCHES):
        growth = np.zeros(2)
        for year in range(start + 1, end + 1):
            fresh = generator.standard_normal(2)
            if year == start + 1:
                growth = true["growth"] * fresh
            else:
                damping = true["damping"]
                growth = damping * growth + np.sqrt(1 - damping**2) * true["growth"] * fresh
            mixing = true["degrees"] / 2 / generator.gamma(true["degrees"] / 2)
            own = np.sqrt((1 - true["shared"] ** 2) * mixing) * (
                root @ generator.standard_normal(2)
            )
            shock = true["shock"][place] * (true["shared"] * common[year] + own)
            level[number, year] = level[number, year - 1] + growth + shock
            slope[number, year], tails[number, year] = growth, mixing
    deviation = np.sqrt(true["noise"] ** 2 + COUNTING)
    values = level + deviation * generator.standard_normal(level.shape)
    # One figure of one flow is missing, and a whole year of another place.
    values[0, 7, 1] = np.nan
    values[3, 12] = np.nan
    place, start, end = (np.array(column) for column in zip(*STRETCHES))
    places = tuple(range(int(place.max()) + 1))
    gross = Gross(
        places,
        2000,
        values,
        np.full(values.shape, COUNTING),
        start,
        end,
        place,  # type: ignore[arg-type]
    )
    return gross, {"level": level, "slope": slope, "mixing": tails, "common": common}


def stay(
    seed: int, worlds: int = 400, steps: int = 80, given: dict[str, Any] | None = None
) -> dict[str, float]:
    """Return the chance of each parameter's values once the sampler has renewed the worlds.

    Parameters
    ----------
    seed : int
    worlds : int
        As many chains, each with figures of its own.
    steps : int
    given : dict, optional
        Priors that the sampler is told, if not those that the worlds are from.

    Returns
    -------
    dict of str to float
        By parameter, the smallest chance of its entries, allowing for their number.
    """
    priors = specification("flows")["priors"]
    generator = np.random.default_rng(seed)
    made = []
    for _ in range(worlds):
        true = prior_parameters(priors, generator)
        gross, hidden = _history(true, generator)
        made.append({**true, **hidden})
    state = gibbs.State(gross, given or priors, worlds, generator)
    for name in made[0]:
        setattr(state, name, np.stack([world[name] for world in made]))
    state.centre = np.zeros_like(state.centre)
    for _ in range(steps):
        deviation = np.sqrt(state.noise[:, None, None] ** 2 + state.error)
        figures = state.level + deviation * generator.standard_normal(state.level.shape)
        state.values = np.where(state.observed, figures, 0.0)
        state.step()
    prior = [prior_parameters(priors, generator) for _ in range(20 * worlds)]
    return {
        name: _chance(
            getattr(state, name).reshape(worlds, -1),
            np.stack([draw[name] for draw in prior]).reshape(len(prior), -1),
        )
        for name in PARAMETERS
    }


def _chance(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the smallest chance that columns of both are alike, allowing for their number."""
    chances = []
    for ours, theirs in zip(found.T, expected.T):
        edges = np.unique(np.quantile(theirs, np.arange(0.1, 0.95, 0.1)))
        counts = [
            np.bincount(np.searchsorted(edges, column), minlength=len(edges) + 1)
            for column in (ours, theirs)
        ]
        shares = counts[1] / len(theirs)
        chances.append(float(chisquare(counts[0], shares * len(ours)).pvalue))
    return 1.0 - (1.0 - min(chances)) ** len(chances)
