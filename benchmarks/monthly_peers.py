"""statsforecast's automatic models on exchanged monthly series; needs no forecast package.

    python benchmarks/monthly_peers.py FOLDER [AutoETS,AutoTheta,AutoARIMA [EVERY]]

With EVERY only every EVERY-th series is fitted: AutoARIMA takes seconds for each. Reads
``series.csv`` and ``origins.txt`` of `FOLDER` and writes ``MODEL.csv``: quantiles by series, origin
and step, in persons. The models see log(1 + persons), as ours do, with a season of twelve.
"""

from __future__ import annotations

import csv
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from statsforecast.models import AutoARIMA, AutoETS, AutoTheta

MAKERS = {"AutoETS": AutoETS, "AutoTheta": AutoTheta, "AutoARIMA": AutoARIMA}
LEVELS = (10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98)
STEPS = 12


def main(folder: Path, names: list[str], every: int = 1) -> None:
    warnings.simplefilter("ignore")
    table = pd.read_csv(folder / "series.csv")
    wide = table.pivot(index="period", columns=["location", "measure"], values="value")
    origins = (folder / "origins.txt").read_text().split()
    for name in names:
        started = time.time()
        with (folder / f"{name}.csv").open("w", newline="") as file:
            out = csv.writer(file)
            out.writerow(["location", "measure", "origin", "step", "quantile", "value"])
            for origin in origins:
                for location, measure in wide.columns[::every]:
                    values = wide.loc[:origin, (location, measure)].dropna().to_numpy(float)
                    said = MAKERS[name](season_length=12).forecast(
                        y=np.log1p(values), h=STEPS, level=list(LEVELS)
                    )
                    bounds = [(0.5, said["mean"])]
                    for level in LEVELS:
                        bounds.append((0.5 - level / 200, said[f"lo-{level}"]))
                        bounds.append((0.5 + level / 200, said[f"hi-{level}"]))
                    for step in range(STEPS):
                        for share, value in sorted(bounds, key=lambda pair: pair[0]):
                            persons = max(float(np.expm1(value[step])), 0.0)
                            row = location, measure, origin, step + 1, round(share, 4)
                            out.writerow([*row, f"{persons:.2f}"])
                file.flush()
                print(name, origin, round(time.time() - started), "s", flush=True)


if __name__ == "__main__":
    chosen = sys.argv[2].split(",") if len(sys.argv) > 2 else list(MAKERS)
    main(Path(sys.argv[1]), chosen, int(sys.argv[3]) if len(sys.argv) > 3 else 1)
