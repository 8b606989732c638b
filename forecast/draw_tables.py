"""Tables of draws: the numbers that a caller asks about, checked; quantiles or every draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from forecast.errors import DataError, unknown_name
from forecast.series_key import find_series

if TYPE_CHECKING:
    import xarray as xr

#: Columns that name a series in the tables that users see.
TABLE_KEY = ["location", "measure", "source"]
#: Attributes of draws that are no forecast: they say what is taken for given.
MARKS = ("scenario", "condition")
#: Levels of the tidy quantile table: those of 50, 80 and 95 % intervals and some between.
QUANTILE_LEVELS = (
    0.025, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.975,
)  # fmt: skip


def threshold(name: str, given: object) -> float:
    """Return a threshold in persons.

    Raises
    ------
    DataError
        If it is no number: nothing lies above or below a missing one, and a probability of
        zero would be read as an answer.
    """
    if not _is_number(given):
        raise DataError(f"{name}= is {given!r}; give a number of persons per year, such as 10000.")
    return float(given)  # type: ignore[arg-type]


def checked_level(given: object) -> float:
    """Return the probability inside an interval.

    Raises
    ------
    DataError
        If it is not between 0 and 1.
    """
    if not _is_number(given) or not 0 < float(given) < 1:  # type: ignore[arg-type]
        raise DataError(f"interval level is {given!r}; give a number between 0 and 1.")
    return float(given)  # type: ignore[arg-type]


def checked_levels(given: object) -> np.ndarray:
    """Return the levels of quantiles, shape (n_levels,).

    Raises
    ------
    DataError
        If they are no list of numbers between 0 and 1.
    """
    try:
        wanted = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        wanted = np.empty(())
    if wanted.ndim != 1 or not ((wanted > 0) & (wanted < 1)).all():
        raise DataError(f"quantile levels are {given!r}; give numbers between 0 and 1.")
    return wanted


def _is_number(given: object) -> bool:
    if isinstance(given, bool):
        return False
    return isinstance(given, Real) and not math.isnan(given)


def series_years(series: pd.DataFrame, years: Sequence[int]) -> pd.DataFrame:
    """Return the columns that name a series and ``year``, every series in every year."""
    repeated = series.loc[series.index.repeat(len(years))].reset_index(drop=True)
    return repeated.assign(year=np.tile(np.asarray(years, dtype=int), len(series)))


def quantile_values(
    paths: xr.DataArray, series: pd.DataFrame, years: Sequence[int], levels: np.ndarray
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the series and years that are forecast and their quantiles.

    Parameters
    ----------
    paths : DataArray, dims (draw, series, year)
        NaN where a year is observed.
    series : DataFrame
        Columns that name each series, in the order of the dimension.
    years : sequence of int
    levels : ndarray, shape (n_levels,)

    Returns
    -------
    rows : DataFrame
        The columns of `series` and ``year``.
    values : ndarray, shape (n_levels, n_rows)

    Raises
    ------
    UnknownNameError
        If a year is no forecast year.
    """
    available = set(paths["year"].to_numpy().tolist())
    for year in years:
        if year not in available:
            raise unknown_name("forecast year", year, [str(y) for y in sorted(available)])
    drawn = paths.sel(year=list(years)).transpose("draw", "series", "year").to_numpy()
    flat = drawn.reshape(drawn.shape[0], -1)
    forecast = ~np.isnan(flat[0])
    rows = series_years(series, years)[forecast].reset_index(drop=True)
    return rows, np.quantile(flat[:, forecast], levels, axis=0)


def sample_table(draws: xr.DataArray, series: pd.DataFrame) -> pd.DataFrame:
    """Return every draw: the columns of `series`, ``year, draw, value``; observed years left out.

    Parameters
    ----------
    draws : DataArray, dims (draw, series, year)
    series : DataFrame
        Columns that name each series, in the order of the dimension.
    """
    drawn = draws.transpose("series", "year", "draw")
    table = series_years(series, drawn["year"].to_numpy().tolist())
    repeated = table.loc[table.index.repeat(drawn.sizes["draw"])].reset_index(drop=True)
    number = np.tile(np.arange(drawn.sizes["draw"]), len(table))
    return repeated.assign(draw=number, value=drawn.to_numpy().ravel()).dropna(ignore_index=True)


