"""Ranks of true parameters in the mirror model, for ``sbc.py``.

Five corridors and five years, as a register of arrivals, one of departures and an estimate tell of
them, with gaps. Everything is drawn from the priors of ``models/mirror.toml``: coverage and
accuracy of each source, its errors in each corridor, the flows and their changes, and the logs of
the counts. One compiled model serves all worlds; only its figures are exchanged.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from forecast.models.corridors_settings import CountingSource, MirrorSettings
from forecast.models.mirror.counts import Counts
from forecast.models.mirror.estimate import beliefs, counting_variance, pymc_model
from forecast.models.registry import settings as settings_of

CORRIDORS = ("AAA:DDD", "BBB:DDD", "CCC:DDD", "AAA:EEE", "BBB:EEE")
YEARS = range(2015, 2020)
SOURCES = {"arrivals": "destination", "departures": "origin", "model": "estimate"}
#: Posterior draws that a rank is counted among, every so-many of two chains.
KEPT, THIN = 99, 10
NAMES = ("log_flow", "log_coverage", "log_pairs", "log_accuracy", "pair", "log_change")


def settings() -> MirrorSettings:
    """Return the settings that are shipped."""
    found = settings_of("mirror")
    assert isinstance(found, MirrorSettings)
    return found


@cache
def layout() -> Counts:
    """Return who counts what, with figures that stand for none."""
    rows = []
    for position, corridor in enumerate(CORRIDORS):
        origin, _, destination = corridor.partition(":")
        for source, kind in SOURCES.items():
            for year in YEARS:
                # An estimate begins late, a register of departures misses corridors and years.
                if (kind == "estimate" and year < 2017) or (
                    kind == "origin" and (position == 4 or year == 2016 + position % 2)
                ):
                    continue
                country = {"destination": destination, "origin": origin}.get(kind, "")
                rows.append(
                    (source, kind, country, corridor, origin, destination, year, 400.0, 1.0)
                )
    columns = ["source", "kind", "country", "location", "origin", "destination", "year"]
    table = pd.DataFrame(rows, columns=[*columns, "value", "precision"])
    meanings = {
        name: CountingSource(name=name, counts=kind, definition="twelve_months")
        for name, kind in SOURCES.items()
    }
    return Counts(table, meanings)


@cache
def compiled() -> Any:
    import nutpie

    return nutpie.compile_pymc_model(pymc_model(layout(), settings()), backend="numba")


def world(seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Draw true parameters, and the logs of the counts that follow."""
    counts, stated, generator = layout(), settings(), np.random.default_rng(seed)
    believed, priors = beliefs(counts, stated), stated.priors

    def normal(prior: np.ndarray) -> np.ndarray:
        return prior[0] + prior[1] * generator.standard_normal(prior.shape[1])

    true = {
        "log_coverage": normal(believed.coverage),
        "log_pairs": normal(believed.pairs),
        "log_accuracy": normal(believed.accuracy),
        "log_change": np.log(priors.change[0]) + priors.change[1] * generator.standard_normal(),
    }
    change = np.exp(true["log_change"])
    first = priors.log_flow[0] + priors.log_flow[1] * generator.standard_normal(len(CORRIDORS))
    steps = generator.standard_t(priors.degrees_of_changes, (len(CORRIDORS), len(YEARS) - 1))
    paths = np.concatenate([first[:, None], change * steps], axis=1).cumsum(axis=1)
    place = {code: row for row, code in enumerate(CORRIDORS)}
    true["log_flow"] = np.array(
        [paths[place[row.location], row.year - YEARS[0]] for row in counts.flows.itertuples()]
    )
    spread = np.exp(true["log_pairs"])[counts.book_of(counts.series)]
    true["pair"] = spread * generator.standard_normal(len(counts.series))
    book = counts.book_of(counts.table)
    expected = (
        true["log_flow"][counts.place(counts.flows)]
        + true["log_coverage"][counts.place(counts.counters)]
        + true["pair"][counts.place(counts.series)]
    )
    variance = np.exp(2 * true["log_accuracy"])[book] + np.asarray(
        counting_variance(expected, counts.rounding)
    )
    noise = generator.standard_t(priors.degrees_of_counts, len(book))
    return true, expected + np.sqrt(variance) * noise


def replicate(seed: int) -> dict[str, np.ndarray]:
    """Ranks of all true parameters of one simulated world."""
    import nutpie

    true, figures = world(seed)
    number = -(-KEPT * THIN // 2)
    tree = nutpie.sample(
        compiled().with_data(figure=figures),
        draws=number,
        tune=500,
        chains=2,
        cores=1,
        target_accept=settings().sampler.target_accept,
        adaptation="draw_diag",
        seed=seed % 2**31,
        save_warmup=False,
        progress_bar=False,
    )
    found = {}
    for name in NAMES:
        values = tree["posterior"][name].to_numpy()
        drawn = values.reshape(-1, *values.shape[2:])[::THIN][:KEPT]
        found[name] = np.asarray((drawn < true[name]).sum(axis=0))
    return found
