"""Write the workbook that the second tutorial reads; its figures are invented, and it says so.

    python data/compile/example_table.py [FILE]

FILE is ``data/examples/office-table.xlsx`` by default. It is laid out as an office would publish
it: a cover sheet, merged titles, Russian headings, thousands, footnotes, a planned year, a figure
with its comma in the wrong place. Figures are simulated from a fixed seed.
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import numpy as np
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.worksheet.worksheet import Worksheet

SHELF = Path(__file__).resolve().parents[1] / "examples"
YEARS = np.arange(2004, 2025)
PLANNED = "2030 (план)"
#: Region -> usual arrivals and departures of a year, thousand persons.
REGIONS = {
    "г. Душанбе": (6.2, 5.4),
    "Согдийская область": (4.1, 6.6),
    "Хатлонская область": (3.0, 6.1),
    "Горно-Бадахшанская автономная область": (0.9, 1.7),
    "Районы республиканского подчинения": (3.4, 4.6),
}
COUNTRY = "Республика Таджикистан"
INVENTED = "УЧЕБНЫЙ ПРИМЕР: все числа вымышлены и ничего не говорят о стране"
#: Where the comma slipped: section, region, year.
SLIP = ("Прибыло", "Хатлонская область", 2014)


def simulated() -> dict[str, dict[str, np.ndarray]]:
    """Return thousands, to one decimal, by section and place; every account adds up."""
    generator = np.random.default_rng(20)
    wave = np.cumsum(generator.normal(0, 0.08, len(YEARS)))
    flows: dict[str, dict[str, np.ndarray]] = {"Прибыло": {}, "Выбыло": {}, "Сальдо миграции": {}}
    for region, levels in REGIONS.items():
        for section, level, sign in zip(flows, levels, (1, -1)):
            own = np.cumsum(generator.normal(0, 0.07, len(YEARS)))
            flows[section][region] = np.round(level * np.exp(sign * wave + own), 1)
        flows["Сальдо миграции"][region] = flows["Прибыло"][region] - flows["Выбыло"][region]
    return {
        section: {COUNTRY: np.sum(list(places.values()), axis=0), **places}
        for section, places in flows.items()
    }


def written(section: str, place: str, year: int, value: float) -> float | str:
    """Return a cell as the office has typed it."""
    if (section, place, year) == SLIP:
        return round(value * 10, 1)
    if place == COUNTRY or year % 7:
        return round(float(value), 1)
    # Now and then a number was typed as text, with a comma.
    return f"{value:.1f}".replace(".", ",")


def fill(sheet: Worksheet) -> None:
    """Write the table with its titles, headings and footnotes."""
    last = len(YEARS) + 2
    titles = (
        "3. МИГРАЦИЯ НАСЕЛЕНИЯ",
        f"3.1. Внешняя миграция населения по регионам, {YEARS[0]}–{YEARS[-1]} гг.",
        INVENTED,
    )
    for row, text in enumerate(titles, start=1):
        sheet.cell(row, 1, text).font = Font(bold=row < 3, italic=row == 3)
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=last)
        sheet.cell(row, 1).alignment = Alignment(horizontal="center")
    sheet.cell(4, last, "тысяч человек").alignment = Alignment(horizontal="right")
    line = Side(style="thin")
    headings = ["Регион", *(f"{year} г." for year in YEARS[:-1]), f"{YEARS[-1]}¹ г.", PLANNED]
    for column, text in enumerate(headings, start=1):
        cell = sheet.cell(5, column, text)
        cell.font, cell.border = Font(bold=True), Border(top=line, bottom=line)
    row = 6
    for section, places in simulated().items():
        sheet.cell(row, 1, section).font = Font(bold=True)
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=last)
        for place, values in places.items():
            row += 1
            sheet.cell(row, 1, place)
            for column, (year, value) in enumerate(zip(YEARS.tolist(), values), start=2):
                sheet.cell(row, column, written(section, place, year, float(value)))
            if place == COUNTRY:
                sheet.cell(row, last, round(float(values[-5:].mean()), 1))
        row += 1
    footnotes = (
        "¹ Предварительные данные.",
        "Включены лица, зарегистрированные по месту жительства на срок 9 месяцев и более.",
        f"Источник: нет. {INVENTED}.",
    )
    for text in footnotes:
        row += 1
        sheet.cell(row, 1, text).font = Font(size=8)
    sheet.column_dimensions["A"].width = 42
    sheet.freeze_panes = "B6"


def workbook() -> Workbook:
    """Return the workbook: a cover sheet and the table."""
    book = Workbook()
    cover = book.active
    assert isinstance(cover, Worksheet)  # noqa: S101
    cover.title = "Содержание"
    lines = ("Население: статистический сборник", INVENTED, "", "3.1. Внешняя миграция населения")
    for row, text in enumerate(lines, start=1):
        cover.cell(row, 1, text)
    fill(book.create_sheet("3.1"))
    book.properties.title = INVENTED
    book.properties.creator = "migration-forecast"
    book.properties.created = book.properties.modified = dt.datetime(2026, 1, 1)
    return book


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else SHELF / "office-table.xlsx"
    workbook().save(target)
