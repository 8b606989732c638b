"""Size of revisions, learned from releases: first figure of a year against the latest.

A hierarchical law: how large revisions are depends on the usual change of a series and on its
population, and each place departs from that as far as its own revisions say, shrunk to the world.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from forecast import scales
from forecast.hindcast.vintages import usual_change
from forecast.models.ensemble.revisions import LEVELS, SMALL, Kind, Law, millions
from forecast.models.series.reversion import spread_regression
from forecast.panel import Panel
from forecast.series_key import KEY

_PAIRS = [*KEY, "release", "age", "kind", "change", "population", "revision"]
#: A revision so many times as large as usual says no more of its place than this.
_MOST = 6.0


def laws(panel: Panel, settings: Mapping[str, Any]) -> dict[Kind, Law]:
    """Return how each source of a panel revises its figures, where that can be known.

    Parameters
    ----------
    settings : mapping
        The table ``revisions`` of ``models/ensemble.toml``. A source with at least `enough`
        revisions on one scale in the panel speaks for itself; otherwise what was learned before
        the panel's newest release counts; otherwise `least` revisions will do. A source without
        any of these is taken at its word.
    """
    found = learn(panel, float(settings["shrinkage"]))
    kept = {key: law for key, law in found.items() if law.pairs >= int(settings["least"])}
    sources = set(panel.figures["source"])
    for key in {(str(one["source"]), str(one["kind"])) for one in settings["learned"]}:
        law = stated(*key, panel.last_release, settings) if key[0] in sources else None
        speaks = key in found and found[key].pairs >= int(settings["enough"])
        if law is not None and law.step >= panel.step and not speaks:
            kept[key] = law
    return kept


def stated(source: str, kind: str, released: str, settings: Mapping[str, Any]) -> Law | None:
    """Return the newest law of a source that had been learned by the day of a release.

    Parameters
    ----------
    source : str
        As in the panel.
    kind : str
        Scale of the revisions, as a series is modelled: ``log``, ``rate`` or ``persons``.
    released : str
        Day of the panel's newest release (YYYY-MM-DD); nothing learned later counts.
    settings : mapping
        The table ``revisions`` of ``models/ensemble.toml``.

    Returns
    -------
    Law or None
        None where no law had been learned by then.
    """
    usable = [
        one
        for one in settings["learned"]
        if (one["source"], one["kind"]) == (source, kind) and str(one["until"]) <= released
    ]
    if not usable:
        return None
    newest = max(usable, key=lambda one: str(one["until"]))
    return Law(
        kind, int(newest["step"]), float(newest["intercept"]), float(newest["exponent"]),
        np.array(newest["sizes"], dtype=float), float(newest["correlation"]),
        int(newest["pairs"]), str(newest["until"]), float(newest["inhabitants"]), newest["own"],
    )  # fmt: skip


def learn(panel: Panel, shrinkage: float) -> dict[Kind, Law]:
    """Learn how every source revises its newest figures.

    Parameters
    ----------
    panel : Panel
        Every release.
    shrinkage : float
        As many of a place's own revisions as the law of all places is worth.

    Returns
    -------
    dict of (source, scale) to Law
        Only where a figure was the newest of one release and stands in a later one.
    """
    pairs = _pairs(panel)
    groups = pairs.groupby(["source", "kind"], sort=True)
    found = {
        (str(source), str(kind)): _law(rows, str(kind), panel, shrinkage)
        for (source, kind), rows in groups
    }
    return {key: law for key, law in found.items() if law is not None}


def _law(pairs: pd.DataFrame, kind: str, panel: Panel, shrinkage: float) -> Law | None:
    newest, before = pairs[pairs["age"] == 0], pairs[pairs["age"] == 1]
    if newest.empty:
        return None
    size = np.log(newest["change"].to_numpy() + SMALL[kind])
    revision = newest["revision"].abs().to_numpy()
    people = millions(newest["population"].to_numpy(dtype=float))
    design = np.stack([np.ones(len(size)), size, people], axis=1)
    coefficients, ratios = standardised(design, revision, kind, np.array([0.0, 0.5, 0.0]))
    intercept, exponent, inhabitants = coefficients.tolist()
    # Sizes are nearly exponential; this is the mean under the conjugate prior of their scale.
    own = pd.Series(np.minimum(ratios, _MOST)).groupby(newest["location"].to_numpy())
    factors = (shrinkage + own.sum()) / (shrinkage + own.size())
    ratios = ratios / newest["location"].map(factors).to_numpy()
    both = newest.merge(before, on=[*KEY, "release"], suffixes=("", "_before"))
    correlation = 0.0
    if len(both) >= 3:
        ranks = both[["revision", "revision_before"]].rank()
        first, second = ranks["revision"], ranks["revision_before"]
        if first.std() > 0 and second.std() > 0:
            correlation = float(np.corrcoef(first, second)[0, 1])
    return Law(
        kind, panel.step, intercept, exponent, np.quantile(ratios, LEVELS),
        min(max(correlation, 0.0), 0.95), len(newest), panel.last_release, inhabitants,
        {str(place): float(factor) for place, factor in factors.items()},
    )  # fmt: skip


def standardised(
    design: np.ndarray, size: np.ndarray, kind: str, prior: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Explain how large errors are, and return what is left of them.

    Parameters
    ----------
    design : ndarray, shape (n, p)
        Log-linear; the first column is ones.
    size : ndarray, shape (n,)
        Absolute errors or revisions, on the scale `kind`.
    kind : {"rate", "log", "persons"}
    prior : ndarray, shape (p,)
        Worth one observation.

    Returns
    -------
    ndarray, shape (p,)
        Coefficients of the logarithm.
    ndarray, shape (n,)
        The sizes over what the design says.
    """
    # Below this a revision is rounding.
    smallest = 0.1 * SMALL[kind]
    coefficients = spread_regression(design, np.maximum(size, smallest), 1.0, prior)
    return coefficients, size / np.exp(design @ coefficients)


