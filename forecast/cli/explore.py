"""The verb `forecast explore`: a page to ask a forecast one's own questions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from forecast.cli.options import folder_option, language_option, previous_option, track_option
from forecast.cli.output import progress
from forecast.cli.request import Request, forecast_options, saved_option


@click.command()
@forecast_options(saved_option)
@language_option
@folder_option("Folder for the page.", "reports")
@track_option("A saved backtest; past forecasts can then be shown over what came.")
@previous_option("Manifest of an earlier report, shown as marks; may be repeated.")
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    metavar="NAME|FILE",
    help="A shock to show beside the forecast, see `forecast scenario`; may be repeated.",
)
@click.option(
    "--condition",
    "conditions",
    multiple=True,
    metavar="TEXT",
    help="What may be taken for given, see `forecast condition`; several stand apart.",
)
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
def explore(
    request: Request,
    language: str,
    out: Path,
    track: Path | None,
    previous: Sequence[Path],
    scenarios: Sequence[str],
    conditions: Sequence[str],
    show: bool,
) -> None:
    """Write a page that opens offline, to explore a forecast.

    Choose places, measures and periods, drag a threshold and read its chance, add series up or
    take one from another, save what is shown. The page is one file, NAME-explorer.html.
    """
    from forecast.language import language as find_language
    from forecast.reports.explorer import check_place
    from forecast.reports.explorer import explore as write
    from forecast.reports.verdicts import opened
    from forecast.scenarios.conditioning import condition
    from forecast.scenarios.conditions import conditions as read_conditions
    from forecast.scenarios.scenario import read as read_scenario
    from forecast.validation import clean

    # What can be refused is refused before the forecast, which may take minutes.
    name = clean(
        Path(request.figures.data if request.saved is None else request.saved.resolve()).stem
    )
    check_place(out, name, find_language(language))
    shocks = [read_scenario(given) for given in scenarios]
    wanted = [read_conditions(given) for given in conditions]
    tried = opened(track)
    outlook = request.outlook("a scenario" if shocks else "")
    with progress("writing the explorer"):
        path = write(
            outlook,
            tried,
            out,
            language,
            name,
            previous=previous,
            scenarios=shocks,
            conditions=[condition(outlook, given, seed=request.seed) for given in wanted],
        )
    click.echo(str(path))
    if show:
        click.launch(path.resolve().as_uri())
