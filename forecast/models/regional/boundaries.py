"""Forecasts on other boundaries: merged units split into today's regions, or added up again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecast import boundary_changes, locations
from forecast.accounts.audit import Piece, new_note, pieces_of, rebuilt
from forecast.errors import DataError
from forecast.models.regional.internal_moves import cancelled
from forecast.models.regional.partial_pooling import SharedPrior, learn, posterior
from forecast.models.registry import specification
from forecast.models.series.representation import simulate
from forecast.models.series.structural import local_level
from forecast.models.series.univariate import series_seed
from forecast.outlook import Forecast
from forecast.panel import Panel, Series
from forecast.series_key import SeriesKey

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
        Source of the randomness of the split.

    Returns
    -------
    Forecast
        With the parts in the place of the units, each noted as drawn from a split; units
        without parts in the panel stay as they are.

    Raises
    ------
    DataError
        If no unit of the forecast can be split.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("kazakhstan").select(measure="net_all_flows")
    >>> today = on_todays_regions(fc.forecast(panel, "naive", draws=200))
    >>> [place for _, place, _ in today.keys if "+" in place]
    []
    """
    from forecast.data.package import load

    known = load("kazakhstan-split") if parts is None else parts
    units: dict[SeriesKey, list[Series]] = {}
    leanings: dict[SeriesKey, pd.DataFrame] = {}
    pieces = pieces_of(outlook)
    for key, _, origin in pieces:
        codes, unit = locations.parts(key[1]), outlook.history.find(key)
        members = [known.find((key[0], code, key[2])) for code in codes]
        found = [one.until(origin) for one in members if one is not None]
        if unit is not None and len(found) == len(codes) > 1:
            leaning = _leaning(unit, found)
            if len(leaning.dropna()) >= MINIMUM_YEARS:
                units[key], leanings[key] = found, leaning
    if not leanings:
        raise DataError(
            "no merged unit of this forecast has its parts in the panel for "
            f"{MINIMUM_YEARS} years up to the origin, so no split can be learned. "
            "Stay on constant boundaries, or give the parts' figures."
        )
    pool = _pool(list(leanings.values()))
    made: list[Piece] = []
    notes = []
    for key, values, origin in pieces:
        if key not in leanings:
            made.append((key, values, origin))
            continue
        generator = np.random.default_rng(series_seed(seed, "split", key))
        late = max(0, origin - int(leanings[key].index[-1]))
        years = len(leanings[key].dropna())
        reason = (
            f"Part of {key[1]}: the split is drawn, learned from {years} years in which "
            "unit and parts are both known."
        )
        about = {"observations": years, "scale": "share and difference"}
        drawn = _split(values, leanings[key], units[key], late, pool, generator)
        for code, paths in drawn.items():
            part = (key[0], code, key[2])
            made.append((part, paths, origin))
            notes.append(new_note(part, origin, reason, **about))
    shown = outlook.history.without(list(leanings)).figures
    added = known.until(max(origin for _, _, origin in pieces)).select(
        location=sorted({code for key in leanings for code in locations.parts(key[1])})
    )
    both = pd.concat([shown, added.figures], ignore_index=True)
    return rebuilt(
        outlook,
        made,
        notes,
        Panel.from_frame(both, step=outlook.history.step, frequency=outlook.history.frequency),
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

    Raises
    ------
    DataError
        If there is nothing to add up.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("kazakhstan").select(measure="net_all_flows")
    >>> outlook = fc.forecast(panel, "naive", draws=200)
    >>> units = on_constant_units(on_todays_regions(outlook), 2005)
    >>> sorted(units.keys) == sorted(outlook.keys)
    True
    """
    last = int(outlook.paths["year"].to_numpy()[-1])
    there = {piece[0]: piece for piece in pieces_of(outlook)}
    countries = {locations.country_of(place) for _, place, _ in there}
    merged = {
        unit: locations.parts(unit)
        for country in sorted(countries)
        for unit in boundary_changes.constant_units(country, first, last)
        if "+" in unit
    }
    sums: list[Piece] = []
    gone, figures = set(), []
    table = outlook.history.latest
    for source, measure in sorted({(source, measure) for source, _, measure in there}):
        for unit, codes in merged.items():
            keys = [(source, code, measure) for code in codes]
            members = [there[key] for key in keys if key in there]
            if len(members) < len(keys) or len({origin for _, _, origin in members}) > 1:
                continue
            total = np.sum([values for _, values, _ in members], axis=0)
            sums.append(((source, unit, measure), total, members[0][2]))
            gone |= set(keys)
            figures.append(_summed(table, source, unit, measure, codes))
    if not sums:
        raise DataError(
            f"nothing to add up: no unit that is constant since {first} has all its parts in "
            "this forecast."
        )
    kept = [piece for key, piece in there.items() if key not in gone]
    notes = [new_note(key, origin, "Sum of its parts.") for key, _, origin in sums]
    shown = [outlook.history.without(sorted(gone)).figures] if kept else []
    both = pd.concat([*shown, *figures], ignore_index=True)
    history = Panel.from_frame(both, step=outlook.history.step, frequency=outlook.history.frequency)
    return rebuilt(outlook, [*kept, *sums], notes, history)


def _summed(
    table: pd.DataFrame, source: str, unit: str, measure: str, codes: Sequence[str]
) -> pd.DataFrame:
    rows = table[
        (table["source"] == source) & (table["measure"] == measure) & table["location"].isin(codes)
    ]
    grouped = rows.groupby("year")
    total = grouped[["value", "population"]].sum(min_count=len(codes)).reset_index()
    return total.assign(source=source, location=unit, measure=measure, flag="derived;combined")


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
    floors = [0.001] * len(columns)
    return learn(columns, still, floors, local_level(), (1.0,), **stated["pooling"])


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
