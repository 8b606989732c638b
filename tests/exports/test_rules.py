"""Rules of the hubverse on small hubs: of each a broken and a sound example."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecast.exports import files
from forecast.exports.check import check_hub
from forecast.exports.files import schema_address

QUANTILE = {
    "output_type_id": {"required": [0.25, 0.5, 0.75]},
    "is_required": True,
    "value": {"type": "double", "minimum": 0},
}
MEAN = {"output_type_id": {"required": None}, "is_required": False, "value": {"type": "double"}}
SHARE = {"type": "double", "minimum": 0, "maximum": 1}
PLACES, AGES = ("KZ", "UZ"), ("0-14", "65+")
CELLS = [(place, age) for place in PLACES for age in AGES]
LEVELS = ("0.25", "0.5", "0.75")
COLUMNS = [
    "origin_date", "target", "location", "age", "output_type", "output_type_id", "value",
]  # fmt: skip
OUTPUT = "model-output/T-m/2024-12-31-T-m.csv"
Row = tuple[str, ...]


def sample(*compound: str) -> dict[str, Any]:
    """An optional output type of two samples."""
    parameters = {
        "type": "integer",
        "min_samples_per_task": 2,
        "max_samples_per_task": 2,
        "compound_taskid_set": list(compound),
    }
    return {
        "output_type_id_params": parameters,
        "is_required": False,
        "value": {"type": "double"},
    }


def task(
    target: str = "arrivals",
    *,
    target_required: bool = False,
    places: tuple[Sequence[str], Sequence[str]] = (PLACES, ()),
    output: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A model task whose places and ages are required, unless said otherwise."""

    def values(required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Any]:
        return {"required": list(required) or None, "optional": list(optional) or None}

    named = [target]
    return {
        "task_ids": {
            "origin_date": values(["2024-12-31"]),
            "target": values(named) if target_required else values([], named),
            "location": values(*places),
            "age": values(AGES),
        },
        "output_type": dict(output or {"quantile": QUANTILE}),
        "target_metadata": [
            {
                "target_id": target,
                "target_name": target,
                "target_units": "persons",
                "target_keys": {"target": target},
                "target_type": "continuous",
                "is_step_ahead": False,
            }
        ],
    }


def answers(
    *,
    target: str = "arrivals",
    cells: Sequence[tuple[str, str]] = CELLS,
    kind: str = "quantile",
    ids: Sequence[str] = LEVELS,
    value: str = "10",
) -> list[Row]:
    """Rows of one output type in some places and ages."""
    return [
        ("2024-12-31", target, place, age, kind, identity, value)
        for place, age in cells
        for identity in ids
    ]


def make_hub(
    folder: Path,
    tasks: Sequence[Mapping[str, Any]],
    rows: Sequence[Row],
    target_data: Mapping[str, Any] | None = None,
) -> Path:
    """Write a hub of one model and one round."""
    due = {"start": "2024-01-01", "end": "2030-01-01"}
    entry = {
        "round_id_from_variable": True,
        "round_id": "origin_date",
        "model_tasks": list(tasks),
        "submissions_due": due,
    }
    configs: dict[str, Any] = {
        files.ADMIN: {
            "schema_version": schema_address("admin"),
            "name": "small",
            "maintainer": "nobody",
            "contact": {"name": "nobody"},
            "repository": {"name": "small"},
            "file_format": ["csv", "parquet"],
            "timezone": "Asia/Almaty",
        },
        files.TASKS: {"schema_version": schema_address("tasks"), "rounds": [entry]},
        files.METADATA_SCHEMA: {
            "type": "object",
            "properties": {"team_abbr": {"type": "string"}, "model_abbr": {"type": "string"}},
        },
    }
    if target_data is not None:
        head = {"schema_version": schema_address("target-data"), "versioned": False}
        unit = ["target_end_date", "target", "location", "age"]
        stated = {**head, "observable_unit": unit, "date_col": "target_end_date", **target_data}
        configs[files.TARGET_DATA] = stated
    for name, content in configs.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    (folder / "model-metadata").mkdir()
    (folder / "model-metadata/T-m.yml").write_text("team_abbr: T\nmodel_abbr: m\n")
    (folder / OUTPUT).parent.mkdir(parents=True)
    pd.DataFrame(rows, columns=COLUMNS).to_csv(folder / OUTPUT, index=False)
    return folder


def problems(hub: Path) -> list[tuple[str, str]]:
    return list(check_hub(hub)[["rule", "problem"]].itertuples(index=False, name=None))


def test_the_small_hub_is_sound(tmp_path: Path) -> None:
    assert problems(make_hub(tmp_path, [task()], answers())) == []


