"""Panels of made-up net rates: countries with a source each, and regions within two of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.models.hierarchical.graph import OF_GROUPS
from forecast.models.hierarchical.rates_panel import RatesPanel, collect
from forecast.panel import Panel

#: The Kyrgyz region has no country above it.
PLACES = ("KAZ", "KG-GB", "UZB", "KZ-10", "KZ-11", "UZ-TK")
#: Priors as unlike each other as they can be.
PRIORS = {name: (0.1 * k - 0.4, 0.2 + 0.03 * k) for k, name in enumerate(OF_GROUPS)}


def rates_panel(
    seed: int, n_years: int = 17, gaps: float = 0.15, places: tuple[str, ...] = PLACES
) -> RatesPanel:
    """Draw a panel whose first years are known and of whose others some are not."""
    generator = np.random.default_rng(seed)
    rates = np.cumsum(generator.standard_t(3, (len(places), n_years)), axis=1)
    rates[:, 3:-1][generator.random((len(places), n_years - 4)) < gaps] = np.nan
    rows = [
        (place, 2000 + year, 1000.0 * rate)
        for place, series in zip(places, rates)
        for year, rate in enumerate(series)
        if not np.isnan(rate)
    ]
    table = pd.DataFrame(rows, columns=["location", "year", "value"])
    table["measure"] = np.where(
        table["location"].str.contains("-"), "net_all_flows", "net_migration"
    )
    table["source"] = "register-" + table["location"].str[:2]
    pool = collect(Panel.from_frame(table.assign(population=1e6)))
    assert pool is not None
    return pool
