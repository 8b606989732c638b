"""One address to one file: bounded in time, size and attempts, whole or not at all."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forecast.data.sources import sniffing
from forecast.data.sources.http import Again, caught, check_status, open_answer, too_late
from forecast.data.sources.limits import DEFAULT, Limits
from forecast.errors import DataError
from forecast.version import __version__

if TYPE_CHECKING:
    import requests

_PIECE, _HEAD = 65_536, 4_096


@dataclass(frozen=True)
class Downloaded:
    """What an address answered.

    Attributes
    ----------
    path : Path or None
        The content; None if the server says that it has not changed.
    sha256 : str
        Of the content, in hexadecimal.
    size : int
        Bytes of the content.
    etag, last_modified : str
        What the server calls this state of the content; empty if it does not say.
    """

    path: Path | None
    sha256: str = ""
    size: int = 0
    etag: str = ""
    last_modified: str = ""


def download(
    url: str,
    folder: Path,
    kind: sniffing.Kind,
    *,
    known: Mapping[str, str] | None = None,
    sha256: str = "",
    limits: Limits = DEFAULT,
    sleep: Callable[[float], object] = time.sleep,
) -> Downloaded:
    """Fetch one address into a new file of a folder.

    Parameters
    ----------
    url : str
        ``http`` or ``https``.
    folder : Path
        Exists. The file has a temporary name; the caller renames or removes it.
    kind : {"csv", "json", "xml", "zip"}
        What must come; anything else is refused.
    known : mapping, optional
        ``etag`` and ``last_modified`` of the copy at hand: the server then need not
        send what has not changed.
    sha256 : str
        Refuse any other content, if given.
    limits : Limits
    sleep : callable
        Waits so many seconds.

    Returns
    -------
    Downloaded

    Raises
    ------
    DataError
        With the address, what went wrong, how often it was tried, and what to do.
    """
    import requests

    if not url.startswith(("http://", "https://")):
        raise DataError(f"{url} is no address of the web. Give one with https://.")
    end = time.monotonic() + limits.total
    reason = ""
    with requests.Session() as session:
        for attempt in range(1, limits.attempts + 1):
            try:
                return _attempt(session, url, folder, kind, known or {}, sha256, limits, end)
            except Again as failed:
                reason = str(failed)
                wait = _pause(failed, attempt, limits)
            if attempt == limits.attempts:
                break
            if wait > limits.longest_pause:
                raise DataError(
                    f"{url} {reason} and asks to wait {wait:.0f} s, longer than "
                    f"{limits.longest_pause:.0f} s. Run the command again later."
                )
            if time.monotonic() + wait >= end:
                raise too_late(url, limits, reason)
            sleep(wait)
    raise DataError(
        f"{url} {reason}; tried {limits.attempts} times. Check the connection (proxies are taken "
        "from HTTPS_PROXY) and run the command again later."
    )


def _pause(failed: Again, attempt: int, limits: Limits) -> float:
    if failed.wait is not None:
        return failed.wait
    return float(min(limits.pause * 2 ** (attempt - 1), limits.longest_pause))


def _attempt(
    session: requests.Session,
    url: str,
    folder: Path,
    kind: sniffing.Kind,
    known: Mapping[str, str],
    sha256: str,
    limits: Limits,
    end: float,
) -> Downloaded:
    headers = {
        "User-Agent": f"migration-forecast/{__version__}",
        "Accept-Encoding": "gzip",
    }
    if known.get("etag"):
        headers["If-None-Match"] = known["etag"]
    if known.get("last_modified"):
        headers["If-Modified-Since"] = known["last_modified"]
    with (
        caught(url, limits, end),
        closing(open_answer(session, url, headers, limits, end)) as answer,
    ):
        if answer.status_code == 304 and known:
            return Downloaded(None)
        check_status(url, answer)
        with _part(folder) as path:
            _receive(url, answer, path, limits, end)
            if answer.headers.get("Content-Encoding", "").lower() in ("gzip", "x-gzip"):
                _unpack(url, path, limits)
            with path.open("rb") as content:
                sniffing.check(url, content.read(_HEAD), kind)
                content.seek(0)
                found = hashlib.file_digest(content, "sha256").hexdigest()
            if sha256 and found != sha256.lower():
                raise DataError(
                    f"{url} has the checksum {found}, not {sha256}. The file was changed at the "
                    "source or on the way; do not use it before you know which."
                )
            return Downloaded(
                path,
                found,
                path.stat().st_size,
                answer.headers.get("ETag", ""),
                answer.headers.get("Last-Modified", ""),
            )


@contextmanager
def _part(folder: Path) -> Iterator[Path]:
    """Give a file to fill; it is removed if the block fails."""
    handle, name = tempfile.mkstemp(prefix=".part-", dir=folder)
    os.close(handle)
    try:
        yield Path(name)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _receive(url: str, answer: requests.Response, path: Path, limits: Limits, end: float) -> None:
    """Write the body as it comes; a body shorter than announced is an attempt that failed."""
    stated = answer.headers.get("Content-Length", "")
    announced = int(stated) if stated.isdecimal() else None
    if announced is not None and announced > limits.size:
        raise _large(url, limits)
    received = 0
    with path.open("wb") as file:
        while piece := answer.raw.read1(_PIECE, decode_content=False):
            received += len(piece)
            if received > limits.size:
                raise _large(url, limits)
            if time.monotonic() > end:
                raise too_late(url, limits)
            file.write(piece)
    if announced is not None and received != announced:
        raise Again(f"broke off after {received:,} of {announced:,} bytes")


def _unpack(url: str, path: Path, limits: Limits) -> None:
    """Undo the packing of the transfer, within the limit of size."""
    packed = path.read_bytes()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as content:
            unpacked = content.read(limits.size + 1)
    except (OSError, EOFError, zlib.error):
        raise Again("sent a packed answer that is cut off or damaged") from None
    if len(unpacked) > limits.size:
        raise _large(url, limits)
    path.write_bytes(unpacked)


def _large(url: str, limits: Limits) -> DataError:
    return DataError(
        f"{url} has more than {limits.size:,} bytes, more than this source can have. Not kept."
    )
