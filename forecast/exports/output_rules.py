"""Rules on a table of model output, one function a rule: columns, tasks, samples."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from forecast.exports import files
from forecast.exports.config_rules import Entry, allowed
from forecast.exports.files import quoted
from forecast.exports.value_rules import VALUE_RULES, Answers, canonical, positions, task_in_words

Problem = tuple[str, str]


@dataclass(frozen=True)
class Submission:
    """One file of model output and the round that it answers.

    Attributes
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

    table: pd.DataFrame
    entry: Entry
    identity: str
    derived: frozenset[str]

    @property
    def tasks(self) -> Sequence[Entry]:
        """The model tasks of the round."""
        return list(self.entry["model_tasks"])

    @property
    def names(self) -> list[str]:
        """Task ids."""
        return list(self.tasks[0]["task_ids"])

    @property
    def free(self) -> list[str]:
        """Task ids that do not follow from others."""
        return [name for name in self.names if name not in self.derived]

    @cached_property
    def fits(self) -> np.ndarray:
        """Which rows are of which model task, as booleans of shape (n_tasks, n_rows).

        Model tasks may share task ids and differ in output types, or in the levels of one:
        a row is of those that take its output type and id, if any of them does.
        """
        chosen: np.ndarray = np.array([self._same_ids(task) for task in self.tasks])
        for narrower in (self._same_type, self._same_level):
            narrowed = chosen & np.array([narrower(task) for task in self.tasks])
            chosen = np.where(narrowed.any(axis=0), narrowed, chosen)
        return chosen

    def rows(self, position: int) -> pd.DataFrame:
        """Return the rows of one model task."""
        rows: pd.DataFrame = self.table[self.fits[position]]
        return rows

    def _same_ids(self, task: Entry) -> np.ndarray:
        values = {name: list(map(str, allowed(task["task_ids"][name]))) for name in self.names}
        fits: np.ndarray = self.table[self.names].isin(values).all(axis=1).to_numpy()
        return fits

    def _same_type(self, task: Entry) -> np.ndarray:
        fits: np.ndarray = self.table["output_type"].isin(list(task["output_type"])).to_numpy()
        return fits

    def _same_level(self, task: Entry) -> np.ndarray:
        fits = self._same_type(task)
        for kind, stated in task["output_type"].items():
            listed = stated.get("output_type_id", {}).get("required")
            if listed:
                of_kind = (self.table["output_type"] == kind).to_numpy()
                known = positions(self.table["output_type_id"], listed).notna().to_numpy()
                fits = fits & (~of_kind | known)
        return fits


def columns(given: Submission) -> Iterator[str]:
    """Check that columns are the task ids and those of every hub."""
    table, expected = given.table, {*given.names, *files.STANDARD}
    if set(table.columns) != expected or len(table.columns) != len(expected):
        extra, missing = set(table.columns) - expected, expected - set(table.columns)
        parts = [f"without {quoted(sorted(missing))}"] if missing else []
        parts += [f"with {quoted(sorted(extra))} too many"] if extra else []
        yield f"columns are {' and '.join(parts) or 'doubled'}."


def not_empty(given: Submission) -> Iterator[str]:
    """Check that there is a row."""
    if given.table.empty:
        yield "there is no forecast in it."


def one_round(given: Submission) -> Iterator[str]:
    """Check that every row is of the round that the file's name says."""
    if given.entry["round_id_from_variable"]:
        column = given.table[given.entry["round_id"]]
        strange = column[column != given.identity]
        if len(strange):
            yield f"{given.entry['round_id']} is {quoted(strange)}, not {given.identity!r}."


def rows_once(given: Submission) -> Iterator[str]:
    """Check that no task, output type and id is there twice."""
    doubled = given.table.duplicated([*given.names, "output_type", "output_type_id"])
    if doubled.any():
        line = int(np.flatnonzero(doubled.to_numpy())[0]) + 2
        yield f"row {line} is there twice: the same task, output type and id."


def known_tasks(given: Submission) -> Iterator[str]:
    """Check that every row is of a model task."""
    rows = given.table[~given.fits.any(axis=0)]
    if rows.empty:
        return
    for name in given.names:
        known = {str(value) for task in given.tasks for value in allowed(task["task_ids"][name])}
        wrong = rows.loc[~rows[name].isin(known), name]
        if len(wrong):
            yield f"{name} is {quoted(wrong)}; the round has {quoted(sorted(known))}."
            return
    first = ", ".join(f"{name} {rows[name].iloc[0]}" for name in given.names)
    yield f"no model task has {first} together."


