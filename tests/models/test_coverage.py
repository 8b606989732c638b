"""Do intervals of short series cover what they say? Simulation from the matching model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from forecast.models.registry import model
from forecast.panel import Panel

N_YEARS, HORIZONS = 25, (1, 3, 7)
Simulator = Callable[[np.random.Generator, int], np.ndarray]


def random_walk(generator: np.random.Generator, n: int) -> np.ndarray:
    return generator.normal(size=n).cumsum()


def local_level(generator: np.random.Generator, n: int) -> np.ndarray:
    return np.sqrt(0.5) * generator.normal(size=n).cumsum() + generator.normal(size=n)


def autoregression(generator: np.random.Generator, n: int) -> np.ndarray:
    values = np.empty(n)
    values[0] = generator.normal() / np.sqrt(1 - 0.7**2)
    for year in range(1, n):
        values[year] = 0.7 * values[year - 1] + generator.normal()
    return values


def coverage(name: str, simulate: Simulator, replicates: int) -> dict[tuple[int, int], float]:
    """Return the share of futures inside the interval by (horizon, level in per cent)."""
    inside = {(h, level): 0 for h in HORIZONS for level in (80, 95)}
    for replicate in range(replicates):
        generator = np.random.default_rng([2024, replicate])
        path = 1000.0 * simulate(generator, N_YEARS + max(HORIZONS))
        years = np.arange(2000, 2000 + N_YEARS)
        table = pd.DataFrame(
            {
                "location": "KAZ",
                "measure": "net_migration",
                "year": years,
                "value": path[:N_YEARS],
            }
        )
        fitted = model(name).fit(Panel.from_frame(table), replicate)
        outlook = fitted.forecast([2024 + h for h in HORIZONS], 1000)
        for level in (80, 95):
            intervals = outlook.intervals(level / 100)
            for h, lower, upper in zip(HORIZONS, intervals["lower"], intervals["upper"]):
                inside[h, level] += lower <= path[N_YEARS + h - 1] <= upper
    return {cell: count / replicates for cell, count in inside.items()}


CASES = [("naive", random_walk), ("ar", autoregression), ("level", local_level)]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "simulate"), CASES)
def test_intervals_cover_what_they_say(name: str, simulate: Simulator) -> None:
    covered = coverage(name, simulate, 2000)
    for (horizon, level), share in covered.items():
        lowest, highest = (0.77, 0.83) if level == 80 else (0.93, 0.97)
        assert lowest <= share <= highest, (name, horizon, level, covered)


@pytest.mark.parametrize(
    ("name", "simulate", "replicates"),
    [
        *(pytest.param(*case, 150, marks=pytest.mark.thorough) for case in CASES),
        (*CASES[-1], 50),
    ],
)
def test_intervals_cover_in_a_small_study(name: str, simulate: Simulator, replicates: int) -> None:
    """The same with few replicates and bounds four standard errors wide."""
    for (_, level), share in coverage(name, simulate, replicates).items():
        expected = level / 100
        error = np.sqrt(expected * (1 - expected) / replicates)
        assert abs(share - expected) < 4 * error + 0.01


def test_plug_in_intervals_would_be_too_narrow() -> None:
    """Why parameters are averaged over: a normal interval with an estimated scale falls short."""
    inside = 0
    for replicate in range(4000):
        generator = np.random.default_rng([7, replicate])
        path = generator.normal(size=9).cumsum()
        spread = np.sqrt((np.diff(path[:8]) ** 2).mean())
        inside += abs(path[8] - path[7]) <= 1.2816 * spread
    assert inside / 4000 < 0.78
