"""Forecast: what may happen, as draws with names and years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from forecast import artifacts, draw_tables, drawing, plots
from forecast.artifacts import archive
from forecast.draw_tables import MARKS, DrawTables
from forecast.errors import DataError
from forecast.panel import Panel
from forecast.series_key import SeriesKey, keys_of


@dataclass(frozen=True)
class Forecast(DrawTables):
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
    def model(self) -> str:
        """Name of the model."""
        return str(self.paths.attrs["model"])

    @property
    def keys(self) -> list[SeriesKey]:
        """The key of every forecast series, in the order of `paths`."""
        return keys_of(self.series)

    def position(self, key: SeriesKey) -> int | None:
        """Return where a series stands on the dimension ``series``; None if it is not forecast."""
        return self._positions.get(key)

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


def open_forecast(path: str | Path) -> Forecast:
    """Read a forecast that `Forecast.save` wrote.

    Raises
    ------
    DataError
        If the folder is not a saved forecast, or a file in it was changed.
    """
    return Forecast(*archive.read(path))
