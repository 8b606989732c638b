"""Forecasts made coherent, on the bundled figures."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast import accounts
from forecast.accounts.audit import broken, trusted
from forecast.accounts.identities import Identity, cover, matrix, stated
from forecast.accounts.reconciliation import handed_down, nets_from_flows, order_of_the_country
from forecast.errors import DataError, UnknownNameError
from forecast.models.coherent import Reconciled
from forecast.outlook import Forecast
from forecast.panel import Panel

SOURCES = ["kz-bns", "kz-bns-balance", "uz-stat", "uz-stat-balance"]


@pytest.fixture(scope="module")
def panel() -> Panel:
    return fc.load("central-asia").select(source=SOURCES)


@pytest.fixture(scope="module")
def outlook(panel: Panel) -> Forecast:
    return fc.forecast(panel, model="naive", draws=300)


def test_identities_by_name() -> None:
    names = {(i.name, i.location) for i in accounts.stated(fc.load("kazakhstan-internal").keys)}
    assert ("internal nets add up to zero (kz-bns-internal)", "KAZ") in names
    assert ("internal arrivals = internal departures (kz-bns-internal)", "KAZ") in names
    assert (
        "internal_net = internal_arrivals - internal_departures (kz-bns-internal)",
        "KZ-71",
    ) in names
    assert cover("KAZ", ["KZ-61", "KZ-79"]) == []
    units = fc.load("central-asia").select(source="kz-bns-balance").locations
    assert len(cover("KAZ", units)) == 16
    assert len(cover("KAZ", [*units, "KZ-19+KZ-33+KZ-75"])) == 15
    assert cover("KZ-19+KZ-33+KZ-75", units) == ["KZ-19+KZ-33", "KZ-75"]


def test_every_draw_obeys(outlook: Forecast) -> None:
    before = accounts.check(outlook)
    assert not before["holds"].any()
    made = accounts.reconcile(outlook)
    after = accounts.check(made)
    assert after["holds"].all()
    assert (after["draws_off"] == 0).all()
    assert set(after["location"]) == {"KAZ", "UZB"}
    values = made.paths.to_numpy()
    counts = made.series["measure"].isin(["immigration", "emigration"]).to_numpy()
    assert np.nanmin(values[:, counts]) >= 0
    np.testing.assert_array_equal(np.isnan(values), np.isnan(outlook.paths.to_numpy()))
    assert made.paths.attrs["reconciled"] == "mint (draws)"


def test_reconciled_forecasts_are_saved(outlook: Forecast, tmp_path) -> None:
    made = accounts.reconcile(outlook)
    opened = fc.open(made.save(tmp_path / "coherent"))
    assert opened.paths.attrs["reconciled"] == "mint (draws)"
    assert accounts.check(opened)["holds"].all()


@pytest.mark.parametrize("covariance", ["changes", "diagonal"])
def test_other_covariances(panel: Panel, covariance: str) -> None:
    regions = panel.select(source="uz-stat-balance")
    made = accounts.reconcile(
        fc.forecast(regions, model="naive", draws=200),
        covariance=covariance,  # type: ignore[arg-type]
    )
    assert accounts.check(made)["holds"].all()


def test_one_step_errors_of_ones_own(panel: Panel) -> None:
    regions = panel.select(source="uz-stat-balance")
    outlook = fc.forecast(regions, model="naive", draws=200)
    generator = np.random.default_rng(1)
    keys = pd.MultiIndex.from_tuples(regions.keys)
    errors = pd.DataFrame(generator.standard_normal((9, len(keys))), columns=keys)
    made = accounts.reconcile(outlook, covariance=errors)
    assert accounts.check(made)["holds"].all()
    assert made.paths.attrs["reconciled"] == "mint (errors)"
    with pytest.raises(DataError, match="no column"):
        accounts.reconcile(outlook, covariance=errors.iloc[:, :3])


def test_up_and_down(panel: Panel) -> None:
    regions = panel.select(source="uz-stat-balance")
    outlook = fc.forecast(regions, model="naive", draws=200)
    upward = accounts.reconcile(outlook, "bottom-up")
    down = accounts.reconcile(outlook, "top-down")
    country = (outlook.series["location"] == "UZB").to_numpy()
    for made, kept in ((upward, ~country), (down, country)):
        assert accounts.check(made)["holds"].all()
        np.testing.assert_array_equal(
            made.paths.to_numpy()[:, kept], outlook.paths.to_numpy()[:, kept]
        )


def test_from_the_middle_out(panel: Panel) -> None:
    kazakh = panel.select(source=["kz-bns", "kz-bns-balance"]).until(2024)
    outlook = fc.forecast(kazakh, model="naive", draws=200)
    made = accounts.reconcile(outlook, "middle-out")
    assert accounts.check(made)["holds"].all()
    assert made.paths.attrs["reconciled"] == "middle-out"
    flows = made.series["measure"].isin(["immigration", "emigration"]).to_numpy()
    np.testing.assert_array_equal(
        made.paths.to_numpy()[:, flows], outlook.paths.to_numpy()[:, flows]
    )
    # A country without arrivals and departures is moved with its regions.
    regions = panel.select(source="uz-stat-balance")
    alone = accounts.reconcile(fc.forecast(regions, model="naive", draws=200), "middle-out")
    usual = accounts.reconcile(fc.forecast(regions, model="naive", draws=200), "mint")
    np.testing.assert_array_equal(alone.paths.to_numpy(), usual.paths.to_numpy())


def test_worlds_of_regions_stand_in_the_order_of_their_country() -> None:
    keys = [("o", "KAZ", m) for m in ("emigration", "immigration", "net_migration")]
    keys += [("o", place, "net_migration") for place in ("KZ-10", "KZ-11")]
    net = Identity("net", "net", "KAZ", ((keys[2], 1.0), (keys[1], -1.0), (keys[0], 1.0)))
    parts = ((keys[2], 1.0), (keys[3], -1.0), (keys[4], -1.0))
    identities = [Identity("sum", "sum", "KAZ", parts), net]
    values = np.random.default_rng(2).normal(size=(50, 5, 3))
    before = values.copy()
    forecast = np.ones((5, 3), dtype=bool)
    settled = nets_from_flows(values, forecast, keys, identities)
    np.testing.assert_array_equal(settled.all(axis=1), [True, True, True, False, False])
    np.testing.assert_array_equal(values[:, 2], before[:, 1] - before[:, 0])
    order_of_the_country(values, settled, keys, identities)

    def heights(drawn: np.ndarray) -> np.ndarray:
        return np.argsort(np.argsort(drawn, axis=0), axis=0).mean(axis=1)

    country, regions = heights(values[:, 2]), heights(values[:, 3:].sum(axis=1))
    # Worlds of equal height may stand either way.
    assert np.corrcoef(country, regions)[0, 1] > 0.98
    paths = {path.tobytes() for path in before[:, 3:]}
    assert {path.tobytes() for path in values[:, 3:]} == paths


def test_what_a_country_leaves_open_is_shared_by_inhabitants(panel: Panel) -> None:
    kazakh = panel.select(source=["kz-bns", "kz-bns-balance"])
    keys = [series.key for series in kazakh if series.measure.startswith("net")]
    (identity,) = (one for one in accounts.stated(keys) if one.kind == "sum")
    rows = matrix([identity], keys)
    draws = np.random.default_rng(3).normal(5_000, 900, size=(201, len(keys)))
    held = np.array([place == "KAZ" for _, place, _ in keys])
    moved = handed_down(draws, rows, kazakh, keys, held)
    assert np.median(moved @ rows.T) == pytest.approx(0.0, abs=1e-6)
    people = [series.population[~np.isnan(series.population)][-1] for series in kazakh]
    people_of = dict(zip([series.key for series in kazakh], people))
    rate = (moved - draws)[0] / [people_of[key] for key in keys]
    assert rate[held] == 0
    np.testing.assert_allclose(rate[~held], rate[~held].mean())
    np.testing.assert_allclose(moved - draws, np.broadcast_to((moved - draws)[0], draws.shape))


def test_a_net_that_holds_a_correction_is_left_alone() -> None:
    years = np.arange(2000, 2020)
    into, out = 900.0 + 10 * (years % 5), 700.0 + 8 * (years % 7)
    rows = [
        {"location": "TJK", "measure": measure, "year": year, "value": value}
        for measure, values in (
            ("immigration", into), ("emigration", out), ("net_migration", into - out + 600.0)
        )
        for year, value in zip(years.tolist(), values.tolist())
    ]  # fmt: skip
    panel = Panel.from_frame(pd.DataFrame(rows))
    kept, refused = accounts.trusted(panel, panel.keys)
    assert kept == []
    assert refused["years_off"].tolist() == [20]
    outlook = fc.forecast(panel, model="naive", horizons=(2022,), draws=100)
    made = accounts.reconcile(outlook, "middle-out")
    np.testing.assert_array_equal(made.paths.to_numpy(), outlook.paths.to_numpy())


def test_figures_that_break_an_identity_are_told(panel: Panel) -> None:
    gaps = accounts.broken(panel).set_index(["location", "year"])
    assert gaps.loc[("KAZ", 2012), "difference"] == 3
    table = panel.to_frame()
    changed = (table["location"] == "KAZ") & (table["measure"] == "emigration")
    table.loc[changed & (table["year"] == 2015), "value"] += 5_000
    gaps = accounts.broken(Panel.from_frame(table))
    told = gaps[(gaps["identity"] == "net_migration = immigration - emigration (kz-bns)")]
    assert told[["location", "year", "difference"]].to_numpy().tolist() == [["KAZ", 2015, 5_000]]


def test_two_offices_that_disagree_are_not_forced_together() -> None:
    panel = fc.load("central-asia").select(source=["un-wpp", "kz-bns-balance"])
    kept, refused = accounts.trusted(panel, panel.keys)
    assert kept == []
    assert refused["location"].tolist() == ["KAZ"]
    assert refused["largest"].item() > 10_000


def test_observed_years_stay_and_bind(panel: Panel) -> None:
    """Where the country is known and its regions are not, they add up to the figure."""
    table = panel.select(source=["kz-bns", "kz-bns-balance"]).to_frame()
    late = (table["source"] == "kz-bns-balance") & (table["year"] > 2022)
    shown = Panel.from_frame(table[~late])
    made = accounts.reconcile(fc.forecast(shown, model="naive", draws=200))
    regions = made.paths.isel(series=(made.series["source"] == "kz-bns-balance").to_numpy())
    total = regions.sel(year=2024).sum("series").to_numpy()
    np.testing.assert_allclose(total, 16_550)
    with pytest.raises(DataError, match="already observed"):
        accounts.reconcile(fc.forecast(shown, model="naive", draws=200), "bottom-up")


def test_a_backtest_scores_both_beside_each_other(panel: Panel) -> None:
    regions = panel.select(source="uz-stat-balance")
    track = fc.backtest(
        regions,
        ["naive", Reconciled("naive")],
        [2019, 2020],
        horizons=(1, 3),
        draws=200,
        jobs=1,
    )
    assert track.models == ["naive", "naive, mint (draws)"]
    assert len(track.summary()) == 4
    assert not len(track.failures)


def test_unknown_ways_are_named(outlook: Forecast) -> None:
    with pytest.raises(UnknownNameError, match="mint"):
        accounts.reconcile(outlook, "mint-shrink")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="covariance"):
        accounts.reconcile(outlook, covariance="sample")  # type: ignore[arg-type]


@pytest.mark.parametrize("covariance", ["draws", "changes"])
def test_accounts_that_share_no_series_do_not_touch_each_other(
    outlook: Forecast, covariance: Literal["draws", "changes"]
) -> None:
    kept, _ = accounts.trusted(outlook.history, outlook.history.keys)
    kazakh = [identity for identity in kept if identity.location == "KAZ"]
    assert 0 < len(kazakh) < len(kept)
    together = accounts.reconcile(outlook, identities=kept, covariance=covariance)
    alone = accounts.reconcile(outlook, identities=kazakh, covariance=covariance)
    ours = [place.startswith("K") for place in outlook.series["location"]]
    np.testing.assert_array_equal(
        together.paths.to_numpy()[:, ours], alone.paths.to_numpy()[:, ours]
    )
    assert accounts.check(together)["holds"].all()


def test_corridors_make_up_departures_and_arrivals() -> None:
    keys = [
        ("a", "UZB:RUS", "flow"), ("a", "UZB:KAZ", "flow"), ("a", "UZB", "emigration"),
        ("a", "RUS", "immigration"), ("b", "RUS", "immigration"),
    ]  # fmt: skip
    (one,) = stated(keys)
    assert (one.name, one.kind) == ("2 corridors from UZB = emigration (a)", "corridors")
    assert one.terms == ((keys[2], 1.0), (keys[1], -1.0), (keys[0], -1.0))
    years = [2020, 2021, 2022]
    rows = [
        (*key, year, value)
        for key, values in zip(keys[:3], ([30, 40, 50], [10, 10, 10], [40, 50, 70]))
        for year, value in zip(years, values)
    ]
    panel = Panel.from_frame(
        pd.DataFrame(rows, columns=["source", "location", "measure", "year", "value"])
    )
    assert broken(panel)[["location", "year", "difference"]].values.tolist() == [["UZB", 2022, 10]]
    assert trusted(panel, panel.keys)[0] == [one]
    # Corridors that leave out a country are not the whole of departures.
    assert trusted(panel.without([keys[0]]), panel.keys[1:])[0] == []
