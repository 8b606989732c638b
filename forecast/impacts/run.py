"""The verb `impact`: a panel and an event in, an Impact out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from forecast.contract import Model
from forecast.errors import DataError, TooShortError
from forecast.impacts.counterfactual import UNFIT, windows
from forecast.impacts.event import Event, make
from forecast.impacts.event import event as find_event
from forecast.impacts.placebo import SETS, check_sets, placebos
from forecast.impacts.result import STANDS_OUT, Impact
from forecast.models.registry import model as find_model
from forecast.panel import Panel, Series
from forecast.series_key import several_sources

#: Models that an unusual result has to stand: no change, a level, a mean, a damped trend.
CHECKS = ("naive", "level", "ar", "ets")


def impact(
    panel: Panel,
    event: str | Path | Event | None = None,
    *,
    location: str | None = None,
    measure: str | None = None,
    source: str | None = None,
    start: int | None = None,
    end: int | None = None,
    exclude: Sequence[str] = (),
    comparable: Sequence[str] = (),
    model: str | Model = "structural",
    draws: int = 1000,
    seed: int = 1,
    placebos_from: Sequence[str] = SETS,
    check: Sequence[str | Model] = CHECKS,
    as_of: str | dt.date | None = None,
) -> Impact:
    """Compare outcomes after an event with a forecast from before it, and with placebos.

    Parameters
    ----------
    panel : Panel
        The series of the event and all that can be compared with it.
    event : str, Path or Event, optional
        A bundled event (`forecast.impacts.event.names`), a TOML file or an `Event`; without
        it, give `location`, `measure` and `start`, and `source` where several have the series.
    location, measure, source : str, optional
        The series; without `source` that of the only source which has it.
    start : int, optional
        The first year that may be affected; the counterfactual sees the years before.
    end : int, optional
        The last year of the window; the last observed one by default. Choose it before
        looking at the result: with several windows one of them is easily unusual.
    exclude : sequence of str
        Locations that the same event may have hit; they are no placebos at its date.
    comparable : sequence of str
        Sources whose series are comparable; see `forecast.impacts.placebo.comparable`.
    model : str or Model
        Makes every forecast, those of the placebos too.
    draws : int
        Simulated futures of each forecast, at least 100.
    seed : int
        The same seed gives the same numbers.
    placebos_from : sequence of {"dates", "places", "others"}
        Which placebos to make: the same series earlier, comparable series at the same date,
        comparable series earlier.
    check : sequence of str or Model
        Other models that an unusual result is tried with; it stands out only if it does so
        with all of them.
    as_of : str (YYYY-MM-DD) or date, optional
        Use only what had been released by that day, before and after the event alike, so
        that a revision is not taken for an effect.

    Returns
    -------
    Impact

    Raises
    ------
    UnknownNameError
        If the event, model, series or set of placebos is not known.
    DataError
        If the series has no figure before or in the window, or cannot be compared there.
    TooShortError
        If there are too few years before the event for the model.

    References
    ----------
    Abadie, Diamond and Hainmueller (2010, doi:10.1198/jasa.2009.ap08746), placebo ranks;
    Brodersen et al. (2015, doi:10.1214/14-AOAS788), counterfactuals from structural time
    series; Chernozhukov, Wüthrich and Zhu (2021, doi:10.1080/01621459.2021.1920957),
    conformal inference for counterfactuals.

    Examples
    --------
    >>> import forecast as fc
    >>> found = fc.impact(fc.load("central-asia"), "kz-arrivals-2022", draws=200)
    >>> found.years
    (2022,)
    """
    if not isinstance(panel, Panel):
        raise DataError(
            f"impact() needs a Panel, not {type(panel).__name__}. "
            "Make one with forecast.read(), forecast.load() or Panel.from_frame()."
        )
    if not isinstance(draws, int) or isinstance(draws, bool) or not 100 <= draws <= 1_000_000:
        raise DataError(f"draws is {draws!r}; give a whole number from 100 to 1,000,000.")
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise DataError(f"seed is {seed!r}; give a whole number, zero or above.")
    panel.require_years("an impact")
    if panel.step != 1:
        raise DataError(
            f"the panel steps by {panel.step} years; an event is dated by calendar year. "
            "Give annual figures."
        )
    if event is None and source is None and location is not None and measure is not None:
        source = _only_source(panel, location, measure)
    given = {"location": location, "measure": measure, "source": source, "start": start}
    asked = _asked(event, given, end, exclude, comparable)
    chosen, sets = find_model(model), check_sets(placebos_from)
    tried = [find_model(other) for other in check]
    known = panel if as_of is None else panel.as_of(as_of)
    own = known.select(location=asked.location, measure=asked.measure, source=asked.source)
    origin, steps = _window(own.series[0], asked)
    table = own.latest[["year", "value"]].dropna().reset_index(drop=True)
    day = "" if as_of is None else str(as_of)[:10]

    def judged(by: Model) -> Impact | None:
        made = windows(by, own, origin, steps, draws, seed)
        if not made:
            return None
        compared = placebos(by, known, asked, origin, steps, sets=sets, draws=draws, seed=seed)
        return Impact(asked, by.name, seed, day, made[0], compared, table)

    found = judged(chosen)
    if found is None:
        raise TooShortError(
            f"{asked.measure} of {asked.location} ({asked.source}) up to {origin} is too short for "
            f"{chosen.name!r}, so nothing says what would have come without the event. "
            "Add earlier years, or another series."
        )
    if found.verdict != STANDS_OUT:
        return found
    others = {other.name: judged(other) for other in tried if other.name != chosen.name}
    checks = {name: other.overall.p_value for name, other in others.items() if other is not None}
    return replace(found, checks=checks)


def _only_source(panel: Panel, location: str, measure: str) -> str:
    """Return the only source that has a series, or ask which one is meant."""
    sources = sorted(key[0] for key in panel.select(location=location, measure=measure).keys)
    if len(sources) > 1:
        raise several_sources(measure, location, sources)
    return sources[0]


def _asked(
    event: str | Path | Event | None,
    given: dict[str, str | int | None],
    end: int | None,
    exclude: Sequence[str],
    comparable: Sequence[str],
) -> Event:
    """Return the event that was named, or the one described by its parts."""
    described = {name: value for name, value in given.items() if value is not None}
    if event is not None:
        if described or end is not None or exclude or comparable:
            raise DataError(
                f"the event {str(event)!r} is given as well as its parts "
                f"({', '.join(described) or 'end, exclude or comparable'}). Give one of the two."
            )
        return find_event(event)
    if "start" not in described:
        raise DataError("no event given. Name one, or give location, measure, source and start.")
    lists = {"exclude": list(exclude), "comparable": list(comparable)}
    ending = {} if end is None else {"end": end}
    return make({**described, **ending, **lists}, "", "the event")


def _window(series: Series, event: Event) -> tuple[int, list[int]]:
    """Return the origin and the years of the window counted from it.

    Years of the window without a figure are left out, for the placebos too.
    """
    where = f"{event.measure} of {event.location} ({event.source})"
    observed = series.years[~np.isnan(series.values)]
    before = observed[observed < event.start]
    if not len(before):
        raise DataError(
            f"{where} begins in {observed[0]}, not before {event.start}: there is nothing to "
            "forecast from. Choose a series with earlier years."
        )
    last = int(observed[-1]) if event.end is None else event.end
    inside = observed[(observed >= event.start) & (observed <= last)]
    if not len(inside):
        raise DataError(
            f"{where} has no figure from {event.start} to {max(last, event.start)}; the figures "
            f"end in {observed[-1]}. Wait for them, or choose another window."
        )
    spoiled = np.logical_or.reduce([series.flagged(flag) for flag in UNFIT])
    for year in inside:
        if spoiled[series.years == year].any():
            carried = series.flags[int(np.flatnonzero(series.years == year)[0])]
            flag = next(name for name in UNFIT if name in carried)
            raise DataError(
                f"{where} carries the flag {flag!r} in {year}: its figure differs from those "
                "before for another reason than the event. Choose another series or window."
            )
    origin = int(before[-1])
    return origin, [int(year) - origin for year in inside]
