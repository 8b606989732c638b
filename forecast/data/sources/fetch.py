"""Fetching an official source: the only place in the package that uses the network."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from forecast.data import folders
from forecast.data.sources import catalogue, fetched
from forecast.data.sources.download import download
from forecast.data.sources.fetched import Kept, KeptFile
from forecast.data.sources.limits import DEFAULT, Limits
from forecast.data.sources.readers import Reader, reader
from forecast.data.sources.sniffing import Kind
from forecast.data.sources.source import Source
from forecast.data.sources.tables import NothingOfTheKindError
from forecast.errors import DataError

#: Seconds to wait for another fetch of the same source to end.
_PATIENCE = 30.0


def fetch(
    name: str,
    *,
    cache: str | Path | None = None,
    releases: Sequence[int] = (),
    base_url: str | None = None,
    offline: bool = False,
    catalogue_file: str | Path | None = None,
    limits: Limits = DEFAULT,
    tell: Callable[[str], object] = lambda _: None,
) -> Kept:
    """Fetch a source into the cache folder, unless what is there is still what the source has.

    Parameters
    ----------
    name : str
        As in `forecast.data.sources.catalogue.table`.
    cache : str or Path, optional
        Folder; `forecast.data.folders.cache` by default.
    releases : sequence of int, optional
        Vintages of World Population Prospects; all known ones by default.
    base_url : str, optional
        Of a mirror with the same paths.
    offline : bool
        Use what was fetched before; say what is missing and how to get it.
    catalogue_file : str or Path, optional
        TOML with further sources.
    limits : Limits
    tell : callable
        Told of each address before it is asked.

    Returns
    -------
    Kept
        Every file with its checksum; read before it was put in place, so it is usable.

    Raises
    ------
    DataError, UnknownNameError
        What was there before is then untouched.
    """
    source = catalogue.source(name, catalogue_file)
    if base_url is not None:
        source = Source(name, {**source.entry, "base_url": base_url})
    if releases and source["format"] != "wpp":
        raise DataError(f"{name} has no vintages to choose from. Leave them out.")
    if offline:
        return _offline(source, cache)
    folder = folders.cache(cache) / name
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder, name):
        earlier = _intact(fetched.read(name, cache))
        known = reader(source)
        getting = _Getting(source, folder, earlier, limits, tell)
        try:
            told = known.collect(source, getting, releases)
            made = Kept(folder, source, _today(), told, tuple(getting.files))
            _try_out(known, made)
        except BaseException:
            getting.forget()
            raise
        fetched.write(made)
        _tidy(folder, made)
    return made


def _today() -> str:
    return str(dt.datetime.now(dt.UTC).date())


def _offline(source: Source, cache: str | Path | None) -> Kept:
    found = fetched.read(source.name, cache)
    root = folders.cache(cache)
    remedy = (
        f"On a machine with the network run\n  forecast data fetch {source.name} --cache FOLDER\n"
        f"and copy FOLDER/{source.name} to {root / source.name}."
    )
    if found is None:
        addresses = ", ".join(
            dict.fromkeys(
                str(source["base_url"]).rstrip("/") + "/" + str(file["path"])
                for file in source.get("files", [])
            )
        )
        wanted = (
            f" It consists of {addresses}."
            if addresses
            else (f" It is asked page by page at {source['base_url']}.")
        )
        raise DataError(f"nothing of {source.name} was fetched into {root}.{wanted} {remedy}")
    broken = []
    for file in found.files:
        try:
            found.path(file)
        except DataError:
            broken.append(f"{file.file} (from {file.url})")
    if broken:
        raise DataError(
            f"of {source.name}, fetched on {found.retrieved} into {root}, these files are missing "
            f"or damaged: {', '.join(broken)}. {remedy}"
        )
    return found


def _intact(found: Kept | None) -> dict[str, KeptFile]:
    """Return the files of an earlier fetch that are whole, by address."""
    if found is None:
        return {}
    whole = {}
    for file in found.files:
        try:
            found.path(file)
        except DataError:
            continue
        whole[file.url] = file
    return whole


def _try_out(known: Reader, made: Kept) -> None:
    """Read what came; a source may have no series, or no drivers, but not neither."""
    refused = []
    for read in (known.panel, known.covariates):
        try:
            read(made)
        except NothingOfTheKindError as error:
            refused.append(error)
    if len(refused) == 2:
        raise refused[0]


@dataclass
class _Getting:
    """Fetches the addresses of one source into a folder and notes each file."""

    source: Source
    folder: Path
    earlier: dict[str, KeptFile]
    limits: Limits
    tell: Callable[[str], object]
    files: list[KeptFile] = field(default_factory=list)
    new: list[Path] = field(default_factory=list)

    def __call__(self, path: str, kind: Kind, role: str = "data", **told: str) -> Path:
        url = str(self.source["base_url"]).rstrip("/") + "/" + path
        self.tell(url)
        before = self.earlier.get(url)
        expected = told.pop("sha256", "")
        known = (
            {"etag": before.etag, "last_modified": before.last_modified}
            if before is not None and (before.etag or before.last_modified)
            else None
        )
        came = download(url, self.folder, kind, known=known, sha256=expected, limits=self.limits)
        told = {key: value for key, value in told.items() if value}
        if came.path is None and before is not None:
            file = KeptFile(**{**vars(before), "role": role, "told": told})
        elif came.path is not None:
            name = f"{came.sha256[:16]}.{kind}"
            target = self.folder / name
            if not target.exists():
                self.new.append(target)
            came.path.chmod(0o644)
            came.path.replace(target)
            file = KeptFile(
                role, url, name, came.sha256, came.size, came.etag, came.last_modified, told
            )
        else:
            raise DataError(f"{url} says that nothing changed, but nothing is here. Try again.")
        self.files.append(file)
        return self.folder / file.file

    def forget(self) -> None:
        """Remove what came, after a failure; what an earlier fetch holds stays."""
        held = {file.file for file in self.earlier.values()}
        for path in self.new:
            if path.name not in held:
                path.unlink(missing_ok=True)


def _tidy(folder: Path, made: Kept) -> None:
    """Remove files that no manifest names any more."""
    held = {file.file for file in made.files} | {fetched.MANIFEST}
    for path in folder.iterdir():
        stale = path.name.startswith(".part-") or not path.name.startswith(".")
        if path.is_file() and stale and path.name not in held:
            path.unlink(missing_ok=True)


@contextmanager
def _alone(folder: Path, name: str) -> Iterator[None]:
    """Hold the folder against a second fetch of the same source."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(folder / ".lock", timeout=_PATIENCE):
            yield
    except Timeout:
        raise DataError(
            f"another process is fetching {name} into {folder}. Wait for it to end."
        ) from None
