"""The verbs `forecast report`, `forecast hub export` and `forecast hub check`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from forecast.cli.options import (
    folder_option,
    forecast_options,
    language_option,
    outlook_of,
    progress,
    read_data,
    saved_option,
    saved_or_made,
    show,
)
from forecast.cli.scenario import impact_option, impacts_of
from forecast.horizons import DEFAULT_HORIZONS


@click.command()
@forecast_options
@language_option
@folder_option("Folder for the report.", "reports")
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
    multiple=True,
    help="Manifest of an earlier report: what changed, how it turned out; may be repeated.",
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
    previous: Sequence[Path],
    scenarios: Sequence[str],
    targets: str | None,
    impacts: Sequence[str],
) -> None:
    """Write the horizon report: a page that opens offline, CSV, workbook and manifest."""
    from forecast.reports.horizon import check_place
    from forecast.reports.horizon import report as write
    from forecast.reports.manifest import command
    from forecast.reports.targets import parse
    from forecast.reports.targets import read as read_thresholds
    from forecast.reports.verdicts import covered, opened
    from forecast.scenarios.files import read as read_scenario
    from forecast.scenarios.targets import read as read_targets
    from forecast.validation import clean

    # What can be refused is refused before the forecast, which may take minutes.
    name = clean(Path(data).stem)
    wanted = [] if thresholds is None else read_thresholds(thresholds)
    wanted += [parse(text) for text in threshold]
    shocks = [read_scenario(given) for given in scenarios]
    if targets is not None:
        read_targets(targets)
    tried = opened(track)
    with progress("reading the data"):
        panel = read_data(data)
    check_place(out, name, language, panel)
    if tried is not None:
        covered(tried, panel)
    outlook = outlook_of(panel, horizons, model, draws, seed)
    judged = impacts_of(outlook.history, impacts, seed)
    with progress("writing the report"):
        written = write(
            outlook,
            tried,
            folder=out,
            language=language,
            name=name,
            thresholds=wanted,
            previous=previous,
            scenarios=shocks,
            targets=targets,
            impacts=judged,
            command=command(
                data,
                model,
                seed,
                draws,
                horizons=None if tuple(horizons) == DEFAULT_HORIZONS else horizons,
                language=None if language == "en" else language,
                track=track,
                thresholds=thresholds,
                threshold=threshold,
                previous=previous,
                scenarios=scenarios,
                targets=targets,
                impacts=impacts,
            ),
        )
    for path in written:
        click.echo(str(path))


@click.group()
def hub() -> None:
    """Hubs in the hubverse's format: write one, check one."""


@hub.command()
@forecast_options
@saved_option
@folder_option("Folder of the hub; one that is there gains this forecast.", "hub")
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
