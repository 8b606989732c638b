"""The command `forecast`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast.commands.backtest import backtest
from forecast.errors import ForecastError
from forecast.horizons import DEFAULT_HORIZONS
from forecast.version import __version__

if TYPE_CHECKING:
    import pandas as pd

    from forecast.panel import Panel

_DEFAULT_DATA = "central-asia"


class _Group(click.Group):
    """Turns an error of ours into one message and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ForecastError as error:
            raise click.ClickException(str(error)) from None
        except OSError as error:
            where = f" {error.filename}" if error.filename else ""
            raise click.ClickException(f"the system refuses{where}: {error.strerror}.") from None


class _Numbers(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """Comma-separated whole numbers, such as ``2025,2027,2030``."""

    name = "years"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            return tuple(int(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list of years such as 2025,2027,2030", param, ctx)


def _data_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--data",
        default=_DEFAULT_DATA,
        show_default=True,
        metavar="FILE|NAME",
        help="A table of your own (CSV, XLSX, Parquet), or the name of a bundled panel.",
    )(command)


def _forecast_options(command: Callable[..., Any]) -> Callable[..., Any]:
    from forecast.models.names import DEFAULT

    for option in (
        click.option(
            "--seed", default=1, show_default=True, help="The same seed gives the same numbers."
        ),
        click.option("--draws", default=2000, show_default=True, help="Simulated futures."),
        click.option("--model", default=DEFAULT, show_default=True, help="See `forecast models`."),
        click.option(
            "--horizons",
            type=_Numbers(),
            default=DEFAULT_HORIZONS,
            show_default=",".join(map(str, DEFAULT_HORIZONS)),
            help="Target years, separated by commas.",
        ),
    ):
        command = option(command)
    return _data_option(command)


def read_data(data: str) -> Panel:
    """Return the panel that ``--data`` names: a bundled one, else a file."""
    from forecast.data.package import load, names
    from forecast.data.table import read

    if data in names():
        return load(data)
    if not Path(data).exists() and not Path(data).suffix:
        return load(data)
    return read(data)


def show(table: pd.DataFrame, out: Path | None = None) -> None:
    """Print a table as CSV on stdout, or write it to a file."""
    text = table.to_csv(index=False, lineterminator="\n")
    if out is None:
        click.echo(text, nl=False)
        return
    from forecast.files import write_text

    write_text(out, text)
    click.echo(str(out))


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="forecast")
def cli() -> None:
    """Forecasts of migration with honest uncertainty."""


cli.add_command(backtest)


@cli.group()
def data() -> None:
    """Look at series: bundled ones and your own."""


@data.command("list")
def list_data() -> None:
    """Print one row per bundled series, as CSV."""
    from forecast.data.package import describe

    show(describe())


@data.command("check")
@click.argument("file", default=_DEFAULT_DATA, metavar="[FILE|NAME]")
def check_data(file: str) -> None:
    """Say what a table holds and where its own figures disagree.

    Exit status 1 if a check finds an error; warnings do not change it.
    """
    from forecast.data.checks import check

    panel = read_data(file)
    click.echo(f"{panel!r}", err=True)
    findings = check(panel)
    show(findings)
    errors = int((findings["severity"] == "error").sum())
    if errors:
        raise click.ClickException(
            f"{errors} of {len(findings)} findings are errors; see the table."
        )


@cli.command()
def models() -> None:
    """Print one row per registered model, as CSV."""
    from forecast.models.registry import table

    show(table())


@cli.command()
@_forecast_options
@click.option(
    "--table", type=click.Choice(["quantile", "sample"]), default="quantile", show_default=True
)
@click.option("--out", type=click.Path(path_type=Path), help="CSV file; stdout by default.")
def predict(
    data: str,
    horizons: Sequence[int],
    model: str,
    draws: int,
    seed: int,
    table: str,
    out: Path | None,
) -> None:
    """Forecast every series of the data; a tidy table in persons a year, as CSV.

    Series that cannot be forecast are named on stderr with the reason.
    """
    outlook = _outlook(data, horizons, model, draws, seed)
    values = outlook.to_frame("sample" if table == "sample" else "quantile")
    show(values.assign(value=values["value"].round(1)), out)


@cli.command()
@_forecast_options
@click.option("--language", type=click.Choice(["en", "ru"]), default="en", show_default=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("reports"),
    show_default=True,
    help="Folder for the report.",
)
@click.option(
    "--track",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A saved backtest; the report then shows the track record.",
)
@click.option(
    "--thresholds",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="TOML with numbers whose crossing is given a probability.",
)
@click.option(
    "--previous",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Manifest of an earlier report; this one then says what changed.",
)
def report(
    data: str,
    horizons: Sequence[int],
    model: str,
    draws: int,
    seed: int,
    language: str,
    out: Path,
    track: Path | None,
    thresholds: Path | None,
    previous: Path | None,
) -> None:
    """Write the horizon report: a page that opens offline, CSV, workbook and manifest."""
    from forecast.backtests.table import Track
    from forecast.reports.horizon import report as write

    outlook = _outlook(data, horizons, model, draws, seed)
    with _progress("writing the report"):
        written = write(
            outlook,
            None if track is None else Track.open(track),
            folder=out,
            language=language,
            name=Path(data).stem,
            thresholds=thresholds,
            previous=previous,
        )
    for path in written:
        click.echo(str(path))


def _outlook(data: str, horizons: Sequence[int], model: str, draws: int, seed: int) -> Any:
    from forecast.models.contract import NOT_FORECAST
    from forecast.models.run import forecast

    with _progress("reading the data"):
        panel = read_data(data)
    with _progress(f"forecasting {len(panel)} series with {model}"):
        outlook = forecast(panel, model=model, horizons=horizons, draws=draws, seed=seed)
    for note in outlook.notes[outlook.notes["status"] == NOT_FORECAST].itertuples():
        click.echo(
            f"not forecast: {note.measure} of {note.location} ({note.source}): {note.reason}",
            err=True,
        )
    return outlook


def _progress(description: str) -> Any:
    """Return a spinner on stderr, silent where stderr is not a terminal."""
    from rich.console import Console

    return Console(stderr=True, quiet=not sys.stderr.isatty()).status(f"{description} …")


def main() -> None:
    """Run the command; usage errors exit with 2, unacceptable input with 1."""
    cli(prog_name="forecast")
