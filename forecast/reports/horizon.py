"""The horizon report: a page and its annex that open offline, and all numbers as tables."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast import artifacts
from forecast.errors import DataError
from forecast.evaluate.editions import read_editions
from forecast.exports.files import inactive_columns
from forecast.exports.hub import SAMPLES, check_hub_folder, earlier_hub, hub_folder
from forecast.horizons import told_apart
from forecast.language import Language
from forecast.language import language as find_language
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.reports import content, explorer, manifest
from forecast.reports.content import environment
from forecast.reports.record import record
from forecast.reports.scenario import Given as ScenarioGiven
from forecast.reports.scenario import scenarios as make_scenarios
from forecast.reports.series_view import SeriesView, all_quantiles, series_views
from forecast.reports.targets import Given as TargetsGiven
from forecast.reports.targets import Threshold, check
from forecast.reports.targets import read as read_thresholds
from forecast.reports.verdicts import covered, opened
from forecast.reports.workbook import workbook
from forecast.scenarios.targets import targets as target_table
from forecast.validation import clean

if TYPE_CHECKING:
    from forecast.evaluate.track import Track
    from forecast.impacts.result import Impact
    from forecast.models.mirror.result import Mirror


def report(
    outlook: Forecast,
    track: Track | str | Path | None = None,
    folder: str | Path = "reports",
    language: str = "en",
    name: str | None = None,
    *,
    title: str = "",
    about: str = "",
    thresholds: str | Path | Sequence[Threshold] | None = None,
    previous: str | Path | Sequence[str | Path] = (),
    scenarios: Sequence[ScenarioGiven] = (),
    targets: TargetsGiven | None = None,
    impacts: Sequence[Impact] = (),
    corridors: Mirror | None = None,
    command: Sequence[str] = (),
) -> list[Path]:
    """Write the horizon report of a forecast.

    Parameters
    ----------
    outlook : Forecast
    track : Track, str or Path, optional
        The record of past forecasts of the same figures, from `forecast.backtest`, or the
        folder that it was saved to; of series that are not in the report nothing is said.
        Without one the page says that none was computed.
    folder : str or Path
        Where to; made if it is missing.
    language : str
        Language of the page and of the names in the tables.
    name : str, optional
        Name of the files, without an ending; other languages than English add theirs. Without
        one it is that of the bundled panel, of the country, or ``migration``.
    title : str
        What the pages are called; without one the target years.
    about : str
        A paragraph about the edition, such as whose it is and what it is for.
    thresholds : str, Path or sequence of Threshold, optional
        Numbers whose crossing is given a probability, or the TOML that holds them, see
        `forecast.reports.targets`.
    previous : str, Path or sequence of them
        ``NAME.manifest.json`` of earlier editions. The page then says what changed since the
        newest one, and how they turned out so far.
    scenarios : sequence of str, Path, mapping or Scenario
        Shocks to show in a section of their own, see `forecast.scenario`. Nothing else on
        the page, and no other file but the explorer, holds any of them.
    targets : str, Path or sequence of Target, optional
        Targets to give a chance: ``"concepts"`` for those of the policy concepts, or a TOML
        file of your own, see `forecast.targets`.
    impacts : sequence of Impact
        Events held against forecasts from before them, from `forecast.impact`; the page then
        says whether they moved anything.
    corridors : Mirror, optional
        What was probably moved between countries, from `forecast.mirror`, for a section of the
        annex on where to and where from.
    command : sequence of str
        The shell command that makes the page again, in its words; without one the page
        shows the calls from Python.

    Returns
    -------
    list of Path
        ``NAME.html`` (the main report, nothing loaded from outside), ``NAME.csv`` (every
        quantile, tidy), ``NAME.xlsx``, ``NAME.manifest.json``, ``NAME-annex.html`` (everything
        behind the main report), the folder ``NAME-hub`` (a hubverse hub, the same in every
        language; none of five-year periods), and ``NAME-explorer.html`` (see
        `forecast.reports.explorer`).
        Files already there stay as they are unless all are made.

    Raises
    ------
    UnknownNameError
        If the language is not known.
    DataError
        If the name holds a path, the folder cannot be written to, there is nothing to
        report, a file given is not what it should be, the track is of other data, or the draws
        given are a scenario or conditional.

    Examples
    --------
    >>> import tempfile
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> outlook = fc.forecast(panel, "naive", (2027,), draws=200)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = report(outlook, folder=folder, name="kaz")
    ...     [path.name for path in files if path.suffix == ".html"]
    ['kaz.html', 'kaz-annex.html', 'kaz-explorer.html']
    """
    words = replace(find_language(language), frequency=outlook.frequency, step=outlook.history.step)
    name = manifest.default_name(outlook.history) if name is None else name
    check_place(folder, name, language, outlook.history)
    outlook.require_unconditional("a report")
    outlook = replace(outlook, horizons=told_apart(outlook.history, outlook.horizons))
    views = series_views(outlook)
    tried = opened(track)
    found = None if tried is None else record(covered(tried, outlook.history), outlook.model)
    what_ifs = make_scenarios(scenarios, outlook)
    given = [previous] if isinstance(previous, str | Path) else previous
    earlier = read_editions(given)
    if other := next((one for one in earlier if one.frequency != outlook.frequency), None):
        raise DataError(
            f"the edition of {other.day} given as previous is by {other.frequency}, and this "
            f"report by {outlook.frequency}. Leave it out."
        )
    if earlier and earlier[-1].day > str(outlook.paths.attrs["as_of"] or "9999"):
        raise DataError(
            f"the edition of {earlier[-1].day} given as previous knew newer figures than this "
            f"report ({outlook.paths.attrs['as_of']}). Leave it out."
        )
    again = [shlex.join(command)] if command else manifest.calls(
        outlook, track, language=language, name=name, title=title, about=about,
        thresholds=thresholds, previous=given, scenarios=scenarios, targets=targets,
        impacts=impacts, corridors=corridors,
    )  # fmt: skip
    extra = content.Supplements(
        words, found, uncovered=track is not None and found is None,
        thresholds=_thresholds(thresholds, views), earlier=earlier, scenarios=what_ifs,
        again=again, called=not command,
        targets=None if targets is None else target_table(outlook, given=targets),
        impacts=impacts, title=title, about=about, corridors=corridors,
    )  # fmt: skip
    shown = content.page(outlook, views, extra)
    table = inactive_columns(
        all_quantiles(outlook, words), ("location", "name", "measure", "source", "model")
    )
    files = _files(name, words)
    explored = explorer.file_name(name, words)
    shown["files"] = {**files, "explorer": explored}
    contents = {
        files["main"]: render(shown, words).encode(),
        files["annex"]: render(shown, words, "annex").encode(),
        files["table"]: table.to_csv(index=False, lineterminator="\n").encode(),
        files["workbook"]: workbook(outlook, views, shown["title"], words, extra.targets, found),
    }
    hub = f"{name}-hub"
    shared = _hub(outlook, Path(folder) / hub)
    every = {**contents, **{f"{hub}/{path}": data for path, data in shared.items()}}
    # It repeats the draws, and can be made anew; the manifest vouches for all but it.
    contents[explored] = explorer.explorer(
        outlook, views, words, found=found, earlier=earlier, what_ifs=what_ifs, report=files["main"]
    ).encode()
    contents[files["manifest"]] = manifest.manifest(
        outlook, views, every, [one.name for one in extra.scenarios]
    ).encode()
    with ExitStack() as stack:
        # Renamed into place in the opposite order: last the manifest, which vouches for the rest.
        for file, data in reversed(contents.items()):
            stack.enter_context(artifacts.atomic_file(Path(folder) / file)).write_bytes(data)
        if shared:
            stack.enter_context(hub_folder(Path(folder) / hub, shared))
    written = [*files.values(), *([hub] if shared else []), explored]
    return [Path(folder) / file for file in written]


def render(shown: dict[str, Any], words: Language, page: str = "main") -> str:
    """Return a page as HTML text from the values of `forecast.reports.content.page`.

    Texts of scenarios, targets and arguments come from others: what would steer a terminal
    or turn the direction of writing is taken out.

    Parameters
    ----------
    page : {"main", "annex"}
    """
    text = clean(environment(words).get_template(f"{page}.html").render(words=words, **shown))
    return words.without_years(text)


def check_place(folder: str | Path, name: str, language: str, history: Panel) -> None:
    """Refuse a place where a report could not be written, before any work is done for it.

    Parameters
    ----------
    folder, name, language
        As of `report`.
    history : Panel
        The figures; those of five-year periods get no hub.

    Raises
    ------
    DataError
        If the name holds a path, the folder cannot be written to, something else stands where
        a file shall be, or the hub that is there is none that a forecast can be added to.
    """
    if not name or Path(name).name != name or name in {".", ".."}:
        raise DataError(f"report name {name!r} is not a plain file name. Leave folders to folder=.")
    artifacts.check_writable(folder)
    words = find_language(language)
    for file in _files(name, words).values():
        artifacts.check_file(Path(folder) / file)
    explorer.check_place(folder, name, words)
    if history.step == 1:
        check_hub_folder(Path(folder) / f"{name}-hub", history)


def _files(name: str, words: Language) -> dict[str, str]:
    """Return the names of an edition's files by what they hold, in the order of `report`."""
    code = "" if words.code == "en" else f".{words.code}"
    endings = {"main": "html", "table": "csv", "workbook": "xlsx", "manifest": "manifest.json"}
    files = {what: f"{name}{code}.{ending}" for what, ending in endings.items()}
    return {**files, "annex": f"{name}-annex{code}.html"}


def _hub(outlook: Forecast, folder: Path) -> dict[str, bytes]:
    """Return the edition's files of the hub; none of five-year periods."""
    if outlook.history.step != 1:
        return {}
    samples = min(SAMPLES, outlook.paths.sizes["draw"])
    return outlook.hub_files(samples=samples, earlier=earlier_hub(folder), name=folder.name)


def _thresholds(
    given: str | Path | Sequence[Threshold] | None, views: Sequence[SeriesView]
) -> list[Threshold]:
    if given is None:
        return []
    wanted = read_thresholds(given) if isinstance(given, str | Path) else list(given)
    check(wanted, views)
    return wanted
