"""What a forecast of regions says of each series: its scale, what it borrows, why not."""

from __future__ import annotations

import numpy as np

from forecast.models.contract import FORECAST, NOT_FORECAST
from forecast.models.regional import moves as internal
from forecast.models.regional.data import ALL
from forecast.models.scale import POPULATION_RULE
from forecast.models.univariate import MINIMUM_YEARS, UNUSED_FLAGS, unused
from forecast.panel import Series


def borrowed(usable: int) -> str:
    """Return what a region with few years takes from the others; nothing if it has enough."""
    if usable >= MINIMUM_YEARS:
        return ""
    return (
        f"Borrowed: {usable} usable years since the last break say where the region is, "
        "the other regions how far it may move."
    )


def note(series: Series, known: tuple[str, str] | None) -> tuple[object, ...]:
    """Return one row of `Forecast.notes`; `known` is reason and scale if it is forecast."""
    flags = []
    for flag in ("break", *UNUSED_FLAGS):
        marked = series.years[unused(series, flag) & ~np.isnan(series.values)]
        if len(marked):
            flags.append(f"{flag} {' '.join(map(str, marked))}")
    reason, scale = known if known is not None else (why_not(series), "")
    return (
        *series.key,
        series.origin,
        int((~np.isnan(series.values)).sum()),
        FORECAST if known is not None else NOT_FORECAST,
        reason,
        scale,
        POPULATION_RULE if scale == "rate" else "",
        "; ".join(flags),
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
