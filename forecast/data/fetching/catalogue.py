"""Official sources: what is known of each, from `data/sources.toml` or a file of one's own."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from forecast.errors import DataError, unknown_name
from forecast.shelf import shelf

_TEXTS = ("title", "institution", "format", "base_url", "citation")


@dataclass(frozen=True)
class Source:
    """One official source.

    Attributes
    ----------
    name : str
        What it is called on the command line.
    entry : mapping
        Its description, as in ``data/sources.toml``.
    """

    name: str
    entry: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        if key not in self.entry:
            raise DataError(f"the source {self.name!r} says nothing of {key!r} in its catalogue.")
        return self.entry[key]

    def get(self, key: str, otherwise: Any = None) -> Any:
        """Return what the entry says of a key."""
        return self.entry.get(key, otherwise)

    @property
    def licence(self) -> str:
        """Title of the licence."""
        return str(self.get("licence", {}).get("title", "not stated"))

    def citation(self, **told: str) -> str:
        """Return how to cite what was fetched."""
        return str(self["citation"]).format_map(_Told(told))

    def location(self, code: str) -> str | None:
        """Return the ISO 3166 code of a place as the source writes it; None for groups."""
        given = self.get("locations", {}).get(code)
        return str(given) if given else iso_code(code)


class _Told(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


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
    from forecast.data.fetching.readers import READERS
    from forecast.data.folders import checked_name

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


@cache
def iso_code(code: str) -> str | None:
    """Return the ISO 3166-1 alpha-3 code of a country's two or three letters, or None."""
    import pycountry

    text = str(code).strip().upper()
    if text == "XKX":
        return text
    if len(text) == 2:
        country = pycountry.countries.get(alpha_2=text)
    elif len(text) == 3:
        country = pycountry.countries.get(alpha_3=text)
    else:
        return None
    return None if country is None else str(country.alpha_3)
