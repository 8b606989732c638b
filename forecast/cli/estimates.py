"""The verbs `mirror` and `nowcast`: what several sources counted, and a year that is not over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Group, RenderableType
from rich.text import Text

from forecast.cli.options import Choice, output_options
from forecast.cli.output import Output, plain, progress, ruled, tell
from forecast.cli.request import Figures, data_option, figures_options

if TYPE_CHECKING:
    from forecast.models.mirror.result import Mirror
    from forecast.models.nowcast.verb import Nowcast

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
            between("flow", *row[["flow", "lower", "upper"]]),
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


@click.command()
@data_option
@figures_options()
@click.option("--year", type=int, help="The year; by default that of the newest figure.")
@click.option(
    "--yearly",
    metavar="FILE|NAME",
    help="Totals of years before, where they reach further back or differ from the sum of months.",
)
@click.option(
    "--model",
    help="A model of months, such as ensemble, whose forecast of the missing ones is added to "
    "those that are in; by default how years before grew to their totals, pooled with the "
    "seasonal models.",
)
@click.option("--draws", default=2000, show_default=True, help="Simulated totals.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same numbers.")
@click.option(
    "--table",
    type=Choice(["quantile", "sample", "basis"]),
    default="quantile",
    show_default=True,
    help="Quantiles, every draw, or what the nowcast of each series rests on.",
)
@output_options
def nowcast(
    figures: Figures,
    year: int | None,
    yearly: str | None,
    model: str | None,
    draws: int,
    seed: int,
    table: str,
    output: Output,
) -> None:
    """Say what the total of a year will be, given its months or quarters that are in.

    The data are by month, quarter or half-year, or sums since January; places may have reported
    for different months. On a terminal the median, the 80 % range and what it rests on; in a pipe,
    or to a file, a tidy table as CSV.

    Series of which nothing can be said are named on stderr with the reason.
    """
    from forecast.contract import NOT_FORECAST
    from forecast.draw_tables import whole
    from forecast.models.nowcast.verb import nowcast as make

    with progress("reading the data"):
        panel = figures.panel()
        totals = None if yearly is None else Figures(yearly).all_series()
    with progress(f"nowcasting {len(panel)} series"):
        made = make(panel, year, totals, draws, seed, model)
    for note in made.notes[made.notes["status"] == NOT_FORECAST].itertuples():
        tell(f"not nowcast: {note.measure} of {note.location} ({note.source}): {note.reason}")
    if table == "basis":
        output.show(made.basis.round({"usual_share": 4, "growth": 4}))
        return
    values = made.to_frame("sample" if table == "sample" else "quantile")
    brief = None if table == "sample" else lambda: readable(made)
    output.show(values.assign(value=whole(values["value"], values["measure"], 1)), brief)


def readable(made: Nowcast) -> RenderableType:
    """Return a nowcast for reading: a row per series with what is in, the median and the range."""
    from forecast import labels
    from forecast.language import language
    from forecast.series_key import KEY

    words = language("en")
    year = made.horizons[0]
    told = made.basis.merge(made.intervals(0.80), on=[*KEY, "year"])

    def share(value: float, shape: str) -> str:
        """Return a second line with a share, where there is one."""
        return "" if value != value else "\n" + shape.format(f"{100 * value:.0f} %")

    rows: list[list[Any]] = []
    for row in told.to_dict("records"):
        place = Text(labels.place(row["location"], words), style="bold")
        measure = labels.measure(row["measure"], words)
        place.append(f"\n{measure} ({row['source']})", style="not bold")
        low, middle, high = (
            labels.figure(row[name], row["measure"], words, 3)
            for name in ("lower", "median", "upper")
        )
        known = f"{row['parts_in']} of {row['parts']}{share(row['usual_share'], 'usually {}')}"
        change = share(row["growth"], f"{{}} on {year - 1}").replace("\n-", "\n−")
        so_far = f"{labels.figure(row['so_far'], row['measure'], words)}{change}"
        # The place needs room beside billions.
        gap = " " if len(low) + len(high) < 20 else "\n"
        rows.append([place, known, so_far, middle, f"{low}{gap}to {high}"])
    unit = {12: "months", 4: "quarters", 2: "half-years"}[int(told["parts"].iloc[0])]
    heads = (f"{unit} in", "so far", f"{year}", "80 % range")
    table = ruled(
        {"place, measure (source)": "left", **dict.fromkeys(heads, "right")}, rows, spaced=True
    )
    unit_of = str(made.paths.attrs["unit"])
    note = (
        f"Total of {year}, {unit_of}: median and range, rounded; four outcomes in five are to lie "
        "in the range. Usually: the share of a year's total that is in by then. On "
        f"{year - 1}: the change on its same {unit}. All quantiles: --format csv."
    )
    return Group(table, Text(note, style="dim"))
