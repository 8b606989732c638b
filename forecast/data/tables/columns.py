"""Columns: what each one holds, by the headings above it and the cells below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from forecast.data.tables import dates, places
from forecast.data.tables.cells import Grid, Line, is_blank, looks_like_figure
from forecast.data.tables.headings import Heading, label_measure, understand
from forecast.data.tables.words import folded, meaning, spaced
from forecast.errors import DataError

#: Roles of columns that say the period of a row.
PERIODS = ("year", "month", "quarter", "half-year")
#: So many headings are listed in a message.
_LISTED = 40
#: Columns of UN files beside which all others may stand unread.
_UN_PROSPECTS = {"variant", "location code", "parent code"}
#: Roles that several columns of a table may have.
_SHARED = {
    "unknown", "unused", "trouble", "number", "code", "dimension", "describing", "unit",
    "unit_mult",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table.

    Attributes
    ----------
    at : int
        Position from 0.
    label : str
        Its heading as it stands, levels joined by `` / ``.
    role : str
        ``figures`` or a role of `Heading`; ``unused`` if it is not needed.
    place : str
        Name of a place that stands above the column, or empty.
    twin : int
        Position of a column with the labels of its codes, or -1.
    """

    at: int
    label: str
    role: str
    says: Heading = field(default_factory=Heading)
    place: str = ""
    twin: int = -1


def labels_of(columns: Iterable[Column]) -> str:
    """Return the headings of columns for a message; of very many, the first ones."""
    labels = [column.label for column in columns if column.label]
    more = f" and {len(labels) - _LISTED} more" if len(labels) > _LISTED else ""
    return ", ".join(labels[:_LISTED]) + more


def is_numbering(line: Line) -> bool:
    """Whether a row only numbers the columns: А, 1, 2, 3."""
    cells = [text.casefold() for text in line.texts]
    if len(cells) < 3:
        return False
    if cells[0] in {"а", "a", "б", "b"}:
        cells = cells[1:]
        if cells and cells[0] in {"б", "b", "в"}:
            cells = cells[1:]
    plain = [cell.removesuffix(".0") for cell in cells]
    numbers = [int(cell) for cell in plain if cell.isdecimal() and len(cell) <= 4]
    return (
        len(numbers) == len(cells) >= 2
        and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        and numbers[0] in {0, 1, 2}
    )


def columns_of(grid: Grid, levels: tuple[int, ...]) -> tuple[Column, ...]:
    """Return the columns under the headings of some rows, given by position.

    Parameters
    ----------
    grid : Grid
        The sheet; rows below the headings are taken for its figures.
    levels : tuple of int
        Positions of the rows of headings, from above to below.

    Returns
    -------
    tuple of Column
        From left to right; beyond the last heading only those with figures.

    Raises
    ------
    DataError
        If two columns have the same role.
    """
    rows = [grid.lines[at] for at in levels if not is_numbering(grid.lines[at])]
    below = grid.lines[levels[-1] + 1 :]
    width = max((line.filled[-1] + 1 for line in rows if line.filled), default=0)
    reach = max((line.filled[-1] + 1 for line in below if line.filled), default=0)
    # Long remarks under a table may stand in any column; figures may not.
    columns = [_column(at, _stack(rows, at), below) for at in range(width)]
    columns += [
        Column(at, "", "unknown")
        for at in range(width, reach)
        if any(looks_like_figure(line.cell(at)) and not is_blank(line.cell(at)) for line in below)
    ]
    columns = _measure_labels(columns, below)
    columns = [_parts_down(column, below) for column in columns]
    columns = _first_label(columns, below)
    columns = _places_across(columns)
    if any(column.says.part for column in columns):
        # What the months of a row add up to; the account lists it as not used.
        columns = [
            replace(column, role="unused")
            if column.role == "unknown" and meaning("total", column.label)
            else column
            for column in columns
        ]
    if {folded(column.label) for column in columns} >= _UN_PROSPECTS:
        columns = [
            replace(column, role="unused")
            if column.role == "trouble"
            or (column.role == "unknown" and folded(column.label) != "variant")
            else column
            for column in columns
        ]
    refuse_doubles(columns)
    return tuple(_population_role(columns))


def _stack(rows: Sequence[Line], at: int) -> list[object]:
    """Return the headings above a column; a grouping one reaches to the right."""
    own = [not is_blank(row.cell(at)) for row in rows]
    stack = []
    for level, row in enumerate(rows):
        if own[level]:
            stack.append(row.cell(at))
            continue
        if level == len(rows) - 1 or not any(own[level + 1 :]):
            continue
        left = next(
            (at - 1 - back for back in range(at) if not is_blank(row.cell(at - 1 - back))), None
        )
        if left is None:
            continue
        says = understand(row.cell(left))
        if says is not None and not (says.column and not says.measure):
            stack.append(row.cell(left))
    return stack


