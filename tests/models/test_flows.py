"""Gross flows: recovery of known parameters, accounting, pooling, no leak, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast import accounts
from forecast.errors import DataError, FitError, TooShortError, UnknownNameError
from forecast.models.gross_flows.data import collect
from forecast.models.gross_flows.model import Flows
from forecast.panel import Panel

QUICK = {"chains": 2, "warm_up": 300, "kept": 250, "farthest": 4}


def quick() -> Flows:
    """Chains that are too short for the gate."""
    return Flows(sampler=QUICK, on_failure="mark")


def simulated(
    seed: int,
    places: tuple[str, ...] = ("KAZ", "UZB", "KGZ"),
    n_years: int = 40,
    shock: tuple[float, float] = (0.15, 0.3),
    correlation: float = 0.6,
    level: float = 10.0,
) -> Panel:
    generator = np.random.default_rng(seed)
    years = np.arange(2025 - n_years, 2025)
    tables = []
    for place in places:
        normal = generator.standard_normal((n_years, 2))
        normal[:, 1] = correlation * normal[:, 0] + np.sqrt(1 - correlation**2) * normal[:, 1]
        logs = level + np.cumsum(normal * shock, axis=0)
        counts = generator.poisson(np.exp(logs))
        for k, measure in enumerate(("immigration", "emigration")):
            tables.append(
                pd.DataFrame(
                    {
                        "source": "register",
                        "location": place,
                        "measure": measure,
                        "year": years,
                        "value": counts[:, k],
                        "population": 1e7,
                    }
                )
            )
        net = tables[-1].assign(measure="net_migration", value=counts[:, 0] - counts[:, 1])
        tables.append(net)
    return Panel.from_frame(pd.concat(tables, ignore_index=True))


@pytest.fixture(scope="module")
def registers() -> Panel:
    return fc.load("central-asia").select(source=["kz-bns", "kg-nsc", "uz-stat"])


@pytest.fixture(scope="module")
def fitted(registers: Panel):  # type: ignore[no-untyped-def]
    return quick().fit(registers, 1)


@pytest.mark.parametrize("long", [False, pytest.param(True, marks=pytest.mark.thorough)])
def test_known_parameters_are_found(long: bool) -> None:
    model = Flows() if long else quick()
    mean = model.fit(simulated(5), 1).posterior["posterior"].dataset.mean(("chain", "draw"))
    shock = mean["shock"].mean("place").to_numpy()
    assert shock[0] == pytest.approx(0.15, rel=0.3)
    assert shock[1] == pytest.approx(0.3, rel=0.3)
    assert float(mean["correlation"]) == pytest.approx(0.6, abs=0.2)
    # Nothing lasting was put in, and nothing that is shared.
    assert float(mean["growth"].mean()) < 0.12
    assert float(mean["shared"]) < 0.5


def test_the_net_is_arrivals_minus_departures_in_every_draw(fitted) -> None:  # type: ignore[no-untyped-def]
    outlook = fitted.forecast((2025, 2027, 2030), 400)
    table = accounts.check(outlook)
    assert sorted(table["location"]) == ["KAZ", "KGZ", "UZB"]
    assert table["holds"].all()
    assert (table["largest"] == 0).all()
    counts = outlook.series["measure"].isin(["immigration", "emigration"]).to_numpy()
    values = outlook.paths.to_numpy()[:, counts]
    values = values[~np.isnan(values)]
    assert (values >= 0).all()
    assert (values == np.round(values)).all()


def test_flows_whose_data_end_in_different_years(fitted) -> None:  # type: ignore[no-untyped-def]
    """Uzbek departures of 2024 are known, arrivals are not: the net of 2024 hangs on both."""
    outlook = fitted.forecast((2025,), 300)
    series = outlook.series.set_index(["location", "measure"])["origin"]
    assert series["UZB", "emigration"] == 2024
    assert series["UZB", "immigration"] == series["UZB", "net_migration"] == 2023
    arrivals = outlook.sample(location="UZB", measure="immigration", year=2024)
    net = outlook.sample(location="UZB", measure="net_migration", year=2024)
    np.testing.assert_array_equal(net, arrivals - 10_842)


def test_short_flows_say_that_they_borrow(fitted) -> None:  # type: ignore[no-untyped-def]
    notes = fitted.notes.set_index(["location", "measure"])
    assert "Borrowed" not in notes.loc[("KAZ", "immigration"), "reason"]
    assert notes.loc[("KGZ", "immigration"), "reason"].startswith("Borrowed: 4 usable years")
    assert notes.loc[("KGZ", "net_migration"), "scale"] == "difference"


def test_countries_move_together_and_tails_are_heavy(fitted) -> None:  # type: ignore[no-untyped-def]
    outlook = fitted.forecast((2027,), 4000)
    one, other = (
        np.log1p(outlook.sample(location=place, measure="immigration", year=2027))
        for place in ("KAZ", "UZB")
    )
    assert np.corrcoef(one, other)[0, 1] > 0.05
    middle = np.subtract(*np.quantile(one, [0.9, 0.1]))
    wide = np.subtract(*np.quantile(one, [0.99, 0.01]))
    # 1.815 for the normal distribution.
    assert wide / middle > 1.85


def test_small_counts_scatter_by_counting_alone() -> None:
    small = simulated(3, places=("KAZ",), shock=(0.02, 0.02), level=4.0)
    outlook = quick().fit(small, 1).forecast((2025,), 2000)
    drawn = outlook.sample(location="KAZ", measure="immigration", year=2025)
    assert drawn.var() > 0.9 * drawn.mean()


def test_a_break_hides_what_was_before(registers: Panel) -> None:
    table = registers.to_frame()
    before = (table["location"] == "KGZ") & (table["year"] < 2021)
    gross = collect(Panel.from_frame(table))
    assert gross is not None
    kyrgyz = [p.location for p in gross.places].index("KGZ")
    assert (gross.place == kyrgyz).sum() == 2
    table.loc[before, "value"] *= 3.0
    changed = quick().fit(Panel.from_frame(table), 1).forecast((2025,), 400)
    same = quick().fit(registers, 1).forecast((2025,), 400)
    for measure in ("immigration", "emigration"):
        medians = [
            np.median(o.sample(location="KGZ", measure=measure, year=2025)) for o in (changed, same)
        ]
        assert medians[0] == pytest.approx(medians[1], rel=0.15)


def test_a_flow_without_a_usable_year_is_left_out(registers: Panel) -> None:
    table = registers.to_frame()
    lost = (table["location"] == "KGZ") & (table["year"] >= 2021)
    table.loc[lost & (table["measure"] == "emigration"), "flag"] = "outlier;break"
    fitted = quick().fit(Panel.from_frame(table), 1)
    notes = fitted.notes.set_index(["location", "measure"])
    reason = "No usable year since the last break of arrivals or departures."
    assert notes.loc[("KGZ", "emigration"), "reason"] == reason
    assert notes.loc[("KGZ", "immigration"), "status"] == "forecast"
    outlook = fitted.forecast((2026,), 200)
    assert ("KGZ", "net_migration") not in set(
        zip(outlook.series["location"], outlook.series["measure"])
    )


def test_the_same_seed_gives_the_same_numbers(registers: Panel) -> None:
    made = [
        quick().fit(registers, seed).forecast((2026,), 200).paths.to_numpy() for seed in (3, 3, 4)
    ]
    np.testing.assert_array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2], equal_nan=True)


def test_a_fit_that_is_too_short_is_refused_or_marked(registers: Panel, fitted) -> None:  # type: ignore[no-untyped-def]
    table = fitted.diagnostics
    assert {"parameter", "mean", "sd", "r_hat", "ess_bulk", "ess_tail"} == set(table)
    assert "log_shock[KAZ (kz-bns), emigration]" in set(table["parameter"])
    told = fitted.notes.query("status == 'forecast'")["reason"]
    assert told.str.contains("The fit is marked: ").all()
    assert "The fit is marked" in fitted.forecast((2026,), 50).paths.attrs["diagnostics"]
    with pytest.raises(FitError, match="the fit of flows is refused"):
        Flows(sampler=QUICK).fit(registers, 1)
    with pytest.raises(DataError, match="on_failure is 'ask'"):
        Flows(on_failure="ask")  # type: ignore[arg-type]


@pytest.mark.thorough
def test_every_parameter_passes_the_gate_on_the_bundled_figures(registers: Panel) -> None:
    table = Flows().fit(registers, 1).diagnostics
    assert len(table) == 18 + 2 * (63 + 59 + 35 + 4)
    assert table["r_hat"].max() <= 1.01
    assert table[["ess_bulk", "ess_tail"]].min(axis=None) >= 400


@pytest.mark.slow
def test_intervals_hold_what_they_promise() -> None:
    """Panels simulated from the model's own form: 80 % intervals hold about 80 %."""
    inside = []
    for seed in range(40):
        panel = simulated(seed, n_years=35, shock=(0.2, 0.2))
        outlook = quick().fit(panel.until(2021), seed).forecast((2022, 2024), 400)
        for series in panel:
            if series.measure == "net_migration":
                continue
            for year in (2022, 2024):
                drawn = outlook.sample(location=series.location, measure=series.measure, year=year)
                low, high = np.quantile(drawn, [0.1, 0.9])
                inside.append(low <= series.values[series.years == year][0] <= high)
    assert 0.75 < np.mean(inside) < 0.88


