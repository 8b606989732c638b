"""What a forecast of regions says of each series: its scale, what it borrows, why not."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from forecast.contract import FORECAST, NOT_FORECAST
from forecast.exclusions import flags_of, usable_since_break
from forecast.models.regional import internal_moves as internal
from forecast.models.regional.data import ALL
from forecast.models.regional.fitting import FittedGroup
from forecast.models.regional.internal_moves import Moves
from forecast.models.series.univariate import MINIMUM_YEARS
from forecast.panel import Series
from forecast.scales import POPULATION_RULE, is_rate
from forecast.series_key import SeriesKey


def borrowed(usable: int) -> str:
    """Return what a region with few years takes from the others; nothing if it has enough."""
    if usable >= MINIMUM_YEARS:
        return ""
    return (
        f"Borrowed: {usable} usable years since the last break say where the region is, "
        "the other regions how far it may move."
    )


def told(
    fits: Iterable[FittedGroup],
    sums: Iterable[Series],
    singles: Iterable[Series],
    inside: Iterable[Moves],
) -> dict[SeriesKey, tuple[str, str]]:
    """Return the series that are forecast, with what to say of each and its scale.

    Parameters
    ----------
    fits : iterable of FittedGroup
    sums : iterable of Series
        What regions add up to.
    singles : iterable of Series
        Places by themselves.
    inside : iterable of Moves
    """
    made: dict[SeriesKey, tuple[str, str]] = {}
    for item in fits:
        for series in item.group.regions:
            scale = "rate" if item.group.rated else "persons"
            made[series.key] = borrowed(usable_since_break(series)), scale
    made |= {series.key: ("", "sum of regions") for series in sums}
    for series in singles:
        scale = "rate" if is_rate(series) else "persons"
        made[series.key] = borrowed(usable_since_break(series)), scale
    for one in inside:
        reason = (
            f"Borrowed: {len(one.turnover)} years of the series, {len(one.net)} years of "
            "internal nets with the matrices of moves; how far it may move is taken "
            "from the balances of all regions."
        )
        for series in one.series.values():
            if series.origin == one.origin:
                made[series.key] = reason, "turnover and net"
    return made


def note(series: Series, known: tuple[str, str] | None) -> tuple[object, ...]:
    """Return one row of `Forecast.notes`; `known` is reason and scale if it is forecast."""
    reason, scale = known if known is not None else (why_not(series), "")
    return (
        *series.key,
        series.origin,
        int((~np.isnan(series.values)).sum()),
        FORECAST if known is not None else NOT_FORECAST,
        reason,
        scale,
        POPULATION_RULE if scale == "rate" else "",
        flags_of(series),
    )


def why_not(series: Series) -> str:
    """Return why a series is not forecast here."""
    if series.measure in internal.MEASURES:
        return (
            "The regions do not make up the country with arrivals, departures and net in "
            f"{internal.MINIMUM_YEARS} years."
        )
    if series.measure == ALL:
        return "The regions do not make up the country, or the place has no usable year."
    return f"{series.measure} is no migration of regions. Use model='flows' or 'coherent'."
