"""What stands beside the figures of a row: year, unit, flag, source, population."""

from __future__ import annotations

from collections.abc import Mapping

from forecast.data.tables import sdmx, words
from forecast.data.tables.columns import Column
from forecast.data.tables.grid import Grid, Line
from forecast.data.tables.layout import Layout
from forecast.data.tables.numbers import is_blank
from forecast.data.tables.words import spaced
from forecast.errors import DataError


class RowAttributes:
    """Reads the columns of a row that hold no figures.

    Parameters
    ----------
    grid : Grid
    layout : Layout
    roles : mapping of str to Column
        The column of each role.
    """

    def __init__(self, grid: Grid, layout: Layout, roles: Mapping[str, Column]) -> None:
        self.grid, self.layout, self.roles = grid, layout, roles

    def _where(self, line: Line) -> str:
        return f"{self.grid.noun} {line.number}"

    def year(self, line: Line) -> words.Year:
        """Return the year of a row."""
        column = self.roles.get("year") or self.roles.get("ds")
        if column is None:
            raise DataError(
                f"no column says which year the figures are of; found: {self._found()}. Give a "
                "column year, or one column per year."
            )
        cell = line.cell(column.at)
        stated = words.year(cell)
        if stated is None:
            why = words.not_one_year(cell)
            shown = spaced(cell) if isinstance(cell, str) else cell
            if why:
                raise DataError(
                    f"{self._where(line)}, column {column.label}: {shown!r} is {why}. "
                    "Give one row per calendar year."
                )
            raise DataError(
                f"{self._where(line)}, column {column.label}: {shown!r} is not a calendar year. "
                "Write a whole number between 1800 and 2200."
            )
        return stated

    def unit(self, line: Line, attributes: dict[str, object]) -> float | None:
        """Return by what the figures of a row are multiplied, if it says so."""
        multiple = attributes.pop("multiple", None)
        column = self.roles.get("unit")
        text = "" if column is None else sdmx.code(line.cell(column.at))
        if text and words.is_rate(text):
            raise DataError(
                f"{self._where(line)}, column {column.label if column else ''}: {text!r} is a rate "
                "or a share. Give counts of persons."
            )
        stated = words.stated(text) if text else None
        if isinstance(multiple, float):
            return multiple * (stated or 1.0) if multiple == 1 else multiple
        return stated

    def attributes(self, line: Line) -> dict[str, object]:
        """Return what stands in the columns beside the figures."""
        found: dict[str, object] = {}
        for role in ("population", "source", "precision", "as_of", "unique_id"):
            column = self.roles.get(role)
            if column is not None and not is_blank(line.cell(column.at)):
                found[role] = line.cell(column.at)
        if "flag" in self.roles and not is_blank(line.cell(self.roles["flag"].at)):
            found["flags"] = (str(line.cell(self.roles["flag"].at)),)
        if self.layout.style == "SDMX-CSV":
            self._sdmx(line, found)
        return found

    def _sdmx(self, line: Line, found: dict[str, object]) -> None:
        for role in ("obs_status", "unit_mult", "action"):
            column = self.roles.get(role)
            text = "" if column is None else sdmx.code(line.cell(column.at))
            if not text:
                continue
            label = column.label if column else role
            if role == "unit_mult":
                if not text.replace(".0", "").isdecimal() or len(text) > 3:
                    raise DataError(
                        f"{self._where(line)}, column {label}: {text!r} is not a power of ten. "
                        "Write 0 for persons, 3 for thousands."
                    )
                found["multiple"] = 10.0 ** int(float(text))
            elif role == "action" and text.upper() == "D":
                raise DataError(
                    f"{self._where(line)}, column {label}: the row asks to delete a figure. "
                    "Give a file that holds the figures themselves."
                )
            elif role == "obs_status":
                flag = sdmx.flag(text)
                if text.upper() in sdmx.ABSENT:
                    found["absent"] = True
                elif flag is None:
                    raise DataError(
                        f"{self._where(line)}, column {label}: the status {text!r} marks no "
                        "observation that can be used. Leave the row out."
                    )
                elif flag:
                    found["flags"] = (flag,)

    def _found(self) -> str:
        return ", ".join(c.label for c in self.layout.columns if c.label) or "none"
