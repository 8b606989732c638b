"""Files and folders that are whole or absent, whatever happens while they are written.

Everything is made in a hidden workspace beside its place (``.name-xxxxxxxx.part``) and renamed
into it. The workspace holds a lock for as long as its writer lives: the next writer of the same
name brings back what a dead one had moved away, and removes the rest.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from forecast.errors import DataError

_LOCK, _NEW, _TRASH, _PART = "lock", "new", "trash", ".part"
#: Name of a folder that a writer works in, beside what it writes.
_WORKSPACE = re.compile(rf"\.(?P<name>.+)-\w{{8}}{re.escape(_PART)}")
#: The earlier folder, moved aside while the new one takes its place; it must not be lost.
_EARLIER = "earlier"
#: How often others may put a folder in the same place before ours gives up.
_ATTEMPTS = 100


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
    recover(target)
    with _workspace(target) as workspace:
        # The same ending: some libraries choose the format by it.
        temporary = workspace / f"{_NEW}{target.suffix}"
        temporary.touch()
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(target)


def write_text(path: str | Path, text: str) -> Path:
    """Write UTF-8 text with Unix line ends; the file is whole or untouched.

    Parameters
    ----------
    path : str or Path
        The file; one that is there is replaced. Its folder is made if need be.
    text : str
        Its last line should end with a line feed; none is added.

    Returns
    -------
    Path
        The file.
    """
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return Path(path)


@contextmanager
def atomic_folder(
    path: str | Path,
    ours: Callable[[Path], bool],
    written: Callable[[Path], set[str]] = lambda _: set(),
) -> Iterator[Path]:
    """Give a temporary folder to fill; put it in the place of `path` on success.

    Files of others in an earlier folder at `path` are in the new one too, before it takes the
    place; a process that is killed at any moment loses none of them.

    Parameters
    ----------
    path : str or Path
        Where the finished folder shall be.
    ours : callable
        Whether a folder that already stands at `path` may be replaced.
    written : callable, optional
        The files, relative to a folder that already stands there, that are ours and go. By
        default what is not written anew stays.

    Raises
    ------
    DataError
        If something else stands at `path`.
    """
    target = Path(path).resolve()
    check_folder(target, ours)
    with _workspace(target) as workspace:
        new = workspace / _NEW
        new.mkdir()
        yield new
        new.chmod(0o755)
        if target.exists():
            _add_missing(target, new, written(target))
        _exchange(new, target, workspace)
        for earlier in workspace.glob(f"{_EARLIER}*"):
            # What others put there since it was looked at.
            _add_missing(earlier, target, written(earlier))


def recover(path: str | Path) -> None:
    """Bring back what a writer of `path` had moved away when it was killed.

    Whatever reads a folder that `atomic_folder` wrote may call this before.
    """
    target = Path(path).resolve()
    with suppress(OSError):
        sweep(target.parent, target.name)


def sweep(folder: Path, name: str | None = None) -> None:
    """Recover from the workspaces of dead writers in a folder, and remove them.

    Parameters
    ----------
    name : str, optional
        Only those of this file or folder.
    """
    try:
        names = [one for one in os.listdir(folder) if one.endswith(_PART)]
    except OSError:
        return
    for match in filter(None, map(_WORKSPACE.fullmatch, names)):
        if name not in (None, match["name"]):
            continue
        workspace = folder / match[0]
        if workspace.is_symlink() or not workspace.is_dir():
            continue
        if not (workspace / _LOCK).exists():
            # A writer makes its lock at once: this one died before, or removed all but the folder.
            with suppress(OSError):
                workspace.rmdir()
            continue
        with ExitStack() as stack:
            if _locked(workspace, stack):
                _finish(workspace, folder / match["name"])


def check_file(path: str | Path) -> None:
    """Refuse a path at which something else than a file stands."""
    target = Path(path).resolve()
    if target.exists() and not target.is_file():
        kind = "a folder" if target.is_dir() else "a device or pipe"
        raise DataError(f"{target} is {kind}, not a file. Choose another path.")


def check_folder(path: str | Path, ours: Callable[[Path], bool]) -> None:
    """Refuse a path at which something else stands than a folder that may be replaced.

    Parameters
    ----------
    path : str or Path
        Where a folder is to be written.
    ours : callable
        Whether a folder that is there may be replaced.

    Raises
    ------
    DataError
        If a file, or a folder that is not ours, stands there.
    """
    target = Path(path).resolve()
    for _ in range(_ATTEMPTS):
        recover(target)
        before = _inode(target)
        if before is None or (target.is_dir() and ours(target)):
            return
        # Another writer moves the folder away for a moment: what changed in between says nothing.
        if _inode(target) == before:
            break
    raise DataError(
        f"{target} exists and is not a folder written by forecast. "
        "Choose another path, or move it away."
    )


def _inode(path: Path) -> tuple[int, int] | None:
    """Return what tells a file or folder from another one of its name; None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def check_writable(folder: str | Path) -> None:
    """Refuse a folder that cannot be written to, or made; nothing is left behind."""
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


