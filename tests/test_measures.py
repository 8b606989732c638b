"""Measures: rows of a file, one's own in three lines, units in messages and headings."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

import forecast as fc
from forecast import labels, measures
from forecast.cli.main import cli
from forecast.data import store
from forecast.data.checks import check
from forecast.data.releases import status
from forecast.errors import DataError, UnknownNameError
from forecast.language import LANGUAGES, language
from forecast.reports.explorer import explore
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
    assert words["claims"]["patents"][1] == "{chance} that the figure of {year} is above {limit}"
    usual = program_words(english, ["immigration"])
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
    for kind, scale in (("rate", 100.0), ("rate", 1e4), ("count", 1e4), ("amount", 1.0)):
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


@pytest.fixture
def declared(tmp_path: Path) -> Path:
    """A table of shares, in which 0.0412 is a usual figure, and what declares and targets it."""
    years = [*range(2005, 2025)]
    table = {"location": "KAZ", "measure": "refusals", "year": years}
    at = [str(year) for year in years]
    pd.DataFrame({**table, "value": shares(at)}).to_csv(tmp_path / "own.csv", index=False)
    (tmp_path / "measures.toml").write_text(
        '[refusals]\nkind = "rate"\nunit = "share"\nwords = "Refusals"\n'
    )
    (tmp_path / "targets.toml").write_text(
        '[[target]]\nconcept = "KAZ"\ntext = "Few"\nkind = "yardstick"\nby = 2027\n'
        'measure = "refusals"\nat_most = 0.0525\nreference = "ours"\n'
    )
    return tmp_path


def ran(*words: object) -> str:
    done = CliRunner().invoke(cli, [*map(str, words)])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_shell_and_every_file_give_a_rate_its_decimals(declared: Path) -> None:
    own = ["--data", declared / "own.csv", "--horizons", "2027", "--draws", "300"]
    table = pd.read_csv(io.StringIO(ran("predict", *own)))
    middle = table.loc[table["quantile"] == 0.5, "value"].item()
    assert 0.02 < middle < 0.1
    assert middle != round(middle, 3)
    aims = ["--targets", declared / "targets.toml"]
    assert pd.read_csv(io.StringIO(ran("targets", *own, *aims)))["threshold"].item() == 0.0525
    given = pd.read_csv(io.StringIO(ran("condition", "KAZ refusals 2027 >= 0.02", *own)))
    assert 0 < given["baseline"].iloc[0] < 0.1
    ran("report", *own, *aims, "--out", declared, "--threshold", "KAZ refusals > 0.0325")
    page = "".join((declared / f"own{name}.html").read_text("utf-8") for name in ("", "-annex"))
    for said in ("More than 0.0325: ", "at most 0.0525", ">0.045</text>"):
        assert said in page, said
    book = load_workbook(declared / "own.xlsx", read_only=True)
    cells = {cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row}
    assert {cell for cell in cells if isinstance(cell, float) and 0.01 < cell < 0.2}
    ran("hub", "check", declared / "own-hub")
    (drawn,) = (declared / "own-hub" / "model-output").rglob("*.csv")
    assert pd.read_csv(drawn)["value"].between(0.001, 0.5).all()


def test_an_edition_of_rates_is_judged_in_their_unit(declared: Path) -> None:
    before = declared / "before"
    before.mkdir()
    (before / "measures.toml").write_text((declared / "measures.toml").read_text())
    table = pd.read_csv(declared / "own.csv")
    table[table["year"] < 2023].to_csv(before / "own.csv", index=False)
    model = ["--model", "persistence", "--draws", "300"]
    ran("report", "--data", before / "own.csv", "--horizons", "2024,2027", *model, "--out", before)
    earlier = ["--previous", before / "own.manifest.json"]
    ran("report", "--data", declared / "own.csv", "--horizons", "2027", *model, *earlier,
        "--out", declared)  # fmt: skip
    page = (declared / "own-annex.html").read_text("utf-8")
    assert "What was said and what came, share" in page
    assert "interval, share" in page
    assert "estimates were 0 off" not in page
    assert "estimates were 0.0" in page


def test_a_handful_and_billions_keep_their_digits() -> None:
    english = language("en")
    assert labels.figure(4.2, "immigration", english, 2) == "4"
    assert labels.figure(47.0, "immigration", english, 2) == "50"
    assert labels.figure(4.2, "net_migration", english, 2) == "0"
    fc.measure("money", kind="amount", unit="billion USD")
    assert labels.figure(4.137, "money", english, 2) == "4.14"


def test_thousands_are_nowcast_as_surely_as_ones() -> None:
    months = [str(one) for one in pd.period_range("2015-01", "2024-06", freq="M")]
    counts = np.random.default_rng(6).poisson(3000 * (1.2 + np.sin(np.arange(len(months)) / 1.9)))
    table = {"location": "KAZ", "measure": "sold", "period": months}
    widths = {}
    for unit, scale in (("patents", 1.0), ("thousand patents", 1e-3)):
        measures._declared.clear()
        fc.measure("sold", kind="count", unit=unit)
        panel = fc.Panel.from_frame(pd.DataFrame({**table, "value": np.round(counts * scale, 3)}))
        row = fc.nowcast(panel, 2024, draws=400).intervals(0.8).iloc[0]
        widths[unit] = (row["upper"] - row["lower"]) / row["median"]
    assert widths["thousand patents"] == pytest.approx(widths["patents"], rel=0.2)


def test_a_signed_rate_is_not_divided_by_the_population_again() -> None:
    fc.measure("growth", kind="rate", unit="%", sign="any")
    table = yearly("growth", 0.01).assign(population=[1e6 * 1.05**n for n in range(15)])
    one, other = (
        fc.forecast(fc.Panel.from_frame(made), "persistence", (2035,), draws=200).paths
        for made in (table, table.drop(columns="population"))
    )
    np.testing.assert_array_equal(one, other)


def test_figures_of_five_years_are_not_called_yearly(tmp_path: Path) -> None:
    table = yearly("immigration", 1e3).assign(year=range(1950, 2025, 5))
    panel = fc.Panel.from_frame(table, step=5)
    outlook = fc.forecast(panel, "persistence", (2025,), draws=200)
    fc.report(outlook, folder=tmp_path, name="f")
    explore(outlook, folder=tmp_path, name="f")
    for name in ("f", "f-annex", "f-explorer"):
        page = (tmp_path / f"{name}.html").read_text("utf-8")
        assert "persons in 5 years" in page, name
    assert "persons a year" not in (tmp_path / "f.html").read_text("utf-8").lower()


def test_a_year_is_no_month() -> None:
    table = pd.DataFrame({"location": "KAZ", "measure": "immigration", "value": range(100, 136)})
    months = [str(one) for one in pd.period_range("2022-01", periods=36, freq="M")]
    panel = fc.Panel.from_frame(table.assign(period=months))
    with pytest.raises(DataError, match=r"horizon 2027 is a year.*by month\. Name months: 2027-12"):
        fc.forecast(panel, "seasonal-naive", (2027,), draws=200)


def test_a_report_of_months_tells_the_models_of_months(tmp_path: Path) -> None:
    months = [str(one) for one in pd.period_range("2015-01", periods=120, freq="M")]
    table = {"location": "KAZ", "measure": "immigration", "period": months}
    counts = np.random.default_rng(1).poisson(500, 120)
    panel = fc.Panel.from_frame(pd.DataFrame({**table, "value": counts}))
    fc.report(fc.forecast(panel, horizons=("2025-06",), draws=200), folder=tmp_path, name="m")
    page = (tmp_path / "m-annex.html").read_text("utf-8")
    assert "seasonal-theta" in page
    assert "Gross flows" not in page


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
