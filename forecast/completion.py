"""Completion of a model of any type with the optional hooks of the contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from forecast.contract import FittedBase, FittedModel, Model, ModelBase
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.series_key import SeriesKey

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
