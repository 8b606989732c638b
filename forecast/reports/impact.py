"""The impact of past events: the section of the page on each event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from forecast import labels
from forecast.impacts.result import STANDS_OUT, Impact
from forecast.impacts.sentences import difference, finding, power, probability
from forecast.language import Language, message, rounded
from forecast.reports import effect_charts
from forecast.reports.series_view import identity

#: What the verdict on a sum is called in a table.
_VERDICTS = {
    "stands out": message("stands out"),
    "depends on the model": message("depends on the model"),
    "cannot be told apart": message("cannot be told apart from ordinary error"),
    "cannot be decided": message("cannot be decided"),
}


def section(impacts: Sequence[Impact], words: Language) -> list[dict[str, Any]]:
    """Return what the page shows of each event, in the order given."""
    return [_entry(impact, number, words) for number, impact in enumerate(impacts, 1)]


def _entry(impact: Impact, number: int, words: Language) -> dict[str, Any]:
    event = impact.event
    name = identity("impact", number, event.name or event.location)
    return {
        "identity": name,
        "title": title(impact, words),
        "what": f"{labels.place(event.location, words)}: {labels.measure(event.measure, words)}",
        "source": labels.source(event.source, words),
        "verdict": words.say(_VERDICTS[impact.verdict]),
        "seen": impact.verdict == STANDS_OUT,
        "difference": difference(impact, words),
        "finding": finding(impact, words),
        "power": power(impact, words),
        "limit": event.limited(words.code),
        "announced": event.announced,
        "fan": Markup(effect_charts.fan(impact, name, words)),  # noqa: S704  escaped where it is drawn
        "strip": Markup(effect_charts.strip(impact, name, words))  # noqa: S704  escaped where drawn
        if len(impact.placebos.table)
        else None,
        "rows": _rows(impact, words),
    }


def title(impact: Impact, words: Language) -> str:
    """Return what the event is called; one without a title by its place and first year."""
    event = impact.event
    if event.title or event.name:
        return event.called(words.code)
    return f"{labels.place(event.location, words)}, {event.start}"


def _rows(impact: Impact, words: Language) -> list[dict[str, str]]:
    """Return the table of effects: each year, and where there are several their sum."""
    table = impact.effects()
    if len(table) == 2:
        table = table.iloc[:1]
    rows = []
    for row in table.to_dict("records"):
        low, high = (
            "–" if np.isnan(row[name]) else words.persons(rounded(row[name], 3), sign=True)
            for name in ("lower_calibrated", "upper_calibrated")
        )
        rows.append(
            {
                "year": words.say("together") if row["year"] == "sum" else row["year"],
                "observed": words.persons(rounded(row["observed"], 3)),
                "expected": words.persons(rounded(row["expected"], 3)),
                "effect": words.persons(rounded(row["effect"], 3), sign=True),
                "low": low,
                "high": high,
                "p_value": probability(row["p_value"], words),
            }
        )
    return rows
