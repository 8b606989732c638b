"""Reports of months, quarters and other measures: a table as an office writes it, to the page."""

from __future__ import annotations

import io
import json
import re
from html import unescape
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner

import forecast as fc
from forecast.cli.main import cli
from forecast.evaluate.editions import read_edition
from forecast.exports.check import check_hub
from forecast.language import language, rounded

MONTHS = ("январь", "февраль", "март", "апрель", "май", "июнь", "июль", "август", "сентябрь",
          "октябрь", "ноябрь", "декабрь")  # fmt: skip
QUARTERS = ("I", "II", "III", "IV")
#: Tables as offices write them: heading and rows, target periods, what the page says of them.
TABLES = {
    "a quota by quarter": (
        "Квота разрешений на работу, Казахстан\nПериод;Значение\n",
        [f"{q} квартал {y};{9000 + 700 * n + y % 5 * 100}" for y in range(2016, 2025)
         for n, q in enumerate(QUARTERS)],
        ("2025-Q2", "2025-Q4"), "permits a quarter",
    ),
    "asylum applications by month": (
        "Ходатайства об убежище, Казахстан\nМесяц;2021;2022;2023\n",
        [f"{month};{40 + n * 3};{50 + n * 4};{60 + n * n}" for n, month in enumerate(MONTHS)],
        ("2024-03", "2024-06"), "applications a month",
    ),
    "sums since January": (
        "Прибыло в Казахстан, человек\nПериод;Прибыло\n",
        [f"январь–{month} {y};{5000 * (n + 1) + 300 * n * n + y}" for y in range(2018, 2025)
         for n, month in enumerate(MONTHS[2::3])],
        ("2025-Q4",), "persons a quarter",
    ),
}  # fmt: skip


