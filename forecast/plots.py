"""Plots and tables for a notebook: the methods ``plot…`` of forecasts, panels, tracks and others.

Each draws on the matplotlib axes given, or on a new figure that a notebook shows, and returns the
axes. Settings of matplotlib stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast import drawing, periods
from forecast.draw_tables import TABLE_KEY
from forecast.drawing import ACCENT, INK, MOST, MUTED, PARTS, PAST, WHAT_IF, YEARS, between
from forecast.errors import DataError
from forecast.language import language
from forecast.series_key import find_series, keys_of, rows_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from forecast.evaluate.track import Track
    from forecast.impacts.result import Impact
    from forecast.outlook import Forecast
    from forecast.panel import Panel
    from forecast.scenarios.scenario import Scenario

#: Okabe and Ito without yellow, told apart by readers who do not see all colours; with markers.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = "os^DvPX"


def fan(
    outlook: Forecast, location: str, measure: str, source: str | None = None, *,
    levels: Sequence[float] = (0.5, 0.8, 0.95), ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw what was observed and what may come of one series, in persons a year.

    Target years have a dot at the median and a bar over the 80 % range, whose figures stand
    under the title. Flagged figures have a hollow marker, a new level a dotted upright.

    Parameters
    ----------
    outlook : Forecast
        What is drawn; as a method, the forecast itself.
    location, measure : str
        Which series; the place by its code or name.
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
    key, series, years, drawn = drawing.one(outlook, location, measure, source, "this forecast")
    with drawing.canvas(ax) as axes:
        drawing.bands(axes, years, drawn, levels)
        drawing.past(axes, series)
        at = [year for year in outlook.horizons if year in years[1:]]
        low, middle, high = np.quantile(drawn[:, np.isin(years, at)], [0.1, 0.5, 0.9], axis=0)
        axes.errorbar(
            at, middle, [middle - low, high - middle], fmt="o", ms=4.5, lw=1.2, capsize=3,
            color=ACCENT, mec="white", mew=0.6, label=f"target {outlook.frequency}",
        )  # fmt: skip
        text = partial(periods.label, frequency=outlook.frequency)
        values = "; ".join(
            f"{text(year)}:\xa0{between(key[2], *row)}" for year, *row in zip(at, middle, low, high)
        )
        note = f"{drawing.called(outlook)}. {values if len(at) <= YEARS else ''}"
        drawing.finish(axes, key, note, outlook.history.step, outlook.frequency)
        return axes


def compare(
    outlook: Forecast, other: Forecast, location: str, measure: str, source: str | None = None, *,
    levels: Sequence[float] = (0.8,), ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw two forecasts of one series over what was observed, in persons a year.

    Parameters
    ----------
    outlook, other : Forecast
        Both of years, or of periods of one length; the second is drawn dashed.
    location, measure : str
        Which series; the place by its code or name.
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
        If several sources have the series and none is named, a level is no
        probability, or the forecasts differ in the length of their periods.
    UnknownNameError
        If there is no such series.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> outlook = fc.forecast(panel, "naive", (2027, 2030), draws=200)
    >>> other = fc.forecast(panel, "ets", (2027, 2030), draws=200)
    >>> outlook.plot_compare(other, "KAZ", "immigration").get_ylabel()
    'persons a year'
    """
    step = outlook.history.step
    if getattr(getattr(other, "history", None), "step", None) != step:
        raise DataError(f"other is {other!r:.80}; give a forecast of a panel with step={step}.")
    key, series, years, drawn = drawing.one(outlook, location, measure, source, "this forecast")
    _, _, later, theirs = drawing.one(other, *key[1:], key[0], "the other forecast")
    names = [drawing.called(outlook), drawing.called(other)]
    if names[0] == names[1]:
        names = [f"{name} ({which})" for name, which in zip(names, ("first", "second"))]
    with drawing.canvas(ax) as axes:
        drawing.bands(axes, years, drawn, levels, names[0])
        drawing.bands(axes, later, theirs, levels, names[1], WHAT_IF, over=True)
        drawing.past(axes, series)
        drawing.finish(
            axes, key, "Medians and ranges, those of the second dashed", step, outlook.frequency
        )
        return axes


