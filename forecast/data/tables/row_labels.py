"""Labels of a row: its place, what it measures, and whether it is a total or a part of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from forecast.data.tables import places, sdmx
from forecast.data.tables.columns import Column
from forecast.data.tables.grid import Grid, Line
from forecast.data.tables.headings import Heading, label_measure
from forecast.data.tables.layout import Layout
from forecast.data.tables.numbers import is_blank
from forecast.data.tables.words import meaning, spaced
from forecast.errors import DataError, unknown_name
from forecast.validation import MEASURES


class RowLabel(NamedTuple):
    """What the labels of a row say.

    Attributes
    ----------
    kind : {"", "total", "part", "aggregate"}
        A total of the rows, a part of the row above, a group of countries.
    place : str
        Name or code; empty if the row names none.
    measure : Heading or None
    """

    kind: str
    place: str
    measure: Heading | None


def is_place(text: str) -> bool:
    """Whether a text is the name of a place, or of one of several."""
    match = places.match(text)
    return bool(match.code or match.candidates)


class RowLabels:
    """Reads the columns with names, codes and measures of a row.

    Parameters
    ----------
    grid : Grid
    layout : Layout
    roles : mapping of str to Column
        The column of each role.
    """

    def __init__(self, grid: Grid, layout: Layout, roles: Mapping[str, Column]) -> None:
        self.grid = grid
        self.named = layout.of("location", "measure")
        self.codes = layout.of("code")
        self.place_type = roles.get("place_type")
        self.coded = layout.style == "SDMX-CSV"
        self._read: dict[tuple[object, ...], RowLabel] = {}

    def texts(self, line: Line) -> dict[int, str]:
        """Return the labels of a row by column; of ``KZ: Kazakhstan`` what is understood."""
        cells = ((column.at, line.cell(column.at)) for column in self.named)
        filled = [(at, cell) for at, cell in cells if not is_blank(cell)]
        if self.coded:
            return {at: sdmx.text_of(cell) for at, cell in filled}
        return {at: spaced(cell if isinstance(cell, str) else str(cell)) for at, cell in filled}

    def of(self, line: Line, texts: Mapping[int, str]) -> RowLabel:
        """Return what the labels of a row say.

        Raises
        ------
        DataError, UnknownNameError
            If a measure is not known, or a code contradicts the name beside it.
        """
        beside = [*self.codes, *([self.place_type] if self.place_type else [])]
        key = (*texts.items(), *(str(line.cell(column.at)) for column in beside))
        label = self._read.get(key)
        if label is None:
            label = self._read[key] = self._of(line, texts)
        return label

    def _of(self, line: Line, texts: Mapping[int, str]) -> RowLabel:
        place, measure, kind = "", None, ""
        for column in self.named:
            text = texts.get(column.at)
            if text is None:
                continue
            located = is_place(text)
            stated = None if located and column.role == "location" else label_measure(text)
            if stated is not None:
                measure = stated
            elif meaning("part", text) and not (located and meaning("total", text)):
                return RowLabel("part", "", None)
            elif column.role == "measure" and not located:
                error = unknown_name("measure", text, MEASURES)
                raise type(error)(f"{self._where(line)}, column {column.label}: {error}")
            elif meaning("total", text) and not located:
                kind = "total"
            else:
                place = text
        return self._with_code(line, RowLabel(kind, place, measure))

    def _with_code(self, line: Line, label: RowLabel) -> RowLabel:
        """Let a code beside the name say the place, and tell groups of countries apart."""
        cells = [line.cell(column.at) for column in self.codes]
        texts = [spaced(str(cell)) for cell in cells if not is_blank(cell)]
        code = next((match.code for match in map(places.match, texts) if match.code), "")
        place = label.place
        grouped = not code and (
            meaning("aggregate", place) or any(places.is_aggregate(text) for text in texts)
        )
        if self.place_type is not None and not is_blank(line.cell(self.place_type.at)):
            type_ = spaced(str(line.cell(self.place_type.at)))
            grouped = grouped or meaning("place_type", type_) == "aggregate"
        if grouped or places.is_aggregate(place):
            return label._replace(kind="aggregate")
        named = places.match(place).code if place else ""
        if code and named and code != named:
            raise DataError(
                f"{self._where(line)}: {place!r} is {named}, but the code beside it "
                f"is {code}. Correct one of the two."
            )
        return label._replace(place=code if code and not named else place)

    def _where(self, line: Line) -> str:
        return f"{self.grid.noun} {line.number}"
