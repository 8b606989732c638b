"""Changes of regional boundaries: splits, transfers, and units that cover the same area."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

from forecast.locations import canonical, regions
from forecast.shelf import shelf


@dataclass(frozen=True, slots=True)
class BoundaryChange:
    """One change of regional boundaries.

    Attributes
    ----------
    country : str
    year : int or None
        Year in which figures change over; None if it is not known.
    kind : {"split", "transfer", "counted together"}
        A region became several; territory went from one to another; older tables count
        several as one.
    before, after : tuple of str
        Codes before and after.
    people : int or None
        Persons who changed region with their territory, where it is known.
    remark, source : str
    """

    country: str
    year: int | None
    kind: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    people: int | None
    remark: str
    source: str

    @property
    def parts(self) -> frozenset[str]:
        """All single codes concerned."""
        return frozenset(part for code in (*self.before, *self.after) for part in code.split("+"))


@cache
def _changes() -> tuple[BoundaryChange, ...]:
    with (shelf("data") / "boundaries.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            BoundaryChange(
                row["country"],
                int(row["year"]) if row["year"] else None,
                row["kind"],
                tuple(row["from"].split()),
                tuple(row["to"].split()),
                int(row["people"]) if row["people"] else None,
                row["remark"],
                row["source"],
            )
            for row in csv.DictReader(file)
        )


def changes(
    country: str, first: int | None = None, last: int | None = None
) -> tuple[BoundaryChange, ...]:
    """Return the boundary changes of a country, of some years if they are given.

    A change whose year is not known belongs to any stretch of years.

    Parameters
    ----------
    country : str
        Code or name.
    first, last : int, optional
        Only changes after `first` and up to `last`: those that figures of `first` do not know of
        and figures of `last` do.

    Returns
    -------
    tuple of BoundaryChange
        In the order of the shelf; empty where none is known.

    Raises
    ------
    UnknownNameError
        If there is no such place.
    """
    parent = canonical(country)
    return tuple(
        change
        for change in _changes()
        if change.country == parent
        and (change.year is None or first is None or change.year > first)
        and (change.year is None or last is None or change.year <= last)
    )


def constant_units(country: str, first: int, last: int, *, transfers: bool = False) -> list[str]:
    """Return regions, merged where need be, that cover the same area from one year to another.

    Parameters
    ----------
    country : str
    first, last : int
        Years. Regions that were split after `first` are merged: before, their parts had no
        figures.
    transfers : bool
        Also merge regions between which territory moved from `first` to `last`; without it
        the year of the transfer is missing from their series.

    Returns
    -------
    list of str
        Codes that make up the country once.

    Examples
    --------
    >>> len(constant_units("KAZ", 2000, 2024)), len(constant_units("KAZ", 2022, 2024))
    (16, 20)
    """
    units = [{region} for region in regions(country)]
    moved = changes(country, first, last) if transfers else ()
    for change in changes(country, first):
        if change.kind == "split" or (change.kind == "transfer" and change in moved):
            touched = [unit for unit in units if unit & change.parts]
            units = [unit for unit in units if not unit & change.parts]
            units.append(set().union(*touched))
    return sorted(canonical("+".join(unit)) for unit in units)
