"""What several verbs share: options, reading data, showing tables, where results go."""

from __future__ import annotations

import itertools
import re
import shlex
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast import artifacts
from forecast.horizons import DEFAULT_HORIZONS

if TYPE_CHECKING:
    import pandas as pd

    from forecast.outlook import Forecast
    from forecast.panel import Panel


def file_to_write(_: click.Context, __: click.Parameter, given: Path | None) -> Path | None:
    """Return the file of an option, if it can be written; for ``callback=`` of the option.

    Raises
    ------
    DataError
        If something else stands there, or its folder cannot be written to.
    """
    if given is not None:
        artifacts.check_file(given)
        artifacts.check_writable(given.resolve().parent)
    return given


def folder_to_write(_: click.Context, __: click.Parameter, given: Path | None) -> Path | None:
    """Return the folder of an option, if it can be made; for ``callback=`` of the option.

    Raises
    ------
    DataError
        If the folder that is to hold it cannot be written to.
    """
    if given is not None:
        artifacts.check_writable(given)
    return given


out_option = click.option(
    "--out",
    type=click.Path(path_type=Path),
    callback=file_to_write,
    help="CSV file; stdout by default.",
)


def folder_option(
    help_text: str, default: str | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option ``--out`` of a verb that writes a folder, checked before any work."""
    return click.option(
        "--out",
        type=click.Path(path_type=Path, file_okay=False),
        default=None if default is None else Path(default),
        show_default=default is not None,
        callback=folder_to_write,
        help=help_text,
    )


#: Arguments of Python that messages name as a remedy, and the options that do the same.
_ARGUMENT = re.compile(
    r"\b(?:(?P<name>measure|units|flows|decimal|location|source|sheet|skip)="
    r"\[?(?P<value>'[^']*'|\"[^\"]*\")\]?(?P<others>(?:, '[^']*')*(?: or '[^']*')?)|carry=False)"
)
_READING = frozenset(
    ("measure", "units", "flows", "decimal", "location", "source", "sheet", "skip", "no-flags")
)


def in_shell(message: str, options: Collection[str] = _READING) -> str:
    """Return a message whose remedies are options of the command, not arguments of Python.

    Parameters
    ----------
    message : str
    options : collection of str
        Names of the options that the command has; for others `forecast data check` is named,
        whose ``--out`` writes a table that every command reads.

    Examples
    --------
    >>> in_shell("Say units='persons' or read the table with carry=False.")
    'Say --units persons or read the table with --no-flags.'
    """
    elsewhere = False

    def option(found: re.Match[str]) -> str:
        nonlocal elsewhere
        name = found["name"] or "no-flags"
        elsewhere |= name not in options
        if found["name"] is None:
            return "--no-flags"
        others = re.sub(r"'([^']*)'", lambda value: shlex.quote(value[1]), found["others"])
        return f"--{name} {shlex.quote(found['value'][1:-1])}{others}"

    translated = _ARGUMENT.sub(option, message)
    if elsewhere:
        translated += (
            " These are options of forecast data check; its --out writes a table that every "
            "command reads."
        )
    return translated


DEFAULT_DATA = "central-asia"


class Years(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """Whole numbers: ``2025,2027``, or ``2025:2030`` (both included), ``2003:2018:3``.

    Parameters
    ----------
    refusal : str
        What is said of anything else, after the value.
    days : bool
        Whether days (YYYY-MM-DD) may stand in the list too.
    """

    name = "years"

    def __init__(self, refusal: str, *, days: bool = False) -> None:
        self.refusal = refusal
        self.days = days

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int | str, ...]:
        """Return the years in the order in which they were given."""
        if isinstance(value, tuple):
            return value
        text = str(value)
        try:
            if ":" in text:
                first, last, *step = (int(part) for part in text.split(":"))
                return tuple(range(first, last + 1, *step))
            parts = text.split(",")
            return tuple(part if self.days and "-" in part[1:] else int(part) for part in parts)
        except (ValueError, TypeError):
            self.fail(f"{value!r} {self.refusal}", param, ctx)


def joined(_: click.Context, __: click.Parameter, given: Sequence[Any] | None) -> Any:
    """Return the values of an option that was given several times as one, each of them once."""
    return tuple(dict.fromkeys(itertools.chain(*given))) if given else None


def _no_cache(context: click.Context, _: click.Parameter, value: bool) -> None:
    """Switch the cache off until the command has ended."""
    if value:
        from forecast.artifacts import caching

        context.with_resource(caching(False))


def data_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--data``."""
    return click.option(
        "--data",
        default=DEFAULT_DATA,
        show_default=True,
        metavar="FILE|NAME",
        help="A table of your own (CSV, XLSX, Parquet), or a name: a bundled panel, a series of "
        "the store, a fetched source.",
    )(command)


cache_option = click.option(
    "--no-cache",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_no_cache,
    help="Neither read nor keep results of earlier runs; the numbers are the same.",
)


language_option = click.option(
    "--language", type=click.Choice(["en", "ru"]), default="en", show_default=True
)


def forecast_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--data``, ``--horizons``, ``--model``, ``--draws``, ``--seed`` and ``--no-cache``."""
    from forecast.models import DEFAULT

    for option in (
        cache_option,
        click.option(
            "--seed", default=1, show_default=True, help="The same seed gives the same numbers."
        ),
        click.option("--draws", default=2000, show_default=True, help="Simulated futures."),
        click.option("--model", default=DEFAULT, show_default=True, help="See `forecast models`."),
        click.option(
            "--horizons",
            type=Years("is not a list of years such as 2025,2027,2030"),
            multiple=True,
            callback=joined,
            default=[DEFAULT_HORIZONS],
            show_default=",".join(map(str, DEFAULT_HORIZONS)),
            help="Target years, separated by commas, or a range such as 2025:2030; may be "
            "repeated.",
        ),
    ):
        command = option(command)
    return data_option(command)


def read_data(data: str) -> Panel:
    """Return the panel that ``--data`` names: bundled, stored, fetched, else a file.

    Figures that look wrong and are used all the same are named on stderr.
    """
    from forecast.data import package
    from forecast.data.checks import warnings_in_words
    from forecast.data.names import resolve
    from forecast.data.table import read

    known = resolve(data)
    panel = read(data) if known is None else known
    for doubt in warnings_in_words(panel) if data not in package.names() else ():
        click.echo(f"doubtful: {doubt}.", err=True)
    return panel


def show(table: pd.DataFrame, out: Path | None = None) -> None:
    """Print a table as CSV on stdout, or write it to a file."""
    text = table.to_csv(index=False, lineterminator="\n")
    if out is None:
        click.echo(text, nl=False)
        return
    from forecast.artifacts import write_text

    write_text(out, text)
    click.echo(str(out))


def make_outlook(data: str, horizons: Sequence[int], model: str, draws: int, seed: int) -> Forecast:
    """Forecast what ``--data`` names; say on stderr what could not be forecast."""
    with progress("reading the data"):
        panel = read_data(data)
    return outlook_of(panel, horizons, model, draws, seed)


def outlook_of(
    panel: Panel, horizons: Sequence[int], model: str, draws: int, seed: int
) -> Forecast:
    """Forecast a panel; say on stderr what could not be forecast."""
    from forecast.contract import NOT_FORECAST
    from forecast.models.run import forecast

    with progress(f"forecasting {len(panel)} series with {model}"):
        outlook = forecast(panel, model=model, horizons=horizons, draws=draws, seed=seed)
    for note in outlook.notes[outlook.notes["status"] == NOT_FORECAST].itertuples():
        click.echo(
            f"not forecast: {note.measure} of {note.location} ({note.source}): "
            + in_shell(str(note.reason), ()),
            err=True,
        )
    return outlook


#: A saved forecast to start from; see `saved_or_made`.
saved_option = click.option(
    "--forecast",
    "saved",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A saved forecast to start from, instead of making one.",
)


def saved_or_made(
    saved: Path | None, data: str, horizons: Sequence[int], model: str, draws: int, seed: int
) -> Forecast:
    """Return a saved forecast, or make the one that the other options ask for."""
    if saved is None:
        return make_outlook(data, horizons, model, draws, seed)
    from forecast.outlook import open_forecast

    return open_forecast(saved)


def progress(description: str) -> Any:
    """Return a spinner on stderr, silent where stderr is not a terminal."""
    from rich.console import Console

    return Console(stderr=True, quiet=not sys.stderr.isatty()).status(f"{description} …")
