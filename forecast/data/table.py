"""`forecast.read`: a table of one's own as a Panel."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from forecast.panel import Panel

if TYPE_CHECKING:
    from forecast.data.tables.labels import Flows
    from forecast.data.tables.understand import Units


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
    skip: Iterable[str] = (),
    carry: bool = True,
) -> Panel:
    """Read a table of one's own into a Panel.

    Parameters
    ----------
    path : str or Path
        CSV (UTF-8, UTF-16 or CP1251; any usual delimiter), SDMX-CSV, XLSX or Parquet. Either
        tidy, with the columns ``location, measure, year, value`` and optionally ``source,
        population, as_of, flag, precision``; or Nixtla's ``unique_id, ds, y``; or with the
        years, the places or arrivals, departures and saldo across. Headings and names of
        places may be English, Russian, Kyrgyz, Kazakh or Uzbek. What is not understood stops
        the reading; nothing is left out silently.
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
    >>> panel = read("arrivals.csv", measure="immigration")  # doctest: +SKIP
    >>> panel = read("migration.xlsx", units="thousands", location="UZB")  # doctest: +SKIP
    """
    from forecast.data.tables.understand import understand

    return understand(
        path,
        sheet=sheet,
        source=source,
        measure=measure,
        units=units,
        location=location,
        flows=flows,
        decimal=decimal,
        skip=skip,
        carry=carry,
    ).panel
