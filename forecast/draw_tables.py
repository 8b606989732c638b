"""Tables of draws: one row per series and year, with quantiles or with every draw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from forecast.errors import unknown_name


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
