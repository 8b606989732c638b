"""Verdicts: which forecasts deserve belief, by a rule that is written down.

For one model, series and horizon, in this order:

1. *too little data*: fewer than `Rule.origins` origins that the reference forecast too,
   or fewer than `Rule.blocks` forecasts that do not overlap;
2. *miscalibrated*: the coverage of the 80 % interval is rejected, for this series or, where one
   series by itself cannot tell, for all of its model, source, measure and horizon together,
   and it misses on the same side;
3. *skilful*: the score is below the reference's, and the cautious one-sided
   Diebold–Mariano test says that this is not luck;
4. *no better than naive*: everything else.

The burden of proof is on the model: whatever is not shown is not claimed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.evaluate.calibration import (
    HOLDS,
    NARROW,
    UNTESTED,
    WIDE,
    coverage_test,
    judged_panels,
    percent,
)
from forecast.evaluate.compare import diebold_mariano, holm, overlap_of
from forecast.evaluate.summaries import chosen_reference, pairs
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
    power : float
        Least chance to notice intervals that are much too narrow
        (`forecast.evaluate.calibration.MUCH_NARROWER`) for a series to be tested by itself.
    tolerance : float
        How far the coverage over a panel may be off without being called so, however sure.
    """

    origins: int = 8
    blocks: float = 2.0
    level: float = 0.05
    interval: float = 0.80
    power: float = 0.5
    tolerance: float = 0.05


def says_nothing(tried: int, asked: int) -> bool:
    """Whether a verdict reached `tried` years ahead says nothing of `asked` years ahead.

    Parameters
    ----------
    tried, asked : int
        Years ahead.

    Returns
    -------
    bool
        True if `tried` is both less than half of `asked` and more than two years short of it.
    """
    return tried < SHARE * asked and asked - tried > FAR


