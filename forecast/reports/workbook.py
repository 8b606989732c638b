"""The numbers of the report as a workbook: one sheet per measure, numbers as numbers."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import canonicalize

import numpy as np

from forecast import labels
from forecast.exports.files import inactive
from forecast.language import Language, message
from forecast.outlook import Forecast
from forecast.reports import sentences
from forecast.reports.interval_rows import LEVELS
from forecast.reports.series_view import SeriesView
from forecast.reports.targets import sheet

if TYPE_CHECKING:
    import pandas as pd
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

    from forecast.reports.record import Record

Cell = str | int | float | None
_LAST_YEAR, _PERSONS = message("Last year"), message("Persons")
_EPOCH = (1980, 1, 1, 0, 0, 0)


def workbook(
    outlook: Forecast,
    views: Sequence[SeriesView],
    title: str,
    words: Language,
    targets: pd.DataFrame | None = None,
    record: Record | None = None,
) -> bytes:
    """Return the workbook as bytes, the same for the same forecast.

    Parameters
    ----------
    views : sequence of SeriesView
        Every series, also those that were not forecast.
    title : str
        Title of the report.
    targets : DataFrame, optional
        The table of targets; it then has a sheet.
    record : Record, optional
        The track record, whose verdicts stand beside the chances of targets.

    Returns
    -------
    bytes
        Sheets: what this is, one per measure, targets, observed figures, series and sources.
    """
    from openpyxl import Workbook

    book = Workbook()
    first = book.active
    if first is not None:
        book.remove(first)
    _fill(_sheet(book, words.say("About")), *_about(outlook, title, words))
    for measure in sorted({s.series.measure for s in views if s.forecast}, key=labels.ORDER.get):  # type: ignore[arg-type]
        rows = [s for s in views if s.forecast and s.series.measure == measure]
        _fill(_sheet(book, labels.measure(measure, words)), *_forecasts(rows, words))
    if targets is not None:
        _fill(_sheet(book, words.say("Targets")), *sheet(targets, record, words))
    _fill(_sheet(book, words.say("Observed figures")), *_history(views, words))
    _fill(_sheet(book, words.say("Series")), *_series(views, words))
    return _steady(book)


def _sheet(book: Workbook, name: str) -> Worksheet:
    """Add a sheet; its name keeps to what spreadsheets allow."""
    sheet: Worksheet = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", name)[:31])
    return sheet


def _fill(sheet: Worksheet, header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    for row in [header, *rows]:
        sheet.append([inactive(cell) if isinstance(cell, str) else cell for cell in row])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    for number, cells in enumerate(sheet.columns, start=1):
        longest = max(len(str(cell.value or "")) for cell in cells)
        sheet.column_dimensions[get_column_letter(number)].width = min(max(longest + 2, 8), 60)
        for cell in cells[1:]:
            if isinstance(cell.value, float):
                cell.number_format = "0%"
            elif isinstance(cell.value, int) and not 1800 <= cell.value <= 2200:
                cell.number_format = "#,##0"
    sheet.freeze_panes = "A2"


def _about(outlook: Forecast, title: str, words: Language) -> tuple[list[str], list[list[Cell]]]:
    attributes = outlook.paths.attrs
    rows: list[list[Cell]] = [
        [words.say("Unit"), words.lookup("persons per calendar year")],
        [words.say("Model"), outlook.model],
        [words.say("Seed"), str(attributes["seed"])],
        [words.say("Version"), str(attributes["version"])],
        [words.say("Newest release"), str(attributes["as_of"])],
        [words.say("Data (SHA-256)"), str(attributes["data_hash"])],
        [
            words.say("Labour migration is not included"),
            words.say(
                "The numbers are changes of residence: seasonal and irregular labour migration, "
                "many times larger, is not in them."
            ),
        ],
    ]
    return [words.say("Horizon report"), title], rows


def _forecasts(rows: Sequence[SeriesView], words: Language) -> tuple[list[str], list[list[Cell]]]:
    header = [words.say(name) for name in ("Code", "Place", "Source", _LAST_YEAR, "Year")]
    header += [words.say("Observed"), words.say("Median")]
    for level in LEVELS:
        span = words.say("{level}\u202f% interval", level=round(100 * level))
        header += [f"{span}, {words.say('from')}", f"{span}, {words.say('to')}"]
    signed = rows[0].series.signed
    if signed:
        header.append(words.say("Chance of a net loss"))
    body: list[list[Cell]] = []
    for view in rows:
        source, code, _ = view.key
        for year in view.horizons:
            seen = view.observed(year)
            row: list[Cell] = [
                code, labels.place(code, words), labels.source(source, words),
                view.series.origin, year, None if seen is None else round(seen),
            ]  # fmt: skip
            if year in view.years:
                drawn = view.at(year)
                row.append(round(float(np.median(drawn))))
                for level in LEVELS:
                    ends = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
                    row += [round(float(end)) for end in ends]
                if signed:
                    row.append(float((drawn < 0).mean()))
            body.append(row)
    return header, body


def _history(views: Sequence[SeriesView], words: Language) -> tuple[list[str], list[list[Cell]]]:
    names = ("Code", "Place", "Measure", "Source", "Year", _PERSONS, "Flags")
    body: list[list[Cell]] = []
    for view in views:
        source, code, measure = view.key
        series = view.series
        for year, value, flags in zip(series.years, series.values, series.flags):
            body.append(
                [
                    code, labels.place(code, words), labels.measure(measure, words),
                    labels.source(source, words), int(year),
                    None if np.isnan(value) else round(float(value)), "; ".join(sorted(flags)),
                ]
            )  # fmt: skip
    return [words.say(name) for name in names], body


def _series(views: Sequence[SeriesView], words: Language) -> tuple[list[str], list[list[Cell]]]:
    names = ("Code", "Place", "Measure", "Source", "Newest release", _LAST_YEAR, "Observed")
    header = [*(words.say(name) for name in names), words.say("Modelled as"), words.say("Flags")]
    body: list[list[Cell]] = []
    for view in views:
        source, code, measure = view.key
        scale = labels.scale(str(view.note["scale"]), words)
        body.append(
            [
                code, labels.place(code, words), labels.measure(measure, words), source,
                view.as_of, view.series.origin, int(str(view.note["observations"])),
                scale if view.forecast else sentences.not_forecast(view, words),
                sentences.flags(view, words),
            ]
        )  # fmt: skip
    return header, body


def _steady(book: Workbook) -> bytes:
    """Write a workbook without the time of writing, whether lxml wrote its parts or not."""
    first, second = io.BytesIO(), io.BytesIO()
    book.save(first)
    with zipfile.ZipFile(first) as given, zipfile.ZipFile(second, "w") as made:
        for name in sorted(
            given.namelist(), key=lambda name: (name != "[Content_Types].xml", name)
        ):
            content = given.read(name)
            if name == "docProps/core.xml":
                content = re.sub(
                    rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"1980-01-01T00:00:00Z", content
                )
            canonical = canonicalize(content.decode()).encode()
            made.writestr(zipfile.ZipInfo(name, _EPOCH), canonical, zipfile.ZIP_DEFLATED)
    return second.getvalue()
