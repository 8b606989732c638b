"""Mirror: estimated flows, the coverage that follows, and where counts contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import ndtr

from forecast import drawing, locations
from forecast.corridors import ENDS, FLOW, with_ends
from forecast.errors import DataError, unknown_name
from forecast.models.bayes.gate import Sampled
from forecast.models.corridors_settings import MirrorSettings
from forecast.models.mirror.counts import COUNTER, Counts, sided
from forecast.models.mirror.estimate import Estimate, beliefs, counting_variance, predicted

#: The name of the estimate, where a source is named.
SOURCE = "mirror"
#: Levels of the intervals of `Mirror.to_frame`.
LEVELS = (0.50, 0.80, 0.95)
#: Counts that accuracy would have kept closer together with this chance contradict each other.
CONTRADICT = 0.80


@dataclass(frozen=True, eq=False)
class Mirror:
    """What was probably moved, given what several sources counted.

    Attributes
    ----------
    counts : Counts
        The counts that it was made from.
    estimate : Estimate
        Draws from the posterior.
    settings : MirrorSettings
        Priors and their reasons.
    seed : int
    sampled : Sampled
        The fit with its diagnostics.
    """

    counts: Counts
    estimate: Estimate
    settings: MirrorSettings
    seed: int
    sampled: Sampled

    @property
    def strange(self) -> list[str]:
        """Sources of which nothing was known; their counts are believed little."""
        meanings = self.counts.meanings
        used = set(self.counts.table["source"])
        return sorted(name for name in used if meanings[name].counts == "unknown")

    def flows(self, level: float = 0.80) -> pd.DataFrame:
        """Return the estimated flow of each corridor in each year.

        Parameters
        ----------
        level : float in (0, 1)
            Probability inside the intervals.

        Returns
        -------
        DataFrame
            ``location, origin, destination, year``, ``flow`` (median), ``lower, upper``, in persons
            per calendar year who stay twelve months or more; ``counts`` (of that year), ``sources``
            (that tell of the corridor) and ``basis``: what the estimate rests on.

        Raises
        ------
        DataError
            If the level is no number between 0 and 1.
        """
        ends = np.quantile(np.exp(self.estimate.log_flow), _quantiles(level), axis=0)
        table = self.estimate.flows
        shown = table[["location", "year"]].assign(flow=ends[1], lower=ends[0], upper=ends[2])
        return with_ends(pd.concat([shown, table[["counts", "sources", "basis"]]], axis=1))

    def coverage(self, level: float = 0.80) -> pd.DataFrame:
        """Return what share of the true flow each source counts, and how accurately.

        Parameters
        ----------
        level : float in (0, 1)
            Probability inside the intervals.

        Returns
        -------
        DataFrame
            ``source``, ``side`` (``destination``, ``origin``, ``estimate`` or ``unknown``),
            ``country`` (whose office counts), ``corridors, counts``; ``coverage`` (median),
            ``lower, upper``: counted moves for one true move, above one where a definition makes
            more of them; ``believed`` before any figure was seen; ``off_by_corridor``,
            ``off_by_year``: factors by which it is typically off; ``learnt``: whether any figure
            says something of it.

        Raises
        ------
        DataError
            If the level is no number between 0 and 1.
        """
        return coverage_table(self.counts, self.estimate, self.settings, _quantiles(level))

    def contradictions(self, at_least: float = CONTRADICT) -> pd.DataFrame:
        """Return pairs of counts of one movement that accuracy does not reconcile.

        Parameters
        ----------
        at_least : float in [0, 1)
            Least probability; 0 gives every pair.

        Returns
        -------
        DataFrame
            ``location, origin, destination, year, source, count, other_source, other_count``
            (persons per calendar year), ``ratio`` of the first to the second, ``expected_ratio``
            (what the coverage of both explains, median), ``probability``: that two counts as
            accurate as ``models/mirror.toml`` states would lie closer together, coverage allowed
            for. Least believable first.

        Raises
        ------
        DataError
            If the probability is not between 0 and 1.
        """
        if not 0 <= at_least < 1:
            raise DataError(f"at_least is {at_least!r}; give a probability from 0 to below 1.")
        found = self._pairs
        return found[found["probability"] >= at_least].reset_index(drop=True)

    def expected(self, source: str, level: float = 0.80) -> pd.DataFrame:
        """Return what a source would count in each corridor that it can see, whether it did or not.

        Parameters
        ----------
        source : str
            One of the sources of the panel.
        level : float in (0, 1)
            Probability inside the intervals.

        Returns
        -------
        DataFrame
            ``location, origin, destination, year``, ``expected`` (median), ``lower, upper`` and
            ``counted`` (NaN where it did not count), in persons per calendar year.

        Raises
        ------
        UnknownNameError
            If the panel has no such source.
        DataError
            If the level is no number between 0 and 1.
        """
        quantiles = _quantiles(level)
        if source not in set(self.counts.table["source"]):
            raise unknown_name("source of this mirror", source, set(self.counts.table["source"]))
        cells = with_ends(self.estimate.flows[["location", "year"]])
        asked = sided(
            cells.assign(source=source, flow=np.arange(len(cells))),
            self.counts.meanings[source],
            strict=False,
        )
        held = pd.MultiIndex.from_frame(asked[COUNTER]).isin(
            pd.MultiIndex.from_frame(self.counts.counters)
        )
        asked = asked[held].reset_index(drop=True)
        generator = np.random.default_rng([self.seed, len(asked)])
        degrees = self.settings.priors.degrees_of_counts
        drawn = predicted(self.estimate, self.counts, asked, degrees, generator)
        low, middle, high = np.quantile(drawn, quantiles, axis=0)
        table = self.counts.table
        counted = table[table["source"] == source].groupby(["location", "year"])["value"].first()
        cells = asked[["location", "origin", "destination", "year"]]
        index = pd.MultiIndex.from_frame(cells[["location", "year"]])
        return cells.assign(
            expected=middle, lower=low, upper=high, counted=counted.reindex(index).to_numpy()
        )

    def told(self, location: str, year: int) -> list[tuple[str, float]]:
        """Return what was counted of a corridor in a year.

        Parameters
        ----------
        location : str
            Such as ``"KAZ:DEU"``.
        year : int

        Returns
        -------
        list of (str, float)
            Sources, and persons per calendar year.
        """
        return list(self._by_cell.get((locations.canonical(location), year), ()))

    def last(self, level: float = 0.80) -> pd.DataFrame:
        """Return each corridor in the last year in which anybody counted, largest first.

        Parameters
        ----------
        level : float in (0, 1)
            Probability inside the intervals.

        Returns
        -------
        DataFrame
            Columns of `flows`, ``name`` of the corridor, and ``counted``: every count of that year
            with its source, in words.

        Raises
        ------
        DataError
            If the level is no number between 0 and 1.
        """
        table = self.flows(level)
        last = table[table["counts"] > 0].groupby("location").tail(1)
        last = last.sort_values("flow", ascending=False, ignore_index=True)
        cells = list(zip(last["location"], last["year"]))
        return last.assign(
            name=[locations.name(place) for place, _ in cells],
            counted=[self._counted(place, year) for place, year in cells],
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the estimates with 50, 80 and 95 % intervals as one tidy table.

        Returns
        -------
        DataFrame
            ``source`` (``mirror``), ``measure`` (``flow``), ``level`` and the columns of `flows`.
        """
        about = {"source": SOURCE, "measure": FLOW}
        tables = [self.flows(level).assign(**about, level=level) for level in LEVELS]
        joined = pd.concat(tables, ignore_index=True)
        first = ["source", "location", "origin", "destination", "measure", "year", "level"]
        return joined[[*first, *(name for name in joined if name not in first)]]

    def __repr__(self) -> str:
        flows = self.estimate.flows
        return (
            f"<Mirror: {flows['location'].nunique()} corridors, "
            f"{len(set(self.counts.table['source']))} sources, {flows['year'].min()}–"
            f"{flows['year'].max()}, {len(self.contradictions())} contradictions>"
        )

    def _repr_html_(self) -> str:
        last = self.last()
        rows = [
            {
                "corridor": row["name"],
                "year": row["year"],
                "probably moved (80 % range)": drawing.between(
                    FLOW, *row[["flow", "lower", "upper"]]
                ),
                "counted": row["counted"],
                "rests on": row["basis"],
            }
            for _, row in last.head(drawing.MOST).iterrows()
        ]
        facts = repr(self).removeprefix("<Mirror: ").removesuffix(">")
        return drawing.html("Mirror", f"{facts}; {drawing.unit(self.counts.step)}", rows, len(last))

    def _counted(self, location: str, year: int) -> str:
        """Write what was counted of a corridor in a year, by source."""
        rows = self.told(location, year)
        return ", ".join(f"{source} {drawing.amount(FLOW, value)}" for source, value in rows)

    @cached_property
    def _by_cell(self) -> dict[tuple[str, int], list[tuple[str, float]]]:
        cells: dict[tuple[str, int], list[tuple[str, float]]] = {}
        columns = (self.counts.table[name] for name in ("location", "year", "source", "value"))
        for location, year, source, value in zip(*columns):
            cells.setdefault((location, int(year)), []).append((source, float(value)))
        return cells

    @cached_property
    def _pairs(self) -> pd.DataFrame:
        return pairs_of_counts(self.counts, self.estimate, self.settings)


