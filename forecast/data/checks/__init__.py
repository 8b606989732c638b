"""Where figures contradict each other: accounts, sums, rates, stretches, boundaries, releases."""

from __future__ import annotations

import pandas as pd

from forecast.data.checks.accounts import identities, internal_sums, regional_sums
from forecast.data.checks.automatic_flags import carry
from forecast.data.checks.doubts import doubts
from forecast.data.checks.finding import Finding
from forecast.data.checks.releases import vintages
from forecast.data.checks.stretches import duplicates, runs
from forecast.data.checks.years import boundary_jumps, rates, unobserved, zeros
from forecast.panel import Panel
from forecast.series_key import KEY

_FINDERS = (
    identities,
    regional_sums,
    internal_sums,
    rates,
    unobserved,
    zeros,
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
        One row per finding: ``check, severity, source, location, measure, year, expected,
        found, difference``. Severity ``error``: the figures cannot both be right and the
        difference is more than rounding; ``warning``: to be known. `carry` flags the years
        of those warnings that point at one figure. Nothing is adjusted.
    """
    found: list[Finding] = []
    for finder in _FINDERS:
        found.extend(finder(panel))
    table = pd.DataFrame(found, columns=Finding._fields)
    return table.sort_values(["severity", "check", *KEY, "year"], ignore_index=True)


__all__ = ["Finding", "carry", "check", "doubts"]
