"""The regions of a country: where they stand on the page, ranked, and one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from forecast.language import Language
from forecast.reports import charts, labels, sentences
from forecast.reports.series_view import Subject, identity
from forecast.reports.tables import intervals


@dataclass(frozen=True, slots=True)
class Figure:
    """One chart with what stands around it."""

    title: str
    source: str
    svg: Markup
    caption: str
    identity: str = ""


def places(known: Sequence[Subject], codes: Sequence[str], words: Language) -> list[dict[str, Any]]:
    """Return where on the page each region stands, by country and each region once.

    Returns
    -------
    list of dict
        ``country`` and ``regions``, each with its ``place`` and its ``links``: pairs of a name
        and an id of the page. The name is empty where a region has one chart only.
    """
    found = []
    for code in codes:
        regional = [s for s in known if s.country == code and s.forecast and not s.national]
        named: dict[str, list[Subject]] = {}
        for subject in regional:
            named.setdefault(labels.place(subject.series.location, words), []).append(subject)
        if named:
            found.append(
                {
                    "country": labels.place(code, words),
                    "regions": [
                        {"place": place, "links": _links(named[place], words)}
                        for place in sorted(named)
                    ],
                }
            )
    return found


def _links(subjects: Sequence[Subject], words: Language) -> list[tuple[str, str]]:
    """Return the charts of one region, told apart by measure and, where needed, by source."""
    if len(subjects) == 1:
        return [("", _anchor(subjects[0]))]
    ordered = sorted(subjects, key=lambda s: (labels.ORDER[s.series.measure], s.series.source))
    of_measure = Counter(subject.series.measure for subject in subjects)
    links = []
    for subject in ordered:
        name = labels.measure(subject.series.measure, words)
        if of_measure[subject.series.measure] > 1:
            name = f"{name}, {labels.source(subject.series.source, words)}"
        links.append((name, _anchor(subject)))
    return links


def _anchor(subject: Subject) -> str:
    return identity("place", *subject.key)


def groups(regional: Sequence[Subject], year: int, words: Language) -> list[dict[str, Any]]:
    """Return the regions' charts and tables, one group per source and measure.

    A single region is not ranked: its fan says all that the chart would.
    """
    found = []
    for source, measure in sorted({(s.series.source, s.series.measure) for s in regional}):
        group = [s for s in regional if (s.series.source, s.series.measure) == (source, measure)]
        fitted = [subject for subject in group if subject.forecast]
        group.sort(key=lambda s: labels.place(s.series.location, words))
        ahead = [subject for subject in fitted if year in subject.years]
        order = sorted(ahead, key=lambda s: (-float(np.median(s.at(year))), s.key))
        fitted.sort(key=lambda s: labels.place(s.series.location, words))
        shared = sentences.shared_flags(fitted, words)
        found.append(
            {
                "identity": identity("regions", source, measure, regional[0].country),
                "measure": labels.measure(measure, words),
                "source": labels.source(source, words),
                "year": year,
                "count": len(order),
                "ranking": Markup(charts.ranking(order, year, words)) if len(order) > 1 else None,  # noqa: S704
                "shared": " ".join(shared),
                "figures": [_regional(s, year, frozenset(shared), words) for s in fitted],
                "rows": intervals(fitted, words),
                "unfit": [unfit(s, words) for s in group if not s.forecast],
            }
        )
    return found


def _regional(subject: Subject, year: int, shared: frozenset[str], words: Language) -> Figure:
    """Return a region's fan with its numbers in the caption."""
    parts = [sentences.brief(subject, year, words)] if year in subject.years else []
    parts.append(sentences.flags(subject, words, shared))
    return Figure(
        labels.place(subject.series.location, words),
        "",
        Markup(charts.fan(subject, words, size=(300, 190), text=11.0)),  # noqa: S704  escaped where drawn
        " ".join(part for part in parts if part),
        _anchor(subject),
    )


def unfit(subject: Subject, words: Language) -> dict[str, str]:
    """Return what the page says of a series that could not be forecast."""
    source, place, measure = subject.key
    return {
        "place": labels.place(place, words),
        "measure": labels.measure(measure, words),
        "source": labels.source(source, words),
        "text": sentences.not_forecast(subject, words),
    }
