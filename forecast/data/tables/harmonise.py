"""Observations to a tidy table: names, measures, numbers and units settled for all at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecast import locations
from forecast.data.tables import flows, numbers, places, scale, words
from forecast.data.tables.grid import Grid
from forecast.data.tables.layout import Layout
from forecast.data.tables.marks import Marks
from forecast.data.tables.numbers import Figure
from forecast.data.tables.observations import Collected, Observation
from forecast.data.tables.settle import Resolved, Told
from forecast.errors import DataError


def resolve(grid: Grid, layout: Layout, found: Collected, told: Told) -> Resolved:
    """Settle everything that can only be known of a table as a whole."""
    return _Table(grid, layout, found, told).go()


class _Table(Marks):
    """The table being resolved, stage by stage."""

    def go(self) -> Resolved:
        if not self.seen:
            return self.out
        if self.rates and self.told.units is None and not any(one.unit for one in self.seen):
            self._problem(
                0,
                DataError(
                    f"the title speaks of rates or shares: {self.title[:80]!r}. Give counts of "
                    "persons, or say units='persons' if they are."
                ),
            )
        codes = self._codes()
        said = self._said()
        if self.out.problems:
            return self.out
        measures = self._measures(codes, said)
        if self.out.problems:
            return self.out
        figures = self._figures(codes, measures)
        if self.out.problems:
            return self.out
        self._build(codes, said, measures, figures)
        return self.out

    def _figures(self, codes: Sequence[str], measures: Sequence[str]) -> list[Figure]:
        texts = [one.cell for one in self.seen if isinstance(one.cell, str)]
        hint = "," if self.grid.delimiter == ";" else ""
        found = numbers.convention(texts, self.told.decimal, hint)
        if found.clash:
            self._problem(
                0,
                DataError(
                    f"{found.clash[0].strip()!r} and {found.clash[1].strip()!r} have different "
                    "decimal marks. Write all figures in one way, or say decimal=',' or '.'."
                ),
            )
            return []
        decimal, reason = found.decimal, found.reason
        if found.unclear:
            decimal, reason = self._unclear(found, codes, measures)
        self.out.decimal = f"{decimal!r} ({reason})" if decimal else reason
        made = []
        told = set()
        for one in self.seen:
            figure = numbers.figure(one.cell, decimal or ".")
            if figure.state == "unclear":
                label = one.column.label or f"{one.column.at + 1}"
                shown = words.spaced(one.cell) if isinstance(one.cell, str) else one.cell
                told.add(one.line.number)
                self._problem(
                    one.line.number,
                    DataError(
                        f"{self._where(one)}, column {label}: {shown!r} is not a number. Write "
                        "persons as digits with a point for decimals, and leave a missing figure "
                        "empty."
                    )
                    if isinstance(one.cell, str)
                    else DataError(
                        f"{self._where(one)}, column {label}: {one.cell} is not a count of "
                        "persons. Write digits, and leave a missing figure empty."
                    ),
                )
            made.append(figure)
        marks = sum(bool(figure.marks) for figure in made)
        if marks:
            self.out.notes[f"footnote marks behind {marks} figures were set aside"] = None
        return made

    def _build(
        self, codes: Sequence[str], said: Sequence[str], measures: Sequence[str],
        figures: Sequence[Figure],
    ) -> None:  # fmt: skip
        known = [
            (code, measure, one.year, figure.value)
            for one, code, measure, figure in zip(self.seen, codes, measures, figures)
        ]
        try:
            factors, self.out.units = scale.resolve(
                self.seen, known, [figure.decimals for figure in figures],
                self.told.units, self.title_unit, self._contract(),
            )  # fmt: skip
        except DataError as error:
            self._problem(0, error)
            return
        values = np.array([figure.value for figure in figures]) * np.array(factors)
        # A product such as 17.425 * 1000 is a whole number of persons.
        whole = np.array(factors) > 1
        values = np.where(whole, np.round(values, 6), values)
        roundings = self._roundings(codes, said, factors, figures)
        self._crosscheck(codes, said, values, roundings)
        self._check_totals(figures, factors)
        rows, calls = [], []
        kept: set[int] = set()
        for at, one in enumerate(self.seen):
            if not measures[at] and self.layout.style != "long form":
                continue
            kept.add(one.line.number)
            rows.append(
                self._row(
                    one, codes[at], measures[at], float(values[at]), roundings[at], factors[at]
                )
            )
            calls.append(self._where(one))
        self.out.aside = {one.line.number for one in self.seen} - kept
        if rows:
            self.out.table = _frame(rows, self.layout.style, self.told)
            self.out.calls = calls

    def _roundings(
        self, codes: Sequence[str], said: Sequence[str], factors: Sequence[float],
        figures: Sequence[Figure],
    ) -> list[float]:  # fmt: skip
        """Return to what each figure is rounded, by the decimals its series shows."""
        shown: dict[tuple[str, str], int] = {}
        for code, family, figure in zip(codes, said, figures):
            key = (code, family)
            shown[key] = max(shown.get(key, 0), figure.decimals)
        return [
            max(1.0, factor / 10.0 ** shown[code, family])
            for code, family, factor in zip(codes, said, factors)
        ]

    def _crosscheck(
        self,
        codes: Sequence[str],
        said: Sequence[str],
        values: np.ndarray,
        roundings: Sequence[float],
    ) -> None:
        held: dict[tuple[str, str, int], dict[str, tuple[float, float]]] = {}
        exact = {
            "immigration": "arrivals", "emigration": "departures", "net_migration": "net",
        }  # fmt: skip
        for one, code, family, value, rounding in zip(self.seen, codes, said, values, roundings):
            name = exact.get(family, family)
            if name in flows.FAMILY and np.isfinite(value):
                named = [str(one.attributes.get(name, "")) for name in ("source", "as_of")]
                source = "/".join([*named, one.scope])
                held.setdefault((source, code, one.year), {})[name] = (float(value), rounding)
        notes, problems = flows.crosscheck(held)
        for note in notes:
            self.out.notes[note] = None
        for problem in problems:
            self._problem(0, problem)

    def _check_totals(self, figures: Sequence[Figure], factors: Sequence[float]) -> None:
        """Hold total rows against the rows of regions, column by column."""
        if len({one.line.number for one in self.found.totals}) != 1:
            return
        decimal = self.out.decimal[1:2] if self.out.decimal[:1] == "'" else "."
        sums = []
        for total in self.found.totals:
            stated = numbers.figure(total.cell, decimal)
            parts = [
                figure
                for one, figure in zip(self.seen, figures)
                if one.column.at == total.column.at
                and not locations.find(places.match(one.place).code or "KAZ").is_country
            ]
            if stated.state != "number" or not parts or any(p.state != "number" for p in parts):
                continue
            summed = sum(figure.value for figure in parts)
            # Whole persons add up exactly; rounded thousands by half a step each.
            step = 10.0 ** -max(figure.decimals for figure in (*parts, stated))
            allowed = step * (1 + len(parts)) / 2 if max(factors) > 1 or step < 1 else 0.0
            sums.append((total.column.label, stated.value, summed, allowed))
        for note in flows.totals(sums):
            self.out.notes[note] = None

    def _row(
        self,
        one: Observation,
        code: str,
        measure: str,
        value: float,
        rounding: float,
        factor: float,
    ) -> dict[str, object]:
        row: dict[str, object] = {
            "location": code, "measure": measure, "year": one.year, "value": value,
        }  # fmt: skip
        if self.layout.style == "long form":
            row = {"unique_id": one.attributes.get("unique_id"), "ds": one.year, "y": value}
        for name in ("source", "as_of"):
            if name in one.attributes:
                cell = one.attributes[name]
                row[name] = words.spaced(cell) if isinstance(cell, str) else cell
        for name in ("population", "precision"):
            if name in one.attributes:
                row[name] = self._attribute(one, name)
        if one.flags:
            row["flag"] = ";".join(flag for flag in one.flags if flag)
        if factor >= 1000 and "precision" not in row:
            row["precision"] = rounding
        return row

    def _attribute(self, one: Observation, name: str) -> object:
        """Return population in persons, or precision, as a number where it is one."""
        cell = one.attributes[name]
        decimal = self.out.decimal[1:2] if self.out.decimal[:1] == "'" else "."
        figure = numbers.figure(cell, decimal)
        if figure.state == "unclear":
            return words.spaced(cell) if isinstance(cell, str) else cell
        if name == "precision":
            return figure.value
        column = next(c for c in self.layout.columns if c.role == "population")
        unit = column.says.unit
        if unit is None:
            unit = self._table_unit()
        return figure.value * (unit or 1.0)


def _frame(rows: Sequence[dict[str, object]], style: str, told: Told) -> pd.DataFrame:
    table = pd.DataFrame(list(rows))
    for name in ("source", "as_of", "flag"):
        if name in table:
            table[name] = table[name].astype(object)
    if told.source is not None:
        if "source" in table:
            raise DataError(
                f"the table has a column 'source' of its own; leave out source={told.source!r}."
            )
        table["source"] = told.source
    if style == "long form" and told.measure is not None:
        table["measure"] = told.measure
    return table
