"""Regions and internal moves: zero sums, shares, borrowing; all accounts in one call."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast import accounts, boundary_changes, locations
from forecast.errors import DataError, TooShortError
from forecast.models.regional.boundaries import on_constant_units, on_todays_regions
from forecast.models.regional.data import groups
from forecast.models.regional.fitting import shares
from forecast.models.regional.internal_moves import cancelled
from forecast.models.regional.model import Internal
from forecast.outlook import Forecast
from forecast.panel import Panel


@pytest.fixture(scope="module")
def kazakhstan() -> Panel:
    return fc.load("kazakhstan")


@pytest.fixture(scope="module")
def everything(kazakhstan: Panel) -> Forecast:
    return fc.forecast(kazakhstan, model="coherent", draws=500)


def test_one_call_gives_all_accounts(everything: Forecast, kazakhstan: Panel) -> None:
    assert len(everything.series) == len(kazakhstan)
    assert (everything.notes["status"] == "forecast").all()
    table = accounts.check(everything)
    assert table["holds"].all()
    assert len(table) == 24
    names = set(table["identity"])
    assert "net of all flows (kz-bns-balance) = net migration (kz-bns)" in names
    assert "internal nets add up to zero (kz-bns-internal)" in names
    # Coherent as drawn: nothing was left to reconcile.
    assert "reconciled" not in everything.paths.attrs
    counts = (
        ~everything.series["measure"]
        .isin(["net_migration", "net_all_flows", "internal_net"])
        .to_numpy()
    )
    assert np.nanmin(everything.paths.to_numpy()[:, counts]) >= 0


@pytest.mark.slow
def test_all_accounts_in_less_than_a_minute(kazakhstan: Panel) -> None:
    """Processor time, so that what else the machine does is not counted."""
    started = time.process_time()
    outlook = fc.forecast(kazakhstan, model="coherent", draws=2000)
    assert accounts.check(outlook)["holds"].all()
    assert time.process_time() - started < 60


def test_draws_of_region_and_country_are_one_world(everything: Forecast) -> None:
    net = everything.sample(location="KAZ", measure="net_migration", year=2027)
    arrivals = everything.sample(location="KAZ", measure="immigration", year=2027)
    city = everything.sample(
        location="KZ-71", measure="net_all_flows", year=2027, source="kz-bns-balance"
    )
    inside = everything.sample(location="KZ-71", measure="internal_net", year=2027)
    assert np.corrcoef(net, arrivals)[0, 1] > 0.5
    assert np.corrcoef(city, inside)[0, 1] > 0.8


@pytest.mark.thorough
def test_all_of_central_asia_in_one_call() -> None:
    outlook = fc.forecast(fc.load("central-asia"), model="coherent", draws=200)
    kept, refused = accounts.trusted(outlook.history, outlook.history.keys)
    assert accounts.check(outlook, kept)["holds"].all()
    assert set(refused["location"]) == {"KAZ", "KGZ", "UZB"}
    assert refused["identity"].str.contains("un-wpp").all()
    assert len(outlook.series) == len(outlook.history)


def test_regions_alone_cancel_and_say_what_they_are(kazakhstan: Panel) -> None:
    fitted = Internal().fit(kazakhstan, 1)
    outlook = fitted.forecast((2026,), 300)
    table = accounts.check(outlook)
    assert table["holds"].all()
    notes = outlook.notes.set_index(["location", "measure"])
    assert notes.loc[("KZ-71", "internal_net"), "reason"].startswith("Borrowed: 3 years")
    assert "model='flows'" in notes.loc[("KAZ", "immigration"), "reason"]
    share = fitted.diagnostics.query("parameter == 'share'")["mean"]
    assert share.sum() == pytest.approx(1.0)


def test_a_region_with_a_year_or_two_borrows_and_is_uncertain() -> None:
    outlook = fc.forecast(fc.load("central-asia"), model="internal", draws=1000)
    notes = outlook.notes.set_index(["source", "location"])
    assert notes.loc[("kg-nsc-balance", "KG-GB"), "reason"].startswith("Borrowed: 1 usable year")
    bishkek = outlook.intervals(0.8, [2027]).query("location == 'KG-GB'").iloc[0]
    # One figure on its level: wider than the last one is large.
    assert bishkek["upper"] - bishkek["lower"] > 10_000


@pytest.mark.thorough
def test_uneven_ends_and_merged_units() -> None:
    table = pd.concat([fc.load("central-asia").to_frame(), fc.load("merged-units").to_frame()])
    table = table[table["source"].isin(["kz-bns", "kz-bns-balance"])]
    late = (table["location"] == "KZ-11") & (table["year"] == 2024)
    panel = Panel.from_frame(table[~late])
    outlook = fc.forecast(panel, model="coherent", draws=200)
    table = accounts.check(outlook)
    assert table["holds"].all()
    assert "KZ-19+KZ-33+KZ-75" in set(table["location"])
    assert outlook.series.set_index("location")["origin"]["KZ-11"] == 2023
    akmola = outlook.sample(location="KZ-11", measure="net_all_flows", year=2024)
    np.testing.assert_allclose(akmola, akmola[0])


def test_responses_add_up_and_find_who_carries_the_country() -> None:
    generator = np.random.default_rng(1)
    total = np.cumsum(generator.normal(0, 20_000, 24))
    true = np.array([0.6, 0.3, 0.1])
    values = true * total[:, None] + np.cumsum(generator.normal(0, 500, (24, 3)), axis=0)
    values += total[:, None] / 3 * 0 - (values.sum(axis=1) - total)[:, None] / 3
    population = np.full((24, 3), 1e6)
    found = shares(values, population, total, 1.0, 0.7)
    assert found.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(found, true, atol=0.1)
    unknown = shares(values * np.nan, population, total, 1.0, 0.7)
    np.testing.assert_allclose(unknown, 1 / 3)


def test_cancelling_moves_the_uncertain_most() -> None:
    generator = np.random.default_rng(2)
    paths = generator.normal(0, 1, (4000, 3, 2)) * np.array([1.0, 1.0, 10.0])[:, None]
    made = cancelled(paths)
    np.testing.assert_allclose(made.sum(axis=1), 0, atol=1e-9)
    moved = np.abs(made - paths).mean(axis=(0, 2))
    assert moved[2] > 20 * moved[0]


def test_only_complete_sets_of_regions() -> None:
    panel = fc.load("central-asia")
    found = {(g.source, g.country): len(g.regions) for g in groups(panel)}
    assert found == {("kz-bns-balance", "KAZ"): 16, ("uz-stat-balance", "UZB"): 14}
    few = panel.select(source="kz-bns-balance", location=["KZ-11", "KZ-15"])
    with pytest.raises(TooShortError, match="make up a country"):
        Internal().fit(few, 1)


def test_matrices_after_the_origin_are_not_looked_at(kazakhstan: Panel) -> None:
    from forecast.data import package

    moves = package.moves()
    later = moves.assign(value=moves["value"].where(moves["year"] <= 2023, 7 * moves["value"]))
    seen = kazakhstan.until(2023)
    one, other = (Internal(m).fit(seen, 1).forecast((2025,), 100) for m in (moves, later))
    np.testing.assert_array_equal(one.paths.to_numpy(), other.paths.to_numpy())


def test_boundaries_are_data() -> None:
    split = boundary_changes.changes("KAZ", 2000, 2024)
    assert [change.year for change in split] == [2014, 2018, 2022, 2022, 2022]
    assert len(boundary_changes.constant_units("KAZ", 2000, 2024)) == 16
    assert len(boundary_changes.constant_units("KAZ", 2018, 2021)) == 17
    assert len(boundary_changes.constant_units("KAZ", 2022, 2024)) == 20
    merged = boundary_changes.constant_units("KAZ", 2000, 2024, transfers=True)
    assert "KZ-19+KZ-33+KZ-75" in merged
    assert {"KG-GO+KG-O", "KG-C+KG-GB"} <= set(
        boundary_changes.constant_units("KGZ", 2012, 2025, transfers=True)
    )
    for change in boundary_changes.changes("KGZ"):
        assert change.parts <= set(locations.regions("KGZ"))


def test_todays_regions_are_drawn_and_add_up(everything: Forecast) -> None:
    balance = everything.history.select(source=["kz-bns", "kz-bns-balance"])
    units = fc.forecast(balance, model="coherent", draws=500)
    today = on_todays_regions(units)
    regional = today.series.query("measure == 'net_all_flows'")["location"]
    assert sorted(regional) == sorted(locations.regions("KAZ"))
    assert accounts.check(today)["holds"].all()
    notes = today.notes.set_index("location")
    assert "learned from 3 years" in notes.loc["KZ-33", "reason"]
    assert "learned from 7 years" in notes.loc["KZ-79", "reason"]
    widths = today.intervals(0.8, [2027]).set_index("location")
    whole = units.intervals(0.8, [2027]).set_index("location")
    for part, unit in (("KZ-79", "KZ-61+KZ-79"), ("KZ-33", "KZ-19+KZ-33")):
        share = 0.37 if part == "KZ-79" else 0.31
        wide = widths.loc[part, "upper"] - widths.loc[part, "lower"]
        # Wider than a fixed share of the unit's interval: the split itself is unknown.
        assert wide > 1.2 * share * (whole.loc[unit, "upper"] - whole.loc[unit, "lower"])
    back = on_constant_units(today, 2000)
    for unit in ("KZ-61+KZ-79", "KZ-10+KZ-63"):
        np.testing.assert_allclose(
            back.sample(location=unit, measure="net_all_flows", year=2030),
            units.sample(location=unit, measure="net_all_flows", year=2030),
        )
    assert accounts.check(back)["holds"].all()


def test_parts_that_end_before_their_unit_are_less_certain(everything: Forecast) -> None:
    balance = everything.history.select(source="kz-bns-balance")
    units = fc.forecast(balance, model="internal", horizons=(2025, 2030), draws=1000)
    parts = fc.load("kazakhstan-split")
    wide = []
    for known in (parts, parts.until(2021)):
        made = on_todays_regions(units, known)
        people = {series.location: series.population[-1] for series in known}
        share = people["KZ-61"] / (people["KZ-61"] + people["KZ-79"])
        own = made.sample(location="KZ-61", measure="net_all_flows", year=2025)
        whole = units.sample(location="KZ-61+KZ-79", measure="net_all_flows", year=2025)
        low, high = np.quantile(own - share * whole, [0.1, 0.9])
        wide.append(high - low)
    # Four years on instead of one.
    assert wide[1] > 1.3 * wide[0]


def test_a_split_is_not_invented(everything: Forecast) -> None:
    early = everything.history.select(source=["kz-bns", "kz-bns-balance"]).until(2017)
    outlook = fc.forecast(early, model="internal", horizons=(2019,), draws=200)
    with pytest.raises(DataError, match="no split can be learned"):
        on_todays_regions(outlook)
