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

from forecast import aggregation, artifacts, draw_tables, drawing, periods, plots
from forecast.artifacts import archive
from forecast.corridors import with_ends
from forecast.draw_tables import (
    MARKS,
    QUANTILE_LEVELS,
    TABLE_KEY,
    checked_level,
    checked_levels,
    quantile_values,
    sample_table,
    threshold,
)
from forecast.errors import DataError, unknown_name
from forecast.panel import Panel
from forecast.series_key import KEY, SeriesKey, find_series


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
    by, surges = aggregation.by, draw_tables.surges
    _repr_html_ = drawing.forecast_html

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
        return list(zip(*(self.paths[name].to_numpy().tolist() for name in KEY)))

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
            ``location, measure, source, year, quantile, value`` (persons per year); of
            corridors also ``origin, destination, note``.

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
        return with_ends(repeated, self.notes)

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
        horizons: Sequence[int | str] | None = None,
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
        horizons : sequence of int or str, optional
            The target years, or periods such as ``"2027-06"``, by default.

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
        self, *, horizons: Sequence[int | str] | None = None, **options: Any
    ) -> dict[str, bytes]:
        """Return the files of a hub without writing them.

        Parameters
        ----------
        horizons : sequence of int or str, optional
            The target years, or periods such as ``"2027-06"``, by default.
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
        years = [self._number(year) for year in (self.horizons if horizons is None else horizons)]
        quantiles = self.quantiles(QUANTILE_LEVELS, years)
        if self.frequency != "year":
            texts = {periods.label(year, self.frequency): year for year in years}
            quantiles = quantiles.assign(year=quantiles["period"].map(texts))
        draws = self.paths.sel(year=years)
        options.setdefault("notes", self.notes)
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
        from forecast.exports.hub import bayespop

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
        years = ", ".join(periods.label(year, self.frequency) for year in self.horizons)
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
