"""Units of amounts and rates: multiples, currencies, and matrices of months and years."""

from __future__ import annotations

from pathlib import Path

import pytest

import forecast as fc
from forecast.errors import DataError, ForecastError

OWN = """
[musd]
kind = "amount"
unit = { en = "million USD", ru = "млн долларов США" }
words = { en = "Transfers", ru = "Переводы" }

[tenge]
kind = "amount"
unit = "million KZT"

[thousands_abroad]
kind = "stock"
unit = "thousand persons"

[refused]
kind = "rate"
unit = "%"
words = { en = "Refusal rate", ru = "Доля отказов" }

[refused_share]
kind = "rate"
unit = "share"
"""


def read(folder: Path, text: str, measure: str | None = None) -> list[float]:
    (folder / "measures.toml").write_text(OWN, encoding="utf-8")
    file = folder / "t.csv"
    file.write_text(text, encoding="utf-8")
    (series,) = fc.read(file, measure=measure)
    return [round(value, 9) for value in series.values.tolist()]


def titled(title: str) -> str:
    return f"{title}\nСтрана;2023;2024\nКазахстан;4000,1;4100,25\n"


def beside(measure: str, unit: str, figures: tuple[str, str] = ("4.1", "4.25")) -> str:
    rows = [f"KAZ;{measure};{2023 + n};{figure};{unit}\n" for n, figure in enumerate(figures)]
    return "location;measure;year;value;unit\n" + "".join(rows)


@pytest.mark.parametrize(
    ("title", "measure", "factor"),
    [
        ("Переводы, млн долларов США", None, 1), ("Transfers, million USD", None, 1),
        ("Transfers", None, 1), ("Transfers, thousand USD", None, 0.001),
        ("Переводы, млрд долл. США", None, 1000), ("Переводы, млн тенге", "tenge", 1),
        ("Remittances received, billion USD", None, 1e9), ("Sent, bn US$", "remittances", 1e9),
        ("Денежные переводы, млрд долларов", None, 1e9), ("mlrd AQSh dollari", "remittances", 1e9),
        ("миллиард АКШ доллары", "remittances", 1e9), ("Денежные переводы, трлн $", None, 1e12),
        ("Мигранты, млн человек", "thousands_abroad", 1000), ("Мигранты", "thousands_abroad", 1),
    ],
)  # fmt: skip
def test_a_multiple_is_applied_once(
    tmp_path: Path, title: str, measure: str | None, factor: float
) -> None:
    expected = [round(value * factor, 9) for value in (4000.1, 4100.25)]
    assert read(tmp_path, titled(title), measure) == expected


def test_a_multiple_in_a_column_or_a_heading_is_applied_once(tmp_path: Path) -> None:
    assert read(tmp_path, beside("musd", "million USD")) == [4.1, 4.25]
    assert read(tmp_path, beside("musd", "billion USD")) == [4100, 4250]
    assert read(tmp_path, beside("remittances", "USD")) == [4.1, 4.25]
    text = "Страна;Год;Переводы, млрд долл. США\nКазахстан;2023;4,1\nКазахстан;2024;4,25\n"
    assert read(tmp_path, text) == [4100, 4250]


@pytest.mark.parametrize(
    "unit",
    ["million euro", "€ million", "млрд тенге", "миллиард сом", "mln soʻm", "млн руб.", "KGS"],
)
def test_another_currency_is_never_taken_for_the_measures(tmp_path: Path, unit: str) -> None:
    for text in (titled(f"Remittances received, {unit}"), beside("remittances", unit)):
        with pytest.raises(DataError, match=r"is not in USD, the unit of remittances.*declare"):
            read(tmp_path, text)
    with pytest.raises(ForecastError, match="Remittances received"):
        read(tmp_path, beside(f"Remittances received, {unit}", ""))


def test_dollars_are_not_silently_millions_of_them(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'USD' says no multiple, and musd is in million USD"):
        read(tmp_path, beside("musd", "USD"))


def test_a_rate_is_read_in_its_own_unit(tmp_path: Path) -> None:
    for unit in ("%", "per cent", "PT: Percentage"):
        assert read(tmp_path, beside("refused", unit)) == [4.1, 4.25]
    assert read(tmp_path, beside("refused_share", "share")) == [4.1, 4.25]
    for title in ("Доля отказов, %", "Refusal rate, % per thousand applications"):
        assert read(tmp_path, titled(title)) == [4000.1, 4100.25]
    text = "Страна;Год;Доля отказов, %\nКазахстан;2023;4,1\nКазахстан;2024;4,25\n"
    assert read(tmp_path, text) == [4.1, 4.25]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (beside("immigration", "%"), "'%' is a rate or a share"),
        (beside("remittances", "%"), "'%' is a rate or a share"),
        (beside("refused", "share"), "'share' is not in %, the unit of refused"),
        (beside("refused", "persons"), "'persons' is not in %"),
        (titled("refused_share, ‰"), "'refused_share, ‰' is not in share"),
        (titled("Immigration, %"), "the title speaks of rates"),
        (beside("immigration", "million USD"), "'million USD' is not understood"),
    ],
)  # fmt: skip
def test_a_rate_in_another_unit_is_refused(tmp_path: Path, text: str, says: str) -> None:
    named = "refused_share" if "refused_share" in text else None
    with pytest.raises(DataError, match=says):
        read(tmp_path, text, named)


@pytest.mark.parametrize("corner", ["", "Месяц"])
@pytest.mark.parametrize("total", ["", "Итого;3900;4000\n", "Всего за год;3900;4000\n"])
def test_months_down_and_years_across(tmp_path: Path, corner: str, total: str) -> None:
    """The first row looks like years, and is none."""
    text = f"{corner};2023;2024\nянварь;1950;2010\nмарт;1950;1990\n{total}"
    text = f"Ходатайства об убежище, Казахстан\n{text}"
    assert [v for v in read(tmp_path, text) if v == v] == [1950, 1950, 2010, 1990]


def test_places_across_and_quarters_down(tmp_path: Path) -> None:
    text = "Квартал;Казахстан\nI квартал 2024;1\nII квартал 2024;2\nИтого;3\n"
    assert read(tmp_path, text, "immigration") == [1, 2]
