"""Measures: rows of a file, one's own in three lines, units in messages and headings."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

import forecast as fc
from forecast import labels, measures
from forecast.data import store
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
