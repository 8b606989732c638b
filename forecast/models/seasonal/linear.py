"""The Kalman filter of seasonal models as linear maps, for all nodes of a grid at once.

What a filter makes of a series without gaps is linear in
its figures. So for each set of nodes and length the maps from figures to one-step errors and to
the last state are computed once, and a series costs a few products. Series with gaps or breaks,
and very long ones, are filtered step by step, to the same result. Futures are drawn from the
joint distribution of whole paths at a node, which does not depend on the figures either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from forecast.models.series.representation import (
    Nodes,
    SeriesPosterior,
    root,
)
from forecast.models.series.statespace import gains, gains_and_covariances, settle

#: Longer series are filtered step by step: the maps grow with the square of the length.
LONGEST = 150


#: Years before are nowcast like this one, from series so many months shorter.
SHORTER = (12, 24, 36)
#: Maps by nodes and longest length, the newest last; at most so many.
_FAMILIES: dict[tuple[Nodes, int], dict[int, Filter]] = {}
_MOST = 10


@dataclass(frozen=True, eq=False)
class Filter:
    """What nodes make of any series of one length without gaps.

    Attributes
    ----------
    variance : ndarray, shape (n, k)
    burned : ndarray of bool, shape (n,)
        Steps that only identify a diffuse state.
    errors : ndarray, shape (k, n, n)
        From figures to one-step errors.
    state : ndarray, shape (k, m, n)
        From figures to the last state.
    state_root : ndarray, shape (k, m, m)
        Of its covariance, relative to the variance.
    """

    variance: np.ndarray
    burned: np.ndarray
    errors: np.ndarray
    state: np.ndarray
    state_root: np.ndarray


def whole(nodes: Nodes, n: int) -> Filter:
    """Return the maps of a series without gaps and breaks.

    Parameters
    ----------
    nodes : Nodes
    n : int
        Length of the series.
    """
    for longer in (n, *(n + less for less in SHORTER)):
        if n in (family := _FAMILIES.get((nodes, longer), {})):
            return family[n]
    if len(_FAMILIES) >= _MOST:
        del _FAMILIES[next(iter(_FAMILIES))]
    family = _FAMILIES[nodes, n] = _family(nodes, n)
    return family[n]


def _family(nodes: Nodes, n: int) -> dict[int, Filter]:
    """Return the maps of a length and of those that are `SHORTER`: one run passes them all."""
    lengths = sorted(n - less for less in SHORTER if n - less > nodes.diffuse.sum())
    variance, gain, burned, covariances = gains_and_covariances(
        nodes, (True,) * n, (False,) * n, tuple(lengths)
    )
    errors, states = _steps(nodes, gain, np.ones(n, dtype=bool), np.eye(n), lengths)
    errors = errors.transpose(1, 0, 2)
    return {
        one: Filter(
            variance[:one], burned[:one], errors[:, :one, :one], state[:, :, :one], root(covariance)
        )
        for one, state, covariance in zip([*lengths, n], states, covariances)
    }


@lru_cache(maxsize=48)
def _last_root(nodes: Nodes, observed: tuple[bool, ...], breaks: tuple[bool, ...]) -> np.ndarray:
    """Return the root of the last state's covariance; series often have the same gaps."""
    return root(gains(nodes, observed, breaks)[3])


