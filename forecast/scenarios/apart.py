"""Keeps draws of a scenario or under a condition from being given out as a forecast."""

from __future__ import annotations

from forecast.errors import DataError
from forecast.outlook import MARKS, Forecast


def refuse_what_if(outlook: Forecast, what: str) -> None:
    """Refuse a forecast that holds a scenario or a condition.

    Raises
    ------
    DataError
        Naming it.
    """
    for mark in MARKS:
        if mark in outlook.paths.attrs:
            raise DataError(
                f"the draws given hold the {mark} {outlook.paths.attrs[mark]!r}; they are no "
                f"forecast, and {what} would give them out as one. Give the baseline."
            )
