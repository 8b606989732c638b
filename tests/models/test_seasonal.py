"""Seasonal models: parity with statsmodels, outliers, gaps, zeros, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast.errors import DataError, TooShortError
from forecast.models.registry import model
from forecast.models.seasonal import linear, models, shape
from forecast.models.seasonal.levels import means
from forecast.models.seasonal.shape import seasonally_prepared
from forecast.models.series import representation as one_by_one
from forecast.models.series import statespace

SINGLE = (
    "seasonal-naive", "seasonal-ets", "seasonal-components", "seasonal-arima", "seasonal-theta",
)  # fmt: skip
ALL = (*SINGLE, "seasonal-pooled")
SEASON = 0.3 * np.sin(np.arange(12) * np.pi / 6)


def table(
    places: int = 6, size: int = 72, measure: str = "immigration", seed: int = 1, noise: float = 0.1
) -> pd.DataFrame:
    """Counts with a common season, levels that walk, and noise."""
    generator = np.random.default_rng(seed)
    texts = [str(one) for one in pd.period_range("2016-01", periods=size, freq="M")]
    rows = []
    for code in ("KAZ", "KGZ", "UZB", "TJK", "TKM", "RUS", "DEU", "POL")[:places]:
        level = 6.0 + generator.normal() + np.cumsum(generator.normal(0, 0.03, size))
        value = np.exp(level + SEASON[np.arange(size) % 12] + generator.normal(0, noise, size))
        rows.append(
            pd.DataFrame(
                {"location": code, "measure": measure, "period": texts, "value": value.round()}
            )
        )
    return pd.concat(rows, ignore_index=True)


@pytest.fixture(scope="module")
def panel() -> fc.Panel:
    return fc.Panel.from_frame(table())


@pytest.mark.parametrize("name", ALL)
def test_every_model_forecasts_the_season(panel: fc.Panel, name: str) -> None:
    outlook = fc.forecast(panel, name, draws=400)
    values = outlook.paths.transpose("draw", "series", "year").to_numpy()
    assert values.shape == (400, 6, 24)
    assert np.isfinite(values).all()
    assert (values >= 0).all()
    middle = np.log(np.median(values, axis=0)[:, :12])
    away = middle - middle.mean(axis=1, keepdims=True)
    assert np.corrcoef(away.mean(axis=0), SEASON)[0, 1] > 0.95
    # Later months are less certain, or as uncertain.
    spread = np.quantile(np.log1p(values), 0.9, axis=0) - np.quantile(np.log1p(values), 0.1, axis=0)
    assert (spread[:, 12:].mean(axis=1) > 0.9 * spread[:, :3].mean(axis=1)).all()


@pytest.mark.parametrize("name", ALL)
def test_the_same_seed_gives_the_same_draws_and_company_changes_no_single_series(
    panel: fc.Panel, name: str
) -> None:
    first = fc.forecast(panel, name, draws=100)
    assert first.paths.equals(fc.forecast(panel, name, draws=100).paths)
    assert not first.paths.equals(fc.forecast(panel, name, draws=100, seed=2).paths)
    if model(name).separate:
        alone = fc.forecast(panel.select(location="UZB"), name, draws=100)
        own = first.paths.isel(series=first.keys.index(alone.keys[0]))
        assert alone.paths.isel(series=0).to_numpy().tobytes() == own.to_numpy().tobytes()


@pytest.mark.parametrize("name", ALL)
def test_nothing_after_the_origin_is_seen(name: str) -> None:
    figures = table()
    known = fc.Panel.from_frame(figures).until("2020-12")
    later = figures["period"] > "2020-12"
    changed = fc.Panel.from_frame(figures.assign(value=figures["value"].where(~later, 7.0)))
    first = fc.forecast(known, name, draws=100)
    assert first.paths.equals(fc.forecast(changed.until("2020-12"), name, draws=100).paths)


@pytest.mark.parametrize("name", ALL)
def test_an_outlier_in_the_last_month_hardly_moves_the_middle(name: str) -> None:
    if name == "seasonal-naive":
        pytest.skip("last year is repeated, whatever it was")
    figures = table(noise=0.05)
    last = (figures["period"] == "2021-12") & (figures["location"] == "KAZ")
    wild = figures.assign(value=figures["value"].where(~last, figures["value"] * 12))
    middles = []
    for one in (figures, wild):
        outlook = fc.forecast(fc.Panel.from_frame(one), name, draws=400)
        own = outlook.paths.isel(series=outlook.keys.index(("user", "KAZ", "immigration")))
        middles.append(np.median(np.log1p(own.to_numpy()), axis=0))
    assert np.abs(middles[1] - middles[0])[:12].mean() < 0.35


@pytest.mark.parametrize("name", ALL)
def test_gaps_and_zeros_are_allowed(name: str) -> None:
    figures = table()
    gap = figures["period"].isin(["2018-03", "2019-07", "2019-08", "2021-11"])
    zero = (figures["location"] == "TJK") & (figures.index % 3 == 0)
    holed = figures.assign(value=figures["value"].where(~zero, 0.0).where(~gap))
    outlook = fc.forecast(fc.Panel.from_frame(holed), name, draws=100)
    assert len(outlook.keys) == 6
    assert np.isfinite(outlook.paths.to_numpy()).all()


@pytest.mark.parametrize("name", ALL)
def test_quarters_half_years_and_nets_are_forecast(name: str) -> None:
    months = fc.Panel.from_frame(table(size=120))
    for frequency, ahead in (("quarter", 8), ("half-year", 4)):
        outlook = fc.forecast(months.by(frequency), name, draws=100)
        assert outlook.paths.sizes["year"] == ahead
    figures = table(measure="net_migration")
    net = fc.Panel.from_frame(figures.assign(value=figures["value"] - 600))
    drawn = fc.forecast(net, name, draws=100).paths.to_numpy()
    assert np.isfinite(drawn).all()
    assert (drawn < 0).any()


@pytest.mark.parametrize("name", [*ALL, "seasonal"])
def test_figures_by_year_are_refused(name: str) -> None:
    yearly = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    with pytest.raises(DataError, match=rf"'{name}' forecasts months.*by year.*'ensemble'"):
        fc.forecast(yearly, name, draws=100)


def test_what_is_too_short_says_how_much_is_needed() -> None:
    short = fc.Panel.from_frame(table(places=1, size=20))
    with pytest.raises(TooShortError, match="20 usable months; at least 26 are needed"):
        fc.forecast(short, "seasonal-ets", draws=100)
    with pytest.raises(TooShortError, match=r"1 series on the scale 'log' are too few"):
        fc.forecast(short, "seasonal-pooled", draws=100)


def test_smoothing_has_the_likelihood_of_statsmodels() -> None:
    """The nodes are statsmodels' own matrices; so is what the filter makes of a series."""
    from statsmodels.tsa.statespace.exponential_smoothing import ExponentialSmoothing

    nodes = models.smoothing(4)
    values = np.random.default_rng(5).normal(size=40).cumsum() + np.tile([1.0, 0.0, -1.0, 0.0], 10)
    known = statespace.condition(nodes, values, np.zeros(40, dtype=bool))
    theirs = ExponentialSmoothing(
        values - values[0], trend=True, damped_trend=True, seasonal=4,
        initialization_method="known", initial_level=0.0, initial_trend=0.0,
        initial_seasonal=np.zeros(4),
    )  # fmt: skip
    diffuse = statespace.DIFFUSE * np.diag(nodes.diffuse.astype(float))
    for node in (0, 17, len(nodes.design) - 1):
        names = ("smoothing_level", "smoothing_trend", "smoothing_seasonal", "damping")
        vector = [float(nodes.parameters[name][node]) for name in names]
        theirs.update(np.array(vector))
        theirs.ssm.initialize_known(np.zeros(len(diffuse)), nodes.initial[node] + diffuse)
        filtered = theirs.ssm.filter()
        squares = filtered.forecasts_error[0] ** 2 / filtered.forecasts_error_cov[0, 0]
        logs = np.log(filtered.forecasts_error_cov[0, 0])
        used = slice(int(nodes.diffuse.sum()), None)
        n = len(squares[used])
        variance = squares[used].mean()
        want = -0.5 * (n * (np.log(2 * np.pi * variance) + 1) + logs[used].sum())
        assert known.log_likelihood[node] == pytest.approx(want, rel=1e-6)