def test_four_years_are_enough_to_start_from(registers: Panel) -> None:
    fitted = Flows().fit(registers.select(source="kg-nsc"), 1)
    assert not fitted.sampled.failure
    reasons = fitted.notes.set_index("measure")["reason"]
    assert "4 usable years" in reasons["immigration"]
    assert "priors" in reasons["immigration"]
    outlook = fitted.forecast((2027, 2030), 1000)
    last = registers.find(("kg-nsc", "KGZ", "immigration")).values[-1]
    low, high = np.quantile(
        outlook.sample(location="KGZ", measure="immigration", year=2027), [0.1, 0.9]
    )
    # Four figures say little of how far a flow may move: priors keep the range wide.
    assert low < 0.75 * last
    assert high > 1.3 * last


def test_refusals(registers: Panel) -> None:
    with pytest.raises(TooShortError, match="no immigration or emigration"):
        Flows().fit(fc.load("central-asia").select(source="un-wpp"), 1)
    with pytest.raises(TooShortError, match=r"longest flow has 3 usable years .* at least 4"):
        Flows().fit(registers.select(source="kg-nsc").until(2023), 1)
    with pytest.raises(UnknownNameError, match="growth"):
        Flows(priors={"grwth": 0.1})
    with pytest.raises(DataError, match=r"damping in the priors of flows is 0\.9 ± 0\.4"):
        Flows(priors={"damping": (0.9, 0.4)})


