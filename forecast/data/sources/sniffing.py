"""Whether content is what was asked for: a web page or an empty answer is none."""

from __future__ import annotations

import re
from typing import Literal

from forecast.errors import DataError

Kind = Literal["csv", "json", "xml", "zip"]
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_NAMES = {"csv": "a CSV table", "json": "JSON", "xml": "XML", "zip": "a ZIP archive"}


def check(url: str, head: bytes, kind: Kind) -> None:
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
