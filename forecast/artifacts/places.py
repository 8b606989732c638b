"""Where things are kept on this machine: the cache, fetched figures, releases."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forecast.errors import DataError

#: Where the cache lies, if not in the user's cache folder.
CACHE = "FORECAST_CACHE"
#: Where releases are kept, if not in the user's data folder.
STORE = "FORECAST_STORE"
_APPLICATION = "migration-forecast"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def cache() -> Path:
    """Return the folder of the cache; it need not exist and may be deleted at any time."""
    stated = os.environ.get(CACHE)
    if stated:
        return Path(stated).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path(_APPLICATION, appauthor=False)


def fetched(given: str | Path | None = None) -> Path:
    """Return the folder of fetched figures; it need not exist and may be deleted.

    Parameters
    ----------
    given : str or Path, optional
        This folder; by default ``sources`` in the folder of the cache.
    """
    return cache() / "sources" if given is None else Path(given).expanduser()


def store(given: str | Path | None = None) -> Path:
    """Return the folder of kept releases; it need not exist, and is the user's to keep.

    Parameters
    ----------
    given : str or Path, optional
        This folder; by default what the environment variable ``FORECAST_STORE`` names,
        else ``releases`` in the user's data folder.
    """
    if given is not None:
        return Path(given).expanduser()
    stated = os.environ.get(STORE)
    if stated:
        return Path(stated).expanduser()
    from platformdirs import user_data_path

    return user_data_path(_APPLICATION, appauthor=False) / "releases"


def checked_name(name: str) -> str:
    """Return a name under which something is kept, if it can be the name of a folder.

    Raises
    ------
    DataError
        If it has other characters than small letters, digits, ``.``, ``_`` and ``-``.
    """
    if not _NAME.fullmatch(name):
        raise DataError(
            f"{name!r} cannot be a name here. Use small Latin letters, digits, '.', '_' and '-', "
            "beginning with a letter or digit."
        )
    return name


@contextmanager
def alone(folder: Path, seconds: float, busy: str) -> Iterator[None]:
    """Hold a folder against other processes, or say that one is `busy` in it for so long.

    Parameters
    ----------
    folder : Path
        A folder that exists; the file ``.lock`` in it says that it is held.
    seconds : float
        How long to wait until another process lets go of it.
    busy : str
        Message of the error after that: what is going on, and the remedy.

    Raises
    ------
    DataError
        If the folder is still held by another process.
    """
    from filelock import FileLock, Timeout

    try:
        with FileLock(folder / ".lock", timeout=seconds):
            yield
    except Timeout:
        raise DataError(busy) from None
