"""Options that several verbs share: where results go, years, the cache, the language."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from forecast import artifacts
from forecast.cli.output import Output
from forecast.language import LANGUAGES

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def bundled(name: str, kind: Callable[..., Any], *options: Decorator) -> Decorator:
    """Return a decorator that adds options to a command and hands them over as one argument.

    Parameters
    ----------
    name : str
        Name of the argument.
    kind : dataclass
        What is made of the options; its fields are called as they are.
    """
    fields = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def called(**given: Any) -> Any:
            parts = {field: given.pop(field) for field in fields if field in given}
            return command(**{name: kind(**parts)}, **given)

        for option in reversed(options):
            option(called)
        return called

    return decorate


def file_to_write(_: click.Context, __: click.Parameter, given: Path | None) -> Path | None:
    """Return the file of an option, if it can be written; for ``callback=`` of the option.

    Parameters
    ----------
    _, __ : Context, Parameter
        As click calls it; not used.
    given : Path or None
        None for stdout.

    Returns
    -------
    Path or None

    Raises
    ------
    DataError
        If something else stands there, or its folder cannot be written to.
    """
    if given is not None:
        artifacts.check_file(given)
        artifacts.check_writable(given.resolve().parent)
    return given


def folder_to_write(_: click.Context, __: click.Parameter, given: Path | None) -> Path | None:
    """Return the folder of an option, if it can be made; for ``callback=`` of the option.

    Parameters
    ----------
    _, __ : Context, Parameter
        As click calls it; not used.
    given : Path or None
        What stands there already is looked at when it is written.

    Returns
    -------
    Path or None

    Raises
    ------
    DataError
        If the folder that is to hold it cannot be written to.
    """
    if given is not None:
        artifacts.check_writable(given)
    return given


class Choice(click.Choice):  # type: ignore[type-arg,unused-ignore]
    """One of several words; a misspelt one is refused with the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the word."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            if near := difflib.get_close_matches(str(value), self.choices, n=1):
                self.fail(f"{error.message} Did you mean {near[0]!r}?", param, ctx)
            raise


output_options = bundled(
    "output",
    Output,
    click.option(
        "--format",
        "form",
        type=Choice(["table", "csv", "json", "parquet"]),
        help="A table to read, or a form for programs; by default what the ending of --out says, "
        "else CSV. Parquet needs --out.",
    ),
    click.option(
        "--out",
        type=click.Path(path_type=Path),
        callback=file_to_write,
        help="File (CSV, .json, .parquet); stdout by default.",
    ),
)


def folder_option(help_text: str, default: str | None = None) -> Decorator:
    """Return the option ``--out`` of a verb that writes a folder, checked before any work.

    Parameters
    ----------
    help_text : str
        What the folder will hold.
    default : str, optional
        Shown in the help; the option may be left out without one too.

    Returns
    -------
    callable
        A decorator of the command.
    """
    return click.option(
        "--out",
        type=click.Path(path_type=Path, file_okay=False),
        default=None if default is None else Path(default),
        show_default=default is not None,
        callback=folder_to_write,
        help=help_text,
    )


def track_option(help_text: str) -> Decorator:
    """Return the option ``--track`` of a verb that a saved backtest may inform."""
    path = click.Path(path_type=Path, exists=True, file_okay=False)
    return click.option("--track", type=path, help=help_text)


def previous_option(help_text: str) -> Decorator:
    """Return the option ``--previous``: manifests of earlier editions, read before any work."""

    def checked(_: object, __: object, paths: Sequence[Path]) -> Sequence[Path]:
        from forecast.evaluate.editions import read_editions

        if paths:
            read_editions(paths)
        return paths

    path = click.Path(path_type=Path, exists=True, dir_okay=False)
    return click.option("--previous", type=path, multiple=True, callback=checked, help=help_text)


