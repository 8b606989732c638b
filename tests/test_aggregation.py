"""Months add up to quarters and years, observed and in every draw; chances of a surge."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast.errors import DataError, UnknownNameError


def monthly(start: str = "2018-01", size: int = 66, measure: str = "immigration") -> pd.DataFrame:
    texts = [str(one) for one in pd.period_range(start, periods=size, freq="M")]
    noise = np.random.default_rng(3).normal(0, 30, size)
    level = 1000 + 200 * np.sin(np.arange(size) * np.pi / 6) + np.arange(size) + noise
    return pd.DataFrame(
        {"location": "KAZ", "measure": measure, "period": texts, "value": level.round()}
    )


@pytest.fixture(scope="module")
def outlook() -> fc.Forecast:
    """Six months of 2023 are in."""
    panel = fc.Panel.from_frame(
        pd.concat([monthly(), monthly(measure="emigration"), monthly(measure="population")])
    )
    return fc.forecast(panel, "naive", ("2025-03",), draws=200)


def of(outlook: fc.Forecast, measure: str) -> np.ndarray:
    """Draws of all months from 2023 on, the observed ones the same in every draw."""
    series = outlook.history.find(("user", "KAZ", measure))
    assert series is not None
    position = outlook.keys.index(series.key)
    drawn = outlook.paths.transpose("draw", "series", "year").to_numpy()[:, position]
    observed = np.broadcast_to(series.values[-6:], (len(drawn), 6))
    return np.concatenate([observed, drawn], axis=1)


@pytest.mark.parametrize(("frequency", "n"), [("quarter", 3), ("half-year", 6), ("year", 12)])
def test_months_add_up_in_every_draw(outlook: fc.Forecast, frequency: str, n: int) -> None:
    made = outlook.by(frequency)
    assert made.frequency == frequency
    for measure in ("immigration", "emigration", "population"):
        months = of(outlook, measure)
        whole = months[:, : months.shape[1] // n * n].reshape(len(months), -1, n)
        want = whole[:, :, -1] if measure == "population" else whole.sum(axis=2)
        drawn = made.paths.transpose("draw", "series", "year").to_numpy()
        got = drawn[:, made.keys.index(("user", "KAZ", measure))]
        # Quarters of the first half of 2023 are observed.
        np.testing.assert_allclose(got, want[:, -got.shape[1] :], rtol=1e-12)
        assert got.shape[1] == {"quarter": 7, "half-year": 3, "year": 2}[frequency]


def test_a_year_that_is_not_over_is_observed_and_forecast_months(outlook: fc.Forecast) -> None:
    made = outlook.by("year")
    assert made.horizons == (2023, 2024)
    assert made.history.frequency == "year"
    assert made.series["origin"].tolist() == [2022, 2022, 2022]
    half = of(outlook, "immigration")[0, :6].sum()
    assert (made.sample(location="KAZ", measure="immigration", year=2023) > half).all()
    # Quarters made of months, and years made of those quarters, are the years made of months.
    again = outlook.by("quarter").by("year").paths
    np.testing.assert_allclose(again.to_numpy(), made.paths.to_numpy(), rtol=1e-12)


def test_figures_add_up_whole_years_only() -> None:
    panel = fc.Panel.from_frame(monthly())
    years = panel.by("year")
    assert years.to_frame()["year"].tolist() == [2018, 2019, 2020, 2021, 2022]
    assert years.to_frame()["value"].iloc[0] == panel.series[0].values[:12].sum()
    with pytest.raises(DataError, match=r"no series has a whole year: 12 months are needed"):
        fc.Panel.from_frame(monthly(size=8)).by("year")


@pytest.mark.parametrize("frequency", ["month", "decade"])
def test_what_is_not_longer_is_refused(outlook: fc.Forecast, frequency: str) -> None:
    with pytest.raises((DataError, UnknownNameError), match=r"year or half-year or quarter|decade"):
        outlook.by(frequency)
    with pytest.raises(DataError, match=r"cannot be added up to figures by year. They are by year"):
        outlook.by("year").by("year")


def test_a_forecast_that_ends_before_the_year_says_how_far_to_go() -> None:
    short = fc.forecast(fc.Panel.from_frame(monthly()), "naive", ("2023-10",), draws=100)
    with pytest.raises(DataError, match=r"ends in 2023-10, before any year .* up to 2023-12"):
        short.by("year")


def test_the_chance_of_a_surge_is_a_share_of_draws(outlook: fc.Forecast) -> None:
    table = outlook.surges()
    assert table["period"].tolist() == ["2025-03"] * 3
    row = table[table["measure"] == "immigration"].iloc[0]
    series = outlook.history.find(("user", "KAZ", "immigration"))
    assert series is not None
    assert row["threshold"] == series.values[-60:].max()
    drawn = of(outlook, "immigration")[:, 6:]
    assert row["probability"] == (drawn[:, -1] > row["threshold"]).mean()
    assert row["by_then"] == (drawn > row["threshold"]).any(axis=1).mean()
    assert row["ahead"] == 21
    assert (outlook.surges(above=0)["probability"] == 1).all()
    with pytest.raises(DataError, match="years is 0"):
        outlook.surges(years=0)
