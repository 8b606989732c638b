"""How long, how often and how much a download may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of one download; nothing waits or grows without one.

    Attributes
    ----------
    connect, read : float
        Seconds until a connection stands, and between two pieces of an answer.
    total : float
        Seconds for one address, all attempts and waits included.
    attempts : int
        How often an address is asked when the server is busy or the connection breaks.
    pause : float
        Seconds before the second attempt; each further pause is twice as long.
    longest_pause : float
        Seconds; a server that asks to wait longer is not waited for.
    size : int
        Bytes that an answer may have, packed or unpacked.
    redirects : int
        How often a server may send us on.
    """

    connect: float = 10.0
    read: float = 30.0
    total: float = 600.0
    attempts: int = 5
    pause: float = 1.0
    longest_pause: float = 60.0
    size: int = 500_000_000
    redirects: int = 5


DEFAULT = Limits()
