"""Computes ``models/history/world-net-rates.toml`` and prints it.

    python data/compile/world_rates.py FOLDER

from the United Nations' tidy vintages (see `forecast.data.wpp.world`).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from forecast.data.wpp import world as read_world
from forecast.panel import Panel
from forecast.scenarios.unusual import SMALLEST, WINDOWS, rates

#: Levels that the shipped table keeps, finer towards both ends.
LEVELS = (
    0.0, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9,
    0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 1.0,
)  # fmt: skip
_DIGITS = 3


def as_toml(world: Panel) -> str:
    """Return the table that the package ships, as TOML text."""
    lines = []
    for window in WINDOWS:
        found, first, last = rates(world, window)
        values = np.quantile(found, LEVELS)
        lines += [
            "[[window]]",
            f"years = {window}",
            f"counted = {len(found)}",
            f"levels = [{_listed(LEVELS)}]",
            f"rates = [{_listed([round(float(value), _DIGITS) for value in values])}]",
            "",
        ]
    head = [
        "# Quantiles of net migrants per 1,000 population per year, all countries and areas with",
        f"# at least {SMALLEST:,} inhabitants in each year of the window; windows do not overlap.",
        "# Computed by: python data/compile/world_rates.py FOLDER",
        f'source = "United Nations, World Population Prospects, release of {world.last_release}"',
        'license = "CC BY 3.0 IGO"',
        f"years = [{first}, {last}]",
        "",
    ]
    return "\n".join([*head, *lines])


def _listed(values: Sequence[float]) -> str:
    return ", ".join(repr(float(value)) for value in values)


if __name__ == "__main__":
    sys.stdout.write(as_toml(read_world(Path(sys.argv[1]), vintages=[2024])))
