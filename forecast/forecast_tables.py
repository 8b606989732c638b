"""Tables of a forecast: quantiles, intervals, probabilities, draws of one series."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from forecast import periods
from forecast.corridors import with_ends
from forecast.draw_tables import (
    QUANTILE_LEVELS,
    TABLE_KEY,
    checked_level,
    checked_levels,
    quantile_values,
    sample_table,
    threshold,
)
from forecast.errors import DataError, unknown_name
from forecast.series_key import SeriesKey, find_series, keys_of

if TYPE_CHECKING:
    import xarray as xr


class DrawTables:
    """Tables, probabilities and draws of single series, as a Forecast has them.

    Attributes
    ----------
    paths : DataArray, dims (draw, series, year)
        Persons per calendar year, net inflow positive; NaN where a year is observed.
    horizons : tuple of int
    notes : DataFrame
        What is said of each series.
    """

    paths: xr.DataArray
    horizons: tuple[int, ...]
    notes: pd.DataFrame

    @property
    def draws(self) -> xr.DataArray:
        """Draws at the target years, dims (draw, series, year), in persons."""
        return self.paths.sel(year=list(self.horizons))

    @property
    def series(self) -> pd.DataFrame:
        """The forecast series: ``location, measure, source, origin``, in order."""
        coordinates = [*TABLE_KEY, "origin"]
        return pd.DataFrame({name: self.paths[name].to_numpy() for name in coordinates})

    @property
    def frequency(self) -> str:
        """What a period is: ``"year"``, ``"half-year"``, ``"quarter"`` or ``"month"``."""
        return str(self.paths.attrs.get("frequency", "year"))

    @property
    def model(self) -> str:
        """Name of the model."""
        return str(self.paths.attrs["model"])

    @property
    def keys(self) -> list[SeriesKey]:
        """The key of every forecast series, in the order of `paths`."""
        return keys_of(self.series)

    def position(self, key: SeriesKey) -> int | None:
        """Return where a series stands on the dimension ``series`` of `paths`.

        Parameters
        ----------
        key : (source, location, measure)
            Of the series.

        Returns
        -------
        int or None
            None if it is not forecast.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> fc.forecast(panel, "naive", draws=200).position(("kz-bns", "KAZ", "immigration"))
        1
        """
        return self._positions.get(key)

    def quantiles(
        self, levels: Sequence[float], years: Sequence[int | str] | None = None
    ) -> pd.DataFrame:
        """Return quantiles, one row per series, year and level.

        Parameters
        ----------
        levels : sequence of float in (0, 1)
            Probabilities below the quantiles.
        years : sequence of int or str, optional
            Any forecast years, or periods such as ``"2027-06"``; the target ones by default.

        Returns
        -------
        DataFrame
            ``location, measure, source, year, quantile, value`` (persons per year).

        Raises
        ------
        DataError
            If a level is no number between 0 and 1.
        UnknownNameError
            If a year is no forecast year.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", measure="immigration")
        >>> outlook = fc.forecast(panel, model="naive", horizons=(2030,), draws=200)
        >>> outlook.quantiles((0.1, 0.9))[["location", "year", "quantile"]].values.tolist()
        [['KAZ', 2030, 0.1], ['KAZ', 2030, 0.9]]
        """
        wanted = checked_levels(levels)
        table, values = self._summary(wanted, years)
        table = periods.labelled(table, self.frequency)
        repeated = table.loc[table.index.repeat(len(wanted))].reset_index(drop=True)
        repeated = repeated.assign(quantile=np.tile(wanted, len(table)), value=values.T.ravel())
        return with_ends(repeated)

    def intervals(
        self, level: float = 0.80, years: Sequence[int | str] | None = None
    ) -> pd.DataFrame:
        """Return the median and a central interval, one row per series and year.

        Parameters
        ----------
        level : float in (0, 1)
            Probability inside the interval.
        years : sequence of int or str, optional
            Any forecast years, or periods such as ``"2027-06"``; the target ones by default.

        Returns
        -------
        DataFrame
            ``location, measure, source, year, median, lower, upper`` in persons; where there
            are corridors also ``origin, destination, note`` (what the line rests on).

        Raises
        ------
        DataError
            If the level is no number between 0 and 1.
        UnknownNameError
            If a year is no forecast year.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", measure="immigration")
        >>> table = fc.forecast(panel, model="naive", draws=200).intervals(0.80, years=[2028])
        >>> bool((table["lower"] < table["median"]).all())
        True
        """
        inside = checked_level(level)
        table, values = self._summary(np.array([0.5, (1 - inside) / 2, (1 + inside) / 2]), years)
        table = periods.labelled(table, self.frequency)
        shown = table.assign(median=values[0], lower=values[1], upper=values[2])
        return with_ends(shown, self.notes)

    def probability(
        self,
        *,
        above: float | None = None,
        below: float | None = None,
        location: str,
        measure: str,
        year: int | str,
        source: str | None = None,
    ) -> float:
        """Return the share of draws above (or below) a threshold.

        Parameters
        ----------
        above, below : float
            Threshold in persons per year; give exactly one. A draw on it counts for neither.
        location : str
            Code or name of the place.
        measure : str
            Such as ``"net_migration"``, where a net inflow is positive.
        year : int or str
            Any forecast year, or a period such as ``"2027-06"``.
        source : str, optional
            Needed where several sources have the series.

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

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> outlook = fc.forecast(panel, model="naive", draws=200)
        >>> outlook.probability(above=0, location="KAZ", measure="immigration", year=2027)
        1.0
        """
        if (above is None) == (below is None):
            raise DataError("give exactly one of above= and below=.")
        limit = threshold(*(("below", below) if above is None else ("above", above)))
        values = self.sample(location=location, measure=measure, year=year, source=source)
        hits = values < limit if above is None else values > limit
        return float(hits.mean())

    def sample(
        self, *, location: str, measure: str, year: int | str, source: str | None = None
    ) -> np.ndarray:
        """Return the draws of one series and year.

        Parameters
        ----------
        location : str
            Code or name of the place.
        measure : str
            Such as ``"net_migration"``.
        year : int or str
            Any forecast year, or a period such as ``"2027-06"``.
        source : str, optional
            Needed where several sources have the series.

        Returns
        -------
        ndarray, shape (n_draws,)
            Persons per calendar year, net inflow positive.

        Raises
        ------
        DataError
            If the year is observed, or several sources have the series and none is named.
        UnknownNameError
            If the forecast has no such series or year.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> outlook = fc.forecast(panel, model="naive", draws=200)
        >>> outlook.sample(location="Kazakhstan", measure="immigration", year=2027).shape
        (200,)
        """
        position = find_series(self.series, location, measure, source, "this forecast")
        values = self.paths.isel(series=position)
        year = self._number(year)
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

        Returns
        -------
        DataFrame
            ``location, measure, source, year`` with ``quantile, value``, or ``draw, value``, in
            persons per calendar year; ``period`` (text) in place of ``year`` for months, quarters
            and half-years.

        Raises
        ------
        UnknownNameError
            If there is no such kind of table.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", measure="immigration")
        >>> outlook = fc.forecast(panel, model="naive", horizons=(2030,), draws=200)
        >>> outlook.to_frame("sample").shape
        (200, 6)
        """
        if kind == "quantile":
            return self.quantiles(QUANTILE_LEVELS)
        if kind != "sample":
            raise unknown_name("kind of table", kind, ["quantile", "sample"])
        table = sample_table(self.draws, self.series[TABLE_KEY])
        return with_ends(periods.labelled(table, self.frequency))

    def _number(self, year: int | str) -> int:
        return periods.read(year, self.frequency) if isinstance(year, str) else year

    @cached_property
    def _positions(self) -> dict[SeriesKey, int]:
        return {key: position for position, key in enumerate(self.keys)}

    def _summary(
        self, levels: np.ndarray, years: Sequence[int | str] | None
    ) -> tuple[pd.DataFrame, np.ndarray]:
        """Return the rows (series, year) that are forecast and their quantiles (level, row)."""
        wanted = self.horizons if years is None else tuple(map(self._number, years))
        return quantile_values(self.paths, self.series[TABLE_KEY], wanted, levels)
