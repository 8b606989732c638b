"""The hierarchical model: recovery, bad input, coherence of its parts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast.errors import DataError, FitError, TooShortError, UnknownNameError
from forecast.models.hierarchical import (
    priors,
    rates_panel,
    simulation,
)
from forecast.models.hierarchical.fast import kernel
from forecast.models.hierarchical.fitted import FittedHierarchical
from forecast.models.hierarchical.law import Parameters
from forecast.models.hierarchical.model import Hierarchical
from forecast.models.registry import specification
from forecast.panel import Panel

STATED = specification("hierarchical")
COUNTRIES = ["KAZ", "KGZ", "TJK", "TKM", "UZB"]


@pytest.fixture(scope="module")
def fitted() -> FittedHierarchical:
    return Hierarchical().fit(fc.load("central-asia").select(source="un-wpp"), 1)


def test_five_countries_pass_the_gate_and_are_forecast(fitted: FittedHierarchical) -> None:
    assert fitted.sampled.failure == ""
    assert fitted.diagnostics["r_hat"].max() < 1.01
    assert fitted.diagnostics["ess_bulk"].min() > 400
    outlook = fitted.forecast((2025, 2027, 2030), 500)
    assert sorted(outlook.series["location"]) == COUNTRIES
    assert np.isfinite(outlook.draws.to_numpy()).all()
    assert outlook.paths.attrs["diagnostics"].startswith("R-hat at most")
    near, far = (outlook.intervals(0.8).query("year == @year") for year in (2025, 2030))
    widths = [(table["upper"] - table["lower"]).to_numpy() for table in (near, far)]
    assert (widths[0] < widths[1]).all()


def test_the_same_seed_gives_the_same_numbers(fitted: FittedHierarchical) -> None:
    again = Hierarchical().fit(fitted.panel, 1).forecast((2025,), 200)
    np.testing.assert_array_equal(
        fitted.forecast((2025,), 200).paths.to_numpy(), again.paths.to_numpy()
    )


def test_the_posterior_is_kept_as_netcdf(fitted: FittedHierarchical, tmp_path: Path) -> None:
    import xarray as xr

    path = fitted.save_posterior(tmp_path / "posterior.nc")
    with xr.open_datatree(path, engine="h5netcdf") as tree:
        kept = tree["posterior"]["location_mean"].to_numpy()
    np.testing.assert_array_equal(kept, fitted.posterior["posterior"]["location_mean"].to_numpy())


def test_histories_of_the_model_look_like_the_figures(fitted: FittedHierarchical) -> None:
    table = fitted.predictive_check(300).set_index("statistic")
    assert ((table["p"] > 0.005) & (table["p"] < 0.995)).all()
    # What the model cannot make must show: without storms no year moves by 27 per 1,000.
    of = fitted.parameters
    calm = of._replace(chance=of.chance - 20.0, calm=0.1 * of.calm)
    tame = simulation.predictive(
        simulation.rows_of(calm, np.arange(200)),
        fitted.pool,
        np.eye(5),
        STATED["settings"],
        1,
    ).set_index("statistic")
    assert tame.loc["largest move", "p"] < 0.01


def test_prior_sensitivity_is_a_table_of_one_call(fitted: FittedHierarchical) -> None:
    table = fitted.prior_sensitivity((2025, 2030))
    assert set(table["prior"]) == set(STATED["priors"])
    assert len(table) == len(STATED["priors"]) * 4 * 2
    told = table["effective_draws"] >= priors.FEWEST
    assert table.loc[told, "median_shift"].notna().all()
    assert table.loc[~told, "median_shift"].isna().all()


def test_weights_move_a_forecast_as_the_other_prior_would() -> None:
    generator = np.random.default_rng(1)
    # Flat likelihood: the posterior is the prior, so the forecast is what the prior says.
    theta = generator.normal(1.0, 2.0, (20_000, 1))
    table = priors.table(theta[:, :, None], [2030], {"mean": theta}, {"mean": (1.0, 2.0)})
    rows = table.set_index("change")
    half = 2.0 * 1.2816
    assert abs(rows.loc["centre up", "median_shift"] - 2.0 / half) < 0.06
    assert abs(rows.loc["centre down", "median_shift"] + 2.0 / half) < 0.06
    assert abs(rows.loc["half as wide", "width_ratio"] - 0.5) < 0.02
    assert abs(rows.loc["twice as wide", "width_ratio"] - 2.0) < 0.25


def test_where_no_folder_takes_compiled_code_it_is_compiled_anew() -> None:
    def refusing(cache: bool = False) -> Callable[[Callable[[], int]], Callable[[], int]]:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    @kernel.compiled(refusing)
    def seven() -> int:
        return 7

    assert seven() == 7


def test_draws_of_a_world_sum_to_zero(fitted: FittedHierarchical) -> None:
    model = Hierarchical(zero_sum=True)
    balanced = replace(fitted, model=model).forecast((2027,), 200)
    assert np.abs(balanced.draws.sum("series")).max() < 1e-6


def test_regions_are_drawn_around_their_country() -> None:
    panel = fc.load("kazakhstan").select(measure=["net_migration", "net_all_flows"])
    pooled = rates_panel.collect(panel)
    assert pooled is not None
    country = [s.location for s in pooled.series].index("KAZ")
    assert len(pooled.parent) == len(pooled.series) - 1
    assert set(pooled.parent.tolist()) == {country}
    assert set(pooled.groups) == {"countries, national sources", "regions"}


def test_what_is_not_known_does_not_enter() -> None:
    table = pd.DataFrame(
        {
            "location": "KAZ",
            "measure": "net_migration",
            "year": [2000, 2001, 2003, 2004, 2005, 2006, 2007],
            "value": [1e4, 2e4, 3e4, 9e5, 3e4, 2e4, 1e4],
            "population": 1e7,
            "flag": ["", "", "", "outlier", "", "", ""],
        }
    )
    pooled = rates_panel.collect(Panel.from_frame(table))
    assert pooled is not None
    data = rates_panel.transitions(pooled, specification("hierarchical")["settings"])
    # 2002 is a gap and 2004 an outlier: no step into or out of either counts.
    assert np.flatnonzero(data["weight"][0]).tolist() == [0, 5, 6]
    assert not (np.abs(data["value"]) > 5).any()


@pytest.mark.parametrize("kind", ["three years", "constant", "huge outlier"])
def test_difficult_series_are_forecast_or_refused(kind: str) -> None:
    years = np.arange(2021, 2024) if kind == "three years" else np.arange(2000, 2024)
    values = np.random.default_rng(3).normal(0, 5000, len(years))
    if kind == "constant":
        values = np.full(len(years), 4000.0)
    if kind == "huge outlier":
        values[10] = 8e5
    table = pd.DataFrame(
        {"location": "KGZ", "measure": "net_migration", "year": years, "value": values}
    )
    panel = Panel.from_frame(table.assign(population=6e6))
    try:
        outlook = fc.forecast(panel, model="hierarchical", horizons=(2025,), draws=300)
    except FitError as error:
        assert "refused" in str(error)  # noqa: PT017
        return
    assert np.isfinite(outlook.draws.to_numpy()).all()
    if kind == "three years":
        assert "mostly borrowed" in outlook.notes["reason"].iloc[0]


def test_a_series_without_population_or_of_counts_is_told_why() -> None:
    table = pd.DataFrame(
        {"location": "KGZ", "measure": "net_migration", "year": [2001, 2002], "value": [1.0, 2.0]}
    )
    with pytest.raises(TooShortError, match="population is not known"):
        Hierarchical().fit(Panel.from_frame(table), 1)
    counts = Panel.from_frame(table.assign(measure="immigration"))
    with pytest.raises(TooShortError, match="is of net rates"):
        Hierarchical().fit(counts, 1)


def test_priors_of_ones_own(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="storm_echo"):
        Hierarchical(priors={"storm_ecko": (0.0, 1.0)})
    with pytest.raises(DataError, match="above zero"):
        Hierarchical(priors={"mean": (0.0, 0.0)})
    with pytest.raises(UnknownNameError, match="kept"):
        Hierarchical(sampler={"keep": 10})
    file = tmp_path / "own.toml"
    file.write_text("[priors]\nmean = [1.0, 0.5]\n")
    assert Hierarchical(priors=file).given == {"mean": [1.0, 0.5]}
    file.write_text("[prior]\n")
    with pytest.raises(DataError, match=r"no table \[priors\]"):
        Hierarchical(priors=file)


def test_what_the_world_taught_is_not_used_before_its_time() -> None:
    until = STATED["learned"]["until"]
    early, _ = priors.resolve(STATED, {}, 5, until - 1)
    late, words = priors.resolve(STATED, {}, 5, until)
    large, _ = priors.resolve(STATED, {}, 236, until)
    stated = {name: tuple(map(float, pair)) for name, pair in STATED["priors"].items()}
    assert early == large == stated
    assert late != stated
    assert str(until) in words


def test_shocks_of_simulated_years_go_together_as_asked() -> None:
    settings = STATED["settings"]
    n_draws = 4000
    flat = np.ones((n_draws, 2))
    parameters = Parameters(
        0 * flat, flat, 0.8 * flat, 0.7 * flat, -1.0 * flat, 0.6 * flat, 0.5 * flat
    )
    drawn = {}
    for strength in (0.0, 0.8):
        correlation = np.array([[1.0, strength], [strength, 1.0]])
        rates = simulation.simulate(
            parameters, np.zeros(2), (np.ones(2),) * 2, np.array([5, 5]), 6, correlation,
            settings, np.random.default_rng(1),
        )  # fmt: skip
        drawn[strength] = np.corrcoef(np.sign(rates[:, :, 0]).T)[0, 1]
    assert abs(drawn[0.0]) < 0.06
    # The signs of two normal variables correlate by 2/pi arcsin of their correlation.
    assert abs(drawn[0.8] - 2 / np.pi * np.arcsin(0.8)) < 0.06


@pytest.mark.thorough
def test_draws_are_the_same_whether_code_is_compiled_or_read(tmp_path: Path) -> None:
    script = (
        "import hashlib, forecast as fc\n"
        "panel = fc.load('central-asia').select(source='un-wpp')\n"
        "outlook = fc.forecast(panel, model='hierarchical', horizons=(2027,), draws=200, seed=3)\n"
        "print(hashlib.sha256(outlook.draws.to_numpy().tobytes()).hexdigest())\n"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "FORECAST_CACHE": str(tmp_path)}
    first, second = (
        subprocess.run(
            [sys.executable, "-c", script],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    )
    assert list(tmp_path.rglob("*.nbi")), "nothing was kept, so the second run compiled as well"
    assert first == second


#: Fits, then says what was loaded, and whether nutpie and ArviZ are whole for others.
LOADED = """
import sys
import forecast as fc
panel = fc.load("central-asia").select(location="KAZ", measure="net_migration", source="kz-bns")
fc.forecast(panel, "hierarchical", horizons=(2030,), draws=100, cache=False)
print("matplotlib" in sys.modules, "arviz" in sys.modules)
import arviz, nutpie, pymc as pm
with pm.Model() as model:
    pm.Normal("x")
compiled = nutpie.compile_pymc_model(model)
tree = nutpie.sample(compiled, draws=20, tune=20, chains=2, progress_bar=False)
print(arviz.__name__, hasattr(arviz, "plot_trace"), "posterior" in tree)
"""


@pytest.mark.thorough
def test_a_fit_loads_no_plots_and_leaves_arviz_to_others() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False", "arviz", "True", "True"]