DIAGONAL = (("KZ", "0-14"), ("UZ", "65+"))
REQUIRED: dict[str, tuple[list[dict[str, Any]], list[Row], str]] = {
    "each value but not each combination": (
        [task()],
        answers(cells=DIAGONAL),
        "location KZ, age 65+ is required and missing and 1 more.",
    ),
    "one cell": (
        [task()],
        answers(cells=[("KZ", "0-14"), ("KZ", "65+"), ("UZ", "0-14")]),
        "location UZ, age 65+ is required and missing.",
    ),
    "beside an optional value": (
        [task(places=(("KZ",), ("UZ",)))],
        answers(cells=[("KZ", "0-14"), ("KZ", "65+"), ("UZ", "65+")]),
        "location UZ, age 0-14 is required and missing.",
    ),
    "the required value beside an optional one": (
        [task(places=(("KZ",), ("UZ",)))],
        answers(cells=[("UZ", "0-14"), ("UZ", "65+")]),
        "location KZ, age 0-14 is required and missing and 1 more.",
    ),
    "a model task that is wholly required": (
        [task(target_required=True), task("departures", target_required=True)],
        answers(),
        "model task 2: origin_date 2024-12-31, target departures, location KZ, age 0-14 is "
        "required and missing and 3 more.",
    ),
    "in samples": (
        [task(output={"sample": {**sample("origin_date", "location"), "is_required": True}})],
        answers(cells=[("KZ", "0-14")], kind="sample", ids=("1", "2"))
        + answers(cells=[("UZ", "0-14"), ("UZ", "65+")], kind="sample", ids=("3", "4")),
        "location KZ, age 65+ is required and missing.",
    ),
}


@pytest.mark.parametrize("name", REQUIRED)
def test_every_required_combination_is_answered(tmp_path: Path, name: str) -> None:
    tasks, rows, reason = REQUIRED[name]
    found = problems(make_hub(tmp_path, tasks, rows))
    assert any(rule == "required tasks" and problem.endswith(reason) for rule, problem in found)


COMPLETE: dict[str, tuple[list[dict[str, Any]], list[Row]]] = {
    "optional places left out": (
        [task(places=(("KZ",), ("UZ",)))],
        answers(cells=[("KZ", "0-14"), ("KZ", "65+")]),
    ),
    "optional places answered": ([task(places=(("KZ",), ("UZ",)))], answers()),
    "an optional model task left out": ([task(), task("departures")], answers()),
    "a model task without a required output type left out": (
        [task(), task("departures", target_required=True, output={"mean": MEAN})],
        answers(),
    ),
    "all model tasks answered": (
        [task(target_required=True), task("departures", target_required=True)],
        answers() + answers(target="departures"),
    ),
}


@pytest.mark.parametrize("name", COMPLETE)
def test_what_is_optional_may_be_left_out(tmp_path: Path, name: str) -> None:
    tasks, rows = COMPLETE[name]
    assert problems(make_hub(tmp_path, tasks, rows)) == []


def test_model_tasks_may_share_tasks_and_differ_in_output_types(tmp_path: Path) -> None:
    optional = {"sample": sample("origin_date", "target", "location", "age")}
    tasks = [task(), task(output=optional)]
    drawn: list[Row] = []
    for number, cell in enumerate(CELLS):
        ids = (str(2 * number), str(2 * number + 1))
        drawn += answers(cells=[cell], kind="sample", ids=ids)
    assert problems(make_hub(tmp_path / "sound", tasks, answers() + drawn)) == []
    strange = answers(kind="median", ids=("",))
    found = problems(make_hub(tmp_path / "broken", tasks, answers() + drawn + strange))
    assert {rule for rule, _ in found} == {"output types"}


def test_model_tasks_may_share_an_output_type_and_differ_in_levels(tmp_path: Path) -> None:
    tail = {**QUANTILE, "output_type_id": {"required": [0.05, 0.95]}, "is_required": False}
    tasks = [task(), task(output={"quantile": tail})]
    both = answers() + answers(ids=("0.05",), value="1") + answers(ids=("0.95",), value="99")
    assert problems(make_hub(tmp_path / "sound", tasks, both)) == []
    found = problems(make_hub(tmp_path / "broken", tasks, both + answers(ids=("0.33",))))
    assert ("output type ids", "quantile level 0.33 is not one of 0.25, 0.5, 0.75.") in found


