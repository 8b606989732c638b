from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pandas as pd
import pytest

import forecast as fc
from forecast.errors import DataError, ForecastError

TIDY = "location,measure,year,value\nKAZ,immigration,2022,17425\nKAZ,immigration,2023,25387\n"


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


@pytest.mark.parametrize(
    "content",
    [
        TIDY,
        "\ufeff" + TIDY,
        TIDY.encode("utf-16"),
        "sep=;\n" + TIDY.replace(",", ";"),
        TIDY.replace("KAZ", "Казахстан").encode("cp1251"),
        TIDY.replace(",", ";"),
        TIDY.replace(",", "\t"),
        TIDY.replace("\n", "\r\n") + "\r\n",
        "location,measure,2022,2023\nKAZ,immigration,17425,25387\n",
    ],
    ids=["plain", "BOM", "UTF-16", "sep", "CP1251", "semicolon", "tab", "windows", "years across"],
)
def test_csv_in_its_usual_forms(tmp_path: Path, content: str | bytes) -> None:
    panel = fc.read(written(tmp_path, "arrivals.csv", content))
    assert panel.keys == [("user", "KAZ", "immigration")]
    assert panel.series[0].values.tolist() == [17425, 25387]


def test_xlsx_and_parquet(tmp_path: Path) -> None:
    across = pd.DataFrame(
        {"location": ["KAZ", "KGZ"], "2022": [17425, 12444], "2023": [25387, None]}
    )
    across.to_excel(tmp_path / "book.xlsx", index=False, sheet_name="in")
    panel = fc.read(tmp_path / "book.xlsx", measure="immigration", source="office", sheet="in")
    assert panel.keys == [("office", "KAZ", "immigration"), ("office", "KGZ", "immigration")]
    panel.to_frame().to_parquet(tmp_path / "tidy.parquet")
    assert fc.read(tmp_path / "tidy.parquet").hash == panel.hash
    with pytest.raises(DataError, match="no sheet 'out'; the workbook has in"):
        fc.read(tmp_path / "book.xlsx", sheet="out")


def test_a_second_sheet_with_figures_is_never_dropped(tmp_path: Path) -> None:
    """One sheet a flow: whichever were taken, the other would be lost."""
    path = tmp_path / "two.xlsx"
    flows = {"in": "immigration", "out": "emigration"}
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"Notes": ["none"]}).to_excel(book, sheet_name="notes", index=False)
        for name, measure in flows.items():
            table = pd.DataFrame({"location": ["KAZ"], "measure": measure, "2022": 17425})
            table.to_excel(book, sheet_name=name, index=False)
    with pytest.raises(DataError, match=r"sheets 'in' and 'out' hold a table .* sheet='in'"):
        fc.read(path)
    for name, measure in flows.items():
        assert fc.read(path, sheet=name).measures == [measure]


def test_a_hidden_sheet_stands_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "hidden.xlsx"
    table = pd.DataFrame({"location": ["KAZ"], "measure": "immigration", "2022": 17425})
    with pd.ExcelWriter(path, engine="openpyxl") as book:
        table.to_excel(book, sheet_name="new", index=False)
        table.assign(**{"2022": 1}).to_excel(book, sheet_name="old", index=False)
        book.sheets["old"].sheet_state = "hidden"
    (series,) = fc.read(path)
    assert series.values.tolist() == [17425.0]
    (series,) = fc.read(path, sheet="old")
    assert series.values.tolist() == [1.0]


