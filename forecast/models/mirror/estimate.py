"""Draws of the true flows of all corridors, from what the counts of some teach of the sources.

The model is an ordinary PyMC model, to look at, change, sample and criticise, in the spirit of
IMEM (Raymer, Wiśniowski, Forster, Smith and Bijak 2013, doi:10.1080/01621459.2013.789435). It
departs from it in three ways: a source has errors of its own in each corridor that stay for
years, beside those of single years; logs of counts have Student's t with a variance of counting,
where IMEM has a Poisson law over a lognormal one; and a flow follows its own past, not a
regression on covariates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast.models.bayes.gate import Sampled
from forecast.models.corridors_settings import MirrorSettings
from forecast.models.mirror.counts import COUNTER, Counts, positions

if TYPE_CHECKING:
    import pymc as pm


@dataclass(frozen=True, eq=False)
class Beliefs:
    """Normal priors on logs, each an array of means above one of standard deviations.

    Attributes
    ----------
    coverage : ndarray, shape (2, n_counters)
        Log of what is counted over what was moved.
    pairs, accuracy : ndarray, shape (2, n_books)
        Log of how far a source is off in a corridor in all years, and in one year besides.
    """

    coverage: np.ndarray
    pairs: np.ndarray
    accuracy: np.ndarray


def beliefs(counts: Counts, settings: MirrorSettings) -> Beliefs:
    """Return what is believed of the sources before their figures are seen.

    Parameters
    ----------
    counts : Counts
        Whose sources and sides are meant.
    settings : MirrorSettings
        ``models/mirror.toml``.
    """
    coverage = []
    for source, kind in zip(counts.counters["source"], counts.counters["kind"]):
        share, width = getattr(settings.kinds, kind).coverage
        definition = getattr(settings.definitions, counts.meanings[source].definition)
        factor, doubt = definition.factor
        coverage.append((np.log(share * factor), np.hypot(width, doubt)))
    kinds = [getattr(settings.kinds, kind) for kind in counts.books["kind"]]
    pairs = [(np.log(kind.pairs[0]), kind.pairs[1]) for kind in kinds]
    accuracy = [(np.log(kind.accuracy[0]), kind.accuracy[1]) for kind in kinds]
    return Beliefs(*(np.array(rows, dtype=float).T for rows in (coverage, pairs, accuracy)))


def counting_variance(expected: object, rounding: np.ndarray, xp: object = np) -> object:
    """Return the variance of the log of a count that chance and rounding leave.

    Parameters
    ----------
    expected : array
        Log of the count that is expected.
    rounding : ndarray
        Standard deviation of rounding, in persons.
    xp : module
        `numpy` or `pytensor.tensor`.
    """
    persons = xp.exp(expected) + 0.5  # type: ignore[attr-defined]
    return 1.0 / persons + (rounding / persons) ** 2


def crude_counts(counts: Counts) -> np.ndarray:
    """Return the mean log count of each corridor and year, where the chains begin: (n_flows,)."""
    flows = counts.flows
    place = counts.place(flows)
    number = np.bincount(place, minlength=len(flows))
    total = np.bincount(place, weights=counts.log_values, minlength=len(flows))
    crude = np.where(number > 0, total / np.maximum(number, 1), np.nan)
    for rows in flows.groupby("location").indices.values():
        seen = np.isfinite(crude[rows])
        crude[rows] = np.interp(rows, rows[seen], crude[rows[seen]])
    return crude


def centred(counts: Counts, half: float) -> np.ndarray:
    """Return how far the errors of corridors are centred, shape (n_series,).

    The more counts another source can be held against, the more; see
    `forecast.models.hierarchical.graph.centred`.

    Parameters
    ----------
    counts : Counts
        The figures.
    half : float
        The number of such counts at which it is one half.
    """
    several = counts.table.groupby(["location", "year"])["value"].transform("size").to_numpy() > 1
    held = np.bincount(counts.place(counts.series), weights=several, minlength=len(counts.series))
    return np.asarray(held / (held + half))


@dataclass(frozen=True, eq=False)
class Shares:
    """How much each series counts in its corridor.

    Attributes
    ----------
    corridors : ndarray
        Codes, sorted.
    corridor : ndarray, shape (n_series,)
        The corridor of each series.
    share : ndarray, shape (n_series,)
        By the number of its figures and their accuracy; they add up to one in each corridor.
    """

    corridors: np.ndarray
    corridor: np.ndarray
    share: np.ndarray


def shares(counts: Counts, believed: Beliefs) -> Shares:
    """Return how much each series counts in its corridor, before any figure is seen.

    Parameters
    ----------
    counts : Counts
        The figures.
    believed : Beliefs
        With the accuracy of their sources.
    """
    corridors, corridor = np.unique(counts.series["location"].to_numpy(), return_inverse=True)
    spread = np.exp(2.0 * believed.accuracy[0][counts.book_of(counts.series)])
    worth = np.bincount(counts.place(counts.series), minlength=len(counts.series)) / spread
    return Shares(corridors, corridor, worth / np.bincount(corridor, weights=worth)[corridor])


def pymc_model(counts: Counts, settings: MirrorSettings) -> pm.Model:
    """State the model of counts of the same movements in PyMC.

    Parameters
    ----------
    counts : Counts
        Of corridors that several sources tell of; of others nothing is learnt of any source.
    settings : MirrorSettings
        ``models/mirror.toml``.

    Returns
    -------
    pymc.Model
        Free variables: ``log_counted`` by corridor and year, what all sources of a corridor count
        together, from which ``log_flow`` follows; ``log_coverage`` of each that counts;
        ``log_pairs`` and ``log_accuracy`` of each source and side; ``pair``, the error of a source
        in a corridor in all years; ``log_change``. Observed: ``log_count``, logs of persons per
        calendar year (a half added); its figures are `pm.Data`.

    Examples
    --------
    >>> import forecast as fc
    >>> from forecast.models.mirror.counts import counts_of
    >>> from forecast.models.registry import settings
    >>> panel, stated = fc.load("corridors").select(location="KAZ:DEU"), settings("mirror")
    >>> "log_flow" in pymc_model(counts_of(panel, stated), stated).named_vars
    True
    """
    import pymc as pm
    import pytensor.tensor as pt

    from forecast.models.bayes.whitening import partly_centred

    believed, priors = beliefs(counts, settings), settings.priors
    flows = counts.flows
    flow, counter = counts.place(flows), counts.place(counts.counters)
    series = counts.place(counts.series)
    book_of_series = counts.book_of(counts.series)
    counter_of_series = counts.counter_of(counts.series)
    share = shares(counts, believed)
    corridor = np.searchsorted(share.corridors, flows["location"].to_numpy())
    same = flows["location"].to_numpy()[1:] == flows["location"].to_numpy()[:-1]
    first = np.flatnonzero(np.concatenate([[True], ~same]))
    later = np.flatnonzero(same) + 1
    with pm.Model(coords=coordinates(counts)) as model:
        log_count = pm.Data("figure", counts.log_values, dims="count")
        log_coverage = pm.Normal("log_coverage", *believed.coverage, dims="counter")
        log_pairs = pm.Normal("log_pairs", *believed.pairs, dims="book")
        log_accuracy = pm.Normal("log_accuracy", *believed.accuracy, dims="book")
        log_change = pm.Normal("log_change", np.log(priors.change[0]), priors.change[1])

        pair = pm.Normal(
            "pair",
            0.0,
            pt.exp(log_pairs)[book_of_series],
            dims="series",
            transform=partly_centred(centred(counts, settings.sampler.centring)),
        )
        # Figures say much of what the sources count together, and of the flow itself no more than
        # coverage is known: the first is sampled, the second follows.
        off = log_coverage[counter_of_series] + pair
        shared = pt.zeros(len(share.corridors))
        shared = pt.inc_subtensor(shared[share.corridor], share.share * off)
        counted = pm.Flat("log_counted", dims="flow", initval=crude_counts(counts))
        log_flow = pm.Deterministic("log_flow", counted - shared[corridor], dims="flow")
        start = pm.Normal.dist(*priors.log_flow)
        pm.Potential("start", pm.logp(start, log_flow[first]))
        change = pm.StudentT.dist(priors.degrees_of_changes, mu=0.0, sigma=pt.exp(log_change))
        pm.Potential("persistence", pm.logp(change, log_flow[later] - log_flow[later - 1]))

        expected = log_flow[flow] + log_coverage[counter] + pair[series]
        spread = pt.exp(log_accuracy)[book_of_series[series]]
        pm.StudentT(
            "log_count",
            nu=priors.degrees_of_counts,
            mu=expected,
            sigma=pt.sqrt(spread**2 + counting_variance(expected, counts.rounding, pt)),
            observed=log_count,
            dims="count",
        )
    return model


def coordinates(counts: Counts) -> dict[str, list[str]]:
    """Return the names along the dimensions of the model.

    Parameters
    ----------
    counts : Counts
        Whose entries are named.
    """
    return {
        "counter": [" ".join(filter(None, row)) for row in counts.counters.to_numpy()],
        "book": [" ".join(row) for row in counts.books.to_numpy()],
        "series": [" ".join(filter(None, row)) for row in counts.series.to_numpy()],
        "flow": [f"{row.location} {row.year}" for row in counts.flows.itertuples()],
        "count": [f"{row.location} {row.year} {row.source}" for row in counts.table.itertuples()],
    }


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
            drawn[:, positions(theirs, ours)] = sampled.draws(name)[kept]
        return np.asarray(drawn)

    coverage = spread("log_coverage", believed.coverage, counts.counters, fitted.counters)
    pairs = np.exp(spread("log_pairs", believed.pairs, counts.books, fitted.books))
    accuracy = np.exp(spread("log_accuracy", believed.accuracy, counts.books, fitted.books))
    pair = np.full((number, len(counts.series)), np.nan)
    known = positions(counts.counters, fitted.counters) >= 0
    flows, drawn = [], []
    if sampled is not None:
        pair[:, positions(fitted.series, counts.series)] = sampled.draws("pair")[kept]
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
    log_counts = counts.log_values[chosen]
    fixed = np.asarray(counting_variance(log_counts, counts.rounding[chosen]))
    tails = degrees / (degrees - 2.0)
    worth = 1.0 / (pairs[:, book] ** 2 + tails * (accuracy[:, book] ** 2 + fixed))
    total = np.add.reduceat(worth, starts, axis=1)
    mean = np.add.reduceat(worth * (log_counts - coverage[:, counter]), starts, axis=1) / total
    drawn = mean + generator.standard_normal(mean.shape) / np.sqrt(total)
    there = pd.DataFrame({"location": cells["location"], "year": cells["year"].astype(int)})
    return there, drawn


def _described(flows: pd.DataFrame, counts: Counts, fitted: Counts) -> pd.DataFrame:
    """Add how many counts there are, and what each estimate rests on."""
    cells = ["location", "year"]
    number = counts.table.groupby(cells).size()
    here = number.reindex(pd.MultiIndex.from_frame(flows)).fillna(0).astype(int).to_numpy()
    sources_of = counts.table.groupby("location")["source"].nunique()
    sources = flows["location"].map(sources_of).to_numpy()
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
    counter = positions(asked, counts.counters)
    book = counts.book_of(asked)
    series = positions(asked, counts.series)
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
