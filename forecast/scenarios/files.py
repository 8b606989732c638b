"""Shock scenarios by name: those that the package ships, and files of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forecast.config import read_toml
from forecast.errors import unknown_name
from forecast.scenarios.shock import Shock
from forecast.shelf import shelf


def names() -> list[str]:
    """Return the names of the scenarios that the package ships."""
    return sorted(path.stem for path in _folder().glob("*.toml"))


def read(given: str | Path | Mapping[str, Any]) -> Shock:
    """Read a shock scenario.

    Parameters
    ----------
    given : str, Path or mapping
        Name of a shipped scenario, a TOML file, or its content (perhaps with a ``name``).

    Returns
    -------
    Shock

    Raises
    ------
    DataError
        If the file is missing or is not TOML, or a value is not what it should be.
    UnknownNameError
        If a name or a key is not known; the message lists those that are.
    """
    if isinstance(given, Mapping):
        return Shock.of({"name": "own", **given}, "the scenario")
    path = Path(given)
    if path.suffix != ".toml" and not path.is_file():
        if str(given) not in names():
            raise unknown_name("scenario", str(given), names())
        path = _folder() / f"{given}.toml"
    content = read_toml(path, f"Give a TOML file, or one of: {', '.join(names())}.")
    return Shock.of({**content, "name": path.stem}, path.name)


def _folder() -> Path:
    return shelf("models") / "scenarios"
