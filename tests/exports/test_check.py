"""The check of a hub: ours passes, and every broken one is refused with the reason."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecast.exports import files
from forecast.exports.check import check_hub
from forecast.outlook import Forecast

MODEL = "forecast-naive"
ROUND = f"model-output/{MODEL}/2023-12-31-{MODEL}.csv"
METADATA = f"model-metadata/{MODEL}.yml"
Break = Callable[[Path], None]


def config(name: str, change: Callable[[Any], object]) -> Break:
    """Change a JSON file of the configuration."""

    def apply(hub: Path) -> None:
        content = json.loads((hub / name).read_text(encoding="utf-8"))
        change(content)
        (hub / name).write_text(json.dumps(content), encoding="utf-8")

    return apply


def tasks(change: Callable[[Any], object]) -> Break:
    return config(files.TASKS, change)


def first(change: Callable[[Any], object]) -> Break:
    """Change the first model task."""
    return tasks(lambda content: change(content["rounds"][0]["model_tasks"][0]))


def table(change: Callable[[pd.DataFrame], pd.DataFrame], name: str = ROUND) -> Break:
    """Change a table, every cell as text."""

    def apply(hub: Path) -> None:
        rows = pd.read_csv(hub / name, dtype=str, keep_default_na=False)
        change(rows).to_csv(hub / name, index=False)

    return apply


def cell(column: str, value: str, kind: str = "quantile") -> Break:
    """Change one cell of the first row of an output type."""

    def change(rows: pd.DataFrame) -> pd.DataFrame:
        rows.loc[(rows["output_type"] == kind).idxmax(), column] = value
        return rows

    return table(change)


def moved(source: str, target: str) -> Break:
    def apply(hub: Path) -> None:
        (hub / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(hub / source, hub / target)

    return apply


def text(name: str, content: str) -> Break:
    return lambda hub: (hub / name).write_text(content, encoding="utf-8") and None


def is_kind(rows: pd.DataFrame, kind: str) -> pd.Series:
    return rows["output_type"] == kind


def swapped(rows: pd.DataFrame) -> pd.DataFrame:
    """Swap the lowest and the highest quantile of the first task."""
    quantiles = rows.index[is_kind(rows, "quantile")][:15]
    ends = [quantiles[0], quantiles[-1]]
    rows.loc[ends, "value"] = rows.loc[ends[::-1], "value"].to_numpy()
    return rows


def sample(**changes: Any) -> Break:
    return first(lambda t: t["output_type"]["sample"]["output_type_id_params"].update(changes))


def negative_arrivals(rows: pd.DataFrame) -> pd.DataFrame:
    rows.loc[(rows["target"] == "immigration").idxmax(), "value"] = "-5"
    return rows


NEGATIVE = f"model-output/{MODEL}/2024-12-31-{MODEL}.csv"
TARGET = "target_metadata"
BROKEN: dict[str, tuple[Break, str, str]] = {
    "admin missing": (lambda hub: (hub / files.ADMIN).unlink(), "file", "is missing"),
    "tasks no JSON": (text(files.TASKS, "{"), "file", "is not JSON"),
    "tasks a list": (text(files.TASKS, "[]"), "schema", "is not of type 'object'"),
    "no contact": (config(files.ADMIN, lambda c: c.pop("contact")), "schema", "'contact'"),
    "email": (
        config(files.ADMIN, lambda c: c.update(contact={"email": "nobody"})),
        "schema",
        "contact/email",
    ),
    "time zone": (config(files.ADMIN, lambda c: c.update(timezone="Mars")), "schema", "timezone"),
    "place unknown": (
        config(files.ADMIN, lambda c: c.update(timezone="Mars/Olympus_Mons")),
        "schema",
        "timezone: 'Mars/Olympus_Mons' is not one of",
    ),
    "file format": (
        config(files.ADMIN, lambda c: c.update(file_format=["xlsx"])),
        "schema",
        "xlsx",
    ),
    "unknown key": (config(files.ADMIN, lambda c: c.update(colour="red")), "schema", "colour"),
    "old version": (
        tasks(lambda c: c.update(schema_version=c["schema_version"].replace("v6", "v5"))),
        "schema version",
        "v6.0.0",
    ),
    "no rounds": (tasks(lambda c: c.update(rounds=[])), "schema", "rounds"),
    "year as time unit": (
        first(lambda t: t[TARGET][0].update(is_step_ahead=True, time_unit="year")),
        "schema",
        "'year' is not one of",
    ),
    "step without unit": (
        first(lambda t: t[TARGET][0].update(is_step_ahead=True)),
        "schema",
        "'time_unit' is a required",
    ),
    "long target id": (
        first(lambda t: t[TARGET][0].update(target_id="x" * 31)),
        "schema",
        "too long",
    ),
    "level above one": (
        first(lambda t: t["output_type"]["quantile"]["output_type_id"].update(required=[0.5, 1.5])),
        "schema",
        "1.5 is greater than the maximum",
    ),
    "optional quantiles": (
        first(lambda t: t["output_type"]["quantile"]["output_type_id"].update(optional=[0.5])),
        "schema",
        "optional",
    ),
    "unknown output type": (
        first(lambda t: t["output_type"].update(guess={})),
        "schema",
        "'guess' was unexpected",
    ),
    "date no date": (
        first(lambda t: t["task_ids"]["origin_date"].update(required=["2023"])),
        "schema",
        "'2023'",
    ),
    "levels fall": (
        first(lambda t: t["output_type"]["quantile"]["output_type_id"]["required"].reverse()),
        "quantile levels",
        "rising order",
    ),
    "round twice": (
        tasks(lambda c: c["rounds"].append(c["rounds"][0])),
        "round ids",
        "2023-12-31 is there twice",
    ),
    "round without form": (
        tasks(
            lambda c: (
                c["rounds"][0].update(round_id="source")
                or c["rounds"][0]["submissions_due"].update(relative_to="origin_date")
                or c["rounds"][0]["model_tasks"][0]["task_ids"]["source"].update(
                    optional=["un wpp"]
                )
            )
        ),
        "round ids",
        "'un wpp' is neither a day",
    ),
    "unknown key in a round": (
        tasks(lambda c: c["rounds"][0].update(colour="red")),
        "schema",
        "colour",
    ),
    "unknown key of a target": (
        first(lambda t: t[TARGET][0].update(colour="red")),
        "schema",
        "colour",
    ),
    "round id no task id": (
        tasks(lambda c: c["rounds"][0].update(round_id="week")),
        "round id",
        "'week' is not one",
    ),
    "relative to nothing": (
        tasks(lambda c: c["rounds"][0]["submissions_due"].update(relative_to="week")),
        "submissions",
        "'week' is not a task id",
    ),
    "due before start": (
        tasks(lambda c: c["rounds"][0]["submissions_due"].update(end=-9)),
        "submissions",
        "after they end",
    ),
    "different task ids": (
        tasks(lambda c: c["rounds"][1]["model_tasks"][0]["task_ids"].pop("source")),
        "task ids",
        "different task ids",
    ),
    "value required and optional": (
        first(lambda t: t["task_ids"]["horizon"].update(required=[2])),
        "task ids",
        "horizon is required",
    ),
    "required derived": (
        first(lambda t: t["task_ids"]["target_end_date"].update(required=["2031-12-31"])),
        "derived task ids",
        "null required",
    ),
    "derived unknown": (
        tasks(lambda c: c.update(derived_task_ids=["week"])),
        "derived task ids",
        "week is derived",
    ),
    "target without key": (
        first(lambda t: t[TARGET][0].update(target_keys={"target": "tourism"})),
        "target keys",
        "'tourism'",
    ),
    "target without metadata": (
        first(lambda t: t["task_ids"]["target"]["optional"].append("tourism")),
        "target keys",
        "'tourism' has no metadata",
    ),
    "samples upside down": (sample(min_samples_per_task=900), "samples", "more than most"),
    "compound unknown": (sample(compound_taskid_set=["week"]), "samples", "names week"),
    "compound derived": (
        sample(compound_taskid_set=["target_end_date"]),
        "samples",
        "names target_end_date",
    ),
    "observable unit": (
        config(files.TARGET_DATA, lambda c: c["observable_unit"].append("week")),
        "observable unit",
        "names week",
    ),
    "reserved column": (
        config(
            files.TARGET_DATA,
            lambda c: c["time-series"]["non_task_id_schema"].update(as_of="Date"),
        ),
        "columns",
        "as_of",
    ),
    "metadata schema": (text(files.METADATA_SCHEMA, '{"type": 7}'), "schema", "no JSON schema"),
    "metadata schema silent": (text(files.METADATA_SCHEMA, "{}"), "schema", "asks for neither"),
    "no metadata": (lambda hub: (hub / METADATA).unlink(), "metadata", f"description of {MODEL}"),
    "metadata no YAML": (text(METADATA, "a: [1"), "metadata", "is not YAML"),
    "metadata incomplete": (
        text(METADATA, "team_abbr: a"),
        "metadata",
        "'model_abbr' is a required",
    ),
    "metadata of another": (
        moved(METADATA, "model-metadata/forecast-other.yml"),
        "metadata",
        f"name the file {MODEL}.yml",
    ),
    "no model output": (lambda hub: shutil.rmtree(hub / "model-output"), "file", "is missing"),
    "hyphens": (
        moved(f"model-output/{MODEL}", "model-output/forecast-na-ive"),
        "model id",
        "one hyphen",
    ),
    "file name": (
        moved(ROUND, ROUND.replace(f"-{MODEL}.csv", "-x.csv")),
        "file name",
        "does not end",
    ),
    "unknown round": (
        moved(ROUND, ROUND.replace("2023", "2019")),
        "round",
        "no round '2019-12-31'",
    ),
    "ending": (moved(ROUND, ROUND.replace(".csv", ".parquet")), "file format", "the hub takes csv"),
    "model_id column": (table(lambda t: t.assign(model_id=MODEL)), "columns", "model_id too many"),
    "column missing": (table(lambda t: t.drop(columns="horizon")), "columns", "without horizon"),
    "empty": (table(lambda t: t.head(0)), "rows", "no forecast"),
    "twice": (table(lambda t: pd.concat([t, t.tail(1)])), "rows", "is there twice"),
    "other round inside": (cell("origin_date", "2024-12-31"), "round", "not '2023-12-31'"),
    "unknown place": (cell("location", "XX"), "tasks", "location is XX"),
    "tasks that do not belong": (cell("source", "kz-bns"), "tasks", "source is kz-bns"),
    "derived date wrong": (cell("target_end_date", "2030-12-31"), "derived task ids", "differs"),
    "output type": (cell("output_type", "mean"), "output types", "output_type is mean"),
    "level not allowed": (cell("output_type_id", "0.33"), "output type ids", "level 0.33"),
    "level missing": (
        table(lambda t: t.drop(is_kind(t, "quantile").idxmax())),
        "output type ids",
        "are missing",
    ),
    "quantiles missing": (
        table(lambda t: t[is_kind(t, "sample")]),
        "output types",
        "no quantile, which is required",
    ),
    "quantiles fall": (table(swapped), "order", "must not fall"),
    "not a number": (cell("value", "many"), "values", "value is many"),
    "infinite": (cell("value", "inf"), "values", "finite"),
    "below the minimum": (table(negative_arrivals, NEGATIVE), "bounds", "below the minimum 0"),
    "sample id": (
        cell("output_type_id", "first", "sample"),
        "output type ids",
        "first is not a whole",
    ),
    "too few samples": (
        table(lambda t: t[~(is_kind(t, "sample") & (t["output_type_id"] == "7"))]),
        "samples",
        "49 samples",
    ),
    "samples apart": (cell("output_type_id", "99", "sample"), "samples", "cover the same tasks"),
    "figure twice": (
        table(lambda t: pd.concat([t, t.tail(1)]), files.TIME_SERIES),
        "rows",
        "repeats a figure",
    ),
    "figure no number": (
        table(lambda t: t.assign(observation="?"), files.TIME_SERIES),
        "values",
        "observation is ?",
    ),
    "figures without places": (
        table(lambda t: t.drop(columns="location"), files.TIME_SERIES),
        "columns",
        "without location",
    ),
    "day no day": (
        table(lambda t: t.assign(target_end_date="2020"), files.TIME_SERIES),
        "dates",
        "2020",
    ),
    "truth of no task": (
        text(
            files.ORACLE,
            "source,target,location,target_end_date,oracle_value\na,b,c,2025-12-31,1\n",
        ),
        "tasks",
        "which no task asks for",
    ),
    "stray target file": (
        text(f"{files.TARGETS}/notes.csv", "a\n1\n"),
        "file name",
        "neither time-series nor",
    ),
}


def test_ours_is_valid(hub: Path, bundled: Path) -> None:
    assert check_hub(hub).to_dict("records") == []
    assert check_hub(bundled).to_dict("records") == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_hub_is_refused_with_the_reason(hub: Path, tmp_path: Path, name: str) -> None:
    spoil, rule, reason = BROKEN[name]
    folder = tmp_path / "hub"
    shutil.copytree(hub, folder)
    spoil(folder)
    found = check_hub(folder)
    told = [row for row in found.itertuples(index=False) if row.rule == rule]
    assert told, found.to_dict("records")
    assert any(reason in row.problem for row in told), found.to_dict("records")


def test_anything_else_may_stand_in_additional_metadata(hub: Path, tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    shutil.copytree(hub, folder)
    more = {"additional_metadata": {"colour": "red"}}
    tasks(lambda c: c["rounds"][0].update(more))(folder)
    first(lambda t: t[TARGET][0].update(more))(folder)
    assert check_hub(folder).to_dict("records") == []


def test_parquet_is_read_too(outlook: Forecast, tmp_path: Path) -> None:
    folder = outlook.to_hub(tmp_path / "hub")
    config(files.ADMIN, lambda c: c.update(file_format=["parquet"]))(folder)
    for path in (folder / "model-output").rglob("*.csv"):
        rows = pd.read_csv(path, keep_default_na=False)
        rows["target_end_date"] = pd.to_datetime(rows["target_end_date"]).dt.date
        rows.to_parquet(path.with_suffix(".parquet"))
        path.unlink()
    assert check_hub(folder).to_dict("records") == []


def test_point_estimates_and_probabilities(hub: Path, tmp_path: Path) -> None:
    """Output types that we do not write are checked all the same."""
    folder = tmp_path / "hub"
    shutil.copytree(hub, folder)
    point = {
        "output_type_id": {"required": None},
        "value": {"type": "double"},
        "is_required": False,
    }
    share = {"type": "double", "minimum": 0, "maximum": 1}
    spread = {
        "output_type_id": {"required": ["loss", "gain"]},
        "value": share,
        "is_required": False,
    }
    steps = {"output_type_id": {"required": [0, 1000]}, "value": share, "is_required": False}
    first(lambda t: t["output_type"].update(median=point, pmf=spread, cdf=steps))(folder)

    def added(*rows: tuple[str, str, str]) -> Break:
        def change(known: pd.DataFrame) -> pd.DataFrame:
            one = known.iloc[[0] * len(rows)].copy()
            one[["output_type", "output_type_id", "value"]] = rows
            return pd.concat([known, one])

        return table(change)

    good = [
        ("median", "NA", "-3"), ("pmf", "loss", "0.25"), ("pmf", "gain", "0.75"),
        ("cdf", "0", "0.1"), ("cdf", "1000", "0.4"),
    ]  # fmt: skip
    clean = (folder / ROUND).read_bytes()
    added(*good)(folder)
    assert check_hub(folder).to_dict("records") == []
    for rows, reason in (
        ([("median", "0.5", "1")], "leave it empty"),
        ([("pmf", "loss", "0.25"), ("pmf", "gain", "0.5")], "pmf adds up to 0.75"),
        ([("cdf", "0", "0.6"), ("cdf", "1000", "0.4")], "cdf falls at 1000"),
        ([("cdf", "0", "0.6"), ("cdf", "1000", "1.4")], "above the maximum 1"),
        ([("pmf", "loss", "1")], "levels are missing"),
    ):
        (folder / ROUND).write_bytes(clean)
        added(*rows)(folder)
        assert check_hub(folder)["problem"].str.contains(reason).any(), reason
