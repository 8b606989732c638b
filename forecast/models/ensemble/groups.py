"""Calm and stormy series: who learns from whom.

A model that is best for a country of refugee movements need not be so for a calm one, and
one factor on all widths leaves calm series too wide and stormy ones too narrow. Where a
scale has many series they are therefore split by their usual yearly change, and each part
learns from its own past forecasts (for the widths this is Mondrian conformal prediction,
Vovk et al. 2005, doi:10.1007/b106715, section 4.5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from forecast.contract import ModelBase, meant_for
from forecast.hindcast.quantiles import Hindcasts
from forecast.hindcast.vintages import Outcomes
from forecast.panel import Panel
from forecast.series_key import SeriesKey


def number(n_series: int, least: int, most: int) -> int:
    """Return how many parts so many series make, each of at least `least` series."""
    return int(np.clip(n_series // least, 1, most))


def ranked(sizes: np.ndarray, parts: int) -> np.ndarray:
    """Return the part of each series, 0 for the calmest; unknown sizes count as calm."""
    order = np.argsort(np.argsort(np.nan_to_num(sizes, nan=0.0), kind="stable"), kind="stable")
    return np.asarray(order * parts // max(len(sizes), 1))


def of_series(sizes: Mapping[SeriesKey, float], parts: int) -> dict[SeriesKey, int]:
    """Return the part of every series now."""
    parts_of = ranked(np.array(list(sizes.values())), parts)
    return {key: int(part) for key, part in zip(sizes, parts_of)}


def split(hindcasts: Sequence[Hindcasts], parts: int) -> list[list[Hindcasts]]:
    """Split hindcasts by how stormy the series was among the others at its origin.

    Parameters
    ----------
    hindcasts : sequence of Hindcasts
        By steps ahead.
    parts : int

    Returns
    -------
    list of list of Hindcasts
        By part, and by steps ahead.
    """
    if parts == 1:
        return [list(hindcasts)]
    sizes: dict[int, dict[SeriesKey, float]] = {}
    for made in hindcasts:
        for origin, key, size in zip(made.origin.tolist(), made.keys, made.size):
            sizes.setdefault(origin, {})[key] = float(size)
    part = {origin: of_series(by_key, parts) for origin, by_key in sizes.items()}
    by_part: list[list[Hindcasts]] = [[] for _ in range(parts)]
    for made in hindcasts:
        own = np.array(
            [part[origin][key] for origin, key in zip(made.origin.tolist(), made.keys)], dtype=int
        )
        for which, chosen in enumerate(by_part):
            chosen.append(made.where(own == which))
    return by_part


def special(members: Sequence[ModelBase], panel: Panel) -> dict[SeriesKey, str]:
    """Return the names of the members with needs that a series meets, joined by commas.

    Such series learn apart: a member that is there for few of the series of a scale would
    otherwise decide the weights of all.
    """
    needing = [(model.name, meant_for(model, panel)) for model in members if model.needs]
    return {
        one.key: ", ".join(name for name, series in needing if one.key in series) for one in panel
    }


def by_scale(members: Sequence[ModelBase], outcomes: Outcomes) -> dict[str, list[SeriesKey]]:
    """Return the series that share a scale and members with needs, by the label of the group."""
    needing = special(members, outcomes.panel)
    labels: dict[str, list[SeriesKey]] = {}
    for key, kind in outcomes.kinds.items():
        label = f"{kind} with {needing[key]}" if needing[key] else kind
        labels.setdefault(label, []).append(key)
    return dict(sorted(labels.items()))
