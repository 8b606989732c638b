"""Corridors: flows of all pairs of places together, adding up to arrivals and departures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from forecast.contract import ModelBase
from forecast.corridors import FLOW
from forecast.errors import DataError, TooShortError
from forecast.hindcast.jobs import side_by_side
from forecast.models.bayes.plain import OnFailure, accept, checked
from forecast.models.coherent import Coherent
from forecast.models.corridors.data import flows_by_source, pair_flows
from forecast.models.corridors.fitted import FittedCorridors, FittedSource
from forecast.models.corridors.sampler import sample
from forecast.models.corridors.totals import ENDS, NET, totals
from forecast.models.corridors.widths import hindcasts, learned
from forecast.models.registry import replaced, specification
from forecast.models.series.univariate import series_seed
from forecast.panel import Panel, Series
from forecast.series import usable_years

if TYPE_CHECKING:
    import pymc as pm

#: Draws of a chain from which on the fit and its hindcasts are worth processes of their own.
LONG = 1000


class Corridors(ModelBase):
    """Hierarchical model of origin–destination flows (``models/corridors.toml``).

    The log rate of a corridor persists around a level of its own, which its origin, its destination
    and gravity terms say where figures are few; shocks have Student-t tails, the corridor's own and
    those shared by year, origin and destination. Where the same source has arrivals and departures
    of a place that its corridors make up, they add up to them in every draw, with a remainder for
    what no corridor covers; the net is their difference.

    Parameters
    ----------
    priors, sampler : mapping, optional
        Values that replace those of the TOML, by name.
    on_failure : {"refuse", "mark"}
        What to do with a fit that its diagnostics reject: raise, or say so in the notes.

    Raises
    ------
    UnknownNameError
        If a name is not in the TOML.
    DataError
        If `on_failure` is something else.
    """

    name = "corridors"
    measures = (FLOW, *ENDS, NET)

    def __init__(
        self,
        priors: Mapping[str, object] | None = None,
        sampler: Mapping[str, object] | None = None,
        on_failure: OnFailure = "refuse",
    ) -> None:
        self.stated = specification("corridors")
        self.priors = replaced("corridors", "priors", priors)
        self.sampler = replaced("corridors", "sampler", sampler)
        self.on_failure = checked(on_failure)
        self._totals = Coherent()
        self.inputs = self._totals.inputs

    @property
    def recipe(self) -> dict[str, object]:
        """Priors, settings of the sampler, and the recipe of the totals."""
        return {
            "model": self.name, "priors": self.priors, "sampler": self.sampler,
            "on_failure": self.on_failure, "widths": self.stated["widths"],
            "totals": self._totals.recipe,
        }  # fmt: skip

    def fit(self, panel: Panel, seed: int, moves: pd.DataFrame | None = None) -> FittedCorridors:
        """Fit all corridors of a panel together, those of each source by themselves.

        Parameters
        ----------
        panel : Panel
            Flows, and arrivals, departures and nets of their ends.
        seed : int
            Source of all randomness.
        moves : DataFrame, optional
            What `Coherent.fit` takes.

        Returns
        -------
        FittedCorridors
            Series that are neither are listed in its notes.

        Raises
        ------
        TooShortError
            If no corridor has two usable figures: nothing would say how far flows move.
        FitError
            If the diagnostics reject the fit; the message names the parameter and a remedy.
        """
        by_source = flows_by_source(panel)
        longest = max(
            (int(usable_years(s).sum()) for many in by_source.values() for s in many), default=0
        )
        if longest < 2:
            raise TooShortError(
                "no series can be forecast by 'corridors': no flow has two usable figures. A "
                "corridor is a location ORIGIN:DESTINATION with the measure flow."
            )
        sources = [
            self._fit_source(panel, source, series, seed) for source, series in by_source.items()
        ]
        keys = [one.series.key for source in sources for one in source.totals]
        places = {(source, place) for source, place, _ in keys}
        kept = {key for key in panel.keys if key[:2] in places and key[2] in (*ENDS, NET)}
        fitted = None
        if kept:
            own = panel.without([key for key in panel.keys if key not in kept])
            fitted = self._totals.fit(own, seed, moves=moves)
        return FittedCorridors(self, panel, seed, sources, fitted, kept)

    def _fit_source(
        self, panel: Panel, source: str, series: Sequence[Series], seed: int
    ) -> FittedSource:
        others = [one for one in panel if one.source == source and one.measure in ENDS]
        known, against = totals(series, others)
        rest = {one.pair: one.rest for one in known if one.rest is not None}
        flows = pair_flows(series, rest)
        late = max(s.origin for s in series)
        tail = 1 + max((late - s.origin) // s.step for s in series)
        seeds = [series_seed(seed, self.name, (source, "", use)) for use in ("posterior", "widths")]
        law = (flows, self.priors, self.sampler)
        calls: list[Callable[[], Any]] = [
            partial(sample, *law, self.stated["diagnostics"], seeds[0], tail),
            *hindcasts(*law, self.stated, seeds[1]),
        ]
        # Starting processes takes longer than short chains do.
        long = int(self.sampler["kept"]) >= LONG
        posterior, *cases = side_by_side(calls) if long else [call() for call in calls]
        accept(posterior.failure, self.on_failure, f"the corridors of {source}", "Corridors")
        widths = learned(cases, flows, self.stated)
        return FittedSource(source, tuple(series), flows, posterior, known, against, widths)

    def pymc_model(self, panel: Panel, source: str | None = None) -> pm.Model:
        """State the model of a panel's corridors in PyMC, to look at, change and criticise.

        Parameters
        ----------
        panel : Panel
            With flows.
        source : str, optional
            Needed where several sources have flows.

        Returns
        -------
        pymc.Model
            See `forecast.models.corridors.graph.pymc_model`.

        Raises
        ------
        DataError
            If the panel has no flows, or several sources have them and none is named.

        Examples
        --------
        >>> import pandas as pd
        >>> table = pd.DataFrame({"origin": "UZB", "destination": ["RUS", "KAZ"] * 4})
        >>> table = table.assign(year=[2020, 2020, 2021, 2021, 2022, 2022, 2023, 2023], value=50)
        >>> [str(one) for one in Corridors().pymc_model(Panel.from_frame(table)).observed_RVs]
        ['log_count']
        """
        from forecast.models.corridors.graph import pymc_model

        found = flows_by_source(panel)
        if source is None and len(found) == 1:
            source = next(iter(found))
        if source not in found:
            raise DataError(
                f"flows are from {', '.join(found) or 'no source'}. Say which are meant, with "
                "source=."
            )
        return pymc_model(pair_flows(found[source], {}), self.priors)
