"""Population, covariates and the stated facts."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd
from common import code, joined, ordered, read

#: The shelf that holds the tables.
SHELF = Path(__file__).resolve().parents[1]


def populations(folder: Path) -> pd.DataFrame:
    """Return the population of regions at 1 January."""
    parts = []
    for source, name, measure in (
        ("kz-bns", "kaz/kaz_region_population.csv", "population_1jan"),
        ("uz-stat", "uzb/uzb_region_population.csv", "population_jan1"),
        ("kg-nsc", "kgz/kgz_region_population.csv", "population_jan1"),
        ("tj-stat", "tjk/tjk_region_population.csv", "population_jan1"),
    ):
        table = read(folder, name)
        table = table[(table["measure"] == measure) & table["value"].notna()].copy()
        if source == "kz-bns":
            # Only present units: those that appear in the newest year.
            present = set(table.loc[table["year"] == table["year"].max(), "region_code"])
            table = table[table["region_code"].isin(present)]
        flags = table["flag"].tolist()
        starts = base_changes(table)
        parts.append(
            pd.DataFrame(
                {
                    "source": source,
                    "location": table["region_code"].map(code),
                    "measure": "population",
                    "year": table["year"],
                    "value": table["value"].astype(float),
                    "flag": [
                        joined(
                            "official" if "derived" not in flag else "derived",
                            "break" * bool(start),
                            "boundary_change" * ("boundaries_2024" in flag),
                        )
                        for flag, start in zip(flags, starts, strict=True)
                    ],
                    "precision": [100 if "rounded_100" in flag else 1 for flag in flags],
                    "as_of": table["year"].astype(str) + "-12-31",
                }
            )
        )
    return ordered(pd.concat(parts))


def base_changes(table: pd.DataFrame) -> list[bool]:
    """Whether a population stands on another census base than the one of the year before."""
    bases = [
        next((part for part in flag.split(";") if "census" in part or "level_shift" in part), "")
        for flag in table["flag"]
    ]
    frame = pd.DataFrame({"place": table["region_code"], "year": table["year"], "base": bases})
    before = frame.sort_values("year").groupby("place")["base"].shift()
    return (before.notna() & (before.reindex(frame.index) != frame["base"])).tolist()


def covariates(folder: Path) -> pd.DataFrame:
    """Wages, incomes, GDP, exchange rates and remittances."""
    parts = []
    for name in ("country_annual", "kaz_region_income", "kgz_region_economy"):
        table = read(folder, f"covariates/{name}.csv")
        table = table[table["measure"] != "wdi_net_migration"]
        places = (
            table["country_iso3"] if name == "country_annual" else table["region_code"].map(code)
        )
        parts.append(
            pd.DataFrame(
                {
                    "location": places,
                    **{c: table[c] for c in ("measure", "year", "value", "unit", "source")},
                }
            )
        )
    return pd.concat(parts).sort_values(["measure", "location", "year"], ignore_index=True)


def facts(folder: Path) -> pd.DataFrame:
    """Numbers stated by the reference paper, with what the offices say of them."""
    stated = read(folder, "facts/paper_facts.csv")
    verdicts = tomllib.loads((SHELF / "fact_checks.toml").read_text(encoding="utf-8"))
    table = pd.DataFrame(
        {
            "fact": stated["fact_id"],
            "location": stated["country_iso3"],
            "place": stated["region"],
            "period": stated["period"],
            "measure": stated["measure"],
            "counterpart": stated["counterpart"],
            "value": stated["value"],
            "unit": stated["unit"].str.replace(r' \("almost 20%"\)', "", regex=True),
            "cited": stated["cited_source"],
        }
    )
    return table.assign(
        agreement=[
            verdicts.get(fact, {}).get("agreement", "not checked") for fact in table["fact"]
        ],
        remark=[verdicts.get(fact, {}).get("remark", "") for fact in table["fact"]],
    )
