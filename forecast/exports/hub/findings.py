"""What is wrong with a hub, one finding at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

#: How many offending rows a message quotes.
QUOTED = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that a hub breaks.

    Attributes
    ----------
    file : str
        Path inside the hub.
    rule : str
        Short name of the rule.
    problem : str
        What is wrong, where, and what would be right.
    """

    file: str
    rule: str
    problem: str


def quoted(values: Iterable[object]) -> str:
    """Name the first few of several values."""
    listed = [str(value) for value in dict.fromkeys(map(str, values))]
    more = len(listed) - QUOTED
    return ", ".join(listed[:QUOTED]) + (f" and {more} more" if more > 0 else "")