def judge(
    table: pd.DataFrame,
    versus: str | None = None,
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
    versus : str, optional
        The reference of skill; `forecast.evaluate.summaries.reference_of` the models by default.
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
        model), ``coverage`` of the tested interval and ``p_value_coverage``;
        ``calibration``: `HOLDS`, `NARROW`, `WIDE` or `UNTESTED`, by the series itself, or by
        all of its model, source, measure and horizon where it cannot be tested; ``power``,
        the chance to notice intervals of this series that are much too narrow. One row in
        twenty of a hopeless model may be called skilful by chance; the adjusted p-value
        says which would survive.
    """
    thresholds = rule or Rule()
    keys = ["model", *KEY, "horizon"]
    judged: dict[tuple[object, ...], dict[str, object]] = {}
    versus = chosen_reference(set(table["model"]), versus)
    others = table[table["model"] != versus]
    panels = judged_panels(
        others, _KIND, thresholds.interval, thresholds.level, thresholds.tolerance
    )
    for key, group in others.groupby(keys, sort=False):
        # What is said if nothing of this group can be scored.
        scored = int((group["status"] == SCORED).sum())
        judged[key] = _row(TOO_LITTLE, _few(scored, thresholds, group), scored)
    for both in pairs(table, versus, score, "persons", step):
        both = both.sort_values(["origin", "as_of"], kind="stable")
        for key, group in both.groupby(keys, sort=False):
            over_panel = panels.get(tuple(group[_KIND].iloc[0]))
            judged[key] = _judge(group, score, thresholds, over_panel)
    verdicts = pd.DataFrame([dict(zip(keys, key)) | row for key, row in judged.items()])
    adjusted = verdicts.groupby("model", sort=False)["p_value"].transform(
        lambda values: holm(values.to_numpy(dtype=float))
    )
    return verdicts.assign(p_value_holm=adjusted).sort_values(
        keys, ignore_index=True, kind="stable"
    )


#: What shares a calibration: forecasts of one model, source, measure and horizon.
_KIND = ["model", "source", "measure", "horizon"]


def _judge(
    group: pd.DataFrame, score: str, rule: Rule, panel: tuple[str, str] | None
) -> dict[str, object]:
    overlap = overlap_of(int(group["horizon"].iloc[0]), group["origin"].to_numpy())
    size = len(group)
    skill = _skill(group[score], group["reference"])
    of_median = _skill(group["absolute_error"], group["reference_absolute_error"])
    if size < rule.origins or size < rule.blocks * overlap:
        power = coverage_test(size, size, rule.interval, overlap, rule.level).power_narrow
        little = _row(TOO_LITTLE, _few(size, rule, group, overlap), size, skill, of_median)
        return little | {"power": power}
    difference = (group[score] - group["reference"]).to_numpy()
    test = diebold_mariano(difference, overlap, "less", cautious=True)
    row = _row("", "", size, skill, of_median, test.p_value)
    widths, untested = _calibration(group, overlap, rule, panel)
    row |= widths
    if row["calibration"] in (NARROW, WIDE):
        return row | {"verdict": MISCALIBRATED}
    if skill > 0 and test.p_value < rule.level:
        luck = f"p = {test.p_value:.3f}" if test.p_value >= 0.001 else "p < 0.001"
        reason = f"score {_against(skill)}, {luck}; error of the median {_against(of_median)}."
        return row | {"verdict": SKILFUL, "reason": reason + untested}
    luck = f", which may be luck (p = {test.p_value:.2f})" if skill > 0 else ""
    return row | {"verdict": NO_BETTER, "reason": f"score {_against(skill)}{luck}.{untested}"}


def _calibration(
    group: pd.DataFrame, overlap: int, rule: Rule, panel: tuple[str, str] | None
) -> tuple[dict[str, object], str]:
    """Return what is known of the intervals of a series, and what to add to another reason."""
    inside = group[f"inside_{rule.interval * 100:.0f}"].to_numpy()
    if np.isnan(inside).any():
        return {"calibration": UNTESTED, "power": 0.0}, ""
    size, share = len(inside), float(inside.mean())
    test = coverage_test(int(inside.sum()), size, rule.interval, overlap, rule.level)
    found: dict[str, object] = {
        "coverage": share, "p_value_coverage": test.p_value, "power": test.power_narrow
    }  # fmt: skip
    kind = WIDE if share > rule.interval else NARROW
    promised = percent(rule.interval)
    if test.p_value < rule.level:
        reason = f"{promised} intervals held {percent(share)} of {size} figures: {kind}."
        return found | {"calibration": kind, "reason": reason}, ""
    if test.power_narrow >= rule.power:
        return found | {"calibration": HOLDS}, ""
    untested = (
        f" {promised} intervals cannot be tested on {size} origins: much too narrow ones would be "
        f"noticed in {percent(test.power_narrow)} of cases"
    )
    if panel is None:
        return found | {"calibration": UNTESTED}, f"{untested}."
    untested = f"{untested}; {panel[1]}."
    # All series together say nothing against one that misses on the other side, or not at all.
    if panel[0] != HOLDS and (panel[0] != kind or share == rule.interval):
        return found | {"calibration": UNTESTED}, untested
    return found | {"calibration": panel[0], "reason": untested.strip()}, untested


def _skill(own: pd.Series, reference: pd.Series) -> float:
    return 1.0 - float(own.mean()) / float(reference.mean()) if reference.mean() > 0 else np.nan


def _against(skill: float) -> str:
    """Say a skill in words."""
    if np.isnan(skill):
        return "not comparable with the reference"
    return f"{percent(abs(skill))} {'below' if skill > 0 else 'above'} the reference"


def _few(size: int, rule: Rule, group: pd.DataFrame, overlap: int = 1) -> str:
    if size == 0:
        reasons = group.loc[group["status"] != SCORED, "reason"]
        # The reason of the last origin, when most was known.
        why = f" ({reasons.iloc[-1].rstrip('.')})" if len(reasons) else ""
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
) -> dict[str, object]:
    return {
        "verdict": verdict,
        "reason": reason,
        "origins": origins,
        "skill": skill,
        "skill_median": skill_median,
        "p_value": p_value,
        "coverage": np.nan,
        "p_value_coverage": np.nan,
        "calibration": UNTESTED,
        "power": 0.0,
    }


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
