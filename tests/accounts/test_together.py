"""Months and years as one answer: the identity in every draw, near years from months."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast.errors import DataError


def months(size: int = 150) -> fc.Panel:
    texts = [str(one) for one in pd.period_range("2010-01", periods=size, freq="M")]
    generator = np.random.default_rng(8)
    tables = []
    for measure in ("immigration", "net_migration"):
        level = 6 + np.cumsum(generator.normal(0, 0.03, size))
        value = np.exp(level + generator.normal(0, 0.1, size)).round()
        value = value - 300 if measure == "net_migration" else value
        tables.append(
            pd.DataFrame({"location": "KAZ", "measure": measure, "period": texts, "value": value})
        )
    return fc.Panel.from_frame(pd.concat(tables))


@pytest.fixture(scope="module")
def pair() -> tuple[fc.Forecast, fc.Forecast]:
    """Months to the middle of 2022 are in; months to 2024, years to 2030."""
    panel = months()
    short = fc.forecast(panel, "seasonal-naive", ("2024-12",), draws=300)
    long = fc.forecast(panel.by("year"), "persistence", (2022, 2030), draws=300)
    return short, long


def test_months_add_up_to_the_year_in_every_draw(pair: tuple[fc.Forecast, fc.Forecast]) -> None:
    short, long = fc.together(*pair)
    total = short.by("year")
    for key in short.keys:
        summed = total.paths.isel(series=total.keys.index(key))
        yearly = long.paths.isel(series=long.keys.index(key)).sel(year=summed["year"])
        np.testing.assert_allclose(summed.to_numpy(), yearly.to_numpy(), rtol=1e-9)
    assert long.paths["year"].to_numpy()[-1] == 2030
    assert np.isfinite(long.paths.to_numpy()).all()
    counts = short.paths.isel(series=[key[2] == "immigration" for key in short.keys])
    assert (counts.to_numpy() >= 0).all()


def test_the_near_year_follows_the_months_and_the_far_one_the_years(
    pair: tuple[fc.Forecast, fc.Forecast],
) -> None:
    short, long = pair
    _, made = fc.together(short, long)
    summed = short.by("year")
    key = ("user", "KAZ", "immigration")

    def spread(outlook: fc.Forecast, year: int) -> float:
        drawn = outlook.paths.isel(series=outlook.keys.index(key)).sel(year=year)
        return float(np.diff(np.quantile(drawn, [0.1, 0.9]))[0])

    # Half of 2022 is in, which the years do not know.
    assert abs(spread(made, 2022) / spread(summed, 2022) - 1) < 0.25
    assert spread(made, 2022) < 0.8 * spread(long, 2022)
    # Years beyond the months are the years' own, in another order.
    for year in (2026, 2030):
        own, other = (
            np.sort(one.paths.isel(series=one.keys.index(key)).sel(year=year).to_numpy())
            for one in (made, long)
        )
        np.testing.assert_array_equal(own, other)
    # A world that is high in its months is high in later years.
    both = made.paths.isel(series=made.keys.index(key))
    assert np.corrcoef(both.sel(year=2024), both.sel(year=2026))[0, 1] > 0.5


def test_what_does_not_meet_is_refused(pair: tuple[fc.Forecast, fc.Forecast]) -> None:
    short, long = pair
    with pytest.raises(DataError, match="300 draws by month and 200 by year"):
        fc.together(short, fc.forecast(long.history, "naive", (2030,), draws=200))
    other = fc.forecast(fc.load("central-asia").select(location="KGZ"), "naive", draws=300)
    with pytest.raises(DataError, match="no series has a year that both forecasts reach"):
        fc.together(short, other)
    with pytest.raises(DataError, match="cannot be added up to figures by month"):
        fc.together(long, short)
