"""Net migration of regions, from balances and from internal moves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from common import MEASURES, code, joined, ordered, read

#: Units of constant area whose parts are series of their own.
OVERLAPPING = ["KZ-19+KZ-33+KZ-75", "UZ-BU+UZ-NW", "UZ-TK+UZ-TO"]


def mid_year(first: pd.Series, next_first: pd.Series, rebased: np.ndarray) -> np.ndarray:
    """Mean of two 1 January populations; the first alone where the second is on another base."""
    middle = (first + next_first) / 2
    return np.where(rebased | next_first.isna(), first, middle)


def kazakh_regions(folder: Path) -> pd.DataFrame:
    """Net of all flows of 16 Kazakh regions with constant boundaries."""
    table = read(folder, "kaz/kaz_region16_net_migration.csv")
    table["location"] = table["region_code"].map(code)
    net = table[table["measure"] == "net_all_flows"].copy()
    people = table[table["measure"] == "population_1jan"].set_index(["location", "year"])["value"]
    newest = read(folder, "kaz/kaz_region_population.csv")
    newest = newest[(newest["measure"] == "population_1jan") & (newest["year"] == 2025)]
    newest = newest.set_index("region_code")["value"]
    for place in people.index.get_level_values("location").unique():
        people.loc[(place, 2025)] = newest[place.split("+")].sum()
    official = net["flag"] == "official"
    net["rebased"] = net["year"].isin([2008, 2021]) | (
        (net["year"] == 2014) & net["location"].isin(["KZ-75", "KZ-19+KZ-33"])
    )
    keys = pd.MultiIndex.from_frame(net[["location", "year"]])
    following = pd.MultiIndex.from_arrays([net["location"], net["year"] + 1])
    flags = []
    for year, empty, is_official, theirs in zip(
        net["year"], net["value"].isna(), official, net["flag"], strict=True
    ):
        missing = "boundary_change" if year == 2014 else "census_rebasing"
        flags.append(
            joined(
                missing if empty else "official" if is_official else "derived",
                "combined" * (theirs == "combined"),
                "outlier" * (year == 2016),
            )
        )
    return ordered(
        pd.DataFrame(
            {
                "source": "kz-bns-balance",
                "location": net["location"],
                "measure": "net_all_flows",
                "year": net["year"],
                "value": net["value"].astype(float),
                "population": mid_year(
                    people.reindex(keys).reset_index(drop=True).set_axis(net.index),
                    people.reindex(following).reset_index(drop=True).set_axis(net.index),
                    net["rebased"].to_numpy(),
                ),
                "flag": flags,
                "precision": 1,
                "as_of": (net["year"] + 1).astype(str) + "-12-31",
            }
        )
    )


def kazakh_parts(folder: Path) -> pd.DataFrame:
    """Net of all flows of the regions that arose from splits, since their figures exist."""
    table = read(folder, "kaz/kaz_region_net_migration.csv")
    merged = read(folder, "kaz/kaz_region16_net_migration.csv")["region_code"].unique()
    parts = {part for place in merged if place.count("+") == 1 for part in place.split("+")}
    net = table[table["region_code"].isin(parts) & (table["measure"] == "net_all_flows")]
    people = read(folder, "kaz/kaz_region_population.csv")
    people = people[people["measure"] == "population_1jan"].set_index(["region_code", "year"])
    first = [
        people["value"].get((place, year), np.nan)
        for place, year in zip(net["region_code"], net["year"], strict=True)
    ]
    following = [
        people["value"].get((place, year + 1), np.nan)
        for place, year in zip(net["region_code"], net["year"], strict=True)
    ]
    empty = net["value"].isna().to_numpy()
    official = (net["flag"] == "official").to_numpy()
    middle = mid_year(pd.Series(first), pd.Series(following), empty)
    return ordered(
        pd.DataFrame(
            {
                "source": "kz-bns-balance",
                "location": net["region_code"].to_numpy(),
                "measure": "net_all_flows",
                "year": net["year"].to_numpy(),
                "value": net["value"].astype(float).to_numpy(),
                "population": middle,
                "flag": [
                    "census_rebasing" if gap else "official" if theirs else "derived"
                    for gap, theirs in zip(empty, official, strict=True)
                ],
                "precision": 1,
                "as_of": (net["year"] + 1).astype(str).to_numpy() + "-12-31",
            }
        )
    )


def uzbek_regions(folder: Path) -> pd.DataFrame:
    """Net of all flows of 14 Uzbek regions, two merged units and the country."""
    table = read(folder, "uzb/uzb_region_net_migration.csv")
    table["location"] = table["region_code"].map(code)
    adjusted = table[table["measure"] == "net_migration_residual_adjusted"]
    adjusted = adjusted.set_index(["location", "year"])["value"]
    table = table[table["measure"] == "net_migration_residual"].copy()
    first = read(folder, "uzb/uzb_region_population.csv")
    first = first[first["measure"] == "population_jan1"].copy()
    first["location"] = first["region_code"].map(code)
    people = first.set_index(["location", "year"])["value"].astype(float)
    rows = []
    for row in table.to_dict("records"):
        place, year = row["location"], int(row["year"])
        value, flag, precision = row["value"], "derived", 100
        if year == 2010:
            flag = "rebased"
        elif (place, year) in adjusted.index:
            value, flag, precision = adjusted[place, year], "derived;adjusted", 3000
        both = [sum(people[part, when] for part in place.split("+")) for when in (year, year + 1)]
        moved = (place, year) in adjusted.index or year == 2010
        regional = place != "UZB"
        rows.append(
            {
                "source": "uz-stat-balance",
                "location": place,
                "measure": "net_all_flows",
                "year": year,
                "value": value,
                "population": both[0] if moved else sum(both) / 2,
                "flag": joined(
                    flag,
                    "combined" * ("+" in place),
                    "outlier" * (regional and year in {2020, 2021}),
                    "suspect" * ("UZ-TK" in place and year in {2012, 2013}),
                ),
                "precision": precision,
                "as_of": f"{year + 1}-12-31",
            }
        )
    return ordered(pd.concat([pd.DataFrame(rows), newest_balance(folder, people)]))


def newest_balance(folder: Path, people: pd.Series) -> pd.DataFrame:
    """Balance of the Uzbek regions in the year after the collected tables.

    The next population is not collected, so people are those of 1 January; the day is the last on
    which the figures may have come out.
    """
    table = read(folder, "outturn/outturn_2025.csv")
    table = table[table["location"].str.startswith("UZ")]
    places = table["location"].map(code)
    return pd.DataFrame(
        {
            "source": "uz-stat-balance",
            "location": places,
            "measure": "net_all_flows",
            "year": table["year"],
            "value": table["value"].astype(float),
            "population": [
                sum(people[part, year] for part in place.split("+"))
                for place, year in zip(places, table["year"], strict=True)
            ],
            "flag": [joined("derived", "combined" * ("+" in place)) for place in places],
            "precision": 100,
            "as_of": "2026-11-28",
        }
    )


def kyrgyz_balance(folder: Path) -> pd.DataFrame:
    """Net of all flows of Bishkek and of Kyrgyzstan, where a balance exists."""
    table = read(folder, "kgz/kgz_region_population.csv")
    # The office gives Bishkek and the country; the rest is only their difference.
    given = (table["measure"] == "net_migration_residual") & table["region_code"].isin(
        ["KG-GB", "KG"]
    )
    table = table[given].copy()
    table["location"] = table["region_code"].map(code)
    flags = []
    for year, theirs, place in zip(table["year"], table["flag"], table["location"], strict=True):
        kept = [flag for flag in ("boundary_change", "census_rebasing") if flag in theirs]
        flags.append(
            joined(
                *(kept or ["derived"]),
                "provisional" * ("preliminary" in theirs),
                # Births moved to the mother's residence in 2023: a new level of the residual.
                "break" * (place == "KG-GB" and year == 2023),
            )
        )
    return ordered(
        pd.DataFrame(
            {
                "source": "kg-nsc-balance",
                "location": table["location"],
                "measure": "net_all_flows",
                "year": table["year"],
                "value": table["value"].astype(float),
                "flag": flags,
                "precision": 200,
                "as_of": (table["year"] + 1).astype(str) + "-12-31",
            }
        )
    )


def kazakh_internal(folder: Path) -> pd.DataFrame:
    """Return internal arrivals, departures and net of 20 Kazakh regions, every internal move."""
    table = read(folder, "kaz/kaz_internal_region.csv")
    table = table[table["flag"].isin(["annual", "annual_sum_of_months"])]
    summed = table["flag"] == "annual_sum_of_months"
    return ordered(
        pd.DataFrame(
            {
                "source": "kz-bns-internal",
                "location": table["region_code"].map(code),
                "measure": table["measure"].map(MEASURES),
                "year": table["year"],
                "value": table["value"].astype(float),
                "flag": np.where(summed, "official;derived", "official"),
                "precision": 1,
                "as_of": (table["year"] + 1).astype(str) + "-12-31",
            }
        )
    )


def kazakh_moves(folder: Path) -> pd.DataFrame:
    """Return moves between 20 Kazakh regions, origin by destination."""
    table = read(folder, "kaz/kaz_internal_od.csv")
    moves = pd.DataFrame(
        {
            "origin": table["origin_code"],
            "destination": table["destination_code"],
            "year": table["year"],
            "value": table["value"],
            "flag": np.where(table["flag"] == "suspect_mirrored_pair", "suspect", ""),
        }
    )
    return moves.sort_values(["year", "origin", "destination"], ignore_index=True)


def without_overlap(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out units that overlap with others of the same table."""
    return table[~table["location"].isin(OVERLAPPING)]


def overlapping(folder: Path) -> pd.DataFrame:
    """Return the merged units of constant area that overlap with single regions."""
    both = pd.concat([kazakh_regions(folder), uzbek_regions(folder)])
    return ordered(both[both["location"].isin(OVERLAPPING)])
