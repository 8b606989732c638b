"""The verbs `forecast scenario`, `condition`, `targets` and `impact`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast.cli.options import Choice, language_option, output_options, track_option
from forecast.cli.output import Output, progress, tell
from forecast.cli.request import (
    Figures,
    Request,
    data_option,
    figures_options,
    forecast_options,
    saved_option,
)

if TYPE_CHECKING:
    import pandas as pd

    from forecast.impacts.result import Impact
    from forecast.panel import Panel
    from forecast.scenarios.scenario import Scenario
    from forecast.scenarios.shock import Shock

_NOT_A_FORECAST = "What if, not a forecast: no probability is claimed for what is taken for given."


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Round persons to tenths; shares, errors and rates keep four decimals."""
    from forecast.draw_tables import whole

    fine = {"tail", "error", "rate", "world_share", "probability", "part", "chance"}
    numbers = table.select_dtypes("float").columns
    shown = table.round(dict.fromkeys(fine & set(numbers), 4))
    if "measure" not in shown:
        return shown.round(dict.fromkeys(set(numbers) - fine, 1))
    return shown.assign(
        **{name: whole(shown[name], shown["measure"], 1) for name in numbers if name not in fine}
    )


def _table(made: Scenario, table: str) -> pd.DataFrame:
    if table in ("unusual", "event"):
        return made.unusual() if table == "unusual" else made.event()
    if table == "effects":
        return made.effects.copy()
    return made.table(years=made.baseline.paths["year"].to_numpy().tolist())


def _conclusions(made: Scenario, stated: Shock) -> None:
    """Say on stderr what was concluded: who is counted unnamed, and which flows are left out."""
    from forecast.scenarios.shock import TAKES

    effects = made.effects
    named = {name for place in stated.places for entry in place.counted for name in entry.sources}
    for (source, counted), _ in effects[effects["counted"] != ""].groupby(["source", "counted"]):
        if source not in named:
            tell(f"{made.name}: {source} is counted by {counted}")
    for row in effects[(effects["reason"] != "") & effects["measure"].isin(TAKES)].itertuples():
        tell(
            f"{made.name}: not moved: {row.measure} of {row.location} ({row.source}): {row.reason}"
        )


@click.command()
@click.argument("scenarios", nargs=-1, metavar="[NAME|FILE]...")
@forecast_options(saved_option)
@output_options
@click.option(
    "--table",
    type=Choice(["beside", "unusual", "event", "effects"]),
    default="beside",
    show_default=True,
    help="Baseline and scenario beside each other; how unusual that is; how large the event is "
    "itself; which series it reaches.",
)
def scenario(
    scenarios: Sequence[str],
    request: Request,
    table: str,
    output: Output,
) -> None:
    """Put shock scenarios on top of a forecast, kept apart from it; CSV.

    NAME is a scenario that the package ships, FILE a TOML of your own. Without any, the
    shipped ones are listed.
    """
    import pandas as pd

    from forecast.scenarios.scenario import names, read
    from forecast.scenarios.scenario import scenario as put

    if not scenarios:
        shipped = [read(name) for name in names()]
        listed = [(one.name, one.title, one.first, one.last) for one in shipped]
        output.show(pd.DataFrame(listed, columns=["scenario", "title", "first", "last"]))
        return
    shocks = [read(given) for given in scenarios]
    outlook = request.outlook()
    parts = []
    for shock in shocks:
        with progress(f"scenario {shock.name}"):
            made = put(outlook, shock, seed=request.seed)
            _conclusions(made, shock)
            shown = _table(made, table)
        if "scenario" not in shown:
            shown.insert(0, "scenario", shock.name)
        parts.append(shown)
    click.echo(_NOT_A_FORECAST, err=True)
    output.show(_rounded(pd.concat(parts, ignore_index=True)))


