"""The panels of the benchmarks: what each holds, and which origins may be looked at for choices.

Choices are made on early origins of the world alone; all else is reported and nothing is chosen on
it. Panels that are not shipped are read from the folder of gathered figures (``--shared``).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import babel
import pandas as pd
import pycountry

import forecast as fc
from forecast.contract import Model
from forecast.data import wpp_bulk
from forecast.panel import Panel

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Benchmark:
    """A panel with the origins and horizons that are reported on it.

    Attributes
    ----------
    read : callable
        Makes the panel from the folder of gathered figures.
    origins : tuple of int
        Reported; no choice uses an outcome after them.
    horizons : tuple of int
    per : str
        Unit of the averages.
    models : tuple of str
        Those that forecast so short a past; without any, all that are asked for.
    """

    read: Callable[[Path], Panel]
    origins: tuple[int, ...]
    horizons: tuple[int, ...]
    per: str = "1000"
    models: tuple[str, ...] = ()


def world(shared: Path, least: float = 100_000) -> Panel:
    """The world with the peer's rate: net migration over the population without it."""
    flows = pd.read_csv(shared / "data/wpp/wpp2024_net_migration.csv.gz")
    people = pd.read_csv(shared / "data/wpp/wpp2024_population.csv.gz")
    table = flows[flows["kind"] == "estimate"].merge(
        people[["iso_numeric", "year", "population_dec31_thousands"]], on=["iso_numeric", "year"]
    )
    end = table["population_dec31_thousands"]
    large = table.loc[(table["year"] == 2014) & (end >= least / 1000), "iso_numeric"]
    kept = table[table["iso_numeric"].isin(large)].reset_index(drop=True)
    people_without = kept["population_dec31_thousands"] - kept["net_migration_thousands"]
    return Panel.from_frame(
        pd.DataFrame(
            {
                "source": "un-wpp",
                "location": wpp_bulk.codes(kept["iso_numeric"], kept["iso3"]),
                "measure": "net_migration",
                "year": kept["year"],
                "value": kept["net_migration_thousands"] * 1000,
                "population": people_without * 1000,
                "precision": 1.0,
            }
        ),
        step=1,
    )


def registers(shared: Path) -> Panel:
    """Registered net migration of fourteen European countries."""
    table = pd.read_csv(ROOT / "benchmarks/data/registers.csv").melt("location", var_name="year")
    people = pd.read_csv(shared / "data/wpp/wpp2024_population.csv.gz")
    people = people.rename(columns={"iso3": "location"})
    table = table.astype({"year": int}).merge(
        people[["location", "year", "population_midyear_thousands"]], on=["location", "year"]
    )
    table["population"] = table.pop("population_midyear_thousands") * 1000.0
    table = table.dropna(subset="value").assign(source="registers", measure="net_migration")
    return Panel.from_frame(table, step=1)


def states(_: Path) -> Panel:
    """Net migration of the states of the United States: rates, so of a million inhabitants."""
    table = pd.read_csv(ROOT / "benchmarks/data/us_states.csv").melt("location", var_name="year")
    table = table.assign(
        value=table["value"] * 1000.0, population=1e6, source="states", measure="net_migration"
    )
    return Panel.from_frame(table.astype({"year": int}), step=1)


def german_partners(shared: Path) -> Panel:
    """Arrivals in Germany from, and departures to, each country: counts, 2008-2019 with gaps."""
    table = pd.read_csv(shared / "data/corridors/deu_annual_migration_by_partner_2008_2019.csv")
    german = babel.Locale("de").territories
    named = {
        german[one.alpha_2]: one.alpha_3 for one in pycountry.countries if one.alpha_2 in german
    }
    table["iso3"] = table["iso3"].fillna(table["partner_de"].map(named))
    table = table.dropna(subset="iso3").melt(
        ["year", "iso3"], ["arrivals", "departures"], "measure", "value"
    )
    names = {"arrivals": "immigration", "departures": "emigration"}
    table["measure"] = table["measure"].map(names)
    table = table.dropna(subset="value").rename(columns={"iso3": "location"})
    summed = table.groupby(["location", "measure", "year"], as_index=False)["value"].sum()
    counts = summed.groupby(["location", "measure"])["value"].transform("min")
    return Panel.from_frame(summed[counts >= 50].assign(source="destatis"), step=1)


#: Rows of Russia whose people are counted in another row (districts, the country, regions around
#: autonomous districts), or to which ISO 3166-2 gives no code of Russia.
_NOT_A_REGION = (
    r"федеральный округ|^Российская Федерация|^Архангельская область$|^Тюменская область$"
    r"|Крым|Севастополь"
)
_LATIN = str.maketrans("абвгдеёзийклмнопрстуфыэ", "abvgdeeziyklmnoprstufye", "ьъ")
_LATIN |= str.maketrans(
    {"ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ю": "yu", "я": "ya"}
)


def _latin_words(name: str) -> str:
    """Return the words of a name in Latin letters, sorted: names differ in the order of them."""
    latin = name.lower().translate(_LATIN)
    return " ".join(sorted(re.findall("[a-z]+", latin.replace("'", ""))))


def russian_regions(shared: Path) -> Panel:
    """Arrivals, departures and net of the regions of Russia, internal and external, 2017-2023."""
    table = pd.read_csv(shared / "data/corridors/rus_region_arrivals_departures_2017_2023.csv")
    table = table[(table["sex_ru"] == "Всего") & ~table["region_ru"].str.contains(_NOT_A_REGION)]
    coded = {
        _latin_words(one.name): one.code for one in pycountry.subdivisions.get(country_code="RU")
    }
    plain = table["region_ru"].str.replace(r"\(.*|^Город |(столица|город) .*", "", regex=True)
    nearest = {
        name: difflib.get_close_matches(_latin_words(name), coded, 1)[0] for name in plain.unique()
    }
    table["location"] = plain.map(nearest).map(coded)
    names = {"arrivals": "immigration", "departures": "emigration", "net": "net_migration"}
    table = table.rename(columns=names).melt(["location", "year"], names.values(), "measure")
    return Panel.from_frame(table.assign(source="rosstat"), step=1)


def regions(source: str) -> Callable[[Path], Panel]:
    """All flows of the regions of one country, from the package's own tables."""

    def read(_: Path) -> Panel:
        return fc.load("central-asia").select(source=source, measure="net_all_flows")

    return read


PANELS = {
    "world": Benchmark(world, (1998, 2003, 2008, 2013, 2016), tuple(range(1, 11))),
    "registers": Benchmark(registers, tuple(range(2006, 2021)), (1, 3, 5, 7)),
    "german-partners": Benchmark(german_partners, (2016, 2017, 2018), (1, 2, 3), "scale"),
    "russian-regions": Benchmark(
        russian_regions, (2020, 2021, 2022), (1, 2, 3), "scale", ("flows", "ensemble")
    ),
    "states": Benchmark(states, tuple(range(2009, 2017)), (1, 3, 5)),
    "kazakh-regions": Benchmark(
        regions("kz-bns-balance"), tuple(range(2009, 2024)), (1, 3, 5, 7), "scale"
    ),
    "uzbek-regions": Benchmark(
        regions("uz-stat-balance"), tuple(range(2018, 2024)), (1, 3, 5), "scale"
    ),
}


def peers() -> list[Model]:
    """statsforecast's automatic models, if they are installed."""
    try:
        from statsforecast_models import automatic
    except ImportError:
        return []
    return automatic()
