"""Periods: months, quarters and half-years as numbers, text, panels and forecasts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import forecast as fc
from forecast import periods
from forecast.errors import DataError


def monthly(start: str = "2018-01", size: int = 60) -> pd.DataFrame:
    texts = [str(one) for one in pd.period_range(start, periods=size, freq="M")]
    level = 1000 + 200 * np.sin(np.arange(size) * np.pi / 6) + np.arange(size)
    return pd.DataFrame(
        {"location": "KAZ", "measure": "immigration", "period": texts, "value": level.round()}
    )


@given(st.integers(1800, 2200), st.sampled_from(sorted(periods.PER_YEAR)), st.data())
def test_a_period_survives_being_written_and_read(
    year: int, frequency: str, data: st.DataObject
) -> None:
    part = data.draw(st.integers(1, periods.PER_YEAR[frequency]))
    period = periods.number(year, part, frequency)
    assert periods.parse(periods.label(period, frequency)) == (frequency, period)
    assert (periods.year_of(period, frequency), periods.part_of(period, frequency)) == (year, part)
    assert periods.end(period, frequency) < periods.end(period + 1, frequency)


@pytest.mark.parametrize(("frequency", "code"), [("month", "M"), ("quarter", "Q"), ("year", "Y")])
def test_pandas_periods_are_read(frequency: str, code: str) -> None:
    found = periods.parse(pd.Period("2024-11", freq=code))
    assert found is not None
    assert found[0] == frequency
    assert str(periods.end(found[1], frequency).date()) == str(
        pd.Period("2024-11", freq=code).end_time.date()
    )


def test_a_monthly_panel_is_forecast_by_months() -> None:
    panel = fc.Panel.from_frame(monthly())
    assert (panel.frequency, panel.series[0].season) == ("month", 12)
    assert panel.to_frame()["period"].tolist()[0] == "2018-01"
    assert panel.until("2019-06").to_frame()["period"].iloc[-1] == "2019-06"
    outlook = fc.forecast(panel, "naive", horizons=("2023-03", "2023-06"), draws=200)
    table = outlook.intervals()
    assert table["period"].tolist() == ["2023-03", "2023-06"]
    assert outlook.probability(above=0, location="KAZ", measure="immigration", year="2023-06") == 1


def test_a_monthly_forecast_survives_being_saved(tmp_path: object) -> None:
    outlook = fc.forecast(fc.Panel.from_frame(monthly()), "naive", draws=200)
    again = fc.open(outlook.save(f"{tmp_path}/naive"))
    assert again.paths.equals(outlook.paths)
    assert again.history.hash == outlook.history.hash
    assert (again.frequency, len(again.horizons)) == ("month", 24)


def test_a_panel_by_quarter_is_not_one_by_month() -> None:
    table = monthly().assign(period=lambda table: [*table["period"][:-1], "2023-Q1"])
    with pytest.raises(DataError, match=r"'2023-Q1' is no month. A panel has one frequency"):
        fc.Panel.from_frame(table)
    with pytest.raises(DataError, match=r"'2023-Q1' is no month of a panel by month"):
        fc.forecast(fc.Panel.from_frame(monthly()), "naive", horizons=("2023-Q1",))
    with pytest.raises(DataError, match="'2023-13' is not a period"):
        fc.Panel.from_frame(monthly().assign(period="2023-13"))


def test_a_horizon_that_is_observed_is_named_by_its_month() -> None:
    with pytest.raises(DataError, match=r"horizon 2022-12 is not after the data.*2022-12"):
        fc.forecast(fc.Panel.from_frame(monthly()), "naive", horizons=("2022-12",))