@click.command()
@click.argument("conditions", nargs=-1, required=True, metavar="TEXT...")
@forecast_options(saved_option)
@output_options
@click.option(
    "--minimum", default=100, show_default=True, help="Fewest draws, in effect, to rest on."
)
def condition(conditions: Sequence[str], request: Request, minimum: int, output: Output) -> None:
    """Say what follows for all series if one turns out so; CSV.

    TEXT is a condition such as 'KAZ net_migration kz-bns 2027 >= 0', '<= 0',
    '= 40000 within 2000' or '~ 5000 sd 1000'. Several hold together.
    """
    from forecast.scenarios.conditioning import condition as given
    from forecast.scenarios.conditions import conditions as read

    wanted = read(conditions)
    outlook = request.outlook()
    with progress("weighing the draws"):
        made = given(outlook, wanted, minimum=minimum, seed=request.seed)
    click.echo(
        f"{made.effective:,.0f} of {len(made.weights):,} draws in effect. {_NOT_A_FORECAST}",
        err=True,
    )
    output.show(_rounded(made.comparison()))


@click.command()
@forecast_options(saved_option)
@output_options
@click.option(
    "--targets",
    "given",
    default="concepts",
    show_default=True,
    metavar="concepts|FILE",
    help="Those of the policy concepts, or a TOML with targets of your own.",
)
@track_option("A saved backtest; its verdict then stands beside each probability.")
def targets(request: Request, given: str, track: Path | None, output: Output) -> None:
    """Say how likely each target of the policy concepts is reached by its year; CSV."""
    from forecast.evaluate.track import Track
    from forecast.scenarios.targets import read
    from forecast.scenarios.targets import targets as table

    request.figures.declare()
    wanted = read(given)
    outlook = request.outlook()
    tried = None if track is None else Track.open(track)
    output.show(_rounded(table(outlook, tried, given=wanted)))


#: The series that an event may have moved; all others of the data are there as placebos.
_EVENT = {
    "location": "Code of the place, such as KAZ; with --start instead of EVENT. Of a file of one "
    "place that it does not name: the place.",
    "measure": "What is counted, such as net_migration; of a file that does not say it, too.",
    "source": "Source of the series, such as kz-bns, where several have it.",
}
#: All bundled events.
ALL = "all"


@click.command()
@click.argument("event", required=False, metavar="[EVENT|FILE]")
@data_option
@figures_options(_EVENT, repeated=False)
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
    type=Choice(["effects", "tests", "placebos"]),
    default="effects",
    show_default=True,
    help="Effects by year, ranks by set of placebos, or every placebo.",
)
@language_option
@output_options
def impact(
    event: str | None,
    figures: Figures,
    start: int | None,
    end: int | None,
    exclude: Sequence[str],
    model: str,
    draws: int,
    seed: int,
    as_of: str | None,
    table: str,
    language: str,
    output: Output,
) -> None:
    """Did an event move a series? What came against a forecast from before it, as CSV.

    EVENT is the name of a bundled event or a TOML file; without it, --location, --measure,
    --source and --start describe one. The verdict, in one paragraph, goes to stderr.
    """
    from forecast.impacts.run import impact as judge

    with progress("reading the data"):
        panel = figures.all_series()
        figures.tell_doubts(panel)
    series: dict[str, Any] = {name: next(iter(getattr(figures, name)), None) for name in _EVENT}
    with progress("forecasting from before the event, and at the placebos"):
        found = judge(
            panel,
            event,
            **series,
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
    output.show(values.round({**rounding, **dict.fromkeys(amounts, 1)}))
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
    """Return the impact of each event that was asked for.

    Parameters
    ----------
    panel : Panel
        The figures that the report is of.
    asked : sequence of str
        Names of bundled events, files, or ``all``.
    seed : int
        Of the forecasts from before the events.

    Returns
    -------
    list of Impact
        In the order asked, each event once.

    Raises
    ------
    UnknownNameError, DataError
        If there is no such event, or the panel does not have its series.
    """
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
