"""Files that are whole or not there: written under a temporary name, then renamed."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forecast.errors import DataError


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Give a temporary path to write to; rename it to `path` when the block succeeds.

    Parameters
    ----------
    path : str or Path
        Where the finished file shall be. Its folder is made if it is missing.
    """
    target = Path(path)
    _make_folder(target.parent)
    handle, name = tempfile.mkstemp(
        prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> Path:
    """Write UTF-8 text with Unix line ends; the file is whole or untouched."""
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return Path(path)


@contextmanager
def atomic_folder(path: str | Path, marker: str) -> Iterator[Path]:
    """Give a temporary folder to fill; put it in the place of `path` on success.

    Parameters
    ----------
    path : str or Path
        Where the finished folder shall be.
    marker : str
        A file that every folder of this kind holds. A folder already at `path`
        is replaced only if it holds the marker.

    Raises
    ------
    DataError
        If something else stands at `path`.
    """
    target = Path(path)
    if target.exists() and not (target / marker).is_file():
        raise DataError(
            f"{target} exists and is not a folder written by forecast (no {marker} in it). "
            "Choose another path, or move it away."
        )
    _make_folder(target.parent)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        if target.exists():
            retired = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
            target.replace(retired / target.name)
            temporary.replace(target)
            shutil.rmtree(retired)
        else:
            temporary.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise DataError(f"{folder} is a file, not a folder. Choose another path.") from None
