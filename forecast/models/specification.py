"""Model settings as data: one TOML per model on the shelf `models/`, checked by its class."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from forecast.errors import unknown_name
from forecast.shelf import shelf

if TYPE_CHECKING:
    from forecast.models.settings import About


def is_specified(name: str) -> bool:
    """Whether the shelf has settings of this name."""
    return (shelf("models") / f"{name}.toml").is_file()


@cache
def classes() -> dict[str, type[About]]:
    """Return the class of each TOML; one of another name says what every TOML says."""
    from forecast.models import settings as typed
    from forecast.models.ensemble_settings import EnsembleSettings

    return {
        "ar": typed.ArSettings,
        "arima": typed.ArimaSettings,
        "ensemble": EnsembleSettings,
        "ets": typed.EtsSettings,
        "flows": typed.FlowsSettings,
        "hierarchical": typed.HierarchicalSettings,
        "internal": typed.InternalSettings,
        "level": typed.LevelSettings,
        "pooled": typed.PooledSettings,
        "regression": typed.RegressionSettings,
        "structural": typed.StructuralSettings,
        "theta": typed.ThetaSettings,
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
