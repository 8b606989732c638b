"""Plot of an event for a notebook: outcomes over the counterfactual."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forecast import drawing
from forecast.drawing import INK, PAST, WHAT_IF
from forecast.language import language

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from forecast.impacts.result import Impact


def impact(result: Impact, *, ax: Axes | None = None) -> Axes:
    """Draw the observed figures in the window of an event over the counterfactual.

    Parameters
    ----------
    result : Impact
        What is drawn; as a method, the result itself.
    ax : matplotlib Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> result = fc.impact(panel, location="KAZ", measure="immigration", start=2022,
    ...                    model="naive", draws=100)
    >>> result.plot().get_ylabel()
    'persons a year'
    """
    event, window = result.event, result.window
    table = result.history[result.history["year"] > result.origin - PAST]
    start = table.loc[table["year"] == result.origin, "value"].to_numpy(float)
    drawn = np.column_stack([np.repeat(start, len(window.draws)), window.draws])
    with drawing.canvas(ax) as axes:
        years = np.r_[result.origin, window.years]
        drawing.bands(axes, years, drawn, (0.5, 0.8, 0.95), "expected")
        axes.plot(*table[["year", "value"]].to_numpy().T, ".-", c=INK, ms=3, label="observed")
        axes.plot(window.years, window.observed, "o", color=INK, ms=5, label="what came")
        axes.axvline(event.start - 0.5, color=WHAT_IF, lw=1.2, ls="--", label="event")
        said = (
            f"{event.called(language('en'))}: {result.verdict} (p = {result.overall.p_value:.2f})"
        )
        drawing.finish(axes, (event.source, event.location, event.measure), said, 1)
        return axes
