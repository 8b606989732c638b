"""The main report: what it shows of each country and of each section, in few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from forecast import labels
from forecast.language import Language
from forecast.reports import charts
from forecast.reports.front import NET, expected, year_so_far
from forecast.reports.region_map import region_map
from forecast.reports.series_view import SeriesView, identity, intervals

#: Which of `forecast.reports.series_view.LEVELS` the short tables show.
_LEVEL = 1


def measures(
    fitted: Sequence[SeriesView],
    year: int,
    words: Language,
    explanation: pd.DataFrame | None = None,
) -> list[dict[str, Any]]:
    """Return one chart, one sentence and one table per national series.

    Parameters
    ----------
    fitted : sequence of SeriesView
        National series with a forecast, the source to be preferred first.
    year : int
        The year that the sentence is about.
    explanation : DataFrame, optional
        `Forecast.explanation`; of a year that is not over a sentence more.

    Returns
    -------
    list of dict
        ``large`` and ``small``, SVG; ``text``; ``rows``, one per target year with the median
        and the 80 % interval in ``band``, or the figure that is known.
    """
    return [_measure(view, year, words, explanation) for view in fitted]


def _measure(
    view: SeriesView, year: int, words: Language, explanation: pd.DataFrame | None
) -> dict[str, Any]:
    large, small = charts.recent(view, words)
    rows = [
        {
            "year": row.year,
            "median": row.median,
            "band": row.bands[_LEVEL] if row.bands else (),
            "observed": row.observed,
        }
        for row in intervals([view], words)
    ]
    source, _, measure = view.key
    return {
        "identity": identity("measure", *view.key),
        "series": " ".join(view.key),
        "title": labels.measure(measure, words),
        "source": labels.source(source, words),
        "year": year,
        "text": f"{expected(view, year, words)} {year_so_far(view, explanation, words)}".strip(),
        "large": Markup(large),  # noqa: S704  escaped where it is drawn
        "small": Markup(small),  # noqa: S704  escaped where it is drawn
        "rows": rows,
    }


def regions(
    regional: Sequence[SeriesView], code: str, year: int, words: Language
) -> list[dict[str, Any]]:
    """Return the ranked chart of a country's regions, one per source and measure, with a map.

    A single region is not ranked: its fan in the annex says all that the chart would.

    Parameters
    ----------
    regional : sequence of SeriesView
        Of the regions of one country; those without a forecast for the year are left out.
    code : str
        Code of the country.
    year : int
        Target year.
    words : Language
        Language of names and charts.

    Returns
    -------
    list of dict
        For the template ``main.html``, sorted by source and measure; the highest median is drawn on
        top.
    """
    found = []
    ahead = [view for view in regional if view.forecast and year in view.years]
    for source, measure in sorted({(s.series.source, s.series.measure) for s in ahead}):
        group = [s for s in ahead if (s.series.source, s.series.measure) == (source, measure)]
        if len(group) < 2:
            continue
        order = sorted(group, key=lambda s: (-float(np.median(s.at(year))), s.key))
        found.append(
            {
                "identity": identity("regions", source, measure, code),
                "measure": labels.measure(measure, words),
                "source": labels.source(source, words),
                "year": year,
                "count": len(order),
                "ranking": Markup(charts.ranking(order, year, words)),  # noqa: S704  escaped there
                "map": region_map(order, code, year, words),
            }
        )
    return found


def changes(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return of the changes since the last edition the causes, and net flows in the last year."""
    if found is None:
        return None
    net = [row for row in found["rows"] if row["key"][2] in NET] or found["rows"]
    last = {row["key"]: row["year"] for row in net}
    return {**found, "rows": [row for row in net if row["year"] == last[row["key"]]]}


def outturn(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return how the last forecast turned out in one sentence, with the figures of countries."""
    return None if found is None else {**found, "rows": [r for r in found["rows"] if r["national"]]}


def what_ifs(found: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]] | None:
    """Return of each scenario how many move, and the chart that shows it most."""
    return None if found is None else [{**one, "figures": one["figures"][:1]} for one in found]
