"""Tables by month, quarter and half-year: as offices write them, to panel and forecast."""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path

import pandas as pd
import pytest

import forecast as fc
from forecast import periods
from forecast.data.tables import dates, understand
from forecast.errors import ForecastError

MONTHS = ("январь", "февраль", "март", "апрель", "май", "июнь", "июль", "август", "сентябрь",
          "октябрь", "ноябрь", "декабрь")  # fmt: skip


def written(folder: Path, text: str) -> Path:
    file = folder / "t.csv"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "frequency", "year", "part"),
    [
        ("2024-03", "month", 2024, 3), ("март 2024", "month", 2024, 3),
        ("03.2024", "month", 2024, 3), ("янв.24", "month", 2024, 1),
        ("2024 жылғы қаңтар", "month", 2024, 1), ("2024-yil yanvar", "month", 2024, 1),
        ("May 2024", "month", 2024, 5), ("I квартал 2024", "quarter", 2024, 1),
        ("1 кв. 2024 г.", "quarter", 2024, 1), ("2024 Q1", "quarter", 2024, 1),
        ("2024 жыл I тоқсан", "quarter", 2024, 1), ("2024, I чейрек", "quarter", 2024, 1),
        ("1-chorak 2024", "quarter", 2024, 1), ("апрель–июнь 2024", "quarter", 2024, 2),
        ("II полугодие 2024", "half-year", 2024, 2), ("2024 год", "year", 2024, 1),
    ],
)  # fmt: skip
def test_periods_as_people_write_them(text: str, frequency: str, year: int, part: int) -> None:
    found = dates.stated(text)
    assert isinstance(found, dates.Year)
    assert (found.frequency, found.through) == (frequency, False)
    assert found.year == periods.number(year, part, frequency)


@pytest.mark.parametrize("text", ["январь–июнь 2024", "за 6 месяцев 2024 г.", "January-June 2024"])
def test_sums_since_january(text: str) -> None:
    found = dates.stated(text)
    assert isinstance(found, dates.Year)
    assert found.through
    assert found.year == periods.number(2024, 6, "month")


@pytest.mark.parametrize("text", ["2024-25", "март–май 2024", "202403", "ай", "12", "XIV"])
def test_what_is_no_period(text: str) -> None:
    assert dates.stated(text) is None


def test_a_quota_by_quarter_in_russian(tmp_path: Path) -> None:
    quarters = [(year, q) for year in range(2018, 2025) for q in ("I", "II", "III", "IV")]
    rows = [f"{q} квартал {year};{100 + len(q) + 3 * year % 7}\n" for year, q in quarters]
    head = "Квота разрешений на работу в Республике Казахстан\nПериод;Значение\n"
    panel = fc.read(written(tmp_path, head + "".join(rows)))
    assert (panel.frequency, panel.measures, len(panel.series[0].values)) == (
        "quarter", ["permit_quota"], 28,
    )  # fmt: skip
    outlook = fc.forecast(panel, "naive", ("2025-Q4",), draws=200)
    assert outlook.paths.attrs["unit"] == "permits per quarter"


def test_asylum_applications_with_months_down_and_years_across(tmp_path: Path) -> None:
    rows = [f"{month};{10 + n};{20 + n}\n" for n, month in enumerate(MONTHS)]
    head = "Ходатайства об убежище, Республика Казахстан\nМесяц;2022;2023\n"
    panel = fc.read(written(tmp_path, head + "".join(rows)))
    table = panel.to_frame()
    assert panel.measures == ["asylum_applications"]
    assert table["period"].tolist()[:2] == ["2022-01", "2022-02"]
    assert table["value"].tolist()[12:14] == [20, 21]


def test_months_across_with_their_total(tmp_path: Path) -> None:
    head = f"Страна;Год;{';'.join(MONTHS)};Итого\n"
    rows = [f"Казахстан;{year};{';'.join(str(100 + n) for n in range(12))};1266\n"
            for year in (2022, 2023)]  # fmt: skip
    reading = understand(written(tmp_path, head + "".join(rows)), measure="immigration")
    assert reading.unused == ("Итого",)
    assert len(reading.panel.series[0].values) == 24


