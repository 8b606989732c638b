"""One official source, and the names that it gives to places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from forecast.errors import DataError


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
