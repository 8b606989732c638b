"""The tasks of a hub and the tables that answer them: forecasts and observed figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from forecast import measures, periods
from forecast.draw_tables import QUANTILE_LEVELS, whole
from forecast.errors import DataError
from forecast.exports.files import (
    DERIVED,
    ENDS,
    ROUND,
    STANDARD,
    TASK_IDS,
    UNIT,
    last_day,
    schema_address,
    task_ids,
    with_ends,
)
from forecast.panel import Panel
from forecast.validation import MEASURES

#: Days after the origin during which a forecast of that round may come.
_OPEN_DAYS = 1826


@dataclass(frozen=True, slots=True)
class Task:
    """What one round asks of one source and measure.

    Attributes
    ----------
    horizons : frozenset of int
        Periods after the origin.
    samples : tuple of int
        Fewest and most samples of a model; zeros where there are none.
    frequency : str
        What a period is; the same in every task of a hub.
    """

    locations: frozenset[str]
    horizons: frozenset[int]
    samples: tuple[int, int]
    frequency: str = "year"

    def __or__(self, other: Task) -> Task:
        given = [pair for pair in (self.samples, other.samples) if pair[1]]
        return Task(
            self.locations | other.locations,
            self.horizons | other.horizons,
            (min(p[0] for p in given), max(p[1] for p in given)) if given else (0, 0),
            self.frequency,
        )


#: By origin, source and measure.
Tasks = dict[tuple[int, str, str], Task]


def tasks_of(
    series: pd.DataFrame, horizons: Sequence[int], samples: int, frequency: str = "year"
) -> Tasks:
    """Return the tasks that the forecast of some series answers.

    Parameters
    ----------
    series : DataFrame
        One row per series: ``location, measure, source`` and ``origin``, the period of its last
        figure.
    horizons : sequence of int
        Forecast periods; those up to the origin of a series are not asked of it.
    samples : int
        Of each task; 0 where only quantiles are asked for.
    frequency : str
        What a period is.

    Returns
    -------
    dict of (origin, source, measure) to Task
        Horizons are periods after the origin.
    """
    asked: Tasks = {}
    for row in series.to_dict("records"):
        origin = int(row["origin"])
        ahead = frozenset(year - origin for year in horizons if year > origin)
        if not ahead:
            continue
        key = (origin, str(row["source"]), str(row["measure"]))
        task = Task(frozenset([str(row["location"])]), ahead, (samples, samples), frequency)
        asked[key] = asked[key] | task if key in asked else task
    return asked


def merged(first: Tasks, second: Tasks) -> Tasks:
    """Return what either asks.

    Parameters
    ----------
    first, second : dict of (origin, source, measure) to Task

    Returns
    -------
    dict of (origin, source, measure) to Task
        Where both ask the same round: the places and horizons of both, and the wider range of
        samples.
    """
    both = {key: first[key] | second[key] for key in first.keys() & second.keys()}
    return {**first, **second, **both}


def frequency_of(asked: Tasks) -> str:
    """Return what a period of the tasks of a hub is."""
    return next((task.frequency for task in asked.values()), "year")


def check_frequency(earlier: Tasks, frequency: str) -> None:
    """Refuse to add a forecast to a hub of other periods.

    Parameters
    ----------
    earlier : dict of (origin, source, measure) to Task
        Of the hub.
    frequency : str
        What a period of the forecast is.

    Raises
    ------
    DataError
        Naming both.
    """
    if earlier and frequency_of(earlier) != frequency:
        raise DataError(
            f"the hub is of figures by {frequency_of(earlier)}, the forecast by {frequency}: a hub "
            "has one kind of period. Choose another folder."
        )


def have_corridors(asked: Tasks) -> bool:
    """Whether any task is about a corridor: then all name its ends."""
    return any(":" in place for task in asked.values() for place in task.locations)


def as_config(asked: Tasks) -> dict[str, Any]:
    """Return the content of ``tasks.json``: one round for each origin."""
    rounds, ids = [], task_ids(have_corridors(asked))
    for origin in sorted({key[0] for key in asked}):
        keys = sorted(key for key in asked if key[0] == origin)
        rounds.append(
            {
                "round_id_from_variable": True,
                "round_id": ROUND,
                "model_tasks": [_model_task(*key, asked[key], ids) for key in keys],
                "submissions_due": {"relative_to": ROUND, "start": 0, "end": _OPEN_DAYS},
                "last_data_date": last_day(origin, frequency_of(asked)),
            }
        )
    return {
        "schema_version": schema_address("tasks"),
        "rounds": rounds,
        "derived_task_ids": [*(end for end in ENDS if end in ids), DERIVED],
    }


def from_config(config: Mapping[str, Any], where: str) -> Tasks:
    """Return the tasks of a ``tasks.json`` that `as_config` wrote.

    Parameters
    ----------
    config : mapping
        As read; anything else than a mapping is another shape.
    where : str
        The folder of the hub, for the message.

    Returns
    -------
    dict of (origin, source, measure) to Task

    Raises
    ------
    DataError
        If the tasks are of another shape: the hub is not one of ours.
    """
    asked: Tasks = {}
    try:
        for entry in config["rounds"]:
            for task in entry["model_tasks"]:
                ids = task["task_ids"]
                if tuple(ids) not in (TASK_IDS, task_ids(corridors=True)):
                    raise KeyError(f"task ids {', '.join(ids)}")
                (origin,) = ids[ROUND]["required"]
                (source,), (target,) = ids["source"]["optional"], ids["target"]["optional"]
                drawn = task["output_type"].get("sample", {}).get("output_type_id_params", {})
                horizons = ids["horizon"]["optional"]
                frequency = _frequency(origin, horizons[0], ids[DERIVED]["optional"][0])
                start = periods.number(int(origin[:4]), 1, frequency)
                part = (int(origin[5:7]) - 1) * periods.PER_YEAR[frequency] // 12
                asked[start + part, source, target] = Task(
                    frozenset(ids["location"]["optional"]),
                    frozenset(horizons),
                    (drawn.get("min_samples_per_task", 0), drawn.get("max_samples_per_task", 0)),
                    frequency,
                )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise DataError(
            f"{where} is a hub with other tasks than ours; nothing is added to it. "
            "Choose another folder."
        ) from None
    return asked


def _frequency(origin: str, horizon: int, end: str) -> str:
    """Return the frequency whose so many periods lie between two last days."""
    months = 12 * (int(end[:4]) - int(origin[:4])) + int(end[5:7]) - int(origin[5:7])
    names = {12 // per: name for name, per in periods.PER_YEAR.items()}
    return names[months // horizon]


def _model_task(
    origin: int, source: str, measure: str, task: Task, ids: Sequence[str]
) -> dict[str, Any]:
    horizons = sorted(task.horizons)
    ends = with_ends(pd.DataFrame({"location": sorted(task.locations)}))
    optional: dict[str, list[Any]] = {
        "source": [source],
        "target": [measure],
        "location": sorted(task.locations),
        **{end: sorted(set(ends[end])) for end in ENDS},
        "horizon": horizons,
        DERIVED: [last_day(origin + horizon, task.frequency) for horizon in horizons],
    }
    # A net flow has no lower bound; a count has.
    value: dict[str, Any] = {"type": "double"}
    if not MEASURES[measure]:
        value["minimum"] = 0
    output: dict[str, Any] = {
        "quantile": {
            "output_type_id": {"required": list(QUANTILE_LEVELS)},
            "value": value,
            "is_required": True,
        }
    }
    if task.samples[1]:
        output["sample"] = {
            "output_type_id_params": {
                "type": "integer",
                "min_samples_per_task": task.samples[0],
                "max_samples_per_task": task.samples[1],
                # One sample is one world: every source, target, place and year together.
                "compound_taskid_set": [ROUND],
            },
            "value": value,
            "is_required": False,
        }
    return {
        "task_ids": {
            ROUND: {"required": [last_day(origin, task.frequency)], "optional": None},
            **{name: {"required": None, "optional": optional[name]} for name in ids[1:]},
        },
        "output_type": output,
        "target_metadata": [
            {
                "target_id": measure,
                "target_name": measure.replace("_", " ").capitalize(),
                "target_units": measures.find(measure).per(task.frequency),
                "target_keys": {"target": measure},
                "description": _description(measure, task.frequency),
                "target_type": "continuous",
                **_steps(task.frequency),
            }
        ],
    }


def _description(measure: str, frequency: str) -> str:
    if frequency == "year":
        unit, sign = "Persons per calendar year", "positive net flows are inflows"
    else:
        unit = measures.find(measure).per(frequency).capitalize()
        sign = f"horizon counts {frequency}s; positive net flows are inflows"
    return f"{unit}; {sign}. target_end_date is the last day of the {frequency}."


def _steps(frequency: str) -> dict[str, Any]:
    """Return how far ahead a target is, as the schema can say it: it knows steps of a month only.

    Of all else the horizon counts periods all the same.
    """
    months = {"is_step_ahead": True, "time_unit": "month"}
    return months if frequency == "month" else {"is_step_ahead": False}


def output_tables(
    series: pd.DataFrame, quantiles: pd.DataFrame, draws: xr.DataArray, samples: int,
    corridors: bool = False, frequency: str = "year",
) -> dict[int, pd.DataFrame]:  # fmt: skip
    """Return the model output by origin, one row per task, output type and id.

    Quantiles come from every draw; samples are draws evenly spaced over all of them, so
    that a chain is thinned rather than cut. Sample *i* is the same world in every task.

    Parameters
    ----------
    series : DataFrame
        ``location, measure, source, origin``, in the order of the dimension ``series``.
    quantiles : DataFrame
        ``location, measure, source, year, quantile, value``.
    draws : DataArray, dims (draw, series, year)
        At the years of `quantiles`.
    corridors : bool
        Whether the hub names ends of corridors.
    frequency : str
        What a period is.
    """
    quantiles = quantiles.rename(columns={"quantile": "output_type_id"})
    tables = [quantiles.assign(output_type="quantile")]
    if samples:
        chosen = np.linspace(0, draws.sizes["draw"] - 1, samples).round().astype(int)
        thinned = draws.isel(draw=chosen).assign_coords(draw=np.arange(1, samples + 1))
        wide = thinned.to_series().dropna().rename("value").reset_index()
        named = series.iloc[wide["series"].to_numpy()].reset_index(drop=True)
        tables.append(
            pd.concat([named[["location", "measure", "source"]], wide[["year", "value"]]], axis=1)
            .assign(output_type="sample", output_type_id=wide["draw"].astype(float))
        )  # fmt: skip
    table = pd.concat(tables, ignore_index=True)
    origins = series.set_index(["source", "measure", "location"])["origin"]
    keys = pd.MultiIndex.from_frame(table[["source", "measure", "location"]])
    table["origin"] = origins.reindex(keys).to_numpy()
    table["horizon"] = table["year"] - table["origin"]
    table[ROUND] = _last_days(table["origin"], frequency)
    table[DERIVED] = _last_days(table["year"], frequency)
    # Adding zero turns a rounded minus zero into zero.
    table["value"] = whole(table["value"], table["measure"]).astype(float) + 0.0
    table = table.rename(columns={"measure": "target"}).sort_values(
        ["source", "target", "location", "horizon", "output_type", "output_type_id"]
    )
    columns = [*TASK_IDS, *STANDARD]
    by_origin = {
        int(str(origin)): rows[columns].reset_index(drop=True)
        for origin, rows in table.groupby("origin", sort=True)
    }
    return {origin: with_ends(rows) if corridors else rows for origin, rows in by_origin.items()}


def _last_days(numbers: pd.Series, frequency: str) -> pd.Series:
    return numbers.map({n: last_day(int(n), frequency) for n in numbers.unique()})


def versioned(history: Panel) -> bool:
    """Whether every figure has the day of its release."""
    return bool(history.figures["as_of"].notna().all())


def observed(history: Panel) -> pd.DataFrame:
    """Return the history as a hub's time series: every release, missing periods left out.

    Returns
    -------
    DataFrame
        ``as_of`` (only where every figure has a day of release), `UNIT`, ``flag``,
        ``observation`` in persons per calendar year.
    """
    by_day = versioned(history)
    figures = history.figures if by_day else history.latest
    figures = figures[figures["value"].notna()]
    table = figures.rename(columns={"measure": "target", "value": "observation"}).assign(
        target_end_date=_last_days(figures["year"], history.frequency),
        flag=figures["flag"].fillna(""),
    )
    if by_day:
        table["as_of"] = table["as_of"].dt.strftime("%Y-%m-%d")
    days = ["as_of"] if by_day else []
    return table[[*days, *UNIT, "flag", "observation"]].reset_index(drop=True)


def oracle(observations: pd.DataFrame, asked: Tasks) -> pd.DataFrame:
    """Return the newest figure of every task whose period has come.

    Parameters
    ----------
    observations : DataFrame
        `UNIT`, ``observation`` in persons per calendar year, and ``as_of`` where figures have days
        of release.
    asked : dict of (origin, source, measure) to Task
        Of the hub, past rounds included.

    Returns
    -------
    DataFrame
        `UNIT` and ``oracle_value`` in persons per calendar year.
    """
    wanted = {
        (source, target, place, last_day(origin + horizon, task.frequency))
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
