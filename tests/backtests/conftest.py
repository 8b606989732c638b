"""Panels and models that the backtest tests share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest

from forecast.contract import FORECAST, NOTE_COLUMNS
from forecast.models.assembly import assemble
from forecast.models.series.naive import RandomWalk
from forecast.outlook import Forecast
from forecast.panel import Panel

CODES = ("KAZ", "KGZ", "TJK", "TKM", "UZB")


def small_panel(n_years: int = 30, n_locations: int = 3, seed: int = 5) -> Panel:
    """Random walks of net migration with population, ending in 2023."""
    generator = np.random.default_rng(seed)
    years = np.arange(2024 - n_years, 2024)
    pieces = []
    for code in CODES[:n_locations]:
        walk = np.cumsum(generator.normal(0, 4000, n_years))
        pieces.append(
            pd.DataFrame(
                {
                    "source": "test",
                    "location": code,
                    "measure": "net_migration",
                    "year": years,
                    "value": np.round(walk),
                    "population": np.round(8e6 * 1.01 ** np.arange(n_years)),
                }
            )
        )
    return Panel.from_frame(pd.concat(pieces, ignore_index=True))


class Normal:
    """Says N(0, spread) for every year, whatever it saw."""

    def __init__(self, name: str = "normal", spread: float = 1.0, shift: float = 0.0) -> None:
        self.name, self.spread, self.shift = name, spread, shift

    def fit(self, panel: Panel, seed: int) -> _FittedNormal:
        return _FittedNormal(self, panel, seed)


class _FittedNormal:
    def __init__(self, model: Normal, panel: Panel, seed: int) -> None:
        self.model, self.panel, self.seed = model, panel, seed

    @property
    def diagnostics(self) -> pd.DataFrame:
        return pd.DataFrame()

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        generator = np.random.default_rng(self.seed)
        drawn, notes = {}, []
        for series in self.panel:
            ahead = max(years) - series.origin
            paths = generator.normal(self.model.shift, self.model.spread, (draws, ahead))
            drawn[series.key] = paths
            notes.append((*series.key, series.origin, 1, FORECAST, "", "", "", ""))
        table = pd.DataFrame(notes, columns=list(NOTE_COLUMNS))
        name = self.model.name
        return assemble(self.panel, drawn, tuple(years), table, model=name, seed=self.seed)


class BreaksIn(RandomWalk):
    """A random walk that raises when the data end in one year."""

    name = "breaks"

    def __init__(self, year: int = 2010) -> None:
        self.year = year

    def fit(self, panel: Panel, seed: int):  # type: ignore[no-untyped-def]
        if panel.origin == self.year:
            raise ZeroDivisionError("no year is like this one")
        return super().fit(panel, seed)


@pytest.fixture
def walks() -> Callable[..., Panel]:
    """Make panels of random walks."""
    return small_panel


@pytest.fixture
def normal() -> type[Normal]:
    return Normal


@pytest.fixture
def breaks_in() -> type[BreaksIn]:
    return BreaksIn
