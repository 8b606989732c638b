"""Averages of the score table, and skill against a reference."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from forecast.errors import DataError, unknown_name
from forecast.hindcast.columns import CELL, IN_PERSONS, SCORED, in_unit

#: Column of a summary -> column of the score table that it averages.
AVERAGED = {
    "crps": "crps",
    "wis": "wis",
    "wis_sharpness": "wis_sharpness",
    "wis_underprediction": "wis_underprediction",
    "wis_overprediction": "wis_overprediction",
    "interval_score_80": "interval_score_80",
    "interval_score_95": "interval_score_95",
    "quantile_loss_10": "quantile_loss_10",
    "quantile_loss_90": "quantile_loss_90",
    "log_score": "log_score",
    "mae": "absolute_error",
    "bias": "error",
    "mase": "scaled_error",
    "crps_first": "crps_first",
    "mae_first": "absolute_error_first",
}
#: Always means: a median of hits would say nothing.
_SHARES = {"coverage_50": "inside_50", "coverage_80": "inside_80", "coverage_95": "inside_95"}


#: What skill is held against, the first that a backtest has: the same as last year where there is a
#: season, no change with an honest width, and the plain naive forecast.
REFERENCES = ("seasonal-naive", "persistence", "naive")


def reference_of(models: Collection[str]) -> str:
    """Return the model that the others are held against by default; empty if there is none."""
    return next((name for name in REFERENCES if name in models), "")


def chosen_reference(models: Collection[str], versus: str | None) -> str:
    """Return the reference that is named, or the default one of a backtest.

    Parameters
    ----------
    models : collection of str
        Names of the models that were scored.
    versus : str or None
        What the caller asked for.

    Returns
    -------
    str

    Raises
    ------
    DataError
        If none is named and the backtest has no default one.
    UnknownNameError
        If the one that is named is not in the backtest.
    """
    versus = versus or reference_of(models)
    if not versus:
        raise DataError(
            "this backtest has no reference to hold its models against. Run it with "
            f"{REFERENCES[1]!r} among them, or name another with versus=."
        )
    if versus not in models:
        raise unknown_name("model in this backtest", versus, models)
    return versus


def check_columns(table: pd.DataFrame, by: Sequence[str]) -> list[str]:
    """Return the columns to group by, or name the one that is not there.

    Parameters
    ----------
    table : DataFrame
        The score table.
    by : sequence of str
        Columns that are asked for; a single text counts as one.

    Raises
    ------
    UnknownNameError
        If the table has no such column.
    """
    wanted = [by] if isinstance(by, str) else list(by)
    for column in wanted:
        if column not in table.columns:
            raise unknown_name("column of the score table", column, table.columns)
    return wanted


def scored(table: pd.DataFrame, per: str, step: int) -> pd.DataFrame:
    """Return the rows that count, in the unit asked for.

    Parameters
    ----------
    table : DataFrame
        The score table.
    per : {"persons", "1000", "scale"}
        Unit, see `forecast.hindcast.columns.in_unit`.
    step : int
        Years per step of the panel.

    Raises
    ------
    DataError
        If no row counts.
    """
    rows = in_unit(table[table["status"] == SCORED], per, step)
    if rows.empty:
        raise DataError(
            "no forecast was scored in this unit. Look at track.missing for the reasons; "
            "per='1000' needs population."
        )
    return rows


def in_common(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose figure every model (that has any score) forecast."""
    models = rows["model"].nunique()
    shared = rows.groupby(list(CELL))["model"].transform("nunique") == models
    if not shared.any():
        raise DataError(
            "no figure was forecast by all of these models. Compare fewer with "
            "track.select(model=[...]), or ask for common=False."
        )
    return rows[shared]


def summary(
    table: pd.DataFrame,
    by: Sequence[str],
    *,
    average: str = "mean",
    per: str = "persons",
    common: bool = True,
    step: int = 1,
) -> pd.DataFrame:
    """Average the scores in groups.

    Parameters
    ----------
    table : DataFrame
        The score table.
    by : sequence of str
        Columns to group by.
    average : {"mean", "median", "weighted"}
        Plain mean; median, which a few large countries cannot rule; or mean weighted by
        population.
    per : {"persons", "1000", "scale"}
        Unit, see `forecast.hindcast.columns.in_unit`.
    common : bool
        Only use figures that every model forecast, so that rows compare.
    step : int

    Returns
    -------
    DataFrame
        The groups, ``forecasts`` and ``origins`` in them, the columns of `AVERAGED`,
        ``rmse`` and the coverage of 50, 80 and 95 % intervals.
    """
    groups = check_columns(table, by)
    if average not in ("mean", "median", "weighted"):
        raise unknown_name("average", average, ["mean", "median", "weighted"])
    rows = scored(table, per, step)
    if common:
        rows = in_common(rows)
    if average == "weighted":
        rows = rows[rows["population"].notna()]
        if rows.empty:
            raise DataError("a weighted average needs population, and no scored row has it.")
    weights = rows["population"] if average == "weighted" else pd.Series(1.0, index=rows.index)
    keys = [rows[name] for name in groups]
    grouped = rows.groupby(groups, sort=False)
    columns = {"forecasts": grouped.size(), "origins": grouped["origin"].nunique()}
    for name, column in AVERAGED.items():
        if column.endswith("_first") and rows[column].isna().all():
            continue
        columns[name] = (
            grouped[column].median()
            if average == "median"
            else _weighted(rows[column], weights, keys)
        )
    columns["rmse"] = np.sqrt(_weighted(rows["squared_error"], weights, keys))
    for name, column in _SHARES.items():
        columns[name] = _weighted(rows[column], weights, keys)
    return pd.DataFrame(columns).reset_index()


