"""Plots and tables for a notebook: the methods ``plot…`` of forecasts, panels, tracks and others.

Each draws on the matplotlib axes given, or on a new figure that a notebook shows, and returns the
axes. Settings of matplotlib stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from forecast import drawing
from forecast.drawing import ACCENT, INK, MOST, MUTED, PAST, WHAT_IF, between
from forecast.errors import DataError
from forecast.series_key import find_series, keys_of, rows_of
from forecast.validation import MEASURES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from forecast.impacts.result import Impact
    from forecast.outlook import Forecast
    from forecast.panel import Panel
    from forecast.scenarios.scenario import Scenario
    from forecast.series import Series
    from forecast.series_key import SeriesKey

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
#: More target years than these are read in a table of its own.
_YEARS = 5


def fan(
    outlook: Forecast, location: str, measure: str, source: str | None = None, *,
    levels: Sequence[float] = (0.5, 0.8, 0.95), ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw what was observed and what may come of one series, in persons a year.

    Target years have a dot at the median and a bar over the 80 % range, whose figures stand
    under the title. Flagged figures have a hollow marker, a new level a dotted upright.

    Parameters
    ----------
    location, measure : str
    source : str, optional
        Needed where several sources have the series.
    levels : sequence of float in (0, 1)
        Probability inside each band.
    ax : matplotlib Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    DataError
        If several sources have the series and none is named, or a level is no probability.
    UnknownNameError
        If the forecast has no such series.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> outlook = fc.forecast(panel, "naive", (2025, 2027, 2030), draws=200)
    >>> outlook.plot("KAZ", "immigration").get_ylabel()
    'persons a year'
    """
    key, series, years, drawn = _one(outlook, location, measure, source, "this forecast")
    with drawing.canvas(ax) as axes:
        drawing.bands(axes, years, drawn, levels)
        if series:
            drawing.past(axes, series)
        at = [year for year in outlook.horizons if year in years[1:]]
        low, middle, high = np.quantile(drawn[:, np.isin(years, at)], [0.1, 0.5, 0.9], axis=0)
        axes.errorbar(
            at, middle, [middle - low, high - middle], fmt="o", ms=4.5, lw=1.2, capsize=3,
            color=ACCENT, mec="white", mew=0.6, zorder=4, label="target years, 80 % range",
        )  # fmt: skip
        told = "; ".join(f"{year}: {between(*row)}" for year, *row in zip(at, middle, low, high))
        note = f"{drawing.called(outlook)}. {told if len(at) <= _YEARS else ''}"
        drawing.title(axes, drawing.heading(key), note)
        drawing.finish(axes, MEASURES[key[2]], outlook.history.step)
        return axes


