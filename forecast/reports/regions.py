"""The regions of a country: ranked and one by one, and whether parts add up to their whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from forecast import labels, measures
from forecast.language import Language
from forecast.reports import charts, sentences
from forecast.reports.series_view import SeriesView, identity, intervals
from forecast.series_key import SeriesKey


@dataclass(frozen=True, slots=True)
class CaptionedChart:
    """One chart with what stands around it."""

    title: str
    source: str
    svg: Markup
    caption: str
    identity: str = ""


def places(
    views: Sequence[SeriesView], codes: Sequence[str], words: Language
) -> list[dict[str, Any]]:
    """Return where on the page each region stands, by country and each region once.

    Parameters
    ----------
    views : sequence of SeriesView
        The series of the page.
    codes : sequence of str
        Countries, in the order of the page.
    words : Language
        Language of the names; regions are sorted by its alphabet.

    Returns
    -------
    list of dict
        ``country`` and ``regions``, each with its ``place`` and its ``links``: pairs of a name
        and an id of the page. The name is empty where a region has one chart only.
    """
    found = []
    for code in codes:
        regional = [s for s in views if s.country == code and s.forecast and not s.national]
        named: dict[str, list[SeriesView]] = {}
        for view in regional:
            named.setdefault(labels.place(view.series.location, words), []).append(view)
        if named:
            found.append(
                {
                    "country": labels.place(code, words),
                    "regions": [
                        {"place": place, "links": _links(named[place], words)}
                        for place in sorted(named, key=words.order)
                    ],
                }
            )
    return found


def _links(views: Sequence[SeriesView], words: Language) -> list[tuple[str, str]]:
    """Return the charts of one region, told apart by measure and, where needed, by source."""
    if len(views) == 1:
        return [("", _anchor(views[0]))]
    ordered = sorted(views, key=lambda s: (measures.position(s.series.measure), s.series.source))
    of_measure = Counter(view.series.measure for view in views)
    links = []
    for view in ordered:
        name = labels.measure(view.series.measure, words)
        if of_measure[view.series.measure] > 1:
            name = f"{name}, {labels.source(view.series.source, words)}"
        links.append((name, _anchor(view)))
    return links


def _anchor(view: SeriesView) -> str:
    return identity("place", *view.key)


def groups(regional: Sequence[SeriesView], year: int, words: Language) -> list[dict[str, Any]]:
    """Return the regions' charts and tables, one group per source and measure.

    Parameters
    ----------
    regional : sequence of SeriesView
        Of the regions of one country; those without a forecast are named apart.
    year : int
        Target year that the figures' captions tell.
    words : Language
        Language of names and sentences; regions are sorted by its alphabet.

    Returns
    -------
    list of dict
        For the template ``annex.html``, sorted by source and measure.
    """
    found = []
    for source, measure in sorted({(s.series.source, s.series.measure) for s in regional}):
        group = [s for s in regional if (s.series.source, s.series.measure) == (source, measure)]
        fitted = [view for view in group if view.forecast]
        group.sort(key=lambda s: words.order(labels.place(s.series.location, words)))
        fitted.sort(key=lambda s: words.order(labels.place(s.series.location, words)))
        shared = sentences.shared_flags(fitted, words)
        found.append(
            {
                "identity": identity("regions", source, measure, regional[0].country),
                "measure": labels.measure(measure, words),
                "source": labels.source(source, words),
                "shared": " ".join(shared),
                "figures": [_regional(s, year, frozenset(shared), words) for s in fitted],
                "rows": intervals(fitted, words),
                "unfit": [unfit(s, words) for s in group if not s.forecast],
            }
        )
    return found


def _regional(
    view: SeriesView, year: int, shared: frozenset[str], words: Language
) -> CaptionedChart:
    """Return a region's fan with its numbers in the caption."""
    parts = [sentences.brief(view, year, words)] if year in view.years else []
    parts.append(sentences.flags(view, words, shared))
    return CaptionedChart(
        labels.place(view.series.location, words),
        "",
        Markup(charts.fan(view, words, size=(300, 190), text=11.0)),  # noqa: S704  escaped where drawn
        " ".join(part for part in parts if part),
        _anchor(view),
    )


def unfit(view: SeriesView, words: Language) -> dict[str, str]:
    """Return what the page says of a series that could not be forecast.

    Parameters
    ----------
    view : SeriesView
        A series without draws; its note has the reason.
    words : Language
        Language of names and sentence.

    Returns
    -------
    dict
        ``place, measure, source, text``.
    """
    source, place, measure = view.key
    return {
        "place": labels.place(place, words),
        "measure": labels.measure(measure, words),
        "source": labels.source(source, words),
        "text": sentences.not_forecast(view, words),
    }


#: Persons by which a balance may be off, for rounding.
_TOLERANCE = 1.0


def accounts(views: Sequence[SeriesView], words: Language) -> Mapping[str, object] | None:
    """Say whether arrivals minus departures, and regions together, give the country's net.

    Parameters
    ----------
    views : sequence of SeriesView
        The series of the page; those without a forecast do not count.
    words : Language
        Language of the sentences.

    Returns
    -------
    mapping or None
        ``adds_up`` and ``text``; None where no series could add up to another.
    """
    found = {view.key: view for view in views if view.forecast}
    flows = [_gap(net, parts) for net, parts in _flows(found)]
    regions = [_gap(whole, parts) for whole, parts in _regions(found)]
    if not flows and not regions:
        return None
    sentences = []
    if flows:
        sentences.append(
            words.say("In every simulated future arrivals minus departures give the net.")
            if max(flows) <= _TOLERANCE
            else words.say(
                "Arrivals, departures and the net are forecast each by itself: their middle "
                "values and intervals do not balance."
            )
        )
    if regions:
        sentences.append(
            words.say("In every simulated future the regions add up to the country.")
            if max(regions) <= _TOLERANCE
            else words.say(
                "Each region is forecast by itself: together they do not give exactly the "
                "country’s figure."
            )
        )
    return {"adds_up": max([*flows, *regions]) <= _TOLERANCE, "text": " ".join(sentences)}


def _flows(
    found: Mapping[SeriesKey, SeriesView],
) -> list[tuple[SeriesView, list[tuple[float, SeriesView]]]]:
    """Return each net with the flows that it is the difference of."""
    triples = []
    for (source, place, measure), net in found.items():
        parts = [found.get((source, place, name)) for name in ("immigration", "emigration")]
        arrivals, departures = parts
        if measure == "net_migration" and arrivals is not None and departures is not None:
            triples.append((net, [(1.0, arrivals), (-1.0, departures)]))
    return triples


def _regions(
    found: Mapping[SeriesKey, SeriesView],
) -> list[tuple[SeriesView, list[tuple[float, SeriesView]]]]:
    """Return each national series with those of the regions from the same source."""
    sums = []
    for (source, place, measure), whole in found.items():
        parts = [
            (1.0, part)
            for part in found.values()
            if not part.national
            and (part.series.source, part.country, part.series.measure) == (source, place, measure)
        ]
        if whole.national and parts:
            sums.append((whole, parts))
    return sums


def _gap(whole: SeriesView, parts: Sequence[tuple[float, SeriesView]]) -> float:
    """Return the largest distance between a whole and its parts over draws and years."""
    years = whole.years
    for _, part in parts:
        years = np.intersect1d(years, part.years)
    if not years.size:
        return 0.0
    total = sum(sign * np.stack([part.at(year) for year in years]) for sign, part in parts)
    return float(np.abs(np.stack([whole.at(year) for year in years]) - total).max())
