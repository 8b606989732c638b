"""No series, however strange, ends in a traceback, an infinite draw or a count below zero."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast.errors import ForecastError
from forecast.panel import Panel

YEARS = np.arange(1995, 2025)
N = len(YEARS)
MEASURES = ("net_migration", "immigration", "emigration", "net_all_flows", "internal_net")


def _noise(scale: float = 1000.0) -> np.ndarray:
    return np.random.default_rng(11).normal(0.0, scale, N)


def _spike() -> np.ndarray:
    return np.where(YEARS == 2010, 1e6, 0.0)


def _gaps() -> np.ndarray:
    return np.where(np.arange(N) % 3 == 0, _noise(), np.nan)


def _last_only() -> np.ndarray:
    return np.where(np.arange(N) >= N - 2, [0.0] * (N - 1) + [7.0], np.nan)


def _alternating() -> np.ndarray:
    return np.where(np.arange(N) % 2, 1000.0, -1000.0)


#: Name -> values, population and flag of each year.
SERIES: dict[str, Callable[[], tuple[np.ndarray, float, str]]] = {
    "constant": lambda: (np.full(N, 500.0), 1e6, ""),
    "zeros": lambda: (np.zeros(N), 1e6, ""),
    "one spike": lambda: (_spike(), 1e6, ""),
    "a spike at the end": lambda: (np.where(YEARS == 2024, 1e6, 3.0), 1e6, ""),
    "huge": lambda: (_noise(1e11), 1e9, ""),
    "tiny": lambda: (_noise(1e-9), 1e6, ""),
    "tiny population": lambda: (_noise(), 1e-300, ""),
    "population of one": lambda: (_noise(), 1.0, ""),
    "huge population": lambda: (_noise(), 1e300, ""),
    "gaps": lambda: (_gaps(), 1e6, ""),
    "two points": lambda: (_last_only(), 1e6, ""),
    "alternating": lambda: (_alternating(), 1e6, ""),
    "a break every year": lambda: (_noise(), 1e6, "break"),
    "an outlier every year": lambda: (_noise(), 1e6, "outlier"),
    "interpolated": lambda: (np.linspace(-1e4, 1e4, N), 1e6, "interpolated"),
    "a straight line": lambda: (np.linspace(1.0, 3e5, N), 1e6, ""),
    "doubling": lambda: (2.0 ** np.arange(N), 1e6, ""),
    "two levels": lambda: (np.where(YEARS < 2010, 1.0, 1e6), 1e6, ""),
    "constant, then not": lambda: (np.where(YEARS < 2020, 0.0, _noise()), 1e6, ""),
    "zeros and ones": lambda: ((np.arange(N) % 2).astype(float), 1e6, ""),
}


def hostile(name: str) -> Panel:
    """Return one strange series under every measure that models look for."""
    values, population, flag = SERIES[name]()
    tables = []
    for measure in MEASURES:
        counted = np.abs(values) if measure in ("immigration", "emigration") else values
        tables.append(
            pd.DataFrame(
                {
                    "location": "KAZ",
                    "measure": measure,
                    "year": YEARS,
                    "value": counted,
                    "population": population,
                    "flag": flag,
                }
            )
        )
    return Panel.from_frame(pd.concat(tables).dropna(subset=["value"]))


def check(model: str, name: str) -> None:
    """Forecast, or be told why not; draws are finite and counts not below zero."""
    try:
        panel = hostile(name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outlook = fc.forecast(panel, model, horizons=(2026, 2030), draws=100, seed=1)
    except ForecastError:
        return
    draws = outlook.draws
    assert np.isfinite(draws.to_numpy()).all()
    counts = np.isin(draws["measure"].to_numpy(), ["immigration", "emigration"])
    assert (draws.isel(series=counts).to_numpy() >= 0).all()


QUICK = ("naive", "drift", "mean", "ets", "theta", "arima", "level", "ar", "structural", "pooled")
HEAVY = ("regression", "hierarchical", "flows", "internal", "coherent", "ensemble")


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("model", QUICK)
def test_quick_models_take_every_series(model: str, name: str) -> None:
    check(model, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("model", HEAVY)
def test_heavy_models_take_every_series(model: str, name: str) -> None:
    check(model, name)


@pytest.mark.parametrize("model", ["naive", "ets", "structural", "mean", "theta", "arima"])
@pytest.mark.parametrize("name", ["a slip at the end", "doubling"])
def test_no_more_come_than_live_there(model: str, name: str) -> None:
    steady = 1000.0 + np.abs(_noise(100.0))
    values = {
        "a slip at the end": np.r_[steady[:-1], 1e3 * steady[-1]],
        "doubling": 2.0 ** np.arange(N),
    }
    panel = Panel.from_frame(
        pd.DataFrame(
            {"location": "KGZ", "measure": "immigration", "year": YEARS, "value": values[name],
             "population": 7e6}
        )
    )  # fmt: skip
    drawn = fc.forecast(panel, model=model, horizons=(2030,), draws=500).draws
    assert float(drawn.max()) <= 7e6 * (1 + 1e-9)
