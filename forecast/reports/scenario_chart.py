"""The chart of a scenario: the baseline's range, and what would follow beside it."""

from __future__ import annotations

import numpy as np

from forecast.language import Language
from forecast.reports import charts, frame
from forecast.reports.series_view import Subject, identity
from forecast.reports.svg import ACCENT, BAND_80, INK, MUTED, WHAT_IF, drawing, to_svg

#: First year shown: the years before say nothing about what the shock adds.
FIRST_YEAR = 2010
#: Probability inside both ranges.
LEVEL = 0.80


def beside(
    subject: Subject,
    what_if: np.ndarray,
    starts: tuple[int, int],
    name: str,
    description: str,
    words: Language,
) -> str:
    """Draw the baseline's 80 % range and median, and those of the scenario over them.

    Parameters
    ----------
    subject : Subject
        The series and its baseline draws.
    what_if : ndarray, shape (n_draws, n_years)
        The draws with the shock, of the same years.
    starts : tuple of (int, int)
        First and last year in which it may start, marked along the top.
    name : str
        Name of the scenario, for the ids.
    description : str
        For readers who cannot see the chart.
    words : Language

    Returns
    -------
    str
        SVG text.
    """
    text, size = 13.0, (440, 250)
    named = identity("what-if", name, *subject.key)
    with drawing(named, text):
        figure, axes = frame.canvas(
            *size, left=4 * text, right=text, top=3 * text, bottom=2.2 * text
        )
        series = subject.series
        shown = series.years >= FIRST_YEAR
        divisor = frame.divisor(
            series.values[shown], *(np.quantile(np.abs(d), 0.9) for d in (subject.draws, what_if))
        )
        year, last = subject.last()
        at = np.array([year, *subject.years])
        lower, middle, upper = (np.r_[last, line] / divisor for line in _lines(subject.draws))
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
        first, end = max(FIRST_YEAR, int(series.years[0])), int(at[-1])
        axes.set_xlim(first - 0.5, end + 0.6)
        axes.plot(
            [starts[0] - 0.3, starts[1] + 0.3], [1, 1], color=WHAT_IF, lw=2.5, clip_on=False,
            solid_capstyle="butt", transform=axes.get_xaxis_transform(),
        )  # fmt: skip
        frame.years(axes, first, end)
        frame.unit(axes, divisor, words)
        frame.numbers(axes, words)
        return to_svg(figure, named, charts.heading(subject, words), description)


def _lines(draws: np.ndarray) -> np.ndarray:
    lines: np.ndarray = np.quantile(draws, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2], axis=0)
    return lines
