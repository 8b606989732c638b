"""Names of places and measures, settled for a table as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from forecast import locations
from forecast.data.tables import flows, places, units, words
from forecast.data.tables.grid import Grid
from forecast.data.tables.headings import told_by
from forecast.data.tables.layout import Layout
from forecast.data.tables.observations import Collected, Observation
from forecast.errors import DataError, ForecastError, UnknownNameError
from forecast.validation import MEASURES


@dataclass(frozen=True, slots=True)
class Told:
    """What the caller says of a table; None where the table is to say it."""

    measure: str | None = None
    source: str | None = None
    units: str | None = None
    location: str | None = None
    flows: str | None = None
    decimal: str | None = None


@dataclass
class Resolved:
    """A tidy table, how its rows are called, and what was found out on the way."""

    table: pd.DataFrame | None = None
    calls: list[str] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    unmatched: dict[str, tuple[str, ...]] = field(default_factory=dict)
    measures: dict[str, str] = field(default_factory=dict)
    units: list[str] = field(default_factory=list)
    decimal: str = ""
    notes: dict[str, None] = field(default_factory=dict)
    problems: list[tuple[int, ForecastError]] = field(default_factory=list)
    aside: set[int] = field(default_factory=set)


class Settling:
    """A table whose places and measures are being settled."""

    def __init__(self, grid: Grid, layout: Layout, found: Collected, told: Told) -> None:
        self.grid, self.layout, self.found, self.told = grid, layout, found, told
        self.out = Resolved()
        texts = [
            words.spaced(str(cell))
            for at in layout.above
            for cell in (grid.lines[at].cell(position) for position in grid.lines[at].filled)
        ]
        self.title = " ".join(texts)
        measures, scopes, self.title_unit, self.restricted, self.rates = _title(texts)
        self.title_measures = measures
        self.title_scope = scopes.pop() if len(scopes) == 1 else ""
        self.seen = found.observations

    def _problem(self, line: int, error: ForecastError) -> None:
        self.out.problems.append((line, error))

    def _where(self, one: Observation) -> str:
        return f"{self.grid.noun} {one.line.number}"

    def _codes(self) -> list[str]:
        """Return the code of each observation."""
        names = list(dict.fromkeys(one.place for one in self.seen if one.place))
        settled = places.settle(names)
        default = self._default_place() if any(not one.place for one in self.seen) else ""
        reported = set()
        for one in self.seen:
            name = one.place
            if not name or settled[name].code or name in reported:
                continue
            reported.add(name)
            self._unmatched(one, settled[name])
        for name, match in settled.items():
            if match.code:
                self.out.places[words.spaced(name)] = match.code
                if match.candidates:
                    others = ", ".join(code for code in match.candidates if code != match.code)
                    self.out.notes[
                        f"{name!r} is taken for {match.code}, as {others} stands in the table "
                        "under its own name"
                    ] = None
        return [settled[one.place].code if one.place else default for one in self.seen]

    def _default_place(self) -> str:
        if self.told.location is not None:
            match = places.match(self.told.location)
            if not match.code:
                error = locations.find  # the package's own message names the nearest codes
                try:
                    error(self.told.location)
                except UnknownNameError as unknown:
                    self._problem(0, unknown)
            return match.code
        country = places.country_in(self.title)
        if country is None:
            self._problem(
                0,
                DataError(
                    "nothing says of which place the figures are: no column of places, and no "
                    "country in the title. Say which, such as location='KAZ'."
                ),
            )
            return ""
        self.out.notes[
            f"the place is taken from the title: {locations.name(country)} ({country})"
        ] = None
        return country

    def _unmatched(self, one: Observation, match: places.Match) -> None:
        where = f"{self._where(one)}, column {one.column.label if one.column.place else 'location'}"
        name = words.spaced(one.place)
        if match.candidates:
            listed = " or ".join(f"{locations.name(code)} ({code})" for code in match.candidates)
            self.out.unmatched[name] = tuple(
                f"{locations.name(code)} ({code})" for code in match.candidates
            )
            self._problem(
                one.line.number,
                DataError(f"{where}: {name!r} may be {listed}. Write the code, or the full name."),
            )
            return
        near = places.nearest(name)
        self.out.unmatched[name] = near
        hint = (
            f"Did you mean {', '.join(near)}? Write the code or the known name"
            if near
            else "Write an ISO 3166 code or a known name"
        )
        self._problem(
            one.line.number,
            UnknownNameError(f"{where}: unknown location {name!r}. {hint}, or leave the row out."),
        )

    def _said(self) -> list[str]:
        """Return measure or family of each observation, as said by table, title or caller."""
        own = [one.measure for one in self.seen]
        given = self.told.measure
        if given is not None:
            named = {one.measure for one in self.seen if one.measure}
            if self.layout.of("measure"):
                raise DataError(
                    f"the table has a column 'measure' of its own; leave out measure={given!r}."
                )
            if named:
                raise DataError(
                    f"the table names its measures itself ({', '.join(sorted(named))}); leave out "
                    f"measure={given!r}."
                )
            return [given] * len(own)
        if all(own) or self.layout.style == "long form":
            return own
        titled = self.title_measures
        if len(titled) == 1 and not self.restricted:
            (measure,) = titled
            self.out.notes[f"the measure is taken from the title: {measure}"] = None
            return [said or measure for said in own]
        why = (
            "the title restricts what is counted"
            if self.restricted and titled
            else "found: "
            + (", ".join(c.label for c in self.layout.columns if c.label) or "no headings")
        )
        raise DataError(
            f"missing column 'measure'; {why}. A table needs the columns location, measure, year, "
            f"value; or say what is counted, such as measure='immigration'. "
            f"Measures: {', '.join(MEASURES)}."
        )

    def _table_unit(self) -> float | None:
        return units.UNITS[self.told.units] if self.told.units else self.title_unit

    def _contract(self) -> bool:
        """Whether the columns bear the names of the package, whose values are persons."""
        labels = {column.label.casefold() for column in self.layout.columns}
        return (
            "location" in labels or {"unique_id", "y"} <= labels or self.layout.style == "SDMX-CSV"
        )

    def _measures(self, codes: Sequence[str], said: Sequence[str]) -> list[str]:
        if self.layout.style == "long form":
            return [""] * len(said)
        made = []
        for one, code, family in zip(self.seen, codes, said):
            scope = self.told.flows or one.scope or self.title_scope
            try:
                measure, remark = flows.measure(family, scope, code)
            except DataError as error:
                self._problem(one.line.number, DataError(f"{self._where(one)}: {error}"))
                return []
            if remark:
                self.out.notes[remark] = None
            named = one.column.label if one.column.says.measure else family
            self.out.measures.setdefault(named, measure or f"{family} of all flows, not kept")
            made.append(measure)
        return made


def _title(texts: Sequence[str]) -> tuple[set[str], set[str], float | None, bool, bool]:
    measures: set[str] = set()
    scopes: set[str] = set()
    unit: float | None = None
    restricted = rates = False
    for text in texts:
        found, where, stated, narrow, rate = told_by(text)
        measures |= found
        scopes |= where
        unit = stated if stated is not None else unit
        restricted |= narrow
        rates |= rate
    return measures, scopes, unit, restricted, rates
