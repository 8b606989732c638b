"""The hedgehog chart: every past forecast of a series over what came."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.language import Language
from forecast.reports import charts, frame
from forecast.reports.series_view import FIRST_YEAR, Subject, identity
from forecast.reports.svg import ACCENT, INK, MUTED, drawing, to_svg


def hedgehog(subject: Subject, rows: pd.DataFrame, words: Language) -> str:
    """Draw the medians of past forecasts, one line from each origin, over the observed series.

    Parameters
    ----------
    subject : Subject
    rows : DataFrame
        Scored rows of one model and this series: ``origin, year, median, inside_80``.
    words : Language

    Returns
    -------
    str
        SVG text.
    """
    from matplotlib.collections import LineCollection

    name = identity("hedgehog", *subject.key)
    series = subject.series
    observed = dict(zip(series.years.tolist(), series.values.tolist()))
    text = 13.0
    with drawing(name, text):
        figure, axes = frame.canvas(
            440, 230, left=4 * text, right=text, top=2 * text, bottom=2.2 * text
        )
        divisor = frame.divisor(series.values, rows["median"].to_numpy(dtype=float))
        lines, ends = [], []
        for origin, group in rows.sort_values("year").groupby("origin"):
            start = observed.get(int(str(origin)), np.nan)
            years = [int(str(origin)), *group["year"]]
            path = np.column_stack([years, np.r_[start, group["median"]] / divisor])
            lines.append(path[~np.isnan(path).any(axis=1)])
            ends.append(path[-1])
        axes.add_collection(LineCollection(lines, colors=ACCENT, linewidths=0.9, zorder=2))
        axes.plot(*np.transpose(ends), ".", ms=3.5, color=ACCENT)
        first = max(FIRST_YEAR, int(rows["origin"].min()) - 2)
        shown = series.years >= first
        axes.plot(series.years[shown], series.values[shown] / divisor, color=INK, lw=1.8)
        if series.signed:
            axes.axhline(0, color=MUTED, lw=0.8)
        last = max(int(rows["year"].max()), series.origin)
        axes.set_xlim(first - 0.5, last + 0.5)
        frame.years(axes, first, last)
        frame.numbers(axes, words)
        frame.unit(axes, divisor, words)
        return to_svg(figure, name, charts.heading(subject, words), described(rows, words))


def described(rows: pd.DataFrame, words: Language) -> str:
    """Say how many past forecasts a chart shows and how many of them held."""
    return words.say(
        "Past forecasts: {count}, from {first} to {last}; in the 80\u202f% interval: {inside}.",
        count=words.persons(len(rows)),
        first=int(rows["origin"].min()),
        last=int(rows["origin"].max()),
        inside=words.persons(int(rows["inside_80"].sum())),
    )