def _quantiles(level: float) -> list[float]:
    if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 < level < 1:
        raise DataError(f"interval level is {level!r}; give a number between 0 and 1.")
    return [(1.0 - level) / 2.0, 0.5, (1.0 + level) / 2.0]


def coverage_table(
    counts: Counts, drawn: Estimate, settings: MirrorSettings, quantiles: Sequence[float]
) -> pd.DataFrame:
    """Return what share of the true flow each counter counts, see `Mirror.coverage`.

    Parameters
    ----------
    counts : Counts
    drawn : Estimate
        Made from them.
    settings : MirrorSettings
        What was believed before.
    quantiles : sequence of float
        Lower end, middle and upper end of the intervals.
    """
    counters = counts.counters
    low, middle, high = np.quantile(np.exp(drawn.log_coverage), quantiles, axis=0)
    book = counts.book_of(counters)
    return counters.rename(columns={"kind": "side"}).assign(
        corridors=np.bincount(counts.counter_of(counts.series), minlength=len(counters)),
        counts=np.bincount(counts.place(counters), minlength=len(counters)),
        coverage=middle,
        lower=low,
        upper=high,
        believed=np.exp(beliefs(counts, settings).coverage[0]),
        off_by_corridor=np.exp(np.median(drawn.pairs, axis=0))[book],
        off_by_year=np.exp(np.median(drawn.accuracy, axis=0))[book],
        learnt=drawn.learnt,
    )


