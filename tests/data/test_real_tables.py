"""Twelve tables as offices publish them: each loads to exactly the right Panel, or stops.

The patterns are those of the offices' spreadsheets; the figures are the bundled ones.
"""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest

import forecast as fc
from forecast.data.tables import understand
from forecast.errors import DataError, ForecastError
from forecast.panel import Panel

YEARS = (2022, 2023, 2024)
KAZ = {
    "immigration": (17_425, 25_387, 29_282),
    "emigration": (24_147, 16_094, 12_732),
    "net_migration": (-6_722, 9_293, 16_550),
}
KGZ = {
    "immigration": (8_229, 12_444, 14_453),
    "emigration": (8_998, 6_527, 4_610),
    "net_migration": (-769, 5_917, 9_843),
}


def known(source: str, place: str, measure: str, years: tuple[int, ...] = YEARS) -> list[float]:
    """Return bundled figures, so that the tables here hold numbers of the offices."""
    (series,) = fc.load("central-asia").select(source=source, location=place, measure=measure)
    values = dict(zip(series.years.tolist(), series.values.tolist()))
    return [values[year] for year in years]


def written(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def panel_of(rows: list[tuple[object, ...]], **columns: object) -> Panel:
    """Return the Panel of rows (location, measure, year, value[, precision])."""
    names = ["location", "measure", "year", "value", "precision"]
    table = pd.DataFrame(rows, columns=names[: len(rows[0])])
    return Panel.from_frame(table.assign(**columns))


def expected(
    places: dict[str, dict[str, tuple[float, ...]]], years: tuple[int, ...], **columns: object
) -> Panel:
    rows = [
        (place, measure, year, value)
        for place, measures in places.items()
        for measure, values in measures.items()
        for year, value in zip(years, values)
    ]
    return panel_of(rows, **columns)


def test_the_figures_here_are_the_offices(tmp_path: Path) -> None:
    for measure, values in KAZ.items():
        assert known("kz-bns", "KAZ", measure) == list(values)
    for measure, values in KGZ.items():
        assert known("kg-nsc", "KGZ", measure, (2021, 2022, 2023)) == list(values)


def test_1_russian_regions_years_across_in_cp1251(tmp_path: Path) -> None:
    """Title, unit line, spaces in figures, dashes, total row, footnote; Windows encoding."""
    text = (
        "Сальдо миграции населения Республики Казахстан по регионам (все потоки);;;\r\n"
        ";;;человек\r\n"
        "Регион;2022 г.;2023 г.;2024* г.\r\n"
        "Республика Казахстан;-6 722;9 293;16 550\r\n"
        "Акмолинская область;-1 917;–\xa0733;-3 021\r\n"
        "Алматинская обл.;26 102;…;н/д\r\n"
        "г. Алматы;30 111;40 222;-\r\n"
        "в том числе:;;;\r\n"
        "Источник: Бюро национальной статистики;;;\r\n"
    )
    path = written(tmp_path, "regions.csv", text, "cp1251")
    reading = understand(path)
    right = expected(
        {
            "KAZ": {"net_all_flows": (-6722, 9293, 16550)},
            "KZ-11": {"net_all_flows": (-1917, -733, -3021)},
            "KZ-19": {"net_all_flows": (26102, float("nan"), float("nan"))},
            "KZ-75": {"net_all_flows": (30111, 40222, float("nan"))},
        },
        YEARS,
    )
    assert reading.panel.hash == right.hash
    assert reading.encoding == "CP1251"
    assert (reading.rows_in, reading.accepted) == (9, 4)
    assert reading.reported == {
        "footnote": 1, "heading": 1, "part of a row above": 1, "title": 2,
    }  # fmt: skip


def test_2_kyrgyz_indicator_rows_in_thousands(tmp_path: Path) -> None:
    """The country in the title, measures down, thousands with a decimal comma: Kyrgyz words."""
    text = (
        "Кыргыз Республикасынын тышкы миграциясы, миң киши\n\n"
        "Көрсөткүч;2021-ж.;2022-ж.;2023-ж.\n"
        "Келгендер;8,2;12,4;14,5\n"
        "Кеткендер;9,0;6,5;4,6\n"
        "Миграциялык өсүш (азайуу);-0,8;5,9;9,8\n"
    )
    reading = understand(written(tmp_path, "kg.csv", text))
    right = expected(
        {
            "KGZ": {
                "immigration": (8200, 12400, 14500),
                "emigration": (9000, 6500, 4600),
                "net_migration": (-800, 5900, 9800),
            }
        },
        (2021, 2022, 2023),
        precision=100.0,
    )
    assert reading.panel.hash == right.hash
    assert reading.units == ("thousands, stated above the table",)
    assert "arrivals - departures = net in 3 of 3 figures" in reading.notes


def workbook(path: Path, rows: list[list[object]], *, first: str = "", merged: str = "") -> Path:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    if first:
        sheet.title = first
        sheet.append(["Мазмұны"])
        sheet = book.create_sheet("1.1")
    for row in rows:
        sheet.append(row)
    if merged:
        sheet.merge_cells(merged)
    book.save(path)
    return path


def test_3_kazakh_workbook_with_merged_years_and_a_contents_sheet(tmp_path: Path) -> None:
    """Two rows of headings, years merged over arrivals, departures and saldo; second sheet."""
    rows: list[list[object]] = [
        ["Сыртқы көші-қон, адам"],
        [None, 2022, None, None, 2023, None, None],
        ["Ел", *(2 * ["Келгендер", "Кеткендер", "Көші-қон сальдосы"])],
        ["А", 1, 2, 3, 4, 5, 6],
        ["Қазақстан Республикасы", 17425, 24147, -6722, 25387, 16094, 9293],
        ["Қырғызстан", 12444, 6527, 5917, 14453, 4610, 9843],
    ]  # fmt: skip
    reading = understand(workbook(tmp_path / "kz.xlsx", rows, first="Мазмұны", merged="B2:D2"))
    right = expected(
        {
            "KAZ": {name: values[:2] for name, values in KAZ.items()},
            "KGZ": {name: values[1:] for name, values in KGZ.items()},
        },
        (2022, 2023),
    )
    assert reading.panel.hash == right.hash
    assert reading.sheet == "1.1"
    assert "sheets not read: Мазмұны" in reading.notes
    assert reading.reported == {"heading": 3, "title": 1}


def test_4_uzbek_latin_sections(tmp_path: Path) -> None:
    """Arrivals and departures as sections over the same regions; Uzbek in Latin letters."""
    text = (
        "Oʻzbekiston Respublikasida ichki migratsiya, kishi\n"
        "Hududlar\t2022-yil\t2023-yil\n"
        "Ko'chib kelganlar soni\n"
        "Toshkent shahri\t45 120\t47 301\n"
        "Farg‘ona viloyati\t15 003\t14 998\n"
        "Ko'chib ketganlar soni\n"
        "Toshkent shahri\t31 870\t30 114\n"
        "Farg‘ona viloyati\t16 120\t15 777\n"
    )
    reading = understand(written(tmp_path, "uz.tsv", text))
    right = expected(
        {
            "UZ-TK": {
                "internal_arrivals": (45120, 47301), "internal_departures": (31870, 30114),
            },
            "UZ-FA": {
                "internal_arrivals": (15003, 14998), "internal_departures": (16120, 15777),
            },
        },
        (2022, 2023),
    )  # fmt: skip
    assert reading.panel.hash == right.hash
    assert reading.reported == {"heading": 1, "section": 2, "title": 1}


def test_5_uzbek_cyrillic_measures_across(tmp_path: Path) -> None:
    """One row a year, one column a flow; UTF-16 as spreadsheets write "Unicode text"."""
    text = (
        "Мамлакат\tЙил\tКўчиб келганлар\tКўчиб кетганлар\tМиграция қолдиғи\n"
        "Қирғизистон\t2021\t8229\t8998\t-769\n"
        "Қирғизистон\t2022\t12444\t6527\t5917\n"
        "Қирғизистон\t2023\t14453\t4610\t9843\n"
    )
    panel = fc.read(written(tmp_path, "uz.txt", text, "utf-16"))
    assert panel.hash == expected({"KGZ": KGZ}, (2021, 2022, 2023)).hash


def test_6_english_thousands_with_commas(tmp_path: Path) -> None:
    """Grouping commas, quoted; the unit is stated in the heading."""
    text = (
        "International migration of Kazakhstan\n"
        "Year,Arrivals (persons),Departures (persons),Net migration (persons),Population\n"
        '2022,"17,425","24,147","-6,722","19,503,159"\n'
        '2023,"25,387","16,094","9,293","19,900,000"\n'
        '2024,"29,282","12,732","16,550","20,033,842"\n'
        "Note: changes of permanent residence, not labour migration\n"
    )
    panel = fc.read(written(tmp_path, "kaz.csv", text))
    right = expected({"KAZ": KAZ}, YEARS).to_frame()
    people = dict(zip(YEARS, (19_503_159.0, 19_900_000.0, 20_033_842.0)))
    right["population"] = right["year"].map(people)
    assert panel.hash == Panel.from_frame(right).hash


def test_7_sdmx_csv(tmp_path: Path) -> None:
    """Codes for place, unit and status; a figure that is missing says so by its status."""
    text = (
        "DATAFLOW,FREQ,REF_AREA,INDICATOR,SEX,TIME_PERIOD,OBS_VALUE,UNIT_MULT,OBS_STATUS\n"
        "UZ:MIG(1.0),A,KZ,Immigration,_T,2022,17.425,3,A\n"
        "UZ:MIG(1.0),A,KZ,Immigration,_T,2023,25.387,3,A\n"
        "UZ:MIG(1.0),A,KZ,Immigration,_T,2024,29.282,3,P\n"
        "UZ:MIG(1.0),A,KG,Immigration,_T,2022,12.444,3,B\n"
        "UZ:MIG(1.0),A,KG,Immigration,_T,2023,,3,M\n"
    )
    panel = fc.read(written(tmp_path, "sdmx.csv", text), source="uz")
    rows = [
        ("KAZ", "immigration", 2022, 17425.0, 1.0), ("KAZ", "immigration", 2023, 25387.0, 1.0),
        ("KAZ", "immigration", 2024, 29282.0, 1.0), ("KGZ", "immigration", 2022, 12444.0, 1.0),
        ("KGZ", "immigration", 2023, float("nan"), 1.0),
    ]  # fmt: skip
    right = panel_of(rows, source="uz", flag=["", "", "provisional", "break", ""])
    assert panel.hash == right.hash


def test_8_places_across(tmp_path: Path) -> None:
    """Years as full dates down, countries across, "sep=" on the first line."""
    text = "sep=;\nДата;Казахстан;Кыргызстан\n01.01.2022;17 425;12 444\n31.12.2023;25 387;14 453\n"
    panel = fc.read(written(tmp_path, "across.csv", text), measure="immigration")
    right = expected(
        {"KAZ": {"immigration": (17425, 25387)}, "KGZ": {"immigration": (12444, 14453)}},
        (2022, 2023),
    )
    assert panel.hash == right.hash


def test_9_former_names_and_capitals(tmp_path: Path) -> None:
    """Names of Soviet times and capitals; a name shared with a city goes by elimination."""
    text = (
        "ОБЛАСТЬ,ГОД,САЛЬДО МИГРАЦИИ\n"
        "ЦЕЛИНОГРАДСКАЯ ОБЛАСТЬ,2001,-10 537\nЮжно-Казахстанская область,2001,-4 210\n"
        "Алматы,2001,12 031\nАлма-Атинская обл.,2001,-3 311\nНур-Султан,2001,51 376\n"
    )
    reading = understand(written(tmp_path, "old.csv", text), flows="all")
    values = {
        "KZ-11": -10537, "KZ-61+KZ-79": -4210, "KZ-75": 12031, "KZ-19": -3311, "KZ-71": 51376,
    }  # fmt: skip
    right = panel_of([(place, "net_all_flows", 2001, value) for place, value in values.items()])
    assert reading.panel.hash == right.hash
    assert any("'Алматы' is taken for KZ-75" in note for note in reading.notes)


STOPS = {
    "10 names that are not known": (
        "Область;2022;2023\nАкмолинск. обл;1 001;1 002\nг. Алматы;2 001;2 002\n"
        "Страны СНГ;3 001;3 002\n",
        {"measure": "net_all_flows"},
        "t.csv: line 2, column location: unknown location 'Акмолинск. обл'. Did you mean "
        "Акмолинская область (KZ-11)",
        "(1 more; `forecast data check` lists them.)",
    ),
    "11 a unit that is not said": (
        "Страна;2017;2018;2019\nТуркменистан;12,4;13,1;14,7\n",
        {"measure": "emigration"},
        "t.csv: no unit is stated and figures such as 12.4 are not whole persons. Say "
        "units='thousands' or units='persons'.",
        "",
    ),
    "12 a saldo with its sign reversed": (
        "Страна;Год;Прибыло;Выбыло;Сальдо\nКазахстан;2022;17425;24147;6722\n"
        "Казахстан;2023;25387;16094;-9293\n",
        {},
        "t.csv: the net is departures minus arrivals in 2 of 2 years, such as KAZ 2022: 6,722 "
        "against -6,722. Positive net means an inflow here: change its sign, or leave it out.",
        "",
    ),
    "a name for a city and its region": (
        "Область;2022\nТашкент;1 001\n",
        {"measure": "net_all_flows"},
        "t.csv: line 2, column location: 'Ташкент' may be Tashkent City (UZ-TK) or Tashkent "
        "Region (UZ-TO). Write the code, or the full name.",
        "",
    ),
    "rates": (
        "Коэффициент миграционного прироста на 1000 человек\nСтрана;2022;2023\nКазахстан;-3;5\n",
        {"measure": "net_migration"},
        "t.csv: the title speaks of rates or shares:",
        "",
    ),
    "parts of a year": (
        "Страна;январь-июнь 2024;2023\nКазахстан;12 000;25 387\n",
        {"measure": "immigration"},
        "t.csv: the table has 1 figures by year and 1 figures since January; a panel has one "
        "frequency. Say which to take, such as frequency='year'; the others are then left out.",
        "",
    ),
    "two decimal marks": (
        "Страна;2022;2023\nКазахстан;17,4;25.38\n",
        {"measure": "immigration", "units": "thousands"},
        "t.csv: '25.38' and '17,4' have different decimal marks.",
        "",
    ),
    "one mark with two meanings": (
        "Страна\t2022\t2023\nТуркменистан\t17,425\t25,387\n",
        {"measure": "immigration", "units": "thousands"},
        "t.csv: '17,425' may be 17425 or 17.425:",
        "Say decimal='.' or decimal=','.",
    ),
    "no place": (
        "Показатель;2022;2023\nПрибыло;17 425;25 387\n",
        {},
        "t.csv: nothing says of which place the figures are: no column of places, and no country "
        "in the title. Say which, such as location='KAZ'.",
        "",
    ),
    "regional flows": (
        "Область;Год;Прибыло\nАкмолинская область;2022;1 001\n",
        {},
        "t.csv: line 2: arrivals of KZ-11: nothing says whether they cross the border",
        "Say flows='external', 'internal' or 'all'.",
    ),
}


@pytest.mark.parametrize("case", STOPS)
def test_tables_that_stop_with_one_message(tmp_path: Path, case: str) -> None:
    text, told, start, end = STOPS[case]
    path = written(tmp_path, "t.csv", text)
    with pytest.raises(ForecastError) as caught:
        fc.read(path, **told)  # type: ignore[arg-type]
    assert str(caught.value).startswith(start), str(caught.value)
    assert str(caught.value).endswith(end), str(caught.value)


def test_what_is_asked_for_is_applied(tmp_path: Path) -> None:
    text = "Показатель;2022;2023\nПрибыло;17,425;25,387\nиз стран СНГ;15,1;22,0\n"
    panel = fc.read(
        written(tmp_path, "t.csv", text),
        location="Казахстан", units="thousands", decimal=",", skip=["из стран СНГ"],
    )  # fmt: skip
    right = expected({"KAZ": {"immigration": (17425, 25387)}}, (2022, 2023), precision=1.0)
    assert panel.hash == right.hash


def test_points_that_group_digits_are_no_decimals(tmp_path: Path) -> None:
    """Every figure of the package's own column with three digits behind a point."""
    past = "location,measure,year,value\nKGZ,immigration,1900,10.101\nKGZ,immigration,1901,9.995\n"
    with pytest.raises(DataError, match=r"'10.101' may be 10101 or 10.101: .* Say decimal="):
        fc.read(written(tmp_path, "t.csv", past))
    panel = fc.read(written(tmp_path, "t.csv", past), decimal=",")
    assert panel.series[0].values.tolist() == [10101, 9995]
    # One figure with another number of decimals, and the point is a decimal point.
    mixed = fc.read(written(tmp_path, "t.csv", past.replace("9.995", "99.5")))
    assert mixed.series[0].values.tolist() == [10.101, 99.5]
    thousands = fc.read(written(tmp_path, "t.csv", past), units="thousands")
    assert thousands.series[0].values.tolist() == [10101, 9995]
    # Years that are known decide, and the account says so.
    known = "location,measure,year,value\n" + "".join(
        f"KAZ,immigration,{year},{figure}\n"
        for year, figure in ((2022, "17.425"), (2023, "25.387"), (2024, "29.282"))
    )
    reading = understand(written(tmp_path, "t.csv", known))
    assert reading.panel.series[0].values.tolist() == [17425, 25387, 29282]
    assert reading.decimal == "',' (so read, the figures agree with the bundled ones)"
    assert any("the point of '17.425' groups digits" in note for note in reading.notes)


@pytest.mark.parametrize("figures", [("10,101", "9,995"), ("1.5", "2.25"), ("10.101", "99.5")])
def test_the_decimal_mark_is_never_said_without_a_reason(
    tmp_path: Path, figures: tuple[str, str]
) -> None:
    text = "location,measure,year,value\n" + "".join(
        f'KGZ,immigration,{year},"{figure}"\n' for year, figure in enumerate(figures, 1900)
    )
    assert "()" not in understand(written(tmp_path, "t.csv", text)).decimal


def test_a_unit_is_inferred_from_known_figures_and_said(tmp_path: Path) -> None:
    text = "Страна;2021;2022;2023;2024\nКазахстан;11,0;17,4;25,4;29,3\n"
    reading = understand(written(tmp_path, "t.csv", text), measure="immigration")
    assert reading.panel.series[0].values.tolist() == [11000, 17400, 25400, 29300]
    assert reading.units[0].startswith("thousands, inferred: the bundled figures of the same 4")


def test_all_flows_of_regions_are_crosschecked_and_the_net_kept(tmp_path: Path) -> None:
    text = (
        "Регион;Год;Прибыло;Выбыло;Сальдо миграции\n"
        "Акмолинская область;2022;30 001;33 000;-2 999\nг. Алматы;2022;90 000;60 000;31 000\n"
    )
    reading = understand(written(tmp_path, "t.csv", text), flows="all")
    assert [key[2] for key in reading.panel.keys] == ["net_all_flows"] * 2
    assert any("in 1 of 2 figures; not in KZ-75 2022" in note for note in reading.notes)


def test_a_column_that_is_not_kept_needs_no_unit(tmp_path: Path) -> None:
    text = "place;year;emigrants;saldo\nKAZ;2021;3000;100\nKAZ;2022;4000;-90\n"
    reading = understand(written(tmp_path, "t.csv", text), flows="all")
    assert [key[2] for key in reading.panel.keys] == ["net_all_flows"]
    assert reading.units == ("persons, inferred: no unit is stated and all are whole numbers",)


def test_a_misspelt_measure_is_named_with_its_line(tmp_path: Path) -> None:
    text = "location,measure,year,value\nKAZ,imigration,2021,3000\nKAZ,imigration,2022,4000\n"
    reading = understand(written(tmp_path, "t.csv", text))
    assert "line 2, column measure: unknown measure 'imigration'" in str(reading.problems[0])
    assert "Did you mean: immigration" in str(reading.problems[0])


def test_a_total_row_is_held_against_its_rows(tmp_path: Path) -> None:
    text = "Область;2022;2023\nЧуйская область;10;20\nТаласская область;1;2\nВсего;11;23\n"
    reading = understand(written(tmp_path, "t.csv", text), measure="internal_arrivals")
    assert reading.reported["total row"] == 1
    assert any("differs from the sum of the rows: 2023: 23 stated" in n for n in reading.notes)


def test_the_account_of_a_workbook_is_the_same_as_of_its_csv(tmp_path: Path) -> None:
    rows = [["location", "measure", "year", "value"], ["KAZ", "immigration", 2022, 17425]]
    path = workbook(tmp_path / "a.xlsx", rows)  # type: ignore[arg-type]
    frame = pd.read_excel(path, engine="openpyxl")
    text = io.StringIO()
    frame.to_csv(text, index=False)
    other = written(tmp_path, "a.csv", text.getvalue())
    assert understand(path).panel.hash == understand(other).panel.hash


def test_a_message_stays_on_one_line_whatever_it_quotes(tmp_path: Path) -> None:
    text = 'location,measure,year,value\n"KA\nZ",immigration,2022,1\n'
    reading = understand(written(tmp_path, "t.csv", text))
    assert "\n" not in str(reading.problems[0])
    assert "'KA Z'" in str(reading.problems[0])


@pytest.mark.parametrize("heading", ["2024* г.", "2024¹ г.", "2024²", "2024 г.¹", "2024 г. ¹"])
def test_a_footnote_mark_may_stand_inside_the_heading_of_a_year(
    heading: str, tmp_path: Path
) -> None:
    text = f"Прибыло из-за рубежа, человек;;\nСтрана;2023 г.;{heading}\nКазахстан;25387;29282\n"
    panel = understand(written(tmp_path, "marked.csv", text, "utf-8")).panel
    assert panel.hash == expected({"KAZ": {"immigration": (25387, 29282)}}, (2023, 2024)).hash


def test_unknown_words_for_what_is_told_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "t.csv", "Страна;2022\nКазахстан;1\n")
    for told in ({"units": "dozens"}, {"flows": "both"}, {"decimal": ";"}, {"measure": "tourists"}):
        with pytest.raises(ForecastError, match="unknown"):
            fc.read(path, **told)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="names its measures itself"):
        fc.read(
            written(tmp_path, "u.csv", "Страна;Год;Прибыло\nКазахстан;2022;1\n"),
            measure="emigration",
        )
