"""The verb `forecast nowcast`: the total of a year that is not over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.console import Group, RenderableType
from rich.text import Text

from forecast.cli.options import Choice, output_options
from forecast.cli.output import Output, progress, ruled, tell
from forecast.cli.request import Figures, data_option, figures_options

if TYPE_CHECKING:
    from forecast.models.nowcast.verb import Nowcast


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
    output.show(values.assign(value=values["value"].round(1)), brief)


def readable(made: Nowcast) -> RenderableType:
    """Return a nowcast for reading: a row per series with what is in, the median and the range."""
    from forecast import labels
    from forecast.language import language, rounded
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
        low, middle, high = (f"{rounded(row[name], 3):,}" for name in ("lower", "median", "upper"))
        known = f"{row['parts_in']} of {row['parts']}{share(row['usual_share'], 'usually {}')}"
        change = share(row["growth"], f"{{}} on {year - 1}").replace("\n-", "\n−")
        so_far = f"{row['so_far']:,.0f}{change}"
        rows.append([place, known, so_far, middle, f"{low} to {high}"])
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
