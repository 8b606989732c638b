"""Disagreement of other sources and models with the forecast, for the page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecast import labels
from forecast.accounts.identities import NETS
from forecast.data.wpp_bulk import SOURCE as UN_SOURCE
from forecast.language import Language, message
from forecast.models.ensemble.explanation import SAYS
from forecast.reports.series_view import SeriesView
from forecast.series_key import KEY

#: Chances of more arrivals than departures that differ by more than this contradict each other.
CHANCES = 0.15
#: Models that count for less than this say nothing that matters.
LEAST_WEIGHT = 0.01
#: Most models that are named.
_NAMED = 3


def contradictions(
    view: SeriesView,
    year: int,
    views: Sequence[SeriesView],
    explanation: pd.DataFrame | None,
    words: Language,
) -> str:
    """Say which sources and models contradict the forecast of one series in one year.

    They do if their chances of more arrivals than departures differ by more than 15
    points, or their middle halves do not overlap.

    Parameters
    ----------
    year : int
        A year that was forecast.
    views : sequence of SeriesView
        Among them those of other sources of the same figure.
    explanation : DataFrame or None
        `Forecast.explanation`: what the members of an ensemble say by themselves.

    Returns
    -------
    str
        Sentences; empty if nothing contradicts.
    """
    drawn = view.at(year)
    said = [
        _other_source(other, year, drawn, view, words)
        for other in views
        if other.key[1:] == view.key[1:] and other.key != view.key and year in other.years
    ]
    if explanation is not None:
        counted = explanation[explanation["source"] == view.key[0]]
        counted = counted[counted["location"] == view.key[1]]
        by_flows = view.key[2] == NETS[0][0] and set(NETS[0][1:]) <= set(counted["measure"])
        said.append(_models(_members(counted, view, year), drawn, view, by_flows, words))
    return " ".join(text for text in said if text)


def _apart(drawn: np.ndarray, quartiles: tuple[float, float], chance: float, signed: bool) -> bool:
    lower, upper = np.quantile(drawn, [0.25, 0.75])
    differs = signed and abs(float((drawn > 0).mean()) - chance) > CHANCES
    return bool(differs or quartiles[0] > upper or quartiles[1] < lower)


def _other_source(
    other: SeriesView, year: int, drawn: np.ndarray, view: SeriesView, words: Language
) -> str:
    theirs = other.at(year)
    lower, upper = (float(q) for q in np.quantile(theirs, [0.25, 0.75]))
    chance = float((theirs > 0).mean())
    signed = view.series.signed
    if not _apart(drawn, (lower, upper), chance, signed):
        return ""
    shape = (
        message(
            "The {source} says something else, because it measures something else: {statement}."
        )
        if UN_SOURCE in (other.series.source, view.series.source)
        else message("The {source} says something else: {statement}.")
    )
    return words.say(
        shape,
        source=labels.source(other.series.source, words),
        statement=_statement(lower, upper, chance, view, words),
    )


def _statement(lower: float, upper: float, chance: float, view: SeriesView, words: Language) -> str:
    """Return the chance of a gain, or the middle half of a count."""
    if view.series.signed:
        return words.say("a net gain has a chance of {chance}", chance=words.percent(chance))
    low, high = (view.written(number, words, 2) for number in (lower, upper))
    return words.say("half of its futures lie between {low} and {high}", low=low, high=high)


def _members(explanation: pd.DataFrame, view: SeriesView, year: int) -> pd.DataFrame:
    """Return one row per member: its weight and what it says by itself."""
    same = explanation["year"] == year
    for column, value in zip(KEY, view.key):
        same &= explanation[column] == value
    rows = explanation[same & (explanation["what"] != "variance share")]
    table = rows.set_index(["name", "what"])["value"].unstack("what")
    return table.reindex(columns=["weight", *SAYS]).dropna()


def _models(
    members: pd.DataFrame, drawn: np.ndarray, view: SeriesView, by_flows: bool, words: Language
) -> str:
    """Name the members that say something else; those of no weight only where it is no weight."""
    signed = view.series.signed
    if not by_flows:
        members = members[members["weight"] >= LEAST_WEIGHT]
    there = [
        _apart(drawn, (lower, upper), chance, signed)
        for lower, upper, chance in members[list(SAYS)].itertuples(index=False)
    ]
    apart = members.loc[np.array(there, dtype=bool)].sort_values("weight", ascending=False)
    if not len(apart):
        return ""
    listed = [
        f"{name} {_number(lower, upper, chance, view, words)}"
        for name, _, lower, upper, chance in apart.head(_NAMED).itertuples()
    ]
    more = ["…"] if len(apart) > _NAMED else []
    what = message("a net gain: {models}") if signed else message("half of the futures: {models}")
    named = words.say(what, models="; ".join([*listed, *more]))
    if by_flows:
        return words.count(
            "{n} of {all} models asked says something else of the net by itself ({named}); here "
            "it is the difference of arrivals and departures.",
            "{n} of {all} models asked say something else of the net by themselves ({named}); "
            "here it is the difference of arrivals and departures.",
            len(apart),
            all=len(members),
            named=named,
        )
    return words.count(
        "{n} of {all} models asked says something else by itself ({named}); by its past errors "
        "it counts for {weight}.",
        "{n} of {all} models asked say something else by themselves ({named}); by their past "
        "errors they count for {weight}.",
        len(apart),
        all=len(members),
        named=named,
        weight=words.share(float(apart["weight"].sum())),
    )


def _number(lower: float, upper: float, chance: float, view: SeriesView, words: Language) -> str:
    if view.series.signed:
        return words.percent(chance)
    return "–".join(view.written(end, words, 2) for end in (lower, upper))
