"""Regions of a country: nets that add up to the country's, internal moves that cancel out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast import locations
from forecast.accounts.identities import cover
from forecast.contract import FORECAST, NOT_FORECAST, NOTE_COLUMNS, FittedBase, ModelBase
from forecast.data import inputs
from forecast.errors import TooShortError
from forecast.horizons import check_years
from forecast.models.assembly import assemble, note
from forecast.models.regional import fitting
from forecast.models.regional import internal_moves as internal
from forecast.models.regional.data import ALL, groups, stated_net, told, why_not
from forecast.models.regional.fitting import FittedGroup, fit_group, pools
from forecast.models.regional.internal_moves import Moves, cancelled
from forecast.models.regional.partial_pooling import SharedPrior, posterior
from forecast.models.registry import specification
from forecast.models.series.representation import simulate
from forecast.models.series.univariate import MINIMUM_YEARS, series_seed
from forecast.outlook import Forecast
from forecast.panel import Panel, Series
from forecast.scales import closed, population_ahead
from forecast.series import usable_since_break
from forecast.series_key import KEY, SeriesKey

#: Draws of a country's net by year.
National = Mapping[SeriesKey, Mapping[int, np.ndarray]]
#: Groups by country, with draws of what is beyond their share in the country's net.
Rests = dict[str, tuple[FittedGroup, np.ndarray]]


class Internal(ModelBase):
    """Hierarchical model of the regions of a country (``models/internal.toml``).

    Parameters
    ----------
    moves : DataFrame, optional
        Matrices of moves between regions, ``origin, destination, year, value`` in persons
        per calendar year; the bundled ones by default. Only years up to the end of the
        panel are looked at.
    """

    name = "internal"

    def __init__(self, moves: pd.DataFrame | None = None) -> None:
        self._own = moves
        self.inputs = ("moves",) if moves is None else ()

    @property
    def recipe(self) -> dict[str, object]:
        """The moves of one's own, as text."""
        own = None if self._own is None else self._own.to_csv(float_format="%.17g")
        return {"model": self.name, "moves": own}

    def fit(self, panel: Panel, seed: int, moves: pd.DataFrame | None = None) -> FittedInternal:
        """Fit the regions of every country of a panel.

        Parameters
        ----------
        panel : Panel
            Nets of all flows of countries and of their regions.
        seed : int
        moves : DataFrame, optional
            Matrices of moves between regions; by default the model's own, or else the bundled
            ones as `forecast.data.inputs` cuts them.

        Raises
        ------
        TooShortError
            If no set of regions covers its country for half of `MINIMUM_YEARS`.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(measure="net_all_flows")
        >>> len(Internal().fit(panel, seed=1).fits) > 0
        True
        """
        if moves is None:
            own = self._own
            moves = inputs.known(self.inputs, panel)["moves"] if own is None else own
        stated = specification(self.name)
        found = groups(panel)
        fitted = [fit_group(group, stated["response"]) for group in found]
        usable = [item for item in fitted if item.observed >= MINIMUM_YEARS // 2 and item.anchored]
        if not usable:
            raise TooShortError(
                "no series can be forecast by 'internal': no source has a net of all flows for "
                f"regions that make up a country over {MINIMUM_YEARS // 2} usable years. "
                "Add the missing regions, or forecast each series by itself with 'structural'."
            )
        inside = [
            item
            for item in internal.collect(panel, inputs.cut(moves, panel))
            if len(item.net) >= internal.MINIMUM_YEARS
        ]
        return FittedInternal(panel, seed, pools(usable, stated), usable, inside)


@dataclass(frozen=True, eq=False)
class FittedInternal(FittedBase):
    """The regional model after it has seen a panel.

    Attributes
    ----------
    panel : Panel
    seed : int
    pools : list of SharedPrior
        What the regions of each group have in common.
    fits : list of FittedGroup
    moves : list of Moves
    """

    panel: Panel
    seed: int
    pools: list[SharedPrior]
    fits: list[FittedGroup]
    moves: list[Moves]

    @property
    def pool(self) -> SharedPrior:
        """What other places borrow from: regions with rates if there are any."""
        rated = [item.group.rated for item in self.fits]
        return self.pools[rated.index(True) if any(rated) else 0]

    @property
    def diagnostics(self) -> pd.DataFrame:
        """One row per region and parameter: its share in the country's net, its shocks."""
        rows = []
        for item, pool in zip(self.fits, self.pools):
            for column, series in enumerate(item.group.regions):
                rows.append((*series.key, "share", float(item.shares[column])))
                rows.append((*series.key, "innovation", item.posterior(pool, column).spread))
        return pd.DataFrame(rows, columns=[*KEY, "parameter", "mean"])

    @property
    def notes(self) -> pd.DataFrame:
        """One row per series, see `Forecast.notes`."""
        sums = [series for item in self.fits for series, _ in self._sums(item)]
        keys = told(self.fits, sums, self._singles(), self.moves)
        made = {key: (FORECAST, *reason_and_scale) for key, reason_and_scale in keys.items()}
        rows = [note(s, *made.get(s.key, (NOT_FORECAST, why_not(s)))) for s in self.panel]
        return pd.DataFrame(rows, columns=list(NOTE_COLUMNS))

    def forecast(
        self, years: Sequence[int], draws: int, national: National | None = None
    ) -> Forecast:
        """Simulate futures; see `forecast.contract.FittedModel`.

        Parameters
        ----------
        years : sequence of int
        draws : int
        national : mapping of series key to mapping of year to ndarray, shape (n_draws,)
            Futures of a country's net that the regions shall add up to, draw by draw; drawn
            here where they are not given.
        """
        wanted = check_years(self.panel, years)
        drawn: dict[SeriesKey, np.ndarray] = {}
        rests: Rests = {}
        for item, pool in zip(self.fits, self.pools):
            drawn |= self._regions(item, pool, wanted[-1], draws, national or {}, rests)
        rated = any(item.group.rated for item in self.fits)
        for series in self._singles():
            generator = self._generator(series.source, series.location)
            drawn[series.key] = fitting.draw(series, self.pool, rated, wanted[-1], draws, generator)
        for inside in self.moves:
            drawn |= self._inside(inside, wanted[-1], draws, rests)
        return assemble(self.panel, drawn, wanted, self.notes, model="internal", seed=self.seed)

    def _generator(self, source: str, place: str) -> np.random.Generator:
        return np.random.default_rng(series_seed(self.seed, "internal", (source, place, "futures")))

    def _regions(
        self,
        item: FittedGroup,
        pool: SharedPrior,
        last: int,
        n_draws: int,
        national: National,
        rests: Rests,
    ) -> dict[SeriesKey, np.ndarray]:
        group = item.group
        end = int(group.years[-1])
        n_ahead = max(0, last - end)
        generator = self._generator(group.source, group.country)
        paths = np.empty((n_draws, item.width, n_ahead))
        early: dict[int, np.ndarray] = {}
        people = np.stack(
            [population_ahead(group.population[:, c], n_ahead) for c in range(item.width)]
        )
        for column, series in enumerate(group.regions):
            behind = end - series.origin
            known = item.posterior(pool, column, slice(len(group.years) - behind))
            path = simulate(known, behind + n_ahead, n_draws, generator)
            size = np.append(group.population[len(group.years) - behind :, column], people[column])
            path = path * size / 1000.0
            paths[:, column], early[column] = path[:, behind:], path[:, :behind]
        rest = cancelled(paths)
        rests[group.country] = item, rest
        total = self._total(item, pool, n_draws, national, people.sum(axis=0), generator)
        values = item.shares[:, None] * total[:, None, :] + rest
        drawn = {}
        for column, series in enumerate(group.regions):
            behind = end - series.origin
            past = closed(group.total)[len(group.years) - behind :]
            before = early[column] + item.shares[column] * past
            drawn[series.key] = np.concatenate([before, values[:, column]], axis=1)
        for series, columns in self._sums(item):
            whole = series.location == group.country
            drawn[series.key] = total if whole else values[:, columns].sum(axis=1)
        return drawn

    def _sums(self, item: FittedGroup) -> list[tuple[Series, list[int]]]:
        """Return the series that regions add up to, with the regions' columns."""
        group = item.group
        place = {series.location: column for column, series in enumerate(group.regions)}
        found = []
        for series in self.panel:
            same = series.source == group.source and series.measure == ALL
            if not same or series.location in place or series.origin != group.years[-1]:
                continue
            if parts := cover(series.location, place):
                found.append((series, [place[part] for part in parts]))
        return found

    def _total(
        self,
        item: FittedGroup,
        pool: SharedPrior,
        n_draws: int,
        national: National,
        people: np.ndarray,
        generator: np.random.Generator,
    ) -> np.ndarray:
        """Return draws of the country's net, shape (n_draws, n_ahead), given or made here."""
        n_ahead, first = len(people), int(item.group.years[-1]) + 1
        years = range(first, first + n_ahead)
        given: Mapping[int, np.ndarray] = {}
        stated: Mapping[int, float] = {}
        for key in item.group.totals:
            if key in national:
                given, stated = national[key], stated_net(self.panel, key)
                break
        if all(year in given or year in stated for year in years) and n_ahead:
            whole = [given.get(year, np.full(n_draws, stated.get(year))) for year in years]
            return np.stack(whole, axis=1)
        rate = 1000.0 * item.group.total / item.group.population.sum(axis=1)
        still = np.zeros(len(rate), dtype=bool)
        fitted = posterior(pool, rate, still, min(item.floors))
        drawn = np.asarray(simulate(fitted, n_ahead, n_draws, generator) * people / 1000.0)
        for column, year in enumerate(years):
            # A year missing in the middle of what is known is drawn like one ahead.
            if year in given:
                drawn[:, column] = given[year]
            elif year in stated:
                drawn[:, column] = stated[year]
        return drawn

    def _singles(self) -> list[Series]:
        """Return nets of all flows of places outside every complete set of regions."""
        covered = {(item.group.source, item.group.country) for item in self.fits}
        taken = {key for item in self.fits for key in item.group.totals}
        return [
            series
            for series in self.panel
            if series.measure == ALL
            and series.step == 1
            and (series.source, locations.country_of(series.location)) not in covered
            and series.key not in taken
            and usable_since_break(series) > 0
        ]

    def _inside(
        self, inside: Moves, last: int, n_draws: int, rests: Rests
    ) -> dict[SeriesKey, np.ndarray]:
        n_ahead = max(0, last - inside.origin)
        past: dict[str, pd.Series] = {}
        ahead: dict[str, np.ndarray] = {}
        if inside.country in rests:
            item, rest = rests[inside.country]
            if int(item.group.years[-1]) == inside.origin:
                for column, series in enumerate(item.group.regions):
                    past[series.location] = pd.Series(item.rest[:, column], item.group.years)
                    ahead[series.location] = rest[:, column]
        generator = self._generator(inside.source, inside.country)
        found = internal.draw(inside, past, ahead, self.pool, n_ahead, n_draws, generator)
        drawn = {}
        for (place, measure), paths in found.items():
            series = inside.series[place, measure]
            if series.origin == inside.origin:
                drawn[series.key] = paths
        return drawn
