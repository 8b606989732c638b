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

from forecast import artifacts, periods
from forecast.artifacts import places
from forecast.data import package
from forecast.data.checks import years
from forecast.data.releases import FIGURE, Release, described, read_release, write_release
from forecast.errors import DataError, unknown_name
from forecast.panel import Panel
from forecast.series_key import KEY

#: Seconds to wait for another writer.
PATIENCE = 60.0
_CONTENT = ("value", "population", "flag", "precision")


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
    releases = _by_day(panel, as_of)
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
            fresh = _news(name, kept, day, part)
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
    return Panel.from_frame(table, step=stored[0].step, frequency=stored[0].frequency)


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


def _by_day(panel: Panel, as_of: str | dt.date | None) -> dict[str, Panel]:
    """Return the figures by their day of release, in the order of the days.

    Parameters
    ----------
    panel : Panel
        The figures.
    as_of : str (YYYY-MM-DD) or date or None
        Day on which figures without a date came out; today for None.

    Returns
    -------
    dict of str (YYYY-MM-DD) to Panel

    Raises
    ------
    DataError
        If a day is still to come, or before the year of a figure.
    """
    today = years.today()
    day = dt.date.today() if as_of is None else _day(as_of)
    if day > today:
        raise DataError(f"as_of is {day}, which is still to come. Give the day of the release.")
    table = panel.figures
    if as_of is not None and table["as_of"].notna().all():
        raise DataError(
            "the table has the day of release of every figure in its column as_of; "
            f"leave out the day {day}."
        )
    table["as_of"] = table["as_of"].fillna(pd.Timestamp(day))
    late = table["as_of"].max().date()
    if late > today:
        raise DataError(f"column as_of holds {late}, which is still to come. Correct it.")
    years.refuse_before_its_year(table, panel.frequency)
    made = {}
    for when, rows in table.groupby("as_of", sort=True):
        # A series without a figure in a release says nothing; a Panel refuses it.
        seen = rows.groupby(KEY)["value"].transform("count") > 0
        if seen.any():
            kept = rows[seen].reset_index(drop=True)
            made[str(pd.Timestamp(str(when)).date())] = Panel.from_frame(
                kept, step=panel.step, frequency=panel.frequency
            )
    return made


def _day(given: str | dt.date) -> dt.date:
    try:
        return dt.date.fromisoformat(str(given)[:10])
    except ValueError:
        raise DataError(f"as_of is {given!r}; write a day as YYYY-MM-DD.") from None


def _news(name: str, kept: list[Release], day: str, part: Panel) -> Panel | None:
    """Return what of a release is not known on its day; None if all of it is.

    Parameters
    ----------
    name : str
        Of the stored series.
    kept : list of Release
        What is there, in the order of the days.
    day : str (YYYY-MM-DD)
        Of the new release.
    part : Panel
        Its figures.

    Returns
    -------
    Panel or None

    Raises
    ------
    DataError
        If the steps differ, or other figures are kept for the same day.
    """
    if kept and kept[0].step != part.step:
        raise DataError(
            f"{name} is kept in steps of {kept[0].step} years, and these figures come in steps of "
            f"{part.step}. Keep them under another name: --name NAME."
        )
    if kept and kept[0].frequency != part.frequency:
        raise DataError(
            f"{name} is kept by {kept[0].frequency}, and these figures come by {part.frequency}. "
            "Keep them under another name: --name NAME."
        )
    earlier = [release for release in kept if release.as_of <= day]
    if not earlier:
        return part
    known = pd.concat([read_release(release) for release in earlier], ignore_index=True)
    # Releases come in the order of their days, so the last row is what is known on the day.
    known = known.drop_duplicates(list(FIGURE), keep="last")
    table = part.figures
    both = table.merge(known, on=list(FIGURE), how="left", suffixes=("", "_known"), indicator=True)
    there = (both["_merge"] == "both").to_numpy()
    now, before = both[[*_CONTENT]], both[[f"{column}_known" for column in _CONTENT]]
    before = before.set_axis(now.columns, axis=1)
    same = ((now == before) | (now.isna() & before.isna())).all(axis=1).to_numpy()
    if (there & same).all():
        return None
    of_the_day = there & (both["as_of_known"] == pd.Timestamp(day)).to_numpy()
    if (of_the_day & ~same).any():
        row = both[of_the_day & ~same].iloc[0]
        raise DataError(
            f"{name} already has figures of {day}, among them {row['measure']} of "
            f"{row['location']} in {periods.label(row['year'], part.frequency)} "
            f"({row['value_known']:g}; now {row['value']:g}). "
            "Releases are never changed; give the day of this one: --as-of YYYY-MM-DD."
        )
    if not of_the_day.any():
        return part
    return Panel.from_frame(
        table[~of_the_day].reset_index(drop=True), step=part.step, frequency=part.frequency
    )
