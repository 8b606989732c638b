"""Shocks as draws on top of a baseline: how many, when, where, and that the accounts add up."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import forecast as fc
from forecast.accounts.audit import check
from forecast.errors import DataError
from forecast.models.assembly import assemble
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.reports.horizon import report
from forecast.scenarios.accounting import moved_back, movements, settled, spread
from forecast.scenarios.scenario import Scenario, names, read, scenario
from forecast.scenarios.shock import Shock

REGIONS = {"TJ-DU": 1_200, "TJ-GB": 230, "TJ-KT": 3_600, "TJ-RA": 2_300, "TJ-SU": 2_900}


def added(made: Scenario, source: str, place: str, measure: str) -> np.ndarray:
    paths = made.difference
    at = (paths["source"] == source) & (paths["location"] == place) & (paths["measure"] == measure)
    return paths.isel(series=int(np.flatnonzero(at)[0])).transpose("draw", "year").to_numpy()


def test_spread_adds_up_and_halves() -> None:
    elapsed = np.arange(-3, 400)[None, :]
    for half_life in (0.3, 1.0, 5.0):
        found = spread(elapsed, np.array([half_life]))[0]
        assert found[:3].tolist() == [0, 0, 0]
        assert found.sum() == pytest.approx(1)
    assert spread(np.arange(4)[None, :], np.array([1.0]))[0] == pytest.approx(
        [0.5, 0.25, 0.125, 0.0625]
    )
    assert spread(np.arange(5)[None, :], np.array([5.0]))[0].sum() == pytest.approx(0.5)


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1), st.floats(0.1, 10), st.lists(st.floats(0, 1e5), min_size=2, max_size=6))
def test_nobody_moves_back_who_did_not_come(share: float, half: float, came: list[float]) -> None:
    moved = np.array([came + [0.0] * 300])
    back = moved_back(moved, np.array([share]), np.array([half]))
    assert (back >= 0).all()
    assert back[0, 0] == 0
    assert (np.cumsum(back) <= share * np.cumsum(moved) + 1e-6).all()
    assert back.sum() == pytest.approx(share * moved.sum(), rel=1e-6, abs=1e-6)


def test_half_of_the_returns_come_within_the_half_life() -> None:
    back = moved_back(np.array([[100.0, 0, 0, 0]]), np.array([0.8]), np.array([2.0]))
    assert back[0, 1:3].sum() == pytest.approx(40)


def test_the_stated_range_comes_out(own: dict[str, Any]) -> None:
    found = movements(read(own), np.arange(2025, 2100), 20_000, seed=3)[0]
    assert np.quantile(found.people, [0.1, 0.5, 0.9]) == pytest.approx([2e4, 4e4, 8e4], rel=0.03)
    assert found.arrivals.sum(axis=1) == pytest.approx(found.people)
    assert set(found.start) == {2026, 2027}
    assert (found.start == 2026).mean() == pytest.approx(0.5, abs=0.02)
    assert found.departures.sum(axis=1) == pytest.approx(found.people / 2)
    assert found.shares[:, 0].mean() == pytest.approx(0.7 / 3, rel=0.01)
    assert (found.shares[:, 1] == 0.8).all()


def test_the_same_seed_gives_the_same_numbers(coherent: Forecast, own: dict[str, Any]) -> None:
    one, two = (scenario(coherent, own, seed=4).difference for _ in range(2))
    assert one.identical(two)
    assert not scenario(coherent, own, seed=5).difference.equals(one)


def test_one_event_reaches_all_its_places(coherent: Forecast) -> None:
    first, second, _ = movements(read("afghanistan"), np.arange(2025, 2031), 500, seed=1)
    assert (first.start == second.start).all()
    assert np.corrcoef(first.people, second.people)[0, 1] > 0.99


def test_accounts_add_up_as_before(coherent: Forecast, own: dict[str, Any]) -> None:
    before = check(coherent).set_index("identity")["holds"]
    assert before.sum() == 2
    made = scenario(coherent, own)
    after = check(made.what_if).set_index("identity")["holds"]
    assert after[before].all()
    into, out, net = (
        added(made, "register", "TJK", name)
        for name in ("immigration", "emigration", "net_migration")
    )
    assert (into >= 0).all()
    assert (out >= 0).all()
    assert np.allclose(into - out, net)
    regional = [added(made, "balance", code, "net_all_flows") for code in REGIONS]
    assert np.allclose(sum(regional), net)
    assert np.allclose(regional[0], net * REGIONS["TJ-DU"] / sum(REGIONS.values()))
    share = made.movements[0].shares[:, :1]
    assert np.allclose(into, made.movements[0].arrivals * share)


def test_nothing_else_is_touched(coherent: Forecast, own: dict[str, Any]) -> None:
    before = coherent.paths.copy(deep=True)
    made = scenario(coherent, own)
    assert coherent.paths.identical(before)
    assert made.baseline is coherent
    assert (added(made, "un", "KGZ", "net_migration") == 0).all()
    early = made.difference.sel(year=2025)
    assert (early == 0).all()
    assert (coherent.paths + made.difference == made.what_if.paths).all()
    chance = {"location": "TJK", "measure": "net_migration", "year": 2027, "source": "un"}
    assert coherent.probability(above=0, **chance) < made.what_if.probability(above=0, **chance)


def test_a_scenario_marks_itself_and_is_no_forecast(
    coherent: Forecast, own: dict[str, Any], tmp_path: Path
) -> None:
    made = scenario(coherent, own)
    assert made.what_if.paths.attrs["scenario"] == "own"
    assert "scenario" not in coherent.paths.attrs
    assert "not a forecast" in repr(made)
    assert "scenario own" in repr(made.what_if)
    for give_out in (
        lambda: made.what_if.to_hub(tmp_path / "hub"),
        lambda: report(made.what_if, folder=tmp_path),
        lambda: fc.targets(made.what_if),
    ):
        with pytest.raises(DataError, match="hold the scenario 'own'; they are no forecast"):
            give_out()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(DataError, match="holds scenario 'own' already"):
        scenario(made.what_if, own)
    back = fc.open(made.what_if.save(tmp_path / "saved"))
    assert back.paths.attrs["scenario"] == "own"
    assert back.paths.equals(made.what_if.paths)


def test_departures_and_stated_shares(coherent: Forecast, own: dict[str, Any]) -> None:
    own["place"][0] |= {"direction": "departures", "regions": {"TJ-SU": 0.75, "TJ-KT": 0.25}}
    del own["returns"]
    made = scenario(coherent, own)
    assert (added(made, "register", "TJK", "immigration") == 0).all()
    net = added(made, "register", "TJK", "net_migration")
    assert (net <= 0).all()
    assert np.allclose(added(made, "balance", "TJ-SU", "net_all_flows"), 0.75 * net)
    assert (added(made, "balance", "TJ-DU", "net_all_flows") == 0).all()
    assert check(made.what_if)["holds"].sum() == 2


def test_accounts_that_held_may_not_be_broken(coherent: Forecast, own: dict[str, Any]) -> None:
    apart = [
        {**own["place"][0]["counted"][0], "sources": [name]} for name in ("register", "balance")
    ]
    own["place"][0]["counted"] = [*apart, own["place"][0]["counted"][1]]
    with pytest.raises(
        DataError, match=r"breaks the account 'net of all flows .balance. = net mig"
    ):
        scenario(coherent, own)


def test_untouched_series_are_listed_with_the_reason(outlook: Forecast) -> None:
    made = scenario(outlook, "russia-kazakhstan")
    effects = made.effects.set_index("location")
    assert set(effects.loc["KAZ", "status"]) == {"moved"}
    regional = effects.loc[["KZ-11", "KZ-15", "KZ-61+KZ-79"]]
    assert set(regional["status"]) == {"untouched"}
    assert regional["reason"].str.contains("its share in the country is not known").all()


def test_a_source_that_the_scenario_does_not_know(coherent: Forecast, own: dict[str, Any]) -> None:
    own["place"][0]["counted"] = own["place"][0]["counted"][:1]
    made = scenario(coherent, own)
    reason = made.effects.set_index("source").loc["un", "reason"]
    assert reason.startswith("the scenario does not say what this source counts; name it in [[pl")
    assert reason.endswith("that is counted: balance, register")
    assert (added(made, "un", "TJK", "net_migration") == 0).all()
    entry = made.effects.set_index("source").loc["register", "counted"]
    assert set(entry) == {"entry 1 (register, balance)"}


def renamed(outlook: Forecast, names: dict[str, str]) -> Forecast:
    """The same draws and figures under other names of sources, as of a table of one's own."""
    table = outlook.history.to_frame()
    sources = [names.get(str(name), str(name)) for name in outlook.paths["source"].to_numpy()]
    return dataclasses.replace(
        outlook,
        paths=outlook.paths.assign_coords(source=("series", sources)),
        history=Panel.from_frame(table.assign(source=table["source"].replace(names))),
    )


