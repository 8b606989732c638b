"""The manifest of an edition: what made it, what changed since, how to make it again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast import labels, locations, periods
from forecast.data import package
from forecast.evaluate.editions import FORMAT
from forecast.language import Language
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.reports.series_view import SeriesView

if TYPE_CHECKING:
    from forecast.evaluate.track import Track


def manifest(
    outlook: Forecast,
    views: Sequence[SeriesView],
    contents: Mapping[str, bytes],
    scenarios: Sequence[str] = (),
) -> str:
    """Return the manifest as JSON: inputs, outputs, and the numbers of the forecast.

    Parameters
    ----------
    views : sequence of SeriesView
    contents : mapping of file name to bytes
        The files of the edition.
    scenarios : sequence of str
        Names of the what-ifs that the page shows beside the forecast.
    """
    attributes = outlook.paths.attrs
    stated = ("model", "seed", "origin", "as_of", "version", "data_hash")
    described = {
        "format": FORMAT,
        **{name: _plain(attributes[name]) for name in stated},
        "draws": outlook.paths.sizes["draw"],
        "horizons": list(outlook.horizons),
        **({} if outlook.frequency == "year" else {"frequency": outlook.frequency}),
        **({"scenarios": list(scenarios)} if scenarios else {}),
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
        "expected": [_said(s, year) for s in views for year in s.horizons if year in s.years],
    }
    return json.dumps(described, indent=1, ensure_ascii=False) + "\n"


def changes(
    earlier: Mapping[str, Any], outlook: Forecast, views: Sequence[SeriesView], words: Language
) -> dict[str, Any]:
    """Return what changed since an earlier edition: causes, and the numbers of countries.

    Parameters
    ----------
    earlier : mapping
        The manifest of the earlier edition, as read.
    outlook : Forecast
        What this edition shows.
    views : sequence of SeriesView
        The series of this edition.
    words : Language
        Language of sentences, names and numbers.

    Returns
    -------
    dict
        ``causes``, sentences; ``rows``, one per national series and target year that
        both editions forecast, with the median and 80 % interval then and now.
    """
    attributes = outlook.paths.attrs
    then = {
        (row["source"], row["location"], row["measure"], row["year"]): row
        for row in earlier["expected"]
    }
    rows = []
    for view in views:
        for year in view.horizons if view.national else ():
            before = then.get((*view.key, year))
            if before is None or year not in view.years:
                continue
            source, place, measure = view.key
            rows.append(
                {
                    "key": view.key,
                    "place": labels.place(place, words),
                    "measure": labels.measure(measure, words),
                    "source": labels.source(source, words),
                    "year": year,
                    "then": _shown(before, measure, words),
                    "now": _shown(_said(view, year), measure, words),
                }
            )
    causes = []
    if earlier["data_hash"] != attributes["data_hash"]:
        causes.append(words.say("The data are newer or revised."))
    if earlier["model"] != attributes["model"]:
        causes.append(
            words.say(
                "The model was {then}, now it is {now}.",
                then=earlier["model"],
                now=attributes["model"],
            )
        )
    if earlier["version"] != attributes["version"]:
        causes.append(
            words.say(
                "The program was version {then}, now it is {now}.",
                then=earlier["version"],
                now=attributes["version"],
            )
        )
    if not causes:
        causes.append(words.say("Data, model and program are the same."))
    return {"causes": causes, "rows": rows}


def _said(view: SeriesView, year: int) -> dict[str, Any]:
    source, place, measure = view.key
    lower, middle, upper = np.quantile(view.at(year), [0.1, 0.5, 0.9]).tolist()
    digits = 6 if view.counted.kind == "rate" else None
    return {
        "source": source,
        "location": place,
        "measure": measure,
        "origin": view.series.origin,
        "year": year,
        "median": round(middle, digits),
        "lower_80": round(lower, digits),
        "upper_80": round(upper, digits),
    }


def _shown(row: Mapping[str, Any], measure: str, words: Language) -> list[str]:
    names = ("median", "lower_80", "upper_80")
    return [labels.figure(float(row[name]), measure, words, 3) for name in names]


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value


#: What a file is given as; anything else was made in Python and has only a name here.
_PATHS = (str, Path)


def shown(given: str | Path) -> str:
    """Return a file or name as it was given; of an absolute path only the last part.

    Where a file lies on one machine says nothing on another, and may say whose it is.

    Examples
    --------
    >>> shown("tables/own.csv"), shown("/home/me/own.csv"), shown("central-asia")
    ('tables/own.csv', 'own.csv', 'central-asia')
    """
    path = Path(given)
    return path.name if path.is_absolute() else str(given)


def command(
    data: str,
    model: str,
    seed: int,
    draws: int,
    *,
    figures: Sequence[str] = (),
    horizons: Sequence[int | str] | None = None,
    language: str | None = None,
    name: str = "",
    title: str = "",
    about: str = "",
    track: Path | None = None,
    thresholds: Path | None = None,
    threshold: Sequence[str] = (),
    previous: Sequence[Path] = (),
    scenarios: Sequence[str] = (),
    targets: str | None = None,
    impacts: Sequence[str] = (),
    nowcast: str | None = None,
    corridors: str | None = None,
) -> list[str]:
    """Return the words of the command `forecast report` with everything that shapes the page.

    Options left out are those at their default; where the files go is not among them. `figures`
    are the words that choose series and say how a file is read.

    Parameters
    ----------
    data : str
        Name of a bundled panel, or a file; paths are written as the shell takes them.
    model : str
        Name in the registry.
    seed, draws : int
        Always written, since they decide the numbers.
    figures : sequence of str
        As on the command line, such as ``--location KAZ``.
    horizons : sequence of int, optional
        Target years; those of the data by default.
    language : str, optional
        ISO 639-1; English by default.
    name, title, about : str
        Of the files, of the pages, and a paragraph about the edition.
    track, thresholds : Path, optional
        Folder of a backtest; TOML of thresholds.
    threshold : sequence of str
        Thresholds written on the command line.
    previous : sequence of Path
        Manifests of earlier editions.
    scenarios : sequence of str
        Names on the shelf, or files.
    targets : str, optional
        ``concepts``, or a file.
    impacts : sequence of str
        Names of events on the shelf, or files.
    nowcast : str, optional
        Months or quarters that the forecast began with: a bundled panel, or a file.
    corridors : str, optional
        Counts of corridors: a bundled panel, or a file.

    Returns
    -------
    list of str
        To be joined by `shlex.join`.
    """
    words = ["forecast", "report", "--data", shown(data), *figures, "--model", model]
    words += ["--seed", str(seed), "--draws", str(draws)]
    if nowcast is not None:
        words += ["--nowcast", shown(nowcast)]
    if horizons is not None:
        words += ["--horizons", ",".join(map(str, horizons))]
    named = (("--language", language), ("--name", name), ("--title", title), ("--about", about))
    for option, text in named:
        if text:
            words += [option, text]
    for option, path in (("--track", track), ("--thresholds", thresholds)):
        if path is not None:
            words += [option, shown(path)]
    for text in threshold:
        words += ["--threshold", text]
    for path in previous:
        words += ["--previous", shown(path)]
    for option, names in (("--scenario", scenarios), ("--impact", impacts)):
        for name in names:
            words += [option, shown(name)]
    for option, given in (("--targets", targets), ("--corridors", corridors)):
        words += [] if given is None else [option, shown(given)]
    return words


def calls(
    outlook: Forecast,
    track: Track | str | Path | None,
    *,
    language: str,
    name: str,
    title: str = "",
    about: str = "",
    thresholds: object = None,
    previous: Sequence[str | Path] = (),
    scenarios: Sequence[object] = (),
    targets: object = None,
    impacts: Sequence[object] = (),
    corridors: object = None,
) -> list[str]:
    """Return the calls from Python that make the page.

    Names and files stand as they were given. What was handed over as an object has only the
    name of its parameter: ``panel`` too, unless it is a bundled one.

    Parameters
    ----------
    outlook : Forecast
        Its model, seed, draws and target years are in the calls.
    track : Track, str or Path, optional
        As given to `forecast.report`.
    language : str
        ISO 639-1.
    name : str
        Name of the files; left out where it is the default one.
    title, about : str
        As given to `forecast.report`.
    thresholds : object
        As given to `forecast.report`: a file, or an object.
    previous : sequence of str or Path
        Manifests of earlier editions.
    scenarios : sequence
        As given to `forecast.report`.
    targets : object
        As given to `forecast.report`: a name, a file, or an object.
    impacts : sequence
        As given to `forecast.report`.
    corridors : object
        As given to `forecast.report`; it is named by its parameter.

    Returns
    -------
    list of str
        A line each.
    """
    attributes = outlook.paths.attrs
    horizons = tuple(periods.texts(outlook.horizons, outlook.frequency))
    lines = [f'panel = fc.load("{data}")' for data in _bundled(outlook.history)]
    if year := attributes.get("nowcast"):
        lines.append(f"nowcast = fc.nowcast(months, {year})")
    lines.append(
        f'outlook = fc.forecast(panel, model="{outlook.model}", horizons={horizons}, '
        f"draws={outlook.paths.sizes['draw']}, seed={attributes['seed']}"
        f"{', nowcast=nowcast' if year else ''})"
    )
    asked = ["outlook"]
    if track is not None:
        asked.append(_given("track", track))
    if language != "en":
        asked.append(f'language="{language}"')
    named = "" if name == default_name(outlook.history) else name
    asked += [
        f"{option}={_quoted(given)}"
        for option, given in (("name", named), ("title", title), ("about", about))
        if given
    ]
    listed = [_given("", one) for one in scenarios]
    if listed:
        asked.append(f"scenarios={'scenarios' if '' in listed else '[' + ', '.join(listed) + ']'}")
    if previous:
        asked.append(f"previous=[{', '.join(_given('', path) for path in previous)}]")
    others = (("thresholds", thresholds), ("targets", targets))
    asked += [f"{option}={_given(option, given)}" for option, given in others if given]
    if impacts:
        asked.append("impacts=impacts")
    if corridors is not None:
        asked.append("corridors=corridors")
    return [*lines, f"fc.report({', '.join(asked)})"]


def _given(option: str, value: object) -> str:
    """Write a name or a file as it was given, anything else by the name of its parameter."""
    return _quoted(shown(value)) if isinstance(value, _PATHS) else option


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _bundled(history: Panel) -> list[str]:
    """Return the name of the bundled panel that was forecast, if one was."""
    return [name for name in package.names() if package.load(name).hash == history.hash][:1]


def default_name(history: Panel) -> str:
    """Return what the files of a report are called where nobody says it.

    Returns
    -------
    str
        The name of the bundled panel, else of the only country, else ``migration``.
    """
    countries = {locations.country_of(series.location) for series in history}
    country = re.sub(r"[^a-z]+", "-", locations.name(min(countries)).lower()).strip("-")
    return [*_bundled(history), *([country] if len(countries) == 1 else []), "migration"][0]
