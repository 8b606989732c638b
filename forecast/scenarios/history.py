"""How large net migration has been in all countries: quantiles of the rate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from forecast.config import read_toml
from forecast.errors import DataError
from forecast.panel import Panel
from forecast.shelf import shelf

#: Lengths of the windows, in years.
WINDOWS = (1, 5)
#: Smallest population, in persons, of a country in a year that is counted: in microstates a
#: few families make a rate that no larger country ever had.
SMALLEST = 1_000_000
_MEASURE = "net_migration"


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

    Returns
    -------
    rates : ndarray
        Net migrants per 1,000 population per year.
    first, last : int
    """
    if world.step != 1:
        raise DataError("the world panel has periods of five years. Give calendar years.")
    nets = [series for series in world if series.measure == _MEASURE]
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
            f"the world panel has no {_MEASURE} with the population of a country of at least "
            f"{SMALLEST:,} inhabitants. Give forecast.data.wpp.world(folder)."
        )
    return joined, first, last


@cache
def _shipped() -> dict[str, Any]:
    return read_toml(shelf("models") / "history" / "world-net-rates.toml")
