"""The verb `forecast impact`, and the option of the report that asks for events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast.cli.options import data_option, language_option, progress, read_data, show
from forecast.cli.output import out_option

if TYPE_CHECKING:
    from forecast.impacts.result import Impact
    from forecast.panel import Panel

#: All bundled events.
ALL = "all"


@click.command()
@click.argument("event", required=False, metavar="[EVENT|FILE]")
@data_option
@click.option("--location", help="Code of the place, such as KAZ; with --start instead of EVENT.")
@click.option("--measure", help="What is counted, such as net_migration.")
@click.option("--source", help="Source of the series, such as kz-bns, where several have it.")
@click.option("--start", type=int, help="First year that may be affected.")
@click.option("--end", type=int, help="Last year of the window; the last observed by default.")
@click.option(
    "--exclude",
    multiple=True,
    metavar="CODE",
    help="Place that the event may have hit too, so no placebo at its date; may be repeated.",
)
@click.option("--model", default="structural", show_default=True, help="See `forecast models`.")
@click.option("--draws", default=1000, show_default=True, help="Simulated futures.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same numbers.")
@click.option("--as-of", metavar="DATE", help="Only figures released by this day (YYYY-MM-DD).")
@click.option(
    "--table",
    type=click.Choice(["effects", "tests", "placebos"]),
    default="effects",
    show_default=True,
    help="Effects by year, ranks by set of placebos, or every placebo.",
)
@language_option
@out_option
def impact(
    event: str | None,
    data: str,
    location: str | None,
    measure: str | None,
    source: str | None,
    start: int | None,
    end: int | None,
    exclude: Sequence[str],
    model: str,
    draws: int,
    seed: int,
    as_of: str | None,
    table: str,
    language: str,
    out: Path | None,
) -> None:
    """Did an event move a series? What came against a forecast from before it, as CSV.

    EVENT is the name of a bundled event or a TOML file; without it, --location, --measure,
    --source and --start describe one. The verdict, in one paragraph, goes to stderr.
    """
    from forecast.impacts.run import impact as judge

    with progress("reading the data"):
        panel = read_data(data)
    with progress("forecasting from before the event, and at the placebos"):
        found = judge(
            panel,
            event,
            location=location,
            measure=measure,
            source=source,
            start=start,
            end=end,
            exclude=exclude,
            model=model,
            draws=draws,
            seed=seed,
            as_of=as_of,
        )
    if table == "effects":
        values = found.to_frame()
    else:
        values = found.tests if table == "tests" else found.placebos.table
    rounding = dict.fromkeys(("gap", "tail", "p_value", "p_randomised", "smallest_p"), 4)
    amounts = values.select_dtypes("float").columns.difference([*rounding, "level"])
    show(values.round({**rounding, **dict.fromkeys(amounts, 1)}), out)
    click.echo(found.sentence(language), err=True)


def impact_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--impact`` to the report."""
    return click.option(
        "--impact",
        "impacts",
        multiple=True,
        metavar="EVENT|FILE",
        help="An event to hold against a forecast from before it, or 'all' bundled ones; may "
        "be repeated.",
    )(command)


def impacts_of(panel: Panel, asked: Sequence[str], seed: int) -> list[Impact]:
    """Return the impact of each event that was asked for."""
    if not asked:
        return []
    from forecast.impacts.event import names
    from forecast.impacts.run import impact as judge

    wanted = [name for given in asked for name in (names() if given == ALL else [given])]
    found = []
    for name in dict.fromkeys(wanted):
        with progress(f"holding {name} against a forecast from before it"):
            found.append(judge(panel, name, seed=seed))
    return found
