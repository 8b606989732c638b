"""What a model is: `fit(panel, seed)` gives a fitted model, which gives a Forecast.

A model of one's own needs a name and a ``fit``, and what that returns a ``forecast``. Everything
else that the package may want to know of a model is an optional hook of `ModelBase` and
`FittedBase`, with a default: inherit from them, or give attributes of the same names.
`forecast.completion.complete` puts the defaults beside any other object, so that nothing ever
asks what type a model has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from forecast.errors import DataError
from forecast.outlook import Forecast
from forecast.panel import Panel, Series
from forecast.series_key import KEY, SeriesKey

#: Columns of `Forecast.notes`.
NOTE_COLUMNS = (*KEY, "origin", "observations", "status", "reason", "scale", "population", "flags")
#: Values of the column ``status``.
FORECAST, NOT_FORECAST = "forecast", "not forecast"
#: What a model may be handed beside the panel: matrices of moves between regions, drivers.
Input = Literal["moves", "covariates"]


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
        """
        ...


@runtime_checkable
class Model(Protocol):
    """The least that a way to forecast must have: a `name` and a `fit` method."""

    name: str

    def fit(self, panel: Panel, seed: int) -> FittedModel:
        """Learn from a panel.

        Parameters
        ----------
        panel : Panel
            Everything the model may know; nothing else is looked at but the `inputs` that it
            declares (`ModelBase.inputs`), which are handed to it by name.
        seed : int
            Source of all randomness, in the fit and in the draws.
        """
        ...


class FittedBase:
    """A fitted model with everything optional at its default."""

    @property
    def diagnostics(self) -> pd.DataFrame:
        """One row per series or parameter: what was estimated, and whether it can be trusted."""
        return pd.DataFrame()

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        """Simulate the years after the data; see `FittedModel`."""
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
        """
        return np.full(n_ahead, np.nan)

    def statsmodels(self, series: Series | SeriesKey) -> Any:
        """Return results of statsmodels for a series; see `FittedSeriesModel.statsmodels`.

        Raises
        ------
        DataError
            By default: most models have no state-space form.
        """
        raise DataError(
            "this model has no state-space form, so statsmodels cannot show it. These have one: "
            "naive, persistence, drift, mean, ets, theta, arima, level, ar, structural, regression."
        )


class ModelBase:
    """A model with everything optional at its default.

    Attributes
    ----------
    name : str
        What it is called in tables.
    measures : tuple of str or None
        The only measures that it forecasts; None for all.
    needs : tuple of str
        Measures that the same source must have of the same location, or it declines a series.
    inputs : tuple of {"moves", "covariates"}
        Tables that `fit` takes by these names, cut to what was known at the end of the panel
        and on the day of its newest release (`forecast.data.inputs`).
    published_days : tuple of str
        Days (YYYY-MM-DD) on which it published; empty for a model that forecasts any panel.
        One that published may also end before the last target year.
    recipe : mapping or None
        Everything that decides its forecasts beside panel, seed and the package itself: names
        of settings, figures, text; JSON can hold it. What it says may be kept on disk under its
        recipe. None where nothing says so. A subclass never inherits it, since its code
        may differ.
    separate : bool
        Whether each series is forecast by itself, whatever else the panel holds, and
        `draw_series` gives the same numbers as a fit of the whole panel.
    """

    name: str
    measures: tuple[str, ...] | None = None
    needs: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
    separate: bool = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "recipe" not in vars(cls):
            cls.recipe = _UNSTATED  # type: ignore[method-assign]

    @property
    def recipe(self) -> Mapping[str, Any] | None:
        """What decides its forecasts; see `ModelBase`."""
        return None

    @property
    def published_days(self) -> tuple[str, ...]:
        """Days on which it published; see `ModelBase`."""
        return ()

    def published(self, day: str) -> pd.DataFrame:
        """Return what it published on a day.

        Returns
        -------
        DataFrame
            ``source, location, measure, year, quantile, value``; no rows by default.
        """
        columns = ["source", "location", "measure", "year", "quantile", "value"]
        return pd.DataFrame(columns=columns)

    def with_errors(self, errors: Mapping[SeriesKey, PathErrors]) -> ModelBase:
        """Return a model whose published single figures are uncertain; itself by default."""
        return self

    def fit(self, panel: Panel, seed: int) -> FittedModel:
        """Learn from a panel; see `Model`."""
        raise NotImplementedError(f"{type(self).__name__} defines no fit")

    def draw_series(
        self, series: Series, n_ahead: int, n_draws: int, seed: int, **known: pd.DataFrame
    ) -> np.ndarray:
        """Forecast one series by itself, where the model is `separate`.

        Parameters
        ----------
        series : Series
        n_ahead : int
            Steps after the series' last year.
        n_draws, seed : int
        **known : DataFrame
            The tables of `inputs`, as `fit` takes them.

        Returns
        -------
        ndarray, shape (n_draws, n_ahead)
            Persons per calendar year (or period).

        Raises
        ------
        TooShortError
            If there is too little of the series.
        """
        raise NotImplementedError(f"{type(self).__name__} forecasts no series by itself")


class PathErrors(Protocol):
    """How wrong published figures of one series have been."""

    def add(self, series: Series, paths: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Add errors to draws in persons, shape (n_draws, n_ahead)."""


#: Takes the place of a recipe that a subclass would inherit.
_UNSTATED = ModelBase.recipe


def _by_name(model: ModelBase) -> Mapping[str, Any]:
    """Return the recipe of a model that is made without arguments: its name alone."""
    return {"model": model.name}


#: ``recipe = BY_NAME`` in the body of a class whose forecasts nothing else decides.
BY_NAME = property(_by_name)
