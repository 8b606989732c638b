"""Rules on target data: columns, dates, one figure per observed unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecast.exports import files
from forecast.exports.config_rules import allowed
from forecast.exports.files import Finding, Hub, quoted, read_table

_VALUE = {"time-series": "observation", "oracle-output": "oracle_value"}
_DAY = r"\d{4}-\d{2}-\d{2}"


def target_findings(hub: Hub) -> Iterator[Finding]:
    """Yield what is wrong with the observed figures of a hub."""
    for path in hub.files(files.TARGETS):
        kind = next((name for name in _VALUE if _belongs(path, name)), None)
        if kind is None:
            problem = "is neither time-series nor oracle-output."
            yield Finding(hub.name(path), "file name", problem)
            continue
        try:
            table = read_table(path)
        except ValueError as error:
            yield Finding(hub.name(path), "file", f"{error}.")
            continue
        for rule, problem in _problems(hub, table, kind):
            yield Finding(hub.name(path), rule, problem)


def _belongs(path: Path, kind: str) -> bool:
    return path.stem == kind or path.parent.name == kind


def _problems(hub: Hub, table: pd.DataFrame, kind: str) -> Iterator[tuple[str, str]]:
    stated: Mapping[str, Any] = hub.configs.get(files.TARGET_DATA, {})
    own = stated.get(kind, {})
    unit = list(own.get("observable_unit") or stated.get("observable_unit", []))
    versioned = bool(own.get("versioned", stated.get("versioned", False)))
    needed = {*unit, _VALUE[kind], *([stated["date_col"]] if stated else [])}
    needed |= {"as_of"} if versioned else set()
    needed |= set(own.get("non_task_id_schema", {}))
    if own.get("has_output_type_ids"):
        needed |= {"output_type", "output_type_id"}
    missing = needed - set(table.columns)
    if missing:
        yield "columns", f"columns are without {quoted(sorted(missing))}."
        return
    if stated and set(table.columns) - needed:
        extra = sorted(set(table.columns) - needed)
        yield "columns", f"columns {quoted(extra)} are not described in {files.TARGET_DATA}."
    for name in [name for name in ("as_of", stated.get("date_col")) if name in table]:
        wrong = table.loc[~table[name].str.fullmatch(_DAY), name]
        if len(wrong):
            yield "dates", f"{name} is {quoted(wrong)}; write days as YYYY-MM-DD."
    values = pd.to_numeric(table[_VALUE[kind]], errors="coerce").to_numpy(dtype=float)
    if not np.isfinite(values).all():
        wrong = table.loc[~np.isfinite(values), _VALUE[kind]]
        yield "values", f"{_VALUE[kind]} is {quoted(wrong)}; write a finite number."
    # A release may revise a figure; the truth that scores are taken against is one.
    key = [*unit, *(["as_of"] if versioned and kind == "time-series" else [])]
    if own.get("has_output_type_ids"):
        key += ["output_type", "output_type_id"]
    doubled = table.duplicated(key) if key else pd.Series(False, index=table.index)
    if doubled.any():
        line = int(np.flatnonzero(doubled.to_numpy())[0]) + 2
        yield "rows", f"line {line} repeats a figure: the same {', '.join(key)}."
    if kind == "oracle-output":
        yield from _strange(hub, table)


def _strange(hub: Hub, table: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Yield which values of the truth belong to no task."""
    tasks = [task["task_ids"] for entry in hub.rounds for task in entry["model_tasks"]]
    for name in [name for name in table.columns if name in tasks[0]]:
        known = {str(value) for ids in tasks for value in allowed(ids[name])}
        wrong = table.loc[~table[name].isin(known), name]
        if len(wrong):
            yield "tasks", f"{name} is {quoted(wrong)}, which no task asks for."
