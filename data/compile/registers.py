"""National registers of arrivals and departures across the border."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from common import MEASURES, NATIONAL, joined, ordered, read
from un import denominators


def registers(folder: Path) -> pd.DataFrame:
    """National registers of changes of permanent residence across the border."""
    people = denominators(folder)
    files = {
        "kz-bns": ("kaz/kaz_national_external.csv", "kaz/kaz_facts.csv"),
        "kg-nsc": ("kgz/kgz_national_external.csv",),
        "uz-stat": ("uzb/uzb_national_external.csv",),
    }
    parts = []
    for source, names in files.items():
        for name in names:
            table = read(folder, name)
            wanted = table["measure"].isin(
                ["external_arrivals", "external_departures", "external_net"]
            )
            for column, whole in (("period", "year"), ("counterpart", "")):
                if column in table:
                    wanted &= table[column].fillna("") == whole
            table = table[wanted & table["region_code"].isin(NATIONAL)]
            first = table["flag"] == "first_release"
            year = table["year"].astype(int)
            parts.append(
                pd.DataFrame(
                    {
                        "source": source,
                        "location": table["region_code"].map(NATIONAL),
                        "measure": table["measure"].map(MEASURES),
                        "year": year,
                        "value": table["value"].astype(float),
                        "flag": [
                            register_flag(*row)
                            for row in zip(year, table["flag"], source_of(table, source))
                        ],
                        "precision": [register_precision(row) for row in table.to_dict("records")],
                        # First releases come early in the next year, settled figures within it.
                        "as_of": np.where(
                            first,
                            (year + 1).astype(str) + "-03-01",
                            (year + 1).astype(str) + "-12-31",
                        ),
                    }
                )
            )
    parts.append(newest(folder))
    table = pd.concat(parts)
    keys = pd.MultiIndex.from_frame(table[["location", "year"]])
    return ordered(table.assign(population=people.reindex(keys).round().to_numpy()))


def newest(folder: Path) -> pd.DataFrame:
    """First figures of the year after the collected tables, as far as a register has them."""
    table = read(folder, "outturn/outturn_2025.csv")
    table = table[(table["location"] == "KAZ") & table["measure"].isin(MEASURES.values())]
    return table.assign(
        source="kz-bns",
        value=table["value"].astype(float),
        flag="official;first_release",
        precision=1,
        as_of=(table["year"] + 1).astype(str) + "-03-01",
    )


def source_of(table: pd.DataFrame, source: str) -> list[str]:
    """Repeat the source for every row."""
    return [source] * len(table)


def register_flag(year: int, theirs: str, source: str) -> str:
    """Translate the flag of a register figure."""
    first = "first_release" if theirs == "first_release" else ""
    disputed = "suspect" if "disputed" in theirs else ""
    parts = "derived" if theirs == "sum_of_destinations" else ""
    new_register = "break" if source == "kg-nsc" and year == 2021 else ""
    return joined("official", first, disputed, parts, new_register)


def register_precision(row: dict[str, object]) -> int:
    """Return what a register figure is rounded to, in persons."""
    stated = str(row.get("precision", "exact"))
    rounded = stated == "rounded_100" or (
        stated == "departures_rounded_100" and row["measure"] != "external_arrivals"
    )
    return 100 if rounded else 1
