"""How unusual a gap is among placebo gaps, and how large an effect would have been seen.

An event's gap is held against the gaps of windows without the event. If all are
exchangeable, the rank of the event's is uniform and the p-values below are valid however
few the placebos are (Abadie, Diamond and Hainmueller 2010, doi:10.1198/jasa.2009.ap08746).
Overlapping windows of one series stand for the moving blocks of Chernozhukov, Wüthrich and
Zhu (2021, doi:10.1080/01621459.2021.1920957), which are valid approximately; how far is
measured by simulation in ``docs/impact.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from forecast.errors import DataError
from forecast.impacts.counterfactual import Ruler

Direction = Literal["rise", "fall"]
#: The usual level of the test and the power asked for.
LEVEL, POWER = 0.05, 0.80
#: Steps of the search; each halves the interval.
_HALVINGS = 60


@dataclass(frozen=True, slots=True)
class Rank:
    """Where a gap stands among placebo gaps.

    Attributes
    ----------
    placebos : int
        How many placebos there are.
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


def smallest_effect(
    ruler: Ruler,
    placebos: np.ndarray,
    direction: Direction,
    *,
    level: float = LEVEL,
    power: float = POWER,
) -> float:
    """Return the smallest effect on the sum that would have been seen, in persons.

    What would have come without the event is taken to be as far from the forecast as the
    placebos were from theirs; an effect is seen if it takes the figure beyond the gap that
    only a share `level` of placebos reach.

    Parameters
    ----------
    ruler : Ruler
        That of the event's forecast; its last column is the sum.
    placebos : ndarray, shape (n_placebos,)
        Standardised gaps of the sum.
    direction : {"rise", "fall"}
    power : float
        Share of the cases in which the effect has to be seen.

    Returns
    -------
    float
        Positive for a rise, negative for a fall; NaN if no effect however large would have
        been seen (too few placebos, or a count that cannot fall so far).
    """
    limit = half_width(placebos, 1.0 - level)
    if not np.isfinite(limit) or not len(placebos):
        return float("nan")
    unit = Ruler(ruler.signed, ruler.middle[-1:], ruler.below[-1:], ruler.above[-1:])
    without = unit.persons(placebos[:, None])[:, 0]
    sign = 1.0 if direction == "rise" else -1.0

    def seen(effect: float) -> float:
        moved = without + sign * effect
        if not ruler.signed:
            moved = np.maximum(moved, 0.0)
        return float((np.abs(unit.measure(moved[:, None])[:, 0]) > limit).mean())

    spread = float(np.abs(without - unit.persons(np.zeros(1))).max())
    edge = np.abs(unit.persons(np.array([limit])) - unit.persons(np.array([-limit])))
    most = 4.0 * (spread + float(edge[0])) + 1.0
    if seen(most) < power:
        return float("nan")
    low, high = 0.0, most
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if seen(middle) >= power else (middle, high)
    return sign * high


def _sizes(gaps: np.ndarray) -> np.ndarray:
    if np.isnan(gaps).any():
        raise DataError(f"gap {int(np.isnan(gaps).argmax())} is not a number; it has no rank.")
    return np.abs(gaps)
