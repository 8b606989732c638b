"""Series that share how lively they are: posteriors on a grid with pooled weights.

Each series has the exact posterior of `forecast.models.series.statespace` on the same nodes.
What is pooled is the prior: how common each node and each discount of the variance is, and how
large shocks are, are estimated from all series together (empirical Bayes). A long series hardly
notices; a short one takes from the others what it cannot know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gammaln

from forecast.models.series.representation import Nodes, SeriesPosterior
from forecast.models.series.statespace import condition, discount_prior

_ITERATIONS = 200


@dataclass(frozen=True, eq=False)
class SharedPrior:
    """What series have in common.

    Attributes
    ----------
    node_weights : ndarray, shape (k,)
    discount_weights : ndarray, shape (d,)
    degrees, variance : float
        Degrees of freedom and centre of the scaled inverse chi-squared distribution of the
        series' variances.
    level : float
        Standard deviation of the present levels around zero.
    """

    nodes: Nodes
    discounts: tuple[float, ...]
    node_weights: np.ndarray
    discount_weights: np.ndarray
    degrees: float
    variance: float
    level: float


def learn(
    values: Sequence[np.ndarray],
    breaks: Sequence[np.ndarray],
    floors: Sequence[float],
    nodes: Nodes,
    discounts: Sequence[float],
    *,
    weight: float,
    degrees: float,
) -> SharedPrior:
    """Estimate what series have in common.

    Parameters
    ----------
    values, breaks : sequences of ndarray, shape (n_years,)
        Series in one unit, and the years that start a new level.
    floors : sequence of float
        Rounding of each, as in `statespace.condition`.
    weight : float
        How many series the prior weights of the nodes count for.
    degrees : float
        Prior mode of the degrees of freedom of the variances.
    """
    posteriors = [condition(nodes, v, b, f, discounts) for v, b, f in zip(values, breaks, floors)]
    base = np.exp(nodes.log_prior - nodes.log_prior.max())
    base /= base.sum()
    own = np.stack([posterior.weights.sum(axis=1) for posterior in posteriors])
    node_weights = _share(own / base, base, weight)
    before = discount_prior(np.asarray(discounts))
    before /= before.sum()
    own = np.stack([posterior.weights.sum(axis=0) for posterior in posteriors])
    discount_weights = _share(own / before, before, weight)
    squares = np.array([(p.weights * p.sum_squares).sum() for p in posteriors])
    freedom = np.array([(p.weights * p.degrees).sum() for p in posteriors])
    known, variance = _variances(squares, freedom, degrees)
    present = np.array(
        [(p.weights.sum(axis=1) * (p.state * nodes.design).sum(axis=1)).sum() + p.shift
         for p in posteriors]
    )  # fmt: skip
    level = float(np.sqrt((present**2).mean()))
    return SharedPrior(
        nodes, tuple(discounts), node_weights, discount_weights, known, variance, level
    )


def posterior(
    pool: SharedPrior,
    values: np.ndarray,
    breaks: np.ndarray,
    floor: float,
    variance: float | None = None,
) -> SeriesPosterior:
    """Return what a series says about the nodes, with the pool as prior.

    Parameters
    ----------
    values, breaks : ndarray, shape (n_years,)
    variance : float, optional
        Centre of the prior of the variance where the series is in another unit.
    """
    own = condition(pool.nodes, values, breaks, floor, pool.discounts)
    base = np.exp(pool.nodes.log_prior - pool.nodes.log_prior.max())
    before = discount_prior(np.asarray(pool.discounts))
    weights = own.weights * (pool.node_weights / base)[:, None]
    weights = weights * (pool.discount_weights / before)
    centre = pool.variance if variance is None else variance
    return replace(
        own,
        weights=weights / weights.sum(),
        sum_squares=own.sum_squares + pool.degrees * centre,
        degrees=own.degrees + pool.degrees,
    )


def _share(likelihood: np.ndarray, base: np.ndarray, weight: float) -> np.ndarray:
    """Estimate how common each column is from rows of likelihoods (EM with a Dirichlet prior)."""
    shares = base.copy()
    for _ in range(_ITERATIONS):
        member = likelihood * shares
        member /= member.sum(axis=1, keepdims=True)
        shares = (member.sum(axis=0) + weight * base) / (len(member) + weight)
    return shares


def _variances(squares: np.ndarray, freedom: np.ndarray, degrees: float) -> tuple[float, float]:
    """Fit a scaled inverse chi-squared distribution to variances (Smyth 2004)."""
    from scipy.optimize import minimize

    usable = (freedom > 0) & (squares > 0)
    squares, freedom = squares[usable], freedom[usable]
    start = [np.log(degrees), float(np.median(np.log(squares / freedom)))]

    def cost(given: np.ndarray) -> float:
        known, variance = np.exp(given)
        density = gammaln((known + freedom) / 2) - gammaln(known / 2)
        density = density + known / 2 * np.log(known * variance)
        density = density - (known + freedom) / 2 * np.log(known * variance + squares)
        return float(-density.sum() + 0.5 * (given[0] - start[0]) ** 2)

    found = minimize(cost, start, method="Nelder-Mead").x
    known, variance = np.exp(found)
    return float(known), float(variance)
