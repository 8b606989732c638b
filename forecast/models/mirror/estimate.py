"""Draws of the true flows of all corridors, from what the counts of some teach of the sources."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.models.bayes.gate import Sampled
from forecast.models.mirror.counts import COUNTER, Counts
from forecast.models.mirror.graph import beliefs, counting_variance
from forecast.models.mirror_settings import MirrorSettings

#: What an estimate rests on.
SEVERAL, APPLIED, ONE, BETWEEN = (
    "several sources", "several sources, each year by itself", "one source", "years beside it",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Estimate:
    """Draws from the posterior; all arrays begin with the draw.

    Attributes
    ----------
    flows : DataFrame
        ``location, year, counts, sources, basis``: which flows, how many counts there are of them
        in that year and how many sources tell of the corridor, and what the estimate rests on.
    log_flow : ndarray, shape (n_draws, n_flows)
        Log of persons per calendar year who stay twelve months or more.
    log_coverage : ndarray, shape (n_draws, n_counters)
    pairs, accuracy : ndarray, shape (n_draws, n_books)
        Standard deviations of the errors of a corridor in all years, and of a year.
    pair : ndarray, shape (n_draws, n_series)
        Errors of corridors; NaN where nothing was learnt of them.
    learnt : ndarray, shape (n_counters,)
        Whose coverage rests on more than belief.
    """

    flows: pd.DataFrame
    log_flow: np.ndarray
    log_coverage: np.ndarray
    pairs: np.ndarray
    accuracy: np.ndarray
    pair: np.ndarray
    learnt: np.ndarray


def estimate(
    counts: Counts,
    fitted: Counts,
    sampled: Sampled | None,
    settings: MirrorSettings,
    generator: np.random.Generator,
) -> Estimate:
    """Put the draws of a fit together with what follows from them for all other corridors.

    Parameters
    ----------
    counts, fitted : Counts
        All of them, and those that the fit has seen.
    sampled : Sampled or None
        The fit; None where no corridor is told by several sources: then belief is all there is.
    settings : MirrorSettings
        ``models/mirror.toml``.
    generator : Generator
        For what is drawn besides.
    """
    number = settings.sampler.told
    kept: np.ndarray | None = None
    if sampled is not None:
        total = len(sampled.draws("log_change"))
        kept = np.unique(np.linspace(0, total - 1, min(number, total)).astype(int))
        number = len(kept)
    believed = beliefs(counts, settings)

    def spread(
        name: str, prior: np.ndarray, ours: pd.DataFrame, theirs: pd.DataFrame
    ) -> np.ndarray:
        """Return draws of a parameter: of the fit for what it has seen, else of the prior."""
        drawn = prior[0] + prior[1] * generator.standard_normal((number, len(ours)))
        if sampled is not None:
            place = pd.MultiIndex.from_frame(ours).get_indexer(pd.MultiIndex.from_frame(theirs))
            drawn[:, place] = sampled.draws(name)[kept]
        return np.asarray(drawn)

    coverage = spread("log_coverage", believed.coverage, counts.counters, fitted.counters)
    pairs = np.exp(spread("log_pairs", believed.pairs, counts.books, fitted.books))
    accuracy = np.exp(spread("log_accuracy", believed.accuracy, counts.books, fitted.books))
    pair = np.full((number, len(counts.series)), np.nan)
    known = pd.MultiIndex.from_frame(counts.counters).isin(
        pd.MultiIndex.from_frame(fitted.counters)
    )
    flows, drawn = [], []
    if sampled is not None:
        names = pd.MultiIndex.from_frame(counts.series)
        pair[:, names.get_indexer(pd.MultiIndex.from_frame(fitted.series))] = sampled.draws("pair")[
            kept
        ]
        flows.append(fitted.flows)
        drawn.append(sampled.draws("log_flow")[kept])
    rest = ~counts.table["location"].isin(set(fitted.table["location"])).to_numpy()
    if rest.any():
        there, values = _applied(
            counts, rest, coverage, pairs, accuracy, settings.priors.degrees_of_counts, generator
        )
        flows.append(there)
        drawn.append(values)
    table, log_flow = pd.concat(flows, ignore_index=True), np.concatenate(drawn, axis=1)
    order = table.sort_values(["location", "year"]).index.to_numpy()
    table = _described(table.iloc[order].reset_index(drop=True), counts, fitted)
    return Estimate(table, log_flow[:, order], coverage, pairs, accuracy, pair, known)


def _applied(
    counts: Counts,
    rows: np.ndarray,
    coverage: np.ndarray,
    pairs: np.ndarray,
    accuracy: np.ndarray,
    degrees: float,
    generator: np.random.Generator,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return flows and draws of them by the counts of each year alone, weighted by their accuracy.

    Errors are taken as normal with the variance of Student's t, and the flow before any count as
    anything: nothing is borrowed from other years, so that intervals are rather too wide.
    """
    table = counts.table[rows]
    cells, place = np.unique(
        table[["location", "year"]].to_records(index=False), return_inverse=True
    )
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(cells)))
    chosen = np.flatnonzero(rows)[order]
    book = counts.book_of(counts.table)[chosen]
    counter = counts.place(counts.counters)[chosen]
    told = counts.log_values[chosen]
    fixed = np.asarray(counting_variance(told, counts.rounding[chosen]))
    tails = degrees / (degrees - 2.0)
    worth = 1.0 / (pairs[:, book] ** 2 + tails * (accuracy[:, book] ** 2 + fixed))
    total = np.add.reduceat(worth, starts, axis=1)
    mean = np.add.reduceat(worth * (told - coverage[:, counter]), starts, axis=1) / total
    drawn = mean + generator.standard_normal(mean.shape) / np.sqrt(total)
    there = pd.DataFrame({"location": cells["location"], "year": cells["year"].astype(int)})
    return there, drawn


