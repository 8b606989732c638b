"""The charts of the report, each a pure function of a Forecast giving SVG text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast import locations
from forecast.horizons import CONCEPTS
from forecast.outlook import Forecast
from forecast.panel import Panel, Series
from forecast.reports.sentences import MEASURE_NAMES, chart_description
from forecast.reports.svg import (
    ACCENT,
    BAND_50,
    BAND_80,
    BAND_95,
    INK,
    MARK,
    MUTED,
    PAPER,
    RULE,
    drawing,
    to_svg,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: First year shown: the exodus of the 1990s belongs to the story, what was before does not help.
FIRST_YEAR = 1990
_BANDS = ((0.95, BAND_95), (0.80, BAND_80), (0.50, BAND_50))
#: Flags drawn as hollow marks.
_DOUBTED = ("outlier", "suspect", "provisional", "adjusted")


def identity(*parts: object) -> str:
    """Return an id for a page made of plain letters, digits and hyphens."""
    return re.sub(r"[^A-Za-z0-9]+", "-", "-".join(map(str, parts))).strip("-")


def fan(outlook: Forecast, location: str, measure: str, source: str) -> str:
    """Draw the past of a series and the 50, 80 and 95 % bands of its future.

    Earlier releases are faint lines; flagged years are hollow, a new level is a dotted
    line, and the target years of the country's policy concept are marked.
    """
    from matplotlib.figure import Figure

    key = (source, location, measure)
    series = next(s for s in outlook.history if s.key == key)
    name = identity("fan", *key)
    with drawing(name):
        figure = Figure(figsize=(4.6, 2.5), layout="constrained")
        axes = figure.add_subplot()
        divisor = _divisor(outlook, series)
        _future(axes, outlook, series, divisor)
        for values in _earlier_releases(outlook.history, key):
            axes.plot(values.index, values / divisor, color=MUTED, lw=0.7, alpha=0.55)
        _past(axes, series, divisor)
        _targets(axes, outlook, location)
        axes.axvline(series.origin, color=MUTED, lw=0.7)
        if series.signed:
            axes.axhline(0, color=MUTED, lw=0.7)
        axes.set_xlim(max(FIRST_YEAR, series.years[0]) - 0.5, outlook.horizons[-1] + 0.8)
        axes.grid(axis="y", color=RULE, lw=0.6)
        axes.set_axisbelow(True)
        axes.set_title(
            "thousand persons a year" if divisor == 1000 else "persons a year",
            loc="left",
            fontsize=8,
            color=MUTED,
            pad=12,
        )
        title = f"{locations.name(location)}: {MEASURE_NAMES[measure]}"
        description = chart_description(outlook, location, measure, source)
        return to_svg(figure, name, title, description)


def _divisor(outlook: Forecast, series: Series) -> int:
    """Return 1000 if the chart is better read in thousands."""
    position = int(
        np.flatnonzero(
            [key == series.key for key in outlook.series[["source", "location", "measure"]]
             .itertuples(index=False, name=None)]
        )[0]
    )  # fmt: skip
    shown = outlook.paths.isel(series=position).to_numpy()
    recent = series.values[series.years >= FIRST_YEAR]
    largest = max(np.nanquantile(np.abs(shown), 0.9), np.nanmax(np.abs(recent)))
    return 1000 if largest >= 10_000 else 1


def _future(axes: Axes, outlook: Forecast, series: Series, divisor: int) -> None:
    years = [y for y in outlook.paths["year"].to_numpy().tolist() if y > series.origin]
    drawn = np.stack(
        [
            outlook.sample(
                location=series.location, measure=series.measure, year=y, source=series.source
            )
            for y in years
        ]
    )
    last = series.values[~np.isnan(series.values)][-1]
    at = [series.origin, *years]
    for level, colour in _BANDS:
        lower, upper = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=1) / divisor
        axes.fill_between(
            at, [last / divisor, *lower], [last / divisor, *upper], color=colour, lw=0
        )
    median = np.median(drawn, axis=1) / divisor
    axes.plot(at, [last / divisor, *median], color=ACCENT, lw=1.6)
    dots = [i for i, year in enumerate(years) if year in outlook.horizons]
    axes.plot([years[i] for i in dots], median[dots], "o", ms=4, color=ACCENT, mec=PAPER, mew=0.8)


def _past(axes: Axes, series: Series, divisor: int) -> None:
    shown = series.years >= FIRST_YEAR
    years, values = series.years[shown], series.values[shown] / divisor
    axes.plot(years, values, color=INK, lw=1.3, solid_joinstyle="round")
    observed = ~np.isnan(values)
    alone = observed & ~np.roll(observed, 1) & ~np.roll(observed, -1)
    axes.plot(years[alone], values[alone], ".", ms=4, color=INK)
    doubted = np.logical_or.reduce([series.flagged(flag)[shown] for flag in _DOUBTED]) & observed
    axes.plot(years[doubted], values[doubted], "o", ms=4, mfc=PAPER, mec=MARK, mew=1.1)
    for year in years[series.flagged("break")[shown]]:
        axes.axvline(year - 0.5, color=MARK, lw=1, ls=":")


def _earlier_releases(history: Panel, key: tuple[str, str, str]) -> list[pd.Series]:
    table = history.to_frame()
    same = (table[["source", "location", "measure"]] == key).all(axis=1)
    table = table[same & (table["year"] >= FIRST_YEAR) & table["value"].notna()]
    dates = sorted(table["as_of"].dropna().unique())
    if len(dates) < 2 or table.groupby("as_of").size().min() < 5:
        return []
    return [table[table["as_of"] == date].set_index("year")["value"] for date in dates[:-1]]


def _targets(axes: Axes, outlook: Forecast, location: str) -> None:
    concept = CONCEPTS.get(locations.country_of(location))
    for year in concept.target_years if concept else ():
        if year in outlook.horizons:
            axes.axvline(year, color=MARK, lw=0.8, ls="--")
            axes.annotate(
                str(year), (year, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 1),
                textcoords="offset points", ha="center", va="bottom", fontsize=8, color=MARK,
            )  # fmt: skip


def ranking(outlook: Forecast, places: Sequence[str], measure: str, source: str, year: int) -> str:
    """Draw regions in order of their median, with 50, 80 and 95 % intervals."""
    from matplotlib.figure import Figure

    levels = [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975]
    table = pd.DataFrame(
        {
            place: np.quantile(
                outlook.sample(location=place, measure=measure, year=year, source=source), levels
            )
            for place in places
        },
        index=levels,
    ).T.sort_values(0.5)
    name = identity("ranking", source, measure, year)
    country = locations.name(locations.country_of(places[0]))
    with drawing(name):
        figure = Figure(figsize=(6.4, 0.9 + 0.27 * len(table)), layout="constrained")
        axes = figure.add_subplot()
        rows = np.arange(len(table))
        for (level, colour), width in zip(_BANDS, (3.0, 5.0, 8.0)):
            low, high = round((1 - level) / 2, 3), round((1 + level) / 2, 3)
            axes.hlines(rows, table[low] / 1000, table[high] / 1000, color=colour, lw=width)
        axes.plot(table[0.5] / 1000, rows, "o", ms=4.5, color=ACCENT, mec=PAPER, mew=0.8)
        axes.axvline(0, color=MUTED, lw=0.8)
        axes.set_yticks(rows, [locations.name(place) for place in table.index], color=INK)
        axes.grid(axis="x", color=RULE, lw=0.6)
        axes.set_axisbelow(True)
        axes.set_ylim(-0.7, len(table) - 0.3)
        axes.set_title(f"{year}, thousand persons a year", loc="left", fontsize=8, color=MUTED)
        first, last = table.index[-1], table.index[0]
        description = (
            f"{len(table)} regions. Highest median: {locations.name(first)}; "
            f"lowest: {locations.name(last)}. The figures are in the table."
        )
        return to_svg(figure, name, f"{country}: regions in {year}", description)
