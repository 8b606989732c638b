"""What the configuration of a hub has to look like, as JSON schemas of our own.

They demand what version 6 of the hubverse's schemas demands of ``admin.json``, ``tasks.json``
and ``target-data.json`` (https://docs.hubverse.io); rules between fields stand in
`forecast.exports.config_rules`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_DATE: Schema = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
_NUMBER: Schema = {"type": "number"}
#: Where anything else may be said; elsewhere unknown names are refused.
_MORE: Schema = {"additional_metadata": {"type": "object"}}
_FORMATS: Schema = {"type": "array", "items": {"enum": ["csv", "parquet", "arrow"]}, "minItems": 1}
_KINDS: Schema = {"enum": ["character", "double", "integer", "logical", "Date"]}
#: Task ids whose values the hubverse fixes a type for.
_DATES = ("origin_date", "forecast_date", "target_date", "target_end_date")
_COUNTED = ("horizon", "age_group", "scenario_id", "location", "target", "target_variable")


def _names(*, empty: bool = False) -> Schema:
    listed = {"type": "array", "items": _TEXT, "uniqueItems": True}
    return {"anyOf": [listed, {"type": "null"}]} if empty else listed


def _object(properties: Schema, required: list[str], *, more: bool | Schema = False) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": more,
    }


def _values(items: Schema | None = None) -> Schema:
    """Return the schema of a task id: required and optional values."""
    listed: Schema = {"type": ["array", "null"], "uniqueItems": True}
    if items is not None:
        listed["items"] = items
    return _object({"required": listed, "optional": listed}, ["required", "optional"])


def _value(*kinds: str, low: object = None, high: object = None) -> Schema:
    """Return the schema of ``value``: its type and bounds."""
    if low is None:
        bounds, needed = {"minimum": _NUMBER, "maximum": _NUMBER}, ["type"]
    else:
        bounds = {"minimum": {"const": low}, "maximum": {"const": high}}
        needed = ["type", "minimum", "maximum"]
    return _object({"type": {"enum": list(kinds)}, **bounds}, needed)


def _output(identifiers: Schema, value: Schema, *, where: str = "output_type_id") -> Schema:
    return _object(
        {where: identifiers, "value": value, "is_required": _FLAG}, [where, "value", "is_required"]
    )


def _listed(items: Schema) -> Schema:
    return _object(
        {"required": {"type": "array", "items": items, "uniqueItems": True}}, ["required"]
    )


def _output_types() -> Schema:
    point = _output(
        _object({"required": {"type": "null"}}, ["required"]), _value("double", "integer")
    )
    share = _value("double", low=0, high=1)
    level = {"type": "number", "minimum": 0, "maximum": 1}
    count = {"type": "integer", "minimum": 1}
    parameters = {
        **_object(
            {
                "type": {"enum": ["character", "integer"]},
                "max_length": count,
                "min_samples_per_task": count,
                "max_samples_per_task": count,
                "compound_taskid_set": _names(),
            },
            ["type", "min_samples_per_task", "max_samples_per_task"],
        ),
        "if": {"properties": {"type": {"const": "character"}}},
        "then": {"required": ["max_length"]},
    }
    kinds = {
        "mean": point,
        "median": point,
        "quantile": _output(_listed(level), _value("double", "integer")),
        "cdf": _output(_listed({"type": ["number", "string"]}), share),
        "pmf": _output(_listed(_TEXT), share),
        "sample": _output(
            parameters, _value("double", "integer"), where="output_type_id_params"
        ),
    }  # fmt: skip
    return {**_object(kinds, []), "minProperties": 1}


def _target() -> Schema:
    described = _object(
        {
            "target_id": {**_TEXT, "maxLength": 30},
            "target_name": {**_TEXT, "maxLength": 100},
            "target_units": {**_TEXT, "maxLength": 100},
            "target_keys": {
                "type": ["object", "null"],
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": _TEXT,
            },
            "description": _TEXT,
            "target_type": {
                "enum": [
                    "continuous", "discrete", "date", "binary", "nominal", "ordinal",
                    "compositional",
                ]
            },
            "is_step_ahead": _FLAG,
            "time_unit": {"enum": ["day", "week", "month"]},
            **_MORE,
        },
        ["target_id", "target_name", "target_units", "target_type", "target_keys", "is_step_ahead"],
    )  # fmt: skip
    return {
        **described,
        "if": {"properties": {"is_step_ahead": {"const": True}}},
        "then": {"required": ["time_unit"]},
    }


@cache
def tasks() -> Schema:
    """Return the schema of ``tasks.json``."""
    identifiers = {
        "type": "object",
        "minProperties": 1,
        "properties": {
            **{name: _values(_DATE) for name in _DATES},
            **{name: _values({"type": ["integer", "string"]}) for name in _COUNTED},
        },
        "additionalProperties": _values(),
    }
    task = _object(
        {
            "task_ids": identifiers,
            "output_type": _output_types(),
            "target_metadata": {"type": "array", "items": _target(), "minItems": 1},
        },
        ["task_ids", "output_type", "target_metadata"],
    )
    whole = {"type": "integer"}
    due = {
        "oneOf": [
            _object(
                {"relative_to": _TEXT, "start": whole, "end": whole},
                ["relative_to", "start", "end"],
            ),
            _object({"start": _DATE, "end": _DATE}, ["start", "end"]),
        ]
    }
    entry = {
        **_object(
            {
                "round_id_from_variable": _FLAG,
                "round_id": _TEXT,
                "round_name": _TEXT,
                "model_tasks": {"type": "array", "items": task, "minItems": 1},
                "submissions_due": due,
                "last_data_date": _DATE,
                "file_format": _FORMATS,
                "derived_task_ids": _names(empty=True),
                **_MORE,
            },
            ["round_id_from_variable", "round_id", "model_tasks", "submissions_due"],
        ),
        "if": {"properties": {"round_id_from_variable": {"const": False}}},
        "then": {
            "properties": {
                "round_id": {"pattern": r"^(\d{4}-\d{2}-\d{2}|[A-Za-z0-9_]+)$"},
            }
        },
    }
    return _object(
        {
            "schema_version": _TEXT,
            "rounds": {"type": "array", "items": entry, "minItems": 1},
            "output_type_id_datatype": {"enum": ["auto", *_KINDS["enum"]]},
            "derived_task_ids": _names(empty=True),
            **_MORE,
        },
        ["rounds", "schema_version"],
    )


@cache
def admin() -> Schema:
    """Return the schema of ``admin.json``."""
    email = {"type": "string", "pattern": r"^[^@\s]+@[^@\s]+$"}
    place = ["name", "storage_service", "storage_location"]
    cloud = {
        "type": "object",
        "properties": {
            "enabled": _FLAG,
            "host": {
                **_object({"name": {"enum": ["aws"]}, "storage_service": {"enum": ["s3"]}}, place),
                "additionalProperties": True,
            },
        },
        "if": {"properties": {"enabled": {"const": True}}, "required": ["enabled"]},
        "then": {"required": ["host"]},
    }
    return _object(
        {
            "schema_version": _TEXT,
            "name": _TEXT,
            "maintainer": _TEXT,
            "contact": _object({"name": _TEXT, "email": email}, [], more=True),
            "repository": _object(
                {"host": {"enum": ["github"]}, "owner": _TEXT, "name": _TEXT}, [], more=True
            ),
            "zoltar_project_id": {"type": "integer"},
            "citation": _TEXT,
            "file_format": _FORMATS,
            "timezone": {"enum": _zones()},
            "model_output_dir": _TEXT,
            "cloud": cloud,
        },
        [
            "schema_version",
            "name",
            "maintainer",
            "contact",
            "repository",
            "file_format",
            "timezone",
        ],
    )


def _zones() -> list[str]:
    """Return the names of time zones with their continent, as the format takes them."""
    from babel.core import get_global

    named = {*get_global("zone_territories"), *get_global("zone_aliases")}
    return sorted(name for name in named if "/" in name and not name.startswith("Etc/"))


@cache
def target_data() -> Schema:
    """Return the schema of ``target-data.json``."""
    own = {"observable_unit": _names(empty=True), "versioned": _FLAG}
    return _object(
        {
            "schema_version": _TEXT,
            "observable_unit": _names(),
            "date_col": _TEXT,
            "versioned": _FLAG,
            "time-series": _object(
                {
                    **own,
                    "non_task_id_schema": {"type": "object", "additionalProperties": _KINDS},
                },
                [],
            ),
            "oracle-output": _object({**own, "has_output_type_ids": _FLAG}, []),
            **_MORE,
        },
        ["schema_version", "observable_unit", "date_col"],
    )
