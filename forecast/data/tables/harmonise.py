"""Observations to a tidy table: names, measures, figures and units settled for all at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecast import locations, measures
from forecast.data.tables import cells, places, words
from forecast.data.tables.cells import Grid
from forecast.data.tables.column_checks import refuse_units
from forecast.data.tables.labels import (
    FAMILY,
    Context,
    settle_measures,
    settle_places,
    state_measures,
)
from forecast.data.tables.layout import Layout
from forecast.data.tables.reading import Collected, Harmonised, Observation, ReadOptions
from forecast.data.tables.scale import settle_factors, settle_figures
from forecast.data.tables.timing import period_text, refuse_stocks, settle_periods
from forecast.errors import DataError

#: Differences up to this many units of rounding are rounding.
_ROUNDING = 1.5


def harmonise(grid: Grid, layout: Layout, collected: Collected, options: ReadOptions) -> Harmonised:
    """Settle everything that can only be known of a table as a whole.

    Problems are listed in the result; each stage needs the ones before it to be without.

    Parameters
    ----------
    grid : Grid
        The cells of the table.
    layout : Layout
        Its headings and columns.
    collected : Collected
        Its observations, row by row.
    options : ReadOptions
        What the caller says of the table.

    Raises
    ------
    DataError
        If what the caller says contradicts the table, or nothing says what is counted.
    """
    context = Context(grid, layout, collected, options)
    out = context.out
    if not context.observations:
        return out
    settle_periods(context)
    settle_places(context)
    state_measures(context)
    rates = {name for name, one in measures.known().items() if one.kind == "rate"}
    stated = options.units is not None or any(o.unit for o in context.observations)
    if context.rates and not stated and {one.family for one in context.observations} - rates:
        error = DataError(
            f"the title speaks of rates or shares: {context.title[:80]!r}. Give counts of "
            "persons, or say units='persons' if they are."
        )
        context.problem(0, error)
    stages = (settle_measures, refuse_stocks, refuse_units, settle_figures, settle_factors)
    for stage in stages:
        if out.problems:
            return out
        stage(context)
    if not out.problems:
        _build(context)
    return out


def _build(context: Context) -> None:
    """Make the tidy table, and hold flows and totals of the file against each other."""
    _settle_persons(context.observations)
    _crosscheck(context)
    _check_totals(context)
    rows, calls = [], []
    kept: set[int] = set()
    for observation in context.observations:
        if observation.kept or context.layout.style == "long form":
            kept.add(observation.line.number)
            rows.append(_row(context, observation))
            calls.append(context.grid.where(observation.line))
    context.out.aside |= {observation.line.number for observation in context.observations} - kept
    if rows:
        context.out.table = _frame(rows, context.layout.style, context.options)
        context.out.calls = calls


def _settle_persons(observations: Sequence[Observation]) -> None:
    """Find each value, and to what it is rounded by the decimals its series shows."""
    factors = np.array([one.factor for one in observations])
    values = np.array([one.figure.value for one in observations]) * factors
    # A product such as 17.425 * 1000 is a whole number of persons.
    values = np.where(factors > 1, np.round(values, 6), values)
    shown: dict[tuple[str, str], int] = {}
    for one in observations:
        key = (one.code, one.family)
        shown[key] = max(shown.get(key, 0), one.figure.decimals)
    for one, persons in zip(observations, values.tolist()):
        one.persons = persons
        one.rounding = max(1.0, one.factor / 10.0 ** shown[one.code, one.family])


def _held(context: Context) -> dict[tuple[str, str, int], dict[str, tuple[float, float]]]:
    """Return by (source, code, year) what is known of `FAMILY`, as (persons, rounding)."""
    held: dict[tuple[str, str, int], dict[str, tuple[float, float]]] = {}
    exact = {
        "immigration": "arrivals", "emigration": "departures", "net_migration": "net",
    }  # fmt: skip
    for one in context.observations:
        flow = exact.get(one.family, one.family)
        if flow in FAMILY and np.isfinite(one.persons):
            named = [str(one.attributes.get(name, "")) for name in ("source", "as_of")]
            key = ("/".join([*named, one.scope]), one.code, one.year)
            held.setdefault(key, {})[flow] = (one.persons, one.rounding)
    return held


def _crosscheck(context: Context) -> None:
    """Hold net against arrivals minus departures; a sign reversed throughout is a problem."""
    agree, disagree, reversed_ = 0, [], 0
    if not {"net", "net_migration"} & {one.family for one in context.observations}:
        return
    for (_, code, year), flows in sorted(_held(context).items()):
        if any(name not in flows for name in FAMILY):
            continue
        (into, first), (out, second), (net, third) = (flows[name] for name in FAMILY)
        allowed = _ROUNDING * max(first, second, third, 1.0)
        if abs(net - (into - out)) <= allowed:
            agree += 1
        else:
            reversed_ += abs(net - (out - into)) <= allowed
            disagree.append(f"{code} {context.when(year)}: {net:,.0f} against {into - out:,.0f}")
    checked = agree + len(disagree)
    if disagree and reversed_ == len(disagree) and reversed_ > agree and checked >= 2:
        error = DataError(
            f"the net is departures minus arrivals in {reversed_} of {checked} years, such as "
            f"{disagree[0]}. Positive net means an inflow here: change its sign, or leave it "
            "out."
        )
        context.problem(0, error)
    elif checked:
        note = f"arrivals - departures = net in {agree} of {checked} figures"
        if disagree:
            more = f" and {len(disagree) - 5} more" if len(disagree) > 5 else ""
            note += f"; not in {'; '.join(disagree[:5])}{more}"
        context.out.notes[note] = None


def _check_totals(context: Context) -> None:
    """Hold total rows against the rows of regions, column by column."""
    if len({observation.line.number for observation in context.collected.totals}) != 1:
        return
    checked, wrong = 0, []
    for total in context.collected.totals:
        stated = cells.figure(total.cell, context.mark)
        parts = [
            observation.figure
            for observation in context.observations
            if observation.column.at == total.column.at
            and not locations.find(places.match(observation.place).code or "KAZ").is_country
        ]
        if stated.state != "number" or not parts or any(p.state != "number" for p in parts):
            continue
        checked += 1
        summed = sum(figure.value for figure in parts)
        # Whole persons add up exactly; rounded thousands by half a step each.
        step = 10.0 ** -max(figure.decimals for figure in (*parts, stated))
        scaled = any(observation.factor > 1 for observation in context.observations)
        allowed = step * (1 + len(parts)) / 2 if scaled or step < 1 else 0.0
        if abs(stated.value - summed) > allowed:
            differ = f"{stated.value:,.6g} stated, {summed:,.6g} summed"
            wrong.append(f"{total.column.label}: {differ}")
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        listed = f"{'; '.join(wrong[:3])}{more}"
        context.out.notes[f"the total row differs from the sum of the rows: {listed}"] = None
    elif checked:
        context.out.notes[f"the total row agrees with the rows in {checked} columns"] = None


def _row(context: Context, observation: Observation) -> dict[str, object]:
    year, value = observation.year, observation.persons
    row: dict[str, object] = {"location": observation.code, "measure": observation.kept}
    if context.out.frequency != "year":
        row |= {"period": period_text(observation), "value": value}
    else:
        row |= {"year": year, "value": value}
    if context.layout.style == "long form":
        row = {"unique_id": observation.attributes.get("unique_id"), "ds": year, "y": value}
        if context.out.frequency != "year":
            row["ds"] = period_text(observation)
    for name in ("source", "as_of"):
        if name in observation.attributes:
            cell = observation.attributes[name]
            row[name] = words.spaced(cell) if isinstance(cell, str) else cell
    for name in ("population", "precision"):
        if name in observation.attributes:
            row[name] = _attribute(context, observation, name)
    if observation.flags:
        row["flag"] = ";".join(flag for flag in observation.flags if flag)
    if observation.factor >= 1000 and "precision" not in row:
        row["precision"] = observation.rounding
    return row


def _attribute(context: Context, observation: Observation, name: str) -> object:
    """Return population in persons, or precision, as a number where it is observation."""
    cell = observation.attributes[name]
    figure = cells.figure(cell, context.mark)
    if figure.state == "unclear":
        return words.spaced(cell) if isinstance(cell, str) else cell
    if name == "precision":
        return figure.value
    column = next(c for c in context.layout.columns if c.role == "population")
    unit = column.says.unit
    if unit is None:
        unit = context.table_unit()
    return figure.value * (unit or 1.0)


def _frame(rows: Sequence[dict[str, object]], style: str, options: ReadOptions) -> pd.DataFrame:
    columns = dict.fromkeys(name for row in rows for name in row)
    table = pd.DataFrame({name: [row.get(name, np.nan) for row in rows] for name in columns})
    for name in ("source", "as_of", "flag"):
        if name in table:
            table[name] = table[name].astype(object)
    if options.source is not None:
        if "source" in table:
            raise DataError(
                f"the table has a column 'source' of its own; leave out source={options.source!r}."
            )
        table["source"] = options.source
    if style == "long form" and options.measure is not None:
        table["measure"] = options.measure
    return table
