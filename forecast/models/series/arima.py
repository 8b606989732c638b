"""ARIMA with the order chosen by AICc over a small set."""

from __future__ import annotations

from functools import cache

import numpy as np

from forecast.contract import BY_NAME
from forecast.models.series.representation import DUMMY, from_statsmodels
from forecast.models.series.statespace import Nodes, Posterior
from forecast.models.series.univariate import Prepared, StateSpaceModel
from forecast.models.specification import specification

Order = tuple[int, int, int]


@cache
def orders() -> tuple[Order, ...]:
    """Return the orders that are compared, as ``models/arima.toml`` lists them."""
    return tuple((p, d, q) for p, d, q in specification("arima")["orders"])


@cache
def nodes_of(order: Order) -> Nodes:
    """Return the coefficient grid of one order, all stationary and invertible."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    p, d, q = order
    coefficients = _coefficients(p, q)
    parameters = np.column_stack([coefficients, np.ones(len(coefficients))])
    model = SARIMAX(
        DUMMY,
        order=order,
        exog=None if d else np.ones(len(DUMMY)),
        mle_regression=False,
        enforce_stationarity=False,
        enforce_invertibility=False,
    )
    n_states = model.k_states
    # statsmodels puts the d differencing states first and a regression state last.
    integrated = np.arange(n_states) < d if d else np.arange(n_states) == n_states - 1
    labels = [f"ar{lag + 1}" for lag in range(p)] + [f"ma{lag + 1}" for lag in range(q)]
    return from_statsmodels(
        model,
        parameters,
        diffuse=integrated,
        level=integrated,
        log_prior=np.zeros(len(parameters)),
        names=dict(zip(labels, coefficients.T)),
    )


def _coefficients(p: int, q: int) -> np.ndarray:
    """Return a grid over the stationary and invertible region, shape (k, p + q)."""
    if p + q == 0:
        return np.empty((1, 0))
    grid = specification("arima")["grid"]
    size = grid["fine"] if p + q == 1 else grid["coarse"]
    # Midpoints of equal parts of (-1, 1): partial autocorrelations never reach one.
    axis = (np.arange(size) + 0.5) * 2.0 / size - 1.0
    mesh = np.array(np.meshgrid(*([axis] * (p + q)), indexing="ij")).reshape(p + q, -1).T
    if (p, q) == (2, 0):
        first, second = mesh.T
        return np.column_stack([first * (1.0 - second), second])
    return mesh


def aicc(log_likelihood: float, n_parameters: int, n_observations: int) -> float:
    """Return Akaike's criterion corrected for short series (Hurvich and Tsai 1989).

    Parameters
    ----------
    log_likelihood : float
        At its maximum.
    n_parameters : int
        Coefficients plus the variance.
    n_observations : float
        Observations that enter the likelihood.
    """
    room = n_observations - n_parameters - 1
    if room <= 0:
        return float("inf")
    return 2 * n_parameters - 2 * log_likelihood + 2 * n_parameters * (n_parameters + 1) / room


class Arima(StateSpaceModel):
    """ARIMA(p, d, q); order by AICc, coefficients averaged over a grid.

    Orders without differencing have a diffuse mean. Both kinds then use the likelihood of
    the same n − 1 contrasts, which makes their AICc comparable. The variance may drift, so
    the likelihood is the predictive one, at the best coefficients and discount.
    """

    name = "arima"
    recipe = BY_NAME

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the nodes of the order that AICc chooses."""
        return self.posterior(prepared).nodes

    def posterior(self, prepared: Prepared) -> Posterior:
        """Fit every order and keep the one with the smallest AICc."""
        best: tuple[float, Posterior] | None = None
        for order in orders():
            candidate = self.weigh(nodes_of(order), prepared, prepared.values)
            n_parameters = order[0] + order[2] + 1
            observations = np.isfinite(candidate.fitted).sum()
            score = aicc(float(candidate.log_likelihood.max()), n_parameters, int(observations))
            if best is None or score < best[0]:
                best = score, candidate
        assert best is not None
        return best[1]
