"""Where results go: whether they can be written is known before anything is computed."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from forecast.errors import DataError


def file_to_write(_: click.Context, __: click.Parameter, given: Path | None) -> Path | None:
    """Return the file of an option, if it can be written; for ``callback=`` of the option.

    Raises
    ------
    DataError
        If something else stands there, or its folder cannot be written to.
    """
    if given is None:
        return None
    target = given.resolve()
    if target.exists() and not target.is_file():
        kind = "a folder" if target.is_dir() else "a device or pipe"
        raise DataError(f"{target} is {kind}, not a file. Choose another path.")
    _check_folder(target)
    return given


def folder_to_write(_: click.Context, __: click.Parameter, given: Path | None) -> Path | None:
    """Return the folder of an option, if it can be made; for ``callback=`` of the option.

    Raises
    ------
    DataError
        If the folder that is to hold it cannot be written to.
    """
    if given is not None:
        _check_folder(given.resolve())
    return given


def _check_folder(target: Path) -> None:
    """Try to write where a file or folder is to be; nothing is left behind.

    Permissions alone do not tell: a disk may be full, or mounted for reading only.
    """
    folder = next(above for above in target.parents if above.exists())
    if not folder.is_dir():
        raise DataError(f"{folder} is a file, not a folder. Choose another path.")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise DataError(
            f"nothing can be written in {folder} ({error.strerror}). Choose another path."
        ) from None
