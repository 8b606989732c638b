"""The front page: one row per country, source and target year, and one sentence per country."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from forecast import labels, measures
from forecast.language import Language, message, rounded
from forecast.models import DEFAULT
from forecast.models.registry import specification
from forecast.reports import provenance, sentences
from forecast.reports.record import Record
from forecast.reports.series_view import SeriesView
from forecast.reports.verdicts import held
from forecast.series import last_break, usable_since_break

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
    said = [expected(lead, years[-1], words), little(lead, words)]
    said += [
        f"{words.opening(labels.source(view.series.source, words))}: {turned}"
        for view in same
        if (turned := provenance.other_sign(view, words))
    ]
    return {
        "net": lead.series.measure in NET,
        "measure": labels.measure(lead.series.measure, words),
        "rows": [_row(view, year, own, found, words) for view in same for year in years],
        "text": " ".join(part for part in said if part),
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
        shape = _EXPECTED.get(view.series.measure, message("About {middle} in {year}."))
        said = view.written(float(np.median(drawn)), words, 2)
        if view.counted.kind == "amount":
            said = f"{said} {view.counted.unit.said(words.code)}"
        return words.say(shape, middle=said, year=year)
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
