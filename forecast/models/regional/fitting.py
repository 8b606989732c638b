"""Regions of one country, fitted: their shares in its net and what is left of theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.exclusions import usable_since_break
from forecast.models.regional.data import Group
from forecast.models.regional.partial_pooling import Pool, learn
from forecast.models.regional.response import shares
from forecast.models.series.structural import Structural


@dataclass(frozen=True, eq=False)
class FittedGroup:
    """Regions of one country with their shares in its net.

    Attributes
    ----------
    group : Group
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

    @property
    def observed(self) -> int:
        """Years with the rest of every region, or of all but one."""
        return int(((~np.isnan(self.rest)).sum(axis=1) >= self.width - 1).sum())

    @property
    def anchored(self) -> bool:
        """Whether every region has a usable year since its last break."""
        return all(usable_since_break(series) > 0 for series in self.group.regions)


def pools(fits: Sequence[FittedGroup], stated: Mapping[str, Any]) -> list[Pool]:
    """Learn what regions have in common, in the order of the groups.

    Rates of all countries make one pool. Regions without a population have no rates, and persons of
    two countries do not compare, so each such country is a pool of its own.

    Parameters
    ----------
    fits : sequence of FittedGroup
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
                weight=stated["pooling"]["weight"],
                degrees=stated["pooling"]["degrees"],
            )
    return [made[kind] for kind in kinds]


def fit_group(group: Group, response: Mapping[str, float]) -> FittedGroup:
    """Find the shares of regions, with the prior of their responses."""
    share = shares(
        group.values, group.population, group.total, response["mean"], response["deviation"]
    )
    rest = group.values - share * group.total[:, None]
    floors = [
        float(np.nan_to_num(series.precision[-1], nan=1.0)) / np.sqrt(12.0) * 1000.0 / people
        for series, people in zip(group.regions, group.population[-1])
    ]
    return FittedGroup(group, share, rest, 1000.0 * rest / group.population, floors)
