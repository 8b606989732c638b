"""Net migration as trajectories that the R package bayesPop reads."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from forecast import locations
from forecast.errors import DataError, unknown_name
from forecast.panel import Panel
from forecast.series_key import several_sources

#: What a population projection takes as net migration of a country.
MEASURE = "net_migration"


def bayespop(
    series: pd.DataFrame, paths: xr.DataArray, history: Panel, source: str | None = None
) -> pd.DataFrame:
    """Return the draws of countries' net migration in the form of bayesPop.

    ``write.csv`` of it is what ``pop.predict(inputs = list(migtraj = FILE), annual = TRUE)``
    reads: the total over ages and sexes, a trajectory being the same world in every country.

    Parameters
    ----------
    series : DataFrame
        ``location, measure, source, origin``, one row per forecast series.
    paths : DataArray, dims (draw, series, year)
        Persons per year (or period), every year after the data.
    history : Panel
        The observed figures.
    source : str, optional
        Whose net migration; needed where several sources have countries' net migration.

    Returns
    -------
    DataFrame
        ``LocID`` (the UN's numeric code), ``Year`` (calendar year; of a five-year period the
        middle one), ``Trajectory`` from 1, ``Migration`` in **thousand persons** per year (or
        period), net inflow positive. Every country has every year from the first that any of
        them lacks; a year that one of them has observed already stands in all its
        trajectories.

    Raises
    ------
    DataError
        If no country's net migration was forecast, or several sources have it and none is
        named.
    UnknownNameError
        If not from this source.

    References
    ----------
    Ševčíková and Raftery (2016), bayesPop: Probabilistic Population Projections, Journal of
    Statistical Software 75(5), doi:10.18637/jss.v075.i05.
    """
    national = series["location"].map(_is_country) & (series["measure"] == MEASURE)
    found = series[national]
    if found.empty:
        raise DataError(
            "no country's net_migration was forecast, so there is nothing to project a "
            "population with."
        )
    sources = sorted(set(found["source"]))
    if source is None and len(sources) > 1:
        raise several_sources(MEASURE, "countries", sources)
    source = sources[0] if source is None else source
    if source not in set(found["source"]):
        raise unknown_name("source of net_migration in this forecast", source, set(found["source"]))
    found = found[found["source"] == source]
    paths = paths.transpose("draw", "series", "year")
    last = paths["year"].to_numpy()[-1]
    step = history.step
    years = np.arange(int(found["origin"].min()) + step, last + 1, step)
    trajectory = np.arange(1, paths.sizes["draw"] + 1)
    parts = []
    for position, place in zip(found.index, found["location"]):
        drawn = paths.isel(series=position).reindex(year=years).to_numpy()
        figures = history.find((source, place, MEASURE))
        known = None if figures is None else pd.Series(figures.values, figures.years)
        seen = np.nan if known is None else known.reindex(years).to_numpy()
        values = np.where(np.isnan(drawn), seen, drawn)
        parts.append(
            pd.DataFrame(
                {
                    "LocID": _numeric(place),
                    "Year": np.tile(years + (0 if step == 1 else step // 2 + 1), len(trajectory)),
                    "Trajectory": np.repeat(trajectory, len(years)),
                    "Migration": (values.ravel() / 1000).round(6) + 0.0,
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    if table["Migration"].isna().any():
        gap = table[table["Migration"].isna()].iloc[0]
        raise DataError(
            f"net_migration from {source} of country {int(gap['LocID'])} is missing in "
            f"{int(gap['Year'])}, between the data and the forecast."
        )
    return table


def _is_country(code: str) -> bool:
    return "+" not in code and locations.find(code).is_country and _numeric(code) is not None


def _numeric(code: str) -> int | None:
    """Return the numeric code of a country, which is also the UN's location id."""
    import pycountry

    country = pycountry.countries.get(alpha_3=code)
    return None if country is None else int(country.numeric)
