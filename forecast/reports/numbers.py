"""How numbers are rounded for readers."""

from __future__ import annotations

import math

MINUS, NARROW = "\u2212", "\u202f"


def rounded(value: float, digits: int = 2) -> int:
    """Round to a number of significant digits; below 100 to whole tens, since more is noise.

    Parameters
    ----------
    value : float
        Persons.
    digits : int
        Significant digits to keep.

    Examples
    --------
    >>> rounded(12_345), rounded(-12_345, 3), rounded(47)
    (12000, -12300, 50)
    """
    if value == 0 or not math.isfinite(value):
        return 0
    power = max(10 ** (math.floor(math.log10(abs(value))) + 1 - digits), 10)
    return int(math.floor(abs(value) / power + 0.5) * power * math.copysign(1, value))
