"""Rules on the values of one output type: levels, order, bounds, samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from forecast.exports.files import quoted

Problem = tuple[str, str]
_MISSING = ("", "NA")
#: How far probabilities may be from adding up to one.
_SLACK = 1e-6


def bound_findings(rows: pd.DataFrame, stated: Mapping[str, Any], kind: str) -> Iterator[Problem]:
    """Yield which values lie outside the bounds, or are not whole where they have to be."""
    values = rows["value"]
    low, high = stated.get("minimum", -np.inf), stated.get("maximum", np.inf)
    rules = [
        (values < low, f"is below the minimum {low}"),
        (values > high, f"is above the maximum {high}"),
    ]
    if stated["type"] == "integer":
        rules.append((values != values.round(), "is not a whole number"))
    for broken, problem in rules:
        if broken.any():
            yield "bounds", f"{kind} {quoted(values[broken])} {problem}."


def type_findings(
    rows: pd.DataFrame,
    stated: Mapping[str, Any],
    kind: str,
    names: list[str],
    derived: frozenset[str],
) -> Iterator[Problem]:
    """Yield which rules of its output type the rows of one model task break.

    Parameters
    ----------
    rows : DataFrame
        Rows of this output type; ``value`` as numbers, the rest as text.
    stated : mapping
        The output type's entry in ``tasks.json``.
    kind : str
        Its name.
    names : list of str
        Task ids.
    derived : frozenset of str
        Task ids that follow from others.
    """
    if kind == "sample":
        free = [name for name in names if name not in derived]
        yield from _samples(rows, stated["output_type_id_params"], free)
    elif kind in {"mean", "median"}:
        wrong = rows.loc[~rows["output_type_id"].isin(_MISSING), "output_type_id"]
        if len(wrong):
            yield "output type ids", f"{kind} has the id {quoted(wrong)}; leave it empty or NA."
    else:
        yield from _listed(rows, list(stated["output_type_id"]["required"]), kind, names)


def _listed(
    rows: pd.DataFrame, levels: list[object], kind: str, names: list[str]
) -> Iterator[Problem]:
    """Check output types whose ids are listed: every level once, in order, adding up."""
    known = {_canonical(level): position for position, level in enumerate(levels)}
    position = rows["output_type_id"].map(_canonical).map(known)
    strange = rows.loc[position.isna(), "output_type_id"]
    if len(strange):
        yield "output type ids", f"{kind} level {quoted(strange)} is not one of {quoted(levels)}."
    ordered = rows.assign(_position=position)[position.notna().to_numpy()].sort_values(
        [*names, "_position"]
    )
    groups = ordered.groupby(names, sort=False)
    short = groups["_position"].nunique() < len(levels)
    if short.any():
        yield (
            "output type ids",
            f"{kind} levels are missing for {_task(short[short].index[0], names)}.",
        )
    if kind == "pmf":
        total = groups["value"].sum()
        off = (total - 1).abs() > _SLACK
        if off.any():
            yield (
                "values",
                f"pmf adds up to {total[off].iloc[0]:g} for {_task(total[off].index[0], names)}.",
            )
        return
    falls = groups["value"].diff() < -_SLACK
    if falls.any():
        row = ordered[falls.to_numpy()].iloc[0]
        task = ", ".join(f"{name} {row[name]}" for name in names)
        level = row["output_type_id"]
        yield "order", f"{kind} falls at {level} for {task}; it must not fall as levels rise."


def _samples(rows: pd.DataFrame, stated: Mapping[str, Any], free: list[str]) -> Iterator[Problem]:
    """Check samples: the form of their ids, how many, and that each covers its whole world."""
    identity = rows["output_type_id"]
    if stated["type"] == "integer":
        whole = identity.map(_canonical).map(lambda text: text.lstrip("-").isdigit())
        if not whole.all():
            yield "output type ids", f"sample id {quoted(identity[~whole])} is not a whole number."
            return
    elif (identity.str.len() > stated["max_length"]).any():
        long = identity[identity.str.len() > stated["max_length"]]
        yield "output type ids", f"sample id {quoted(long)} is longer than {stated['max_length']}."
    least, most = stated["min_samples_per_task"], stated["max_samples_per_task"]
    count = rows.groupby(free)["output_type_id"].nunique()
    off = (count < least) | (count > most)
    if off.any():
        wanted = str(least) if least == most else f"{least} to {most}"
        task, number = _task(count[off].index[0], free), count[off].iloc[0]
        yield "samples", f"{number} samples for {task}; {wanted} are asked for."
    compound = [name for name in stated.get("compound_taskid_set", free) if name in free]
    spread = [name for name in free if name not in compound]
    if compound:
        worlds = rows.groupby("output_type_id")[compound].nunique()
        mixed = (worlds > 1).any(axis=1)
        if mixed.any():
            several = ", ".join(compound)
            told = f"sample {quoted(mixed[mixed].index)} spans several of {several}"
            yield "samples", f"{told}; each needs ids of its own."
            return
    if spread:
        # Every sample of one compound task answers the same tasks.
        cells = rows[spread].agg("|".join, axis=1)
        covered = cells.groupby(identity).agg(lambda group: hash(tuple(sorted(group))))
        keys = rows.drop_duplicates("output_type_id").set_index("output_type_id")[compound]
        joined = keys.assign(_world=covered)
        differing = (
            joined.groupby(compound)["_world"].nunique().max() if compound else covered.nunique()
        )
        if differing > 1:
            yield "samples", "samples do not all cover the same tasks; each is one joint future."


def _canonical(level: object) -> str:
    """Return an id in one spelling: 0.50 and 0.5 are the same level, 3.0 and 3 the same sample."""
    try:
        number = float(str(level))
    except ValueError:
        return str(level)
    if not np.isfinite(number):
        return str(level)
    return str(int(number)) if number == int(number) else repr(number)


def _task(key: object, names: list[str]) -> str:
    values = key if isinstance(key, tuple) else (key,)
    return ", ".join(f"{name} {value}" for name, value in zip(names, values))
