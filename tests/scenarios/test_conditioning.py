"""Conditional forecasts: certain, impossible, too thin; closed forms; the tower property."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import forecast as fc
from forecast.accounts.audit import check
from forecast.errors import DataError, UnknownNameError
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.reports.explorer import explore
from forecast.scenarios.conditioning import condition, systematic
from forecast.scenarios.conditions import Condition, conditions

NET = {"location": "TJK", "measure": "net_migration", "source": "un", "year": 2027}


def drawn(outlook: Forecast, **where: Any) -> np.ndarray:
    return outlook.sample(**{**NET, **where})


def correlated(n_draws: int = 20_000, rho: float = 0.6) -> Forecast:
    """Two standard normal series, in thousands, that go together."""
    import dataclasses

    from forecast.models.run import forecast

    table = {
        "location": ["TJK", "KGZ"] * 12,
        "measure": "net_migration",
        "year": [2010 + i // 2 for i in range(24)],
        "value": [float(i * 37 % 11) for i in range(24)],
    }
    import pandas as pd

    base = forecast(fc.Panel.from_frame(pd.DataFrame(table)), "naive", (2023,), draws=n_draws)
    generator = np.random.default_rng(8)
    x, e = generator.normal(size=(2, *base.paths.shape[::2]))
    values = np.stack([rho * x + np.sqrt(1 - rho**2) * e, x], axis=1) * 1000
    return dataclasses.replace(base, paths=base.paths.copy(data=values))


@pytest.fixture(scope="module")
def pair() -> Forecast:
    return correlated()


def x_and_y(outlook: Forecast) -> tuple[np.ndarray, np.ndarray]:
    return (
        outlook.sample(location="TJK", measure="net_migration", year=2023),
        outlook.sample(location="KGZ", measure="net_migration", year=2023),
    )


@pytest.mark.parametrize(
    "fact",
    [
        "TJK net_migration un 2027 >= -99999999",
        "TJK net_migration un 2020 >= 1000",  # observed: 1,000
        "TJK net_migration un 2020 = 1000 within 1",
        "TJK net_migration un 2020 ~ 900 sd 50",
    ],
)
def test_a_certain_fact_changes_nothing(coherent: Forecast, fact: str) -> None:
    made = condition(coherent, fact)
    assert made.forecast is coherent
    assert made.effective == pytest.approx(coherent.paths.sizes["draw"])
    assert made.chance == 1


@pytest.mark.parametrize(
    "fact",
    [
        "TJK net_migration un 2027 >= 99999999",
        "TJK net_migration un 2020 <= 999",
        "TJK immigration 2027 <= -1",
    ],
)
def test_an_impossible_one_is_refused(coherent: Forecast, fact: str) -> None:
    with pytest.raises(DataError, match=r"no draw of 1,500 meets the condition .* impossible"):
        condition(coherent, fact)


def test_too_few_draws_are_refused_with_the_number_that_would_do(coherent: Forecast) -> None:
    edge = float(np.sort(drawn(coherent))[-21])
    fact = {**NET, "at_least": edge + 1e-6}
    with pytest.raises(DataError, match="leaves 20 draws in effect of 1,500; at least 100") as said:
        condition(coherent, fact)
    assert "Ask for about 8,000 draws" in str(said.value)
    made = condition(coherent, fact, minimum=15)
    assert made.effective == pytest.approx(20)
    with pytest.raises(DataError, match="draws in effect"):
        condition(coherent, {**NET, "near": edge, "sd": 1.0})


def test_bounds_keep_whole_worlds(coherent: Forecast) -> None:
    made = condition(coherent, {**NET, "at_least": 0})
    kept = np.flatnonzero(drawn(coherent) >= 0)
    assert made.forecast.paths["world"].to_numpy().tolist() == kept.tolist()
    assert made.forecast.paths.sizes["draw"] == round(made.effective) == len(kept)
    assert made.chance == pytest.approx(len(kept) / 1500)
    assert (made.forecast.paths.to_numpy() == coherent.paths.to_numpy()[kept]).all()
    holds = check(coherent).set_index("identity")["holds"]
    assert check(made.forecast).set_index("identity")["holds"][holds].all()
    assert made.table["given"][0] > made.table["baseline"][0]
    # Of other series too: with a higher net go more arrivals.
    arrivals = {"source": "register", "measure": "immigration"}
    assert drawn(made.forecast, **arrivals).mean() > drawn(coherent, **arrivals).mean() + 200


def test_conditions_hold_together(coherent: Forecast) -> None:
    both = condition(
        coherent, ["TJK net_migration register 2026 >= -3000", "TJK emigration 2027 <= 9000"]
    )
    assert drawn(both.forecast, source="register", year=2026).min() >= -3000
    assert drawn(both.forecast, source=None, measure="emigration").max() <= 9000
    again = condition(
        condition(coherent, "TJK net_migration register 2026 >= -3000").forecast,
        "TJK emigration 2027 <= 9000",
    )
    assert again.forecast.paths["world"].equals(both.forecast.paths["world"])
    assert again.forecast.paths.attrs["condition"] == both.forecast.paths.attrs["condition"]


def test_the_tower_property(pair: Forecast) -> None:
    _, y = x_and_y(pair)
    for edge in (-1500, -400, 0, 700):
        parts = [
            condition(
                pair, {"location": "TJK", "measure": "net_migration", "year": 2023, side: edge}
            )
            for side in ("at_least", "at_most")
        ]
        assert sum(part.chance for part in parts) == pytest.approx(1)
        total = sum(part.chance * x_and_y(part.forecast)[1].mean() for part in parts)
        assert total == pytest.approx(y.mean(), abs=1e-6)
        square = sum(part.chance * (x_and_y(part.forecast)[1] ** 2).mean() for part in parts)
        assert square == pytest.approx((y**2).mean())


def test_bounds_agree_with_the_truncated_normal(pair: Forecast) -> None:
    made = condition(pair, "TJK net_migration 2023 >= 1000")
    x, y = x_and_y(made.forecast)
    # Mean of a standard normal above 1: density over tail.
    above = 0.24197 / 0.158655
    assert x.mean() / 1000 == pytest.approx(above, abs=0.03)
    assert y.mean() / 1000 == pytest.approx(0.6 * above, abs=0.05)


def test_near_agrees_with_the_normal_posterior(pair: Forecast) -> None:
    made = condition(pair, "TJK net_migration 2023 ~ 1500 sd 500")
    x, y = x_and_y(made.forecast)
    weight = 1 / (1 + 0.25)
    assert x.mean() / 1000 == pytest.approx(1.5 * weight, abs=0.03)
    assert x.var() / 1e6 == pytest.approx(1 - weight, abs=0.02)
    assert y.mean() / 1000 == pytest.approx(0.6 * 1.5 * weight, abs=0.04)
    assert made.effective < 20_000
    assert made.shape < 0.7
    assert made.chance == 1
    assert made.forecast.paths.sizes["draw"] == 20_000
    weighted = (made.weights * x_and_y(pair)[1]).sum()
    assert weighted == pytest.approx(y.mean(), abs=5)


def test_weights_that_few_draws_carry_are_refused(pair: Forecast) -> None:
    with pytest.raises(DataError, match="Pareto shape"):
        condition(pair, "TJK net_migration 2023 ~ 6000 sd 600", minimum=1)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=40), st.integers(0, 100))
def test_systematic_resampling_is_as_even_as_can_be(weights: list[float], seed: int) -> None:
    share = np.array(weights) / sum(weights)
    times = np.bincount(systematic(share, seed), minlength=len(share))
    assert times.sum() == len(share)
    assert (np.abs(times - len(share) * share) < 1 + 1e-9).all()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_equal_weights_keep_every_draw(size: int) -> None:
    assert systematic(np.full(size, 1 / size), 3).tolist() == list(range(size))


@pytest.mark.parametrize(
    ("given_", "read"),
    [
        ("KAZ net_migration 2027 >= 0", Condition("KAZ", "net_migration", 2027, lower=0.0)),
        (
            "KAZ net_migration kz-bns 2027 <= -1,500",
            Condition("KAZ", "net_migration", 2027, upper=-1500.0, source="kz-bns"),
        ),
        (
            "KZ-75 net_all_flows 2030 = 40_000 within 2000",
            Condition("KZ-75", "net_all_flows", 2030, lower=38_000.0, upper=42_000.0),
        ),
        (
            {
                "location": "kaz",
                "measure": "immigration",
                "year": 2026,
                "at_least": 1,
                "at_most": 2,
            },
            Condition("KAZ", "immigration", 2026, lower=1.0, upper=2.0),
        ),
    ],
)
def test_conditions_are_read(given_: str | Mapping[str, Any], read: Condition) -> None:
    assert conditions(given_) == [read]


def test_paths_and_several_years() -> None:
    path = conditions(
        {"location": "KAZ", "measure": "immigration", "path": {2026: 1, 2027: 2}, "sd": 3}
    )
    assert [(one.year, one.near, one.sd) for one in path] == [(2026, 1, 3), (2027, 2, 3)]
    kept = conditions(
        {"location": "KAZ", "measure": "immigration", "year": [2026, 2027], "at_most": 9}
    )
    assert [str(one) for one in kept] == [
        "KAZ immigration 2026 <= 9", "KAZ immigration 2027 <= 9",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ("KAZ is fine", "is not understood. Write LOCATION MEASURE"),
        ([], "no condition is given"),
        ([3], "a condition is 3; give a text or a mapping"),
        ("KAZ net_migration 2027 = 5", "asks for one exact value"),
        ("KAZ net_migration 2027 = 5 sd 2", "asks for one exact value"),
        ("KAZ net_migration 2027 ~ 5", "needs at_least"),
        ("XYZ net_migration 2027 >= 5", "unknown location 'XYZ'"),
        ({"location": "KAZ", "measure": "immigration", "year": 2027}, "needs at_least"),
        ({"location": "KAZ", "year": 2027, "at_least": 0}, "names no measure"),
        ({"location": "KAZ", "measure": "immigration", "yaer": 1}, "Did you mean: year"),
        ({**NET, "at_least": "0"}, "at_least is '0'; give a number"),
        ({**NET, "at_least": float("nan")}, "at_least is nan"),
        ({**NET, "at_least": 2, "at_most": 1}, "at least 2 and at most 1"),
        ({**NET, "near": 0, "sd": 0}, "above 0"),
        ({**NET, "year": "2027", "at_least": 0}, "year is '2027'"),
        ({**NET, "path": {2027: 1}, "sd": 1}, "a path is a mapping of years to values, without"),
    ],
)
def test_bad_conditions_are_named(given_: Any, message: str) -> None:
    with pytest.raises((DataError, UnknownNameError), match=message):
        conditions(given_)


def test_a_condition_on_a_month(tmp_path: Path) -> None:
    rows = [
        ("KAZ", "immigration", f"{year}-{month:02d}", 500.0 + 40 * month + 7 * (year % 5))
        for year in range(2021, 2025)
        for month in range(1, 13)
    ]
    columns = ["location", "measure", "period", "value"]
    outlook = fc.forecast(
        Panel.from_frame(pd.DataFrame(rows, columns=columns)), "seasonal-naive", draws=400
    )
    middle = float(np.median(outlook.sample(location="KAZ", measure="immigration", year="2025-03")))
    given_ = condition(outlook, f"KAZ immigration 2025-03 >= {middle:.0f}", minimum=50)
    (stated,) = given_.conditions
    assert str(stated) == f"KAZ immigration 2025-03 >= {middle:,.0f}"
    compared = given_.comparison(years=["2025-03"]).iloc[0]
    assert compared["period"] == "2025-03"
    assert compared["given"] > compared["baseline"]
    drawn = given_.forecast.sample(location="KAZ", measure="immigration", year="2025-03")
    assert drawn.min() >= round(middle)
    same_month = {"location": "KAZ", "measure": "immigration", "year": "2025M3", "at_least": middle}
    assert conditions(same_month)[0].year == stated.year
    page = explore(outlook, folder=tmp_path, name="months", conditions=[given_], draws=100)
    assert f"2025-03 ≥ {middle:,.0f}" in page.read_text("utf-8")
    for wrong, found in (("2025", "a year"), ("2025-Q1", "a quarter")):
        with pytest.raises(
            DataError, match=rf"names {found}, and this .* by month\. Write it as 2"
        ):
            condition(outlook, f"KAZ immigration {wrong} >= 0")
    with pytest.raises(DataError, match="year is '2025-13'; give a calendar year, or a period"):
        conditions("KAZ immigration 2025-13 >= 0")


def test_series_and_years_that_are_not_there(coherent: Forecast) -> None:
    with pytest.raises(UnknownNameError, match="unknown forecast year 2050"):
        condition(coherent, "TJK net_migration un 2050 >= 0")
    with pytest.raises(UnknownNameError, match="unknown location in this forecast"):
        condition(coherent, "KAZ net_migration 2027 >= 0")
    with pytest.raises(DataError, match="a year without a figure"):
        condition(coherent, "TJK net_migration un 1990 >= 0")


def test_a_conditional_forecast_is_no_forecast_and_is_saved(
    coherent: Forecast, tmp_path: Path
) -> None:
    made = fc.condition(coherent, {**NET, "at_least": 0})
    with pytest.raises(DataError, match="hold the condition 'TJK net_migration un 2027 >= 0'"):
        made.forecast.to_hub(tmp_path / "hub")
    back = fc.open(made.forecast.save(tmp_path / "saved"))
    assert back.paths.equals(made.forecast.paths)
    assert back.paths["world"].equals(made.forecast.paths["world"])
    table = made.comparison(years=[2027])
    assert {"baseline", "given", "given_lower"} <= set(table.columns)
    assert "draws in effect" in repr(made)
