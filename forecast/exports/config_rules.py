"""Rules on the configuration of a hub: schemas, and what fields demand of each other."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from forecast.exports import files
from forecast.exports.files import Finding, Hub, quoted

#: Which schema of ``hub-schemas.json`` each file of the configuration has to fit.
_SCHEMAS = {files.ADMIN: "admin", files.TASKS: "tasks", files.TARGET_DATA: "target-data"}
_ROUND = re.compile(r"\d{4}-\d{2}-\d{2}|[A-Za-z0-9_]+")
#: A round or a model task, as in ``tasks.json``.
Entry = Mapping[str, Any]
_RESERVED = ("as_of", "output_type", "output_type_id")


def schema_findings(hub: Hub) -> list[Finding]:
    """Return where the configuration breaks its schemas; the rest presumes that it does not."""
    found = []
    for name, config in _SCHEMAS.items():
        if name not in hub.configs:
            continue
        content = hub.configs[name]
        schema = {**_schemas(), "$ref": f"#/$defs/{config}"}
        found += [Finding(name, "schema", problem) for problem in against_schema(content, schema)]
        stated = content.get("schema_version") if isinstance(content, dict) else None
        if stated is not None and stated != (address := files.schema_address(config)):
            problem = f"schema_version is {stated!r}; write {address!r}."
            found.append(Finding(name, "schema version", problem))
    return found


@cache
def _schemas() -> dict[str, Any]:
    """Return our schemas, with the names of time zones that have a continent, as a hub has to."""
    from babel.core import get_global

    read: dict[str, Any] = json.loads((Path(__file__).parent / "hub-schemas.json").read_bytes())
    named = {*get_global("zone_territories"), *get_global("zone_aliases")}
    zones = sorted(name for name in named if "/" in name and not name.startswith("Etc/"))
    read["$defs"]["admin"]["properties"]["timezone"] = {"enum": zones}
    return read


def against_schema(content: object, schema: Mapping[str, Any]) -> list[str]:
    """Say where a content breaks a JSON schema.

    Parameters
    ----------
    content : object
        As read from JSON or YAML.
    schema : mapping
        Of JSON Schema, draft 2020-12.

    Returns
    -------
    list of str
        A sentence for each place, by its path; empty where the content fits.
    """
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(schema)
    errors = sorted(validator.iter_errors(content), key=lambda error: list(map(str, error.path)))
    return [
        f"{'/'.join(map(str, error.path)) or 'the file'}: {_short(error.message)}."
        for error in errors
    ]


def metadata_schema_findings(hub: Hub) -> list[Finding]:
    """Return what is wrong with the hub's own schema of model metadata."""
    from jsonschema import Draft202012Validator, SchemaError

    name = files.METADATA_SCHEMA
    schema = hub.configs.get(name)
    if schema is None:
        return []
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return [Finding(name, "schema", f"is no JSON schema: {_short(error.message)}.")]
    stated = set(schema.get("properties", {})) if isinstance(schema, dict) else set()
    if not {"team_abbr", "model_abbr"} <= stated and "model_id" not in stated:
        return [Finding(name, "schema", "asks for neither team_abbr and model_abbr nor model_id.")]
    return []


def round_ids_have_form(entry: Entry) -> Iterator[str]:
    """Check that round ids are days or plain words."""
    for identity in round_ids(entry):
        if not _ROUND.fullmatch(identity):
            yield f"{identity!r} is neither a day (YYYY-MM-DD) nor letters, digits, _."


def same_task_ids(entry: Entry) -> Iterator[str]:
    """Check that all model tasks of a round have the same task ids."""
    if len({frozenset(task["task_ids"]) for task in entry["model_tasks"]}) > 1:
        yield "its model tasks have different task ids."


def round_id_is_a_task_id(entry: Entry) -> Iterator[str]:
    """Check that a round that is named by a task id names one."""
    if entry["round_id_from_variable"] and entry["round_id"] not in _first_ids(entry):
        yield f"round_id {entry['round_id']!r} is not one of its task ids."


def submission_window(entry: Entry) -> Iterator[str]:
    """Check that submissions start before they end, counted from a task id."""
    due, names = entry["submissions_due"], _first_ids(entry)
    if due.get("relative_to", names[0]) not in names:
        yield f"relative_to {due['relative_to']!r} is not a task id."
    if due["start"] > due["end"]:
        yield "submissions start after they end."


def task_id_values(task: Entry, derived: frozenset[str]) -> Iterator[str]:
    """Check that each task id has values, each of them either required or optional.

    Parameters
    ----------
    task : mapping
        A model task of ``tasks.json`` that fits its schema.
    derived : frozenset of str
        Not used: this rule is the same for task ids that follow from others.

    Yields
    ------
    str
        What is wrong, a sentence each.
    """
    for name, values in task["task_ids"].items():
        required, optional = values["required"] or [], values["optional"] or []
        if not required and not optional:
            yield f"{name} has no value at all."
        if set(map(str, required)) & set(map(str, optional)):
            yield f"a value of {name} is required and optional."


def derived_task_ids(task: Entry, derived: frozenset[str]) -> Iterator[str]:
    """Check that derived task ids are task ids without required values.

    Parameters
    ----------
    task : mapping
        A model task of ``tasks.json`` that fits its schema.
    derived : frozenset of str
        Task ids whose values follow from others.

    Yields
    ------
    str
        What is wrong, a sentence each.
    """
    for name, values in task["task_ids"].items():
        if name in derived and values["required"]:
            yield f"derived {name} must have null required."
    for name in sorted(derived - set(task["task_ids"])):
        yield f"{name} is derived but not a task id."


