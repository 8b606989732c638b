"""What counts of the same movement say of their sources, and where they contradict each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtr

from forecast import locations
from forecast.corridors import ENDS
from forecast.models.mirror.counts import Counts
from forecast.models.mirror.estimate import Estimate
from forecast.models.mirror.graph import beliefs, counting_variance
from forecast.models.mirror_settings import MirrorSettings


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
