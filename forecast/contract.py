"""What a model is: `fit(panel, seed)` gives a fitted model, which gives a Forecast.

A model of one's own needs a name and a ``fit``, and what that returns a ``forecast``. Everything
else that the package may want to know of a model is an optional hook of `ModelBase` and
`FittedBase`, with a default: inherit from them, or give attributes of the same names.
`forecast.completion.complete` puts the defaults beside any other object, so that nothing ever
asks what type a model has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from forecast.fitted import FittedBase, FittedModel
from forecast.panel import Panel, Series
from forecast.series_key import KEY, SeriesKey

#: Columns of `Forecast.notes`.
NOTE_COLUMNS = (*KEY, "origin", "observations", "status", "reason", "scale", "population", "flags")
#: Values of the column ``status``.
FORECAST, NOT_FORECAST = "forecast", "not forecast"
#: What a model may be handed beside the panel: matrices of moves between regions, drivers.
Input = Literal["moves", "covariates"]


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

__all__ = [
    "BY_NAME",
    "FORECAST",
    "NOTE_COLUMNS",
    "NOT_FORECAST",
    "FittedBase",
    "FittedModel",
    "Input",
    "Model",
    "ModelBase",
    "PathErrors",
]
