"""Shares of regions in their country's net, what fits have in common, and places by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.models.regional.data import Group
from forecast.models.regional.partial_pooling import SharedPrior, learn, posterior
from forecast.models.series.representation import SeriesPosterior, simulate
from forecast.models.series.structural import Structural
from forecast.panel import Series
from forecast.scales import is_rate, population_ahead
from forecast.series import usable_since_break, usable_values

#: Degrees of freedom of the Student-t that makes one wild year count less.
_DEGREES = 4.0
_ITERATIONS = 20


def shares(
    values: np.ndarray,
    population: np.ndarray,
    total: np.ndarray,
    mean: float,
    deviation: float,
) -> np.ndarray:
    """Return the share of each region in a change of the country's net.

    Yearly changes of a region's rate are regressed on those of the country's rate, with
    Student-t errors and a normal prior around the same rate everywhere; shares are the
    responses times the shares in the population, adjusted to add up to one.

    Parameters
    ----------
    values, population : ndarray, shape (n_years, n_regions)
        Persons.
    total : ndarray, shape (n_years,)
        Persons.
    mean, deviation : float
        Prior of the response.

    Returns
    -------
    ndarray, shape (n_regions,)
        They add up to one.
    """
    size = population[-1] / population[-1].sum()
    change = np.diff(1000.0 * values / population, axis=0)
    common = np.diff(1000.0 * total / population.sum(axis=1))
    response = np.full(values.shape[1], mean)
    for region in range(values.shape[1]):
        known = np.isfinite(change[:, region]) & np.isfinite(common)
        if known.sum() < 3:
            continue
        theirs, ours = common[known], change[known, region]
        for _ in range(_ITERATIONS):
            left = ours - response[region] * theirs
            scale = 1.4826 * float(np.median(np.abs(left))) + 1e-6
            weight = (_DEGREES + 1) / (_DEGREES + (left / scale) ** 2)
            precision = 1.0 / deviation**2 + float((weight * theirs**2).sum()) / scale**2
            pull = mean / deviation**2 + float((weight * theirs * ours).sum()) / scale**2
            response[region] = pull / precision
    found = response * size
    # What is missing or too much is laid on everyone by population.
    return np.asarray(found + (1.0 - found.sum()) * size)


@dataclass(frozen=True, eq=False)
class FittedGroup:
    """Regions of one country with their shares in its net.

    Attributes
    ----------
    shares : ndarray, shape (n_regions,)
    rest : ndarray, shape (n_years, n_regions)
        What is left of the nets beyond the shares, persons.
    rates : ndarray, shape (n_years, n_regions)
        The same per 1,000 inhabitants; in thousandths of a person without a population.
    floors : list of float
        Rounding of each region, in the unit of `rates`.
    """

    group: Group
    shares: np.ndarray
    rest: np.ndarray
    rates: np.ndarray
    floors: list[float]

    @property
    def width(self) -> int:
        """Number of regions."""
        return len(self.group.regions)

    def posterior(
        self, pool: SharedPrior, column: int, years: slice = slice(None)
    ) -> SeriesPosterior:
        """Return what a region says in some years, with the pool as prior."""
        breaks = self.group.breaks[years, column]
        return posterior(pool, self.rates[years, column], breaks, self.floors[column])

    @property
    def observed(self) -> int:
        """Years with the rest of every region, or of all but one."""
        return int(((~np.isnan(self.rest)).sum(axis=1) >= self.width - 1).sum())

    @property
    def anchored(self) -> bool:
        """Whether every region has a usable year since its last break."""
        return all(usable_since_break(series) > 0 for series in self.group.regions)


def pools(fits: Sequence[FittedGroup], stated: Mapping[str, Any]) -> list[SharedPrior]:
    """Learn what regions have in common, in the order of the groups.

    Rates of all countries make one pool. Regions without a population have no rates, and persons of
    two countries do not compare, so each such country is a pool of its own.

    Parameters
    ----------
    stated : mapping
        The table of ``models/internal.toml``.
    """
    nodes = Structural().nodes(None)  # type: ignore[arg-type]
    kinds = ["" if item.group.rated else f"{item.group.source} {item.group.country}"
             for item in fits]  # fmt: skip
    made = {}
    for kind in kinds:
        if kind not in made:
            alike = [item for item, theirs in zip(fits, kinds) if theirs == kind]
            made[kind] = learn(
                [item.rates[:, column] for item in alike for column in range(item.width)],
                [item.group.breaks[:, column] for item in alike for column in range(item.width)],
                [floor for item in alike for floor in item.floors],
                nodes,
                tuple(stated["discount"]),
                **stated["pooling"],
            )
    return [made[kind] for kind in kinds]


def fit_group(group: Group, response: Mapping[str, float]) -> FittedGroup:
    """Find the shares of regions, with the prior of their responses.

    Parameters
    ----------
    group : Group
        Regions that make up a country.
    response : mapping of str to float
        ``mean`` and ``deviation`` of the prior of responses, ``[response]`` of the TOML.
    """
    share = shares(
        group.values, group.population, group.total, response["mean"], response["deviation"]
    )
    rest = group.values - share * group.total[:, None]
    floors = [
        float(np.nan_to_num(series.precision[-1], nan=1.0)) / np.sqrt(12.0) * 1000.0 / people
        for series, people in zip(group.regions, group.population[-1])
    ]
    return FittedGroup(group, share, rest, 1000.0 * rest / group.population, floors)


def draw(
    series: Series,
    pool: SharedPrior,
    pool_of_rates: bool,
    last: int,
    n_draws: int,
    generator: np.random.Generator,
) -> np.ndarray:
    """Draw futures of one place with the liveliness of a pool, in persons.

    Parameters
    ----------
    pool_of_rates : bool
        Whether the pool's unit is persons per 1,000 inhabitants. Where it, or the series,
        is not, the pool's shocks are carried over relative to the level.
    last : int
        The last year wanted.

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
