"""What stands on the page: plain values for the template, the first screen and each country."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from forecast import labels, measures
from forecast.data.wpp_bulk import SOURCE as UN_SOURCE
from forecast.evaluate.editions import Edition
from forecast.horizons import CONCEPTS, spans
from forecast.impacts.result import Impact
from forecast.language import Language
from forecast.models.mirror.result import Mirror
from forecast.outlook import Forecast
from forecast.reports import charts, other_sources, provenance, sentences
from forecast.reports import front as short
from forecast.reports.contradictions import contradictions
from forecast.reports.corridors import section as corridors
from forecast.reports.front import front, little, year_so_far
from forecast.reports.impact import section as impacts
from forecast.reports.internal_migration import section as moves
from forecast.reports.manifest import changes
from forecast.reports.outturn import section as outturn
from forecast.reports.provenance import bundled, data, method
from forecast.reports.record import Record, section
from forecast.reports.regions import CaptionedChart, accounts, groups, places, unfit
from forecast.reports.scenario import section as what_if
from forecast.reports.series_view import LEVELS, SeriesView, intervals
from forecast.reports.targets import Threshold, chance
from forecast.reports.targets import section as aims
from forecast.reports.verdicts import verdict
from forecast.scenarios.scenario import Scenario

if TYPE_CHECKING:
    from jinja2 import Environment

#: Compiled templates by their name and content; their words are looked up when they are used.
_COMPILED: dict[tuple[str, str], Any] = {}
#: Countries in this order, others behind them by name.
_ORDER = ("KAZ", "KGZ", "UZB", "TJK", "TKM")


def _title(outlook: Forecast, words: Language) -> str:
    """Return what the page is called: the measure, where it is one of one's own, and the years."""
    counted = [measures.find(name) for name in outlook.history.measures]
    years = outlook.horizons
    if outlook.frequency == "year" and all(one.moves for one in counted):
        many = words.listed(years)
        return words.count("Migration to {years}", "Migration to {years}", len(years), years=many)
    what = words.listed([one.words.said(words.code) for one in counted])
    if len(counted) > 3:
        what = words.say("Forecast")
    return words.say("{what}: {years}", what=what, years=spans(years, outlook.frequency))


def _unit(outlook: Forecast, words: Language) -> str:
    """Return the units of the figures in a language, each once."""
    counted = [measures.find(name) for name in outlook.history.measures]
    return "; ".join(dict.fromkeys(one.each(words, outlook.frequency) for one in counted))


@dataclass(frozen=True, eq=False)
class Supplements:
    """What a report is to hold beside the forecast itself.

    Attributes
    ----------
    record : Record or None
        The track record of the forecast's model.
    uncovered : bool
        Whether a backtest was given that does not cover the model.
    thresholds : sequence of Threshold
        Numbers whose crossing is given a probability.
    earlier : sequence of forecast.evaluate.editions.Edition
        Earlier editions, the newest last.
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
    title : str
        What the page is called; without one the target years.
    about : str
        A paragraph about the edition.
    corridors : Mirror or None
        What was probably moved between countries, for a section of the annex.
    """

    words: Language
    record: Record | None = None
    uncovered: bool = False
    thresholds: Sequence[Threshold] = ()
    earlier: Sequence[Edition] = ()
    scenarios: Sequence[Scenario] = ()
    targets: pd.DataFrame | None = None
    again: Sequence[str] = ()
    called: bool = False
    impacts: Sequence[Impact] = ()
    title: str = ""
    about: str = ""
    corridors: Mirror | None = None


def page(outlook: Forecast, views: Sequence[SeriesView], extra: Supplements) -> dict[str, Any]:
    """Return the values of both templates, of the main report and of its annex.

    Parameters
    ----------
    views : sequence of SeriesView
        Every series, see `forecast.reports.series_view.subjects`.
    """
    words = extra.words
    residence = all(view.counted.moves for view in views)
    codes = sorted({view.country for view in views}, key=lambda code: rank(code, words))
    sources = {view.series.source for view in views if view.forecast}
    ordered = sorted(views, key=lambda view: codes.index(view.country))
    countries = [_country(views, code, extra, outlook.explanation) for code in codes]
    entries = [country["brief"] for country in countries if country["brief"]]
    what_ifs = what_if(extra.scenarios, views, words) if extra.scenarios else None
    turned = outturn(extra.earlier, outlook.history, words)
    changed = changes(extra.earlier[-1].manifest, outlook, views, words) if extra.earlier else None
    return {
        "horizons": views[0].horizons,
        "title": extra.title or _title(outlook, words),
        "frequency": outlook.frequency,
        "residence": residence,
        "plain": residence and outlook.frequency == "year" and words.step == 1,
        "unit": _unit(outlook, words),
        "about": extra.about,
        "levels": [round(100 * level) for level in LEVELS],
        "origin": views[0].named(int(outlook.paths.attrs["origin"])),
        "overdue": provenance.overdue(outlook.history, words),
        "contrast": UN_SOURCE in sources and len(sources) > 1,
        "known_region": any(bundled(view.key) for view in views),
        "marks": charts.marks([view for view in views if view.forecast]),
        "accounts": accounts(views, words),
        "mixed": any(_mixed(view) for view in views),
        "countries": countries,
        "expected": len(entries),
        "net": all(one["net"] for one in entries),
        "signed": any("loss" in row for one in entries for row in one["rows"]),
        "unfit": [unfit(view, words) for view in views if not view.forecast],
        "data": data(views, words),
        "disagree": other_sources.disagreements(ordered, words),
        "others": other_sources.un_projections(ordered, words),
        "places": places(views, codes, words),
        "method": method(outlook, words),
        "again": extra.again,
        "called": extra.called,
        "record": section(extra.record, views, words),
        "uncovered": extra.uncovered,
        "what_ifs": what_ifs,
        "aims": None if extra.targets is None else aims(extra.targets, extra.record, words),
        "impacts": impacts(extra.impacts, words),
        "corridors": corridors(extra.corridors, codes, words),
        "changes": changed,
        "outturn": turned,
        "short": {
            "what_ifs": short.what_ifs(what_ifs),
            "changes": short.changes(changed),
            "outturn": short.outturn(turned),
            "marks": charts.marks([v for v in views if v.forecast and v.national], short=True),
        },
    }


