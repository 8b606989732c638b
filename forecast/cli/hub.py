"""The verbs `forecast hub export` and `forecast hub check`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from forecast.cli.options import forecast_options, progress, saved_option, saved_or_made, show


@click.group()
def hub() -> None:
    """Hubs in the hubverse's format: write one, check one."""


@hub.command()
@forecast_options
@saved_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("hub"),
    show_default=True,
    help="Folder of the hub; one that is there gains this forecast.",
)
@click.option("--team", default="forecast", show_default=True, help="Who made the forecast.")
@click.option(
    "--samples", default=100, show_default=True, help="Draws beside the quantiles; 0 for none."
)
def export(
    data: str,
    horizons: Sequence[int],
    model: str,
    draws: int,
    seed: int,
    saved: Path | None,
    out: Path,
    team: str,
    samples: int,
) -> None:
    """Write a forecast as a hub, version 6: configuration, metadata, model output, figures."""
    outlook = saved_or_made(saved, data, horizons, model, draws, seed)
    with progress("writing the hub"):
        written = outlook.to_hub(out, team=team, samples=samples)
    click.echo(str(written))


@hub.command()
@click.argument("folder", type=click.Path(path_type=Path))
def check(folder: Path) -> None:
    """Check a hub: configuration, metadata, model output, target data.

    Prints one row per broken rule as CSV; exit status 1 if there is any.
    """
    from forecast.exports.check import check_hub

    with progress("checking the hub"):
        found = check_hub(folder)
    show(found)
    if len(found):
        first = found.iloc[0]
        raise click.ClickException(
            f"{folder} breaks {len(found)} rules of a hub, first {first['file']}: "
            f"{first['problem']}"
        )
    click.echo(f"{folder} is a valid hub.", err=True)
