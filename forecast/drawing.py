"""What plots and tables of a notebook share: the style of the report, axes, words and numbers."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from forecast import draw_tables, labels, measures, periods
from forecast.errors import DataError
from forecast.language import language, plain
from forecast.series_key import KEY, find_series
from forecast.validation import MEASURES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from forecast.outlook import Forecast
    from forecast.series import Series
    from forecast.series_key import SeriesKey

#: The colours of the report (`forecast/reports/templates/style.css`) on white paper.
INK, MUTED, RULE, ACCENT, WHAT_IF = "#17202a", "#56616c", "#d8dde2", "#0b5394", "#a8480a"
_STYLE: dict[Any, Any] = {
    "font.size": 9.0, "text.color": INK, "text.parse_math": False,
    "legend.frameon": False, "legend.fontsize": 8.0, "svg.fonttype": "none",
    "svg.hashsalt": "forecast",
}  # fmt: skip
#: Part of the variance -> words and colour, in the order in which they are stacked.
PARTS = {
    "shocks": ("shocks to come", "#4c78a8"),
    "parameters": ("uncertain parameters", "#72b7b2"),
    "disagreement": ("models disagree", "#f58518"),
    "unsplit": ("shocks and parameters, not told apart", "#9d9da1"),
    "calibration": ("calibration by past errors", "#b279a2"),
    "revisions": ("figures will be revised", "#e7c03c"),
    "accounts": ("accounts have to add up", "#54a24b"),
}
#: Flags of doubted figures, each with a marker of its own.
_DOUBTED = dict(zip((*labels.DOUBTED, "interpolated"), "osD^v", strict=True))
#: Most series of a picture and rows of a table, target years whose figures are written, steps of
#: the past before a forecast.
MOST, YEARS, PAST = 12, 5, 25


@contextmanager
def canvas(ax: Axes | None, cells: int = 1) -> Iterator[Axes]:
    """Give the axes to draw on, in the style of the report; settings are put back afterwards.

    Axes of a new figure, made for so many `small` axes, show themselves at the end of a notebook's
    cell; pyplot, which keeps every figure until it is closed, does not know of it.

    Parameters
    ----------
    ax : matplotlib Axes, optional
        Where the caller wants the plot; a new figure without it.
    cells : int
        How many small axes a new figure has to hold, three in a row.

    Yields
    ------
    matplotlib Axes
        With no spine but the lower one, and a grid across.

    Raises
    ------
    DataError
        If `ax` is something else, such as the array of axes of `plt.subplots`.
    """
    from matplotlib import style
    from matplotlib.axes import Axes as Kind
    from matplotlib.figure import Figure

    if ax is not None and not isinstance(ax, Kind):
        raise DataError(f"ax is {ax!r:.80}; give one matplotlib Axes, as plt.subplots() returns.")
    with style.context(["default", _STYLE]):
        if ax is None:
            size = (7.2, 3.9) if cells < 2 else (8.6, 1.0 + 1.7 * -(-cells // 3))
            figure = Figure(figsize=size, dpi=110, layout="constrained")
            ax = figure.add_subplot()
            vars(ax)["_repr_png_"] = partial(_png, figure)
        yield _plain(ax)


def _png(figure: Figure) -> bytes:
    figure.savefig(target := io.BytesIO(), format="png", bbox_inches="tight")
    return target.getvalue()


def write_svg(axes: Axes, path: Path) -> None:
    """Write the figure of axes, the same text for the same figure.

    Parameters
    ----------
    axes : matplotlib Axes
        Of the figure; all its axes are written.
    path : Path
        The file; one that is there is overwritten.
    """
    from matplotlib import style

    with style.context(["default", _STYLE]):
        axes.figure.savefig(path, format="svg", metadata={"Date": None})  # type: ignore[union-attr]


def _plain(axes: Axes) -> Axes:
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(MUTED)
    axes.tick_params(colors=MUTED, labelsize=8)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(color=MUTED, size=9)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color=RULE, lw=0.7)
    axes.set_axisbelow(True)
    return axes


def small(axes: Axes, titles: Sequence[str]) -> list[Axes]:
    """Divide axes into small ones with titles; one alone is the axes themselves.

    Parameters
    ----------
    axes : matplotlib Axes
        Blank ones, which lose their frame where they are divided.
    titles : sequence of str, shape (n,)
        One for each part, cut to its width; a single title is not written.

    Returns
    -------
    list of matplotlib Axes, shape (n,)
        Three in a row, of two or four parts two.
    """
    if len(titles) == 1:
        return [axes]
    axes.set_axis_off()
    across = 2 if len(titles) in (2, 4) else 3
    down, made = -(-len(titles) // across), []
    for position, text in enumerate(titles):
        row, column = divmod(position, across)
        left, bottom = (column + 0.2) / across, 1 - (row + 0.84) / down
        made.append(_plain(axes.inset_axes((left, bottom, 0.76 / across, 0.64 / down))))
        text = textwrap.shorten(text, int(_width(made[-1]) / 3.9), placeholder=" …")
        made[-1].set_title(text, loc="left", fontsize=8)
    return made


def _width(axes: Axes) -> float:
    return float(axes.bbox.width / axes.figure.dpi * 72)


def title(axes: Axes, text: str, note: str) -> None:
    """Write a title and a smaller note under it, as many lines as the width needs.

    Parameters
    ----------
    axes : matplotlib Axes
        Where it is written, above the frame; the width decides how lines break.
    text, note : str
        Title in bold, and what is smaller under it; at most three lines each, the rest is cut.
    """
    width = max(_width(axes), 120)
    rules: dict[str, Any] = {"max_lines": 3, "placeholder": " …", "break_on_hyphens": False}
    lines = textwrap.wrap(note, int(width / 4.1), **rules)
    axes.set_title(
        textwrap.fill(text, int(width / 6.0), **rules),
        loc="left", pad=8 + 10.5 * len(lines), fontsize=10.5, weight="bold", color=INK,
    )  # fmt: skip
    axes.annotate(
        "\n".join(lines), (0, 1), xycoords="axes fraction", xytext=(0, 6), va="bottom",
        textcoords="offset points", fontsize=8, color=MUTED, annotation_clip=False,
    )  # fmt: skip


def legend(axes: Axes, below: float = 22.0) -> None:
    """Write the legend so many points under the axes, where it hides no figure.

    Parameters
    ----------
    axes : matplotlib Axes
        Whose artists with a label are named, in as many columns as fit.
    below : float
        Points between the lower edge of the axes and the legend.
    """
    from matplotlib.transforms import ScaledTranslation

    names = axes.get_legend_handles_labels()[1]
    lines = 1 + int(sum(len(name) + 7 for name in names) * 4.0 / _width(axes))
    down = ScaledTranslation(0, -below / 72, axes.figure.dpi_scale_trans)
    axes.legend(
        loc="upper left", bbox_to_anchor=(0, 0), bbox_transform=axes.transAxes + down,
        ncols=-(-len(names) // lines), borderaxespad=0, borderpad=0, handlelength=1.6,
        columnspacing=1.4,
    )  # fmt: skip


def finish(axes: Axes, key: SeriesKey, note: str, step: int, frequency: str = "year") -> None:
    """Write title, years, persons, the unit and the legend around the plot of one series.

    Parameters
    ----------
    axes : matplotlib Axes
        With everything drawn: ticks and columns depend on it.
    key : (source, location, measure)
        Which series; measures without a sign begin at zero.
    note : str
        What stands under the title.
    step : int
        Years per period of the panel, for the unit.
    frequency : str
        What a period of the panel is.
    """
    title(axes, "{}: {}, {}".format(*words(key)), note)
    axes.set_ylabel(unit(step, [key[2]], frequency))
    numbers(axes, MEASURES[key[2]], frequency=frequency)
    legend(axes)


def numbers(axes: Axes, signed: bool, most: int = 9, frequency: str = "year") -> None:
    """Write whole years and persons along the axes; draw a line at zero, or begin there.

    Parameters
    ----------
    axes : matplotlib Axes
        Years across, persons upwards.
    signed : bool
        Whether values may be negative, as of net flows: with a line at zero.
    most : int
        Most ticks across; upwards there are six at the most.
    frequency : str
        What the numbers across count; below those of months and quarters stand their texts.
    """
    from matplotlib.ticker import MaxNLocator, MultipleLocator, StrMethodFormatter

    axes.xaxis.set_major_locator(MaxNLocator(most, integer=True, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    if frequency != "year":
        axes.xaxis.set_major_formatter(lambda at, _: periods.label(round(at), frequency))
        per_year = periods.PER_YEAR[frequency]
        low, high = axes.get_xlim()
        apart = per_year * max(1, -(-int(high - low) // (per_year * min(most, 7))))
        axes.xaxis.set_major_locator(MultipleLocator(apart if high - low > per_year else 1))
    low, high = axes.get_ylim()
    # Rates have decimals, persons none.
    whole = high - low > 1
    axes.yaxis.set_major_locator(MaxNLocator(min(6, most), integer=whole, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(lambda at, _: plain(at))
    axes.margins(x=0.02)
    if signed:
        axes.axhline(0, color=MUTED, lw=0.8, zorder=1)
    else:
        axes.set_ylim(bottom=0)


def bands(
    axes: Axes, years: np.ndarray, drawn: np.ndarray, levels: Sequence[float], name: str = "median",
    colour: str = ACCENT, *, over: bool = False,
) -> None:  # fmt: skip
    """Draw central ranges and the median of draws (draw, year).

    Ranges that lie `over` others let these show through, and are not named in the legend again.

    Parameters
    ----------
    axes : matplotlib Axes
        Years across, persons upwards.
    years : ndarray of int, shape (n_years,)
    drawn : ndarray, shape (n_draws, n_years)
        Persons per calendar year, net inflow positive.
    levels : sequence of float in (0, 1)
        Probability inside each range.
    name : str
        What the median is called in the legend.
    colour : str
        Of the median; ranges are tints of it.
    over : bool
        Whether the ranges lie over others.

    Raises
    ------
    DataError
        If a level is no probability.
    """
    from matplotlib.colors import to_rgb

    for level in sorted(
        map(draw_tables.checked_level, np.atleast_1d(levels).tolist()), reverse=True
    ):
        # The same level has the same tint in every plot, that of the report for 50, 80 and 95 %.
        share = min(max(1.08 - 0.96 * level, 0.1), 0.7)
        tint = tuple(1 - share * (1 - part) for part in to_rgb(colour))
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
        axes.fill_between(
            years, low, high, fc=(tint, 0.5 if over else 1), ec=colour if over else "none", lw=0.8,
            ls="--", label=None if over else f"{100 * level:g} %",
        )  # fmt: skip
    axes.plot(years, np.median(drawn, axis=0), color=colour, lw=1.6, label=name)


def past(axes: Axes, series: Series | None, steps: int = PAST) -> None:
    """Draw the last observed figures; doubted ones have a hollow marker.

    Parameters
    ----------
    axes : matplotlib Axes
        Years across, persons upwards.
    series : Series, optional
        What was observed; nothing is drawn without it.
    steps : int
        How many of its last years (or periods), gaps included.
    """
    if series is None:
        return
    years, values = series.years[-steps:], series.values[-steps:]
    axes.plot(years, values, color=INK, lw=1.4, marker=".", ms=2, label="observed")
    for flag, marker in _DOUBTED.items():
        at = series.flagged(flag)[-steps:] & ~np.isnan(values)
        if at.any():
            axes.plot(years[at], values[at], marker, ms=5, mfc="white", mec=INK, label=flag)
    for number, year in enumerate(years[series.flagged("break")[-steps:]]):
        name = None if number else "new level"
        axes.axvline(year - 0.5, color=INK, lw=1.2, ls=":", label=name)
    empty = np.logical_or.reduce([series.flagged(flag)[-steps:] for flag in labels.MISSING])
    for number, year in enumerate(years[empty]):
        name = None if number else "left empty"
        axes.axvspan(year - 0.5, year + 0.5, color=RULE, alpha=0.6, lw=0, zorder=0, label=name)


def one(
    outlook: Forecast, location: str, measure: str, source: str | None, where: str
) -> tuple[SeriesKey, Series | None, np.ndarray, np.ndarray]:
    """Return key, history, years and draws (draw, year) of one series, from its last figure on.

    Parameters
    ----------
    outlook : Forecast
        Holds the draws, and the history where the figures stand.
    location, measure : str
        Which series; the place by its code or name.
    source : str, optional
        Needed where several sources have the series.
    where : str
        What is searched, for messages, such as ``"this forecast"``.

    Returns
    -------
    key : (source, location, measure)
    series : Series or None
        What was observed; None for a series that follows from others.
    years : ndarray of int, shape (n_years,)
        The year of the last figure, if there is one, and the forecast years.
    drawn : ndarray, shape (n_draws, n_years)
        Persons per calendar year; the last figure is the same in every draw.

    Raises
    ------
    DataError
        If several sources have the series and none is named.
    UnknownNameError
        If the forecast has no such series.
    """
    position = find_series(outlook.series, location, measure, source, where)
    paths = outlook.paths.isel(series=position).transpose("draw", "year")
    drawn, years, key = paths.to_numpy(), paths["year"].to_numpy(), outlook.keys[position]
    ahead, series = ~np.isnan(drawn[0]), outlook.history.find(key)
    drawn, years = drawn[:, ahead], years[ahead]
    if series:
        drawn = np.insert(drawn, 0, series.values[-1], axis=1)
        years = np.insert(years, 0, series.origin)
    return key, series, years, drawn


def words(key: SeriesKey) -> tuple[str, str, str]:
    """Return place, measure and source of a key (source, location, measure) in words."""
    source, place, measure = key
    english = language("en")
    title = labels.source(source, english)
    named = title if title == source else f"{title} ({source})"
    return labels.place(place, english), labels.measure(measure, english), named


def called(outlook: Forecast) -> str:
    """Return the name of the model, and what its draws take for given."""
    about = outlook.paths.attrs.items()
    given = "".join(f", {mark} {name}" for mark, name in about if mark in draw_tables.MARKS)
    return f"Model {outlook.model}{given}{'; no forecast' if given else ''}"


def between(measure: str, middle: float, low: float, high: float) -> str:
    """Write a median and its range with three digits, as tables of the report do.

    Parameters
    ----------
    measure : str
        What is counted.
    middle, low, high : float
        In its unit; NaN where the year is observed.

    Returns
    -------
    str
        ``middle (low to high)``, with spaces at which no line breaks, or ``observed``.
    """
    numbers = (amount(measure, value) for value in (middle, low, high))
    return "observed" if np.isnan(middle) else "{}\xa0({}\xa0to\xa0{})".format(*numbers)


def amount(measure: str, value: float) -> str:
    """Write what a measure counts with three digits.

    Parameters
    ----------
    measure : str
        What is counted.
    value : float
        In its unit.
    """
    return labels.figure(float(value), measure, language("en"), 3).removeprefix("+")


def unit(step: int, names: Iterable[str] = (), frequency: str = "year") -> str:
    """Return what figures of a panel count.

    Parameters
    ----------
    step : int
        Years per row of the panel.
    names : iterable of str
        Its measures; persons without any.
    frequency : str
        What a period of it is.

    Examples
    --------
    >>> unit(1), unit(5), unit(1, ["permit_quota"], "quarter")
    ('persons a year', 'persons in 5 years', 'permits a quarter')
    """
    counted = [measures.find(name) for name in names]
    if step == 1:
        units = [one.each(language("en"), frequency) for one in counted]
    else:
        units = [one.per("year", step).replace(" per ", " in ") for one in counted]
    plain = "persons a year" if step == 1 else f"persons in {step} years"
    return "; ".join(dict.fromkeys(units)) or plain


def html(name: str, facts: str, rows: Sequence[Mapping[str, object]], of: int) -> str:
    """Return the first `MOST` of so many rows as a table of a notebook; every text is escaped.

    Parameters
    ----------
    name : str
        Of the class, in bold.
    facts : str
        What stands behind it: counts and settings.
    rows : sequence of mapping
        Of the table, by heading; not more than `MOST` of them.
    of : int
        How many rows there would be in all.

    Returns
    -------
    str
        HTML.
    """
    table = pd.DataFrame(rows).to_html(index=False, border=0, justify="left")
    table = table.replace("<td>", "<td style='text-align: left; white-space: nowrap'>")
    more = f"<p>… and {of - MOST:,} more</p>" if of > MOST else ""
    return f"<p><b>{escape(name)}</b> {escape(facts)}</p>{table}{more}"


def forecast_html(outlook: Forecast) -> str:
    """Return medians and 80 % ranges of the first series as an HTML table, rounded."""
    keys, horizons = outlook.keys, outlook.horizons
    drawn = outlook.draws.transpose("series", "year", "draw").to_numpy()[:MOST, :YEARS]
    ranges = np.quantile(drawn, [0.5, 0.1, 0.9], axis=-1).transpose(1, 2, 0)
    rows = [
        {"place": words(key)[0], **dict(zip(KEY, key))}
        | {
            periods.label(year, outlook.frequency): between(key[2], *cell)
            for year, cell in zip(horizons, row)
        }
        for key, row in zip(keys, ranges)
    ]
    facts = f"{called(outlook)}; {len(keys)} series, {len(horizons)} target {outlook.frequency}s"
    counted = outlook.history.measures
    cells = unit(outlook.history.step, counted, outlook.frequency)
    cells = f"median (80 % range), {cells}"
    return html("Forecast", f"{facts}; {cells}", rows, len(keys))
