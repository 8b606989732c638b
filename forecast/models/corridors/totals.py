"""Corridors and the arrivals, departures and nets of their ends: one answer in every draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecast.models.corridors.data import REST, ends_of
from forecast.panel import Series
from forecast.series import usable_values
from forecast.series_key import SeriesKey

#: Measures of a place that corridors add up to, with the end of the corridors that it is.
ENDS = {"emigration": 0, "immigration": 1}
NET = "net_migration"
#: Rounds of proportional fitting, and how far from a total sums may stay.
ROUNDS, NEAR = 200, 1e-9
#: A total smaller than its corridors in more than this share of years is of something else.
MOST_CONTRADICTIONS = 0.25


@dataclass(frozen=True, eq=False)
class Total:
    """Arrivals or departures of a place, and what corridors leave uncovered of them.

    Attributes
    ----------
    series : Series
    end : {0, 1}
        Corridors that begin (0) or end (1) here.
    rest : ndarray, shape (n_years,), or None
        What is not in corridors, on the panel's years; None where they cover everything.
    """

    series: Series
    end: int
    rest: np.ndarray | None

    @property
    def pair(self) -> tuple[str, str]:
        """The corridor that stands for the rest."""
        place = self.series.location
        return (place, REST) if self.end == 0 else (REST, place)


def totals(
    flows: Sequence[Series], others: Sequence[Series]
) -> tuple[list[Total], dict[SeriesKey, str]]:
    """Return arrivals and departures that corridors make up, and why others are not tied.

    Parameters
    ----------
    flows, others : sequence of Series
        Corridors, and arrivals and departures, of one source.
    """
    step = flows[0].step
    first, last = min(int(s.years[0]) for s in flows), max(s.origin for s in flows)
    n = (last - first) // step + 1
    found: list[Total] = []
    against: dict[SeriesKey, str] = {}
    for series in others:
        end = ENDS.get(series.measure, -1)
        corridors = [one for one in flows if end >= 0 and ends_of(one)[end] == series.location]
        if not corridors:
            continue
        left = _aligned(series, first, n) - sum(_aligned(one, first, n) for one in corridors)
        known = left[np.isfinite(left)]
        below = known < -0.5
        if not len(known) or below.mean() > MOST_CONTRADICTIONS:
            why = "no year has all of them" if not len(known) else "they are more than it"
            against[series.key] = f"Not tied to its {len(corridors)} corridors: {why}."
            continue
        covered = bool((np.abs(known) <= 0.5).all())
        found.append(Total(series, end, None if covered else np.maximum(left, 0.0)))
    return found, against


def _aligned(series: Series, first: int, n: int) -> np.ndarray:
    """Return the figures of a series on the years of the corridors; NaN where there are none."""
    values = np.full(n, np.nan)
    at = (series.years - first) // series.step
    inside = (at >= 0) & (at < n)
    values[at[inside]] = usable_values(series)[inside]
    return values


def fit_to_totals(
    draws: np.ndarray, fixed: np.ndarray, groups: Sequence[np.ndarray], targets: np.ndarray
) -> np.ndarray:
    """Return counts nearest in proportion to those drawn that add up to totals.

    Iterative proportional fitting: Deming and Stephan (1940, doi:10.1214/aoms/1177731829).

    Parameters
    ----------
    draws : ndarray, shape (n_draws, n_pairs)
        Counts, none below zero.
    fixed : ndarray of bool, shape (n_pairs,)
        Corridors that are observed, which stay.
    groups : sequence of ndarray of int
        Positions of the corridors of each total.
    targets : ndarray, shape (n_draws, n_groups)

    Returns
    -------
    ndarray, shape (n_draws, n_pairs)
    """
    fitted = draws.copy()
    for _ in range(ROUNDS):
        worst = 0.0
        for at, group in enumerate(groups):
            free = group[~fixed[group]]
            if not len(free):
                continue
            wanted = targets[:, at] - fitted[:, group[fixed[group]]].sum(axis=1)
            wanted = np.maximum(wanted, 0.0)
            sums = fitted[:, free].sum(axis=1)
            none = sums <= 0
            if none.any():
                # Nobody moves in such a draw: the total is spread evenly.
                fitted[np.ix_(none, free)] = 1.0
                sums = np.where(none, len(free), sums)
            worst = max(worst, float(np.max(np.abs(sums - wanted) / (1.0 + wanted))))
            fitted[:, free] *= (wanted / sums)[:, None]
        if worst <= NEAR:
            break
    return fitted


def tied(
    counts: Mapping[int, np.ndarray],
    observed: Mapping[int, np.ndarray],
    pairs: Sequence[tuple[str, str]],
    known: Sequence[Total],
    drawn: Mapping[SeriesKey, Mapping[int, np.ndarray]],
) -> tuple[dict[int, np.ndarray], dict[SeriesKey, dict[int, np.ndarray]]]:
    """Fit the corridors of each year to the totals of the same draw, and sum them up.

    Parameters
    ----------
    counts : mapping of year to ndarray, shape (n_draws, n_pairs)
        Drawn corridors, those that stand for the rest included.
    observed : mapping of year to ndarray, shape (n_pairs,)
        Figures of corridors in years that some of them have; NaN elsewhere.
    pairs : sequence of (origin, destination)
    known : sequence of Total
    drawn : mapping of (source, location, measure) to mapping of year to ndarray, shape (n_draws,)
        Draws of the totals.

    Returns
    -------
    counts : dict of year to ndarray, shape (n_draws, n_pairs)
    sums : dict
        As `drawn`: what the corridors of each total add up to, in the same years.
    """
    ends = np.array(pairs, dtype=object)
    groups = [np.flatnonzero(ends[:, one.end] == one.series.location) for one in known]
    fitted: dict[int, np.ndarray] = {}
    sums: dict[SeriesKey, dict[int, np.ndarray]] = {one.series.key: {} for one in known}
    for year, values in counts.items():
        seen = observed.get(year, np.full(len(pairs), np.nan))
        fixed = np.isfinite(seen)
        values = np.where(fixed, np.nan_to_num(seen), values)
        here, targets = [], []
        for one, group in zip(known, groups):
            figure = dict(zip(one.series.years.tolist(), one.series.values)).get(year, np.nan)
            target = drawn.get(one.series.key, {}).get(year)
            if target is None and np.isfinite(figure):
                target = np.full(len(values), figure)
            if target is not None:
                here.append(group)
                targets.append(np.maximum(target, 0.0))
        if here:
            values = fit_to_totals(values, fixed, here, np.stack(targets, axis=1))
        fitted[year] = values
        for one, group in zip(known, groups):
            sums[one.series.key][year] = values[:, group].sum(axis=1)
    return fitted, sums
