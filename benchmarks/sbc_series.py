"""Ranks of true values in the models of single series, for ``sbc.py``.

Level and variance have scale-free priors that nothing can be drawn from. Their posterior is
pivotal: whatever the true level and variance, ranks are uniform once the other parameters are
drawn from their (proper) priors. So the true level is zero and the true variance one. The
variance is constant: a discounted one is a device of forecasting, not a model that
makes data. The pooled posterior of regions has a proper prior of the variance, given the pool,
and is drawn from it.
"""

from __future__ import annotations

import numpy as np

from forecast.models.regional.partial_pooling import SharedPrior, posterior
from forecast.models.series.representation import Nodes, SeriesPosterior, root, simulate
from forecast.models.series.statespace import condition
from forecast.models.series.structural import Autoregression, LocalLevel, Structural

N_YEARS, AHEAD = 24, (1, 3, 7)
#: SeriesPosterior draws that a rank is counted among.
KEPT = 99
#: A pool that regions might have learned: degrees of freedom and centre of their variances.
DEGREES, CENTRE = 6.0, 2.0


def level(seed: int) -> dict[str, np.ndarray]:
    """Ranks of the local level."""
    return _replicate(LocalLevel().nodes(None), seed)  # type: ignore[arg-type]


def autoregression(seed: int) -> dict[str, np.ndarray]:
    """Ranks of the autoregression around an unknown mean."""
    return _replicate(Autoregression().nodes(None), seed)  # type: ignore[arg-type]


def structural(seed: int) -> dict[str, np.ndarray]:
    """Ranks of the average over the three structural models."""
    return _replicate(Structural().nodes(None), seed)  # type: ignore[arg-type]


def pooled(seed: int) -> dict[str, np.ndarray]:
    """Ranks of a region's series, given what the regions have in common."""
    nodes = Structural().nodes(None)  # type: ignore[arg-type]
    generator = np.random.default_rng(seed)
    # Any pool will do: its node weights are the prior.
    weights = generator.dirichlet(np.full(len(nodes.log_prior), 0.2))
    pool = SharedPrior(nodes, (1.0,), weights, np.ones(1), DEGREES, CENTRE, 1.0)
    variance = DEGREES * CENTRE / generator.chisquare(DEGREES)
    node, path, states = _history(nodes, weights, generator)
    values = np.sqrt(variance) * path
    own = posterior(pool, values[:N_YEARS], np.zeros(N_YEARS, dtype=bool), 0.0)
    return _ranks(own, node, variance, np.sqrt(variance) * states, values, generator)


def _replicate(nodes: Nodes, seed: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    prior = np.exp(nodes.log_prior - nodes.log_prior.max())
    node, values, states = _history(nodes, prior / prior.sum(), generator)
    own = condition(nodes, values[:N_YEARS], np.zeros(N_YEARS, dtype=bool))
    return _ranks(own, node, 1.0, states, values, generator)


def _history(
    nodes: Nodes, prior: np.ndarray, generator: np.random.Generator
) -> tuple[int, np.ndarray, np.ndarray]:
    """Draw a node, and a series with its states of unit variance."""
    node = int(generator.choice(len(prior), p=prior))
    n_states = nodes.design.shape[1]
    first, noise = root(nodes.initial[node]), root(nodes.state_noise[node])
    state = first @ generator.standard_normal(n_states)
    states = np.empty((N_YEARS + max(AHEAD), n_states))
    for year in range(len(states)):
        if year:
            state = nodes.transition[node] @ state
            state = state + noise @ generator.standard_normal(n_states)
        states[year] = state
    error = np.sqrt(nodes.observation_noise[node]) * generator.standard_normal(len(states))
    return node, states @ nodes.design[node] + error, states


def _ranks(
    own: SeriesPosterior,
    node: int,
    variance: float,
    states: np.ndarray,
    values: np.ndarray,
    generator: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Count the true values among posterior draws; ties are broken by chance."""
    weights = own.weights[:, 0] / own.weights[:, 0].sum()
    chosen = generator.choice(len(weights), size=KEPT, p=weights)
    drawn = own.sum_squares[chosen, 0] / generator.chisquare(own.degrees[0], KEPT)
    shock = generator.standard_normal((KEPT, states.shape[1]))
    present = own.state[chosen] + np.sqrt(drawn)[:, None] * (
        own.state_root[chosen] * shock[:, None, :]
    ).sum(axis=2)
    nodes = own.nodes
    ahead = simulate(own, max(AHEAD), KEPT, generator)
    found = {
        "variance": _rank(drawn, variance, generator),
        # The present level, or the mean that the series returns to.
        "level": _rank(present[:, 0] + own.shift, float(states[N_YEARS - 1, 0]), generator),
        "future": np.array(
            [_rank(ahead[:, h - 1], values[N_YEARS + h - 1], generator) for h in AHEAD]
        ),
    }
    for name, grid in nodes.parameters.items():
        found[name] = _rank(grid[chosen], grid[node], generator)
    return found


def _rank(drawn: np.ndarray, true: float, generator: np.random.Generator) -> np.ndarray:
    # A level without noise is known but for rounding.
    near = np.abs(drawn - true) < 1e-6
    return np.asarray(
        int(((drawn < true) & ~near).sum()) + generator.integers(0, int(near.sum()) + 1)
    )
