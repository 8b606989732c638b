"""The numbers of the report as a workbook: a summary with charts, one long table, notes."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING
from xml.etree.ElementTree import canonicalize

import numpy as np

from forecast import labels, measures
from forecast.exports.files import inactive
from forecast.language import Language, message
from forecast.outlook import Forecast
from forecast.periods import Period
from forecast.reports import sentences
from forecast.reports.series_view import LEVELS, SeriesView
from forecast.reports.targets import sheet
from forecast.reports.workbook_charts import add_charts
from forecast.series_key import SeriesKey

if TYPE_CHECKING:
    import pandas as pd
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

    from forecast.reports.record import Record

Cell = str | int | float | None
#: Title and number format of a column.
Column = tuple[str, str]
_TEXT, _YEAR, _PERSONS, _SHARE = "General", "0", "#,##0;\u2212#,##0", "0%"
_LAST_YEAR, _LOSS = message("Last year"), message("Chance of a net loss")
#: Observed years that a chart shows.
_SHOWN = 15
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
        Sheets: national series at the target years with a chart of each; every figure and
        forecast in one long table; targets; series and sources; notes.
    """
    from openpyxl import Workbook

    book = Workbook()
    summary = book.active
    summary.title = words.say("Summary")
    fitted = [view for view in views if view.forecast and view.national]
    countries = list(dict.fromkeys(view.country for view in fitted))
    fitted.sort(key=lambda view: countries.index(view.country))
    _fill(summary, *_summary(fitted, words))
    table = _sheet(book, words.say("Forecast"))
    header, parts = _long(views, words)
    _fill(table, header, [row for rows in parts.values() for row in rows])
    if targets is not None:
        names, rows = sheet(targets, record, words)
        formats = (_TEXT, _TEXT, _TEXT, _YEAR, _PERSONS, _PERSONS, _SHARE)
        _fill(
            _sheet(book, words.say("Targets")),
            list(zip_longest(names, formats, fillvalue=_TEXT)),
            rows,
        )
    _fill(_sheet(book, words.say("Series")), *_series(views, words))
    _fill(_sheet(book, words.say("Notes")), *_notes(outlook, title, words))
    add_charts(summary, table, _spans(fitted, parts, words))
    return _steady(book)


def _sheet(book: Workbook, name: str) -> Worksheet:
    """Add a sheet; its name keeps to what spreadsheets allow."""
    sheet: Worksheet = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", name)[:31])
    return sheet


def _fill(sheet: Worksheet, header: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.properties import PageSetupProperties

    for row in [[name for name, _ in header], *rows]:
        plain = [str(cell) if isinstance(cell, Period) else cell for cell in row]
        sheet.append([inactive(cell) if isinstance(cell, str) else cell for cell in plain])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    for number, ((name, form), cells) in enumerate(zip(header, sheet.columns), start=1):
        # A long header is wrapped; what stands below it is not.
        longest = max(
            *(len(word) for word in name.split(" ")), *(_width(c.value) for c in cells[1:]), 0
        )
        sheet.column_dimensions[get_column_letter(number)].width = min(max(longest + 3, 8), 60)
        for cell in cells[1:]:
            if not isinstance(cell.value, str):
                cell.number_format = form
    sheet.row_dimensions[1].height = 46
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    # Printed, it is as wide as the paper and as long as it takes, with the header on each sheet.
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"


def _when(views: Sequence[SeriesView]) -> str:
    return message("Period") if any(view.series.season > 1 for view in views) else "Year"


def _width(value: object) -> int:
    return len(f"{value:,.0f}") if isinstance(value, int | float) else len(str(value or ""))


def _columns(words: Language, *names: str, form: str = _TEXT) -> list[Column]:
    return [(words.say(name), form) for name in names]


def _place(view: SeriesView, words: Language) -> list[Cell]:
    """Return place, measure and source of a series in words."""
    source, code, measure = view.key
    named = labels.measure(measure, words)
    if view.series.season > 1 or not view.counted.moves:
        named = f"{named}, {view.counted.each(words, view.series.frequency)}"
    return [labels.place(code, words), named, labels.source(source, words)]


def _summary(views: Sequence[SeriesView], words: Language) -> tuple[list[Column], list[list[Cell]]]:
    """Return the national series, a row per target year."""
    header = _columns(words, "Place", "Measure", "Source")
    header += _columns(words, _LAST_YEAR, form=_YEAR) + _columns(
        words, "Last figure", form=_PERSONS
    )
    header += _columns(words, _when(views), form=_YEAR) + _columns(
        words, "Observed", "Median", form=_PERSONS
    )
    header += [*_interval(0.80, words), (words.say(_LOSS), _SHARE)]
    body: list[list[Cell]] = []
    for view in views:
        year, last = view.last()
        for ahead in view.horizons:
            made, seen = _forecast(view, ahead), view.observed(ahead)
            body.append(
                [
                    *_place(view, words), year, _cell(view, last), ahead,
                    None if seen is None else _cell(view, seen), made[0], *made[3:5], made[-1],
                ]
            )  # fmt: skip
    return header, body


def _cell(view: SeriesView, value: float) -> int | float:
    """Return a figure in whole units, a rate with its decimals."""
    fine = view.counted.fractional and abs(value) < 10_000
    return round(float(value), 6) if fine else round(float(value))


def _interval(level: float, words: Language) -> list[Column]:
    span = words.say("{level}\u202f% interval", level=round(100 * level))
    return [(f"{span}, {words.say(end)}", _PERSONS) for end in (message("from"), message("to"))]


def _forecast(view: SeriesView, year: int) -> list[Cell]:
    """Return median, ends of each interval and, of a net, the chance of a loss; else nothing."""
    if year not in view.years:
        return [None] * (2 + 2 * len(LEVELS))
    drawn = view.at(year)
    ends = [np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2]) for level in LEVELS]
    numbers: list[Cell] = [_cell(view, number) for number in (np.median(drawn), *np.ravel(ends))]
    return [*numbers, float((drawn < 0).mean()) if view.series.signed else None]


