"""Regions of one country, fitted: their shares in its net and what is left of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from forecast.models.regional.data import Group
from forecast.models.regional.response import shares


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
        The same per 1,000 inhabitants.
    floors : list of float
        Rounding of each region, per 1,000 inhabitants.
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
