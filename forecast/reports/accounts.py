"""Whether the draws obey the accounting of migration: found out from the draws themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from forecast.language import Language
from forecast.reports.series_view import Subject
from forecast.series_key import SeriesKey

#: Persons by which a balance may be off, for rounding.
_TOLERANCE = 1.0


def accounts(known: Sequence[Subject], words: Language) -> Mapping[str, object] | None:
    """Say whether arrivals minus departures, and regions together, give the country's net.

    Returns
    -------
    mapping or None
        ``adds_up`` and ``text``; None where no series could add up to another.
    """
    found = {subject.key: subject for subject in known if subject.forecast}
    flows = [_gap(net, parts) for net, parts in _flows(found)]
    regions = [_gap(whole, parts) for whole, parts in _regions(found)]
    if not flows and not regions:
        return None
    said = []
    if flows:
        said.append(
            words.say("In every simulated future arrivals minus departures give the net.")
            if max(flows) <= _TOLERANCE
            else words.say(
                "Arrivals, departures and the net are forecast each by itself: their middle "
                "values and intervals do not balance."
            )
        )
    if regions:
        said.append(
            words.say("In every simulated future the regions add up to the country.")
            if max(regions) <= _TOLERANCE
            else words.say(
                "Each region is forecast by itself: together they do not give exactly the "
                "country’s figure."
            )
        )
    return {"adds_up": max([*flows, *regions]) <= _TOLERANCE, "text": " ".join(said)}


def _flows(found: Mapping[SeriesKey, Subject]) -> list[tuple[Subject, list[tuple[float, Subject]]]]:
    """Return each net with the flows that it is the difference of."""
    triples = []
    for (source, place, measure), net in found.items():
        parts = [found.get((source, place, name)) for name in ("immigration", "emigration")]
        arrivals, departures = parts
        if measure == "net_migration" and arrivals is not None and departures is not None:
            triples.append((net, [(1.0, arrivals), (-1.0, departures)]))
    return triples


def _regions(
    found: Mapping[SeriesKey, Subject],
) -> list[tuple[Subject, list[tuple[float, Subject]]]]:
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


def _gap(whole: Subject, parts: Sequence[tuple[float, Subject]]) -> float:
    """Return the largest distance between a whole and its parts over draws and years."""
    years = whole.years
    for _, part in parts:
        years = np.intersect1d(years, part.years)
    if not years.size:
        return 0.0
    total = sum(sign * np.stack([part.at(year) for year in years]) for sign, part in parts)
    return float(np.abs(np.stack([whole.at(year) for year in years]) - total).max())
