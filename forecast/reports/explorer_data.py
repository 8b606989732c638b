"""What the explorer holds: series with figures and draws, and what stands beside them."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast import labels, measures, periods
from forecast.data.wpp_bulk import SOURCE as UN_SOURCE
from forecast.errors import DataError
from forecast.evaluate.editions import Edition
from forecast.hindcast.columns import SCORED
from forecast.horizons import CONCEPTS
from forecast.language import Language
from forecast.outlook import Forecast
from forecast.reports import sentences
from forecast.reports.content import rank
from forecast.reports.explorer_words import program_words
from forecast.reports.record import Record
from forecast.reports.series_view import FIRST_YEAR, LEVELS, SeriesView
from forecast.reports.verdicts import verdict
from forecast.scenarios.scenario import Scenario
from forecast.series_key import KEY, SeriesKey

if TYPE_CHECKING:
    import pandas as pd

    from forecast.scenarios.conditioning import Conditional
    from forecast.scenarios.conditions import Condition

#: Joint draws that are kept for sums and differences, unless asked otherwise.
DRAWS = 500
#: Quantiles that stand for all draws of one series and year: 0, 0.5, 1, ... 100 %.
STEPS = 201
#: Most bytes of joint draws of one world; a large panel keeps fewer draws, never below `LEAST`.
_BUDGET, LEAST = 2_000_000, 100
#: What the numbers of the page hold.
_WHOLE = np.iinfo(np.int32)


@dataclass(frozen=True, eq=False)
class World:
    """Draws that the explorer can show: the forecast, or what stands beside it.

    Attributes
    ----------
    kind : {"forecast", "scenario", "condition"}
    name : str
        As the address of a view has it.
    title : str
    outlook : Forecast
    moved : collection of SeriesKey
        Series that have draws of their own here; all others are those of the forecast.
    """

    kind: str
    name: str
    title: str
    outlook: Forecast
    moved: frozenset[SeriesKey]


def payload(
    views: Sequence[SeriesView],
    worlds: Sequence[World],
    words: Language,
    *,
    found: Record | None = None,
    earlier: Sequence[Edition] = (),
    draws: int = DRAWS,
) -> dict[str, Any]:
    """Return the data of the page: words, series, and draws as 32-bit whole numbers in base64.

    Parameters
    ----------
    views : sequence of SeriesView
    worlds : sequence of World
        The forecast first.
    draws : int
        Joint draws to keep.

    Returns
    -------
    dict
        ``worlds[w]["blocks"][s]`` is where the numbers of series ``s`` start in ``numbers``. For
        each of its years there follow 201 quantiles of all draws (0 to 100 %), then the joint
        draws kept: position ``d`` is the same world in every series and year. Months, quarters
        and half-years stand for years as the numbers that `forecast.periods` counts, and
        ``frequency`` says which. A page of 24 months ahead has 2.9 MB for 30 series, with 500
        joint draws, and 5.4 MB for 90, with 231. Numbers are whole persons; those of rates, and
        of amounts too large for 32 bits, count in the ``grain`` of their series.

    Raises
    ------
    DataError
        If fewer than 100 draws are to be kept.
    """
    if draws < LEAST:
        raise DataError(f"{draws} draws are too few for sums. Keep at least {LEAST}.")
    ordered = sorted(views, key=lambda view: _order(view, words))
    parts: list[np.ndarray] = []
    grains = _grains(ordered)
    apart = [name for name in grains if not measures.find(name).adds_over_places]
    described = [_world(world, ordered, draws, grains, parts) for world in worlds]
    numbers = np.concatenate(parts) if parts else np.empty(0, dtype="<i4")
    sources, codes, counted = (dict.fromkeys(names) for names in zip(*(one.key for one in ordered)))
    return {
        "format": "migration-forecast-explorer/1",
        "language": words.code,
        "words": program_words(words, counted),
        "model": worlds[0].outlook.model,
        "step": worlds[0].outlook.history.step,
        **({} if words.frequency == "year" else {"frequency": words.frequency}),
        "first": periods.number(FIRST_YEAR, 1, words.frequency),
        "levels": list(LEVELS),
        "quantiles": STEPS,
        "places": {code: labels.place(code, words) for code in codes},
        "countries": {view.country: labels.place(view.country, words) for view in ordered},
        "measures": {name: labels.measure(name, words) for name in counted},
        "sources": {name: labels.source(name, words) for name in sources},
        **({"apart": apart} if apart else {}),
        "series": [_series(view, words, found, grains[view.series.measure]) for view in ordered],
        "past": _past(ordered, found, grains),
        "editions": [
            _edition(one, ordered, grains) for one in earlier if one.frequency == words.frequency
        ],
        "worlds": described,
        "numbers": base64.b64encode(numbers.tobytes()).decode("ascii"),
    }


def starts(views: Sequence[SeriesView], words: Language) -> list[int]:
    """Return the calendar years from which figures may be shown, for a choice.

    Parameters
    ----------
    views : sequence of SeriesView
    words : Language
        Of a page by year, or by month, quarter or half-year: the first year of the figures and
        decades after it, but for one that would leave less than two years.

    Returns
    -------
    list of int
        At least one, in rising order.
    """
    if words.frequency == "year":
        return [1990, 2000, 2010]
    ends = [one for view in views for one in (view.series.years[0], view.series.origin)]
    first, last = (periods.year_of(one, words.frequency) for one in (min(ends), max(ends)))
    decades = range(FIRST_YEAR, last - 1, 10)
    return [max(one, first) for one in decades if one + 10 > first] or [FIRST_YEAR]


def _order(view: SeriesView, words: Language) -> tuple[Any, ...]:
    """Countries as on the report, the country before its regions, the register before the UN."""
    place = labels.place(view.series.location, words)
    measure, source = measures.position(view.series.measure), view.series.source
    return (
        *rank(view.country, words),
        not view.national,
        place,
        measure,
        source == UN_SOURCE,
        source,
    )


def _grains(views: Sequence[SeriesView]) -> dict[str, float]:
    """Return what one whole number stands for, by measure: a power of ten.

    One for all that is counted whole, where 32 bits hold twenty times the largest figure; as fine
    as they allow for a rate or an amount.
    """
    largest: dict[str, float] = {}
    for view in views:
        figures = np.abs(view.series.values[~np.isnan(view.series.values)])
        name = view.series.measure
        largest[name] = max(largest.get(name, 0.0), float(figures.max(initial=0.0)))
    limit = _WHOLE.max / 20
    powers = {name: math.ceil(math.log10((most or 1) / limit)) for name, most in largest.items()}
    return {n: 10.0 ** (p if measures.find(n).fractional else max(p, 0)) for n, p in powers.items()}


def _series(
    view: SeriesView, words: Language, found: Record | None, grain: float
) -> dict[str, Any]:
    """Return what is known of one series: figures, flags, and what is said of them."""
    series = view.series
    shown = series.years >= view.start()
    marks = {}
    for year, flags in zip(
        series.years[shown].tolist(), np.array(series.flags, dtype=object)[shown]
    ):
        if known := [flag for flag in labels.FLAGS if flag in flags]:
            marks[str(year)] = known
    concept, each = CONCEPTS.get(view.country), view.counted.each(words, words.frequency)
    years = view.years.tolist()
    own = [year for year in (concept.target_years if concept else ()) if year in years]
    asked = own or [year for year in view.horizons if year in years] or years[-1:]
    trust = {}
    if found is not None:
        for year in years:
            if said := verdict(found.nearest(view.key, year - series.origin), words):
                trust[str(year)] = said
    return {
        "source": series.source,
        "location": series.location,
        "measure": series.measure,
        "country": view.country,
        "signed": series.signed,
        **({} if grain == 1 else {"grain": grain}),
        **({} if each == words.say("persons a year") else {"unit": each}),
        "years": series.years[shown].tolist(),
        "values": [
            None if np.isnan(value) else round(value / grain)
            for value in series.values[shown].tolist()
        ],
        "follows": {str(year): round(value / grain) for year, value in view.follows.items()},
        "flags": marks,
        "ahead": years,
        "asked": asked[0] if asked else None,
        "targets": own,
        "note": sentences.flags(view, words)
        if view.forecast
        else sentences.not_forecast(view, words),
        "trust": trust,
    }


def _world(
    world: World,
    ordered: Sequence[SeriesView],
    draws: int,
    grains: Mapping[str, float],
    parts: list[np.ndarray],
) -> dict[str, Any]:
    """Add the numbers of one world to `parts`; return what it is and where they start."""
    paths = world.outlook.paths.transpose("series", "draw", "year")
    drawn, grid, count = paths.to_numpy(), paths["year"].to_numpy(), paths.sizes["draw"]
    affordable = max(_BUDGET // (4 * max(drawn.shape[0] * drawn.shape[2], 1)), LEAST)
    kept = min(draws, affordable, count)
    # Evenly, so that whatever order the draws have is kept in proportion.
    chosen = (np.arange(kept) * count) // kept
    levels = np.linspace(0, 1, STEPS)
    blocks: dict[str, int] = {}
    start = sum(part.size for part in parts)
    for position, view in enumerate(ordered):
        row = world.outlook.position(view.key)
        if row is None or view.key not in world.moved or not view.years.size:
            continue
        values = drawn[row][:, np.isin(grid, view.years)]
        block = np.vstack([np.quantile(values, levels, axis=0), values[chosen]])
        block = np.round(block.T / grains[view.series.measure])
        whole = np.clip(block, _WHOLE.min, _WHOLE.max).astype("<i4").ravel()
        blocks[str(position)] = start
        start += whole.size
        parts.append(whole)
    return {
        "kind": world.kind, "name": world.name, "title": world.title,
        "all": count, "kept": kept, "blocks": blocks,
    }  # fmt: skip


def of_scenario(one: Scenario, words: Language) -> World:
    """Return a scenario as what stands beside the forecast.

    Parameters
    ----------
    one : Scenario
        Made from the forecast that the explorer shows.
    words : Language
        Language of the title, where the catalogue has it.

    Returns
    -------
    World
        Series that the scenario leaves as they are count as those of the forecast.
    """
    keys = [one.baseline.keys[position] for position in one.moved]
    return World("scenario", one.name, words.lookup(one.shock.title), one.what_if, frozenset(keys))


def of_condition(one: Conditional, outlook: Forecast, words: Language) -> World:
    """Return a conditional forecast as what stands beside the forecast that it was made from.

    Parameters
    ----------
    one : Conditional
        Draws of the forecast under conditions.
    outlook : Forecast
        What the explorer shows.
    words : Language
        Language of the conditions in the title.

    Returns
    -------
    World
        Every series has draws of its own.

    Raises
    ------
    DataError
        If it was made from another one.
    """
    if not one.baseline.paths.identical(outlook.paths):
        stated = "; ".join(map(str, one.conditions))
        raise DataError(
            f"the condition {stated!r} stands on another forecast than the explorer's. Make it "
            "from this one with forecast.condition(outlook, ...)."
        )
    # Addresses and titles have periods as text.
    shown = [replace(each, year=words.period(each.year)) for each in one.conditions]
    title = "; ".join(_stated(each, words) for each in shown)
    name = "; ".join(map(str, shown))
    return World("condition", name, title, one.forecast, frozenset(outlook.keys))


def _stated(condition: Condition, words: Language) -> str:
    """Return a condition in the words of the page."""
    parts = [labels.place(condition.location, words), labels.measure(condition.measure, words)]
    if condition.source is not None:
        parts.append(labels.source(condition.source, words))
    write = partial(labels.figure, measure=condition.measure, words=words)
    if condition.near is not None:
        value = f"≈ {write(condition.near)} ± {write(float(condition.sd or 0)).removeprefix('+')}"
    elif np.isinf(condition.upper):
        value = f"≥ {write(condition.lower)}"
    elif np.isinf(condition.lower):
        value = f"≤ {write(condition.upper)}"
    else:
        value = f"{write(condition.lower)} … {write(condition.upper)}"
    return f"{', '.join(parts)}, {condition.year} {value}"


def _past(
    ordered: Sequence[SeriesView], found: Record | None, grains: Mapping[str, float]
) -> dict[str, list[list[int]]]:
    """Return past forecasts by series: origin, year, median and 80 % interval."""
    if found is None:
        return {}
    table = found.track.table
    ours = table[(table["model"] == found.model) & (table["status"] == SCORED)]
    groups = {tuple(map(str, key)): rows for key, rows in ours.groupby(KEY)}
    when, values = ["origin", "year"], ["median", "lower_80", "upper_80"]
    return {
        str(position): _rows(
            groups[view.key].sort_values(when), when, values, grains[view.series.measure]
        )
        for position, view in enumerate(ordered)
        if view.key in groups
    }


def _rows(table: pd.DataFrame, when: list[str], values: list[Any], grain: float) -> list[list[int]]:
    """Return periods and values of one series, values in its grain."""
    counted = (table[values] / grain).round().clip(_WHOLE.min, _WHOLE.max)
    return [list(map(int, row)) for row in np.hstack([table[when], counted]).tolist()]


def _edition(
    edition: Edition, ordered: Sequence[SeriesView], grains: Mapping[str, float]
) -> dict[str, Any]:
    """Return what an earlier edition said: year, median and 80 % interval by series."""
    table = edition.quantiles
    table = table[table["quantile"].round(4).isin([0.1, 0.5, 0.9])]
    wide = table.pivot_table(index=[*KEY, "year"], columns="quantile", values="value")
    wide.columns = wide.columns.astype(float).to_numpy().round(4)
    wide = wide.reindex(columns=[0.5, 0.1, 0.9]).dropna().reset_index("year")
    groups = {tuple(map(str, key)): rows for key, rows in wide.groupby(level=KEY)}
    rows = {
        str(position): _rows(
            groups[view.key], ["year"], [0.5, 0.1, 0.9], grains[view.series.measure]
        )
        for position, view in enumerate(ordered)
        if view.key in groups
    }
    return {"day": edition.day, "model": str(edition.manifest["model"]), "rows": rows}
