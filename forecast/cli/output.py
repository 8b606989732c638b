"""What the command says and where it goes: tables, files, spinners, remedies in its own words."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    import pandas as pd

    from forecast.outlook import Forecast

#: Arguments of Python that messages name as a remedy, and that are options of the same name.
_ARGUMENT = re.compile(
    r"\b(?P<name>measure|units|flows|decimal|frequency|location|source|sheet|skip|vintage|engine)="
    r"(?P<value>\[(?:(?:'[^']*'|\"[^\"]*\")(?:, )?)+\]|'[^']*'|\"[^\"]*\"|\d+)"
    r"(?P<others>(?:, '[^']*')*(?: or '[^']*')?)"
)
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"|(\d+)")
#: Other advice for Python, and what does the same in the shell; empty where nothing does.
_ADVICE = {
    "carry=False": "--no-flags",
    "panel.select()": "--location, --measure, --source",
    ", or cut the data with panel.until(year)": "",
    ", or cut the data with panel.until(month)": "",
    ", or cut the data with panel.until(quarter)": "",
    ", or cut the data with panel.until(half-year)": "",
    ", or step=1": "",
    "belong to forecast()": "belong to forecast predict",
}
#: Columns of whole numbers that are names of years, not amounts.
_YEARS = frozenset(("year", "origin", "first", "last", "last_year", "start", "end"))


def in_shell(message: str) -> str:
    """Return a message whose remedies are options of the command, not arguments of Python.

    Examples
    --------
    >>> in_shell("Say units='persons' or read the table with carry=False.")
    'Say --units persons or read the table with --no-flags.'
    >>> in_shell("Leave them out (skip=['2027', '2030']).")
    'Leave them out (--skip 2027 --skip 2030).'
    """

    def words(text: str) -> list[str]:
        return [shlex.quote("".join(found)) for found in _QUOTED.findall(text)]

    def option(found: re.Match[str]) -> str:
        given = " ".join(f"--{found['name']} {word}" for word in words(found["value"]))
        return given + _QUOTED.sub(lambda other: words(other[0])[0], found["others"])

    for advice, remedy in _ADVICE.items():
        message = message.replace(advice, remedy)
    return _ARGUMENT.sub(option, message)


def tell(message: object) -> None:
    """Say something on stderr, with remedies in the words of the shell."""
    click.echo(in_shell(str(message)), err=True)


def progress(description: str) -> Any:
    """Return a spinner on stderr, silent where stderr is not a terminal."""
    console = Console(stderr=True, quiet=not sys.stderr.isatty())
    return console.status(Text(f"{description} …"))


@dataclass(frozen=True)
class Output:
    """Where a table goes, and in which form; refused at once if the two do not fit.

    Attributes
    ----------
    out : Path or None
        None for stdout.
    form : str or None
        ``table, csv, json`` or ``parquet``. None for a table on a terminal where the verb has
        one to read, for what the ending of `out` says, and for CSV otherwise.
    """

    out: Path | None = None
    form: str | None = None

    def __post_init__(self) -> None:
        if self.form == "parquet" and self.out is None:
            raise click.UsageError("--format parquet is no text; name a file with --out FILE.")
        if self.form == "table" and self.out is not None:
            raise click.UsageError("--format table is for reading; --out takes csv, json, parquet.")
        ending = "" if self.out is None else self.out.suffix.lower()
        if self.form is None and ending not in ("", ".csv", ".txt", ".json", ".parquet"):
            raise click.UsageError(
                f"--out {self.out}: tables are written as .csv, .json or .parquet, not {ending}. "
                "Name such a file, or say the form with --format."
            )

    def show(
        self, table: pd.DataFrame, readable: Callable[[], RenderableType] | None = None
    ) -> None:
        """Print a table, or write it to the file; `readable` makes the form for a terminal."""
        ending = "" if self.out is None else self.out.suffix.lower().lstrip(".")
        form = self.form or (ending if ending in ("json", "parquet") else "csv")
        if form == "table" or (
            readable and self.form is None and self.out is None and sys.stdout.isatty()
        ):
            console = Console(highlight=False)
            made = plain(table) if readable is None else readable()
            if readable is None:  # Rather a line beyond the edge than a number cut off.
                wide = console.options.update(max_width=10_000)
                console.width = max(console.width, console.measure(made, options=wide).minimum)
            console.print(made)
            return
        from forecast.artifacts import atomic_file, write_text

        if form == "json":
            text = table.to_json(orient="records", force_ascii=False, indent=1) + "\n"
        elif form == "csv":
            text = table.to_csv(index=False, lineterminator="\n")
        if self.out is None:
            click.echo(text, nl=False)
            return
        if form == "parquet":
            with atomic_file(self.out) as temporary:
                table.to_parquet(temporary, index=False)
        else:
            write_text(self.out, text)
        click.echo(str(self.out))


def show(table: pd.DataFrame) -> None:
    """Print a table as CSV on stdout."""
    Output(form="csv").show(table)


def ruled(
    columns: Mapping[str, Any],
    rows: Iterable[Sequence[Any]],
    title: str | None = None,
    *,
    spaced: bool = False,
) -> Table:
    """Return a table to read; cells are plain text: what data hold is never taken for markup.

    Parameters
    ----------
    columns : mapping of str to {"left", "right"}
        Headings and sides; numbers, on the right, never wrap.
    rows : iterable of sequence
        A cell that is no text has to be something that rich shows.
    title : str, optional
        Above the table.
    spaced : bool
        Whether rows are a line apart.

    Returns
    -------
    rich.table.Table
    """
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, leading=int(spaced))
    table.pad_edge = False
    for name, side in columns.items():
        # Numbers stay on one line; where there is no room, words are wrapped.
        table.add_column(name, justify=side, no_wrap=side == "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    return table


def plain(table: pd.DataFrame) -> Table:
    """Return any table for reading, with thousands separators and few digits."""

    def written(name: str, value: Any) -> str:
        if value is None or value != value:
            return ""
        if isinstance(value, str | bool) or not hasattr(value, "__float__") or name in _YEARS:
            return str(value)
        return f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:.3g}"

    numbers = set(table.select_dtypes("number").columns)
    return ruled(
        {str(name): "right" if name in numbers else "left" for name in table.columns},
        [
            [written(str(name), value) for name, value in zip(table.columns, row)]
            for row in table.itertuples(index=False, name=None)
        ],
    )


def readable(outlook: Forecast) -> RenderableType:
    """Return a forecast for reading: a row per series, with a line for each target year.

    Medians and bounds have three significant digits; the chance of loss is of more leaving than
    arriving, and counts of arrivals or departures have none.
    """
    from forecast import labels, locations, measures
    from forecast.draw_tables import TABLE_KEY
    from forecast.language import MINUS, NARROW, language

    words = language("en")
    table = outlook.intervals(0.80)
    when = "year" if outlook.frequency == "year" else "period"
    amounts = {
        name: [
            labels.figure(value, measure, words, 3).removeprefix("+").replace(MINUS, "-")
            for value, measure in zip(table[name], table["measure"])
        ]
        for name in ("median", "lower", "upper")
    }
    widths = {name: max(map(len, texts)) for name, texts in amounts.items()}
    ranges = [
        f"{low:>{widths['lower']}} to {high:>{widths['upper']}}"
        for low, high in zip(amounts["lower"], amounts["upper"])
    ]
    rows = []
    groups = {tuple(map(str, key)): group for key, group in table.groupby(TABLE_KEY, sort=False)}

    def order(key: tuple[str, ...]) -> tuple[object, ...]:
        country = locations.country_of(key[0])
        return country, key[0] != country, key[0], measures.position(key[1]), key[2]

    for location, measure, source in sorted(groups, key=order):
        group = groups[location, measure, source]
        series = outlook.history.find((source, location, measure))
        chances = [
            words.percent(
                outlook.probability(
                    below=0, location=location, measure=measure, source=source, year=year
                )
            ).replace(NARROW, " ")
            for year in (group[when].tolist() if series and series.signed else ())
        ]
        place = Text(labels.place(location, words), style="bold")
        place.append(f"\n{labels.measure(measure, words)} ({source})", style="not bold")
        lines = [
            "\n".join(texts[at] for at in group.index) for texts in (amounts["median"], ranges)
        ]
        years = "\n".join(map(str, group[when]))
        rows.append([place, years, *lines, "\n".join(chances)])
    signed = any(series.signed for series in outlook.history)
    plain = outlook.frequency == "year" and measures.unit_of(outlook.history.measures).startswith(
        "persons"
    )
    moves = all(measures.find(name).moves for name in outlook.history.measures)
    loss = "Loss: more leave than arrive. " if moves else "Loss: below zero. "
    heads = (when, "median", "80 % range", "chance of loss")
    made = ruled(
        {"place, measure (source)": "left", **dict.fromkeys(heads, "right")}, rows, spaced=True
    )
    unit = str(outlook.paths.attrs["unit"])
    note = (
        f"{unit[:1].upper()}{unit[1:]}, rounded; model {outlook.model}. Four outcomes in five "
        "are to lie in the range. "
        f"{loss if signed or plain else ''}"
        "All quantiles: --format csv."
    )
    return Group(made, Text(note, style="dim"))
