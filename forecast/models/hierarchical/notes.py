"""What a forecast of the hierarchical model says of each series."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.contract import FORECAST, NOT_FORECAST, NOTE_COLUMNS
from forecast.models.hierarchical.rates_panel import Pool, reason_against
from forecast.models.series.univariate import MINIMUM_YEARS
from forecast.panel import Panel
from forecast.scales import POPULATION_RULE


def notes(panel: Panel, pooled: Pool, words: str, failure: str) -> pd.DataFrame:
    """Return one row per series; see `forecast.contract.NOTE_COLUMNS`.

    Parameters
    ----------
    panel : Panel
    pooled : Pool
    words : str
        Where the priors come from.
    failure : str
        What the gate says of a fit that is returned marked; empty for a sound one.
    """
    usable = {s.key: int(n) for s, n in zip(pooled.series, pooled.usable)}
    rows = []
    for series in panel:
        told = reason_against(series)
        if not told:
            status, told = FORECAST, f"pooled with {len(usable) - 1} other series; {words}."
            if usable[series.key] < MINIMUM_YEARS:
                told = (
                    f"{usable[series.key]} usable years: this forecast is mostly borrowed from the "
                    f"pool and its priors, and knows little of the place itself; {told}"
                )
            if failure:
                told = f"{told} Marked by its diagnostics: {failure}"
        else:
            status = NOT_FORECAST
        flags = [
            f"{flag} {' '.join(map(str, series.years[series.flagged(flag)]))}"
            for flag in ("break", "outlier", "interpolated")
            if series.flagged(flag).any()
        ]
        pooled_here = status == FORECAST
        rows.append(
            (
                *series.key,
                series.origin,
                int((~np.isnan(series.values)).sum()),
                status,
                told,
                "rate" if pooled_here else "",
                POPULATION_RULE if pooled_here else "",
                "; ".join(flags),
            )
        )
    return pd.DataFrame(rows, columns=list(NOTE_COLUMNS))
