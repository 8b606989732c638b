"""The tables of a hub: what a model said, and what was observed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecast.exports.hub.layout import ROUND, STANDARD, TASK_IDS, UNIT, year_end
from forecast.exports.hub.tasks import Tasks
from forecast.outlook import QUANTILE_LEVELS, Forecast
from forecast.panel import Panel


def output_tables(
    outlook: Forecast, horizons: Sequence[int], samples: int
) -> dict[int, pd.DataFrame]:
    """Return the model output by origin, one row per task, output type and id.

    Quantiles come from every draw; samples are draws evenly spaced over all of them, so
    that a chain is thinned rather than cut. Sample *i* is the same world in every task.
    """
    quantiles = outlook.quantiles(QUANTILE_LEVELS, years=horizons).rename(
        columns={"quantile": "output_type_id"}
    )
    tables = [quantiles.assign(output_type="quantile")]
    if samples:
        count = outlook.paths.sizes["draw"]
        chosen = np.linspace(0, count - 1, samples).round().astype(int)
        drawn = outlook.paths.isel(draw=chosen).sel(year=list(horizons))
        frame = drawn.assign_coords(draw=np.arange(1, samples + 1)).to_series().dropna()
        wide = frame.rename("value").reset_index()
        named = outlook.series.iloc[wide["series"].to_numpy()].reset_index(drop=True)
        tables.append(
            pd.concat([named[["location", "measure", "source"]], wide[["year", "value"]]], axis=1)
            .assign(output_type="sample", output_type_id=wide["draw"].astype(float))
        )  # fmt: skip
    table = pd.concat(tables, ignore_index=True)
    origins = outlook.series.set_index(["source", "measure", "location"])["origin"]
    keys = pd.MultiIndex.from_frame(table[["source", "measure", "location"]])
    table["origin"] = origins.reindex(keys).to_numpy()
    table["horizon"] = table["year"] - table["origin"]
    table[ROUND] = table["origin"].map(year_end)
    table["target_end_date"] = table["year"].map(year_end)
    # Adding zero turns a rounded minus zero into zero.
    table["value"] = table["value"].round() + 0.0
    table = table.rename(columns={"measure": "target"}).sort_values(
        ["source", "target", "location", "horizon", "output_type", "output_type_id"]
    )
    columns = [*TASK_IDS, *STANDARD]
    return {
        int(str(origin)): rows[columns].reset_index(drop=True)
        for origin, rows in table.groupby("origin", sort=True)
    }


def versioned(history: Panel) -> bool:
    """Whether every figure has the day of its release."""
    return bool(history.to_frame()["as_of"].notna().all())


def observed(outlook: Forecast) -> pd.DataFrame:
    """Return the history as a hub's time series: every release, missing years left out.

    Returns
    -------
    DataFrame
        ``as_of`` (only where every figure has a day of release), `UNIT`, ``flag``,
        ``observation`` in persons per calendar year.
    """
    by_day = versioned(outlook.history)
    history = outlook.history.to_frame() if by_day else outlook.history.latest
    history = history[history["value"].notna()]
    table = pd.DataFrame(
        {
            "as_of": history["as_of"],
            "source": history["source"],
            "target": history["measure"],
            "location": history["location"],
            "target_end_date": history["year"].map(year_end),
            "flag": history["flag"].fillna(""),
            "observation": history["value"].astype(float),
        }
    )
    if by_day:
        table["as_of"] = pd.to_datetime(table["as_of"]).dt.strftime("%Y-%m-%d")
    else:
        table = table.drop(columns="as_of")
    return table.reset_index(drop=True)


def oracle(observations: pd.DataFrame, asked: Tasks) -> pd.DataFrame:
    """Return the newest figure of every task whose year has come.

    Returns
    -------
    DataFrame
        `UNIT` and ``oracle_value`` in persons per calendar year.
    """
    wanted = {
        (source, target, place, year_end(origin + horizon))
        for (origin, source, target), task in asked.items()
        for place in task.locations
        for horizon in task.horizons
    }
    known = observations
    if "as_of" in known:
        known = known.sort_values("as_of", kind="stable")
    known = known.drop_duplicates([*UNIT], keep="last")
    mask = [key in wanted for key in known[[*UNIT]].itertuples(index=False, name=None)]
    found = known[np.array(mask, dtype=bool)].sort_values([*UNIT])
    return found[[*UNIT, "observation"]].rename(columns={"observation": "oracle_value"})
