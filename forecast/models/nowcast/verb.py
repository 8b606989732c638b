"""The verb `nowcast`: a panel by month or quarter and a year in, a Forecast of its total out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast import periods
from forecast.accounts.reconcile import reconcile
from forecast.contract import FORECAST, NOT_FORECAST, NOTE_COLUMNS, Model
from forecast.errors import DataError
from forecast.models.assembly import assemble, note
from forecast.models.nowcast.engine import totals
from forecast.models.nowcast.parts import Parts, parts_of
from forecast.models.nowcast.pool import by_model, with_seasonal_models
from forecast.models.nowcast.settings import NowcastSettings
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.series_key import KEY, SeriesKey
from forecast.shelf import shelf

#: What rows of `Forecast.explanation` are called that say what a nowcast rests on.
WHAT = "nowcast"
#: Columns of `Nowcast.basis` after the key and the year.
BASIS = ("parts", "parts_in", "so_far", "usual_share", "growth", "past_years")


@dataclass(frozen=True, repr=False)
class Nowcast(Forecast):
    """The total of a year that is not over: a Forecast of one year, and what it rests on."""

    @property
    def basis(self) -> pd.DataFrame:
        """What the nowcast of each series rests on.

        Returns
        -------
        DataFrame
            ``source, location, measure, year``; ``parts`` (of a year: 12 months), ``parts_in``,
            ``so_far`` (persons), ``usual_share`` (of the year's total that was in by then, median
            of past years; empty of nets), ``growth`` (of the part so far on the same part of the
            year before, as a share; empty of nets), ``past_years`` (of the series, to learn from).
        """
        return basis_of(self)


def basis_of(outlook: Forecast) -> pd.DataFrame:
    """Return what nowcasts in a forecast rest on, see `Nowcast.basis`; no row if there is none.

    Parameters
    ----------
    outlook : Forecast
        A nowcast, or a forecast that one was put into.
    """
    told = outlook.explanation
    columns = [*KEY, "year", *BASIS]
    rows = None if told is None else told[told["what"] == WHAT]
    if rows is None or rows.empty:
        return pd.DataFrame(columns=columns)
    wide = rows.pivot(index=[*KEY, "year"], columns="name", values="value").reset_index()
    whole = dict.fromkeys(("year", "parts", "parts_in", "past_years"), int)
    wide = wide.reindex(columns=columns).astype(whole)
    wide.columns.name = None
    return wide


def nowcast(
    panel: Panel,
    year: int | None = None,
    yearly: Panel | None = None,
    draws: int = 2000,
    seed: int = 1,
    model: str | Model | None = None,
) -> Nowcast:
    """Say what the total of a year will be, given the months or quarters of it that are in.

    Parameters
    ----------
    panel : Panel
        Figures by month, quarter or half-year, or sums since January (`forecast.to_date`); series
        may end at different months.
    year : int, optional
        The year; by default that of the newest figure.
    yearly : Panel, optional
        Totals of years before, where they reach further back than the months, or differ from
        their sums: the nowcast is then of the total as the yearly figures have it.
    draws : int
        Simulated totals, at least 100; draw *i* is the same world in every series.
    seed : int
        The same seed gives the same numbers.
    model : str or Model, optional
        A model of months (quarters, half-years), such as ``"ensemble"``: its forecast of the
        missing ones is added to those that are in, for series that it can forecast and whose totals
        are the sums of their months. By default what is described below, pooled with the seasonal
        models, which takes seconds.

    Returns
    -------
    Nowcast
        A Forecast of the year, in persons, net inflow positive, with the table ``basis``. Series
        of which nothing can be said are in its `notes` with the reason.

    Raises
    ------
    DataError
        If the panel is by year, a stock, or has no year before to compare with.

    Notes
    -----
    What the year still lacks is compared with the same months of the year before. How far it goes
    with what the year has shown so far, with the share that the place's months usually have, and
    with what happened at the end of last year, is learned from past years of all series, each
    judged by what was known before it; how wide the errors are, what all places of a year have
    in common, and how restless each place is, too (docs/nowcast.md).

    Examples
    --------
    >>> import pandas as pd
    >>> import forecast as fc
    >>> months = [f"{year}-{month:02d}" for year in range(2019, 2025) for month in range(1, 13)]
    >>> table = pd.DataFrame({"location": "KAZ", "measure": "immigration", "period": months[:-3],
    ...                       "value": [900 + 10 * (at % 12) for at in range(len(months) - 3)]})
    >>> found = fc.nowcast(fc.Panel.from_frame(table), draws=500)
    >>> found.basis[["year", "parts_in", "so_far"]].values.tolist()
    [[2024.0, 9.0, 8460.0]]
    """
    for name, one in (("panel", panel), ("yearly", yearly)):
        if not isinstance(one, Panel) and not (one is None and name == "yearly"):
            raise DataError(
                f"nowcast() needs a Panel as {name}, not {type(one).__name__}. "
                "Make one with forecast.read(), forecast.load() or Panel.from_frame()."
            )
    if not isinstance(draws, int) or not 100 <= draws <= 1_000_000:
        raise DataError(f"draws is {draws!r}; give a whole number from 100 to 1,000,000.")
    if not isinstance(seed, int) or seed < 0:
        raise DataError(f"seed is {seed!r}; give a whole number, zero or above.")
    last = panel.figures.dropna(subset="value")["year"].max()
    newest = periods.year_of(last, panel.frequency)
    year = newest if year is None else year
    if not isinstance(year, int | np.integer) or isinstance(year, bool):
        raise DataError(f"year is {year!r}; give a calendar year, such as {newest}.")
    if panel.frequency != "year" and not newest <= year <= newest + 1:
        raise DataError(
            f"the newest figure is of {newest}, so {year} cannot be nowcast. Ask for {newest} or "
            f"{newest + 1}, or cut the figures with panel.until()."
        )
    parts = parts_of(panel, int(year), yearly)
    settings = NowcastSettings.read(shelf("models") / "nowcast" / "settings.toml")
    drawn = totals(parts, draws, seed, settings)
    if model is not None:
        found = by_model(parts, panel, model, draws, seed)
        np.copyto(drawn, found, where=~np.isnan(found))
    else:
        with_seasonal_models(drawn, parts, panel, yearly, seed, settings)
    history = _history(parts, panel, yearly)
    ahead, reasons = _ahead(parts, drawn, history)
    if not ahead:
        raise DataError(f"no total of {year} can be nowcast: {next(iter(reasons.values()))}")
    outlook = assemble(
        history, ahead, (int(year),), _notes(parts, panel.frequency, history, ahead, reasons),
        model="nowcast", seed=seed,
    )  # fmt: skip
    # Nets of which arrivals and departures are nowcast too are their difference.
    flows = "net" in parts.kinds and len(set(parts.kinds)) > 1
    outlook = reconcile(outlook, "middle-out" if flows else "mint", strict=False)
    told = _explanation(parts, ahead)
    return Nowcast(outlook.paths, outlook.horizons, outlook.notes, history, told)


def _history(parts: Parts, panel: Panel, yearly: Panel | None) -> Panel:
    """Return the totals of the years before: the yearly figures, and sums where there are none."""
    per = periods.PER_YEAR[panel.frequency]
    places, columns = np.nonzero(~np.isnan(parts.sums[:, :-1, -1]))
    keys = pd.DataFrame([parts.keys[place] for place in places], columns=KEY)
    table = keys.assign(
        year=parts.years[columns], value=parts.sums[places, columns, -1], flag="derived"
    )
    figures = panel.figures.assign(year=panel.figures["year"] // per)
    days = figures.groupby([*KEY, "year"])["as_of"].max().reset_index()
    table = table.merge(days, "left", [*KEY, "year"])
    if yearly is not None:
        ours = pd.MultiIndex.from_frame(yearly.figures[KEY]).isin(parts.keys)
        kept = yearly.figures[ours & (yearly.figures["year"] < parts.years[-1]).to_numpy()]
        if not len(kept):
            raise DataError(
                "yearly= has none of the series that are to be nowcast before "
                f"{parts.years[-1]}. Give totals of the same places, measures and sources: "
                f"{', '.join(parts.keys[0])}."
            )
        there = pd.MultiIndex.from_frame(kept[kept["value"].notna()][[*KEY, "year"]])
        table = table[~pd.MultiIndex.from_frame(table[[*KEY, "year"]]).isin(there)]
        table = pd.concat([kept, table], ignore_index=True) if len(table) else kept
    if not len(table):
        raise DataError(
            f"no year before {parts.years[-1]} is complete, so nothing says what a whole year is. "
            "Give more months, or totals of the years before as yearly=."
        )
    return Panel.from_frame(table, step=1)


def _ahead(
    parts: Parts, drawn: np.ndarray, history: Panel
) -> tuple[dict[SeriesKey, np.ndarray], dict[SeriesKey, str]]:
    """Return the draws of each series after its last total, and why others have none."""
    year, ahead, reasons = int(parts.years[-1]), {}, {}
    for place, key in enumerate(parts.keys):
        series = history.find(key)
        if series is None:
            reasons[key] = f"no year before {year} is complete."
            continue
        open_years = year - series.origin
        found = drawn[:, place, :open_years][:, ::-1]
        if open_years > drawn.shape[2] or np.isnan(found).any():
            reasons[key] = (
                f"its last complete year is {series.origin}; the months of {year} have no year "
                "before to be compared with."
            )
            continue
        ahead[key] = found
    return ahead, reasons


def _notes(
    parts: Parts,
    frequency: str,
    history: Panel,
    ahead: dict[SeriesKey, np.ndarray],
    reasons: dict[SeriesKey, str],
) -> pd.DataFrame:
    rows: list[tuple[object, ...]] = []
    for place, key in enumerate(parts.keys):
        series = history.find(key)
        count = f"{int(parts.parts_in[place])} of {parts.sums.shape[2] - 1} {frequency}s are in."
        scale = "persons" if parts.kinds[place] == "net" else "log"
        if series is None:
            rows.append((*key, 0, 0, NOT_FORECAST, reasons[key], "", "", ""))
        elif key in ahead:
            rows.append(note(series, FORECAST, count, scale, by_population=False))
        else:
            rows.append(note(series, NOT_FORECAST, reasons[key]))
    return pd.DataFrame(rows, columns=list(NOTE_COLUMNS))


def _explanation(parts: Parts, ahead: dict[SeriesKey, np.ndarray]) -> pd.DataFrame:
    """Return what the nowcast rests on as rows of `Forecast.explanation`."""
    rows: list[tuple[object, ...]] = []
    year, per = int(parts.years[-1]), parts.sums.shape[2] - 1
    for place, key in enumerate(parts.keys):
        if key not in ahead:
            continue
        part = int(parts.parts_in[place])
        so_far, past = parts.seen[place, -1, part], parts.sums[place, :-1]
        both = ~np.isnan(past[:, part]) & ~np.isnan(past[:, -1])
        share = growth = np.nan
        if parts.kinds[place] != "net" and part:
            totals_then = past[both & (past[:, -1] > 0)]
            if len(totals_then):
                share = float(np.median(totals_then[:, part] / totals_then[:, -1]))
            if past[-1, part] > 0:
                growth = float(so_far / past[-1, part] - 1.0)
        told = (per, part, so_far, share, growth, int(both.sum()))
        rows += [(*key, year, WHAT, name, float(value)) for name, value in zip(BASIS, told)]
    return pd.DataFrame(rows, columns=[*KEY, "year", "what", "name", "value"])
