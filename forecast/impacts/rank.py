"""How unusual a gap is among placebo gaps: ranks, p-values and calibrated half-widths.

An event's gap is held against the gaps of windows without the event. If all are
exchangeable, the rank of the event's is uniform and the p-values below are valid however
few the placebos are (Abadie, Diamond and Hainmueller 2010, doi:10.1198/jasa.2009.ap08746;
Chernozhukov, Wüthrich and Zhu 2021, doi:10.1080/01621459.2021.1920957). Placebos with
fixed weights not above that of the event keep this validity (Barber et al. 2023,
doi:10.1214/23-AOS2276).
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
    worth : float
        Sum of their weights: how many placebos that do not overlap they are worth.
    as_far : int
        Placebos at least as far from their forecast as the event, to either side.
    p_value : float
        Conservative: ties count against the event. At most a share `level` of events
        without an effect has a p-value of `level` or less.
    p_randomised : float
        Ties, and the event's own place, broken by a random number: with equal weights
        exactly uniform without an effect, also with few placebos.
    smallest : float
        The smallest p-value that so many placebos can give.
    """

    placebos: int
    worth: float
    as_far: int
    p_value: float
    p_randomised: float
    smallest: float


def rank(gap: float, placebos: np.ndarray, weights: np.ndarray, uniform: float) -> Rank:
    """Rank the absolute gap of an event among those of placebos.

    Parameters
    ----------
    gap : float
        Standardised.
    placebos, weights : ndarray, shape (n,)
        Gaps in the same unit, and weights above 0 and at most 1 (the event's own).
    uniform : float in [0, 1)
        Breaks ties in `p_randomised`.
    """
    check(placebos, weights)
    size, others = abs(float(gap)), np.abs(placebos)
    total = 1.0 + float(weights.sum())
    further, equal = others > size, others == size
    above = float(weights[further].sum())
    level = above + float(weights[equal].sum())
    return Rank(
        len(placebos),
        total - 1.0,
        int((further | equal).sum()),
        (1.0 + level) / total,
        (above + uniform * (1.0 + level - above)) / total,
        1.0 / total,
    )


def half_width(placebos: np.ndarray, weights: np.ndarray, level: float) -> float:
    """Return the standardised gap that a share `level` of events without an effect stays within.

    The weighted conformal quantile: the event counts as a gap without bound, so that few
    placebos give an infinite width rather than a wrong one.
    """
    check(placebos, weights)
    order = np.argsort(np.abs(placebos), kind="stable")
    sizes = np.abs(placebos)[order]
    reached = np.cumsum(weights[order]) / (1.0 + weights.sum())
    inside = np.flatnonzero(reached >= level - 1e-12)
    return float(sizes[inside[0]]) if len(inside) else np.inf


def check(placebos: np.ndarray, weights: np.ndarray) -> None:
    """Refuse placebo gaps and weights that cannot be ranked.

    Raises
    ------
    DataError
        If their shapes differ, a gap is no number, or a weight is not above 0 and at most 1.
    """
    if placebos.shape != weights.shape or placebos.ndim != 1:
        raise DataError(
            f"placebos have shape {placebos.shape} and weights {weights.shape}; give one weight "
            "for each placebo."
        )
    if np.isnan(placebos).any():
        raise DataError(f"placebo {int(np.isnan(placebos).argmax())} is not a number.")
    if ((weights <= 0) | (weights > 1)).any():
        bad = float(weights[(weights <= 0) | (weights > 1)][0])
        raise DataError(f"a placebo weighs {bad}; weights are above 0 and at most 1.")