def test_remittances_in_millions_of_dollars(tmp_path: Path) -> None:
    text = (
        "Страна;Год;Показатель;январь;февраль\n"
        "Узбекистан;2022;Денежные переводы, млн долларов США;300;310\n"
        "Узбекистан;2023;Денежные переводы, млн долларов США;320;330\n"
    )
    panel = fc.read(written(tmp_path, text))
    assert panel.measures == ["remittances"]
    assert panel.latest["value"].tolist() == [3.0e8, 3.1e8, 3.2e8, 3.3e8]


def test_year_to_date_is_taken_apart(tmp_path: Path) -> None:
    text = (
        "Прибыло в Казахстан, человек\n"
        "Период;Прибыло\n"
        "январь–март 2023;100\nянварь–июнь 2023;250\nянварь–сентябрь 2023;400\n2023;700\n"
        "январь–март 2024;120\n"
    )
    panel = fc.read(written(tmp_path, text))
    assert panel.frequency == "quarter"
    assert panel.latest["value"].tolist() == [100, 150, 150, 300, 120]


def test_months_under_their_year(tmp_path: Path) -> None:
    text = "Прибыло в Казахстан\nПериод;Прибыло\n2022\nянварь;10\nфевраль;11\n2023\nянварь;12\n"
    panel = fc.read(written(tmp_path, text))
    assert panel.to_frame()["period"].tolist() == ["2022-01", "2022-02", "2023-01"]


def test_dates_by_month_and_by_year() -> None:
    table = pd.DataFrame(
        {"unique_id": "KAZ/immigration", "ds": pd.date_range("2022-01-31", periods=24, freq="ME"),
         "y": range(100, 124)}
    )  # fmt: skip
    assert fc.Panel.from_frame(table).frequency == "month"
    quarters = table.assign(ds=pd.date_range("2022-03-31", periods=24, freq="QE"))
    assert fc.Panel.from_frame(quarters).frequency == "quarter"
    years = table.assign(ds=pd.date_range("2000-12-31", periods=24, freq="YE"))
    assert fc.Panel.from_frame(years).frequency == "year"


def test_a_mixed_table_says_which_figures_it_has(tmp_path: Path) -> None:
    head = "location,measure,period,value\n"
    rows = "KAZ,immigration,2023,1300\nKAZ,immigration,2024-01,100\nKAZ,immigration,2024-02,110\n"
    file = written(tmp_path, head + rows)
    with pytest.raises(ForecastError, match=r"2 figures by month and 1 figures by year.*frequency"):
        fc.read(file)
    reading = understand(file, frequency="month")
    assert reading.panel.to_frame()["period"].tolist() == ["2024-01", "2024-02"]
    assert any("left out, as told: 1 by year" in note for note in reading.notes)


STOPS = {
    "a part of a year": ("март-май 2022,5", "'март-май 2022' is a part of a year"),
    "no year": ("март,5", "'март' names no year"),
    "no month": ("2024-13,5", "'2024-13' is no month of a year"),
    "two years": ("2023-24,5", "'2023-24' is several years"),
    "two years or a month": ("2010-11,5", "'2010-11' may be a month or two years"),
    "to come": ("2199-01,5", r"figures of 2199-01, and it is 20.*months to come"),
    "negative": ("2022-01,-5", "a count cannot be negative"),
}


@pytest.mark.parametrize("case", STOPS)
def test_what_stops_with_one_message(tmp_path: Path, case: str) -> None:
    row, message = STOPS[case]
    text = f"location,measure,period,value\nKAZ,labour_permits,{row}\n"
    with pytest.raises(ForecastError, match=message):
        fc.read(written(tmp_path, text))


def test_a_stock_is_not_summed_since_january(tmp_path: Path) -> None:
    text = "location,measure,period,value\nKAZ,migrants_abroad,январь-март 2022,5\n"
    with pytest.raises(ForecastError, match="is a stock, which is not summed since January"):
        fc.read(written(tmp_path, text))


def test_reading_a_row_takes_few_steps(tmp_path: Path) -> None:
    """Counts calls rather than seconds: 100,000 rows take less than three seconds with so many."""
    rows = [f"s{n // 100},KAZ,immigration,{1920 + n % 100},{100 + n * 7919 % 9973}\n"
            for n in range(2000)]  # fmt: skip
    file = written(tmp_path, "source,location,measure,year,value\n" + "".join(rows))
    understand(file)
    with cProfile.Profile() as profile:
        assert understand(file).accepted == 2000
    assert pstats.Stats(profile).total_calls / 2000 < 240  # type: ignore[attr-defined]
