"""Where figures contradict each other: accounts, sums, rates, stretches, boundaries, releases."""

from __future__ import annotations

import pandas as pd

from forecast.data.checks.automatic_flags import add_flags, warnings_in_words
from forecast.data.checks.contradictions import (
    Inconsistency,
    against_bundled,
    identities,
    internal_sums,
    regional_sums,
    slips,
    vintages,
)
from forecast.data.checks.years import (
    boundary_jumps,
    duplicates,
    rates,
    runs,
    unobserved,
    zeros,
)
from forecast.panel import Panel
from forecast.series_key import KEY

_CHECKS = (
    identities,
    regional_sums,
    internal_sums,
    rates,
    unobserved,
    zeros,
    slips,
    against_bundled,
    runs,
    duplicates,
    boundary_jumps,
    vintages,
)


def check(panel: Panel) -> pd.DataFrame:
    """Hold a panel against itself.

    Parameters
    ----------
    panel : Panel

    Returns
    -------
    DataFrame
        One row per inconsistency: ``check, severity, source, location, measure, year,
        expected, found, difference``. Severity ``error``: the figures cannot both be right
        and the difference is more than rounding; ``warning``: to be known. `add_flags` flags
        the years of those warnings that point at one figure. Nothing is adjusted.
    """
    rows = [row for test in _CHECKS for row in test(panel)]
    table = pd.DataFrame(rows, columns=Inconsistency._fields)
    return table.sort_values(["severity", "check", *KEY, "year"], ignore_index=True)


__all__ = ["Inconsistency", "add_flags", "check", "warnings_in_words"]
