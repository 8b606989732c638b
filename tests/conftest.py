"""Small panels that many tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.panel import Panel

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run in an empty folder, so that a careless relative path never lands in the checkout."""
    folder, before = tmp_path_factory.mktemp("elsewhere"), Path.cwd()
    os.chdir(folder)
    yield
    os.chdir(before)
    left = [path.name for path in folder.iterdir() if path.name != ".hypothesis"]
    assert left == [], "a test writes into the working directory"


@pytest.fixture
def shared() -> Path:
    """Folder with the source files; the test is skipped where they are absent."""
    if not SHARED.is_dir():
        pytest.skip("the source files (../shared/data) are not on this machine")
    return SHARED


def simulated(n_years: int = 30, seed: int = 3) -> pd.DataFrame:
    """Two countries with net migration and population, one with gross flows as well."""
    generator = np.random.default_rng(seed)
    years = np.arange(2024 - n_years + 1, 2025)
    rows = []
    for location, size in (("KAZ", 18e6), ("KGZ", 6e6)):
        population = size * np.exp(0.012 * np.arange(n_years))
        rate = np.cumsum(generator.normal(0, 0.8, n_years))
        rows.append(
            pd.DataFrame(
                {
                    "source": "un",
                    "location": location,
                    "measure": "net_migration",
                    "year": years,
                    "value": np.round(rate * population / 1000),
                    "population": population,
                }
            )
        )
    for measure, start in (("immigration", 9.5), ("emigration", 10.5)):
        rows.append(
            pd.DataFrame(
                {
                    "source": "register",
                    "location": "KAZ",
                    "measure": measure,
                    "year": years,
                    "value": np.round(np.exp(start + np.cumsum(generator.normal(0, 0.2, n_years)))),
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


@pytest.fixture
def table() -> pd.DataFrame:
    return simulated()


@pytest.fixture
def panel(table: pd.DataFrame) -> Panel:
    return Panel.from_frame(table)
