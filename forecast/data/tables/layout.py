"""Layout: where the headings are, what stands above them, and what each column holds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from forecast.data.tables import dates, pairs, places, sdmx
from forecast.data.tables.cells import Grid, Line, is_blank, looks_like_figure
from forecast.data.tables.columns import (
    PERIODS,
    Column,
    columns_of,
    is_numbering,
    names_measures,
    refuse_doubles,
)
from forecast.data.tables.headings import understand
from forecast.data.tables.words import folded, meaning, spaced
from forecast.errors import DataError

#: How far down headings are looked for.
_SEARCHED = 60


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are in a grid.

    Attributes
    ----------
    above, header : tuple of int
        Positions in ``grid.lines`` of titles and of headings.
    style : {"tidy", "years across", "months across", "places across", "SDMX-CSV", "long form"}
        Months across are without their year, which stands in a column, a section or the title.
    """

    above: tuple[int, ...]
    header: tuple[int, ...]
    columns: tuple[Column, ...]
    style: str

    def of(self, *roles: str) -> list[Column]:
        """Return the columns of some roles."""
        return [column for column in self.columns if column.role in roles]


def has_table(grid: Grid) -> bool:
    """Whether headings can be found and figures stand under them."""
    if pairs.is_matrix(grid):
        return True
    at = _first_header(grid.lines)
    return at is not None and any(
        looks_like_figure(cell) and not is_blank(cell)
        for line in grid.lines[at + 1 :]
        for cell in line.cells
    )


def find(grid: Grid, skip: Collection[str] = ()) -> Layout:
    """Find the layout of a table.

    Parameters
    ----------
    skip : collection of str
        Folded headings of columns that are left out, whatever they hold.

    Raises
    ------
    DataError
        If no row can be the heading, or headings contradict each other.
    """
    main = 0 if grid.keys else _first_header(grid.lines)
    if main is None:
        texts = next((line.texts for line in grid.lines if line.filled), [])
        shown = ", ".join(text[:30] for text in texts[:6])
        raise DataError(
            "no row was understood as the headings of a table; the first one holds: "
            f"{shown or 'nothing'}. A table needs the columns location, measure, year and value, "
            "or a column of places and one column per year."
        )
    if grid.keys or sdmx.is_sdmx(grid.lines[main].texts):
        return _without(_sdmx(grid, main), skip)
    levels = _levels(grid.lines, main)
    above = tuple(at for at in range(levels[0]) if grid.lines[at].filled)
    columns = columns_of(grid, levels)
    return _without(Layout(above, levels, columns, _style(columns)), skip)


def _without(layout: Layout, skip: Collection[str]) -> Layout:
    """Return the layout with the columns that are to be left out unused."""
    columns = tuple(
        replace(column, role="unused")
        if column.label and ({folded(column.label), folded(sdmx.name_of(column.label))} & set(skip))
        else column
        for column in layout.columns
    )
    return replace(layout, columns=columns)


def _sdmx(grid: Grid, main: int) -> Layout:
    """Return the layout of SDMX-CSV, or of Eurostat's files with the years across."""
    below = grid.lines[main + 1 :]
    columns: list[Column] = []
    for at, cell in enumerate(grid.lines[main].cells):
        heading = "" if is_blank(cell) else spaced(str(cell))
        if not heading:
            continue
        says = understand(heading) if at >= grid.keys > 0 else None
        if says is not None and says.dated:
            columns.append(Column(at, heading, "figures", says))
        elif columns and columns[-1].at == at - 1 and _labels(columns[-1].label, heading):
            filled = any(not is_blank(line.cell(at)) for line in below)
            doubled = columns[-1].role == "figures" and filled
            columns[-1] = replace(columns[-1], twin=at)
            columns.append(
                replace(columns[-1], at=at, label=heading, twin=-1)
                if doubled
                else Column(at, heading, "unused")
            )
        else:
            columns.append(Column(at, heading, *sdmx.role(heading)))
    columns = [_readable(column, columns, below) for column in columns]
    if not any(column.role == "measure" for column in columns):
        columns = [
            replace(column, role="measure")
            if column.role == "dimension" and names_measures(column, below)
            else column
            for column in columns
        ]
    refuse_doubles(columns)
    above = tuple(at for at in range(main) if grid.lines[at].filled)
    style = "years across" if grid.keys else "SDMX-CSV"
    return Layout(above, (main,), tuple(columns), style)


