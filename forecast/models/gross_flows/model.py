"""Gross flows: arrivals and departures drawn together, the net as their difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.contract import FORECAST, NOT_FORECAST, NOTE_COLUMNS, FittedBase, ModelBase
from forecast.errors import TooShortError
from forecast.horizons import check_years
from forecast.models.assembly import assemble, note
from forecast.models.gross_flows.data import DIRECTIONS, NET, Gross, Place, collect
from forecast.models.gross_flows.sampler import Draws, sample, simulate
from forecast.models.registry import specification
from forecast.models.series.univariate import MINIMUM_YEARS, series_seed
from forecast.models.settings import FlowsPriors, FlowsSampler
from forecast.outlook import Forecast
from forecast.panel import Panel, Series
from forecast.scales import is_rate


class Flows(ModelBase):
    """Hierarchical model of arrivals and departures (``models/flows.toml``).

    Log rates of all countries together: each has its own size of shocks, drawn from a common
    distribution; shocks are correlated between arrivals and departures and across countries,
    and have Student-t tails; growth fades. Counts are over-dispersed Poisson and never
    negative. A registered net is not fitted: it is arrivals minus departures in every draw.

    Parameters
    ----------
    priors, sampler : mapping, optional
        Values that replace those of the TOML, by name.

    Raises
    ------
    UnknownNameError
        If a name is not in the TOML.
    """

    name = "flows"
    measures = ("immigration", "emigration", "net_migration")
    needs = ("immigration", "emigration")

    def __init__(
        self,
        priors: Mapping[str, object] | None = None,
        sampler: Mapping[str, object] | None = None,
    ) -> None:
        stated = specification("flows")
        self.priors = FlowsPriors.of(
            {**stated["priors"], **(priors or {})}, "the priors of flows"
        ).model_dump()
        self.sampler = FlowsSampler.of(
            {**stated["sampler"], **(sampler or {})}, "the sampler of flows"
        ).model_dump()

    @property
    def recipe(self) -> dict[str, object]:
        """Priors and settings of the sampler."""
        return {"model": self.name, "priors": self.priors, "sampler": self.sampler}

    def fit(self, panel: Panel, seed: int) -> FittedFlows:
        """Fit all countries of a panel together.

        Returns
        -------
        FittedFlows
            Series that are no gross flows, nor a net of any, are listed in its notes.

        Raises
        ------
        TooShortError
            If no country has a flow with `MINIMUM_YEARS` usable years: the others would have
            nothing to borrow from.
        """
        gross = collect(panel)
        if gross is None:
            raise TooShortError(
                "no series can be forecast by 'flows': the panel has no immigration or "
                "emigration by calendar year. Use another model for net migration."
            )
        longest = max(max(place.usable) for place in gross.places)
        if longest < MINIMUM_YEARS:
            raise TooShortError(
                f"no series can be forecast by 'flows': the longest flow has {longest} usable "
                f"years since its last break, and at least {MINIMUM_YEARS} are needed somewhere "
                "for the others to borrow from. Add earlier years or other countries."
            )
        last = gross.first_year + gross.values.shape[1] - 1
        tail = 1 + max(last - series.origin for place in gross.places for series in place.series)
        draws = sample(
            gross,
            self.priors,
            chains=self.sampler["chains"],
            warm_up=self.sampler["warm_up"],
            kept=self.sampler["kept"],
            seed=series_seed(seed, self.name, ("", "", "posterior")),
            tail=tail,
        )
        worst = max(draws.rhat.values())
        doubt = ""
        if worst > self.sampler["largest_rhat"]:
            doubt = f"The sampler's chains disagree (R-hat {worst:.2f}); keep more iterations."
        return FittedFlows(self, panel, seed, gross, draws, _notes(panel, gross, doubt))


@dataclass(frozen=True)
class FittedFlows(FittedBase):
    """The gross-flow model after it has seen a panel.

    Attributes
    ----------
    model : Flows
    panel : Panel
    seed : int
    gross : Gross
    posterior : Draws
    notes : DataFrame
        See `Forecast.notes`; a series with fewer than `MINIMUM_YEARS` usable years since its
        last break says what it borrows.
    """

    model: Flows
    panel: Panel
    seed: int
    gross: Gross
    posterior: Draws
    notes: pd.DataFrame

    @property
    def diagnostics(self) -> pd.DataFrame:
        """One row per parameter: mean, standard deviation, R-hat, whether chains agree."""
        rows = []
        for name, values in self.posterior.parameters.items():
            ratio = self.posterior.rhat[name]
            for label, column in _entries(name, values, self.gross):
                rows.append(
                    (label, column.mean(), column.std(), ratio, ratio <= self._largest_rhat)
                )
        return pd.DataFrame(rows, columns=["parameter", "mean", "deviation", "rhat", "converged"])

    @property
    def _largest_rhat(self) -> float:
        return float(self.model.sampler["largest_rhat"])

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        """Simulate futures; see `forecast.contract.FittedModel`."""
        wanted = check_years(self.panel, years)
        generator = np.random.default_rng(
            series_seed(self.seed, self.model.name, ("", "", "futures"))
        )
        last = self.gross.first_year + self.gross.values.shape[1] - 1
        tail = self.posterior.level.shape[2]
        n_ahead = max(0, wanted[-1] - last)
        counts = simulate(self.gross, self.posterior, n_ahead, draws, generator)
        grid = np.arange(last - tail + 1, last + n_ahead + 1)
        drawn = {}
        for place, flows in zip(self.gross.places, counts):
            whole = flows.copy()
            for direction, series in enumerate(place.flows):
                if series is None:
                    continue
                # The net of a year in which one flow is known is drawn around that figure.
                known = ~np.isnan(series.values)
                observed = dict(zip(series.years[known].tolist(), series.values[known]))
                for position, year in enumerate(grid.tolist()):
                    if year in observed:
                        whole[:, position, direction] = observed[year]
            for series in place.series:
                paths = (
                    whole[..., 0] - whole[..., 1]
                    if series.measure == NET
                    else whole[..., DIRECTIONS.index(series.measure)]
                )
                drawn[series.key] = paths[:, (grid > series.origin) & (grid <= wanted[-1])]
        return assemble(
            self.panel, drawn, wanted, self.notes, model=self.model.name, seed=self.seed
        )


def _entries(name: str, values: np.ndarray, gross: Gross) -> list[tuple[str, np.ndarray]]:
    """Name the entries of a parameter by country and direction."""
    if values.ndim == 1:
        return [(name, values)]
    if values.ndim == 2:
        return [(f"{name}, {flow}", values[:, k]) for k, flow in enumerate(DIRECTIONS)]
    return [
        (f"{name}, {flow} of {place.location} ({place.source})", values[:, p, k])
        for p, place in enumerate(gross.places)
        for k, flow in enumerate(DIRECTIONS)
    ]


def _notes(panel: Panel, gross: Gross, doubt: str) -> pd.DataFrame:
    known = {(place.source, place.location): place for place in gross.places}
    rows = []
    for series in panel:
        place = known.get((series.source, series.location))
        used = place is not None and series.key in {s.key for s in place.series}
        reason = _why_not(series)
        if place is not None and used:
            told = (_borrowed(place, series), _net_is_ahead(place, series), doubt)
            reason = " ".join(filter(None, told))
        scale = ("difference" if series.measure == NET else "log rate") if used else ""
        status = FORECAST if used else NOT_FORECAST
        rows.append(note(series, status, reason, scale, used and is_rate(series)))
    return pd.DataFrame(rows, columns=list(NOTE_COLUMNS))


def _borrowed(place: Place, series: Series) -> str:
    """Say what a short series takes from the others."""
    counted = (
        min(place.usable)
        if series.measure == NET
        else place.usable[DIRECTIONS.index(series.measure)]
    )
    if counted >= MINIMUM_YEARS:
        return ""
    return (
        f"Borrowed: {counted} usable years since the last break say where the flow is, "
        "the other countries how far it may move."
    )


def _net_is_ahead(place: Place, series: Series) -> str:
    """Say that a net known for later years than its flows says nothing of them here."""
    if series.measure == NET or place.net is None or place.net.origin <= series.origin:
        return ""
    return (
        f"The net is known to {place.net.origin}, and not looked at; model='coherent' makes "
        "the flows of these years agree with it."
    )


def _why_not(series: Series) -> str:
    if series.measure in DIRECTIONS:
        return "No usable year since the last break of arrivals or departures."
    if series.measure == NET:
        return "The source has no arrivals and departures of this place to derive its net from."
    return f"{series.measure} is no flow across the border. Use model='internal' or 'coherent'."
