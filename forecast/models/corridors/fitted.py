"""Corridors after the model has seen a panel: futures that add up, and what is said of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast.contract import FORECAST, NOT_FORECAST, NOTE_COLUMNS, FittedBase
from forecast.corridors import FLOW, RESTS
from forecast.horizons import check_years
from forecast.models.assembly import assemble, by_series, note
from forecast.models.coherent import FittedCoherent
from forecast.models.corridors.data import PairFlows
from forecast.models.corridors.sampler import Posterior, simulate
from forecast.models.corridors.totals import NET, Total, tied
from forecast.models.corridors.widths import stretched
from forecast.models.ensemble.widths import CENTRAL, Widths
from forecast.models.series.univariate import series_seed
from forecast.outlook import Forecast
from forecast.panel import Panel, Series
from forecast.series import usable_years
from forecast.series_key import SeriesKey

if TYPE_CHECKING:
    from forecast.models.corridors.model import Corridors


@dataclass(frozen=True, eq=False)
class FittedSource:
    """The corridors of one source.

    Attributes
    ----------
    source : str
    series : tuple of Series
        Flows, in the order of the first pairs of `flows`; what stands for the rest follows there.
    flows : PairFlows
    posterior : Posterior
    totals : list of Total
        Arrivals and departures that the corridors make up.
    against : mapping of SeriesKey to str
        Why other arrivals and departures are not tied to corridors.
    widths : Widths or None
        What hindcasts make of intervals; None where the past is too short to tell.
    """

    source: str
    series: tuple[Series, ...]
    flows: PairFlows
    posterior: Posterior
    totals: list[Total]
    against: Mapping[SeriesKey, str]
    widths: Widths | None

    def counts(
        self, model: Corridors, last: int, draws: int, seed: np.random.SeedSequence
    ) -> dict[int, np.ndarray]:
        """Return draws of every corridor by year, shape (n_draws, n_pairs), the rest included."""
        step = self.series[0].step
        final = int(self.flows.years[-1])
        n_ahead = max(0, (last - final) // step)
        largest = self.flows.bounds(model.stated["settings"])
        drawn = simulate(
            self.flows, self.posterior, model.priors, n_ahead, draws, largest,
            np.random.default_rng(seed),
        )  # fmt: skip
        if self.widths is not None:
            for at, values in enumerate(drawn):
                drawn[at] = np.minimum(stretched(self.widths, values, self.flows.log_mean), largest)
        first = final + step * (n_ahead - len(drawn) + 1)
        return {first + step * at: values for at, values in enumerate(drawn)}

    def observed(self, year: int) -> np.ndarray:
        """Return the figures of a year, by corridor; NaN where there is none."""
        values = np.full(self.flows.n_pairs, np.nan)
        for at, series in enumerate(self.series):
            row = np.flatnonzero(series.years == year)
            if len(row):
                values[at] = series.values[row[0]]
        return values


@dataclass(frozen=True, eq=False)
class FittedCorridors(FittedBase):
    """The corridors after the model has seen a panel.

    Attributes
    ----------
    model : Corridors
    panel : Panel
    seed : int
    sources : list of FittedSource
    totals : FittedCoherent or None
        Arrivals, departures and nets that corridors are tied to.
    tied : set of SeriesKey
        Their series.
    """

    model: Corridors
    panel: Panel
    seed: int
    sources: list[FittedSource]
    totals: FittedCoherent | None
    tied: set[SeriesKey]

    @property
    def diagnostics(self) -> pd.DataFrame:
        """One row per source and parameter, with R-hat and effective sample sizes."""
        return pd.concat(
            [one.posterior.table.assign(source=one.source) for one in self.sources],
            ignore_index=True,
        )

    @property
    def widths(self) -> pd.DataFrame:
        """Factors of intervals by source and size: ``source, persons, level, factor, cases``."""
        rows = [
            (one.source, float(np.expm1(size)), float(level), float(factor), one.widths.cases)
            for one in self.sources if one.widths is not None
            for size, row in zip(one.widths.size, one.widths.factor)
            for level, factor in zip(CENTRAL, row)
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=["source", "persons", "level", "factor", "cases"])

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        """Simulate futures; see `forecast.contract.FittedModel`."""
        wanted = check_years(self.panel, years)
        last, step = wanted[-1], self.panel.step
        drawn: dict[SeriesKey, np.ndarray] = {}
        nets = self._totals(last, draws)
        for source in self.sources:
            seed = series_seed(self.seed, self.model.name, (source.source, "", "futures"))
            counts = source.counts(self.model, last, draws, seed)
            if source.totals:
                seen = {year: source.observed(year) for year in counts}
                counts, sums = tied(counts, seen, source.flows.pairs, source.totals, nets)
                for key, by_year in sums.items():
                    nets.setdefault(key, {}).update(by_year)
            for at, series in enumerate(source.series):
                ahead = range(series.origin + step, last + 1, step)
                drawn[series.key] = np.array([counts[y][:, at] for y in ahead]).T
        for total in self.panel:
            key = total.key
            if key not in self.tied:
                continue
            if total.measure == NET:
                self._subtract(nets, total.source, total.location)
            ahead = range(total.origin + step, last + 1, step)
            if key in nets and all(year in nets[key] for year in ahead):
                drawn[key] = np.array([nets[key][year] for year in ahead]).T
        drawn = {key: paths.reshape(draws, -1) for key, paths in drawn.items()}
        return assemble(
            self.panel, drawn, wanted, self._notes(drawn), model=self.model.name, seed=self.seed
        )

    def _totals(self, last: int, draws: int) -> dict[SeriesKey, dict[int, np.ndarray]]:
        """Return draws of arrivals, departures and nets by year."""
        if self.totals is None:
            return {}
        step = self.panel.step
        origins = {key: s.origin for key in self.tied if (s := self.panel.find(key)) is not None}
        if last <= min(origins.values()):
            return {}
        made = by_series(self.totals.forecast((last,), draws))
        return {
            key: {origins[key] + step * (at + 1): paths[:, at] for at in range(paths.shape[1])}
            for key, paths in made.items()
        }

    @staticmethod
    def _subtract(nets: dict[SeriesKey, dict[int, np.ndarray]], source: str, place: str) -> None:
        """Put arrivals minus departures for the net of a place."""
        into, out = (nets.get((source, place, name)) for name in ("immigration", "emigration"))
        if into and out:
            both = into.keys() & out.keys()
            nets[source, place, NET] = {
                **nets.get((source, place, NET), {}),
                **{year: into[year] - out[year] for year in both},
            }

    def _notes(self, drawn: Mapping[SeriesKey, np.ndarray]) -> pd.DataFrame:
        least = int(self.model.stated["settings"]["least_figures"])
        against = {key: why for one in self.sources for key, why in one.against.items()}
        doubts = {one.source: one.posterior.failure for one in self.sources}
        rows = []
        for series in self.panel:
            if series.key not in drawn:
                why = against.get(
                    series.key, "the model is meant for flows, and totals of their ends."
                )
                rows.append(note(series, NOT_FORECAST, why))
                continue
            told = [doubts.get(series.source, "")]
            figures = int(usable_years(series).sum())
            if series.measure != FLOW:
                told.append("Sum of corridors and what they do not cover.")
            elif figures < least:
                told.append(
                    f"{RESTS} {figures} usable figure{'s' * (figures != 1)}; origin, "
                    "destination and gravity say the rest."
                )
            rows.append(note(series, FORECAST, " ".join(filter(None, told)), "log rate"))
        return pd.DataFrame(rows, columns=list(NOTE_COLUMNS))
