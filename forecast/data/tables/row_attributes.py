"""What stands beside the figures of a row: place, measure, year, unit, flags, population."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from forecast import measures
from forecast.data.tables import dates, places, sdmx, words
from forecast.data.tables.cells import Grid, Line, is_blank
from forecast.data.tables.columns import Column, labels_of
from forecast.data.tables.headings import Heading, label_measure
from forecast.data.tables.layout import Layout
from forecast.data.tables.words import meaning, spaced
from forecast.errors import DataError

#: Columns that say which part of the year it is, and how many there are.
_PARTS = {"month": 12, "quarter": 4, "half-year": 2}


class RowLabel(NamedTuple):
    """What the labels of a row say.

    Attributes
    ----------
    kind : {"", "total", "part", "aggregate"}
        A total of the rows, a part of the row above, a group of countries.
    place : str
        Name or code; empty if the row names none.
    """

    kind: str
    place: str
    measure: Heading | None


def is_place(text: str) -> bool:
    """Whether a text is the name of a place, or of one of several."""
    match = places.match(text)
    return bool(match.code or match.candidates)


class RowLabels:
    """Reads the columns with names, codes and measures of a row; `roles` has that of each."""

    def __init__(self, grid: Grid, layout: Layout, roles: Mapping[str, Column]) -> None:
        self.grid = grid
        self.named = layout.of("location", "measure")
        self.codes = layout.of("code")
        self.place_type = roles.get("place_type")
        self.coded = layout.style == "SDMX-CSV"
        self._read: dict[tuple[object, ...], RowLabel] = {}

    def texts(self, line: Line) -> dict[int, str]:
        """Return the labels of a row by column; of ``KZ: Kazakhstan`` what is understood."""
        held = line.filled
        filled = [(one.at, line.cells[one.at]) for one in self.named if one.at in held]
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
                error = measures.unknown(text)
                raise type(error)(f"{self.grid.where(line)}, column {column.label}: {error}")
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
                f"{self.grid.where(line)}: {place!r} is {named}, but the code beside it "
                f"is {code}. Correct one of the two."
            )
        return label._replace(place=code if code and not named else place)


class RowAttributes:
    """Reads the columns of a row that hold no figures; `roles` has the column of each."""

    def __init__(self, grid: Grid, layout: Layout, roles: Mapping[str, Column]) -> None:
        self.grid, self.layout, self.roles = grid, layout, roles
        self.parts = [name for name in _PARTS if name in roles]
        self.scaled = bool(layout.of("unit_mult", "unit"))
        beside = ("population", "source", "precision", "as_of", "unique_id")
        self.beside = [(name, roles[name].at) for name in beside if name in roles]
        self.flagged = bool({"flag", "obs_status", "obs_flag", "action"} & roles.keys())
        self._years: dict[tuple[object, object], words.Year] = {}

    def year(self, line: Line, above: words.Year | None = None) -> words.Year:
        """Return the period of a row; a month alone is of the year of the section `above`."""
        column = self.roles.get("year")
        if column is None or self.parts:
            return self._year(line, above)
        key = line.cell(column.at), above
        found = self._years.get(key)
        if found is None:
            found = self._years[key] = self._year(line, above)
        return found

    def _year(self, line: Line, above: words.Year | None) -> words.Year:
        roles = [name for name in ("year", "ds", *_PARTS) if name in self.roles]
        column = self.roles[roles[0]] if roles else None
        if column is None:
            raise DataError(
                "no column says which year the figures are of; found: "
                f"{labels_of(self.layout.columns) or 'none'}. Give a column year, or one column "
                "per year."
            )
        cell = line.cell(column.at)
        stated = dates.stated(cell)
        beside = None if column.role in _PARTS else self._part(line)
        if isinstance(stated, dates.Part) and above is not None:
            stated = stated.of(above)
        elif stated is None and beside is not None and is_blank(cell) and above is not None:
            stated = above
        if isinstance(stated, words.Year) and beside is not None and stated.frequency == "year":
            stated = beside.of(stated)
        if not isinstance(stated, words.Year):
            why = words.not_one_year(cell)
            shown = spaced(cell) if isinstance(cell, str) else cell
            problem = (
                f"is {why}. Give one row per calendar year, quarter or month."
                if why
                else "names no year. Write it beside the month, or above the months."
                if stated
                else "is not a calendar year. Write a whole number between 1800 and 2200."
            )
            where = f"{self.grid.where(line)}, column {column.label}"
            raise DataError(f"{where}: {shown!r} {problem}")
        return stated

    def part_of(self, line: Line, above: Column, year: words.Year) -> words.Year:
        """Return the part of a year above the column that a row says; the year if it says none."""
        column = self.roles.get("year")
        cell = None if column is None else line.cell(column.at)
        part = self._part(line) if column is None or is_blank(cell) else dates.stated(cell)
        if part is None and column is None:
            return year
        if not isinstance(part, dates.Part) or year.frequency != "year":
            raise DataError(
                f"{self.grid.where(line)}: the table has a column {above.label!r} and a column "
                f"{column.label if column else 'of months'!r}: years across and down. Give either "
                "one row per year or one column per year."
            )
        return part.of(year)

    def _part(self, line: Line) -> dates.Part | None:
        """Return the part of the year in a column of months or quarters of its own."""
        for role, most in _PARTS.items():
            column = self.roles.get(role)
            cell = None if column is None else line.cell(column.at)
            if column is None or is_blank(cell):
                continue
            part = dates.stated(cell)
            text = spaced(str(cell)).removesuffix(".0").translate(dates.ROMAN).casefold()
            number = (words.meaning("period", text) or f"number {text}").removeprefix("number ")
            if (
                not isinstance(part, dates.Part)
                and number.isdecimal()
                and int(number) in range(1, most + 1)
            ):
                part = dates.Part(role, int(number))
            if not isinstance(part, dates.Part):
                raise DataError(
                    f"{self.grid.where(line)}, column {column.label}: {text!r} is no {role}. "
                    f"Write its name, or a number from 1 to {most}."
                )
            return part
        return None

    def unit(self, line: Line) -> float | None:
        """Return by what the figures of a row are multiplied, if it says so.

        Cells of unit columns that are not understood are refused before, column by column.
        """
        if not self.scaled:
            return None
        multiples = [
            self._multiple(line, column)
            for column in self.layout.of("unit_mult")
            if not is_blank(line.cell(column.at))
        ]
        cells = [line.cell(column.at) for column in self.layout.of("unit")]
        units = [words.unit_of(words.spaced(str(cell))) for cell in cells if not is_blank(cell)]
        stated = max((unit for unit in units if isinstance(unit, float)), default=None)
        multiple = max(multiples, default=None)
        return stated if multiple is None or (multiple == 1 and stated) else multiple

    def _multiple(self, line: Line, column: Column) -> float:
        text = sdmx.code(line.cell(column.at))
        power = text.removesuffix(".0")
        if power.isdecimal() and len(power) == 1:
            return 10.0 ** int(power)
        unit = words.unit_of(text)
        if isinstance(unit, float):
            return unit
        raise DataError(
            f"{self.grid.where(line)}, column {column.label}: {text!r} is not a power of ten. "
            "Write 0 for persons, 3 for thousands."
        )

    def attributes(self, line: Line) -> dict[str, object]:
        """Return what stands in the columns beside the figures."""
        found: dict[str, object] = {}
        filled = line.filled
        for name, at in self.beside:
            if at in filled:
                found[name] = line.cells[at]
        if not self.flagged:
            return found
        flags: list[str] = []
        if "flag" in self.roles and not is_blank(line.cell(self.roles["flag"].at)):
            flags.append(words.spaced(str(line.cell(self.roles["flag"].at))))
        for role in ("obs_status", "obs_flag", "action"):
            column = self.roles.get(role)
            text = "" if column is None else sdmx.code(line.cell(column.at))
            if column is None or not text:
                continue
            if role == "action" and text.upper() == "D":
                raise DataError(
                    f"{self.grid.where(line)}, column {column.label}: the row asks to delete a "
                    "figure. Give a file that holds the figures themselves."
                )
            if role == "obs_status" and text.upper() in sdmx.ABSENT:
                found["absent"] = True
            elif role != "action":
                flags += self._flags(line, column, text)
        if flags:
            found["flags"] = tuple(dict.fromkeys(flags))
        return found

    def _flags(self, line: Line, column: Column, text: str) -> tuple[str, ...]:
        """Return our flags for an observation status of SDMX, or for Eurostat's letters."""
        flag = sdmx.flag(text)
        flags = sdmx.eurostat_flags(text) if column.role == "obs_flag" or flag is None else (flag,)
        if flags is None:
            raise DataError(
                f"{self.grid.where(line)}, column {column.label}: the status {text!r} marks no "
                "observation that can be used. Leave the row out."
            )
        return tuple(flag for flag in flags if flag)
