"""Official sources: what is known of each, which module reads its format, what readers share.

The descriptions stand in `data/sources.toml`, or in a file of one's own of the same form.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import pandas as pd

from forecast.artifacts.places import checked_name
from forecast.config import read_toml
from forecast.errors import DataError, ForecastError, unknown_name
from forecast.locations import iso_code
from forecast.shelf import shelf

if TYPE_CHECKING:
    from forecast.data.sources.download import Kind

#: Format in the catalogue, and the module that reads it.
READERS = {
    "wpp": "forecast.data.wpp",
    "worldbank": "forecast.data.sources.worldbank",
    "sdmx": "forecast.data.sources.sdmx",
    "siat": "forecast.data.sources.siat",
    "unhcr": "forecast.data.sources.unhcr",
}
#: What every description says.
_REQUIRED = ("title", "institution", "format", "base_url", "citation")

#: Columns of a table of drivers, as of `forecast.data.package.covariates`.
COVARIATES = ["location", "measure", "year", "value", "unit", "source"]
#: More pages than any table of a source has.
_MOST_PAGES = 200


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
        """Return what the description says under a key."""
        return self.entry.get(key, otherwise)

    def url(self, path: str) -> str:
        """Return the address of a path below the source's own."""
        return str(self["base_url"]).rstrip("/") + "/" + path

    @property
    def licence(self) -> str:
        """Title of the licence."""
        return str(self.get("licence", {}).get("title", "not stated"))

    def citation(self, **notes: str) -> str:
        """Return how to cite what was fetched."""
        return str(self["citation"]).format_map(defaultdict(str, notes))

    def location(self, code: str) -> str | None:
        """Return the ISO 3166 code of a place as the source writes it; None for groups."""
        given = self.get("locations", {}).get(code)
        return str(given) if given else iso_code(code)

    def located(self, table: pd.DataFrame, column: str) -> pd.DataFrame:
        """Return the rows of places with an ISO 3166 code, the code in ``location``.

        What is left out is every group of countries, which no model may mistake for a place.

        Raises
        ------
        DataError
            If nothing is left.
        """
        codes = {code: self.location(str(code)) for code in table[column].unique()}
        places = table.assign(location=table[column].map(codes))
        places = places[places["location"].notna()].reset_index(drop=True)
        if places.empty:
            shown = ", ".join(map(str, list(codes)[:5])) or "none"
            raise DataError(
                f"no place of {self.name} has a code of ISO 3166; found: {shown}. The source may "
                "have changed its codes."
            )
        return places


class Get(Protocol):
    """Fetches one address of a source and notes what came."""

    def __call__(self, path: str, kind: Kind, role: str = "data", **notes: str) -> Path:
        """Return the file with the content of `path`, relative to the source's address."""
        ...


class Reader(Protocol):
    """What a module of `READERS` can do; it has a ``panel``, ``covariates`` or both as well.

    Of what was fetched, `Fetched`, these return the migration series as a Panel, and the drivers
    as a table ``location, measure, year, value, unit, source``.
    """

    def collect(self, source: Source, get: Get, releases: Sequence[int]) -> Mapping[str, str]:
        """Fetch all files; return what the source says of itself."""
        ...


def reader(source: Source) -> Reader:
    """Return the reader of a source.

    Raises
    ------
    UnknownNameError
        If this version has none for its format.
    """
    name = str(source["format"])
    if name not in READERS:
        raise unknown_name("format", name, READERS)
    return cast(Reader, import_module(READERS[name]))


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
    return dict(_bundled()) | ({} if catalogue is None else _read(Path(catalogue)))


def source(name: str, catalogue: str | Path | None = None) -> Source:
    """Return one source.

    Parameters
    ----------
    name : str
        As in ``data/sources.toml``, such as ``"un-wpp"``.
    catalogue : str or Path, optional
        A TOML file of the same form; its sources come beside the known ones.

    Returns
    -------
    Source

    Raises
    ------
    UnknownNameError
        If there is none of this name; the message lists those that are there.
    """
    by_name = sources(catalogue)
    if name not in by_name:
        raise unknown_name("source", name, by_name)
    return by_name[name]


