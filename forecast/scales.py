"""On which scale a series is modelled: log counts, rates per 1,000, or persons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from forecast import measures
from forecast.panel import Series

Kind = Literal["log", "rate", "persons"]
#: Years of population growth that are carried forward.
GROWTH_YEARS = 5
#: Persons beyond whom a path is numerically, not demographically, alive.
MOST = float(np.expm1(23.0))
#: Months, quarters and half-years are forecast for a few years: no count reaches so many times the
#: highest one of its series (and as many persons, where all were small).
HIGHEST = 10.0
POPULATION_RULE = f"observed, carried forward at its mean growth of the last {GROWTH_YEARS} years"


@dataclass(frozen=True)
class Scale:
    """A series on the scale of its model, and the way back.

    Attributes
    ----------
    kind : {"log", "rate", "persons"}
        Counts are modelled as log(1 + persons), so no draw is negative; rates likewise, counted
        in `grain`; net flows as
        net migrants per 1,000 mid-year population per year where the population is
        known in every observed year, in persons otherwise.
    values : ndarray, shape (n_years,)
        The series on that scale; NaN in gaps.
    floor : float
        Standard deviation of the rounding of the last observed figure, on that scale.
    population : ndarray, shape (n_years,) or None
        Mid-year population in persons (rates only).
    step : int
        Years per step.
    most : float
        Largest count that a draw may reach, in persons: as many as live there, where that is
        known, each year of the step. More do not come or go.
    grain : float
        What is counted as one, see `Series.grain`.
    """

    kind: Kind
    values: np.ndarray
    floor: float
    population: np.ndarray | None
    step: int
    most: float = MOST
    grain: float = 1.0

    def to_persons(self, paths: np.ndarray) -> np.ndarray:
        """Turn paths on the scale of the model into persons.

        Parameters
        ----------
        paths : ndarray, shape (n_draws, n_ahead)
            On the scale, a column for each step after the origin.

        Returns
        -------
        ndarray, shape (n_draws, n_ahead)
            Persons per calendar year (or period); counts lie between 0 and `most`.

        Examples
        --------
        >>> import forecast as fc
        >>> scale = choose(fc.load("central-asia").find(("kz-bns", "KAZ", "immigration")))
        >>> scale.to_persons(np.log1p([[1000.0]])).round(6).tolist()
        [[1000.0]]
        """
        if self.kind == "log":
            counts = np.expm1(np.clip(paths, 0.0, np.log1p(self.most / self.grain)))
            return np.asarray(counts * self.grain)
        if self.population is None:
            return paths
        ahead = population_ahead(self.population, paths.shape[1])
        return np.asarray(paths * self.step * ahead / 1000.0)

    def logs(self, persons: np.ndarray) -> np.ndarray:
        """Turn persons into what a count is modelled as; what is below zero, into zero.

        Parameters
        ----------
        persons : ndarray
            In the unit of the series.

        Returns
        -------
        ndarray
            Of the same shape.

        Examples
        --------
        >>> Scale("log", np.array([]), 0.0, None, 1).logs(np.array([-3.0, 0.0])).tolist()
        [0.0, 0.0]
        """
        return np.asarray(np.log1p(np.maximum(persons, 0.0) / self.grain))


def choose(series: Series, kind: Kind | None = None) -> Scale:
    """Put a series on the scale that fits its measure.

    Parameters
    ----------
    series : Series
    kind : {"log", "rate", "persons"}, optional
        Ask for a scale; by default log for counts, rate or persons for net flows.

    Returns
    -------
    Scale
    """
    observed = ~np.isnan(series.values)
    last = float(series.values[observed][-1])
    stated = series.precision[observed][-1]
    grain = series.grain
    rounding = (grain if np.isnan(stated) else float(stated)) / np.sqrt(12.0)
    if kind is None:
        people = is_rate(series) and not measures.find(series.measure).fractional
        kind = ("rate" if people else "persons") if series.signed else "log"
    if kind == "log":
        logs, floor = np.log1p(series.values / grain), rounding / (grain + last)
        return Scale("log", logs, floor, None, series.step, most_persons(series), grain)
    if kind == "rate":
        factor = 1000.0 / (series.step * series.population)
        floor = rounding * float(factor[observed][-1])
        return Scale("rate", series.values * factor, floor, series.population, series.step)
    return Scale("persons", series.values, rounding, None, series.step)


def most_persons(series: Series) -> float:
    """Return the largest count that a forecast of a series may reach, in persons per step.

    Where the population is known: its largest figure for each year of the step. A population itself
    has no such bound, nor has what is not counted in persons; an amount or a rate may reach a
    million times its largest figure, of which only the computer takes notice. Of months, quarters
    and half-years: `HIGHEST` times the largest figure.
    """
    measure, largest = measures.find(series.measure), float(np.nanmax(series.values))
    ends = max(MOST, 1e6 * largest) if measure.kind == "amount" else MOST
    if measure.kind == "rate":
        ends = 1e6 * max(largest, series.grain)
    if series.season > 1 and series.measure != "population":
        return min(HIGHEST * (largest + HIGHEST * series.grain), ends)
    if measure.kind in ("amount", "rate") or measure.unit.en != "persons":
        return ends
    known = series.population[~np.isnan(series.population)]
    if series.measure == "population" or not len(known):
        return MOST
    return float(min(max(float(known.max()), 1.0) * series.step, MOST))


def is_rate(series: Series) -> bool:
    """Whether figures can be divided by the population: known each year, and one person or more."""
    return bool((series.population[~np.isnan(series.values)] >= 1.0).all())


def closed(values: np.ndarray) -> np.ndarray:
    """Return yearly values with their gaps closed along straight lines, shape (n_years,).

    Before the first and after the last known year it is theirs. Such is a population, which has no
    value in a year without a row.
    """
    known = np.flatnonzero(~np.isnan(values))
    return np.asarray(np.interp(np.arange(len(values)), known, values[known]))


def population_ahead(population: np.ndarray, n_ahead: int) -> np.ndarray:
    """Carry a population forward at its mean growth of the last years.

    Only figures up to the origin are used, so a backtest sees what could be known;
    the official projections differ from this by little next to the migration.

    Parameters
    ----------
    population : ndarray, shape (n_years,)
        Persons; NaN where unknown.
    n_ahead : int

    Returns
    -------
    ndarray, shape (n_ahead,)
    """
    known = np.flatnonzero(~np.isnan(population))
    recent = known[known >= known[-1] - GROWTH_YEARS]
    first, last = recent[0], known[-1]
    growth = 0.0
    if last > first:
        growth = np.log(population[last] / population[first]) / (last - first)
    steps = np.arange(1, n_ahead + 1) + (len(population) - 1 - last)
    return np.asarray(population[last] * np.exp(growth * steps))
