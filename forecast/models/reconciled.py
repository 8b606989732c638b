"""Any model with its draws reconciled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from forecast.accounts.reconcile import Covariance, Method, label, reconcile
from forecast.contract import FittedBase, Model, ModelBase
from forecast.data import inputs
from forecast.models.registry import model as find_model
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.series_key import SeriesKey


class Reconciled(ModelBase):
    """Any model with its draws reconciled, so that a backtest can score both beside each other.

    Examples
    --------
    >>> fc.backtest(panel, ["structural", Reconciled("structural")])  # doctest: +SKIP
    """

    def __init__(
        self, model: str | Model, method: Method = "mint", covariance: Covariance = "draws"
    ) -> None:
        self._model = find_model(model)
        self._method: Method = method
        self._covariance: Covariance = covariance
        self.name = f"{self._model.name}, {label(method, covariance)}"
        self.measures = self._model.measures
        self.needs = self._model.needs

    @property
    def recipe(self) -> Mapping[str, Any] | None:
        """That of the model, and how it is reconciled."""
        own = self._model.recipe
        return None if own is None else {"reconciled": self.name, "model": own}

    def fit(self, panel: Panel, seed: int) -> _FittedReconciled:
        """Fit the model; see `forecast.contract.Model`."""
        return _FittedReconciled(inputs.fit(self._model, panel, seed), self)

    def applied(self, outlook: Forecast) -> Forecast:
        """Reconcile a forecast under this model's name."""
        made = reconcile(outlook, self._method, covariance=self._covariance)
        made.paths.attrs["model"] = self.name
        return made


class _FittedReconciled(FittedBase):
    def __init__(self, fitted: FittedBase, model: Reconciled) -> None:
        self._fitted = fitted
        self._model = model

    @property
    def diagnostics(self) -> pd.DataFrame:
        """Those of the model."""
        return self._fitted.diagnostics

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        """Forecast, then reconcile."""
        return self._model.applied(self._fitted.forecast(years, draws))

    def parameter_share(self, key: SeriesKey, n_ahead: int) -> np.ndarray:
        """Return that of the model; see `forecast.contract.FittedBase`."""
        return self._fitted.parameter_share(key, n_ahead)
