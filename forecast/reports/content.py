"""What stands on the page about each country: plain values for the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from forecast.horizons import CONCEPTS
from forecast.impacts.result import Impact
from forecast.outlook import Forecast
from forecast.reports import charts, contrast, labels, others, releases, sentences
from forecast.reports.accounts import accounts
from forecast.reports.impact import section as impacts
from forecast.reports.language import Language
from forecast.reports.manifest import changes
from forecast.reports.moves import section as moves
from forecast.reports.provenance import bundled, data, method
from forecast.reports.record import Record, section
from forecast.reports.scenario import section as what_if
from forecast.reports.subject import Subject, identity
from forecast.reports.tables import LEVELS, intervals
from forecast.reports.targets import section as aims
from forecast.reports.thresholds import Threshold, chance
from forecast.reports.verdicts import in_short, verdict
from forecast.scenarios.scenario import Scenario

#: Countries in this order, others behind them by name.
_ORDER = ("KAZ", "KGZ", "UZB", "TJK", "TKM")
_UN = "un-wpp"
_NET = ("net_migration", "net_all_flows")


@dataclass(frozen=True, slots=True)
class Figure:
    """One chart with what stands around it."""

    title: str
    source: str
    svg: Markup
    caption: str
    identity: str = ""


@dataclass(frozen=True, eq=False)
class Edition:
    """What a report is to hold beside the forecast itself.

    Attributes
    ----------
    words : Language
    record : Record or None
        The track record of the forecast's model.
    uncovered : bool
        Whether a backtest was given that does not cover the model.
    thresholds : sequence of Threshold
        Numbers whose crossing is given a probability.
    earlier : mapping or None
        The manifest of an earlier edition.
    scenarios : sequence of Scenario
        What-ifs on top of the forecast; only their own section shows anything of them.
    targets : DataFrame or None
        The table of targets, see `forecast.scenarios.targets.targets`.
    options : sequence of str
        Options of the command that makes the page, beside those of the forecast.
    impacts : sequence of Impact
        Events, each held against a forecast from before it.
    """

    words: Language
    record: Record | None = None
    uncovered: bool = False
    thresholds: Sequence[Threshold] = ()
    earlier: Mapping[str, Any] | None = None
    scenarios: Sequence[Scenario] = ()
    targets: pd.DataFrame | None = None
    options: Sequence[str] = ()
    impacts: Sequence[Impact] = ()


def page(outlook: Forecast, known: Sequence[Subject], edition: Edition) -> dict[str, Any]:
    """Return the template's values.

    Parameters
    ----------
    outlook : Forecast
    known : sequence of Subject
        Every series, see `forecast.reports.subject.subjects`.
    edition : Edition
    """
    words = edition.words
    codes = sorted({subject.country for subject in known}, key=lambda code: _rank(code, words))
    sources = {subject.series.source for subject in known if subject.forecast}
    ordered = sorted(known, key=lambda subject: codes.index(subject.country))
    return {
        "horizons": outlook.horizons,
        "title": words.count(
            "Migration to {years}",
            "Migration to {years}",
            len(outlook.horizons),
            years=words.listed(outlook.horizons),
        ),
        "levels": [round(100 * level) for level in LEVELS],
        "origin": int(outlook.paths.attrs["origin"]),
        "contrast": _UN in sources and len(sources) > 1,
        "known_region": any(bundled(subject.key) for subject in known),
        "accounts": accounts(known, words),
        "regional": any(not subject.national for subject in known),
        "countries": [_country(known, code, edition) for code in codes],
        "unfit": [_unfit(subject, words) for subject in known if not subject.forecast],
        "data": data(known, words),
        "disagree": contrast.section(ordered, words),
        "others": others.section(ordered, words),
        "places": _places(known, codes, words),
        "method": method(outlook, words, edition.options),
        "record": section(edition.record, known, words),
        "uncovered": edition.uncovered,
        "what_ifs": what_if(edition.scenarios, known, words) if edition.scenarios else None,
        "aims": None if edition.targets is None else aims(edition.targets, edition.record, words),
        "impacts": impacts(edition.impacts, words),
        "changes": changes(edition.earlier, outlook, known, words) if edition.earlier else None,
    }


def _places(
    known: Sequence[Subject], codes: Sequence[str], words: Language
) -> list[dict[str, Any]]:
    """Return where on the page each region stands, by country."""
    found = []
    for code in codes:
        regional = [s for s in known if s.country == code and s.forecast and not s.national]
        links = [(labels.place(s.series.location, words), _anchor(s)) for s in regional]
        if links:
            found.append({"country": labels.place(code, words), "links": sorted(links)})
    return found


def _anchor(subject: Subject) -> str:
    return identity("place", *subject.key)


def _rank(code: str, words: Language) -> tuple[int, str]:
    return (_ORDER.index(code) if code in _ORDER else len(_ORDER), labels.place(code, words))


def _country(known: Sequence[Subject], code: str, edition: Edition) -> dict[str, Any]:
    words = edition.words
    ours = [subject for subject in known if subject.country == code]
    national = sorted(
        (subject for subject in ours if subject.national),
        key=lambda s: (s.series.source != _UN, s.series.source, labels.ORDER[s.series.measure]),
    )
    fitted = [subject for subject in national if subject.forecast]
    stated = CONCEPTS.get(code)
    horizons = ours[0].horizons
    own = [year for year in (stated.target_years if stated else ()) if year in horizons]
    return {
        "code": code,
        "name": labels.place(code, words),
        "concept": sentences.concept(code, words),
        "own": own,
        "targets": [_target(fitted, year, edition) for year in own or horizons],
        "brief": _brief(fitted, own, edition),
        "contrast": _contrast(national, words),
        "figures": [_figure(subject, words) for subject in fitted],
        "rows": intervals(fitted, words),
        "unfit": [_unfit(subject, words) for subject in national if not subject.forecast],
        "regions": _regions([s for s in ours if not s.national], (own or horizons)[-1], words),
        "moves": moves(code, words) if any(_bundled_region(s) for s in ours) else None,
    }


def _bundled_region(subject: Subject) -> bool:
    """Whether the figures on moves, which the package ships, belong beside a series."""
    return not subject.national and bundled(subject.key)


def _brief(
    fitted: Sequence[Subject], own: Sequence[int], edition: Edition
) -> dict[str, Any] | None:
    """Return the first screen's entry: the leading net series in every target year."""
    words, found = edition.words, edition.record
    lead = next((subject for subject in fitted if subject.series.measure in _NET), None)
    if lead is None:
        return None
    return {
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


def _in_short(subject: Subject, year: int, found: Record | None, words: Language) -> str:
    """Return the verdict beside a sentence of the first screen; none on what is observed."""
    if found is None or year not in subject.years:
        return ""
    return in_short(found.nearest(subject.key, year - subject.series.origin), words)


def _target(fitted: Sequence[Subject], year: int, edition: Edition) -> dict[str, Any]:
    """Return the sentences on one target year."""
    words, found = edition.words, edition.record
    lines = []
    for subject in fitted:
        text = [sentences.expectation(subject, year, words)]
        if year in subject.years:
            text.append(sentences.above_recent(subject, year, words))
            text += [
                chance(subject, year, threshold, words)
                for threshold in edition.thresholds
                if threshold.concerns(subject)
            ]
            text.append(sentences.total(subject, year, words))
            if found:
                judged = found.nearest(subject.key, year - subject.series.origin)
                text.append(verdict(judged, words))
        lines.append(
            {
                "what": labels.measure(subject.series.measure, words),
                "source": labels.source(subject.series.source, words),
                "text": text[0],
                "more": " ".join(part for part in text[1:] if part),
            }
        )
    return {"year": year, "lines": lines}


def _contrast(national: Sequence[Subject], words: Language) -> str:
    """Show the UN's and the register's net beside each other, where both exist."""
    net = [subject for subject in national if subject.series.measure == "net_migration"]
    return sentences.two_sources(net[0], net[1], words) if len(net) > 1 else ""


def _figure(subject: Subject, words: Language) -> Figure:
    source, _, measure = subject.key
    return Figure(
        labels.measure(measure, words),
        labels.source(source, words),
        Markup(charts.fan(subject, words)),  # noqa: S704  escaped where it is drawn
        " ".join(
            part
            for part in (sentences.flags(subject, words), releases.revised(subject, words))
            if part
        ),
    )


def _regions(regional: Sequence[Subject], year: int, words: Language) -> list[dict[str, Any]]:
    """Return the regions' charts and tables, one group per source and measure."""
    groups = []
    for source, measure in sorted({(s.series.source, s.series.measure) for s in regional}):
        group = [s for s in regional if (s.series.source, s.series.measure) == (source, measure)]
        fitted = [subject for subject in group if subject.forecast]
        group.sort(key=lambda s: labels.place(s.series.location, words))
        ahead = [subject for subject in fitted if year in subject.years]
        ranked = sorted(ahead, key=lambda s: (-float(np.median(s.at(year))), s.key))
        fitted.sort(key=lambda s: labels.place(s.series.location, words))
        shared = sentences.shared_flags(fitted, words)
        groups.append(
            {
                "identity": identity("regions", source, measure, regional[0].country),
                "measure": labels.measure(measure, words),
                "source": labels.source(source, words),
                "year": year,
                "count": len(fitted),
                "ranking": Markup(charts.ranking(ranked, year, words)) if ranked else None,  # noqa: S704
                "shared": " ".join(shared),
                "figures": [_regional(s, year, frozenset(shared), words) for s in fitted],
                "rows": intervals(fitted, words),
                "unfit": [_unfit(s, words) for s in group if not s.forecast],
            }
        )
    return groups


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


def _unfit(subject: Subject, words: Language) -> dict[str, str]:
    source, place, measure = subject.key
    return {
        "place": labels.place(place, words),
        "measure": labels.measure(measure, words),
        "source": labels.source(source, words),
        "text": sentences.not_forecast(subject, words),
    }
