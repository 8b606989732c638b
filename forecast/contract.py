"""What a model is: `fit(panel, seed)` gives a fitted model, which gives a Forecast."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

import pandas as pd

from forecast.errors import DataError
from forecast.outlook import Forecast
from forecast.panel import Panel

#: Columns of `Forecast.notes`.
NOTE_COLUMNS = (
    "source",
    "location",
    "measure",
    "origin",
    "observations",
    "status",
    "reason",
    "scale",
    "population",
    "flags",
)
#: Values of the column ``status``.
FORECAST, NOT_FORECAST = "forecast", "not forecast"


@runtime_checkable
class FittedModel(Protocol):
    """A model that has seen a panel."""

    @property
    def diagnostics(self) -> pd.DataFrame:
        """One row per series or parameter: what was estimated, and whether it can be trusted."""
        ...

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        """Simulate the years after the data.

        Parameters
        ----------
        years : sequence of int
            Target years, each after the data of at least one series.
        draws : int
            Number of simulated futures; draw *i* is the same world in every series.

        Returns
        -------
        Forecast
        """
        ...


@runtime_checkable
class Model(Protocol):
    """A way to forecast; an object with a `name` and a `fit` method."""

    name: str

    def fit(self, panel: Panel, seed: int) -> FittedModel:
        """Learn from a panel.

        Parameters
        ----------
        panel : Panel
            Everything the model may know; nothing else is looked at.
        seed : int
            Source of all randomness, in the fit and in the draws.
        """
        ...


def check_years(panel: Panel, years: Sequence[int]) -> tuple[int, ...]:
    """Return the target years sorted, or say why they cannot be forecast.

    Raises
    ------
    DataError
        If a year is not after the data, too far ahead, or not on the panel's step.
    """
    years = list(years) if isinstance(years, Iterable) else [years]
    if not all(hasattr(year, "__index__") and not isinstance(year, bool) for year in years):
        raise DataError(f"horizons are {years!r}; give calendar years such as (2025, 2027, 2030).")
    wanted = tuple(sorted({int(year) for year in years}))
    if not wanted:
        raise DataError("no horizons given. Name at least one calendar year, such as 2030.")
    earliest = min(series.origin for series in panel)
    latest = max(series.origin for series in panel)
    if wanted[0] <= earliest:
        raise DataError(
            f"horizon {wanted[0]} is not after the data, which end in {earliest}. "
            f"Ask for {earliest + panel.step} or later, or cut the data with panel.until(year)."
        )
    if wanted[-1] > latest + 50 * panel.step:
        raise DataError(
            f"horizon {wanted[-1]} is {wanted[-1] - latest} years after the data ({latest}). "
            "No migration series supports more than 50 steps; ask for an earlier year."
        )
    if panel.step > 1:
        for series in panel:
            off = [year for year in wanted if (year - series.origin) % panel.step]
            if off:
                raise DataError(
                    f"horizon {off[0]} is not the first year of a {panel.step}-year period of "
                    f"{series.location} (last period: {series.origin}). "
                    f"Ask for {series.origin + panel.step}, {series.origin + 2 * panel.step}, ..."
                )
    return wanted