def test_one_linear_map_is_the_filter_step_by_step() -> None:
    values = np.random.default_rng(6).normal(size=60).cumsum()
    no, none = np.zeros(60, dtype=bool), np.zeros(60)
    for nodes in (models.walk(12), models.smoothing(12), models.components(12)):
        at_once = linear.condition(nodes, values, none, no, 0.01, (0.95, 1.0))
        stepwise = statespace.condition(nodes, values, no, 0.01, (0.95, 1.0))
        np.testing.assert_allclose(at_once.weights, stepwise.weights, atol=1e-7)
        np.testing.assert_allclose(at_once.state, stepwise.state, atol=1e-6)
        first = linear.simulate(at_once, 18, 4000, np.random.default_rng(1))
        second = one_by_one.simulate(stepwise, 18, 4000, np.random.default_rng(2))
        levels = [0.1, 0.5, 0.9]
        away = np.quantile(first, levels, axis=0) - np.quantile(second, levels, axis=0)
        assert np.abs(away).max() < 0.15 * second.std(axis=0).max()


def test_season_and_outlier_are_told_apart() -> None:
    generator = np.random.default_rng(2)
    parts = np.arange(96) % 12
    values = 5 + 0.01 * np.arange(96) + SEASON[parts] + generator.normal(0, 0.03, 96)
    values[40] += 3.0
    found = shape.decompose(values, parts, 12)
    np.testing.assert_allclose(found.effects, SEASON - SEASON.mean(), atol=0.06)
    assert abs(found.cleaned[40] - (values[40] - 3.0)) < 0.3
    untouched = np.delete(np.arange(96), 40)
    assert np.abs(found.cleaned - values)[untouched].max() < 0.1


