"""Verdicts: which forecasts deserve belief, by a rule that is written down.

For one model, series and horizon, in this order:

1. *too little data*: fewer than `Rule.origins` origins that the reference forecast too,
   or fewer than `Rule.blocks` forecasts that do not overlap;
2. *miscalibrated*: the coverage of the 80 % interval is rejected;
3. *skilful*: the score is below the reference's, and the cautious one-sided
   Diebold–Mariano test says that this is not luck;
4. *no better than naive*: everything else.

The burden of proof is on the model: whatever is not shown is not claimed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from forecast.evaluate.compare import diebold_mariano, holm, overlap_of
from forecast.evaluate.summaries import pairs
from forecast.hindcast.columns import SCORED
from forecast.series_key import KEY

SKILFUL = "skilful"
NO_BETTER = "no better than naive"
MISCALIBRATED = "miscalibrated"
TOO_LITTLE = "too little data"
#: A verdict says nothing of a forecast more than this many years further ahead, if it was also
#: reached less than this share of the way: errors grow with the distance, and not evenly.
FAR, SHARE = 2, 0.5


@dataclass(frozen=True)
class Rule:
    """Thresholds of the verdicts.

    Attributes
    ----------
    origins : int
        Fewest origins.
    blocks : float
        Fewest forecasts that do not overlap: origins divided by the overlap.
    level : float
        Probability of calling a forecast skilful, or miscalibrated, that is not.
    interval : float
        Probability that the tested interval promises (0.5, 0.8 or 0.95).
    """

    origins: int = 8
    blocks: float = 2.0
    level: float = 0.05
    interval: float = 0.80


def says_nothing(tried: int, asked: int) -> bool:
    """Whether a verdict reached `tried` years ahead says nothing of `asked` years ahead."""
    return tried < SHARE * asked and asked - tried > FAR


def judge(
    table: pd.DataFrame,
    versus: str = "naive",
    *,
    score: str = "crps",
    step: int = 1,
    rule: Rule | None = None,
) -> pd.DataFrame:
    """Judge every model, series and horizon.

    Parameters
    ----------
    table : DataFrame
        The score table.
    versus : str
        The reference of skill.
    score : str
        Which score decides.
    step : int
    rule : Rule, optional

    Returns
    -------
    DataFrame
        ``model, source, location, measure, horizon, verdict, reason``; ``origins``,
        ``skill``; ``skill_median``, that of the median's absolute error, which tells a
        better middle estimate from better intervals; ``p_value`` (one-sided, that the
        model is better), ``p_value_holm`` (adjusted for all series and horizons of the
        model), ``coverage`` of the tested interval and ``p_value_coverage``. One row in
        twenty of a hopeless model may be called skilful by chance; the adjusted p-value
        says which would survive.
    """
    thresholds = rule or Rule()
    keys = ["model", *KEY, "horizon"]
    judged: dict[tuple[object, ...], dict[str, object]] = {}
    others = table[table["model"] != versus]
    for key, group in others.groupby(keys, sort=False):
        # What is said if nothing of this group can be scored.
        scored = int((group["status"] == SCORED).sum())
        judged[key] = _row(TOO_LITTLE, _few(scored, thresholds, group), scored)
    for both in pairs(table, versus, score, "persons", step):
        both = both.sort_values(["origin", "as_of"], kind="stable")
        for key, group in both.groupby(keys, sort=False):
            judged[key] = _judge(group, score, thresholds)
    verdicts = pd.DataFrame([dict(zip(keys, key)) | row for key, row in judged.items()])
    adjusted = verdicts.groupby("model", sort=False)["p_value"].transform(
        lambda values: holm(values.to_numpy(dtype=float))
    )
    return verdicts.assign(p_value_holm=adjusted).sort_values(
        keys, ignore_index=True, kind="stable"
    )


def _judge(group: pd.DataFrame, score: str, rule: Rule) -> dict[str, object]:
    overlap = overlap_of(int(group["horizon"].iloc[0]), group["origin"].to_numpy())
    size = len(group)
    skill = _skill(group[score], group["reference"])
    of_median = _skill(group["absolute_error"], group["reference_absolute_error"])
    if size < rule.origins or size < rule.blocks * overlap:
        return _row(TOO_LITTLE, _few(size, rule, group, overlap), size, skill, of_median)
    difference = (group[score] - group["reference"]).to_numpy()
    test = diebold_mariano(difference, overlap, "less", cautious=True)
    inside = group[f"inside_{rule.interval * 100:.0f}"].to_numpy()
    coverage, p_coverage = float(inside.mean()), np.nan
    if not np.isnan(inside).any():
        p_coverage = coverage_test(inside.astype(bool), rule.interval, overlap)
    row = _row("", "", size, skill, of_median, test.p_value, coverage, p_coverage)
    promised = percent(rule.interval)
    if p_coverage < rule.level:
        kind = "narrow" if coverage < rule.interval else "wide"
        reason = f"{promised} intervals held {percent(coverage)} of {size} figures: too {kind}."
        return row | {"verdict": MISCALIBRATED, "reason": reason}
    if skill > 0 and test.p_value < rule.level:
        luck = f"p = {test.p_value:.3f}" if test.p_value >= 0.001 else "p < 0.001"
        reason = f"score {_against(skill)}, {luck}; error of the median {_against(of_median)}."
        return row | {"verdict": SKILFUL, "reason": reason}
    luck = f", which may be luck (p = {test.p_value:.2f})" if skill > 0 else ""
    reason = f"score {_against(skill)}{luck}."
    return row | {"verdict": NO_BETTER, "reason": reason}


def _skill(own: pd.Series, reference: pd.Series) -> float:
    return 1.0 - float(own.mean()) / float(reference.mean()) if reference.mean() > 0 else np.nan


def _against(skill: float) -> str:
    """Say a skill in words."""
    if np.isnan(skill):
        return "not comparable with the reference"
    return f"{percent(abs(skill))} {'below' if skill > 0 else 'above'} the reference"


def percent(share: float) -> str:
    """Return a share as whole percent."""
    return f"{100 * share:.0f} %"


def _few(size: int, rule: Rule, group: pd.DataFrame, overlap: int = 1) -> str:
    if size == 0:
        told = group.loc[group["status"] != SCORED, "reason"]
        # The reason of the last origin, when most was known.
        why = f" ({told.iloc[-1].rstrip('.')})" if len(told) else ""
        return f"nothing to judge by{why}."
    if size < rule.origins:
        return f"{size} origins to judge by; {rule.origins} are needed."
    return (
        f"{size} origins that overlap {overlap}-fold amount to {size / overlap:.1f} separate "
        f"forecasts; {rule.blocks:g} are needed."
    )


def _row(
    verdict: str,
    reason: str,
    origins: int,
    skill: float = np.nan,
    skill_median: float = np.nan,
    p_value: float = np.nan,
    coverage: float = np.nan,
    p_coverage: float = np.nan,
) -> dict[str, object]:
    return {
        "verdict": verdict,
        "reason": reason,
        "origins": origins,
        "skill": skill,
        "skill_median": skill_median,
        "p_value": p_value,
        "coverage": coverage,
        "p_value_coverage": p_coverage,
    }


def coverage_test(inside: np.ndarray, level: float, overlap: int = 1) -> float:
    """Return the p-value that intervals hold what they promise, under overlap.

    Parameters
    ----------
    inside : ndarray of bool, shape (n,)
        In order of the origins.
    level : float
        Probability promised.
    overlap : int
        Every `overlap`-th forecast shares no outcome with the one before.

    Returns
    -------
    float
        Each of the K = `overlap` thinned sequences gives an exact two-sided binomial test;
        K / k times the k-th smallest p-value, here the middle one, is valid whatever the
        dependence between them (Rüger 1978; Vovk and Wang 2020,
        doi:10.1093/biomet/asaa027).
    """
    parts = [inside[start::overlap] for start in range(min(overlap, len(inside)))]
    exact = sorted(_binomial(int(part.sum()), len(part), level) for part in parts)
    middle = len(exact) // 2 + 1
    return min(1.0, exact[middle - 1] * len(exact) / middle)


@lru_cache(maxsize=4096)
def _binomial(hits: int, trials: int, level: float) -> float:
    from scipy.stats import binomtest

    return float(binomtest(hits, trials, level).pvalue)


def forecastability(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return how far ahead each model can be relied on, series by series.

    Parameters
    ----------
    verdicts : DataFrame
        As `judge` returns.

    Returns
    -------
    DataFrame
        ``model, source, location, measure``; ``forecastability_horizon``, the longest
        horizon judged skilful (0: none); ``horizons_judged``, how many had enough data.
    """
    keys = ["model", *KEY]
    skilful = verdicts["horizon"].where(verdicts["verdict"] == SKILFUL, 0)
    enough = verdicts["verdict"] != TOO_LITTLE
    rows = verdicts.assign(forecastability_horizon=skilful, horizons_judged=enough)
    grouped = rows.groupby(keys, sort=False)
    result: pd.DataFrame = grouped.agg(
        forecastability_horizon=("forecastability_horizon", "max"),
        horizons_judged=("horizons_judged", "sum"),
    ).reset_index()
    return result


def count(verdicts: Iterable[str]) -> dict[str, int]:
    """Return how often each verdict was given, all four named."""
    given = list(verdicts)
    return {name: given.count(name) for name in (SKILFUL, NO_BETTER, MISCALIBRATED, TOO_LITTLE)}