def test_a_register_under_another_name_is_counted_as_one(
    coherent: Forecast, own: dict[str, Any]
) -> None:
    """Its arrivals and departures tell it; the entry for all others is written for the UN."""
    first, rest = own["place"][0]["counted"]
    own["place"][0]["counted"] = [first | {"register": True}, rest]
    stated = scenario(coherent, own)
    made = scenario(renamed(coherent, {"register": "user"}), own)
    for measure in ("immigration", "emigration", "net_migration"):
        same = added(made, "user", "TJK", measure)
        assert np.array_equal(same, added(stated, "register", "TJK", measure))
    effects = made.effects.set_index("source")
    assert set(effects.loc["user", "counted"]) == {
        "entry 1 (register, balance): it has arrivals or departures, so a register"
    }
    assert effects.loc["un", "counted"] == "entry 2: all sources that no other entry names"
    assert made.shock.places[0].counted_by("user") == 0


def test_what_a_net_alone_counts_is_never_guessed(coherent: Forecast, own: dict[str, Any]) -> None:
    first, rest = own["place"][0]["counted"]
    own["place"][0]["counted"] = [first | {"register": True}, rest | {"sources": ["un"]}]
    made = scenario(renamed(coherent, {"un": "office"}), own)
    effects = made.effects.set_index("source")
    assert effects.loc["office", "status"] == "untouched"
    assert "does not say what this source counts" in effects.loc["office", "reason"]
    assert effects.loc["office", "counted"] == ""


