"""Fetching an official source: the only place in the package that uses the network."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from forecast.artifacts import places
from forecast.data.sources import catalogue, fetched
from forecast.data.sources.catalogue import Source, WrongKindError, documented_form, reader
from forecast.data.sources.download import Kind, download
from forecast.data.sources.fetched import Fetched, FetchedFile
from forecast.data.sources.http import DEFAULT, Limits
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
) -> Fetched:
    """Fetch a source into the cache folder, unless what is there is still what the source has.

    Parameters
    ----------
    name : str
        As in `forecast.data.sources.catalogue.table`.
    cache : str or Path, optional
        Folder; `forecast.artifacts.places.fetched` by default.
    releases : sequence of int, optional
        Vintages of World Population Prospects; all known ones by default.
    base_url : str, optional
        Of a mirror with the same paths.
    offline : bool
        Use what was fetched before; say what is missing and how to get it.
    catalogue_file : str or Path, optional
        TOML with further sources.
    tell : callable
        Told of each address before it is asked.

    Returns
    -------
    Fetched
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
    folder = places.fetched(cache) / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        busy = f"another process is fetching {name} into {folder}. Wait for it to end."
        with places.alone(folder, _PATIENCE, busy):
            earlier = fetched.find(name, cache)
            intact = earlier.intact if earlier else {}
            collector = _Collector(source, folder, intact, limits, tell)
            try:
                with documented_form(name):
                    notes = reader(source).collect(source, collector, releases)
                today = str(dt.datetime.now(dt.UTC).date())
                result = Fetched(folder, source, today, notes, tuple(collector.files))
                _check_readable(result)
            except BaseException:
                collector.forget()
                raise
            fetched.write(result)
            _tidy(folder, result)
    except OSError as error:
        raise DataError(
            f"{folder} cannot be written to ({error.strerror or error}). Free space or choose "
            "another folder; what was fetched before is untouched."
        ) from None
    return result


def _offline(source: Source, cache: str | Path | None) -> Fetched:
    result = fetched.find(source.name, cache)
    root = places.fetched(cache)
    remedy = (
        f"On a machine with the network run\n  forecast data fetch {source.name} --cache FOLDER\n"
        f"and copy FOLDER/{source.name} to {root / source.name}."
    )
    if result is None:
        addresses = dict.fromkeys(source.url(str(file["path"])) for file in source.get("files", []))
        content = (
            f"It consists of {', '.join(addresses)}."
            if addresses
            else f"It is asked page by page at {source['base_url']}."
        )
        raise DataError(f"nothing of {source.name} was fetched into {root}. {content} {remedy}")
    intact = result.intact
    broken = [f"{file.file} (from {file.url})" for file in result.files if file.url not in intact]
    if broken:
        raise DataError(
            f"of {source.name}, fetched on {result.retrieved} into {root}, these files are missing "
            f"or damaged: {', '.join(broken)}. {remedy}"
        )
    return result


def _check_readable(result: Fetched) -> None:
    """Read what was fetched; a source has series, drivers or both."""
    refusals = []
    for read in (result.panel, result.covariates):
        try:
            read()
        except WrongKindError as error:
            refusals.append(error)
    if len(refusals) == 2:
        raise refusals[0]


@dataclass
class _Collector:
    """Fetches the addresses of one source into a folder and notes each file."""

    source: Source
    folder: Path
    earlier: dict[str, FetchedFile]
    limits: Limits
    tell: Callable[[str], object]
    files: list[FetchedFile] = field(default_factory=list)
    new: list[Path] = field(default_factory=list)

    def __call__(self, path: str, kind: Kind, role: str = "data", **notes: str) -> Path:
        url = self.source.url(path)
        self.tell(url)
        before = self.earlier.get(url)
        sha256 = notes.pop("sha256", "")
        known = (
            {"etag": before.etag, "last_modified": before.last_modified}
            if before is not None and (before.etag or before.last_modified)
            else None
        )
        answer = download(url, self.folder, kind, known=known, sha256=sha256, limits=self.limits)
        notes = {key: value for key, value in notes.items() if value}
        if answer.path is not None:
            target = self.folder / f"{answer.sha256[:16]}.{kind}"
            if not target.exists():
                self.new.append(target)
            answer.path.chmod(0o644)
            answer.path.replace(target)
            state = (answer.sha256, answer.size, answer.etag, answer.last_modified)
            file = FetchedFile(role, url, target.name, *state, notes)
        elif before is not None:
            file = replace(before, role=role, told=notes)
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


def _tidy(folder: Path, result: Fetched) -> None:
    """Remove files that no manifest names any more."""
    held = {file.file for file in result.files} | {fetched.MANIFEST}
    for path in folder.iterdir():
        stale = path.name.startswith(".part-") or not path.name.startswith(".")
        if path.is_file() and stale and path.name not in held:
            path.unlink(missing_ok=True)
