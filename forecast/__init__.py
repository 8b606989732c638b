"""Forecasts of migration with honest uncertainty.

The public verbs and nouns; heavy libraries load when one of them is used.

Examples
--------
>>> import forecast as fc
>>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
>>> outlook = fc.forecast(panel, model="naive", horizons=(2027, 2030), draws=200)
>>> outlook.intervals(0.80)[["measure", "year"]].values.tolist()[:2]
[['emigration', 2027], ['emigration', 2030]]
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from forecast.version import __version__

if TYPE_CHECKING:
    import pandas as pd

    from forecast.accounts.together import together
    from forecast.data.names import load
    from forecast.data.package import example
    from forecast.data.tables.understand import read
    from forecast.errors import (
        DataError,
        FitError,
        ForecastError,
        TooShortError,
        UnknownNameError,
    )
    from forecast.evaluate.backtest import backtest
    from forecast.evaluate.track import Track
    from forecast.impacts.run import impact
    from forecast.measures import measure
    from forecast.models.mirror.result import Mirror
    from forecast.models.mirror.run import mirror
    from forecast.models.nowcast.verb import nowcast
    from forecast.models.registry import register
    from forecast.models.run import forecast
    from forecast.outlook import Forecast
    from forecast.outlook import open_forecast as open
    from forecast.panel import Panel
    from forecast.reports.horizon import report
    from forecast.scenarios.conditioning import condition
    from forecast.scenarios.scenario import scenario
    from forecast.scenarios.targets import targets


_WHERE = {
    "DataError": ("forecast.errors", "DataError"),
    "FitError": ("forecast.errors", "FitError"),
    "Forecast": ("forecast.outlook", "Forecast"),
    "ForecastError": ("forecast.errors", "ForecastError"),
    "Mirror": ("forecast.models.mirror.result", "Mirror"),
    "Panel": ("forecast.panel", "Panel"),
    "TooShortError": ("forecast.errors", "TooShortError"),
    "Track": ("forecast.evaluate.track", "Track"),
    "UnknownNameError": ("forecast.errors", "UnknownNameError"),
    "backtest": ("forecast.evaluate.backtest", "backtest"),
    "condition": ("forecast.scenarios.conditioning", "condition"),
    "example": ("forecast.data.package", "example"),
    "forecast": ("forecast.models.run", "forecast"),
    "impact": ("forecast.impacts.run", "impact"),
    "load": ("forecast.data.names", "load"),
    "mirror": ("forecast.models.mirror.run", "mirror"),
    "measure": ("forecast.measures", "measure"),
    "nowcast": ("forecast.models.nowcast.verb", "nowcast"),
    "open": ("forecast.outlook", "open_forecast"),
    "read": ("forecast.data.tables.understand", "read"),
    "register": ("forecast.models.registry", "register"),
    "report": ("forecast.reports.horizon", "report"),
    "scenario": ("forecast.scenarios.scenario", "scenario"),
    "targets": ("forecast.scenarios.targets", "targets"),
    "together": ("forecast.accounts.together", "together"),
}

# Imported before the verb `models` is defined below, which so keeps the name: importing a module
# of the package later does not bind it again.
import_module("forecast.models")

__all__ = [
    "DataError",
    "FitError",
    "Forecast",
    "ForecastError",
    "Mirror",
    "Panel",
    "TooShortError",
    "Track",
    "UnknownNameError",
    "__version__",
    "backtest",
    "condition",
    "example",
    "forecast",
    "impact",
    "load",
    "measure",
    "mirror",
    "models",
    "nowcast",
    "open",
    "read",
    "register",
    "report",
    "scenario",
    "targets",
    "together",
]


def models() -> pd.DataFrame:
    """Return the registry of models as a table.

    Returns
    -------
    DataFrame
        One row per registered model: ``model`` (its name), ``title``, ``kind``, ``default``
        (whether `forecast` uses it by itself), ``summary`` and ``references``.

    See Also
    --------
    forecast.models.registry.table : makes it.

    Examples
    --------
    >>> import forecast as fc
    >>> table = fc.models()
    >>> table.loc[table["default"], "model"].tolist()
    ['ensemble']
    """
    from forecast.models.registry import table

    return table()


# `import forecast.models.registry as registry` looks the module up by this name.
models.__name__ = "forecast.models"


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        module, attribute = _WHERE[name]
        return getattr(import_module(module), attribute)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
