"""Where two sources disagree about the same measure: both shown, the difference put in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from markupsafe import Markup

from forecast.language import Language
from forecast.reports import frame, labels
from forecast.reports.charts import lonely
from forecast.reports.numbers import rounded
from forecast.reports.series_view import FIRST_YEAR, Subject, identity
from forecast.reports.svg import ACCENT, INK, MUTED, drawing, to_svg

#: Fewest common years that make a comparison.
LEAST = 5


def section(known: Sequence[Subject], words: Language) -> list[dict[str, Any]]:
    """Return a chart and a sentence for each pair of sources that can be compared."""
    return [
        {
            "title": f"{labels.place(first.series.location, words)}: "
            f"{labels.measure(first.series.measure, words)}",
            "source": "",
            "svg": Markup(chart(first, second, words)),  # noqa: S704  escaped where it is drawn
            "caption": difference(first, second, words),
        }
        for first, second in pairs(known)
    ]


def pairs(known: Sequence[Subject]) -> Iterator[tuple[Subject, Subject]]:
    """Yield the national series of one measure that two sources give for enough years."""
    national = [subject for subject in known if subject.national]
    for one, two in combinations(national, 2):
        first, second = sorted((one, two), key=lambda s: s.series.origin - len(s.series.years))
        if one.key[1:] == two.key[1:] and len(common(first, second)[0]) >= LEAST:
            yield first, second


def common(first: Subject, second: Subject) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the years from `FIRST_YEAR` on that both observe, and both figures of each.

    A figure that another source disputes (flag suspect) is no measure of the difference.
    """
    ours = dict(zip(first.series.years.tolist(), first.series.values.tolist()))
    theirs = dict(zip(second.series.years.tolist(), second.series.values.tolist()))
    disputed = {
        year
        for subject in (first, second)
        for year in subject.series.years[subject.series.flagged("suspect")].tolist()
    }
    years = [
        year
        for year in ours
        if year >= FIRST_YEAR
        and year not in disputed
        and not np.isnan(ours[year])
        and not np.isnan(theirs.get(year, np.nan))
    ]
    return (
        np.array(years, dtype=int),
        np.array([ours[year] for year in years], dtype=float),
        np.array([theirs[year] for year in years], dtype=float),
    )


def difference(first: Subject, second: Subject, words: Language) -> str:
    """Say by how much two sources differ, how often in sign, and where the most."""
    years, one, two = common(first, second)
    gap = np.abs(one - two)
    worst = int(gap.argmax())
    signed = first.series.signed
    turned = int((np.sign(one) * np.sign(two) < 0).sum())
    said = words.say(
        "Solid: {first}; dashed: {second}. In the years that both have ({start}–{end}) they are "
        "{mean} a year apart on average, most in {year}: {here} against {there}.",
        first=labels.source(first.series.source, words),
        second=labels.source(second.series.source, words),
        start=years[0],
        end=years[-1],
        mean=words.persons(rounded(float(gap.mean()))),
        year=years[worst],
        here=words.persons(one[worst], sign=signed),
        there=words.persons(two[worst], sign=signed),
    )
    if not turned:
        return said
    return f"{said} " + words.count(
        "In {n} year one says gain and the other loss.",
        "In {n} years one says gain and the other loss.",
        turned,
    )


def chart(first: Subject, second: Subject, words: Language) -> str:
    """Draw two sources of the same measure over each other."""
    name = identity("contrast", *first.key, second.series.source)
    text = 13.0
    with drawing(name, text):
        figure, axes = frame.canvas(
            440, 230, left=4 * text, right=text, top=2 * text, bottom=2.2 * text
        )
        start = max(FIRST_YEAR, min(int(s.series.years[0]) for s in (first, second)))
        divisor = frame.divisor(
            *(s.series.values[s.series.years >= start] for s in (first, second))
        )
        for subject, colour, style in ((first, INK, "-"), (second, ACCENT, (0, (4, 2)))):
            shown = subject.series.years >= start
            years, values = subject.series.years[shown], subject.series.values[shown] / divisor
            axes.plot(years, values, color=colour, lw=1.8, ls=style)
            alone = lonely(values)
            axes.plot(years[alone], values[alone], ".", ms=6, color=colour)
        axes.axhline(0, color=MUTED, lw=0.8)
        last = max(first.series.origin, second.series.origin)
        axes.set_xlim(start - 0.5, last + 0.5)
        frame.years(axes, start, last)
        frame.numbers(axes, words)
        frame.unit(axes, divisor, words)
        title = words.say(
            "{place}: {measure} from two sources",
            place=labels.place(first.series.location, words),
            measure=labels.measure(first.series.measure, words),
        )
        return to_svg(figure, name, title, difference(first, second, words))
