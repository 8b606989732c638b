"""Population paths that the accounts imply: previous population + natural increase + net."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.accounts.audit import new_note, pieces_of, rebuilt
from forecast.errors import DataError
from forecast.outlook import Forecast

NET = "net_migration"
RULE = (
    "Previous mid-year population + natural increase of the UN's medium variant of {release} "
    "+ net migration, half of each of the two calendar years between."
)


def natural_increase(country: str, as_of: str = "") -> tuple[pd.Series, pd.Series, str]:
    """Return natural increase from mid-year to mid-year by the UN's medium variant.

    Parameters
    ----------
    country : str
        ISO 3166-1 alpha-3 code.
    as_of : str
        Day (YYYY-MM-DD) by which the projection has to have been out; any by default.

    Returns
    -------
    increase : Series of float
        Persons, by the year in which it ends: the change of the projected population less the
        projected net migration, half of each of the two calendar years between.
    population : Series of float
        Projected mid-year population.
    release : str
        Day of the release.

    Raises
    ------
    DataError
        If there was no projection.

    Examples
    --------
    >>> increase, population, release = natural_increase("KAZ", as_of="2024-12-31")
    >>> release
    '2024-07-11'
    """
    from forecast.data.package import projections

    table = projections()
    table = table[(table["location"] == country) & ((table["as_of"] <= as_of) | (as_of == ""))]
    if table.empty:
        raise DataError(
            f"there is no projection of the UN for {country} released by {as_of or 'any day'}; "
            "natural increase is not known. Bundled are KAZ, KGZ, TJK, TKM and UZB since 2022."
        )
    release = str(table["as_of"].max())
    newest = table[table["as_of"] == release].set_index("year").sort_index()
    between = newest["value"].rolling(2).mean()
    increase = newest["population"].diff() - between
    return increase.dropna(), newest["population"].astype(float), release


def with_population(outlook: Forecast, country: str, source: str) -> Forecast:
    """Add the population that a country's forecast net implies, draw by draw.

    P(t+1) = P(t) + natural increase + (net(t) + net(t+1)) / 2, mid-year to mid-year. It
    starts from the UN's mid-year population of the net's last year, or of the first year
    of the projection where that is later.

    Parameters
    ----------
    outlook : Forecast
        With the country's net migration.
    country : str
        ISO 3166-1 alpha-3 code.
    source : str
        Source of the net migration, such as ``"kz-bns"``.

    Returns
    -------
    Forecast
        With the series (source, country, population) in persons at mid-year; its note states
        where natural increase comes from. A register of changes of residence gives the
        population without what it does not register.

    Raises
    ------
    DataError
        If the forecast has no such net, or no year can be reached.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> outlook = fc.forecast(panel, "naive", draws=200)
    >>> with_population(outlook, "KAZ", "kz-bns").keys[-1]
    ('kz-bns', 'KAZ', 'population')
    """
    key = (source, country, NET)
    position, history = outlook.position(key), outlook.history.find(key)
    if position is None or history is None:
        sources = {s for s, place, measure in outlook.keys if (place, measure) == key[1:]}
        raise DataError(
            f"there is no {NET} of {country} from {source!r} in this forecast; sources are "
            f"{', '.join(sorted(sources))}."
        )
    increase, people, release = natural_increase(country, str(outlook.paths.attrs["as_of"]))
    years = outlook.paths["year"].to_numpy()
    pieces = pieces_of(outlook)
    net = pieces[position][1]
    known = dict(zip(history.years.tolist(), history.values))
    start = max(history.origin, int(people.index[0]))
    stated = dict(zip(history.years.tolist(), history.population))
    begin = stated.get(start, np.nan)
    if np.isnan(begin):
        begin = float(people[start])

    def of(year: int) -> np.ndarray:
        if year in known and year <= history.origin:
            return np.full(len(net), known[year])
        return net[:, int(np.flatnonzero(years == year)[0])]

    level = np.full(len(net), begin)
    paths = np.full(net.shape, np.nan)
    for column, year in enumerate(years.tolist()):
        if year <= start or year not in increase.index:
            continue
        level = level + float(increase[year]) + (of(year - 1) + of(year)) / 2
        paths[:, column] = level
    if np.isnan(paths).all():
        raise DataError(
            f"the projection of {release} does not reach the years of this forecast "
            f"({years[0]} to {years[-1]})."
        )
    added = (source, country, "population")
    note = new_note(added, start, RULE.format(release=release), scale="persons")
    return rebuilt(outlook, [*pieces, (added, paths, start)], [note])
