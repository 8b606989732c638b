"""The impact of past events: the section of the page on each event, and charts of effects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from forecast import labels
from forecast.impacts.placebo import SETS
from forecast.impacts.result import STANDS_OUT, Impact
from forecast.impacts.sentences import difference, finding, power, probability
from forecast.language import Language, message, rounded
from forecast.reports import charts, svg
from forecast.reports.charts import BANDS, lonely
from forecast.reports.series_view import FIRST_YEAR, SeriesView, identity
from forecast.reports.svg import ACCENT, BAND_80, INK, MUTED, PAPER, WHAT_IF, drawing, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes


#: What the verdict on a sum is called in a table.
_VERDICTS = {
    "stands out": message("stands out"),
    "depends on the model": message("depends on the model"),
    "cannot be told apart": message("cannot be told apart from ordinary error"),
    "cannot be decided": message("cannot be decided"),
}


def section(impacts: Sequence[Impact], words: Language) -> list[dict[str, Any]]:
    """Return what the page shows of each event, in the order given.

    Parameters
    ----------
    impacts : sequence of Impact
        Events held against forecasts from before them.
    words : Language
        Language of sentences and charts.

    Returns
    -------
    list of dict
        For the template ``impacts.html``; charts are marked as safe.
    """
    return [_entry(impact, number, words) for number, impact in enumerate(impacts, 1)]


def _entry(impact: Impact, number: int, words: Language) -> dict[str, Any]:
    event = impact.event
    name = identity("impact", number, event.name or event.location)
    return {
        "identity": name,
        "title": title(impact, words),
        "what": f"{labels.place(event.location, words)}: {labels.measure(event.measure, words)}",
        "source": labels.source(event.source, words),
        "verdict": words.say(_VERDICTS[impact.verdict]),
        "seen": impact.verdict == STANDS_OUT,
        "difference": difference(impact, words),
        "finding": finding(impact, words),
        "power": power(impact, words),
        "limit": event.limited(words),
        "announced": event.announced,
        "fan": Markup(fan(impact, name, words)),  # noqa: S704  escaped where it is drawn
        "strip": Markup(strip(impact, name, words))  # noqa: S704  escaped where drawn
        if len(impact.placebos.table)
        else None,
        "rows": _rows(impact, words),
    }


def title(impact: Impact, words: Language) -> str:
    """Return what the event is called; one without a title by its place and first year.

    Parameters
    ----------
    impact : Impact
        Only its event is used.
    words : Language
        Language of the title.

    Returns
    -------
    str
    """
    event = impact.event
    if event.title or event.name:
        return event.called(words)
    return f"{labels.place(event.location, words)}, {event.start}"


def _rows(impact: Impact, words: Language) -> list[dict[str, str]]:
    """Return the table of effects: each year, and where there are several their sum."""
    table = impact.effects()
    if len(table) == 2:
        table = table.iloc[:1]
    rows = []
    for row in table.to_dict("records"):
        low, high = (
            "–" if np.isnan(row[name]) else words.persons(rounded(row[name], 3), sign=True)
            for name in ("lower_calibrated", "upper_calibrated")
        )
        rows.append(
            {
                "year": words.say("together") if row["year"] == "sum" else row["year"],
                "observed": words.persons(rounded(row["observed"], 3)),
                "expected": words.persons(rounded(row["expected"], 3)),
                "effect": words.persons(rounded(row["effect"], 3), sign=True),
                "low": low,
                "high": high,
                "p_value": probability(row["p_value"], words),
            }
        )
    return rows


_TEXT = 13.0
#: Years before the event that are shown: beside an exodus long ago nothing else can be seen.
_PAST = 15
_SETS = {
    "dates": message("same series, earlier"),
    "places": message("elsewhere, same years"),
    "others": message("elsewhere, earlier"),
}


def fan(impact: Impact, name: str, words: Language) -> str:
    """Draw the series over the fan of what was to be expected without the event.

    Parameters
    ----------
    impact : Impact
        An event with its counterfactual, in persons per calendar year.
    name : str
        Start of the ids of the drawing, different for each event of a page.
    words : Language
        Language of numbers, title and description.

    Returns
    -------
    str
        SVG text.
    """
    with drawing(f"{name}-fan", _TEXT):
        figure, axes = svg.canvas(
            440, 250, left=4 * _TEXT, right=_TEXT, top=2 * _TEXT, bottom=2.2 * _TEXT
        )
        since = max(FIRST_YEAR, impact.event.start - _PAST)
        years = impact.history["year"]
        shown = impact.history[(years >= since) & (years <= impact.years[-1])]
        first, last = int(shown["year"].min()), impact.years[-1]
        grid = np.arange(first, last + 1)
        values = shown.set_index("year")["value"].reindex(grid).to_numpy(dtype=float)
        divisor = svg.divisor(values)
        _future(axes, impact, divisor)
        axes.plot(grid, values / divisor, color=INK, lw=1.6)
        alone = lonely(values)
        axes.plot(grid[alone], values[alone] / divisor, ".", ms=5, color=INK)
        axes.plot(impact.years, impact.window.observed / divisor, "o", ms=5, color=INK, mew=0)
        axes.axvline(impact.event.start - 0.5, color=ACCENT, lw=1.2, ls=(0, (4, 2)))
        axes.set_xlim(first - 0.8, last + 1.2)
        svg.years(axes, first, last)
        if impact.window.signed:
            axes.axhline(0, color=MUTED, lw=0.8)
        svg.unit(axes, divisor, words)
        svg.numbers(axes, words)
        title = words.say(
            "{place}: {measure}, what came and what was to be expected",
            place=labels.place(impact.event.location, words),
            measure=labels.measure(impact.event.measure, words),
        )
        return to_svg(figure, f"{name}-fan", title, fan_description(impact, words))


def strip(impact: Impact, name: str, words: Language) -> str:
    """Draw the gap of every placebo, one row per set, and that of the event across them.

    Parameters
    ----------
    impact : Impact
        With at least one placebo.
    name : str
        Start of the ids of the drawing, different for each event of a page.
    words : Language
        Language of numbers, title and description.

    Returns
    -------
    str
        SVG text; gaps are in units of each forecast's own spread, positive where more came.
    """
    rows = [kind for kind in SETS if impact.placebos.members(kind).any()]
    longest = max(len(words.say(_SETS[kind])) for kind in rows)
    with drawing(f"{name}-strip", _TEXT):
        figure, axes = svg.canvas(
            440, 84 + 40 * len(rows), left=14 + 6.8 * longest, right=_TEXT, top=3 * _TEXT, bottom=40
        )
        gaps = impact.placebos.table["gap"].to_numpy(dtype=float)
        own = float(impact.window.gaps[-1])
        # A few placebos of the worst years would squeeze all others together.
        edge = max(3.0, abs(own) * 1.15, float(np.quantile(np.abs(gaps), 0.95)) * 1.1)
        for position, kind in enumerate(reversed(rows)):
            of_kind = np.clip(gaps[impact.placebos.members(kind)], -edge, edge)
            heights = np.full(len(of_kind), float(position))
            axes.plot(of_kind, heights, "|", ms=15, color=INK, mew=1.2, alpha=0.55)
        axes.axvline(0, color=MUTED, lw=0.8)
        axes.axvline(own, color=ACCENT, lw=2.0)
        axes.plot([own], [len(rows) - 0.4], "v", ms=8, color=ACCENT, mec=PAPER, clip_on=False)
        axes.set_xlim(-edge * 1.04, edge * 1.04)
        axes.set_ylim(-0.6, len(rows) - 0.4)
        at = list(range(len(rows)))
        svg.label(axes, "left", at, [words.say(_SETS[kind]) for kind in reversed(rows)], INK)
        svg.numbers(axes, words, "x")
        axes.annotate(
            words.say("gap, in units of each forecast’s own spread"), (0.5, 0),
            xycoords=("figure fraction", "figure fraction"), xytext=(0, 4),
            textcoords="offset points", ha="center", va="bottom", color=MUTED,
        )  # fmt: skip
        svg.corner(axes, words.say("the event (coloured) among the placebos"))
        title = words.say(
            "{place}: {measure}, the event among the placebos",
            place=labels.place(impact.event.location, words),
            measure=labels.measure(impact.event.measure, words),
        )
        return to_svg(figure, f"{name}-strip", title, strip_description(impact, words))


def fan_description(impact: Impact, words: Language) -> str:
    """Describe the fan: outcome and counterfactual of each year.

    Parameters
    ----------
    impact : Impact
        Figures and medians of each year of its window are told, in persons.
    words : Language
        Language of the sentence.

    Returns
    -------
    str
    """
    table = impact.effects().iloc[:-1]
    listed = "; ".join(
        words.say(
            "{year}: {observed} against {expected}",
            year=row["year"],
            observed=words.persons(rounded(row["observed"], 3)),
            expected=words.persons(rounded(row["expected"], 3)),
        )
        for row in table.to_dict("records")
    )
    return words.say("What came against what was to be expected: {listed}.", listed=listed)


def strip_description(impact: Impact, words: Language) -> str:
    """Describe the strip: the event's gap, and how many placebos are as far out.

    Parameters
    ----------
    impact : Impact
        Its gap is that of the sum over the window.
    words : Language
        Language of the sentence.

    Returns
    -------
    str
    """
    return words.say(
        "The event’s gap is {gap} spreads of its forecast; of {n} placebos {far} are as far out.",
        gap=words.decimal(round(float(impact.window.gaps[-1]), 1)),
        n=words.persons(impact.overall.placebos),
        far=words.persons(impact.overall.as_far),
    )


def _future(axes: Axes, impact: Impact, divisor: int) -> None:
    history = impact.history.set_index("year")["value"]
    start = float(history[impact.origin])
    at = np.r_[impact.origin, impact.window.years]
    for level, colour in BANDS:
        ends = np.quantile(impact.window.draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
        lower, upper = np.r_[start, ends[0]] / divisor, np.r_[start, ends[1]] / divisor
        axes.fill_between(at, lower, upper, color=colour, lw=0)
    median = np.r_[start, np.median(impact.window.draws, axis=0)] / divisor
    axes.plot(at, median, color=ACCENT, lw=1.8)


#: First year shown: the years before say nothing about what the shock adds.
FIRST_SHOWN = 2010
#: Probability inside both ranges.
LEVEL = 0.80


def beside(
    view: SeriesView,
    what_if: np.ndarray,
    starts: tuple[int, int],
    name: str,
    description: str,
    words: Language,
) -> str:
    """Draw the baseline's 80 % range and median, and those of the scenario over them.

    Parameters
    ----------
    view : SeriesView
        The series and its baseline draws.
    what_if : ndarray, shape (n_draws, n_years)
        The draws with the shock, of the same years.
    starts : tuple of (int, int)
        First and last year in which it may start, marked along the top.
    name : str
        Name of the scenario, for the ids.
    description : str
        For readers who cannot see the chart.

    Returns
    -------
    str
        SVG text.
    """
    text, size = 13.0, (440, 250)
    named = identity("what-if", name, *view.key)
    with drawing(named, text):
        figure, axes = svg.canvas(*size, left=4 * text, right=text, top=3 * text, bottom=2.2 * text)
        series = view.series
        shown = series.years >= FIRST_SHOWN
        divisor = svg.divisor(
            series.values[shown], *(np.quantile(np.abs(d), 0.9) for d in (view.draws, what_if))
        )
        year, last = view.last()
        at = np.array([year, *view.years])
        lower, middle, upper = (np.r_[last, line] / divisor for line in _lines(view.draws))
        axes.fill_between(at, lower, upper, color=BAND_80, lw=0)
        axes.plot(at, middle, color=ACCENT, lw=1.6)
        # The scenario departs from the baseline in the year before it may start.
        apart = at >= min(starts) - 1
        below, centre, above = (np.r_[last, line] / divisor for line in _lines(what_if))
        # Only where it goes beyond the baseline: one colour over the other reads as a third.
        for edge, ground in ((above, np.maximum(above, upper)), (below, np.minimum(below, lower))):
            base = upper if edge is above else lower
            axes.fill_between(
                at[apart], base[apart], ground[apart], facecolor=WHAT_IF, alpha=0.22, lw=0
            )
        for edge in (below, above):
            axes.plot(at[apart], edge[apart], color=WHAT_IF, lw=0.9, ls=(0, (3, 2)))
        axes.plot(at[apart], centre[apart], "o-", ms=3.5, mew=0, color=WHAT_IF, lw=2.0)
        axes.plot(series.years[shown], series.values[shown] / divisor, color=INK, lw=1.5)
        axes.axvline(year, color=MUTED, lw=0.8)
        if series.signed:
            axes.axhline(0, color=MUTED, lw=0.8)
        first, end = max(FIRST_SHOWN, int(series.years[0])), int(at[-1])
        axes.set_xlim(first - 0.5, end + 0.6)
        axes.plot(
            [starts[0] - 0.3, starts[1] + 0.3], [1, 1], color=WHAT_IF, lw=2.5, clip_on=False,
            solid_capstyle="butt", transform=axes.get_xaxis_transform(),
        )  # fmt: skip
        svg.years(axes, first, end)
        svg.unit(axes, divisor, words)
        svg.numbers(axes, words)
        return to_svg(figure, named, charts.heading(view, words), description)


def _lines(draws: np.ndarray) -> np.ndarray:
    lines: np.ndarray = np.quantile(draws, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2], axis=0)
    return lines
