"""Historical mean: the future is scattered as the past was."""

from __future__ import annotations

from functools import cache

import numpy as np

from forecast.contract import BY_NAME
from forecast.models.series.representation import DUMMY, from_statsmodels
from forecast.models.series.statespace import Nodes
from forecast.models.series.univariate import Prepared, StateSpaceModel


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
