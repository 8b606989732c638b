"""A shock on top of a baseline forecast, kept apart from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from forecast import plots
from forecast.config import read_toml
from forecast.corridors import FLOW
from forecast.draw_tables import TABLE_KEY
from forecast.errors import DataError, unknown_name
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.scenarios import unusual as extremes
from forecast.scenarios.accounting import MOVED, Movement, accounts, movements, settled
from forecast.scenarios.conditioning import beside
from forecast.scenarios.shock import TAKES, Shock
from forecast.series_key import keys_of
from forecast.shelf import shelf


@dataclass(frozen=True, eq=False)
class Scenario:
    """What would follow if a shock happened; not a forecast.

    Attributes
    ----------
    shock : Shock
        What was stated; a source of the forecast that it does not name but that is told to
        be a register is named by the entry for registers.
    baseline : Forecast
        The forecast as it was, unchanged.
    what_if : Forecast
        The same draws with the shock on top; ``paths.attrs["scenario"]`` names it, and a
        hub, a report and a table of targets refuse it as a forecast.
    difference : DataArray, dims (draw, series, year)
        What the shock adds in each draw, persons per calendar year.
    effects : DataFrame
        One row per series of the countries concerned, also for those that stay as they are:
        ``source, location, measure, status, part, reason, counted``; the last says which
        entry of the scenario counts the source, and how that is known.
    movements : tuple of Movement
        What really happens in each country, whether figures show it or not.
    """

    shock: Shock
    baseline: Forecast
    what_if: Forecast
    difference: xr.DataArray
    effects: pd.DataFrame
    movements: tuple[Movement, ...]

    plot = plots.what_if

    @property
    def name(self) -> str:
        """Name of the scenario."""
        return self.shock.name

    @property
    def moved(self) -> np.ndarray:
        """Positions of the series that the shock reaches."""
        reached = set(keys_of(self.effects[self.effects["status"] == MOVED]))
        return np.flatnonzero([key in reached for key in self.baseline.keys])

    def table(self, level: float = 0.80, years: Sequence[int] | None = None) -> pd.DataFrame:
        """Return baseline and scenario beside each other.

        Parameters
        ----------
        level : float in (0, 1)
            Probability inside the intervals.
        years : sequence of int, optional
            Any forecast years; the target years by default.

        Returns
        -------
        DataFrame
            One row per series reached and year: ``scenario, location, measure, source, year,
            baseline, baseline_lower, baseline_upper, what_if, what_if_lower, what_if_upper,
            added, added_lower, added_upper``, medians and interval ends in persons.

        Raises
        ------
        DataError
            If the level is no number between 0 and 1.
        UnknownNameError
            If a year is no forecast year.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> outlook = fc.forecast(panel, "naive", (2030,), draws=200)
        >>> table = fc.scenario(outlook, "russia-kazakhstan").table()
        >>> bool((table["what_if"] >= table["baseline"])[table["measure"] == "immigration"].all())
        True
        """
        added = dataclasses.replace(self.what_if, paths=self.difference)
        parts = {"baseline": self.baseline, "what_if": self.what_if, "added": added}
        reached = self.baseline.series.iloc[self.moved][TABLE_KEY]
        joined = beside(parts, level, years).merge(reached, on=TABLE_KEY)
        joined.insert(0, "scenario", self.name)
        return joined

    def unusual(self, world: Panel | None = None) -> pd.DataFrame:
        """Say how unusual the scenario is, in the forecast and in the past of all countries.

        Parameters
        ----------
        world : Panel, optional
            Annual net migration of all countries with population; by default what is shipped.

        Returns
        -------
        DataFrame
            One row per series reached and window of 1 and 5 years, with the share of baseline draws
            and of country-windows as far out; see `forecast.scenarios.unusual.unusual`.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> outlook = fc.forecast(panel, "naive", (2030,), draws=200)
        >>> fc.scenario(outlook, "russia-kazakhstan").unusual()["window"].unique().tolist()
        [1, 5]
        """
        parts = self.baseline, self.difference, self.moved, self.movements
        return extremes.unusual(*parts, world)

    def event(self, world: Panel | None = None) -> pd.DataFrame:
        """Say how large the scenario is itself, whatever part of it figures show.

        Parameters
        ----------
        world : Panel, optional
            Annual net migration of all countries with population; by default what is shipped.

        Returns
        -------
        DataFrame
            One row per country: all who move and those of the first year (persons), per 1,000
            inhabitants, and the share of country-years as large; see
            `forecast.scenarios.unusual.event`.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> outlook = fc.forecast(panel, "naive", (2030,), draws=200)
        >>> fc.scenario(outlook, "russia-kazakhstan").event()["direction"].tolist()
        ['arrivals']
        """
        return extremes.event(self.baseline, self.movements, world)

    def __repr__(self) -> str:
        return (
            f"<Scenario {self.name}: {len(self.moved)} series reached, start {self.shock.first}"
            f"–{self.shock.last}; not a forecast>"
        )

    def _repr_html_(self) -> str:
        return plots.scenario_table(self)


def scenario(
    outlook: Forecast, given: str | Path | Mapping[str, Any] | Shock, *, seed: int = 1
) -> Scenario:
    """Put a shock on top of a forecast.

    Parameters
    ----------
    outlook : Forecast
        The baseline; it is not changed.
    given : str, Path, mapping or Shock
        Name of a shipped scenario (``forecast.scenarios.scenario.names()``), a TOML file, its
        content, or a scenario already read.
    seed : int
        Source of the shock's draws, which are independent of the baseline's.

    Returns
    -------
    Scenario

    Raises
    ------
    DataError
        If the scenario is not well stated, is about no series of the forecast, starts
        before the data of one of them end, or only after the forecast ends; or if the data
        are not of calendar years, or the forecast is a scenario already.
    UnknownNameError
        If a name or a key is not known.

    Examples
    --------
    >>> import forecast as fc
    >>> outlook = fc.forecast(fc.load("central-asia"), model="naive", draws=200)
    >>> what_if = fc.scenario(outlook, "russia-kazakhstan")
    >>> what_if
    <Scenario russia-kazakhstan: 20 series reached, start 2026–2027; not a forecast>
    """
    shock = given if isinstance(given, Shock) else read(given)
    outlook.history.require_years("a scenario")
    if outlook.history.step != 1:
        raise DataError(
            f"scenario {shock.name!r} counts calendar years; the data have periods of "
            f"{outlook.history.step} years. Give annual series."
        )
    if "scenario" in outlook.paths.attrs:
        raise DataError(
            f"the forecast given holds scenario {outlook.paths.attrs['scenario']!r} already. "
            "Give the baseline; scenarios are not put on top of each other."
        )
    shock, counted_by = settled(shock, outlook)
    paths = outlook.paths.transpose("draw", "series", "year")
    years = paths["year"].to_numpy()
    moved = movements(shock, years, paths.sizes["draw"], seed)
    extra, effects = accounts(outlook, moved, shock.name, counted_by)
    reached = effects[effects["status"] == MOVED]
    if reached.empty:
        places = ", ".join(place.location for place in shock.places)
        why = "".join(
            f" {row.measure} of {row.location} ({row.source}): {row.reason}."
            for row in effects[effects["measure"].isin([*TAKES, FLOW])].head(1).itertuples()
        )
        raise DataError(
            f"scenario {shock.name!r} is about {places}, and reaches no series of this forecast."
            f"{why or ' Give data that hold migration of a country it names.'}"
        )
    origins = outlook.series.merge(reached[TABLE_KEY], on=TABLE_KEY)
    late = origins[origins["origin"] >= shock.first]
    if len(late):
        row = late.iloc[0]
        raise DataError(
            f"scenario {shock.name!r} may start in {shock.first}, and {row['measure']} of "
            f"{row['location']} ({row['source']}) is observed to {row['origin']}. "
            f"Set first in [when] to {row['origin'] + 1} or later."
        )
    if shock.last > years[-1]:
        raise DataError(
            f"scenario {shock.name!r} may start as late as {shock.last}, after the forecast's "
            f"last year, {years[-1]}. Ask for a later horizon, or set last in [when] earlier."
        )
    # Years that are observed already stay missing, as in the baseline.
    added = np.where(np.isnan(paths.to_numpy()), np.nan, extra)
    difference = paths.copy(data=added)
    difference.attrs = {**outlook.paths.attrs, "scenario": shock.name, "scenario_seed": seed}
    stacked = paths + added
    stacked.attrs = dict(difference.attrs)
    what_if = dataclasses.replace(outlook, paths=stacked, explanation=None)
    return Scenario(shock, outlook, what_if, difference, effects, tuple(moved))


def names() -> list[str]:
    """Return the names of the scenarios that the package ships."""
    return sorted(path.stem for path in (shelf("models") / "scenarios").glob("*.toml"))


def read(given: str | Path | Mapping[str, Any]) -> Shock:
    """Read a shock scenario.

    Parameters
    ----------
    given : str, Path or mapping
        Name of a shipped scenario, a TOML file, or its content (perhaps with a ``name``).

    Returns
    -------
    Shock

    Raises
    ------
    DataError
        If the file is missing or is not TOML, or a value is not what it should be.
    UnknownNameError
        If a name or a key is not known; the message lists those that are.
    """
    if isinstance(given, Mapping):
        return Shock.of({"name": "own", **given}, "the scenario")
    path = Path(given)
    if path.suffix != ".toml" and not path.is_file():
        if str(given) not in names():
            raise unknown_name("scenario", str(given), names())
        path = (shelf("models") / "scenarios") / f"{given}.toml"
    content = read_toml(path, f"Give a TOML file, or one of: {', '.join(names())}.")
    return Shock.of({**content, "name": path.stem}, path.name)