def table(catalogue: str | Path | None = None) -> pd.DataFrame:
    """Return one row per source: ``source, title, institution, licence, address``."""
    rows = [
        (name, entry["title"], entry["institution"], entry.licence, entry["base_url"])
        for name, entry in sources(catalogue).items()
    ]
    return pd.DataFrame(rows, columns=["source", "title", "institution", "licence", "address"])


@cache
def _bundled() -> dict[str, Source]:
    return _read(shelf("data") / "sources.toml")


def _read(path: Path) -> dict[str, Source]:
    content = read_toml(path, "Give a catalogue in TOML.")
    for name, entry in content.items():
        checked_name(name)
        lacking = [key for key in _REQUIRED if not isinstance(entry, dict) or not entry.get(key)]
        if lacking:
            raise DataError(f"{path.name}: the source {name!r} lacks {lacking[0]!r}. Add it.")
        if entry["format"] not in READERS:
            unknown = unknown_name("format", entry["format"], READERS)
            raise type(unknown)(f"{path.name}, source {name!r}: {unknown}")
    return {name: Source(name, entry) for name, entry in content.items()}


class WrongKindError(DataError):
    """The source has no migration series, or no drivers, and was never meant to."""


_REFUSED = {
    "covariates": "{0} holds migration series and no drivers. Use it with --data {0}.",
    "panel": "{0} holds drivers, not migration of a year, so there is nothing to forecast. "
    "Print them: forecast data covariates {0}",
}


def wrong_kind(source: Source, kind: Literal["panel", "covariates"]) -> WrongKindError:
    """Return the error for a source that has no migration series, or no drivers.

    Parameters
    ----------
    source : Source
        What was asked.
    kind : {"panel", "covariates"}
        What it does not have: migration series, or drivers.

    Returns
    -------
    WrongKindError
        To be raised; it names the call that would work.
    """
    return WrongKindError(_REFUSED[kind].format(source.name))


def covariate_table(pieces: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return one table of drivers, sorted, without empty figures.

    Raises
    ------
    DataError
        If a place has a year twice.
    """
    table = pd.concat(pieces, ignore_index=True)[COVARIATES].dropna(subset=["value"])
    repeated = table.duplicated(["location", "measure", "year"])
    if repeated.any():
        row = table[repeated].iloc[0]
        raise DataError(
            f"{row['measure']} of {row['location']} has the year {row['year']} twice in what the "
            "source sent. Fetch it again later."
        )
    table = table.astype({"year": int, "value": float})
    return table.sort_values(["measure", "location", "year"], ignore_index=True)


@contextmanager
def documented_form(where: str) -> Iterator[None]:
    """Turn what a reader trips over, if an answer has another form, into one message."""
    try:
        yield
    except ForecastError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        shown = repr(error)[:200]
        raise DataError(
            f"{where}: the answer is not of the documented form ({shown}). "
            "The interface may have changed."
        ) from None


def parsed(path: Path, where: str) -> Any:
    """Return the content of a JSON file.

    Parameters
    ----------
    path : Path
        As it was fetched.
    where : str
        What the file is, such as its address, for the message.

    Returns
    -------
    object

    Raises
    ------
    DataError
        If it is damaged.
    """
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: damaged JSON ({str(error)[:200]}). Try again later.") from None


def pages(
    get: Get, path: str, role: str, where: str, count: Callable[[Any, str], int]
) -> Iterator[Any]:
    """Fetch an answer in JSON page by page and yield the content of each.

    Parameters
    ----------
    path : str
        With ``{page}`` in the place of the page's number, from 1.
    role, where : str
        Role of the files; what is fetched, for messages.
    count : callable
        How many pages an answer says that there are.
    """
    page, last = 1, 1
    while page <= last:
        here = f"{where}, page {page}"
        content = parsed(get(path.replace("{page}", str(page)), "json", role), here)
        with documented_form(here):
            last = count(content, here)
        if last > _MOST_PAGES:
            raise DataError(f"{where}: {last} pages cannot be right.")
        yield content
        page += 1
