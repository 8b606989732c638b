"""What plots and tables of a notebook share: the style of the report, axes, words and numbers."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast import labels
from forecast.errors import DataError
from forecast.language import language, rounded

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from forecast.outlook import Forecast
    from forecast.series import Series

#: The colours of the report (`forecast/reports/templates/style.css`) on white paper.
INK, MUTED, RULE, ACCENT, WHAT_IF = "#17202a", "#56616c", "#d8dde2", "#0b5394", "#a8480a"
_STYLE: dict[Any, Any] = {
    "font.size": 9.0, "text.color": INK, "text.parse_math": False, "legend.frameon": False,
    "legend.fontsize": 8.0, "svg.fonttype": "none", "svg.hashsalt": "forecast",
}  # fmt: skip
#: Flags of doubted figures, each with a marker of its own.
_DOUBTED = dict(zip((*labels.DOUBTED, "interpolated"), "osD^v", strict=True))
#: Most series of a picture and rows of a table; steps of the past before a forecast.
MOST, PAST = 12, 35


@contextmanager
def canvas(ax: Axes | None, cells: int = 1) -> Iterator[Axes]:
    """Give the axes to draw on, in the style of the report; settings are put back afterwards.

    Axes of a new figure, made for so many `small` axes, show themselves at the end of a notebook's
    cell; pyplot, which keeps every figure until it is closed, does not know of it.
    """
    from matplotlib.axes import Axes as Kind
    from matplotlib.figure import Figure

    if ax is not None and not isinstance(ax, Kind):
        raise DataError(f"ax is {ax!r:.80}; give one matplotlib Axes, as plt.subplots() returns.")
    with _style():
        if ax is None:
            size = (7.2, 3.9) if cells < 3 else (8.6, 1.0 + 1.7 * -(-cells // 3))
            figure = Figure(figsize=size, dpi=110, layout="constrained")
            ax = figure.add_subplot()
            vars(ax)["_repr_png_"] = partial(_png, figure)
        yield _plain(ax)


@contextmanager
def _style() -> Iterator[None]:
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def _png(figure: Figure) -> bytes:
    target = io.BytesIO()
    figure.savefig(target, format="png", bbox_inches="tight")
    return target.getvalue()


def write_svg(axes: Axes, path: Path) -> None:
    """Write the figure of axes, the same text for the same figure."""
    with _style():
        axes.figure.savefig(path, format="svg", metadata={"Date": None})  # type: ignore[union-attr]


def _plain(axes: Axes) -> Axes:
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(MUTED)
    axes.tick_params(colors=MUTED, labelsize=8)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color=RULE, lw=0.7)
    axes.set_axisbelow(True)
    return axes


def small(axes: Axes, titles: Sequence[str]) -> list[Axes]:
    """Divide axes into small ones with titles; one alone is the axes themselves."""
    if len(titles) == 1:
        return [axes]
    axes.set_axis_off()
    across = 2 if len(titles) in (2, 4) else 3
    down, made = -(-len(titles) // across), []
    for position, text in enumerate(titles):
        row, column = divmod(position, across)
        left, bottom = (column + 0.16) / across, 1 - (row + 0.84) / down
        made.append(_plain(axes.inset_axes((left, bottom, 0.8 / across, 0.64 / down))))
        text = textwrap.shorten(text, 120 // across, placeholder=" …")
        made[-1].set_title(text, loc="left", fontsize=8)
    return made


def title(axes: Axes, text: str, note: str) -> None:
    """Write a title and a smaller note under it, as many lines as the width needs."""
    width = axes.bbox.width / axes.figure.dpi * 72
    lines = textwrap.wrap(note, max(20, int(width / 4.1)), max_lines=3, placeholder=" …")
    axes.set_title(
        textwrap.fill(text, max(20, int(width / 6.0)), max_lines=3, placeholder=" …"),
        loc="left", pad=8 + 10.5 * len(lines), fontsize=10.5, weight="bold", color=INK,
    )  # fmt: skip
    axes.annotate(
        "\n".join(lines), (0, 1), xycoords="axes fraction", xytext=(0, 6), va="bottom",
        textcoords="offset points", fontsize=8, color=MUTED, annotation_clip=False,
    )  # fmt: skip


def legend(axes: Axes, below: float = 22.0) -> None:
    """Write the legend so many points under the axes, where it hides no figure."""
    from matplotlib.transforms import ScaledTranslation

    down = ScaledTranslation(0, -below / 72, axes.figure.dpi_scale_trans)
    axes.legend(
        loc="upper left", bbox_to_anchor=(0, 0), bbox_transform=axes.transAxes + down, ncols=5,
        borderaxespad=0, borderpad=0, handlelength=1.6, columnspacing=1.4,
    )  # fmt: skip


def finish(axes: Axes, signed: bool, step: int) -> None:
    """Write years, persons, the unit and the legend around axes."""
    axes.set_ylabel(unit(step), color=MUTED)
    numbers(axes, signed)
    legend(axes)


def numbers(axes: Axes, signed: bool, most: int = 9) -> None:
    """Write whole years and persons along the axes; draw a line at zero, or begin there."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    axes.xaxis.set_major_locator(MaxNLocator(most, integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    axes.yaxis.set_major_locator(MaxNLocator(min(6, most), integer=True, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
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
    """
    from matplotlib.colors import to_rgb

    from forecast.draw_tables import level as probability

    for level in sorted(map(probability, np.atleast_1d(levels).tolist()), reverse=True):
        # The same level has the same tint in every plot, that of the report for 50, 80 and 95 %.
        share = min(max(1.08 - 0.96 * level, 0.1), 0.7)
        tint = tuple(1 - share * (1 - part) for part in to_rgb(colour))
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
        axes.fill_between(
            years, low, high, color=tint, lw=0, alpha=0.6 if over else 1, zorder=2,
            label=None if over else f"{100 * level:g} %",
        )  # fmt: skip
    axes.plot(years, np.median(drawn, axis=0), color=colour, lw=1.6, label=name, zorder=3)


def past(axes: Axes, series: Series, steps: int = PAST) -> None:
    """Draw the last observed figures; doubted ones have a hollow marker."""
    years, values = series.years[-steps:], series.values[-steps:]
    axes.plot(years, values, color=INK, lw=1.4, marker=".", ms=3, label="observed", zorder=3)
    for flag, marker in _DOUBTED.items():
        at = series.flagged(flag)[-steps:] & ~np.isnan(values)
        if at.any():
            axes.plot(
                years[at], values[at], marker, ms=5, mfc="white", mec=INK, mew=1, label=flag, zorder=4
            )  # fmt: skip
    new = years[series.flagged("break")[-steps:]]
    empty = years[np.logical_or.reduce([series.flagged(f)[-steps:] for f in labels.MISSING])]
    for year in new:
        name = "new level" if year == new[0] else None
        axes.axvline(year - 0.5, color=INK, lw=1.2, ls=":", label=name)
    for year in empty:
        name = "left empty" if year == empty[0] else None
        axes.axvspan(year - 0.5, year + 0.5, color=RULE, alpha=0.6, lw=0, zorder=0, label=name)


def words(key: Sequence[str]) -> tuple[str, str, str]:
    """Return place, measure and source of a key (source, location, measure) in words."""
    source, place, measure = key
    english = language("en")
    said = labels.source(source, english)
    named = said if said == source else f"{said} ({source})"
    return labels.place(place, english), labels.measure(measure, english), named


def heading(key: Sequence[str]) -> str:
    """Return place, measure and source of a series, as a title."""
    place, measure, source = words(key)
    return f"{place}: {measure}, {source}"


def called(outlook: Forecast) -> str:
    """Return the name of the model, and what its draws take for given."""
    from forecast.draw_tables import MARKS

    given = [f", {mark} {value}" for mark, value in outlook.paths.attrs.items() if mark in MARKS]
    return f"Model {outlook.model}{''.join(given)}{'; no forecast' if given else ''}"


def between(middle: float, low: float, high: float) -> str:
    """Write a median and its range with three digits, as tables of the report do."""
    said = (language("en").persons(rounded(float(value), 3)) for value in (middle, low, high))
    return "observed" if np.isnan(middle) else "{} ({} to {})".format(*said)


def unit(step: int) -> str:
    """Return what figures of a panel count."""
    return "persons a year" if step == 1 else f"persons in {step} years"


def html(
    name: str, facts: str, heads: Sequence[str], rows: Sequence[Sequence[str]], of: int
) -> str:
    """Return the first rows of a table for a notebook, under what it is; every text is escaped."""

    def line(tag: str, texts: Sequence[str]) -> str:
        said = (f"<{tag} style='text-align: left'>{escape(text)}</{tag}>" for text in texts)
        return f"<tr>{''.join(said)}</tr>"

    body = "".join(line("td", texts) for texts in rows)
    more = f"<p>… and {of - len(rows):,} more</p>" if of > len(rows) else ""
    table = f"<table><thead>{line('th', heads)}</thead><tbody>{body}</tbody></table>"
    return f"<div><p><b>{escape(name)}</b> {escape(facts)}</p>{table}{more}</div>"
