"""The command `forecast`, and its verbs models, predict, report and hub."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from forecast.cli.backtest import backtest
from forecast.cli.data import data
from forecast.cli.estimates import corridors_option, mirror, mirrored, nowcast
from forecast.cli.explore import explore
from forecast.cli.options import (
    Choice,
    Imprint,
    folder_option,
    imprint_options,
    language_option,
    output_options,
    previous_option,
    track_option,
)
from forecast.cli.output import Output, in_shell, progress, readable, ruled, show, tell
from forecast.cli.request import (
    Figures,
    Request,
    data_option,
    figures_options,
    forecast_options,
    saved_option,
)
from forecast.cli.scenario import condition, impact, impact_option, impacts_of, scenario, targets
from forecast.errors import DataError, ForecastError
from forecast.horizons import DEFAULT_HORIZONS
from forecast.version import __version__


class _Group(click.Group):
    """Turns an error of ours into one message and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ForecastError as error:
            raise click.ClickException(in_shell(str(error))) from None
        except OSError as error:
            where = f" {error.filename}" if error.filename else ""
            raise click.ClickException(f"the system refuses{where}: {error.strerror}.") from None


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="forecast")
def cli() -> None:
    """Forecasts of migration with honest uncertainty."""


for _verb in (data, backtest, nowcast, scenario, condition, targets, impact, explore, mirror):
    cli.add_command(_verb)


@cli.command()
@output_options
def models(output: Output) -> None:
    """Print one row per registered model: a table on a terminal, CSV with references in a pipe."""
    from forecast.models.registry import table

    rows = table()

    def brief() -> Any:
        shown = []
        for row in rows.to_dict("records"):
            name = row["model"] + (" (default)" if row["default"] else "")
            shown.append([name, row["kind"], f"{row['title']}. {row['summary']}"])
        return ruled(dict.fromkeys(("model", "kind", "what it does"), "left"), shown, spaced=True)

    output.show(rows, brief)


@cli.command()
@forecast_options()
@click.option(
    "--table",
    type=Choice(["quantile", "sample", "bayespop", "explanation"]),
    default="quantile",
    show_default=True,
    help="Quantiles, every draw, net migration as trajectories for bayesPop, or why the "
    "intervals are as wide as they are.",
)
@output_options
def predict(request: Request, table: str, output: Output) -> None:
    """Forecast the series of the data, in persons a year.

    On a terminal the median, the 80 % range and the chance of loss; in a pipe, or to a file,
    a tidy table of quantiles as CSV. One place or measure costs no more than its own time:
    --location KAZ --measure net_migration.

    The table for bayesPop holds countries only, in thousand persons a year; that of the
    explanation has the weight of each model and the share of each part of the variance.

    Series that cannot be forecast are named on stderr with the reason.
    """
    outlook = request.outlook()
    if table == "bayespop":
        output.show(outlook.bayespop())
        return
    if table == "explanation":
        if outlook.explanation is None:
            raise DataError(
                f"the model {outlook.model!r} does not say what its intervals are made of. "
                "Ask the ensemble, or for another table."
            )
        output.show(outlook.explanation.assign(value=outlook.explanation["value"].round(4)))
        return
    from forecast.draw_tables import whole

    values = outlook.to_frame("sample" if table == "sample" else "quantile")
    brief = None if table == "sample" else lambda: readable(outlook)
    output.show(values.assign(value=whole(values["value"], values["measure"], 1)), brief)


