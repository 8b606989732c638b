"""Results kept on disk: arrays under a name that covers everything that decides them.

An entry is a folder with the arrays (NumPy's ``.npz``, no pickle) and a manifest with their
checksum. It is written whole or not at all; one that is damaged is removed and made anew.
The cache lies in the user's cache folder, or where the environment variable
`FORECAST_CACHE` says; it may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache as remember_in_memory
from pathlib import Path

import numpy as np

from forecast import artifacts

#: Where the cache lies, if not in the user's cache folder.
VARIABLE = "FORECAST_CACHE"
#: Set while nothing is to be read or kept; processes started meanwhile inherit it.
OFF = "FORECAST_NO_CACHE"
#: Bytes that the cache may take; the entries not used for longest go first.
LIMIT = 1_000_000_000
_ARRAYS, _MANIFEST = "arrays.npz", "manifest.json"
#: Modules of `forecast.models` that choose or combine members, but do not make what they say.
_NO_MATTER = ("ensemble/model", "names", "registry", "run")
Arrays = dict[str, np.ndarray]


def folder() -> Path:
    """Return the folder of the cache; it need not exist."""
    stated = os.environ.get(VARIABLE)
    if stated:
        return Path(stated).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        return base / "migration-forecast" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "migration-forecast"
    # The XDG specification: a relative path there is to be ignored.
    stated = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(stated) if Path(stated).is_absolute() else Path.home() / ".cache"
    return base / "migration-forecast"


def enabled() -> bool:
    """Whether results are read and kept."""
    return not os.environ.get(OFF)


@contextmanager
def disabled() -> Iterator[None]:
    """Neither read nor keep anything within the block, in this process and those it starts."""
    before = os.environ.get(OFF)
    os.environ[OFF] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[OFF]
        else:
            os.environ[OFF] = before


@remember_in_memory
def versions() -> dict[str, str]:
    """Return what of the software decides a result: versions, and the code of the models."""
    from importlib.metadata import PackageNotFoundError, version

    from forecast.version import __version__

    root = Path(__file__).resolve().parent
    code = hashlib.sha256()
    for path in _sources(root):
        code.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    found = {"migration-forecast": __version__, "code": code.hexdigest()}
    for name in ("numpy", "scipy", "pandas", "statsmodels", "pymc", "nutpie"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


def _sources(root: Path) -> list[Path]:
    """Return the modules that decide what a member says, those of its own rooms among them."""
    found = [root / "panel.py", root / "validation.py"]
    for room in ("models", "accounts", "data"):
        found += root.glob(f"{room}/**/*.py")
    combining = {root / "models" / f"{name}.py" for name in _NO_MATTER}
    return sorted(set(found) - combining)


def digest(key: Mapping[str, object]) -> str:
    """Return the name of an entry: a hash of its key and of `versions`."""
    content = json.dumps({"key": dict(key), "versions": versions()}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def lookup(key: Mapping[str, object]) -> Arrays | None:
    """Return the arrays kept under a key; None if there are none or the cache is off."""
    return read(folder() / digest(key)) if enabled() else None


def keep(key: Mapping[str, object], arrays: Arrays) -> None:
    """Keep arrays under a key, if the cache is on and the disk lets us.

    Parameters
    ----------
    key : mapping of str to plain values
        Everything that decides the result besides the software: data hash, settings, seed.
    arrays : dict of str to ndarray
        Numbers, booleans or text; no objects.
    """
    if not enabled():
        return
    # A full or read-only disk costs time at the next run, not this result.
    with suppress(OSError):
        _write(folder() / digest(key), key, arrays)


def read(entry: Path) -> Arrays | None:
    """Return the arrays of an entry; None, and the entry is gone, if it is damaged."""
    if not entry.is_dir():
        return None
    try:
        manifest = json.loads((entry / _MANIFEST).read_text(encoding="utf-8"))
        content = (entry / _ARRAYS).read_bytes()
        if hashlib.sha256(content).hexdigest() != manifest["sha256"]:
            raise ValueError("checksum")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            made = {name: arrays[name] for name in arrays.files}
        os.utime(entry)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        shutil.rmtree(entry, ignore_errors=True)
        return None
    return made


def _write(entry: Path, key: Mapping[str, object], arrays: Arrays) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    content = buffer.getvalue()
    manifest = {
        "key": dict(key),
        "versions": versions(),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    with artifacts.atomic_folder(entry, artifacts.holding(_MANIFEST)) as made:
        (made / _ARRAYS).write_bytes(content)
        text = json.dumps(manifest, indent=1, sort_keys=True)
        (made / _MANIFEST).write_text(text + "\n", encoding="utf-8")
    _prune(entry.parent)


def _prune(root: Path) -> None:
    """Remove the entries not used for longest until the cache is within its limit."""
    entries = []
    for entry in root.iterdir():
        arrays = entry / _ARRAYS
        try:
            entries.append((entry.stat().st_mtime, arrays.stat().st_size, entry))
        except OSError:
            continue
    total = sum(size for _, size, _ in entries)
    for _, size, entry in sorted(entries):
        if total <= LIMIT:
            break
        shutil.rmtree(entry, ignore_errors=True)
        total -= size
