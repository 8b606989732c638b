"""Corridors in tables: origin and destination in place of a location, or beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from forecast import locations
from forecast.errors import DataError
from forecast.series_key import KEY

#: Columns of a table of corridors.
ENDS = ("origin", "destination")
#: What is counted on a corridor: persons per calendar year, seen from both ends.
FLOW = "flow"
#: How the note begins of a corridor whose figures are too few to say much.
RESTS = "Rests on the model:"
#: Measures of one place, which a corridor cannot have.
_OF_A_PLACE = {
    "net_migration", "immigration", "emigration", "internal_arrivals", "internal_departures",
    "internal_net", "net_all_flows", "population",
}  # fmt: skip


def with_location(table: pd.DataFrame, where: Callable[[int], str]) -> pd.DataFrame:
    """Return a table whose columns origin and destination, if it has them, are in location.

    Parameters
    ----------
    table : DataFrame
        May have ``origin, destination`` (codes or names of places) in place of ``location`` or
        beside it; both are empty in a row of one place.
    where : callable
        What a row is called in messages, by its position.

    Returns
    -------
    DataFrame
        Without the two columns.

    Raises
    ------
    DataError
        If one of the columns, an end or the measure is missing, or ends contradict the location.

    Examples
    --------
    >>> table = pd.DataFrame({"origin": ["UZB"], "destination": ["RUS"], "year": [2023]})
    >>> with_location(table, str)[["location", "measure"]].values.tolist()
    [['UZB:RUS', 'flow']]
    """
    there = [column for column in ENDS if column in table.columns]
    if not there:
        return table
    if len(there) == 1:
        other = ENDS[there[0] == ENDS[0]]
        raise DataError(
            f"the column {there[0]!r} stands alone. A table of corridors needs {other!r} as well."
        )
    given = zip(table["origin"], table["destination"], table.get("location", [""] * len(table)))
    codes: dict[tuple[object, ...], str] = {}
    joined = []
    for position, row in enumerate(given):
        texts = tuple("" if pd.isna(cell) else str(cell).strip() for cell in row)
        if texts not in codes:
            codes[texts] = _joined(texts, where(position))
        joined.append(codes[texts])
    table = table.drop(columns=list(ENDS)).assign(location=joined)
    return table if "measure" in table else table.assign(measure=FLOW)


def _joined(ends: Sequence[str], where: str) -> str:
    """Return the location of one row, of its origin, destination and location."""
    origin, destination, location = ends
    if not origin and not destination:
        return location
    if not origin or not destination:
        empty = "origin" if not origin else "destination"
        raise DataError(f"{where}, column {empty}: empty. Write where the move starts and ends.")
    code = f"{locations.canonical(origin)}:{locations.canonical(destination)}"
    if location and locations.canonical(location) != code:
        raise DataError(
            f"{where}: location {location} contradicts origin {origin} and destination "
            f"{destination}. Correct one of them, or leave location out."
        )
    return code


def check_measures(table: pd.DataFrame, where: Callable[[int], str]) -> None:
    """Refuse flows of one place, and a place's measures on a corridor.

    Parameters
    ----------
    table : DataFrame
        With the columns ``location`` (checked codes) and ``measure``.
    where : callable
        What a row is called in messages, by its position.

    Raises
    ------
    DataError
        Naming the first such row.
    """
    pairs = table["location"].str.contains(":", regex=False)
    wrong = (~pairs & (table["measure"] == FLOW)) | (pairs & table["measure"].isin(_OF_A_PLACE))
    if not wrong.any():
        return
    at = int(wrong.to_numpy().argmax())
    place, measure = table["location"].iloc[at], table["measure"].iloc[at]
    raise DataError(
        f"{where(at)}: flow of {place} names only one end. Write the corridor as "
        f"ORIGIN:DESTINATION, or give immigration and emigration of {place}."
        if measure == FLOW
        else f"{where(at)}: {measure} is of one place, and {place} is a corridor. Its measure is "
        "flow."
    )


def with_ends(table: pd.DataFrame, notes: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return a table with ``origin, destination`` behind location, if it holds corridors.

    Parameters
    ----------
    table : DataFrame
        With the column ``location``.
    notes : DataFrame, optional
        `Forecast.notes`, whose reasons become a column ``note``: what a line rests on.

    Returns
    -------
    DataFrame
        Codes of the ends, None in rows of one place; the table itself if it has only such.

    Examples
    --------
    >>> list(with_ends(pd.DataFrame({"location": ["UZB:RUS"], "year": [2027]})))
    ['location', 'origin', 'destination', 'year']
    """
    codes = table["location"].unique()
    two = {code: locations.ends(code) for code in codes if ":" in code}
    if not two:
        return table
    table = table.copy()
    after = list(table.columns).index("location") + 1
    for position, column in enumerate(ENDS):
        ends = [two[code][position] if code in two else None for code in table["location"]]
        table.insert(after + position, column, pd.Series(ends, index=table.index, dtype=object))
    if notes is not None:
        said = dict(zip(notes[KEY].itertuples(index=False, name=None), notes["reason"]))
        keys = table[KEY].itertuples(index=False, name=None)
        table["note"] = [said.get(key, "") for key in keys]
    return table
