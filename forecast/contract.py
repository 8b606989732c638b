"""What a model is: `fit(panel, seed)` gives a fitted model, which gives a Forecast.

A model of one's own needs a name and a ``fit``, and what that returns a ``forecast``. Everything
else that the package may want to know of a model is an optional hook of `ModelBase` and
`FittedBase`, with a default: inherit from them, or give attributes of the same names.
`complete` puts the defaults beside any other object, so that nothing ever
asks what type a model has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
            "naive, persistence, drift, mean, ets, theta, arima, level, ar, structural, "
            "regression, seasonal-naive, seasonal-ets, seasonal-components, seasonal-arima, "
            "seasonal-theta."
        )


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

        Returns
        -------
        FittedModel

        Raises
        ------
        DataError
            If there is nothing in the panel that it can forecast.
        FitError
            If the fit cannot be trusted.

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.models.registry import model
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> isinstance(model("naive").fit(panel, seed=1), FittedModel)
        True
        """
        ...


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
    members : sequence of ModelBase
        Models whose forecasts it combines.
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
    members: Sequence[ModelBase] = ()
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

        Parameters
        ----------
        day : str (YYYY-MM-DD)
            One of `published_days`.

        Returns
        -------
        DataFrame
            ``source, location, measure, year, quantile, value`` (persons a year); by default empty.

        Examples
        --------
        >>> from forecast.models.registry import model
        >>> model("naive").published("2024-07-11").empty
        True
        """
        columns = ["source", "location", "measure", "year", "quantile", "value"]
        return pd.DataFrame(columns=columns)

    def with_errors(self, errors: Mapping[SeriesKey, PathErrors]) -> ModelBase:
        """Return a model whose published single figures are uncertain; itself by default.

        Parameters
        ----------
        errors : mapping of (source, location, measure) to PathErrors
            How wrong published figures of each series have been.

        Returns
        -------
        ModelBase

        Examples
        --------
        >>> from forecast.models.registry import model
        >>> naive = model("naive")
        >>> naive.with_errors({}) is naive
        True
        """
        return self

    def prepare(self) -> bool:
        """Start, in the background, what the first fit would wait for.

        Returns
        -------
        bool
            Whether a fit would start at once; where not, other models are run before it.

        Examples
        --------
        >>> from forecast.models.registry import model
        >>> model("naive").prepare()
        True
        """
        return True

    def fit(self, panel: Panel, seed: int) -> FittedModel:
        """Learn from a panel.

        Parameters
        ----------
        panel : Panel
            Everything the model may know but the tables that it declares in `inputs`.
        seed : int
            Source of all randomness, in the fit and in the draws.

        Returns
        -------
        FittedModel
            Series that it cannot forecast are in the notes of its forecasts, with the reason.

        Raises
        ------
        DataError
            If there is nothing in the panel that it can forecast.
        FitError
            If the fit cannot be trusted.

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.models.registry import model
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> len(model("naive").fit(panel, seed=1).forecast((2027,), draws=200).keys)
        3
        """
        raise NotImplementedError(f"{type(self).__name__} defines no fit")

    def draw_series(
        self, series: Series, n_ahead: int, n_draws: int, seed: int, **known: pd.DataFrame
    ) -> np.ndarray:
        """Forecast one series by itself, where the model is `separate`.

        Parameters
        ----------
        series : Series
            The figures and flags that may be known.
        n_ahead : int
            Steps after the series' last year.
        n_draws : int
            Simulated futures.
        seed : int
            As of a fit of the whole panel.
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

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.models.registry import model
        >>> series = fc.load("central-asia").select(location="KAZ", source="kz-bns").series[0]
        >>> model("naive").draw_series(series, n_ahead=3, n_draws=200, seed=1).shape
        (200, 3)
        """
        raise NotImplementedError(f"{type(self).__name__} forecasts no series by itself")


class PathErrors(Protocol):
    """How wrong published figures of one series have been."""

    def add(self, series: Series, paths: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Return the draws with past errors added.

        Parameters
        ----------
        series : Series
            The figures up to the origin.
        paths : ndarray, shape (n_draws, n_ahead)
            Persons per calendar year (or period).
        generator : numpy.random.Generator
            Source of the randomness.

        Returns
        -------
        ndarray, shape (n_draws, n_ahead)
            Persons per calendar year (or period).
        """


