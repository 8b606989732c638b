"""Charts of a track record: past forecasts over outcomes, and coverage of intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from forecast.errors import ForecastError
from forecast.language import Language
from forecast.reports import charts, svg
from forecast.reports.series_view import SeriesView, identity
from forecast.reports.svg import ACCENT, INK, MUTED, drawing, to_svg
from forecast.reports.verdicts import ahead


def hedgehog(view: SeriesView, rows: pd.DataFrame, words: Language) -> str:
    """Draw the medians of past forecasts, one line from each origin, over the observed series.

    Parameters
    ----------
    rows : DataFrame
        Scored rows of one model and this series: ``origin, year, median, inside_80``.

    Returns
    -------
    str
        SVG text.
    """
    from matplotlib.collections import LineCollection

    name = identity("hedgehog", *view.key)
    series = view.series
    observed = dict(zip(series.years.tolist(), series.values.tolist()))
    text = 13.0
    with drawing(name, text):
        figure, axes = svg.canvas(
            440, 230, left=4 * text, right=text, top=2 * text, bottom=2.2 * text
        )
        amount = view.counted.kind == "amount"
        divisor = svg.divisor(series.values, rows["median"].to_numpy(dtype=float), amount=amount)
        lines, ends = [], []
        for origin, group in rows.sort_values("year").groupby("origin"):
            start = observed.get(int(str(origin)), np.nan)
            years = [int(str(origin)), *group["year"]]
            path = np.column_stack([years, np.r_[start, group["median"]] / divisor])
            lines.append(path[~np.isnan(path).any(axis=1)])
            ends.append(path[-1])
        axes.add_collection(LineCollection(lines, colors=ACCENT, linewidths=0.9, zorder=2))
        axes.plot(*np.transpose(ends), ".", ms=3.5, color=ACCENT)
        first = max(view.start(), int(rows["origin"].min()) - 2)
        shown = series.years >= first
        axes.plot(series.years[shown], series.values[shown] / divisor, color=INK, lw=1.8)
        if series.signed:
            axes.axhline(0, color=MUTED, lw=0.8)
        last = max(int(rows["year"].max()), series.origin)
        axes.set_xlim(first - 0.5, last + 0.5)
        svg.years(axes, first, last, per_year=series.season)
        svg.numbers(axes, words)
        svg.unit(axes, divisor, words, view.counted, series.frequency)
        return to_svg(figure, name, charts.heading(view, words), described(rows, words))


def described(rows: pd.DataFrame, words: Language) -> str:
    """Say how many past forecasts a chart shows and how many of them held.

    Parameters
    ----------
    rows : DataFrame
        Scored rows of one model and series: ``origin`` and ``inside_80``; at least one.
    words : Language
        Language of the sentence.

    Returns
    -------
    str
    """
    return words.say(
        "Past forecasts: {count}, from {first} to {last}; in the 80\u202f% interval: {inside}.",
        count=words.persons(len(rows)),
        first=words.period(int(rows["origin"].min())),
        last=words.period(int(rows["origin"].max())),
        inside=words.persons(int(rows["inside_80"].sum())),
    )


#: How pale the shortest distance is drawn; the longest is drawn full.
_PALE = 0.3


def reliability(calibration: pd.DataFrame, words: Language) -> str:
    """Draw the share of figures inside against the probability promised, by distance.

    Parameters
    ----------
    calibration : DataFrame
        Rows of one model from ``Track.calibration``: ``horizon, level, coverage``.

    Raises
    ------
    ForecastError
        If there is no row to draw.
    """
    if calibration.empty:
        raise ForecastError("no past forecast was scored; the reliability chart would be empty.")
    text = 13.0
    with drawing("reliability", text):
        figure, axes = svg.canvas(
            440, 260, left=4 * text, right=2 * text, top=2.2 * text, bottom=3.6 * text
        )
        axes.plot([0, 1], [0, 1], color=MUTED, lw=0.9, ls=(0, (4, 2)))
        shares = by_horizon(calibration)
        for position, levels in enumerate(shares.values()):
            dark = _PALE + (1 - _PALE) * (position + 1) / len(shares)
            at = [0.0, *levels, 1.0]
            axes.plot(at, [0.0, *levels.values(), 1.0], color=ACCENT, lw=1.6, alpha=dark)
            axes.plot(list(levels), list(levels.values()), "o", ms=5, color=ACCENT, alpha=dark)
        axes.set_xlim(0, 1.02)
        axes.set_ylim(0, 1.02)
        ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
        percents = [words.share(tick) for tick in ticks]
        svg.rules(axes, "y", ticks)
        svg.label(axes, "left", ticks, percents)
        svg.ground(axes, ticks)
        svg.label(axes, "bottom", ticks, percents)
        axes.annotate(
            words.say("promised"), (0.5, 0), xycoords="axes fraction", xytext=(0, -2 * text),
            textcoords="offset points", ha="center", va="top", color=INK,
        )  # fmt: skip
        svg.corner(axes, words.say("held"), INK)
        return to_svg(
            figure, "reliability", words.say("Reliability of past intervals"),
            reliability_in_words(calibration, words),
        )  # fmt: skip


def reliability_in_words(calibration: pd.DataFrame, words: Language) -> str:
    """Give every number of the chart.

    Parameters
    ----------
    calibration : DataFrame
        Rows of one model from ``Track.calibration``: ``horizon, level, coverage``.
    words : Language
        Language of the sentences.

    Returns
    -------
    str
        A sentence for each horizon.
    """
    sentences = []
    for horizon, levels in by_horizon(calibration).items():
        shares = ", ".join(_held(level, share, words) for level, share in levels.items())
        sentences.append(
            words.count("{n} year ahead: {told}.", "{n} years ahead: {told}.", horizon, told=shares)
            if words.frequency == "year"
            else f"{ahead([horizon], words)}: {shares}."
        )
    return " ".join(sentences)


def _held(level: float, share: float, words: Language) -> str:
    return words.say(
        "{held} in the {promised} interval", held=words.share(share), promised=words.share(level)
    )


def by_horizon(calibration: pd.DataFrame) -> Mapping[int, Mapping[float, float]]:
    """Return the share held by horizon and promised level."""
    found: dict[int, dict[float, float]] = {}
    for row in calibration.sort_values(["horizon", "level"]).to_dict("records"):
        found.setdefault(int(row["horizon"]), {})[float(row["level"])] = float(row["coverage"])
    return found


def figures(calibration: pd.DataFrame, words: Language) -> Sequence[dict[str, str]]:
    """Return the chart with what stands around it; nothing without scores.

    Parameters
    ----------
    calibration : DataFrame
        Rows of one model from ``Track.calibration``: ``horizon, level, coverage``.
    words : Language
        Language of title, caption and chart.

    Returns
    -------
    sequence of dict
        At most one: ``title, source, svg, caption``, for the template.
    """
    if calibration.empty:
        return []
    from markupsafe import Markup

    return [
        {
            "title": words.say("Reliability of past intervals"),
            "source": "",
            "svg": Markup(reliability(calibration, words)),  # noqa: S704  escaped where it is drawn
            "caption": words.say(
                "Paler lines: fewer years ahead. On the dashed line intervals hold as often as "
                "they promise; below it they are too narrow, above it too wide."
            ),
        }
    ]
