"""Successive releases of one's own series, kept for good: one Parquet file per release.

A release is written to a temporary file and renamed; nothing is ever changed or removed.
The renaming is the moment from which a release is there, so a writer that is killed leaves
either a whole release or none. Writers take turns by a lock of the operating system, which
is freed when its holder dies.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from forecast import artifacts
from forecast.artifacts import places
from forecast.data import package
from forecast.data.additions import by_day, news
from forecast.data.releases import Release, described, read_release, write_release
from forecast.errors import DataError, unknown_name
from forecast.panel import Panel

#: Seconds to wait for another writer.
PATIENCE = 60.0


@dataclass(frozen=True)
class Added:
    """What adding a table did.

    Attributes
    ----------
    name : str
        Of the stored series.
    added : tuple of Release
        Releases that are new.
    known : tuple of str
        Days of releases whose figures were there already; nothing was added for them.
    """

    name: str
    added: tuple[Release, ...]
    known: tuple[str, ...]

    def __str__(self) -> str:
        told = [
            f"{self.name}: added the release of {release.as_of} ({release.rows} figures)."
            for release in self.added
        ]
        told += [
            f"{self.name}: the figures are known since {day}; nothing was added."
            for day in self.known
        ]
        return "\n".join(told)


def add(
    panel: Panel,
    name: str,
    *,
    as_of: str | dt.date | None = None,
    folder: str | Path | None = None,
    origin: str = "",
) -> Added:
    """Keep the figures of a panel as a release, or as several if it has dates of its own.

    Parameters
    ----------
    panel : Panel
        The figures.
    name : str
        Under which the series are kept; small letters, digits, ``.``, ``_``, ``-``.
    as_of : str (YYYY-MM-DD) or date, optional
        Day on which figures without a date came out; today by default.
    folder : str or Path, optional
        The store; `forecast.artifacts.places.store` by default.
    origin : str
        Where the figures came from, such as the name of a file.

    Returns
    -------
    Added
        Figures that are what the store knows on that day are not added again.

    Raises
    ------
    DataError
        If the day is in the future or before the year of a figure, other figures are kept for
        the same day, the steps differ, or another process holds the store for a minute.

    Examples
    --------
    >>> import tempfile
    >>> table = {"location": "KAZ", "measure": "immigration", "year": [2023], "value": [25387]}
    >>> panel = Panel.from_frame(pd.DataFrame(table))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(add(panel, "mine", as_of="2024-05-01", folder=folder))
    mine: added the release of 2024-05-01 (1 figures).
    """
    places.checked_name(name)
    if name in package.names():
        raise DataError(f"{name!r} is the name of a bundled panel. Choose another: --name NAME.")
    releases = by_day(panel, as_of)
    root = places.store(folder) / name
    root.mkdir(parents=True, exist_ok=True)
    added: list[Release] = []
    known: list[str] = []
    busy = (
        f"another process has been writing to {name} in {root.parent} for {PATIENCE:.0f} s. "
        "Wait for it to end, or end it; nothing was added."
    )
    with places.alone(root, PATIENCE, busy):
        artifacts.sweep(root)
        kept = _releases(root)
        for day, part in releases.items():
            fresh = news(name, kept, day, part)
            if fresh is None:
                known.append(max(release.as_of for release in kept if release.as_of <= day))
                continue
            made = write_release(root, name, day, fresh, origin)
            kept = sorted([*kept, made], key=_order)
            added.append(made)
    return Added(name, tuple(added), tuple(known))


def names(folder: str | Path | None = None) -> list[str]:
    """Return the names of the stored series.

    Parameters
    ----------
    folder : str or Path, optional
        The store; `forecast.artifacts.places.store` by default.

    Returns
    -------
    list of str
        Sorted.

    Examples
    --------
    >>> names("no-such-folder")
    []
    """
    root = places.store(folder)
    if not root.is_dir():
        return []
    return sorted(path.name for path in root.iterdir() if path.is_dir() and _paths(path))


def releases(
    name: str, folder: str | Path | None = None, damaged: list[str] | None = None
) -> pd.DataFrame:
    """Return what is kept of a series, release by release.

    Parameters
    ----------
    name : str
        Of the stored series.
    folder : str or Path, optional
        The store; `forecast.artifacts.places.store` by default.
    damaged : list of str, optional
        What is wrong with damaged releases is added here, and the others are returned.

    Returns
    -------
    DataFrame
        One row per release: ``name, as_of, added, rows, first, last, origin, file``.

    Raises
    ------
    UnknownNameError, DataError
        If there is no such series, or a file is damaged and `damaged` is not given.

    Examples
    --------
    >>> import tempfile
    >>> table = {"location": "KAZ", "measure": "immigration", "year": [2023], "value": [25387]}
    >>> panel = Panel.from_frame(pd.DataFrame(table))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = add(panel, "mine", as_of="2024-05-01", folder=folder)
    ...     releases("mine", folder)["as_of"].tolist()
    ['2024-05-01']
    """
    return pd.DataFrame([described(name, release) for release in _known(name, folder, damaged)])


def load(name: str, folder: str | Path | None = None, damaged: list[str] | None = None) -> Panel:
    """Return all releases of a stored series as one Panel, each with its day in ``as_of``.

    Parameters
    ----------
    name : str
        Of the stored series.
    folder : str or Path, optional
        The store; `forecast.artifacts.places.store` by default.
    damaged : list of str, optional
        What is wrong with damaged releases is added here, and the others are read.

    Returns
    -------
    Panel

    Raises
    ------
    UnknownNameError, DataError
        If there is no such series, or a file is damaged and `damaged` is not given, or all
        files are.

    Examples
    --------
    >>> import tempfile
    >>> table = {"location": "KAZ", "measure": "immigration", "year": [2023], "value": [25387]}
    >>> panel = Panel.from_frame(pd.DataFrame(table))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = add(panel, "mine", as_of="2024-05-01", folder=folder)
    ...     load("mine", folder).last_release
    '2024-05-01'
    """
    stored = _known(name, folder, damaged)
    if not stored:
        raise DataError(f"no release of {name} is whole. Put back a copy.")
    table = pd.concat([read_release(release) for release in stored], ignore_index=True)
    return Panel.from_frame(table, step=stored[0].step)


def _known(name: str, folder: str | Path | None, damaged: list[str] | None) -> list[Release]:
    root = places.store(folder) / name
    if not _paths(root):
        raise unknown_name(f"series in the store {places.store(folder)}", name, names(folder))
    return _releases(root, damaged)


def _paths(root: Path) -> list[Path]:
    return sorted(path for path in root.glob("*.parquet") if not path.name.startswith("."))


def _releases(root: Path, damaged: list[str] | None = None) -> list[Release]:
    """Return the releases by day; what damaged ones are is added to a list, if there is one."""
    stored = []
    for path in _paths(root):
        try:
            stored.append(Release.of(path))
        except DataError as error:
            if damaged is None:
                raise
            damaged.append(str(error))
    return sorted(stored, key=_order)


def _order(release: Release) -> tuple[str, str, str]:
    return release.as_of, release.added, release.path.name
