"""Model settings as data: one TOML per model on the shelf `models/`."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from forecast.errors import unknown_name
from forecast.shelf import shelf


def is_specified(name: str) -> bool:
    """Whether the shelf has settings of this name."""
    return (shelf("models") / f"{name}.toml").is_file()


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
    path = shelf("models") / f"{name}.toml"
    if not is_specified(name):
        raise unknown_name("model settings", name, [p.stem for p in path.parent.glob("*.toml")])
    with path.open("rb") as file:
        return tomllib.load(file)