def _column(at: int, stack: list[object], below: Sequence[Line]) -> Column:
    label = " / ".join(spaced(str(cell)) for cell in stack)
    if not stack:
        empty = all(is_blank(line.cell(at)) for line in below)
        return Column(at, "", "unused" if empty else "unknown")
    says = Heading()
    unknown = False
    for cell in stack:
        heading = understand(cell)
        unknown |= heading is None
        says = says.over(heading or Heading())
    if unknown:
        return Column(at, label, "unknown", says)
    if says.trouble:
        return Column(at, label, "trouble", says)
    if says.figures:
        return Column(at, label, "figures", says)
    return Column(at, label, says.column or "unused", says)


def _measure_labels(columns: list[Column], below: Sequence[Line]) -> list[Column]:
    """Let a column whose cells are all measures name them, if no other does."""
    if any(c.role == "measure" or (c.role == "figures" and c.says.measure) for c in columns):
        return columns
    for position, column in enumerate(columns):
        if column.role in {"unknown", "dimension"} and names_measures(column, below):
            return [*columns[:position], replace(column, role="measure"), *columns[position + 1 :]]
    return columns


def names_measures(column: Column, below: Sequence[Line]) -> bool:
    """Whether all cells of a column are names of measures.

    Parameters
    ----------
    column : Column
        Of the lines below.
    below : sequence of Line
        The rows under the headings; blank cells do not count.

    Returns
    -------
    bool
        False where all cells are blank, or there are more than 20 different ones.
    """
    cells = {str(line.cell(column.at)) for line in below if not is_blank(line.cell(column.at))}
    return bool(cells) and len(cells) <= 20 and all(label_measure(cell) for cell in cells)


def _parts_down(column: Column, below: Sequence[Line]) -> Column:
    """Take a column without a heading for months or quarters where it holds nothing else."""
    if column.role != "unknown" or column.label:
        return column
    cells = [line.cell(column.at) for line in below if not is_blank(line.cell(column.at))]
    read = [dates.stated(cell) for cell in cells if not meaning("total", str(cell))]
    parts = [part for part in read if isinstance(part, dates.Part)]
    if len(parts) < 2 or len(parts) < len(read) or parts[0].frequency not in PERIODS:
        return column
    return replace(column, role=parts[0].frequency)


def _first_label(columns: list[Column], below: Sequence[Line]) -> list[Column]:
    """Take the first column of names for labels where no heading says which it is."""
    if any(column.role in {"location", "measure", "unique_id"} for column in columns):
        return columns
    for position, column in enumerate(columns):
        if column.role not in {"unknown", "code"}:
            continue
        cells = [line.cell(column.at) for line in below]
        texts = [c for c in cells if isinstance(c, str) and not is_blank(c)]
        words = [text for text in texts if not looks_like_figure(text)]
        if words and len(words) >= 0.5 * len(texts) and not column.says.figures:
            columns = list(columns)
            columns[position] = replace(column, role="location")
            break
    return columns


def _places_across(columns: list[Column]) -> list[Column]:
    """Let names of places stand above columns where the years go down."""
    if not any(column.role in PERIODS for column in columns):
        return columns
    if any(column.role in {"location", "figures"} for column in columns):
        return columns
    return [
        replace(column, role="figures", place=column.label)
        if column.role == "unknown"
        and column.label
        and (places.match(column.label).code or places.match(column.label).candidates)
        else column
        for column in columns
    ]


def _population_role(columns: Sequence[Column]) -> list[Column]:
    """Take population beside other figures for what rates refer to, alone for the measure."""
    figures = [c for c in columns if c.role == "figures"]
    people = [c for c in figures if c.says.measure == "population" and not c.says.dated]
    alone = len(people) == len(figures)
    return [c if alone or c not in people else replace(c, role="population") for c in columns]


def refuse_doubles(columns: Sequence[Column]) -> None:
    """Refuse two columns that say the same."""
    seen: dict[object, Column] = {}
    for column in columns:
        if column.role in _SHARED:
            key: object = column.label or column.at
        elif column.role == "figures":
            says = column.says
            key = (says.measure, says.scope, says.year, says.part, column.place, says.column)
        else:
            key = column.role
        if key in seen and column.label:
            raise DataError(
                f"the heading {column.label!r} occurs twice. Give each column its own heading."
                if column.label == seen[key].label
                else f"the headings {seen[key].label!r} and {column.label!r} mean the same. "
                "Keep one of the two columns."
            )
        seen[key] = column
