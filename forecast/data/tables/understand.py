"""`forecast.read` and `understand`: a file to a Panel in stages, each row accounted for."""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from forecast import measures, periods
from forecast.data.checks import add_flags, warnings_in_words
from forecast.data.checks.years import refuse_before_its_year, to_come, today
from forecast.data.tables import layout as layouts
from forecast.data.tables import pairs
from forecast.data.tables.cells import MOST_PROBLEMS, Grid
from forecast.data.tables.column_checks import column_problems
from forecast.data.tables.files import content_of, grid_of
from forecast.data.tables.harmonise import harmonise
from forecast.data.tables.labels import SCOPES, Flows
from forecast.data.tables.layout import Layout
from forecast.data.tables.reading import ACCEPTED, Collected, Harmonised, Reading, ReadOptions, Row
from forecast.data.tables.rows import collect
from forecast.data.tables.words import UNITS, folded, spaced
from forecast.errors import DataError, ForecastError, unknown_name
from forecast.horizons import spans
from forecast.panel import Panel
from forecast.validation import MEASURES

#: Signs of a message; cells that it quotes may hold anything.
_LONGEST = 800
#: Roles of columns that are not read.
_UNUSED = {"unknown", "unused", "describing", "dimension", "number"}
Units = Literal["persons", "thousands", "millions"]


def read(
    path: str | Path,
    *,
    sheet: str | int | None = None,
    source: str | None = None,
    measure: str | None = None,
    units: Units | None = None,
    location: str | None = None,
    flows: Flows | None = None,
    decimal: Literal[".", ","] | None = None,
    frequency: str | None = None,
    skip: Iterable[str] = (),
    carry: bool = True,
) -> Panel:
    r"""Read a table of one's own into a Panel.

    Parameters
    ----------
    path : str or Path
        CSV (UTF-8, UTF-16 or CP1251; any usual delimiter), SDMX-CSV, XLSX or Parquet. Either
        tidy, with the columns ``location, measure, year, value`` and optionally ``source,
        population, as_of, flag, precision``; or Nixtla's ``unique_id, ds, y``; or with the
        years, the places or arrivals, departures and saldo across. Headings and names of
        places may be English, Russian, Kyrgyz, Kazakh or Uzbek. Corridors: ``origin,
        destination`` for ``location``, or a matrix of a year, origins down, with the year above it
        or as the name of its sheet or file. What is not understood stops the reading; nothing
        is left out silently.
    sheet : str or int, optional
        Sheet of an XLSX workbook, by name or number from 0. By default the only one that holds
        a table of figures; where several do, the reading stops and names them.
    source, measure : str, optional
        Written into every row if the table does not say it.
    units : {"persons", "thousands", "millions"}, optional
        What the figures count, where the table does not say it or says it wrongly.
    location : str, optional
        Code or name of the place, if the table is of one place and does not name it.
    flows : {"external", "internal", "all"}, optional
        Which moves "arrivals", "departures" and "saldo" count: across the border of the
        country, inside it, or both.
    decimal : {".", ","}, optional
        The decimal mark, where the figures leave it open.
    frequency : {"year", "half-year", "quarter", "month"}, optional
        Which figures to take of a table that has several, such as months and years; the others
        are left out, and the account says how many.
    skip : iterable of str, optional
        Labels of rows and headings of columns to leave out.
    carry : bool
        Whether checks flag what they are sure of: stretches on a straight line become
        ``interpolated`` and are kept out of a fit, copied ones ``suspect``, jumps at a known
        change of boundaries ``boundary_change``. `understand` lists the flags added.

    Returns
    -------
    Panel
        Persons per calendar year, net inflow positive.

    Raises
    ------
    DataError, UnknownNameError
        Naming the file, the line, the value and the remedy.

    See Also
    --------
    forecast.data.tables.understand : what was understood, row by row.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "arrivals.csv")
    ...     _ = file.write_text("location,year,value\nKAZ,2023,25387\nKAZ,2024,29282\n")
    ...     read(file, measure="immigration").series[0].values.tolist()
    [25387.0, 29282.0]
    """
    return understand(
        path, sheet=sheet, source=source, measure=measure, units=units, location=location,
        flows=flows, decimal=decimal, frequency=frequency, skip=skip, carry=carry,
    ).panel  # fmt: skip