def _weighted(values: pd.Series, weights: pd.Series, keys: list[pd.Series]) -> pd.Series:
    """Return weighted means by group, rows without a value left out."""
    known = weights.where(values.notna())
    total = known.groupby(keys, sort=False).sum(min_count=1)
    return (values * known).groupby(keys, sort=False).sum(min_count=1) / total


def skill(
    table: pd.DataFrame,
    versus: str | None,
    by: Sequence[str],
    *,
    score: str = "crps",
    average: str = "mean",
    per: str = "persons",
    step: int = 1,
) -> pd.DataFrame:
    """Return 1 − average score / average score of the reference; positive is better.

    Each model is held against the reference on the figures that both forecast.

    Parameters
    ----------
    versus : str or None
        The reference; `reference_of` the models by default.
    by : sequence of str
        Groups; ``model`` is added if it is not among them.
    score : str
        A column of the score table in persons, or ``scaled_error``.

    Returns
    -------
    DataFrame
        The groups, ``forecasts``, the score of both, and ``skill``.
    """
    groups = check_columns(table, by)
    groups = groups if "model" in groups else ["model", *groups]
    if score not in (*IN_PERSONS, "scaled_error", "squared_error") or score == "error":
        raise unknown_name("score with a skill", score, [*IN_PERSONS, "scaled_error"])
    pieces = [
        _one_skill(both, groups, score, average) for both in pairs(table, versus, score, per, step)
    ]
    if not pieces:
        raise DataError(f"no other model was scored on the figures that {versus!r} forecast.")
    return pd.concat(pieces, ignore_index=True)


def pairs(
    table: pd.DataFrame, versus: str | None, score: str, per: str, step: int
) -> list[pd.DataFrame]:
    """Return, for each other model, its scored rows with the score of the reference beside them.

    The reference is `versus`, or `reference_of` the models where that is None or empty.
    The columns ``reference`` and ``reference_absolute_error`` hold the score and the
    absolute error of `versus`; only figures that both forecast.

    Parameters
    ----------
    table : DataFrame
        The score table.
    versus : str or None
        The reference.
    score : str
        A column of the score table; rows without it on either side are left out.
    per : {"persons", "1000", "scale"}
        Unit, see `forecast.hindcast.columns.in_unit`.
    step : int
        Years per step of the panel.

    Returns
    -------
    list of DataFrame
        One for each model with a figure in common, in the order of the table.

    Raises
    ------
    DataError
        If there is no default reference, or no forecast was scored in this unit.
    UnknownNameError
        If the backtest has no model `versus`.
    """
    versus = chosen_reference(set(table["model"]), versus)
    rows = scored(table, per, step)
    cell = list(CELL)
    theirs = rows[rows["model"] == versus]
    reference = theirs[cell].assign(
        reference=theirs[score], reference_absolute_error=theirs["absolute_error"]
    )
    made = []
    for model in dict.fromkeys(rows["model"]):
        if model == versus:
            continue
        both = rows[rows["model"] == model].merge(reference, on=cell, validate="one_to_one")
        both = both.dropna(subset=[score, "reference"])
        if len(both):
            made.append(both)
    return made


def _one_skill(both: pd.DataFrame, groups: list[str], score: str, average: str) -> pd.DataFrame:
    keys = [both[name] for name in groups]
    grouped = both.groupby(groups, sort=False)
    if average == "median":
        own, other = grouped[score].median(), grouped["reference"].median()
    elif average in ("mean", "weighted"):
        weights = both["population"] if average == "weighted" else both[score] * 0.0 + 1.0
        own, other = (
            _weighted(both[score], weights, keys),
            _weighted(both["reference"], weights, keys),
        )
    else:
        raise unknown_name("average", average, ["mean", "median", "weighted"])
    columns = {"forecasts": grouped.size(), score: own, "reference": other}
    return pd.DataFrame(columns | {"skill": 1.0 - own / other.where(other > 0)}).reset_index()


def joint_summary(joint: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Average joint scores over the folds in which all models forecast the same locations.

    Parameters
    ----------
    joint : DataFrame
        The table of joint scores.
    by : sequence of str
        Columns to group by.
    """
    groups = check_columns(joint, by)
    if joint.empty:
        raise DataError("no joint scores: they need two locations of one measure, and joint=True.")
    fold = ["measure", "source", "origin", "as_of", "year", "locations_hash", "unit"]
    shared = joint.groupby(fold)["model"].transform("nunique") == joint["model"].nunique()
    grouped = joint[shared].groupby([*groups, "unit"], sort=False)
    averaged: pd.DataFrame = grouped.agg(
        folds=("year", "size"),
        locations=("locations", "mean"),
        energy_score=("energy_score", "mean"),
        variogram_score=("variogram_score", "mean"),
    ).reset_index()
    return averaged
