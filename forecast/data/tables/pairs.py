"""Origin–destination tables: long ones and matrices, as tables of corridors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from forecast.corridors import ENDS, FLOW
from forecast.data.tables import places
from forecast.data.tables.cells import Grid, Line, is_blank, looks_like_figure
from forecast.data.tables.words import Year, meaning, spaced, year
from forecast.errors import DataError

#: How far down headings are looked for, and how many places across make a matrix.
_SEARCHED, _LEAST = 60, 2
#: Between origin and destination, as `places.match` reads it.
_ARROW = " → "


def as_corridors(grid: Grid, name: str = "") -> Grid:
    """Return a table of origins and destinations as one of corridors; others as they are.

    Parameters
    ----------
    grid : Grid
        Long, with columns that are headed as origin and destination; or a matrix, with origins down
        and destinations across.
    name : str
        Of the file, which may say the year of a matrix.

    Returns
    -------
    Grid
        With columns ``location`` (origin → destination) and ``measure`` (flow), unless a column of
        the table says what is counted. A matrix has a row for each of its cells.

    Raises
    ------
    DataError
        If nothing says of which year a matrix is.
    """
    for position, line in islice(enumerate(grid.lines), _SEARCHED):
        ends = [_headed(line, end) for end in ENDS]
        if all(ends):
            return _long(grid, position, ends)
    at = _matrix_header(grid)
    if at is None:
        return grid
    when = _year_of(grid, at, name)
    if when is None:
        raise DataError(
            "a matrix of origins and destinations, and nothing says of which year. Write the year "
            "above it, or as the name of the sheet or file."
        )
    return _rewritten(grid, _cells(grid, at, when), "a matrix of origins and destinations")


def joined(grids: Sequence[Grid]) -> Grid | None:
    """Return the sheets of a workbook that are a matrix each, named by their year, as one table.

    None if some sheet is something else.
    """
    lines: list[Line] = []
    for grid in grids:
        at, when = _matrix_header(grid), year(grid.sheet)
        if at is None or when is None:
            return None
        lines += _cells(grid, at, when)
    names = ", ".join(grid.sheet for grid in grids)
    return _rewritten(grids[0], lines, f"a matrix of origins and destinations a sheet: {names}")


def is_matrix(grid: Grid) -> bool:
    """Whether origins stand down and destinations across."""
    return _matrix_header(grid) is not None


def _headed(line: Line, end: str) -> list[int]:
    """Return the columns of a row that are headed as one end of a corridor."""
    cells = ((at, line.cell(at)) for at in line.filled)
    return [at for at, cell in cells if isinstance(cell, str) and meaning("end", cell) == end]


def _long(grid: Grid, header: int, ends: Sequence[Sequence[int]]) -> Grid:
    """Join the columns of both ends into one of corridors."""
    below = grid.lines[header + 1 :]
    # Where names and codes stand beside each other, those that are understood best are read.
    ranked = [sorted(columns, key=lambda at: -_known(below, at)) for columns in ends]
    origin = ranked[0][0]
    others = {at for columns in ends for at in columns} - {origin}
    counted = any(meaning("column", str(cell)) == "measure" for cell in _texts(grid.lines[header]))
    width = max(len(line.cells) for line in grid.lines)

    def remade(line: Line, text: str, what: str) -> Line:
        cells = [*line.cells, *[None] * (width - len(line.cells))]
        cells[origin] = text
        for at in others:
            cells[at] = None
        return Line(line.number, (*cells, *([] if counted else [what])))

    lines = list(grid.lines[:header])
    lines.append(remade(grid.lines[header], "location", "measure"))
    for line in below:
        cells = ([line.cell(at) for at in columns] for columns in ranked)
        here, there = (
            next((spaced(str(cell)) for cell in column if not is_blank(cell)), "")
            for column in cells
        )
        lines.append(line if not here + there else remade(line, _corridor(here, there), FLOW))
    return replace(grid, lines=tuple(lines))


def _texts(line: Line) -> list[object]:
    return [line.cell(at) for at in line.filled if isinstance(line.cell(at), str)]


def _known(lines: Sequence[Line], at: int) -> int:
    """Return how many cells of a column are codes of places, or their names."""
    cells = [line.cell(at) for line in islice(lines, 200)]
    texts = [cell for cell in cells if isinstance(cell, str) and not is_blank(cell)]
    return sum(2 if len(text.strip()) == 3 else 1 for text in texts if places.match(text).code)


def _corridor(origin: str, destination: str) -> str:
    """Return the text of a corridor; of a total or a group of countries as such."""
    for end in (origin, destination):
        if _is_group(end):
            return "World"
    return f"{origin}{_ARROW}{destination}"


def _is_group(text: str) -> bool:
    if places.match(text).code:
        return False
    return meaning("total", text) is not None or places.is_aggregate(text)


def _is_place(cell: object) -> bool:
    return isinstance(cell, str) and year(cell) is None and bool(places.match(cell).code)


def _matrix_header(grid: Grid) -> int | None:
    """Return the position of the row with the destinations; None if there is none."""
    for at, line in islice(enumerate(grid.lines), _SEARCHED):
        across = [c for c in line.filled if c > 0 and _is_place(line.cell(c))]
        texts = [str(line.cell(c)) for c in line.filled if c > 0]
        if len(across) < _LEAST or len(across) < 0.6 * sum(not _is_group(one) for one in texts):
            continue
        if any(meaning("column", str(cell)) == "year" for cell in _texts(line)):
            return None
        down = [one for one in grid.lines[at + 1 :] if _is_place(one.cell(0))]
        figures = [
            cell
            for one in down
            for cell in map(one.cell, across)
            if not is_blank(cell) and looks_like_figure(cell)
        ]
        return at if down and figures else None
    return None


def _year_of(grid: Grid, header: int, name: str) -> Year | None:
    """Return the year that a title, the corner, the sheet or the name of the file states."""
    corner = grid.lines[header].cell(0)
    titles = [cell for line in grid.lines[:header] for cell in map(line.cell, line.filled)]
    texts = [*titles, *([] if is_blank(corner) else [corner]), grid.sheet, name]
    for text in texts:
        words = str(text).replace("_", " ").replace("-", " ").replace(",", " ").split()
        found = {when for word in words if (when := year(word)) is not None}
        if len(found) == 1:
            return found.pop()
    return None


def _cells(grid: Grid, header: int, when: Year) -> list[Line]:
    """Return a row for each cell of a matrix, without its diagonal and sums."""
    top = grid.lines[header]
    across = {}
    for at in (at for at in top.filled if at > 0):
        text = spaced(str(top.cell(at)))
        if _is_place(text):
            across[at] = text
        elif not _is_group(text):
            raise DataError(
                f"{grid.where(top)}: {text!r} among the destinations is no place that is known. "
                "Write an ISO 3166 code, or leave the column out of the file."
            )
    lines = []
    for line in grid.lines[header + 1 :]:
        first = spaced(str(line.cell(0))) if not is_blank(line.cell(0)) else ""
        held = [at for at in across if not is_blank(line.cell(at))]
        if not held or _is_group(first):
            lines.append(Line(line.number, (first or None,) if not held else (None,)))
            continue
        for at in held:
            if (line.number, at) in grid.broken:
                reason = grid.broken[line.number, at]
                raise DataError(
                    f"{grid.where(line)}, column {across[at]}: the cell holds {reason}."
                )
            if places.match(first).code != places.match(across[at]).code:
                text = f"{first}{_ARROW}{across[at]}"
                lines.append(Line(line.number, (text, FLOW, when.year, line.cell(at))))
    return lines


def _rewritten(grid: Grid, lines: Sequence[Line], what: str) -> Grid:
    heading = Line(1, ("location", "measure", "year", "value"))
    remark = f"{what}, a row of figures for each cell"
    return replace(
        grid, lines=(heading, *lines), remarks=(*grid.remarks, remark), broken={}, flags={}
    )
