"""The registry: model names in one plain dict, and their settings as data: one TOML per model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pandas as pd

from forecast.contract import Model, ModelBase, complete
from forecast.errors import DataError, unknown_name
from forecast.models import DEFAULT
from forecast.shelf import shelf

if TYPE_CHECKING:
    from forecast.models.settings import About


def is_specified(name: str) -> bool:
    """Whether the shelf has settings of this name."""
    return (shelf("models") / f"{name}.toml").is_file()


@cache
def classes() -> dict[str, type[About]]:
    """Return the class of each TOML; one of another name says what every TOML says."""
    from forecast.models import corridors_settings, series_settings
    from forecast.models import settings as joint

    return {
        "ar": series_settings.ArSettings,
        "arima": series_settings.ArimaSettings,
        "corridors": corridors_settings.CorridorsSettings,
        "ensemble": joint.EnsembleSettings,
        "ets": series_settings.EtsSettings,
        "flows": joint.FlowsSettings,
        "hierarchical": joint.HierarchicalSettings,
        "internal": joint.InternalSettings,
        "level": series_settings.LevelSettings,
        "mirror": corridors_settings.MirrorSettings,
        "pooled": series_settings.PooledSettings,
        "regression": series_settings.RegressionSettings,
        "seasonal": joint.EnsembleSettings,
        "seasonal-arima": series_settings.SeasonalArimaSettings,
        "seasonal-components": series_settings.SeasonalComponentsSettings,
        "seasonal-ets": series_settings.SeasonalEtsSettings,
        "seasonal-pooled": series_settings.SeasonalPooledSettings,
        "seasonal-theta": series_settings.SeasonalThetaSettings,
        "structural": series_settings.StructuralSettings,
        "theta": series_settings.ThetaSettings,
    }


@cache
def settings(name: str) -> About:
    """Return the settings of a model, as its TOML states them, frozen and typed.

    Parameters
    ----------
    name : str
        Name of the TOML on the shelf, without its ending.

    Raises
    ------
    UnknownNameError
        If there is no such file, or a key in it is not known.
    DataError
        If a value is not what it should be.
    """
    from forecast.models.settings import About

    path = shelf("models") / f"{name}.toml"
    if not is_specified(name):
        raise unknown_name("model settings", name, [p.stem for p in path.parent.glob("*.toml")])
    return classes().get(name, About).read(path)


@cache
def specification(name: str) -> dict[str, Any]:
    """Return the settings of a model as tables: what its TOML states, see `settings`."""
    return settings(name).model_dump(exclude_unset=True)


def replaced(name: str, table: str, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return one table of a model's TOML with some values replaced.

    Parameters
    ----------
    name, table : str
        Such as ``flows`` and ``priors``.
    given : mapping, optional
        By name.

    Raises
    ------
    UnknownNameError
        If a name is not in the table.
    DataError
        If a value is not what it should be.
    """
    kind = type(getattr(settings(name), table))
    stated = kind.of({**specification(name)[table], **(given or {})}, f"the {table} of {name}")
    return dict(stated.model_dump())


