"""Random walk, with and without drift: what to expect if nothing changes."""

from __future__ import annotations

from functools import cache

import numpy as np

from forecast.contract import BY_NAME
from forecast.models.series.representation import DUMMY, from_statsmodels
from forecast.models.series.statespace import Nodes
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
        model,
        [[1.0]],
        diffuse=[True, True],
        level=[True, False],
        log_prior=np.zeros(1),
        names={},
    )


class RandomWalk(StateSpaceModel):
    """y_t = y_{t-1} + e_t, e_t ~ N(0, s2), s2 unknown: the reference of all skill.

    Predictive distributions are Student-t with one degree of freedom per observed change.
    """

    name = "naive"
    recipe = BY_NAME

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the single node."""
        return _random_walk()


class RandomWalkWithDrift(StateSpaceModel):
    """y_t = y_{t-1} + b + e_t with an unknown constant drift b."""

    name = "drift"
    recipe = BY_NAME

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the single node; the drift is a state without noise."""
        return _random_walk_with_drift()