class DrawTables:
    """What a Forecast says of its draws: tables, probabilities, and the draws of one series."""

    paths: xr.DataArray
    horizons: tuple[int, ...]

    @property
    def draws(self) -> xr.DataArray:
        """Draws at the target years, dims (draw, series, year), in persons."""
        return self.paths.sel(year=list(self.horizons))

    @property
    def series(self) -> pd.DataFrame:
        """The forecast series: ``location, measure, source, origin``, in order."""
        coordinates = [*TABLE_KEY, "origin"]
        return pd.DataFrame({name: self.paths[name].to_numpy() for name in coordinates})

    def quantiles(
        self, levels: Sequence[float], years: Sequence[int] | None = None
    ) -> pd.DataFrame:
        """Return quantiles, one row per series, year and level.

        Parameters
        ----------
        levels : sequence of float in (0, 1)
        years : sequence of int, optional
            Any forecast years; the target years by default.

        Returns
        -------
        DataFrame
            ``location, measure, source, year, quantile, value`` (persons per year).
        """
        wanted = checked_levels(levels)
        table, values = self._summary(wanted, years)
        repeated = table.loc[table.index.repeat(len(wanted))].reset_index(drop=True)
        return repeated.assign(quantile=np.tile(wanted, len(table)), value=values.T.ravel())

    def intervals(self, level: float = 0.80, years: Sequence[int] | None = None) -> pd.DataFrame:
        """Return the median and a central interval, one row per series and year.

        Parameters
        ----------
        level : float in (0, 1)
            Probability inside the interval.
        years : sequence of int, optional
            Any forecast years; the target years by default.

        Returns
        -------
        DataFrame
            ``location, measure, source, year, median, lower, upper`` in persons.
        """
        inside = checked_level(level)
        table, values = self._summary(np.array([0.5, (1 - inside) / 2, (1 + inside) / 2]), years)
        return table.assign(median=values[0], lower=values[1], upper=values[2])

    def probability(
        self,
        *,
        above: float | None = None,
        below: float | None = None,
        location: str,
        measure: str,
        year: int,
        source: str | None = None,
    ) -> float:
        """Return the share of draws above (or below) a threshold.

        Parameters
        ----------
        above, below : float
            Threshold in persons per year; give exactly one. A draw on the threshold
            counts for neither.
        location, measure : str
            Which series.
        year : int
            Any forecast year.
        source : str, optional
            Which source; needed where several have the series.

        Returns
        -------
        float
            Between 0 and 1.

        Raises
        ------
        DataError
            If the threshold is no number, the year is observed, or several sources have the
            series and none is named.
        UnknownNameError
            If the forecast has no such series or year.
        """
        if (above is None) == (below is None):
            raise DataError("give exactly one of above= and below=.")
        limit = threshold(*(("below", below) if above is None else ("above", above)))
        values = self.sample(location=location, measure=measure, year=year, source=source)
        hits = values < limit if above is None else values > limit
        return float(hits.mean())

    def sample(
        self, *, location: str, measure: str, year: int, source: str | None = None
    ) -> np.ndarray:
        """Return the draws of one series and year, shape (n_draws,), in persons."""
        position = find_series(self.series, location, measure, source, "this forecast")
        values = self.paths.isel(series=position)
        if year not in values["year"]:
            raise unknown_name("forecast year", year, [str(y) for y in values["year"].to_numpy()])
        drawn = values.sel(year=year).to_numpy()
        if np.isnan(drawn).all():
            raise DataError(f"{measure} of {location} in {year} is observed, not forecast.")
        return drawn

    def to_frame(self, kind: Literal["quantile", "sample"] = "quantile") -> pd.DataFrame:
        """Return a tidy table of the target years.

        Parameters
        ----------
        kind : {"quantile", "sample"}
            `QUANTILE_LEVELS` of each series and year, or every draw.
        """
        if kind == "quantile":
            return self.quantiles(QUANTILE_LEVELS)
        if kind != "sample":
            raise unknown_name("kind of table", kind, ["quantile", "sample"])
        return sample_table(self.draws, self.series[TABLE_KEY])

    def _summary(
        self, levels: np.ndarray, years: Sequence[int] | None
    ) -> tuple[pd.DataFrame, np.ndarray]:
        """Return the rows (series, year) that are forecast and their quantiles (level, row)."""
        wanted = self.horizons if years is None else tuple(years)
        return quantile_values(self.paths, self.series[TABLE_KEY], wanted, levels)
