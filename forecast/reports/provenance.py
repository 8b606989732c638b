"""Where the numbers come from: data tables, licences, models, and how figures were revised."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from forecast import labels
from forecast.contract import FORECAST
from forecast.data import package
from forecast.data.releases import status
from forecast.errors import UnknownNameError
from forecast.language import Language, rounded
from forecast.locations import country_of
from forecast.models import DEFAULT
from forecast.models.registry import specification
from forecast.models.registry import table as registry
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.reports import sentences
from forecast.reports.series_view import FIRST_YEAR, SeriesView
from forecast.series_key import KEY, SeriesKey


def data(views: Sequence[SeriesView], words: Language) -> list[dict[str, Any]]:
    """Return the tables that hold the series of the page, each with its series.

    Parameters
    ----------
    views : sequence of SeriesView
        The series of the page.
    words : Language
        Language of titles, names and sentences.

    Returns
    -------
    list of dict
        The description of a bundled table (or ``bundled`` False for a user's own data)
        with ``series``, one dict per series, and ``rules``, the population rules in use.
    """
    homes = _homes()
    groups: dict[str, list[SeriesView]] = {}
    for view in views:
        groups.setdefault(homes.get(view.key, ""), []).append(view)
    found = []
    stated = package.description()
    countries = {view.country for view in views if view.key in homes}
    moves = [name for name in stated["moves"]["central-asia"] if _country(name) in countries]
    for name in [*stated["panels"]["central-asia"], *moves, ""]:
        if name in moves:
            table = _described(package.resource(name), words)
            found.append({**table, "shared": "", "series": [], "rules": []})
        if name not in groups:
            continue
        described = _described(package.resource(name), words) if name else {"bundled": False}
        shared = sentences.shared_flags(groups[name], words)
        rules = {str(s.note["population"]) for s in groups[name]} - {""}
        found.append(
            {
                **described,
                "shared": " ".join(shared),
                "series": _together(
                    [_series(view, frozenset(shared), words) for view in groups[name]]
                ),
                "rules": [words.lookup(rule) for rule in sorted(rules)],
            }
        )
    return found


def _country(name: str) -> str:
    """Return the country that a table of moves is about."""
    from forecast.reports.internal_migration import observed_moves

    return next((code for code, moves in observed_moves().items() if moves.table == name), "")


def bundled(key: SeriesKey) -> bool:
    """Whether a series is one that the package ships."""
    return key in _homes()


@cache
def _homes() -> dict[SeriesKey, str]:
    """Return the bundled table of each series."""
    homes: dict[SeriesKey, str] = {}
    for name in package.description()["panels"]["central-asia"]:
        keys = pd.read_csv(package.path_of(name), usecols=KEY)[KEY].drop_duplicates()
        homes.update((key, name) for key in keys.itertuples(index=False, name=None))
    return homes


def _described(resource: dict[str, Any], words: Language) -> dict[str, Any]:
    """Return a bundled table's description in the reader's language."""
    texts = ("title", "description", "unit", "coverage")
    return {
        "bundled": True,
        **{text: words.lookup(str(resource[text])) for text in texts},
        "offices": "; ".join(words.lookup(source["title"]) for source in resource["sources"]),
        "table": resource["table"],
        "caveats": [words.lookup(caveat) for caveat in resource["caveats"]],
        "licenses": [
            {"title": words.lookup(entry["title"]), "path": entry.get("path", "")}
            for entry in resource["licenses"]
        ],
        "attribution": resource["attribution"],
    }


def _series(view: SeriesView, shared: frozenset[str], words: Language) -> dict[str, Any]:
    source, place, measure = view.key
    note = view.note
    return {
        "place": labels.place(place, words),
        "measure": labels.measure(measure, words),
        "source": source,
        "as_of": view.as_of,
        "first": view.named(int(view.series.years[0])),
        "origin": view.last()[0],
        "observations": int(str(note["observations"])),
        "forecast": view.forecast,
        "scale": labels.scale(str(note["scale"]), words),
        "flags": sentences.flags(view, words, shared),
    }


def _together(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put series that differ in their place alone into one row, places in order."""
    found: dict[tuple[Any, ...], list[str]] = {}
    for row in rows:
        rest = tuple((name, value) for name, value in row.items() if name != "place")
        found.setdefault(rest, []).append(row["place"])
    return [{"place": ", ".join(places), **dict(rest)} for rest, places in found.items()]


def method(outlook: Forecast, words: Language) -> dict[str, Any]:
    """Return what the page says about the model and what it was shown.

    Parameters
    ----------
    outlook : Forecast
        Model, settings and data are in its attributes and notes.
    words : Language
        Language of the descriptions of models.

    Returns
    -------
    dict
        For the template ``annex.html``.
    """
    attributes = outlook.paths.attrs
    # Months, quarters and half-years are forecast by the ensemble of seasonal models.
    seasonal = words.frequency != "year" and outlook.model == DEFAULT
    model = "seasonal" if seasonal else outlook.model
    models = [_model(name, words) for name in _with_members(model)]
    return {
        "models": models,
        "hub": outlook.history.step == 1,
        "scales": sorted({str(note) for note in _forecast(outlook)["scale"]}),
        "revised": _revised(outlook),
        "parametric": all(model["kind"] == "time series" for model in models),
        "diagnostics": diagnostics(outlook, words),
        "draws": outlook.paths.sizes["draw"],
        "series": outlook.paths.sizes["series"],
        "version": attributes["version"],
        "as_of": attributes["as_of"],
        "data_hash": attributes["data_hash"],
        "seed": attributes["seed"],
    }


def diagnostics(outlook: Forecast, words: Language) -> list[str]:
    """Return what the model says about its own fit, in its own words.

    The attribute ``diagnostics`` of the draws is about the whole fit; a column of that
    name in the notes about single series.

    Parameters
    ----------
    outlook : Forecast
        A model without diagnostics gives no text.
    words : Language
        Language of the names of places and measures; what the model says is not translated.

    Returns
    -------
    list of str
    """
    texts = [str(outlook.paths.attrs.get("diagnostics", "")).strip()]
    if "diagnostics" in outlook.notes:
        for row in _forecast(outlook).to_dict("records"):
            text = "" if pd.isna(row["diagnostics"]) else str(row["diagnostics"]).strip()
            if text:
                place = labels.place(str(row["location"]), words)
                texts.append(f"{place}, {labels.measure(str(row['measure']), words)}: {text}")
    return [text for text in texts if text]


def _revised(outlook: Forecast) -> bool:
    """Whether the intervals of any series allow for revisions of its figures."""
    explanation = outlook.explanation
    return explanation is not None and bool((explanation["name"] == "revisions").any())


def _forecast(outlook: Forecast) -> pd.DataFrame:
    return outlook.notes[outlook.notes["status"] == FORECAST]


def _with_members(name: str) -> Iterable[str]:
    """Return a model and the models it is made of, as its settings name them."""
    try:
        members = specification(name).get("members", [])
    except UnknownNameError:
        members = []
    return [name, *(member for member in members if isinstance(member, str))]


def _model(name: str, words: Language) -> dict[str, Any]:
    """Return a model's own words; a user's model has only its name and docstring."""
    known = registry().set_index("model")
    if name not in known.index:
        return {"name": name, "title": name, "kind": "user", "summary": "", "references": []}
    stated = known.loc[name]
    references = [] if stated["kind"] == "user" else specification(name).get("references", [])
    return {
        "name": name,
        "title": words.lookup(str(stated["title"])),
        "kind": str(stated["kind"]),
        "summary": words.lookup(str(stated["summary"])),
        "references": references,
    }


def revised(view: SeriesView, words: Language) -> str:
    """Say how far the figures moved since the release before; empty if there is none.

    Parameters
    ----------
    view : SeriesView
        With the releases of its figures.
    words : Language
        Language of the sentence.

    Returns
    -------
    str
        Persons per calendar year, without a sign.
    """
    years, pairs = _before_and_now(view)
    if not len(years):
        return ""
    turned = _turned(pairs)
    moved = words.say(
        "Since the release before, the figures for {first} to {last} moved by {mean} a year on "
        "average",
        first=years.min(),
        last=years.max(),
        mean=words.persons(rounded(float(np.abs(pairs[:, 0] - pairs[:, 1]).mean()))),
    )
    if not turned:
        return f"{moved}."
    return words.count(
        "{moved}; the sign changed in {n} year.",
        "{moved}; the sign changed in {n} years.",
        turned,
        moved=moved,
    )


def other_sign(view: SeriesView, words: Language) -> str:
    """Say in how many years the release before had the other sign; empty if in none.

    Parameters
    ----------
    view : SeriesView
        With the releases of its figures.
    words : Language
        Language of the sentence.

    Returns
    -------
    str
        Without a capital letter: it follows the name of the source.
    """
    years, pairs = _before_and_now(view)
    turned = _turned(pairs) if len(years) else 0
    if not turned:
        return ""
    return words.count(
        "the release before had the opposite sign in {n} year of {of}.",
        "the release before had the opposite sign in {n} years of {of}.",
        turned,
        of=len(years),
    )


def overdue(panel: Panel, words: Language) -> str:
    """Name the sources that were due to bring newer figures before the newest ones came.

    Parameters
    ----------
    panel : Panel
        Its newest day of release counts as today.
    words : Language
        Language of the sentences.

    Returns
    -------
    str
        A sentence for each source; empty if none was due, or no release has a day.
    """
    if not panel.last_release:
        return ""
    table = status(panel, dt.date.fromisoformat(panel.last_release))
    late = table[table["overdue"]].drop_duplicates("source")
    sentences = []
    for row in late.to_dict("records"):
        places = {country_of(place) for source, place, _ in panel.keys if source == row["source"]}
        source = labels.source(row["source"], words)
        if len(places) == 1:
            source = f"{labels.place(places.pop(), words)}, {source}"
        sentences.append(
            words.say(
                "{source}: figures to {year}; newer ones were due by {due}.",
                source=words.opening(source),
                year=row["last_year"],
                due=row["due"],
            )
        )
    return " ".join(sentences)


def _before_and_now(view: SeriesView) -> tuple[np.ndarray, np.ndarray]:
    """Return years and figures, shape (n_years, 2), of the release before and the newest."""
    if not view.releases:
        return np.empty(0, dtype=int), np.empty((0, 2))
    earlier = view.releases[-1]
    now = dict(zip(view.series.years.tolist(), view.series.values.tolist()))
    both = [
        (year, then, now[year])
        for year, then in zip(earlier.index.tolist(), earlier.tolist())
        if year >= FIRST_YEAR and not np.isnan(then) and not np.isnan(now.get(year, np.nan))
    ]
    table = np.array(both, dtype=float).reshape(-1, 3)
    return table[:, 0].astype(int), table[:, 1:]


def _turned(pairs: np.ndarray) -> int:
    """Return how many figures changed their sign."""
    return int((np.sign(pairs[:, 0]) * np.sign(pairs[:, 1]) < 0).sum())
