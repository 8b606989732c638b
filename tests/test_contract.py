"""A model of any type has every hook of the contract, and gets all that ours get."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast.contract import BY_NAME, FittedBase, ModelBase, complete, complete_fitted, meant_for
from forecast.data import inputs
from forecast.errors import UnknownNameError
from forecast.models.ensemble.model import Ensemble
from forecast.models.registry import REGISTRY, model
from forecast.models.series.regression import Regression
from forecast.models.series.structural import RandomWalk
from forecast.outlook import Forecast
from forecast.panel import Panel


class Plain:
    """The least: a name and a fit, whose result has a forecast and nothing else."""

    name = "plain"

    def fit(self, panel: Panel, seed: int) -> PlainFit:
        return PlainFit(panel, seed)


class PlainFit:
    def __init__(self, panel: Panel, seed: int) -> None:
        self._fitted = RandomWalk().fit(panel, seed)

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        return self._fitted.forecast(years, draws)


@pytest.fixture
def panel() -> Panel:
    years = np.arange(1995, 2025)
    values = np.cumsum(np.random.default_rng(5).normal(0, 900, len(years))).round()
    return Panel.from_frame(
        pd.DataFrame(
            {"location": "KAZ", "measure": "net_migration", "year": years, "value": values}
        )
    )


def test_the_least_that_a_model_can_be_has_every_hook_at_its_default(panel: Panel) -> None:
    whole = complete(Plain())
    assert (whole.name, whole.measures, whole.needs, whole.inputs) == ("plain", None, (), ())
    assert (whole.separate, whole.recipe, whole.published_days) == (False, None, ())
    assert whole.published("2024-01-01").empty
    assert whole.with_errors({}) is not None
    assert meant_for(whole, panel) == set(panel.keys)
    fitted = complete_fitted(whole.fit(panel, 1))
    assert fitted.diagnostics.empty
    assert np.isnan(fitted.parameter_share(panel.keys[0], 3)).all()


def test_the_least_forecasts_is_backtested_and_takes_part_in_an_ensemble(panel: Panel) -> None:
    outlook = fc.forecast(panel, model=Plain(), horizons=(2026,), draws=100)
    assert (outlook.draws == fc.forecast(panel, "naive", (2026,), 100).draws).all()
    track = fc.backtest(panel, ["naive", Plain()], origins=[2015, 2018], horizons=(1,), draws=100)
    assert set(track.table["model"]) == {"naive", "plain"}
    ensemble = Ensemble(["naive", "mean", Plain()])
    assert "plain" in set(ensemble.fit(panel, 1).diagnostics["member"])


def test_hooks_of_a_foreign_object_are_kept() -> None:
    class Own(Plain):
        measures = ("immigration",)
        recipe = {"model": "own", "span": 3}  # noqa: RUF012
        published_days = ("2020-01-01",)

    whole = complete(Own())
    assert whole.measures == ("immigration",)
    assert whole.recipe == {"model": "own", "span": 3}
    assert whole.published_days == ("2020-01-01",)


def test_a_subclass_never_inherits_a_recipe() -> None:
    class Changed(RandomWalk):
        name = "changed"

    class Stated(RandomWalk):
        name = "stated"
        recipe = BY_NAME

    assert RandomWalk().recipe == {"model": "naive"}
    assert Changed().recipe is None
    assert Stated().recipe == {"model": "stated"}


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_registered_model_says_what_decides_it(name: str) -> None:
    assert isinstance(model(name), ModelBase)
    assert model(name).recipe == model(name).recipe != None  # noqa: E711


def test_what_a_model_was_made_with_is_in_its_recipe() -> None:
    table = pd.DataFrame({"location": ["KAZ"], "measure": ["x"], "year": [2000], "value": [1.0]})
    recipes = [
        Regression().recipe,
        Regression(gated=False).recipe,
        Regression(table).recipe,
        Regression(table.assign(value=2.0)).recipe,
    ]
    assert len({str(recipe) for recipe in recipes}) == 4


def test_a_model_is_handed_what_it_declares_as_it_was_known(panel: Panel) -> None:
    class Curious(Plain):
        name = "curious"
        inputs = ("moves", "covariates")

        def fit(  # type: ignore[override]
            self, panel: Panel, seed: int, moves: pd.DataFrame, covariates: pd.DataFrame
        ) -> PlainFit:
            self.handed = moves, covariates
            return PlainFit(panel, seed)

    curious = Curious()
    fc.forecast(panel.until(2015), model=curious, horizons=(2017,), draws=100)
    moves, covariates = curious.handed
    assert len(moves) > 0
    assert len(covariates) > 0
    assert max(moves["year"].max(), covariates["year"].max()) <= 2015


def test_tables_with_days_are_cut_by_release_and_the_newest_counts(panel: Panel) -> None:
    frame = panel.to_frame().assign(as_of="2025-06-01")
    dated = Panel.from_frame(frame)
    table = pd.DataFrame(
        {
            "location": "KAZ",
            "measure": "gdp",
            "year": [2020, 2020, 2020, 2030],
            "value": [1.0, 2.0, 3.0, 4.0],
            "as_of": ["2021-01-01", "2022-01-01", "2026-01-01", "2022-01-01"],
        }
    )
    assert inputs.cut(table, dated)["value"].tolist() == [2.0]
    assert inputs.cut(table.drop(columns="as_of"), dated)["value"].tolist() == [1.0, 2.0, 3.0]


def test_an_input_that_does_not_exist_is_named() -> None:
    with pytest.raises(UnknownNameError, match="covariates"):
        inputs.known(["covariate"], None)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["naive", "theta", "regression"])
def test_a_series_by_itself_has_the_numbers_of_the_panel(panel: Panel, name: str) -> None:
    chosen = model(name)
    whole = inputs.fit(chosen, panel, 4).forecast([2028], 50)
    series = next(iter(panel))
    alone = chosen.draw_series(series, 4, 50, 4, **inputs.known(chosen.inputs, panel))
    assert chosen.separate
    assert (whole.paths.isel(series=0).to_numpy() == alone).all()


def test_fitted_models_of_ours_say_their_parameters_share(panel: Panel) -> None:
    fitted: FittedBase = inputs.fit(model("structural"), panel, 1)
    share = fitted.parameter_share(panel.keys[0], 3)
    assert ((share >= 0) & (share <= 1)).all()
