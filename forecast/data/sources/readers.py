"""The readers of official sources: which module knows which format."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from forecast.errors import unknown_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from forecast.data.sources.fetched import Kept
    from forecast.data.sources.sniffing import Kind
    from forecast.data.sources.source import Source
    from forecast.panel import Panel

#: Format in the catalogue, and the module that reads it.
READERS = {
    "wpp": "forecast.data.sources.wpp_files",
    "worldbank": "forecast.data.sources.worldbank",
    "sdmx": "forecast.data.sources.sdmx",
    "siat": "forecast.data.sources.siat",
    "unhcr": "forecast.data.sources.unhcr",
}


class Get(Protocol):
    """Fetches one address of a source and keeps what came."""

    def __call__(self, path: str, kind: Kind, role: str = "data", **told: str) -> Path:
        """Return the file with the content of `path`, relative to the source's address."""
        ...


class Reader(Protocol):
    """What a module of `READERS` can do."""

    def collect(self, source: Source, get: Get, releases: Sequence[int]) -> Mapping[str, str]:
        """Fetch all files; return what the source says of itself."""
        ...

    def panel(self, kept: Kept) -> Panel:
        """Return the migration series that were fetched."""
        ...

    def covariates(self, kept: Kept) -> pd.DataFrame:
        """Return the drivers: ``location, measure, year, value, unit, source``."""
        ...


def reader(source: Source) -> Reader:
    """Return the reader of a source.

    Raises
    ------
    UnknownNameError
        If this version has none for its format.
    """
    known = str(source["format"])
    if known not in READERS:
        raise unknown_name("format", known, READERS)
    return cast(Reader, import_module(READERS[known]))
