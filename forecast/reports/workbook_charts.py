"""Charts of the workbook, which the spreadsheet draws itself from the long table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openpyxl.chart import LineChart
    from openpyxl.worksheet.worksheet import Worksheet

#: Columns of the long table that are drawn, with colour and width in points: the observed
#: figures, the median, and both ends of the 80 % interval.
_LINES = {6: ("1F2933", 2.25), 7: ("1D5F8A", 2.25), 10: ("7FB0D0", 1.0), 11: ("7FB0D0", 1.0)}
_YEARS = 5
#: Rows of the sheet that a chart covers, and its width and height in cm.
_ROWS, _SIZE = 16, (14.5, 7.5)


def add_charts(summary: Worksheet, table: Worksheet, spans: Mapping[str, tuple[int, int]]) -> None:
    """Put charts below what stands on a sheet, two side by side.

    Parameters
    ----------
    table : Worksheet
        The long table, whose first row holds the names of lines.
    spans : mapping of str to (int, int)
        First and last row of the table that a chart draws, by its title.
    """
    first = summary.max_row + 3
    for number, (title, (begin, end)) in enumerate(spans.items()):
        column, row = "AE"[number % 2], first + _ROWS * (number // 2)
        summary.add_chart(_chart(table, begin, end, title), f"{column}{row}")


def _chart(table: Worksheet, first: int, last: int, title: str) -> LineChart:
    from openpyxl.chart import LineChart, Reference, Series
    from openpyxl.chart.text import RichText
    from openpyxl.drawing.text import CharacterProperties, Paragraph, ParagraphProperties

    chart = LineChart()
    chart.title = title
    chart.width, chart.height = _SIZE
    small = ParagraphProperties(defRPr=CharacterProperties(sz=1000, b=True))
    chart.title.tx.rich.p[0].pPr = small
    for column, (colour, width) in _LINES.items():
        line = Series(
            Reference(table, column, first, max_row=last), title=str(table.cell(1, column).value)
        )
        line.smooth = False
        line.graphicalProperties.line.solidFill = colour
        line.graphicalProperties.line.width = round(12_700 * width)
        chart.series.append(line)
    chart.set_categories(Reference(table, _YEARS, first, max_row=last))
    chart.legend.position = "b"
    # Years stand below the chart even where the line at zero runs through its middle.
    chart.x_axis.tickLblPos, chart.x_axis.tickLblSkip = "low", 3
    chart.x_axis.number_format, chart.y_axis.number_format = "0", "#,##0"
    chart.x_axis.delete = chart.y_axis.delete = False
    font = ParagraphProperties(defRPr=CharacterProperties(sz=800))
    text = RichText(p=[Paragraph(pPr=font, endParaRPr=CharacterProperties())])
    chart.y_axis.txPr = chart.x_axis.txPr = text
    return chart
