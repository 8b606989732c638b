"""What statsmodels says of a fitted series is what the package says of it."""

from __future__ import annotations

import functools

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

import forecast as fc
from forecast.data import inputs
from forecast.models.registry import REGISTRY
from forecast.models.registry import model as find_model
from forecast.models.series.as_statsmodels import most_probable
from forecast.models.series.drivers import Driven
from forecast.models.series.regression import Regression
from forecast.models.series.univariate import FittedSeriesModel, StateSpaceModel
from forecast.panel import Panel
from forecast.series_key import SeriesKey

MODELS = (
    *("naive", "drift", "mean", "ets", "theta", "arima", "level", "ar", "structural"),
    *("regression", "regression-always"),
)
WHOLE: SeriesKey = ("kz-bns", "KAZ", "net_migration")
#: Two years without a figure and an outlier.
GAPS: SeriesKey = ("kz-bns-balance", "KZ-23", "net_all_flows")
#: The whole one with a gap, an outlier and a break in a year without a figure.
BROKEN: SeriesKey = ("own", "KAZ", "net_migration")


@functools.cache
def panel() -> Panel:
    bundled = fc.load("central-asia")
    table = bundled.to_frame()
    two = table[(table["source"] == WHOLE[0]) | (table["source"] == GAPS[0])]
    broken = table[(table[["source", "location", "measure"]] == list(WHOLE)).all(axis=1)]
    broken = broken.assign(source=BROKEN[0])
    broken.loc[broken["year"].isin([2001, 2008]), "value"] = np.nan
    broken.loc[broken["year"] == 2000, "flag"] = "outlier"
    broken.loc[broken["year"] == 2008, "flag"] = "break"
    joined = Panel.from_frame(pd.concat([two, broken], ignore_index=True))
    keys = {WHOLE, GAPS, BROKEN}
    return joined.without([key for key in joined.keys if key not in keys])


@functools.cache
def fitted(name: str) -> FittedSeriesModel:
    model = Regression(gated=False) if name == "regression-always" else find_model(name)
    found = inputs.fit(model, panel(), 1)
    assert isinstance(found, FittedSeriesModel)
    return found


@pytest.mark.parametrize("key", [WHOLE, GAPS, BROKEN], ids=["whole", "gaps", "broken"])
@pytest.mark.parametrize("name", MODELS)
def test_likelihood_state_and_forecasts_are_ours(name: str, key: SeriesKey) -> None:
    model, (prepared, posterior) = fitted(name).model, fitted(name).fits[key]
    results = fitted(name).statsmodels(key)
    node, used = most_probable(posterior), int(np.isfinite(posterior.fitted).sum())
    # Ours counts the rounding of the figures as a surprise of every year.
    rounding = used * prepared.scale.floor**2 / (2 * results.params["sigma2"])
    assert results.llf == pytest.approx(posterior.log_likelihood[node] + rounding, rel=1e-6)
    assert results.model.loglike(results.params) == pytest.approx(results.llf, rel=1e-9)
    state = posterior.state[node]
    assert results.states.filtered.iloc[-1].to_numpy() == pytest.approx(state, rel=1e-6, abs=1e-6)
    nodes, design, exog = posterior.nodes, posterior.nodes.design[node].copy(), {}
    if isinstance(posterior, Driven):
        met = posterior.drivers.lagged(np.array([prepared.series.origin + 1]))
        exog["exog"] = np.tile(met, (4, 1))
        design[-met.shape[1] :] = met[0]
    expected = []
    for step in range(4):
        state = nodes.transition[node] @ state
        position = len(prepared.values) + step
        expected.append(design @ state + posterior.shift + model.trend(prepared) * position)
    ahead = results.get_forecast(4, **exog)
    assert ahead.predicted_mean.to_numpy() == pytest.approx(np.array(expected), rel=1e-6, abs=1e-6)
    assert ahead.predicted_mean.index[0].year == prepared.series.origin + 1
    present = fitted(name).statsmodels(prepared.series, variance="present")
    same = present.forecast(4, **exog).to_numpy()
    assert same == pytest.approx(np.array(expected), rel=1e-6, abs=1e-6)
    assert np.isfinite(results.smoothed_state).all()
    assert model.name in results.summary().as_text()


def test_drivers_are_exogenous_to_statsmodels() -> None:
    _, posterior = fitted("regression-always").fits[GAPS]
    assert isinstance(posterior, Driven)
    assert posterior.nodes.parameters["spread"][most_probable(posterior)] > 0
    results = fitted("regression-always").statsmodels(GAPS)
    assert results.model.exog_names == list(posterior.drivers.names)
    with pytest.raises(ValueError, match="exog"):
        results.forecast(1)


def test_the_present_variance_makes_the_width_of_ours() -> None:
    _, posterior = fitted("mean").fits[WHOLE]
    present = fitted("mean").statsmodels(WHOLE, variance="present")
    discount = int(posterior.weights[0].argmax())
    spread = posterior.sum_squares[0, discount] / posterior.degrees[discount]
    assert present.params["sigma2"] == pytest.approx(spread)
    assert present.params["sigma2"] < fitted("mean").statsmodels(WHOLE).params["sigma2"]


@pytest.mark.parametrize("name", ["theta", "level"])
def test_years_that_follow_go_on_from_there(name: str) -> None:
    results = fitted(name).statsmodels(BROKEN)
    new = results.forecast(3).rename(results.model.endog_names)
    appended, extended = results.append(new), results.extend(new)
    assert appended.forecast(2).to_numpy() == pytest.approx(extended.forecast(2).to_numpy())
    assert appended.llf == pytest.approx(results.llf + extended.llf)


def test_tests_and_pictures_of_the_residuals_are_at_hand() -> None:
    matplotlib.use("agg")
    results = fitted("structural").statsmodels(WHOLE)
    assert np.isfinite(results.test_serial_correlation("ljungbox", lags=[1, 2])).all()
    assert np.isfinite(results.test_heteroskedasticity("breakvar")).all()
    figure = results.plot_diagnostics(lags=5)
    assert len(figure.axes) == 4
    pyplot.close(figure)


def test_only_the_variance_may_be_changed() -> None:
    results = fitted("level").statsmodels(WHOLE)
    doubled = results.model.smooth([results.params["gain"], 2 * results.params["sigma2"]])
    assert doubled.llf < results.llf
    with pytest.raises(fc.DataError, match="gain stay"):
        results.model.smooth([0.123, 1.0])


def test_one_message_says_why_there_is_none() -> None:
    with pytest.raises(fc.DataError, match="the panel has no such series"):
        fitted("level").statsmodels(("kz-bns", "KAZ", "emigration"))
    short = Panel.from_frame(
        pd.concat(
            [
                panel().to_frame(),
                panel().to_frame().query("source == 'own' and year > 2020").assign(source="short"),
            ]
        )
    )
    with pytest.raises(fc.DataError, match="usable observed years"):
        find_model("naive").fit(short, 1).statsmodels(("short", "KAZ", "net_migration"))  # type: ignore[attr-defined]


def test_a_model_without_such_a_form_says_which_have_it() -> None:
    bundled = fc.load("central-asia").select(source="un-wpp")
    pooled = find_model("pooled").fit(bundled, 1)
    with pytest.raises(fc.DataError, match="no state-space form") as said:
        pooled.statsmodels(bundled.keys[0])  # type: ignore[attr-defined]
    have = [name for name in REGISTRY if isinstance(find_model(name), StateSpaceModel)]
    listed = str(said.value).split(": ")[-1].rstrip(".").split(", ")
    assert sorted(listed) == sorted(have)
