"""Rules on the values of one output type in one model task, one function a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast.exports.files import quoted

_MISSING = ("", "NA")
#: How far probabilities may be from adding up to one.
_SLACK = 1e-6


@dataclass(frozen=True, slots=True)
class Answers:
    """What one output type says in the tasks of one model task.

    Attributes
    ----------
    rows : DataFrame
        ``value`` as numbers, all else as text.
    stated : mapping
        The output type's entry in ``tasks.json``.
    kind : str
        Its name.
    names, free : list of str
        Task ids, and those of them that do not follow from others.
    """

    rows: pd.DataFrame
    stated: Mapping[str, Any]
    kind: str
    names: list[str]
    free: list[str]

    @property
    def levels(self) -> list[object]:
        """The ids that ``tasks.json`` lists; none for samples and point estimates."""
        listed = self.stated.get("output_type_id", {}).get("required")
        return list(listed or [])

    @property
    def in_order(self) -> pd.DataFrame:
        """Rows with a listed id, by task and in the order of the list, with its ``_position``."""
        position = positions(self.rows["output_type_id"], self.levels)
        known = self.rows.assign(_position=position)[position.notna().to_numpy()]
        return known.sort_values([*self.names, "_position"])

    @property
    def compound(self) -> list[str]:
        """Task ids that have one value in each sample."""
        stated = self.stated["output_type_id_params"].get("compound_taskid_set", self.free)
        return [name for name in stated if name in self.free]


def bounds(answers: Answers) -> Iterator[str]:
    """Check that values lie within the bounds, and are whole where they have to be."""
    values, stated = answers.rows["value"], answers.stated["value"]
    low, high = stated.get("minimum", -np.inf), stated.get("maximum", np.inf)
    rules = [
        (values < low, f"is below the minimum {low}"),
        (values > high, f"is above the maximum {high}"),
    ]
    if stated["type"] == "integer":
        rules.append((values != values.round(), "is not a whole number"))
    for broken, problem in rules:
        if broken.any():
            yield f"{answers.kind} {quoted(values[broken])} {problem}."


def point_ids(answers: Answers) -> Iterator[str]:
    """Check that a point estimate has no id."""
    identity = answers.rows["output_type_id"]
    wrong = identity[~identity.isin(_MISSING)]
    if len(wrong):
        yield f"{answers.kind} has the id {quoted(wrong)}; leave it empty or NA."


def listed_ids(answers: Answers) -> Iterator[str]:
    """Check that ids are among those listed, and each task has all of them."""
    if not answers.levels:
        return
    identity = answers.rows["output_type_id"]
    strange = identity[positions(identity, answers.levels).isna()]
    if len(strange):
        yield f"{answers.kind} level {quoted(strange)} is not one of {quoted(answers.levels)}."
    counted = answers.in_order.groupby(answers.names, sort=False)["_position"].nunique()
    short = counted[counted < len(answers.levels)]
    if len(short):
        task = task_in_words(short.index[0], answers.names)
        yield f"{answers.kind} levels are missing for {task}."


def pmf_adds_up(answers: Answers) -> Iterator[str]:
    """Check that the probabilities of a task add up to one."""
    total = answers.in_order.groupby(answers.names, sort=False)["value"].sum()
    off = total[(total - 1).abs() > _SLACK]
    if len(off):
        yield f"pmf adds up to {off.iloc[0]:g} for {task_in_words(off.index[0], answers.names)}."


def never_falling(answers: Answers) -> Iterator[str]:
    """Check that quantiles and cumulative probabilities do not fall as levels rise."""
    ordered = answers.in_order
    falls = ordered.groupby(answers.names, sort=False)["value"].diff() < -_SLACK
    if falls.any():
        row = ordered[falls.to_numpy()].iloc[0]
        task = ", ".join(f"{name} {row[name]}" for name in answers.names)
        level = row["output_type_id"]
        yield f"{answers.kind} falls at {level} for {task}; it must not fall as levels rise."


def sample_ids(answers: Answers) -> Iterator[str]:
    """Check that ids of samples have the form that is asked for."""
    stated, identity = answers.stated["output_type_id_params"], answers.rows["output_type_id"]
    if stated["type"] == "integer":
        whole = identity.map(canonical).map(lambda text: text.lstrip("-").isdigit())
        wrong, problem = identity[~whole], "is not a whole number"
    else:
        wrong = identity[identity.str.len() > stated["max_length"]]
        problem = f"is longer than {stated['max_length']}"
    if len(wrong):
        yield f"sample id {quoted(wrong)} {problem}."


def sample_count(answers: Answers) -> Iterator[str]:
    """Check that each task has as many samples as are asked for."""
    stated = answers.stated["output_type_id_params"]
    least, most = stated["min_samples_per_task"], stated["max_samples_per_task"]
    count = answers.rows.groupby(answers.free)["output_type_id"].nunique()
    off = count[(count < least) | (count > most)]
    if len(off):
        wanted = str(least) if least == most else f"{least} to {most}"
        task = task_in_words(off.index[0], answers.free)
        yield f"{off.iloc[0]} samples for {task}; {wanted} are asked for."


def one_compound_task(answers: Answers) -> Iterator[str]:
    """Check that a sample has one value of each compound task id."""
    if not answers.compound:
        return
    worlds = answers.rows.groupby("output_type_id")[answers.compound].nunique()
    mixed = (worlds > 1).any(axis=1)
    if mixed.any():
        several = ", ".join(answers.compound)
        spanned = f"sample {quoted(mixed[mixed].index)} spans several of {several}"
        yield f"{spanned}; each needs ids of its own."


def same_tasks(answers: Answers) -> Iterator[str]:
    """Check that every sample of one compound task answers the same tasks."""
    spread = [name for name in answers.free if name not in answers.compound]
    if not spread or any(one_compound_task(answers)):
        return
    identity = answers.rows["output_type_id"]
    cells = answers.rows.groupby(spread).ngroup()
    covered = cells.groupby(identity).agg(lambda group: hash(tuple(sorted(group))))
    keys = answers.rows.drop_duplicates("output_type_id").set_index("output_type_id")
    joined = keys[answers.compound].assign(_world=covered)
    compound = answers.compound
    worlds = joined.groupby(compound)["_world"].nunique().max() if compound else covered.nunique()
    if worlds > 1:
        yield "samples do not all cover the same tasks; each is one joint future."


_POINTS, _EVERY = ("mean", "median"), ("mean", "median", "quantile", "cdf", "pmf", "sample")
#: Name and check of each rule, and the output types that it is about, in the order of reports.
VALUE_RULES: tuple[tuple[str, Callable[[Answers], Iterator[str]], tuple[str, ...]], ...] = (
    ("bounds", bounds, _EVERY),
    ("output type ids", point_ids, _POINTS),
    ("output type ids", listed_ids, _EVERY),
    ("values", pmf_adds_up, ("pmf",)),
    ("order", never_falling, ("quantile", "cdf")),
    ("output type ids", sample_ids, ("sample",)),
    ("samples", sample_count, ("sample",)),
    ("samples", one_compound_task, ("sample",)),
    ("samples", same_tasks, ("sample",)),
)


def positions(identity: pd.Series, levels: Sequence[object]) -> pd.Series:
    """Return where each id stands in a list of levels, however it is spelt; NaN if it does not.

    Parameters
    ----------
    identity : Series of str
        ``output_type_id`` of rows.
    levels : sequence
        The ids that ``tasks.json`` lists, in its order; 0.5 and ``"0.50"`` are the same.

    Returns
    -------
    Series of float
        From 0, with the index of `identity`.
    """
    known = {canonical(level): position for position, level in enumerate(levels)}
    return identity.map(canonical).map(known)


def canonical(level: object) -> str:
    """Return an id in one spelling: 0.50 and 0.5 are the same level, 3.0 and 3 the same sample."""
    try:
        number = float(str(level))
    except ValueError:
        return str(level)
    if not np.isfinite(number):
        return str(level)
    return str(int(number)) if number == int(number) else repr(number)


def task_in_words(key: object, names: Sequence[str]) -> str:
    """Name the task of a group of rows.

    Parameters
    ----------
    key : object
        Value, or tuple of values, by which rows were grouped.
    names : sequence of str
        Task ids, in the order of the values.

    Returns
    -------
    str
        Such as ``location KAZ, horizon 2``.
    """
    values = key if isinstance(key, tuple) else (key,)
    return ", ".join(f"{name} {value}" for name, value in zip(names, values))