def _labels(identifier: str, heading: str) -> bool:
    """Whether a heading such as ``Reference area`` labels the codes of ``REF_AREA`` before it."""
    coded = identifier.isupper() or (identifier.islower() and " " not in identifier)
    named = heading[:1].isupper() and not heading.isupper()
    return coded and named and ":" not in identifier + heading


def _readable(column: Column, columns: Sequence[Column], below: Sequence[Line]) -> Column:
    """Take measures from their labels where the codes are not understood."""
    if column.role == "measure" and column.twin >= 0:
        twin = next(other for other in columns if other.at == column.twin)
        if not names_measures(column, below) and names_measures(twin, below):
            return replace(column, at=twin.at)
    return column


def _first_header(lines: Sequence[Line]) -> int | None:
    filled = ((position, line) for position, line in enumerate(lines) if line.filled)
    for position, line in islice(filled, _SEARCHED):
        if _is_header(line) or sdmx.is_sdmx(line.texts):
            return position
    return None


def _is_header(line: Line) -> bool:
    years = known = others = names = 0
    roles = []
    for at in line.filled:
        cell = line.cell(at)
        says = understand(cell)
        if says is not None:
            years += says.dated or bool(says.trouble and not says.measure)
            known += bool(says.measure or says.column)
            roles += [says.column] if says.column else []
        elif looks_like_figure(cell) and not (isinstance(cell, str) and meaning("column", cell)):
            others += 1
        elif isinstance(cell, str) and len(cell) < 60 and places.match(cell).code:
            names += 1
    if others:
        return False
    return (
        years >= 2
        or (years == 1 and known >= 1 and len(line.filled) >= 2 and names == 0)
        or known >= 2
        or (len(roles) == 1 and roles[0] in PERIODS and names >= 1)
    )


def _levels(lines: Sequence[Line], main: int) -> tuple[int, ...]:
    """Return the rows that make up the headings."""
    first = main
    while first > 0 and main - first < 2 and _is_upper(lines[first - 1]):
        first -= 1
    last = main
    while last + 1 < len(lines) and last - main < 3 and _is_lower(lines[last + 1], lines[main]):
        last += 1
    return tuple(range(first, last + 1))


def _is_upper(line: Line) -> bool:
    """Whether a row above the headings groups their columns."""
    headings = [(at, understand(line.cell(at))) for at in line.filled]
    grouping = [
        at
        for at, says in headings
        if says is not None and at > 0 and (says.measure or says.dated or says.scope)
    ]
    return (
        bool(grouping)
        and (len(headings) > 1 or headings[0][0] > 0)
        and not any(
            understand(line.cell(at)) is None and looks_like_figure(line.cell(at))
            for at in line.filled
        )
    )


def _is_lower(line: Line, main: Line) -> bool:
    """Whether a row below the headings divides their columns, or numbers them."""
    if not line.filled:
        return False
    if is_numbering(line):
        return True
    if line.filled[0] == 0 and not is_blank(main.cell(0)):
        return False
    if isinstance(dates.stated(line.cell(0)), dates.Part):
        return False
    headings = [(at, understand(line.cell(at))) for at in line.filled]
    return all(
        says is not None
        and bool(
            says.measure
            or says.dated
            or says.unit is not None
            or says.scope
            or (says.column and is_blank(main.cell(at)))
        )
        for at, says in headings
    )


def _style(columns: Sequence[Column]) -> str:
    roles = {column.role for column in columns}
    if "unique_id" in roles:
        return "long form"
    years = [c for c in columns if c.role == "figures" and c.says.dated]
    whole = all(c.says.year for c in years)
    tidy = [c for c in columns if c.role == "year" or c.says.column == "value"]
    if (
        years
        and tidy
        and all(c.role == "year" for c in tidy)
        and not any(c.says.year and (c.says.part or c.says.year.frequency != "year") for c in years)
    ):
        return "years across" if whole else "months across"
    if years and not whole:
        return "months across"
    if years and tidy:
        raise DataError(
            f"the table has a column {years[0].label!r} and a column {tidy[0].label!r}: years "
            "across and down. Give either one row per year or one column per year."
        )
    if any(column.place for column in columns):
        return "places across"
    return "years across" if years else "tidy"
