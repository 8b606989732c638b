"""Official sources: what is known of each, from `data/sources.toml` or a file of one's own."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

import pandas as pd

from forecast.data.folders import checked_name
from forecast.data.sources.readers import READERS
from forecast.data.sources.source import Source
from forecast.errors import DataError, unknown_name
from forecast.shelf import shelf

_TEXTS = ("title", "institution", "format", "base_url", "citation")


def sources(catalogue: str | Path | None = None) -> dict[str, Source]:
    """Return the sources by name.

    Parameters
    ----------
    catalogue : str or Path, optional
        A TOML file of the same form; its sources come beside the known ones.

    Raises
    ------
    DataError
        If the file cannot be read or an entry lacks what every source needs.
    """
    known = dict(_bundled())
    if catalogue is not None:
        known.update(_read(Path(catalogue)))
    return known


def source(name: str, catalogue: str | Path | None = None) -> Source:
    """Return one source.

    Raises
    ------
    UnknownNameError
        If there is none of this name; the message lists those that are there.
    """
    known = sources(catalogue)
    if name not in known:
        raise unknown_name("source", name, known)
    return known[name]


def table(catalogue: str | Path | None = None) -> pd.DataFrame:
    """Return one row per source: ``source, title, institution, licence, address``."""
    return pd.DataFrame(
        [
            {
                "source": name,
                "title": known["title"],
                "institution": known["institution"],
                "licence": known.licence,
                "address": known["base_url"],
            }
            for name, known in sources(catalogue).items()
        ]
    )


@cache
def _bundled() -> dict[str, Source]:
    return _read(shelf("data") / "sources.toml")


def _read(path: Path) -> dict[str, Source]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"there is no file {path}. Give a catalogue in TOML.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name} is not a catalogue in TOML: {error}.") from None
    made = {}
    for name, entry in content.items():
        checked_name(name)
        lacking = [key for key in _TEXTS if not isinstance(entry, dict) or not entry.get(key)]
        if lacking:
            raise DataError(f"{path.name}: the source {name!r} lacks {lacking[0]!r}. Add it.")
        if entry["format"] not in READERS:
            unknown = unknown_name("format", entry["format"], READERS)
            raise type(unknown)(f"{path.name}, source {name!r}: {unknown}")
        made[name] = Source(name, entry)
    return made
