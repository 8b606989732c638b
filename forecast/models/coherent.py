"""Models that obey the accounts: all accounts in one call, or any model reconciled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from forecast.accounts.audit import check, trusted
from forecast.accounts.reconcile import Covariance, Method, label, reconcile
from forecast.contract import FORECAST, FittedBase, Model, ModelBase
from forecast.data import inputs
from forecast.errors import TooShortError
from forecast.horizons import check_years
from forecast.models import DEFAULT
from forecast.models.assembly import assemble, by_series
from forecast.models.gross_flows.data import NET
from forecast.models.gross_flows.model import FittedFlows, Flows
from forecast.models.regional.model import FittedInternal, Internal
from forecast.models.registry import model as find_model
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.series_key import SeriesKey


class Coherent(ModelBase):
    """Gross flows by `Flows`, regions by `Internal` around the same futures, the rest by default.

    A country's net is drawn once, as arrivals minus departures, and handed to its regions,
    so that region, country and gross flows are the same world in draw *i*. Series that
    neither model knows are forecast by the default model, one by one. What then still breaks
    an identity that the figures obey is reconciled (minimum trace), and the forecast says so.

    Parameters
    ----------
    flows : Flows, optional
    regions : Internal, optional
        Models of the parts, with settings of their own.
    """

    name = "coherent"

    def __init__(self, flows: Flows | None = None, regions: Internal | None = None) -> None:
        # A fit in doubt says so in its notes, and costs no region its forecast.
        self._flows = flows or Flows(on_failure="mark")
        self._regions = regions or Internal()
        self.inputs = self._regions.inputs

    @property
    def recipe(self) -> dict[str, object]:
        """Those of its parts."""
        return {"model": self.name, "flows": self._flows.recipe, "regions": self._regions.recipe}

    def fit(self, panel: Panel, seed: int, moves: pd.DataFrame | None = None) -> FittedCoherent:
        """Fit every part of a panel with the model made for it.

        Parameters
        ----------
        panel : Panel
            Arrivals, departures, nets of countries and of regions.
        seed : int
            Source of all randomness.
        moves : DataFrame, optional
            What `Internal.fit` takes.

        Returns
        -------
        FittedCoherent

        Raises
        ------
        TooShortError
            If no part of the panel can be fitted.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", measure="net_migration")
        >>> Coherent().fit(panel, seed=1).flows is None  # without arrivals and departures
        True
        """
        flows = _tried(self._flows.fit, panel, seed)
        regions = _tried(partial(self._regions.fit, moves=moves), panel, seed)
        taken: set[SeriesKey] = set()
        for fitted in (flows, regions):
            if fitted is not None:
                taken |= _forecast_keys(fitted.notes)
        rest: FittedBase | None = None
        left = panel.without(sorted(taken)) if taken and set(panel.keys) - taken else panel
        if set(panel.keys) - taken:
            try:
                rest = inputs.fit(find_model(DEFAULT), left, seed)
            except TooShortError:
                if flows is None and regions is None:
                    raise
        return FittedCoherent(panel, seed, flows, regions, rest, left)


def _tried[Fitted](fit: Callable[[Panel, int], Fitted], panel: Panel, seed: int) -> Fitted | None:
    """Fit a part of the panel, or nothing if there is too little of it."""
    try:
        return fit(panel, seed)
    except TooShortError:
        return None


def _forecast_keys(notes: pd.DataFrame) -> set[SeriesKey]:
    done = notes[notes["status"] == FORECAST]
    return set(zip(done["source"], done["location"], done["measure"]))


@dataclass(frozen=True, eq=False)
class FittedCoherent(FittedBase):
    """All parts after they have seen a panel.

    Attributes
    ----------
    panel : Panel
    seed : int
    flows : FittedFlows or None
    regions : FittedInternal or None
    rest : FittedBase or None
        The default model on everything else.
    left : Panel
        Everything else.
    """

    panel: Panel
    seed: int
    flows: FittedFlows | None
    regions: FittedInternal | None
    rest: FittedBase | None
    left: Panel

    @property
    def diagnostics(self) -> pd.DataFrame:
        """Those of all parts, named in the column ``part``."""
        parts = {"flows": self.flows, "internal": self.regions, DEFAULT: self.rest}
        return pd.concat(
            [p.diagnostics.assign(part=name) for name, p in parts.items() if p is not None],
            ignore_index=True,
        )

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        """Simulate futures; see `forecast.contract.FittedModel`."""
        wanted = check_years(self.panel, years)
        made: list[Forecast] = []
        national: dict[SeriesKey, dict[int, np.ndarray]] = {}
        if self.flows is not None:
            gross = self.flows.forecast(wanted, draws)
            made.append(gross)
            national = _nets(gross)
        if self.regions is not None:
            made.append(self.regions.forecast(wanted, draws, national))
        if self.rest is not None:
            # What is left may end later than the rest: it is asked for what is ahead of it.
            earliest = min(series.origin for series in self.left)
            ahead = [year for year in wanted if year > earliest]
            try:
                made.append(self.rest.forecast(ahead or [earliest + self.panel.step], draws))
            except TooShortError:
                # The others' notes say why a series is not forecast.
                if not made:
                    raise
        drawn: dict[SeriesKey, np.ndarray] = {}
        rows: dict[SeriesKey, dict[str, object]] = {}
        origins = {series.key: series.origin for series in self.panel}
        for outlook in made:
            for key, paths in by_series(outlook).items():
                n_ahead = max(0, (wanted[-1] - origins[key]) // self.panel.step)
                drawn.setdefault(key, paths[:, :n_ahead])
            for row in outlook.notes.to_dict("records"):
                key = str(row["source"]), str(row["location"]), str(row["measure"])
                if key not in rows or row["status"] == FORECAST != rows[key]["status"]:
                    rows[key] = {str(name): value for name, value in row.items()}
        self._same_net(drawn, national, wanted[-1])
        notes = pd.DataFrame([rows[series.key] for series in self.panel])
        outlook = assemble(self.panel, drawn, wanted, notes, model="coherent", seed=self.seed)
        kept, _ = trusted(self.panel, list(drawn))
        if check(outlook, kept)["holds"].all():
            return outlook
        # Figures that two offices count a few persons apart must not cost the forecast.
        return reconcile(outlook, identities=kept, strict=False)

    def _same_net(
        self,
        drawn: dict[SeriesKey, np.ndarray],
        national: dict[SeriesKey, dict[int, np.ndarray]],
        last: int,
    ) -> None:
        """Give a country's net of all flows the draws of its net across the border."""
        origins = {series.key: series.origin for series in self.panel}
        for identity in trusted(self.panel, list(drawn))[0]:
            if len(identity.terms) != 2 or identity.kind != "sum":
                continue
            (net, _), (same, _) = identity.terms
            years = range(origins[same] + 1, last + 1)
            if net in national and all(year in national[net] for year in years):
                drawn[same] = np.stack([national[net][year] for year in years], axis=1)


def _nets(outlook: Forecast) -> dict[SeriesKey, dict[int, np.ndarray]]:
    grid = outlook.paths["year"].to_numpy().tolist()
    found: dict[SeriesKey, dict[int, np.ndarray]] = {}
    for (source, place, measure), paths in by_series(outlook).items():
        if measure == NET:
            years = grid[len(grid) - paths.shape[1] :]
            found[source, place, measure] = dict(zip(years, paths.T))
    return found


class Reconciled(ModelBase):
    """Any model with its draws reconciled, so that a backtest can score both beside each other.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> models = ["persistence", Reconciled("persistence")]
    >>> track = fc.backtest(panel, models, (2018,), (1,), draws=100)
    >>> len(track.failures)
    0
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
