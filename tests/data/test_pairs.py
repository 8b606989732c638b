"""Origin–destination tables: long ones, matrices, a year per sheet or file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import forecast as fc
from forecast.data.tables import understand
from forecast.errors import DataError, ForecastError

LONG = "origin,destination,year,value\nUZB,RUS,2022,10\nUZB,RUS,2023,12\nKAZ,RUS,2023,7\n"
MATRIX = (
    "from / to,Kazakhstan,Russia,Germany,Total\nKazakhstan,,70,8,78\nUzbekistan,3,90,2,95\n"
    "Total,3,160,10,173\n"
)


def test_a_long_table_becomes_corridors(tmp_path: Path) -> None:
    file = tmp_path / "flows.csv"
    file.write_text(LONG)
    panel = fc.read(file)
    assert panel.locations == ["KAZ:RUS", "UZB:RUS"]
    assert panel.measures == ["flow"]
    assert panel.find(("user", "UZB:RUS", "flow")).values.tolist() == [10, 12]


@pytest.mark.parametrize(
    "heading",
    ["origin_iso3,destination_iso3", "Страна выбытия,Страна прибытия", "Қайдан,Қайда",
     "Кайдан,Кайда", "Qayerdan,Qayerga", "Country of origin,Country of destination"],
)  # fmt: skip
def test_headings_are_understood_in_each_language(tmp_path: Path, heading: str) -> None:
    file = tmp_path / "flows.csv"
    file.write_text(LONG.replace("origin,destination", heading), encoding="utf-8")
    assert fc.read(file).locations == ["KAZ:RUS", "UZB:RUS"]


def test_codes_are_read_beside_names_and_sums_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "flows.csv"
    file.write_text(
        "origin_iso3,origin,destination_iso3,destination,year,value\n"
        "UZB,Nowhere,RUS,Russia,2023,10\n,World,RUS,Russia,2023,99\nUZB,Uzbekistan,,Total,2023,11\n"
    )
    reading = understand(file)
    assert reading.panel.locations == ["UZB:RUS"]


def test_years_may_stand_across(tmp_path: Path) -> None:
    file = tmp_path / "flows.csv"
    file.write_text("origin,destination,2022,2023\nUZB,RUS,10,12\nKAZ,DEU,5,6\n")
    assert fc.read(file).find(("user", "KAZ:DEU", "flow")).values.tolist() == [5, 6]


@pytest.mark.parametrize(
    ("name", "title"), [("flows_2021.csv", ""), ("flows.csv", "Migration in 2021\n")]
)
def test_a_matrix_has_its_year_in_its_title_or_in_the_name(
    tmp_path: Path, name: str, title: str
) -> None:
    file = tmp_path / name
    file.write_text(title + MATRIX)
    frame = fc.read(file).to_frame().set_index("location")
    assert frame["value"].to_dict() == {
        "KAZ:DEU": 8, "KAZ:RUS": 70, "UZB:DEU": 2, "UZB:KAZ": 3, "UZB:RUS": 90,
    }  # fmt: skip
    assert set(frame["year"]) == {2021}


def test_a_workbook_may_have_a_matrix_a_year(tmp_path: Path) -> None:
    file = tmp_path / "flows.xlsx"
    with pd.ExcelWriter(file) as book:
        for year, factor in ((2020, 1), (2021, 2)):
            rows = [["from", "KAZ", "RUS"], ["KAZ", None, 70 * factor], ["UZB", 3, 90 * factor]]
            pd.DataFrame(rows).to_excel(book, sheet_name=str(year), header=False, index=False)
    panel = fc.read(file)
    assert panel.find(("user", "UZB:RUS", "flow")).values.tolist() == [90, 180]
    assert len(panel) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (MATRIX, "nothing says of which year"),
        ("2021\n" + MATRIX.replace("Germany", "Narnia"), "'Narnia' among the destinations"),
        (LONG.replace("KAZ,RUS", "KAX,RUS"), "KAX"),
        (LONG.replace("KAZ,RUS", "RUS,RUS"), "RUS"),
        (LONG.replace("origin,", "location,"), "destination"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "flows.csv"
    file.write_text(content)
    with pytest.raises((DataError, ForecastError), match=message):
        fc.read(file)


def test_a_move_to_where_one_is_can_be_left_out(tmp_path: Path) -> None:
    file = tmp_path / "flows.csv"
    file.write_text(LONG + "KAZ,Kazakhstan,2023,5\n")
    with pytest.raises(DataError, match=r"leads from Kazakhstan to itself.*skip=\['KAZ → Kaz"):
        fc.read(file)
    assert fc.read(file, skip=["KAZ → Kazakhstan"]).locations == ["KAZ:RUS", "UZB:RUS"]
