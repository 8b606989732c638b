"""A world whose net migration sums to zero in every draw."""

from __future__ import annotations

import numpy as np

from forecast.models.hierarchical.rates_panel import Pool
from forecast.outlook import Forecast


def zero_sum(outlook: Forecast, pooled: Pool) -> Forecast:
    """Take the imbalance of each source's countries off, by the variance of each.

    This is the projection with the smallest change in units of each location's own
    uncertainty (Wickramasuriya et al. 2019, doi:10.1080/01621459.2018.1448825, diagonal).

    Parameters
    ----------
    outlook : Forecast
    pooled : Pool
        Which series are countries of a source that covers many.
    """
    values = outlook.paths.to_numpy().copy()
    kinds = {s.key: pooled.groups[g] for s, g in zip(pooled.series, pooled.group)}
    sources = outlook.paths["source"].to_numpy()
    keys = list(
        zip(sources, outlook.paths["location"].to_numpy(), outlook.paths["measure"].to_numpy())
    )
    for source in set(sources):
        rows = [
            place
            for place, key in enumerate(keys)
            if key[0] == source and kinds[key].startswith("countries, one")
        ]
        if len(rows) < 2:
            continue
        part = values[:, rows]
        low, high = np.nanquantile(part, [0.159, 0.841], axis=0)
        variance = ((high - low) / 2.0) ** 2
        share = variance / np.nansum(variance, axis=0, keepdims=True)
        whole = part.sum(axis=1, keepdims=True)
        values[:, rows] = part - share[None] * whole
    balanced = outlook.paths.copy(data=values)
    return Forecast(balanced, outlook.horizons, outlook.notes, outlook.history)