def compare(
    outlook: Forecast, other: Forecast, location: str, measure: str, source: str | None = None, *,
    levels: Sequence[float] = (0.8,), ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw two forecasts of one series over what was observed; parameters and errors as for `fan`.

    Both must be of years, or of periods of one length.
    """
    step = outlook.history.step
    if getattr(getattr(other, "history", None), "step", None) != step:
        raise DataError(f"other is {other!r:.80}; give a forecast, with steps of {step} years too.")
    key, series, *own = _one(outlook, location, measure, source, "this forecast")
    theirs = _one(other, *key[1:], key[0], "the other forecast")[2:]
    names = [drawing.called(outlook), drawing.called(other)]
    if names[0] == names[1]:
        names = [f"{name} ({which})" for name, which in zip(names, ("first", "second"))]
    with drawing.canvas(ax) as axes:
        drawing.bands(axes, *own, levels, names[0])
        drawing.bands(axes, *theirs, levels, names[1], WHAT_IF, over=True)
        if series:
            drawing.past(axes, series)
        inside = ", ".join(f"{100 * level:g}" for level in np.atleast_1d(levels))
        drawing.title(axes, drawing.heading(key), f"Medians and {inside} % ranges")
        drawing.finish(axes, MEASURES[key[2]], step)
        return axes


def what_if(
    scenario: Scenario, location: str, measure: str, source: str | None = None, *,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw one series of a scenario over its baseline; parameters and errors as for `fan`."""
    return compare(scenario.baseline, scenario.what_if, location, measure, source, ax=ax)


def why(
    outlook: Forecast, location: str, measure: str, source: str | None = None, *,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw why intervals are as wide as they are: shares of the variance by target year.

    Parts that narrow are below zero; the members that weigh most stand under the title. Parameters
    and errors as for `fan`; a DataError also if the model does not explain its intervals.
    """
    table = outlook.explanation
    if table is None:
        raise DataError(
            f"model {outlook.model!r} does not explain its intervals. Use model='ensemble'."
        )
    key = keys_of(table)[find_series(table, location, measure, source, "this explanation")]
    rows = table[rows_of(table, key)]
    shares, weights = (
        100 * rows[rows["what"] == what].pivot(index="year", columns="name", values="value")
        for what in ("variance share", "weight")
    )
    with drawing.canvas(ax) as axes:
        above = below = np.zeros(len(shares))
        for name in (part for part in PARTS if part in shares):
            values = shares[name].fillna(0.0).to_numpy()
            bottom, (words, colour) = np.where(values >= 0, above, below), PARTS[name]
            bars = axes.bar(
                shares.index.astype(str), values, 0.6, bottom, color=colour, label=words
            )
            said = [f"{v:.0f} %".replace("-", "−") if abs(v) > 6 else "" for v in values]
            axes.bar_label(bars, said, label_type="center", fontsize=7.5, color=INK)
            above, below = above + np.maximum(values, 0), below + np.minimum(values, 0)
        axes.axhline(0, color=MUTED, lw=0.8)
        axes.set_ylabel("share of the variance, %", color=MUTED)
        heaviest = weights.mean().sort_values(ascending=False).head(4)
        members = ", ".join(f"{name} {weight:.0f} %" for name, weight in heaviest.items())
        note = f"{drawing.called(outlook)}. Weights, mean of these years: {members}"
        drawing.title(axes, drawing.heading(key), note)
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), reverse=True)
        return axes


def observed(
    panel: Panel,
    location: str | Sequence[str] | None = None,
    measure: str | Sequence[str] | None = None,
    source: str | Sequence[str] | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw observed series with their flags, each in small axes of its own (``child_axes``).

    Parameters and errors are those of `Panel.select`; all series by default, at most 12.
    """
    chosen = panel.select(location=location, measure=measure, source=source).series
    if len(chosen) > MOST:
        raise DataError(
            f"{len(chosen)} series are to be drawn, and one picture holds {MOST}. Name a location, "
            f"measure or source, such as location={chosen[0].location!r}."
        )
    names = [drawing.words(one.key) for one in chosen]
    shared = [len(set(column)) == 1 for column in zip(*names)]
    own = [", ".join(part for part, same in zip(name, shared) if not same) for name in names]
    with drawing.canvas(ax, len(chosen)) as axes:
        for one, small in zip(chosen, drawing.small(axes, own)):
            drawing.past(small, one, len(one.years))
            drawing.numbers(small, one.signed, 4)
        if len(chosen) == 1:
            drawing.title(axes, drawing.heading(chosen[0].key), "")
            drawing.finish(axes, chosen[0].signed, panel.step)
        else:
            common = ", ".join(part for part, same in zip(names[0], shared) if same)
            note = f"{drawing.unit(panel.step)}, each series on its own scale"
            drawing.title(axes, common or f"{len(chosen)} series", note)
        return axes


def impact(result: Impact, *, ax: Axes | None = None) -> Axes:
    """Draw what came in the window of an event over what was expected without it."""
    event, window = result.event, result.window
    table = result.history[result.history["year"] > result.origin - PAST]
    start = table.loc[table["year"] == result.origin, "value"].to_numpy(float)
    drawn = np.column_stack([np.repeat(start, len(window.draws)), window.draws])
    with drawing.canvas(ax) as axes:
        years = np.r_[result.origin, window.years]
        drawing.bands(axes, years, drawn, (0.5, 0.8, 0.95), "expected")
        axes.plot(*table[["year", "value"]].to_numpy().T, ".-", color=INK, lw=1.4, ms=3, zorder=3)
        axes.plot(window.years, window.observed, "o", color=INK, ms=5, label="what came", zorder=4)
        axes.axvline(event.start - 0.5, color=WHAT_IF, lw=1.2, ls="--", label="event")
        said = f"{event.called('en')}: {result.verdict} (p = {result.overall.p_value:.2f})"
        drawing.title(axes, drawing.heading((event.source, event.location, event.measure)), said)
        drawing.finish(axes, window.signed, 1)
        return axes


def panel_html(panel: Panel) -> str:
    """Return the spans and last figures of the first series as an HTML table."""
    facts = f"{len(panel)} series, {len(panel.locations)} locations; {drawing.unit(panel.step)}"
    rows = [
        (drawing.words(one.key)[0], one.location, one.measure, one.source,
         f"{one.years[0]}–{one.origin}", f"{np.isfinite(one.values).sum()}",
         f"{one.values[-1]:,.0f}".replace("-", "−"))
        for one in panel.series[:MOST]
    ]  # fmt: skip
    heads = ("place", "location", "measure", "source", "years", "figures", "last figure")
    return drawing.html("Panel", facts, heads, rows, len(panel))


def forecast_html(outlook: Forecast) -> str:
    """Return medians and 80 % ranges of the first series as an HTML table, rounded."""
    keys, horizons = outlook.keys, outlook.horizons
    drawn = outlook.draws.transpose("draw", "series", "year").to_numpy()[:, :MOST, :_YEARS]
    low, middle, high = np.quantile(drawn, [0.1, 0.5, 0.9], axis=0)
    rows = [
        (drawing.words(key)[0], *key[1:], key[0], *map(between, middle[at], low[at], high[at]))
        for at, key in enumerate(keys[:MOST])
    ]
    years = [str(year) for year in horizons[:_YEARS]]
    more = f" and {len(horizons) - _YEARS} more target years" if len(horizons) > _YEARS else ""
    facts = (
        f"{drawing.called(outlook)}; {len(keys)} series, {len(drawn)} draws, {', '.join(years)}{more}; "
        f"median (80 % range), {drawing.unit(outlook.history.step)}"
    )  # fmt: skip
    heads = ("place", "location", "measure", "source", *years)
    return drawing.html("Forecast", facts, heads, rows, len(keys))


def _one(
    outlook: Forecast, location: str, measure: str, source: str | None, where: str
) -> tuple[SeriesKey, Series | None, np.ndarray, np.ndarray]:
    """Return key, history, years and draws (draw, year) of one series, from its last figure on."""
    position = find_series(outlook.series, location, measure, source, where)
    paths = outlook.paths.isel(series=position).transpose("draw", "year")
    drawn, years, key = paths.to_numpy(), paths["year"].to_numpy(), outlook.keys[position]
    ahead, series = ~np.isnan(drawn[0]), outlook.history.find(key)
    drawn, years = drawn[:, ahead], years[ahead]
    if series:
        drawn = np.insert(drawn, 0, series.values[-1], axis=1)
        years = np.insert(years, 0, series.origin)
    return key, series, years, drawn
