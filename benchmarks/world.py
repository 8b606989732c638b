"""The bars of the hierarchical model on the world, as one JSON line.

    python benchmarks/world.py [--wpp FOLDER] [--origins 2013] [--last 2023] [--draws 2000]
    python benchmarks/world.py --learn

The first fits WPP 2024 (236 areas) up to each origin and scores the next ten years over the
areas of at least 100,000 inhabitants in 2014, rates as the peer defines them: net migration
over end-of-year population less net migration. The second prints the table ``[learned]`` of
models/hierarchical.toml. ``--wpp`` names the folder with the tidy vintages.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import scoringrules

from forecast.data import wpp, wpp_bulk
from forecast.models.hierarchical.fitted import FittedHierarchical
from forecast.models.hierarchical.model import Hierarchical
from forecast.models.registry import specification
from forecast.panel import Panel

ROOT = Path(__file__).resolve().parents[1]
LAST = 2023


def world(folder: Path) -> tuple[Panel, set[str]]:
    """All areas with the peer's denominator as population, and those counted in the scores."""
    panel = wpp.world(folder, vintages=[2024])
    figures = panel.to_frame()
    counted = (figures["year"] == 2014) & (figures["population"] >= 1e5)
    large = set(figures.loc[counted, "location"])
    people = pd.read_csv(folder / "wpp2024_population.csv.gz")
    codes = wpp_bulk.codes(people["iso_numeric"], people["iso3"])
    people = people.assign(location=codes)[["location", "year", "population_dec31_thousands"]]
    table = panel.to_frame().merge(people, on=["location", "year"], how="left", validate="1:1")
    table["population"] = table.pop("population_dec31_thousands") * 1000.0 - table["value"]
    return Panel.from_frame(table, step=1), large


def fit(panel: Panel, origin: int, kept: int) -> tuple[FittedHierarchical, float]:
    started = time.perf_counter()
    sampler = {"kept_of_many": kept, "most": kept} if kept else {}
    model = Hierarchical(sampler=sampler, on_failure="mark")
    fitted = model.fit(panel.until(origin), seed=1)
    return fitted, time.perf_counter() - started


def measured(
    panel: Panel, large: set[str], origin: int, last: int, draws: int, kept: int
) -> dict[str, object]:
    fitted, seconds = fit(panel, origin, kept)
    table = fitted.diagnostics
    ahead = range(origin + 1, min(origin + 10, last) + 1)
    rates = fitted.rates(ahead[-1], draws)
    kept = [row for row, s in enumerate(fitted.pool.series) if s.location in large]
    known = {s.location: s for s in panel}
    truth = np.array(
        [
            [(1000.0 * s.values / s.population)[s.years == year][0] for year in ahead]
            for s in (known[fitted.pool.series[row].location] for row in kept)
        ]
    )
    drawn = np.moveaxis(rates[:, kept], 0, -1)
    crps = scoringrules.crps_ensemble(truth, drawn, estimator="pwm")
    median = np.median(drawn, axis=-1)
    no_change = np.array([fitted.pool.rates[row, -1] for row in kept])[:, None]
    error, persistence = np.abs(median - truth), np.abs(no_change - truth)
    inside = {}
    for level in (50, 80, 95):
        low, high = np.quantile(drawn, [0.5 - level / 200, 0.5 + level / 200], axis=-1)
        inside[f"coverage_{level}"] = round(float(((truth >= low) & (truth <= high)).mean()), 3)
    return {
        "areas_fitted": len(fitted.pool.series),
        "areas_scored": len(kept),
        "seconds": round(seconds, 1),
        "r_hat": round(float(table["r_hat"].max()), 4),
        "ess_bulk": round(float(table["ess_bulk"].min())),
        "ess_bulk_per_second": round(float(table["ess_bulk"].min()) / seconds, 2),
        "seconds_sampling": round(fitted.sampled.seconds, 1),
        "ess_bulk_per_second_sampling": round(
            float(table["ess_bulk"].min()) / fitted.sampled.seconds, 2
        ),
        "ess_tail": round(float(table["ess_tail"].min())),
        "divergences": fitted.sampled.divergences,
        "crps": round(float(crps.mean()), 3),
        "crps_median_area": round(float(np.median(crps.mean(axis=1))), 3),
        "mae": round(float(error.mean()), 3),
        **inside,
        "crps_by_horizon": crps.mean(axis=0).round(2).tolist(),
        "mae_by_horizon": error.mean(axis=0).round(2).tolist(),
        "persistence_by_horizon": persistence.mean(axis=0).round(2).tolist(),
    }


def learned(panel: Panel, kept: int) -> str:
    stated = specification("hierarchical")
    until = int(stated["learned"]["until"])
    fitted, _ = fit(panel, until, kept)
    table = fitted.diagnostics.set_index("parameter")
    told = table[["mean", "sd"]]
    lines = []
    for name in stated["priors"]:
        centre, spread = told.loc[f"{name}[{fitted.pool.groups[0]}]"]
        lines.append(f"{name} = [{centre:.3f}, {spread:.3f}]")
    return "\n".join([f"# {fitted.sampled.verdict}", *lines])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wpp", type=Path, default=ROOT.parent / "shared" / "data" / "wpp")
    parser.add_argument("--origins", default="2013")
    parser.add_argument("--last", type=int, default=LAST, help="last year scored")
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--kept", type=int, default=0, help="draws kept of each chain")
    parser.add_argument("--learn", action="store_true")
    options = parser.parse_args()
    panel, large = world(options.wpp)
    if options.learn:
        print(learned(panel, options.kept))
        return
    origins = [int(text) for text in options.origins.split(",")]
    result = {
        str(o): measured(panel, large, o, options.last, options.draws, options.kept)
        for o in origins
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
