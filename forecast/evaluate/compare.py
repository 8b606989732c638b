"""Is one model better than another, or was it luck? Diebold–Mariano and its panel version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from forecast.errors import DataError, unknown_name
from forecast.evaluate.summaries import check_columns, chosen_reference, pairs
from forecast.hindcast.columns import CELL, SCORED
from forecast.series_key import KEY

Alternative = Literal["two-sided", "less", "greater"]
#: Resamples of the block bootstrap.
RESAMPLES = 2000
#: Fewest origins for a test; below this the variance of the mean is not estimable.
MINIMUM_ORIGINS = 4


@dataclass(frozen=True)
class DieboldMariano:
    """Result of a Diebold–Mariano test.

    Attributes
    ----------
    statistic : float
        Negative if the first model's losses are smaller.
    p_value : float
    observations : int
    """

    statistic: float
    p_value: float
    observations: int


def diebold_mariano(
    difference: np.ndarray,
    overlap: int = 1,
    alternative: Alternative = "two-sided",
    *,
    cautious: bool = False,
) -> DieboldMariano:
    """Test whether a loss differential is zero on average.

    Parameters
    ----------
    difference : ndarray, shape (n,)
        Loss of the first model minus loss of the second, in order of the origins.
    overlap : int
        Steps that forecasts look ahead, in units of the distance of origins: neighbours
        closer than this share outcomes, so differences are autocorrelated up to lag
        `overlap` − 1.
    alternative : {"two-sided", "less", "greater"}
        ``"less"``: the first model is better.
    cautious : bool
        Take the larger of the two variance estimates below, and the t-distribution with
        one degree of freedom less than there are separate forecasts, n / overlap − 1.
        The published test rejects too often when few origins overlap a lot (15 % instead
        of 5 % for 16 origins and an overlap of 7); this one stays between 4 and 8 % (see
        ``docs/backtests.md``).

    Returns
    -------
    DieboldMariano
        With the correction of Harvey, Leybourne and Newbold (1997,
        doi:10.1016/S0169-2070(96)00719-4) and their t-distribution with n − 1 degrees of
        freedom. The long-run variance is the sum of autocovariances to lag `overlap` − 1
        (Diebold and Mariano 1995, doi:10.1080/07350015.1995.10524599); where that is not
        positive, the Bartlett kernel of the same lags takes its place. NaN if there are
        fewer than `MINIMUM_ORIGINS` differences, or not more of them than `overlap`.
    """
    if alternative not in ("two-sided", "less", "greater"):
        raise unknown_name("alternative", alternative, ["two-sided", "less", "greater"])
    from scipy.special import stdtr

    losses = np.asarray(difference, dtype=float)
    size = len(losses)
    if size < MINIMUM_ORIGINS or size <= overlap:
        return DieboldMariano(np.nan, np.nan, size)
    centred = losses - losses.mean()
    lagged = np.array([centred[lag:] @ centred[: size - lag] for lag in range(overlap)]) / size
    variance = lagged[0] + 2.0 * lagged[1:].sum()
    tapered = lagged[0] + 2.0 * ((1 - np.arange(1, overlap) / overlap) * lagged[1:]).sum()
    if cautious:
        variance = max(variance, tapered)
    elif variance <= 0:
        variance = tapered
    if variance <= np.finfo(float).eps * max(1.0, float((losses**2).mean())):
        same = bool(np.allclose(losses, 0.0))
        return DieboldMariano(0.0, 1.0, size) if same else DieboldMariano(np.nan, np.nan, size)
    correction = (size + 1 - 2 * overlap + overlap * (overlap - 1) / size) / size
    statistic = float(losses.mean() / np.sqrt(variance / size) * np.sqrt(max(correction, 0.0)))
    lower = float(stdtr(size / overlap - 1 if cautious else size - 1, statistic))
    p_value = {"less": lower, "greater": 1 - lower, "two-sided": 2 * min(lower, 1 - lower)}
    return DieboldMariano(statistic, p_value[alternative], size)


def block_bootstrap(
    differences: np.ndarray, overlap: int, generator: np.random.Generator
) -> tuple[float, float, float]:
    """Test a panel of loss differentials by resampling blocks of origins.

    Whole origins are drawn, with every series in them, so that the dependence between
    countries in one year stays; blocks of `overlap` neighbouring origins (circular,
    Politis and Romano 1992) keep that between overlapping forecasts.

    Parameters
    ----------
    differences : ndarray, shape (n_origins, n_series)
        NaN where a series has no pair of forecasts.
    overlap : int
    generator : numpy.random.Generator

    Returns
    -------
    lower, upper, p_value : float
        95 % interval of the mean difference over all pairs, and two-sided p-value that
        it is zero. NaN if there are fewer than `MINIMUM_ORIGINS` origins or fewer than
        two blocks.
    """
    size = len(differences)
    if size < MINIMUM_ORIGINS or size < 2 * overlap:
        return np.nan, np.nan, np.nan
    total = np.nansum(differences, axis=1)
    count = (~np.isnan(differences)).sum(axis=1)
    mean = total.sum() / count.sum()
    blocks = -(-size // overlap)
    starts = generator.integers(0, size, size=(RESAMPLES, blocks))
    chosen = (starts[:, :, None] + np.arange(overlap)) % size
    chosen = chosen.reshape(RESAMPLES, -1)[:, :size]
    resampled = total[chosen].sum(axis=1) / count[chosen].sum(axis=1)
    lower, upper = np.quantile(resampled, [0.025, 0.975])
    # Centred on zero the resamples show what the mean would do without a difference.
    extreme = (np.abs(resampled - mean) >= abs(mean)).sum()
    return float(lower), float(upper), float((extreme + 1) / (RESAMPLES + 1))


def overlap_of(horizon: int, origins: np.ndarray) -> int:
    """Return with how many neighbours a forecast overlaps, itself included.

    Parameters
    ----------
    horizon : int
        Years ahead.
    origins : ndarray of int, shape (n,)
        One entry per fold; several releases may share an origin.
    """
    years, releases = np.unique(origins, return_counts=True)
    spacing = int(np.diff(years).min()) if len(years) > 1 else 1
    return max(1, -(-int(horizon) // spacing)) * int(releases.max())


def holm(p_values: np.ndarray) -> np.ndarray:
    """Return p-values adjusted for the number of tests (Holm 1979); NaN stays NaN."""
    adjusted = np.full(len(p_values), np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    factors = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0)
    return adjusted


def compare(
    table: pd.DataFrame,
    first: str,
    second: str,
    by: Sequence[str] = ("horizon",),
    *,
    score: str = "crps",
    per: str = "persons",
    step: int = 1,
    seed: int = 1,
) -> pd.DataFrame:
    """Compare two models on the figures that both forecast.

    Parameters
    ----------
    table : DataFrame
        The score table.
    first, second : str
        Models. A negative difference means that the first is better.
    by : sequence of str
        Groups; ``horizon`` is added if it is not among them. With ``source, location,
        measure`` among them each series is tested by itself.
    score : str
        Any score of the table; smaller is better.
    per : {"persons", "1000", "scale"}
        In persons a few large countries decide; per 1,000 all weigh alike.
    seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        The groups; ``series, origins, forecasts``; ``mean_difference`` and ``share_better``
        (of forecasts in which the first is better); ``statistic`` and ``p_value`` of the
        Diebold–Mariano test on the mean over series at each origin; ``p_value_cautious``,
        which holds its level under overlap; ``lower, upper, p_value_bootstrap`` of the
        panel version; ``p_value_holm``, the cautious p-value adjusted for the number of
        rows of this table.
    """
    groups = check_columns(table, by)
    groups = groups if "horizon" in groups else [*groups, "horizon"]
    for name in (first, second):
        if name not in set(table["model"]):
            raise unknown_name("model in this backtest", name, set(table["model"]))
    if first == second:
        raise DataError(f"{first!r} cannot be compared with itself. Name two models.")
    chosen = table[table["model"].isin([first, second])]
    made = pairs(chosen, second, score, per, step)
    if not made:
        raise DataError(f"{first!r} and {second!r} have no figure in common that both forecast.")
    both = made[0]
    both = both.assign(difference=both[score] - both["reference"])
    generator = np.random.default_rng(seed)
    rows = []
    for values, group in both.groupby(groups, sort=True):
        panel = group.pivot_table(
            index=["origin", "as_of"], columns=KEY, values="difference", sort=True
        )
        horizon = int(group["horizon"].iloc[0])
        overlap = overlap_of(horizon, panel.index.get_level_values("origin").to_numpy())
        losses = panel.mean(axis=1).to_numpy()
        test = diebold_mariano(losses, overlap)
        cautious = diebold_mariano(losses, overlap, cautious=True)
        lower, upper, p_bootstrap = block_bootstrap(panel.to_numpy(), overlap, generator)
        rows.append(
            {
                **dict(zip(groups, values)),
                "series": panel.shape[1],
                "origins": panel.shape[0],
                "forecasts": len(group),
                "mean_difference": group["difference"].mean(),
                "share_better": (group["difference"] < 0).mean(),
                "statistic": test.statistic,
                "p_value": test.p_value,
                "p_value_cautious": cautious.p_value,
                "lower": lower,
                "upper": upper,
                "p_value_bootstrap": p_bootstrap,
            }
        )
    compared = pd.DataFrame(rows)
    return compared.assign(p_value_holm=holm(compared["p_value_cautious"].to_numpy()))


def compare_all(
    table: pd.DataFrame,
    versus: str | None,
    by: Sequence[str],
    *,
    score: str = "crps",
    per: str = "persons",
    step: int = 1,
) -> pd.DataFrame:
    """Compare every other model with `versus`; `compare` with ``model`` as first column.

    ``p_value_holm`` is adjusted for all rows of the table, so for all models together.

    Parameters
    ----------
    table : DataFrame
        The score table.
    versus : str or None
        The model that the others are held against; the default reference for None.
    by, score, per, step
        As of `compare`.
    """
    versus = chosen_reference(set(table["model"]), versus)
    scored = table[table["status"] == SCORED]
    cells = set(
        scored.loc[scored["model"] == versus, list(CELL)].itertuples(index=False, name=None)
    )
    pieces = []
    for model in dict.fromkeys(scored["model"]):
        own = scored.loc[scored["model"] == model, list(CELL)].itertuples(index=False, name=None)
        if model == versus or cells.isdisjoint(own):
            continue
        made = compare(table, model, versus, by, score=score, per=per, step=step)
        made.insert(0, "model", model)
        pieces.append(made)
    if not pieces:
        raise DataError(f"no other model was scored on the figures that {versus!r} forecast.")
    compared = pd.concat(pieces, ignore_index=True)
    return compared.assign(p_value_holm=holm(compared["p_value_cautious"].to_numpy()))
