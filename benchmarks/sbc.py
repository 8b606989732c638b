"""Simulation-based calibration of the hierarchical model, as one JSON line.

    python benchmarks/sbc.py [--replicates 400] [--seed 1]

Parameters are drawn from the priors learned from the world, histories are made with them, the
model is fitted to the histories, and the rank of every true parameter among its posterior draws
is counted: uniform if everything is right (Talts et al. 2018, arXiv:1804.06788). Two groups
and regions within a country, so that every part of the model takes part. Ranks of all
locations and years of one kind are tested one parameter at a time.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict

import numpy as np
from joblib import Parallel, delayed
from scipy.stats import chi2, chisquare

from forecast.models.hierarchy import sampling
from forecast.models.hierarchy.posterior import Posterior
from forecast.models.hierarchy.prior_draws import prior_histories, prior_parameters
from forecast.models.hierarchy.priors import resolve
from forecast.models.specification import specification

GROUP = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1])
PARENT = np.array([0, 0, 0, 1])
N_YEARS = 24
#: Draws that a rank is counted among, and cells that ranks are counted in.
KEPT, BINS = 99, 10


def replicate(seed: int) -> dict[str, np.ndarray]:
    """Ranks of all true parameters of one simulated world."""
    import nutpie

    stated = specification("hierarchical")
    settings = stated["settings"]
    priors, _ = resolve(stated, {}, len(GROUP), stated["learned"]["until"])
    generator = np.random.default_rng(seed)
    true = prior_parameters(priors, GROUP, PARENT, N_YEARS, 1, generator)
    # The first two rates are given to the model, so they may not depend on its parameters.
    first = 3.0 * generator.standard_normal((1, len(GROUP), 1))
    begun = np.concatenate([first, first + generator.standard_normal(first.shape)], axis=2)
    rates = prior_histories(true, GROUP, begun, settings, generator)[0]
    move = np.abs(np.diff(rates, axis=1))[:, :-1] + settings["least_move"]
    figures = np.stack([rates[:, 2:], rates[:, 1:-1], move, np.log(move), np.ones_like(move)])
    own = sampling.centred(np.full(len(GROUP), N_YEARS), settings["centring"])
    floors = (settings["floor"], settings["storm_floor"])
    tree = nutpie.sample(
        Posterior(figures, own, GROUP, PARENT, priors, floors).model(),
        draws=15 * KEPT, tune=500, chains=1, cores=1, seed=seed, target_accept=0.9,
        adaptation="draw_diag", save_warmup=False, progress_bar=False,
    )  # fmt: skip
    thinned = tree["posterior"].dataset.isel(chain=0, draw=slice(None, None, 15))
    return {
        name: (values.to_numpy() < true[str(name)][0]).sum(axis=0)
        for name, values in thinned.data_vars.items()
    }


def verdict(ranks: dict[str, list[np.ndarray]]) -> dict[str, dict[str, float]]:
    """Hold the ranks of each parameter against the uniform distribution."""
    found = {}
    for name, rows in ranks.items():
        table = np.asarray(rows)
        cells = np.minimum(table * BINS // (KEPT + 1), BINS - 1)
        chances = [
            float(chisquare(np.bincount(cells[:, j], minlength=BINS)).pvalue)
            for j in range(cells.shape[1])
        ]
        together = chisquare(np.bincount(cells[:, 0], minlength=BINS)).statistic
        found[name] = {
            "parameters": cells.shape[1],
            "smallest_p": round(min(chances), 5),
            # Sidak: chance that the smallest of so many is as small.
            "smallest_p_of_all": round(1.0 - (1.0 - min(chances)) ** len(chances), 4),
            "first_p": round(float(chi2.sf(together, BINS - 1)), 4),
            "mean_rank": round(float(table.mean() / KEPT), 3),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.perf_counter()
    seeds = np.random.SeedSequence(options.seed).generate_state(options.replicates)
    ranks: dict[str, list[np.ndarray]] = defaultdict(list)
    for found in Parallel(n_jobs=2)(delayed(replicate)(int(seed)) for seed in seeds):
        for name, values in found.items():
            ranks[name].append(values)
    table = verdict(ranks)
    print(
        json.dumps(
            {
                "replicates": options.replicates,
                "seconds": round(time.perf_counter() - started, 1),
                "uniform_at_99": all(row["smallest_p_of_all"] > 0.01 for row in table.values()),
                "parameters": table,
            }
        )
    )


if __name__ == "__main__":
    main()
