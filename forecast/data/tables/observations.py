"""Observations: cells with figures, and what their row, column and section say of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from forecast.data.tables.columns import Column
from forecast.data.tables.grid import Line
from forecast.data.tables.reading import Row
from forecast.errors import ForecastError


@dataclass(slots=True)
class Observation:
    """One cell with figures, and what its row, column and section say of it."""

    line: Line
    column: Column
    cell: object
    place: str
    measure: str
    scope: str
    year: int
    unit: float | None
    flags: tuple[str, ...]
    attributes: dict[str, object]


@dataclass
class Collected:
    """What the rows of a table gave.

    Attributes
    ----------
    observations, totals : list of Observation
        Figures; those of total rows apart.
    rows : dict of int to Row
        Fate of each row, by its position in the grid.
    problems : list of (position, error)
    names : dict of str to None
        Labels that should be places, in order.
    """

    observations: list[Observation] = field(default_factory=list)
    totals: list[Observation] = field(default_factory=list)
    rows: dict[int, Row] = field(default_factory=dict)
    problems: list[tuple[int, ForecastError]] = field(default_factory=list)
    names: dict[str, None] = field(default_factory=dict)
