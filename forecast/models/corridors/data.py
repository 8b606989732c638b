"""The corridors of one source as arrays: counts, population, who shares what, gravity terms."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np

from forecast import locations
from forecast.panel import Panel, Series
from forecast.scales import GROWTH_YEARS
from forecast.series import usable_values
from forecast.shelf import shelf

#: Gravity terms, in the order of the priors.
TERMS = ("origin_population", "destination_population", "distance", "contiguity", "language")
#: An end of so many corridors has a level and shocks of its own.
LEAST_MEMBERS = 3
#: A count of this size is believed as much as the years around it, for its own variance.
SMALL = 4.0
#: No draw of a corridor is held below so many persons.
LEAST_BOUND = 100.0
#: What stands for all other places, where corridors do not cover all that is counted.
REST = "rest"


@dataclass(frozen=True, eq=False)
class PairFlows:
    """Counts of corridors over years.

    Attributes
    ----------
    pairs : tuple of (origin, destination)
        Codes of places, or `REST`.
    counts : ndarray, shape (n_years, n_pairs)
        Persons a year (or period); NaN where not usable.
    offset : ndarray, shape (n_years, n_pairs)
        Logarithm of the origin's population in thousands; 0 of pairs without it.
    growth : ndarray, shape (n_pairs,)
        Growth of the offset in each step ahead.
    years : ndarray, shape (n_years,)
    gravity : ndarray, shape (n_pairs, n_terms)
        `TERMS`, distances from their mean over pairs; 0 where not known.
    """

    pairs: tuple[tuple[str, str], ...]
    counts: np.ndarray
    offset: np.ndarray
    growth: np.ndarray
    years: np.ndarray
    gravity: np.ndarray

    @property
    def n_years(self) -> int:
        """Steps from the first to the last observed one."""
        return len(self.counts)

    @property
    def n_pairs(self) -> int:
        """Number of corridors."""
        return len(self.pairs)

    @cached_property
    def log_mean(self) -> np.ndarray:
        """Logarithm of 1 + the mean figure of each corridor, shape (n_pairs,)."""
        seen = ~np.isnan(self.counts)
        mean = np.where(seen, self.counts, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
        return np.asarray(np.log(mean + 1.0))

    @cached_property
    def log_size(self) -> np.ndarray:
        """How large corridors are, on the log scale from their mean, shape (n_pairs,)."""
        return np.asarray(self.log_mean - np.mean(self.log_mean))

    @property
    def last(self) -> np.ndarray:
        """The last figure of each corridor, shape (n_pairs,); NaN of one without any."""
        seen = np.isfinite(self.counts)
        at = self.n_years - 1 - np.argmax(seen[::-1], axis=0)
        return np.asarray(self.counts[at, np.arange(self.n_pairs)])

    def until(self, n_years: int) -> PairFlows:
        """Return the first years; corridors that have no figures in them stay."""
        offset = self.offset[:n_years]
        back = min(GROWTH_YEARS, n_years - 1)
        return replace(
            self, counts=self.counts[:n_years], offset=offset, years=self.years[:n_years],
            growth=(offset[-1] - offset[-1 - back]) / max(back, 1),
        )  # fmt: skip

    def bounds(self, rules: Mapping[str, Any]) -> np.ndarray:
        """Return the counts that no draw exceeds, shape (n_pairs,); see ``[settings]``."""
        seen = np.nanmax(self.counts, axis=0)
        people = np.array([inhabitants(origin) for origin, _ in self.pairs])
        step = int(self.years[1] - self.years[0]) if self.n_years > 1 else 1
        largest = np.minimum(
            rules["largest_multiple"] * seen, rules["largest_share"] * step * people
        )
        return np.asarray(np.maximum(np.maximum(largest, 2.0 * seen), LEAST_BOUND))

    def log_counts(self) -> tuple[np.ndarray, np.ndarray]:
        """Return counts on the log scale and the variance of counting them; 0 where not seen.

        A count y near an expected m is log m + (y - m) / m on the log scale, with variance 1 / m: a
        step of Fisher scoring. Here m lies between y and the mean of the years around it, the
        nearer to y the larger y is, so that zeros count for what they are.
        """
        seen, counts = ~np.isnan(self.counts), np.nan_to_num(self.counts)
        apart = np.abs(np.subtract.outer(np.arange(self.n_years), np.arange(self.n_years)))
        near = np.exp(-apart / 2.0)
        around = (near @ counts + 0.5) / (near @ seen + 1.0)
        own = counts / (counts + SMALL)
        mean = own * counts + (1.0 - own) * around
        log_count = np.log(mean) + (counts - mean) / mean
        return np.where(seen, log_count, 0.0), np.where(seen, 1.0 / mean, 0.0)

    @cached_property
    def places(self) -> tuple[list[str], list[str]]:
        """The origins, and the destinations, of several corridors, sorted."""
        counted = (Counter(pair[end] for pair in self.pairs) for end in (0, 1))
        origins, destinations = (
            sorted(one for one, n in count.items() if LEAST_MEMBERS <= n < self.n_pairs)
            for count in counted
        )
        return origins, destinations

    def members(self, what: str) -> np.ndarray:
        """Return who shares a shock, shape (n_pairs, n_groups), as 0 and 1.

        Parameters
        ----------
        what : {"year", "origin", "destination"}
        """
        if what == "year":
            return np.ones((self.n_pairs, int(self.n_pairs >= LEAST_MEMBERS)))
        end = int(what == "destination")
        ends = np.array([pair[end] for pair in self.pairs], dtype=object)
        return np.array([ends == one for one in self.places[end]], float).reshape(
            -1, self.n_pairs
        ).T  # fmt: skip

    def design(self, priors: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        """Return what levels are expected from, and the prior means of its coefficients.

        Columns are the mean, `TERMS`, origins and destinations.
        """
        ends = [self.members("origin"), self.members("destination")]
        design = np.hstack([np.ones((self.n_pairs, 1)), self.gravity, *ends])
        centre = np.zeros(design.shape[1])
        seen = ~np.isnan(self.counts)
        centre[0] = (self.log_counts()[0] - self.offset)[seen].mean()
        centre[1 : 1 + len(TERMS)] = [priors[f"gravity_{term}"][0] for term in TERMS]
        # A rate per inhabitant has the size of the origin in it already.
        centre[1] -= float(bool(self.offset.any()))
        return design, centre

    def coefficient_precision(self, priors: Mapping[str, Any], spread: np.ndarray) -> np.ndarray:
        """Return prior precisions of the columns of `design`, shape (n_chains, n_columns)."""
        fixed = [priors["mean_spread"], *(priors[f"gravity_{term}"][1] for term in TERMS)]
        n_chains = len(spread)
        parts = [np.tile(np.array(fixed) ** -2.0, (n_chains, 1))]
        for end in (0, 1):
            size = (n_chains, len(self.places[end]))
            parts.append(np.broadcast_to(spread[:, 1 + end, None] ** -2, size))
        return np.hstack(parts)

    def some(self, keep: np.ndarray) -> PairFlows:
        """Return the corridors at some positions."""
        return replace(
            self, pairs=tuple(self.pairs[at] for at in keep), counts=self.counts[:, keep],
            offset=self.offset[:, keep], growth=self.growth[keep], gravity=self.gravity[keep],
        )  # fmt: skip


def pair_flows(series: Sequence[Series], rest: Mapping[tuple[str, str], np.ndarray]) -> PairFlows:
    """Return the corridors of one source as arrays.

    Parameters
    ----------
    series : sequence of Series
        Flows, all of one source and step.
    rest : mapping of (origin, destination) to ndarray, shape (n_years,)
        What corridors leave uncovered, from the first year of any series on.
    """
    step = series[0].step
    first, last = min(int(s.years[0]) for s in series), max(s.origin for s in series)
    years = np.arange(first, last + 1, step)
    n = len(series) + len(rest)
    counts, offset = np.full((len(years), n), np.nan), np.zeros((len(years), n))
    growth, pairs = np.zeros(n), []
    of_origin: dict[str, list[Series]] = {}
    for one in series:
        of_origin.setdefault(ends_of(one)[0], []).append(one)
    # Rates of some and counts of others would have no common level.
    populated = all(
        any(np.isfinite(one.population).any() for one in many) for many in of_origin.values()
    )
    people = {place: _log_population(many, years) for place, many in of_origin.items() if populated}
    for at, one in enumerate(series):
        rows = slice((int(one.years[0]) - first) // step, (one.origin - first) // step + 1)
        counts[rows, at] = np.rint(usable_values(one))
        pairs.append(ends_of(one))
        if populated:
            offset[:, at], growth[at] = people[ends_of(one)[0]]
    for at, (pair, values) in enumerate(rest.items(), start=len(series)):
        counts[:, at] = np.rint(values)
        pairs.append(pair)
    return PairFlows(tuple(pairs), counts, offset, growth, years, _gravity(pairs))


def ends_of(series: Series) -> tuple[str, str]:
    """Return the codes of origin and destination of a flow."""
    origin, _, destination = series.location.partition(":")
    return origin, destination


def _log_population(series: Sequence[Series], years: np.ndarray) -> tuple[np.ndarray, float]:
    """Return log thousands of inhabitants of an origin each year, and their growth a step ahead.

    Any corridor may say how many they are in a year.
    """
    people = {
        year: size
        for one in series
        for year, size in zip(one.years.tolist(), one.population.tolist())
        if np.isfinite(size)
    }
    known = sorted(people)
    logs = np.log([people[year] / 1000.0 for year in known])
    step = series[0].step
    recent = max(0, int(np.searchsorted(known, known[-1] - GROWTH_YEARS * step)))
    apart = (known[-1] - known[recent]) / step
    growth = float((logs[-1] - logs[recent]) / apart) if apart else 0.0
    ahead = np.maximum(years - known[-1], 0) / step
    return np.interp(years, known, logs) + growth * ahead, growth


@cache
def _facts() -> dict[str, dict[str, Any]]:
    """Return what the shelf says of countries, by code."""
    with (shelf("data") / "country_facts.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["code"]: {
                "point": np.radians([float(row["latitude"]), float(row["longitude"])]),
                "population": float(row["population"]),
                "languages": set(row["languages"].split()[:3]),
                "neighbours": set(row["neighbours"].split()),
            }
            for row in csv.DictReader(file)
        }


def _gravity(pairs: Sequence[tuple[str, str]]) -> np.ndarray:
    """Return the gravity terms of pairs, from their means; regions stand where countries do."""
    rows = np.array([terms(origin, destination) for origin, destination in pairs])
    known = np.isfinite(rows)
    mean = np.where(known, rows, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known, rows - mean, 0.0)


@cache
def terms(origin: str, destination: str) -> tuple[float, ...]:
    """Return `TERMS` of one pair; NaN where a place is none of the table.

    Parameters
    ----------
    origin, destination : str
        Codes of countries or regions, which stand for their country; or the rest.

    Returns
    -------
    tuple of float
        Logs of both populations (persons) and of the distance between their middles along the globe
        (kilometres, at least 50); 1 where they are neighbours, and where they share a language.
    """
    unknown = (np.nan,) * len(TERMS)
    if REST in (origin, destination):
        return unknown
    facts = _facts()
    one, other = (locations.country_of(place) for place in (origin, destination))
    if one not in facts or other not in facts or one == other:
        return unknown
    there, here = facts[one], facts[other]
    (lat, lon), (lat_2, lon_2) = there["point"], here["point"]
    half = np.sin((lat - lat_2) / 2) ** 2
    half += np.cos(lat) * np.cos(lat_2) * np.sin((lon - lon_2) / 2) ** 2
    kilometres = 2 * 6371.0 * np.arcsin(np.sqrt(half))
    return (
        float(np.log(there["population"])), float(np.log(here["population"])),
        float(np.log(max(kilometres, 50.0))), float(other in there["neighbours"]),
        float(bool(there["languages"] & here["languages"])),
    )  # fmt: skip


def inhabitants(place: str) -> float:
    """Return how many people live in a country, or the country of a region; inf if not known."""
    if place == REST:
        return np.inf
    return float(_facts().get(locations.country_of(place), {}).get("population", np.inf))


def flows_by_source(panel: Panel) -> dict[str, list[Series]]:
    """Return the flows of a panel by source, sorted by corridor."""
    found: dict[str, list[Series]] = {}
    for series in panel:
        if series.measure == "flow" and np.isfinite(usable_values(series)).any():
            found.setdefault(series.source, []).append(series)
    return found
