"""Simulation-based calibration of every Bayesian model, one JSON line each.

    python benchmarks/sbc.py [--models hierarchical,flows,...] [--replicates 400] [--seed 1]

Parameters are drawn from their priors, histories are made with them, the model is fitted to
the histories, and the rank of every true value among its posterior draws is counted: uniform
if everything is right (Talts et al. 2018, arXiv:1804.06788). Each entry of a parameter (a
location, a year) is tested by itself; what the parameter is judged by is the smallest chance
of its entries, allowing for their number (Šidák).
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import sbc_flows
import sbc_hierarchical
import sbc_mirror
import sbc_series
from joblib import Parallel, delayed
from scipy.stats import chisquare

#: Cells that ranks are counted in.
BINS = 10
#: What makes the ranks of one simulated world, and among how many draws they are.
MODELS: Mapping[str, tuple[Callable[[int], dict[str, np.ndarray]], int]] = {
    "hierarchical": (sbc_hierarchical.replicate, sbc_hierarchical.KEPT),
    "flows": (sbc_flows.replicate, sbc_flows.KEPT),
    "mirror": (sbc_mirror.replicate, sbc_mirror.KEPT),
    "level": (sbc_series.level, sbc_series.KEPT),
    "ar": (sbc_series.autoregression, sbc_series.KEPT),
    "structural": (sbc_series.structural, sbc_series.KEPT),
    "internal": (sbc_series.pooled, sbc_series.KEPT),
}


def verdict(ranks: Mapping[str, Sequence[np.ndarray]], kept: int) -> dict[str, dict[str, float]]:
    """Hold the ranks of each parameter against the uniform distribution."""
    found = {}
    for name, rows in ranks.items():
        table = np.asarray(rows).reshape(len(rows), -1)
        cells = np.minimum(table * BINS // (kept + 1), BINS - 1)
        chances = [
            float(chisquare(np.bincount(cells[:, j], minlength=BINS)).pvalue)
            for j in range(cells.shape[1])
        ]
        found[name] = {
            "entries": cells.shape[1],
            "smallest_p": round(min(chances), 5),
            # Chance that the smallest of so many is as small.
            "smallest_p_of_all": round(1.0 - (1.0 - min(chances)) ** len(chances), 4),
            "mean_rank": round(float(table.mean() / kept), 3),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--replicates", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    seeds = np.random.SeedSequence(options.seed).generate_state(options.replicates)
    for model in options.models.split(","):
        replicate, kept = MODELS[model]
        started = time.perf_counter()
        ranks: dict[str, list[np.ndarray]] = defaultdict(list)
        for found in Parallel(n_jobs=options.jobs)(delayed(replicate)(int(s)) for s in seeds):
            for name, values in found.items():
                ranks[name].append(values)
        table = verdict(ranks, kept)
        print(
            json.dumps(
                {
                    "model": model,
                    "replicates": options.replicates,
                    "seconds": round(time.perf_counter() - started, 1),
                    "uniform_at_99": all(row["smallest_p_of_all"] > 0.01 for row in table.values()),
                    "parameters": table,
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