class Years(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """Whole numbers: ``2025,2027``, or ``2025:2030`` (both included), ``2003:2018:3``.

    Periods too: ``2027-06,2027-Q1``, ``2027-01:2027-06``, each as text.

    Parameters
    ----------
    example : sequence of int
        A list that would do, for messages.
    days : bool
        Whether days (YYYY-MM-DD) may stand in the list too.
    """

    name = "years"

    def __init__(self, example: Sequence[int], *, days: bool = False) -> None:
        self.example = example
        self.days = days

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int | str, ...]:
        """Return the years in the order in which they were given."""
        if isinstance(value, tuple):
            return value
        example = f"{self.example[0]}:{self.example[-1]}"
        years: list[int | str] = []
        for part in str(value).split(","):
            if found := self._periods(part.strip()):
                years += found
                continue
            if self.days and "-" in part[1:]:
                years.append(part.strip())
                continue
            try:
                first, *others = (int(number) for number in part.split(":"))
                last, step = [*others, *(first, 1)[len(others) :]]
                span = range(first, last + 1, step)
            except ValueError:
                listed = ",".join(map(str, self.example))
                wanted = f"is not a list of years such as {listed}, or a range such as {example}."
                self.fail(f"{value!r} {wanted}", param, ctx)
            if step < 1 or not 0 < len(span) <= 1000:
                fault = "runs backwards" if last < first else "is no range of at most 1,000 years"
                self.fail(f"{part!r} {fault}; write FIRST:LAST, such as {example}.", param, ctx)
            years += span
        return tuple(years)

    def _periods(self, part: str) -> list[str]:
        """Return the months, quarters or half-years of a part of the list, none of other parts."""
        from forecast import periods

        first, colon, end = part.partition(":")
        last, _, step = end.partition(":")
        ends = [periods.parse(text) for text in ((first, last) if colon else (first,))]
        kinds = {kind for kind, _ in filter(None, ends)}
        if None in ends or len(kinds) != 1 or kinds == {"year"} or not (step or "1").isdecimal():
            return []
        (kind,) = kinds
        numbers = [number for _, number in filter(None, ends)]
        span = range(numbers[0], numbers[-1] + 1, int(step or 1) or 1)
        if not 0 < len(span) <= 1000:
            self.fail(f"{part!r} runs backwards or is no range of at most 1,000 periods; write "
                      "FIRST:LAST, such as 2027-01:2027-06.")  # fmt: skip
        return [periods.label(number, kind) for number in span]


def joined(_: click.Context, __: click.Parameter, given: Sequence[Any] | None) -> Any:
    """Return the values of an option that was given several times as one, each of them once.

    Parameters
    ----------
    _, __ : Context, Parameter
        As click calls it; not used.
    given : sequence of sequence, or None
        What each use of the option holds.

    Returns
    -------
    tuple or None
        In the order given; None where the option was not used.
    """
    return tuple(dict.fromkeys(itertools.chain(*given))) if given else None


def several(_: click.Context, __: click.Parameter, given: Any) -> tuple[str, ...]:
    """Return the values of an option as a tuple, whether it may be repeated or not.

    Parameters
    ----------
    _, __ : Context, Parameter
        As click calls it; not used.
    given : str, tuple of str, or None
        None where an option that may not be repeated was not used.

    Returns
    -------
    tuple of str
    """
    return given if isinstance(given, tuple) else () if given is None else (given,)


def _no_cache(context: click.Context, _: click.Parameter, value: bool) -> None:
    """Switch the cache off until the command has ended."""
    if value:
        from forecast.artifacts import caching

        context.with_resource(caching(False))


cache_option = click.option(
    "--no-cache",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_no_cache,
    help="Neither read nor keep results of earlier runs; the numbers are the same.",
)


language_option = click.option(
    "--language", type=Choice(list(LANGUAGES)), default="en", show_default=True
)


@dataclasses.dataclass(frozen=True)
class Imprint:
    """What a report is called, and what is said about it."""

    name: str
    title: str
    about: str


imprint_options = bundled(
    "imprint",
    Imprint,
    click.option("--name", default="", help="What the files are called; without it like the data."),
    click.option("--title", default="", help="Title of the report; without it the target years."),
    click.option("--about", default="", help="A paragraph about the edition, below the title."),
)
