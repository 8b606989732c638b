"""From the draws of single series to one Forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from forecast import measures, scales
from forecast.contract import FORECAST, NOT_FORECAST, NOTE_COLUMNS
from forecast.errors import DataError
from forecast.outlook import Forecast
from forecast.panel import Panel, Series
from forecast.series import flags_of
from forecast.series_key import SeriesKey
from forecast.version import __version__


def assemble(
    panel: Panel,
    drawn: Mapping[SeriesKey, np.ndarray],
    years: Sequence[int],
    notes: pd.DataFrame | None = None,
    *,
    model: str,
    seed: int,
    declined: Mapping[SeriesKey, str] | None = None,
) -> Forecast:
    """Put the draws of single series together into a Forecast.

    Parameters
    ----------
    panel : Panel
        What the model was shown.
    drawn : mapping of (source, location, measure) to ndarray, shape (n_draws, n_ahead)
        Draws in persons for every step from each series' own origin to the last target year.
    years : sequence of int
        The target years.
    notes : DataFrame, optional
        See `Forecast`; by default made from the panel, the draws and `declined`.
    model : str
        Name of the model.
    seed : int
        Seed of the draws.
    declined : mapping of (source, location, measure) to str, optional
        Why series without draws are not forecast, a sentence each.

    Returns
    -------
    Forecast

    Raises
    ------
    DataError
        If there are no draws of any series.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", measure="immigration")
    >>> drawn = {panel.keys[0]: np.full((100, 2), 25000.0)}
    >>> assemble(panel, drawn, (2027,), model="flat", seed=1)
    <Forecast: model flat, 1 series, 100 draws, target years 2027>
    """
    if not drawn:
        raise DataError(
            f"no series can be forecast by {model!r}: "
            f"{next(iter((declined or {}).values()), 'it drew none of them.')}"
        )
    if notes is None:
        notes = _notes(panel, drawn, declined or {})
    known = [series for series in panel if series.key in drawn]
    first = min(series.origin for series in known) + panel.step
    grid = np.arange(first, max(years) + 1, panel.step)
    n_draws = len(next(iter(drawn.values())))
    values = np.full((n_draws, len(known), len(grid)), np.nan)
    for position, series in enumerate(known):
        ahead = drawn[series.key]
        values[:, position, len(grid) - ahead.shape[1] :] = ahead
    origins = np.array([series.origin for series in known])
    paths = xr.DataArray(
        values,
        dims=("draw", "series", "year"),
        coords={
            "draw": np.arange(n_draws),
            "year": grid,
            "location": ("series", [series.location for series in known]),
            "measure": ("series", [series.measure for series in known]),
            "source": ("series", [series.source for series in known]),
            "origin": ("series", origins),
        },
        name="draws",
        attrs={
            "model": model,
            "seed": seed,
            "origin": int(origins.max()),
            "as_of": panel.last_release,
            "version": __version__,
            "data_hash": panel.hash,
            **_unit(panel),
        },
    )
    return Forecast(paths, tuple(int(year) for year in years), notes, panel)


def _unit(panel: Panel) -> dict[str, str]:
    """Return the attributes that say what the draws are of; years name no frequency."""
    unit = measures.unit_of(panel.measures, panel.frequency, panel.step)
    return {"unit": unit, **({} if panel.frequency == "year" else {"frequency": panel.frequency})}


def by_series(outlook: Forecast) -> dict[SeriesKey, np.ndarray]:
    """Return the draws of each series after its own origin, shape (n_draws, n_ahead)."""
    values = outlook.paths.transpose("draw", "series", "year").to_numpy()
    grid, origins = outlook.paths["year"].to_numpy(), outlook.paths["origin"].to_numpy()
    return {key: values[:, at, grid > origins[at]] for at, key in enumerate(outlook.keys)}


def _notes(
    panel: Panel, drawn: Mapping[SeriesKey, np.ndarray], declined: Mapping[SeriesKey, str]
) -> pd.DataFrame:
    """Return `Forecast.notes` from what has been drawn."""
    rows = []
    for series in panel:
        if series.key in drawn:
            rows.append(note(series, FORECAST, ""))
        else:
            reason = declined.get(series.key, "the model is not meant for it.")
            rows.append(note(series, NOT_FORECAST, reason))
    return pd.DataFrame(rows, columns=list(NOTE_COLUMNS))


def note(
    series: Series, status: str, reason: str, scale: str = "", by_population: bool | None = None
) -> tuple[object, ...]:
    """Return a row of `Forecast.notes`; by default rates have their population carried on.

    Parameters
    ----------
    series : Series
        The row's series.
    status : {"forecast", "not forecast"}
        Whether there are draws.
    reason : str
        Why not, or what is worth saying.
    scale : {"log", "rate", "persons", ""}
        The scale of the model.
    by_population : bool, optional
        Whether the population is carried forward; by default that of rates.
    """
    if by_population is None:
        by_population = scale == "rate"
    return (
        *series.key,
        series.origin,
        int((~np.isnan(series.values)).sum()),
        status,
        reason,
        scale,
        scales.POPULATION_RULE if by_population else "",
        flags_of(series),
    )
