"""Forecast: what may happen, as draws with names and years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from forecast import artifacts, draw_tables, drawing, plots
from forecast.artifacts import archive
from forecast.draw_tables import MARKS
from forecast.errors import DataError, unknown_name
from forecast.panel import Panel
from forecast.series_key import SeriesKey, find_series, keys_of

#: Columns that name a series in the tables that users see.
TABLE_KEY = ["location", "measure", "source"]


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

    plot, plot_compare, plot_why = plots.fan, plots.compare, plots.why
    _repr_html_ = drawing.forecast_html

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
        wanted = draw_tables.levels(levels)
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
        inside = draw_tables.level(level)
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
        limit = draw_tables.threshold(*(("below", below) if above is None else ("above", above)))
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
            `draw_tables.QUANTILE_LEVELS` of each series and year, or every draw.
        """
        if kind == "quantile":
            return self.quantiles(draw_tables.QUANTILE_LEVELS)
        if kind != "sample":
            raise unknown_name("kind of table", kind, ["quantile", "sample"])
        return draw_tables.sample_table(self.draws, self.series[TABLE_KEY])

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
        """Write a hubverse hub, or add the forecast to one of ours; whole or not at all.

        `horizons` are the target years by default; see `forecast.exports.hub.hub_files` for
        the other options. Rounds, models and figures that are there stay.

        Raises
        ------
        DataError
            Of five-year periods, a scenario or condition, or if something else is at `folder`.
        """
        from forecast.exports.hub import earlier_hub, hub_folder

        target = Path(folder)
        options: dict[str, Any] = {"team": team, "samples": samples, "name": target.name}
        contents = self.hub_files(horizons=horizons, earlier=earlier_hub(target), **options)
        with hub_folder(target, contents):
            pass
        return target

    def hub_files(
        self, *, horizons: Sequence[int] | None = None, **options: Any
    ) -> dict[str, bytes]:
        """Return the files of a hub by path; options of `forecast.exports.hub.hub_files`."""
        from forecast.exports.hub import hub_files

        self.require_unconditional("a hub")
        years = list(self.horizons if horizons is None else horizons)
        quantiles = self.quantiles(draw_tables.QUANTILE_LEVELS, years)
        draws = self.paths.sel(year=years)
        return hub_files(self.series, quantiles, draws, self.history, **options)

    def to_bayespop(self, path: str | Path, source: str | None = None) -> Path:
        """Write `bayespop` as CSV: ``LocID, Year, Trajectory, Migration`` (thousand persons)."""
        table = self.bayespop(source)
        return artifacts.write_text(path, table.to_csv(index=False, lineterminator="\n"))

    def bayespop(self, source: str | None = None) -> pd.DataFrame:
        """Return countries' net migration as trajectories; see `forecast.exports.bayespop`."""
        from forecast.exports.bayespop import bayespop

        return bayespop(self.series, self.paths, self.history, source)

    def require_unconditional(self, purpose: str) -> None:
        """Refuse draws that hold a scenario or a condition as what is to become `purpose`.

        Raises
        ------
        DataError
            Naming the scenario or condition, and the purpose, such as ``"a hub"``.
        """
        for mark in MARKS:
            if mark in self.paths.attrs:
                raise DataError(
                    f"the draws given hold the {mark} {self.paths.attrs[mark]!r}; they are no "
                    f"forecast, and {purpose} would give them out as one. Give the baseline."
                )

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

    def _summary(
        self, levels: np.ndarray, years: Sequence[int] | None
    ) -> tuple[pd.DataFrame, np.ndarray]:
        """Return the rows (series, year) that are forecast and their quantiles (level, row)."""
        wanted = self.horizons if years is None else tuple(years)
        return draw_tables.quantile_values(self.paths, self.series[TABLE_KEY], wanted, levels)


def open_forecast(path: str | Path) -> Forecast:
    """Read a forecast that `Forecast.save` wrote.

    Raises
    ------
    DataError
        If the folder is not a saved forecast, or a file in it was changed.
    """
    return Forecast(*archive.read(path))
