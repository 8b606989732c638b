"""Model settings as data: one TOML per model on the shelf `models/`."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from forecast.errors import unknown_name
from forecast.shelf import shelf


@cache
def specification(name: str) -> dict[str, Any]:
    """Return the settings of a model, as its TOML states them.

    Parameters
    ----------
    name : str
        Name of the TOML on the shelf, without its ending.

    Raises
    ------
    UnknownNameError
        If there is no such file.
    """
    path = Path(shelf("models")) / f"{name}.toml"
    if not path.is_file():
        raise unknown_name("model settings", name, [p.stem for p in path.parent.glob("*.toml")])
    with path.open("rb") as file:
        return tomllib.load(file)
