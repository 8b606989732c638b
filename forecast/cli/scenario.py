"""The verbs `forecast scenario`, `forecast condition` and `forecast targets`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast.cli.options import forecast_options, progress, saved_option, saved_or_made, show
from forecast.cli.output import out_option

if TYPE_CHECKING:
    import pandas as pd

    from forecast.scenarios.scenario import Scenario
    from forecast.scenarios.shock import Shock

_NOT_A_FORECAST = "What if, not a forecast: no probability is claimed for what is taken for given."


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a forecast, ``--forecast`` and ``--out``."""
    return forecast_options(saved_option(out_option(command)))


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Round persons to tenths; shares, errors and rates keep four decimals."""
    fine = {"tail", "error", "rate", "world_share", "probability", "part", "chance"}
    numbers = table.select_dtypes("float").columns
    return table.round({name: 4 if name in fine else 1 for name in numbers})


def _table(made: Scenario, table: str) -> pd.DataFrame:
    if table == "unusual":
        return made.unusual()
    if table == "event":
        return made.event()
    if table == "effects":
        return made.effects.copy()
    return made.table(years=made.baseline.paths["year"].to_numpy().tolist())


def _tell(made: Scenario, stated: Shock) -> None:
    """Say on stderr what was concluded: who is counted unnamed, and which flows are left out."""
    from forecast.scenarios.accounting import TAKES

    effects = made.effects
    named = {name for place in stated.places for entry in place.counted for name in entry.sources}
    for (source, counted), _ in effects[effects["counted"] != ""].groupby(["source", "counted"]):
        if source not in named:
            click.echo(f"{made.name}: {source} is counted by {counted}", err=True)
    for row in effects[(effects["reason"] != "") & effects["measure"].isin(TAKES)].itertuples():
        click.echo(
            f"{made.name}: not moved: {row.measure} of {row.location} ({row.source}): {row.reason}",
            err=True,
        )


@click.command()
@click.argument("scenarios", nargs=-1, metavar="[NAME|FILE]...")
@_options
@click.option(
    "--table",
    type=click.Choice(["beside", "unusual", "event", "effects"]),
    default="beside",
    show_default=True,
    help="Baseline and scenario beside each other; how unusual that is; how large the event is "
    "itself; which series it reaches.",
)
def scenario(
    scenarios: Sequence[str],
    data: str,
    horizons: Sequence[int],
    model: str,
    draws: int,
    seed: int,
    saved: Path | None,
    table: str,
    out: Path | None,
) -> None:
    """Put shock scenarios on top of a forecast, kept apart from it; CSV.

    NAME is a scenario that the package ships, FILE a TOML of your own. Without any, the
    shipped ones are listed.
    """
    import pandas as pd

    from forecast.scenarios.files import names, read
    from forecast.scenarios.scenario import scenario as put

    if not scenarios:
        shipped = [read(name) for name in names()]
        listed = [(one.name, one.title, one.first, one.last) for one in shipped]
        show(pd.DataFrame(listed, columns=["scenario", "title", "first", "last"]), out)
        return
    shocks = [read(given) for given in scenarios]
    outlook = saved_or_made(saved, data, horizons, model, draws, seed)
    parts = []
    for shock in shocks:
        with progress(f"scenario {shock.name}"):
            made = put(outlook, shock, seed=seed)
            _tell(made, shock)
            shown = _table(made, table)
        if "scenario" not in shown:
            shown.insert(0, "scenario", shock.name)
        parts.append(shown)
    click.echo(_NOT_A_FORECAST, err=True)
    show(_rounded(pd.concat(parts, ignore_index=True)), out)


@click.command()
@click.argument("conditions", nargs=-1, required=True, metavar="TEXT...")
@_options
@click.option(
    "--minimum", default=100, show_default=True, help="Fewest draws, in effect, to rest on."
)
def condition(
    conditions: Sequence[str],
    data: str,
    horizons: Sequence[int],
    model: str,
    draws: int,
    seed: int,
    saved: Path | None,
    minimum: int,
    out: Path | None,
) -> None:
    """Say what follows for all series if one turns out so; CSV.

    TEXT is a condition such as 'KAZ net_migration kz-bns 2027 >= 0', '<= 0',
    '= 40000 within 2000' or '~ 5000 sd 1000'. Several hold together.
    """
    from forecast.scenarios.conditioning import condition as given
    from forecast.scenarios.conditions import conditions as read

    wanted = read(conditions)
    outlook = saved_or_made(saved, data, horizons, model, draws, seed)
    with progress("weighing the draws"):
        made = given(outlook, wanted, minimum=minimum, seed=seed)
    click.echo(
        f"{made.effective:,.0f} of {len(made.weights):,} draws in effect. {_NOT_A_FORECAST}",
        err=True,
    )
    show(_rounded(made.comparison()), out)


@click.command()
@_options
@click.option(
    "--targets",
    "given",
    default="concepts",
    show_default=True,
    metavar="concepts|FILE",
    help="Those of the policy concepts, or a TOML with targets of your own.",
)
@click.option(
    "--track",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A saved backtest; its verdict then stands beside each probability.",
)
def targets(
    data: str,
    horizons: Sequence[int],
    model: str,
    draws: int,
    seed: int,
    saved: Path | None,
    given: str,
    track: Path | None,
    out: Path | None,
) -> None:
    """Say how likely each target of the policy concepts is reached by its year; CSV."""
    from forecast.evaluate.track import Track
    from forecast.scenarios.targets import read
    from forecast.scenarios.targets import targets as table

    wanted = read(given)
    outlook = saved_or_made(saved, data, horizons, model, draws, seed)
    show(_rounded(table(outlook, None if track is None else Track.open(track), given=wanted)), out)
