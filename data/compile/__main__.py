"""Compile the shipped tables from a folder of source files.

    python data/compile FOLDER [OUTPUT]

FOLDER holds the collected source files (`wpp/`, `kaz/`, `kgz/`, `uzb/`, `tjk/`,
`corridors/`, `flows/`, `covariates/`, `facts/`); OUTPUT is the shelf `data/` by default. The
same sources give the same bytes. Nothing is smoothed, imputed or adjusted on the way: thousands
become persons, flags become the package's own, and each figure keeps its precision and source.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tomllib
from pathlib import Path

import corridors
import others
import pandas as pd
import regions
import registers
import un
from others import SHELF

TABLES = {
    "un_net_migration": un.un_annual,
    "un_net_migration_5year": un.un_five_year,
    "un_projection": un.un_projection,
    "registers": registers.registers,
    "kz_regions": lambda folder: regions.without_overlap(regions.kazakh_regions(folder)),
    "kz_regions_split": regions.kazakh_parts,
    "uz_regions": lambda folder: regions.without_overlap(regions.uzbek_regions(folder)),
    "merged_units": regions.overlapping,
    "kg_balance": regions.kyrgyz_balance,
    "kz_internal": regions.kazakh_internal,
    "kz_internal_moves": regions.kazakh_moves,
    "corridors": corridors.corridors,
    "corridors_five_year": corridors.five_year,
    "population": others.populations,
    "covariates": others.covariates,
    "paper_facts": others.facts,
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
    stated = tomllib.loads((SHELF / "resources.toml").read_text(encoding="utf-8"))
    resources = []
    for name, make in TABLES.items():
        text = text_of(make(sources))
        (output / f"{name}.csv").write_text(text, encoding="utf-8", newline="\n")
        resources.append(described(name, text, stated["resources"][name]))
    for name in (
        "locations",
        "boundaries",
        "region_outlines",
        "country_facts",
        "place_names",
        "table_words",
    ):
        text = (SHELF / f"{name}.csv").read_text(encoding="utf-8")
        resources.append(described(name, text, stated["resources"][name]))
    package = {**stated["package"], "resources": resources}
    content = json.dumps(package, indent=2, ensure_ascii=False) + "\n"
    (output / "datapackage.json").write_text(content, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3}:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else SHELF)