def understand(
    path: str | Path,
    *,
    sheet: str | int | None = None,
    source: str | None = None,
    measure: str | None = None,
    units: Units | None = None,
    location: str | None = None,
    flows: Flows | None = None,
    decimal: Literal[".", ","] | None = None,
    frequency: str | None = None,
    skip: Iterable[str] = (),
    carry: bool = True,
) -> Reading:
    r"""Read a table and say what was understood of it.

    Parameters
    ----------
    path, sheet, source, measure, units, location, flows, decimal, frequency, skip, carry
        As of `forecast.read`, which returns only the Panel.

    Returns
    -------
    Reading
        Its ``panel`` raises if something stands in the way; ``problems`` lists all of it.

    Raises
    ------
    DataError
        If the file is not there, is no table, is damaged or is too large.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "arrivals.csv")
    ...     _ = file.write_text("location,year,value\nKAZ,2023,25387\nKAZ,2024,29282\n")
    ...     understand(file, measure="immigration").reported
    {'heading': 1}
    """
    file = Path(path)
    measures.declare_beside(file)
    _check_told(units, flows, decimal, measure)
    if frequency is not None:
        periods.check_frequency(frequency)
    options = ReadOptions(measure, source, units, location, flows, decimal, frequency)
    content, kind = content_of(file)
    left_out = [skip] if isinstance(skip, str) else list(skip)
    # Hundreds of thousands of small objects are made, none in circles: the collector would only
    # look through them again and again.
    collecting = gc.isenabled()
    gc.disable()
    try:
        grid = pairs.as_corridors(grid_of(content, kind, sheet, layouts.has_table), file.stem)
        if not any(line.filled for line in grid.lines) and not grid.broken:
            raise DataError("there are no cells with content. Give a table with a header and rows.")
        return _read(file.name, grid, options, left_out, carry)
    except ForecastError as error:
        raise type(error)(f"{file.name}: {_one_line(error)}") from None
    finally:
        if collecting:
            gc.enable()


def _check_told(
    units: str | None, flows: str | None, decimal: str | None, measure: str | None
) -> None:
    told = {"units": units, "flows": flows, "decimal": decimal, "measure": measure}
    every = (tuple(UNITS), SCOPES, (".", ","), tuple(MEASURES))
    for (name, given), known in zip(told.items(), every):
        if given is not None and given not in known:
            raise (
                measures.unknown(given) if name == "measure" else unknown_name(name, given, known)
            )


def _read(name: str, grid: Grid, options: ReadOptions, skip: list[str], carry: bool) -> Reading:
    layout = layouts.find(grid, {folded(label) for label in skip})
    problems = column_problems(grid, layout)
    collected, harmonised = Collected(), Harmonised()
    if not problems:
        collected, harmonised, problems = _observations(grid, layout, options, skip)
    panel: Panel | None = None
    doubts: list[str] = []
    if not problems:
        try:
            panel = _panel(harmonised, layout)
            doubts = warnings_in_words(panel)
        except ForecastError as error:
            problems = [error]
    flagged, carried = (panel, []) if panel is None or not carry else add_flags(panel)
    return Reading(
        file=name,
        kind=grid.kind,
        encoding=grid.encoding,
        delimiter=grid.delimiter,
        sheet=grid.sheet,
        layout=layout.style,
        header=tuple(grid.lines[at].number for at in layout.header),
        titles=tuple(_short(grid, at) for at in layout.above),
        decimal=harmonised.decimal,
        units=tuple(harmonised.units),
        places=harmonised.places,
        unmatched=harmonised.unmatched,
        measures=harmonised.measures,
        unused=tuple(c.label for c in layout.columns if c.role in _UNUSED and c.label),
        rows=_rows(grid, layout, collected, harmonised),
        notes=(*grid.remarks, *_aggregates(collected), *harmonised.notes, *doubts),
        problems=tuple(_one_line(error) for error in problems),
        carried=tuple(carried),
        _panel=flagged,
        _stated=panel,
    )


