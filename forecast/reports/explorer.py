"""The explorer: one file that opens offline, to ask the simulated futures one's own questions."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from forecast import artifacts
from forecast.errors import DataError
from forecast.evaluate.editions import Edition, read_editions
from forecast.horizons import told_apart
from forecast.language import Language
from forecast.language import language as find_language
from forecast.outlook import Forecast
from forecast.reports.content import environment, stem
from forecast.reports.explorer_data import DRAWS, World, of_condition, of_scenario, payload, starts
from forecast.reports.manifest import default_name
from forecast.reports.record import Record, record
from forecast.reports.scenario import Given
from forecast.reports.scenario import scenarios as make_scenarios
from forecast.reports.series_view import SeriesView, series_views
from forecast.reports.verdicts import covered, opened
from forecast.scenarios.scenario import Scenario
from forecast.validation import clean

if TYPE_CHECKING:
    from forecast.evaluate.track import Track
    from forecast.scenarios.conditioning import Conditional

#: Parts of the page's program, in the order in which they are run.
_PROGRAM = ("statistics", "words", "view", "chart", "files", "page")


def explore(
    outlook: Forecast,
    track: Track | str | Path | None = None,
    folder: str | Path = "reports",
    language: str = "en",
    name: str | None = None,
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
    language : str
        Code of one of `forecast.language.LANGUAGES`.
    name : str, optional
        Name of the report beside it, by default as `forecast.report` chooses it; the file is
        ``NAME-explorer.html``.
    previous : str, Path or sequence of them
        ``NAME.manifest.json`` of earlier editions, shown as marks.
    scenarios : sequence of str, Path, mapping or Scenario
        Shocks to show beside the forecast; of figures by year.
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
        If the draws are a scenario or conditional, the folder cannot be written to, the number of
        draws is too small, a condition stands on another forecast, or a scenario is given and the
        figures are not by year.

    Examples
    --------
    >>> import forecast as fc
    >>> from forecast.reports.explorer import explore
    >>> outlook = fc.forecast(fc.load("kazakhstan"), model="naive", draws=200)
    >>> explore(outlook, folder="reports", name="kazakhstan").name       # doctest: +SKIP
    'kazakhstan-explorer.html'
    """
    words = replace(find_language(language), frequency=outlook.frequency, step=outlook.history.step)
    name = default_name(outlook.history) if name is None else name
    target = check_place(folder, name, words)
    outlook.require_unconditional("an explorer")
    outlook = replace(outlook, horizons=told_apart(outlook.history, outlook.horizons))
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


def check_place(folder: str | Path, name: str, words: Language) -> Path:
    """Return the file of an explorer; refuse a place where it could not be written.

    Parameters
    ----------
    folder : str or Path
        Where the file is to go; it need not exist yet.
    name : str
        Name of the report beside it, without an ending.
    words : Language
        Other languages than English are part of the file's name.

    Returns
    -------
    Path

    Raises
    ------
    DataError
        If the name holds a path, the folder cannot be written to, or something else stands there.
    """
    if Path(name).name != name or name in {"", ".", ".."}:
        raise DataError(
            f"explorer name {name!r} is not a plain file name. Use folder= for folders."
        )
    artifacts.check_writable(folder)
    artifacts.check_file(Path(folder) / file_name(name, words))
    return Path(folder) / file_name(name, words)


def file_name(name: str, words: Language) -> str:
    """Return the name of the file beside the report of this name.

    Parameters
    ----------
    name : str
        Name of the report, without an ending.
    words : Language
        Other languages than English are part of the file's name.

    Returns
    -------
    str
        Such as ``kaz-explorer.html`` or ``kaz-explorer.ru.html``.
    """
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
    worlds += [of_scenario(one, words) for one in what_ifs]
    worlds += [of_condition(one, outlook, words) for one in conditions]
    shown = payload(views, worlds, words, found=found, earlier=earlier, draws=draws)
    # What ends a script ends it inside of quotes too.
    data = clean(json.dumps(shown, ensure_ascii=False, separators=(",", ":"))).replace(
        "<", "\\u003c"
    )
    program, style = _program(), _style()
    page = environment(words).get_template("explorer.html").render(
        words=words, data=data, program=program, style=style, report=quote(report),
        script_hash=_hash(program), style_hash=_hash(style), shown=shown,
        starts=starts(views, words),
    )  # fmt: skip
    return words.without_years(page)


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
