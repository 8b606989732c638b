"""One address to one file: bounded in time, size and attempts, whole or not at all."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from forecast.data.sources.http import (
    DEFAULT,
    AgainError,
    Limits,
    caught,
    check_status,
    open_answer,
    too_late,
)
from forecast.errors import DataError
from forecast.version import __version__

if TYPE_CHECKING:
    import requests

Kind = Literal["csv", "json", "xml", "zip"]
_PIECE, _HEAD = 65_536, 4_096
#: Bytes that an answer of a kind may have unpacked; what reads it holds a multiple in memory.
_LARGEST = {"json": 20_000_000, "xml": 20_000_000}
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_NAMES = {"csv": "a CSV table", "json": "JSON", "xml": "XML", "zip": "a ZIP archive"}


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
    kind: Kind,
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
    sleep : callable
        Waits so many seconds.

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
            except AgainError as failed:
                reason = str(failed)
                usual = min(limits.pause * 2 ** (attempt - 1), limits.longest_pause)
                wait = usual if failed.wait is None else failed.wait
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


def _attempt(
    session: requests.Session,
    url: str,
    folder: Path,
    kind: Kind,
    known: Mapping[str, str],
    sha256: str,
    limits: Limits,
    end: float,
) -> Downloaded:
    headers = {"User-Agent": f"migration-forecast/{__version__}", "Accept-Encoding": "gzip"}
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
            coding = answer.headers.get("Content-Encoding", "").lower()
            if coding in ("gzip", "x-gzip") or _is_packed(path, url, kind):
                _unpack(url, path, limits)
            if path.stat().st_size > (largest := _LARGEST.get(kind, limits.size)):
                raise _large(url, largest)
            with path.open("rb") as content:
                check_kind(url, content.read(_HEAD), kind)
                content.seek(0)
                checksum = hashlib.file_digest(content, "sha256").hexdigest()
            if sha256 and checksum != sha256.lower():
                raise DataError(
                    f"{url} has the checksum {checksum}, not {sha256}. The file was changed at the "
                    "source or on the way; do not use it before you know which."
                )
            return Downloaded(
                path,
                checksum,
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
    # A number of thousands of digits is no length; Python refuses to read one.
    announced = int(stated) if stated.isdecimal() and len(stated) < 20 else None
    if announced is not None and announced > limits.size:
        raise _large(url, limits.size)
    received = 0
    with path.open("wb") as file:
        while piece := answer.raw.read1(_PIECE, decode_content=False):
            received += len(piece)
            if received > limits.size:
                raise _large(url, limits.size)
            if time.monotonic() > end:
                raise too_late(url, limits)
            file.write(piece)
    if announced is not None and received != announced:
        raise AgainError(f"broke off after {received:,} of {announced:,} bytes")


def _is_packed(path: Path, url: str, kind: Kind) -> bool:
    """Whether a server packed the content without saying so; a file may be called ``.gz``."""
    with path.open("rb") as content:
        packed = content.read(2) == b"\x1f\x8b"
    return packed and kind != "zip" and not url.partition("?")[0].endswith(".gz")


def _unpack(url: str, path: Path, limits: Limits) -> None:
    """Undo the packing of the transfer, within the limit of size."""
    with _part(path.parent) as target:
        try:
            with gzip.open(path) as packed, target.open("wb") as file:
                size = 0
                while piece := packed.read(_PIECE):
                    size += len(piece)
                    if size > limits.size:
                        raise _large(url, limits.size)
                    file.write(piece)
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise AgainError("sent a packed answer that is cut off or damaged") from None
        target.replace(path)


def _large(url: str, size: int) -> DataError:
    return DataError(
        f"{url} has more than {size:,} bytes, more than this source can have. Not kept."
    )


def check_kind(url: str, head: bytes, kind: Kind) -> None:
    """Refuse content that is not of the kind expected.

    Parameters
    ----------
    url : str
        For the message.
    head : bytes
        The first few kilobytes.
    kind : {"csv", "json", "xml", "zip"}
        A CSV table may be packed with gzip or in a ZIP archive.

    Raises
    ------
    DataError
        Saying what came instead.
    """
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise DataError(f"{url} answered with nothing. Try again later.")
    if kind != "zip" and _HTML.match(text):
        title = _TITLE.search(text)
        said = "" if title is None else " ".join(title.group(1).decode("utf-8", "replace").split())
        named = f" ({said[:80]!r})" if said else ""
        raise DataError(
            f"{url} answered with a web page{named} instead of {_NAMES[kind]}. The source may be "
            "under maintenance, have moved, or a proxy may ask for a password; open the address "
            "in a browser to see."
        )
    if not _fits(text, kind):
        shown = text[:40].decode("utf-8", "replace")
        raise DataError(
            f"{url} answered with something that is not {_NAMES[kind]}: it begins {shown!r}. "
            "Check the address."
        )


def _fits(text: bytes, kind: Kind) -> bool:
    packed = text.startswith((b"\x1f\x8b", b"PK\x03\x04"))
    if kind == "zip":
        return text.startswith(b"PK\x03\x04")
    if kind == "json":
        return text.startswith((b"{", b"["))
    if kind == "xml":
        return text.startswith(b"<")
    first = text.split(b"\n", 1)[0]
    return packed or (
        not text.startswith((b"{", b"[", b"<"))
        and b"\x00" not in text
        and any(mark in first for mark in (b",", b";", b"\t"))
    )
