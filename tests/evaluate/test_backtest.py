"""The verb: what a fold sees, what the table holds, and that nothing depends on the order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast.contract import Model
from forecast.errors import DataError, FitError, UnknownNameError
from forecast.hindcast.columns import COLUMNS, IN_PERSONS, NOT_COUNTED, ROW, SCORED
from forecast.hindcast.jobs import Job, forecast, run
from forecast.hindcast.scoring import Scored, Scores
from forecast.hindcast.vintages import Origin, Outcomes, seen
from forecast.models.coherent import Coherent
from forecast.models.corridors.model import Corridors
from forecast.models.ensemble.model import Ensemble, Seasonal
from forecast.models.gross_flows.model import Flows
from forecast.models.registry import REGISTRY
from forecast.models.registry import model as find_model
from forecast.panel import Panel

#: The columns of the design's contract, which others rely on.
CONTRACT = [
    *("horizon", "observed", "median", "crps", "wis", "interval_score_80", "interval_score_95"),
    *("inside_50", "inside_80", "inside_95", "pit", "absolute_error", "scaled_error"),
]
SHIPPED = sorted(name for name in REGISTRY if isinstance(REGISTRY[name], str))
Walks = Callable[..., Panel]


def fold(scores: Scores, model: str | Model, known: Panel, draws: int, seed: int) -> Job[Scored]:
    return Job(find_model(model), known, scores.years, draws, scores.seed(seed), scores)


def same(first: pd.DataFrame, second: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_the_score_table_keeps_its_contract(walks: Walks) -> None:
    track = fc.backtest(walks(), ["naive", "ets"], range(2010, 2014), (1, 3), draws=200)
    assert list(track.table.columns) == list(COLUMNS)
    assert set(CONTRACT) <= set(COLUMNS)
    assert not track.table.duplicated(list(ROW)).any()
    assert len(track.table) == 2 * 3 * 4 * 2
    assert (track.table["year"] == track.table["origin"] + track.table["horizon"]).all()
    assert (track.table["status"] == SCORED).all()
    assert track.table[[*CONTRACT]].notna().all().all()
    assert {str(kind) for kind in track.table.dtypes} <= {
        "str",
        "int64",
        "Int64",
        "bool",
        "float64",
    }
    assert {"energy_score", "variogram_score"} <= set(track.joint.columns)
    assert len(track.joint) == 2 * 4 * 2


def test_every_column_is_explained_on_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "backtests.md").read_text(encoding="utf-8")
    key = "`model, location, measure, source, origin, as_of, year`"
    assert key in page
    missing = [name for name in COLUMNS if name not in ROW and f"`{name}`" not in page]
    assert missing == []


#: Models of accounts, which need gross flows and regions to say anything.
ACCOUNTS = ("flows", "internal", "coherent")
QUICK = {"chains": 2, "warm_up": 100, "kept": 100, "farthest": 4}
SWEEPS = {"chains": 2, "warm_up": 20, "kept": 20, "most": 20, "paths": 20, "settling": 5}
#: With short chains, and ensembles that look back on few origins.
SMALL: dict[str, Callable[[], Model]] = {
    "flows": lambda: Flows(sampler=QUICK, on_failure="mark"),
    "coherent": lambda: Coherent(flows=Flows(sampler=QUICK, on_failure="mark")),
    "corridors": lambda: Corridors(sampler=SWEEPS, on_failure="mark"),
    "ensemble": lambda: Ensemble(settings={"history": {"origins": 4}}),
    "seasonal": lambda: Seasonal(settings={"history": {"origins": 3}}),
}
#: Whose own settings take many seconds.
THOROUGH = ("corridors", "ensemble", "seasonal")


#: From numbers of years of the walks to months that end in December 2023.
MONTHS = 12 * 2024 - 1 - 2023


def panel_for(name: str, walks: Walks) -> Panel:
    """Figures that a model has something to say of, enough for models that learn from all."""
    if name in ACCOUNTS:
        sources = ["kz-bns", "kg-nsc", "uz-stat", "kz-bns-balance"]
        return fc.load("central-asia").select(source=sources)
    if name == "corridors" or name.endswith("-flow"):
        made = walks(n_years=30, n_locations=5).figures
        there = made["location"].str.cat(["UZB" if code == "KAZ" else "KAZ" for code in
                                          made["location"]], sep=":")  # fmt: skip
        return Panel.from_frame(
            made.assign(location=there, measure="flow", value=made["value"].abs() + 10.0)
        )
    if name.startswith("seasonal"):
        made = walks(n_years=72, n_locations=3).figures
        value = made["value"].abs() + 1e4 * (1.2 + np.sin(made["year"] * np.pi / 6))
        return Panel.from_frame(
            made.assign(measure="immigration", value=value.round(), year=made["year"] + MONTHS),
            frequency="month",
        )
    return walks(n_years=30, n_locations=5)


@pytest.mark.parametrize("name", SHIPPED)
def test_figures_after_the_origin_change_no_forecast_by_one_bit(name: str, walks: Walks) -> None:
    unchanged_by_the_future(name, SMALL[name]() if name in SMALL else name, walks)


@pytest.mark.thorough
@pytest.mark.parametrize("name", THOROUGH)
def test_nor_do_they_with_the_settings_that_are_shipped(name: str, walks: Walks) -> None:
    unchanged_by_the_future(name, name, walks)


def unchanged_by_the_future(name: str, model: str | Model, walks: Walks) -> None:
    panel = panel_for(name, walks)
    origin = Origin(2014 if panel.frequency == "year" else panel.origin - 9)
    table = panel.figures
    later = table["year"] > origin.year
    altered = table.copy()
    altered.loc[later, "value"] = altered.loc[later, "value"] * -3 + 12_345
    counts = altered["measure"].isin(["immigration", "emigration", "flow"])
    altered.loc[later & counts, "value"] = altered.loc[later & counts, "value"].abs()
    altered.loc[later, "population"] *= 7
    altered.loc[later, "flag"] = "break"
    altered.loc[later, "precision"] = 100.0
    without = table[~later].reset_index(drop=True)
    drawn = []
    for figures in (table, altered, without):
        changed = Panel.from_frame(figures, frequency=panel.frequency)
        # Targets are made from the true panel each time: the model never reads them.
        scores = Scores(name, origin.year, "", Outcomes(panel).targets(origin, (1, 4)), joint=False)
        drawn.append(forecast(fold(scores, model, seen(changed, origin, None), 200, 1)))
    drawn = [outlook.paths.to_numpy() for _, outlook in drawn]
    assert np.isfinite(drawn[0]).any()
    np.testing.assert_array_equal(drawn[0], drawn[1])
    np.testing.assert_array_equal(drawn[0], drawn[2])


def test_the_whole_backtest_forecasts_the_same_whatever_comes_after(walks: Walks) -> None:
    table = walks(n_years=24).to_frame()
    altered = table.copy()
    altered.loc[altered["year"] > 2012, "value"] *= -5
    altered.loc[altered["year"] > 2012, "flag"] = "outlier"
    tracks = [
        fc.backtest(Panel.from_frame(figures), ["naive", "arima"], [2011, 2012], (1, 2), draws=100)
        for figures in (table, altered)
    ]
    forecast_columns = ["median", "lower_50", "upper_50", "lower_95", "upper_95", "scale"]
    same(*(track.table[[*ROW, *forecast_columns]] for track in tracks))
    assert (tracks[0].table["crps"] != tracks[1].table["crps"]).any()


def test_a_fold_is_shown_nothing_after_its_origin(walks: Walks) -> None:
    origins = []

    class Spy:
        name = "spy"

        def fit(self, panel: Panel, seed: int) -> object:
            table = panel.to_frame()
            origins.append((int(table["year"].min()), int(table["year"].max())))
            raise DataError("only looking.")

    fc.backtest(walks(), [Spy()], [2008, 2012], (1,), draws=100)
    assert origins == [(1994, 2008), (1994, 2012)]
    origins.clear()
    fc.backtest(walks(), [Spy()], [2008, 2012], (1,), draws=100, window=10)
    assert origins == [(1999, 2008), (2003, 2012)]


@pytest.mark.thorough
def test_results_do_not_depend_on_company_order_or_processes(walks: Walks) -> None:
    panel = walks()
    options = {"origins": range(2010, 2013), "horizons": (1, 2), "draws": 150}
    whole = fc.backtest(panel, ["naive", "ets", "structural"], **options)
    alone = fc.backtest(panel, ["ets"], **options)
    same(whole.select(model="ets").table, alone.table)
    turned = fc.backtest(panel, ["structural", "ets", "naive"], **options)
    same(whole.select(model="naive").table, turned.select(model="naive").table)
    processes = fc.backtest(panel, ["naive", "ets", "structural"], jobs=2, **options)
    same(whole.table, processes.table)
    same(whole.joint, processes.joint)
    fewer = fc.backtest(panel.select(location="KGZ"), ["ets"], **options)
    same(alone.select(location="KGZ").table, fewer.table)
    other = fc.backtest(panel, ["ets"], **options, seed=2)
    assert not np.array_equal(other.table["crps"], alone.table["crps"])


def test_a_model_that_raises_costs_its_own_fold_only(walks: Walks, breaks_in: type) -> None:
    panel = walks()
    models = ["naive", breaks_in(2011)]
    track = fc.backtest(panel, models, range(2010, 2013), (1, 3), draws=100)
    assert set(track.failures["origin"]) == {2011}
    assert len(track.failures) == 3 * 2
    assert track.failures["reason"].unique().tolist() == [
        "ZeroDivisionError: no year is like this one"
    ]
    assert track.failures["crps"].isna().all()
    good = fc.backtest(panel, ["naive"], range(2010, 2013), (1, 3), draws=100)
    same(track.select(model="naive").table, good.table)
    assert track.missing["forecasts"].tolist() == [6]
    # Comparisons only use what both forecast.
    assert track.skill()["forecasts"].tolist() == [6, 6]
    assert track.summary()["forecasts"].tolist() == [6, 6, 6, 6]
    with pytest.raises(FitError, match="no year is like this one"):
        fc.backtest(panel, models, range(2010, 2013), (1, 3), draws=100, strict=True)


def test_short_and_late_series_are_rows_with_a_reason(walks: Walks) -> None:
    table = walks().to_frame()
    late = (table["location"] == "KGZ") & (table["year"] < 2009)
    track = fc.backtest(Panel.from_frame(table[~late]), ["naive"], [2007, 2010], (1, 3), draws=100)
    kyrgyz = track.select(location="KGZ").table
    assert kyrgyz["status"].tolist() == ["not forecast"] * 3
    assert "no figures of this series up to the origin" in kyrgyz["reason"].iloc[0]
    assert "2 usable observed years" in kyrgyz["reason"].iloc[2]
    assert (track.select(location="KAZ").table["status"] == SCORED).all()


def test_gaps_and_lagging_series_keep_two_horizons(walks: Walks) -> None:
    table = walks().to_frame()
    lost = (table["location"] == "KAZ") & table["year"].isin([2010, 2012])
    track = fc.backtest(Panel.from_frame(table[~lost]), ["naive"], [2010], (1, 2, 3), draws=100)
    kazakh = track.select(location="KAZ").table
    assert kazakh["year"].tolist() == [2011, 2013]
    assert kazakh["information_origin"].tolist() == [2009, 2009]
    assert kazakh["information_horizon"].tolist() == [2, 4]
    assert kazakh["horizon"].tolist() == [1, 3]


def test_figures_beyond_a_break_are_scored_but_not_counted(walks: Walks) -> None:
    table = walks().to_frame()
    here = table["location"] == "KAZ"
    table.loc[here & (table["year"] == 2012), "flag"] = "break"
    table.loc[here & (table["year"] == 2011), "flag"] = "interpolated;provisional"
    track = fc.backtest(Panel.from_frame(table), ["naive"], [2010, 2012], (1, 2, 3), draws=100)
    kazakh = track.select(location="KAZ").table.set_index(["origin", "year"])
    early = kazakh.loc[2010]
    assert early["status"].tolist() == [NOT_COUNTED] * 3
    assert "interpolated" in early.loc[2011, "reason"]
    assert "2012" in early.loc[2013, "reason"]
    assert early["crps"].notna().all()
    # After the break nothing is left out, but four years are too few to fit.
    assert (kazakh.loc[2012]["status"] != NOT_COUNTED).all()


def test_refit_every_second_origin_looks_further_ahead(walks: Walks) -> None:
    panel = walks()
    track = fc.backtest(panel, ["naive"], range(2010, 2014), (1, 2), draws=100, refit=2)
    kazakh = track.select(location="KAZ").table
    assert kazakh["information_origin"].tolist() == [2010, 2010, 2010, 2010, 2012, 2012, 2012, 2012]
    assert kazakh["information_horizon"].tolist() == [1, 2, 2, 3, 1, 2, 2, 3]
    fitted = fc.backtest(panel, ["naive"], [2010], (1, 2), draws=100).table
    first = track.table[track.table["origin"] == 2010].reset_index(drop=True)
    np.testing.assert_array_equal(first["observed"], fitted["observed"])


def test_draws_that_are_not_finite_fail_alone(walks: Walks, normal: type) -> None:
    track = fc.backtest(walks(), [normal(spread=np.inf)], [2010], (1,), draws=100)
    assert (track.table["status"] != SCORED).all()
    assert track.table["reason"].str.contains("not finite|no forecast").all()


def test_scores_are_those_of_the_draws(walks: Walks) -> None:
    panel = walks()
    track = fc.backtest(panel, ["naive"], [2012], (2,), draws=300, seed=9)
    scores = Scores("naive", 2012, "", Outcomes(panel).targets(Origin(2012), (2,)), joint=True)
    job = fold(scores, "naive", panel.until(2012), 300, 9)
    outlook = forecast(job)[1]
    row = track.select(location="TJK").table.iloc[0]
    drawn = outlook.sample(location="TJK", measure="net_migration", year=2014)
    assert row["median"] == pytest.approx(np.median(drawn))
    assert row["inside_80"] == (row["lower_80"] <= row["observed"] <= row["upper_80"])
    known = panel.until(2012).select(location="TJK").series[0].values
    assert row["scale"] == pytest.approx(np.abs(np.diff(known)).mean())
    assert row["scaled_error"] == pytest.approx(row["absolute_error"] / row["scale"])
    same(run(job).table, track.table)


def test_rates_are_persons_over_population(walks: Walks) -> None:
    track = fc.backtest(walks(), ["naive", "ets"], range(2010, 2014), (1,), draws=100)
    rates, persons = track.summary(["model", "location"], per="1000"), track.table
    row = persons[(persons["model"] == "ets") & (persons["location"] == "KAZ")]
    expected = (row["crps"] / row["population"] * 1000).mean()
    made = rates[(rates["model"] == "ets") & (rates["location"] == "KAZ")]["crps"]
    assert made.iloc[0] == pytest.approx(expected)
    weighted = track.summary(["model"], average="weighted").set_index("model").loc["ets", "crps"]
    ets = persons[persons["model"] == "ets"]
    assert weighted == pytest.approx(np.average(ets["crps"], weights=ets["population"]))
    median = track.summary(["model"], average="median").set_index("model").loc["ets", "crps"]
    assert median == pytest.approx(ets["crps"].median())
    assert set(IN_PERSONS) <= set(COLUMNS)


@pytest.mark.thorough
def test_everything_that_can_be_asked_of_a_track(walks: Walks, tmp_path: object) -> None:
    track = fc.backtest(walks(), ["naive", "ets", "mean"], range(2004, 2020), (1, 3), draws=200)
    assert set(track.skill()["model"]) == {"ets", "mean"}
    compared = track.compare("ets", "mean", per="scale")
    assert compared["horizon"].tolist() == [1, 3]
    assert (compared["p_value_holm"] >= compared["p_value_cautious"]).all()
    by_series = track.compare("ets", "naive", by=["location"])
    assert len(by_series) == 6
    verdicts = track.verdicts()
    assert len(verdicts) == 2 * 3 * 2
    assert verdicts["reason"].str.endswith(".").all()
    assert len(track.forecastability()) == 2 * 3
    calibration = track.calibration(by=["model", "shock"])
    assert set(calibration["level"]) == {0.5, 0.8, 0.95}
    assert track.pit(bins=5)["density"].groupby(track.pit(bins=5)["model"]).mean().eq(1).all()
    surprises = track.surprises("mean")
    assert (surprises["excess"] > 0).all()
    assert surprises["excess"].is_monotonic_decreasing
    assert {"energy_score", "variogram_score"} <= set(track.joint_summary().columns)
    assert "3 series, 16 origins" in repr(track)
    track.save(tmp_path / "track")  # type: ignore[operator]
    again = fc.Track.open(tmp_path / "track")  # type: ignore[operator]
    same(again.table, track.table)
    same(again.joint, track.joint)
    assert again.settings == track.settings


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"models": []}, "give a list such as"),
        ({"models": "naive"}, "give a list such as"),
        ({"models": ["nave"]}, "Did you mean: naive"),
        ({"models": ["naive", "naive"]}, "two models are called 'naive'"),
        ({"origins": [2023]}, "nothing to score"),
        ({"origins": [1900]}, "nothing to see"),
        ({"origins": ["2010-01-01"]}, "give calendar years"),
        ({"origins": "2010"}, "give calendar years"),
        ({"origins": []}, "range of origins is empty"),
        ({"horizons": (2025, 2030)}, "Calendar years belong to forecast"),
        ({"horizons": (0,)}, "from 1 to 50"),
        ({"horizons": ()}, "give years ahead"),
        ({"draws": 10}, "100 or above"),
        ({"seed": -1}, "0 or above"),
        ({"window": 1}, "2 or above"),
        ({"refit": 0}, "1 or above"),
        ({"vintage": "now"}, "as_published"),
        ({"vintage": "as_published"}, "needs release dates"),
        ({"engine": "spark"}, "local"),
        ({"jobs": 0}, "number of processes"),
        ({"scheduler": "tcp://nowhere:1"}, "engine='dask'"),
    ],
)
def test_what_cannot_be_done_is_said_before_any_work(
    walks: Walks, change: dict[str, object], message: str
) -> None:
    asked: dict[str, object] = {"models": ["naive"], "origins": [2010], "horizons": (1,)}
    with pytest.raises((DataError, UnknownNameError), match=message):
        fc.backtest(walks(n_locations=1), **(asked | change))  # type: ignore[arg-type]
    with pytest.raises(DataError, match="needs a Panel"):
        fc.backtest("central-asia")  # type: ignore[arg-type]


def test_one_origin_and_one_horizon_need_no_list(walks: Walks) -> None:
    panel = walks(n_locations=1)
    listed = fc.backtest(panel, ["naive"], [2018], (2,), draws=100)
    same(fc.backtest(panel, ["naive"], 2018, 2, draws=100).table, listed.table)


def test_questions_that_have_no_answer_say_so(walks: Walks) -> None:
    track = fc.backtest(walks(n_locations=1), ["naive"], range(2010, 2012), (1,), draws=100)
    with pytest.raises(UnknownNameError, match="model in this backtest"):
        track.skill(versus="ets")
    with pytest.raises(DataError, match="no other model"):
        track.skill()
    with pytest.raises(UnknownNameError, match="column of the score table"):
        track.summary(by=["country"])
    with pytest.raises(DataError, match="cannot be compared with itself"):
        track.compare("naive", "naive")
    with pytest.raises(DataError, match="no joint scores"):
        track.joint_summary()
    with pytest.raises(UnknownNameError, match="unit"):
        track.summary(per="percent")  # type: ignore[arg-type]


def test_joint_scores_of_releases_that_share_a_forecast_stay_apart() -> None:
    generator = np.random.default_rng(4)
    walks = {place: np.cumsum(generator.normal(0, 1000, 30)) for place in ("DEU", "FRA", "ITA")}
    days = {"2015-03-01": 2014, "2015-09-01": 2014, "2017-03-01": 2016, "2019-03-01": 2018}
    table = pd.DataFrame(
        [
            ("s", place, "net_migration", 1990 + at, value, 8e6, day)
            for place, walk in walks.items()
            for day, last in days.items()
            for at, value in enumerate(walk)
            if 1990 + at <= last
        ],
        columns=["source", "location", "measure", "year", "value", "population", "as_of"],
    )
    track = fc.backtest(
        Panel.from_frame(table), ["naive"], horizons=(1, 2), draws=100,
        vintage="as_published", refit=2, jobs=1,
    )  # fmt: skip
    assert set(track.joint["locations"]) == {3}
    scored = track.table[track.table["status"] == "scored"]
    assert set(track.joint["as_of"]) == set(scored["as_of"])
