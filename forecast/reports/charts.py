"""The charts of the report, each a pure function of series and a language giving SVG text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from forecast import labels
from forecast.errors import ForecastError
from forecast.horizons import CONCEPTS
from forecast.language import Language
from forecast.reports import sentences, svg
from forecast.reports.series_view import FIRST_YEAR, SeriesView, identity
from forecast.reports.svg import (
    ACCENT,
    BAND_50,
    BAND_80,
    BAND_95,
    INK,
    MUTED,
    PAPER,
    WASH,
    drawing,
    to_svg,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Letters from which on the name of a region in a chart is written in two lines.
_LONG = 22
BANDS = ((0.95, BAND_95), (0.80, BAND_80), (0.50, BAND_50))
#: Figures of the past that a chart of the main report shows large.
RECENT = 15
#: Size of such a chart.
LARGE = (480, 176)


def fan(
    view: SeriesView,
    words: Language,
    *,
    size: tuple[int, int] = (440, 250),
    text: float = 13.0,
    first: int = FIRST_YEAR,
) -> str:
    """Draw the past of a series from a year on, and the 50, 80 and 95 % bands of its future.

    Earlier releases are faint lines; doubted figures are hollow, interpolated ones
    dotted, a new level is a dotted upright, years left empty are shaded, and the target
    years of the country's policy concept are marked. A series that could not be forecast
    shows its past only.

    Parameters
    ----------
    view : SeriesView
        One series, in persons per calendar year; drawn in thousands where it is large.
    words : Language
        Language of numbers, title and description.
    size : (int, int)
        Width and height in pixels at full size.
    text : float
        Size of letters in pixels; margins follow it.
    first : int
        First year drawn.

    Returns
    -------
    str
        SVG text; its description says the same in words.
    """
    name = identity("fan", *view.key)
    first = max(first, view.start())
    with drawing(name, text):
        figure, axes = svg.canvas(*size, left=4 * text, right=text, top=3 * text, bottom=2.2 * text)
        divisor = _divisor(view)
        _missing(axes, view, first)
        _future(axes, view, divisor)
        for line in view.releases:
            shown = line[line.index >= first]
            axes.plot(shown.index, shown / divisor, color=MUTED, lw=0.8, alpha=0.6)
        _past(axes, view, divisor, first)
        _years(axes, view, first)
        if view.series.signed:
            axes.axhline(0, color=MUTED, lw=0.8)
        _targets(axes, view)
        svg.unit(axes, divisor, words, view.counted, view.series.frequency)
        svg.numbers(axes, words)
        return to_svg(figure, name, heading(view, words), sentences.fan_description(view, words))


def recent(view: SeriesView, words: Language) -> tuple[str, str]:
    """Draw the last fifteen figures with the fan and, small, the whole history with it.

    Parameters
    ----------
    view : SeriesView
        One series, in persons per calendar year.
    words : Language
        Language of numbers, titles and descriptions.

    Returns
    -------
    (str, str)
        SVG texts, both in the same unit; the second is empty where the first shows every year.
    """
    start = _recent_start(view)
    large = fan(view, words, size=LARGE, first=start)
    since = max(view.start(), int(view.series.years[0]))
    return large, _history(view, since, words) if since < start else ""


def _history(view: SeriesView, since: int, words: Language) -> str:
    name = identity("past", *view.key)
    with drawing(name, 12.0):
        figure, axes = svg.canvas(300, 130, left=48, right=12, top=22, bottom=24)
        divisor = _divisor(view)
        _future(axes, view, divisor, dots=False)
        _past(axes, view, divisor, since, marks=False)
        _years(axes, view, since)
        if view.series.signed:
            axes.axhline(0, color=MUTED, lw=0.8)
        said = words.say("Since {year}", year=view.named(since))
        svg.corner(axes, said)
        svg.numbers(axes, words, most=3)
        title = f"{heading(view, words)}. {said}"
        return to_svg(figure, name, title, sentences.last_figure(view, words))


#: What a legend explains, by the flags of figures that a fan marks in this way.
_FLAGGED = {
    "doubted": labels.DOUBTED,
    "interpolated": ("interpolated",),
    "break": ("break",),
    "missing": labels.MISSING,
}


def marks(views: Sequence[SeriesView], *, short: bool = False) -> frozenset[str]:
    """Return what charts show beside past, median and bands: what a legend has to explain.

    Parameters
    ----------
    views : sequence of SeriesView
        The series that are drawn.
    short : bool
        Whether they are drawn by `recent`, which marks doubted figures of the last years only, and
        not by `fan`.

    Returns
    -------
    frozenset of str
        Some of ``concept`` (target years of policy concepts, and their phases), ``release``
        (earlier figures), ``doubted``, ``interpolated``, ``break`` and ``missing``.
    """
    found = set()
    for view in views:
        series = view.series
        for name, flags in _FLAGGED.items():
            marked = np.logical_or.reduce([series.flagged(flag) for flag in flags])
            if name == "doubted":
                marked &= ~np.isnan(series.values)
            since = _recent_start(view) if short and name == "doubted" else view.start()
            if (marked & (series.years >= since)).any():
                found.add(name)
        if _phases(view):
            found.add("concept")
        if any((line.index >= view.start()).any() for line in view.releases):
            found.add("release")
    return frozenset(found)


def _recent_start(view: SeriesView) -> int:
    """Return the first of the last fifteen figures; of months and quarters, of five years."""
    kept = RECENT if view.series.season == 1 else 5 * view.series.season
    return max(int(view.series.years[-kept:][0]), view.start())


def ranking(ranked: Sequence[SeriesView], year: int, words: Language) -> str:
    """Draw series in the order given, first on top, with 50, 80 and 95 % intervals.

    Parameters
    ----------
    ranked : sequence of SeriesView
        Of one source and measure, all forecast for the year; drawn in thousand persons.
    year : int
        Target year.
    words : Language
        Language of places, numbers, title and description.

    Returns
    -------
    str
        SVG text.

    Raises
    ------
    ForecastError
        If there is nothing to draw.
    """
    if not ranked:
        raise ForecastError(f"no series to rank for {year}; the chart would be empty.")
    source, _, measure = ranked[0].key
    name = identity("ranking", source, measure, ranked[0].country, year)
    places = [_two_lines(labels.place(view.series.location, words)) for view in ranked]
    longest = max(len(line) for place in places for line in place.split("\n"))
    row = 34 if any("\n" in place for place in places) else 26
    with drawing(name, 12.5):
        figure, axes = svg.canvas(
            520,
            50 + row * len(ranked),
            left=14 + min(7.4 * longest, 300),
            right=14,
            top=24,
            bottom=26,
        )
        rows = np.arange(len(ranked))[::-1]
        for (level, colour), width in zip(BANDS, (4.0, 7.0, 11.0)):
            ends = np.array(
                [np.quantile(s.at(year), [(1 - level) / 2, (1 + level) / 2]) for s in ranked]
            )
            axes.hlines(rows, ends[:, 0] / 1000, ends[:, 1] / 1000, color=colour, lw=width)
        medians = [np.median(s.at(year)) / 1000 for s in ranked]
        axes.plot(medians, rows, "o", ms=5, color=ACCENT, mec=PAPER, mew=0.8)
        axes.axvline(0, color=MUTED, lw=0.9)
        svg.label(axes, "left", rows.tolist(), places, INK)
        axes.set_ylim(-0.7, len(ranked) - 0.3)
        unit = words.say("{year}, thousand persons a year", year=year)
        axes.annotate(
            unit, (0, 1), xycoords="axes fraction", xytext=(0, 6), textcoords="offset points",
            color=MUTED,
        )  # fmt: skip
        svg.numbers(axes, words, "x")
        title = f"{labels.place(ranked[0].country, words)}: {unit}"
        return to_svg(figure, name, title, sentences.ranking_description(list(ranked), year, words))


def _two_lines(place: str) -> str:
    """Break a long name before what it stands for in brackets."""
    return place.replace(" (", "\n(") if len(place) > _LONG else place


def heading(view: SeriesView, words: Language) -> str:
    """Return the title of a chart: place, measure and source.

    Parameters
    ----------
    view : SeriesView
        Only its key is used.
    words : Language
        Language of the names.

    Returns
    -------
    str
        Not escaped.
    """
    source, place, measure = view.key
    return (
        f"{labels.place(place, words)}: {labels.measure(measure, words)}, "
        f"{labels.source(source, words)}"
    )


def _divisor(view: SeriesView) -> int:
    """Return 1000 if the chart is better read in thousands."""
    recent = view.series.values[view.series.years >= view.start()]
    drawn = np.quantile(np.abs(view.draws), 0.9) if view.draws.size else 0.0
    return svg.divisor(recent, drawn, amount=view.counted.kind == "amount")


def _future(axes: Axes, view: SeriesView, divisor: int, *, dots: bool = True) -> None:
    if not view.years.size:
        return
    year, last = view.last()
    at = [year, *view.years]
    for level, colour in BANDS:
        lower, upper = np.quantile(view.draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
        edge = np.r_[last, lower, upper[::-1]] / divisor
        axes.fill([*at, *at[:0:-1]], edge, color=colour, lw=0)
    median = np.r_[last, np.median(view.draws, axis=0)] / divisor
    axes.plot(at, median, color=ACCENT, lw=1.8)
    marked = np.isin(at, view.horizons) & dots
    axes.plot(np.array(at)[marked], median[marked], "o", ms=4.5, color=ACCENT, mew=0)
    axes.axvline(year, color=MUTED, lw=0.8)


def _past(
    axes: Axes, view: SeriesView, divisor: int, first: int = FIRST_YEAR, *, marks: bool = True
) -> None:
    series = view.series
    shown = series.years >= first
    years, values = series.years[shown], series.values[shown] / divisor
    guessed = series.flagged("interpolated")[shown]
    axes.plot(years, np.where(guessed, np.nan, values), color=INK, lw=1.5, solid_joinstyle="round")
    if guessed.any():
        beside = guessed | np.roll(guessed, 1) | np.roll(guessed, -1)
        axes.plot(years, np.where(beside, values, np.nan), color=INK, lw=1.5, ls=(0, (1, 1.5)))
    observed, alone = ~np.isnan(values), lonely(values)
    axes.plot(years[alone], values[alone], ".", ms=5, color=INK)
    doubted = np.logical_or.reduce([series.flagged(flag)[shown] for flag in labels.DOUBTED])
    doubted &= observed & marks
    axes.plot(years[doubted], values[doubted], "o", ms=5, mfc=PAPER, mec=INK, mew=1.2)
    for year in years[series.flagged("break")[shown]]:
        axes.axvline(year - 0.5, color=INK, lw=1.2, ls=":")


def lonely(values: np.ndarray) -> np.ndarray:
    """Return which values have no neighbour, so that a line does not show them."""
    observed = ~np.isnan(values)
    alone: np.ndarray = observed & ~np.r_[False, observed[:-1]] & ~np.r_[observed[1:], False]
    return alone


def _missing(axes: Axes, view: SeriesView, first: int) -> None:
    """Shade years that are left empty because of a census or a boundary."""
    series = view.series
    for flag in labels.MISSING:
        for year in series.years[series.flagged(flag) & (series.years >= first)]:
            axes.axvspan(year - 0.5, year + 0.5, color=WASH, lw=0, zorder=0)


def _years(axes: Axes, view: SeriesView, first: int) -> None:
    first = max(first, int(view.series.years[0]))
    last = max(view.horizons[-1], view.series.origin)
    axes.set_xlim(first - 0.8, last + 1.2)
    svg.years(axes, first, last, per_year=view.series.season)


def _phases(view: SeriesView) -> list[tuple[int, int]]:
    """Return first and target year of the phases of the country's concept that are forecast."""
    concept = CONCEPTS.get(view.country) if view.series.season == 1 else None
    ahead = set(view.horizons) & set(view.years.tolist())
    return [phase for phase in (concept.phases if concept else ()) if phase[1] in ahead]


def _targets(axes: Axes, view: SeriesView) -> None:
    """Mark the target years of the country's policy concept, and its phases along the top."""
    left = axes.get_xlim()[0]
    for start, year in _phases(view):
        axes.axvline(year, color=ACCENT, lw=0.9, ls=(0, (4, 2)))
        axes.plot(
            [max(start - 0.7, left), year], [1, 1], color=ACCENT, lw=2.5, clip_on=False,
            solid_capstyle="butt", transform=axes.get_xaxis_transform(),
        )  # fmt: skip
        axes.annotate(
            str(year), (year, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 3),
            textcoords="offset points", ha="center", va="bottom", color=ACCENT, weight="bold",
        )  # fmt: skip
