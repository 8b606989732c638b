"""Borrowed regions and population paths on the bundled figures."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import forecast as fc
from forecast import accounts, locations
from forecast.accounts.population import natural_increase, with_population
from forecast.data import package
from forecast.errors import DataError
from forecast.models.regional.borrowed import with_borrowed_regions
from forecast.outlook import Forecast

BALANCES = ("kz-bns-balance", "kg-nsc-balance", "uz-stat-balance")


@cache
def forecast(model: str, *sources: str) -> Forecast:
    panel = fc.load("central-asia").select(source=list(sources))
    return fc.forecast(panel, model=model, draws=600)


@pytest.fixture(params=[(), pytest.param(("un-wpp",), marks=pytest.mark.thorough)])
def outlook(request: pytest.FixtureRequest) -> Forecast:
    """Regions by themselves, and beside series that the default model forecasts."""
    return forecast("coherent", *BALANCES, *request.param)


@pytest.fixture(params=["naive", pytest.param("coherent", marks=pytest.mark.thorough)])
def projected(request: pytest.FixtureRequest) -> Forecast:
    return forecast(request.param, *BALANCES, "un-wpp")


def test_kyrgyz_regions_are_borrowed_and_say_so(outlook: Forecast) -> None:
    made = with_borrowed_regions(outlook, "KGZ")
    ours = made.series.query("source == 'kg-nsc-balance' and location != 'KGZ'")
    assert sorted(ours["location"]) == locations.regions("KGZ")
    held = accounts.check(made).set_index("identity")["holds"]
    assert held["net_all_flows of 9 regions = KGZ (kg-nsc-balance)"]
    notes = made.notes.set_index(["source", "location"]).loc["kg-nsc-balance"]
    for region in set(ours["location"]) - {"KG-GB"}:
        assert notes.loc[region, "observations"] == 0
        assert "not what is known of this one" in notes.loc[region, "reason"]
    people = package.load("population")
    wide = made.intervals(0.8, [2027]).set_index(["source", "location"]).loc["kg-nsc-balance"]
    for region in ("KG-B", "KG-O", "KG-J"):
        (series,) = people.select(source="kg-nsc", location=region)
        # A region with figures is known several times better for its size.
        per_1000 = 1000 * (wide.loc[region, "upper"] - wide.loc[region, "lower"])
        assert per_1000 / series.values[-1] > 8
    for key in accounts.audit.keys_of(outlook):
        source, place, measure = key
        before = outlook.sample(location=place, measure=measure, source=source, year=2027)
        after = made.sample(location=place, measure=measure, source=source, year=2027)
        np.testing.assert_array_equal(before, after)


def test_census_figures_are_stocks_and_enter_nothing() -> None:
    facts = package.facts().set_index("fact")
    for fact, value in (("P02", 625_918), ("P05", 132_556), ("P06", 176_828)):
        assert int(facts.loc[fact, "value"]) == value
        assert "A stock at the census, not a yearly flow." in facts.loc[fact, "remark"]
    frame = fc.load("central-asia").to_frame()
    assert not frame["value"].isin([625_918, 132_556, 176_828]).any()


def test_nothing_to_borrow_for(outlook: Forecast) -> None:
    with pytest.raises(DataError, match="TJK has no net of all flows"):
        with_borrowed_regions(outlook, "TJK")


def test_population_adds_up_in_every_draw(projected: Forecast) -> None:
    made = with_population(projected, "KGZ", "un-wpp")
    increase, people, release = natural_increase("KGZ", "2025-06-01")
    assert release == "2024-07-11"
    net = {
        year: projected.sample(location="KGZ", measure="net_migration", source="un-wpp", year=year)
        for year in (2025, 2026)
    }
    path = {
        year: made.sample(location="KGZ", measure="population", source="un-wpp", year=year)
        for year in (2025, 2026)
    }
    gained = path[2026] - path[2025]
    np.testing.assert_allclose(gained, increase[2026] + (net[2025] + net[2026]) / 2)
    # With the UN's own migration the UN's own population comes back.
    table = package.projections()
    rows = table[(table["location"] == "KGZ") & (table["as_of"] == release)].set_index("year")
    again = people[2024] + increase[2025] + (rows["value"][2024] + rows["value"][2025]) / 2
    assert again == pytest.approx(people[2025])
    assert "UN's medium variant of 2024-07-11" in made.notes["reason"].iloc[-1]


def test_a_projection_that_was_not_out_is_not_used(projected: Forecast) -> None:
    assert natural_increase("KAZ", "2023-01-01")[2] == "2022-07-11"
    with pytest.raises(DataError, match="no projection"):
        natural_increase("KAZ", "2019-01-01")
    with pytest.raises(DataError, match="no net_migration"):
        with_population(projected, "KGZ", "kg-nsc")
