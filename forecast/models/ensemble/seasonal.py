"""The ensemble of months, quarters and half-years: the seasonal models, settings of their own."""

from __future__ import annotations

from forecast.models.ensemble.model import Ensemble, FittedEnsemble
from forecast.models.seasonal.models import require_season
from forecast.panel import Panel


class Seasonal(Ensemble):
    """The ensemble with the members and settings of ``models/seasonal.toml``.

    `forecast.models.ensemble.model.Ensemble` is this one where figures are not by year and nothing
    else was asked for.

    It takes the same arguments.
    """

    stated = "seasonal"
    recipe = Ensemble.recipe

    def fit(self, panel: Panel, seed: int) -> FittedEnsemble:
        """Prepare the members; see `Ensemble.fit`.

        Raises
        ------
        DataError
            Of figures by year.
        """
        require_season(self.name, panel)
        return super().fit(panel, seed)
