"""What a fitted model is: it simulates the years after the data; the rest is optional."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from forecast.errors import DataError
from forecast.outlook import Forecast
from forecast.series import Series
from forecast.series_key import SeriesKey


@runtime_checkable
class FittedModel(Protocol):
    """The least that a model that has seen a panel must have."""

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        """Simulate the years after the data.

        Parameters
        ----------
        years : sequence of int
            Target years, each after the data of at least one series.
        draws : int
            Number of simulated futures; draw *i* is the same world in every series.

        Returns
        -------
        Forecast

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.models.registry import model
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> model("naive").fit(panel, seed=1).forecast((2027,), draws=200).horizons
        (2027,)
        """
        ...


class FittedBase:
    """A fitted model with everything optional at its default."""

    @property
    def diagnostics(self) -> pd.DataFrame:
        """One row per series or parameter: what was estimated, and whether it can be trusted."""
        return pd.DataFrame()

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        """Simulate the years after the data.

        Parameters
        ----------
        years : sequence of int
            Target years, each after the data of at least one series.
        draws : int
            Number of simulated futures; draw *i* is the same world in every series.

        Returns
        -------
        Forecast
            Persons per calendar year, net inflow positive.

        Raises
        ------
        DataError
            If a year is not after the data, or too far after them.

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.models.registry import model
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> model("naive").fit(panel, seed=1).forecast((2027,), draws=200).horizons
        (2027,)
        """
        raise NotImplementedError(f"{type(self).__name__} defines no forecast")

    def parameter_share(self, key: SeriesKey, n_ahead: int) -> np.ndarray:
        """Return how much of a series' variance comes from uncertain parameters and state.

        Parameters
        ----------
        key : SeriesKey
            A series that is forecast.
        n_ahead : int
            Steps after the series' last year.

        Returns
        -------
        ndarray, shape (n_ahead,)
            Shares between 0 and 1; NaN (the default) where the model does not say.

        Examples
        --------
        >>> FittedBase().parameter_share(("un-wpp", "KAZ", "net_migration"), 2)
        array([nan, nan])
        """
        return np.full(n_ahead, np.nan)

    def statsmodels(self, series: Series | SeriesKey) -> Any:
        """Return a fitted series as results of statsmodels, where the model has a state-space form.

        Parameters
        ----------
        series : Series or (source, location, measure)
            One that the model forecasts.

        Returns
        -------
        statsmodels.tsa.statespace.mlemodel.MLEResults
            See `forecast.models.series.univariate.FittedSeriesModel.statsmodels`.

        Raises
        ------
        DataError
            By default: most models have no state-space form.

        Examples
        --------
        >>> try:
        ...     FittedBase().statsmodels(("un-wpp", "KAZ", "net_migration"))
        ... except DataError as error:
        ...     print(str(error)[:35])
        this model has no state-space form,
        """
        raise DataError(
            "this model has no state-space form, so statsmodels cannot show it. These have one: "
            "naive, persistence, drift, mean, ets, theta, arima, level, ar, structural, regression."
        )
