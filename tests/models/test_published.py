"""Published quantiles as a model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.contract import Model
from forecast.errors import DataError
from forecast.models.published import Published
from forecast.panel import Panel

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)


def table(values: dict[float, float], released: str = "2024-07-11") -> pd.DataFrame:
    rows = [
        {
            "released": released,
            "source": "un",
            "location": "KAZ",
            "measure": "net_migration",
            "year": year,
            "quantile": level,
            "value": value,
        }
        for year in (2025, 2027)
        for level, value in values.items()
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def known(panel: Panel) -> Panel:
    return Panel.from_frame(panel.select(source="un").to_frame().assign(as_of="2024-07-11"))


def test_draws_follow_the_published_quantiles(known: Panel) -> None:
    stated = {0.025: -9000.0, 0.1: -3000.0, 0.5: 1000.0, 0.9: 4000.0, 0.975: 8000.0}
    model = Published("un-wpp", table(stated))
    assert isinstance(model, Model)
    outlook = model.fit(known, seed=1).forecast((2025, 2027), 5000)
    drawn = outlook.sample(location="KAZ", measure="net_migration", year=2027)
    np.testing.assert_allclose(np.quantile(drawn, LEVELS), list(stated.values()), atol=60)
    notes = outlook.notes.set_index("location")
    assert notes.loc["KGZ", "reason"] == "no forecast of this series was published."
    again = model.fit(known, seed=1).forecast((2025, 2027), 5000)
    np.testing.assert_array_equal(again.paths.to_numpy(), outlook.paths.to_numpy())


def test_a_median_alone_is_a_point_forecast(known: Panel) -> None:
    outlook = Published("un-wpp", table({0.5: 700.0})).fit(known, 1).forecast((2025,), 100)
    assert set(outlook.sample(location="KAZ", measure="net_migration", year=2025)) == {700.0}


def test_years_between_are_not_invented(known: Panel) -> None:
    outlook = Published("un-wpp", table({0.5: 700.0})).fit(known, 1).forecast((2026, 2027), 100)
    assert np.isnan(outlook.paths.sel(year=2026).to_numpy()).all()


def test_only_the_forecast_of_the_day_is_used(known: Panel) -> None:
    with pytest.raises(DataError, match="published no forecast on 2024-07-11; it did on 2019"):
        Published("un-wpp", table({0.5: 1.0}, released="2019-06-17")).fit(known, 1)
    with pytest.raises(DataError, match="missing column 'released'"):
        Published("un-wpp", table({0.5: 1.0}).drop(columns="released"))
    with pytest.raises(DataError, match="covers no series"):
        Published("un-wpp", table({0.5: 1.0})).fit(known, 1).forecast((2030,), 100)
