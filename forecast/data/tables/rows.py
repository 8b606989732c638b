"""Rows: each one becomes observations, or is reported with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from forecast.data.tables import words
from forecast.data.tables.cells import (
    MOST_FIGURES,
    MOST_PROBLEMS,
    Grid,
    Line,
    is_blank,
    is_missing,
    looks_like_figure,
)
from forecast.data.tables.columns import PERIODS, Column, is_numbering
from forecast.data.tables.headings import Heading, label_measure, understand
from forecast.data.tables.layout import Layout
from forecast.data.tables.reading import ACCEPTED, Collected, Observation, Row
from forecast.data.tables.row_attributes import RowAttributes, RowLabels, is_place
from forecast.data.tables.words import folded, meaning, meanings_inside, spaced
from forecast.errors import DataError, ForecastError


def collect(grid: Grid, layout: Layout, skip: Iterable[str] = ()) -> Collected:
    """Walk through the rows below the headings.

    Parameters
    ----------
    skip : iterable of str
        Labels of rows that are to be left out.
    """
    return _Walk(grid, layout, {folded(name) for name in skip}).go()


class _Walk:
    """Walks down the rows and keeps the sections above in mind."""

    def __init__(self, grid: Grid, layout: Layout, skip: set[str]) -> None:
        self.grid = grid
        self.layout = layout
        self.skip = skip
        self.out = Collected()
        # What the sections above a row say.
        self.place = ""
        self.measure = Heading()
        self.unit: float | None = None
        self.figures = [
            c for c in layout.of("figures") if folded(c.label) not in skip or not c.label
        ]
        # What a row with figures may begin with, so that the same is not looked at again.
        self.labels_seen: set[object] = set()
        self.heads = {self._shape(grid.lines[at]) for at in layout.header}
        self.starts = {shape[0] for shape in self.heads if shape}
        self.broken_rows = {row for row, _ in grid.broken}
        self.roles = {c.role: c for c in layout.columns if c.role not in {"figures", "unused"}}
        self.labels = RowLabels(grid, layout, self.roles)
        self.keys = layout.of("location", "measure", "year", "unique_id")
        self.attributes = RowAttributes(grid, layout, self.roles)
        self.header_cells = len(grid.lines[layout.header[-1]].cells)
        self.width = max(len(grid.lines[at].cells) for at in layout.header)
        read = [c.at for c in layout.columns if c.role != "unused" and c.at < self.width]
        self.least = 1 + max(read, default=0)
        self.across = layout.style in {"years across", "months across", "places across"}
        # The year of rows and columns that only name a month.
        titled = [words.year_inside(text) for at in layout.above for text in grid.lines[at].texts]
        named = {year for year in titled if year is not None}
        self.year = words.Year(named.pop()) if len(named) == 1 else None

    def go(self) -> Collected:
        below = range(self.layout.header[-1] + 1, len(self.grid.lines))
        for position in below:
            line = self.grid.lines[position]
            fate, detail = self._row(position, line)
            if fate != ACCEPTED:
                detail = detail or spaced(" ".join(line.texts))[:80]
            self.out.rows[position] = Row(line.number, fate, detail)
            if len(self.out.problems) >= MOST_PROBLEMS:
                break
            if len(self.out.observations) > MOST_FIGURES:
                raise DataError(
                    f"the table has more than {MOST_FIGURES:,} figures. Keep the series that are "
                    "wanted, and leave out the rest."
                )
        return self.out

    def _shape(self, line: Line) -> tuple[str, ...]:
        return tuple(text.casefold() for text in line.texts)

    def _first(self, line: Line) -> str:
        return spaced(str(line.cells[line.filled[0]])).casefold() if line.filled else ""

    def _row(self, position: int, line: Line) -> tuple[str, str]:
        if not line.filled and line.number not in self.broken_rows:
            return "empty", ""
        if self._first(line) in self.starts and self._shape(line) in self.heads:
            return "heading repeated", ""
        if not self.out.observations and is_numbering(line):
            return "column numbers", ""
        filled, broken = line.filled, self.grid.broken
        held = [c for c in self.figures if c.at in filled or (line.number, c.at) in broken]
        texts = self.labels.texts(line)
        if self.skip and any(folded(text) in self.skip for text in texts.values()):
            return "left out as asked", ""
        if self._is_remark(line, held):
            if len(line.filled) > 1:
                return "footnote", ""
            return self._without_figures(position, line, texts)
        uneven = self._uneven(line)
        if uneven:
            return self._problem(position, uneven)
        if not held:
            return self._without_figures(position, line, texts)
        return self._with_figures(position, line, texts, held)

    def _broken(self, line: Line, column: Column) -> bool:
        return (line.number, column.at) in self.grid.broken

    def _is_remark(self, line: Line, held: Sequence[Column]) -> bool:
        """Whether a row is a remark, even if commas of it divide it into cells."""
        first = line.cell(line.filled[0]) if line.filled else None
        if held and len(line.filled) > 1 and first in self.labels_seen:
            return False
        remark = self._says_remark(line, first, held)
        if held and len(line.filled) > 1 and not remark and line.filled[0] == 0:
            self.labels_seen.add(first)
        return remark

    def _says_remark(self, line: Line, first: object, held: Sequence[Column]) -> bool:
        if not isinstance(first, str) or looks_like_figure(first) or is_place(first):
            return False
        if len(line.filled) == 1:
            return not held or len(spaced(first)) > 25
        start = spaced(first).split(":")[0]
        return line.filled[0] == 0 and (
            meaning("footnote", start) is not None
            or first.lstrip()[:1] in "*¹²³⁴†"
            or (not held and len(spaced(first)) > 40)
        )

    def _without_figures(self, position: int, line: Line, texts: dict[int, str]) -> tuple[str, str]:
        """Take a row without figures for a section, a remark or a footnote."""
        filled = line.texts
        first = filled[0]
        keys = [column for column in self.keys if not is_blank(line.cell(column.at))]
        if self.layout.style in {"tidy", "SDMX-CSV", "long form"} and len(keys) >= 2:
            return self._with_figures(position, line, texts, self.figures)
        if self.across and len(keys) >= 2:
            return "no figures", ""
        if len(filled) == 1 or not self.across:
            measured = label_measure(first)
            if measured is not None and len(filled) == 1:
                self.measure = measured
                self.unit = measured.unit
                return "section", ""
            alone = understand(line.cell(line.filled[0])) if len(filled) == 1 else None
            if alone is not None and alone.year and alone.year.frequency == "year":
                self.year = alone.year
                return "section", ""
            if alone is not None and alone.unit is not None and not alone.measure:
                self.unit = alone.unit
                return "section", ""
        if texts and is_place(first) and self.across:
            self.place = first
            return "section", ""
        if meaning("part", first):
            return "part of a row above", ""
        if meaning("total", first) and len(filled) == 1:
            return "total row", ""
        if len(filled) > 1 and len(keys) >= 1 and not self.across:
            return self._with_figures(position, line, texts, self.figures)
        return ("footnote" if self._is_footnote(first) else "remark"), ""

    def _is_footnote(self, text: str) -> bool:
        return bool(
            meanings_inside("footnote", text)
            or text[:1] in "*¹²³⁴†"
            or text[:2].rstrip(").").isdecimal()
            or self.out.observations
        )

    def _uneven(self, line: Line) -> DataError | None:
        """Refuse rows of a CSV file that have fewer or more cells than the headings."""
        if self.grid.kind != "CSV":
            return None
        cells = len(line.cells)
        used = max(line.filled, default=-1) + 1
        width, least = self.width, self.least
        # A label alone, as of a section, needs no empty cells behind it.
        if used <= width and (cells >= least or used <= 1):
            return None
        shown = self.grid.delimiter.join(str(cell) for cell in line.cells)[:60]
        return DataError(
            f"line {line.number} has {cells} cells, the header {self.header_cells}: "
            f"{shown!r}. Add or remove cells so that they agree."
        )

    def _with_figures(
        self, position: int, line: Line, texts: dict[int, str], held: Sequence[Column]
    ) -> tuple[str, str]:
        """Make observations of a row, or say why not."""
        try:
            kind, place, measured = self.labels.of(line, texts)
            if kind == "part":
                return "part of a row above", ""
            if kind == "aggregate":
                self.out.aggregates.setdefault(place)
                return "group of countries", ""
            observations = [self._observe(line, column, place, measured, kind) for column in held]
        except ForecastError as error:
            # "Итого" below months or years; of places it is a kind of row.
            if any(meaning("total", str(line.cell(c.at))) for c in self.layout.of(*PERIODS)):
                return "total row", ""
            return self._problem(position, error)
        if kind == "total":
            self.out.totals.extend(observations)
            return "total row", ""
        if not observations:
            return "no figures", ""
        if self.across and all(
            (isinstance(one.cell, str) and is_missing(one.cell)) or is_blank(one.cell)
            for one in observations
        ):
            return "every figure missing", ""
        self.out.observations.extend(observations)
        return ACCEPTED, ""

    def _observe(
        self, line: Line, column: Column, place: str, measured: Heading | None, kind: str
    ) -> Observation:
        says, section = column.says, self.measure
        if place and self.across:
            self.place = place
        row = measured or Heading()
        measure = row.measure or says.measure or section.measure
        if measured is not None and says.measure and says.measure != row.measure:
            raise DataError(
                f"{self.grid.where(line)}: the row says {row.measure}, column {column.label!r} "
                f"says {says.measure}. Name the measure once."
            )
        scope = row.scope or says.scope or section.scope
        stated = self._period(line, column)
        attributes = self.attributes.attributes(line)
        units = (self.attributes.unit(line), row.unit, says.unit, section.unit, self.unit)
        unit = next((one for one in units if one is not None), None)
        flags = list(attributes.pop("flags", ()))  # type: ignore[call-overload]
        flags += self.grid.flags.get((line.number, column.at), ())
        if stated.provisional:
            flags.append("provisional")
        cell: object = None if attributes.pop("absent", False) else line.cell(column.at)
        if self._broken(line, column):
            reason = self.grid.broken[line.number, column.at]
            raise DataError(
                f"{self.grid.where(line)}, column {column.label}: the cell holds {reason}."
            )
        where = column.place or place
        if not where and kind != "total":
            where = self._place_above(line, measured)
        return Observation(
            line, column, cell, where, measure, scope, stated, unit, tuple(flags), attributes
        )

    def _period(self, line: Line, column: Column) -> words.Year:
        """Return the period of a figure, by its column, its row and the section above."""
        says = column.says
        if says.year is not None and says.part is None:
            return self.attributes.part_of(line, column, says.year)
        if says.part is None:
            return self.attributes.year(line, self.year)
        beside = self.roles.get("year")
        cell = None if beside is None else line.cell(beside.at)
        year = says.year or (self.attributes.year(line, None) if not is_blank(cell) else self.year)
        if year is None or year.frequency != "year":
            raise DataError(
                f"{self.grid.where(line)}: nothing says of which year the months are. Give a "
                "column year, or write the year above the months."
            )
        return says.part.of(year)

    def _place_above(self, line: Line, measured: Heading | None) -> str:
        """Return the place of the section for a row that only names its measure."""
        labelled = self.roles.get("location")
        if labelled is None or "unique_id" in self.roles:
            return self.place
        if measured is not None and self.across:
            return self.place
        raise DataError(
            f"{self.grid.where(line)}, column {labelled.label or 'location'}: empty. "
            "Write an ISO 3166 code or a name in every row."
        )

    def _problem(self, position: int, error: ForecastError) -> tuple[str, str]:
        self.out.problems.append((position, error))
        return "problem", str(error)
