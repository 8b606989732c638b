"""What every table of the compilation shares: columns, names, reading, sorting."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from forecast.validation import COLUMNS

COUNTRIES = ["KAZ", "KGZ", "TJK", "TKM", "UZB"]
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


def ordered(table: pd.DataFrame, columns: Sequence[str] = COLUMNS) -> pd.DataFrame:
    """Return the columns in order and the rows sorted by everything but the figures."""
    keys = [c for c in columns if c not in {"value", "population", "flag", "precision", "unit"}]
    return table.reindex(columns=list(columns)).sort_values(keys, ignore_index=True)
