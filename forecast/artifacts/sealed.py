"""Folders with a manifest: what they hold, and a checksum over every byte of it.

The manifest is a JSON file, written last. It names the format, whatever the writer says of the
content, the SHA-256 of each file, and one of the manifest itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from forecast.artifacts import files
from forecast.errors import DataError

MANIFEST = "manifest.json"
_FORMAT, _FILES, _CHECKSUM = "format", "sha256", "checksum"


@contextmanager
def sealed_folder(
    path: str | Path, kind: str, about: Mapping[str, Any] | None = None, *, ours: bool = False
) -> Iterator[Path]:
    """Give a temporary folder to fill; seal it and put it in the place of `path` on success.

    Parameters
    ----------
    path : str or Path
        Where the finished folder shall be. One of the same format there is replaced; files that
        others put into it stay.
    kind : str
        Kind of content and its version, such as ``"migration-forecast/1"``.
    about : mapping, optional
        Plain values for the manifest, read when the block ends.
    ours : bool
        Replace any folder there, a damaged one too: for places that nobody else uses.

    Raises
    ------
    DataError
        If something else stands at `path`.
    """

    def replaceable(folder: Path) -> bool:
        return ours or (_manifest(folder) or {}).get(_FORMAT) == kind

    with files.atomic_folder(path, replaceable, _listed) as folder:
        yield folder
        contents = {
            entry.relative_to(folder).as_posix(): files.sha256(entry)
            for entry in sorted(folder.rglob("*"))
            if entry.is_file()
        }
        manifest = {_FORMAT: kind, **(about or {}), _FILES: contents}
        sealed = {**manifest, _CHECKSUM: _checksum(manifest)}
        text = json.dumps(sealed, indent=2, ensure_ascii=False, sort_keys=True)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8", newline="\n")


def is_sealed(path: str | Path, kind: str, *keys: str) -> bool:
    """Whether a folder has a manifest of this format with these keys; it may yet be damaged."""
    manifest = _manifest(Path(path)) or {}
    return manifest.get(_FORMAT) == kind and set(keys) <= set(manifest)


def read_sealed(path: str | Path, kind: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the manifest and the files of a sealed folder.

    Parameters
    ----------
    path : str or Path
    kind : str
        The format that it must have.

    Returns
    -------
    manifest : dict
    contents : dict of str to bytes
        By their path in the folder, as they were sealed.

    Raises
    ------
    DataError
        If there is no manifest of this format, or anything was changed since.
    """
    folder = Path(path)
    files.recover(folder)
    manifest = _manifest(folder)
    if manifest is None or manifest.get(_FORMAT) != kind:
        raise DataError(f"{folder} holds no {MANIFEST} of the format {kind!r}.")
    stated = manifest.pop(_CHECKSUM, None)
    # Folders sealed by version 0.1 have no checksum of the manifest itself.
    if not isinstance(manifest.get(_FILES), dict) or stated not in (None, _checksum(manifest)):
        raise DataError(f"{folder / MANIFEST} was changed since it was saved.")
    contents: dict[str, bytes] = {}
    for name, expected in manifest[_FILES].items():
        with suppress(OSError, ValueError):
            contents[name] = (folder / name).read_bytes()
        if name not in contents or files.sha256(contents[name]) != expected:
            raise DataError(f"{folder / name} is missing or was changed since it was saved.")
    return manifest, contents


def _manifest(folder: Path) -> dict[str, Any] | None:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return manifest if isinstance(manifest, dict) else None


def _listed(folder: Path) -> set[str]:
    """Return what a sealed folder says is its own."""
    listed = (_manifest(folder) or {}).get(_FILES)
    return {MANIFEST, *listed} if isinstance(listed, dict) else {MANIFEST}


def _checksum(manifest: Mapping[str, Any]) -> str:
    text = json.dumps(manifest, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return files.sha256(text.encode())
