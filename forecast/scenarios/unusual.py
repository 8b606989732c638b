"""How unusual a scenario is: in the baseline's own terms, and in the history of all countries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from forecast import locations
from forecast.config import read_toml
from forecast.errors import DataError
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.scenarios.accounting import Movement, last_population
from forecast.scenarios.shock import DEPARTURES
from forecast.shelf import shelf

#: Lengths of the windows, in years.
WINDOWS = (1, 5)
#: Smallest population, in persons, of a country in a year that is counted: in microstates a
#: few families make a rate that no larger country ever had.
SMALLEST = 1_000_000
#: Measure whose history in all countries is known.
_NET = "net_migration"
COLUMNS = [
    "source", "location", "measure", "window", "after", "baseline", "what_if", "added",
    "beyond", "draws", "tail", "error", "rate", "world_share", "world_counted",
]  # fmt: skip
EVENT_COLUMNS = [
    "location", "direction", "people", "people_lower", "people_upper", "first_year",
    "first_year_lower", "first_year_upper", "rate", "world_share", "world_counted",
]  # fmt: skip


def unusual(
    baseline: Forecast,
    difference: xr.DataArray,
    moved: np.ndarray,
    movements: Sequence[Movement],
    world: Panel | None = None,
) -> pd.DataFrame:
    """Return where a scenario lies in the baseline's predictive distribution, and in history.

    Parameters
    ----------
    baseline : Forecast
        The forecast without the shock.
    difference : DataArray, dims (draw, series, year)
        What the shock adds in each draw, persons per calendar year.
    moved : ndarray of int
        Positions of the series that it reaches.
    movements : sequence of Movement
        What it does to each country.
    world : Panel, optional
        Annual net migration of all countries with population; by default the quantiles that
        the package ships (UN, World Population Prospects 2024, countries of a million or more).

    Returns
    -------
    DataFrame
        One row per series reached and length of window (1 and 5 years): ``source, location,
        measure, window, after``; the window begins `after` years after the start of the
        shock, which each draw has its own of, where the shock adds most (earlier if the
        forecast would end before it). ``baseline, what_if, added``: medians of the mean over
        the window, persons per year. ``beyond`` of ``draws`` baseline draws lie at least as
        far out in the same years as the scenario's median, on the side to which the shock
        pushes; ``tail`` is that share and ``error`` its Monte Carlo standard error, or one
        draw's worth where none (or all) do: a tail of zero means less than 1 in ``draws``.
        ``rate`` (net migration of countries, else NaN) is the scenario's median per 1,000
        population per year at the last known population, ``world_share`` the share of
        ``world_counted`` country-windows with a rate at least that large, zero if none had.
    """
    paths = baseline.paths.transpose("series", "draw", "year").to_numpy()
    added = difference.transpose("series", "draw", "year").to_numpy()
    years = baseline.paths["year"].to_numpy()
    keys, start = baseline.keys, movements[0].start
    people = last_population(baseline)
    known = {window: history(window, world) for window in WINDOWS}
    rows = []
    for position in moved:
        source, location, measure = keys[position]
        ahead = ~np.isnan(paths[position, 0])
        begins = np.searchsorted(years[ahead], start)
        for window in (window for window in WINDOWS if window <= ahead.sum()):
            before = _means(paths[position][:, ahead], window)
            extra = _means(added[position][:, ahead], window)
            after, chosen = _strongest(extra, begins)
            drawn, pushed = (np.take_along_axis(one, chosen, 1)[:, 0] for one in (before, extra))
            middle, push = float(np.median(drawn + pushed)), float(np.median(pushed))
            beyond = int((drawn >= middle if push >= 0 else drawn <= middle).sum())
            tail = beyond / len(drawn)
            rate = share = np.nan
            size = people.get((source, location, measure))
            if measure == _NET and location == locations.country_of(location) and size:
                rate = 1000 * middle / size
                share = known[window].share(rate)
            rows.append(
                [source, location, measure, window, after, float(np.median(drawn)), middle, push,
                 beyond, len(drawn), tail, monte_carlo_error(tail, len(drawn)), rate, share,
                 known[window].counted]
            )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def event(
    baseline: Forecast, movements: Sequence[Movement], world: Panel | None = None
) -> pd.DataFrame:
    """Return how large a scenario is itself, whatever part of it figures show.

    Parameters
    ----------
    baseline, movements, world
        See `unusual`.

    Returns
    -------
    DataFrame
        One row per country: ``location, direction``; ``people, people_lower, people_upper``:
        all who move (median and 80 % range), ``first_year`` and its range those of the first
        calendar year; ``rate``: their median per 1,000 population, positive for arrivals;
        ``world_share`` the share of ``world_counted`` country-years in which the UN's net
        migration was at least as large. It is how large the movement would be if all who move
        were to stay; NaN where the population is not known.
    """
    known = history(1, world)
    years = baseline.paths["year"].to_numpy()
    people = last_population(baseline)
    rows = []
    for movement in movements:
        place = movement.place
        coming = place.direction != DEPARTURES
        flow = movement.arrivals if coming else movement.departures
        begins = np.searchsorted(years, movement.start)[:, None]
        first = np.take_along_axis(flow, begins, 1)[:, 0]
        sizes = [
            size for (_, code, measure), size in people.items()
            if code == place.location and measure == _NET
        ]  # fmt: skip
        rate = share = np.nan
        if sizes:
            rate = 1000 * float(np.median(first)) / max(sizes) * (1 if coming else -1)
            share = known.share(rate)
        every, opening = (np.quantile(one, [0.5, 0.1, 0.9]) for one in (movement.people, first))
        rows.append([place.location, place.direction, *every, *opening, rate, share, known.counted])
    return pd.DataFrame(rows, columns=EVENT_COLUMNS)


def monte_carlo_error(share: float, n_draws: int) -> float:
    """Return the standard error of a share of independent draws, at least one draw's worth.

    Parameters
    ----------
    share : float
        Between 0 and 1.
    n_draws : int
        How many draws it was counted in.

    Returns
    -------
    float
        ``sqrt(share (1 - share) / n_draws)``, not less than ``1 / n_draws``: a share of zero is not
        certain.
    """
    return max(float(np.sqrt(share * (1 - share) / n_draws)), 1 / n_draws)


def _strongest(extra: np.ndarray, begins: np.ndarray) -> tuple[int, np.ndarray]:
    """Return how many years after the start a shock adds most, and where that is in each draw.

    `extra` has the shape (n_draws, n_windows); `begins` is the window of each draw that begins
    with the start.
    """
    last = extra.shape[1] - 1
    fits = max(1, last - int(begins.max()) + 1)
    places = [np.minimum(begins + after, last)[:, None] for after in range(fits)]
    pushes = [abs(float(np.median(np.take_along_axis(extra, at, 1)))) for at in places]
    after = int(np.argmax(pushes))
    return after, places[after]


def _means(values: np.ndarray, window: int) -> np.ndarray:
    """Return means over all windows of consecutive years, shape (n_draws, n_windows)."""
    moving = np.lib.stride_tricks.sliding_window_view(values, window, axis=1)
    means: np.ndarray = moving.mean(axis=2)
    return means


@dataclass(frozen=True, eq=False)
class History:
    """Rates of net migration of all countries in windows of one length.

    Attributes
    ----------
    window : int
        Years.
    levels, rates : ndarray
        Quantiles: net migrants per 1,000 population per year, mean over the window.
    counted : int
        Number of country-windows.
    first, last : int
        First and last year.
    """

    window: int
    levels: np.ndarray
    rates: np.ndarray
    counted: int
    first: int
    last: int

    def share(self, rate: float) -> float:
        """Return the share of country-windows with a rate at least as extreme.

        Parameters
        ----------
        rate : float
            Per 1,000 per year; if negative, those at or below it are counted.

        Returns
        -------
        float
            Zero if no country ever had such a rate.
        """
        if not self.rates[0] <= rate <= self.rates[-1]:
            beyond = rate > self.rates[-1] if rate >= 0 else rate < self.rates[0]
            return 0.0 if beyond else 1.0
        below = float(np.interp(rate, self.rates, self.levels))
        # At the ends there is the one country-window that the quantile is made of.
        return max(1 - below if rate >= 0 else below, 1 / self.counted)


def history(window: int, world: Panel | None = None) -> History:
    """Return the rates of all countries in windows of some years.

    Parameters
    ----------
    window : {1, 5}
        Years of a window; any number if `world` is given.
    world : Panel, optional
        Annual net migration with population; every value is then kept. By default the
        quantiles that the package ships (UN, World Population Prospects 2024).

    Raises
    ------
    DataError
        If the panel has no rates, or there is no shipped table of this length.
    """
    if world is not None:
        found, first, last = rates(world, window)
        levels = np.linspace(0, 1, len(found))
        return History(window, levels, np.sort(found), len(found), first, last)
    entries = {entry["years"]: entry for entry in _shipped()["window"]}
    if window not in entries:
        raise DataError(
            f"no rates over windows of {window} years are shipped; there are "
            f"{', '.join(map(str, entries))}. Give the world panel."
        )
    levels, found = (np.array(entries[window][name]) for name in ("levels", "rates"))
    return History(window, levels, found, entries[window]["counted"], *_shipped()["years"])


def source() -> str:
    """Return what the shipped rates were computed from."""
    return str(_shipped()["source"])


def rates(world: Panel, window: int) -> tuple[np.ndarray, int, int]:
    """Return the mean rate of every country-window, and the first and last year.

    Windows do not overlap and are counted back from the last year; a window with a missing
    figure, or with fewer than `SMALLEST` inhabitants in any year, is left out.

    Parameters
    ----------
    world : Panel
        Annual net migration of countries, in persons, with population.
    window : int
        Years over which rates are averaged.

    Returns
    -------
    rates : ndarray
        Net migrants per 1,000 population per year.
    first, last : int

    Raises
    ------
    DataError
        If the panel has periods longer than a year, or no rate of a large country.
    """
    if world.step != 1:
        raise DataError("the world panel has periods of five years. Give calendar years.")
    nets = [series for series in world if series.measure == _NET]
    last = max((series.origin for series in nets), default=0)
    found: list[np.ndarray] = []
    first = last
    for series in nets:
        people = np.where(series.population >= SMALLEST, series.population, np.nan)
        rate = 1000 * series.values / people
        # So that the windows of every country end in the same years.
        behind = -(last - int(series.years[-1])) % window
        usable = rate[: len(rate) - behind]
        whole = usable[len(usable) % window :].reshape(-1, window).mean(axis=1)
        if np.isfinite(whole).any():
            first = min(first, int(series.years[0]))
        found.append(whole[np.isfinite(whole)])
    joined = np.concatenate(found) if found else np.empty(0)
    if not joined.size:
        raise DataError(
            f"the world panel has no {_NET} with the population of a country of at least "
            f"{SMALLEST:,} inhabitants. Give forecast.data.wpp.world(folder)."
        )
    return joined, first, last


@cache
def _shipped() -> dict[str, Any]:
    return read_toml(shelf("models") / "history" / "world-net-rates.toml")
