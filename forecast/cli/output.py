"""Where results go: whether they can be written is known before anything is computed."""

from __future__ import annotations

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
