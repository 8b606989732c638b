"""The horizon report: one page that opens offline, and all its numbers as CSV."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from forecast import files
from forecast.errors import DataError
from forecast.outlook import Forecast
from forecast.reports import content
from forecast.reports.language import Language
from forecast.reports.language import language as find_language
from forecast.reports.tables import all_quantiles

if TYPE_CHECKING:
    from jinja2 import Environment

    from forecast.backtests.table import Track


def report(
    outlook: Forecast,
    track: Track | None = None,
    folder: str | Path = "reports",
    language: str = "en",
    name: str = "central-asia",
) -> list[Path]:
    """Write the horizon report of a forecast.

    Parameters
    ----------
    outlook : Forecast
    track : Track, optional
        The record of past forecasts, from `forecast.backtest`. Without one the page says
        that none was computed.
    folder : str or Path
        Where to; made if it is missing.
    language : {"en", "ru"}
        Language of the page and of the names in the CSV.
    name : str
        Name of the files, without an ending; other languages than English add theirs.

    Returns
    -------
    list of Path
        ``NAME.html`` (one page, nothing loaded from outside) and ``NAME.csv`` (every
        quantile, tidy). Files already there stay as they are unless all are made.

    Raises
    ------
    UnknownNameError
        If the language is not known.
    DataError
        If the name holds a path, or there is nothing to report.
    """
    words = find_language(language)
    if not name or Path(name).name != name or name in {".", ".."}:
        raise DataError(f"report name {name!r} is not a plain file name. Leave folders to folder=.")
    stem = name if words.code == "en" else f"{name}.{words.code}"
    contents = {
        Path(folder) / f"{stem}.html": render(outlook, track, words),
        Path(folder) / f"{stem}.csv": all_quantiles(outlook, words).to_csv(
            index=False, lineterminator="\n"
        ),
    }
    with ExitStack() as stack:
        for path, text in contents.items():
            temporary = stack.enter_context(files.atomic_file(path))
            temporary.write_text(text, encoding="utf-8", newline="\n")
    return list(contents)


def render(outlook: Forecast, track: Track | None, words: Language) -> str:
    """Return the page as HTML text."""
    template = _environment(words).get_template("horizon.html")
    return template.render(words=words, **content.page(outlook, track, words))


def _environment(words: Language) -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("forecast.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_translations(words.catalogue, newstyle=True)  # type: ignore[attr-defined]
    return environment
