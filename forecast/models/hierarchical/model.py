"""Net migration rates of all locations together, each learning from the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from forecast import artifacts
from forecast.contract import FittedBase, ModelBase, check_years
from forecast.errors import DataError, FitError, TooShortError, unknown_name
from forecast.models.assembly import assemble
from forecast.models.hierarchical import (
    checks,
    priors,
    rates_panel,
    sampling,
    simulation,
)
from forecast.models.hierarchical.rates_panel import notes as notes_of
from forecast.models.series.univariate import series_seed
from forecast.models.settings import HierarchicalSampler
from forecast.models.specification import specification
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.scales import population_ahead

if TYPE_CHECKING:
    import xarray as xr

OnFailure = Literal["refuse", "mark"]


class Hierarchical(ModelBase):
    """Hierarchical autoregression with calm and stormy years (``models/hierarchical.toml``).

    Descends from Azose and Raftery (2015, doi:10.1007/s13524-015-0415-0): location means,
    persistences and scales come from group distributions. The form of the likelihood is in
    `forecast.models.hierarchical.posterior`.

    Parameters
    ----------
    priors : mapping of str to (mean, standard deviation), or path, optional
        Priors that replace those of the TOML, by name; or a TOML of one's own with a table
        ``[priors]``.
    sampler : mapping, optional
        Values that replace those of the table ``[sampler]``.
    on_failure : {"refuse", "mark"}
        What to do with a fit that its diagnostics reject: raise, or return it with the
        verdict in its notes and attributes.
    zero_sum : bool
        Make every draw sum to zero over the panel's countries of one source, as a world must.

    Raises
    ------
    UnknownNameError
        If a prior or a setting has a name that the model does not know.
    DataError
        If a prior is not a mean and a positive standard deviation.

    Examples
    --------
    >>> Hierarchical(priors={"storm_ecko": (0.6, 0.4)})
    Traceback (most recent call last):
    forecast.errors.UnknownNameError: unknown prior of hierarchical 'storm_ecko'. \
