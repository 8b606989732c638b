"""Regions of a country as arrays, and the notes on their series."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast import locations
from forecast.accounts.audit import table_of, trusted
from forecast.accounts.identities import cover
from forecast.models.regional import internal_moves as internal
from forecast.models.regional.internal_moves import Moves
from forecast.models.series.univariate import MINIMUM_YEARS
from forecast.panel import Panel, Series
from forecast.scales import closed, is_rate
from forecast.series import usable_since_break, usable_values
from forecast.series_key import SeriesKey

if TYPE_CHECKING:
    from forecast.models.regional.fitting import FittedGroup

ALL = "net_all_flows"


@dataclass(frozen=True, eq=False)
class Group:
    """Regions that make up a country.

    Attributes
    ----------
    regions : tuple of Series
        Net of all flows, in the order of the arrays' columns.
    years : ndarray of int, shape (n_years,)
    values : ndarray, shape (n_years, n_regions)
        Persons; NaN in gaps and in years whose flag keeps them out.
    population : ndarray, shape (n_years, n_regions)
        Persons, the nearest known year where it is missing; ones for all if one is never known.
    rated : bool
        Whether every region has a population, so that rates can be made.
    breaks : ndarray of bool, shape (n_years, n_regions)
    total : ndarray, shape (n_years,)
        The country's net; the sum of the regions where nothing else states it.
    totals : tuple of SeriesKey
        Series that have to equal the regions' sum; the first one is that of `total`.
    """

    source: str
    country: str
    regions: tuple[Series, ...]
    years: np.ndarray
    values: np.ndarray
    population: np.ndarray
    rated: bool
    breaks: np.ndarray
    total: np.ndarray
    totals: tuple[SeriesKey, ...]


def groups(panel: Panel) -> list[Group]:
    """Return every set of regions with a net of all flows that covers its country."""
    by_source: dict[str, list[Series]] = {}
    for series in panel:
        if series.measure == ALL and series.step == 1:
            by_source.setdefault(series.source, []).append(series)
    made = []
    for source, members in sorted(by_source.items()):
        places = {series.location: series for series in members}
        for country in sorted({locations.country_of(place) for place in places}):
            # Overlapping units come later, as sums of these.
            parts = _finest(country, places)
            if parts:
                made.append(_group(panel, source, country, [places[part] for part in parts]))
    return made


def _finest(country: str, places: dict[str, Series]) -> list[str]:
    """Return the smallest places that make up a country."""
    parts = cover(country, places)
    while True:
        split = {part: cover(part, places) for part in parts}
        if not any(split.values()):
            return parts
        parts = sorted(smaller for part in parts for smaller in (split[part] or [part]))


def _group(panel: Panel, source: str, country: str, regions: Sequence[Series]) -> Group:
    first = min(int(series.years[0]) for series in regions)
    last = max(series.origin for series in regions)
    years = np.arange(first, last + 1)
    shape = (len(years), len(regions))
    values, population = np.full(shape, np.nan), np.full(shape, np.nan)
    breaks = np.zeros(shape, dtype=bool)
    for column, series in enumerate(regions):
        row = series.years - first
        values[row, column] = usable_values(series)
        population[row, column] = series.population
        breaks[row, column] = series.flagged("break")
    rated = bool((~np.isnan(population)).any(axis=0).all())
    filled = np.apply_along_axis(closed, 0, population) if rated else np.ones(shape)
    total, totals = _total(panel, source, country, years)
    if not totals:
        total = values.sum(axis=1)
    return Group(
        source, country, tuple(regions), years, values, filled, rated, breaks, total, totals
    )


def _total(
    panel: Panel, source: str, country: str, years: np.ndarray
) -> tuple[np.ndarray, tuple[SeriesKey, ...]]:
    """Return the country's net, by whichever series the regions add up to."""
    keys = [key for key in panel.keys if key[2] in (ALL, "net_migration")]
    kept, _ = trusted(panel, keys)
    whole = (source, country, ALL)
    found = [whole] if whole in keys else []
    for identity in kept:
        about_us = any(key[0] == source and key[2] == ALL for key in identity.keys)
        first = identity.terms[0][0]
        if identity.location == country and about_us and first not in found:
            found.append(first)
    # A register of arrivals and departures says more than a balance of the same thing.
    found.sort(key=lambda key: key[2] != "net_migration")
    total = np.full(len(years), np.nan)
    for stated in table_of(panel, found, years.tolist()).T[::-1]:
        total = np.where(np.isnan(stated), total, stated)
    return total, tuple(found)


def stated_net(panel: Panel, key: SeriesKey) -> dict[int, float]:
    """Return a net by year, from arrivals and departures in years in which it is missing itself.

    Parameters
    ----------
    panel : Panel
        The figures.
    key : (source, location, measure)
        Of the net.
    """
    source, place, measure = key
    known = {
        series.measure: pd.Series(series.values, index=series.years)
        for series in panel
        if (series.source, series.location) == (source, place)
    }
    net = known[measure]
    if measure == "net_migration" and {"immigration", "emigration"} <= set(known):
        net = net.combine_first(known["immigration"] - known["emigration"])
    net = net.dropna()
    return dict(zip(net.index.tolist(), net.tolist()))


def borrowed(usable: int) -> str:
    """Return what a region with few years takes from the others; nothing if it has enough."""
    if usable >= MINIMUM_YEARS:
        return ""
    return (
        f"Borrowed: {usable} usable years since the last break say where the region is, "
        "the other regions how far it may move."
    )


def told(
    fits: Iterable[FittedGroup],
    sums: Iterable[Series],
    singles: Iterable[Series],
    inside: Iterable[Moves],
) -> dict[SeriesKey, tuple[str, str]]:
    """Return the series that are forecast, with what to say of each and its scale.

    Parameters
    ----------
    sums : iterable of Series
        What regions add up to.
    singles : iterable of Series
        Places by themselves.
    """
    made: dict[SeriesKey, tuple[str, str]] = {}
    alone = [(series, item.group.rated) for item in fits for series in item.group.regions]
    alone += [(series, is_rate(series)) for series in singles]
    for series, rated in alone:
        made[series.key] = borrowed(usable_since_break(series)), "rate" if rated else "persons"
    made |= {series.key: ("", "sum of regions") for series in sums}
    for one in inside:
        reason = (
            f"Borrowed: {len(one.turnover)} years of the series, {len(one.net)} years of "
            "internal nets with the matrices of moves; how far it may move is taken "
            "from the balances of all regions."
        )
        for series in one.series.values():
            if series.origin == one.origin:
                made[series.key] = reason, "turnover and net"
    return made


def why_not(series: Series) -> str:
    """Return why a series is not forecast here."""
    if series.measure in internal.MEASURES:
        return (
            "The regions do not make up the country with arrivals, departures and net in "
            f"{internal.MINIMUM_YEARS} years."
        )
    if series.measure == ALL:
        return "The regions do not make up the country, or the place has no usable year."
    return f"{series.measure} is no migration of regions. Use model='flows' or 'coherent'."
