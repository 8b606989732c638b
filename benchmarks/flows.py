"""Backtests of gross flows, regions and reconciliation on the bundled figures.

    python benchmarks/flows.py FOLDER            # run (about 6 processor minutes), resumable
    python benchmarks/flows.py FOLDER --tables   # print the tables of docs/studies/flows.md
    python benchmarks/flows.py FOLDER --paired   # joint scores with and without dependence

Settings were chosen on origins up to 2004 (flows) and outcomes up to 2013 (regions); what is
reported are origins from 2005 on, for flows, and all origins that the naive model can be
compared on, for regions.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

import forecast as fc
from forecast.contract import FittedModel
from forecast.evaluate.track import Track
from forecast.models.coherent import Reconciled
from forecast.models.registry import model as find_model
from forecast.panel import Panel


class ShortNaive:
    """The random walk on series of four years or more, where the model wants eight."""

    name = "naive, short series"

    def fit(self, panel: Panel, seed: int) -> FittedModel:
        from forecast.models.series import univariate
        from forecast.models.series.structural import RandomWalk

        usual = univariate.MINIMUM_YEARS
        univariate.MINIMUM_YEARS = 4
        try:
            return RandomWalk().fit(panel, seed)
        finally:
            univariate.MINIMUM_YEARS = usual


REGIONAL = [
    "naive",
    ShortNaive(),
    "structural",
    Reconciled("structural"),
    "internal",
]


def run(folder: Path) -> None:
    bundle = fc.load("central-asia")
    settings = {"draws": 1000, "jobs": 1, "store": folder / "store"}
    flows = fc.backtest(
        bundle.select(source=["kz-bns", "kg-nsc", "uz-stat"]),
        ["naive", "structural", "arima", Reconciled("structural"), "flows"],
        range(1998, 2022),
        horizons=(1, 3, 5),
        **settings,
    )
    flows.save(folder / "flows")
    regions = fc.backtest(
        bundle.select(source=["kz-bns", "kz-bns-balance"]),
        [*REGIONAL, "coherent"],
        range(2005, 2022),
        horizons=(1, 3, 5),
        **settings,
    )
    regions.save(folder / "kazakh")
    uzbek = fc.backtest(
        bundle.select(source="uz-stat-balance"),
        REGIONAL,
        range(2016, 2022),
        horizons=(1, 3),
        **settings,
    )
    uzbek.save(folder / "uzbek")


def paired(folder: Path) -> None:
    """Energy and variogram scores of the same draws, as they are and shuffled."""
    from forecast import scores

    bundle = fc.load("central-asia")
    rows = []
    for sources, model, origins, horizons in (
        (["kz-bns", "kz-bns-balance"], "coherent", range(2005, 2022), (1, 3, 5)),
        (["uz-stat-balance"], "internal", range(2016, 2022), (1, 3)),
    ):
        panel = bundle.select(source=sources)
        truth = panel.latest[panel.latest["measure"] == "net_all_flows"]
        truth = truth[truth["location"].str.contains("-")].dropna(subset=["value"])
        for origin in origins:
            years = [origin + h for h in horizons if origin + h <= panel.origin]
            fitted = find_model(model).fit(panel.until(origin), 1)
            outlook = fitted.forecast(years, 2000)
            for year in years:
                figures = truth[truth["year"] == year]
                if figures.empty:
                    continue
                size = figures["population"].to_numpy() / 1000.0
                draws = np.stack(
                    [
                        outlook.sample(location=place, measure="net_all_flows", year=year)
                        for place in figures["location"]
                    ],
                    axis=1,
                )
                observed = figures["value"].to_numpy() / size
                generator = np.random.default_rng(origin)
                for shuffle in range(5):
                    alone = np.stack([generator.permutation(column) for column in draws.T], axis=1)
                    for kind, values in (("joint", draws), ("independent", alone)):
                        found = values / size
                        rows.append(
                            (model, origin, year - origin, kind, shuffle,
                             scores.energy_score(found, observed),
                             scores.variogram_score(found, observed))
                        )  # fmt: skip
    columns = ["model", "origin", "horizon", "kind", "shuffle", "energy", "variogram"]
    made = pd.DataFrame(rows, columns=columns)
    made.to_csv(folder / "paired.csv", index=False)
    by = made.groupby(["model", "horizon", "origin", "kind"])[["energy", "variogram"]].mean()
    print(by.groupby(["model", "horizon", "kind"]).mean().round(3).to_string())


def table(track: Track, versus: str, **kept: object) -> None:
    rows = track.table[track.table["status"] == "scored"]
    for column, wanted in kept.items():
        rows = rows[wanted(rows[column])] if callable(wanted) else rows[rows[column] == wanted]
    cell = ["location", "measure", "origin", "year"]
    there = rows[rows["model"] == versus].set_index(cell).index
    rows = rows.set_index(cell)
    rows = rows[rows.index.isin(there)].reset_index()
    by = ["measure", "horizon"]
    print(rows.pivot_table(index="model", columns=by, values="crps").round(0).to_string())
    print(rows.groupby("model")[["inside_50", "inside_80", "inside_95"]].mean().round(3))
    print(rows.groupby("model")["crps"].agg(["mean", "size"]).round(0))


def energy(track: Track, **kept: object) -> None:
    rows = track.joint
    for column, wanted in kept.items():
        rows = rows[wanted(rows[column])] if callable(wanted) else rows[rows[column] == wanted]
    by = ["measure", "horizon"]
    for score in ("energy_score", "variogram_score"):
        print(rows.pivot_table(index="model", columns=by, values=score).round(3).to_string())


def tables(folder: Path) -> None:
    flows = Track.open(folder / "flows")
    print("Kazakhstan, origins up to 2004, outcomes up to 2008 (chosen on)")
    table(flows, "naive", location="KAZ", origin=lambda o: o <= 2004, year=lambda y: y <= 2008)
    print("Kazakhstan, origins 2005-2021")
    table(flows, "naive", location="KAZ", origin=lambda o: o >= 2005)
    kazakh = Track.open(folder / "kazakh")
    print("16 Kazakh regions, outcomes up to 2013 (chosen on)")
    table(kazakh, "naive", source="kz-bns-balance", year=lambda y: y <= 2013)
    print("16 Kazakh regions, all origins with a naive forecast")
    table(kazakh, "naive", source="kz-bns-balance")
    print("16 Kazakh regions, origins 2013-2021")
    table(kazakh, "naive", source="kz-bns-balance", origin=lambda o: o >= 2013)
    print("16 Kazakh regions, origins 2005-2021, naive on short series")
    table(kazakh, ShortNaive.name, source="kz-bns-balance")
    energy(kazakh, source="kz-bns-balance")
    print("Kazakhstan itself in the same run")
    table(kazakh, "naive", location="KAZ")
    uzbek = Track.open(folder / "uzbek")
    regional = {"location": lambda places: places != "UZB"}
    print("14 Uzbek regions, origins 2018-2021")
    table(uzbek, "naive", **regional)
    print("14 Uzbek regions, origins 2016-2021, naive on short series")
    table(uzbek, ShortNaive.name, **regional)
    print("the same without the outliers of 2020 and 2021 as targets")
    table(uzbek, ShortNaive.name, **regional, year=lambda y: ~y.isin([2020, 2021]))
    print("the same without Tashkent City")
    table(uzbek, ShortNaive.name, location=lambda places: ~places.isin(["UZB", "UZ-TK"]))
    energy(uzbek)


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3}:
        sys.exit(__doc__)
    chosen = {"--tables": tables, "--paired": paired}.get("".join(sys.argv[2:]), run)
    chosen(Path(sys.argv[1]))
