"""Chances of surges from past origins, and the score of the upper tail."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scoringrules

import forecast as fc
from forecast.evaluate.surges import surges, tail_crps


def test_the_tail_score_is_that_of_scoringrules() -> None:
    generator = np.random.default_rng(1)
    draws, observed = generator.normal(size=(50, 4)), generator.normal(size=4)
    for limit in (-1.0, 0.5):
        theirs = scoringrules.twcrps_ensemble(
            observed, draws, v_func=lambda x, t=limit: np.maximum(x, t), m_axis=0, estimator="pwm",
            backend="numpy",
        )  # fmt: skip
        np.testing.assert_allclose(tail_crps(draws, observed, np.full(4, limit)), theirs)


def test_surges_of_the_past_are_scored_on_what_came() -> None:
    texts = [str(one) for one in pd.period_range("2014-01", periods=84, freq="M")]
    value = 500 + np.random.default_rng(2).normal(0, 20, 84)
    value[70] = 5000.0
    panel = fc.Panel.from_frame(
        pd.DataFrame(
            {"location": "KAZ", "measure": "immigration", "period": texts, "value": value.round()}
        )
    )
    table = surges(panel, ["seasonal-naive"], ["2019-08", "2018-12"], (1, 3), draws=200)
    assert table["period"].tolist() == ["2019-01", "2019-03", "2019-09", "2019-11"]
    assert table["surge"].tolist() == [False, False, False, True]
    limit = value[:60].round().max()
    assert table["threshold"].tolist()[:2] == [limit, limit]
    want = (table["probability"] - table["surge"]) ** 2
    assert table["brier"].tolist() == pytest.approx(want.tolist())
    # What did not come near the threshold costs what the forecast put above it, and no more.
    assert (table["tail_crps"].iloc[:3] < 5).all()
    assert table["tail_crps"].iloc[3] > 4000
