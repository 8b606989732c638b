"""What was fetched of a source: files with checksums and a manifest, read by its name.

A file is named after its content and the manifest is renamed into place last, so whoever
reads sees either all of the earlier fetch or all of the new one. Nothing here uses the network.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from forecast import artifacts
from forecast.artifacts import places
from forecast.data.sources.catalogue import Source, documented_form, parsed, reader, wrong_kind
from forecast.errors import DataError
from forecast.panel import Panel

MANIFEST = "manifest.json"
_KEYS = {"source", "entry", "retrieved", "citation", "licence", "told", "files"}


@dataclass(frozen=True)
class FetchedFile:
    """One file that was fetched.

    Attributes
    ----------
    role : str
        What it holds, in the words of the source's reader.
    url : str
        Where it came from.
    file : str
        Its name in the folder.
    sha256 : str
        Checksum of its content.
    etag, last_modified : str
        What the server called this state of the content; may be empty.
    told : mapping
        What the reader noted about it.
    """

    role: str
    url: str
    file: str
    sha256: str
    bytes: int
    etag: str = ""
    last_modified: str = ""
    told: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fetched:
    """All that was fetched of one source.

    Attributes
    ----------
    source : Source
        As described when it was fetched.
    retrieved : str
        Day of the download (YYYY-MM-DD).
    told : mapping of str
        What the source says of itself: ``updated``, ``releases``, ``indicators``.
    """

    folder: Path
    source: Source
    retrieved: str
    told: Mapping[str, str]
    files: tuple[FetchedFile, ...]

    @property
    def updated(self) -> str:
        """Day of the figures: as the source states it, else that of the download."""
        return self.told.get("updated") or self.retrieved

    @property
    def citation(self) -> str:
        """How to cite the figures."""
        return self.source.citation(date=self.retrieved, **self.told)

    def of(self, role: str) -> list[FetchedFile]:
        """Return the files of a role, in the order in which they were fetched."""
        return [file for file in self.files if file.role == role]

    def path(self, file: FetchedFile) -> Path:
        """Return where a file lies, its content checked.

        Raises
        ------
        DataError
            If it is gone or not what was fetched.
        """
        path = self.folder / file.file
        remedy = f"Fetch it again: forecast data fetch {self.source.name}"
        if not path.is_file():
            raise DataError(
                f"{path} is missing; it was fetched from {file.url} on {self.retrieved}. {remedy}"
            )
        if artifacts.sha256(path) != file.sha256:
            raise DataError(
                f"{path} is not what was fetched from {file.url} on {self.retrieved}: its checksum "
                f"differs. {remedy}"
            )
        return path

    @property
    def intact(self) -> dict[str, FetchedFile]:
        """The files that are there as they were fetched, by address."""
        intact = {}
        for file in self.files:
            with suppress(DataError):
                self.path(file)
                intact[file.url] = file
        return intact

    def json(self, file: FetchedFile) -> Any:
        """Return the content of a JSON file.

        Raises
        ------
        DataError
            If it is not JSON.
        """
        return parsed(self.path(file), file.url)

    def panel(self) -> Panel:
        """Return the migration series of the source."""
        panel: Panel = self._read("panel")
        return panel

    def covariates(self) -> pd.DataFrame:
        """Return the drivers that the source has."""
        table: pd.DataFrame = self._read("covariates")
        return table

    def _read(self, kind: Literal["panel", "covariates"]) -> Any:
        read = getattr(reader(self.source), kind, None)
        if read is None:
            raise wrong_kind(self.source, kind)
        with documented_form(self.source.name):
            return read(self)


def write(fetched: Fetched) -> None:
    """Put the manifest of a fetch in place; from then on it is what is read."""
    content: dict[str, Any] = {
        "source": fetched.source.name,
        "entry": dict(fetched.source.entry),
        "retrieved": fetched.retrieved,
        "citation": fetched.citation,
        "licence": dict(fetched.source.get("licence", {})),
        "told": dict(fetched.told),
        "files": [asdict(file) for file in fetched.files],
    }
    # Dates of a catalogue are text from here on, as they will be when they are read.
    content = json.loads(json.dumps(content, default=str))
    content["checksum"] = _checksum(content)
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    artifacts.write_text(fetched.folder / MANIFEST, text)


def _checksum(content: dict[str, Any]) -> str:
    return artifacts.sha256(json.dumps(content, sort_keys=True).encode())


def find(name: str, cache: str | Path | None = None) -> Fetched | None:
    """Return what was fetched of a source, or None.

    Parameters
    ----------
    name : str
        Name of the source in the catalogue.
    cache : str or Path, optional
        Folder of fetched figures; `forecast.artifacts.places.fetched` by default.

    Returns
    -------
    Fetched or None
        Its files are looked at only when they are read.

    Raises
    ------
    DataError
        If the manifest is damaged.
    """
    folder = places.fetched(cache) / name
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        # Manifests of the first version have no checksum.
        stated = content.pop("checksum", None)
        if set(content) != _KEYS or stated not in (None, _checksum(content)):
            raise ValueError("it was changed since it was written")
        return Fetched(
            folder,
            Source(str(content["source"]), content["entry"]),
            str(content["retrieved"]),
            content["told"],
            tuple(FetchedFile(**file) for file in content["files"]),
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{path} is damaged ({error}). Remove the folder {folder} and run "
            f"forecast data fetch {name}"
        ) from None


def read(name: str, cache: str | Path | None = None) -> Fetched:
    """Return what was fetched of a source.

    Parameters
    ----------
    name : str
        Name of the source in the catalogue.
    cache : str or Path, optional
        Folder of fetched figures; `forecast.artifacts.places.fetched` by default.

    Returns
    -------
    Fetched

    Raises
    ------
    DataError
        If it was not fetched, or its manifest is damaged.
    """
    fetched = find(name, cache)
    if fetched is None:
        raise DataError(
            f"the source {name!r} has not been fetched into {places.fetched(cache)}. Run "
            f"forecast data fetch {name}"
        )
    return fetched


def panel(name: str, cache: str | Path | None = None) -> Panel:
    """Return the migration series of a source that was fetched.

    Parameters
    ----------
    name : str
        Name of the source in the catalogue.
    cache : str or Path, optional
        Folder of fetched figures; `forecast.artifacts.places.fetched` by default.

    Returns
    -------
    Panel
        Persons per calendar year, net inflow positive.

    Raises
    ------
    DataError
        If it was not fetched, was damaged since, or has no migration series.
    """
    return read(name, cache).panel()


def covariates(name: str, cache: str | Path | None = None) -> pd.DataFrame:
    """Return the drivers of a source that was fetched.

    Parameters
    ----------
    name : str
        Name of the source in the catalogue.
    cache : str or Path, optional
        Folder of fetched figures; `forecast.artifacts.places.fetched` by default.

    Returns
    -------
    DataFrame
        ``location, measure, year, value, unit, source``, as of
        `forecast.data.package.covariates`: one row per country, driver and year.

    Raises
    ------
    DataError
        If it was not fetched, was damaged since, or has no drivers.
    """
    return read(name, cache).covariates()


def names(cache: str | Path | None = None) -> list[str]:
    """Return the names of the sources that were fetched."""
    root = places.fetched(cache)
    return sorted(path.parent.name for path in root.glob(f"*/{MANIFEST}"))