def test_of_several_registers_none_is_chosen(coherent: Forecast, own: dict[str, Any]) -> None:
    first, rest = own["place"][0]["counted"]
    two = [first | {"sources": [name], "register": True} for name in ("police", "tax office")]
    own["place"][0]["counted"] = [*two, rest | {"sources": ["un"]}]
    made = scenario(coherent, own)
    assert set(made.effects.set_index("source").loc["register", "status"]) == {"untouched"}
    open_ = first | {"sources": [], "register": True, "share": 0.3}
    own["place"][0]["counted"].append(open_)
    shock, said = settled(read(own), coherent)
    assert shock.places[0].counted_by("register") == 3
    assert said == {
        ("TJK", "register"): "entry 4: it has arrivals or departures, so a register",
        ("TJK", "un"): "entry 3 (un)",
    }


def test_the_same_figures_are_moved_alike_under_any_name() -> None:
    """The bundled register of Kazakhstan, read as an office would give it."""
    bundled = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    table = bundled.to_frame()
    makes = {"model": "naive", "horizons": (2027,), "draws": 200}
    theirs = scenario(fc.forecast(bundled, **makes), "russia-kazakhstan")
    office = Panel.from_frame(table.drop(columns="source"))
    ours = scenario(fc.forecast(office, **makes), "russia-kazakhstan")
    assert np.array_equal(
        added(ours, "user", "KAZ", "immigration"), added(theirs, "kz-bns", "KAZ", "immigration")
    )
    net = Panel.from_frame(table[table["measure"] == "net_migration"].drop(columns="source"))
    with pytest.raises(DataError, match=r"net_migration of KAZ .user.: the scenario does not say"):
        scenario(fc.forecast(net, **makes), "russia-kazakhstan")


def test_scenarios_out_of_place_are_refused(coherent: Forecast, own: dict[str, Any]) -> None:
    early = {**own, "when": {"first": 2024, "last": 2026}}
    with pytest.raises(DataError, match=r"observed to 2024. Set first in \[when\] to 2025"):
        scenario(coherent, early)
    with pytest.raises(DataError, match="after the forecast's last year, 2030"):
        scenario(coherent, {**own, "when": {"first": 2026, "last": 2031}})
    with pytest.raises(DataError, match="is about KAZ, and reaches no series"):
        scenario(coherent, "russia-kazakhstan")
    five = fc.forecast(fc.load("central-asia-five-year"), "naive", (2025,), draws=100)
    with pytest.raises(DataError, match="counts calendar years"):
        scenario(five, "afghanistan")