def _steps(
    nodes: Nodes,
    gain: np.ndarray,
    observed: np.ndarray,
    values: np.ndarray,
    lengths: Sequence[int] = (),
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Filter the columns of values of shape (n, c).

    Returns errors (n, k, c), and the states (k, m, c) after some lengths and after the last step.
    """
    n_nodes, n_states = nodes.design.shape
    columns = values.shape[1]
    state = np.zeros((n_nodes, n_states, columns))
    errors = np.full((len(values), n_nodes, columns), np.nan)
    states = []
    for step, row in enumerate(values):
        if step in lengths:
            states.append(state)
        if step:
            state = nodes.transition @ state
        if observed[step]:
            errors[step] = row - np.einsum("km,kmc->kc", nodes.design, state)
            state = state + gain[step][:, :, None] * errors[step][:, None, :]
    return errors, [*states, state]


def condition(
    nodes: Nodes,
    values: np.ndarray,
    excess: np.ndarray,
    breaks: np.ndarray,
    floor: float,
    discounts: tuple[float, ...],
    skip: int = 0,
) -> SeriesPosterior:
    """Weigh the nodes by a series; as `forecast.models.series.statespace.condition`.

    Parameters
    ----------
    nodes : Nodes
    values : ndarray, shape (n,)
        What steers the state, outliers drawn in; NaN in gaps.
    excess : ndarray, shape (n,)
        What an outlier exceeds it by: it counts for the variance, not for the state.
    breaks : ndarray of bool, shape (n,)
        Steps that start a new level.
    floor, discounts
        As there.
    skip : int
        First errors that do not count, so that models with more and fewer diffuse states compare.
    """
    observed = ~np.isnan(values)
    shift = float(values[observed][0])
    centred = np.where(observed, values - shift, 0.0)
    if observed.all() and not breaks[1:].any() and len(values) <= LONGEST:
        maps = whole(nodes, len(values))
        errors = (maps.errors @ centred).T
        state, state_root = maps.state @ centred, maps.state_root
        variance, burned = maps.variance, maps.burned
    else:
        pattern = tuple(observed.tolist()), tuple(breaks.tolist())
        variance, gain, burned, _ = gains(nodes, *pattern)
        stepped, (last,) = _steps(nodes, gain, observed, centred[:, None])
        errors, state, state_root = stepped[:, :, 0], last[:, :, 0], _last_root(nodes, *pattern)
    used = observed & ~burned
    used[np.flatnonzero(used)[:skip]] = False
    errors = np.where(used[:, None], errors + np.where(observed, excess, 0.0)[:, None], np.nan)
    return settle(
        nodes, values, errors, variance, used, (state, state_root, shift), floor, discounts
    )


@lru_cache(maxsize=48)
def futures(nodes: Nodes, n_ahead: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the map from the last state to the expected path, and the covariance of its shocks.

    Parameters
    ----------
    nodes : Nodes
    n_ahead : int
        Periods.

    Returns
    -------
    expected : ndarray, shape (k, n_ahead, m)
    covariance : ndarray, shape (k, n_ahead, n_ahead)
        Relative to the variance.
    """
    row = nodes.design[:, None, :]
    rows = []
    for _ in range(n_ahead):
        rows.append(row)
        row = row @ nodes.transition
    answers = np.concatenate(rows, axis=1)
    noise = answers @ nodes.state_noise
    covariance = np.zeros((len(row), n_ahead, n_ahead))
    for shock in range(n_ahead):
        later = answers[:, : n_ahead - shock]
        covariance[:, shock:, shock:] += noise[:, : n_ahead - shock] @ np.swapaxes(later, 1, 2)
    covariance += nodes.observation_noise[:, None, None] * np.eye(n_ahead)
    return answers @ nodes.transition, covariance


#: Roots of path covariances by nodes, horizon and the state's own covariance.
_ROOTS: dict[tuple[int, int, int], tuple[np.ndarray, np.ndarray]] = {}


def _path_root(posterior: SeriesPosterior, n_ahead: int) -> np.ndarray:
    """Return roots of the covariance of whole paths, the state's included, shape (k, h, h)."""
    nodes, state_root = posterior.nodes, posterior.state_root
    name = (id(nodes), n_ahead, id(state_root))
    kept = _ROOTS.get(name)
    # The array is kept beside, so that its identity stays its own.
    if kept is None or kept[0] is not state_root:
        expected, covariance = futures(nodes, n_ahead)
        moved = expected @ state_root
        if len(_ROOTS) > 64:
            _ROOTS.clear()
        kept = _ROOTS[name] = state_root, root(covariance + moved @ np.swapaxes(moved, 1, 2))
    return kept[1]


def simulate(
    posterior: SeriesPosterior, n_ahead: int, n_draws: int, generator: np.random.Generator
) -> np.ndarray:
    """Draw futures of a series; as `forecast.models.series.representation.simulate`, path by path.

    Parameters
    ----------
    posterior : SeriesPosterior
        What the series says.
    n_ahead, n_draws : int
        Periods, and simulated futures.
    generator : numpy.random.Generator
        Source of the randomness.

    Returns
    -------
    ndarray, shape (n_draws, n_ahead)
        In the unit of the series.
    """
    cumulated = np.cumsum(posterior.weights.ravel())
    positions = (np.arange(n_draws) + generator.uniform(size=n_draws)) / n_draws
    place = np.searchsorted(cumulated / cumulated[-1], generator.permutation(positions))
    place = np.minimum(place, len(cumulated) - 1)
    chosen, discount = np.divmod(place, len(posterior.discounts))
    chi_square = generator.chisquare(posterior.degrees[discount])
    scale = np.sqrt(posterior.sum_squares[chosen, discount] / chi_square)
    expected, _ = futures(posterior.nodes, n_ahead)
    middle = (expected @ posterior.state[:, :, None])[:, :, 0]
    roots = _path_root(posterior, n_ahead)
    normal = scale[:, None] * generator.standard_normal((n_draws, n_ahead))
    paths = np.empty((n_draws, n_ahead))
    for node in np.unique(chosen):
        drawn = chosen == node
        paths[drawn] = middle[node] + normal[drawn] @ roots[node].T
    return paths + posterior.shift