def derived_follow(given: Submission) -> Iterator[str]:
    """Check that a derived task id has one value in each task."""
    for name in sorted(given.derived & set(given.names)):
        pairs = given.table[[*given.free, name]].drop_duplicates()
        if len(pairs) > len(given.table[given.free].drop_duplicates()):
            yield f"{name} differs within one task; it follows from it."


def required_combinations(given: Submission) -> Iterator[str]:
    """Check that every combination of required values is answered.

    All of them where every task id has required values and an output type is required, else
    those beside each combination of optional values that is answered.
    """
    for position, task in enumerate(given.tasks):
        rows = given.rows(position)[given.free].drop_duplicates()
        answered = set(rows.itertuples(index=False, name=None))
        missing = sorted(_required(task, given.free, answered) - answered)
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            where = f"model task {position + 1}: " if len(given.tasks) > 1 else ""
            first = task_in_words(missing[0], given.free)
            yield f"{where}{first} is required and missing{more}."


def _required(task: Entry, names: Sequence[str], answered: set[tuple[str, ...]]) -> set[Any]:
    """Return the tasks that a submission has to answer, given those that it does."""
    needed = [list(map(str, task["task_ids"][name]["required"] or [])) for name in names]
    if not answered:
        kinds = task["output_type"].values()
        wholly = all(needed) and any(kind["is_required"] for kind in kinds)
        return set(itertools.product(*needed)) if wholly else set()
    # Values that a row keeps; every other task id takes each of its required values. What has
    # no required values is kept, and what is optional here may be kept or not.
    kept: set[tuple[str | None, ...]] = set()
    for row in answered:
        choices = [
            [value] if not required else [None] if value in required else [value, None]
            for value, required in zip(row, needed)
        ]
        kept.update(itertools.product(*choices))
    return {
        combination
        for values in kept
        for combination in itertools.product(
            *([value] if value is not None else required for value, required in zip(values, needed))
        )
    }


def samples_of_one_task(given: Submission) -> Iterator[str]:
    """Check that a sample id in several model tasks has one value of each compound task id."""
    parts = []
    compound: list[str] = []
    for position, task in enumerate(given.tasks):
        stated = task["output_type"].get("sample")
        rows = given.rows(position)
        rows = rows[rows["output_type"] == "sample"]
        if stated is None or rows.empty:
            continue
        compound += Answers(rows, stated, "sample", given.names, given.free).compound
        identity = rows["output_type_id"].map(canonical)
        parts.append(rows.assign(_task=position + 1, _sample=identity))
    if len(parts) < 2 or not compound:
        return
    several = list(dict.fromkeys(compound))
    joined = pd.concat(parts, ignore_index=True)
    counts = joined.groupby("_sample")[["_task", *several]].nunique()
    mixed = counts[(counts["_task"] > 1) & (counts[several] > 1).any(axis=1)]
    if len(mixed):
        spread = [name for name in several if (mixed[name] > 1).any()]
        yield (
            f"sample {quoted(mixed.index)} is in several model tasks with several of "
            f"{', '.join(spread)}; each needs ids of its own."
        )


Rule = tuple[str, Callable[[Submission], Iterator[str]]]
#: Name and check of each rule. While one of the first is broken, the others are not asked.
FIRST_RULES: tuple[Rule, ...] = (("columns", columns), ("rows", not_empty), ("round", one_round))
TABLE_RULES: tuple[Rule, ...] = (
    ("rows", rows_once),
    ("tasks", known_tasks),
    ("derived task ids", derived_follow),
    ("required tasks", required_combinations),
    ("samples", samples_of_one_task),
)


def table_problems(given: Submission) -> Iterator[Problem]:
    """Yield which rules a table of model output breaks, and how."""
    for name, rule in FIRST_RULES:
        problems = [(name, problem) for problem in rule(given)]
        if problems:
            yield from problems
            return
    for name, rule in TABLE_RULES:
        yield from ((name, problem) for problem in rule(given))
    for position, task in enumerate(given.tasks):
        rows = given.rows(position)
        if len(rows):
            yield from _task_problems(rows, task, given)


def _task_problems(rows: pd.DataFrame, task: Entry, given: Submission) -> Iterator[Problem]:
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
    for kind, stated in known.items():
        of_kind = numbered[numbered["output_type"] == kind]
        answered = of_kind.drop_duplicates(given.names)
        if stated["is_required"] and len(answered) < len(rows.drop_duplicates(given.names)):
            yield "output types", f"some task has no {kind}, which is required."
        if of_kind.empty:
            continue
        answers = Answers(of_kind, stated, kind, given.names, given.free)
        for name, rule, kinds in VALUE_RULES:
            problems = rule(answers) if kind in kinds else ()
            yield from ((name, problem) for problem in problems)
