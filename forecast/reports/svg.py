"""From a matplotlib figure to a small SVG that lives inside a page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING

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
    "#b35900": "var(--mark)",
    "#fefefe": "var(--paper)",
}
INK, MUTED, RULE, ACCENT, BAND_50, BAND_80, BAND_95, MARK, PAPER = COLOURS
STYLE = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.unicode_minus": True,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 3.0,
    "ytick.major.size": 0.0,
    "path.simplify": False,
}


@contextmanager
def drawing(identity: str) -> Iterator[None]:
    """Apply the style of the report while a figure is made and written."""
    from matplotlib import rc_context

    with rc_context({**STYLE, "svg.hashsalt": identity}):
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
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    target = io.StringIO()
    empty = {"Date": None, "Creator": None, "Format": None, "Type": None}
    FigureCanvasSVG(figure).print_svg(target, metadata=empty)
    text = target.getvalue()
    if "<path" not in text and "<use" not in text:
        raise ForecastError(f"chart {identity} is empty; nothing was drawn.")
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', text))
    text = re.sub(
        r' id="([^"]+)"',
        lambda found: f' id="{identity}-{found[1]}"' if found[1] in used else "",
        text,
    )
    text = re.sub(r'(url\(#|href="#)', rf"\g<1>{identity}-", text)
    for drawn, variable in COLOURS.items():
        text = text.replace(drawn, variable)
    text = re.sub(r"font: ([\d.]+)px [^;\"]+", r"font-size: \1px", text)
    text = re.sub(r"-?\d+\.\d{2,}", lambda found: f"{float(found[0]):.1f}", text)
    text = re.sub(r"\n\s*", "\n", text)
    width, height = (72 * size for size in figure.get_size_inches())
    opening = (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-labelledby="{identity}-t {identity}-d" xmlns:xlink="http://www.w3.org/1999/xlink">\n'
        f'<title id="{identity}-t">{escape(title)}</title>\n'
        f'<desc id="{identity}-d">{escape(description)}</desc>'
    )
    return re.sub(r"<svg[^>]*>", lambda _: opening, text, count=1).strip()
