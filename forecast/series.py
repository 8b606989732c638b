"""Series: one (source, location, measure) over time, cut out of the table of a panel."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from forecast import measures, periods, to_date, validation
from forecast.flags import names_of
from forecast.series_key import KEY, SeriesKey


@dataclass(frozen=True, slots=True)
class Series:
    """One (source, location, measure) over time, gaps kept as gaps.

    Attributes
    ----------
    source, location, measure : str
        What the series is.
    years : ndarray of int, shape (n_years,)
        Every step from the first to the last observed year.
    values : ndarray of float, shape (n_years,)
        Persons per calendar year (per period for five-year panels); NaN is a gap.
    population : ndarray of float, shape (n_years,)
        Mid-year population in persons; NaN where it is not known.
    precision : ndarray of float, shape (n_years,)
        What the values are rounded to, in persons; NaN where it is not stated.
    flags : tuple of frozenset of str
        Flags of each year.
    step : int
        Periods per step, 1 or 5.
    frequency : str
        What a period is; ``years`` holds numbers of periods (`forecast.periods`).
    """

    source: str
    location: str
    measure: str
    years: np.ndarray
    values: np.ndarray
    population: np.ndarray
    precision: np.ndarray
    flags: tuple[frozenset[str], ...]
    step: int
    frequency: str = "year"

    @property
    def season(self) -> int:
        """Periods in a year: 12 for months, 4 for quarters, 2 for half-years, 1 for years."""
        return periods.PER_YEAR[self.frequency]

    def label(self, period: int) -> str:
        """Return a period of the series as text, a year as its digits.

        Parameters
        ----------
        period : int
            Its number, as in `years`.

        Returns
        -------
        str

        Examples
        --------
        >>> import forecast as fc
        >>> fc.load("central-asia").find(("kz-bns", "KAZ", "immigration")).label(2015)
        '2015'
        """
        return periods.label(period, self.frequency)

    @property
    def key(self) -> SeriesKey:
        """The triple (source, location, measure)."""
        return self.source, self.location, self.measure

    @property
    def origin(self) -> int:
        """The last observed year."""
        return int(self.years[-1])

    @property
    def signed(self) -> bool:
        """Whether values may be below zero (net flows) or not (counts)."""
        return validation.MEASURES[self.measure]

    @property
    def grain(self) -> float:
        """What the figures are counted in: one, for a rate or an amount its last decimal.

        One with more digits is counted in ten-thousandths of its usual size, or finer.
        """
        if not measures.find(self.measure).fractional:
            return 1.0
        sizes = np.abs(self.values[self.values != 0])
        usual = np.nanmedian(sizes) if np.isfinite(sizes).any() else 1.0
        return max(self.last_decimal, float(10.0 ** (np.floor(np.log10(usual)) - 4)))

    @property
    def last_decimal(self) -> float:
        """The last decimal that any figure has, such as 0.01; one for what is counted whole."""
        if not measures.find(self.measure).fractional:
            return 1.0
        texts = (f"{value:.12f}".rstrip("0") for value in self.values if not np.isnan(value))
        return float(10.0 ** -max((len(text.partition(".")[2]) for text in texts), default=0))

    def until(self, year: int) -> Series:
        """Return the series up to and including a year in which it is observed.

        Parameters
        ----------
        year : int
            One in which it is observed.

        Returns
        -------
        Series

        Examples
        --------
        >>> import forecast as fc
        >>> series = fc.load("central-asia").find(("kz-bns", "KAZ", "immigration"))
        >>> series.until(2015).origin
        2015
        """
        size = int((self.years <= year).sum())
        return replace(
            self,
            years=self.years[:size],
            values=self.values[:size],
            population=self.population[:size],
            precision=self.precision[:size],
            flags=self.flags[:size],
        )

    def flagged(self, flag: str) -> np.ndarray:
        """Return which years carry a flag.

        Parameters
        ----------
        flag : str
            One of `forecast.flags`, such as ``"break"``.

        Returns
        -------
        ndarray of bool, shape (n_years,)

        Examples
        --------
        >>> import forecast as fc
        >>> series = fc.load("central-asia").find(("kz-bns", "KAZ", "immigration"))
        >>> series.flagged("outlier").shape == series.years.shape
        True
        """
        return np.array([flag in flags for flags in self.flags], dtype=bool)


def series_of(table: pd.DataFrame, step: int, frequency: str = "year") -> tuple[Series, ...]:
    """Return every series of a tidy table that has an observed value, sorted by key.

    Parameters
    ----------
    table : DataFrame
        With the columns of a Panel, one release of each figure.
    step : int
        Periods per row.
    frequency : str
        What a period is.
    """
    table = table.sort_values([*KEY, "year"], ignore_index=True)
    if table.empty:
        return ()
    keys = table[KEY].to_numpy(dtype=object)
    starts = np.flatnonzero((keys[1:] != keys[:-1]).any(axis=1)) + 1
    # A copy: what pandas gives may be what the table holds, and read-only.
    numbers = np.array(table[["value", "population", "precision"]], dtype=float)
    years, flags = table["year"].to_numpy(), table["flag"].to_numpy(dtype=object)
    if frequency != "year":
        # A sum since January is no figure of its last period.
        numbers[table["flag"].map(to_date.is_to_date).to_numpy(dtype=bool), 0] = np.nan
    made = (
        _series(
            (str(keys[at[0], 0]), str(keys[at[0], 1]), str(keys[at[0], 2])),
            years[at], numbers[at], flags[at], step, frequency,
        )
        for at in np.split(np.arange(len(table)), starts)
    )  # fmt: skip
    return tuple(series for series in made if series is not None)


def _series(
    key: SeriesKey,
    years: np.ndarray,
    numbers: np.ndarray,
    flags: np.ndarray,
    step: int,
    frequency: str,
) -> Series | None:
    """Return the rows of one series on a grid of years; None if no value is observed."""
    observed = years[~np.isnan(numbers[:, 0])]
    if not observed.size:
        return None
    grid = np.arange(observed[0], observed[-1] + 1, step)
    at = np.searchsorted(grid, years)
    fits = (at < len(grid)) & (grid[np.minimum(at, len(grid) - 1)] == years)
    filled = np.full((len(grid), 3), np.nan)
    filled[at[fits]] = numbers[fits]
    marks = [frozenset[str]()] * len(grid)
    for position, flag in zip(at[fits].tolist(), flags[fits]):
        marks[position] = names_of(flag)
    values, population, precision = (np.ascontiguousarray(column) for column in filled.T)
    return Series(*key, grid, values, population, precision, tuple(marks), step, frequency)


#: Flags that take a year out of the fit: it must not steer, or is not an observation.
UNUSED_FLAGS = ("outlier", "interpolated")


def unused(series: Series, flag: str) -> np.ndarray:
    """Return the years that a flag keeps out of the fit, as booleans of shape (n_years,).

    Whether the last year lies on a line is known only from the year after it, which a
    forecast must not see; so the last year is used.

    Parameters
    ----------
    series : Series
        The figures and their flags.
    flag : str
        One of `UNUSED_FLAGS`.
    """
    marked = series.flagged(flag)
    if flag == "interpolated":
        marked[-1] = False
    return marked


def usable_years(series: Series) -> np.ndarray:
    """Return the years whose figure a fit may use, as booleans of shape (n_years,)."""
    kept = ~np.isnan(series.values)
    for flag in UNUSED_FLAGS:
        kept &= ~unused(series, flag)
    return kept


def usable_values(series: Series) -> np.ndarray:
    """Return the figures that a fit may use, NaN elsewhere, shape (n_years,)."""
    return np.where(usable_years(series), series.values, np.nan)


def last_break(series: Series) -> int:
    """Return the position of the last year that starts a new level, 0 if none does."""
    breaks = np.flatnonzero(series.flagged("break"))
    return int(breaks[-1]) if len(breaks) else 0


def usable_since_break(series: Series) -> int:
    """Return how many usable years there are since the last break."""
    return int(usable_years(series)[last_break(series) :].sum())


def flags_of(series: Series) -> str:
    """Return the flags that shape the fit with their years, as `Forecast.notes` has them."""
    parts = []
    for flag in ("break", *UNUSED_FLAGS):
        years = series.years[unused(series, flag) & ~np.isnan(series.values)]
        if len(years):
            parts.append(f"{flag} {' '.join(map(series.label, years))}")
    return "; ".join(parts)


def usual_maximum(series: Series, years: int = 5) -> float:
    """Return the largest usable figure of the last years up to the end of a series.

    Parameters
    ----------
    series : Series
        Persons per period.
    years : int
        Years that are looked back on; fewer if the series is shorter.
    """
    recent = usable_values(series)[-years * series.season // series.step or None :]
    return float(np.nanmax(recent)) if np.isfinite(recent).any() else float("nan")
