"""Where results go, checked before anything is computed, and remedies in the shell's words."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection
from pathlib import Path

import click

from forecast import artifacts


def file_to_write(_: click.Context, __: click.Parameter, given: Path | None) -> Path | None:
    """Return the file of an option, if it can be written; for ``callback=`` of the option.

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

    Raises
    ------
    DataError
        If the folder that is to hold it cannot be written to.
    """
    if given is not None:
        artifacts.check_writable(given)
    return given


out_option = click.option(
    "--out",
    type=click.Path(path_type=Path),
    callback=file_to_write,
    help="CSV file; stdout by default.",
)

#: Arguments of Python that messages name as a remedy, and the options that do the same.
_ARGUMENT = re.compile(
    r"\b(?:(?P<name>measure|units|flows|decimal|location|source|sheet|skip)="
    r"\[?(?P<value>'[^']*'|\"[^\"]*\")\]?(?P<others>(?:, '[^']*')*(?: or '[^']*')?)|carry=False)"
)
_READING = frozenset(
    ("measure", "units", "flows", "decimal", "location", "source", "sheet", "skip", "no-flags")
)


def in_shell(message: str, options: Collection[str] = _READING) -> str:
    """Return a message whose remedies are options of the command, not arguments of Python.

    Parameters
    ----------
    message : str
    options : collection of str
        Names of the options that the command has; for others `forecast data check` is named,
        whose ``--out`` writes a table that every command reads.

    Examples
    --------
    >>> in_shell("Say units='persons' or read the table with carry=False.")
    'Say --units persons or read the table with --no-flags.'
    """
    elsewhere = False

    def option(found: re.Match[str]) -> str:
        nonlocal elsewhere
        name = found["name"] or "no-flags"
        elsewhere |= name not in options
        if found["name"] is None:
            return "--no-flags"
        others = re.sub(r"'([^']*)'", lambda value: shlex.quote(value[1]), found["others"])
        return f"--{name} {shlex.quote(found['value'][1:-1])}{others}"

    translated = _ARGUMENT.sub(option, message)
    if elsewhere:
        translated += (
            " These are options of forecast data check; its --out writes a table that every "
            "command reads."
        )
    return translated
