"""Regions of a country: nets that add up to the country's, internal moves that cancel out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.coherence.identities import Key, cover
from forecast.errors import TooShortError
from forecast.models.assembly import assemble
from forecast.models.contract import NOTE_COLUMNS, check_years
from forecast.models.regional import moves as internal
from forecast.models.regional.data import ALL, groups
from forecast.models.regional.fitting import FittedGroup, fit_group
from forecast.models.regional.moves import Moves, cancelled
from forecast.models.regional.notes import borrowed, note
from forecast.models.regional.pooling import Pool, learn, posterior
from forecast.models.scale import population_ahead
from forecast.models.simulation import simulate
from forecast.models.specification import specification
from forecast.models.structural import Structural
from forecast.models.univariate import MINIMUM_YEARS, UNUSED_FLAGS, series_seed, unused
from forecast.outlook import Forecast
from forecast.panel import Panel, Series

#: Draws of a country's net by year.
National = Mapping[Key, Mapping[int, np.ndarray]]


class Internal:
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
        self._moves = moves

    @property
    def matrices(self) -> pd.DataFrame:
        """Moves between regions."""
        from forecast.data import package

        return package.moves() if self._moves is None else self._moves

    def fit(self, panel: Panel, seed: int) -> FittedInternal:
        """Fit the regions of every country of a panel.

        Parameters
        ----------
        panel : Panel
        seed : int

        Raises
        ------
        TooShortError
            If no set of regions covers its country for `MINIMUM_YEARS` years or, before
            that, half of them: there is nothing to learn from.
        """
        stated = specification(self.name)
        found = groups(panel)
        fitted = [fit_group(group, stated["response"]) for group in found]
        usable = [item for item in fitted if item.observed >= MINIMUM_YEARS // 2]
        if not usable:
            raise TooShortError(
                "no series can be forecast by 'internal': no source has a net of all flows for "
                f"regions that make up a country over {MINIMUM_YEARS // 2} usable years. "
                "Add the missing regions, or forecast each series by itself with 'structural'."
            )
        nodes = Structural().nodes(None)  # type: ignore[arg-type]
        pool = learn(
            [item.rates[:, column] for item in usable for column in range(item.width)],
            [item.group.breaks[:, column] for item in usable for column in range(item.width)],
            [floor for item in usable for floor in item.floors],
            nodes,
            tuple(stated["discount"]),
            weight=stated["pooling"]["weight"],
            degrees=stated["pooling"]["degrees"],
        )
        inside = [
            item
            for item in internal.collect(panel, self.matrices)
            if len(item.net) >= internal.MINIMUM_YEARS
        ]
        return FittedInternal(panel, seed, pool, usable, inside)


@dataclass(frozen=True, eq=False)
class FittedInternal:
    """The regional model after it has seen a panel.

    Attributes
    ----------
    panel : Panel
    seed : int
    pool : Pool
        What the regions have in common.
    fits : list of FittedGroup
    moves : list of Moves
    """

    panel: Panel
    seed: int
    pool: Pool
    fits: list[FittedGroup]
    moves: list[Moves]

    @property
    def diagnostics(self) -> pd.DataFrame:
        """One row per region and parameter: its share in the country's net, its shocks."""
        rows = []
        for item in self.fits:
            for column, series in enumerate(item.group.regions):
                known = posterior(
                    self.pool,
                    item.rates[:, column],
                    item.group.breaks[:, column],
                    item.floors[column],
                )
                rows.append((*series.key, "share", float(item.shares[column])))
                rows.append((*series.key, "innovation", known.spread))
        return pd.DataFrame(rows, columns=["source", "location", "measure", "parameter", "mean"])

    @property
    def notes(self) -> pd.DataFrame:
        """One row per series, see `Forecast.notes`."""
        keys = self._keys()
        return pd.DataFrame(
            [note(series, keys.get(series.key)) for series in self.panel],
            columns=list(NOTE_COLUMNS),
        )

    def forecast(
        self, years: Sequence[int], draws: int, national: National | None = None
    ) -> Forecast:
        """Simulate futures; see `forecast.models.contract.FittedModel`.

        Parameters
        ----------
        years : sequence of int
        draws : int
        national : mapping of series key to mapping of year to ndarray, shape (n_draws,)
            Futures of a country's net that the regions shall add up to, draw by draw; drawn
            here where they are not given.
        """
        wanted = check_years(self.panel, years)
        drawn: dict[Key, np.ndarray] = {}
        rests: dict[str, tuple[FittedGroup, np.ndarray]] = {}
        for item in self.fits:
            drawn |= self._regions(item, wanted[-1], draws, national or {}, rests)
        for series in self._singles():
            drawn[series.key] = self._alone(series, wanted[-1], draws)
        for inside in self.moves:
            drawn |= self._inside(inside, wanted[-1], draws, rests)
        return assemble(self.panel, drawn, wanted, self.notes, model="internal", seed=self.seed)

    def _generator(self, *name: str) -> np.random.Generator:
        key = (name[0], name[1] if len(name) > 1 else "", "futures")
        return np.random.default_rng(series_seed(self.seed, "internal", key))

    def _regions(
        self,
        item: FittedGroup,
        last: int,
        n_draws: int,
        national: National,
        rests: dict[str, tuple[FittedGroup, np.ndarray]],
    ) -> dict[Key, np.ndarray]:
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
            known = posterior(
                self.pool,
                item.rates[: len(group.years) - behind, column],
                group.breaks[: len(group.years) - behind, column],
                item.floors[column],
            )
            path = simulate(known, behind + n_ahead, n_draws, generator)
            size = np.append(group.population[len(group.years) - behind :, column], people[column])
            path = path * size / 1000.0
            paths[:, column], early[column] = path[:, behind:], path[:, :behind]
        rest = cancelled(paths)
        rests[group.country] = item, rest
        total = self._total(item, end, n_ahead, n_draws, national, people.sum(axis=0), generator)
        values = item.shares[:, None] * total[:, None, :] + rest
        drawn = {}
        for column, series in enumerate(group.regions):
            behind = end - series.origin
            past = group.total[len(group.years) - behind :]
            before = early[column] + item.shares[column] * np.nan_to_num(past)
            drawn[series.key] = np.concatenate([before, values[:, column]], axis=1)
        place = {series.location: column for column, series in enumerate(group.regions)}
        for series in self.panel:
            same = series.source == group.source and series.measure == ALL
            if not same or series.key in drawn or series.origin != end:
                continue
            if series.location == group.country:
                drawn[series.key] = total
            elif parts := cover(series.location, place):
                drawn[series.key] = values[:, [place[part] for part in parts]].sum(axis=1)
        return drawn

    def _total(
        self,
        item: FittedGroup,
        end: int,
        n_ahead: int,
        n_draws: int,
        national: National,
        people: np.ndarray,
        generator: np.random.Generator,
    ) -> np.ndarray:
        """Return draws of the country's net, shape (n_draws, n_ahead), given or made here."""
        known = {s.key: dict(zip(s.years.tolist(), s.values)) for s in self.panel}
        for key in item.group.totals:
            if key in national:
                found = []
                for year in range(end + 1, end + n_ahead + 1):
                    stated = known[key].get(year, np.nan)
                    given = national[key].get(year)
                    found.append(np.full(n_draws, stated) if given is None else given)
                return np.stack(found, axis=1) if found else np.empty((n_draws, 0))
        rate = 1000.0 * item.group.total / item.group.population.sum(axis=1)
        still = np.zeros(len(rate), dtype=bool)
        floor = min(item.floors)
        fitted = posterior(self.pool, rate, still, floor)
        return np.asarray(simulate(fitted, n_ahead, n_draws, generator) * people / 1000.0)

    def _singles(self) -> list[Series]:
        """Return nets of all flows of places that no complete set covers."""
        taken = {s.key for item in self.fits for s in item.group.regions}
        taken |= {key for item in self.fits for key in item.group.totals}
        covered = {item.group.source for item in self.fits}
        return [
            series
            for series in self.panel
            if series.measure == ALL
            and series.step == 1
            and series.key not in taken
            and series.source not in covered
            and self._fitted_values(series)[1] > 0
        ]

    @staticmethod
    def _fitted_values(series: Series) -> tuple[np.ndarray, int]:
        values = series.values.copy()
        for flag in UNUSED_FLAGS:
            values[unused(series, flag)] = np.nan
        breaks = np.flatnonzero(series.flagged("break"))
        start = int(breaks[-1]) if len(breaks) else 0
        return values, int((~np.isnan(values[start:])).sum())

    def _alone(self, series: Series, last: int, n_draws: int) -> np.ndarray:
        """Draw one place by itself, with the liveliness of the pool."""
        values, _ = self._fitted_values(series)
        observed = ~np.isnan(series.values)
        n_ahead = max(0, last - series.origin)
        generator = self._generator(series.source, series.location)
        rated = not np.isnan(series.population[observed]).any()
        breaks = series.flagged("break")
        if rated:
            fitted = posterior(self.pool, 1000.0 * values / series.population, breaks, 0.0)
            people = population_ahead(series.population, n_ahead)
            return np.asarray(simulate(fitted, n_ahead, n_draws, generator) * people / 1000.0)
        # Without a population the pool's shocks are carried over relative to the level.
        relative = float(np.nanmean(np.abs(values))) / self.pool.level
        fitted = posterior(self.pool, values, breaks, 0.0, self.pool.variance * relative**2)
        return np.asarray(simulate(fitted, n_ahead, n_draws, generator))

    def _inside(
        self,
        inside: Moves,
        last: int,
        n_draws: int,
        rests: Mapping[str, tuple[FittedGroup, np.ndarray]],
    ) -> dict[Key, np.ndarray]:
        n_ahead = max(0, last - inside.origin)
        past: dict[str, pd.Series] = {}
        ahead: dict[str, np.ndarray] = {}
        if inside.country in rests:
            item, rest = rests[inside.country]
            shift = int(item.group.years[-1]) - inside.origin
            if shift == 0:
                for column, series in enumerate(item.group.regions):
                    past[series.location] = pd.Series(item.rest[:, column], item.group.years)
                    ahead[series.location] = rest[:, column]
        found = internal.draw(
            inside,
            past,
            ahead,
            self.pool,
            n_ahead,
            n_draws,
            self._generator(inside.source, inside.country),
        )
        drawn = {}
        for (place, measure), paths in found.items():
            series = inside.series[place, measure]
            if series.origin == inside.origin:
                drawn[series.key] = paths
        return drawn

    def _keys(self) -> dict[Key, tuple[str, str]]:
        """Return the series that are forecast, with what to say of each and its scale."""
        made: dict[Key, tuple[str, str]] = {}
        for item in self.fits:
            for series in item.group.regions:
                _, usable = self._fitted_values(series)
                made[series.key] = borrowed(usable), "rate"
            for series in self.panel:
                same = series.source == item.group.source and series.measure == ALL
                if same and series.key not in made and series.origin == item.group.years[-1]:
                    made[series.key] = "", "sum of regions"
        for series in self._singles():
            _, usable = self._fitted_values(series)
            rated = not np.isnan(series.population[~np.isnan(series.values)]).any()
            made[series.key] = borrowed(usable), "rate" if rated else "persons"
        for inside in self.moves:
            years = len(inside.turnover)
            for series in inside.series.values():
                if series.origin == inside.origin:
                    made[series.key] = (
                        f"Borrowed: {years} years of the series, {len(inside.net)} years of "
                        "internal nets with the matrices of moves; how far it may move is taken "
                        "from the balances of all regions.",
                        "turnover and net",
                    )
        return made
