"""Years in words."""

from __future__ import annotations

from collections.abc import Iterable


def spans(years: Iterable[int]) -> str:
    """Return years in words, consecutive ones as a span.

    Examples
    --------
    >>> spans([2027, 2030, 2028])
    '2027–2028, 2030'
    """
    found: list[list[int]] = []
    for year in sorted({int(one) for one in years}):
        if found and year == found[-1][1] + 1:
            found[-1][1] = year
        else:
            found.append([year, year])
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in found)
