"""The explorer: one file that opens offline, to ask the simulated futures one's own questions."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast import artifacts, labels
from forecast.data.wpp_bulk import SOURCE as UN_SOURCE
from forecast.errors import DataError
from forecast.evaluate.editions import Edition, read_editions
from forecast.hindcast.columns import SCORED
from forecast.horizons import CONCEPTS
from forecast.language import Language
from forecast.language import language as find_language
from forecast.outlook import Forecast
from forecast.reports import sentences
from forecast.reports.content import rank
from forecast.reports.explorer_words import program_words
from forecast.reports.front import NET
from forecast.reports.pages import environment, stem
from forecast.reports.record import Record, record
from forecast.reports.scenario import Given
from forecast.reports.scenario import scenarios as make_scenarios
from forecast.reports.series_view import FIRST_YEAR, LEVELS, SeriesView, series_views
from forecast.reports.verdicts import covered, opened, verdict
from forecast.scenarios.scenario import Scenario
from forecast.series import UNUSED_FLAGS, unused
from forecast.series_key import KEY, SeriesKey
from forecast.validation import clean

if TYPE_CHECKING:
    from forecast.evaluate.track import Track
    from forecast.scenarios.conditioning import Conditional
    from forecast.scenarios.conditions import Condition

#: Joint draws that are kept for sums and differences, unless asked otherwise.
DRAWS = 500
#: Quantiles that stand for all draws of one series and year: 0, 0.5, 1, ... 100 %.
STEPS = 201
#: Most bytes of joint draws of one world; a large panel keeps fewer draws, never below `LEAST`.
_BUDGET, LEAST = 2_000_000, 100
_PROGRAM = ("statistics", "words", "view", "chart", "files", "page")


@dataclass(frozen=True, eq=False)
class World:
    """Draws that the explorer can show: the forecast, or what stands beside it.

    Attributes
    ----------
    kind : {"forecast", "scenario", "condition"}
    name : str
        As the address of a view has it.
    title : str
    outlook : Forecast
    moved : collection of SeriesKey
        Series that have draws of their own here; all others are those of the forecast.
    """

    kind: str
    name: str
    title: str
    outlook: Forecast
    moved: frozenset[SeriesKey]


def explore(
    outlook: Forecast,
    track: Track | str | Path | None = None,
    folder: str | Path = "reports",
    language: str = "en",
    name: str = "central-asia",
    *,
    previous: str | Path | Sequence[str | Path] = (),
    scenarios: Sequence[Given] = (),
    conditions: Sequence[Conditional] = (),
    draws: int = DRAWS,
) -> Path:
    """Write the explorer of a forecast: thresholds, sums and differences on its own draws.

    Parameters
    ----------
    outlook : Forecast
    track : Track, str or Path, optional
        Past forecasts to show over what came, and how well they did; as of `forecast.report`.
    folder : str or Path
        Where to; made if it is missing.
    language : {"en", "ru"}
    name : str
        Name of the report beside it; the file is ``NAME-explorer.html``.
    previous : str, Path or sequence of them
        ``NAME.manifest.json`` of earlier editions, shown as marks.
    scenarios : sequence of str, Path, mapping or Scenario
        Shocks to show beside the forecast.
    conditions : sequence of Conditional
        Conditional forecasts of this forecast, from `forecast.condition`.
    draws : int
        Joint draws kept for sums and differences, evenly taken; at least 100.

    Returns
    -------
    Path
        The file; it loads nothing from outside.

    Raises
    ------
    UnknownNameError
        If the language or a scenario is not known.
    DataError
        If the draws are a scenario or conditional, the folder cannot be written to, the number
        of draws is too small, or a condition stands on another forecast.

    Examples
    --------
    >>> import forecast as fc
    >>> from forecast.reports.explorer import explore
    >>> outlook = fc.forecast(fc.load("kazakhstan"), model="naive", draws=200)
    >>> explore(outlook, folder="reports", name="kazakhstan").name       # doctest: +SKIP
    'kazakhstan-explorer.html'
    """
    words = find_language(language)
    target = Path(folder) / file_name(name, words)
    if Path(name).name != name or name in {"", ".", ".."}:
        raise DataError(f"explorer name {name!r} is not a plain file name. Leave folders to folder=.")
    artifacts.check_writable(folder)
    artifacts.check_file(target)
    outlook.require_unconditional("an explorer")
    tried = opened(track)
    page = explorer(
        outlook,
        series_views(outlook),
        words,
        found=None if tried is None else record(covered(tried, outlook.history), outlook.model),
        earlier=read_editions([previous] if isinstance(previous, str | Path) else previous),
        what_ifs=make_scenarios(scenarios, outlook),
        conditions=conditions,
        draws=draws,
    )
    return artifacts.write_text(target, page)


def file_name(name: str, words: Language) -> str:
    """Return the name of the file beside the report of this name."""
    return f"{stem(f'{name}-explorer', words)}.html"


def explorer(
    outlook: Forecast,
    views: Sequence[SeriesView],
    words: Language,
    *,
    found: Record | None = None,
    earlier: Sequence[Edition] = (),
    what_ifs: Sequence[Scenario] = (),
    conditions: Sequence[Conditional] = (),
    draws: int = DRAWS,
    report: str = "",
) -> str:
    """Return the page as HTML text; the same bytes for the same forecast.

    Parameters
    ----------
    report : str
        Name of the report's file beside it, for a link; none without it.
    """
    worlds = [World("forecast", "", "", outlook, frozenset(outlook.keys))]
    worlds += [_scenario(one, words) for one in what_ifs]
    worlds += [_condition(one, outlook, words) for one in conditions]
    shown = payload(views, worlds, words, found=found, earlier=earlier, draws=draws)
    # What ends a script ends it inside of quotes too.
    data = clean(json.dumps(shown, ensure_ascii=False, separators=(",", ":"))).replace("<", "\\u003c")
    program, style = _program(), _style()
    return environment(words).get_template("explorer.html").render(
        words=words, data=data, program=program, style=style, report=report,
        script_hash=_hash(program), style_hash=_hash(style), shown=shown,
    )  # fmt: skip


def payload(
    views: Sequence[SeriesView],
    worlds: Sequence[World],
    words: Language,
    *,
    found: Record | None = None,
    earlier: Sequence[Edition] = (),
    draws: int = DRAWS,
) -> dict[str, Any]:
    """Return the data of the page: words, series, and draws as 32-bit whole persons in base64.

    Parameters
    ----------
    views : sequence of SeriesView
    worlds : sequence of World
        The forecast first.
    draws : int
        Joint draws to keep.

    Returns
    -------
    dict
        ``worlds[w]["blocks"][s]`` is where the numbers of series ``s`` start in ``numbers``. For
        each of its years there follow 201 quantiles of all draws (0 to 100 %), then the joint
        draws kept: position ``d`` is the same world in every series and year.

    Raises
    ------
    DataError
        If fewer than 100 draws are to be kept.
    """
    if draws < LEAST:
        raise DataError(f"{draws} draws are too few for sums. Keep at least {LEAST}.")
    ordered = sorted(views, key=lambda view: _order(view, words))
    parts: list[np.ndarray] = []
    described = [_world(world, ordered, draws, parts) for world in worlds]
    numbers = np.concatenate(parts) if parts else np.empty(0, dtype="<i4")
    codes = dict.fromkeys(view.series.location for view in ordered)
    return {
        "format": "migration-forecast-explorer/1",
        "language": words.code,
        "words": program_words(words),
        "model": worlds[0].outlook.model,
        "step": worlds[0].outlook.history.step,
        "first": FIRST_YEAR,
        "levels": list(LEVELS),
        "quantiles": STEPS,
        "places": {code: labels.place(code, words) for code in codes},
        "countries": {view.country: labels.place(view.country, words) for view in ordered},
        "measures": {
            view.series.measure: labels.measure(view.series.measure, words) for view in ordered
        },
        "sources": {view.series.source: labels.source(view.series.source, words) for view in ordered},
        "series": [_series(view, words, found) for view in ordered],
        "past": _past(ordered, found),
        "editions": [_edition(edition, ordered) for edition in earlier],
        "worlds": described,
        "numbers": base64.b64encode(numbers.tobytes()).decode("ascii"),
    }


def _order(view: SeriesView, words: Language) -> tuple[Any, ...]:
    """Countries as on the report, the country before its regions, the register before the UN."""
    place = labels.place(view.series.location, words)
    measure, source = labels.ORDER[view.series.measure], view.series.source
    return (*rank(view.country, words), not view.national, place, measure, source == UN_SOURCE, source)


def _series(view: SeriesView, words: Language, found: Record | None) -> dict[str, Any]:
    """Return what is known of one series: figures, flags, and what is said of them."""
    series = view.series
    shown = series.years >= FIRST_YEAR
    marks = {}
    for year, flags in zip(series.years[shown].tolist(), np.array(series.flags, dtype=object)[shown]):
        if known := [flag for flag in labels.FLAGS if flag in flags]:
            marks[str(year)] = known
    left_out = np.logical_or.reduce([unused(series, flag) for flag in UNUSED_FLAGS])
    concept = CONCEPTS.get(view.country)
    years = view.years.tolist()
    own = [year for year in (concept.target_years if concept else ()) if year in years]
    asked = own or [year for year in view.horizons if year in years] or years[-1:]
    trust = {}
    if found is not None:
        for year in years:
            if said := verdict(found.nearest(view.key, year - series.origin), words):
                trust[str(year)] = said
    return {
        "source": series.source,
        "location": series.location,
        "measure": series.measure,
        "country": view.country,
        "signed": series.signed,
        "lead": series.measure in NET,
        "years": series.years[shown].tolist(),
        "values": [None if np.isnan(value) else round(value) for value in series.values[shown].tolist()],
        "follows": {str(year): round(value) for year, value in view.follows.items()},
        "flags": marks,
        "unused": series.years[shown & left_out].tolist(),
        "ahead": years,
        "asked": asked[0] if asked else None,
        "targets": own,
        "note": sentences.flags(view, words) if view.forecast else sentences.not_forecast(view, words),
        "trust": trust,
    }


def _world(
    world: World, ordered: Sequence[SeriesView], draws: int, parts: list[np.ndarray]
) -> dict[str, Any]:
    """Add the numbers of one world to `parts`; return what it is and where they start."""
    paths = world.outlook.paths.transpose("series", "draw", "year")
    drawn, grid, count = paths.to_numpy(), paths["year"].to_numpy(), paths.sizes["draw"]
    affordable = max(_BUDGET // (4 * max(drawn.shape[0] * drawn.shape[2], 1)), LEAST)
    kept = min(draws, affordable, count)
    # Evenly, so that whatever order the draws have is kept in proportion.
    chosen = (np.arange(kept) * count) // kept
    levels = np.linspace(0, 1, STEPS)
    blocks: dict[str, int] = {}
    start = sum(part.size for part in parts)
    for position, view in enumerate(ordered):
        row = world.outlook.position(view.key)
        if row is None or view.key not in world.moved or not view.years.size:
            continue
        values = drawn[row][:, np.isin(grid, view.years)]
        block = np.vstack([np.quantile(values, levels, axis=0), values[chosen]])
        limits = np.iinfo(np.int32)
        whole = np.clip(np.round(block.T), limits.min, limits.max).astype("<i4").ravel()
        blocks[str(position)] = start
        start += whole.size
        parts.append(whole)
    return {
        "kind": world.kind, "name": world.name, "title": world.title,
        "all": count, "kept": kept, "blocks": blocks,
    }  # fmt: skip


def _scenario(one: Scenario, words: Language) -> World:
    keys = [one.baseline.keys[position] for position in one.moved]
    return World("scenario", one.name, words.lookup(one.shock.title), one.what_if, frozenset(keys))


def _condition(one: Conditional, outlook: Forecast, words: Language) -> World:
    if not one.baseline.paths.identical(outlook.paths):
        stated = "; ".join(map(str, one.conditions))
        raise DataError(
            f"the condition {stated!r} stands on another forecast than the explorer's. Make it "
            "from this one with forecast.condition(outlook, ...)."
        )
    title = "; ".join(_stated(each, words) for each in one.conditions)
    name = "; ".join(map(str, one.conditions))
    return World("condition", name, title, one.forecast, frozenset(outlook.keys))


def _stated(condition: Condition, words: Language) -> str:
    """Return a condition in the words of the page."""
    parts = [labels.place(condition.location, words), labels.measure(condition.measure, words)]
    if condition.source is not None:
        parts.append(labels.source(condition.source, words))
    if condition.near is not None:
        near, error = words.persons(condition.near), words.persons(float(condition.sd or 0))
        value = f"≈ {near} ± {error}"
    elif np.isinf(condition.upper):
        value = f"≥ {words.persons(condition.lower)}"
    elif np.isinf(condition.lower):
        value = f"≤ {words.persons(condition.upper)}"
    else:
        value = f"{words.persons(condition.lower)} … {words.persons(condition.upper)}"
    return f"{', '.join(parts)}, {condition.year} {value}"


def _past(ordered: Sequence[SeriesView], found: Record | None) -> dict[str, list[list[int]]]:
    """Return past forecasts by series: origin, year, median and 80 % interval."""
    if found is None:
        return {}
    table = found.track.table
    ours = table[(table["model"] == found.model) & (table["status"] == SCORED)]
    groups = {tuple(map(str, key)): rows for key, rows in ours.groupby(KEY)}
    columns = ["origin", "year", "median", "lower_80", "upper_80"]
    return {
        str(position): groups[view.key].sort_values(["origin", "year"])[columns]
        .round().astype(int).to_numpy().tolist()
        for position, view in enumerate(ordered) if view.key in groups
    }  # fmt: skip


def _edition(edition: Edition, ordered: Sequence[SeriesView]) -> dict[str, Any]:
    """Return what an earlier edition said: year, median and 80 % interval by series."""
    table = edition.quantiles
    table = table[table["quantile"].round(4).isin([0.1, 0.5, 0.9])]
    wide = table.pivot_table(index=[*KEY, "year"], columns="quantile", values="value")
    wide.columns = wide.columns.astype(float).to_numpy().round(4)
    wide = wide.reindex(columns=[0.5, 0.1, 0.9]).dropna().round().astype(int).reset_index("year")
    groups = {tuple(map(str, key)): rows for key, rows in wide.groupby(level=KEY)}
    rows = {
        str(position): groups[view.key].to_numpy().tolist()
        for position, view in enumerate(ordered) if view.key in groups
    }  # fmt: skip
    return {"day": edition.day, "model": str(edition.manifest["model"]), "rows": rows}


def _hash(text: str) -> str:
    """Return what the page's policy calls an inline script or style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"


@cache
def _program() -> str:
    folder = files("forecast.reports") / "templates" / "explorer"
    parts = [(folder / f"{name}.js").read_text(encoding="utf-8") for name in _PROGRAM]
    return "\n(() => {\n'use strict';\n" + "\n".join(parts) + "\nstart();\n})();\n"


@cache
def _style() -> str:
    folder = files("forecast.reports") / "templates"
    names = ("style.css", "explorer/explorer.css")
    return "\n" + "\n".join((folder / name).read_text(encoding="utf-8") for name in names)
