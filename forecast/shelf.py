"""Where the shelves `data/` and `models/` are: in a checkout or inside the wheel."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from forecast.errors import DataError


@cache
def shelf(name: str) -> Path:
    """Return the folder of one shelf.

    A wheel carries the shelves inside the package; an editable install reads the
    ones of the checkout, so that an edited table takes effect at once.

    Parameters
    ----------
    name : {"data", "models"}
        The shelf.

    Returns
    -------
    pathlib.Path
        An existing folder.

    Raises
    ------
    FileNotFoundError
        If the installation is incomplete.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "_shelves" / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(
        f"the shelf {name!r} is missing from this installation; install migration-forecast again"
    )


def read_toml(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises
    ------
    DataError
        If it is not TOML.
    FileNotFoundError
    """
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not TOML: {error}.") from None
