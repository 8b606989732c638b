"""Rules on the configuration of a hub: schemas, and what fields demand of each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from forecast.exports import files, schemas
from forecast.exports.files import Finding, Hub, quoted

_SCHEMAS: dict[str, tuple[str, Callable[[], schemas.Schema]]] = {
    files.ADMIN: ("admin", schemas.admin),
    files.TASKS: ("tasks", schemas.tasks),
    files.TARGET_DATA: ("target-data", schemas.target_data),
}
_ROUND = re.compile(r"\d{4}-\d{2}-\d{2}|[A-Za-z0-9_]+")
_RESERVED = ("as_of", "output_type", "output_type_id")


def schema_findings(hub: Hub) -> list[Finding]:
    """Return where the configuration breaks its schemas; the rest presumes that it does not."""
    found = []
    for name, (config, schema) in _SCHEMAS.items():
        if name not in hub.configs:
            continue
        content = hub.configs[name]
        found += [Finding(name, "schema", problem) for problem in against_schema(content, schema())]
        stated = content.get("schema_version") if isinstance(content, dict) else None
        if stated is not None and stated != files.schema_address(config):
            found.append(
                Finding(
                    name,
                    "schema version",
                    f"schema_version is {stated!r}; write {files.schema_address(config)!r}.",
                )
            )
    return found


def against_schema(content: object, schema: Mapping[str, Any]) -> list[str]:
    """Say where a content breaks a JSON schema."""
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


def task_findings(hub: Hub) -> Iterator[Finding]:
    """Yield which rules between the fields of ``tasks.json`` are broken."""
    seen: list[str] = []
    for number, entry in enumerate(hub.rounds, 1):
        where = f"round {number}"
        for identity in round_ids(entry):
            if not _ROUND.fullmatch(identity):
                problem = (
                    f"{where}: {identity!r} is neither a day (YYYY-MM-DD) nor letters, digits, _."
                )
                yield _tasks("round ids", problem)
            if identity in seen:
                yield _tasks("round ids", f"{where}: round {identity} is there twice.")
            seen.append(identity)
        names = [tuple(task["task_ids"]) for task in entry["model_tasks"]]
        if len(set(map(frozenset, names))) > 1:
            yield _tasks("task ids", f"{where}: its model tasks have different task ids.")
        if entry["round_id_from_variable"] and entry["round_id"] not in names[0]:
            yield _tasks(
                "round id", f"{where}: round_id {entry['round_id']!r} is not one of its task ids."
            )
        due = entry["submissions_due"]
        if due.get("relative_to", names[0][0]) not in names[0]:
            yield _tasks(
                "submissions", f"{where}: relative_to {due['relative_to']!r} is not a task id."
            )
        if due["start"] > due["end"]:
            yield _tasks("submissions", f"{where}: submissions start after they end.")
        for position, task in enumerate(entry["model_tasks"], 1):
            yield from _task_findings(task, f"{where}, model task {position}", hub.derived)


def _task_findings(
    task: Mapping[str, Any], where: str, derived: frozenset[str]
) -> Iterator[Finding]:
    identifiers = task["task_ids"]
    for name, values in identifiers.items():
        required, optional = values["required"] or [], values["optional"] or []
        if not required and not optional:
            yield _tasks("task ids", f"{where}: {name} has no value at all.")
        if set(map(str, required)) & set(map(str, optional)):
            yield _tasks("task ids", f"{where}: a value of {name} is required and optional.")
        if name in derived and required:
            yield _tasks("derived task ids", f"{where}: derived {name} must have null required.")
    for name in sorted(derived - set(identifiers)):
        yield _tasks("derived task ids", f"{where}: {name} is derived but not a task id.")
    for target in task["target_metadata"]:
        for name, value in (target["target_keys"] or {}).items():
            known = identifiers.get(name)
            if known is None or value not in [
                *(known["required"] or []),
                *(known["optional"] or []),
            ]:
                yield _tasks("target keys", f"{where}: no task id {name} has the value {value!r}.")
    stated = [target["target_keys"] for target in task["target_metadata"]]
    for name in {key for keys in stated if keys for key in keys}:
        values = identifiers.get(name, {"required": None, "optional": None})
        told = {keys.get(name) for keys in stated if keys}
        for value in [*(values["required"] or []), *(values["optional"] or [])]:
            if value not in told:
                yield _tasks("target keys", f"{where}: target {value!r} has no metadata.")
    levels = task["output_type"].get("quantile", {}).get("output_type_id", {}).get("required", [])
    if levels != sorted(levels):
        yield _tasks("quantile levels", f"{where}: quantile levels are not in rising order.")
    drawn = task["output_type"].get("sample", {}).get("output_type_id_params")
    if drawn:
        if drawn["min_samples_per_task"] > drawn["max_samples_per_task"]:
            yield _tasks("samples", f"{where}: fewest samples are more than most samples.")
        compound = set(drawn.get("compound_taskid_set", []))
        wrong = (compound - set(identifiers)) | (compound & derived)
        if wrong:
            yield _tasks(
                "samples", f"{where}: compound_taskid_set names {quoted(sorted(wrong))}, "
                "which is derived or no task id.",
            )  # fmt: skip


def target_data_findings(hub: Hub) -> Iterator[Finding]:
    """Yield what ``target-data.json`` says of columns that ``tasks.json`` does not know."""
    content = hub.configs.get(files.TARGET_DATA)
    if content is None:
        return
    known = {name for entry in hub.rounds for name in entry["model_tasks"][0]["task_ids"]}
    series = content.get("time-series", {})
    units = {
        "observable_unit": content["observable_unit"],
        "time-series/observable_unit": series.get("observable_unit") or [],
        "oracle-output/observable_unit": content.get("oracle-output", {}).get("observable_unit")
        or [],
    }
    for where, names in units.items():
        strange = [name for name in names if name not in known | {content["date_col"]}]
        if strange:
            problem = f"{where} names {quoted(strange)}, which is no task id nor date_col."
            yield Finding(files.TARGET_DATA, "observable unit", problem)
    for name in series.get("non_task_id_schema", {}):
        if name in known or name in _RESERVED:
            problem = f"non_task_id_schema names {name}, which is a task id or reserved."
            yield Finding(files.TARGET_DATA, "columns", problem)


def round_ids(entry: Mapping[str, Any]) -> list[str]:
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


def _tasks(rule: str, problem: str) -> Finding:
    return Finding(files.TASKS, rule, problem)


def _short(message: str) -> str:
    return message if len(message) <= 160 else f"{message[:150]} …"
