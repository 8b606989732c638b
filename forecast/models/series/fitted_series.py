"""Time-series models that have seen a panel: futures, diagnostics, statsmodels' view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from forecast.contract import FittedBase
from forecast.errors import DataError
from forecast.horizons import check_years
from forecast.models.assembly import assemble
from forecast.models.series.posterior import SeriesPosterior, parameter_share
from forecast.models.series.prepared import Prepared
from forecast.outlook import Forecast
from forecast.panel import Panel, Series
from forecast.series_key import KEY, SeriesKey, rows_of

if TYPE_CHECKING:
    from statsmodels.tsa.statespace.mlemodel import MLEResults

    from forecast.models.series.univariate import StateSpaceModel


@dataclass(frozen=True)
class FittedSeriesModel(FittedBase):
    """A time-series model that has seen a panel.

    Attributes
    ----------
    model : StateSpaceModel
    panel : Panel
    seed : int
    fits : dict of (source, location, measure) to (Prepared, SeriesPosterior)
    notes : DataFrame
        One row per series, see `Forecast.notes`.
    """

    model: StateSpaceModel
    panel: Panel
    seed: int
    fits: dict[SeriesKey, tuple[Prepared, SeriesPosterior]]
    notes: pd.DataFrame

    @property
    def diagnostics(self) -> pd.DataFrame:
        """One row per series and parameter: posterior mean, and the innovation scale."""
        rows = []
        for key, (_, posterior) in self.fits.items():
            named = {name: posterior.mean(name) for name in posterior.nodes.parameters}
            variance = {"discount": posterior.mean("discount"), "innovation": posterior.spread}
            for parameter, estimate in {**named, **variance}.items():
                rows.append((*key, parameter, estimate))
        return pd.DataFrame(rows, columns=[*KEY, "parameter", "mean"])

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        """Simulate futures; see `forecast.contract.FittedModel`."""
        wanted = check_years(self.panel, years)
        drawn = {}
        for key, (prepared, posterior) in self.fits.items():
            series = prepared.series
            n_ahead = max(0, (wanted[-1] - series.origin) // series.step)
            drawn[key] = self.model.persons(prepared, posterior, n_ahead, draws, self.seed)
        return assemble(
            self.panel, drawn, wanted, self.notes, model=self.model.name, seed=self.seed
        )

    def statsmodels(
        self, series: Series | SeriesKey, *, variance: Literal["average", "present"] = "average"
    ) -> MLEResults:
        """Return a fitted series as results of statsmodels, with all of its tools.

        The matrices are those of the model's most probable parameters, the values are on the
        model's scale (`Forecast.notes` names it) and NaN where they do not steer; statsmodels
        filters, smooths, tests and forecasts. What only the forecasts of this package hold are
        uncertain parameters and a variance that drifts.

        Parameters
        ----------
        series : Series or (source, location, measure)
            One that the model forecasts.
        variance : {"average", "present"}
            The variance of the shocks: at the maximum of the likelihood, the same in all
            years, or that of the newest ones, which makes the intervals ahead.

        Returns
        -------
        statsmodels.tsa.statespace.mlemodel.MLEResults
            ``summary()``, ``states.smoothed``, ``get_forecast(steps)``, ``plot_diagnostics()``
            and so on; years are its index. With drivers ``get_forecast`` asks for ``exog``.

        Raises
        ------
        DataError
            If the model forecasts no such series; with the reason, if it is in the panel.

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.models.registry import model
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> fitted = model("naive").fit(panel, seed=1)
        >>> results = fitted.statsmodels(("kz-bns", "KAZ", "immigration"))
        >>> len(results.get_forecast(3).predicted_mean)
        3
        """
        from forecast.models.series.as_statsmodels import results

        key = series.key if isinstance(series, Series) else tuple(series)
        if key not in self.fits:
            reasons = self.notes.loc[rows_of(self.notes, key), "reason"].tolist()
            raise DataError(
                f"{self.model.name!r} has not been fitted to {key}: "
                f"{(reasons or ['the panel has no such series.'])[0]}"
            )
        prepared, posterior = self.fits[key]
        return results(self.model, prepared, posterior, present=variance == "present")

    def parameter_share(self, key: SeriesKey, n_ahead: int) -> np.ndarray:
        """Return the share of parameters and state; see `forecast.contract.FittedBase`."""
        return parameter_share(self.fits[key][1], n_ahead)