def register(
    into: range, out: range, place: str = "KAZ", net: range | None = None, people: float = 1e6
) -> pd.DataFrame:
    """Arrivals and departures that differ from year to year, and their net in the years given."""
    rows = [("immigration", year, 15_000.0 + 700 * (year % 3)) for year in into] + [
        ("emigration", year, 30_000.0 + 900 * (year % 4)) for year in out
    ]
    rows += [
        ("net_migration", year, -15_000.0 + 700 * (year % 3) - 900 * (year % 4))
        for year in net or []
    ]
    table = pd.DataFrame(rows, columns=["measure", "year", "value"])
    return table.assign(source="s", location=place, population=people, flag="")


def test_a_flow_that_ended_before_a_break_of_the_other_is_not_made_up() -> None:
    table = register(range(1995, 2024), range(1995, 2019))
    table.loc[(table["year"] == 2019) & (table["measure"] == "immigration"), "flag"] = "break"
    both = pd.concat([table, register(range(1995, 2024), range(1995, 2024), "UZB")])
    fitted = quick().fit(Panel.from_frame(both), 1)
    notes = fitted.notes.set_index(["location", "measure"])
    assert notes.loc[("KAZ", "emigration"), "status"] == "not forecast"
    assert "arrivals or departures" in str(notes.loc[("KAZ", "emigration"), "reason"])
    assert str(notes.loc[("KAZ", "immigration"), "reason"]).startswith("Borrowed: 5 usable years")
    assert ("KAZ", "emigration") not in set(
        zip(*(fitted.forecast((2025,), 50).series[name] for name in ("location", "measure")))
    )


def test_a_flow_that_began_later_is_no_break_of_the_other() -> None:
    gross = collect(Panel.from_frame(register(range(1990, 2025), range(2020, 2025))))
    assert gross is not None
    assert gross.places[0].usable == (35, 5)
    apart = collect(Panel.from_frame(register(range(1990, 2016), range(2020, 2025))))
    assert apart is not None
    assert apart.places[0].usable == (26, 5)


def test_a_year_without_a_row_is_drawn_between_its_neighbours() -> None:
    into = [year for year in range(1995, 2024) if year != 2021]
    table = register(range(1995, 2024), range(1995, 2024), net=range(1995, 2020))
    table = table[(table["measure"] != "immigration") | table["year"].isin(into)]
    outlook = quick().fit(Panel.from_frame(table), 1).forecast((2021, 2025), 300)
    net = outlook.sample(location="KAZ", measure="net_migration", year=2021)
    assert np.std(net) > 100
    assert -20_000 < np.median(net) < -11_000


def test_a_net_known_beyond_its_flows_is_said_to_be_left_out() -> None:
    table = register(range(1995, 2023), range(1995, 2023), net=range(1995, 2024))
    panel = Panel.from_frame(table)
    fitted = quick().fit(panel, 1)
    assert fitted.notes["reason"].str.contains("known to 2023").sum() == 2
    outlook = fc.forecast(panel, model="coherent", horizons=(2023, 2025), draws=100)
    assert accounts.check(outlook)["holds"].all()


def test_a_place_livelier_than_any_country_is_not_cut_off() -> None:
    table = register(range(1995, 2024), range(1995, 2024), people=60_000.0)
    outlook = quick().fit(Panel.from_frame(table), 1).forecast((2024,), 300)
    # 500 of 1,000 leave in a year.
    assert outlook.sample(location="KAZ", measure="emigration", year=2024).mean() > 25_000
