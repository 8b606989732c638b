"""Structural models: walks, means, levels, damped trends and AR(1), weighed by the data."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np

from forecast.contract import BY_NAME
from forecast.models.registry import specification
from forecast.models.series.representation import (
    DUMMY,
    Nodes,
    from_statsmodels,
    joined,
    stationary_covariance,
)
from forecast.models.series.univariate import Prepared, StateSpaceModel


@cache
def _random_walk() -> Nodes:
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    model = UnobservedComponents(DUMMY, level="random walk")
    return from_statsmodels(
        model, [[1.0]], diffuse=[True], level=[True], log_prior=np.zeros(1), names={}
    )


@cache
def _random_walk_with_drift() -> Nodes:
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    model = UnobservedComponents(DUMMY, level="random walk with drift")
    return from_statsmodels(
        model, [[1.0]], diffuse=[True, True], level=[True, False], log_prior=np.zeros(1), names={}
    )


class RandomWalk(StateSpaceModel):
    """y_t = y_{t-1} + e_t, e_t ~ N(0, s2), s2 unknown and constant: the plain naive forecast.

    Predictive distributions are Student-t with one degree of freedom per observed change.
    """

    name = "naive"
    recipe = BY_NAME

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the single node."""
        return _random_walk()


class Persistence(RandomWalk):
    """A random walk whose variance drifts: the reference of skill and verdicts.

    Same middle as `RandomWalk`. The variance is learned with the discounts that every other model
    has (``models/persistence.toml``), so that skill against it is not won by width alone.
    """

    name = "persistence"
    recipe = BY_NAME


class RandomWalkWithDrift(StateSpaceModel):
    """y_t = y_{t-1} + b + e_t with an unknown constant drift b."""

    name = "drift"
    recipe = BY_NAME

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the single node; the drift is a state without noise."""
        return _random_walk_with_drift()


@cache
def _constant() -> Nodes:
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    model = UnobservedComponents(DUMMY, level="deterministic constant")
    return from_statsmodels(
        model, [[1.0]], diffuse=[True], level=[True], log_prior=np.zeros(1), names={}
    )


class HistoricalMean(StateSpaceModel):
    """y_t = m + e_t: independent years around an unknown mean."""

    name = "mean"
    recipe = BY_NAME

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the single node."""
        return _constant()


def signal_to_noise(gain: float) -> tuple[float, float]:
    """Return (observation, level) variance, adding to one, for a steady-state gain.

    The gain K of a local level solves q = K² / (1 − K) with q the ratio of the two
    (Harvey 1989, section 4.1.2); K = 1 is a random walk.
    """
    if gain >= 1.0:
        return 0.0, 1.0
    ratio = gain**2 / (1.0 - gain)
    return 1.0 / (1.0 + ratio), ratio / (1.0 + ratio)


@cache
def local_level() -> Nodes:
    """Return a level that moves as a random walk under noise."""
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    gain = np.array(specification("level")["grid"]["gain"])
    model = UnobservedComponents(DUMMY, level="local level")
    return from_statsmodels(
        model,
        [signal_to_noise(value) for value in gain],
        diffuse=[True],
        level=[True],
        log_prior=np.zeros(len(gain)),
        names={"gain": gain},
    )


@cache
def damped_trend() -> Nodes:
    """Return a level whose trend is a stationary autoregression around zero.

    A stationary trend starts from its long-run distribution instead of a diffuse one,
    so its likelihood compares with that of the other components.
    """
    settings = specification("structural")["trend"]
    grid = np.array(
        list(product(settings["gain"], settings["trend_variance"], settings["damping"]))
    )
    size = len(grid)
    transition = np.zeros((size, 2, 2))
    transition[:, 0, 0] = 1.0
    transition[:, 0, 1] = transition[:, 1, 1] = grid[:, 2]
    variances = np.array([signal_to_noise(gain) for gain in grid[:, 0]])
    noise = np.zeros((size, 2, 2))
    noise[:, 0, 0] = variances[:, 1]
    noise[:, 1, 1] = variances[:, 1] * grid[:, 1]
    # The trend's shock moves the level in the same year.
    noise[:, 0, 1] = noise[:, 1, 0] = noise[:, 1, 1]
    noise[:, 0, 0] += noise[:, 1, 1]
    stationary = np.array([False, True])
    initial = np.stack(
        [stationary_covariance(*pair, stationary) for pair in zip(transition, noise)]
    )
    return Nodes(
        np.tile([1.0, 0.0], (size, 1)), transition, noise, variances[:, 0], initial, ~stationary,
        ~stationary, np.zeros(size), dict(zip(("gain", "trend_variance", "damping"), grid.T)),
        ("level", "trend"),
    )  # fmt: skip


@cache
def autoregression() -> Nodes:
    """Return deviations from an unknown mean that die out: AR(1) with a constant."""
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    size = specification("ar")["grid"]["persistence_nodes"]
    persistence = (np.arange(size) + 0.5) * 2.0 / size - 1.0
    log_prior = -specification("ar")["grid"]["prior_power"] * np.log(1.0 - persistence**2)
    model = UnobservedComponents(DUMMY, level="fixed intercept", autoregressive=1)
    return from_statsmodels(
        model,
        [[1.0, value] for value in persistence],
        diffuse=[True, False],
        level=[True, False],
        log_prior=log_prior,
        names={"persistence": persistence},
    )


@cache
def _average() -> Nodes:
    return joined(
        {
            "weight_level": local_level(),
            "weight_trend": damped_trend(),
            "weight_autoregression": autoregression(),
        }
    )


class LocalLevel(StateSpaceModel):
    """Level under noise, averaged over the signal-to-noise ratio."""

    name = "level"
    recipe = BY_NAME

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the grid of gains."""
        return local_level()


class Autoregression(StateSpaceModel):
    """AR(1) around an unknown mean, averaged over the persistence."""

    name = "ar"
    recipe = BY_NAME

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the grid of persistences."""
        return autoregression()


class Structural(StateSpaceModel):
    """Local level, damped trend and AR(1), weighed by their marginal likelihood.

    Bayesian model averaging (Hoeting et al. 1999, doi:10.1214/ss/1009212519) over three
    structural time-series models with equal prior weights (``models/structural.toml``).
    """

    name = "structural"
    recipe = BY_NAME

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the nodes of all three components."""
        return _average()
