"""Rules on target data, one function a rule: columns, days, numbers, one figure a unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecast.exports import files
from forecast.exports.config_rules import Entry, allowed
from forecast.exports.files import Finding, Hub, quoted, read_table
from forecast.exports.value_rules import canonical, positions

_DAY = r"\d{4}-\d{2}-\d{2}"
#: Columns of our own: where a row stands.
_FILE, _LINE = "_file", "_line"
_TYPED = ("output_type", "output_type_id")


@dataclass(frozen=True, slots=True)
class Targets:
    """Observed figures of one kind, from one file or from all of them.

    Attributes
    ----------
    kind : {"time-series", "oracle-output"}
    table : DataFrame
        Every cell as text, with the file and line of each row.
    """

    hub: Hub
    kind: str
    table: pd.DataFrame

    @property
    def stated(self) -> Mapping[str, Any]:
        """Content of ``target-data.json``; empty without it."""
        return dict(self.hub.configs.get(files.TARGET_DATA, {}))

    @property
    def own(self) -> Mapping[str, Any]:
        """What it says of this kind alone."""
        return dict(self.stated.get(self.kind, {}))

    @property
    def value(self) -> str:
        """Name of the column of figures."""
        return files.KINDS[self.kind]

    @property
    def unit(self) -> list[str]:
        """Columns that identify what is observed."""
        return list(self.own.get("observable_unit") or self.stated.get("observable_unit", []))

    @property
    def versioned(self) -> bool:
        """Whether each figure has a day of release."""
        return bool(self.own.get("versioned", self.stated.get("versioned", False)))

    @property
    def needed(self) -> set[str]:
        """Columns that have to be there."""
        needed = {*self.unit, self.value, *self.own.get("non_task_id_schema", {})}
        needed |= {self.stated["date_col"]} if self.stated else set()
        needed |= {"as_of"} if self.versioned else set()
        return needed | (set(_TYPED) if self.own.get("has_output_type_ids") else set())

    @property
    def tasks(self) -> list[Entry]:
        """Every model task of every round."""
        return [task for entry in self.hub.rounds for task in entry["model_tasks"]]


def columns_there(given: Targets) -> Iterator[str]:
    """Check that no column is missing."""
    missing = given.needed - set(given.table.columns)
    if missing:
        yield f"columns are without {quoted(sorted(missing))}."


def columns_described(given: Targets) -> Iterator[str]:
    """Check that no column is there that is not described."""
    extra = sorted(set(given.table.columns) - given.needed - {_FILE, _LINE})
    if given.stated and extra:
        yield f"columns {quoted(extra)} are not described in {files.TARGET_DATA}."


def days(given: Targets) -> Iterator[str]:
    """Check that days are days."""
    for name in ("as_of", given.stated.get("date_col")):
        if name in given.table:
            wrong = given.table.loc[~given.table[name].str.fullmatch(_DAY), name]
            if len(wrong):
                yield f"{name} is {quoted(wrong)}; write days as YYYY-MM-DD."


def finite(given: Targets) -> Iterator[str]:
    """Check that figures are finite numbers."""
    wrong = given.table.loc[~np.isfinite(_numbers(given)), given.value]
    if len(wrong):
        yield f"{given.value} is {quoted(wrong)}; write a finite number."


def known_tasks(given: Targets) -> Iterator[str]:
    """Check that the truth is of tasks that are asked for."""
    if given.kind != "oracle-output":
        return
    ids = [task["task_ids"] for task in given.tasks]
    known = {
        name: {str(value) for task in ids for value in allowed(task[name])}
        for name in given.table.columns
        if name in ids[0]
    }
    if "output_type" in given.table:
        known["output_type"] = {kind for task in given.tasks for kind in task["output_type"]}
    for name, values in known.items():
        wrong = given.table.loc[~given.table[name].isin(values), name]
        if len(wrong):
            yield f"{name} is {quoted(wrong)}, which no task asks for."


def once(given: Targets) -> Iterator[tuple[str, str]]:
    """Check that each unit has one figure, over all files: one of each release, but one truth."""
    key = [*given.unit, *(["as_of"] if given.versioned and given.kind == "time-series" else [])]
    key += _TYPED if given.own.get("has_output_type_ids") else []
    doubled = given.table[given.table.duplicated(key)] if key else given.table.head(0)
    if len(doubled):
        row = doubled.iloc[0]
        yield row[_FILE], f"line {row[_LINE]} repeats a figure: the same {', '.join(key)}."


def oracle_probabilities(given: Targets) -> Iterator[tuple[str, str]]:
    """Check that one category of a pmf came, and every level of a cdf from some level on."""
    if given.kind != "oracle-output" or not set(_TYPED) <= set(given.table.columns):
        return
    table = given.table.assign(_number=_numbers(given))
    for kind in ("pmf", "cdf"):
        rows = table[table["output_type"] == kind]
        wrong = rows[~rows["_number"].isin([0.0, 1.0])]
        if len(wrong):
            yield _at(wrong, f"the truth of a {kind} is 0 or 1.")
            continue
        levels = _levels(given, kind)
        ordered = rows.assign(_position=positions(rows["output_type_id"], levels))
        strange = ordered[ordered["_position"].isna()]
        if len(strange):
            level = f"{kind} level {strange['output_type_id'].iloc[0]}"
            yield _at(strange, f"no task asks for {level}.")
        groups = ordered.sort_values("_position", kind="stable").groupby(given.unit, sort=False)
        for _, group in groups if given.unit else ():
            numbers = group["_number"].to_numpy()
            if kind == "pmf" and numbers.sum() != 1:
                came = f"{numbers.sum():.0f} categories; exactly one came."
                yield _at(group, f"the truth of a pmf has {came}")
                break
            if kind == "cdf" and (np.diff(numbers) < 0).any():
                yield _at(group, "the truth of a cdf falls; it must not fall as levels rise.")
                break


def _at(rows: pd.DataFrame, problem: str) -> tuple[str, str]:
    """Return the file of the first of some rows, and the problem with its line."""
    return rows[_FILE].iloc[0], f"line {rows[_LINE].iloc[0]}: {problem}"


#: Name and check of each rule on one file; without the columns nothing else is asked.
FILE_RULES: tuple[tuple[str, Callable[[Targets], Iterator[str]]], ...] = (
    ("columns", columns_there),
    ("columns", columns_described),
    ("dates", days),
    ("values", finite),
    ("tasks", known_tasks),
)
#: Name and check of each rule on all files of a kind together; each says which file it is about.
KIND_RULES: tuple[tuple[str, Callable[[Targets], Iterator[tuple[str, str]]]], ...] = (
    ("rows", once),
    ("oracle values", oracle_probabilities),
)


def target_findings(hub: Hub) -> Iterator[Finding]:
    """Yield what is wrong with the observed figures of a hub."""
    by_kind: dict[str, list[Path]] = {kind: [] for kind in files.KINDS}
    room = hub.folder / files.TARGETS
    for path in hub.files(files.TARGETS):
        first = path.relative_to(room).parts[0]
        kind = next(
            (name for name in files.KINDS if name in {first, files.stem(Path(first))}), None
        )
        if kind is None:
            problem = "is neither time-series nor oracle-output."
            yield Finding(hub.name(path), "file name", problem)
        else:
            by_kind[kind].append(path)
    for kind, paths in by_kind.items():
        places = sorted({path.relative_to(room).parts[0] for path in paths})
        if len(places) > 1:
            problem = f"there are {' and '.join(places)}; keep one file or one folder."
            yield Finding(f"{files.TARGETS}/{places[1]}", "one place", problem)
        yield from _kind_findings(hub, kind, paths)


def _kind_findings(hub: Hub, kind: str, paths: list[Path]) -> Iterator[Finding]:
    sound = []
    for path in paths:
        name = hub.name(path)
        try:
            table = read_table(path, hub.folder / files.TARGETS)
        except ValueError as error:
            yield Finding(name, "file", f"{error}.")
            continue
        table[_FILE], table[_LINE] = name, np.arange(len(table)) + 2
        given = Targets(hub, kind, table)
        for rule, check in FILE_RULES:
            problems = list(check(given))
            yield from (Finding(name, rule, problem) for problem in problems)
            if problems and check is columns_there:
                break
        else:
            sound.append(given.table)
    if sound:
        together = Targets(hub, kind, pd.concat(sound, ignore_index=True))
        for rule, over_files in KIND_RULES:
            yield from (Finding(file, rule, problem) for file, problem in over_files(together))


def _numbers(given: Targets) -> np.ndarray:
    return pd.to_numeric(given.table[given.value], errors="coerce").to_numpy(dtype=float)


def _levels(given: Targets, kind: str) -> list[Any]:
    """Return the levels of an output type: numbers in rising order, else as configured."""
    levels: dict[str, Any] = {}
    for task in given.tasks:
        stated = task["output_type"].get(kind, {}).get("output_type_id", {})
        levels |= {canonical(level): level for level in stated.get("required", [])}
    listed = list(levels.values())
    numbers = all(isinstance(level, int | float) for level in listed)
    return sorted(listed) if numbers else listed
