"""Drivers: their forms, their future, what they add, and the gate in front of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast.errors import DataError, UnknownNameError
from forecast.models.registry import model as find_model
from forecast.models.series.drivers import Driven, check, condition_on_drivers, drivers, futures
from forecast.models.series.regression import Regression, crps_of, judged
from forecast.models.series.statespace import condition
from forecast.models.series.structural import local_level
from forecast.models.series.univariate import prepare
from forecast.panel import Panel

YEARS = np.arange(1990, 2025)


def rows(
    location: str, measure: str, values: np.ndarray, years: np.ndarray = YEARS
) -> pd.DataFrame:
    return pd.DataFrame({"location": location, "measure": measure, "year": years, "value": values})


def world(effect: float, seed: int = 4) -> tuple[pd.DataFrame, Panel]:
    """Growth of one country, and net migration that answers it a year later."""
    generator = np.random.default_rng(seed)
    growth = generator.normal(3, 2, len(YEARS))
    met = np.append(growth[0], growth[:-1])
    net = 1000 * (effect * met + generator.normal(0, 1, len(YEARS)))
    table = rows("KAZ", "net_migration", net.round()).assign(source="s")
    return rows("KAZ", "wdi_gdp_growth", growth), Panel.from_frame(table)


def test_forms_of_drivers() -> None:
    generator = np.random.default_rng(1)
    mine, theirs = np.exp(generator.normal(8, 0.2, (2, len(YEARS))))
    table = check(
        pd.concat(
            [
                rows("KAZ", "income", mine), rows("RUS", "income", theirs),
                rows("KZ-71", "wage", mine), rows("KZ-75", "wage", theirs),
            ]
        )
    )  # fmt: skip
    wanted = [
        {"name": "ratio", "measure": "income", "form": "ratio", "to": "RUS"},
        {"name": "change", "measure": "income", "form": "change"},
        {"name": "there", "measure": "income", "form": "level", "place": "RUS"},
        {"name": "relative", "measure": "wage", "form": "relative"},
    ]
    national = drivers(table, "KAZ", 2020, wanted, 10)
    assert national is not None
    assert national.names == ("ratio", "change", "there")
    seen = YEARS <= 2020
    ratio = np.log(mine / theirs)[seen]
    np.testing.assert_allclose(
        national.values[:, 0], (ratio - ratio.mean()) / ratio.std(ddof=1), atol=1e-9
    )
    change = np.diff(np.log(mine[seen]))
    np.testing.assert_allclose(
        national.values[1:, 1], (change - change.mean()) / change.std(ddof=1), atol=1e-9
    )
    # A series of 2000 meets the driver of 1999; before the first figure it stands still.
    np.testing.assert_allclose(national.lagged(np.array([2000])), national.values[[9]])
    np.testing.assert_allclose(national.lagged(np.array([1950]))[0, 1], national.values[1, 1])
    regional = drivers(table, "KZ-71", 2020, wanted[3:], 10)
    assert regional is not None
    shares = np.log(mine / (0.5 * (mine + theirs)))[seen]
    np.testing.assert_allclose(
        regional.values[:, 0], (shares - shares.mean()) / shares.std(ddof=1), atol=1e-9
    )
    assert drivers(table, "UZB", 2020, wanted[:2], 10) is None
    with pytest.raises(UnknownNameError, match="form of the driver"):
        drivers(table, "KAZ", 2020, [{"name": "x", "measure": "income", "form": "log"}], 10)


def test_futures_are_joint_and_start_from_what_is_known() -> None:
    generator = np.random.default_rng(3)
    common = generator.normal(size=len(YEARS))
    first = common + 0.3 * generator.normal(size=len(YEARS))
    second = common + 0.3 * generator.normal(size=len(YEARS))
    table = check(pd.concat([rows("KAZ", "a", first), rows("KAZ", "b", second)]))
    wanted = [{"name": name, "measure": name, "form": "level"} for name in ("a", "b")]
    found = drivers(table, "KAZ", 2024, wanted, 10)
    assert found is not None
    drawn = futures(found, 4, 4000, np.random.default_rng(1))
    assert drawn.shape == (4000, 4, 2)
    np.testing.assert_allclose(drawn[:, 0], np.tile(found.values[-1], (4000, 1)))
    assert np.corrcoef(drawn[:, 2].T)[0, 1] > 0.5
    assert (drawn[:, 3].std(axis=0) > 0.5).all()
    # The newest figure of one is not out: its value at the origin is drawn too.
    late = check(pd.concat([rows("KAZ", "a", first), rows("KAZ", "b", second[:-1], YEARS[:-1])]))
    partly = drivers(late, "KAZ", 2024, wanted, 10)
    assert partly is not None
    spread = futures(partly, 2, 2000, np.random.default_rng(1))[:, 0].std(axis=0)
    assert spread[0] < 1e-9 < spread[1]


def test_without_spread_the_filter_is_the_plain_one() -> None:
    covariates, panel = world(0.5)
    prepared = prepare(panel.series[0])
    found = drivers(check(covariates), "KAZ", 2024, [
        {"name": "growth", "measure": "wdi_gdp_growth", "form": "level"}
    ], 10)  # fmt: skip
    assert found is not None
    nodes, years = local_level(), prepared.series.years
    discounts = (0.9, 1.0)
    plain = condition(nodes, prepared.values, prepared.breaks, 0.1, discounts)
    driven = condition_on_drivers(
        nodes, prepared.values, years, prepared.breaks, found, [0.0], 0.1, discounts
    )
    np.testing.assert_allclose(driven.weights, plain.weights, rtol=1e-6)
    np.testing.assert_allclose(driven.state[:, :1], plain.state, rtol=1e-6)
    np.testing.assert_allclose(driven.sum_squares, plain.sum_squares, rtol=1e-6)


def test_a_known_effect_is_found_and_used() -> None:
    covariates, panel = world(1.0)
    model = Regression(covariates)
    fitted = model.fit(panel, 1)
    _, posterior = fitted.fits[panel.series[0].key]
    assert isinstance(posterior, Driven)
    # Two percentage points are one standard deviation, and move 2,000 persons.
    assert posterior.effects()[0] == pytest.approx(2000, rel=0.35)
    assert "drivers growth: skill +" in fitted.notes["reason"].iloc[0]
    outlook, plain = (
        one.forecast([2025, 2026], 2000).paths.std("draw").to_numpy()[0]
        for one in (fitted, find_model("structural").fit(panel, 1))
    )
    assert outlook[0] < 0.75 * plain[0]
    # From the second year on the driver is uncertain itself.
    assert outlook[1] > 1.2 * outlook[0]


def test_without_effect_the_plain_model_answers_bit_for_bit() -> None:
    covariates, panel = world(0.0)
    closed = Regression(covariates).fit(panel, 1)
    assert closed.notes["reason"].iloc[0].startswith("drivers left out: skill")
    plain = fc.forecast(panel, model="structural", horizons=(2025, 2027), draws=200)
    same = closed.forecast([2025, 2027], 200)
    np.testing.assert_array_equal(same.paths.to_numpy(), plain.paths.to_numpy())
    elsewhere = Regression(covariates.assign(location="UZB")).fit(panel, 1)
    assert elsewhere.notes["reason"].iloc[0] == "no driver has figures for this place"


def test_nothing_after_the_origin_is_seen() -> None:
    """Neither the series nor the covariates after the origin move one bit, gate included."""
    covariates, panel = world(1.0)
    table, past = covariates.copy(), panel.until(2018)
    table.loc[table["year"] > 2018, "value"] = 1e6
    one, two = (
        Regression(frame).fit(past, 3).forecast([2019, 2021], 200) for frame in (covariates, table)
    )
    np.testing.assert_array_equal(one.paths.to_numpy(), two.paths.to_numpy())
    assert one.notes["reason"].iloc[0] == two.notes["reason"].iloc[0]
    assert "drivers growth" in one.notes["reason"].iloc[0]


def test_it_works_by_its_name_on_the_bundled_data() -> None:
    panel = fc.load("central-asia").select(location="KAZ", measure="immigration")
    outlook = fc.forecast(panel, model="regression", draws=200)
    assert outlook.model == "regression"
    assert float(outlook.paths.min()) >= 0
    assert outlook.notes["reason"].iloc[0].startswith("drivers")
    assert "regression" in set(fc.models()["model"])


def test_short_series_and_periods_are_left_to_the_plain_model() -> None:
    covariates, panel = world(1.0)
    short = Regression(covariates).fit(panel.since(2012), 1)
    assert "too few earlier origins" in short.notes["reason"].iloc[0]


@pytest.mark.parametrize(
    ("table", "part"),
    [
        (pd.DataFrame({"location": ["KAZ"]}), "no column 'measure'"),
        (rows("KAZ", "x", np.array(["a"]), np.array([2000])), "is 'a'; give a number"),
        (pd.concat([rows("KAZ", "x", np.ones(1), np.array([2000]))] * 2), "stands twice"),
    ],
)
def test_bad_covariates_are_refused(table: pd.DataFrame, part: str) -> None:
    with pytest.raises(DataError, match=part):
        Regression(table)


def test_the_gate_s_scores_in_closed_form() -> None:
    draws = np.linspace(-1, 1, 2001)[:, None]
    # CRPS of a uniform distribution on [-1, 1] at its middle: 1/2 − 1/3.
    assert crps_of(draws, np.zeros(1))[0] == pytest.approx(1 / 2 - 1 / 3, abs=1e-3)
    better = judged(np.column_stack([np.ones(12) - 0.01 * np.arange(12), np.full(12, 2.0)]), 3)
    assert better.skill > 0.4
    assert better.p_value < 0.01
    assert judged(np.ones((12, 2)), 3).p_value == 1.0
    assert np.isnan(judged(np.ones((4, 2)), 3).skill)
