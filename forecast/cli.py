"""The command `forecast`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from forecast.commands.backtest import backtest
from forecast.commands.data import data
from forecast.commands.hub import hub
from forecast.commands.impact import impact, impact_option, impacts_of
from forecast.commands.options import (
    forecast_options,
    make_outlook,
    progress,
    show,
)
from forecast.commands.scenario import condition, scenario, targets
from forecast.errors import DataError, ForecastError
from forecast.version import __version__


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


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="forecast")
def cli() -> None:
    """Forecasts of migration with honest uncertainty."""


cli.add_command(data)
cli.add_command(backtest)
cli.add_command(hub)
cli.add_command(scenario)
cli.add_command(condition)
cli.add_command(targets)
cli.add_command(impact)


@cli.command()
def models() -> None:
    """Print one row per registered model, as CSV."""
    from forecast.models.registry import table

    show(table())


@cli.command()
@forecast_options
@click.option(
    "--table",
    type=click.Choice(["quantile", "sample", "bayespop", "explanation"]),
    default="quantile",
    show_default=True,
    help="Quantiles, every draw, net migration as trajectories for bayesPop, or why the "
    "intervals are as wide as they are.",
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

    The table for bayesPop holds countries only, in thousand persons a year; that of the
    explanation has the weight of each model and the share of each part of the variance.

    Series that cannot be forecast are named on stderr with the reason.
    """
    outlook = make_outlook(data, horizons, model, draws, seed)
    if table == "bayespop":
        from forecast.hub.trajectories import bayespop

        show(bayespop(outlook), out)
        return
    if table == "explanation":
        if outlook.explanation is None:
            raise DataError(
                f"the model {outlook.model!r} does not say what its intervals are made of. "
                "Ask the ensemble, or for another table."
            )
        show(outlook.explanation.assign(value=outlook.explanation["value"].round(4)), out)
        return
    values = outlook.to_frame("sample" if table == "sample" else "quantile")
    show(values.assign(value=values["value"].round(1)), out)


@cli.command()
@forecast_options
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
    "--threshold",
    multiple=True,
    metavar="TEXT",
    help="One such number, as 'KAZ immigration > 40000'; may be repeated.",
)
@click.option(
    "--previous",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Manifest of an earlier report; this one then says what changed.",
)
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    metavar="NAME|FILE",
    help="A shock to show apart from the forecast, see `forecast scenario`; may be repeated.",
)
@click.option(
    "--targets",
    metavar="concepts|FILE",
    help="Say how likely the targets of the policy concepts, or your own, are reached.",
)
@impact_option
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
    threshold: Sequence[str],
    previous: Path | None,
    scenarios: Sequence[str],
    targets: str | None,
    impacts: Sequence[str],
) -> None:
    """Write the horizon report: a page that opens offline, CSV, workbook and manifest."""
    from forecast.backtests.table import Track
    from forecast.reports.horizon import report as write
    from forecast.reports.thresholds import parse
    from forecast.reports.thresholds import read as read_thresholds
    from forecast.scenarios.read import read as read_scenario
    from forecast.scenarios.targets import read as read_targets

    wanted = [] if thresholds is None else read_thresholds(thresholds)
    wanted += [parse(text) for text in threshold]
    shocks = [read_scenario(given) for given in scenarios]
    if targets is not None:
        read_targets(targets)
    outlook = make_outlook(data, horizons, model, draws, seed)
    judged = impacts_of(outlook.history, impacts, seed)
    with progress("writing the report"):
        written = write(
            outlook,
            None if track is None else Track.open(track),
            folder=out,
            language=language,
            name=Path(data).stem,
            thresholds=wanted,
            previous=previous,
            scenarios=shocks,
            targets=targets,
            impacts=judged,
        )
    for path in written:
        click.echo(str(path))


def main() -> None:
    """Run the command; usage errors exit with 2, unacceptable input with 1."""
    cli(prog_name="forecast")
