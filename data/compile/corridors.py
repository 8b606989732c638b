"""Who goes where: pairs of countries with Central Asia at one end or the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from common import COUNTRIES, read

from forecast.locations import iso_code

COLUMNS = ["source", "origin", "destination", "year", "value", "flag", "precision", "licence"]
#: Codes of the estimates for areas that have none in ISO 3166.
AREAS = {"CHI": "GGY+JEY", "SCG": "MNE+SRB", "SUD": "SDN+SSD"}
#: Years that Germany's copy calls preliminary.
PRELIMINARY = 2016
CC_BY, REUSE, NAMED = "CC-BY-4.0", "reuse-with-source", "dl-de/by-2-0"


def of_the_region(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the pairs with one of the five countries at either end, by their codes, in order."""
    ours = table["origin"].isin(COUNTRIES) | table["destination"].isin(COUNTRIES)
    kept = table[ours & table["value"].notna()].reindex(columns=COLUMNS)
    return kept.sort_values(["source", "origin", "destination", "year"], ignore_index=True)


def corridors(folder: Path) -> pd.DataFrame:
    """Yearly flows: Germany's register, Meta's estimates, what Eurostat's members count."""
    register = read(folder, "corridors/deu_annual_migration_by_partner_2008_2019.csv")
    flag = np.where(register["year"] >= PRELIMINARY, "official;provisional", "official")
    both = [
        pd.DataFrame(
            {
                "source": "destatis",
                "origin": register["iso3"] if column == "arrivals" else "DEU",
                "destination": "DEU" if column == "arrivals" else register["iso3"],
                "year": register["year"],
                "value": register[column],
                "flag": flag,
                "precision": 1,
                "licence": NAMED,
            }
        )
        for column in ("arrivals", "departures")
    ]
    meta = read(folder, "corridors/meta_bilateral_annual.csv.gz")
    estimates = pd.DataFrame(
        {
            "source": "meta",
            "origin": meta["origin_iso3"],
            "destination": meta["destination_iso3"],
            "year": meta["year"],
            "value": meta["persons"],
            "flag": "estimate",
            "precision": 1,
            "licence": CC_BY,
        }
    )
    return of_the_region(pd.concat([*both, estimates, _eurostat(folder)]))


def _eurostat(folder: Path) -> pd.DataFrame:
    table = read(folder, "corridors/eurostat_2024_central_asia_pairs.csv")
    arrivals = table["measure"].str.startswith("immigration")
    return pd.DataFrame(
        {
            "source": np.where(arrivals, "eurostat-immigration", "eurostat-emigration"),
            "origin": table["origin_iso2"].map(iso_code),
            "destination": table["destination_iso2"].map(iso_code),
            "year": 2024,
            "value": table["persons_2024"],
            "flag": "official",
            "precision": 1,
            "licence": REUSE,
        }
    )


def five_year(folder: Path) -> pd.DataFrame:
    """Transitions over five years by Abel and Cohen, the method that the authors prefer."""
    table = read(folder, "flows/abel_cohen_flows_5y.csv.gz")
    table = table[(table["method"] == "da_pb_closed") & (table["value"] > 0)]
    return of_the_region(
        pd.DataFrame(
            {
                "source": "abel-cohen",
                "origin": table["origin_iso3"].replace(AREAS),
                "destination": table["destination_iso3"].replace(AREAS),
                "year": table["period_start"],
                "value": table["value"],
                "flag": "estimate",
                "precision": 1,
                "licence": CC_BY,
            }
        )[lambda rows: (rows["origin"] != "") & (rows["destination"] != "")]
    )
