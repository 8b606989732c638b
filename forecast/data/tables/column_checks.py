"""Columns and units that would be lost or misread: refused, one message each."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from forecast import measures
from forecast.data.tables import sdmx, words
from forecast.data.tables.cells import Grid, is_blank, looks_like_figure
from forecast.data.tables.columns import PERIODS, Column, labels_of
from forecast.data.tables.labels import Context
from forecast.data.tables.layout import Layout
from forecast.errors import DataError, ForecastError
from forecast.language import LANGUAGES
from forecast.validation import COLUMNS, MEASURES

_NEEDED = "A table needs the columns location, measure, year, value, or one column per year."


def column_problems(grid: Grid, layout: Layout) -> list[ForecastError]:
    """Return what is wrong with the columns: figures not understood, parts of a whole.

    Parameters
    ----------
    grid : Grid
        The cells of the table.
    layout : Layout
        Its headings and columns.
    """
    below = grid.lines[layout.header[-1] + 1 :]
    width = max(len(grid.lines[at].cells) for at in layout.header)
    problems: list[ForecastError] = []
    for column in layout.columns:
        if column.role not in {"trouble", "dimension", "place_type", "unknown"}:
            continue
        cells = [line.cell(column.at) for line in below if not is_blank(line.cell(column.at))]
        if column.role == "trouble":
            problems += _trouble(column, cells)
        elif column.role == "dimension":
            problems += _dimension(column, _labelled(column, below))
        elif column.role == "place_type":
            problems += _place_type(column, cells)
        elif column.role == "unknown" and column.label:
            problems += _unknown(column, cells, layout)
        elif column.role == "unknown" and (column.at < width or grid.kind != "CSV"):
            problems += _unnamed(column, cells)
    missing = _missing(layout, bool(problems))
    return [*missing, *problems] if not layout.of("figures", "y") else [*problems, *missing]


def _labelled(column: Column, below: Sequence[object]) -> list[object]:
    """Return the cells of a column of codes, each with its label from the column beside it."""
    cells: dict[str, None] = {}
    for line in below:
        code = line.cell(column.at)  # type: ignore[attr-defined]
        if not is_blank(code):
            label = line.cell(column.twin) if column.twin >= 0 else None  # type: ignore[attr-defined]
            cells.setdefault(str(code) if is_blank(label) else f"{code}: {label}")
    return list(cells)


def _trouble(column: Column, cells: Sequence[object]) -> Iterator[ForecastError]:
    if any(looks_like_figure(cell) for cell in cells):
        label = column.label or f"column {column.at + 1}"
        yield DataError(
            f"column {label!r} is {column.says.trouble}. Leave it out, or say skip=[{label!r}]."
        )


def _unnamed(column: Column, cells: Sequence[object]) -> Iterator[ForecastError]:
    if any(looks_like_figure(cell) for cell in cells):
        yield DataError(
            f"column {column.at + 1} has no heading. Give it one, or remove the column."
        )


def _unknown(column: Column, cells: Sequence[object], layout: Layout) -> Iterator[ForecastError]:
    """Refuse a column whose heading is not known, unless all its cells stand for the whole."""
    label = column.label
    near = difflib.get_close_matches(label.casefold(), [*COLUMNS, *MEASURES], n=1, cutoff=0.8)
    if near or any(looks_like_figure(cell) for cell in cells):
        hint = f"Did you mean {near[0]!r}? " if near else ""
        yield DataError(
            f"the heading {label!r} is not understood; found: {labels_of(layout.columns)}. {hint}"
            f"Rename the column, remove it, or say skip=[{label!r}]."
        )
        return
    yield from _dimension(column, cells)


def _dimension(column: Column, cells: Sequence[object]) -> Iterator[ForecastError]:
    """Refuse a dimension whose values are a part of the whole, or divide it."""
    label = column.label
    values = sorted({words.spaced(str(cell)) for cell in cells if not is_blank(cell)})
    if all(sdmx.is_whole(label, value) for value in values):
        return
    shown = ", ".join(value if len(value) <= 40 else f"{value[:40]}…" for value in values[:6])
    if sdmx.name_of(label) == "FREQ":
        codes = ", ".join(sorted({sdmx.code(value) for value in values}))[:40]
        yield DataError(
            f"column {label}: frequency {codes!r}; figures by year (A), half-year (S), quarter "
            "(Q) and month (M) are read. Keep the rows of one of them."
        )
    elif len(values) > 1:
        yield DataError(
            f"column {label} divides the figures into {shown}. Keep the rows of one value, such "
            f"as the total; or say skip=[{label!r}], if it does not change what is counted."
        )
    else:
        yield DataError(
            f"column {label}: all figures are of {shown!r}, which may be a part of the whole. Give "
            f"the rows of the total; or say skip=[{label!r}], if {shown!r} is what is wanted."
        )


def refuse_units(context: Context) -> None:
    """Note a problem for each stated unit that is not the measure's; persons are never assumed.

    What stands nearest to a figure counts: its row, its heading, the title.
    """
    if context.options.units is not None:
        return
    columns, seen = context.layout.of("unit"), set()
    found: dict[str, None] = {}
    for one in context.observations:
        name = one.kept or context.options.measure or ""
        cells = [(f"column {column.label}", one.line.cell(column.at)) for column in columns]
        unstated = one.unit is None and context.title_unit is None
        key = (name, one.column.label, unstated, *(str(cell) for _, cell in cells))
        if key in seen:
            continue
        seen.add(key)
        counted = measures.known().get(name) or measures.find("immigration")
        texts = [
            (where, words.spaced(str(cell)), True) for where, cell in cells if not is_blank(cell)
        ]
        texts += [("a heading", one.column.label, False), ("the title", context.title, False)]
        for where, text, whole in texts:
            trouble = _unit(text, counted, whole, unstated)
            if trouble:
                found.setdefault(f"{where}: {trouble}")
            if trouble or words.terms("currency", text) or words.terms("rate", text):
                break
    for trouble in found:
        context.problem(0, DataError(trouble))


def _unit(text: str, counted: measures.Measure, whole: bool, unstated: bool) -> str:
    """Return why figures are none of a measure's, by the unit that a text names or is as a whole.

    `unstated` is whether nothing in the table says a multiple.
    """
    unit, rate = counted.unit.en, counted.kind == "rate"
    if words.folded(text) in {words.folded(counted.unit.said(code)) for code in LANGUAGES}:
        return ""
    said, ours = (words.terms("rate" if rate else "currency", one) for one in (text, unit))
    size = words.unit_of(text)
    if whole and size == "rate" and not rate:
        return f"{text!r} is a rate or a share. Give counts of persons."
    other = bool(said or (whole and rate and ours)) and not said & ours
    if (other and (ours or rate)) or (whole and rate and size != "rate"):
        return (
            f"{text[:80]!r} is not in {unit}, the unit of {counted.name}. Give figures in {unit}, "
            f"or declare a measure in that unit: fc.measure(name, kind={counted.kind!r}, unit=...)."
        )
    if whole and not rate and (other or (size is None and not said)):
        return (
            f"the unit {text!r} is not understood. Write {unit}, thousands or millions, or say "
            "units='persons', 'thousands' or 'millions'."
        )
    if unstated and said and not rate and words.stated(unit) not in (None, 1.0):
        return (
            f"{text[:80]!r} says no multiple, and {counted.name} is in {unit}. Say whether figures "
            "are units='persons' (ones), 'thousands' or 'millions'."
        )
    return ""


def _place_type(column: Column, cells: Sequence[object]) -> list[ForecastError]:
    """Refuse a column "type" that speaks of something else than kinds of places."""
    texts = [words.spaced(str(cell)) for cell in cells]
    if all(words.meaning("place_type", text) for text in texts):
        return []
    return list(_dimension(column, texts))


def _missing(layout: Layout, others: bool) -> Iterator[ForecastError]:
    """Say which column is missing without which no figure can be read."""
    labels = labels_of(layout.columns)
    if not layout.of("figures", "y"):
        yield DataError(f"missing column 'value'; found: {labels or 'none'}. {_NEEDED}")
    elif not others and layout.style == "tidy" and not layout.of(*PERIODS):
        yield DataError(f"missing column 'year'; found: {labels}. {_NEEDED}")
