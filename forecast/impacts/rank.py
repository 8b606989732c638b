"""How unusual a gap is among placebo gaps: ranks, p-values and calibrated half-widths.

An event's gap is held against the gaps of windows without the event. If all are
exchangeable, the rank of the event's is uniform and the p-values below are valid however
few the placebos are (Abadie, Diamond and Hainmueller 2010, doi:10.1198/jasa.2009.ap08746).
Overlapping windows of one series stand for the moving blocks of Chernozhukov, Wüthrich and
Zhu (2021, doi:10.1080/01621459.2021.1920957), which are valid approximately; how far is
measured by simulation in ``docs/impact.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecast.errors import DataError


@dataclass(frozen=True, slots=True)
class Rank:
    """Where a gap stands among placebo gaps.

    Attributes
    ----------
    placebos : int
    as_far : int
        Placebos at least as far from their forecast as the event, to either side.
    p_value : float
        Conservative: ties count against the event, and its own place too. Without an effect
        it is `level` or less with a probability of at most `level`.
    p_randomised : float
        Ties, and the event's own place, broken by a random number: without an effect exactly
        uniform, also with few placebos.
    smallest : float
        The smallest conservative p-value that so many placebos can give.
    """

    placebos: int
    as_far: int
    p_value: float
    p_randomised: float
    smallest: float


def rank(gap: float, placebos: np.ndarray, uniform: float) -> Rank:
    """Rank the absolute gap of an event among those of placebos.

    Parameters
    ----------
    gap : float
        Standardised.
    placebos : ndarray, shape (n,)
        Gaps in the same unit.
    uniform : float in [0, 1)
        Breaks ties in `p_randomised`.

    Raises
    ------
    DataError
        If a gap is not a number.
    """
    sizes = _sizes(np.append(placebos, gap))
    size, others = sizes[-1], sizes[:-1]
    total = len(sizes)
    further, equal = int((others > size).sum()), int((others == size).sum())
    return Rank(
        len(others),
        further + equal,
        (1 + further + equal) / total,
        (further + uniform * (1 + equal)) / total,
        1 / total,
    )


def half_width(placebos: np.ndarray, level: float) -> float:
    """Return the standardised gap that a share `level` of events without an effect stays within.

    The conformal quantile: the event counts as a gap without bound, so that few placebos give
    an infinite width rather than a wrong one.

    Parameters
    ----------
    placebos : ndarray, shape (n,)
    level : float in (0, 1)
    """
    sizes = np.sort(_sizes(placebos))
    # A rounding error must not ask for one placebo more.
    position = int(np.ceil(level * (len(sizes) + 1) - 1e-9)) - 1
    return float(sizes[position]) if position < len(sizes) else np.inf


def _sizes(gaps: np.ndarray) -> np.ndarray:
    if np.isnan(gaps).any():
        raise DataError(f"gap {int(np.isnan(gaps).argmax())} is not a number; it has no rank.")
    return np.abs(gaps)
