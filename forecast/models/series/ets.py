"""Damped exponential smoothing, ETS(A,Ad,N), averaged over its smoothing parameters."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np

from forecast.contract import BY_NAME
from forecast.models.series.representation import DUMMY, from_statsmodels
from forecast.models.series.statespace import Nodes
from forecast.models.series.univariate import Prepared, StateSpaceModel
from forecast.models.specification import specification


@cache
def _damped_trend() -> Nodes:
    from statsmodels.tsa.statespace.exponential_smoothing import ExponentialSmoothing

    grid = specification("ets")["grid"]
    nodes = np.array(
        [
            (level, share * level, damping)
            for level, share, damping in product(
                grid["smoothing_level"], grid["trend_share"], grid["damping"]
            )
        ]
    )
    model = ExponentialSmoothing(
        DUMMY,
        trend=True,
        damped_trend=True,
        initialization_method="known",
        initial_level=0.0,
        initial_trend=0.0,
    )
    names = dict(zip(("smoothing_level", "smoothing_trend", "damping"), nodes.T))
    return from_statsmodels(
        model,
        nodes,
        diffuse=[False, True, True],
        level=[False, True, False],
        log_prior=np.zeros(len(nodes)),
        names=names,
    )


class DampedTrend(StateSpaceModel):
    """Level and damped trend driven by one error (Hyndman et al. 2008).

    Initial level and trend are diffuse; smoothing and damping are averaged over a grid
    with equal prior weights (``models/ets.toml``) instead of fixed at an optimum, so
    intervals widen where the series does not determine them.
    """

    name = "ets"
    recipe = BY_NAME

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the grid of smoothing and damping parameters."""
        return _damped_trend()
