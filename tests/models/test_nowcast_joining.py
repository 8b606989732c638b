"""A nowcast in a yearly forecast: one answer for the year, and for the years after it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast.accounts import check, reconcile
from forecast.errors import DataError
from forecast.models.nowcast.joining import _moved, joined
from forecast.panel import Panel


def months(measure: str = "immigration", last: str = "2024-09", up: float = 1.0) -> pd.DataFrame:
    generator = np.random.default_rng(len(measure))
    periods = [str(one) for one in pd.period_range("2012-01", last, freq="M")]
    level = np.repeat(np.exp(np.cumsum(generator.normal(0, 0.1, 13))), 12)[: len(periods)]
    values = generator.poisson(3000 * level) * np.where(np.array(periods) >= "2024", up, 1.0)
    return pd.DataFrame(
        {"location": "KAZ", "measure": measure, "period": periods, "value": values.round()}
    )


def yearly(table: pd.DataFrame) -> Panel:
    whole = table[table["period"] < "2024"].assign(year=lambda rows: rows["period"].str[:4])
    sums = whole.groupby(["location", "measure", "year"])["value"].sum().reset_index()
    return Panel.from_frame(sums.assign(year=sums["year"].astype(int)))


def test_the_year_is_the_nowcast_in_every_draw_and_later_years_move_along() -> None:
    table = months(up=1.3)
    found = fc.nowcast(Panel.from_frame(table), draws=400)
    plain = fc.forecast(yearly(table), "naive", (2024, 2026), draws=400)
    made = fc.forecast(yearly(table), "naive", (2024, 2026), draws=400, nowcast=found)
    assert np.array_equal(made.paths.sel(year=2024).values, found.paths.sel(year=2024).values)
    before, after = (each.intervals().set_index("year") for each in (plain, made))
    assert after.loc[2026, "median"] > 1.2 * before.loc[2026, "median"]
    widths = [np.log(each["upper"] / each["lower"]) for each in (before, after)]
    assert widths[1][2026] < 0.9 * widths[0][2026]
    assert made.paths.attrs["nowcast"] == 2024


def test_of_a_random_walk_it_is_the_forecast_from_the_nowcast() -> None:
    generator = np.random.default_rng(1)
    steps = generator.normal(0, 100, (20_000, 3))
    told = generator.normal(250, 10, 20_000)
    made = _moved(1000 + np.cumsum(steps, axis=1), 0, told, signed=True)
    assert np.array_equal(made[:, 0], told)
    assert made[:, 2].mean() == pytest.approx(250, abs=15)
    assert made[:, 2].std() == pytest.approx(np.hypot(10, np.sqrt(2) * 100), rel=0.03)


def test_what_does_not_go_together_stays() -> None:
    drawn = np.random.default_rng(2).normal(0, 1, (20_000, 2))
    made = _moved(drawn, 0, np.full(20_000, 3.0), signed=True)
    assert made[:, 1].mean() == pytest.approx(0.0, abs=0.1)
    assert made[:, 1].std() == pytest.approx(1.0, rel=0.02)


def test_accounts_hold_again_and_nets_follow_from_the_flows() -> None:
    came, left = months("immigration"), months("emigration")
    net = came.assign(measure="net_migration", value=came["value"] - left["value"])
    flows = pd.concat([came, left], ignore_index=True)
    found = fc.nowcast(Panel.from_frame(flows), draws=200)
    coherent = reconcile(
        fc.forecast(yearly(pd.concat([flows, net])), "naive", (2024, 2026), draws=200)
    )
    made = joined(coherent, found)
    assert check(made)["holds"].all()
    now = dict(zip(found.keys, found.paths.sel(year=2024).transpose("series", "draw").values))
    for key, drawn in now.items():
        assert (
            np.abs(made.paths.sel(year=2024).values[:, made.keys.index(key)] - drawn).max() < 1e-6
        )


def test_a_year_that_is_over_but_not_in_the_yearly_figures_is_its_months() -> None:
    table = months()
    found = fc.nowcast(Panel.from_frame(table), draws=200)
    made = fc.forecast(yearly(table).until(2022), "naive", (2025,), draws=200, nowcast=found)
    known = table[table["period"].str[:4] == "2023"]["value"].sum()
    assert (made.paths.sel(year=2023) == known).all()
    assert np.array_equal(made.paths.sel(year=2024).values, found.paths.sel(year=2024).values)


def test_one_that_does_not_fit_is_refused() -> None:
    table = months()
    found = fc.nowcast(Panel.from_frame(table), draws=200)
    panel = yearly(table)
    with pytest.raises(DataError, match="nowcast= is no nowcast"):
        fc.forecast(panel, "naive", draws=200, nowcast=fc.forecast(panel, "naive", draws=200))
    other = yearly(months("emigration"))
    with pytest.raises(DataError, match="has none of the series that are forecast"):
        fc.forecast(other, "naive", draws=200, nowcast=found)
    whole = pd.concat([panel.to_frame(), panel.to_frame().tail(1).assign(year=2024)])
    with pytest.raises(DataError, match="the forecast has no 2024"):
        fc.forecast(Panel.from_frame(whole), "naive", (2026,), draws=200, nowcast=found)
