"""A drawing on the page: the canvas, gridlines, numbers, years and unit; written as a small SVG."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from forecast.errors import ForecastError
from forecast.language import Language, message

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from forecast.measures import Measure

#: Colours as drawn, and the style-sheet variables that take their place, so that one
#: drawing serves light, dark and print.
COLOURS = {
    "#101010": "var(--ink)",
    "#606060": "var(--muted)",
    "#d0d0d0": "var(--rule)",
    "#0a5ca8": "var(--accent)",
    "#0a5ca3": "var(--band-50)",
    "#0a5ca2": "var(--band-80)",
    "#0a5ca1": "var(--band-95)",
    "#e0e0e0": "var(--wash)",
    "#fefefe": "var(--paper)",
    "#b3560f": "var(--what-if)",
}
INK, MUTED, RULE, ACCENT, BAND_50, BAND_80, BAND_95, WASH, PAPER, WHAT_IF = COLOURS
#: Text size in the units of the drawing, which are pixels at full size.
TEXT = 11.0
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "figure.facecolor": "none",
    "figure.dpi": 72.0,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 3.0,
    "xtick.major.pad": 5.0,
    "ytick.major.size": 0.0,
    "ytick.major.pad": 4.0,
    "path.simplify": False,
}


@contextmanager
def drawing(identity: str, text: float = TEXT) -> Iterator[None]:
    """Apply the style of the report while a figure is made and written.

    Parameters
    ----------
    identity : str
        What makes the ids of this drawing its own.
    text : float
        Size of the text, in the units of the drawing.
    """
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**STYLE, "font.size": text, "svg.hashsalt": identity})
        yield


def to_svg(figure: Figure, identity: str, title: str, description: str) -> str:
    """Write a figure as SVG text for inlining, the same bytes for the same figure.

    Parameters
    ----------
    figure : matplotlib Figure
        Drawn inside `drawing`, in the colours of `COLOURS`.
    identity : str
        Letters, digits and hyphens; unique on the page.
    title, description : str
        For readers who cannot see the chart.

    Raises
    ------
    ForecastError
        If nothing was drawn.
    """
    if not any(axes.has_data() for axes in figure.axes):
        raise ForecastError(f"chart {identity} is empty; nothing was drawn.")
    target = io.StringIO()
    empty = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(target, format="svg", metadata=empty)
    width, height = (72 * size for size in figure.get_size_inches())
    opening = (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-labelledby="{identity}-t {identity}-d" xmlns:xlink="http://www.w3.org/1999/xlink">\n'
        f'<title id="{identity}-t">{escape(title)}</title>\n'
        f'<desc id="{identity}-d">{escape(description)}</desc>'
    )
    body = _slim(target.getvalue(), identity)
    return re.sub(r"<svg[^>]*>", lambda _: opening, body, count=1).strip()


def _slim(text: str, identity: str) -> str:
    """Keep of matplotlib's SVG what an inline drawing needs, with ids of its own."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'<style type="text/css">.*?</style>', "", text, flags=re.DOTALL)
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', text))
    names = {name: f"{identity}-{number}" for number, name in enumerate(sorted(used))}
    text = re.sub(
        r' id="([^"]+)"',
        lambda found: f' id="{names[found[1]]}"' if found[1] in names else "",
        text,
    )
    text = re.sub(r'(url\(#|href="#)([^)"]+)', lambda found: found[1] + names[found[2]], text)
    for drawn, variable in COLOURS.items():
        text = text.replace(drawn, variable)
    text = re.sub(r"font: (?:(bold|\d+) )?([\d.]+)px [^;\"]+", _font, text)
    text = re.sub(r"font-family: [^;\"]+;? ?", "", text)
    text = re.sub(r' transform="rotate\(-0 [^)]*\)"', "", text)
    # Coordinates, not the numbers that readers see.
    text = re.sub(r"<[^>]*>", lambda tag: re.sub(r"-?\d+\.\d{2,}", _shortened, tag[0]), text)
    text = re.sub(r"\n\s*", "\n", text)
    return re.sub(r"<g>\s*</g>\s*|<defs>\s*</defs>\s*", "", text)


def _font(found: re.Match[str]) -> str:
    weight = f"font-weight: {found[1]}; " if found[1] else ""
    return f"{weight}font-size: {found[2]}px"