def test_the_table_holds_medians_of_both(coherent: Forecast, own: dict[str, Any]) -> None:
    made = scenario(coherent, own)
    table = made.table(years=[2027])
    row = table[(table["source"] == "un") & (table["location"] == "TJK")].iloc[0]
    where = {"location": "TJK", "measure": "net_migration", "year": 2027, "source": "un"}
    assert row["baseline"] == np.median(coherent.sample(**where))
    assert row["what_if"] == np.median(made.what_if.sample(**where))
    assert set(table["location"]) == {"TJK", *REGIONS}


def test_years_observed_already_stay_missing() -> None:
    late = fc.forecast(fc.load("central-asia"), model="naive", draws=100)
    made = scenario(late, "russia-kazakhstan")
    assert (np.isnan(made.what_if.paths) == np.isnan(late.paths)).all()


def test_all_shipped_scenarios_run_on_the_bundled_data_in_time() -> None:
    outlook = fc.forecast(fc.load("central-asia"), model="naive", draws=2000)
    started = time.process_time()
    for name in names():
        made = scenario(outlook, name)
        assert len(made.moved) > 10
        assert len(made.unusual()) > 20
        fc.condition(outlook, "KAZ net_migration kz-bns 2027 >= 0")
    fc.targets(outlook)
    assert time.process_time() - started < 30


def test_an_own_scenario_may_stand_in_a_file(coherent: Forecast, tmp_path: Path) -> None:
    text = (Path(__file__).parent / "own.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    made = scenario(coherent, path)
    assert made.name == "mine"
    assert isinstance(made.shock, Shock)


@pytest.fixture(scope="module")
def corridors() -> Forecast:
    """Corridors of Kazakhstan that make up its arrivals, and what Russia loses."""
    generator = np.random.default_rng(8)
    keys = [
        ("register", "RUS:KAZ", "flow"), ("register", "UZB:KAZ", "flow"),
        ("register", "KAZ:RUS", "flow"), ("register", "KAZ", "immigration"),
        ("register", "KAZ", "emigration"), ("register", "KAZ", "net_migration"),
        ("register", "RUS", "emigration"),
    ]  # fmt: skip
    rows = [(*key, year, 1_000.0) for key in keys for year in range(2005, 2025)]
    panel = Panel.from_frame(
        pd.DataFrame(rows, columns=["source", "location", "measure", "year", "value"])
    )
    drawn = {key: 5_000 * np.exp(generator.normal(0, 0.2, (300, 6))) for key in keys}
    drawn[keys[3]] = drawn[keys[0]] + drawn[keys[1]]
    drawn[keys[5]] = drawn[keys[3]] - drawn[keys[4]]
    return assemble(panel, drawn, (2026, 2030), model="test", seed=1)


def test_a_shock_of_a_corridor_moves_it_both_ends_and_the_way_back(
    corridors: Forecast, own: dict[str, Any]
) -> None:
    own["place"][0] |= {"location": "Russia -> Kazakhstan", "people": 40_000}
    del own["place"][0]["direction"]
    what_if = fc.scenario(corridors, own)
    added = dict(zip(corridors.keys, what_if.difference.transpose("series", ...).to_numpy()))
    there, back = (added["register", code, "flow"] for code in ("RUS:KAZ", "KAZ:RUS"))
    assert there.sum(axis=1).mean() > 2 * back.sum(axis=1).mean() > 0
    for key, expected in {
        ("KAZ", "immigration"): there, ("KAZ", "emigration"): back, ("UZB:KAZ", "flow"): 0 * there,
        ("KAZ", "net_migration"): there - back, ("RUS", "emigration"): there,
    }.items():  # fmt: skip
        np.testing.assert_allclose(added["register", *key], expected, atol=1e-9)
    held = check(what_if.what_if).set_index("identity")["holds"]
    assert held["2 corridors to KAZ = immigration (register)"]
    assert held["net_migration = immigration - emigration (register)"]


def test_arrivals_without_an_origin_are_refused_where_corridors_make_them_up(
    corridors: Forecast, own: dict[str, Any]
) -> None:
    own["place"][0]["location"] = "KAZ"
    with pytest.raises(DataError, match=r'corridors to KAZ.*location = "RUS:KAZ" in \[\[place'):
        fc.scenario(corridors, own)
    own["place"][0]["location"] = "RUS:KAZ"
    with pytest.raises(DataError, match="RUS:KAZ is a corridor, which says it"):
        fc.scenario(corridors, own)
