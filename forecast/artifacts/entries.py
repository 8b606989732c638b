"""Results kept on disk, each under the name of its recipe: sealed folders that may vanish.

The cache of arrays (NumPy's ``.npz``, no pickle) lies in the user's cache folder, or where the
environment variable `FORECAST_CACHE` says; it may be deleted at any time. An entry is whole or
not there; one that is damaged is removed and made anew.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.artifacts import files, places
from forecast.artifacts.files import sweep
from forecast.artifacts.recipes import name_of
from forecast.errors import DataError

if TYPE_CHECKING:
    import numpy as np


type Arrays = dict[str, np.ndarray]

MANIFEST = "manifest.json"
_FORMAT, _FILES, _CHECKSUM = "format", "sha256", "checksum"
#: Set by a user who wants nothing read or kept.
OFF = "FORECAST_NO_CACHE"
#: Bytes that the cache may take; the entries not used for longest go first.
LIMIT = 1_000_000_000
_ARRAYS, _KIND = "arrays.npz", "forecast-cache/1"
_ON: ContextVar[bool] = ContextVar("cache", default=True)
#: Bytes that a process writes into the cache before it looks again how full it is: looking at
#: thousands of entries takes ten times as long as writing one.
_OFTEN = LIMIT // 50
#: Folders whose leftovers were looked at in this process.
_swept: set[Path] = set()
#: Bytes written into each cache since this process looked how full it is.
_written: dict[Path, int] = {}


def enabled() -> bool:
    """Whether results are read from the cache and kept there."""
    return _ON.get() and not os.environ.get(OFF)


@contextmanager
def caching(on: bool) -> Iterator[None]:
    """Neither read nor keep results within the block if `on` is false; else leave it as it is.

    Other processes and threads know nothing of it: a job takes `enabled()` along.
    """
    token = _ON.set(_ON.get() and on)
    try:
        yield
    finally:
        _ON.reset(token)


def lookup(made: Mapping[str, Any]) -> Arrays | None:
    """Return the arrays kept under a recipe; None if there are none or the cache is off."""
    if not enabled():
        return None
    entry = places.cache() / name_of(made)
    contents = read_entry(entry, _KIND)
    if contents is None:
        return None
    import numpy as np

    try:
        with np.load(io.BytesIO(contents[_ARRAYS]), allow_pickle=False) as arrays:
            loaded = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    with suppress(OSError):
        os.utime(entry)
    return loaded


def claim(made: Mapping[str, Any], wait: bool = False) -> Callable[[], None] | None:
    """Claim the making of what is to be kept under a recipe, until that is given up again.

    Parameters
    ----------
    made : mapping
        See `forecast.artifacts.recipes.recipe`.
    wait : bool, optional
        Whether to wait for another process that has claimed it.

    Returns
    -------
    callable or None
        Gives it up. None if another process makes it. Where nothing is kept, everyone may.
    """
    if not enabled():
        return _nothing
    from filelock import FileLock, Timeout

    path = places.cache() / f"{name_of(made)}.lock"
    # It may be given up by another thread than the one that claimed it.
    lock = FileLock(path, timeout=-1 if wait else 0, thread_local=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        return None
    except OSError:
        return _nothing

    def give_up() -> None:
        lock.release()
        # Who waits for it finds what was kept, and needs it no more.
        with suppress(OSError):
            path.unlink()

    return give_up


def _nothing() -> None:
    """Give up what was never claimed."""


def keep(made: Mapping[str, Any], arrays: Arrays) -> None:
    """Keep arrays under a recipe, if the cache is on and the disk lets us.

    Parameters
    ----------
    made : mapping
        See `forecast.artifacts.recipes.recipe`.
    arrays : dict of str to ndarray
        Numbers, booleans or text; no objects.
    """
    if not enabled():
        return
    import numpy as np

    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    entry = places.cache() / name_of(made)
    # A folder that is full, read-only or no folder costs time at the next run, not this result.
    with suppress(OSError, DataError):
        content = buffer.getvalue()
        write_entry(entry, _KIND, {_ARRAYS: content}, made)
        _written[entry.parent] = _written.get(entry.parent, _OFTEN) + len(content)
        if _written[entry.parent] > _OFTEN:
            _written[entry.parent] = 0
            _prune(entry.parent)


def read_entry(entry: Path, kind: str) -> dict[str, bytes] | None:
    """Return the files of an entry; None, and the entry is gone, if it is damaged.

    A link in the place of an entry is somebody else's: neither followed nor removed.

    Parameters
    ----------
    entry : Path
        Folder of the entry, named by its recipe. It is deleted if it is damaged.
    kind : str
        The format that its manifest must state.

    Returns
    -------
    dict of str to bytes, or None
        By path in the entry.
    """
    if entry.is_symlink() or not entry.is_dir():
        return None
    try:
        return read_sealed(entry, kind)[1]
    except DataError:
        shutil.rmtree(entry, ignore_errors=True)
        return None


def write_entry(
    entry: Path, kind: str, contents: Mapping[str, bytes], made: Mapping[str, Any]
) -> None:
    """Write an entry, whole or not at all; a link in its place is left alone.

    Parameters
    ----------
    entry : Path
        Its folder.
    contents : mapping of str to bytes
    made : mapping
        The recipe; it stands in the manifest.

    Raises
    ------
    DataError, OSError
        If it cannot be written.
    """
    if entry.is_symlink():
        return
    if entry.parent not in _swept:
        _swept.add(entry.parent)
        sweep(entry.parent)
    with sealed_folder(entry, kind, {"recipe": dict(made)}, ours=True) as folder:
        for name, content in contents.items():
            (folder / name).write_bytes(content)


def _prune(root: Path) -> None:
    """Remove the entries not used for longest until the cache is within its limit."""
    entries = []
    for entry in root.iterdir():
        try:
            if not entry.is_symlink() and (entry / MANIFEST).is_file():
                size = (entry / _ARRAYS).stat().st_size
                entries.append((entry.stat().st_mtime, size, entry))
        except OSError:
            continue
    total = sum(size for _, size, _ in entries)
    for _, size, entry in sorted(entries):
        if total <= LIMIT:
            break
        shutil.rmtree(entry, ignore_errors=True)
        total -= size


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
    """Whether a folder has a manifest of this format with these keys; it may yet be damaged.

    Parameters
    ----------
    path : str or Path
        The folder; one that is missing is not sealed.
    kind : str
        The format that the manifest must state, such as ``migration-forecast/1``.
    *keys : str
        What the manifest must say besides.

    Returns
    -------
    bool
    """
    manifest = _manifest(Path(path)) or {}
    return manifest.get(_FORMAT) == kind and set(keys) <= set(manifest)


def read_sealed(path: str | Path, kind: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the manifest and the files of a sealed folder.

    Parameters
    ----------
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
    manifest = _manifest(folder)
    if manifest is None:
        # A writer that was killed may have moved it away. To look takes longer than to read.
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