def why(
    outlook: Forecast, location: str, measure: str, source: str | None = None, *,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw why intervals are as wide as they are: shares of the variance by target year.

    Parts that narrow are below zero; the members that weigh most stand under the title.

    Parameters
    ----------
    outlook : Forecast
        With an `explanation`.
    location, measure : str
        Which series; the place by its code or name.
    source : str, optional
        Needed where several sources have the series.
    ax : matplotlib Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    DataError
        If several sources have the series and none is named, or the model does
        not explain its intervals.
    UnknownNameError
        If there is no such series.

    Examples
    --------
    >>> import pandas as pd
    >>> import forecast as fc
    >>> from dataclasses import replace
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> row = {"source": "kz-bns", "location": "KAZ", "measure": "immigration", "year": 2027}
    >>> explanation = pd.DataFrame([
    ...     {**row, "what": "variance share", "name": "shocks", "value": 1.0},
    ...     {**row, "what": "weight", "name": "naive", "value": 1.0},
    ... ])  # the ensemble makes such a table
    >>> outlook = replace(fc.forecast(panel, "naive", (2027,), draws=200), explanation=explanation)
    >>> outlook.plot_why("KAZ", "immigration").get_ylabel()
    'share of the variance, %'
    """
    table = outlook.explanation
    if table is None:
        raise DataError(f"model {outlook.model!r} explains no intervals. Use model='ensemble'.")
    key = keys_of(table)[find_series(table, location, measure, source, "this explanation")]
    rows = table[rows_of(table, key)]
    if not (rows["what"] == "variance share").any():
        raise DataError(
            "how wide this series' intervals are is not explained: a nowcast says what they start "
            "from. Ask the forecast without it."
        )
    shares, weights = (
        100 * rows[rows["what"] == what].pivot(index="year", columns="name", values="value")
        for what in ("variance share", "weight")
    )
    years, shares = shares.index.astype(str), shares.fillna(0.0)
    with drawing.canvas(ax) as axes:
        above = below = np.zeros(len(shares))
        for name in (part for part in PARTS if part in shares and shares[part].abs().max() > 0.5):
            values, (words, colour) = shares[name].to_numpy(), PARTS[name]
            bottom = np.where(values >= 0, above, below)
            bars = axes.bar(years, values, 0.6, bottom, color=colour, label=words)
            labels = [f"{v:.0f} %".replace("-", "−") if abs(v) > 6 else "" for v in values]
            axes.bar_label(bars, labels, label_type="center", fontsize=7.5, color=INK)
            above, below = above + np.maximum(values, 0), below + np.minimum(values, 0)
        axes.axhline(0, color=MUTED, lw=0.8)
        axes.set_ylabel("share of the variance, %")
        heaviest = weights.mean().sort_values(ascending=False).head(4)
        members = ", ".join(f"{name} {weight:.0f} %" for name, weight in heaviest.items())
        note = f"{drawing.called(outlook)}. Weights, mean of these years: {members}"
        drawing.title(axes, "{}: {}, {}".format(*drawing.words(key)), note)
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), reverse=True)
        return axes


def observed(
    panel: Panel, location: str | Sequence[str] | None = None,
    measure: str | Sequence[str] | None = None, source: str | Sequence[str] | None = None, *,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw observed series with their flags, each in small axes of its own (``child_axes``).

    A flagged figure is hollow, a new level a dotted upright. One series fills the picture.

    Parameters
    ----------
    panel : Panel
        What is drawn; as a method, the panel itself.
    location, measure, source : str or sequence of str, optional
        As of `Panel.select`; all series by default, at most 12.
    ax : matplotlib Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    DataError
        If more than 12 series are to be drawn, or none has these names together.
    UnknownNameError
        If a name is not in the panel.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> len(panel.plot().child_axes)
    3
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
            drawing.numbers(small, one.signed, 4, one.frequency)
        if len(chosen) == 1:
            drawing.finish(axes, chosen[0].key, "", panel.step, panel.frequency)
        else:
            common = ", ".join(part for part, same in zip(names[0], shared) if same)
            unit = drawing.unit(panel.step, [one.measure for one in chosen], panel.frequency)
            note = f"{unit}, each series on its own scale; hollow: flagged"
            drawing.title(axes, common or f"{len(chosen)} series", note)
        return axes


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
        title = (
            f"{event.called(language('en'))}: {result.verdict} (p = {result.overall.p_value:.2f})"
        )
        drawing.finish(axes, (event.source, event.location, event.measure), title, 1)
        return axes


def what_if(
    scenario: Scenario, location: str, measure: str, source: str | None = None, *,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw one series of a scenario over its baseline, in persons a year.

    Parameters
    ----------
    scenario : Scenario
        What is drawn; as a method, the scenario itself.
    location, measure : str
        Which series; the place by its code or name.
    source : str, optional
        Needed where several sources have the series.
    ax : matplotlib Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    DataError
        If several sources have the series and none is named.
    UnknownNameError
        If there is no such series.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> outlook = fc.forecast(panel, "naive", (2027, 2030), draws=200)
    >>> what_if = fc.scenario(outlook, "russia-kazakhstan")
    >>> what_if.plot("KAZ", "immigration").get_ylabel()
    'persons a year'
    """
    return compare(scenario.baseline, scenario.what_if, location, measure, source, ax=ax)


def scenario_table(scenario: Scenario) -> str:
    """Return the series that a scenario reaches as a table of HTML."""
    found = scenario.table(0.80)
    ends = ("", "_lower", "_upper")
    rows = [
        {
            **row[[*TABLE_KEY, "year"]],
            "baseline": drawing.between(row["measure"], *row[[f"baseline{end}" for end in ends]]),
            "what if": drawing.between(row["measure"], *row[[f"what_if{end}" for end in ends]]),
        }
        for _, row in found.head(drawing.MOST).iterrows()
    ]
    facts = f"{scenario.name}; not a forecast; {len(scenario.moved)} series reached"
    facts += (
        f", start {scenario.shock.first}–{scenario.shock.last}; median (80 % range), persons a year"
    )
    return drawing.html("Scenario", facts, rows, len(found))
