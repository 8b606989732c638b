"""The nearest draws that obey linear identities and keep counts from being negative."""

from __future__ import annotations

import numpy as np

from forecast.errors import FitError

#: A count this far below zero, relative to the largest figure of its draw, is rounding.
ROUNDING = 1e-12
_PIVOTS = 60


def project(
    draws: np.ndarray,
    matrix: np.ndarray,
    right: np.ndarray,
    covariance: np.ndarray,
    counts: np.ndarray,
) -> np.ndarray:
    """Move every draw to the nearest point of the coherent polyhedron.

    Minimises (x − d)' W⁻¹ (x − d) subject to A x = b and x ≥ 0 for counts, draw by draw.
    Without the inequalities this is the minimum-trace reconciliation of Wickramasuriya,
    Athanasopoulos and Hyndman (2019, doi:10.1080/01621459.2018.1448825) in its
    zero-constrained form, here for any identities and for draws. Where a count would fall
    below zero, the multipliers solve a linear complementarity problem: draws with the same
    counts at zero are solved together and the set of these counts is changed until the
    Karush-Kuhn-Tucker conditions hold (block principal pivoting, Júdice and Pires 1994,
    doi:10.1016/0305-0548(94)90106-6); what has not settled is solved draw by draw as a
    least-distance problem (Lawson and Hanson 1995, chapter 23, doi:10.1137/1.9781611971217).

    Parameters
    ----------
    draws : ndarray, shape (n_draws, k)
    matrix, right : ndarray, shapes (m, k) and (m,)
        A and b. Rows may depend on each other.
    covariance : ndarray, shape (k, k)
        W, positive semi-definite; a series with variance zero does not move.
    counts : ndarray of bool, shape (k,)
        Series that may not be negative.

    Returns
    -------
    ndarray, shape (n_draws, k)

    Raises
    ------
    FitError
        If no point obeys everything: fixed series contradict each other.
    """
    stated, totals = np.asarray(matrix, dtype=float), np.asarray(right, dtype=float)
    rows, right = _independent(stated, totals)
    draws = np.asarray(draws, dtype=float)
    size = np.sqrt(np.clip(np.diag(covariance), 0.0, None))
    unit = float(size.max()) or 1.0
    metric = np.asarray(covariance, dtype=float) / unit**2
    gain = metric @ rows.T @ np.linalg.pinv(rows @ metric @ rows.T, hermitian=True)
    moved = draws - (draws @ rows.T - right) @ gain.T
    # A second pass takes out what rounding left.
    moved -= (moved @ rows.T - right) @ gain.T
    largest = np.abs(moved).max(axis=1) + np.abs(draws).max(axis=1)
    left = np.abs(moved @ rows.T - right).max(axis=1, initial=0.0)
    if (left > 1e-8 * (1.0 + largest)).any():
        raise FitError(
            "no draw can obey the identities: series that are fixed contradict each other "
            f"by up to {left.max():,.3g} persons. Look at coherence.broken(panel)."
        )
    free = metric - gain @ rows @ metric
    places = np.flatnonzero(counts)
    below = (moved[:, places] < -ROUNDING * largest[:, None]).any(axis=1)
    if below.any():
        none = _never_above_zero(stated, totals, counts)
        if none.any():
            # Said outright; as two opposite inequalities they have no stable multipliers.
            outright = np.vstack([stated, np.eye(len(counts))[none]])
            zeros = np.zeros(int(none.sum()))
            made = project(draws, outright, np.append(totals, zeros), covariance, counts & ~none)
            made[:, none] = 0.0
            return made
        lifted = _lift(moved[below], places, 0.5 * (free + free.T), largest[below])
        moved[below] = _polish(lifted, rows, right, metric, places, largest[below])
    moved[:, places] = np.maximum(moved[:, places], 0.0)
    if below.any():
        moved[below] = _settle(moved[below], stated, totals, places)
    return np.asarray(moved)