def test_uncertain_seasons_are_drawn_to_the_group_and_certain_ones_are_not() -> None:
    generator = np.random.default_rng(4)
    own = SEASON - SEASON.mean() + generator.normal(0, 0.1, (30, 12))
    own -= own.mean(axis=1, keepdims=True)
    errors = np.repeat(np.array([[0.01], [0.6]]), 15, axis=0) * np.ones((30, 12))
    seen = own + errors * generator.standard_normal((30, 12))
    seen -= seen.mean(axis=1, keepdims=True)
    shrunk, left, group = shape.pool(seen, errors, 5)
    assert np.abs(group - SEASON).max() < 0.15
    assert np.abs(shrunk[:15] - seen[:15]).max() < 0.05
    assert np.abs(shrunk[15:] - own[15:]).mean() < 0.3 * np.abs(seen[15:] - own[15:]).mean()
    assert (left[15:] > left[:15].max()).all()
    np.testing.assert_allclose(shrunk.sum(axis=1), 0, atol=1e-9)


def test_running_means_need_half_of_their_steps() -> None:
    made = means(np.array([[1.0, np.nan, 3.0, 5.0, np.nan, np.nan, np.nan]]), 3)
    np.testing.assert_array_equal(made[0, 2:5], [2.0, 4.0, 4.0])
    assert np.isnan(made[0, [5, 6]]).all()


def test_a_series_is_prepared_with_what_outliers_exceed() -> None:
    series = fc.Panel.from_frame(table(places=1)).series[0]
    made = seasonally_prepared(series)
    np.testing.assert_allclose(made.values + made.excess, np.log1p(series.values))
    assert made.parts_ahead(3).tolist() == [0, 1, 2]


def test_the_default_of_months_is_the_seasonal_ensemble() -> None:
    panel = fc.Panel.from_frame(table(places=3, size=60))
    small = {"history": {"origins": 3, "draws": 100}}
    from forecast.models.ensemble.model import Seasonal

    two = Seasonal(["seasonal-naive", "seasonal-ets"], settings=small)
    outlook = fc.forecast(panel, two, ("2021-06",), draws=100)
    assert outlook.explanation is not None
    fitted = fc.forecast.__globals__["find_model"]("ensemble").fit(panel, 1)
    assert fitted.model.labels == list(ALL)
    assert fitted.model.name == "ensemble"


def test_backtests_of_months_count_changes_from_a_year_before() -> None:
    panel = fc.Panel.from_frame(table(places=2, size=60))
    two = ["seasonal-naive", "seasonal-ets"]
    track = fc.backtest(panel, two, ["2019-06", "2020-03"], draws=100)
    assert sorted(set(track.table["horizon"])) == [1, 3, 6, 12]
    assert track.reference == "seasonal-naive"
    row = track.table[track.table["location"] == "KAZ"].iloc[0]
    values = panel.series[0].until(int(row["origin"])).values
    assert row["scale"] == pytest.approx(np.abs(values[12:] - values[:-12]).mean())
    assert fc.backtest(panel, draws=100, horizons=1).models[0] == "seasonal-naive"


@pytest.mark.parametrize("name", ["seasonal-naive", "seasonal-components"])
def test_a_fitted_series_is_one_of_statsmodels(name: str) -> None:
    panel = fc.Panel.from_frame(table(places=1))
    fitted = model(name).fit(panel, seed=1)
    theirs = fitted.statsmodels(panel.keys[0]).get_forecast(12).predicted_mean
    assert str(theirs.index[0]) == "2022-01"
    ahead = range(panel.origin + 1, panel.origin + 13)
    ours = np.median(fitted.forecast(list(ahead), 2000).paths.isel(series=0).to_numpy(), axis=0)
    assert np.abs(np.log1p(ours) - theirs.to_numpy()).max() < 0.05
