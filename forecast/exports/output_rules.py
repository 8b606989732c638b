"""Rules on model output: names, columns, tasks, quantiles, samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecast.exports import files
from forecast.exports.config_rules import allowed, round_ids
from forecast.exports.files import Finding, Hub, quoted, read_table
from forecast.exports.value_rules import bound_findings, type_findings

Problem = tuple[str, str]


def output_findings(hub: Hub) -> Iterator[Finding]:
    """Yield what is wrong with every file of model output."""
    room = str(hub.admin.get("model_output_dir", files.OUTPUT))
    if not (hub.folder / room).is_dir():
        yield Finding(room, "file", "is missing; forecasts lie in it.")
        return
    for path in hub.files(room):
        for rule, problem in _file_problems(hub, path):
            yield Finding(hub.name(path), rule, problem)


def _file_problems(hub: Hub, path: Path) -> Iterator[Problem]:
    model = path.parent.name
    parts = model.split("-")
    if len(parts) != 2 or not all(files.ABBREVIATION.fullmatch(part) for part in parts):
        yield (
            "model id",
            f"folder {model!r} is not TEAM-MODEL; letters, digits and _ only, one hyphen between.",
        )
        return
    if not path.stem.endswith(f"-{model}"):
        yield "file name", f"the name does not end in -{model}; write ROUND-{model}{path.suffix}."
        return
    identity = path.stem.removesuffix(f"-{model}")
    entry = next((entry for entry in hub.rounds if identity in round_ids(entry)), None)
    if entry is None:
        known = quoted(name for entry in hub.rounds for name in round_ids(entry))
        yield "round", f"there is no round {identity!r}; known are {known}."
        return
    formats = entry.get("file_format", hub.admin["file_format"])
    if path.suffix.removeprefix(".") not in formats:
        yield "file format", f"the ending is {path.suffix}; the hub takes {', '.join(formats)}."
        return
    try:
        table = read_table(path)
    except ValueError as error:
        yield "file", f"{error}."
        return
    yield from table_problems(table, entry, identity, hub.derived)


def table_problems(
    table: pd.DataFrame, entry: Mapping[str, Any], identity: str, derived: frozenset[str]
) -> Iterator[Problem]:
    """Yield which rules of a round a table of model output breaks.

    Parameters
    ----------
    table : DataFrame
        Every cell as text.
    entry : mapping
        The round, as in ``tasks.json``.
    identity : str
        Id of the round, from the file's name.
    derived : frozenset of str
        Task ids that follow from others.
    """
    names = list(entry["model_tasks"][0]["task_ids"])
    expected = {*names, *files.STANDARD}
    if set(table.columns) != expected or len(table.columns) != len(expected):
        extra, missing = set(table.columns) - expected, expected - set(table.columns)
        told = [f"without {quoted(sorted(missing))}"] if missing else []
        told += [f"with {quoted(sorted(extra))} too many"] if extra else []
        yield "columns", f"columns are {' and '.join(told) or 'doubled'}."
        return
    if table.empty:
        yield "rows", "there is no forecast in it."
        return
    if entry["round_id_from_variable"]:
        strange = table.loc[table[entry["round_id"]] != identity, entry["round_id"]]
        if len(strange):
            yield "round", f"{entry['round_id']} is {quoted(strange)}, not {identity!r}."
            return
    doubled = table.duplicated([*names, "output_type", "output_type_id"])
    if doubled.any():
        yield "rows", f"row {_row(doubled)} is there twice: the same task, output type and id."
    owner = _owners(table, entry["model_tasks"], names)
    if (owner < 0).any():
        yield "tasks", _stray(table[owner < 0], entry["model_tasks"], names)
    for name in sorted(derived & set(names)):
        free = [other for other in names if other not in derived]
        if len(table[[*free, name]].drop_duplicates()) > len(table[free].drop_duplicates()):
            yield "derived task ids", f"{name} differs within one task; it follows from it."
    for position, task in enumerate(entry["model_tasks"]):
        rows = table[owner == position]
        if len(rows):
            yield from _task_problems(rows, task, names, derived)
        yield from _required(rows, task, names)


def _owners(
    table: pd.DataFrame, tasks: Sequence[Mapping[str, Any]], names: list[str]
) -> np.ndarray:
    """Return the position of the model task that each row belongs to; -1 for none."""
    owner = np.full(len(table), -1)
    for position, task in enumerate(tasks):
        fits = np.ones(len(table), dtype=bool)
        for name in names:
            values = set(map(str, allowed(task["task_ids"][name])))
            fits &= table[name].isin(values).to_numpy()
        owner[fits & (owner < 0)] = position
    return owner


def _stray(rows: pd.DataFrame, tasks: Sequence[Mapping[str, Any]], names: list[str]) -> str:
    """Say which value no model task allows, or that no task joins the values."""
    for name in names:
        known = {str(value) for task in tasks for value in allowed(task["task_ids"][name])}
        wrong = rows.loc[~rows[name].isin(known), name]
        if len(wrong):
            return f"{name} is {quoted(wrong)}; the round has {quoted(sorted(known))}."
    first = ", ".join(f"{name} {rows[name].iloc[0]}" for name in names)
    return f"no model task has {first} together."


def _required(rows: pd.DataFrame, task: Mapping[str, Any], names: list[str]) -> Iterator[Problem]:
    """Yield which required values a submission leaves out, if the task is answered at all."""
    if rows.empty:
        return
    for name in names:
        missing = set(map(str, task["task_ids"][name]["required"] or [])) - set(rows[name])
        if missing:
            yield "required tasks", f"{name} {quoted(sorted(missing))} is required and missing."


def _task_problems(
    rows: pd.DataFrame, task: Mapping[str, Any], names: list[str], derived: frozenset[str]
) -> Iterator[Problem]:
    """Yield what is wrong with the rows of one model task."""
    known = task["output_type"]
    strange = rows.loc[~rows["output_type"].isin(list(known)), "output_type"]
    if len(strange):
        yield "output types", f"output_type is {quoted(strange)}; allowed are {', '.join(known)}."
    values = pd.to_numeric(rows["value"], errors="coerce").to_numpy(dtype=float)
    wrong = ~np.isfinite(values)
    if wrong.any():
        yield "values", f"value is {quoted(rows.loc[wrong, 'value'])}; write a finite number."
        return
    numbered = rows.assign(value=values)
    for name, stated in known.items():
        kind = numbered[numbered["output_type"] == name]
        if stated["is_required"]:
            answered = kind.drop_duplicates(names)
            if len(answered) < len(rows.drop_duplicates(names)):
                yield "output types", f"some task has no {name}, which is required."
        if len(kind):
            yield from bound_findings(kind, stated["value"], name)
            yield from type_findings(kind, stated, name, names, derived)


def _row(mask: pd.Series) -> int:
    """Return the line of the first row, counted with the header."""
    return int(np.flatnonzero(mask.to_numpy())[0]) + 2