def _independent(matrix: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return orthonormal rows that say the same as the given ones."""
    left, values, rows = np.linalg.svd(matrix, full_matrices=False)
    kept = values > 1e-10 * values.max(initial=0.0)
    return rows[kept], (left.T @ right)[kept] / values[kept]


def _never_above_zero(matrix: np.ndarray, right: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return which counts the identities leave no choice but zero, shape (k,).

    Such as the parts of a total that is zero. One linear programme raises all counts together.
    """
    from scipy.optimize import linprog

    size, places = matrix.shape[1], np.flatnonzero(counts)
    raised = np.zeros((len(places), size + len(places)))
    raised[np.arange(len(places)), places] = -1.0
    raised[np.arange(len(places)), size + np.arange(len(places))] = 1.0
    bounds = [(0.0, None) if one else (None, None) for one in counts]
    found = linprog(
        np.append(np.zeros(size), -np.ones(len(places))),
        A_ub=raised,
        b_ub=np.zeros(len(places)),
        A_eq=np.hstack([matrix, np.zeros((len(matrix), len(places)))]),
        b_eq=right,
        bounds=[*bounds, *([(0.0, 1.0)] * len(places))],
    )
    none = np.zeros(size, dtype=bool)
    if found.status == 0:
        none[places] = found.x[size:] < 1e-7
    return none


def _lift(
    moved: np.ndarray, places: np.ndarray, free: np.ndarray, largest: np.ndarray
) -> np.ndarray:
    """Lift negative counts to zero along the directions that keep the identities."""
    limit = ROUNDING * largest[:, None]
    given = moved[:, places]
    gram = free[np.ix_(places, places)]
    at_zero = given < -limit
    fewest = np.full(len(given), len(places) + 1)
    patience = np.full(len(given), 10)
    lifted = given.copy()
    multipliers = np.zeros_like(given)
    open_rows = np.arange(len(given))
    for _ in range(_PIVOTS):
        patterns, member = np.unique(at_zero[open_rows], axis=0, return_inverse=True)
        for number, pattern in enumerate(patterns):
            rows = open_rows[member.ravel() == number]
            pinned = np.flatnonzero(pattern)
            push = -given[np.ix_(rows, pinned)] @ np.linalg.pinv(
                gram[np.ix_(pinned, pinned)], hermitian=True
            )
            multipliers[rows] = 0.0
            multipliers[np.ix_(rows, pinned)] = push
            lifted[rows] = given[rows] + push @ gram[pinned]
        slack = 1e-9 * (1.0 + np.abs(multipliers).max(axis=1, keepdims=True))
        wrong = np.where(at_zero, multipliers < -slack, False) | (lifted < -limit)
        bad = wrong[open_rows].sum(axis=1)
        if not bad.any():
            open_rows = open_rows[:0]
            break
        open_rows, bad = open_rows[bad > 0], bad[bad > 0]
        better = bad < fewest[open_rows]
        fewest[open_rows[better]] = bad[better]
        patience[open_rows[better]] = 10
        patience[open_rows[~better]] -= 1
        flip = wrong[open_rows]
        # Murty's rule, one change at a time, when whole blocks go round in circles.
        tired = patience[open_rows] < 0
        last = len(places) - 1 - flip[:, ::-1].argmax(axis=1)
        single = np.zeros_like(flip)
        single[np.arange(len(flip)), last] = True
        at_zero[open_rows] ^= np.where(tired[:, None], single, flip)
    made = moved + multipliers @ free[places]
    # Dependent counts at zero (a total of zero whose parts are at zero as well) can leave a
    # block without an exact solution; what is not optimal is solved one draw at a time.
    slack = 1e-9 * (1.0 + np.abs(multipliers).max(axis=1, keepdims=True))
    off = (multipliers < -slack) | (lifted < -limit) | (at_zero & (np.abs(lifted) > 10 * limit))
    unsettled = np.flatnonzero(off.any(axis=1))
    if len(unsettled):
        made[unsettled] = _least_distance(moved[unsettled], places, free)
    return np.asarray(made)


def _least_distance(moved: np.ndarray, places: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Solve single draws by non-negative least squares, which no degeneracy can trouble.

    Where nothing is fixed the coherent set is a cone, and the way to it is the projection
    on the polar cone that the counts span (Moreau's decomposition).
    """
    from scipy.optimize import nnls

    values, vectors = np.linalg.eigh(free)
    kept = values > 1e-12 * values.max(initial=0.0)
    root = vectors[:, kept] * np.sqrt(values[kept])
    coordinates = moved @ (vectors[:, kept] / np.sqrt(values[kept]))
    fixed = moved - coordinates @ root.T
    made = moved.copy()
    for row, (draw, start) in enumerate(zip(moved, coordinates)):
        unit = float(np.linalg.norm(start)) or 1.0
        if np.abs(fixed[row, places]).max() <= 1e-9 * np.abs(draw).max():
            weights, _ = nnls(root[places].T, -start / unit, maxiter=100 * len(draw))
            step = root[places].T @ weights
        else:
            system = np.vstack([root[places].T, -draw[places] / unit])
            target = np.zeros(len(system))
            target[-1] = 1.0
            weights, _ = nnls(system, target, maxiter=100 * len(draw))
            residual = system @ weights - target
            step = -residual[:-1] / residual[-1]
        made[row] = draw + unit * (root @ step)
    return made


def _polish(
    made: np.ndarray,
    rows: np.ndarray,
    right: np.ndarray,
    metric: np.ndarray,
    places: np.ndarray,
    largest: np.ndarray,
) -> np.ndarray:
    """Put counts that are zero up to rounding at zero, and take out what that opens."""
    made = made.copy()
    at_zero = np.zeros(made.shape, dtype=bool)
    at_zero[:, places] = made[:, places] <= 1e-7 * (1.0 + largest[:, None])
    made[at_zero] = 0.0
    least = 1e-12 * np.abs(rows @ metric @ rows.T).max(initial=0.0)
    patterns, member = np.unique(at_zero, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        same = np.flatnonzero(member.ravel() == number)
        moving = np.where(np.outer(~pattern, ~pattern), metric, 0.0)
        # An identity of which all is at zero moves nothing; its rounding must not either.
        values, vectors = np.linalg.eigh(rows @ moving @ rows.T)
        vectors, values = vectors[:, values > least], values[values > least]
        gain = moving @ rows.T @ (vectors / values) @ vectors.T
        for _ in range(2):
            made[same] -= (made[same] @ rows.T - right) @ gain.T
    return made


def _settle(
    made: np.ndarray, stated: np.ndarray, totals: np.ndarray, places: np.ndarray
) -> np.ndarray:
    """Close identities that rounding left open beside far larger draws.

    Where a draw loses almost all of its size, what is left is known only to the rounding of
    what was there. Each series then moves in proportion to itself, so that zeros stay and
    counts do not change sign; the shift is of the size of that rounding.
    """
    made = made.copy()
    for _ in range(20):
        left = made @ stated.T - totals
        size = np.abs(made) @ np.abs(stated).T + np.abs(totals)
        open_draws = np.flatnonzero((np.abs(left) > 1e-10 * (1.0 + size)).any(axis=1))
        if not len(open_draws):
            break
        for row in open_draws:
            scale = np.abs(made[row])
            shift, *_ = np.linalg.lstsq(stated * scale, left[row])
            made[row] -= scale * shift
        made[:, places] = np.maximum(made[:, places], 0.0)
    return made
