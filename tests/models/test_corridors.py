"""Corridors as a model: sums in every draw, few figures, zeros, gaps, refusals, baselines."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast.errors import FitError, TooShortError, UnknownNameError
from forecast.models.corridors import totals, widths
from forecast.models.corridors.data import PairFlows, pair_flows
from forecast.models.corridors.model import Corridors
from forecast.models.ensemble import widths as ensemble_widths
from forecast.outlook import Forecast
from forecast.panel import Panel

SMALL = {"chains": 2, "warm_up": 60, "kept": 60, "most": 60, "paths": 60, "settling": 10}
#: Where no more is asked than what holds of any draw.
SHORT = SMALL | {"warm_up": 20, "kept": 20, "most": 20, "paths": 20, "settling": 5}
YEARS = range(2008, 2020)
PLACES = ("KAZ", "RUS", "UZB", "DEU")


def flows(years: Sequence[int] = YEARS) -> pd.DataFrame:
    """Twelve corridors that wander, one with zeros only, one with two figures, one with a gap."""
    generator, rows = np.random.default_rng(5), []
    for at, (origin, to) in enumerate((o, d) for o in PLACES for d in PLACES if o != d):
        level = 3.0 + at / 3
        for year in years:
            level += 0.15 * generator.normal()
            rows.append((origin, to, year, float(generator.poisson(np.exp(level)))))
    table = pd.DataFrame(rows, columns=["origin", "destination", "year", "value"])
    pair = table["origin"] + table["destination"]
    table.loc[pair == "DEUUZB", "value"] = 0.0
    short = (pair == "UZBDEU") & (table["year"] < years[-2])
    gap = (pair == "KAZRUS") & (table["year"] == years[4])
    return table[~short & ~gap]


def with_totals(table: pd.DataFrame, rest: float) -> Panel:
    """Arrivals, departures and net of Kazakhstan beside its corridors."""
    into = table[table["destination"] == "KAZ"].groupby("year")["value"].sum()
    out = table[table["origin"] == "KAZ"].groupby("year")["value"].sum()
    made = {"immigration": into + rest, "emigration": out + rest}
    made["net_migration"] = made["immigration"] - made["emigration"]
    more = [
        {"location": "KAZ", "measure": measure, "year": year, "value": value}
        for measure, values in made.items()
        for year, value in values.items()
    ]
    return Panel.from_frame(pd.concat([Panel.from_frame(table).to_frame(), pd.DataFrame(more)]))


def drawn(outlook: Forecast, location: str, measure: str = "flow") -> np.ndarray:
    position = outlook.position(("user", location, measure))
    assert position is not None
    return outlook.draws.isel(series=position).to_numpy()


@pytest.fixture(scope="module")
def outlook() -> Forecast:
    model = Corridors(sampler=SMALL, on_failure="mark")
    return fc.forecast(Panel.from_frame(flows()), model, horizons=(2020, 2023), draws=200)


def test_every_corridor_is_forecast_and_no_count_is_negative(outlook: Forecast) -> None:
    assert len(outlook.keys) == 12
    values = outlook.draws.to_numpy()
    assert np.isfinite(values).all()
    assert (values >= 0).all()
    assert outlook.intervals(0.8)["destination"].isin(PLACES).all()


def test_zeros_stay_near_zero_and_short_corridors_say_what_they_rest_on(outlook: Forecast) -> None:
    assert np.median(drawn(outlook, "DEU:UZB")) <= 1
    assert drawn(outlook, "DEU:RUS").mean() > 50
    lines = outlook.intervals(0.8).drop_duplicates("location").set_index("location")["note"]
    assert "Rests on the model: 2 usable figures" in lines["UZB:DEU"]
    assert not lines.drop("UZB:DEU").str.contains("Rests on").any()


def test_every_table_says_what_rests_on_the_model(outlook: Forecast) -> None:
    for table in (outlook.intervals(), outlook.quantiles((0.1, 0.9)), outlook.to_frame("quantile")):
        rests = table.loc[table["note"].str.contains("Rests on the model"), "location"]
        assert set(rests) == {"UZB:DEU"}


def test_uncertainty_grows_with_the_horizon(outlook: Forecast) -> None:
    near, far = np.log1p(drawn(outlook, "DEU:RUS")).std(axis=0)
    assert 0.05 < near < far


@pytest.mark.thorough
def test_the_same_seed_gives_the_same_draws_and_another_one_others() -> None:
    panel = Panel.from_frame(flows()).select(origin="KAZ")
    model = Corridors(sampler=SHORT, on_failure="mark")
    one, same, other = (
        fc.forecast(panel, model, horizons=(2021,), draws=100, seed=seed).draws.to_numpy()
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("rest", [pytest.param(0.0, marks=pytest.mark.thorough), 40.0])
def test_corridors_add_up_to_arrivals_departures_and_net_in_every_draw(rest: float) -> None:
    table = flows()
    panel = with_totals(table, rest)
    model = Corridors(sampler=SHORT, on_failure="mark")
    outlook = fc.forecast(panel, model, horizons=(2020, 2022), draws=100)
    into = sum(drawn(outlook, f"{place}:KAZ") for place in PLACES if place != "KAZ")
    out = sum(drawn(outlook, f"KAZ:{place}") for place in PLACES if place != "KAZ")
    arrivals, departures = (drawn(outlook, "KAZ", m) for m in ("immigration", "emigration"))
    net = drawn(outlook, "KAZ", "net_migration")
    np.testing.assert_allclose(arrivals - departures, net, atol=1e-6)
    if rest:
        assert (arrivals - into >= -1e-6).all()
        assert np.median(arrivals - into) > 5
    else:
        np.testing.assert_allclose(into, arrivals, rtol=1e-9)
        np.testing.assert_allclose(out, departures, rtol=1e-9)
    assert outlook.draws.to_numpy()[:, [k[2] == "flow" for k in outlook.keys]].min() >= 0
    assert "Sum of corridors" in outlook.intervals()["note"].iloc[-1] or rest >= 0


def test_totals_smaller_than_their_corridors_are_not_tied_and_it_says_so() -> None:
    panel = with_totals(flows(), -30.0)
    model = Corridors(sampler=SHORT, on_failure="mark")
    notes = fc.forecast(panel, model, horizons=(2020,), draws=100).notes.set_index("measure")
    assert notes.loc["immigration", "status"] == "not forecast"
    assert "Not tied to its 3 corridors: they are more" in notes.loc["immigration", "reason"]


def test_proportional_fitting_meets_totals_of_both_ends_and_keeps_what_is_observed() -> None:
    generator = np.random.default_rng(1)
    draws = generator.gamma(2.0, size=(50, 6))
    draws[3, :2] = 0.0
    fixed = np.array([False, False, True, False, False, False])
    groups = [np.array([0, 1, 2]), np.array([1, 3, 4])]
    targets = draws[:, 2:3] + np.array([[4.0, 9.0]])
    fitted = totals.fit_to_totals(draws, fixed, groups, targets)
    for at, group in enumerate(groups):
        np.testing.assert_allclose(fitted[:, group].sum(axis=1), targets[:, at], rtol=1e-7)
    assert (fitted >= 0).all()
    assert np.array_equal(fitted[:, [2, 5]], draws[:, [2, 5]])


@pytest.mark.parametrize("pair", [("KAZ", "RUS"), ("DEU", "UZB")])
def test_one_corridor_alone_is_a_panel_too(pair: tuple[str, str]) -> None:
    panel = Panel.from_frame(flows()).select(origin=pair[0], destination=pair[1])
    model = Corridors(sampler=SHORT, on_failure="mark")
    values = fc.forecast(panel, model, horizons=(2021,), draws=100).draws.to_numpy()
    assert np.isfinite(values).all()


def test_hyperparameters_learn_from_some_and_all_are_forecast() -> None:
    panel = Panel.from_frame(flows())
    model = Corridors(sampler={**SHORT, "learned_from": 6}, on_failure="mark")
    fitted = model.fit(panel, 1)
    assert fitted.sources[0].posterior.learned_from == 6
    assert len(fitted.forecast((2020,), 100).keys) == 12


def test_series_that_end_earlier_start_earlier_and_periods_of_five_years_work() -> None:
    table = flows()
    late = (table["origin"] == "RUS") & (table["year"] > 2016)
    model = Corridors(sampler=SHORT, on_failure="mark")
    outlook = fc.forecast(Panel.from_frame(table[~late]), model, horizons=(2018, 2020), draws=100)
    assert np.isfinite(drawn(outlook, "RUS:KAZ")).all()
    assert np.isnan(drawn(outlook, "KAZ:UZB")[:, 0]).all()
    five = Panel.from_frame(flows(range(1990, 2020, 5)), step=5)
    assert fc.forecast(five, model, horizons=(2020,), draws=100).draws.shape == (100, 12, 1)


def test_nothing_after_the_origin_is_seen() -> None:
    table = flows()
    altered = table.assign(value=table["value"].where(table["year"] <= 2015, 7.0))
    model = Corridors(sampler=SHORT, on_failure="mark")
    one, other = (
        model.fit(Panel.from_frame(given).until(2015), 1).forecast((2017,), 100).draws.to_numpy()
        for given in (table, altered)
    )
    assert np.array_equal(one, other)


def test_a_population_makes_rates_and_its_growth_is_carried_on() -> None:
    table = flows().assign(population=lambda t: 1e6 * 1.05 ** (t["year"] - 2008))
    series = Panel.from_frame(table).series
    made = pair_flows(series, {})
    np.testing.assert_allclose(np.diff(made.offset, axis=0), np.log(1.05), rtol=1e-6)
    np.testing.assert_allclose(made.growth, np.log(1.05), rtol=1e-6)


def test_counts_on_the_log_scale_are_the_logarithm_where_they_are_large() -> None:
    counts = np.array([[1000.0, 0.0], [2000.0, 0.0], [np.nan, 1.0]])
    zero = np.zeros_like(counts)
    made = PairFlows(
        (("A", "B"), ("B", "A")), counts, zero, zero[0], np.arange(3), np.zeros((2, 5))
    )
    logs, variance = made.log_counts()
    np.testing.assert_allclose(logs[:2, 0], np.log([1000, 2000]), atol=1e-4)
    np.testing.assert_allclose(variance[:2, 0], [1 / 1000, 1 / 2000], rtol=0.02)
    assert logs[2, 0] == variance[2, 0] == 0
    # Zeros speak for a mean below one person, and not loudly.
    assert (logs[:2, 1] < np.log(0.5)).all()
    assert (variance[:2, 1] > 1).all()


def test_a_fit_that_misses_the_gate_is_refused() -> None:
    panel = Panel.from_frame(flows())
    with pytest.raises(FitError, match=r"corridors of user is refused: R-hat|effective sample"):
        Corridors(sampler=SHORT).fit(panel, 1)


def test_panels_without_flows_and_misspelt_settings_are_refused() -> None:
    with pytest.raises(TooShortError, match="ORIGIN:DESTINATION"):
        Corridors().fit(fc.load("merged-units"), 1)
    with pytest.raises(UnknownNameError, match="noise"):
        Corridors(priors={"noize": 0.1})


def test_the_pymc_model_names_its_parts() -> None:
    pytest.importorskip("pymc")
    model = Corridors().pymc_model(Panel.from_frame(flows()))
    assert {variable.name for variable in model.observed_RVs} == {"log_count"}
    assert list(model.coords["origin"]) == sorted(PLACES)
    assert "KAZ:RUS 2012" not in model.coords["figure"]
    assert "KAZ:RUS 2013" in model.coords["figure"]


@pytest.mark.parametrize("name", ["last-flow", "mean-flow", "share-flow", "gravity-flow"])
def test_baselines_forecast_every_corridor_with_widths_from_past_errors(name: str) -> None:
    panel = Panel.from_frame(flows())
    outlook = fc.forecast(panel, name, horizons=(2020, 2022), draws=200)
    assert len(outlook.keys) == 12
    values = outlook.draws.to_numpy()
    assert (values >= 0).all()
    spread = np.log1p(drawn(outlook, "DEU:RUS")).std(axis=0)
    assert (spread > 0.05).all()


def test_baselines_say_what_their_names_say() -> None:
    from forecast.models.corridors.baselines import LastFlow, MeanFlow, ShareFlow

    made = pair_flows(Panel.from_frame(flows()).series, {})
    at = made.pairs.index(("KAZ", "RUS"))
    assert LastFlow()._figures(made)[at] == made.counts[-1, at]
    assert MeanFlow()._figures(made)[at] == pytest.approx(np.nanmean(made.counts[:, at]))
    own = [k for k, pair in enumerate(made.pairs) if pair[0] == "KAZ"]
    total = made.counts[-3:, own].sum(axis=1)
    share = made.counts[-1, at] / total[-1]
    assert ShareFlow()._figures(made)[at] == pytest.approx(share * total.mean())


RULES_OF_DRAWS = {"largest_multiple": 20.0, "largest_share": 0.02}
RULES = {"alike": 1.5, "pseudo_cases": 50.0}


@pytest.mark.parametrize(("true", "low", "high"), [(1.0, 0.93, 1.07), (0.6, 0.55, 0.72)])
def test_factors_make_past_intervals_hold_what_they_promise(
    true: float, low: float, high: float
) -> None:
    generator = np.random.default_rng(4)
    drawn = np.expm1(6.0 + generator.normal(size=(4000, 1)))
    outcome = np.expm1(6.0 + true * generator.normal(size=2000))
    drawn = np.broadcast_to(np.log1p(drawn), (4000, 2000))
    ratios = ensemble_widths.ratios(drawn, np.log1p(outcome))
    sizes = generator.uniform(2.0, 9.0, 2000)
    made = ensemble_widths.fitted(sizes, ratios, np.linspace(2.0, 9.0, 30), RULES)
    assert ((low < made.factor) & (made.factor < high)).all()
    # A handful of cases leaves intervals nearly as they were.
    few = ensemble_widths.fitted(sizes[:3], ratios[:3], np.array([5.0]), RULES)
    assert (np.abs(few.factor - 1.0) < 0.1).all()
    # What counts for nothing says nothing: then made-up cases alone decide.
    none = ensemble_widths.fitted(sizes, ratios, np.array([5.0]), RULES, 0.0 * sizes, 0.9)
    np.testing.assert_allclose(none.factor, 0.9, rtol=1e-3)


def test_intervals_are_stretched_to_where_factors_say_and_draws_keep_their_ranks() -> None:
    generator = np.random.default_rng(6)
    counts = np.rint(np.exp(9.0 + 0.5 * generator.normal(size=(2000, 3))))
    factor = np.array([[0.8, 1.0, 1.3], [0.5, 0.6, 0.7]])
    learned = ensemble_widths.Widths(np.array([5.0, 9.0]), factor, 100)
    made = widths.stretched(learned, counts, np.array([1, 9, 12.0]))
    np.testing.assert_allclose(np.median(made, axis=0), np.median(counts, axis=0), rtol=1e-3)
    for at, own in enumerate((factor[0], factor[1], factor[1])):
        for level, by in zip(ensemble_widths.CENTRAL, own):
            ends = [0.5 - level / 2, 0.5 + level / 2]
            before, after = (
                np.quantile(np.log1p(one[:, at]), [0.5, *ends]) for one in (counts, made)
            )
            np.testing.assert_allclose(
                after[1:] - after[0], by * (before[1:] - before[0]), rtol=0.02
            )
        order = np.argsort(counts[:, at], kind="stable")
        assert (np.diff(made[order, at]) >= 0).all()


def test_widths_are_learned_where_the_past_is_long_enough_and_shown() -> None:
    model = Corridors(sampler=SHORT, on_failure="mark")
    fit = model.fit(Panel.from_frame(flows()), 1)
    table = fit.widths
    assert list(table) == ["source", "persons", "level", "factor", "cases"]
    assert set(table["level"]) == {0.5, 0.8, 0.95}
    assert table["cases"].unique() == [3 * 11 + 1]
    late = flows()[lambda table: table["year"] >= 2017]
    assert model.fit(Panel.from_frame(late), 1).widths.empty


def test_hindcasts_see_nothing_after_their_origin() -> None:
    table = flows()
    early = table[table["origin"] + table["destination"] != "UZBDEU"]
    made = pair_flows(Panel.from_frame(early).series, {})
    later = made.counts.copy()
    later[9:] = 7.0
    past, altered = made.until(9), dataclasses.replace(made, counts=later).until(9)
    for name in ("counts", "offset", "growth", "log_mean", "log_size"):
        np.testing.assert_array_equal(getattr(past, name), getattr(altered, name))
    assert (past.bounds(RULES_OF_DRAWS) == altered.bounds(RULES_OF_DRAWS)).all()
