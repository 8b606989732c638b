"""The score table: its columns, their types, and how persons become rates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecast.errors import unknown_name
from forecast.series_key import KEY

#: What names a row. ``as_of`` is empty unless releases are respected.
ROW = ("model", "location", "measure", "source", "origin", "as_of", "year")
#: One figure that was to be forecast, whatever the model.
CELL = ROW[1:]

#: Values of the column ``status``.
SCORED, NOT_COUNTED, NOT_FORECAST, FAILED = "scored", "not counted", "not forecast", "failed"

#: Scores and errors in persons, which become rates when divided by the population.
IN_PERSONS = (
    "crps", "wis", "wis_sharpness", "wis_underprediction", "wis_overprediction",
    "interval_score_50", "interval_score_80", "interval_score_95", "quantile_loss_10",
    "quantile_loss_90", "absolute_error", "error", "crps_first", "wis_first",
    "absolute_error_first",
)  # fmt: skip
_FLOATS = (
    "observed", "observed_first", "revision", "population", "scale", "median", "lower_50",
    "upper_50", "lower_80", "upper_80", "lower_95", "upper_95", *IN_PERSONS, "squared_error",
    "inside_50", "inside_80", "inside_95", "inside_80_first", "pit", "log_score",
    "scaled_error",
)  # fmt: skip
#: Column -> type of the score table, in order.
COLUMNS = {
    "model": "str", "location": "str", "measure": "str", "source": "str",
    "origin": "int64", "as_of": "str", "year": "int64", "horizon": "int64",
    "information_origin": "Int64", "information_horizon": "Int64", "calendar_horizon": "Int64",
    "status": "str", "reason": "str", "shock": "bool", **dict.fromkeys(_FLOATS, "float64"),
}  # fmt: skip
#: Column -> type of the table of joint scores.
JOINT_COLUMNS = {
    "model": "str", "measure": "str", "source": "str",
    "origin": "int64", "as_of": "str", "year": "int64", "horizon": "int64",
    "locations": "int64", "locations_hash": "str", "unit": "str",
    "energy_score": "float64", "variogram_score": "float64",
}  # fmt: skip


def conform(table: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    """Return the table with exactly these columns and types; absent ones are empty.

    Parameters
    ----------
    table : DataFrame
        Some of the columns.
    columns : dict of str to str
        Type of each column, in order, such as `COLUMNS`.
    """
    missing: dict[str, object] = {"str": "", "bool": False}
    filled = {
        name: table[name] if name in table else missing.get(kind, np.nan)
        for name, kind in columns.items()
    }
    return pd.DataFrame(filled, index=table.index).astype(columns)


def in_unit(table: pd.DataFrame, per: str, step: int) -> pd.DataFrame:
    """Return scores in another unit; rows where it is not known are left out.

    Parameters
    ----------
    table : DataFrame
        Rows of the score table.
    per : {"persons", "1000", "scale"}
        Persons per calendar year (or period); per 1,000 mid-year population per year;
        or in units of the series' own mean absolute change up to the origin.
    step : int
        Years per step of the panel.
    """
    if per == "persons":
        return table
    if per == "1000":
        factor = 1000.0 / (table["population"].to_numpy() * step)
    elif per == "scale":
        with np.errstate(divide="ignore"):
            factor = 1.0 / table["scale"].to_numpy()
    else:
        raise unknown_name("unit", per, ["persons", "1000", "scale"])
    known = np.isfinite(factor)
    changed = table[known].copy()
    factor = factor[known]
    for column in IN_PERSONS:
        changed[column] = changed[column].to_numpy() * factor
    changed["squared_error"] = changed["squared_error"].to_numpy() * factor**2
    # A density per person is one per rate times the change of unit.
    changed["log_score"] = changed["log_score"].to_numpy() + np.log(factor)
    return changed


def ordered(tables: Sequence[pd.DataFrame], labels: Sequence[str]) -> pd.DataFrame:
    """Put the rows of all folds into one order, whichever finished first.

    Parameters
    ----------
    tables : sequence of DataFrame
        Of the folds.
    labels : sequence of str
        Names of the models, in the order of the rows.
    """
    table = pd.concat(tables, ignore_index=True)
    rank = table["model"].map({label: position for position, label in enumerate(labels)})
    by = ["_rank", *(name for name in (*KEY, "origin", "as_of", "year") if name in table)]
    placed = table.assign(_rank=rank).sort_values(by, ignore_index=True, kind="stable")
    return placed.drop(columns="_rank")