@cli.command()
@forecast_options()
@language_option
@folder_option("Folder for the report.", "reports")
@imprint_options
@track_option("A saved backtest; the report then shows the track record.")
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
@previous_option("Manifest of an earlier report: what changed, how it turned out; may be repeated.")
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
@corridors_option
def report(
    request: Request,
    language: str,
    out: Path,
    imprint: Imprint,
    track: Path | None,
    thresholds: Path | None,
    threshold: Sequence[str],
    previous: Sequence[Path],
    scenarios: Sequence[str],
    targets: str | None,
    impacts: Sequence[str],
    corridors: str | None,
) -> None:
    """Write the horizon report: a page and its annex that open offline, CSV, workbook, manifest."""
    from forecast.reports.horizon import check_place
    from forecast.reports.horizon import report as write
    from forecast.reports.manifest import command
    from forecast.reports.targets import parse
    from forecast.reports.targets import read as read_thresholds
    from forecast.reports.verdicts import covered, opened
    from forecast.scenarios.scenario import read as read_scenario
    from forecast.scenarios.targets import read as read_targets
    from forecast.validation import clean

    # What can be refused is refused before the forecast, which may take minutes.
    figures = request.figures
    name = clean(imprint.name or Path(figures.data).stem)
    wanted = [*(read_thresholds(thresholds) if thresholds else ()), *map(parse, threshold)]
    shocks = [read_scenario(given) for given in scenarios]
    figures.declare()
    if targets is not None:
        read_targets(targets)
    tried = opened(track)
    with progress("reading the data"):
        everything = figures.all_series()
        panel = figures.panel(everything)
    check_place(out, name, language, panel)
    if tried is not None:
        covered(tried, panel)
    moved = mirrored(corridors, request.seed)
    outlook = request.of(panel)
    judged = impacts_of(everything, impacts, request.seed)
    with progress("writing the report"):
        written = write(
            outlook,
            tried,
            folder=out,
            language=language,
            name=name,
            title=imprint.title,
            about=imprint.about,
            thresholds=wanted,
            previous=previous,
            scenarios=shocks,
            targets=targets,
            impacts=judged,
            corridors=moved,
            command=command(
                figures.data,
                request.model,
                request.seed,
                request.draws,
                figures=figures.words(),
                horizons=None if request.horizons == DEFAULT_HORIZONS else request.horizons,
                language=None if language == "en" else language,
                name=imprint.name,
                title=imprint.title,
                about=imprint.about,
                track=track,
                thresholds=thresholds,
                threshold=threshold,
                previous=previous,
                scenarios=scenarios,
                targets=targets,
                impacts=impacts,
                nowcast=request.nowcast,
                corridors=corridors,
            ),
        )
    click.echo("\n".join(map(str, written)))


@cli.command()
@click.argument("manifests", nargs=-1, required=True, type=click.Path(path_type=Path))
@data_option
@figures_options()
@click.option("--summary", is_flag=True, help="One row per edition instead of one per figure.")
@output_options
def editions(manifests: Sequence[Path], figures: Figures, summary: bool, output: Output) -> None:
    """Hold earlier reports against what came since: give their NAME.manifest.json.

    Prints one row per figure that was forecast and is known now, as CSV.
    """
    from forecast.evaluate.editions import outturn, read_editions, running_record

    read = read_editions(manifests)
    for edition in read:
        if not edition.whole:
            tell(f"the edition {edition.day} lacks its table: only medians and 80 % are judged.")
    judged = outturn(read, figures.panel())
    if judged.empty:
        tell("nothing that these editions forecast is among the figures yet.")
    output.show((running_record(judged) if summary else judged).round(6))


@cli.group()
def hub() -> None:
    """Hubs in the hubverse's format: write one, check one."""


@hub.command()
@forecast_options(saved_option)
@folder_option("Folder of the hub; one that is there gains this forecast.", "hub")
@click.option("--team", default="forecast", show_default=True, help="Who made the forecast.")
@click.option(
    "--samples", default=100, show_default=True, help="Draws beside the quantiles; 0 for none."
)
def export(request: Request, out: Path, team: str, samples: int) -> None:
    """Write a forecast as a hub, version 6: configuration, metadata, model output, figures."""
    outlook = request.outlook()
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


def main() -> None:
    """Run the command; usage errors exit with 2, unacceptable input with 1."""
    # Libraries make half a million objects that stay. The collector looks at them again and again,
    # and once more at the end, where all goes with the process.
    gc.set_threshold(50_000, 20, 20)
    atexit.register(gc.freeze)
    cli(prog_name="forecast")
