"""Plots of a track for a notebook, the methods ``plot_…`` of a `Track`, and its table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from forecast import drawing
from forecast.drawing import ACCENT, INK, MOST, MUTED
from forecast.errors import DataError, unknown_name
from forecast.hindcast.columns import FAILED, SCORED
from forecast.series_key import KEY, find_series, keys_of, rows_of
from forecast.validation import MEASURES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from forecast.evaluate.track import Track

#: Okabe and Ito without yellow, told apart by readers who do not see all colours; with markers.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = "os^DvPX"


def skill(track: Track, *, ax: Axes | None = None) -> Axes:
    """Draw skill (CRPS) against the track's reference by years ahead, a line per model."""
    table = track.skill()
    with drawing.canvas(ax) as axes:
        _lines(axes, table["model"], table["horizon"], 100 * table["skill"])
        axes.axhline(0, color=INK, lw=0.8)
        axes.set_xticks(sorted(set(table["horizon"])))
        axes.set(xlabel="years ahead", ylabel="skill, %")
        note = f"CRPS below that of {track.reference} (zero), on the figures that both forecast"
        drawing.title(axes, "Skill by distance", note)
        drawing.legend(axes, 36)
        return axes


def reliability(track: Track, *, ax: Axes | None = None) -> Axes:
    """Draw how often intervals held against what they promised, a line per model."""
    table = track.calibration(by=["model"])
    with drawing.canvas(ax) as axes:
        axes.plot([0, 100], [0, 100], color=MUTED, lw=0.9, ls="--")
        _lines(axes, table["model"], 100 * table["level"], 100 * table["coverage"])
        lowest = min(40, 100 * table["coverage"].min() - 5)
        axes.set(xlim=(40, 100), ylim=(lowest, 100), xlabel="promised, %", ylabel="held, %")
        axes.set_xticks(sorted(100 * table["level"].unique()))
        note = "Below the dashed line intervals are too narrow, above it too wide"
        drawing.title(axes, "Reliability of past intervals", note)
        drawing.legend(axes, 36)
        return axes


def pit(track: Track, *, ax: Axes | None = None) -> Axes:
    """Draw where outcomes fell in past forecasts (PIT), small axes per model (``child_axes``)."""
    groups = list(track.pit().groupby("model", sort=False))[:MOST]
    with drawing.canvas(ax, len(groups)) as axes:
        for (_, rows), small in zip(groups, drawing.small(axes, [str(name) for name, _ in groups])):
            width = rows["upper"] - rows["lower"]
            small.bar(rows["lower"], rows["density"], width, align="edge", color=ACCENT, ec="white")
            small.axhline(1, color=INK, lw=0.8)
        note = "Share of outcomes in each tenth of the forecast; 1 everywhere if calibrated"
        drawing.title(axes, "Outcomes in past forecasts", note)
        return axes


def hedgehog(
    track: Track, location: str, measure: str, source: str | None = None, *,
    model: str | None = None, ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw the medians of past forecasts of a series, a line from each origin, over what came.

    `model` is by default the first that is not the reference; the rest as for `fan`.
    """
    models = sorted(track.models, key=track.reference.__eq__)
    if model is not None and model not in models:
        raise unknown_name("model in this backtest", model, models)
    table = track.table
    key = keys_of(table)[find_series(table, location, measure, source, "this backtest")]
    rows = table[rows_of(table, key) & (table["model"] == (model or models[0]))]
    rows = rows[rows["median"].notna()].sort_values("year")
    if rows.empty:
        raise DataError(f"{model or models[0]} has no forecast of this series. See track.missing.")
    came = table[rows_of(table, key)].dropna(subset="observed").groupby("year")["observed"].last()
    with drawing.canvas(ax) as axes:
        for (origin, _), line in rows.groupby(["origin", "as_of"]):
            start = came.reindex([origin]).dropna()
            path = pd.concat([start, line.set_index("year")["median"]])
            label = "medians of past forecasts" if origin == rows["origin"].min() else None
            axes.plot(path.index, path, ".-", color=ACCENT, lw=0.9, ms=3.5, alpha=0.8, label=label)
        axes.plot(came.index, came, color=INK, lw=1.8, label="observed")
        inside = rows["inside_80"].dropna()
        note = f"Model {model or models[0]}: {int(inside.sum())} of {len(inside)} in the 80 % range"
        drawing.title(axes, drawing.heading(key), note)
        drawing.finish(axes, MEASURES[key[2]], track.step)
        return axes


def html(track: Track) -> str:
    """Return what each model was worth as an HTML table."""
    table, rows = track.table, []
    for model in track.models[:MOST]:
        own = table[table["model"] == model]
        scored = own[own["status"] == SCORED]
        inside = 100 * scored["inside_80"].mean()
        rows.append(
            (model, f"{len(scored):,}", f"{(own['status'] == FAILED).sum():,}", f"{inside:.0f} %")
        )
    facts = (
        f"{len(table[KEY].drop_duplicates())} series, origins {table['origin'].min()} to "
        f"{table['origin'].max()}, target years to {table['year'].max()}"
    )
    heads = ("model", "scored forecasts", "failed", "held by 80 % intervals")
    return drawing.html("Track", facts, heads, rows, len(track.models))


def _lines(axes: Axes, models: pd.Series, across: pd.Series, up: pd.Series) -> None:
    """Draw a line for each model, told apart by colour and marker."""
    for number, model in enumerate(models.unique()):
        one, look = models == model, number % len(COLOURS)
        axes.plot(across[one], up[one], color=COLOURS[look], marker=MARKERS[look], label=model)
