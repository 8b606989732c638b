"""Nowcasts of past years of the German partners, month by month: tables of docs/studies/nowcast.md.

    python benchmarks/nowcast.py --shared FOLDER [--years 2016 2017 2018 2019] [--in 0 3 6 9]

Arrivals from and departures to each country by month, Destatis, 2008 to 2019 without 2011. Each
year is nowcast from what was known after so many months, and held against its total, beside two
rules: the months that are in had the same share of the year as last year ("share"), and the rest of
the year is as last year ("month"). The rules get the width that their own errors had in the years
before, by thirds of size. Errors and CRPS are divided by the place's mean total of the years
before. Prints a row per model, year and months in, and a summary.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from pathlib import Path
from unittest import mock

import babel
import numpy as np
import pandas as pd
import pycountry
import scoringrules

import forecast as fc
from forecast.models.nowcast.joining import joined
from forecast.models.nowcast.settings import NowcastSettings
from forecast.models.registry import specification
from forecast.panel import Panel
from forecast.shelf import shelf

FILE = "data/corridors/deu_monthly_migration_by_partner_2008_2019.csv.gz"
#: Names that differ from those of the Unicode tables; sums and unknowns are in none.
NAMES = {
    "Bosnien und Herzegowina": "BIH", "Korea, Republik": "KOR", "Korea, Dem. Volksrepublik": "PRK",
    "Kongo, Republik": "COG", "Kongo, Dem. Republik": "COD", "Mazedonien": "MKD",
    "Moldau": "MDA", "Russische Föderation": "RUS", "Tschechische Republik": "CZE",
    "Vereinigte Staaten, auch USA": "USA", "Weißrussland": "BLR", "Aserbaidschan": "AZE",
    "Kirgisistan": "KGZ", "Côte d'Ivoire": "CIV",
}  # fmt: skip
#: One value of a setting changed, or several; compared on early years alone.
VARIANTS = {
    "shipped": {},
    "surges repeated": {"mean": {"unusual": 0.6}, "usual": 10.0},
    "own share only": {"mean": {"growth": 1.0}, "spread": {"growth": 1e-3}},
    "no own share": {
        "mean": {"own": 0.0, "unusual": 0.0},
        "spread": {"own": 1e-3, "unusual": 1e-3},
    },
    "no growth": {"mean": {"growth": 0.0}, "spread": {"growth": 1e-3}},
    "normal errors": {"tails": 100.0, "prior": {"tails_spread": 1e-3}},
    "nothing shared": {"prior": {"shared": 1e-3, "shared_years": 1e6}},
    "one width": {"prior": {"restless_years": 1e6}},
    "shared part 0.4, tails 5": {"tails_of_years": 5.0, "prior": {"shared": 0.4}},
    "shared part 0.8": {"prior": {"shared": 0.8}},
    "plain priors": {
        "mean": {
            "growth": 0.5,
            "recent": 0.0,
            "own": 0.5,
            "unusual": 0.5,
            "late": 0.0,
            "previous": 0.0,
        },
        "prior": {"error": 0.2},
    },
}
#: Rules by which widths are learned from past nowcasts; compared on early years alone.
LEARNED = {
    "shipped": {},
    "not learned": {"widths": {"years": 0}},
    "six past years": {"widths": {"years": 6}},
    "past years alike": {"widths": {"half_life": 1000.0}},
    "the year before, mostly": {"widths": {"half_life": 0.5}},
    "20 made-up cases": {"widths": {"pseudo_cases": 20.0}},
    "200 made-up cases": {"widths": {"pseudo_cases": 200.0}},
    "one width for all sizes": {"widths": {"alike": 100.0}},
}


def panel(shared: Path) -> Panel:
    """Return arrivals and departures by partner; months of which only some are there stay out."""
    table = pd.read_csv(shared / FILE)
    german = babel.Locale("de").territories
    codes = {
        german[country.alpha_2]: country.alpha_3
        for country in pycountry.countries
        if country.alpha_2 in german
    } | NAMES
    table = table.assign(
        location=table["partner_de"].map(codes),
        period=table["year"].astype(str) + "-" + table["month"].astype(str).str.zfill(2),
        source="destatis",
    ).dropna(subset="location")
    table = table.rename(columns={"arrivals": "immigration", "departures": "emigration"})
    keys = ["source", "location", "period"]
    long = table.melt(keys, ["immigration", "emigration"], "measure").dropna(subset="value")
    return Panel.from_frame(long)


def settings(changes: dict[str, object]) -> NowcastSettings:
    """Return the shipped settings with some changed; coefficients under ``mean``, ``spread``."""
    shipped = NowcastSettings.read(shelf("models") / "nowcast" / "settings.toml")
    made = shipped.model_dump(exclude_unset=True)
    for name, value in changes.items():
        if name in ("mean", "spread"):
            made["prior"][name] |= value
        elif name in ("prior", "widths"):
            made[name] |= value
        else:
            made[name] = value
    return NowcastSettings.of(made, "variant")


def years_of(table: Panel) -> dict[tuple[str, str, str], pd.DataFrame]:
    """Return the months of each series, a row per complete year."""
    figures = table.figures
    figures = figures.assign(month=figures["year"] % 12, year=figures["year"] // 12)
    return {
        key: rows.pivot(index="year", columns="month", values="value").dropna()
        for key, rows in figures.groupby(["source", "location", "measure"])
    }


def rules(
    known: dict[tuple[str, str, str], pd.DataFrame],
    year: int,
    months: int,
    draws: int,
    rule: str,
    seed: int,
) -> dict[tuple[str, str, str], np.ndarray]:
    """Return draws of the two rules, as wide as their errors of the years before were."""

    def rest(table: pd.DataFrame, of: int) -> float:
        before = table.loc[of - 1].to_numpy()
        part, after = before[:months].sum(), before[months:].sum()
        so_far = table.loc[of].to_numpy()[:months].sum()
        return float(after * so_far / part if rule == "share" and months and part > 0 else after)

    rows = []
    for key, table in known.items():
        for past in table.index[table.index <= year]:
            if past - 1 in table.index:
                found = rest(table, past)
                came = table.loc[past].to_numpy()[months:].sum()
                error = np.log(came + 0.5) - np.log(found + 0.5)
                size = table.loc[past - 1].sum()
                rows.append((key, key[2], past, found, error, size))
    table = pd.DataFrame(rows, columns=["key", "measure", "year", "rest", "error", "size"])
    generator = np.random.default_rng([seed, year, months])
    drawn = {}
    for _, group in table.groupby("measure"):
        third = pd.qcut(group["size"], 3, labels=False)
        for row, part in zip(group.itertuples(), third):
            if row.year == year:
                errors = group.loc[(group["year"] < year) & (third == part), "error"].to_numpy()
                so_far = known[row.key].loc[year].to_numpy()[:months].sum()
                moved = (row.rest + 0.5) * np.exp(generator.choice(errors, draws)) - 0.5
                drawn[row.key] = so_far + np.maximum(moved, 0.0)
    return drawn


def scored(
    drawn: dict[tuple[str, str, str], np.ndarray],
    known: dict[tuple[str, str, str], pd.DataFrame],
    year: int,
) -> pd.DataFrame:
    """Return one row per series: errors and CRPS, and inside which intervals the total was."""
    rows = []
    for key, draws in drawn.items():
        totals = known[key].sum(axis=1)
        came, usual = float(totals[year]), float(totals[totals.index < year].mean()) + 1.0
        middle = float(np.median(draws))
        crps = float(scoringrules.crps_ensemble(came, draws))
        inside = []
        for level in (0.5, 0.8, 0.95):
            low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
            inside.append(float(low <= came <= high))
        rows.append((*key, abs(middle - came), abs(middle - came) / usual, crps / usual, *inside))
    columns = ["source", "location", "measure", "persons", "error", "crps", "in50", "in80", "in95"]
    return pd.DataFrame(rows, columns=columns)


def study(
    whole: Panel, years: list[int], months_in: list[int], draws: int, seed: int
) -> pd.DataFrame:
    """Return the scores of nowcast and rules, a row per series, year and months in."""
    known = years_of(whole)
    parts = []
    for year in years:
        for months in months_in:
            last = f"{year}-{months:02d}" if months else f"{year - 1}-12"
            outlook = fc.nowcast(whole.until(last), year, draws=draws, seed=seed)
            values = outlook.paths.sel(year=year).transpose("series", "draw").to_numpy()
            said = dict(zip(outlook.keys, values))
            said = {key: said[key] for key in said if year in known[key].index}
            models = {"nowcast": said}
            for rule in ("share", "month"):
                made = rules(known, year, months, draws, rule, seed)
                models[rule] = made
            # What all of them say something of.
            common = [key for key in said if all(key in made for made in models.values())]
            for model, found in models.items():
                scores = scored({key: found[key] for key in common}, known, year)
                parts.append(scores.assign(model=model, year=year, months=months))
    return pd.concat(parts, ignore_index=True)


#: Pools that were compared on early years: whose draws, and whether distributions or quantiles are
#: averaged; "growth" is the nowcast without the seasonal models.
GROWTH = "growth"
POOLS = {
    "all": (GROWTH, *specification("seasonal")["members"]),
    "all but seasonal-naive": (GROWTH, *specification("seasonal")["members"][1:]),
    "without growth": tuple(specification("seasonal")["members"]),
}
WIDTHS = (1.0, 0.95, 0.9, 0.85, 0.8)


def alone() -> AbstractContextManager[object]:
    """Leave the seasonal models out of nowcasts that are made meanwhile."""
    verb = import_module("forecast.models.nowcast.verb")
    return mock.patch.object(verb, "with_seasonal_models")


def variants(
    whole: Panel, names: dict[str, dict[str, object]], given: argparse.Namespace
) -> Iterator[pd.DataFrame]:
    """Return the scores of nowcasts by settings that differ in one thing, one table each."""
    for name, changes in names.items():
        made = settings(changes)
        with mock.patch.object(NowcastSettings, "read", lambda _, made=made: made):
            scores = study(whole, given.years, given.months, given.draws, given.seed)
        yield scores[scores["model"] == "nowcast"].assign(variant=name)


def pools(
    whole: Panel, years: list[int], months_in: list[int], draws: int, seed: int
) -> pd.DataFrame:
    """Return the scores of the seasonal models by themselves and of pools, by width."""
    known, parts = years_of(whole), []
    for year in years:
        for months in months_in:
            seen = whole.until(f"{year}-{months:02d}" if months else f"{year - 1}-12")
            with alone():
                outlooks = {GROWTH: fc.nowcast(seen, year, draws=draws, seed=seed)}
            for name in POOLS["without growth"]:
                made = fc.forecast(seen, name, (f"{year}-12",), draws, seed, cache=False)
                outlooks[name] = made.by("year")
            said = {
                name: dict(zip(one.keys, one.paths.sel(year=year).transpose("series", ...).values))
                for name, one in outlooks.items()
            }
            common = [
                key
                for key in said[GROWTH]
                if year in known[key].index and all(key in one for one in said.values())
            ]
            made_of = {**{name: (name,) for name in said}, **POOLS}
            for name, members in made_of.items():
                for kind in ("linear", "quantiles") if len(members) > 1 else ("",):
                    drawn = {}
                    for key in common:
                        each = [np.sort(np.log1p(said[one][key])) for one in members]
                        drawn[key] = np.mean(each, 0) if kind == "quantiles" else np.ravel(each)
                    for width in WIDTHS if kind else (1.0,):
                        moved = {
                            key: np.expm1(np.median(one) + width * (one - np.median(one)))
                            for key, one in drawn.items()
                        }
                        scores = scored(moved, known, year)
                        label = f"{name} {kind} {width}".strip()
                        parts.append(scores.assign(model=label, year=year, months=months))
    return pd.concat(parts, ignore_index=True)


def next_year(whole: Panel, years: list[int], draws: int, seed: int, model: str) -> pd.DataFrame:
    """Return the scores of yearly forecasts of the year after, with a nowcast from 9 months."""
    known = years_of(whole)
    parts = []
    for year in years:
        rows = [
            (*key, past, total)
            for key, table in known.items()
            for past, total in table.sum(axis=1).items()
            if past < year
        ]
        columns = ["source", "location", "measure", "year", "value"]
        totals = Panel.from_frame(pd.DataFrame(rows, columns=columns), step=1)
        plain = fc.forecast(totals, model, (year + 1,), draws, seed, cache=False)
        now = fc.nowcast(whole.until(f"{year}-09"), year, totals, draws, seed)
        for name, outlook in (("without", plain), ("with nowcast", joined(plain, now))):
            values = outlook.paths.sel(year=year + 1).transpose("series", "draw").to_numpy()
            said = {
                key: row
                for key, row in zip(outlook.keys, values)
                if key in now.keys and year + 1 in known[key].index
            }
            scores = scored(said, known, year + 1)
            parts.append(scores.assign(model=name, year=year + 1, months=9))
    return pd.concat(parts, ignore_index=True)


def summary(scores: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return means over series, the median error, and the sum of errors in persons."""
    groups = scores.groupby(by)
    table = groups[["error", "crps", "in50", "in80", "in95"]].mean()
    table.insert(1, "median_error", groups["error"].median())
    table.insert(0, "persons", groups["persons"].sum().round())
    return table.assign(n=groups.size()).reset_index().round(4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--years", type=int, nargs="+", default=[2016, 2017, 2018, 2019])
    parser.add_argument("--in", dest="months", type=int, nargs="+", default=[0, 3, 6, 9])
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--variants", action="store_true", help="compare settings on these years")
    parser.add_argument("--widths", action="store_true", help="compare widths on these years")
    parser.add_argument("--pools", action="store_true", help="compare pools on these years")
    parser.add_argument("--alone", action="store_true", help="without the seasonal models")
    parser.add_argument("--next", metavar="MODEL", help="the year after, by a yearly model")
    given = parser.parse_args()
    whole = panel(given.shared)
    if given.next:
        scores = next_year(whole, given.years, given.draws, given.seed, given.next)
        for by in (["model", "year", "months"], ["model", "months"]):
            summary(scores, by).to_csv(sys.stdout, index=False, lineterminator="\n")
        return
    if given.pools:
        scores = pools(whole, given.years, given.months, given.draws, given.seed)
        summary(scores, ["months", "model"]).to_csv(sys.stdout, index=False, lineterminator="\n")
        return
    if given.variants or given.widths:
        with alone() if given.variants else nullcontext():
            names = VARIANTS if given.variants else LEARNED
            scores = pd.concat(variants(whole, names, given))
        for by in (["variant", "year", "months"], ["variant", "months"]):
            summary(scores, by).to_csv(sys.stdout, index=False, lineterminator="\n")
        return
    with alone() if given.alone else nullcontext():
        scores = study(whole, given.years, given.months, given.draws, given.seed)
    for by in (["model", "year", "months"], ["model", "months"]):
        summary(scores, by).to_csv(sys.stdout, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
