"""Releases: one on disk, what changed between two, and when a source's next one is due.

One is a Parquet file that describes itself.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from forecast import artifacts, measures, periods
from forecast.data.sources import catalogue
from forecast.errors import DataError
from forecast.panel import Panel
from forecast.series_key import KEY
from forecast.version import __version__

_ABOUT = b"migration-forecast"
_FORMAT = 2
#: Digits of the checksum in the name of a file.
_DIGITS = 16
#: Columns that name one figure.
FIGURE = (*KEY, "year")
#: Columns of `changes`.
COLUMNS = (
    *KEY, "year", "before", "after", "change", "status", "released_before", "released_after",
)  # fmt: skip


@dataclass(frozen=True)
class Release:
    """What is known of one release without its figures.

    Attributes
    ----------
    path : Path
        Its file.
    as_of : str
        Day of the release (YYYY-MM-DD).
    sha256 : str
        Of the figures, whatever day they are dated to.
    step : int
        Years per figure.
    rows : int
        Figures.
    first, last : int
        Years.
    added : str
        When it was added, in UTC.
    origin : str
        Where it came from.
    frequency : str
        What a period of the figures is; `first` and `last` are numbers of such.
    measures : str
        Measures of one's own among them, as in a file ``measures.toml``; else empty.
    """

    path: Path
    as_of: str
    sha256: str
    step: int
    rows: int
    first: int
    last: int
    added: str
    origin: str
    frequency: str = "year"
    measures: str = ""

    @classmethod
    def of(cls, path: Path) -> Release:
        """Read the description in a file, its checksum verified.

        Parameters
        ----------
        path : Path
            A Parquet file of the store.

        Returns
        -------
        Release

        Raises
        ------
        DataError
            If a single bit of it is not as it was written, or it is no release.

        Examples
        --------
        >>> import tempfile
        >>> import forecast as fc
        >>> from forecast.data import store
        >>> table = {"location": "KAZ", "measure": "immigration", "year": [2023], "value": [25387]}
        >>> panel = fc.Panel.from_frame(pd.DataFrame(table))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     made = store.add(panel, "mine", as_of="2024-05-01", folder=folder).added[0]
        ...     Release.of(made.path).as_of
        '2024-05-01'
        """
        return _opened(path)[0]


#: What only a release of months, or of measures of one's own, says of itself.
_OPTIONAL = {"frequency": "year", "measures": ""}
_FIELDS = ("as_of", "sha256", "step", "rows", "first", "last", "added", "origin")


def write_release(root: Path, name: str, day: str, panel: Panel, origin: str) -> Release:
    """Write a release into its folder, whole and on the disk, or not at all.

    Parameters
    ----------
    root : Path
        Folder of the series; the caller holds its lock.
    panel : Panel
        The figures, dated to the day.

    Notes
    -----
    The file ends in the checksum of all its bytes: `DAY-CHECKSUM.parquet`.
    """
    import pyarrow as pa
    from pyarrow import parquet

    table = panel.figures
    description = {
        "format": _FORMAT,
        "name": name,
        "as_of": day,
        "sha256": _content(table, panel),
        "step": panel.step,
        "rows": len(table),
        "first": int(table["year"].min()),
        "last": int(table["year"].max()),
        "added": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "origin": origin,
        "version": __version__,
    }
    more = {"frequency": panel.frequency, "measures": measures.to_toml(panel.measures)}
    more = {key: value for key, value in more.items() if value != _OPTIONAL[key]}
    description |= more
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    metadata = {**(arrow.schema.metadata or {}), _ABOUT: json.dumps(description).encode()}
    written = io.BytesIO()
    parquet.write_table(arrow.replace_schema_metadata(metadata), written, write_page_checksum=True)
    content = written.getvalue()
    path = root / f"{day}-{hashlib.sha256(content).hexdigest()[:_DIGITS]}.parquet"
    with artifacts.atomic_file(path) as temporary:
        temporary.write_bytes(content)
        _to_disk(temporary)
    _to_disk(root)
    return Release(path, **{key: description[key] for key in _FIELDS}, **more)  # type: ignore[arg-type]


def read_release(release: Release) -> pd.DataFrame:
    """Return the figures of a release, their checksums verified.

    Raises
    ------
    DataError
        If the file is damaged.
    """
    from pyarrow import BufferReader
    from pyarrow.parquet import read_table

    described, content = _opened(release.path)
    if described != release:
        raise _damaged(release.path, "it was replaced while it was read")
    measures.from_toml(release.measures)
    table: pd.DataFrame = read_table(
        BufferReader(content), page_checksum_verification=True
    ).to_pandas()
    return table


def _opened(path: Path) -> tuple[Release, bytes]:
    """Return what a file says of itself, and its bytes, which are as they were written."""
    from pyarrow import ArrowException, BufferReader
    from pyarrow.parquet import read_metadata

    try:
        content = path.read_bytes()
        whole = path.stem.endswith("-" + hashlib.sha256(content).hexdigest()[:_DIGITS])
        metadata = read_metadata(BufferReader(content)).metadata or {}
        about = json.loads(metadata[_ABOUT])
        more = {key: about.get(key, usual) for key, usual in _OPTIONAL.items()}
        release = Release(path, **{key: about[key] for key in _FIELDS}, **more)
        if not whole:
            raise ValueError("its bytes do not have the checksum in its name")
    except (ArrowException, OSError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise _damaged(path, error) from None
    return release, content


def _content(table: pd.DataFrame, panel: Panel) -> str:
    """Return the hash of figures without their day of release."""
    table = table.drop(columns="as_of")
    return Panel.from_frame(table, step=panel.step, frequency=panel.frequency).hash


def described(name: str, release: Release) -> dict[str, object]:
    """Return a release as a row of a table.

    Parameters
    ----------
    name : str
        Of the stored series, see `forecast.data.store.names`.
    release : Release
        One of its releases.

    Returns
    -------
    dict
        ``name, as_of, added, rows, first, last, origin, file``: the columns of
        `forecast.data.store.releases`.
    """
    told = ("as_of", "added", "rows", "first", "last", "origin")
    row = {"name": name} | {key: getattr(release, key) for key in told}
    if release.frequency != "year":
        row |= {key: periods.label(getattr(release, key), release.frequency)
                for key in ("first", "last")}  # fmt: skip
    return row | {"file": release.path.name}


def _to_disk(path: Path) -> None:
    """Have the system write a file, or the names in a folder, before going on."""
    if path.is_dir() and os.name == "nt":  # Windows does not open folders.
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _damaged(path: Path, reason: object) -> DataError:
    said = str(reason).splitlines()[0] if str(reason) else type(reason).__name__
    return DataError(
        f"the release {path} is damaged or is none ({said}). Put back a copy, or move the file "
        "away; the other releases are whole."
    )


def changes(panel: Panel, before: str | None = None, after: str | None = None) -> pd.DataFrame:
    """Compare the figures known on two days.

    Parameters
    ----------
    panel : Panel
        With days of release in ``as_of``.
    before, after : str (YYYY-MM-DD), optional
        The last two days of release by default; with one of them given, the other is the
        last release, or the one before.

    Returns
    -------
    DataFrame
        One row per figure that is not the same: ``source, location, measure, year,
        before, after, change`` (persons per calendar year, or per period), ``status``
        (new, revised, sign changed, withdrawn), ``released_before, released_after`` (days).

    Raises
    ------
    DataError
        If the panel has fewer than two releases, or the days are not in order.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", source="un-wpp")
    >>> table = changes(panel, "2022-07-11", "2024-07-11")
    >>> table.loc[table["status"] == "new", "year"].tolist()
    [2022, 2023]
    """
    days = sorted({str(day.date()) for day in panel.figures["as_of"].dropna()})
    after = after or (days[-1] if days else "")
    earlier = [day for day in days if day < after]
    before = before or (earlier[-1] if earlier else "")
    if not before or before >= after:
        known = ", ".join(days) or "none"
        raise DataError(
            f"there are no two releases to compare; days of release: {known}. "
            "Add a second release, or give other days."
        )
    columns = list(FIGURE)
    first, second = (_known_on(panel, day) for day in (before, after))
    both = first.merge(second, on=columns, how="outer", suffixes=("_before", "_after"))
    old, new = both["value_before"].to_numpy(), both["value_after"].to_numpy()
    status = np.select(
        [np.isnan(old) & np.isnan(new), np.isnan(old), np.isnan(new), old * new < 0, old != new],
        ["", "new", "withdrawn", "sign changed", "revised"],
        default="",
    )
    table = both.assign(before=old, after=new, change=new - old, status=status)
    for when in ("before", "after"):
        table[f"released_{when}"] = both[f"as_of_{when}"].dt.strftime("%Y-%m-%d").fillna("")
    changed = table[table["status"] != ""]
    changed = changed.sort_values(columns, ignore_index=True)[list(COLUMNS)]
    return periods.labelled(changed, panel.frequency)


def _known_on(panel: Panel, day: str) -> pd.DataFrame:
    """Return the figures known on a day: key, year, value and when each came out."""
    try:
        known = panel.as_of(day).latest
    except DataError:
        raise DataError(f"nothing had been released by {day}. Give a later day.") from None
    return known[[*FIGURE, "value", "as_of"]]


#: Days that a figure may be late before it is called so.
GRACE = 31


def status(panel: Panel, today: dt.date | None = None) -> pd.DataFrame:
    """Return one row per source and measure: how far its figures reach, and what is due.

    A source is taken to publish as regularly as it has: the next figures are due as long after
    the last newer ones as those came after the ones before, half of the time (a year and step
    where a source has brought newer figures only once).

    Parameters
    ----------
    panel : Panel
        With days of release in ``as_of``; a source without any has no day due.
    today : date, optional

    Returns
    -------
    DataFrame
        Ordered by source and measure: ``source, measure, locations``; ``last_year``, which
        most series of the source have; ``released``, the day it came out; ``due``;
        ``overdue``, whether that was more than `GRACE` days ago; ``how``, the command that
        brings newer figures.

    Examples
    --------
    >>> import datetime, forecast as fc
    >>> table = status(fc.load("central-asia"), datetime.date(2026, 11, 28))
    >>> table.loc[table["source"] == "un-wpp", ["last_year", "due", "overdue"]].values.tolist()
    [[2023, '2026-07-12', True]]
    """
    last = "last_year" if panel.frequency == "year" else "last_period"
    day = pd.Timestamp(today or dt.date.today())
    rows = []
    figures = panel.figures.dropna(subset=["value"])
    for (source, measure), group in figures.groupby(["source", "measure"], sort=True):
        reached = group.groupby("as_of")["year"].max().sort_index().cummax()
        newer = reached[reached.diff().fillna(1) > 0].index
        gap = pd.Series(newer).diff().median()
        due = pd.NaT
        if len(newer):
            usual = 365 * panel.step // periods.PER_YEAR[panel.frequency]
            due = newer[-1] + (pd.Timedelta(days=usual) if pd.isna(gap) else gap)
        rows.append(
            {
                "source": source,
                "measure": measure,
                "locations": group["location"].nunique(),
                last: periods.named(
                    int(group.groupby("location")["year"].max().quantile(0.5, "higher")),
                    panel.frequency,
                ),
                "released": str(newer[-1].date()) if len(newer) else "",
                "due": "" if pd.isna(due) else str(due.date()),
                "overdue": bool(due + pd.Timedelta(days=GRACE) < day),
                "how": _how(str(source)),
            }
        )
    table = pd.DataFrame(rows)
    if panel.frequency != "year" and len(table):
        table[last] = [str(one[last]) for one in rows]
    return table


def _how(source: str) -> str:
    for name in catalogue.table()["source"]:
        entry = catalogue.source(str(name)).entry
        if source in (entry.get("source"), entry.get("panel", {}).get("source"), f"un-{name}"):
            return f"forecast data fetch {name}"
    return "forecast data add FILE --as-of DAY"
