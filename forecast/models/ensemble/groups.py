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

from forecast.hindcast.past import Past
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
    found = ranked(np.array(list(sizes.values())), parts)
    return {key: int(part) for key, part in zip(sizes, found)}


def split(pasts: Sequence[Past], parts: int) -> list[list[Past]]:
    """Split past forecasts by how stormy the series was among the others at its origin.

    Parameters
    ----------
    pasts : sequence of Past
        By steps ahead.
    parts : int

    Returns
    -------
    list of list of Past
        By part, and by steps ahead.
    """
    if parts == 1:
        return [list(pasts)]
    sizes: dict[int, dict[SeriesKey, float]] = {}
    for past in pasts:
        for origin, key, size in zip(past.origin.tolist(), past.key, past.size):
            sizes.setdefault(origin, {})[key] = float(size)
    part = {origin: of_series(known, parts) for origin, known in sizes.items()}
    made: list[list[Past]] = [[] for _ in range(parts)]
    for past in pasts:
        found = np.array(
            [part[origin][key] for origin, key in zip(past.origin.tolist(), past.key)], dtype=int
        )
        for number_of, chosen in enumerate(made):
            chosen.append(past.part(found == number_of))
    return made