def target_keys(task: Entry, derived: frozenset[str]) -> Iterator[str]:
    """Check that each target is a value of a task id, and each such value a target.

    Parameters
    ----------
    task : mapping
        A model task of ``tasks.json`` that fits its schema.
    derived : frozenset of str
        Not used: a target may be a task id that follows from others.

    Yields
    ------
    str
        What is wrong, a sentence each.
    """
    ids, every = task["task_ids"], [one["target_keys"] or {} for one in task["target_metadata"]]
    for keys in every:
        for name, value in keys.items():
            if name not in ids or value not in allowed(ids[name]):
                yield f"no task id {name} has the value {value!r}."
    for name in {name for keys in every for name in keys}:
        described = {keys.get(name) for keys in every if keys}
        for target in allowed(ids[name]) if name in ids else ():
            if target not in described:
                yield f"target {target!r} has no metadata."


def quantile_levels(task: Entry, derived: frozenset[str]) -> Iterator[str]:
    """Check that quantile levels rise.

    Parameters
    ----------
    task : mapping
        A model task of ``tasks.json`` that fits its schema; one without quantiles passes.
    derived : frozenset of str
        Not used.

    Yields
    ------
    str
        What is wrong.
    """
    stated = task["output_type"].get("quantile", {})
    levels = stated.get("output_type_id", {}).get("required", [])
    if levels != sorted(levels):
        yield "quantile levels are not in rising order."


def sample_parameters(task: Entry, derived: frozenset[str]) -> Iterator[str]:
    """Check that numbers of samples are a range, and compound task ids are free task ids.

    Parameters
    ----------
    task : mapping
        A model task of ``tasks.json`` that fits its schema; one without samples passes.
    derived : frozenset of str
        Task ids whose values follow from others.

    Yields
    ------
    str
        What is wrong, a sentence each.
    """
    samples = task["output_type"].get("sample", {}).get("output_type_id_params")
    if not samples:
        return
    if samples["min_samples_per_task"] > samples["max_samples_per_task"]:
        yield "fewest samples are more than most samples."
    compound = set(samples.get("compound_taskid_set", []))
    wrong = (compound - set(task["task_ids"])) | (compound & derived)
    if wrong:
        names = quoted(sorted(wrong))
        yield f"compound_taskid_set names {names}, which is derived or no task id."


#: Name and check of each rule on a round, and on a model task.
ROUND_RULES: tuple[tuple[str, Callable[[Entry], Iterator[str]]], ...] = (
    ("round ids", round_ids_have_form),
    ("task ids", same_task_ids),
    ("round id", round_id_is_a_task_id),
    ("submissions", submission_window),
)
TASK_RULES: tuple[tuple[str, Callable[[Entry, frozenset[str]], Iterator[str]]], ...] = (
    ("task ids", task_id_values),
    ("derived task ids", derived_task_ids),
    ("target keys", target_keys),
    ("quantile levels", quantile_levels),
    ("samples", sample_parameters),
)


def task_findings(hub: Hub) -> Iterator[Finding]:
    """Yield which rules between the fields of ``tasks.json`` are broken."""
    earlier: set[str] = set()
    for number, entry in enumerate(hub.rounds, 1):
        where = f"round {number}"
        for identity in round_ids(entry):
            if identity in earlier:
                yield _tasks("round ids", f"{where}: round {identity} is there twice.")
            earlier.add(identity)
        for name, rule in ROUND_RULES:
            yield from (_tasks(name, f"{where}: {problem}") for problem in rule(entry))
        for position, task in enumerate(entry["model_tasks"], 1):
            inside = f"{where}, model task {position}"
            for name, task_rule in TASK_RULES:
                problems = task_rule(task, hub.derived)
                yield from (_tasks(name, f"{inside}: {problem}") for problem in problems)


def target_data_findings(hub: Hub) -> Iterator[Finding]:
    """Yield what ``target-data.json`` says of columns that ``tasks.json`` does not know."""
    content = hub.configs.get(files.TARGET_DATA)
    if content is None:
        return
    known = {name for entry in hub.rounds for name in entry["model_tasks"][0]["task_ids"]}
    series = content.get("time-series", {})
    parts = {"": content} | {f"{kind}/": content.get(kind, {}) for kind in files.KINDS}
    for kind, part in parts.items():
        where, names = f"{kind}observable_unit", part.get("observable_unit") or []
        strange = [name for name in names if name not in known | {content["date_col"]}]
        if strange:
            problem = f"{where} names {quoted(strange)}, which is no task id nor date_col."
            yield Finding(files.TARGET_DATA, "observable unit", problem)
    for name in series.get("non_task_id_schema", {}):
        if name in known or name in _RESERVED:
            problem = f"non_task_id_schema names {name}, which is a task id or reserved."
            yield Finding(files.TARGET_DATA, "columns", problem)


def round_ids(entry: Entry) -> list[str]:
    """Return the ids of a round: its own, or the values of the task id that it names."""
    if not entry["round_id_from_variable"]:
        return [str(entry["round_id"])]
    found: list[str] = []
    for task in entry["model_tasks"]:
        values = task["task_ids"].get(entry["round_id"], {"required": None, "optional": None})
        found += [*(values["required"] or []), *(values["optional"] or [])]
    return list(dict.fromkeys(map(str, found)))


def allowed(values: Mapping[str, Sequence[object] | None]) -> list[object]:
    """Return every value that a task id may take."""
    return [*(values["required"] or []), *(values["optional"] or [])]


def _first_ids(entry: Mapping[str, Any]) -> list[str]:
    return list(entry["model_tasks"][0]["task_ids"])


def _tasks(rule: str, problem: str) -> Finding:
    return Finding(files.TASKS, rule, problem)


def _short(message: str) -> str:
    return message if len(message) <= 160 else f"{message[:150]} …"