def _described(flows: pd.DataFrame, counts: Counts, fitted: Counts) -> pd.DataFrame:
    """Add how many counts there are, and what each estimate rests on."""
    cells = ["location", "year"]
    number = counts.table.groupby(cells).size()
    here = number.reindex(pd.MultiIndex.from_frame(flows)).fillna(0).astype(int).to_numpy()
    told = counts.table.groupby("location")["source"].nunique()
    sources = flows["location"].map(told).to_numpy()
    among = counts.series.groupby("location").size()
    several = (flows["location"].map(among) > 1).to_numpy()
    seen = flows["location"].isin(set(fitted.table["location"])).to_numpy()
    basis = np.select([here == 0, seen, several], [BETWEEN, SEVERAL, APPLIED], ONE)
    return flows.assign(counts=here, sources=sources, basis=basis)


def predicted(
    drawn: Estimate,
    counts: Counts,
    asked: pd.DataFrame,
    degrees: float,
    generator: np.random.Generator,
) -> np.ndarray:
    """Return draws of what would be counted, in persons: shape (n_draws, n_asked).

    Parameters
    ----------
    drawn : Estimate
    counts : Counts
        Those that it was made from.
    asked : DataFrame
        Columns `forecast.models.mirror.counts.COUNTER`, ``location`` and ``flow``, the position in
        ``drawn.flows``.
    degrees : float
        Of Student's t.
    generator : Generator
    """
    index = pd.MultiIndex.from_frame(counts.counters)
    counter = index.get_indexer(pd.MultiIndex.from_frame(asked[COUNTER]))
    book = counts.book_of(asked)
    names = pd.MultiIndex.from_frame(counts.series)
    series = names.get_indexer(pd.MultiIndex.from_frame(asked[[*COUNTER, "location"]]))
    # Of one corridor one error: years that are asked of one series share a draw.
    unseen, which = np.unique(
        asked[[*COUNTER, "location"]].agg(" ".join, axis=1), return_inverse=True
    )
    fresh = generator.standard_normal((len(drawn.log_flow), len(unseen)))[:, which]
    error = drawn.pairs[:, book] * fresh
    learnt = drawn.pair[:, series]
    error = np.where((series >= 0) & np.isfinite(learnt), learnt, error)
    expected = drawn.log_flow[:, asked["flow"].to_numpy()] + drawn.log_coverage[:, counter] + error
    variance = drawn.accuracy[:, book] ** 2 + np.asarray(
        counting_variance(expected, np.full(len(asked), 1.0 / np.sqrt(12.0)))
    )
    noise = generator.standard_t(degrees, expected.shape)
    return np.asarray(np.maximum(np.exp(expected + np.sqrt(variance) * noise) - 0.5, 0.0))
