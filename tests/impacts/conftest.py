"""A panel of countries with simulated net migration, and the impact of an event on one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.impacts.result import Impact
from forecast.impacts.run import impact
from forecast.panel import Panel

CODES = ("KAZ", "KGZ", "TJK", "TKM", "UZB")


def frame(n_years: int = 28, seed: int = 5, codes: tuple[str, ...] = CODES) -> pd.DataFrame:
    rows = []
    for number, code in enumerate(codes):
        shocks = np.random.default_rng([seed, number]).normal(size=n_years)
        rows.append(
            pd.DataFrame(
                {
                    "source": "un",
                    "location": code,
                    "measure": "net_migration",
                    "year": np.arange(2024 - n_years + 1, 2025),
                    "value": np.round(10_000 * shocks.cumsum()),
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def moved(table: pd.DataFrame, by: float, code: str = "KAZ", start: int = 2023) -> pd.DataFrame:
    """The same table with an effect of known size on one country."""
    hit = (table["location"] == code) & (table["year"] >= start)
    return table.assign(value=table["value"].where(~hit, table["value"] + by))


#: A random walk for a random walk; the default model is tried where it matters.
EVENT = {
    "location": "KAZ",
    "measure": "net_migration",
    "source": "un",
    "start": 2023,
    "model": "naive",
}


@pytest.fixture(scope="session")
def calm() -> Panel:
    return Panel.from_frame(frame())


@pytest.fixture(scope="session")
def nothing(calm: Panel) -> Impact:
    return impact(calm, **EVENT, draws=300)


@pytest.fixture(scope="session")
def large() -> Impact:
    return impact(Panel.from_frame(moved(frame(), 150_000)), **EVENT, draws=300)