def text_of(page: Path) -> str:
    markup = re.sub(r"<(style|script).*?</\1>", " ", page.read_text(encoding="utf-8"), flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", markup)).split())


@pytest.mark.parametrize("case", TABLES)
def test_a_table_is_read_forecast_and_reported(tmp_path: Path, case: str) -> None:
    head, rows, horizons, unit = TABLES[case]
    file = tmp_path / "t.csv"
    file.write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    outlook = fc.forecast(fc.read(file), "persistence", horizons, draws=200)
    written = fc.report(outlook, folder=tmp_path / "out", name="t")
    assert {path.suffix for path in written} == {".html", ".csv", ".xlsx", ".json", ""}
    assert written[-1].name == "t-explorer.html"
    assert check_hub(tmp_path / "out" / "t-hub").empty
    page, annex = (text_of(tmp_path / "out" / name) for name in ("t.html", "t-annex.html"))
    for period in horizons:
        assert period in page
        assert f"Kazakhstan, {period}" in annex
    assert unit in page
    assert unit in annex
    assert "Explore the forecast : thresholds and sums of one's own" in page
    assert "Explore the forecast" in annex
    # A legend explains what is drawn: of periods there are no target years of a policy concept.
    assert "target year of the country’s policy concept" not in page + annex
    assert "last period observed" in annex
    # No number of a period is on a page: they are text.
    first, last = int(outlook.paths["year"][0]), int(outlook.paths["year"][-1])
    assert not {str(number) for number in range(first - 40, last + 1)} & set(annex.split())
    table = pd.read_csv(tmp_path / "out" / "t.csv")
    assert table.loc[table["target"], "period"].unique().tolist() == list(horizons)
    book = openpyxl.load_workbook(io.BytesIO((tmp_path / "out" / "t.xlsx").read_bytes()))
    summary = list(book["Summary"].iter_rows(values_only=True))
    assert "Period" in summary[0]
    assert [row[5] for row in summary[1:]] == list(horizons)
    notes = [str(cell) for row in book["Notes"].iter_rows(values_only=True) for cell in row]
    assert any(unit in note for note in notes)


def test_an_edition_of_months_can_be_held_against_what_came(tmp_path: Path) -> None:
    head, rows, horizons, _ = TABLES["a quota by quarter"]
    file = tmp_path / "t.csv"
    file.write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    outlook = fc.forecast(fc.read(file), "persistence", horizons, draws=200)
    fc.report(outlook, folder=tmp_path, name="t")
    manifest = json.loads((tmp_path / "t.manifest.json").read_text(encoding="utf-8"))
    assert manifest["frequency"] == "quarter"
    edition = read_edition(tmp_path / "t.manifest.json")
    assert edition.whole
    assert set(edition.quantiles["year"]) == set(outlook.paths["year"].to_numpy().tolist())


def test_a_page_in_russian_puts_no_word_for_year_behind_a_month(tmp_path: Path) -> None:
    fc.measure("patents", kind="count", unit={"en": "patents", "ru": "патентов"},
               words={"en": "Patents sold", "ru": "Проданные патенты"})  # fmt: skip
    months = [f"{year}-{month:02d}" for year in range(2020, 2025) for month in range(1, 13)]
    table = pd.DataFrame({"location": "KAZ", "measure": "patents", "period": months,
                          "value": [1000 + 37 * n % 211 for n in range(60)]})  # fmt: skip
    outlook = fc.forecast(fc.Panel.from_frame(table), "persistence", ("2025-06",), draws=200)
    fc.report(outlook, folder=tmp_path, name="p", language="ru")
    page = text_of(tmp_path / "p-annex.ru.html")
    assert "Проданные патенты" in page
    assert "патентов" in page
    assert not re.search(r"2025-06 (?:год|г\.)", page)


def monthly(measure: str = "immigration", scale: float = 1.0, last: str = "2024-09") -> fc.Panel:
    periods = [str(one) for one in pd.period_range("2018-01", last, freq="M")]
    values = scale * np.random.default_rng(1).poisson(1000, len(periods))
    return fc.Panel.from_frame(
        pd.DataFrame({"location": "KAZ", "measure": measure, "period": periods, "value": values})
    )


def test_by_default_a_few_months_are_told_and_the_sums_of_whole_years(tmp_path: Path) -> None:
    outlook = fc.forecast(monthly(), "persistence", draws=200)
    assert len(outlook.horizons) == 24
    fc.report(outlook, folder=tmp_path, name="m")
    table = pd.read_csv(tmp_path / "m.csv")
    told = ["2024-10", "2024-12", "2025-03", "2025-09", "2026-09"]
    assert table["period"].nunique() == 24
    assert table.loc[table["target"], "period"].unique().tolist() == told
    years = outlook.by("year")
    for name in ("m.html", "m-annex.html"):
        page = text_of(tmp_path / name)
        assert "2025-04" not in page
        for year in (2024, 2025):
            middle = float(np.median(years.paths.sel(year=year).values))
            assert f"{year} in all {language('en').persons(rounded(middle, 3))}" in page
        # 2026 is forecast only until September.
        assert "2026 in all" not in page
    asked = fc.forecast(monthly(), "persistence", ("2024-11", "2024-12", "2025-01"), draws=200)
    fc.report(asked, folder=tmp_path, name="asked")
    assert "2025-01" in text_of(tmp_path / "asked.html")


def test_sums_of_years_are_of_what_adds_up(tmp_path: Path) -> None:
    fc.report(fc.forecast(monthly("population"), "persistence", draws=200), folder=tmp_path,
              name="stock")  # fmt: skip
    assert "in all" not in text_of(tmp_path / "stock-annex.html")


@pytest.mark.parametrize(
    ("code", "said"),
    [("en", r"About [\d.]+ million USD in"), ("ru", r"[\d,]+ млн долларов США"),
     ("kk", r"[\d,]+ миллион АҚШ доллары"), ("ky", r"[\d,]+ миллион АКШ доллары"),
     ("uz", r"[\d,]+ million AQSh dollari")],
)  # fmt: skip
def test_large_amounts_are_told_in_words(tmp_path: Path, code: str, said: str) -> None:
    outlook = fc.forecast(monthly("remittances", 211_000.0), "persistence", draws=200)
    fc.report(outlook, folder=tmp_path, name="m", language=code)
    ending = "" if code == "en" else f".{code}"
    page = text_of(tmp_path / f"m{ending}.html")
    assert re.search(said, page.replace("\xa0", " "))
    assert not re.search(r"000[,.\s]000", page.replace("\xa0", " "))


def test_the_shell_writes_a_hub_of_months(tmp_path: Path) -> None:
    file, hub = tmp_path / "m.csv", tmp_path / "h"
    file.write_text(monthly().to_frame().to_csv(index=False), encoding="utf-8")
    shell = ["hub", "export", "--data", str(file), "--model", "persistence", "--out", str(hub),
             "--horizons", "2024-12,2025-03"]  # fmt: skip
    assert CliRunner().invoke(cli, shell).exit_code == 0
    assert check_hub(hub).empty
    (made,) = (hub / "model-output").rglob("2024-09-30-*.csv")
    assert set(pd.read_csv(made)["target_end_date"]) == {"2024-12-31", "2025-03-31"}


def test_a_check_names_the_unit_of_the_measure(tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    file.write_text(monthly("permit_quota").to_frame().to_csv(index=False), encoding="utf-8")
    document = json.loads(CliRunner().invoke(cli, ["data", "check", str(file), "--json"]).stdout)
    assert "permits, as the columns" in document["understood"]["units"][0]


def test_origins_of_a_backtest_are_periods(tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    file.write_text(monthly().to_frame().to_csv(index=False), encoding="utf-8")
    shell = ["backtest", "--data", str(file), "--models", "naive", "--horizons", "1,3", "--draws",
             "100", "--jobs", "1", "--origins"]  # fmt: skip
    table = pd.read_csv(io.StringIO(CliRunner().invoke(cli, [*shell, "2022-06:2022-08"]).stdout))
    assert table["origins"].tolist() == [3, 3]
    for given, message in {
        "2022": "origin 2022 is a year, and the figures are by month. Give the last month",
        "2022-13": "'2022-13' is no month of a panel by month",
        "2022-Q1": "'2022-Q1' is no month of a panel by month",
        "2031-01": "origin 2031-01 leaves nothing to see or nothing to score",
    }.items():
        result = CliRunner().invoke(cli, [*shell, given])
        assert result.exit_code == 1
        assert result.output.count("Error") == 1
        assert message in result.output


def test_periods_in_the_shell(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    rows = [f"KAZ,permit_quota,{y}-Q{q},{100 + 7 * y % 11 + q}" for y in range(2018, 2025)
            for q in range(1, 5)]  # fmt: skip
    file.write_text("location,measure,period,value\n" + "\n".join(rows) + "\n", encoding="utf-8")
    shell = ["predict", "--data", str(file), "--model", "persistence", "--draws", "200"]

    def said(*options: str) -> str:
        return CliRunner().invoke(cli, [*shell, *options]).output

    span = pd.read_csv(io.StringIO(said("--horizons", "2025-Q1:2025-Q3,2026-Q1")))
    assert span["period"].unique().tolist() == ["2025-Q1", "2025-Q2", "2025-Q3", "2026-Q1"]
    assert pd.read_csv(io.StringIO(said()))["period"].nunique() == 8
    assert "Permits per quarter, rounded" in said("--format", "table")
    assert "'2025-06' is no quarter of a panel by quarter" in said("--horizons", "2025-06")
    assert "runs backwards" in said("--horizons", "2025-Q3:2025-Q1")
