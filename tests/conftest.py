"""Small panels and models that many tests share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

# Before anything is compiled: compiled code is kept from one test run to the next.
os.environ.setdefault(
    "NUMBA_CACHE_DIR", str(Path(__file__).resolve().parents[1] / ".pytest_cache" / "numba")
)

import numpy as np
import pandas as pd
import pytest

from forecast.contract import FORECAST, NOTE_COLUMNS
from forecast.models.assembly import assemble
from forecast.models.run import forecast
from forecast.models.series.structural import RandomWalk
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.scores import _scoringrules

# Before a test imports scoringrules itself and each worker compiles kernels that nothing uses.
_scoringrules()

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


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the tests out of the user's cache; processes that they start inherit this."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORECAST_CACHE", str(folder))
        yield folder


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
