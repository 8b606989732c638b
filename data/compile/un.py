"""The United Nations: estimates by vintage, projections, denominators."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from common import COUNTRIES, joined, ordered, read

from forecast.data.wpp import RELEASED

#: Last period or year that was still running, or partly extrapolated, at release.
UNFINISHED = {2008: 2005, 2010: 2005, 2015: 2010, 2019: 2015, 2022: 2021, 2024: 2023}


def interpolated(values: np.ndarray, rounding: float) -> np.ndarray:
    """Mark years that lie exactly on the line through their neighbours, within rounding."""
    marked = np.zeros(len(values), dtype=bool)
    marked[1:-1] = np.abs(np.diff(values, 2)) <= 2 * rounding
    return marked


def un_annual(folder: Path) -> pd.DataFrame:
    """UN net migration by calendar year, vintages 2022 and 2024."""
    parts = []
    for vintage, ending in ((2022, ".csv"), (2024, ".csv.gz")):
        net = read(folder, f"wpp/wpp{vintage}_net_migration{ending}")
        people = read(folder, f"wpp/wpp{vintage}_population.csv.gz")
        table = net.merge(people, on=["iso3", "year"], suffixes=("", "_people"))
        table = table[table["iso3"].isin(COUNTRIES) & (table["kind"] == "estimate")]
        for location, rows in table.groupby("iso3"):
            values = 1000 * rows["net_migration_thousands"].to_numpy()
            on_a_line = interpolated(values, 1.0)
            last = rows["year"].to_numpy() == UNFINISHED[vintage]
            parts.append(
                pd.DataFrame(
                    {
                        "source": "un-wpp",
                        "location": location,
                        "measure": "net_migration",
                        "year": rows["year"].to_numpy(),
                        "value": values.round(),
                        "population": (1000 * rows["population_midyear_thousands"]).to_numpy(),
                        "flag": [
                            joined("estimate", "interpolated" * i, "provisional" * p)
                            for i, p in zip(on_a_line.tolist(), last.tolist())
                        ],
                        "precision": 1,
                        "as_of": RELEASED[vintage],
                    }
                )
            )
    return ordered(pd.concat(parts))


def un_five_year(folder: Path) -> pd.DataFrame:
    """UN net migration summed over five-year periods, vintages 2008 to 2019."""
    table = read(folder, "wpp/wpp_all_vintages_5year.csv.gz")
    wanted = table["iso3"].isin(COUNTRIES) & (table["kind"] == "estimate")
    table = table[wanted & (table["vintage"] <= 2019)]
    unfinished = table["period_start"] == table["vintage"].map(UNFINISHED)
    return ordered(
        pd.DataFrame(
            {
                "source": "un-wpp",
                "location": table["iso3"],
                "measure": "net_migration",
                "year": table["period_start"],
                "value": (1000 * table["net_migration_thousands"]).round(),
                "population": 1000 * table["population_avg_thousands"],
                "flag": np.where(unfinished, "estimate;provisional", "estimate"),
                "precision": 1,
                "as_of": table["vintage"].map(RELEASED),
            }
        )
    )


def un_projection(folder: Path) -> pd.DataFrame:
    """Return the UN's own projection of net migration and mid-year population to 2035."""
    parts = []
    for vintage, ending in ((2022, ".csv"), (2024, ".csv.gz")):
        net = read(folder, f"wpp/wpp{vintage}_net_migration{ending}")
        people = read(folder, f"wpp/wpp{vintage}_population.csv.gz")
        table = net.merge(people, on=["iso3", "year"], suffixes=("", "_people"))
        wanted = table["iso3"].isin(COUNTRIES) & (table["kind"] == "projection")
        table = table[wanted & (table["year"] <= 2035)]
        figures = {"value": "net_migration_thousands", "population": "population_midyear_thousands"}
        for level in (80, 95):
            for side, end in (("lower", "low"), ("upper", "high")):
                figures[f"{side}_{level}"] = f"net_migration_pi{level}_{end}_thousands"
        part = pd.DataFrame(
            {"source": "un-wpp", "location": table["iso3"], "year": table["year"]}
        ).assign(as_of=RELEASED[vintage])
        for ours, theirs in figures.items():
            part[ours] = (1000 * table[theirs]).round() if theirs in table else np.nan
        parts.append(part)
    columns = ["source", "location", "year", "as_of", *figures]
    both = pd.concat(parts)[columns]
    return both.sort_values(["location", "as_of", "year"], ignore_index=True)


def denominators(folder: Path) -> pd.Series:
    """UN mid-year population (WPP 2024; 2024 and later projected), in persons."""
    people = read(folder, "wpp/wpp2024_population.csv.gz")
    people = people[people["iso3"].isin(COUNTRIES) & (people["year"] <= 2025)]
    return 1000 * people.set_index(["iso3", "year"])["population_midyear_thousands"]
