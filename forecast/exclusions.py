"""Which figures of a series a fit may use: what flags keep out, and since which break."""

from __future__ import annotations

import numpy as np

from forecast.panel import Series

#: Flags that take a year out of the fit: it must not steer, or is not an observation.
UNUSED_FLAGS = ("outlier", "interpolated")


def unused(series: Series, flag: str) -> np.ndarray:
    """Return the years that a flag keeps out of the fit, as booleans of shape (n_years,).

    Whether the last year lies on a line is known only from the year after it, which a
    forecast must not see; so the last year is used.
    """
    marked = series.flagged(flag)
    if flag == "interpolated":
        marked[-1] = False
    return marked


def usable_years(series: Series) -> np.ndarray:
    """Return the years whose figure a fit may use, as booleans of shape (n_years,)."""
    kept = ~np.isnan(series.values)
    for flag in UNUSED_FLAGS:
        kept &= ~unused(series, flag)
    return kept


def usable_values(series: Series) -> np.ndarray:
    """Return the figures that a fit may use, NaN elsewhere, shape (n_years,)."""
    return np.where(usable_years(series), series.values, np.nan)


def last_break(series: Series) -> int:
    """Return the position of the last year that starts a new level, 0 if none does."""
    breaks = np.flatnonzero(series.flagged("break"))
    return int(breaks[-1]) if len(breaks) else 0


def usable_since_break(series: Series) -> int:
    """Return how many usable years there are since the last break."""
    return int(usable_years(series)[last_break(series) :].sum())


def flags_of(series: Series) -> str:
    """Return the flags that shape the fit with their years, as `Forecast.notes` has them."""
    said = []
    for flag in ("break", *UNUSED_FLAGS):
        years = series.years[unused(series, flag) & ~np.isnan(series.values)]
        if len(years):
            said.append(f"{flag} {' '.join(map(str, years))}")
    return "; ".join(said)
