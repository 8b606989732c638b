"""A place by itself: it borrows from regions of other countries how far it may move."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from forecast import locations
from forecast.exclusions import usable_since_break, usable_values
from forecast.models.regional.data import ALL
from forecast.models.regional.partial_pooling import Pool, posterior
from forecast.models.series.simulation import simulate
from forecast.panel import Panel, Series
from forecast.scales import is_rate, population_ahead


def singles(panel: Panel, covered: Collection[tuple[str, str]]) -> list[Series]:
    """Return nets of all flows of places outside every complete set of regions.

    Parameters
    ----------
    panel : Panel
    covered : collection of (source, country)
        Where regions make up the country.
    """
    return [
        series
        for series in panel
        if series.measure == ALL
        and series.step == 1
        and (series.source, locations.country_of(series.location)) not in covered
        and usable_since_break(series) > 0
    ]


def draw(
    series: Series,
    pool: Pool,
    pool_of_rates: bool,
    last: int,
    n_draws: int,
    generator: np.random.Generator,
) -> np.ndarray:
    """Draw futures of one place with the liveliness of a pool, in persons.

    Parameters
    ----------
    series : Series
    pool : Pool
    pool_of_rates : bool
        Whether the pool's unit is persons per 1,000 inhabitants. Where it, or the series,
        is not, the pool's shocks are carried over relative to the level.
    last : int
        The last year wanted.
    n_draws : int
    generator : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n_draws, n_ahead)
    """
    values, breaks = usable_values(series), series.flagged("break")
    n_ahead = max(0, last - series.origin)
    rated = is_rate(series)
    if rated:
        values = 1000.0 * values / series.population
    if rated and pool_of_rates:
        fitted = posterior(pool, values, breaks, 0.0)
    else:
        # Shocks of the pool, in proportion to the level; where the pool has none to speak of, no
        # larger than the level itself.
        size = float(np.nanmean(np.abs(values)))
        shock = size * min(np.sqrt(pool.variance) / max(pool.level, 1e-300), 1.0)
        fitted = posterior(pool, values, breaks, 0.0, shock**2)
    paths = np.asarray(simulate(fitted, n_ahead, n_draws, generator))
    if rated:
        paths = paths * population_ahead(series.population, n_ahead) / 1000.0
    return paths