def _long(
    views: Sequence[SeriesView], words: Language
) -> tuple[list[Column], dict[SeriesKey, list[list[Cell]]]]:
    """Return every year of every series, observed and forecast, by series."""
    header = _columns(words, "Code", "Place", "Measure", "Source")
    header += _columns(words, _when(views), form=_YEAR) + _columns(
        words, "Observed", "Median", form=_PERSONS
    )
    header += [column for level in LEVELS for column in _interval(level, words)]
    header += [(words.say(_LOSS), _SHARE), *_columns(words, "Flags")]
    parts: dict[SeriesKey, list[list[Cell]]] = {}
    for view in views:
        series = view.series
        flags = {int(year): "; ".join(sorted(of)) for year, of in zip(series.years, series.flags)}
        years = sorted({*flags, *view.follows, *(int(year) for year in view.years)})
        parts[view.key] = [
            [
                view.key[1], *_place(view, words), view.named(year),
                None if (seen := view.observed(year)) is None else _cell(view, seen),
                *_forecast(view, year), flags.get(year, ""),
            ]
            for year in years
        ]  # fmt: skip
    return header, parts


def _spans(
    views: Sequence[SeriesView], parts: Mapping[SeriesKey, Sequence[object]], words: Language
) -> dict[str, tuple[int, int]]:
    """Return the rows of the long table that a chart of each series draws, by its title."""
    sizes = [len(rows) for rows in parts.values()]
    lasts = dict(zip(parts, (1 + np.cumsum(sizes)).tolist()))
    spans = {}
    for view in views:
        last, known = lasts[view.key], len(parts[view.key]) - len(view.years)
        begin = last + 1 - len(view.years) - min(known, _SHOWN)
        spans[", ".join(map(str, _place(view, words)))] = begin, last
    return spans


def _series(views: Sequence[SeriesView], words: Language) -> tuple[list[Column], list[list[Cell]]]:
    header = _columns(words, "Code", "Place", "Measure", "Source", "Newest release")
    header += _columns(words, _LAST_YEAR, form=_YEAR) + _columns(words, "Observed", form=_PERSONS)
    header += _columns(words, "Modelled as", "Flags")
    body: list[list[Cell]] = []
    for view in views:
        scale = labels.scale(str(view.note["scale"]), words)
        body.append(
            [
                view.key[1], *_place(view, words)[:2], view.key[0], view.as_of,
                view.last()[0], int(str(view.note["observations"])),
                scale if view.forecast else sentences.not_forecast(view, words),
                sentences.flags(view, words),
            ]
        )  # fmt: skip
    return header, body


def _notes(outlook: Forecast, title: str, words: Language) -> tuple[list[Column], list[list[Cell]]]:
    attributes = outlook.paths.attrs
    counted = [measures.find(name) for name in outlook.history.measures]
    units = [one.each(words, outlook.frequency) for one in counted]
    if attributes["unit"] == "persons per calendar year":
        units = [words.lookup("persons per calendar year")]
    rows: list[list[Cell]] = [
        [words.say("Unit"), "; ".join(dict.fromkeys(units))],
        [words.say("Model"), outlook.model],
        [words.say("Seed"), str(attributes["seed"])],
        [words.say("Version"), str(attributes["version"])],
        [words.say("Newest release"), str(attributes["as_of"])],
        [words.say("Data (SHA-256)"), str(attributes["data_hash"])],
    ]
    if all(one.moves for one in counted):
        rows.append(
            [
                words.say("Labour migration is not included"),
                words.say(
                    "The numbers are changes of residence: seasonal and irregular labour "
                    "migration, many times larger, is not in them."
                ),
            ]
        )
    if words.unreviewed:
        rows.append([words.unreviewed])
    return [(words.say("Horizon report"), _TEXT), (title, _TEXT)], rows


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
