"""Pictures of a track record: skill, PIT, reliability; each a function of a table."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast.errors import DataError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Okabe and Ito: told apart by readers who do not see all colours.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_INK, _PALE = "#222222", "#999999"


def skill_by_horizon(skill: pd.DataFrame, reference: str = "no change") -> Figure:
    """Draw skill against horizon, one line per model.

    Parameters
    ----------
    skill : DataFrame
        As ``track.skill()`` returns: ``model, horizon, skill``.
    reference : str
        What skill is measured against; the zero line.
    """
    _need(skill, ("model", "horizon", "skill"))
    figure, axes = _canvas(6.4, 3.6)
    for position, (model, rows) in enumerate(skill.groupby("model", sort=False)):
        axes.plot(
            rows["horizon"],
            100 * rows["skill"],
            color=COLOURS[position % len(COLOURS)],
            marker=_MARKERS[position % len(_MARKERS)],
            label=str(model),
        )
    axes.axhline(0.0, color=_INK, linewidth=0.8)
    axes.set_xticks(sorted(set(skill["horizon"])))
    axes.set_xlabel("years ahead")
    axes.set_ylabel(f"error below {reference}, %")
    axes.legend(frameon=False, fontsize=8)
    return figure


def pit_histogram(histogram: pd.DataFrame) -> Figure:
    """Draw PIT histograms, one panel per model.

    Parameters
    ----------
    histogram : DataFrame
        As ``track.pit()`` returns: ``model, lower, upper, density``.
    """
    _need(histogram, ("model", "lower", "upper", "density"))
    models = list(dict.fromkeys(histogram["model"]))
    figure, every = _canvases(len(models))
    for axes, model in zip(every, models):
        rows = histogram[histogram["model"] == model]
        axes.bar(
            rows["lower"],
            rows["density"],
            width=rows["upper"] - rows["lower"],
            align="edge",
            color=COLOURS[0],
            edgecolor="white",
        )
        axes.axhline(1.0, color=_INK, linewidth=0.8)
        axes.set_title(str(model), fontsize=9, loc="left")
        axes.set_xlabel("place of the outcome in the forecast")
    every[0].set_ylabel("density (1: calibrated)")
    return figure


def reliability(calibration: pd.DataFrame) -> Figure:
    """Draw how often intervals held against what they promised, one line per model.

    Parameters
    ----------
    calibration : DataFrame
        As ``track.calibration(by=["model"])`` returns: ``model, level, coverage``; several
        rows of one model and level are averaged by their ``forecasts``.
    """
    _need(calibration, ("model", "level", "coverage", "forecasts"))
    figure, axes = _canvas(4.2, 4.2)
    axes.plot([0, 100], [0, 100], color=_INK, linewidth=0.8)
    for position, (model, rows) in enumerate(calibration.groupby("model", sort=False)):
        hits = (rows["coverage"] * rows["forecasts"]).groupby(rows["level"]).sum()
        share = hits / rows["forecasts"].groupby(rows["level"]).sum()
        axes.plot(
            100 * share.index.to_numpy(),
            100 * share.to_numpy(),
            color=COLOURS[position % len(COLOURS)],
            marker=_MARKERS[position % len(_MARKERS)],
            label=str(model),
        )
    axes.set_xlim(40, 100)
    axes.set_ylim(min(40.0, axes.get_ylim()[0]), 100)
    axes.set_xlabel("promised, %")
    axes.set_ylabel("held, %")
    axes.legend(frameon=False, fontsize=8)
    return figure


def svg(figure: Figure) -> str:
    """Return a figure as SVG, the same text for the same figure."""
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "forecast", "svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def _need(table: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in table]
    if missing or table.empty:
        lacking = f"no column {missing[0]!r}" if missing else "no rows"
        raise DataError(f"there is nothing to draw: the table has {lacking}.")


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, _plain(figure.add_subplot())


def _canvases(count: int) -> tuple[Figure, list[Axes]]:
    from matplotlib.figure import Figure

    across = min(count, 3)
    down = -(-count // across)
    figure = Figure(figsize=(2.8 * across, 2.4 * down), layout="constrained")
    grid = np.asarray(figure.subplots(down, across, sharey=True, squeeze=False)).ravel()
    for unused in grid[count:]:
        unused.set_visible(False)
    return figure, [_plain(axes) for axes in grid[:count]]


def _plain(axes: Axes) -> Axes:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=8)
    return axes
