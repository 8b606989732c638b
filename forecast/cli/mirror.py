"""The verb `mirror`: what was probably moved, given what several sources counted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast.cli.options import Choice, output_options
from forecast.cli.output import Output, plain, progress, ruled, tell
from forecast.cli.request import Figures, data_option, figures_options

if TYPE_CHECKING:
    from forecast.models.mirror.result import Mirror

#: Most corridors that are shown on a terminal.
_SHOWN = 20


@click.command()
@data_option
@figures_options()
@click.option(
    "--table",
    type=Choice(["flows", "coverage", "contradictions"]),
    default="flows",
    show_default=True,
    help="What was probably moved; what share of it each source counts; or where counts "
    "contradict each other by more than their accuracy explains.",
)
@click.option(
    "--sources",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="TOML that says of your sources who counts and from which stay on; see the manual.",
)
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same numbers.")
@output_options
def mirror(figures: Figures, table: str, sources: Path | None, seed: int, output: Output) -> None:
    """Compare what several sources count of the same corridors, and say what was probably moved.

    Persons a year who stay twelve months or more. On a terminal the largest corridors in their
    last year; in a pipe, or to a file, every corridor and year with 50, 80 and 95 % intervals.
    Try --data corridors --location KAZ:DEU.
    """
    from forecast.models.mirror.run import mirror as compare

    with progress("reading the data"):
        panel = figures.panel()
    with progress("comparing the counts"):
        result = compare(panel, sources=sources, seed=seed)
    for name in result.strange:
        tell(
            f"nothing is known of the source {name}; it is believed little. Say with --sources "
            "who counts there."
        )
    if table == "flows":
        frame = result.to_frame()
        amounts = ["flow", "lower", "upper"]
        output.show(frame.assign(**frame[amounts].round(1)), lambda: _readable(result))
        return
    shown = result.coverage() if table == "coverage" else result.contradictions()
    digits = dict.fromkeys(shown.select_dtypes("float").columns, 3)
    output.show(shown.round(digits), lambda: plain(shown.drop(columns="location", errors="ignore")))


def _readable(result: Mirror) -> Any:
    """Return the largest corridors in their last year of any count, with what was counted."""
    from rich.console import Group
    from rich.text import Text

    from forecast.drawing import between

    last = result.last()
    rows = [
        [
            row["name"],
            str(row["year"]),
            between(*row[["flow", "lower", "upper"]]),
            row["counted"],
            row["basis"],
        ]
        for _, row in last.head(_SHOWN).iterrows()
    ]
    sides = ("left", "right", "right", "left", "left")
    heads = ("corridor", "year", "probably moved (80 % range)", "counted", "rests on")
    more = f" {len(last) - _SHOWN} more corridors in the table." if len(last) > _SHOWN else ""
    note = (
        "Persons a year who stay twelve months or more, rounded. Four true flows in five are to "
        f"lie in the range.{more} Everything: --format csv; see also --table contradictions."
    )
    return Group(ruled(dict(zip(heads, sides)), rows), Text(note, style="dim"))


#: The option of the report that asks for its section on corridors.
corridors_option = click.option(
    "--corridors",
    metavar="NAME|FILE",
    help="Flows between countries as several sources tell them (`corridors`, or a file of your "
    "own): the annex then says what was probably moved, see `forecast mirror`.",
)


def mirrored(data: str | None, seed: int) -> Mirror | None:
    """Return what several sources tell of the corridors that a report was asked for.

    Parameters
    ----------
    data : str or None
        A file, or the name of a bundled panel; None where none was asked for.
    seed : int
        Of the draws of what was probably moved.

    Returns
    -------
    Mirror or None
    """
    if data is None:
        return None
    from forecast.models.mirror.run import mirror as compare

    with progress("comparing the counts of corridors"):
        return compare(Figures(data).panel(), seed=seed)
