"""The sentences of the report, each a pure function of a Forecast."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecast import locations
from forecast.horizons import CONCEPTS
from forecast.outlook import Forecast
from forecast.reports.numbers import likelihood, percent, persons, rounded

MEASURE_NAMES = {
    "net_migration": "net migration",
    "immigration": "immigration",
    "emigration": "emigration",
    "internal_arrivals": "internal arrivals",
    "internal_departures": "internal departures",
    "internal_net": "net internal migration",
    "net_all_flows": "net migration, internal and external",
    "population": "population",
}
#: What a count counts, in a sentence.
_COUNTED = {
    "immigration": "people arrive to live",
    "emigration": "people leave to live elsewhere",
    "internal_arrivals": "people arrive from inside the country",
    "internal_departures": "people leave for another part of the country",
    "population": "people live there",
}


def net_range(lower: float, upper: float) -> str:
    """Say what lies between two net flows, in words that need no sign.

    Parameters
    ----------
    lower, upper : float
        Persons per year, net inflow positive; rounded here to two digits.
    """
    low, high = rounded(lower), rounded(upper)
    if low >= 0 and high >= 0:
        return f"between {persons(low)} and {persons(high)} more people arrive than leave"
    if low <= 0 and high <= 0:
        return f"between {persons(-high)} and {persons(-low)} more people leave than arrive"
    return (
        f"anything from {persons(-low)} more people leaving than arriving "
        f"to {persons(high)} more arriving than leaving"
    )


def expectation(outlook: Forecast, location: str, measure: str, source: str, year: int) -> str:
    """Say what is expected of one series in one year, with its 80 % interval.

    Returns
    -------
    str
        For net flows with the chance of a net loss, for counts with the middle estimate.
    """
    drawn = outlook.sample(location=location, measure=measure, year=year, source=source)
    lower, middle, upper = np.quantile(drawn, [0.1, 0.5, 0.9])
    if measure in _COUNTED:
        return (
            f"between {persons(rounded(lower))} and {persons(rounded(upper))} "
            f"{_COUNTED[measure]}, four chances in five; middle estimate {persons(rounded(middle))}."
        )
    loss = float((drawn < 0).mean())
    return (
        f"{net_range(lower, upper)}, four chances in five; "
        f"a net loss is {likelihood(loss)} ({percent(loss)})."
    )


def observed_line(value: float, signed: bool) -> str:
    """Say that a target year is already observed, and the figure."""
    return f"already observed: {persons(value, sign=signed)}."


def surprise(outlook: Forecast, location: str, measure: str, source: str, year: int) -> str:
    """Say how the forecast compares with the last five observed years."""
    series = next(s for s in outlook.history if s.key == (source, location, measure))
    observed = series.values[~np.isnan(series.values)][-5:]
    drawn = outlook.sample(location=location, measure=measure, year=year, source=source)
    mean = float(observed.mean())
    above = float((drawn > mean).mean())
    return (
        f"The chance that {year} lies above the mean of the last {len(observed)} observed years "
        f"({persons(rounded(mean), sign=series.signed)}) is {percent(above)}."
    )


def concept_line(location: str) -> str:
    """Name the policy concept of a country and its target years; empty if there is none."""
    if location not in CONCEPTS:
        return ""
    concept = CONCEPTS[location]
    years = " and ".join(map(str, concept.target_years))
    return f"{concept.title}. Target year{'s' * (len(concept.target_years) > 1)}: {years}."


def not_forecast_line(note: dict[str, object]) -> str:
    """Say which series could not be forecast and why."""
    place = locations.name(str(note["location"]))
    measure = MEASURE_NAMES[str(note["measure"])]
    return f"{place}, {measure} ({note['source']}): {note['reason']}"


def flags_line(note: dict[str, object]) -> str:
    """Say which flagged years the model took into account; empty if none."""
    meaning = {
        "break": "a new level from",
        "outlier": "kept out of the fit as outliers:",
        "interpolated": "kept out of the fit as interpolated:",
    }
    said = []
    for part in str(note["flags"]).split("; "):
        flag, _, years = part.partition(" ")
        if flag in meaning:
            said.append(f"{meaning[flag]} {_years(years.split())}")
    return "; ".join(said).capitalize() + "." if said else ""


def _years(years: Sequence[str]) -> str:
    return years[0] if len(years) == 1 else f"{', '.join(years[:-1])} and {years[-1]}"


def chart_description(outlook: Forecast, location: str, measure: str, source: str) -> str:
    """Describe a fan chart for those who cannot see it."""
    year = outlook.horizons[-1]
    series = next(s for s in outlook.history if s.key == (source, location, measure))
    last = series.values[~np.isnan(series.values)][-1]
    drawn = outlook.sample(location=location, measure=measure, year=year, source=source)
    lower, middle, upper = np.quantile(drawn, [0.1, 0.5, 0.9])
    show = [persons(rounded(value), sign=series.signed) for value in (last, middle, lower, upper)]
    return (
        f"Observed to {series.origin}, last value {show[0]}. {year}: median {show[1]}, "
        f"80 % interval {show[2]} to {show[3]} persons."
    )
