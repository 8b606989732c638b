"""Scenarios on the page: baseline beside what would follow, and how unusual that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from forecast import labels
from forecast.errors import DataError
from forecast.language import Language, message, rounded
from forecast.locations import country_of
from forecast.outlook import Forecast
from forecast.reports.impact import beside
from forecast.reports.series_view import SeriesView, identity
from forecast.scenarios.accounting import MOVED
from forecast.scenarios.scenario import Scenario, scenario
from forecast.scenarios.shock import ARRIVALS, DEPARTURES, Shock
from forecast.series_key import rows_of

#: What a shock is given as.
Given = str | Path | Mapping[str, Any] | Shock | Scenario
_NET, _GROSS = "net_migration", {ARRIVALS: "immigration", DEPARTURES: "emigration"}
_PEOPLE = {
    ARRIVALS: message(
        "{place}: {low} to {high} people come in all, {first} to {last} of them in the calendar "
        "year in which it starts (four in five of the scenario’s draws)."
    ),
    DEPARTURES: message(
        "{place}: {low} to {high} people leave in all, {first} to {last} of them in the calendar "
        "year in which it starts (four in five of the scenario’s draws)."
    ),
}


def scenarios(given: Sequence[Given], outlook: Forecast) -> list[Scenario]:
    """Put each scenario on top of the forecast of a report.

    Parameters
    ----------
    given : sequence of str, Path, mapping or Scenario
        As of `forecast.report`; what is no Scenario yet is made with the seed of the forecast.
    outlook : Forecast
        The baseline.

    Returns
    -------
    list of Scenario
        In the order given.

    Raises
    ------
    DataError
        If a scenario already made stands on another forecast, or two have one name.
    """
    made = []
    for one in given:
        if isinstance(one, Scenario):
            if not one.baseline.paths.identical(outlook.paths):
                raise DataError(
                    f"scenario {one.name!r} stands on another forecast than the report's. "
                    "Make it from this one with forecast.scenario(outlook, ...)."
                )
            made.append(one)
        else:
            made.append(scenario(outlook, one, seed=int(outlook.paths.attrs["seed"])))
    names = [one.name for one in made]
    if len(set(names)) < len(names):
        raise DataError(f"a scenario is given twice: {', '.join(names)}. Name each once.")
    return made


def section(
    made: Sequence[Scenario], views: Sequence[SeriesView], words: Language
) -> list[dict[str, Any]]:
    """Return what the page shows of each scenario.

    Parameters
    ----------
    made : sequence of Scenario
        On top of the forecast of the page.
    views : sequence of SeriesView
        The series of the page, for the charts of the baseline.
    words : Language
        Language of sentences and charts.

    Returns
    -------
    list of dict
        For the template ``what_if.html``.
    """
    return [_shown(one, views, words) for one in made]


def _shown(one: Scenario, views: Sequence[SeriesView], words: Language) -> dict[str, Any]:
    found, event = one.unusual(), one.event()
    charted = _charted(one, found, views)
    moved = dict(zip(one.baseline.keys, one.what_if.paths.transpose("series", "draw", "year")))
    years = one.baseline.paths["year"].to_numpy()
    figures, rows = [], []
    for view in charted:
        draws = moved[view.key].to_numpy()[:, np.isin(years, view.years)]
        caption = position(_strongest(found, view), words)
        svg = beside(view, draws, (one.shock.first, one.shock.last), one.name, caption, words)
        source, place, measure = view.key
        figures.append(
            {
                "title": f"{labels.place(place, words)}: {labels.measure(measure, words)}",
                "source": labels.source(source, words),
                "svg": Markup(svg),  # noqa: S704  escaped where it is drawn
                "caption": caption,
            }
        )
        rows += _rows(one, view, draws, words)
    return {
        "identity": identity("what-if", one.name),
        "title": words.lookup(one.shock.title),
        "summary": words.lookup(one.shock.summary),
        "judgement": words.lookup(one.shock.judgement),
        "sizes": sizes(event, words),
        "stated": [*sizes(event, words), timing(one.shock, words)],
        "counted": _counted(one, words),
        "history": history(event, words),
        "figures": figures,
        "rows": rows,
        "regions": _regions(one, words),
        "sources": one.shock.sources,
    }


def _charted(one: Scenario, found: pd.DataFrame, views: Sequence[SeriesView]) -> list[SeriesView]:
    """Return the series worth a chart: of each country the net and the gross flow moved most."""
    yearly = found[found["window"] == 1].to_dict("records")
    chosen = []
    for place in one.shock.places:
        for measure in (_NET, _GROSS[place.direction]):
            ours = [
                row for row in yearly
                if (row["location"], row["measure"]) == (place.location, measure)
            ]  # fmt: skip
            if ours:
                most = max(ours, key=lambda row: abs(float(row["added"])))
                chosen.append((most["source"], most["location"], most["measure"]))
    by_key = {view.key: view for view in views}
    return [by_key[key] for key in chosen]


def _strongest(found: pd.DataFrame, view: SeriesView) -> Mapping[str, Any]:
    mine = found[rows_of(found, view.key)]
    row = mine[mine["window"] == 1].to_dict("records")[0]
    return {str(name): value for name, value in row.items()}


def position(row: Mapping[str, Any], words: Language) -> str:
    """Say where the scenario's strongest year lies among the baseline's futures.

    Parameters
    ----------
    row : mapping
        A row of `forecast.scenarios.unusual.unusual` for single years.
    """
    signed = row["measure"] == _NET
    value = words.persons(rounded(float(row["what_if"])), sign=signed)
    usual = words.persons(rounded(float(row["baseline"])), sign=signed)
    draws = words.persons(int(row["draws"]))
    if not row["beyond"]:
        return words.say(
            "In the strongest year after its start {value}, the baseline {usual} (medians). None "
            "of the baseline’s {draws} futures goes as far: less than 1 in {draws}.",
            value=value,
            usual=usual,
            draws=draws,
        )
    return words.say(
        "In the strongest year after its start {value}, the baseline {usual} (medians). Of the "
        "baseline’s {draws} futures {share} go as far.",
        value=value,
        usual=usual,
        draws=draws,
        share=words.percent(float(row["tail"])),
    )


def sizes(event: pd.DataFrame, words: Language) -> list[str]:
    """Say of each country how many people move, in all and in the first year.

    Parameters
    ----------
    event : DataFrame
        As of `forecast.scenarios.unusual.event`: persons, and 80 % ranges.
    words : Language
        Language of the sentences.

    Returns
    -------
    list of str
        One for each country and direction, in the order of the rows.
    """
    return [
        words.say(
            _PEOPLE[str(row["direction"])],
            place=labels.place(str(row["location"]), words),
            **{
                name: words.persons(rounded(float(row[column])))
                for name, column in (
                    ("low", "people_lower"),
                    ("high", "people_upper"),
                    ("first", "first_year_lower"),
                    ("last", "first_year_upper"),
                )
            },
        )
        for row in event.to_dict("records")
    ]


def timing(shock: Shock, words: Language) -> str:
    """Say when it starts, how fast it fades and how many move back.

    Parameters
    ----------
    shock : Shock
        As it was stated: years, half-life in years, and share that returns (0 to 1).
    words : Language
        Language of the sentences.

    Returns
    -------
    str
    """
    sentence = words.say(
        "It starts in {first} to {last}; half of all have moved after {low} to {high} years.",
        first=shock.first,
        last=shock.last,
        low=words.decimal(shock.fading.half_life.low),
        high=words.decimal(shock.fading.half_life.high),
    )
    if shock.returns is None:
        return sentence
    back = words.say(
        "Later {low} to {high} of them move back.",
        low=words.share(shock.returns.share.low),
        high=words.share(shock.returns.share.high),
    )
    return f"{sentence} {back}"


def history(event: pd.DataFrame, words: Language) -> list[str]:
    """Say how often any country has seen a movement of this size.

    Parameters
    ----------
    event : DataFrame
        As of `forecast.scenarios.unusual.event`: rates per 1,000 population per year.
    words : Language
        Language of the sentences.

    Returns
    -------
    list of str
        One for each row with a rate; without a sign, the direction is told by `sizes`.
    """
    rows = []
    for row in event[event["rate"].notna()].to_dict("records"):
        place = labels.place(str(row["location"]), words)
        rate = words.decimal(abs(round(float(row["rate"]), 1)))
        counted = words.persons(int(row["world_counted"]))
        if not row["world_share"]:
            rows.append(
                words.say(
                    "{place}: in the first year {rate} per 1,000 inhabitants. In none of {counted} "
                    "years of countries of a million or more since 1950 does the UN count as much.",
                    place=place,
                    rate=rate,
                    counted=counted,
                )
            )
            continue
        rows.append(
            words.say(
                "{place}: in the first year {rate} per 1,000 inhabitants. The UN counts as much in "
                "{share} of {counted} years of countries of a million or more since 1950.",
                place=place,
                rate=rate,
                counted=counted,
                share=words.percent(float(row["world_share"])),
            )
        )
    return rows


def _counted(one: Scenario, words: Language) -> list[str]:
    """Say of each source how many of those who move its figures show, and why."""
    sentences = []
    reached = one.effects[one.effects["status"] == MOVED]
    for place in one.shock.places:
        ours = reached[reached["location"].map(country_of) == place.location]
        by_entry: dict[int, list[str]] = {}
        for source in dict.fromkeys(ours["source"]):
            entry = place.counted_by(str(source))
            if entry is not None:
                by_entry.setdefault(entry, []).append(labels.source(str(source), words))
        for entry, names in by_entry.items():
            stated = place.counted[entry]
            shown = words.say(
                "Shown by the {source}: {low} to {high} of them.",
                source=words.listed(names),
                low=words.share(stated.share.low),
                high=words.share(stated.share.high),
            )
            sentences.append(f"{shown} {words.lookup(stated.because)}")
    return list(dict.fromkeys(sentences))


def _regions(one: Scenario, words: Language) -> str:
    """Say how a country's movement is shared out over its regions; empty without regions."""
    moved = one.effects[one.effects["status"] == MOVED]
    regional = moved[~moved["location"].isin([place.location for place in one.shock.places])]
    if regional.empty:
        return ""
    if all(place.regions for place in one.shock.places):
        return words.say("Regions share it out as the scenario states; their series add up.")
    return words.say(
        "Regions share it out by population, which is an assumption; their series add up as before."
    )


def _rows(
    one: Scenario, view: SeriesView, draws: np.ndarray, words: Language
) -> list[dict[str, Any]]:
    """Return baseline and scenario by year, from the first year in which it may start."""
    source, place, measure = view.key
    rows = []
    for at, year in enumerate(view.years.tolist()):
        if year < one.shock.first:
            continue
        both = [
            [view.written(float(value), words, 3) for value in np.quantile(drawn, [0.5, 0.1, 0.9])]
            for drawn in (view.draws[:, at], draws[:, at])
        ]
        rows.append(
            {
                "place": labels.place(place, words),
                "measure": labels.measure(measure, words),
                "source": labels.source(source, words),
                "year": year,
                "numbers": [*both[0], *both[1]],
            }
        )
    for at, row in enumerate(rows):
        row |= {"first": at == 0, "span": len(rows)}
    return rows
