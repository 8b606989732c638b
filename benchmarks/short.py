"""Whether `flows` may forecast flows of four or five figures: partners of Germany.

    python benchmarks/short.py [--shared FOLDER]        # about 4 processor minutes

Forecasts made at the end of 2012 and 2013 for years to 2015, of some partners at a time, drawn at
random; later years are reported elsewhere and not looked at here.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from panels import ROOT, german_partners

import forecast as fc

#: How many partners, and how many draws of so many.
SIZES = {1: 24, 2: 24, 5: 12, 13: 6, 40: 2}
COVERAGE = ["inside_50", "inside_80", "inside_95"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    panel = german_partners(parser.parse_args().shared).until(2015)
    figures = panel.latest.groupby(["location", "measure"]).size().unstack()
    whole = figures.index[(figures >= 6).all(axis=1)].to_numpy()
    generator, rows = np.random.default_rng(5), []
    for size, times in SIZES.items():
        for repeat in range(times):
            chosen = generator.choice(whole, size, replace=False).tolist()
            track = fc.backtest(
                panel.select(location=chosen),
                ["flows"],
                (2012, 2013),
                (1, 2, 3),
                draws=1000,
                jobs=1,
            )
            scored = track.table[track.table["status"] == "scored"]
            rows.append(scored.assign(partners=size, repeat=repeat))
    table = pd.concat(rows)
    held = table.groupby("partners")[[*COVERAGE, "pit"]].mean()
    counted = table.groupby("partners").agg(
        figures=("pit", "size"), fits=("repeat", lambda ones: 2 * ones.nunique())
    )
    print(held.join(counted).round(3).to_string())


if __name__ == "__main__":
    main()
