"""A series as a time-series model sees it: on its scale, without what flags keep out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecast import scales
from forecast.errors import TooShortError
from forecast.horizons import spans
from forecast.panel import Series
from forecast.series import UNUSED_FLAGS, last_break, unused, usable_years

#: Fewest usable years since the last break. Below this the variance of the innovations
#: and one more parameter cannot be told apart, and intervals would be a guess.
MINIMUM_YEARS = 8


@dataclass(frozen=True)
class Prepared:
    """A series as a time-series model sees it.

    Attributes
    ----------
    series : Series
        The figures as they were observed.
    scale : Scale
        Their scale, and the way back to persons.
    values : ndarray, shape (n_years,)
        On the model's scale; NaN in gaps and in years whose flag keeps them out.
    breaks : ndarray of bool, shape (n_years,)
        Years that start a new level.
    """

    series: Series
    scale: scales.Scale
    values: np.ndarray
    breaks: np.ndarray

    @property
    def last(self) -> float:
        """The last value that can be used."""
        return float(self.values[~np.isnan(self.values)][-1])


def prepare(series: Series, kind: scales.Kind | None = None) -> Prepared:
    """Put a series on its scale, respecting its flags.

    Parameters
    ----------
    series : Series
        Persons per calendar year (or period).
    kind : {"log", "rate", "persons"}, optional
        The scale; by default log for counts, rates (or persons) for net flows.

    Returns
    -------
    Prepared

    Raises
    ------
    TooShortError
        If fewer than `MINIMUM_YEARS` years since the last break can be used.

    Examples
    --------
    >>> import forecast as fc
    >>> prepared = prepare(fc.load("central-asia").find(("kz-bns", "KAZ", "immigration")))
    >>> prepared.scale.kind
    'log'
    """
    scale = scales.choose(series, kind)
    values = np.where(usable_years(series), scale.values, np.nan)
    breaks, start = series.flagged("break"), last_break(series)
    usable = int((~np.isnan(values[start:])).sum())
    if usable < MINIMUM_YEARS:
        since = f" since the break of {series.years[start]}" if start else ""
        raise TooShortError(
            f"{usable} usable observed years{since}; at least {MINIMUM_YEARS} are needed."
            f"{_kept_out(series, start)}"
        )
    recent = values[start:]
    if np.nanmax(recent) == np.nanmin(recent):
        raise TooShortError(
            f"all {usable} usable values are equal ({series.values[-1]:g}); a series that never "
            "moves says nothing about how it may move."
        )
    return Prepared(series, scale, values, breaks)


def _kept_out(series: Series, start: int) -> str:
    """Return which observed years flags keep out of the fit, in words; empty if none."""
    said = ""
    for flag in UNUSED_FLAGS:
        out = unused(series, flag) & ~np.isnan(series.values)
        years = series.years[start:][out[start:]].tolist()
        if years:
            said += f" The flag {flag!r} keeps out {len(years)}: {spans(years, series.frequency)}."
            # Only this one is also set by reading; an outlier somebody has stated.
            if flag == "interpolated":
                said += " If these are real figures, read the table with carry=False."
    return said
