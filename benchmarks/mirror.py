"""Predictive check of `fc.mirror`: one source predicted from the others, where both have counted.

    python benchmarks/mirror.py FOLDER [--corridors 120] [--seed 1]

FOLDER holds the collected tables of corridors (``gaskin_abel_bilateral_annual.csv.gz`` is for
fitting and tests only, and not shipped). What a source says of a corridor is hidden in all years,
the model is fitted to the rest, and what the source would count is held against what it did. Each
comparison is one JSON line. Beside it, a simple rule: the other source's count times the mean
ratio of the two, as wide as these ratios were. Conditions and results: docs/studies/mirror.md.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t as student

import forecast as fc

LEVELS = (0.5, 0.8, 0.95)
FIRST_YEAR = 2008


def tables(folder: Path) -> pd.DataFrame:
    """Return every count with the columns of a Panel."""
    register = pd.read_csv(folder / "deu_annual_migration_by_partner_2008_2019.csv")
    register = register.dropna(subset=["iso3"])
    parts = [
        ("destatis", register["iso3"], "DEU", register["year"], register["arrivals"]),
        ("destatis", "DEU", register["iso3"], register["year"], register["departures"]),
    ]
    for source, file in (
        ("meta", "meta_bilateral_annual.csv.gz"),
        ("gaskin-abel", "gaskin_abel_bilateral_annual.csv.gz"),
    ):
        table = pd.read_csv(folder / file)
        table = table[table["year"] >= FIRST_YEAR]
        ends = (table["origin_iso3"], table["destination_iso3"])
        parts.append((source, *ends, table["year"], table["persons"]))
    names = ["source", "origin", "destination", "year", "value"]
    joined = pd.concat([pd.DataFrame(dict(zip(names, part))) for part in parts])
    return joined.dropna().assign(measure="flow")


def check(table: pd.DataFrame, hidden: str, folds: int, seed: int) -> dict[str, object]:
    """Hide a source's counts of some corridors at a time; all that another source tells of too."""
    places = table["origin"] + ":" + table["destination"]
    table = table.assign(location=places)
    told = table.groupby("location")["source"].agg(set)
    shared = sorted(told.index[[hidden in names and len(names) > 1 for names in told]])
    generator = np.random.default_rng(seed)
    fold = dict(zip(shared, generator.permutation(np.arange(len(shared)) % folds)))
    rows, rule = [], []
    seconds = time.process_time()
    for number in range(folds):
        out = table["location"].map(fold).eq(number) & table["source"].eq(hidden)
        kept = table[~out].drop(columns="location")
        told_by = fc.mirror(fc.Panel.from_frame(kept, step=1), on_failure="mark", seed=seed)
        truth = table[out].set_index(["location", "year"])["value"]
        for level in LEVELS:
            found = told_by.expected(hidden, level).set_index(["location", "year"])
            both = found.join(truth.rename("truth"), how="inner")
            rows.append(both.assign(level=level))
        rule.append(by_rule(table[~out], truth, hidden))
    made, simple = pd.concat(rows), pd.concat(rule)
    held = {name: pd.concat([part]) for name, part in (("mirror", made), ("rule", simple))}
    result: dict[str, object] = {
        "hidden": hidden,
        "corridors": len(shared),
        "counts": int((made["level"] == LEVELS[0]).sum()),
        "cpu_seconds": round(time.process_time() - seconds, 1),
    }
    for name, part in held.items():
        inside = (part["lower"] <= part["truth"]) & (part["truth"] <= part["upper"])
        middle = part[part["level"] == LEVELS[0]]
        off = np.abs(np.log((middle["truth"] + 0.5) / (middle["expected"] + 0.5)))
        width = np.log((part["upper"] + 0.5) / (part["lower"] + 0.5))
        result[name] = {
            "inside": {
                str(level): round(float(inside[part["level"] == level].mean()), 3)
                for level in LEVELS
            },
            "off_by_factor": round(float(np.exp(off.median())), 2),
            "width_of_80_as_factor": round(float(np.exp(width[part["level"] == 0.8].median())), 2),
        }
    return result


def by_rule(known: pd.DataFrame, truth: pd.Series, hidden: str) -> pd.DataFrame:
    """Return the other sources' mean log count, moved by the mean difference, and its interval."""
    known = known.assign(log=np.log(known["value"] + 0.5))
    others = known[known["source"] != hidden].groupby(["location", "year"])["log"].mean()
    theirs = known[known["source"] == hidden].set_index(["location", "year"])["log"]
    gaps = (theirs - others).dropna()
    centre, spread = float(gaps.mean()), float(gaps.std())
    both = pd.DataFrame({"truth": truth, "other": others}).dropna()
    parts = []
    for level in LEVELS:
        reach = student.ppf(0.5 + level / 2, max(len(gaps) - 1, 1)) * spread
        middle = both["other"] + centre
        parts.append(
            both.assign(
                level=level,
                expected=np.exp(middle),
                lower=np.exp(middle - reach),
                upper=np.exp(middle + reach),
            )
        )
    return pd.concat(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--corridors", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    table = tables(options.folder)
    german = table[(table["origin"] == "DEU") | (table["destination"] == "DEU")]
    partners = set(table.loc[table["source"] == "gaskin-abel", "origin"])
    german = german[german["origin"].isin(partners) & german["destination"].isin(partners)]
    ends = table["origin"] + ":" + table["destination"]
    told = table.groupby(ends)["source"].agg(set)
    both = sorted(told.index[[{"meta", "gaskin-abel"} <= names for names in told]])
    chosen = np.random.default_rng(options.seed).permutation(both)[: options.corridors]
    estimates = table[ends.isin(chosen) & table["year"].ge(2017) & table["source"].ne("destatis")]
    for about, part, hidden, folds in (
        ("Germany's register from two estimates", german, "destatis", 4),
        ("Meta's estimate from that of Gaskin and Abel", estimates, "meta", 3),
        ("the estimate of Gaskin and Abel from Meta's", estimates, "gaskin-abel", 3),
    ):
        print(json.dumps({"about": about, **check(part, hidden, folds, options.seed)}), flush=True)


if __name__ == "__main__":
    main()
