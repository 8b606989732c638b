"""What every time-series model has to do, whatever its form."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import forecast as fc
from forecast.errors import DataError, TooShortError, UnknownNameError
from forecast.models.registry import REGISTRY
from forecast.panel import Panel

NAMES = [name for name in REGISTRY if isinstance(REGISTRY[name], str)]
TIME_SERIES = [row.model for row in fc.models().itertuples() if row.kind == "time series"]
YEARS = (2025, 2027, 2030)
#: A model by itself; the default model, which asks all of them, by `make test-all`.
EITHER = ["level", pytest.param("ensemble", marks=pytest.mark.thorough)]


def one(
    values: list[float] | np.ndarray, measure: str = "net_migration", **columns: object
) -> Panel:
    years = np.arange(2025 - len(values), 2025)
    table = {"location": "KAZ", "measure": measure, "year": years, "value": values, **columns}
    return Panel.from_frame(pd.DataFrame(table))


def wave(n_years: int = 25, seed: int = 11) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return np.round(4000 + 2500 * generator.normal(size=n_years).cumsum())


@pytest.mark.parametrize("name", TIME_SERIES)
def test_forecasts_have_the_promised_form(panel: Panel, name: str) -> None:
    outlook = fc.forecast(panel, model=name, horizons=YEARS, draws=300, seed=7)
    assert outlook.draws.dims == ("draw", "series", "year")
    assert outlook.draws.sizes == {"draw": 300, "series": len(panel), "year": 3}
    assert outlook.draws["year"].values.tolist() == list(YEARS)
    assert {"location", "measure", "source"} <= set(outlook.draws.coords)
    assert not np.isnan(outlook.draws).any()
    assert outlook.draws.attrs["model"] == name
    assert outlook.draws.attrs["origin"] == 2024
    assert outlook.draws.attrs["data_hash"] == panel.hash


@pytest.mark.parametrize("name", TIME_SERIES)
def test_counts_are_never_negative(panel: Panel, name: str) -> None:
    outlook = fc.forecast(panel, model=name, horizons=(2044,), draws=500)
    counts = outlook.paths.sel(series=outlook.paths["measure"] != "net_migration")
    assert float(counts.min()) >= 0
    assert np.isfinite(counts).all()


@pytest.mark.parametrize("name", TIME_SERIES)
def test_same_seed_same_numbers_in_any_company(table: pd.DataFrame, name: str) -> None:
    whole = fc.forecast(Panel.from_frame(table), model=name, draws=200, seed=5)
    backwards = fc.forecast(Panel.from_frame(table[::-1]), model=name, draws=200, seed=5)
    xr.testing.assert_identical(whole.paths, backwards.paths)
    alone = fc.forecast(
        Panel.from_frame(table).select(location="KAZ", measure="immigration"),
        model=name,
        draws=200,
        seed=5,
    )
    together = whole.paths[:, (whole.paths["measure"] == "immigration").values]
    np.testing.assert_array_equal(alone.paths.values, together.values)
    other = fc.forecast(Panel.from_frame(table), model=name, draws=200, seed=6)
    assert not np.array_equal(whole.paths.values, other.paths.values)


@pytest.mark.parametrize("name", TIME_SERIES)
def test_nothing_after_the_origin_is_seen(table: pd.DataFrame, name: str) -> None:
    altered = table.copy()
    later = altered["year"] > 2015
    altered.loc[later, "value"] = altered.loc[later, "value"] * 3 + 1000
    altered.loc[later, "population"] *= 2
    forecasts = [
        fc.forecast(Panel.from_frame(t).until(2015), model=name, horizons=(2016, 2022), draws=200)
        for t in (table, altered)
    ]
    np.testing.assert_array_equal(forecasts[0].paths.values, forecasts[1].paths.values)


@pytest.mark.parametrize("name", TIME_SERIES)
@pytest.mark.parametrize("factor", [1000.0, 0.01])
def test_net_forecasts_scale_with_the_data(name: str, factor: float) -> None:
    # Precision scales too, so the rounding floor does.
    plain = fc.forecast(one(wave(), precision=1.0), model=name, draws=200)
    scaled = fc.forecast(one(wave() * factor, precision=factor), model=name, draws=200)
    np.testing.assert_allclose(scaled.paths, plain.paths * factor, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", TIME_SERIES)
def test_net_forecasts_shift_with_the_data(name: str) -> None:
    plain = fc.forecast(one(wave()), model=name, draws=200)
    shifted = fc.forecast(one(wave() + 50_000), model=name, draws=200)
    np.testing.assert_allclose(shifted.paths, plain.paths + 50_000, rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize("name", TIME_SERIES)
def test_gaps_are_handled_and_not_filled(name: str) -> None:
    values = wave()
    values[[5, 6, 14]] = np.nan
    outlook = fc.forecast(one(values), model=name, draws=200)
    assert np.isfinite(outlook.paths).all()
    assert np.isnan(outlook.history.series[0].values).sum() == 3


@pytest.mark.parametrize("name", TIME_SERIES)
def test_an_outlier_does_not_steer(name: str) -> None:
    flags = ["official"] * 25
    flags[20] = "official;outlier"
    spoiled = wave()
    spoiled[20] = 10_000_000
    clean = fc.forecast(one(wave(), flag=flags), model=name, draws=200)
    marked = fc.forecast(one(spoiled, flag=flags), model=name, draws=200)
    np.testing.assert_array_equal(clean.paths.values, marked.paths.values)
    assert "outlier 2020" in marked.notes["flags"].iloc[0]


@pytest.mark.parametrize("model", EITHER)
def test_interpolated_years_are_left_out_but_not_the_last(model: str) -> None:
    """Whether the last year lies on a line is known only from the year after it."""
    flags = np.array(["official"] * 25, dtype=object)
    flags[[8, 9, 24]] = "interpolated"
    outlook = fc.forecast(one(wave(), flag=flags), model, draws=200)
    assert outlook.notes["flags"].iloc[0] == "interpolated 2008 2009"
    flags[24] = "official"
    unflagged = fc.forecast(one(wave(), flag=flags), model, draws=200)
    np.testing.assert_array_equal(outlook.paths.values, unflagged.paths.values)


@pytest.mark.parametrize("name", TIME_SERIES)
def test_a_break_starts_a_new_level(name: str) -> None:
    flags = ["official"] * 25
    flags[12] = "break"
    low = wave()
    low[:12] -= 500_000
    flagged = fc.forecast(one(low, flag=flags), model=name, draws=400).intervals(0.8)
    blind = fc.forecast(one(low), model=name, draws=400).intervals(0.8)
    width = flagged["upper"] - flagged["lower"]
    assert (width < 0.5 * (blind["upper"] - blind["lower"])).all()
    assert (flagged["median"].abs() < 60_000).all()


def test_rates_are_used_where_population_is_known(panel: Panel) -> None:
    notes = fc.forecast(panel, model="naive", draws=100).notes.set_index(["location", "measure"])
    assert notes.loc[("KAZ", "net_migration"), "scale"] == "rate"
    assert "mean growth" in notes.loc[("KAZ", "net_migration"), "population"]
    assert notes.loc[("KAZ", "immigration"), "scale"] == "log"


def test_short_series_are_listed_and_the_rest_is_forecast(table: pd.DataFrame) -> None:
    short = table[(table["location"] != "KGZ") | (table["year"] >= 2020)]
    outlook = fc.forecast(Panel.from_frame(short), model="structural", draws=100)
    assert outlook.draws.sizes["series"] == 3
    note = outlook.notes.set_index("location").loc["KGZ"]
    assert note["status"] == "not forecast"
    assert "5 usable observed years; at least 8 are needed" in note["reason"]


@pytest.mark.parametrize("model", EITHER)
@pytest.mark.parametrize(
    ("values", "part"),
    [([5.0, 6.0], "2 usable observed years"), ([7.0] * 20, "all 20 usable values are equal (7)")],
)
def test_hopeless_series_are_refused_with_the_reason(
    values: list[float], part: str, model: str
) -> None:
    with pytest.raises(TooShortError) as caught:
        fc.forecast(one(values), model, draws=100)
    assert part in str(caught.value)


@pytest.mark.parametrize("model", EITHER)
def test_years_that_flags_keep_out_are_named(model: str) -> None:
    """A constant series lies on a line: the reader must learn why its years do not count."""
    flags = ["", *["interpolated"] * 18, ""]
    with pytest.raises(TooShortError) as caught:
        fc.forecast(one([7.0] * 20, flag=flags), model, draws=100)
    assert (
        "2 usable observed years; at least 8 are needed. The flag 'interpolated' keeps out 18: "
        "2006–2023. If these are real figures, read the table with carry=False."
    ) in str(caught.value)
    stated = ["outlier" if year % 2 else "" for year in range(12)]
    with pytest.raises(TooShortError, match="The flag 'outlier' keeps out 6: 2014, 2016, "):
        fc.forecast(one(wave()[:12], flag=stated), model, draws=100)


@pytest.mark.parametrize("model", EITHER)
def test_years_since_a_break_count(model: str) -> None:
    flags = ["official"] * 25
    flags[20] = "break"
    with pytest.raises(TooShortError, match="5 usable observed years since the break of 2020"):
        fc.forecast(one(wave(), flag=flags), model, draws=100)


@pytest.mark.parametrize(
    ("arguments", "error", "part"),
    [
        ({"horizons": (2020,)}, DataError, "not after the data, which end in 2024"),
        ({"horizons": (2090,)}, DataError, "66 years after the data"),
        ({"horizons": ()}, DataError, "no horizons"),
        ({"horizons": ("soon",)}, DataError, "calendar years"),
        ({"model": "arma"}, UnknownNameError, "Did you mean"),
        ({"model": 3}, DataError, "not a model"),
        ({"draws": 5}, DataError, "draws is 5"),
        ({"seed": -1}, DataError, "seed is -1"),
    ],
)
def test_bad_arguments(
    panel: Panel, arguments: dict[str, object], error: type[Exception], part: str
) -> None:
    with pytest.raises(error) as caught:
        fc.forecast(panel, **arguments)  # type: ignore[arg-type]
    assert part in str(caught.value)


@pytest.mark.parametrize("model", EITHER)
def test_a_series_with_later_data_starts_there(table: pd.DataFrame, model: str) -> None:
    early = table[(table["location"] != "KGZ") | (table["year"] <= 2020)]
    outlook = fc.forecast(Panel.from_frame(early), model, (2022, 2027), draws=100)
    known = outlook.paths.sel(series=outlook.paths["location"] == "KAZ")
    assert np.isnan(known.sel(year=2022)).all()
    assert set(outlook.intervals()["location"][outlook.intervals()["year"] == 2022]) == {"KGZ"}
    assert not np.isnan(known.sel(year=2025)).any()


@pytest.mark.parametrize("model", EITHER)
def test_five_year_periods_can_be_forecast(model: str) -> None:
    years = np.arange(1950, 2020, 5)
    generator = np.random.default_rng(2)
    table = pd.DataFrame(
        {
            "location": "KGZ",
            "measure": "net_migration",
            "year": years,
            "value": generator.normal(0, 50_000, len(years)).round(),
            "population": np.linspace(2e6, 6e6, len(years)),
        }
    )
    outlook = fc.forecast(Panel.from_frame(table), model, horizons=(2020, 2030), draws=100)
    assert outlook.paths["year"].values.tolist() == [2020, 2025, 2030]
    with pytest.raises(DataError, match="first year of a 5-year period"):
        fc.forecast(Panel.from_frame(table), model, horizons=(2022,), draws=100)


def test_a_model_of_ones_own_works_by_name(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    from forecast.models.series.structural import RandomWalk

    class Mine(RandomWalk):
        """A random walk under another name."""

        name = "mine"

    monkeypatch.setitem(REGISTRY, "spare", Mine)
    with pytest.raises(DataError, match="registered already"):
        fc.register("spare", Mine)
    assert fc.forecast(panel, model="spare", draws=100).model == "mine"
    assert fc.forecast(panel, model=Mine(), draws=100).model == "mine"
    assert "A random walk under another name." in fc.models()["summary"].to_list()
    with pytest.raises(DataError, match="no name and fit"):
        fc.register("wrong", dict)


def test_diagnostics_name_the_parameters(panel: Panel) -> None:
    from forecast.models.series.structural import Structural

    table = Structural().fit(panel, 1).diagnostics
    weights = table[table["parameter"].str.startswith("weight_")]
    totals = weights.groupby(["location", "measure"])["mean"].sum()
    np.testing.assert_allclose(totals, 1.0)
