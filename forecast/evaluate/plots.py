"""Plots of a track for a notebook: skill, reliability, PIT, and past forecasts of a series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from forecast import drawing
from forecast.drawing import ACCENT, INK, MUTED
from forecast.errors import DataError
from forecast.series_key import find_series, keys_of, rows_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from forecast.evaluate.track import Track

#: Okabe and Ito without yellow, told apart by readers who do not see all colours; with markers.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = "os^DvPX"


def skill(track: Track, *, ax: Axes | None = None) -> Axes:
    """Draw skill (CRPS) against the track's reference by years ahead, a line per model.

    Parameters
    ----------
    track : Track
        What is drawn; as a method, the track itself.
    ax : matplotlib Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    DataError
        If nothing was scored.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
    >>> track.plot_skill().get_ylabel()
    'skill, %'
    """
    table = track.skill()
    table["skill"] *= 100
    note = f"CRPS below that of {track.reference} (zero), on the figures that both forecast"
    labels = {"horizon": "years ahead", "skill": "skill, %"}
    axes = _lines(ax, track, table, labels, "Skill by distance", note)
    axes.axhline(0, color=INK, lw=0.8)
    return axes


def reliability(track: Track, *, ax: Axes | None = None) -> Axes:
    """Draw how often intervals held against what they promised, a line per model.

    Parameters
    ----------
    track : Track
        What is drawn; as a method, the track itself.
    ax : matplotlib Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    DataError
        If nothing was scored.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
    >>> track.plot_reliability().get_ylabel()
    'held, %'
    """
    table = track.calibration(by=["model"])
    table[["level", "coverage"]] *= 100
    note = "Below the dashed line intervals are too narrow, above it too wide"
    labels = {"level": "promised, %", "coverage": "held, %"}
    axes = _lines(ax, track, table, labels, "Reliability of past intervals", note)
    axes.plot([0, 100], [0, 100], color=MUTED, lw=0.9, ls="--")
    axes.set(xlim=(40, 100), ylim=(min(40, table["coverage"].min() - 5), 100))
    return axes


def pit(track: Track, *, ax: Axes | None = None) -> Axes:
    """Draw how often outcomes fell into each tenth of past forecasts (PIT), a line per model.

    Parameters
    ----------
    track : Track
        What is drawn; as a method, the track itself.
    ax : matplotlib Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    DataError
        If nothing was scored.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
    >>> track.plot_pit().get_ylabel()
    'density'
    """
    table = track.pit()
    table["middle"] = 50 * (table["lower"] + table["upper"])
    note = "1 everywhere if calibrated; high at the ends: too narrow, in the middle: too wide"
    labels = {"middle": "place of the outcome in the forecast, %", "density": "density"}
    axes = _lines(ax, track, table, labels, "Outcomes in past forecasts", note)
    axes.axhline(1, color=INK, lw=0.8)
    axes.set(xlim=(0, 100), ylim=(0, None))
    return axes


def hedgehog(
    track: Track, location: str, measure: str, source: str | None = None, *,
    model: str | None = None, ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw medians of past forecasts of a series, a line from each origin, over outcomes.

    Parameters
    ----------
    track : Track
        What is drawn; as a method, the track itself.
    location, measure : str
        Which series; the place by its code or name.
    source : str, optional
        Needed where several sources have the series.
    model : str, optional
        Whose forecasts; by default the first that is not the reference.
    ax : matplotlib Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    DataError
        If several sources have the series and none is named, or the model has
        no forecast of it.
    UnknownNameError
        If there is no such series.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
    >>> track.plot_hedgehog("KAZ", "immigration").get_ylabel()
    'persons a year'
    """
    model = model or min(track.models, key=track.reference.__eq__)
    table, own = track.table, track.select(model=model).table
    key = keys_of(table)[find_series(table, location, measure, source, "this backtest")]
    rows = own[rows_of(own, key)].dropna(subset="median").sort_values("year")
    if rows.empty:
        raise DataError(f"{model} has no forecast of this series. Look at track.missing.")
    came = table[rows_of(table, key)].dropna(subset="observed").groupby("year")["observed"].last()
    with drawing.canvas(ax) as axes:
        for (origin, _), line in rows.groupby(["origin", "as_of"]):
            path = pd.concat([came[came.index == origin], line.set_index("year")["median"]])
            label = "medians of past forecasts" if origin == rows["origin"].min() else None
            axes.plot(path.index, path, ".-", color=ACCENT, lw=0.9, ms=3.5, alpha=0.8, label=label)
        axes.plot(came.index, came, color=INK, lw=1.8, label="observed")
        inside = rows["inside_80"].dropna()
        note = f"Model {model}: {inside.sum():.0f} of {len(inside)} outcomes in the 80 % range"
        drawing.finish(axes, key, note, track.step, track.frequency)
        return axes


def _lines(
    ax: Axes | None, track: Track, table: pd.DataFrame, labels: dict[str, str], text: str, note: str
) -> Axes:
    """Draw one column of a table against another, a line for each model in the track's order."""
    across, up = labels
    with drawing.canvas(ax) as axes:
        for number, model in enumerate(track.models):
            rows, look = table[table["model"] == model], number % len(COLOURS)
            if len(rows):
                axes.plot(rows[across], rows[up], MARKERS[look] + "-", c=COLOURS[look], label=model)
        if table[across].nunique() < 10:
            axes.set_xticks(sorted(table[across].unique()))
        axes.set(xlabel=labels[across], ylabel=labels[up])
        drawing.title(axes, text, note)
        drawing.legend(axes, 36)
        return axes