Did you mean: storm_echo, log_storm_size, log_storm_spread.
    """

    name = "hierarchical"
    measures = ("net_migration", "net_all_flows", "internal_net")

    def __init__(
        self,
        priors: Mapping[str, Sequence[float]] | str | Path | None = None,
        sampler: Mapping[str, float] | None = None,
        on_failure: OnFailure = "refuse",
        zero_sum: bool = False,
    ) -> None:
        self.stated = specification(self.name)
        self.given = _priors(self.stated, priors)
        known = self.stated["sampler"]
        for name in sampler or {}:
            if name not in known:
                raise unknown_name("setting of the sampler", name, known)
        self.sampler = HierarchicalSampler.of(
            {**known, **(sampler or {})}, "the sampler of hierarchical"
        ).model_dump()
        if on_failure not in ("refuse", "mark"):
            raise DataError(f"on_failure is {on_failure!r}; give 'refuse' or 'mark'.")
        self.on_failure = on_failure
        self.zero_sum = zero_sum

    @property
    def recipe(self) -> dict[str, Any]:
        """Priors, settings of the sampler, and what it does with a fit that failed."""
        return {
            "model": self.name,
            "priors": {name: list(values) for name, values in self.given.items()},
            "sampler": self.sampler,
            "on_failure": self.on_failure,
            "zero_sum": self.zero_sum,
        }

    def fit(self, panel: Panel, seed: int) -> FittedHierarchical:
        """Fit all net series of a panel together.

        Parameters
        ----------
        panel : Panel
        seed : int

        Returns
        -------
        FittedHierarchical
            Series that cannot be pooled are listed in its notes with the reason.

        Raises
        ------
        TooShortError
            If the panel has no net series with population.
        FitError
            If the diagnostics reject the fit; the message names the parameter and a remedy.
        """
        pooled = rates_panel.collect(panel)
        if pooled is None:
            first = panel.series[0]
            raise TooShortError(
                f"no series can be forecast by 'hierarchical': {first.measure} of "
                f"{first.location}: {rates_panel.reason_against(first)}"
            )
        chosen, words = priors.resolve(self.stated, self.given, len(pooled.series), panel.origin)
        state = series_seed(seed, self.name, ("", "", "posterior")).generate_state(1)
        sampled = sampling.sample(
            pooled,
            chosen,
            self.stated["settings"],
            self.sampler,
            self.stated["diagnostics"],
            int(state[0]),
        )
        if sampled.failure and self.on_failure == "refuse":
            raise FitError(
                f"the hierarchical fit is refused: {sampled.failure} "
                "Hierarchical(on_failure='mark') returns it marked."
            )
        notes = notes_of(panel, pooled, words, sampled.failure)
        return FittedHierarchical(self, panel, seed, pooled, sampled, notes, chosen)


@dataclass(frozen=True)
class FittedHierarchical(FittedBase):
    """The hierarchical model after it has seen a panel.

    Attributes
    ----------
    model : Hierarchical
    panel : Panel
    seed : int
    pool : RatesPanel
    sampled : Sampled
    notes : DataFrame
        See `Forecast.notes`; says of each series how much it borrows.
    used_priors : mapping of str to (mean, standard deviation)
    """

    model: Hierarchical
    panel: Panel
    seed: int
    pool: rates_panel.RatesPanel
    sampled: sampling.Sampled
    notes: pd.DataFrame
    used_priors: Mapping[str, priors.Prior]

    @property
    def diagnostics(self) -> pd.DataFrame:
        """One row per parameter: ``parameter, mean, sd, r_hat, ess_bulk, ess_tail``."""
        return self.sampled.table

    @property
    def posterior(self) -> xr.DataTree:
        """The draws and their statistics as an ArviZ DataTree; see also `to_arviz`."""
        return self.sampled.posterior

    def save_posterior(self, path: str | Path) -> Path:
        """Write the posterior as NetCDF, whole or not at all."""
        with artifacts.atomic_file(path) as temporary:
            self.posterior.to_netcdf(temporary, engine="h5netcdf")
        return Path(path)

    @cached_property
    def parameters(self) -> simulation.Parameters:
        """PanelPosterior draws of what the future depends on."""
        return simulation.Parameters.of(self.sampled, self.pool.group)

    @cached_property
    def correlation(self) -> np.ndarray:
        """Correlation of the locations' shocks in one year, shape (n, n)."""
        data, year = self._data, self.sampled.draws("shared_raw")
        some = self._some(200)
        _, transform = simulation.scores(
            some, data, self._storm_floor, year[_spread(len(year), 200)]
        )
        return simulation.shock_correlation(transform.mean(axis=0), data["weight"])

    def to_arviz(self, draws: int = 500) -> xr.DataTree:
        """Return posterior, pointwise log likelihood, replicates and figures for ArviZ.

        ``arviz_stats.loo(tree)`` and ``arviz_stats.loo_pit(tree)`` run on it.

        Parameters
        ----------
        draws : int
            Over all chains; the pointwise likelihood of long ones would not fit in memory.

        Returns
        -------
        DataTree
            Groups ``posterior``, ``sample_stats``, ``log_likelihood``, ``posterior_predictive``
            (each year given the one before) and ``observed_data``, rates per 1,000 by
            transition (``location year``).
        """
        return checks.tree(self.sampled, self.pool, self._data, self._storm_floor, draws, self.seed)

    def predictive_check(self, draws: int = 500) -> pd.DataFrame:
        """Hold the figures against histories that the model would have made.

        Parameters
        ----------
        draws : int

        Returns
        -------
        DataFrame
            One row per statistic of all series: ``statistic, observed, replicated, lower, upper,
            p`` with the 95 % interval of the replicates and the share of them above the
            observed. A share near 0 or 1 says what the model does not reproduce
            (Gelman, Meng and Stern 1996).
        """
        return checks.predictive(
            self._some(draws), self.pool, self.correlation, self.model.stated["settings"], self.seed
        )

    def prior_sensitivity(self, years: Sequence[int]) -> pd.DataFrame:
        """Say what other priors would have done to the forecasts, without fitting again.

        Parameters
        ----------
        years : sequence of int

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
        by_row = {name: self.sampled.draws(name)[self._rows(n)] for name in self.used_priors}
        return priors.table(rates[:, :, steps], wanted, by_row, self.used_priors)

    def rates(self, until: int, draws: int) -> np.ndarray:
        """Draw rates per 1,000 population per year, positive inflow.

        Parameters
        ----------
        until : int
            Last year (or first year of the last period).
        draws : int

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
            self.parameters.take(rows),
            self.pool.rates[np.arange(len(start)), start],
            rates_panel.now(self.pool.rates, start, settings),
            start,
            (until - self.pool.first_year) // self.pool.step,
            self.correlation,
            settings,
            generator,
        )

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
        """PanelPosterior draws behind the draws of a forecast, in their order."""
        order = np.random.default_rng(series_seed(self.seed, self.model.name, ("", "", "order")))
        return np.asarray(order.permutation(_spread(len(self.parameters.mean), draws)))

    @cached_property
    def _data(self) -> dict[str, np.ndarray]:
        return rates_panel.transitions(self.pool, self.model.stated["settings"])

    @property
    def _storm_floor(self) -> float:
        return float(self.model.stated["settings"]["storm_floor"])

    def _some(self, draws: int) -> simulation.Parameters:
        return self.parameters.take(_spread(len(self.parameters.mean), draws))


def _priors(
    stated: Mapping[str, Any], given: Mapping[str, Sequence[float]] | str | Path | None
) -> dict[str, Any]:
    """Read a user's priors and check them before anything is fitted."""
    own = priors.overrides(given)
    priors.resolve(stated, own, 1, 0)
    return own


def _spread(available: int, wanted: int) -> np.ndarray:
    """Return positions of `wanted` draws spread evenly over those available."""
    return np.asarray(np.arange(wanted) * available // wanted)