def _observations(
    grid: Grid, layout: Layout, options: ReadOptions, skip: list[str]
) -> tuple[Collected, Harmonised, list[ForecastError]]:
    """Return the observations, what is settled for them as a whole, and all problems."""
    collected, harmonised = collect(grid, layout, skip), Harmonised()
    problems = [error for _, error in collected.problems]
    if not collected.observations and not problems:
        problems = [
            DataError("the table has no rows with figures. Give at least one observed year.")
        ]
    try:
        harmonised = harmonise(grid, layout, collected, options)
    except ForecastError as error:
        problems.append(error)
    problems += [error for _, error in sorted(harmonised.problems, key=lambda row: row[0])]
    if max(len(collected.problems), len(harmonised.problems)) >= MOST_PROBLEMS:
        harmonised.notes[f"after {MOST_PROBLEMS:,} problems the rest was not looked at"] = None
    return collected, harmonised, problems


def _rows(
    grid: Grid, layout: Layout, collected: Collected, harmonised: Harmonised
) -> tuple[Row, ...]:
    """Return what became of each row of the file."""
    fates = {at: Row(grid.lines[at].number, "title", _short(grid, at)) for at in layout.above}
    fates |= {at: Row(grid.lines[at].number, "heading", _short(grid, at)) for at in layout.header}
    for at in range(layout.header[-1]):
        fates.setdefault(at, Row(grid.lines[at].number, "empty"))
    fates |= collected.rows
    for at in range(layout.header[-1] + 1, len(grid.lines)):
        if at not in fates:
            fates[at] = Row(grid.lines[at].number, "not read", _short(grid, at))
    troubled = {number: str(error) for number, error in harmonised.problems if number}
    for at, row in fates.items():
        if row.fate == ACCEPTED and row.number in troubled:
            fates[at] = Row(row.number, "problem", troubled[row.number])
        elif row.fate == ACCEPTED and row.number in harmonised.aside:
            fates[at] = Row(row.number, "cross-checked only", _short(grid, at))
    return tuple(fates[at] for at in range(len(grid.lines)))


def _aggregates(collected: Collected) -> list[str]:
    """Say which rows are of groups of countries, if any are."""
    names = list(collected.aggregates)
    if not names:
        return []
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    listed = ", ".join(names[:5]) + more
    return [f"groups of countries are no places and were left out: {listed}"]


def _one_line(error: ForecastError) -> ForecastError:
    """Return the error with its message on one line, whatever the cells it quotes hold."""
    text = spaced(str(error))
    return type(error)(text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …")


def _panel(settled: Harmonised, layout: Layout) -> Panel:
    """Return the figures as the table states them; refuse them if they cannot be so."""
    if settled.table is None:
        raise DataError(
            f"no figures of a measure that the package keeps. Measures: {', '.join(MEASURES)}."
        )
    panel = Panel.from_frame(settled.table, rows=settled.calls)
    if panel.frequency != "year":
        settled.notes[f"the figures are by {panel.frequency}"] = None
    _check_observed(panel, layout)
    return panel


def _check_observed(panel: Panel, layout: Layout) -> None:
    """Refuse figures that cannot have been observed; a forecast would start after them."""
    table = panel.figures
    day = today()
    late = table[to_come(table, day, panel.frequency)]
    if len(late):
        years = [periods.label(one, panel.frequency) for one in late["year"]]
        across = [
            c.label
            for c in layout.columns
            if c.says.year and periods.label(c.says.year.year, c.says.year.frequency) in years
        ]
        out = f"skip={across!r}" if across else "remove the rows"
        first = late.iloc[0]
        raise DataError(
            f"{first['measure']} of {first['location']} has figures of "
            f"{spans(late['year'], panel.frequency)}, "
            f"and it is {_now(day, panel.frequency)}: {panel.frequency}s to come are a plan or a "
            f"projection and are not observed. Leave them out ({out}), or correct the "
            f"{panel.frequency}s."
        )
    refuse_before_its_year(table, panel.frequency)


def _now(day: dt.date, frequency: str) -> str:
    number = periods.number(day.year, (day.month - 1) * periods.PER_YEAR[frequency] // 12 + 1,
                            frequency)  # fmt: skip
    return periods.label(number, frequency)


def _short(grid: Grid, at: int) -> str:
    return spaced(" ".join(grid.lines[at].texts))[:120]
