"""Reading what was fetched, by the name of its source; never over the network."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from forecast.data import folders
from forecast.data.sources import fetched as manifests
from forecast.data.sources.fetched import Kept
from forecast.data.sources.readers import reader
from forecast.errors import DataError
from forecast.panel import Panel


def fetched(name: str, cache: str | Path | None = None) -> Kept:
    """Return what was fetched of a source.

    Raises
    ------
    DataError
        If it was not fetched.
    """
    found = manifests.read(name, cache)
    if found is None:
        raise DataError(
            f"the source {name!r} has not been fetched into {folders.cache(cache)}. Run "
            f"forecast data fetch {name}"
        )
    return found


def panel(name: str, cache: str | Path | None = None) -> Panel:
    """Return the migration series of a source that was fetched.

    Raises
    ------
    DataError
        If it was not fetched, was damaged since, or has no migration series.
    """
    found = fetched(name, cache)
    return reader(found.source).panel(found)


def covariates(name: str, cache: str | Path | None = None) -> pd.DataFrame:
    """Return the drivers of a source that was fetched.

    Returns
    -------
    DataFrame
        ``location, measure, year, value, unit, source``, as of
        `forecast.data.package.covariates`: one row per country, driver and year.

    Raises
    ------
    DataError
        If it was not fetched, was damaged since, or has no drivers.
    """
    found = fetched(name, cache)
    return reader(found.source).covariates(found)