def test_missing_figures_may_be_written_in_several_ways(tmp_path: Path) -> None:
    text = "location,measure,2020,2021,2022,2023\nKAZ,immigration,1,-,…,4\n"
    (series,) = fc.read(written(tmp_path, "a.csv", text))
    assert pd.isna(series.values).tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    ("name", "content", "parts"),
    [
        ("a.csv", "", ["empty"]),
        ("a.csv", "  \n ", ["empty"]),
        ("a.csv", "location,measure,year,value\n", ["no rows"]),
        ("a.csv", TIDY.replace("17425", "many"), ["a.csv", "line 2", "'many'", "not a number"]),
        ("a.csv", TIDY.replace("17425", "-3"), ["line 2", "KAZ", "-3", "cannot be negative"]),
        ("a.csv", TIDY.replace("2023", "2022"), ["line 3", "2022", "twice"]),
        ("a.csv", TIDY.replace("value", "number"), ["'value'", "found: location"]),
        ("a.csv", TIDY.replace("KAZ", "Казакстания"), ["line 2", "'Казакстания'", "(KAZ)"]),
        ("a.csv", TIDY + "KAZ,immigration\n", ["line 4", "2 cells", "4"]),
        ("a.csv", TIDY.encode("utf-16")[:-1], ["UTF-16", "UTF-8"]),
        ("a.csv", "страна;год\nКазахстан;2020\n".encode("cp1251"), ["'value'", "страна, год"]),
        (
            "a.csv",
            "страна;год\nКазахстан;2020\n".encode("cp866"),
            ["line 1", "not UTF-8", "looks like CP866 (DOS) ('страна')", "CSV UTF-8"],
        ),
        (
            "a.csv",
            TIDY.replace("KAZ", "Кыргызстан").encode("koi8-r"),
            ["line 2", "as CP1251 reads 'лЩТЗЩЪУФБО'", "looks like KOI8-R ('Кыргызстан')"],
        ),
        ("a.csv", TIDY.encode().replace(b"KAZ", b"K\x98Z"), ["line 2", "'\ufffd'", "is no word"]),
        ("a.csv", b"PK\x03\x04rest", ["the name says CSV", "XLSX"]),
        ("a.csv", b"%PDF-1.7 ...", ["PDF"]),
        ("a.xlsx", TIDY, ["the name says XLSX", "text"]),
        ("a.xlsx", b"PK\x03\x04 not a workbook", ["not a readable XLSX"]),
        ("a.parquet", b"PAR1 not really", ["not a readable Parquet"]),
        ("a.docx", TIDY, [".docx", ".csv"]),
        ("a.csv", "location,location,year,value\nKAZ,KAZ,2020,1\n", ["'location' occurs twice"]),
        ("a.csv", 'location,measure,year,value\n"KAZ,immigration,2020,1\n', ["line", "quotation"]),
        ("a.csv", "location,measure,year,2020\nKAZ,immigration,2020,1\n", ["'2020'", "either"]),
    ],
)
def test_bad_files_get_one_clear_message(
    tmp_path: Path, name: str, content: str | bytes, parts: list[str]
) -> None:
    path = written(tmp_path, name, content)
    before = path.read_bytes()
    with pytest.raises(ForecastError) as caught:
        fc.read(path)
    for part in parts:
        assert part in str(caught.value), str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml"])
def test_damaged_workbooks_are_one_message(tmp_path: Path, part: str) -> None:
    pd.DataFrame({"location": ["KAZ"], "2022": [1]}).to_excel(tmp_path / "a.xlsx", index=False)
    with zipfile.ZipFile(tmp_path / "a.xlsx") as whole:
        content = {name: whole.read(name) for name in whole.namelist()}
    content[part] = content[part][: len(content[part]) // 2]
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w") as cut:
        for name, text in content.items():
            cut.writestr(name, text)
    with pytest.raises(DataError, match=r"b\.xlsx: .*Save"):
        fc.read(tmp_path / "b.xlsx", measure="immigration")


def test_a_measure_that_contradicts_the_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a column 'measure' of its own"):
        fc.read(written(tmp_path, "a.csv", TIDY), measure="emigration")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file"):
        fc.read(tmp_path / "nothing.csv")
    with pytest.raises(DataError, match="is a folder"):
        fc.read(tmp_path)
    with pytest.raises(DataError, match="is a device or a pipe"):
        fc.read(os.devnull)