def sha256(content: str | Path | bytes) -> str:
    """Return the SHA-256 of a file, or of bytes, in hexadecimal."""
    data = content if isinstance(content, bytes) else Path(content).read_bytes()
    return hashlib.sha256(data).hexdigest()


@contextmanager
def _workspace(target: Path) -> Iterator[Path]:
    """Give an empty folder beside `target`, locked while this process lives."""
    _make_folder(target.parent)
    with ExitStack() as stack:
        for _ in range(_ATTEMPTS):
            made = tempfile.mkdtemp(prefix=f".{target.name}-", suffix=_PART, dir=target.parent)
            workspace = Path(made)
            # Whoever sweeps at this very moment may take it for a dead one.
            if _locked(workspace, stack):
                break
        else:
            raise DataError(f"{target} cannot be written: its temporary folder keeps vanishing.")
        try:
            yield workspace
        finally:
            _finish(workspace, target)


def _locked(workspace: Path, stack: ExitStack) -> bool:
    """Lock a workspace until the stack closes; False if another process has it."""
    from filelock import FileLock, Timeout

    lock = FileLock(workspace / _LOCK, timeout=0)
    try:
        lock.acquire()
    except (Timeout, OSError):
        return False
    if not (workspace / _LOCK).exists():
        lock.release()
        return False
    stack.callback(lock.release)
    return True


def _exchange(new: Path, target: Path, workspace: Path) -> None:
    """Put a folder in the place of another, which stays in the workspace."""
    for number in range(_ATTEMPTS):
        with suppress(FileNotFoundError):
            target.replace(workspace / f"{_EARLIER}{number}")
        try:
            new.replace(target)
        except OSError:
            # Another process has put its own there in between.
            if not target.exists():
                raise
            continue
        return
    raise DataError(f"{target} is being written by other processes all the time. Try again.")


def _finish(workspace: Path, target: Path) -> None:
    """Bring back what was moved away, then remove a workspace."""
    for number, earlier in enumerate(sorted(workspace.glob(f"{_EARLIER}*"))):
        if not target.exists():
            with suppress(OSError):
                earlier.replace(target)
                continue
        # From now on nothing in it is brought back, should the rest of this be cut short.
        with suppress(OSError):
            earlier.replace(workspace / f"{_TRASH}{number}")
    with suppress(OSError):
        for entry in workspace.iterdir():
            if entry.name != _LOCK:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    shutil.rmtree(workspace, ignore_errors=True)


def _add_missing(source: Path, target: Path, ours: set[str]) -> None:
    """Add to a folder the files and folders of another that it lacks; links stay links."""
    for path, folders, files in os.walk(source):
        here = Path(path).relative_to(source)
        for name in files + folders:
            found, place = Path(path) / name, target / here / name
            if (here / name).as_posix() in ours or os.path.lexists(place):
                continue
            if found.is_dir() and not found.is_symlink():
                if not any(found.iterdir()):
                    place.mkdir(parents=True, exist_ok=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            # Another writer that moves the source away meanwhile adds what it held itself.
            with suppress(FileNotFoundError):
                try:
                    os.link(found, place, follow_symlinks=False)
                except OSError:
                    shutil.copy2(found, place, follow_symlinks=False)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise DataError(f"{folder} is a file, not a folder. Choose another path.") from None
