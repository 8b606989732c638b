"""What was fetched of a source: files with checksums and a manifest, in one folder.

A file is named after its content and the manifest is renamed into place last, so whoever
reads sees either all of the earlier fetch or all of the new one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from forecast import artifacts
from forecast.data import folders
from forecast.data.sources.source import Source
from forecast.errors import DataError

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class KeptFile:
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
    bytes : int
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
class Kept:
    """All that was fetched of one source.

    Attributes
    ----------
    folder : Path
    source : Source
        As described when it was fetched.
    retrieved : str
        Day of the download (YYYY-MM-DD).
    told : mapping of str
        What the source says of itself: ``updated``, ``releases``, ``indicators``.
    files : tuple of KeptFile
    """

    folder: Path
    source: Source
    retrieved: str
    told: Mapping[str, str]
    files: tuple[KeptFile, ...]

    @property
    def updated(self) -> str:
        """Day of the figures: as the source states it, else that of the download."""
        return self.told.get("updated") or self.retrieved

    @property
    def citation(self) -> str:
        """How to cite the figures."""
        return self.source.citation(date=self.retrieved, **self.told)

    def of(self, role: str) -> list[KeptFile]:
        """Return the files of a role, in the order in which they were fetched."""
        return [kept for kept in self.files if kept.role == role]

    def path(self, kept: KeptFile) -> Path:
        """Return where a file lies, its content checked.

        Raises
        ------
        DataError
            If it is gone or not what was fetched.
        """
        path = self.folder / kept.file
        if not path.is_file():
            raise DataError(
                f"{path} is missing; it was fetched from {kept.url} on {self.retrieved}. "
                f"Fetch it again: forecast data fetch {self.source.name}"
            )
        if artifacts.sha256(path) != kept.sha256:
            raise DataError(
                f"{path} is not what was fetched from {kept.url} on {self.retrieved}: its checksum "
                f"differs. Fetch it again: forecast data fetch {self.source.name}"
            )
        return path

    def json(self, kept: KeptFile) -> Any:
        """Return the content of a JSON file.

        Raises
        ------
        DataError
            If it is not JSON.
        """
        try:
            return json.loads(self.path(kept).read_bytes())
        except ValueError as error:
            raise DataError(
                f"{kept.url} answered with JSON that is damaged ({error}). Try again later."
            ) from None


def write(kept: Kept) -> None:
    """Put the manifest of a fetch in place; from then on it is what is read."""
    content = {
        "source": kept.source.name,
        "entry": dict(kept.source.entry),
        "retrieved": kept.retrieved,
        "citation": kept.citation,
        "licence": dict(kept.source.get("licence", {})),
        "told": dict(kept.told),
        "files": [asdict(file) for file in kept.files],
    }
    text = json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n"
    artifacts.write_text(kept.folder / MANIFEST, text)


def read(name: str, cache: str | Path | None = None) -> Kept | None:
    """Return what was fetched of a source, or None.

    Raises
    ------
    DataError
        If the manifest is damaged.
    """
    folder = folders.cache(cache) / name
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Kept(
            folder,
            Source(str(content["source"]), content["entry"]),
            str(content["retrieved"]),
            content["told"],
            tuple(KeptFile(**file) for file in content["files"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} is damaged ({error}). Remove the folder {folder} and run "
            f"forecast data fetch {name}"
        ) from None


def names(cache: str | Path | None = None) -> list[str]:
    """Return the names of the sources that were fetched."""
    root = folders.cache(cache)
    if not root.is_dir():
        return []
    return sorted(path.parent.name for path in root.glob(f"*/{MANIFEST}"))
