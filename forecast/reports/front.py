"""The main report: a row per country and target year, a sentence, and what is kept of sections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from forecast import labels, measures
from forecast.language import Language, message, rounded
from forecast.models import DEFAULT
from forecast.models.nowcast.verb import WHAT
from forecast.models.registry import specification
from forecast.reports import charts, provenance, sentences
from forecast.reports.record import Record
from forecast.reports.region_map import region_map
from forecast.reports.sentences import expectation
from forecast.reports.series_view import SeriesView, identity, intervals
from forecast.reports.verdicts import held
from forecast.series import last_break, usable_since_break
from forecast.series_key import rows_of

#: Measures that say most about a country in one number.
NET = ("net_migration", "net_all_flows")
_EXPECTED = {
    "immigration": message("About {middle} people arrive in {year}."),
    "emigration": message("About {middle} people leave in {year}."),
}


def front(
    fitted: Sequence[SeriesView], own: Sequence[int], found: Record | None, words: Language
) -> dict[str, Any] | None:
    """Return what the front page says of one country.

    Parameters
    ----------
    fitted : sequence of SeriesView
        National series with a forecast, the source to be preferred first.
    own : sequence of int
        Target years of the country's own policy concept; without one the last year counts.

    Returns
    -------
    dict or None
        A net flow leads, else arrivals, else departures, else what there is; ``net`` says
        whether one does. ``rows``, of every source of that measure; ``text``, sentences on the
        first of them. None if nothing national was forecast.
    """
    if not fitted:
        return None
    lead = min(fitted, key=lambda one: 0 if one.key[2] in NET else measures.position(one.key[2]))
    same = [view for view in fitted if view.series.measure == lead.series.measure]
    years = own or lead.horizons[-1:]
    sentences = [expected(lead, years[-1], words), little(lead, words)]
    sentences += [
        f"{words.opening(labels.source(view.series.source, words))}: {turned}"
        for view in same
        if (turned := provenance.other_sign(view, words))
    ]
    return {
        "net": lead.series.measure in NET,
        "measure": labels.measure(lead.series.measure, words),
        "rows": [_row(view, year, own, found, words) for view in same for year in years],
        "text": " ".join(part for part in sentences if part),
    }


def little(view: SeriesView, words: Language) -> str:
    """Say that a series has few figures, and that its forecast is borrowed; else nothing.

    Parameters
    ----------
    view : SeriesView
        Figures since its last break count, see `forecast.series.usable_since_break`.
    words : Language
        Language of the sentence.

    Returns
    -------
    str
        Empty with at least ``minimum_years`` of the default model.
    """
    known = usable_since_break(view.series)
    if known >= int(specification(DEFAULT)["minimum_years"]):
        return ""
    return words.count(
        "The {source} has {n} usable figure since {year}: how far it may move is borrowed from "
        "other series.",
        "The {source} has {n} usable figures since {year}: how far it may move is borrowed from "
        "other series.",
        known,
        source=labels.source(view.series.source, words),
        year=int(view.series.years[last_break(view.series)]),
    )


def expected(view: SeriesView, year: int, words: Language) -> str:
    """Say the middle estimate of one series in one year, of net flows the chance of a net loss.

    Parameters
    ----------
    view : SeriesView
        A series with a forecast.
    year : int
        Target year; of one that is observed already the figure is told.
    words : Language
        Language of the sentence.

    Returns
    -------
    str
        Persons to two digits; of a net flow the size with the direction in words.
    """
    if year not in view.years:
        return sentences.expectation(view, year, words)
    drawn = view.at(year)
    middle = rounded(float(np.median(drawn)))
    if not (view.series.signed and view.counted.moves):
        plain = message("About {middle} in {year}.")
        # What comes in five years does not come "in 2030".
        shape = _EXPECTED.get(view.series.measure, plain) if words.step == 1 else plain
        number = view.written(float(np.median(drawn)), words, 2)
        if view.counted.kind == "amount":
            number = f"{number} {view.counted.unit.said(words.code)}"
        return words.say(shape, middle=number, year=year)
    shape = (
        message("In {year} about {middle} more people arrive than leave ({source}); {loss}.")
        if middle >= 0
        else message("In {year} about {middle} more people leave than arrive ({source}); {loss}.")
    )
    return words.say(
        shape,
        year=year,
        middle=words.persons(abs(middle)),
        source=labels.source(view.series.source, words),
        loss=sentences.net_loss(drawn, words),
    )


def _row(
    view: SeriesView, year: int, own: Sequence[int], found: Record | None, words: Language
) -> dict[str, Any]:
    """Return one series in one target year; of a year that is known, only the figure."""
    last_year, last = view.last()
    signed, known = view.series.signed and view.counted.moves, view.observed(year)
    row: dict[str, Any] = {
        "series": " ".join(view.key),
        "source": labels.source(view.series.source, words),
        "last": view.written(last, words),
        "last_year": last_year,
        "year": year,
        "own": year in own,
        "observed": "" if known is None else view.written(known, words),
    }
    if year not in view.years:
        return row
    drawn = view.at(year)
    for name, number in zip(("low", "middle", "high"), np.quantile(drawn, [0.1, 0.5, 0.9])):
        row[name] = view.written(float(number), words, 2)
    if signed:
        chance = float((drawn < 0).mean())
        row |= {"loss": words.percent(chance), "share": round(100 * chance)}
    if found is not None:
        row["held"] = held(found.nearest(view.key, year - view.series.origin), words)
    return row


#: What is known, by the number of parts of a year.
_KNOWN = {
    12: message("{year} so far: {known} of 12 months are known."),
    4: message("{year} so far: {known} of 4 quarters are known."),
    2: message("{year} so far: {known} of 2 half-years are known."),
}


def year_so_far(
    view: SeriesView, explanation: pd.DataFrame | None, words: Language, said: int | None = None
) -> str:
    """Say of which year how much is known, and what its total is expected to be.

    Parameters
    ----------
    view : SeriesView
    explanation : DataFrame or None
        `Forecast.explanation`, with what nowcasts rest on.
    words : Language
    said : int, optional
        A year whose expectation stands beside it already.

    Returns
    -------
    str
        Empty if there is no nowcast of the series.
    """
    if explanation is None or not (explanation["what"] == WHAT).any():
        return ""
    rows = explanation[rows_of(explanation, view.key) & (explanation["what"] == WHAT).to_numpy()]
    told = dict(zip(rows["name"], rows["value"]))
    if not told or not told["parts_in"]:
        return ""
    year = int(rows["year"].iloc[0])
    known = words.say(_KNOWN[int(told["parts"])], year=year, known=int(told["parts_in"]))
    return known if year == said else f"{known} {expectation(view, year, words)}"


#: Which of `forecast.reports.series_view.LEVELS` the short tables show.
_LEVEL = 1


def measures_of(
    fitted: Sequence[SeriesView],
    year: int,
    words: Language,
    explanation: pd.DataFrame | None = None,
) -> list[dict[str, Any]]:
    """Return one chart, one sentence and one table per national series.

    Parameters
    ----------
    fitted : sequence of SeriesView
        National series with a forecast, the source to be preferred first.
    year : int
        The year that the sentence is about.
    explanation : DataFrame, optional
        `Forecast.explanation`; of a year that is not over a sentence more.

    Returns
    -------
    list of dict
        ``large`` and ``small``, SVG; ``text``; ``rows``, one per target year with the median
        and the 80 % interval in ``band``, or the figure that is known.
    """
    return [_measure(view, year, words, explanation) for view in fitted]


def _measure(
    view: SeriesView, year: int, words: Language, explanation: pd.DataFrame | None
) -> dict[str, Any]:
    large, small = charts.recent(view, words)
    rows = [
        {
            "year": row.year,
            "median": row.median,
            "band": row.bands[_LEVEL] if row.bands else (),
            "observed": row.observed,
        }
        for row in intervals([view], words)
    ]
    source, _, measure = view.key
    return {
        "identity": identity("measure", *view.key),
        "series": " ".join(view.key),
        "title": labels.measure(measure, words),
        "source": labels.source(source, words),
        "year": year,
        "text": f"{expected(view, year, words)} {year_so_far(view, explanation, words)}".strip(),
        "large": Markup(large),  # noqa: S704  escaped where it is drawn
        "small": Markup(small),  # noqa: S704  escaped where it is drawn
        "rows": rows,
    }


def regions(
    regional: Sequence[SeriesView], code: str, year: int, words: Language
) -> list[dict[str, Any]]:
    """Return the ranked chart of a country's regions, one per source and measure, with a map.

    A single region is not ranked: its fan in the annex says all that the chart would.

    Parameters
    ----------
    regional : sequence of SeriesView
        Of the regions of one country; those without a forecast for the year are left out.
    code : str
        Code of the country.
    year : int
        Target year.
    words : Language
        Language of names and charts.

    Returns
    -------
    list of dict
        For the template ``main.html``, sorted by source and measure; the highest median is drawn on
        top.
    """
    found = []
    ahead = [view for view in regional if view.forecast and year in view.years]
    for source, measure in sorted({(s.series.source, s.series.measure) for s in ahead}):
        group = [s for s in ahead if (s.series.source, s.series.measure) == (source, measure)]
        if len(group) < 2:
            continue
        order = sorted(group, key=lambda s: (-float(np.median(s.at(year))), s.key))
        found.append(
            {
                "identity": identity("regions", source, measure, code),
                "measure": labels.measure(measure, words),
                "source": labels.source(source, words),
                "year": year,
                "count": len(order),
                "ranking": Markup(charts.ranking(order, year, words)),  # noqa: S704  escaped there
                "map": region_map(order, code, year, words),
            }
        )
    return found


def changes(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return of the changes since the last edition the causes, and net flows in the last year."""
    if found is None:
        return None
    net = [row for row in found["rows"] if row["key"][2] in NET] or found["rows"]
    last = {row["key"]: row["year"] for row in net}
    return {**found, "rows": [row for row in net if row["year"] == last[row["key"]]]}


def outturn(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return how the last forecast turned out in one sentence, with the figures of countries."""
    return None if found is None else {**found, "rows": [r for r in found["rows"] if r["national"]]}


def what_ifs(found: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]] | None:
    """Return of each scenario how many move, and the chart that shows it most."""
    return None if found is None else [{**one, "figures": one["figures"][:1]} for one in found]