def test_a_sample_is_of_one_compound_task(tmp_path: Path) -> None:
    by_target = {"sample": sample("origin_date", "target")}
    joint = {"sample": sample("origin_date")}
    same = answers(kind="sample", ids=("1", "2"))
    other = answers(kind="sample", ids=("1", "2"), target="departures")
    own = answers(kind="sample", ids=("3", "4"), target="departures")

    def tasks(output: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [task(output=output), task("departures", output=output)]

    assert problems(make_hub(tmp_path / "own", tasks(by_target), same + own)) == []
    assert problems(make_hub(tmp_path / "joint", tasks(joint), same + other)) == []
    (found,) = problems(make_hub(tmp_path / "broken", tasks(by_target), same + other))
    assert found == (
        "samples",
        "sample 1, 2 is in several model tasks with several of target; each needs ids of its own.",
    )


def test_one_file_a_model_and_round(tmp_path: Path) -> None:
    hub = make_hub(tmp_path, [task()], answers())
    table = pd.read_csv(hub / OUTPUT)
    table.to_parquet((hub / OUTPUT).with_suffix(".parquet"))
    (found,) = problems(hub)
    assert found[0] == "one file a round"
    (hub / OUTPUT).unlink()
    assert problems(hub) == []
    table.to_parquet(hub / OUTPUT.replace(".csv", ".gz.parquet"), compression="gzip")
    assert problems(hub)[0][0] == "one file a round"


@pytest.mark.parametrize(
    ("inner", "compression"),
    [("gz", "gzip"), ("gzip", "gzip"), ("snappy", "snappy"), ("zstd", "zstd"), ("lz4", "lz4"),
     ("brotli", "brotli")],
)  # fmt: skip
def test_a_name_may_say_its_compression(tmp_path: Path, inner: str, compression: Any) -> None:
    hub = make_hub(tmp_path, [task()], answers())
    path = hub / OUTPUT.replace(".csv", f".{inner}.parquet")
    pd.read_csv(hub / OUTPUT).to_parquet(path, compression=compression)
    (hub / OUTPUT).unlink()
    assert problems(hub) == []
    path.rename(hub / OUTPUT.replace(".csv", ".rar.parquet"))
    assert problems(hub)[0][0] == "file name"


def observed(**columns: Any) -> pd.DataFrame:
    rows: dict[str, Any] = {"target_end_date": ["2023-12-31"] * 2, "target": ["arrivals"] * 2}
    return pd.DataFrame(
        {
            **rows,
            "location": ["KZ", "UZ"],
            "age": ["0-14"] * 2,
            "observation": [1.0, 2.0],
            **columns,
        }
    )


def partitioned(hub: Path, kind: str, *parts: tuple[str, pd.DataFrame]) -> None:
    for name, table in parts:
        path = hub / files.TARGETS / kind / name
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(path)


def test_target_data_may_lie_in_partitions(tmp_path: Path) -> None:
    hub = make_hub(tmp_path, [task()], answers(), {})
    table = observed().drop(columns="location")
    parts = [
        (f"location={place}/part-0.parquet", table.iloc[[i]]) for i, place in enumerate(PLACES)
    ]
    partitioned(hub, "time-series", *parts)
    assert problems(hub) == []
    partitioned(hub, "time-series", ("location=UZ/part-1.parquet", table.iloc[[1]]))
    (again,) = problems(hub)
    assert again[0] == "rows"
    assert "line 2 repeats a figure" in again[1]
    (hub / files.TARGETS / "time-series/location=UZ/part-1.parquet").unlink()
    partitioned(hub, "time-series", ("location=UZ/part-1.parquet", observed().iloc[[0]]))
    assert ("file", "lies in location=UZ and holds another location.") in problems(hub)


def test_target_data_lie_in_one_place(tmp_path: Path) -> None:
    hub = make_hub(tmp_path, [task()], answers(), {})
    partitioned(hub, "time-series", ("part-0.parquet", observed().iloc[[0]]))
    assert problems(hub) == []
    observed().iloc[[1]].to_csv(hub / files.TIME_SERIES, index=False)
    (found,) = problems(hub)
    assert found[0] == "one place"


PMF = {"output_type_id": {"required": ["loss", "gain"]}, "is_required": False, "value": SHARE}
CDF = {"output_type_id": {"required": [0, 1000]}, "is_required": False, "value": SHARE}


@pytest.mark.parametrize(
    ("kind", "ids", "values", "reason"),
    [
        ("pmf", ["loss", "gain"], [0, 1], ""),
        ("cdf", ["0", "1000"], [0, 1], ""),
        ("cdf", ["0", "1000"], [0, 0], ""),
        ("pmf", ["loss", "gain"], [1, 1], "the truth of a pmf has 2 categories"),
        ("pmf", ["loss", "gain"], [0, 0], "the truth of a pmf has 0 categories"),
        ("pmf", ["loss", "gain"], [0.5, 0.5], "the truth of a pmf is 0 or 1"),
        ("pmf", ["loss", "same"], [0, 1], "no task asks for pmf level same"),
        ("cdf", ["1000", "0"], [0, 1], "the truth of a cdf falls"),
        ("cdf", ["0", "1000"], [0, 7], "the truth of a cdf is 0 or 1"),
    ],
)
def test_oracle_values_of_probabilities(
    tmp_path: Path, kind: str, ids: list[str], values: list[float], reason: str
) -> None:
    output = {"quantile": QUANTILE, "pmf": PMF, "cdf": CDF}
    stated = {"oracle-output": {"has_output_type_ids": True}}
    hub = make_hub(tmp_path, [task(output=output)], answers(), stated)
    table = observed(location=["KZ"] * 2, observation=values).rename(
        columns={"observation": "oracle_value"}
    )
    (hub / files.TARGETS).mkdir()
    typed = table.assign(output_type=kind, output_type_id=ids)
    typed.to_csv(hub / files.ORACLE, index=False)
    found = problems(hub)
    assert (found == []) == (not reason)
    assert all(rule == "oracle values" for rule, _ in found)
    assert any(reason in problem for _, problem in found) or not reason
