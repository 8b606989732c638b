"""Backtests of corridors: Germany by partner, Abel and Cohen's five-year flows, Meta's estimates.

    python benchmarks/corridors.py SHARED germany|five-year|meta [--early]
    python benchmarks/corridors.py SHARED cost [PLACES]   # by number of corridors

SHARED is the folder of gathered figures. Choices were made on Germany's origins 2013 to 2015
(``--early``); all else is reported, and Meta was run once. Scores are of figures that were there
to be forecast: corridors with a figure at the origin and in the target year. ``in50`` is the share
of them inside the 50 % interval, whose ends belong to it; ``pit50`` the same by the randomised
probability integral transform, which breaks ties of whole persons by chance (Czado, Gneiting and
Held 2009, doi:10.1111/j.1541-0420.2009.01191.x).
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pycountry
from babel import Locale

from forecast import locations
from forecast.contract import ModelBase
from forecast.errors import ForecastError
from forecast.models.corridors import data as flows_data
from forecast.models.corridors.model import Corridors
from forecast.models.registry import model as find_model
from forecast.panel import Panel
from forecast.scores import SortedDraws, crps

BASELINES = ("last-flow", "mean-flow", "share-flow", "gravity-flow")
DRAWS = 1000
#: Chains of the backtests: scores need fewer draws than the gate, which `cost` reports.
SHORT = {"kept": 800, "most": 800}
ROOT = Path(__file__).resolve().parents[1]
#: Names of the office that are not those of the Unicode CLDR.
GERMAN = {
    "Côte d'Ivoire": "CIV", "Kongo, Dem. Republik": "COD", "Kongo, Republik": "COG",
    "Korea, Dem. Volksrepublik": "PRK", "Korea, Republik": "KOR", "Kosovo": "XKX",
    "Mazedonien": "MKD", "Tschechische Republik": "CZE", "Vereinigte Staaten, auch USA": "USA",
    "Weißrussland": "BLR",
}  # fmt: skip


def germany(shared: Path) -> Panel:
    """Arrivals and departures of Germany by partner; groups of countries and unknown ones apart."""
    table = pd.read_csv(shared / "data/corridors/deu_annual_migration_by_partner_2008_2019.csv")
    names = dict(GERMAN)
    for letters, name in Locale("de").territories.items():
        country = pycountry.countries.get(alpha_2=letters) if len(letters) == 2 else None
        if country is not None:
            names.setdefault(name, country.alpha_3)
    table["code"] = table["iso3"].fillna(table["partner_de"].map(names))
    table = table[table["code"].notna() & (table["code"] != "DEU")]
    into = table.assign(origin=table["code"], destination="DEU", value=table["arrivals"])
    out = table.assign(origin="DEU", destination=table["code"], value=table["departures"])
    both = pd.concat([into, out])[["origin", "destination", "year", "value"]]
    return Panel.from_frame(both.dropna().assign(source="de-destatis"))


def five_year(shared: Path) -> Panel:
    """Five-year transitions of Abel and Cohen, pairs with Central Asia or Russia."""
    table = pd.read_csv(shared / "data/flows/abel_cohen_flows_5y.csv.gz")
    table = table[table["method"] == "da_pb_closed"]
    return _coded(table, "period_start", "value", "abel-cohen", step=5)


def meta(shared: Path) -> Panel:
    """Yearly estimates of Chi and others from Meta; pairs under 50 are cut."""
    table = pd.read_csv(shared / "data/corridors/meta_bilateral_annual.csv.gz")
    return _coded(table, "year", "persons", "meta", step=1)


def _coded(table: pd.DataFrame, year: str, value: str, source: str, step: int) -> Panel:
    ends = table[["origin_iso3", "destination_iso3"]]
    known = ends.notna().all(axis=1) & (ends["origin_iso3"] != ends["destination_iso3"])
    for column in ends:
        known &= ends[column].map(_is_code)
    table = table[known]
    return Panel.from_frame(
        pd.DataFrame(
            {
                "origin": table["origin_iso3"], "destination": table["destination_iso3"],
                "year": table[year], "value": table[value], "source": source,
            }
        ),
        step=step,
    )  # fmt: skip


def _is_code(code: object) -> bool:
    try:
        locations.find(str(code))
    except ForecastError:
        return False
    return True


def scores(
    panel: Panel, origins: tuple[int, ...], steps: tuple[int, ...], last: int,
    models: dict[str, ModelBase],
) -> pd.DataFrame:  # fmt: skip
    """Return one row per model, origin, step and corridor."""
    table = panel.to_frame()
    outcome = {(row.location, row.year): row.value for row in table.itertuples()}
    # The fifty largest by what was known at the first origin, not by what came.
    early = table[table["year"] <= origins[0]]
    largest = set(early.groupby("location")["value"].mean().nlargest(50).index)
    # Ties of whole persons are broken by chance: the same for every model and run.
    chance = np.random.default_rng(1)
    broken = {key: chance.uniform() for key in sorted(outcome)}
    rows = []
    for origin in origins:
        past = panel.until(origin)
        for name, model in models.items():
            years = tuple(origin + h * panel.step for h in steps if origin + h * panel.step <= last)
            began = time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                outlook = model.fit(past, 1).forecast(years, DRAWS)
            spent = time.process_time() - began
            ends = outlook.series["origin"].to_numpy()
            for at, (_, place, _) in enumerate(outlook.keys):
                for year in years if ends[at] == origin else ():
                    value = outcome.get((place, year), np.nan)
                    if np.isnan(value):
                        continue
                    drawn = outlook.paths.isel(series=at).sel(year=year).to_numpy()
                    inside = [
                        bool(low <= value <= high)
                        for low, high in (
                            np.quantile(drawn, [(1 - p) / 2, (1 + p) / 2]) for p in (0.5, 0.8, 0.95)
                        )
                    ]
                    score = float(crps(SortedDraws.of(drawn[:, None]), np.array([value]))[0])
                    below, up_to = (drawn < value).mean(), (drawn <= value).mean()
                    pit = below + broken[place, year] * (up_to - below)
                    rows.append(
                        (name, origin, (year - origin) // panel.step, place, place in largest,
                         value, score, *inside, pit, spent)
                    )  # fmt: skip
    columns = ["model", "origin", "step", "location", "large", "value", "crps"]
    return pd.DataFrame(rows, columns=[*columns, "in50", "in80", "in95", "pit", "seconds"])


def tell(table: pd.DataFrame) -> None:
    """Print the tables of the study."""
    for name, rows in (("all corridors", table), ("fifty largest", table[table["large"]])):
        grouped = rows.groupby("model", sort=False)
        shown = pd.DataFrame(
            {
                "scores": grouped.size(), "CRPS": grouped["crps"].mean().round(1),
                "relative": (rows["crps"] / (rows["value"] + 10)).groupby(rows["model"]).mean()
                .round(3),
                **{c: grouped[c].mean().round(3) for c in ("in50", "in80", "in95")},
                **{
                    f"pit{round(100 * p)}": (2 * (rows["pit"] - 0.5).abs() <= p)
                    .groupby(rows["model"], sort=False).mean().round(3)
                    for p in (0.5, 0.8, 0.95)
                },
                "seconds": grouped["seconds"].first().round(1),
            }
        )  # fmt: skip
        print(f"\n{name}\n{shown.to_string()}")
    wide = table.pivot_table(index="model", columns=["origin", "step"], values="crps", sort=False)
    print(f"\nCRPS by origin and step\n{wide.round(1).to_string()}")


def made_up(n_places: int, n_years: int) -> Panel:
    """Corridors between the most populous countries, drawn from a law like that of the model."""
    facts = pd.read_csv(ROOT / "data" / "country_facts.csv")
    codes = facts.nlargest(n_places, "population")["code"].tolist()
    pairs = [(one, other) for one in codes for other in codes if one != other]
    n, generator = len(pairs), np.random.default_rng(1)
    sizes = [flows_data.terms(*pair) for pair in pairs]
    level = np.array(sizes) @ [0.7, 0.6, -1.0, 0.5, 0.7]
    level += 4.0 - level.mean() + generator.normal(size=n)
    first, second = (np.array([codes.index(pair[end]) for pair in pairs]) for end in (0, 1))
    deviation, rows = np.zeros(n), []
    for year in range(1990, 1990 + n_years):
        shared = [generator.standard_t(4, n_places) for _ in range(2)]
        deviation = 0.9 * deviation + 0.2 * generator.standard_t(4, n)
        deviation += (
            0.1 * generator.standard_t(4) + 0.15 * shared[0][first] + 0.1 * shared[1][second]
        )
        mean = np.exp(np.minimum(level + deviation + 0.1 * generator.normal(size=n), 15.0))
        rows += [(*p, year, v) for p, v in zip(pairs, generator.poisson(mean), strict=True)]
    return Panel.from_frame(pd.DataFrame(rows, columns=["origin", "destination", "year", "value"]))


def cost(sizes: list[int]) -> None:
    """Print processor seconds and memory by number of places, each in a process of its own."""
    if len(sizes) > 1:
        for size in sizes:
            subprocess.run([sys.executable, __file__, *sys.argv[1:3], str(size)], check=True)
        return
    panel = made_up(sizes[0], 30)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    began = time.perf_counter(), time.process_time()
    fitted = Corridors(on_failure="mark").fit(panel, 1)
    middle = time.process_time()
    fitted.forecast((panel.origin + 5,), 1000)
    table = fitted.diagnostics
    end, whole = time.process_time(), time.perf_counter() - began[0]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{sizes[0]} x {sizes[0]}, {len(panel)} corridors: fit {middle - began[1]:.0f} s, forecast "
        f"{end - middle:.0f} s of the processor, {whole:.0f} s in all; {memory:.2f} GB, "
        f"{before:.2f} before; R-hat {table['r_hat'].max():.3f}, "
        f"ESS {table['ess_bulk'].min():.0f}",
        flush=True,
    )


def main(shared: Path, what: str, early: bool) -> None:
    """Run one of the parts."""
    if what == "cost":
        cost([int(one) for one in sys.argv[3:]] or [20, 30, 40, 60])
        return
    models: dict[str, ModelBase] = {name: find_model(name) for name in BASELINES}
    models["corridors"] = Corridors(sampler=SHORT, on_failure="mark")
    runs = {
        "germany": (germany, (2013, 2014, 2015) if early else (2016, 2017, 2018), (1, 2, 3)),
        "five-year": (five_year, (2000, 2005) if early else (2010,), (1,)),
        "meta": (meta, (2020, 2021), (1, 2)),
    }
    read, origins, steps = runs[what]
    panel = read(shared)
    last = 2016 if early and what == "germany" else panel.origin
    tell(scores(panel, origins, steps, last, models))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2], "--early" in sys.argv)
