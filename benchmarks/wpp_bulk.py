"""Time the UN's bulk file to a Panel: a full-size file in the UN's form, from real figures.

    python benchmarks/wpp_bulk.py FOLDER [--keep FILE]

FOLDER holds ``wpp2024_net_migration.csv.gz`` and ``wpp2024_population.csv.gz``. The file
made from them has the 67 columns of "Demographic Indicators", 236 countries and areas,
their projections to 2100 and enough groups of countries for 60,000 rows; columns that the
reader does not use hold figures of the same width. Times are wall time of fresh processes.
"""

from __future__ import annotations

import argparse
import gzip
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

ROWS = 60_000
HEADER = (  # noqa: SIM905
    "SortOrder,LocID,Notes,ISO3_code,ISO2_code,SDMX_code,LocTypeID,LocTypeName,ParentID,Location,"
    "VarID,Variant,Time,TPopulation1Jan,TPopulation1July,TPopulationMale1July,"
    "TPopulationFemale1July,PopDensity,PopSexRatio,MedianAgePop,NatChange,NatChangeRT,PopChange,"
    "PopGrowthRate,DoublingTime,Births,Births1519,CBR,TFR,NRR,MAC,SRB,Deaths,DeathsMale,"
    "DeathsFemale,CDR,LEx,LExMale,LExFemale,LE15,LE15Male,LE15Female,LE65,LE65Male,LE65Female,"
    "LE80,LE80Male,LE80Female,InfantDeaths,IMR,LBsurvivingAge1,Under5Deaths,Q5,Q0040,Q0040Male,"
    "Q0040Female,Q0060,Q0060Male,Q0060Female,Q1550,Q1550Male,Q1550Female,Q1560,Q1560Male,"
    "Q1560Female,NetMigrations,CNMR"
).split(",")


def make(folder: Path, target: Path) -> pd.DataFrame:
    """Write a full-size bulk file; return what its estimates must read as."""
    flows = pd.read_csv(folder / "wpp2024_net_migration.csv.gz")
    people = pd.read_csv(folder / "wpp2024_population.csv.gz")
    table = flows.merge(people, on=["iso_numeric", "year"], suffixes=("", "_people"))
    countries = pd.DataFrame(
        {
            "LocID": table["iso_numeric"],
            "ISO3_code": table["iso3"],
            "LocTypeID": 4,
            "LocTypeName": "Country/Area",
            "Location": table["name"],
            "Time": table["year"],
            "TPopulation1Jan": table["population_jan1_thousands"],
            "TPopulation1July": table["population_midyear_thousands"],
            "NetMigrations": table["net_migration_thousands"],
        }
    )
    years = np.sort(table["year"].unique())
    groups = pd.MultiIndex.from_product(
        [range(900, 900 + -(-(ROWS - len(countries)) // len(years))), years],
        names=["LocID", "Time"],
    ).to_frame(index=False)
    groups = groups.assign(
        LocTypeID=25, LocTypeName="Region", Location="Group", TPopulation1July=1e5, NetMigrations=0
    )
    full = pd.concat([groups, countries], ignore_index=True)
    full = full.assign(VarID=2, Variant="Medium", SortOrder=np.arange(len(full)))
    generator = np.random.default_rng(1)
    filler = {
        name: np.round(generator.uniform(0, 1000, len(full)), 3)
        for name in HEADER[HEADER.index("TPopulation1Jan") :]
        if name not in full
    }
    full = pd.concat([full, pd.DataFrame(filler)], axis="columns").reindex(columns=HEADER)
    text = "\ufeff" + full.to_csv(index=False, lineterminator="\n")
    if target.suffix == ".gz":
        target.write_bytes(gzip.compress(text.encode(), 6))
    else:
        target.write_text(text, encoding="utf-8")
    return countries[countries["Time"] <= 2023].dropna(subset=["NetMigrations"])


#: Time a statement in a fresh process: wall time, and processor time of all its threads.
TIMED = "import time; start = time.perf_counter(), time.process_time(); {code}; "
TIMED += "print(time.perf_counter() - start[0], time.process_time() - start[1])"
#: A process that has read a small panel before has loaded what reading needs.
READY = "import pyarrow.csv, pycountry, forecast as fc; fc.load('population'); "
READY += "from forecast.data.wpp import read_bulk; "


def timed(code: str, before: str = "", times: int = 5) -> str:
    """Return the shortest and longest wall time and the shortest processor time."""
    found = []
    for _ in range(times):
        command = [sys.executable, "-c", before + TIMED.format(code=code)]
        ran = subprocess.run(command, check=True, capture_output=True, text=True)
        found.append([float(number) for number in ran.stdout.split()])
    wall, processor = np.array(found).T
    return f"{wall.min():.2f} to {wall.max():.2f} s ({processor.min():.2f} s of processor time)"


def main() -> None:
    """Make the file, check what is read from it, and print the times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--keep", type=Path, help="Keep the file made here.")
    given = parser.parse_args()
    from forecast.data.wpp import read_bulk

    with tempfile.TemporaryDirectory() as scratch:
        for name in (
            "WPP2024_Demographic_Indicators_Medium.csv",
            "WPP2024_Demographic_Indicators_Medium.csv.gz",
        ):
            path = given.keep if given.keep and given.keep.name == name else Path(scratch) / name
            expected = make(given.folder, path)
            panel = read_bulk(path)
            read = panel.to_frame()
            if len(read) != len(expected) or not np.isclose(
                read["value"].sum(), expected["NetMigrations"].sum() * 1000
            ):
                raise SystemExit("what was read is not what was written")
            read_it = f"read_bulk({str(path)!r})"
            print(
                f"{name}: {path.stat().st_size / 1e6:.1f} MB, {len(panel)} series, "
                f"{len(read)} figures\n  reading {timed(read_it, READY)}\n"
                f"  with imports {timed('from forecast.data.wpp import read_bulk; ' + read_it)}"
            )


if __name__ == "__main__":
    main()