def _shortened(found: re.Match[str]) -> str:
    return _short(float(found[0]))


def _short(number: float) -> str:
    """Write a coordinate to a tenth of a pixel."""
    text = f"{number:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


Side = Literal["left", "bottom", "top"]
#: From this size on a chart is read in thousands.
THOUSANDS = 10_000
#: Steps between gridlines, times a power of ten.
_STEPS = (1, 2, 2.5, 5, 10)
#: Longest span in years that is labelled every five years rather than every ten, and every one.
_FIVES, _ONES = 22, 9
_TICK, _PAD = 3.0, 5.0


def canvas(
    width: float, height: float, *, left: float, right: float, top: float, bottom: float
) -> tuple[Figure, Axes]:
    """Return a figure with one pair of bare axes, margins in pixels.

    Parameters
    ----------
    width, height : float
        Of the drawing, in pixels at full size.
    left, right, top, bottom : float
        Margins around the axes, in pixels.

    Returns
    -------
    (Figure, Axes)
        Without spines, ticks or labels: those are drawn by the functions here.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 72, height / 72))
    axes = figure.add_axes(
        (left / width, bottom / height, 1 - (left + right) / width, 1 - (top + bottom) / height)
    )
    axes.set_axis_off()
    return figure, axes


def label(
    axes: Axes, side: Side, at: Sequence[float], texts: Sequence[str], colour: str = MUTED
) -> None:
    """Write texts beside the axes, at positions in the units of the data.

    Texts on top stand upright, read from below.

    Parameters
    ----------
    axes : matplotlib Axes
        Its limits have to be what they will stay.
    side : {"left", "bottom", "top"}
        Where the texts stand.
    at : sequence of float, shape (n,)
        Positions along that side.
    texts : sequence of str, shape (n,)
        Escaped when the drawing is written.
    colour : str
        One of `COLOURS`.
    """
    from matplotlib.transforms import ScaledTranslation

    along_y = side == "left"
    shift = {"left": (-_PAD, 0.0), "bottom": (0.0, -_PAD - _TICK), "top": (0.0, _PAD)}[side]
    figure = axes.get_figure()
    if figure is None:
        raise ValueError("the axes belong to no figure")
    moved = ScaledTranslation(shift[0] / 72, shift[1] / 72, figure.dpi_scale_trans)
    where = (axes.get_yaxis_transform() if along_y else axes.get_xaxis_transform()) + moved
    for position, text in zip(at, texts):
        axes.text(
            0.0 if along_y else position,
            position if along_y else float(side == "top"),
            text,
            transform=where,
            color=colour,
            ha="right" if along_y else "center",
            va={"left": "center", "bottom": "top", "top": "bottom"}[side],
            rotation=90 if side == "top" else 0,
        )


def rules(axes: Axes, across: Literal["x", "y"], at: Sequence[float]) -> None:
    """Draw pale lines over the whole axes, under everything else.

    Parameters
    ----------
    axes : matplotlib Axes
        Its limits have to be what they will stay.
    across : {"x", "y"}
        The axis that the lines cross: ``y`` for level ones.
    at : sequence of float
        Positions on that axis.
    """
    if across == "y":
        segments = [((0.0, position), (1.0, position)) for position in at]
        where = axes.get_yaxis_transform()
    else:
        segments = [((position, 0.0), (position, 1.0)) for position in at]
        where = axes.get_xaxis_transform()
    _lines(axes, segments, where, RULE, 0.7, zorder=0.5)


def numbers(axes: Axes, words: Language, along: Literal["x", "y"] = "y", *, most: int = 5) -> None:
    """Draw gridlines at round numbers, about `most`, and write these as the language does.

    The limits of the axes are what they are at this moment, and stay so.

    Parameters
    ----------
    axes : matplotlib Axes
        With everything drawn, in the unit that is to be written.
    words : Language
        How numbers are written.
    along : {"x", "y"}
        Which axis; along ``x`` the lower edge is drawn too.
    most : int
        About how many numbers.
    """
    from matplotlib.ticker import MaxNLocator

    low, high = axes.get_ylim() if along == "y" else axes.get_xlim()
    (axes.set_ylim if along == "y" else axes.set_xlim)(low, high)
    given = MaxNLocator(nbins=most, steps=_STEPS).tick_values(low, high)
    at = [float(value) for value in given if low <= value <= high]
    rules(axes, along, at)
    texts = [words.persons(v) if v == round(v) else words.decimal(v) for v in at]
    label(axes, "left" if along == "y" else "bottom", at, texts)
    if along == "x":
        ground(axes, at)


def years(
    axes: Axes, first: int, last: int, at: Sequence[int] | None = None, per_year: int = 1
) -> None:
    """Draw the ground line with years under it.

    Parameters
    ----------
    axes : Axes
        With its limits along the years set.
    first, last : int
        First and last year shown.
    at : sequence of int, optional
        Which years to write; every tenth, fifth or single one without it.
    per_year : int
        Periods in a year, in whose numbers the axis counts; years stand where they begin.
    """
    span = (last - first) // per_year
    step = 10 if span > _FIVES else 5 if span > _ONES else max(1, span // 4)
    starts = range(-(-first // per_year), last // per_year + 1)
    shown = [year for year in starts if year % step == 0] if at is None else at
    ground(axes, [year * per_year for year in shown])
    label(axes, "bottom", [year * per_year for year in shown], [str(year) for year in shown])


def ground(axes: Axes, at: Sequence[float] = ()) -> None:
    """Draw the lower edge of the axes with ticks at positions of the data.

    Parameters
    ----------
    axes : matplotlib Axes
        Its limits have to be what they will stay.
    at : sequence of float
        Where ticks stand.
    """
    height = axes.bbox.height
    left, right = axes.get_xlim()
    ticks = [((position, 0.0), (position, -_TICK / height)) for position in at]
    segments = [((left, 0.0), (right, 0.0)), *ticks]
    _lines(axes, segments, axes.get_xaxis_transform(), MUTED, 0.8, zorder=2.5)


def unit(
    axes: Axes,
    divisor: int,
    words: Language,
    counted: Measure | None = None,
    frequency: str = "year",
) -> None:
    """Write what the numbers count into the upper left corner.

    Parameters
    ----------
    axes : matplotlib Axes
        Of the drawing.
    divisor : int
        By which the figures were divided, see `divisor`.
    words : Language
        Language of the unit.
    counted : Measure, optional
        What is counted; persons without it.
    frequency : str
        What a period is.
    """
    each = words.say("thousand persons a year") if divisor > 1 else words.say("persons a year")
    if counted is not None and counted.each(words, frequency) != words.say("persons a year"):
        each = counted.each(words, frequency)
        if divisor > 1:
            size = message("million {unit}") if divisor > 1000 else message("thousand {unit}")
            each = words.say(size, unit=each)
    corner(axes, each)


def corner(axes: Axes, text: str, colour: str = MUTED) -> None:
    """Write a text into the upper left corner of the figure.

    Parameters
    ----------
    axes : matplotlib Axes
        Of the figure.
    text : str
        Escaped when the drawing is written.
    colour : str
        One of `COLOURS`.
    """
    axes.annotate(
        text, (0, 1), xycoords="figure fraction", xytext=(4, -4), textcoords="offset points",
        va="top", color=colour,
    )  # fmt: skip


def divisor(*values: float | np.ndarray, amount: bool = False) -> int:
    """Return 1000 if a chart of these persons is better read in thousands, of amounts 1000000.

    Parameters
    ----------
    *values : float or ndarray
        All that the chart shows; NaN does not count.
    amount : bool
        Whether they are sums of money rather than persons.

    Returns
    -------
    int
        1, 1000 or (of amounts) 1000000.
    """
    largest = max(float(np.nanmax(np.abs(value), initial=0.0)) for value in values)
    if amount and largest >= 1000 * THOUSANDS:
        return 1_000_000
    return 1000 if largest >= THOUSANDS else 1


def _lines(
    axes: Axes, segments: Sequence[object], where: object, colour: str, width: float, zorder: float
) -> None:
    from matplotlib.collections import LineCollection

    lines = LineCollection(segments, colors=colour, linewidths=width, zorder=zorder, clip_on=False)  # type: ignore[arg-type]
    lines.set_transform(where)  # type: ignore[arg-type]
    axes.add_collection(lines, autolim=False)
