"""Arrivals and departures of a panel as arrays: log rates by stretch, year and direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from forecast.panel import Panel, Series
from forecast.scales import is_rate
from forecast.series import usable_values, usable_years

DIRECTIONS = ("immigration", "emigration")
NET = "net_migration"


@dataclass(frozen=True, eq=False)
class Place:
    """One source and location with a gross flow.

    Attributes
    ----------
    flows : tuple of (Series or None)
        Immigration and emigration.
    net : Series or None
        The registered net, which is derived, never fitted.
    usable : tuple of int
        Years since the last break of either flow that each can be fitted on.
    """

    source: str
    location: str
    flows: tuple[Series | None, Series | None]
    net: Series | None
    usable: tuple[int, int]

    @property
    def series(self) -> list[Series]:
        """Every series that can be forecast: flows with a usable year, the net if both have one."""
        both = zip(self.flows, self.usable)
        flows = [series for series, usable in both if series is not None and usable]
        return [*flows, self.net] if self.net is not None and len(flows) == 2 else flows


@dataclass(frozen=True, eq=False)
class Gross:
    """What the sampler sees.

    Attributes
    ----------
    places : tuple of Place
    values : ndarray, shape (n_stretches, n_years, 2)
        Log of persons per 1,000 mid-year population (of persons where a population is not
        known); NaN where there is no figure or its flag keeps it out.
    error : ndarray, shape (n_stretches, n_years, 2)
        Variance that counting and rounding alone give to each value.
    start, end : ndarray of int, shape (n_stretches,)
        First and last year of each stretch between breaks, as positions.
    place : ndarray of int, shape (n_stretches,)
        Which place it belongs to.
    """

    places: tuple[Place, ...]
    first_year: int
    values: np.ndarray
    error: np.ndarray
    start: np.ndarray
    end: np.ndarray
    place: np.ndarray

    @property
    def last_stretch(self) -> np.ndarray:
        """Position of the stretch that each place is in now, shape (n_places,)."""
        return np.array([np.flatnonzero(self.place == p)[-1] for p in range(len(self.places))])


def collect(panel: Panel) -> Gross | None:
    """Gather arrivals and departures of a panel; None if it has none."""
    found: dict[tuple[str, str], dict[str, Series]] = {}
    for series in panel:
        if series.measure in (*DIRECTIONS, NET) and series.step == 1:
            found.setdefault((series.source, series.location), {})[series.measure] = series
    all_places = (_place(*key, flows) for key, flows in sorted(found.items()))
    places = tuple(place for place in all_places if any(place.usable))
    if not places:
        return None
    first = min(int(s.years[0]) for place in places for s in place.flows if s is not None)
    last = max(s.origin for place in places for s in place.flows if s is not None)
    stretches = [
        (number, *stretch)
        for number, place in enumerate(places)
        for stretch in _stretches(place, first, last)
    ]
    return Gross(
        places,
        first,
        np.stack([values for _, values, _, _, _ in stretches]),
        np.stack([error for _, _, error, _, _ in stretches]),
        np.array([start for _, _, _, start, _ in stretches]),
        np.array([end for _, _, _, _, end in stretches]),
        np.array([number for number, _, _, _, _ in stretches]),
    )


def _place(source: str, location: str, known: Mapping[str, Series]) -> Place:
    into, out = (known.get(direction) for direction in DIRECTIONS)
    # A break of one flow starts a new stretch of both; where none breaks, each has its own years.
    breaks = [
        int(year)
        for series in (into, out)
        if series is not None
        for year in series.years[series.flagged("break")]
    ]
    since = max(breaks, default=-1)
    usable = _usable(into, since), _usable(out, since)
    return Place(source, location, (into, out), known.get(NET), usable)


def _usable(series: Series | None, since: int) -> int:
    if series is None:
        return 0
    return int(usable_years(series)[series.years >= since].sum())


def _stretches(
    place: Place, first: int, last: int
) -> list[tuple[np.ndarray, np.ndarray, int, int]]:
    """Cut a place's years where a register changed."""
    n_years = last - first + 1
    values = np.full((n_years, 2), np.nan)
    error = np.ones((n_years, 2))
    breaks = np.zeros(n_years, dtype=bool)
    for direction, series in enumerate(place.flows):
        if series is None:
            continue
        position = series.years - first
        counts = np.maximum(usable_values(series), 0.0)
        values[position, direction] = np.log(counts + 0.5) - np.log(per(series))
        rounding = np.nan_to_num(series.precision, nan=1.0) ** 2 / 12.0
        size = np.nan_to_num(counts, nan=1.0) + 0.5
        error[position, direction] = 1.0 / size + rounding / size**2
        breaks[position] |= series.flagged("break")
    known = np.flatnonzero(~np.isnan(values).all(axis=1))
    final = max(series.origin for series in place.flows if series is not None) - first
    cuts = [int(known[0]), *(int(b) for b in np.flatnonzero(breaks) if b > known[0]), final + 1]
    return [(values, error, start, end - 1) for start, end in pairwise(cuts)]


def per(series: Series) -> np.ndarray:
    """Return the thousands of inhabitants that counts are divided by; ones if not known."""
    if not is_rate(series):
        return np.ones(len(series.years))
    return np.asarray(series.population / 1000.0)
