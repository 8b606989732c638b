"""How large an effect would have had to be to be seen at all."""

from __future__ import annotations

from typing import Literal

import numpy as np

from forecast.impacts.counterfactual import Ruler
from forecast.impacts.rank import half_width

Direction = Literal["rise", "fall"]
#: The usual level of the test and the power asked for.
LEVEL, POWER = 0.05, 0.80
#: Steps of the search; each halves the interval.
_HALVINGS = 60


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
    level : float
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
