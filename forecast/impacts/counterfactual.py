"""Counterfactuals: forecasts from before a date against outcomes after it, standardised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from forecast.contract import FORECAST, FittedBase, Model, ModelBase, complete
from forecast.data import inputs
from forecast.errors import TooShortError
from forecast.hindcast.jobs import Failure, Job, run
from forecast.outlook import Forecast
from forecast.panel import Panel, Series
from forecast.series_key import SeriesKey, keys_of

#: Quantiles whose distances from the median are the unit of a gap: one standard deviation
#: to each side under a normal distribution.
_BELOW, _ABOVE = 0.1587, 0.8413
#: Flags of figures that say nothing about how well a forecast did: a new register, a known
#: distortion, a point on a line.
UNFIT = ("break", "outlier", "interpolated")


@dataclass(frozen=True, eq=False)
class Window:
    """A forecast of some years from an origin, and what was observed in them.

    Attributes
    ----------
    key : (str, str, str)
        Source, location and measure.
    signed : bool
        Whether values may be below zero.
    origin : int
        The last year that the forecast was shown.
    years : ndarray of int, shape (n_years,)
    observed : ndarray, shape (n_years,)
        Persons per calendar year.
    draws : ndarray, shape (n_draws, n_years)
        The forecast, in persons per calendar year.
    """

    key: SeriesKey
    signed: bool
    origin: int
    years: np.ndarray
    observed: np.ndarray
    draws: np.ndarray

    @cached_property
    def columns(self) -> tuple[np.ndarray, np.ndarray]:
        """Observed figures, shape (n_years + 1,), and draws, shape (n_draws, n_years + 1).

        The last column is the sum over the years, draw by draw.
        """
        total = self.draws.sum(axis=1, keepdims=True)
        return np.append(self.observed, self.observed.sum()), np.hstack([self.draws, total])

    @cached_property
    def ruler(self) -> Ruler:
        """The unit in which gaps of this window are measured."""
        return ruler(self.columns[1], self.signed)

    @cached_property
    def gaps(self) -> np.ndarray:
        """Standardised gaps of each year and of the sum, shape (n_years + 1,)."""
        return self.ruler.measure(self.columns[0])


@dataclass(frozen=True, eq=False)
class Ruler:
    """What the forecast itself says is an ordinary error, above and below its median.

    Gaps of large and small, calm and stormy series compare in this unit (locally weighted
    conformal scores, Lei et al. 2018, doi:10.1080/01621459.2017.1307116). Counts are
    measured on log(1 + persons).

    Attributes
    ----------
    signed : bool
        Whether values may be below zero; others are measured on log(1 + persons).
    middle, below, above : ndarray, shape (n_columns,)
        Median and the distances to the quantiles 15.87 and 84.13 %.
    """

    signed: bool
    middle: np.ndarray
    below: np.ndarray
    above: np.ndarray

    def measure(self, persons: np.ndarray) -> np.ndarray:
        """Return how far figures are from the forecast, in units of an ordinary error.

        Parameters
        ----------
        persons : ndarray, shape (..., n_columns)
            Figures.

        Returns
        -------
        ndarray, shape (..., n_columns)
            Zero at the median, 1 at the quantile 84.13 %.

        Examples
        --------
        >>> plain = Ruler(True, np.array([100.0]), np.array([10.0]), np.array([20.0]))
        >>> plain.measure(np.array([140.0])).tolist()
        [2.0]
        """
        distance = (persons if self.signed else np.log1p(np.maximum(persons, 0.0))) - self.middle
        return np.asarray(np.where(distance >= 0, distance / self.above, distance / self.below))

    def persons(self, gaps: np.ndarray) -> np.ndarray:
        """Return the figures that are so far from the forecast: the inverse of `measure`.

        Parameters
        ----------
        gaps : ndarray, shape (..., n_columns)
            Distances, negative below the median.

        Returns
        -------
        ndarray, shape (..., n_columns)
            Persons.

        Examples
        --------
        >>> plain = Ruler(True, np.array([100.0]), np.array([10.0]), np.array([20.0]))
        >>> plain.persons(np.array([-2.0])).tolist()
        [80.0]
        """
        # An infinite gap (nothing is excluded) times the unit stays infinite.
        value = self.middle + gaps * np.where(gaps >= 0, self.above, self.below)
        if self.signed:
            return np.asarray(value)
        with np.errstate(over="ignore"):
            return np.asarray(np.maximum(np.expm1(value), 0.0))


def ruler(draws: np.ndarray, signed: bool) -> Ruler:
    """Make the ruler of a forecast from its draws.

    Parameters
    ----------
    draws : ndarray, shape (n_draws, n_columns)
        Persons, a column for each year and one for the sum.
    signed : bool
        Whether values may be below zero.
    """
    low, middle, high = np.quantile(draws, [_BELOW, 0.5, _ABOVE], axis=0)
    if not signed:
        low, middle, high = (np.log1p(np.maximum(value, 0.0)) for value in (low, middle, high))
    least = np.finfo(float).tiny
    return Ruler(signed, middle, np.maximum(middle - low, least), np.maximum(high - middle, least))


def windows(
    model: Model, panel: Panel, origin: int, steps: Sequence[int], draws: int, seed: int
) -> list[Window]:
    """Forecast every series of a panel that is observed at an origin and after it.

    Parameters
    ----------
    model : Model
        Sees ``panel.until(origin)`` and nothing else.
    steps : sequence of int
        Which years after the origin; a series that lacks one of them, or whose figure there
        carries a flag of `UNFIT`, has no window.
    draws, seed : int
        The seed is spawned by origin.
    """
    years = origin + np.asarray(steps, dtype=int)
    wanted = {series.key: series for series in panel if _fit(series, origin, years)}
    if not wanted:
        return []
    spawned = int(np.random.SeedSequence([seed, origin]).generate_state(1)[0])
    whole = complete(model)
    if whole.separate:
        tables = inputs.known(whole.inputs, panel.until(origin)) if whole.inputs else {}
        drawn = _one_by_one(whole, wanted, years, origin, draws, spawned, tables)
    else:
        known = panel.without([key for key in panel.keys if key not in wanted]).until(origin)
        drawn = run(Job(whole, known, tuple(years.tolist()), draws, spawned, _Draws()))
    return [
        Window(key, wanted[key].signed, origin, years, _figures(wanted[key], years), paths)
        for key, paths in drawn.items()
        if key in wanted
    ]


def _one_by_one(
    model: ModelBase,
    wanted: dict[SeriesKey, Series],
    years: np.ndarray,
    origin: int,
    draws: int,
    seed: int,
    tables: Mapping[str, pd.DataFrame],
) -> dict[SeriesKey, np.ndarray]:
    """Forecast series by themselves: the numbers of a panel in a fraction of its time."""
    drawn = {}
    for key, series in wanted.items():
        seen, ahead = series.until(origin), int(years[-1]) - origin
        try:
            paths = model.draw_series(seen, ahead, draws, seed, **tables)
        except TooShortError:
            continue
        drawn[key] = paths[:, years - origin - 1]
    return drawn


_Drawn = dict[SeriesKey, np.ndarray]


class _Draws:
    """Keeps the draws of every series that a model forecast, shape (n_draws, n_years)."""

    def keep(self, job: Job[_Drawn], fitted: FittedBase, outlook: Forecast) -> _Drawn:
        forecast = set(keys_of(outlook.notes[outlook.notes["status"] == FORECAST]))
        paths = outlook.paths.sel(year=list(job.years)).transpose("series", "draw", "year")
        drawn = dict(zip(keys_of(outlook.series), paths.to_numpy()))
        return {key: draws for key, draws in drawn.items() if key in forecast}

    def keep_failure(self, job: Job[_Drawn], failure: Failure) -> _Drawn:
        # Too little to learn from makes no window; any other failure ends the whole question.
        if isinstance(failure.error, TooShortError):
            return {}
        raise failure.error


def _figures(series: Series, years: np.ndarray) -> np.ndarray:
    """Return the figures of some years; NaN where there are none."""
    by_year = dict(zip(series.years.tolist(), series.values.tolist()))
    return np.array([by_year.get(int(year), np.nan) for year in years], dtype=float)


def _fit(series: Series, origin: int, years: np.ndarray) -> bool:
    """Whether the origin and every year are observed and no flag spoils the comparison."""
    if np.isnan(_figures(series, np.append(years, origin))).any():
        return False
    inside = np.isin(series.years, years)
    return not any((series.flagged(flag) & inside).any() for flag in UNFIT)
