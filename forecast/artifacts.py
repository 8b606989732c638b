"""Files that are whole or not there: written under a temporary name, then renamed."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
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
    target = Path(path).resolve()
    check_file(target)
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
def atomic_folder(path: str | Path, ours: Callable[[Path], bool]) -> Iterator[Path]:
    """Give a temporary folder to fill; put it in the place of `path` on success.

    Parameters
    ----------
    path : str or Path
        Where the finished folder shall be.
    ours : callable
        Whether a folder that already stands at `path` may be replaced.

    Raises
    ------
    DataError
        If something else stands at `path`.
    """
    target = Path(path).resolve()
    check_folder(target, ours)
    _make_folder(target.parent)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        if target.exists():
            retired = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
            made = {entry.name for entry in temporary.iterdir()}
            target.replace(retired / target.name)
            temporary.replace(target)
            # What others put there is not ours to delete.
            for entry in (retired / target.name).iterdir():
                if entry.name not in made:
                    entry.replace(target / entry.name)
            shutil.rmtree(retired)
        else:
            temporary.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_file(path: str | Path) -> None:
    """Refuse a path at which something else than a file stands.

    Raises
    ------
    DataError
    """
    target = Path(path).resolve()
    if target.exists() and not target.is_file():
        kind = "a folder" if target.is_dir() else "a device or pipe"
        raise DataError(f"{target} is {kind}, not a file. Choose another path.")


def check_folder(path: str | Path, ours: Callable[[Path], bool]) -> None:
    """Refuse a path at which something else stands than a folder that may be replaced.

    Raises
    ------
    DataError
    """
    target = Path(path).resolve()
    if target.exists() and not (target.is_dir() and ours(target)):
        raise DataError(
            f"{target} exists and is not a folder written by forecast. "
            "Choose another path, or move it away."
        )


def check_writable(folder: str | Path) -> None:
    """Refuse a folder that cannot be written to, or made; nothing is left behind.

    Raises
    ------
    DataError
    """
    target = Path(folder).resolve()
    there = next(path for path in (target, *target.parents) if path.exists())
    if not there.is_dir():
        raise DataError(f"{there} is a file, not a folder. Choose another path.")
    try:
        # Permissions alone do not tell: the disk may be read-only, or full.
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise DataError(
            f"{target} cannot be written to ({error.strerror}). Choose another folder."
        ) from None


def holding(marker: str) -> Callable[[Path], bool]:
    """Return the test whether a folder holds a file of this name."""
    return lambda folder: (folder / marker).is_file()


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise DataError(f"{folder} is a file, not a folder. Choose another path.") from None
