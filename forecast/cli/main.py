"""The command `forecast`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from forecast.cli.backtest import backtest
from forecast.cli.data import data
from forecast.cli.options import forecast_options, in_shell, make_outlook, out_option, show
from forecast.cli.report import hub, report
from forecast.cli.scenario import condition, impact, scenario, targets
from forecast.errors import DataError, ForecastError
from forecast.version import __version__


class _Group(click.Group):
    """Turns an error of ours into one message and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        options = self._options(ctx)
        try:
            return super().invoke(ctx)
        except ForecastError as error:
            raise click.ClickException(in_shell(str(error), options)) from None
        except OSError as error:
            where = f" {error.filename}" if error.filename else ""
            raise click.ClickException(f"the system refuses{where}: {error.strerror}.") from None

    def _options(self, ctx: click.Context) -> set[str]:
        """Return the names of the options of the command that is about to run."""
        command: click.Command | None = self
        for argument in [*ctx._protected_args, *ctx.args]:
            if not isinstance(command, click.Group):
                break
            command = command.get_command(ctx, argument)
        parameters = command.params if command is not None else []
        return {name.lstrip("-") for parameter in parameters for name in parameter.opts}


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="forecast")
def cli() -> None:
    """Forecasts of migration with honest uncertainty."""


cli.add_command(data)
cli.add_command(backtest)
cli.add_command(hub)
cli.add_command(report)
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
@click.option("--source", help="Of the net migration for bayesPop, where several have it.")
@out_option
def predict(
    data: str,
    horizons: Sequence[int],
    model: str,
    draws: int,
    seed: int,
    table: str,
    source: str | None,
    out: Path | None,
) -> None:
    """Forecast every series of the data; a tidy table in persons a year, as CSV.

    The table for bayesPop holds countries only, in thousand persons a year; that of the
    explanation has the weight of each model and the share of each part of the variance.

    Series that cannot be forecast are named on stderr with the reason.
    """
    outlook = make_outlook(data, horizons, model, draws, seed)
    if table == "bayespop":
        show(outlook.bayespop(source), out)
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


def main() -> None:
    """Run the command; usage errors exit with 2, unacceptable input with 1."""
    cli(prog_name="forecast")
