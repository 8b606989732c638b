"""Forecast: what may happen, as draws with names and years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from forecast import archive, arguments, artifacts, locations
from forecast.errors import DataError, unknown_name
from forecast.panel import Panel
from forecast.series_key import SeriesKey, keys_of

#: Levels of the tidy quantile table: those of 50, 80 and 95 % intervals and some between.
QUANTILE_LEVELS = (
    0.025,
    0.05,
    0.1,
    0.2,
    0.25,
    0.3,
    0.4,
    0.5,
    0.6,
    0.7,
    0.75,
    0.8,
    0.9,
    0.95,
    0.975,
)
#: Columns that name a series in the tables that users see.
TABLE_KEY = ["location", "measure", "source"]
#: Attributes of draws that are no forecast: they say what is taken for given.
MARKS = ("scenario", "condition")


@dataclass(frozen=True)
class Forecast:
    """Simulated futures of several series from one model.

    Attributes
    ----------
    paths : DataArray, dims (draw, series, year)
        Persons per calendar year, net inflow positive, for every year after the
        data; coordinates ``location, measure, source, origin`` on ``series``. Years
        that a series has already observed are NaN. Attributes: ``model, seed,
        origin, as_of, version, data_hash``.
    horizons : tuple of int
        The target years asked for; `draws` and the tables show these.
    notes : DataFrame
        One row per series of the panel, also for those that could not be forecast:
        ``source, location, measure, origin, observations, status, reason, scale,
        population, flags``.
    history : Panel
        What the model was shown.
    explanation : DataFrame, optional
        Why the intervals are as wide as they are, where the model says so: ``source,
        location, measure, year, what, name, value``, with the weight of each member and
        the share of each part of the variance (`forecast.models.ensemble.explanation`).
    """

    paths: xr.DataArray
    horizons: tuple[int, ...]
    notes: pd.DataFrame
    history: Panel
    explanation: pd.DataFrame | None = None

    @property
    def draws(self) -> xr.DataArray:
        """Draws at the target years, dims (draw, series, year), in persons."""
        return self.paths.sel(year=list(self.horizons))

    @property
    def model(self) -> str:
        """Name of the model."""
        return str(self.paths.attrs["model"])

    @property
    def series(self) -> pd.DataFrame:
        """The forecast series: ``location, measure, source, origin``, in order."""
        coordinates = [*TABLE_KEY, "origin"]
        return pd.DataFrame({name: self.paths[name].to_numpy() for name in coordinates})

    @property
    def keys(self) -> list[SeriesKey]:
        """The key of every forecast series, in the order of `paths`."""
        return keys_of(self.series)

    def position(self, key: SeriesKey) -> int | None:
        """Return where a series stands on the dimension ``series``; None if it is not forecast."""
        return self._positions.get(key)

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
        wanted = arguments.levels(levels)
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
        inside = arguments.level(level)
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
            Which source. Without it, and with several, the one whose series of this
            measure cover the most locations (so that countries can be compared).

        Returns
        -------
        float
            Between 0 and 1.

        Raises
        ------
        DataError
            If the threshold is no number, or the year is observed.
        UnknownNameError
            If the forecast has no such series or year.
        """
        if (above is None) == (below is None):
            raise DataError("give exactly one of above= and below=.")
        limit = arguments.threshold(*(("below", below) if above is None else ("above", above)))
        values = self.sample(location=location, measure=measure, year=year, source=source)
        hits = values < limit if above is None else values > limit
        return float(hits.mean())

    def sample(
        self, *, location: str, measure: str, year: int, source: str | None = None
    ) -> np.ndarray:
        """Return the draws of one series and year, shape (n_draws,), in persons."""
        values = self.paths.isel(series=self._find(location, measure, source))
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
        drawn = self.draws.transpose("series", "year", "draw")
        table = self._index(self.horizons)
        repeated = table.loc[table.index.repeat(drawn.sizes["draw"])].reset_index(drop=True)
        number = np.tile(np.arange(drawn.sizes["draw"]), len(table))
        return repeated.assign(draw=number, value=drawn.to_numpy().ravel()).dropna(
            ignore_index=True
        )

    def save(self, path: str | Path) -> Path:
        """Write the forecast to a folder: NetCDF draws, history, notes and a manifest.

        The folder is written whole or not at all; an earlier forecast is replaced.
        """
        return archive.write(
            path, self.paths, self.horizons, self.notes, self.history, self.explanation
        )

    def to_hub(
        self,
        folder: str | Path,
        *,
        team: str = "forecast",
        samples: int = 100,
        horizons: Sequence[int] | None = None,
    ) -> Path:
        """Write a hubverse hub, or add the forecast to one; see `forecast.exports.hub.export`."""
        from forecast.exports.hub.export import to_hub

        return to_hub(self, folder, team=team, samples=samples, horizons=horizons)

    def to_bayespop(self, path: str | Path, source: str | None = None) -> Path:
        """Write countries' net migration as trajectories for the R package bayesPop.

        CSV with ``LocID, Year, Trajectory, Migration`` in thousand persons a year; see
        `forecast.exports.bayespop.bayespop`.
        """
        from forecast.exports.bayespop import bayespop

        table = bayespop(self, source)
        return artifacts.write_text(path, table.to_csv(index=False, lineterminator="\n"))

    @cached_property
    def _positions(self) -> dict[SeriesKey, int]:
        return {key: position for position, key in enumerate(self.keys)}

    def __repr__(self) -> str:
        sizes = self.paths.sizes
        years = ", ".join(map(str, self.horizons))
        given = [f", {mark} {self.paths.attrs[mark]}" for mark in MARKS if mark in self.paths.attrs]
        return (
            f"<Forecast: model {self.model}, {sizes['series']} series, {sizes['draw']} draws, "
            f"target years {years}{''.join(given)}>"
        )

    def _index(self, years: Sequence[int]) -> pd.DataFrame:
        series = self.series[TABLE_KEY]
        repeated = series.loc[series.index.repeat(len(years))].reset_index(drop=True)
        return repeated.assign(year=np.tile(np.asarray(years, dtype=int), len(series)))

    def _summary(
        self, levels: np.ndarray, years: Sequence[int] | None
    ) -> tuple[pd.DataFrame, np.ndarray]:
        """Return the rows (series, year) that are forecast and their quantiles (level, row)."""
        wanted = self.horizons if years is None else tuple(years)
        available = set(self.paths["year"].to_numpy().tolist())
        for year in wanted:
            if year not in available:
                raise unknown_name("forecast year", year, [str(y) for y in sorted(available)])
        drawn = self.paths.sel(year=list(wanted)).transpose("draw", "series", "year").to_numpy()
        flat = drawn.reshape(drawn.shape[0], -1)
        forecast = ~np.isnan(flat[0])
        table = self._index(wanted)[forecast].reset_index(drop=True)
        return table, np.quantile(flat[:, forecast], levels, axis=0)

    def _find(self, location: str, measure: str, source: str | None) -> int:
        series = self.series
        location = locations.canonical(location)
        named = (
            ("location", location, series["location"] == location),
            ("measure", measure, series["measure"] == measure),
            ("source", source, series["source"] == source),
        )
        fits = np.ones(len(series), dtype=bool)
        for column, name, mask in named:
            if name is None:
                continue
            if not (fits & mask).any():
                raise unknown_name(f"{column} in this forecast", name, set(series[column][fits]))
            fits &= mask
        if fits.sum() > 1:
            covered = series[series["measure"] == measure].groupby("source").size()
            widest = covered[sorted(set(series["source"][fits]))].idxmax()
            fits &= series["source"] == widest
        return int(np.flatnonzero(fits)[0])


def open_forecast(path: str | Path) -> Forecast:
    """Read a forecast that `Forecast.save` wrote.

    Raises
    ------
    DataError
        If the folder is not a saved forecast, or a file in it was changed.
    """
    return Forecast(*archive.read(path))
