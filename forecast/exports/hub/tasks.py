"""The tasks of a hub: which forecasts are asked for, and how they merge over editions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forecast.errors import DataError
from forecast.exports.hub.layout import DERIVED, ROUND, TASK_IDS, schema_address, year_end
from forecast.outlook import QUANTILE_LEVELS, Forecast
from forecast.validation import MEASURES

#: Days after the origin during which a forecast of that round may come.
_OPEN_DAYS = 1826


@dataclass(frozen=True, slots=True)
class Task:
    """What one round asks of one source and measure.

    Attributes
    ----------
    locations : frozenset of str
    horizons : frozenset of int
        Years after the origin.
    samples : tuple of int
        Fewest and most samples of a model; zeros where there are none.
    """

    locations: frozenset[str]
    horizons: frozenset[int]
    samples: tuple[int, int]

    def __or__(self, other: Task) -> Task:
        given = [pair for pair in (self.samples, other.samples) if pair[1]]
        return Task(
            self.locations | other.locations,
            self.horizons | other.horizons,
            (min(p[0] for p in given), max(p[1] for p in given)) if given else (0, 0),
        )


#: By origin, source and measure.
Tasks = dict[tuple[int, str, str], Task]


def tasks_of(outlook: Forecast, horizons: Sequence[int], samples: int) -> Tasks:
    """Return the tasks that a forecast answers."""
    asked: Tasks = {}
    for row in outlook.series.to_dict("records"):
        origin = int(row["origin"])
        ahead = frozenset(year - origin for year in horizons if year > origin)
        if not ahead:
            continue
        key = (origin, str(row["source"]), str(row["measure"]))
        task = Task(frozenset([str(row["location"])]), ahead, (samples, samples))
        asked[key] = asked[key] | task if key in asked else task
    return asked


def merged(first: Tasks, second: Tasks) -> Tasks:
    """Return what either asks."""
    return {
        key: first[key] | second[key]
        if key in first and key in second
        else {**first, **second}[key]
        for key in {**first, **second}
    }


def as_config(asked: Tasks) -> dict[str, Any]:
    """Return the content of ``tasks.json``: one round for each origin."""
    rounds = []
    for origin in sorted({key[0] for key in asked}):
        keys = sorted(key for key in asked if key[0] == origin)
        rounds.append(
            {
                "round_id_from_variable": True,
                "round_id": ROUND,
                "model_tasks": [_model_task(*key, asked[key]) for key in keys],
                "submissions_due": {"relative_to": ROUND, "start": 0, "end": _OPEN_DAYS},
                "last_data_date": year_end(origin),
            }
        )
    return {
        "schema_version": schema_address("tasks"),
        "rounds": rounds,
        "derived_task_ids": [DERIVED],
    }


def from_config(config: Mapping[str, Any], where: str) -> Tasks:
    """Return the tasks of a ``tasks.json`` that `as_config` wrote.

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
                if tuple(ids) != TASK_IDS:
                    raise KeyError(f"task ids {', '.join(ids)}")
                (origin,) = ids[ROUND]["required"]
                (source,), (target,) = ids["source"]["optional"], ids["target"]["optional"]
                drawn = task["output_type"].get("sample", {}).get("output_type_id_params", {})
                asked[int(origin[:4]), source, target] = Task(
                    frozenset(ids["location"]["optional"]),
                    frozenset(ids["horizon"]["optional"]),
                    (drawn.get("min_samples_per_task", 0), drawn.get("max_samples_per_task", 0)),
                )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DataError(
            f"{where} is a hub with other tasks than ours; nothing is added to it. "
            "Choose another folder."
        ) from None
    return asked


def _model_task(origin: int, source: str, measure: str, task: Task) -> dict[str, Any]:
    horizons = sorted(task.horizons)
    optional: dict[str, list[Any]] = {
        "source": [source],
        "target": [measure],
        "location": sorted(task.locations),
        "horizon": horizons,
        DERIVED: [year_end(origin + horizon) for horizon in horizons],
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
            ROUND: {"required": [year_end(origin)], "optional": None},
            **{name: {"required": None, "optional": values} for name, values in optional.items()},
        },
        "output_type": output,
        "target_metadata": [
            {
                "target_id": measure,
                "target_name": measure.replace("_", " ").capitalize(),
                "target_units": "persons per calendar year",
                "target_keys": {"target": measure},
                "description": "Persons per calendar year; positive net flows are inflows. "
                "target_end_date is the last day of the year.",
                "target_type": "continuous",
                # The schema knows no step of a year; the horizon counts years all the same.
                "is_step_ahead": False,
            }
        ],
    }
