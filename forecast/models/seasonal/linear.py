"""Seasonal models on grids: the matrices of every node, and the Kalman filter as linear maps.

The matrices are those of statsmodels. What a filter makes of a series without gaps is linear in
its figures. So for each set of nodes and length the maps from figures to one-step errors and to
the last state are computed once, and a series costs a few products. Series with gaps or breaks,
and very long ones, are filtered step by step, to the same result. Futures are drawn from the
joint distribution of whole paths at a node, which does not depend on the figures either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product

import numpy as np

from forecast.models.registry import specification
from forecast.models.series.representation import (
    Nodes,
    SeriesPosterior,
    from_statsmodels,
    joined,
    root,
)
from forecast.models.series.statespace import gains, gains_and_covariances, settle
from forecast.models.series.structural import signal_to_noise

#: Orders (p, d, q) and (P, D, Q) of a seasonal ARIMA.
SeasonalOrder = tuple[tuple[int, int, int], tuple[int, int, int]]


def _dummy(season: int) -> np.ndarray:
    """Return a series that is long enough for statsmodels' constructors."""
    return np.arange(5.0 * season)


@cache
def walk(season: int) -> Nodes:
    """Return y_t = y_{t-s} + e_t: the last year once more."""
    turn = np.roll(np.eye(season), 1, axis=0)
    noise = np.zeros((season, season))
    noise[0, 0] = 1.0
    here = np.zeros(season)
    here[0] = 1.0
    known = np.ones(season, dtype=bool)
    return Nodes(
        here[None], turn[None], noise[None], np.zeros(1), np.zeros((1, season, season)), known,
        known, np.zeros(1), {}, tuple(f"last.{lag}" for lag in range(season)),
    )  # fmt: skip


@cache
def smoothing(season: int) -> Nodes:
    """Return level, damped trend and season, all driven by one error (ETS(A,Ad,A))."""
    from statsmodels.tsa.statespace.exponential_smoothing import ExponentialSmoothing

    grid = specification("seasonal-ets")["grid"]
    axes = ("smoothing_level", "trend_share", "season_share", "damping")
    # Without a moving trend its damping changes little: one value will do.
    nodes = np.array(
        [
            (level, share * level, part * (1.0 - level), damping)
            for level, share, part, damping in product(*(grid[axis] for axis in axes))
            if share > 0 or damping == grid["damping"][0]
        ]
    )
    model = ExponentialSmoothing(
        _dummy(season),
        trend=True,
        damped_trend=True,
        seasonal=season,
        initialization_method="known",
        initial_level=0.0,
        initial_trend=0.0,
        initial_seasonal=np.zeros(season),
    )
    names = ("smoothing_level", "smoothing_trend", "smoothing_seasonal", "damping")
    # Level and season cannot be told apart by the first year alone: one effect starts at nil.
    diffuse = [False, True, True, *[True] * (season - 1), False]
    return from_statsmodels(
        model,
        nodes,
        diffuse=diffuse,
        level=[False, True, *[False] * (season + 1)],
        log_prior=np.zeros(len(nodes)),
        names=dict(zip(names, nodes.T)),
    )


@cache
def components(season: int) -> Nodes:
    """Return a level that walks, or reverts to a mean, under noise and a season that may change."""
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    grid = specification("seasonal-components")["grid"]
    changing = [
        (*signal_to_noise(gain), change)
        for gain, change in product(grid["gain"], grid["season_change"])
    ]
    level = from_statsmodels(
        UnobservedComponents(_dummy(season), level="local level", seasonal=season),
        [(noise, walk, change * (noise + walk)) for noise, walk, change in changing],
        diffuse=[True] * season,
        level=[True, *[False] * (season - 1)],
        log_prior=np.zeros(len(changing)),
        names={
            "gain": np.array([gain for gain, _ in product(grid["gain"], grid["season_change"])]),
            "season_change": np.array([change for *_, change in changing]),
        },
    )
    nodes = np.array(list(product(grid["noise_share"], grid["season_change"], grid["persistence"])))
    reverting = from_statsmodels(
        UnobservedComponents(
            _dummy(season), level="deterministic constant", seasonal=season, autoregressive=1
        ),
        [(noise, change, 1.0 - noise, persistence) for noise, change, persistence in nodes],
        diffuse=[*[True] * season, False],
        level=[True, *[False] * season],
        log_prior=np.zeros(len(nodes)),
        names=dict(zip(("noise_share", "season_change", "persistence"), nodes.T)),
    )
    return joined({"weight_level": level, "weight_reverting": reverting})


@cache
def orders() -> tuple[SeasonalOrder, ...]:
    """Return the orders that are compared, as ``models/seasonal-arima.toml`` lists them."""
    stated = specification("seasonal-arima")["orders"]
    return tuple((tuple(own), tuple(seasonal)) for own, seasonal in stated)


@cache
def arima(order: SeasonalOrder, season: int) -> Nodes:
    """Return the grid of coefficients of one order, with one seasonal difference.

    Parameters
    ----------
    order : ((p, d, q), (P, D, Q))
            One of `orders`.
    season : int
        Periods of a year.
    """
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    grid = specification("seasonal-arima")["grid"]
    (p, d, q), (_, _, seasonal_q) = order
    axes = [grid["ar"]] * p + [grid["ma"]] * q + [grid["seasonal_ma"]] * seasonal_q
    nodes = np.array(list(product(*axes))).reshape(-1, len(axes))
    model = SARIMAX(
        _dummy(season),
        order=order[0],
        seasonal_order=(*order[1], season),
        enforce_stationarity=False,
        enforce_invertibility=False,
    )
    # statsmodels puts the differencing states first.
    diffuse = np.arange(model.k_states) < d + season
    labels = [f"ar{lag + 1}" for lag in range(p)] + [f"ma{lag + 1}" for lag in range(q)]
    labels += [f"seasonal_ma{lag + 1}" for lag in range(seasonal_q)]
    return from_statsmodels(
        model,
        np.column_stack([nodes, np.ones(len(nodes))]),
        diffuse=diffuse,
        level=diffuse,
        log_prior=np.zeros(len(nodes)),
        names=dict(zip(labels, nodes.T)),
    )


#: Longer series are filtered step by step: the maps grow with the square of the length.
LONGEST = 150


#: Years before are nowcast like this one, from series so many months shorter.
SHORTER = (12, 24, 36)
#: Maps by nodes and longest length, the last used last; at most so many.
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
    for key in ((nodes, longer) for longer in (n, *(n + less for less in SHORTER))):
        if n in (family := _FAMILIES.get(key, {})):
            _FAMILIES[key] = _FAMILIES.pop(key)
            return family[n]
    _FAMILIES[nodes, n] = family = _family(nodes, n)
    if len(_FAMILIES) > _MOST:
        del _FAMILIES[next(iter(_FAMILIES))]
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