def pairs_of_counts(counts: Counts, drawn: Estimate, settings: MirrorSettings) -> pd.DataFrame:
    """Return all pairs of counts of one movement, see `Mirror.contradictions`.

    Two counts of one flow differ by coverage, by what each is off in the corridor and in the year,
    and by chance. The distance left by the coverage that follows is held against the standard
    deviations that are stated, as if errors were normal; the probability is the mean over draws.

    Parameters
    ----------
    counts : Counts
    drawn : Estimate
        Made from them.
    settings : MirrorSettings
        With the stated accuracy.
    """
    believed = beliefs(counts, settings)
    stated = np.exp(2.0 * believed.pairs[0]) + np.exp(2.0 * believed.accuracy[0])
    chance = np.asarray(counting_variance(counts.log_values, counts.rounding))
    variance = stated[counts.book_of(counts.table)] + chance
    table = counts.table.assign(row=np.arange(len(counts.table)))
    both = table.merge(table, on=["location", "year"], suffixes=("", "_other"))
    both = both[both["row"] < both["row_other"]]
    one, other = both["row"].to_numpy(), both["row_other"].to_numpy()
    counter = counts.place(counts.counters)
    apart = counts.log_values[one] - counts.log_values[other]
    explained = drawn.log_coverage[:, counter[one]] - drawn.log_coverage[:, counter[other]]
    distance = np.abs(apart - explained) / np.sqrt(variance[one] + variance[other])
    ends = [locations.ends(code) for code in both["location"]]
    found = pd.DataFrame(
        {
            "location": both["location"].to_numpy(),
            **{name: [pair[side] for pair in ends] for side, name in enumerate(ENDS)},
            "year": both["year"].to_numpy(),
            "source": both["source"].to_numpy(),
            "count": both["value"].to_numpy(),
            "other_source": both["source_other"].to_numpy(),
            "other_count": both["value_other"].to_numpy(),
            "ratio": np.exp(apart),
            "expected_ratio": np.exp(np.median(explained, axis=0)),
            "probability": (2.0 * ndtr(distance) - 1.0).mean(axis=0),
        }
    )
    order = ["probability", "location", "year"]
    return found.sort_values(order, ascending=[False, True, True], ignore_index=True)
