"""The rule of the verdicts, case by case."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from forecast.evaluate.calibration import UNTESTED, coverage_test
from forecast.evaluate.verdicts import (
    MISCALIBRATED,
    NO_BETTER,
    SKILFUL,
    TOO_LITTLE,
    Rule,
    count,
    forecastability,
    judge,
)
from forecast.hindcast.columns import COLUMNS, SCORED, conform


def table(
    model: np.ndarray, naive: np.ndarray, inside: np.ndarray, horizon: int = 1
) -> pd.DataFrame:
    """Score table of one series with given losses, one origin a year from 2000 on."""
    size = len(model)
    pieces = []
    for name, loss in (("model", model), ("naive", naive)):
        pieces.append(
            pd.DataFrame(
                {
                    "model": name,
                    "location": "KAZ",
                    "measure": "net_migration",
                    "source": "test",
                    "origin": np.arange(2000, 2000 + size),
                    "as_of": "",
                    "year": np.arange(2000, 2000 + size) + horizon,
                    "horizon": horizon,
                    "status": SCORED,
                    "crps": loss,
                    "inside_80": inside.astype(float),
                }
            )
        )
    return conform(pd.concat(pieces, ignore_index=True), COLUMNS)


WELL = np.array([True, True, True, True, False] * 4)[:16]
LOSS = np.random.default_rng(0).uniform(0.9, 1.1, 16)


def verdict(*arguments: object, **options: object) -> pd.Series:
    return judge(table(*arguments, **options)).iloc[0]  # type: ignore[arg-type]


def test_skilful_needs_a_lower_error_that_is_not_luck() -> None:
    row = verdict(LOSS[::-1] - 0.4, LOSS, WELL)
    assert row["verdict"] == SKILFUL
    assert row["skill"] == pytest.approx(0.4, abs=0.02)
    assert row["p_value"] < 0.05


def test_the_reason_tells_better_intervals_from_a_better_middle() -> None:
    rows = table(LOSS[::-1] - 0.4, LOSS, WELL)
    rows["absolute_error"] = np.where(rows["model"] == "model", 11.0, 10.0)
    row = judge(rows).iloc[0]
    assert row["verdict"] == SKILFUL
    assert row["skill_median"] == pytest.approx(-0.1)
    assert "error of the median 10 % above the reference." in row["reason"]


def test_a_lower_error_by_luck_is_no_better() -> None:
    row = verdict(LOSS + np.tile([0.5, -0.51], 8), LOSS, WELL)
    assert row["skill"] > 0
    assert row["verdict"] == NO_BETTER
    assert "may be luck" in row["reason"]


def test_a_higher_error_is_no_better() -> None:
    row = verdict(LOSS + 0.3, LOSS, WELL)
    assert row["verdict"] == NO_BETTER
    assert "above the reference" in row["reason"]


@pytest.mark.parametrize(("hits", "word"), [(8, "narrow"), (24, "wide")])
def test_intervals_that_do_not_hold_outweigh_skill(hits: int, word: str) -> None:
    loss = np.random.default_rng(0).uniform(0.9, 1.1, 24)
    inside = np.arange(24) < hits
    row = verdict(loss - 0.5, loss, inside)
    assert row["verdict"] == MISCALIBRATED
    assert word in row["reason"]


def test_too_few_origins_decide_nothing() -> None:
    row = verdict(LOSS[:7] - 0.8, LOSS[:7], WELL[:7])
    assert row["verdict"] == TOO_LITTLE
    assert "7 origins to judge by; 8 are needed" in row["reason"]


def test_overlapping_forecasts_count_as_few() -> None:
    row = verdict(LOSS[:10] - 0.8, LOSS[:10], WELL[:10], horizon=7)
    assert row["verdict"] == TOO_LITTLE
    assert "1.4 separate forecasts" in row["reason"]
    relaxed = judge(table(LOSS[:10], LOSS[:10], WELL[:10], horizon=7), rule=Rule(blocks=1.0))
    assert relaxed["verdict"].iloc[0] != TOO_LITTLE


def test_what_could_not_be_scored_is_judged_with_its_reason() -> None:
    rows = table(LOSS, LOSS, WELL)
    lost = rows["model"] == "model"
    rows.loc[lost, "status"], rows.loc[lost, "reason"] = "failed", "it broke."
    rows.loc[lost, "crps"] = np.nan
    row = judge(rows).iloc[0]
    assert row["verdict"] == TOO_LITTLE
    assert "it broke" in row["reason"]


def test_only_figures_that_both_forecast_are_compared() -> None:
    rows = table(LOSS - 0.4, LOSS, WELL)
    dropped = rows[~((rows["model"] == "naive") & (rows["origin"] < 2010))]
    assert judge(dropped.reset_index(drop=True)).iloc[0]["origins"] == 6


def test_coverage_test_without_overlap_is_the_exact_binomial_test() -> None:
    at_most = binom.cdf(9, 16, 0.8)
    assert coverage_test(9, 16, 0.8).p_value == pytest.approx(2 * at_most, abs=0.01)


@pytest.mark.parametrize(("origins", "overlap"), [(10, 1), (17, 3), (17, 7), (30, 5)])
def test_coverage_test_keeps_its_level_and_has_the_power_it_states(
    origins: int, overlap: int
) -> None:
    """On walks of its own kind and on ones with heavy tails; what is found is what was said."""
    generator = np.random.default_rng(4)
    for shocks in (generator.standard_normal(60_000), generator.standard_t(3, size=60_000)):
        walk = np.cumsum(shocks)
        errors = np.abs(walk[overlap:] - walk[:-overlap])
        for width, told in ((1.0, 0.05), (0.6, None)):
            inside = errors <= width * np.quantile(errors, 0.8)
            hits = np.add.reduceat(inside, np.arange(0, len(inside) - origins, origins))[:-1]
            tests = [coverage_test(int(k), origins, 0.8, overlap) for k in hits]
            rejected = np.mean([test.p_value < 0.05 for test in tests])
            if told is None:
                assert rejected == pytest.approx(tests[0].power_narrow, abs=0.12)
            else:
                assert rejected <= told + 0.01


def test_no_hit_of_ten_overlapping_forecasts_is_too_narrow() -> None:
    row = verdict(LOSS[:10] - 0.5, LOSS[:10], np.zeros(10, dtype=bool), horizon=4)
    assert row["verdict"] == MISCALIBRATED
    assert "too narrow" in row["reason"]


def test_what_cannot_be_tested_states_its_power() -> None:
    row = verdict(LOSS - 0.4, LOSS, WELL, horizon=3)
    assert row["calibration"] == UNTESTED
    assert 0.0 < row["power"] < 0.5
    assert f"noticed in {100 * row['power']:.0f} % of cases" in row["reason"]
    untested = judge(table(LOSS[:5], LOSS[:5], WELL[:5])).iloc[0]
    assert untested["calibration"] == UNTESTED
    assert untested["power"] > 0.0


def test_a_series_that_cannot_be_tested_takes_the_judgement_of_its_panel() -> None:
    """Forty series with 56 % inside: none is rejected by itself, all of them together are."""
    generator = np.random.default_rng(2)
    pieces = []
    for number in range(40):
        inside = np.zeros(16, dtype=bool)
        inside[generator.permutation(16)[: 9 + number % 2]] = True
        pieces.append(table(LOSS - 0.4, LOSS, inside, horizon=3).assign(location=f"P{number}"))
    judged = judge(pd.concat(pieces, ignore_index=True))
    assert (judged["p_value_coverage"] >= 0.05).all()
    assert (judged["verdict"] == MISCALIBRATED).all()
    assert judged["reason"].str.contains("40 series of this kind held 5").all()


def test_forecastability_is_the_longest_skilful_horizon() -> None:
    verdicts = pd.DataFrame(
        {
            "model": "ets",
            "source": "test",
            "location": ["KAZ"] * 3 + ["KGZ"] * 3,
            "measure": "net_migration",
            "horizon": [1, 3, 5] * 2,
            "verdict": [SKILFUL, SKILFUL, NO_BETTER, NO_BETTER, TOO_LITTLE, TOO_LITTLE],
        }
    )
    made = forecastability(verdicts)
    assert made["forecastability_horizon"].tolist() == [3, 0]
    assert made["horizons_judged"].tolist() == [3, 1]
    assert count(verdicts["verdict"]) == {SKILFUL: 2, NO_BETTER: 2, MISCALIBRATED: 0, TOO_LITTLE: 2}


@pytest.mark.slow
@pytest.mark.parametrize("horizon", [1, 3, 5, 7])
def test_a_model_without_skill_is_rarely_called_skilful(horizon: int) -> None:
    """Random walks, which nothing can beat; the model is as good as the reference."""
    generator = np.random.default_rng(horizon)
    false = 0
    for _ in range(600):
        walk = np.cumsum(generator.normal(size=16 + horizon))
        error = walk[horizon:] - walk[:16]
        inside = np.tile(WELL, 1)
        rows = table(np.abs(error - 0.5), np.abs(error + 0.5), inside, horizon)
        false += judge(rows).iloc[0]["verdict"] == SKILFUL
    assert false / 600 <= 0.085


def test_a_panel_says_nothing_against_a_series_that_misses_on_the_other_side() -> None:
    """Ten series whose intervals are never left, and one that left them in six years of 16."""
    series = [table(LOSS - 0.4, LOSS, np.ones(16, dtype=bool), horizon=3) for _ in range(10)]
    series.append(table(LOSS - 0.4, LOSS, np.arange(16) >= 6, horizon=3))
    named = [rows.assign(location=f"P{number}") for number, rows in enumerate(series)]
    judged = judge(pd.concat(named, ignore_index=True)).set_index("location")
    assert judged["calibration"].drop("P10").eq("too wide").all()
    odd = judged.loc["P10"]
    assert odd["calibration"] == UNTESTED
    assert odd["verdict"] != MISCALIBRATED
    assert "11 series of this kind held 97 %" in odd["reason"]
