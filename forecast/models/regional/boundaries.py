"""Forecasts on other boundaries: merged units split into today's regions, or added up again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecast import boundary_changes, locations
from forecast.accounts.audit import keys_of, stack
from forecast.contract import FORECAST
from forecast.errors import DataError
from forecast.models.regional.internal_moves import cancelled
from forecast.models.regional.partial_pooling import SharedPrior, learn, posterior
from forecast.models.registry import specification
from forecast.models.series.posterior import simulate
from forecast.models.series.structural import local_level
from forecast.models.series.univariate import series_seed
from forecast.outlook import Forecast
from forecast.panel import Panel, Series
from forecast.series_key import KEY, SeriesKey

#: Years in which a unit and its parts are both known, at the least.
MINIMUM_YEARS = 3


def on_todays_regions(outlook: Forecast, parts: Panel | None = None, seed: int = 1) -> Forecast:
    """Split merged units of a forecast into the regions that they are today.

    Part k of unit u has x_k = π_k x_u + d_k with π_k its share in the population and d_k adding
    up to zero over the parts. How d_k stands and moves is learned from the years in which unit
    and parts are both known, all units together, and drawn: with three years known
    the split is uncertain, and the intervals of the parts say so. Parts add up to their
    unit in every draw.

    Parameters
    ----------
    outlook : Forecast
        With series of merged units, such as ``KZ-61+KZ-79``.
    parts : Panel, optional
        Net of all flows of the parts, with population; by default the bundled
        ``"kazakhstan-split"``. Nothing after the origin of the unit is used.
    seed : int

    Returns
    -------
    Forecast
        With the parts in the place of the units, each noted as drawn from a split; units
        without parts in the panel stay as they are.

    Raises
    ------
    DataError
        If no unit of the forecast can be split.
    """
    from forecast.data.package import load

    known = load("kazakhstan-split") if parts is None else parts
    there = {series.key: series for series in known}
    units: dict[SeriesKey, list[Series]] = {}
    origins = dict(zip(keys_of(outlook), outlook.series["origin"].tolist()))
    for key in keys_of(outlook):
        source, place, measure = key
        codes = locations.parts(place)
        found = [there.get((source, code, measure)) for code in codes]
        if len(codes) > 1 and all(found):
            units[key] = [_until(s, origins[key]) for s in found if s is not None]
    history = {series.key: series for series in outlook.history}
    leanings = {key: _leaning(history[key], members) for key, members in units.items()}
    leanings = {
        key: table for key, table in leanings.items() if len(table.dropna()) >= MINIMUM_YEARS
    }
    if not leanings:
        raise DataError(
            "no merged unit of this forecast has its parts in the panel for "
            f"{MINIMUM_YEARS} years up to the origin, so no split can be learned. "
            "Stay on constant boundaries, or give the parts' figures."
        )
    pool = _pool(list(leanings.values()))
    pieces, notes, origin = [], [], []
    for key, values in _by_key(outlook):
        if key not in leanings:
            pieces.append((key, values))
            origin.append(origins[key])
            continue
        generator = np.random.default_rng(series_seed(seed, "split", key))
        late = max(0, origins[key] - int(leanings[key].index[-1]))
        drawn = _split(values, leanings[key], units[key], late, pool, generator)
        for code, paths in drawn.items():
            pieces.append(((key[0], code, key[2]), paths))
            origin.append(origins[key])
            notes.append(_note(key, code, leanings[key], origins[key]))
    split = pd.DataFrame(notes)
    kept = outlook.notes[~pd.MultiIndex.from_frame(outlook.notes[KEY]).isin(list(leanings))]
    shown = outlook.history.without(list(leanings)).to_frame()
    added = known.until(max(origins.values())).select(
        location=sorted({code for key in leanings for code in locations.parts(key[1])})
    )
    panel = Panel.from_frame(
        pd.concat([shown, added.to_frame()], ignore_index=True), step=outlook.history.step
    )
    return Forecast(
        stack(outlook, pieces, origin),
        outlook.horizons,
        pd.concat([kept, split], ignore_index=True),
        panel,
    )


def on_constant_units(outlook: Forecast, first: int) -> Forecast:
    """Add regions up, draw by draw, to units that have covered the same area since a year.

    Parameters
    ----------
    outlook : Forecast
        On today's boundaries.
    first : int
        Units are those of `boundary_changes.constant_units` from this year to the last
        forecast one.

    Returns
    -------
    Forecast
        Units in the place of regions, where a source has all parts of a measure; the history
        is the sum of the parts in the years in which all are known.
    """
    last = int(outlook.paths["year"].to_numpy()[-1])
    values = dict(_by_key(outlook))
    origins = dict(zip(keys_of(outlook), outlook.series["origin"].tolist()))
    countries = {locations.country_of(place) for _, place, _ in values}
    merged = {
        unit: locations.parts(unit)
        for country in sorted(countries)
        for unit in boundary_changes.constant_units(country, first, last)
        if "+" in unit
    }
    pieces, origin, gone, sums = [], [], set(), []
    table = outlook.history.latest
    for source, measure in sorted({(source, measure) for source, _, measure in values}):
        for unit, codes in merged.items():
            members = [(source, code, measure) for code in codes]
            same = {origins.get(key) for key in members}
            if not all(key in values for key in members) or len(same) > 1:
                continue
            total = np.sum([values[key] for key in members], axis=0)
            pieces.append(((source, unit, measure), total))
            origin.append(origins[members[0]])
            gone |= set(members)
            sums.append(_summed(table, source, unit, measure, codes))
    if not pieces:
        raise DataError(
            f"nothing to add up: no unit that is constant since {first} has all its parts in "
            "this forecast."
        )
    kept = [(key, paths) for key, paths in values.items() if key not in gone]
    origin = [origins[key] for key, _ in kept] + origin
    notes = outlook.notes
    index = pd.MultiIndex.from_frame(notes[KEY])
    left = notes[~index.isin(list(gone))]
    added = [
        {**_blank(key), "origin": int(when), "status": FORECAST, "reason": "Sum of its parts."}
        for (key, _), when in zip(pieces, origin[len(kept) :])
    ]
    shown = [outlook.history.without(sorted(gone)).to_frame()] if kept else []
    panel = Panel.from_frame(
        pd.concat([*shown, *sums], ignore_index=True), step=outlook.history.step
    )
    return Forecast(
        stack(outlook, [*kept, *pieces], origin),
        outlook.horizons,
        pd.concat([left, pd.DataFrame(added)], ignore_index=True),
        panel,
    )


def _summed(
    table: pd.DataFrame, source: str, unit: str, measure: str, codes: Sequence[str]
) -> pd.DataFrame:
    rows = table[
        (table["source"] == source) & (table["measure"] == measure) & table["location"].isin(codes)
    ]
    grouped = rows.groupby("year")
    total = grouped[["value", "population"]].sum(min_count=len(codes)).reset_index()
    return total.assign(source=source, location=unit, measure=measure, flag="derived;combined")


def _until(series: Series, year: int) -> Series:
    kept = series.years <= year
    return Series(
        series.source,
        series.location,
        series.measure,
        series.years[kept],
        series.values[kept],
        series.population[kept],
        series.precision[kept],
        tuple(flags for flags, keep in zip(series.flags, kept) if keep),
        series.step,
    )


def _leaning(unit: Series, members: Sequence[Series]) -> pd.DataFrame:
    """Return d_k per 1,000 inhabitants of the unit, years by parts."""
    whole = pd.Series(unit.values, index=unit.years)
    values = pd.DataFrame({s.location: pd.Series(s.values, s.years) for s in members})
    people = pd.DataFrame({s.location: pd.Series(s.population, s.years) for s in members})
    share = people.div(people.sum(axis=1), axis=0)
    apart = values - share.mul(whole.reindex(values.index), axis=0)
    # What rounding left between unit and parts belongs to nobody.
    apart = apart.sub(apart.mean(axis=1), axis=0)
    return apart.mul(1000.0 / people.sum(axis=1), axis=0)


def _pool(tables: Sequence[pd.DataFrame]) -> SharedPrior:
    stated = specification("internal")
    # One part of a pair says what the other one says.
    columns = [table[name].to_numpy() for table in tables for name in table.columns[:-1]]
    still = [np.zeros(len(column), dtype=bool) for column in columns]
    return learn(
        columns,
        still,
        [0.001] * len(columns),
        local_level(),
        (1.0,),
        weight=stated["pooling"]["weight"],
        degrees=stated["pooling"]["degrees"],
    )


def _split(
    values: np.ndarray,
    leaning: pd.DataFrame,
    members: Sequence[Series],
    late: int,
    pool: SharedPrior,
    generator: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Return draws of the parts, shape (n_draws, n_years) each; NaN where the unit is.

    The parts' figures may end some years before the unit's: `late`.
    """
    n_draws, n_years = values.shape
    people = np.array([series.population[-1] for series in members])
    ahead = int((~np.isnan(values[0])).sum())
    behind = n_years - ahead
    paths = np.empty((n_draws, len(members), ahead))
    for column, series in enumerate(members):
        theirs = leaning[series.location].to_numpy()
        known = posterior(pool, theirs, np.zeros(len(theirs), dtype=bool), 0.001)
        paths[:, column] = simulate(known, late + ahead, n_draws, generator)[:, late:]
    # Cancelling out takes one part's worth of variance away, which is put in before.
    middle = np.median(paths, axis=0)
    wide = np.sqrt(len(members) / (len(members) - 1.0))
    apart = cancelled(middle + wide * (paths - middle)) * people.sum() / 1000.0
    share = people / people.sum()
    made = {}
    for column, series in enumerate(members):
        drawn = np.full((n_draws, n_years), np.nan)
        drawn[:, behind:] = share[column] * values[:, behind:] + apart[:, column]
        made[series.location] = drawn
    return made


def _by_key(outlook: Forecast) -> list[tuple[SeriesKey, np.ndarray]]:
    values = outlook.paths.transpose("draw", "series", "year").to_numpy()
    return [(key, values[:, position]) for position, key in enumerate(keys_of(outlook))]


def _blank(key: SeriesKey) -> dict[str, object]:
    return {
        "source": key[0],
        "location": key[1],
        "measure": key[2],
        "observations": 0,
        "scale": "",
        "population": "",
        "flags": "",
    }


def _note(key: SeriesKey, code: str, leaning: pd.DataFrame, origin: int) -> dict[str, object]:
    years = len(leaning.dropna())
    return {
        **_blank((key[0], code, key[2])),
        "origin": int(origin),
        "observations": years,
        "status": FORECAST,
        "reason": f"Part of {key[1]}: the split is drawn, learned from {years} years in which "
        "unit and parts are both known.",
        "scale": "share and difference",
    }