def _pairs(panel: Panel) -> pd.DataFrame:
    """Return the two newest figures of every release but the last, against the latest ones.

    Columns ``source, location, measure, release, age`` (steps before the release's last
    figure), ``kind, change`` (usual one of the series, as that release had it), ``population``
    and ``revision``; the change and the revision on the scale of the series' model.
    """
    table = panel.figures.dropna(subset=["as_of", "value"], ignore_index=True)
    if table["as_of"].nunique() < 2:
        return pd.DataFrame(columns=_PAIRS)
    kinds = {one.key: (scales.choose(one).kind, one.grain) for one in panel}
    keys, place = np.unique(pd.MultiIndex.from_frame(table[KEY]).to_numpy(), return_inverse=True)
    days, release = np.unique(table["as_of"].to_numpy(), return_inverse=True)
    first = int(table["year"].min())
    column = ((table["year"] - first) // panel.step).to_numpy()
    # Figures of every release, and what was known once it was out, which may be older.
    said = np.full((len(days), len(keys), int(column.max()) + 1), np.nan)
    kind_of, grains = zip(*(kinds[key] for key in keys))
    said[release, place, column] = _on_scale(
        table, np.array(kind_of)[place], np.array(grains)[place], panel.step
    )
    people = np.full(said.shape, np.nan)
    people[release, place, column] = table["population"].to_numpy(dtype=float)
    given = ~np.isnan(said)
    by = np.where(given, np.arange(len(days))[:, None, None], -1)
    by = np.maximum.accumulate(by, axis=0)
    known = np.where(by >= 0, np.take_along_axis(said, np.maximum(by, 0), axis=0), np.nan)
    rows = []
    for at, number in np.argwhere(given.any(axis=2)):
        last = int(np.flatnonzero(given[at, number])[-1])
        change = usual_change(known[at, number])
        for age in range(min(2, last + 1)):
            if given[at, number, last - age] and by[-1, number, last - age] > at:
                revision = known[-1, number, last - age] - said[at, number, last - age]
                inhabitants = people[at, number, last]
                rows.append(
                    (*keys[number], days[at], age, kind_of[number], change, inhabitants, revision)
                )
    found = pd.DataFrame(rows, columns=_PAIRS)
    return found.dropna(subset=["revision", "change"])


def _on_scale(rows: pd.DataFrame, kind: np.ndarray, grain: np.ndarray, step: int) -> np.ndarray:
    values = rows["value"].to_numpy(dtype=float)
    rate = 1000.0 * values / (step * rows["population"].to_numpy(dtype=float))
    logs = np.log1p(np.maximum(values, 0.0) / grain)
    return np.where(kind == "log", logs, np.where(kind == "rate", rate, values))
