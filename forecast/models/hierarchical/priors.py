"""Priors as data, and the sensitivity of a forecast to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecast.config import read_toml
from forecast.errors import DataError, unknown_name

Prior = tuple[float, float]


def overrides(given: Mapping[str, Sequence[float]] | str | Path | None) -> dict[str, Any]:
    """Return a user's priors, from a mapping or the table ``[priors]`` of a TOML file.

    Raises
    ------
    DataError
        If the file cannot be read or has no such table.
    """
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return dict(given)
    table = read_toml(given, "Give a TOML file with a table [priors].").get("priors")
    if not isinstance(table, dict):
        raise DataError(f"priors: {given} has no table [priors].")
    return table


def resolve(
    stated: Mapping[str, Any], given: Mapping[str, Any], n_locations: int, origin: int
) -> tuple[dict[str, Prior], str]:
    """Return the priors that hold for a panel, and in words where they come from.

    Parameters
    ----------
    stated : mapping
        The model's TOML.
    given : mapping
        A user's priors; they win.
    n_locations, origin : int
        Size and last year of the panel. What the world taught is used by smaller panels, and
        only where their data end no earlier than the figures it was learned from.

    Raises
    ------
    UnknownNameError
        If a user's prior has a name that the model does not know.
    DataError
        If a prior is not a mean and a standard deviation above zero.
    """
    names = stated["priors"]
    settings, learned = stated["settings"], stated["learned"]
    for name, pair in given.items():
        if name not in names:
            raise unknown_name("prior of hierarchical", name, names)
        numbers = isinstance(pair, Sequence) and not isinstance(pair, str) and len(pair) == 2
        if not numbers or not all(isinstance(x, (int, float)) for x in pair) or not pair[1] > 0:
            raise DataError(
                f"prior {name} is {pair!r}; give [mean, standard deviation], the second above zero."
            )
    borrowed = n_locations < settings["speaks_for_itself"] and origin >= learned["until"]
    chosen = {name: (float(pair[0]), float(pair[1])) for name, pair in names.items()}
    words = "wide priors"
    if borrowed:
        words = "priors learned from the world up to {until} (release of {released})".format(
            **learned
        )
        for name in names:
            if name in learned:
                centre, spread = learned[name]
                # What was learned is never told more loosely than what was assumed before.
                widened = min(float(spread) * float(learned["widened"]), chosen[name][1])
                chosen[name] = float(centre), widened
    chosen.update({name: (float(pair[0]), float(pair[1])) for name, pair in given.items()})
    return chosen, words + (f", own {', '.join(sorted(given))}" if given else "")


#: What is done to a prior: added standard deviations of its mean, factor of its spread.
CHANGES = {
    "centre up": (1.0, 1.0),
    "centre down": (-1.0, 1.0),
    "half as wide": (0.0, 0.5),
    "twice as wide": (0.0, 2.0),
}
#: Fewer effective draws than this say nothing.
FEWEST = 100
COLUMNS = [
    "prior", "change", "year", "median_shift", "largest_shift", "width_ratio",
    "effective_draws",
]  # fmt: skip


def table(
    rates: np.ndarray,
    years: Sequence[int],
    parameters: Mapping[str, np.ndarray],
    priors: Mapping[str, Prior],
) -> pd.DataFrame:
    """Weigh the draws of a forecast by what another prior makes of them.

    Parameters
    ----------
    rates : ndarray, shape (n_draws, n, n_years)
        Forecast rates per 1,000.
    years : sequence of int
    parameters : mapping of str to ndarray, shape (n_draws, n_groups)
        PanelPosterior draws behind each draw of the forecast.
    priors : mapping of str to (mean, standard deviation)
        As they were used. Each is moved by one standard deviation, halved or doubled in
        width, for all groups at once, the others staying.

    Returns
    -------
    DataFrame
        ``prior, change, year``; median and largest shift of the locations' medians and the
        median ratio of their 80 % widths, shifts in units of half that width as it was;
        ``effective_draws`` of the weights. Where these are fewer than 100 the draws at hand
        cannot say, and the rest is NaN: fit again with ``priors=``. Weights are smoothed as
        Vehtari et al. (2024, Pareto smoothed importance sampling) propose.
    """
    import arviz_stats.base as base

    rows = []
    quantiles = [0.1, 0.5, 0.9]
    before = np.nanquantile(rates, quantiles, axis=0)
    half = (before[2] - before[0]) / 2.0
    for name, (centre, spread) in priors.items():
        off = (parameters[name] - centre) / spread
        for change, (moved, factor) in CHANGES.items():
            ratio = 0.5 * off**2 - 0.5 * ((off - moved) / factor) ** 2
            weights, _ = base.array_stats.psislw(-ratio.sum(axis=1))
            share = np.exp(weights - weights.max())
            share /= share.sum()
            effective = float(1.0 / np.sum(share**2))
            for step, year in enumerate(years):
                shift = largest = width = np.nan
                if effective >= FEWEST:
                    low, middle, high = np.quantile(
                        rates[:, :, step], quantiles, axis=0, weights=share, method="inverted_cdf"
                    )
                    known = np.isfinite(half[:, step]) & (half[:, step] > 0)
                    away = (middle - before[1, :, step])[known] / half[known, step]
                    shift = float(np.median(away)) if known.any() else np.nan
                    largest = float(away[np.argmax(np.abs(away))]) if known.any() else np.nan
                    ratios = (high - low)[known] / (2.0 * half[known, step])
                    width = float(np.median(ratios)) if known.any() else np.nan
                rows.append((name, change, year, shift, largest, width, effective))
    return pd.DataFrame(rows, columns=COLUMNS)
