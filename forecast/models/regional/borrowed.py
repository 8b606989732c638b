"""Regions of which only the population is known: forecasts that say they are borrowed."""

from __future__ import annotations

import numpy as np

from forecast import locations
from forecast.accounts.audit import new_note, pieces_of, rebuilt
from forecast.errors import DataError
from forecast.models.regional.data import ALL
from forecast.models.regional.internal_moves import cancelled
from forecast.models.regional.model import Internal
from forecast.models.series.representation import simulate
from forecast.models.series.univariate import series_seed
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.scales import population_ahead

#: Draws of each pooled region from which those of others are taken.
_POOLED = 500


def with_borrowed_regions(
    outlook: Forecast, country: str, population: Panel | None = None, seed: int = 1
) -> Forecast:
    """Add the regions of a country that have no figures of migration at all.

    A region without figures is taken for any one of the regions that have them: each draw
    takes over level and future of a region picked at random, per 1,000 inhabitants and beyond
    the country's own net. Regions of the country that do have figures keep their
    draws, and all of them add up to the country in every draw. What is known of such
    a region is its size, and that there is a country it belongs to; its interval is as wide as
    regions differ.

    Parameters
    ----------
    outlook : Forecast
        With the country's net of all flows, and a history in which regions of other
        countries make these up (to borrow from).
    country : str
        Such as ``"KGZ"``.
    population : Panel, optional
        Population of every region; the bundled one by default.
    seed : int
        Source of the randomness of what is borrowed.

    Returns
    -------
    Forecast
        With one series of the net of all flows for each region, noted as borrowed. Census
        figures of migrants by region are stocks and enter nowhere.

    Raises
    ------
    DataError
        If the country has no forecast to add up to, or a region no population.

    Examples
    --------
    >>> import pandas as pd
    >>> import forecast as fc
    >>> table = fc.load("central-asia").to_frame()
    >>> own = table[(table["location"] == "KGZ") & (table["measure"] == "net_migration")]
    >>> rows = [table[table["measure"] == "net_all_flows"], own.assign(measure="net_all_flows")]
    >>> outlook = fc.forecast(fc.Panel.from_frame(pd.concat(rows)), "naive", draws=200)
    >>> len(with_borrowed_regions(outlook, "KGZ").keys) - len(outlook.keys)
    9
    """
    from forecast.data.package import load

    people = load("population") if population is None else population
    whole = next((key for key in outlook.keys if key[1] == country and key[2] == ALL), None)
    if whole is None:
        raise DataError(
            f"{country} has no net of all flows in this forecast that its regions could add up "
            "to. Forecast a panel that holds it, with model='coherent' or 'internal'."
        )
    source = whole[0]
    regions = locations.regions(country)
    sizes = {s.location: s for s in people if s.measure == "population"}
    missing = [region for region in regions if region not in sizes]
    if missing or not regions:
        raise DataError(
            f"the population of {missing[0] if missing else country} is not in the panel of "
            "populations. Give a panel with every region."
        )
    pieces = pieces_of(outlook)
    drawn = {key: paths for key, paths, _ in pieces}
    origin = next(when for key, _, when in pieces if key == whole)
    ahead = int((~np.isnan(drawn[whole][0])).sum())
    early = drawn[whole].shape[1] - ahead
    total = drawn[whole][:, early:]
    # The count of 1 January after the origin closes the origin's year.
    known_sizes = [sizes[region].until(origin + 1).values for region in regions]
    size = np.stack([population_ahead(values, ahead) for values in known_sizes])
    share = size[:, 0] / size[:, 0].sum()
    fitted = Internal().fit(outlook.history, seed)
    rated = [pair for pair in zip(fitted.fits, fitted.pools) if pair[0].group.rated]
    if not rated:
        raise DataError(
            "no regions of this forecast have a population, so there is no rate to borrow. "
            "Add the population of the regions that have figures."
        )
    generator = np.random.default_rng(series_seed(seed, "borrowed", whole))
    rates = np.concatenate(
        [
            simulate(item.posterior(pool, column), ahead, _POOLED, generator)
            for item, pool in rated
            for column in range(item.width)
        ]
    )
    n_draws = len(total)
    rest = np.empty((n_draws, len(regions), ahead))
    own = {key[1]: paths for key, paths in drawn.items() if key[::2] == (source, ALL)}
    known = [region for region in regions if region in own]
    for column, region in enumerate(regions):
        if region in own:
            rest[:, column] = own[region][:, early:] - share[column] * total
        else:
            picked = rates[generator.integers(0, len(rates), n_draws)]
            rest[:, column] = picked * size[column] / 1000.0
    # Regions with figures stay where they are; the others take up the difference.
    free = [column for column, region in enumerate(regions) if region not in own]
    fixed = [column for column in range(len(regions)) if column not in free]
    gap = rest[:, fixed].sum(axis=1)
    centred = cancelled(rest[:, free])
    weight = size[free] / size[free].sum(axis=0)
    rest[:, free] = centred - weight * gap[:, None]
    pooled = f"{len(rates) // _POOLED} regions of " + ", ".join(
        sorted({item.group.country for item, _ in rated})
    )
    besides = f" and the figures of {', '.join(known)}" if known else ""
    reason = (
        "Borrowed: no figure of migration of this region is known, only its "
        f"population. It is taken for any of {pooled}, within the country's net{besides}; the "
        "interval says how much regions differ, not what is known of this one."
    )
    about = {"scale": "rate", "population": "1 January figures carried forward"}
    notes = []
    for column in free:
        padded = np.full((n_draws, early + ahead), np.nan)
        padded[:, early:] = share[column] * total + rest[:, column]
        key = (source, regions[column], ALL)
        pieces.append((key, padded, origin))
        notes.append(new_note(key, origin, reason, **about))
    return rebuilt(outlook, pieces, notes)
