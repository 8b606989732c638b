"""Other sources beside ours: pairs that disagree, and the projections of the United Nations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from forecast import labels
from forecast.data import package
from forecast.language import Language, rounded
from forecast.reports import svg
from forecast.reports.charts import lonely
from forecast.reports.series_view import FIRST_YEAR, SeriesView, identity
from forecast.reports.svg import ACCENT, INK, MUTED, drawing, to_svg

#: Fewest common years that make a comparison.
LEAST = 5


def disagreements(views: Sequence[SeriesView], words: Language) -> list[dict[str, Any]]:
    """Return a chart and a sentence for each pair of sources that can be compared.

    Parameters
    ----------
    views : sequence of SeriesView
        All series of the page; see `pairs` for those that are compared.
    words : Language
        Language of sentences and charts.

    Returns
    -------
    list of dict
        ``title, source, svg, caption``, for the template.
    """
    return [
        {
            "title": f"{labels.place(first.series.location, words)}: "
            f"{labels.measure(first.series.measure, words)}",
            "source": "",
            "svg": Markup(chart(first, second, words)),  # noqa: S704  escaped where it is drawn
            "caption": difference(first, second, words),
        }
        for first, second in pairs(views)
    ]


def pairs(views: Sequence[SeriesView]) -> Iterator[tuple[SeriesView, SeriesView]]:
    """Yield the national series of one measure that two sources give for enough years."""
    national = [view for view in views if view.national]
    for one, two in combinations(national, 2):
        first, second = sorted((one, two), key=lambda s: s.series.origin - len(s.series.years))
        if one.key[1:] == two.key[1:] and len(common(first, second)[0]) >= LEAST:
            yield first, second


def common(first: SeriesView, second: SeriesView) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the years from `FIRST_YEAR` on that both observe, and both figures of each.

    A figure that another source disputes (flag suspect) is no measure of the difference.

    Parameters
    ----------
    first, second : SeriesView
        Of one place and measure.

    Returns
    -------
    years : ndarray of int, shape (n,)
    ours, theirs : ndarray of float, shape (n,)
        Persons per calendar year, net inflow positive.
    """
    ours = dict(zip(first.series.years.tolist(), first.series.values.tolist()))
    theirs = dict(zip(second.series.years.tolist(), second.series.values.tolist()))
    disputed = {
        year
        for view in (first, second)
        for year in view.series.years[view.series.flagged("suspect")].tolist()
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


def difference(first: SeriesView, second: SeriesView, words: Language) -> str:
    """Say by how much two sources differ, how often in sign, and where the most.

    Parameters
    ----------
    first, second : SeriesView
        Of one place and measure, with at least one year in common.
    words : Language
        Language of the sentences.

    Returns
    -------
    str
    """
    years, one, two = common(first, second)
    gap = np.abs(one - two)
    worst = int(gap.argmax())
    signed = first.series.signed
    turned = int((np.sign(one) * np.sign(two) < 0).sum())
    sentence = words.say(
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
        return sentence
    return f"{sentence} " + words.count(
        "In {n} year one says gain and the other loss.",
        "In {n} years one says gain and the other loss.",
        turned,
    )


def chart(first: SeriesView, second: SeriesView, words: Language) -> str:
    """Draw two sources of the same measure over each other.

    Parameters
    ----------
    first, second : SeriesView
        Of one place and measure; the second is dashed.
    words : Language
        Language of numbers, title and description.

    Returns
    -------
    str
        SVG text.
    """
    name = identity("contrast", *first.key, second.series.source)
    text = 13.0
    with drawing(name, text):
        figure, axes = svg.canvas(
            440, 230, left=4 * text, right=text, top=2 * text, bottom=2.2 * text
        )
        start = max(FIRST_YEAR, min(int(s.series.years[0]) for s in (first, second)))
        divisor = svg.divisor(*(s.series.values[s.series.years >= start] for s in (first, second)))
        for view, colour, style in ((first, INK, "-"), (second, ACCENT, (0, (4, 2)))):
            shown = view.series.years >= start
            years, values = view.series.years[shown], view.series.values[shown] / divisor
            axes.plot(years, values, color=colour, lw=1.8, ls=style)
            alone = lonely(values)
            axes.plot(years[alone], values[alone], ".", ms=6, color=colour)
        axes.axhline(0, color=MUTED, lw=0.8)
        last = max(first.series.origin, second.series.origin)
        axes.set_xlim(start - 0.5, last + 0.5)
        svg.years(axes, start, last)
        svg.numbers(axes, words)
        svg.unit(axes, divisor, words)
        title = words.say(
            "{place}: {measure} from two sources",
            place=labels.place(first.series.location, words),
            measure=labels.measure(first.series.measure, words),
        )
        return to_svg(figure, name, title, difference(first, second, words))


#: The measure that the United Nations project.
MEASURE = "net_migration"


def un_projections(views: Sequence[SeriesView], words: Language) -> dict[str, Any] | None:
    """Return the UN's projections for the target years, and how its earlier ones did.

    Parameters
    ----------
    views : sequence of SeriesView
        The series of the page, in its order.
    words : Language
        Language of sentences, names and numbers.

    Returns
    -------
    dict or None
        ``vintages``, the years of release; ``rows``, one per country and target year;
        ``past``, sentences on years that a release had projected and a later one estimates.
        None if no series of the page is the UN's.
    """
    table = package.projections()
    table["vintage"] = pd.to_datetime(table["as_of"]).dt.year
    ours = [s for s in views if s.national and s.forecast and _theirs(s, table)]
    if not ours:
        return None
    vintages = sorted(table["vintage"].unique().tolist())
    past = [sentence for view in ours if (sentence := hindsight(view, table, words))]
    return {
        "vintages": vintages,
        "rows": [
            _projection_row(view, year, table, vintages, words)
            for view in ours
            for year in view.horizons
            if year in view.years
        ],
        "past": past,
    }


def hindsight(view: SeriesView, table: pd.DataFrame, words: Language) -> str:
    """Compare earlier projections with years that are estimated by now.

    Parameters
    ----------
    view : SeriesView
        A series of the UN; its figures are what the projections are compared with.
    table : DataFrame
        Projections: ``location, year, value`` (persons per calendar year) and ``vintage``, the year
        of release.
    words : Language
        Language of the sentences.

    Returns
    -------
    str
        One sentence per vintage, in their order; empty if no projected year is estimated by now.
    """
    known = dict(zip(view.series.years.tolist(), view.series.values.tolist()))
    rows = table[table["location"] == view.series.location]
    sentences = []
    for vintage, group in rows.groupby("vintage", sort=True):
        judged = [row for row in group.to_dict("records") if row["year"] in known]
        if judged:
            values = "; ".join(
                words.say(
                    "{projected} for {year}, now estimated at {estimated}",
                    year=row["year"],
                    projected=words.persons(rounded(row["value"], 3), sign=True),
                    estimated=words.persons(rounded(known[row["year"]], 3), sign=True),
                )
                for row in judged
            )
            sentences.append(
                words.say(
                    "{place}, said in {vintage}: {told}.",
                    place=labels.place(view.series.location, words),
                    vintage=vintage,
                    told=values,
                )
            )
    return " ".join(sentences)


def _theirs(view: SeriesView, table: pd.DataFrame) -> bool:
    source, place, measure = view.key
    return measure == MEASURE and bool(
        ((table["source"] == source) & (table["location"] == place)).any()
    )


def _projection_row(
    view: SeriesView, year: int, table: pd.DataFrame, vintages: Sequence[int], words: Language
) -> dict[str, Any]:
    """Return each release's projection of one country and year beside our forecast."""
    source, place, _ = view.key
    rows = table[
        (table["source"] == source) & (table["location"] == place) & (table["year"] == year)
    ].set_index("vintage")
    cells: list[str] = []
    for vintage in vintages:
        if vintage not in rows.index:
            cells.append("–")
            continue
        middle, lower, upper = (
            float(rows[name].to_dict()[vintage]) for name in ("value", "lower_80", "upper_80")
        )
        cells.append(_with_interval(middle, lower, upper, words))
    lower, middle, upper = np.quantile(view.at(year), [0.1, 0.5, 0.9])
    return {
        "place": labels.place(place, words),
        "year": year,
        "said": cells,
        "here": _with_interval(middle, lower, upper, words),
    }


def _with_interval(middle: float, lower: float, upper: float, words: Language) -> str:
    """Write a middle value with its 80 % interval, where there is one."""
    number = words.persons(rounded(float(middle), 3), sign=True)
    if np.isnan(lower) or np.isnan(upper):
        return number
    low, high = (words.persons(rounded(float(end), 3), sign=True) for end in (lower, upper))
    return words.say("{middle} ({low} to {high})", middle=number, low=low, high=high)
