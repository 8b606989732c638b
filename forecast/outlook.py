"""Forecast: what may happen, as draws with names and years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from forecast import aggregation, artifacts, draw_tables, drawing, early_warning, plots
from forecast.artifacts import archive
from forecast.draw_tables import MARKS
from forecast.errors import DataError
from forecast.forecast_tables import DrawTables
from forecast.panel import Panel


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
    by, surges = aggregation.by, early_warning.surges
    _repr_html_ = drawing.forecast_html

    def save(self, path: str | Path) -> Path:
        """Write the forecast to a folder: NetCDF draws, history, notes and a manifest.

        Parameters
        ----------
        path : str or Path
            The folder. It is written whole or not at all; an earlier forecast there is replaced.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        DataError
            If something else is in the folder, or it cannot be written to.

        Examples
        --------
        >>> import tempfile
        >>> import forecast as fc
        >>> outlook = fc.forecast(fc.load("merged-units"), "naive", draws=200)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     fc.open(outlook.save(f"{folder}/naive")).model
        'naive'
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

        Rounds, models and figures that are there stay.

        Parameters
        ----------
        folder : str or Path
            Of the hub.
        team : str
            Short name of who makes the forecast; with the model's name it is the ``model_id``.
        samples : int
            Sample paths of each series.
        horizons : sequence of int, optional
            The target years by default.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        DataError
            Of five-year periods, a scenario or condition, or if something else is at `folder`.

        Examples
        --------
        >>> import tempfile
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     hub = fc.forecast(panel, "naive", draws=200).to_hub(f"{folder}/hub")
        ...     sorted(path.name for path in hub.iterdir() if path.is_dir())
        ['hub-config', 'model-metadata', 'model-output', 'target-data']
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
        """Return the files of a hub without writing them.

        Parameters
        ----------
        horizons : sequence of int, optional
            The target years by default.
        **options
            ``team, samples, name, earlier``, see `forecast.exports.hub.hub_files`.

        Returns
        -------
        dict of str to bytes
            Content by path in the hub.

        Raises
        ------
        DataError
            Of five-year periods, or a scenario or condition.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> "hub-config/tasks.json" in fc.forecast(panel, "naive", draws=200).hub_files()
        True
        """
        from forecast.exports.hub import hub_files

        self.require_unconditional("a hub")
        years = list(self.horizons if horizons is None else horizons)
        quantiles = self.quantiles(draw_tables.QUANTILE_LEVELS, years)
        draws = self.paths.sel(year=years)
        return hub_files(self.series, quantiles, draws, self.history, **options)

    def to_bayespop(self, path: str | Path, source: str | None = None) -> Path:
        """Write countries' net migration as a CSV of trajectories for bayesPop.

        Parameters
        ----------
        path : str or Path
            The file.
        source : str, optional
            Needed where several sources have net migration of a country.

        Returns
        -------
        Path
            The file: ``LocID`` (numeric code), ``Year, Trajectory, Migration`` (thousand persons).

        Raises
        ------
        DataError
            As `bayespop`.

        Examples
        --------
        >>> import tempfile
        >>> import forecast as fc
        >>> outlook = fc.forecast(fc.load("central-asia"), "naive", draws=100)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     outlook.to_bayespop(f"{folder}/net.csv", "un-wpp").name
        'net.csv'
        """
        table = self.bayespop(source)
        return artifacts.write_text(path, table.to_csv(index=False, lineterminator="\n"))

    def bayespop(self, source: str | None = None) -> pd.DataFrame:
        """Return countries' net migration as trajectories for bayesPop.

        Parameters
        ----------
        source : str, optional
            Needed where several sources have net migration of a country.

        Returns
        -------
        DataFrame
            ``LocID, Year, Trajectory, Migration``; thousand persons a year, net inflow positive.

        Raises
        ------
        DataError
            If no country's net migration is forecast, or several sources have it and none is named.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> fc.forecast(panel, "naive", draws=200).bayespop()["LocID"].unique().tolist()
        [398]
        """
        from forecast.exports.bayespop import bayespop

        self.history.require_years("bayesPop")
        return bayespop(self.series, self.paths, self.history, source)

    def require_unconditional(self, purpose: str) -> None:
        """Refuse draws that hold a scenario or a condition as what is to become `purpose`.

        Parameters
        ----------
        purpose : str
            What the draws are to become, in the words of the message, such as ``"a hub"``.

        Raises
        ------
        DataError
            Naming the scenario or condition, and the purpose.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> fc.forecast(panel, "naive", draws=200).require_unconditional("a hub")
        """
        for mark in MARKS:
            if mark in self.paths.attrs:
                raise DataError(
                    f"the draws given hold the {mark} {self.paths.attrs[mark]!r}; they are no "
                    f"forecast, and {purpose} would give them out as one. Give the baseline."
                )

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

    Parameters
    ----------
    path : str or Path
        The folder.

    Returns
    -------
    Forecast
        With the same draws, to the last bit.

    Raises
    ------
    DataError
        If the folder is not a saved forecast, or a file in it was changed.

    Examples
    --------
    >>> import tempfile
    >>> import forecast as fc
    >>> outlook = fc.forecast(fc.load("merged-units"), "naive", draws=200)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     bool(fc.open(outlook.save(f"{folder}/naive")).paths.equals(outlook.paths))
    True
    """
    return Forecast(*archive.read(path))
