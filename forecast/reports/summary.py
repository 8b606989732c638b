"""The first screen: one series of each country, in every target year, with its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from forecast.language import Language
from forecast.reports import charts, labels, releases, sentences
from forecast.reports.record import Record
from forecast.reports.series_view import Subject
from forecast.reports.verdicts import in_short

#: Measures that say most about a country in one number.
NET = ("net_migration", "net_all_flows")


def entry(
    fitted: Sequence[Subject], own: Sequence[int], found: Record | None, words: Language
) -> dict[str, Any] | None:
    """Return the entry of a country: its leading series in every target year.

    Parameters
    ----------
    fitted : sequence of Subject
        National series with a forecast, the source to be preferred first.
    own : sequence of int
        Target years of the country's own policy concept.
    found : Record or None
    words : Language

    Returns
    -------
    dict or None
        A net flow leads, else arrivals, else departures, else what there is; ``net`` says
        whether one does. None if nothing national was forecast.
    """
    if not fitted:
        return None
    lead = min(fitted, key=_rank)
    return {
        "net": lead.series.measure in NET,
        "what": labels.measure(lead.series.measure, words),
        "source": labels.source(lead.series.source, words),
        "last": sentences.last_figure(lead, words),
        "spark": Markup(charts.spark(lead, words)),  # noqa: S704  escaped where it is drawn
        "turned": releases.other_sign(lead, words),
        "lines": [
            {
                "year": year,
                "own": year in own,
                "text": sentences.expectation(lead, year, words),
                "record": _in_short(lead, year, found, words),
            }
            for year in lead.horizons
        ],
        "others": [
            {
                "source": labels.source(subject.series.source, words),
                "year": year,
                "text": sentences.expectation(subject, year, words),
                "record": _in_short(subject, year, found, words),
            }
            for subject in fitted
            if subject is not lead and subject.series.measure == lead.series.measure
            for year in own or lead.horizons[-1:]
        ],
    }


def _rank(subject: Subject) -> int:
    measure = subject.series.measure
    return 0 if measure in NET else labels.ORDER[measure]


def _in_short(subject: Subject, year: int, found: Record | None, words: Language) -> str:
    """Return the verdict beside a sentence of the first screen; none on what is observed."""
    if found is None or year not in subject.years:
        return ""
    return in_short(found.nearest(subject.key, year - subject.series.origin), words)
