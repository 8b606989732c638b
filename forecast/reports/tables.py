"""The tables of the report, from a Forecast."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from forecast import locations
from forecast.outlook import QUANTILE_LEVELS, SERIES, Forecast
from forecast.reports.sentences import MEASURE_NAMES

#: Levels of the intervals that the page shows.
LEVELS = (0.5, 0.8, 0.95)


def all_quantiles(outlook: Forecast) -> pd.DataFrame:
    """Return every quantile of every forecast year, tidy, in whole persons.

    Returns
    -------
    DataFrame
        ``location, name, measure, source, model, origin, year, target, quantile, value``;
        ``target`` says whether the year is one that was asked for.
    """
    table = outlook.quantiles(QUANTILE_LEVELS, years=outlook.paths["year"].to_numpy().tolist())
    origins = outlook.series.set_index(SERIES)["origin"]
    keys = pd.MultiIndex.from_frame(table[SERIES])
    return pd.DataFrame(
        {
            "location": table["location"],
            "name": [locations.name(code) for code in table["location"]],
            "measure": table["measure"],
            "source": table["source"],
            "model": outlook.model,
            "origin": origins.reindex(keys).to_numpy(),
            "year": table["year"],
            "target": table["year"].isin(outlook.horizons),
            "quantile": table["quantile"],
            "value": table["value"].round().astype(int),
        }
    )


def intervals(
    outlook: Forecast, keys: Sequence[tuple[str, str, str]], years: Sequence[int]
) -> list[dict[str, object]]:
    """Return one row per series and year for the page's tables.

    Parameters
    ----------
    outlook : Forecast
    keys : sequence of (source, location, measure)
    years : sequence of int

    Returns
    -------
    list of dict
        ``place, measure, source, year, observed, signed, median, bands`` with one (lower,
        upper) pair per level of `LEVELS`. A year that is already observed has its figure
        in ``observed`` and no median.
    """
    bands = {level: _by_key(outlook.intervals(level, years)) for level in LEVELS}
    history = {series.key: series for series in outlook.history}
    rows: list[dict[str, object]] = []
    for key in keys:
        series = history[key]
        for year in years:
            cells = [bands[level].get((*key, year)) for level in LEVELS]
            first = cells[0]
            known = series.values[series.years == year]
            rows.append(
                {
                    "place": locations.name(key[1]),
                    "measure": MEASURE_NAMES[key[2]],
                    "source": key[0],
                    "year": year,
                    "signed": series.signed,
                    "observed": float(known[0]) if first is None and len(known) else None,
                    "median": None if first is None else first[0],
                    "bands": [] if first is None else [cell[1:] for cell in cells if cell],
                }
            )
    return rows


def _by_key(table: pd.DataFrame) -> dict[tuple[object, ...], tuple[float, float, float]]:
    return {
        (row["source"], row["location"], row["measure"], row["year"]): (
            row["median"],
            row["lower"],
            row["upper"],
        )
        for row in table.to_dict("records")
    }