#: Takes the place of a recipe that a subclass would inherit.
_UNSTATED = ModelBase.recipe


def _by_name(model: ModelBase) -> Mapping[str, Any]:
    """Return the recipe of a model that is made without arguments: its name alone."""
    return {"model": model.name}


#: ``recipe = BY_NAME`` in the body of a class whose forecasts nothing else decides.
BY_NAME = property(_by_name)

#: What `complete` looks for.
_HOOKS = (
    *("measures", "needs", "inputs", "separate", "recipe", "published_days"),
    *("published", "with_errors", "prepare", "draw_series"),
)


class _CompletedModel(ModelBase):
    """A model of any type with the defaults of what it leaves out."""

    def __init__(self, model: Model) -> None:
        self.name = model.name
        self.original = model
        for hook in _HOOKS:
            if hasattr(model, hook) and hook not in ("recipe", "published_days"):
                setattr(self, hook, getattr(model, hook))

    @property
    def recipe(self) -> Mapping[str, Any] | None:
        stated: Mapping[str, Any] | None = getattr(self.original, "recipe", None)
        return stated

    @property
    def published_days(self) -> tuple[str, ...]:
        return tuple(getattr(self.original, "published_days", ()))

    def fit(self, panel: Panel, seed: int, **known: pd.DataFrame) -> FittedBase:
        """Learn from a panel, with the inputs that the model declares."""
        fit: Callable[..., FittedModel] = self.original.fit
        return complete_fitted(fit(panel, seed, **known))


class _CompletedFit(FittedBase):
    """A fitted model of any type with the defaults of what it leaves out."""

    def __init__(self, fitted: FittedModel) -> None:
        self.original = fitted
        if hasattr(fitted, "parameter_share"):
            self.parameter_share = fitted.parameter_share  # type: ignore[method-assign]

    @property
    def diagnostics(self) -> pd.DataFrame:
        stated: pd.DataFrame = getattr(self.original, "diagnostics", super().diagnostics)
        return stated

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        return self.original.forecast(years, draws)


def complete(model: Model) -> ModelBase:
    """Return a model with all the hooks of `ModelBase`, at their defaults where it has none.

    Parameters
    ----------
    model : Model
        Any object with a name and a ``fit``.

    Returns
    -------
    ModelBase
        The model itself if it has the hooks already.

    Examples
    --------
    >>> from forecast.models.series.structural import RandomWalk
    >>> complete(RandomWalk()).published_days
    ()
    """
    return model if isinstance(model, ModelBase) else _CompletedModel(model)


def complete_fitted(fitted: FittedModel) -> FittedBase:
    """Return a fitted model with all the hooks of `FittedBase`, at defaults where it has none.

    Parameters
    ----------
    fitted : FittedModel
        Any object with a ``forecast``.

    Returns
    -------
    FittedBase
        The fitted model itself if it has the hooks already.

    Examples
    --------
    >>> complete_fitted(FittedBase()).diagnostics.empty
    True
    """
    return fitted if isinstance(fitted, FittedBase) else _CompletedFit(fitted)


def meant_for(model: ModelBase, panel: Panel) -> set[SeriesKey]:
    """Return the series of a panel that a model is meant for, by its measures and needs.

    Parameters
    ----------
    model : ModelBase
        Its `measures` and `needs` decide.
    panel : Panel
        The series to choose from.

    Returns
    -------
    set of (source, location, measure)

    Examples
    --------
    >>> import forecast as fc
    >>> from forecast.models.registry import model
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> sorted(measure for _, _, measure in meant_for(model("hierarchical"), panel))
    ['net_migration']
    """
    there = {series.key for series in panel}
    return {
        (source, location, measure)
        for source, location, measure in there
        if (model.measures is None or measure in model.measures)
        and all((source, location, other) in there for other in model.needs)
    }
