"""Years: those that policy concepts of Central Asia set, those that may be asked for, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from forecast import locations, periods
from forecast.errors import DataError, unknown_name

if TYPE_CHECKING:
    from forecast.panel import Panel

#: Target years of every report unless others are asked for.
DEFAULT_HORIZONS = (2025, 2027, 2030)


@dataclass(frozen=True, slots=True)
class Concept:
    """A policy document that names target years.

    Attributes
    ----------
    location : str
        ISO 3166-1 alpha-3 code of the country.
    title : str
        What the document is, in English; other languages have it in their catalogue.
    phases : tuple of (int, int)
        First and last year of each phase; the last years are the target years.
    """

    location: str
    title: str
    phases: tuple[tuple[int, int], ...]

    @property
    def target_years(self) -> tuple[int, ...]:
        """The years by which the document wants something to be reached."""
        return tuple(last for _, last in self.phases)


CONCEPTS = {
    "KGZ": Concept(
        "KGZ",
        "Concept of State Migration Policy 2021–2030",
        ((2021, 2025), (2026, 2030)),
    ),
    "KAZ": Concept(
        "KAZ",
        "Concept of Migration Policy 2023–2027",
        ((2023, 2027),),
    ),
    "UZB": Concept(
        "UZB",
        "Strategy “Uzbekistan – 2030”",
        ((2023, 2030),),
    ),
}


def concept(location: str) -> Concept:
    """Return the policy concept of a country.

    Raises
    ------
    UnknownNameError
        If no concept is recorded for the country.
    """
    code = locations.canonical(location)
    if code not in CONCEPTS:
        raise unknown_name("policy concept", location, CONCEPTS)
    return CONCEPTS[code]


def default_horizons(panel: Panel) -> tuple[int, ...]:
    """Return the target periods of a panel unless others are asked for.

    `DEFAULT_HORIZONS` for years; else each of the two years of periods after the figures.
    """
    if panel.frequency == "year":
        return DEFAULT_HORIZONS
    ahead = 2 * periods.PER_YEAR[panel.frequency]
    return tuple(range(panel.origin + 1, panel.origin + 1 + ahead))


def told_apart(panel: Panel, horizons: Sequence[int]) -> tuple[int, ...]:
    """Return the target periods that a report tells one by one.

    Of those that are taken by default, which are many where figures are by month or quarter, the
    next one, and those a quarter, half a year, one year and two years ahead; all that somebody
    asked for.

    Parameters
    ----------
    panel : Panel
        Whose periods they are.
    horizons : sequence of int
        As of a forecast.

    Examples
    --------
    >>> import pandas as pd
    >>> from forecast.panel import Panel
    >>> panel = Panel.from_frame(pd.DataFrame({"location": "KAZ", "measure": "immigration",
    ...                                        "period": ["2023-Q4", "2024-Q4"], "value": [1, 2]}))
    >>> [one - panel.origin for one in told_apart(panel, default_horizons(panel))]
    [1, 2, 4, 8]
    """
    season = periods.PER_YEAR[panel.frequency]
    if season == 1 or tuple(horizons) != default_horizons(panel):
        return tuple(horizons)
    ahead = {1, max(season // 4, 1), season // 2, season, 2 * season}
    return tuple(panel.origin + step for step in sorted(ahead))


def check_years(panel: Panel, years: Sequence[int | str]) -> tuple[int, ...]:
    """Return the target years sorted, or say why they cannot be forecast.

    Those of `DEFAULT_HORIZONS` that every series has reached are left out, unless no other is
    asked for: what is known is no forecast.

    Parameters
    ----------
    panel : Panel
        The figures after which the years have to lie.
    years : sequence of int or str
        Calendar years, or first years of periods; periods such as ``"2027-06"`` where the panel
        is by month, quarter or half-year.

    Returns
    -------
    tuple of int
        In rising order, each once.

    Raises
    ------
    DataError
        If a year is not after the data, too far ahead, or not on the panel's step.

    Examples
    --------
    >>> import forecast as fc
    >>> check_years(fc.load("central-asia"), (2030, 2027, 2027))
    (2027, 2030)
    """
    years = list(years) if isinstance(years, Iterable) and not isinstance(years, str) else [years]
    if panel.frequency != "year":
        years = [
            periods.read(one, panel.frequency) if isinstance(one, str) else one for one in years
        ]
    if not all(hasattr(year, "__index__") and not isinstance(year, bool) for year in years):
        raise DataError(f"horizons are {years!r}; give calendar years such as (2025, 2027, 2030).")
    wanted = tuple(sorted({int(year) for year in years}))
    if not wanted:
        raise DataError("no horizons given. Name at least one calendar year, such as 2030.")
    if not len(panel):
        raise DataError(
            f"the figures are sums since January, none of them of a single {panel.frequency}, so "
            "there is no series to forecast. Ask for a nowcast, or give the sums between, too."
        )
    earliest = min(series.origin for series in panel)
    latest = max(series.origin for series in panel)
    ahead = [year for year in wanted if year > earliest or year not in DEFAULT_HORIZONS]
    wanted = tuple(ahead) or wanted
    text = partial(periods.label, frequency=panel.frequency)
    if panel.frequency != "year" and 1900 <= wanted[0] <= 2200:
        first = wanted[0] * periods.PER_YEAR[panel.frequency]
        last = first + periods.PER_YEAR[panel.frequency] - 1
        raise DataError(
            f"horizon {wanted[0]} is a year, and the figures are by {panel.frequency}. Name "
            f"{panel.frequency}s: {text(last)}, or in the shell {text(first)}:{text(last)}."
        )
    if wanted[0] <= earliest:
        raise DataError(
            f"horizon {text(wanted[0])} is not after the data, which end in {text(earliest)}. "
            f"Ask for {text(earliest + panel.step)} or later"
            ", or cut the data with panel.until(year)."
        )
    most = 50 * panel.step if panel.frequency == "year" else 10 * periods.PER_YEAR[panel.frequency]
    if wanted[-1] > latest + most:
        raise DataError(
            f"horizon {text(wanted[-1])} is {wanted[-1] - latest} {panel.frequency}s after the "
            f"data ({text(latest)}). No migration series supports more than {most // panel.step} "
            f"steps; ask for an earlier {panel.frequency}."
        )
    if panel.step > 1:
        for series in panel:
            off = [year for year in wanted if (year - series.origin) % panel.step]
            if off:
                raise DataError(
                    f"horizon {off[0]} is not the first year of a {panel.step}-year period of "
                    f"{series.location} (last period: {series.origin}). "
                    f"Ask for {series.origin + panel.step}, {series.origin + 2 * panel.step}, ..."
                )
    return wanted


def spans(years: Iterable[int], frequency: str = "year") -> str:
    """Return years, or other periods, in words, consecutive ones as a span.

    Parameters
    ----------
    years : iterable of int
        Numbers of periods.
    frequency : str
        What they are, as of a Panel.

    Examples
    --------
    >>> spans([2027, 2030, 2028])
    '2027–2028, 2030'
    """
    found: list[list[int]] = []
    for year in sorted({int(one) for one in years}):
        if found and year == found[-1][1] + 1:
            found[-1][1] = year
        else:
            found.append([year, year])
    text = partial(periods.label, frequency=frequency)
    return ", ".join(text(a) if a == b else f"{text(a)}–{text(b)}" for a, b in found)
