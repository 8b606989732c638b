"""Gross flows: arrivals and departures drawn together, the net as their difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.errors import DataError, TooShortError
from forecast.horizons import check_years
from forecast.models.assembly import assemble
from forecast.models.bayes.gate import Sampled
from forecast.models.bayes.plain import (
    FittedPyMCModel,
    OnFailure,
    PyMCModel,
    accept,
    checked,
    draw_plainly,
    kept_variables,
    to_arviz,
)
from forecast.models.gross_flows import graph
from forecast.models.gross_flows.data import DIRECTIONS, NET, Gross, collect
from forecast.models.gross_flows.fast import CODE
from forecast.models.gross_flows.futures import simulate
from forecast.models.gross_flows.notes import notes
from forecast.models.registry import replaced, specification
from forecast.models.series.univariate import series_seed
from forecast.outlook import Forecast
from forecast.panel import Panel

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr
    from arviz_stats.utils import ELPDDataLOO


class Flows(PyMCModel):
    """Hierarchical model of arrivals and departures (``models/flows.toml``).

    Log rates of all countries together: each has its own size of shocks, drawn from a common
    distribution; shocks are correlated between arrivals and departures and across countries,
    and have Student-t tails; growth fades. Counts are over-dispersed Poisson and never
    negative. A registered net is not fitted: it is arrivals minus departures in every draw.

    Parameters
    ----------
    priors, sampler : mapping, optional
        Values that replace those of the TOML, by name.
    on_failure : {"refuse", "mark"}
        What to do with a fit that its diagnostics reject: raise, or return it with the
        verdict in its notes and attributes.

    Raises
    ------
    UnknownNameError
        If a name is not in the TOML.
    DataError
        If `on_failure` is neither.
    """

    name = "flows"
    measures = ("immigration", "emigration", "net_migration")
    needs = ("immigration", "emigration")
    code = CODE

    def __init__(
        self,
        priors: Mapping[str, object] | None = None,
        sampler: Mapping[str, object] | None = None,
        on_failure: OnFailure = "refuse",
    ) -> None:
        self.stated = specification("flows")
        self.priors = replaced("flows", "priors", priors)
        graph.beta(*self.priors["damping"])
        self.sampler = replaced("flows", "sampler", sampler)
        self.on_failure = checked(on_failure)

    @property
    def recipe(self) -> dict[str, object]:
        """Priors, settings of the sampler, and what it does with a fit that failed."""
        stated = {"priors": self.priors, "sampler": self.sampler, "on_failure": self.on_failure}
        return {"model": self.name, **stated}

    def fit(self, panel: Panel, seed: int) -> FittedFlows:
        """Fit all countries of a panel together.

        Returns
        -------
        FittedFlows
            Series that are no gross flows, nor a net of any, are listed in its notes.

        Raises
        ------
        TooShortError
            If no flow has ``minimum_years`` usable years.
        FitError
            If the diagnostics reject the fit; the message names the parameter and a remedy.
        """
        gross = _gross(panel)
        sampled = self.posterior(panel, gross, seed)
        return FittedFlows(panel, seed, sampled, notes(panel, gross, sampled.failure), self, gross)

    def pymc_model(self, panel: Panel) -> pm.Model:
        """State the model of a panel in PyMC, to look at, change, sample and criticise.

        A subclass that overrides it is fitted to the model it returns, which has to keep the
        variables that futures are drawn from, `forecast.models.gross_flows.graph.needed`.

        Parameters
        ----------
        panel : Panel
            Arrivals and departures.

        Returns
        -------
        pymc.Model
            See `forecast.models.gross_flows.graph.pymc_model`.

        Raises
        ------
        TooShortError
            As `fit`.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(source="kz-bns")
        >>> [variable.name for variable in Flows().pymc_model(panel).observed_RVs]
        ['log_rate']
        """
        return graph.pymc_model(_gross(panel), self.priors)

    def posterior(self, panel: Panel, gross: Gross, seed: int) -> Sampled:
        """Draw from the posterior: by compiled code, or from a model that was changed itself.

        Parameters
        ----------
        panel : Panel
            What a model that was changed is stated from.
        gross : Gross
            What the model as it is here is stated from.
        seed : int
            As of `fit`.

        Returns
        -------
        Sampled
            Draws with their diagnostics.

        Raises
        ------
        FitError
            As `fit`.
        """
        state = series_seed(seed, self.name, ("", "", "posterior")).generate_state(1)
        limits, seed = self.stated["diagnostics"], int(state[0])
        if self.by_compiled_code:
            from forecast.models.gross_flows.fast import posterior

            sampled = posterior.sample(gross, self.priors, self.sampler, limits, seed)
        else:
            model = self.pymc_model(panel) if self.changed else graph.pymc_model(gross, self.priors)
            kept_variables(model, graph.needed(gross), type(self).__name__)
            sampled = draw_plainly(model, self.sampler, limits, seed, int(self.sampler["kept"]))
        accept(sampled.failure, self.on_failure, self.name, type(self).__name__)
        return sampled


def _gross(panel: Panel) -> Gross:
    """Return the flows of a panel, if there is enough of them."""
    gross = collect(panel)
    if gross is None:
        raise TooShortError(
            "no series can be forecast by 'flows': the panel has no immigration or "
            "emigration by calendar year. Use another model for net migration."
        )
    longest = max(max(place.usable) for place in gross.places)
    if longest < (least := specification("flows")["minimum_years"]):
        raise TooShortError(
            f"no series can be forecast by 'flows': the longest flow has {longest} usable "
            f"years since its last break, and at least {least} are needed somewhere "
            "for the others to borrow from. Add earlier years or other countries."
        )
    return gross


@dataclass(frozen=True)
class FittedFlows(FittedPyMCModel):
    """The gross-flow model after it has seen a panel.

    Attributes
    ----------
    model : Flows
    gross : Gross
    """

    model: Flows
    gross: Gross

    def to_arviz(self, draws: int = 1000) -> xr.DataTree:
        """Return everything that ArviZ's checks read; see `forecast.models.bayes.plain.to_arviz`.

        A figure says much of its own level. So likelihood and replicates of each are those given
        all other figures (`forecast.models.gross_flows.left_out`); what PyMC makes of the model
        itself, given the level, is `pm.compute_log_likelihood` and
        `pm.sample_posterior_predictive`, and all there is of a model that a subclass has changed.

        Parameters
        ----------
        draws : int
            Over all chains.

        Returns
        -------
        DataTree
            ``prior, prior_predictive, posterior, posterior_predictive, log_likelihood,
            observed_data``.
        """
        from forecast.models.gross_flows.left_out import condition

        tree = to_arviz(self.model.pymc_model(self.panel), self.posterior, draws, self.seed)
        if not self.model.changed:
            condition(tree, graph.Cells.of(self.gross), self.seed)
        return tree

    def leave_one_out(self, tree: xr.DataTree | None = None) -> tuple[ELPDDataLOO, xr.DataArray]:
        """Return how well each figure is foreseen by all others, exactly where weights fail.

        Draws are weighted by what each figure had said to them (`arviz_stats.loo`). Where the
        Pareto k of the weights is too large, as of short registers, the model is fitted once more
        without the figure (`arviz_stats.reloo`). The others include later years: this is a check of
        the model, and a backtest says how well it forecasts.

        Parameters
        ----------
        tree : DataTree, optional
            What `to_arviz` returns; made where it is not given.

        Returns
        -------
        loo : arviz_stats.utils.ELPDDataLOO
            Pointwise, for `arviz_stats.compare` among others; Pareto k is 0 where the model was
            fitted without the figure.
        transforms : DataArray, dimension ``figure``
            Probability integral transforms of each figure given the others.

        Raises
        ------
        DataError
            If a subclass has changed the model: how the figures of another one go together is not
            known here.
        FitError
            If the diagnostics reject a fit.
        """
        if self.model.changed:
            raise DataError(
                f"{type(self.model).__name__} overrides pymc_model, and leave_one_out knows the "
                "model as it is stated. Use arviz_stats.loo on to_arviz(), or "
                "arviz_stats.reloo with fits of your own."
            )
        from forecast.models.gross_flows.left_out import leave_one_out

        return leave_one_out(self, self.to_arviz() if tree is None else tree)

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        """Simulate futures; see `forecast.contract.FittedModel`."""
        wanted = check_years(self.panel, years)
        generator = np.random.default_rng(
            series_seed(self.seed, self.model.name, ("", "", "futures"))
        )
        last = self.gross.first_year + self.gross.values.shape[1] - 1
        every = [series for place in self.gross.places for series in place.series]
        tail = 1 + max(last - series.origin for series in every)
        n_ahead = max(0, wanted[-1] - last)
        counts = simulate(self.gross, self.sampled, tail, n_ahead, draws, generator)
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
        outlook = assemble(
            self.panel, drawn, wanted, self.notes, model=self.model.name, seed=self.seed
        )
        outlook.paths.attrs["diagnostics"] = self.sampled.verdict
        return outlook