def rank(code: str, words: Language) -> tuple[int, list[tuple[int, str]]]:
    """Return what countries are sorted by on every page.

    Parameters
    ----------
    code : str
        Code of a country.
    words : Language
        Its alphabet orders those that have no place of their own.

    Returns
    -------
    (int, list of (int, str))
        Countries of `_ORDER` come first, in that order.
    """
    known = _ORDER.index(code) if code in _ORDER else len(_ORDER)
    return known, words.order(labels.place(code, words))


def _country(
    views: Sequence[SeriesView], code: str, extra: Supplements, explanation: pd.DataFrame | None
) -> dict[str, Any]:
    words = extra.words
    ours = [view for view in views if view.country == code]
    national = sorted(
        (view for view in ours if view.national),
        key=lambda s: (
            s.series.source == UN_SOURCE,
            s.series.source,
            measures.position(s.series.measure),
        ),
    )
    fitted = [view for view in national if view.forecast]
    stated = CONCEPTS.get(code) if ours[0].series.season == 1 else None
    horizons = ours[0].horizons
    own = [year for year in (stated.target_years if stated else ()) if year in horizons]
    shown = own or horizons
    last = shown[-1]
    regional = [view for view in ours if not view.national]
    return {
        "code": code,
        "name": labels.place(code, words),
        "concept": sentences.concept(code, words) if stated else "",
        "own": own,
        "targets": [_target(fitted, year, extra, explanation, year == shown[0]) for year in shown],
        "brief": front(fitted, own, extra.record, words),
        "contrast": _contrast(national, words),
        "measures": short.measures_of(fitted, last, words, explanation),
        "ranked": short.regions(regional, code, last, words),
        "figures": [_figure(view, words) for view in fitted],
        "rows": intervals(fitted, words),
        "unfit": [unfit(view, words) for view in national if not view.forecast],
        "regions": groups(regional, last, words),
        "moves": moves(code, words) if any(_bundled_region(s) for s in ours) else None,
    }


def _mixed(view: SeriesView) -> bool:
    """Whether a region's moves inside the country are counted with those across its border."""
    return not view.national and view.series.measure == "net_all_flows"


def _bundled_region(view: SeriesView) -> bool:
    """Whether the figures on moves, which the package ships, belong beside a series."""
    return not view.national and bundled(view.key)


def _target(
    fitted: Sequence[SeriesView],
    year: int,
    extra: Supplements,
    explanation: pd.DataFrame | None,
    first: bool,
) -> dict[str, Any]:
    """Return the sentences on one target year, with the first one those on the year so far."""
    words, found = extra.words, extra.record
    lines = []
    for view in fitted:
        text = [sentences.expectation(view, year, words)]
        if year in view.years:
            if first:
                text.append(year_so_far(view, explanation, words, year))
            text.append(sentences.above_recent(view, year, words))
            text += [
                chance(view, year, threshold, words)
                for threshold in extra.thresholds
                if threshold.concerns(view)
            ]
            text.append(sentences.total(view, year, words))
            text.append(little(view, words))
            text.append(contradictions(view, year, fitted, explanation, words))
            if found:
                judged = found.nearest(view.key, year - view.series.origin)
                text.append(verdict(judged, words))
        lines.append(
            {
                "what": labels.measure(view.series.measure, words),
                "source": labels.source(view.series.source, words),
                "text": text[0],
                "more": " ".join(part for part in text[1:] if part),
            }
        )
    return {"year": year, "lines": lines}


def _contrast(national: Sequence[SeriesView], words: Language) -> str:
    """Show the UN's and the register's net beside each other, where both exist."""
    net = [view for view in national if view.series.measure == "net_migration"]
    return sentences.two_sources(net[0], net[1], words) if len(net) > 1 else ""


def _figure(view: SeriesView, words: Language) -> CaptionedChart:
    source, _, measure = view.key
    return CaptionedChart(
        labels.measure(measure, words),
        labels.source(source, words),
        Markup(charts.fan(view, words)),  # noqa: S704  escaped where it is drawn
        " ".join(
            part for part in (sentences.flags(view, words), provenance.revised(view, words)) if part
        ),
    )


def stem(name: str, words: Language) -> str:
    """Return the name of a file without its ending; other languages than English add theirs.

    Parameters
    ----------
    name : str
        Name of the edition.
    words : Language
        Its code is added.

    Returns
    -------
    str
        Such as ``kaz`` or ``kaz.ru``.
    """
    return name if words.code == "en" else f"{name}.{words.code}"


def environment(words: Language) -> Environment:
    """Return the templates with the words of a language; everything put in is escaped."""
    from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined

    class Compiled(BytecodeCache):
        """What is compiled is kept for the next page and language of this process."""

        def load_bytecode(self, bucket: Any) -> None:
            bucket.code = _COMPILED.get((bucket.key, bucket.checksum))

        def dump_bytecode(self, bucket: Any) -> None:
            _COMPILED[bucket.key, bucket.checksum] = bucket.code

    made = Environment(
        loader=PackageLoader("forecast.reports"),
        bytecode_cache=Compiled(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_translations(words.catalogue, newstyle=True)  # type: ignore[attr-defined]
    return made