#: Name -> where the model is made. A text ``module:class`` is imported on use, so that
#: listing the models loads none of their libraries.
REGISTRY: dict[str, str | Callable[[], Model]] = {
    "naive": "forecast.models.series.structural:RandomWalk",
    "persistence": "forecast.models.series.structural:Persistence",
    "drift": "forecast.models.series.structural:RandomWalkWithDrift",
    "mean": "forecast.models.series.structural:HistoricalMean",
    "ets": "forecast.models.series.classical:DampedTrend",
    "theta": "forecast.models.series.classical:Theta",
    "arima": "forecast.models.series.classical:Arima",
    "level": "forecast.models.series.structural:LocalLevel",
    "ar": "forecast.models.series.structural:Autoregression",
    "structural": "forecast.models.series.structural:Structural",
    "regression": "forecast.models.series.regression:Regression",
    "hierarchical": "forecast.models.hierarchical.model:Hierarchical",
    "flows": "forecast.models.gross_flows.model:Flows",
    "internal": "forecast.models.regional.model:Internal",
    "coherent": "forecast.models.coherent:Coherent",
    "corridors": "forecast.models.corridors.model:Corridors",
    "last-flow": "forecast.models.corridors.baselines:LastFlow",
    "mean-flow": "forecast.models.corridors.baselines:MeanFlow",
    "share-flow": "forecast.models.corridors.baselines:ShareFlow",
    "gravity-flow": "forecast.models.corridors.baselines:GravityFlow",
    "pooled": "forecast.models.series.pooled:PooledReversion",
    "seasonal-naive": "forecast.models.seasonal.models:SeasonalNaive",
    "seasonal-ets": "forecast.models.seasonal.models:SeasonalEts",
    "seasonal-components": "forecast.models.seasonal.models:SeasonalComponents",
    "seasonal-arima": "forecast.models.seasonal.models:SeasonalArima",
    "seasonal-theta": "forecast.models.seasonal.models:SeasonalTheta",
    "seasonal-pooled": "forecast.models.seasonal.pooled:SeasonalPooled",
    "seasonal": "forecast.models.ensemble.model:Seasonal",
    "ensemble": "forecast.models.ensemble.model:Ensemble",
}


def model(name: str | Model) -> ModelBase:
    """Return a model by name, or a model given, with all hooks of the contract.

    Parameters
    ----------
    name : str or Model
        A registered name, or an object with a ``name`` and a ``fit``, which is completed with the
        defaults of `forecast.contract.ModelBase`.

    Returns
    -------
    ModelBase

    Raises
    ------
    UnknownNameError
        If the name is not registered; the message lists the nearest ones.
    DataError
        If what is given is no model.

    Examples
    --------
    >>> model("ets").name
    'ets'
    """
    if not isinstance(name, str):
        if not isinstance(name, Model):
            raise DataError(
                f"{name!r} is not a model: it needs a name and a method fit(panel, seed). "
                f"Registered are {', '.join(REGISTRY)}."
            )
        return complete(name)
    if name not in REGISTRY:
        raise unknown_name("model", name, REGISTRY)
    maker = REGISTRY[name]
    if isinstance(maker, str):
        module, attribute = maker.split(":")
        maker = getattr(import_module(module), attribute)
    made: Model = maker()
    return complete(made)


def register(name: str, maker: Callable[[], Model]) -> None:
    """Add a model of one's own; it then works everywhere by its name.

    Parameters
    ----------
    name : str
        Not yet in use.
    maker : callable
        A class, or a function without arguments, that gives an object with ``name``
        and ``fit(panel, seed)``; see `forecast.contract.Model`.

    Raises
    ------
    DataError
        If the name is taken, or what is made is not a model.

    Examples
    --------
    >>> from forecast.models.series.structural import RandomWalk
    >>> register("my-naive", RandomWalk)
    >>> model("my-naive").separate
    True
    >>> del REGISTRY["my-naive"]
    """
    if name in REGISTRY:
        raise DataError(f"a model named {name!r} is registered already. Choose another name.")
    made = maker()
    if not isinstance(made, Model):
        raise DataError(f"{maker!r} makes {made!r}, which has no name and fit(panel, seed).")
    REGISTRY[name] = maker


def table() -> pd.DataFrame:
    """Return one row per registered model.

    Returns
    -------
    DataFrame
        ``model, title, kind, default, summary, references``, all texts but ``default`` (bool). The
        references are separated by semicolons; a model of one's own has none.
    """
    rows = []
    for name, maker in REGISTRY.items():
        if is_specified(name):
            stated = specification(name)
        else:
            text = (maker.__doc__ or "").strip() if not isinstance(maker, str) else ""
            stated = {"title": name, "kind": "user", "summary": text.split("\n")[0]}
        rows.append(
            {
                "model": name,
                "title": stated["title"],
                "kind": stated["kind"],
                "default": name == DEFAULT,
                "summary": stated["summary"],
                "references": "; ".join(stated.get("references", [])),
            }
        )
    return pd.DataFrame(rows)
