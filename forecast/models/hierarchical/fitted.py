"""The hierarchical model after it has seen a panel: its posterior, checks and forecasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast.horizons import check_years
from forecast.models.assembly import assemble
from forecast.models.bayes.plain import FittedPyMCModel, spread, to_arviz
from forecast.models.hierarchical import priors, rates_panel, simulation
from forecast.models.hierarchical.law import Parameters
from forecast.models.series.univariate import series_seed
from forecast.outlook import Forecast
from forecast.scales import population_ahead

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

    from forecast.models.hierarchical.model import Hierarchical


@dataclass(frozen=True)
class FittedHierarchical(FittedPyMCModel):
    """The hierarchical model after it has seen a panel.

    Attributes
    ----------
    model : Hierarchical
    pool : RatesPanel
    used_priors : mapping of str to (mean, standard deviation)
    """

    model: Hierarchical
    pool: rates_panel.RatesPanel
    used_priors: Mapping[str, priors.Prior]

    @cached_property
    def parameters(self) -> Parameters:
        """Posterior draws of what the future depends on."""
        return simulation.of_locations(self.sampled, self.pool.group)

    @cached_property
    def correlation(self) -> np.ndarray:
        """Correlation of the locations' shocks in one year, shape (n, n)."""
        settings = self.model.stated["settings"]
        data, year = rates_panel.transitions(self.pool, settings), self.sampled.draws("year_effect")
        transform = simulation.transforms(
            self._some(200), data, float(settings["storm_floor"]), year[spread(len(year), 200)]
        )
        return simulation.shock_correlation(transform.mean(axis=0), data["weight"])

    @cached_property
    def pymc_model(self) -> pm.Model:
        """The PyMC model of the figures, with the priors that were used."""
        return self.model.pymc_model(self.panel)

    def to_arviz(self, draws: int = 1000) -> xr.DataTree:
        """Return everything that ArviZ's checks read, from the PyMC model and the draws.

        ``arviz_stats.loo(tree)`` and ``arviz_stats.loo_pit(tree)`` run on it, and the plots of
        arviz-plots.

        Parameters
        ----------
        draws : int
            Over all chains; the pointwise likelihood of long ones would not fit in memory.

        Returns
        -------
        DataTree
            Groups ``prior``, ``prior_predictive``, ``posterior``, ``posterior_predictive`` (each
            year given the one before), ``log_likelihood``, ``observed_data``, ``constant_data``
            and ``sample_stats``, rates per 1,000 by transition (``location year``).
        """
        return to_arviz(self.pymc_model, self.posterior, draws, self.seed)

    def predictive_check(self, draws: int = 500) -> pd.DataFrame:
        """Hold the figures against histories that the model would have made.

        Parameters
        ----------
        draws : int
            Replicated histories.

        Returns
        -------
        DataFrame
            One row per statistic of all series: ``statistic, observed, replicated, lower, upper,
            p`` with the 95 % interval of the replicates and the share of them above the
            observed. A share near 0 or 1 says what the model does not reproduce
            (Gelman, Meng and Stern 1996).
        """
        return simulation.predictive(
            self._some(draws), self.pool, self.correlation, self.model.stated["settings"], self.seed
        )

    def prior_sensitivity(self, years: Sequence[int]) -> pd.DataFrame:
        """Say what other priors would have done to the forecasts, without fitting again.

        Parameters
        ----------
        years : sequence of int
            Target years.

        Returns
        -------
        DataFrame
            See `forecast.models.hierarchical.priors.table`.
        """
        wanted = check_years(self.panel, years)
        n = len(self.parameters.mean)
        rates = self.rates(wanted[-1], n)
        first = self.pool.first_year + int(self.pool.start.min()) * self.pool.step
        steps = [(year - first) // self.pool.step - 1 for year in wanted]
        # A model that was changed may have priors less.
        used = {k: v for k, v in self.used_priors.items() if k in self.posterior["posterior"]}
        by_row = {name: self.sampled.draws(name)[self._rows(n)] for name in used}
        return priors.table(rates[:, :, steps], wanted, by_row, used)

    def rates(self, until: int, draws: int) -> np.ndarray:
        """Draw rates per 1,000 population per year, positive inflow.

        Parameters
        ----------
        until : int
            Last year (or first year of the last period).
        draws : int
            Simulated futures.

        Returns
        -------
        ndarray, shape (draws, n, n_steps)
            In the order of `rates_panel.series`, from the earliest last usable year on; NaN up to
            each series' own.
        """
        generator = np.random.default_rng(
            series_seed(self.seed, self.model.name, ("", "", "draws"))
        )
        rows = self._rows(draws)
        start, settings = self.pool.start, self.model.stated["settings"]
        return simulation.simulate(
            simulation.rows_of(self.parameters, rows),
            self.pool.rates[np.arange(len(start)), start],
            rates_panel.now(self.pool.rates, start, settings), start,
            (until - self.pool.first_year) // self.pool.step, self.correlation, settings,
            generator,
        )  # fmt: skip

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        """Simulate futures; see `forecast.contract.FittedModel`."""
        wanted = check_years(self.panel, years)
        first = self.pool.first_year + int(self.pool.start.min()) * self.pool.step
        rates = self.rates(wanted[-1], draws)
        drawn = {}
        for row, series in enumerate(self.pool.series):
            n_ahead = max(0, (wanted[-1] - series.origin) // series.step)
            skipped = (series.origin - first) // series.step
            people = population_ahead(series.population, n_ahead) * series.step / 1000.0
            drawn[series.key] = rates[:, row, skipped : skipped + n_ahead] * people
        outlook = assemble(
            self.panel, drawn, wanted, self.notes, model=self.model.name, seed=self.seed
        )
        outlook.paths.attrs["diagnostics"] = self.sampled.verdict
        return simulation.zero_sum(outlook, self.pool) if self.model.zero_sum else outlook

    def _rows(self, draws: int) -> np.ndarray:
        """Posterior draws behind the draws of a forecast, in their order."""
        order = np.random.default_rng(series_seed(self.seed, self.model.name, ("", "", "order")))
        return np.asarray(order.permutation(spread(len(self.parameters.mean), draws)))

    def _some(self, draws: int) -> Parameters:
        return simulation.rows_of(self.parameters, spread(len(self.parameters.mean), draws))
