"""Net migration rates of all locations together, each learning from the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.errors import TooShortError
from forecast.models.bayes.gate import Sampled
from forecast.models.bayes.plain import (
    OnFailure,
    PyMCModel,
    accept,
    checked,
    draw_plainly,
    kept_variables,
)
from forecast.models.hierarchical import graph, priors, rates_panel, simulation
from forecast.models.hierarchical.fast import CODE
from forecast.models.hierarchical.fitted import FittedHierarchical
from forecast.models.hierarchical.rates_panel import RatesPanel
from forecast.models.hierarchical.rates_panel import notes as notes_of
from forecast.models.registry import replaced, specification
from forecast.models.series.univariate import series_seed
from forecast.panel import Panel

if TYPE_CHECKING:
    import pymc as pm


class Hierarchical(PyMCModel):
    """Hierarchical autoregression with calm and stormy years (``models/hierarchical.toml``).

    Descends from Azose and Raftery (2015, doi:10.1007/s13524-015-0415-0): location means,
    persistences and scales come from group distributions. The form of the likelihood is in
    `forecast.models.hierarchical.law`, the PyMC model in `pymc_model`.

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
    code = CODE

    def __init__(
        self,
        priors: Mapping[str, Sequence[float]] | str | Path | None = None,
        sampler: Mapping[str, float] | None = None,
        on_failure: OnFailure = "refuse",
        zero_sum: bool = False,
    ) -> None:
        self.stated = specification("hierarchical")
        self.given = _priors(self.stated, priors)
        self.sampler = replaced("hierarchical", "sampler", sampler)
        self.on_failure = checked(on_failure)
        self.zero_sum = zero_sum

    @property
    def recipe(self) -> dict[str, Any]:
        """Priors, settings of the sampler, and what it does with a fit that failed."""
        given = {name: list(values) for name, values in self.given.items()}
        stated = {"priors": given, "sampler": self.sampler, "on_failure": self.on_failure}
        return {"model": self.name, **stated, "zero_sum": self.zero_sum}

    def fit(self, panel: Panel, seed: int) -> FittedHierarchical:
        """Fit all net series of a panel together.

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
        pooled, chosen, words = self._stated(panel)
        state = series_seed(seed, self.name, ("", "", "posterior")).generate_state(1)
        sampled = self._sample(panel, pooled, chosen, int(state[0]))
        accept(sampled.failure, self.on_failure, self.name, type(self).__name__)
        notes = notes_of(panel, pooled, words, sampled.failure)
        return FittedHierarchical(panel, seed, sampled, notes, self, pooled, chosen)

    def pymc_model(self, panel: Panel) -> pm.Model:
        """State the model of a panel in PyMC, to look at, change, sample and criticise.

        A subclass that overrides it is fitted to the model it returns, which has to keep the
        variables that futures are drawn from, `forecast.models.hierarchical.simulation.NEEDED`.

        Parameters
        ----------
        panel : Panel
            Net migration with population.

        Returns
        -------
        pymc.Model
            See `forecast.models.hierarchical.graph.pymc_model`.

        Raises
        ------
        TooShortError
            If the panel has no net series with population.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(source="un-wpp", measure="net_migration")
        >>> len(Hierarchical().pymc_model(panel).observed_RVs) > 0
        True
        """
        pooled, chosen, _ = self._stated(panel)
        return graph.pymc_model(pooled, chosen, self.stated["settings"])

    def _sample(
        self, panel: Panel, pooled: RatesPanel, chosen: Mapping[str, priors.Prior], seed: int
    ) -> Sampled:
        """Draw from the posterior: by compiled code, or from a model that was changed itself."""
        settings, limits = self.stated["settings"], self.stated["diagnostics"]
        large = len(pooled.series) >= settings["speaks_for_itself"]
        kept = int(self.sampler["kept_of_many" if large else "kept"])
        if self.by_compiled_code:
            from forecast.models.hierarchical.fast import posterior

            return posterior.sample(pooled, chosen, settings, self.sampler, limits, seed, kept)
        model = kept_variables(self.pymc_model(panel), simulation.NEEDED, type(self).__name__)
        return draw_plainly(model, self.sampler, limits, seed, kept)

    def _stated(self, panel: Panel) -> tuple[RatesPanel, dict[str, priors.Prior], str]:
        """Return the rates of a panel, their priors, and in words where those come from."""
        pooled = rates_panel.collect(panel)
        if pooled is None:
            first = panel.series[0]
            raise TooShortError(
                f"no series can be forecast by 'hierarchical': {first.measure} of "
                f"{first.location}: {rates_panel.reason_against(first)}"
            )
        size = len(pooled.series)
        chosen, words = priors.resolve(self.stated, self.given, size, panel.origin)
        return pooled, chosen, words


def _priors(
    stated: Mapping[str, Any], given: Mapping[str, Sequence[float]] | str | Path | None
) -> dict[str, Any]:
    """Read a user's priors and check them before anything is fitted."""
    own = priors.overrides(given)
    priors.resolve(stated, own, 1, 0)
    return own
