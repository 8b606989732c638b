"""One forecast with everything a report has to cope with."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.backtests.run import backtest
from forecast.backtests.table import Track
from forecast.models.run import forecast
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.reports.language import Language, language
from forecast.reports.subject import Subject, subjects

HOSTILE = "<script>alert('$x^2$')</script> \"مصدر\" & " + "very-long-name-" * 12


def rows(
    source: str, location: str, measure: str, years: range, values: np.ndarray, **more: object
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "source": source,
            "location": location,
            "measure": measure,
            "year": list(years),
            "value": np.round(values),
            **more,
        }
    )


@pytest.fixture(scope="session")
def varied() -> Panel:
    """A UN series in two releases, registers, regions with flags, a short and a late series."""
    generator = np.random.default_rng(11)

    def walk(n: int, level: float, spread: float) -> np.ndarray:
        return level + np.cumsum(generator.normal(0, spread, n))

    years = range(1990, 2024)
    net = walk(len(years), -8_000, 6_000)
    flag = ["interpolated" if 2003 <= year <= 2005 else "estimate" for year in years]
    tables = [
        rows("un-wpp", "KAZ", "net_migration", years, net, flag=flag, as_of="2024-07-11"),
        rows(
            "un-wpp", "KAZ", "net_migration", years[:-2], net[:-2] * 0.7 - 900, as_of="2022-07-11"
        ),
        rows("un-wpp", "TKM", "net_migration", years, walk(len(years), 60_000, 900)),
        rows("kz-bns", "KAZ", "net_migration", range(1995, 2025), walk(30, 2_000, 3_000)),
        rows("kz-bns", "KAZ", "immigration", range(1995, 2025), 9_000 * np.exp(walk(30, 0, 0.1))),
        rows(HOSTILE, "KAZ", "emigration", range(1995, 2026), 7_000 * np.exp(walk(31, 0, 0.1))),
        rows("kg-nsc", "KGZ", "immigration", range(2020, 2025), walk(5, 5_000, 400)),
    ]
    for region in ("KZ-11", "KZ-15", "KZ-61+KZ-79"):
        values = walk(25, -3_000, 700)
        flags = ["outlier" if year == 2016 else "" for year in range(2000, 2025)]
        table = rows(
            "kz-bns-balance", region, "net_all_flows", range(2000, 2025), values, flag=flags
        )
        table.loc[table["year"] == 2021, ["value", "flag"]] = [np.nan, "census_rebasing"]
        if region == "KZ-11":
            table.loc[table["year"] == 2010, "flag"] = "break"
        tables.append(table)
    return Panel.from_frame(pd.concat(tables, ignore_index=True))


@pytest.fixture(scope="session")
def outlook(varied: Panel) -> Forecast:
    return forecast(varied, model="naive", draws=400)


@pytest.fixture(scope="session")
def known(outlook: Forecast) -> dict[tuple[str, str, str], Subject]:
    return {subject.key: subject for subject in subjects(outlook)}


@pytest.fixture(params=["en", "ru"])
def words(request: pytest.FixtureRequest) -> Language:
    return language(request.param)


@pytest.fixture(scope="session")
def track(varied: Panel) -> Track:
    return backtest(
        varied, ["naive", "mean"], range(2006, 2020), (1, 3), draws=100, jobs=1, joint=False
    )


@pytest.fixture(scope="session")
def judged(varied: Panel) -> Forecast:
    """The forecast of a model that the track covers and judges."""
    return forecast(varied, model="mean", draws=400)
