"""Do intervals hold what they promise? Coverage, PIT histograms and surprises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from forecast.errors import DataError
from forecast.evaluate.compare import block_bootstrap, overlap_of
from forecast.evaluate.summaries import check_columns
from forecast.hindcast.columns import SCORED
from forecast.series_key import KEY

LEVELS = (0.5, 0.8, 0.95)
#: What a test of intervals says.
HOLDS, NARROW, WIDE, UNTESTED = "not rejected", "too narrow", "too wide", "cannot be tested"
#: Simulated backtests of a random walk, from which the test of single series comes, and their seed.
_SIMULATIONS, _SEED = 20_000, 20240711
#: Intervals so many times as wide as they should be are what a test of use would find; an 80 %
#: interval then holds 56 %, and one that is too wide by the same factor 97 %.
MUCH_NARROWER = 0.6
_WIDTHS = (1.0, MUCH_NARROWER, 1.0 / MUCH_NARROWER)


def coverage(table: pd.DataFrame, by: Sequence[str], *, step: int = 1) -> pd.DataFrame:
    """Return the share of figures inside the 50, 80 and 95 % intervals.

    Parameters
    ----------
    table : DataFrame
        The score table.
    by : sequence of str
        Columns to group by. Calm and shock years are told apart by ``"shock"``; that
        split looks at the outcome, so coverage below the level in shock years and above
        it in calm ones is to be expected even of a perfect forecast (Lerch et al. 2017,
        doi:10.1214/16-STS588). It shows how much is lost in a shock, not who is right.
    step : int

    Returns
    -------
    DataFrame
        The groups, ``level, coverage, standard_error, forecasts, origins``. The standard
        error treats each origin as one observation, since the series of one year share
        its shocks; it ignores the overlap of neighbouring origins.
    """
    groups = check_columns(table, by)
    rows = table[(table["status"] == SCORED) & table["inside_80"].notna()]
    if rows.empty:
        raise DataError("no scored forecast has intervals. Look at track.missing for the reasons.")
    pieces = []
    for level in LEVELS:
        column = f"inside_{level * 100:.0f}"
        grouped = rows.groupby(groups, sort=False)
        by_origin = rows.groupby([*groups, "origin"], sort=False)[column].mean()
        spread = by_origin.groupby(groups, sort=False).agg(["std", "count"])
        pieces.append(
            pd.DataFrame(
                {
                    "level": level,
                    "coverage": grouped[column].mean(),
                    "standard_error": spread["std"] / np.sqrt(spread["count"]),
                    "forecasts": grouped.size(),
                    "origins": grouped["origin"].nunique(),
                }
            ).reset_index()
        )
    made = pd.concat(pieces, ignore_index=True)
    return made.sort_values([*groups, "level"], ignore_index=True, kind="stable")


def over_panel(
    table: pd.DataFrame, by: Sequence[str] = ("model", "horizon"), *, seed: int = 1
) -> pd.DataFrame:
    """Test whether intervals hold what they promise, over all series of a group together.

    Single series rarely have enough past forecasts to tell; a panel has. Series of one year
    share its shocks and forecasts from neighbouring origins share outcomes, so blocks of whole
    origins are drawn (`forecast.evaluate.compare.block_bootstrap`).

    Parameters
    ----------
    table : DataFrame
        The score table.
    by : sequence of str
        Groups; ``model`` and ``horizon`` are added if they are not among them.
    seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        The groups, ``series, origins, forecasts``; for each of the 50, 80 and 95 % intervals
        ``coverage_80``, its 95 % bootstrap interval ``lower_80, upper_80`` and ``p_value_80``,
        that the coverage is as promised; ``pit_mean``, 0.5 if the middle is right, and
        ``pit_spread``, the standard deviation of the PIT over that of a uniform one, above 1
        if intervals are too narrow, with ``p_value_pit``, that the spread is 1. Bounds and
        p-values are missing where there are fewer than two separate blocks of origins.
    """
    groups = check_columns(table, list(dict.fromkeys(["model", *by, "horizon"])))
    rows = table[(table["status"] == SCORED) & table["inside_80"].notna()]
    if rows.empty:
        raise DataError("no scored forecast has intervals. Look at track.missing for the reasons.")
    rows = rows.assign(excess=12.0 * (rows["pit"] - 0.5) ** 2 - 1.0)
    promised = {"excess": 0.0, **{f"inside_{100 * level:.0f}": level for level in LEVELS}}
    generator = np.random.default_rng(seed)
    tested = []
    for values, group in rows.groupby(groups, sort=True):
        panel = group.pivot_table(index=["origin", "as_of"], columns=KEY, values=list(promised))
        origins = panel.index.get_level_values("origin").to_numpy()
        overlap = overlap_of(int(group["horizon"].iloc[0]), origins)
        row: dict[str, object] = dict(zip(groups, values))
        row |= {"series": len(group[KEY].drop_duplicates()), "origins": len(set(origins))}
        row |= {"forecasts": len(group), "pit_mean": group["pit"].mean()}
        row["pit_spread"] = float(np.sqrt(1.0 + group["excess"].mean()))
        for name, level in promised.items():
            lower = upper = p_value = np.nan
            if name in panel:
                differences = panel[name].to_numpy() - level
                lower, upper, p_value = block_bootstrap(differences, overlap, generator)
            if name == "excess":
                row["p_value_pit"] = p_value
                continue
            end = name.removeprefix("inside_")
            row |= {f"coverage_{end}": group[name].mean(), f"lower_{end}": lower + level}
            row |= {f"upper_{end}": upper + level, f"p_value_{end}": p_value}
        tested.append(row)
    return pd.DataFrame(tested)


def judged_panels(
    table: pd.DataFrame, by: Sequence[str], interval: float, level: float, tolerance: float
) -> dict[tuple[object, ...], tuple[str, str]]:
    """Return what every group of several series says of an interval, and that in words.

    Parameters
    ----------
    table : DataFrame
        The score table.
    by : sequence of str
        Groups, ``model`` and ``horizon`` among them.
    interval : {0.5, 0.8, 0.95}
    level : float
        Of the test, see `over_panel`.
    tolerance : float
        How far the coverage may be off without being called so.
    """
    try:
        tested = over_panel(table, by)
    except DataError:
        return {}
    end, judged = f"{interval * 100:.0f}", {}
    for row in tested[tested["series"] > 1].dropna(subset=f"p_value_{end}").to_dict("records"):
        share, p_value = float(row[f"coverage_{end}"]), float(row[f"p_value_{end}"])
        off = abs(share - interval) > tolerance and p_value < level
        kind = (NARROW if share < interval else WIDE) if off else HOLDS
        low, high = (percent(float(row[f"{side}_{end}"])) for side in ("lower", "upper"))
        reason = (
            f"{percent(interval)} intervals of the {row['series']} series of this kind held "
            f"{percent(share)} ({low} to {high}): {kind}"
        )
        judged[tuple(row[name] for name in by)] = (kind, reason)
    return judged


def percent(share: float) -> str:
    """Return a share as whole percent."""
    return f"{100 * share:.0f} %"


def pit_histogram(table: pd.DataFrame, by: Sequence[str], bins: int = 10) -> pd.DataFrame:
    """Return how often the outcome fell into each equal part of the forecast.

    Parameters
    ----------
    table : DataFrame
        The score table.
    by : sequence of str
        Columns to group by.
    bins : int
        Equal parts of the forecast.

    Returns
    -------
    DataFrame
        The groups, ``lower`` and ``upper`` edge of each part, ``count``, and ``density``:
        1 everywhere if calibrated, high at the ends if intervals are too narrow, high in
        the middle if they are too wide.
    """
    groups = check_columns(table, by)
    if not isinstance(bins, int) or bins < 2:
        raise DataError(f"bins is {bins!r}; give a whole number, 2 or above.")
    rows = table[(table["status"] == SCORED) & table["pit"].notna()]
    if rows.empty:
        raise DataError("no scored forecast has a PIT. Look at track.missing for the reasons.")
    edges = np.linspace(0.0, 1.0, bins + 1)
    pieces = []
    for values, group in rows.groupby(groups, sort=False):
        count = np.histogram(group["pit"], edges)[0]
        named = {name: [value] * bins for name, value in zip(groups, values)}
        counted = {"lower": edges[:-1], "upper": edges[1:], "count": count}
        density = count / count.sum() * bins
        pieces.append(pd.DataFrame({**named, **counted, "density": density}))
    return pd.concat(pieces, ignore_index=True)


def surprises(table: pd.DataFrame) -> pd.DataFrame:
    """Return the figures outside their 95 % interval, the most surprising first."""
    rows = table[(table["status"] == SCORED) & (table["inside_95"] == 0.0)]
    above = (rows["observed"] - rows["upper_95"]).clip(lower=0.0)
    below = (rows["lower_95"] - rows["observed"]).clip(lower=0.0)
    width = rows["upper_95"] - rows["lower_95"]
    kept = ["model", "location", "measure", "source", "origin", "as_of", "year", "horizon"]
    kept += ["observed", "median", "lower_80", "upper_80", "lower_95", "upper_95", "shock"]
    return (
        rows[kept]
        .assign(excess=(above + below) / width)
        .sort_values("excess", ascending=False, ignore_index=True, kind="stable")
    )


@dataclass(frozen=True)
class CoverageTest:
    """Test of the number of figures inside intervals.

    Attributes
    ----------
    p_value : float
        Two-sided.
    power_narrow, power_wide : float
        Chance to reject, at the level asked for, if intervals are `MUCH_NARROWER` times as wide as
        they should be, or too wide by the same factor.
    """

    p_value: float
    power_narrow: float
    power_wide: float


def coverage_test(
    hits: int, origins: int, promised: float, overlap: int = 1, level: float = 0.05
) -> CoverageTest:
    """Test whether intervals hold what they promise, under overlap.

    Parameters
    ----------
    hits : int
        Figures inside their interval.
    origins : int
        Forecasts, from neighbouring origins.
    promised : float
        Probability of the interval.
    overlap : int
        Every `overlap`-th forecast shares no outcome with the one before.
    level : float
        Of the test whose power is stated.

    Returns
    -------
    CoverageTest
        Under the null hypothesis errors are sums of `overlap` normal shocks, of which
        neighbours share all but one, as for a random walk: the strongest dependence that
        forecasts have which use all they know. With heavy tails the test keeps its level; where
        calm and stormy times last and intervals ignore them it rejects up to two to four times
        as often (docs/studies/backtests.md). The power is that on a random walk.

    Examples
    --------
    >>> bool(coverage_test(0, 10, 0.8, overlap=4).p_value < 0.05)
    True
    >>> coverage_test(10, 10, 0.8, overlap=4).power_wide < 0.01  # ten origins cannot be too wide
    True
    """
    right, narrow, wide = _chances(origins, promised, overlap)
    at_most, at_least = np.cumsum(right), np.cumsum(right[::-1])[::-1]
    p_values = np.minimum(1.0, 2.0 * np.minimum(at_most, at_least))
    rejects = p_values < level
    return CoverageTest(
        float(p_values[hits]), float(narrow[rejects].sum()), float(wide[rejects].sum())
    )


@lru_cache(maxsize=2048)
def _chances(origins: int, promised: float, overlap: int) -> np.ndarray:
    """Return the chance of each number of hits, shape (3, origins + 1).

    One row each for intervals of the right width, too narrow and too wide ones.
    """
    from scipy.special import ndtri

    generator = np.random.default_rng([_SEED, origins, overlap])
    walks = np.cumsum(generator.standard_normal((_SIMULATIONS, origins + overlap)), axis=1)
    errors = np.abs(walks[:, overlap:] - walks[:, :-overlap]) / np.sqrt(overlap)
    reach = ndtri(0.5 + promised / 2.0)
    hits = [(errors <= width * reach).sum(axis=1) for width in _WIDTHS]
    return np.array([np.bincount(one, minlength=origins + 1) for one in hits]) / _SIMULATIONS
