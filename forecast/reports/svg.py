"""From a matplotlib figure to a small SVG that lives inside a page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

from forecast.errors import ForecastError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
    text = re.sub(r"-?\d+\.\d{2,}", lambda found: _short(float(found[0])), text)
    text = re.sub(r"\n\s*", "\n", text)
    return re.sub(r"<g>\s*</g>\s*|<defs>\s*</defs>\s*", "", text)


def _font(found: re.Match[str]) -> str:
    weight = f"font-weight: {found[1]}; " if found[1] else ""
    return f"{weight}font-size: {found[2]}px"


def _short(number: float) -> str:
    """Write a coordinate to a tenth of a pixel."""
    said = f"{number:.1f}".removesuffix(".0")
    return "0" if said == "-0" else said
