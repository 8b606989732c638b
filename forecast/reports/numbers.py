"""How numbers are written for readers."""

from __future__ import annotations

import math

#: ICD 203 (Office of the Director of National Intelligence 2015): word for each probability,
#: up to and including the bound.
LIKELIHOOD = (
    (0.05, "almost no chance"),
    (0.20, "very unlikely"),
    (0.45, "unlikely"),
    (0.55, "roughly even"),
    (0.80, "likely"),
    (0.95, "very likely"),
    (1.00, "almost certain"),
)
MINUS, THIN = "\u2212", "\u202f"


def rounded(value: float, digits: int = 2) -> int:
    """Round to a number of significant digits; below 100 to whole tens, since more is noise.

    Parameters
    ----------
    value : float
        Persons.
    digits : int
        Significant digits to keep.
    """
    if value == 0 or not math.isfinite(value):
        return 0
    power = max(10 ** (math.floor(math.log10(abs(value))) + 1 - digits), 10)
    return int(math.floor(abs(value) / power + 0.5) * power * math.copysign(1, value))


def persons(value: float, *, sign: bool = False) -> str:
    """Write persons with a thousands comma and a true minus.

    Parameters
    ----------
    value : float
        Already rounded as it shall be shown.
    sign : bool
        Whether to write a plus before positive numbers.
    """
    whole = int(round(value))
    prefix = MINUS if whole < 0 else "+" if sign and whole > 0 else ""
    return f"{prefix}{abs(whole):,}"


def percent(probability: float) -> str:
    """Write a probability as whole per cent; never 0 or 100, which draws cannot show."""
    share = 100 * probability
    if share < 1:
        return f"under 1{THIN}%"
    if share > 99:
        return f"over 99{THIN}%"
    return f"{round(share)}{THIN}%"


def likelihood(probability: float) -> str:
    """Return the ICD 203 word for a probability; the number always goes beside it."""
    return next(word for bound, word in LIKELIHOOD if probability <= bound)
