"""Numbers that a caller asks a forecast about: thresholds and probabilities, checked."""

from __future__ import annotations

import math
from numbers import Real

import numpy as np

from forecast.errors import DataError

#: Levels of the tidy quantile table: those of 50, 80 and 95 % intervals and some between.
QUANTILE_LEVELS = (
    0.025,
    0.05,
    0.1,
    0.2,
    0.25,
    0.3,
    0.4,
    0.5,
    0.6,
    0.7,
    0.75,
    0.8,
    0.9,
    0.95,
    0.975,
)


def threshold(name: str, given: object) -> float:
    """Return a threshold in persons.

    Raises
    ------
    DataError
        If it is no number: nothing lies above or below a missing one, and a probability of
        zero would be read as an answer.
    """
    if not _is_number(given):
        raise DataError(f"{name}= is {given!r}; give a number of persons per year, such as 10000.")
    return float(given)  # type: ignore[arg-type]


def level(given: object) -> float:
    """Return the probability inside an interval.

    Raises
    ------
    DataError
        If it is not between 0 and 1.
    """
    if not _is_number(given) or not 0 < float(given) < 1:  # type: ignore[arg-type]
        raise DataError(f"interval level is {given!r}; give a number between 0 and 1.")
    return float(given)  # type: ignore[arg-type]


def levels(given: object) -> np.ndarray:
    """Return the levels of quantiles, shape (n_levels,).

    Raises
    ------
    DataError
        If they are no list of numbers between 0 and 1.
    """
    try:
        wanted = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        wanted = np.empty(())
    if wanted.ndim != 1 or not ((wanted > 0) & (wanted < 1)).all():
        raise DataError(f"quantile levels are {given!r}; give numbers between 0 and 1.")
    return wanted


def _is_number(given: object) -> bool:
    if isinstance(given, bool):
        return False
    return isinstance(given, Real) and not math.isnan(given)
