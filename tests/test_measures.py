"""Measures: rows of a file, one's own in three lines, units in messages and headings."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast import labels, measures
from forecast.data import store
from forecast.data.checks import check
from forecast.data.releases import status
from forecast.errors import DataError, UnknownNameError
from forecast.language import LANGUAGES, language
from forecast.reports.explorer_words import program_words


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    measures._declared.clear()


def yearly(measure: str, scale: float = 1.0) -> pd.DataFrame:
    values = [scale * (100 + (7 * year) % 13) for year in range(2010, 2025)]
    return pd.DataFrame(
        {"location": "KAZ", "measure": measure, "year": range(2010, 2025), "value": values}
    )


def test_every_shipped_measure_has_its_words_in_every_language() -> None:
    for one in measures.shipped().values():
        assert set(one.words.model_dump(exclude_none=True)) == set(LANGUAGES), one.name
        assert set(one.unit.model_dump(exclude_none=True)) in ({"en"}, set(LANGUAGES))
        assert one.adds_over_time is (one.kind not in ("stock", "rate"))
    assert labels.measure("population", language("ru")) == "Население"
    assert labels.measure("asylum_applications", language("uz")).startswith("Boshpana")


def test_a_measure_of_ones_own_is_forecast_as_any_other() -> None:
    fc.measure("patents", kind="count", unit="patents", words={"ru": "Патенты"})
    outlook = fc.forecast(fc.Panel.from_frame(yearly("patents")), "naive", (2027,), draws=200)
    assert outlook.paths.attrs["unit"] == "patents per calendar year"
    assert (outlook.paths.sel(year=2027) >= 0).all()
    assert labels.measure("patents", language("ru")) == "Патенты"
    assert labels.measure("patents", language("kk")) == "Patents"


def test_a_file_beside_the_table_declares_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    yearly("patents").to_csv(file, index=False)
    with pytest.raises(UnknownNameError, match=r"unknown measure 'patents'.*measures\.toml"):
        fc.read(file)
    (tmp_path / "measures.toml").write_text(
        '[patents]\nkind = "count"\nunit = "patents"\nwords = { en = "Patents sold" }\n'
    )
    assert fc.read(file).measures == ["patents"]


def test_a_measure_travels_with_its_figures(tmp_path: Path) -> None:
    fc.measure("patents", kind="net", unit="patents")
    panel = fc.Panel.from_frame(yearly("patents"))
    carried = pickle.dumps(panel)
    folder = fc.forecast(panel, "naive", (2027,), draws=200).save(tmp_path / "saved")
    measures._declared.clear()
    assert pickle.loads(carried).series[0].signed  # noqa: S301
    measures._declared.clear()
    assert fc.open(folder).history.series[0].signed
    assert measures.find("patents").unit.en == "patents"


def test_amounts_may_be_larger_than_any_count() -> None:
    panel = fc.Panel.from_frame(yearly("remittances", 1e9))
    outlook = fc.forecast(panel, "naive", (2027,), draws=200)
    median = outlook.intervals()["median"].iloc[0]
    assert 0.5e11 < median < 2e11
    assert outlook.paths.attrs["unit"] == "USD per calendar year"
    with pytest.raises(DataError, match=r"larger than can be believed.*values are permits"):
        fc.Panel.from_frame(yearly("permit_quota", 1e9))
    with pytest.raises(DataError, match="larger than any count of people"):
        fc.Panel.from_frame(yearly("immigration", 1e9))


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: fc.measure("x", kind="counts"), "unknown kind.*'counts'. Did you mean: count"),  # type: ignore[arg-type]
        (lambda: fc.measure("population", kind="stock"), "is a measure of the package already"),
        (lambda: fc.measure("year", kind="count"), "is a word of tables already"),
        (lambda: fc.measure("My patents", kind="count"), "small letters, digits and _"),
        (lambda: fc.measure("money", kind="amount"), "lacks its unit"),
        (lambda: fc.measure("x", kind="count", words={"rus": "x"}), "'rus'. Did you mean: ru"),
        (lambda: fc.measure("x", kind="stock", adds_over_time=True), "does not add up over time"),
        (
            lambda: measures._made("measure", [{}], "m.toml"),
            r"headed by the name.*\[refusal_rate\]",
        ),
    ],
)
def test_misuse_has_one_clear_message(declare: Callable[[], object], message: str) -> None:
    with pytest.raises((DataError, UnknownNameError), match=message):
        declare()
    assert not measures._declared


def test_a_misspelt_key_of_a_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    yearly("patents").to_csv(file, index=False)
    (tmp_path / "measures.toml").write_text('[patents]\nkind = "count"\nunits = "patents"\n')
    with pytest.raises(UnknownNameError, match=r"unknown key in \[patents\].*Did you mean: unit"):
        fc.read(file)


def test_an_explorer_asks_for_figures_of_a_measure_without_words_of_its_own() -> None:
    fc.measure("patents", kind="count", unit="patents")
    english = language("en")
    words = program_words(english, ["patents"])
    assert words["unit"] == "patents a year"
    assert words["claims"]["patents"][1] == "{chance} that the figure of {year} is above {limit}"
    usual = program_words(english, ["immigration"])
    assert usual["unit"] == "persons a year"
    assert "patents" not in usual["claims"]


def test_figures_of_a_measure_in_its_own_unit_on_the_page(tmp_path: Path) -> None:
    fc.measure("share", kind="rate", unit="%", words="Share of women")
    table = yearly("share", 0.25)
    outlook = fc.forecast(fc.Panel.from_frame(table), "persistence", (2027,), draws=200)
    fc.report(outlook, folder=tmp_path, name="s")
    quantiles = pd.read_csv(tmp_path / "s.csv")["value"]
    assert (quantiles != quantiles.round()).any()
    page = (tmp_path / "s.html").read_text(encoding="utf-8")
    assert "Share of women: 2027" in page
    assert "persons a year" not in page


def shares(periods: list[str]) -> np.ndarray:
    """Return shares of some four per cent that wander, with four decimals."""
    steps = np.random.default_rng(5).normal(0, 0.002, len(periods))
    return np.round(0.04 + np.abs(np.cumsum(steps)), 4)


@pytest.mark.parametrize("model", ["persistence", "ets", "structural", "ensemble", "seasonal-ets"])
def test_a_rate_is_forecast_alike_in_whatever_unit(model: str) -> None:
    """As a share, in per cent, per 10,000, and counted: one forecast, in other units."""
    months = model.startswith("seasonal")
    at = pd.period_range("2015-01", "2024-12", freq="M" if months else "Y").astype(str).tolist()
    horizon = "2025-06" if months else 2027

    def drawn(kind: measures.Kind, scale: float) -> np.ndarray:
        measures._declared.clear()
        fc.measure("refusals", kind=kind, unit="refusals")
        values = np.round(shares(at) * scale, 4)
        table = pd.DataFrame(
            {"location": "KAZ", "measure": "refusals", "value": values, "period": at}
        )
        outlook = fc.forecast(fc.Panel.from_frame(table), model, (horizon,), draws=200)
        return outlook.paths.isel(series=0, year=-1).to_numpy() / scale

    share = drawn("rate", 1.0)
    assert 0.02 < np.quantile(share, 0.1) < np.quantile(share, 0.9) < 0.1
    for kind, scale in (("rate", 100.0), ("rate", 1e4), ("count", 1e4)):
        np.testing.assert_allclose(drawn(kind, scale), share, rtol=1e-6)


def test_steps_of_the_last_decimal_make_no_straight_line_of_a_rate() -> None:
    fc.measure("refusal_rate", kind="rate", unit="share")
    at = [str(year) for year in range(2000, 2020)]
    table = pd.DataFrame(
        {"location": "KAZ", "measure": "refusal_rate", "year": map(int, at), "value": shares(at)}
    )
    assert check(fc.Panel.from_frame(table)).empty
    table.loc[4:10, "value"] = np.linspace(0.05, 0.08, 7)
    found = check(fc.Panel.from_frame(table))
    assert set(found["check"]) == {"interpolated stretch"}
    assert found["year"].tolist() == [2005, 2006, 2007, 2008, 2009]


def test_messages_and_pages_give_a_rate_its_decimals(tmp_path: Path) -> None:
    fc.measure("refusal_rate", kind="rate", unit="share")
    at = [str(year) for year in range(2000, 2020)]
    table = yearly("refusal_rate").assign(value=shares(at)[:15])
    outlook = fc.forecast(fc.Panel.from_frame(table), "persistence", (2027,), draws=200)
    middle = float(outlook.paths.sel(year=2027).median())
    condition = fc.condition(outlook, f"KAZ refusal_rate 2027 >= {middle:.4f}")
    assert str(condition.conditions[0]).endswith(f">= {middle:.4f}")
    fc.report(outlook, folder=tmp_path, name="r")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert f"About {language('en').decimal(middle)} in 2027." in page


def test_the_store_keeps_months_of_a_measure_of_ones_own(tmp_path: Path) -> None:
    fc.measure("patents", kind="count", unit="patents")
    months = [f"2024-{month:02d}" for month in range(1, 13)]
    table = pd.DataFrame(
        {"location": "KAZ", "measure": "patents", "period": months, "value": range(100, 112)}
    )
    panel = fc.Panel.from_frame(table)
    store.add(panel, "mine", as_of="2025-02-01", folder=tmp_path)
    store.add(panel.until("2024-11"), "mine", as_of="2025-01-01", folder=tmp_path)
    measures._declared.clear()
    kept = store.load("mine", folder=tmp_path)
    assert (kept.frequency, kept.measures) == ("month", ["patents"])
    assert store.releases("mine", tmp_path)["last"].tolist() == ["2024-11", "2024-12"]
    assert status(kept)["last_period"].tolist() == ["2024-12"]
    with pytest.raises(DataError, match="is kept by month, and these figures come by year"):
        store.add(fc.Panel.from_frame(yearly("patents")), "mine", folder=tmp_path)
    with pytest.raises(DataError, match=r"figures of 2024-12 in the release of 2024-11-30"):
        store.add(panel, "early", as_of="2024-11-30", folder=tmp_path)
