"""The horizon report: one page that opens offline, and all its numbers as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from forecast import files
from forecast.errors import DataError, unknown_name
from forecast.outlook import Forecast
from forecast.reports import content
from forecast.reports.numbers import percent, persons, rounded
from forecast.reports.tables import all_quantiles

if TYPE_CHECKING:
    from jinja2 import Environment

LANGUAGES = ("en",)


def report(
    outlook: Forecast,
    track: object | None = None,
    folder: str | Path = "reports",
    language: str = "en",
    name: str = "central-asia",
) -> list[Path]:
    """Write the horizon report of a forecast.

    Parameters
    ----------
    outlook : Forecast
    track : optional
        The record of past forecasts. Without one the page says that none was computed.
    folder : str or Path
        Where to; made if it is missing.
    language : {"en"}
        Language of the page.
    name : str
        Name of the files, without an ending.

    Returns
    -------
    list of Path
        ``NAME.html`` (one page, nothing loaded from outside) and ``NAME.csv`` (every
        quantile, tidy). Both are written only after both have been made.

    Raises
    ------
    UnknownNameError
        If the language is not known.
    DataError
        If the name holds a path, or there is nothing to report.
    """
    if language not in LANGUAGES:
        raise unknown_name("language", language, LANGUAGES)
    if not name or Path(name).name != name:
        raise DataError(f"report name {name!r} is not a plain file name. Leave folders to folder=.")
    page = render(outlook, track)
    quantiles = all_quantiles(outlook).to_csv(index=False, lineterminator="\n")
    base = Path(folder)
    return [
        files.write_text(base / f"{name}.html", page),
        files.write_text(base / f"{name}.csv", quantiles),
    ]


def render(outlook: Forecast, track: object | None = None) -> str:
    """Return the page as HTML text."""
    template = _environment().get_template("horizon.html")
    return template.render(**content.page(outlook, track))


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("forecast.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        persons=lambda value, sign=False: persons(rounded(value, 3), sign=sign),
        percent=percent,
    )
    return environment
