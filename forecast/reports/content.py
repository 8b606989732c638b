"""What stands on the page about each country: plain values for the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from forecast.horizons import CONCEPTS
from forecast.impacts.result import Impact
from forecast.language import Language
from forecast.outlook import Forecast
from forecast.reports import charts, contrast, labels, releases, sentences, un_projections
from forecast.reports.accounts import accounts
from forecast.reports.impact import section as impacts
from forecast.reports.internal_migration import section as moves
from forecast.reports.manifest import changes
from forecast.reports.provenance import bundled, data, method
from forecast.reports.record import Record, section
from forecast.reports.regions import Figure, groups, places, unfit
from forecast.reports.scenario import section as what_if
from forecast.reports.series_view import Subject
from forecast.reports.summary import entry
from forecast.reports.tables import LEVELS, intervals
from forecast.reports.targets import section as aims
from forecast.reports.thresholds import Threshold, chance
from forecast.reports.verdicts import verdict
from forecast.scenarios.scenario import Scenario

#: Countries in this order, others behind them by name.
_ORDER = ("KAZ", "KGZ", "UZB", "TJK", "TKM")
_UN = "un-wpp"


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
    again : sequence of str
        What makes the page again: a shell command, or lines of Python.
    called : bool
        Whether it was lines of Python.
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
    again: Sequence[str] = ()
    called: bool = False
    impacts: Sequence[Impact] = ()


def page(outlook: Forecast, known: Sequence[Subject], edition: Edition) -> dict[str, Any]:
    """Return the template's values.

    Parameters
    ----------
    outlook : Forecast
    known : sequence of Subject
        Every series, see `forecast.reports.series_view.subjects`.
    edition : Edition
    """
    words = edition.words
    codes = sorted({subject.country for subject in known}, key=lambda code: _rank(code, words))
    sources = {subject.series.source for subject in known if subject.forecast}
    ordered = sorted(known, key=lambda subject: codes.index(subject.country))
    countries = [_country(known, code, edition) for code in codes]
    entries = [country["brief"] for country in countries if country["brief"]]
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
        "mixed": any(_mixed(subject) for subject in known),
        "countries": countries,
        "expected": len(entries),
        "net": all(one["net"] for one in entries),
        "unfit": [unfit(subject, words) for subject in known if not subject.forecast],
        "data": data(known, words),
        "disagree": contrast.section(ordered, words),
        "others": un_projections.section(ordered, words),
        "places": places(known, codes, words),
        "method": method(outlook, words),
        "again": edition.again,
        "called": edition.called,
        "record": section(edition.record, known, words),
        "uncovered": edition.uncovered,
        "what_ifs": what_if(edition.scenarios, known, words) if edition.scenarios else None,
        "aims": None if edition.targets is None else aims(edition.targets, edition.record, words),
        "impacts": impacts(edition.impacts, words),
        "changes": changes(edition.earlier, outlook, known, words) if edition.earlier else None,
    }


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
        "brief": entry(fitted, own, edition.record, words),
        "contrast": _contrast(national, words),
        "figures": [_figure(subject, words) for subject in fitted],
        "rows": intervals(fitted, words),
        "unfit": [unfit(subject, words) for subject in national if not subject.forecast],
        "regions": groups([s for s in ours if not s.national], (own or horizons)[-1], words),
        "moves": moves(code, words) if any(_bundled_region(s) for s in ours) else None,
    }


def _mixed(subject: Subject) -> bool:
    """Whether a region's moves inside the country are counted with those across its border."""
    return not subject.national and subject.series.measure == "net_all_flows"


def _bundled_region(subject: Subject) -> bool:
    """Whether the figures on moves, which the package ships, belong beside a series."""
    return not subject.national and bundled(subject.key)


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
