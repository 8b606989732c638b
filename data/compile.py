"""Compile the shipped tables from a folder of source files.

    python data/compile.py FOLDER [OUTPUT]

FOLDER holds the collected source files (`wpp/`, `kaz/`, `kgz/`, `uzb/`, `tjk/`,
`covariates/`, `facts/`); OUTPUT is this folder by default. The same sources give the
same bytes. Nothing is smoothed, imputed or adjusted on the way: thousands become
persons, flags become the package's own, and each figure keeps its precision and source.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
COUNTRIES = ["KAZ", "KGZ", "TJK", "TKM", "UZB"]
COLUMNS = [
    "source",
    "location",
    "measure",
    "year",
    "value",
    "population",
    "flag",
    "precision",
    "as_of",
]
RELEASED = {
    2008: "2009-03-31",
    2010: "2011-05-31",
    2012: "2013-06-13",
    2015: "2015-07-29",
    2017: "2017-06-21",
    2019: "2019-06-17",
    2022: "2022-07-11",
    2024: "2024-07-11",
}
#: Last period or year that was still running, or partly extrapolated, at release.
UNFINISHED = {2008: 2005, 2010: 2005, 2015: 2010, 2019: 2015, 2022: 2021, 2024: 2023}
MEASURES = {
    "external_arrivals": "immigration",
    "external_departures": "emigration",
    "external_net": "net_migration",
    "internal_arrivals": "internal_arrivals",
    "internal_departures": "internal_departures",
    "internal_net": "internal_net",
    "net_all_flows": "net_all_flows",
    "net_migration_residual": "net_all_flows",
}
#: Units of constant area whose parts are series of their own.
OVERLAPPING = ["KZ-19+KZ-33+KZ-75", "UZ-BU+UZ-NW", "UZ-TK+UZ-TO"]
NATIONAL = {"KZ": "KAZ", "KG": "KGZ", "UZ": "UZB", "TJ": "TJK"}


def read(folder: Path, name: str) -> pd.DataFrame:
    """Read one source file, keeping the empty cells of text columns as empty text."""
    table = pd.read_csv(folder / name)
    text = {*table.select_dtypes(include="str").columns, *({"flag"} & set(table.columns))}
    return table.assign(**{column: table[column].astype(object).fillna("") for column in text})


def code(text: str) -> str:
    """Return the package's spelling of a location code."""
    return NATIONAL.get(text, "+".join(sorted(text.split("+"))))


def joined(*flags: str) -> str:
    """Join flags, leaving empty ones out and repeating none."""
    return ";".join(dict.fromkeys(flag for group in flags for flag in group.split(";") if flag))


def ordered(table: pd.DataFrame, columns: list[str] = COLUMNS) -> pd.DataFrame:
    """Return the columns in order and the rows sorted by everything but the figures."""
    keys = [c for c in columns if c not in {"value", "population", "flag", "precision", "unit"}]
    return table.reindex(columns=columns).sort_values(keys, ignore_index=True)


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
    table = pd.concat(parts)
    keys = pd.MultiIndex.from_frame(table[["location", "year"]])
    return ordered(table.assign(population=people.reindex(keys).round().to_numpy()))


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
    return ordered(pd.DataFrame(rows))


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
    verdicts = tomllib.loads((HERE / "fact_checks.toml").read_text(encoding="utf-8"))
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


def without_overlap(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out units that overlap with others of the same table."""
    return table[~table["location"].isin(OVERLAPPING)]


def overlapping(folder: Path) -> pd.DataFrame:
    """Return the merged units of constant area that overlap with single regions."""
    both = pd.concat([kazakh_regions(folder), uzbek_regions(folder)])
    return ordered(both[both["location"].isin(OVERLAPPING)])


TABLES = {
    "un_net_migration": un_annual,
    "un_net_migration_5year": un_five_year,
    "un_projection": un_projection,
    "registers": registers,
    "kz_regions": lambda folder: without_overlap(kazakh_regions(folder)),
    "uz_regions": lambda folder: without_overlap(uzbek_regions(folder)),
    "merged_units": overlapping,
    "kg_balance": kyrgyz_balance,
    "kz_internal": kazakh_internal,
    "kz_internal_moves": kazakh_moves,
    "population": populations,
    "covariates": covariates,
    "paper_facts": facts,
}


def text_of(table: pd.DataFrame) -> str:
    """Write a table as CSV: whole numbers without a decimal point, empty cells for missing."""
    shown = table.copy()
    for column in shown.select_dtypes(include="number").columns:
        numbers = shown[column]
        if (numbers.dropna() == numbers.dropna().round()).all():
            shown[column] = numbers.astype("Int64")
    return shown.to_csv(index=False, lineterminator="\n", float_format="%.10g")


def described(name: str, text: str, stated: dict[str, object]) -> dict[str, object]:
    """Return the resource entry of one table."""
    table = pd.read_csv(io.StringIO(text))
    kinds = {"i": "integer", "f": "number"}
    fields = [
        {
            "name": column,
            "type": "date" if column == "as_of" else kinds.get(table[column].dtype.kind, "string"),
        }
        for column in table.columns
    ]
    content = text.encode()
    return {
        "name": name,
        "path": f"{name}.csv",
        "profile": "tabular-data-resource",
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": "sha256:" + hashlib.sha256(content).hexdigest(),
        **stated,
        "schema": {"fields": fields, "missingValues": [""]},
    }


def main(sources: Path, output: Path) -> None:
    """Write every table and the data package's description."""
    stated = tomllib.loads((HERE / "resources.toml").read_text(encoding="utf-8"))
    resources = []
    for name, make in TABLES.items():
        text = text_of(make(sources))
        (output / f"{name}.csv").write_text(text, encoding="utf-8", newline="\n")
        resources.append(described(name, text, stated["resources"][name]))
    places = (HERE / "locations.csv").read_text(encoding="utf-8")
    resources.append(described("locations", places, stated["resources"]["locations"]))
    package = {**stated["package"], "resources": resources}
    content = json.dumps(package, indent=2, ensure_ascii=False) + "\n"
    (output / "datapackage.json").write_text(content, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3}:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else HERE)
