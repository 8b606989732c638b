"""Parameter nodes from statsmodels' state-space models, and what a series says about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from statsmodels.tsa.statespace.mlemodel import MLEModel


@dataclass(frozen=True, eq=False)
class Nodes:
    """State-space matrices of every parameter node; compared by identity.

    Attributes
    ----------
    design : ndarray, shape (k, m)
        Z of each of the k nodes with m states.
    transition : ndarray, shape (k, m, m)
        T.
    state_noise : ndarray, shape (k, m, m)
        Q, relative to the unknown variance.
    observation_noise : ndarray, shape (k,)
        h, relative to the unknown variance.
    initial : ndarray, shape (k, m, m)
        Covariance of the first state without its diffuse part.
    diffuse : ndarray of bool, shape (m,)
        States that nothing is known about before the first observation.
    level : ndarray of bool, shape (m,)
        States that are forgotten at a break.
    log_prior : ndarray, shape (k,)
        Log prior weight of each node.
    parameters : mapping of str to ndarray, shape (k,)
        Named parameter values, for the diagnostics.
    states : tuple of str
        Names of the m states.
    own : mapping of str to ndarray, shape (k,)
        Parameters that only some of several joined models have, NaN at the nodes of the others.
    """

    design: np.ndarray
    transition: np.ndarray
    state_noise: np.ndarray
    observation_noise: np.ndarray
    initial: np.ndarray
    diffuse: np.ndarray
    level: np.ndarray
    log_prior: np.ndarray
    parameters: Mapping[str, np.ndarray] = field(default_factory=dict)
    states: tuple[str, ...] = ()
    own: Mapping[str, np.ndarray] = field(default_factory=dict)


#: Length of the dummy series that statsmodels' constructors ask for.
DUMMY = np.arange(24, dtype=float)


def from_statsmodels(
    model: MLEModel,
    parameters: Iterable[Sequence[float]],
    *,
    diffuse: Sequence[bool] | np.ndarray,
    level: Sequence[bool] | np.ndarray,
    log_prior: np.ndarray,
    names: Mapping[str, np.ndarray],
) -> Nodes:
    """Read the matrices of a statsmodels model at each parameter vector.

    Parameters
    ----------
    model : statsmodels MLEModel
        Any linear Gaussian model whose variance parameters are given relative to one.
    parameters : iterable of sequence of float
        Parameter vectors in statsmodels' order, one per node.
    diffuse, level : sequence of bool, shape (m,)
        See `Nodes`.
    log_prior : ndarray, shape (k,)
    names : mapping of str to ndarray, shape (k,)
    """
    pieces: list[tuple[np.ndarray, ...]] = []
    stationary = ~np.asarray(diffuse, dtype=bool)
    for vector in parameters:
        model.update(np.asarray(vector, dtype=float))
        form = model.ssm
        selection = form["selection"]
        noise = selection @ form["state_cov"] @ selection.T
        transition = form["transition"]
        pieces.append(
            (
                form["design"][0, ...].reshape(len(stationary), -1)[:, 0].copy(),
                transition.copy(),
                noise,
                form["obs_cov"].ravel()[:1].copy(),
                stationary_covariance(transition, noise, stationary),
            )
        )
    design, transitions, noises, observation, initial = (np.stack(part) for part in zip(*pieces))
    return Nodes(
        design, transitions, noises, observation[:, 0], initial, ~stationary,
        np.asarray(level, dtype=bool), log_prior, names, tuple(model.state_names),
    )  # fmt: skip


def stationary_covariance(
    transition: np.ndarray, noise: np.ndarray, stationary: np.ndarray
) -> np.ndarray:
    """Return the long-run covariance of the stationary states, zero for the others.

    Solves V = T V T' + Q by vectorisation on the stationary block.

    Parameters
    ----------
    transition : ndarray, shape (m, m)
        T, the transition of the state.
    noise : ndarray, shape (m, m)
        Q, the covariance of the state's shocks.
    stationary : ndarray of bool, shape (m,)
        Which states are stationary.
    """
    where = np.ix_(stationary, stationary)
    block, shocks = transition[where], noise[where]
    size = len(block)
    covariance = np.zeros_like(noise)
    if size:
        system = np.eye(size * size) - np.kron(block, block)
        covariance[where] = np.linalg.solve(system, shocks.ravel()).reshape(size, size)
    return covariance


def padded(nodes: Nodes, n_states: int) -> Nodes:
    """Return the nodes with idle states added, so that different models can be joined.

    Parameters
    ----------
    nodes : Nodes
        Of one model.
    n_states : int
        States to have in all.
    """
    extra = n_states - nodes.design.shape[1]
    square = ((0, 0), (0, extra), (0, extra))
    return Nodes(
        np.pad(nodes.design, ((0, 0), (0, extra))), np.pad(nodes.transition, square),
        np.pad(nodes.state_noise, square), nodes.observation_noise, np.pad(nodes.initial, square),
        np.pad(nodes.diffuse, (0, extra)), np.pad(nodes.level, (0, extra)), nodes.log_prior,
        nodes.parameters, nodes.states + ("idle",) * extra, nodes.own,
    )  # fmt: skip


def joined(components: Mapping[str, Nodes]) -> Nodes:
    """Join several models into one set of nodes with equal prior weight for each model.

    All must have the same diffuse states, so that their likelihoods compare the same
    contrasts of the data. The posterior weight of each model is a parameter by its name.
    """
    n_states = max(nodes.design.shape[1] for nodes in components.values())
    wide = {name: padded(nodes, n_states) for name, nodes in components.items()}
    first = next(iter(wide.values()))
    if any((nodes.diffuse != first.diffuse).any() for nodes in wide.values()):
        raise ValueError("models with different diffuse states cannot be joined")
    sizes = [len(nodes.log_prior) for nodes in wide.values()]
    edges = np.cumsum([0, *sizes])
    member: dict[str, np.ndarray] = {}
    own: dict[str, np.ndarray] = {}
    for position, (name, nodes) in enumerate(wide.items()):
        here = slice(edges[position], edges[position + 1])
        member[name] = np.zeros(edges[-1])
        member[name][here] = 1.0
        for parameter, values in nodes.parameters.items():
            own.setdefault(parameter, np.full(edges[-1], np.nan))[here] = values
    priors = [
        nodes.log_prior - np.logaddexp.reduce(nodes.log_prior) - np.log(len(wide))
        for nodes in wide.values()
    ]
    return Nodes(
        np.concatenate([nodes.design for nodes in wide.values()]),
        np.concatenate([nodes.transition for nodes in wide.values()]),
        np.concatenate([nodes.state_noise for nodes in wide.values()]),
        np.concatenate([nodes.observation_noise for nodes in wide.values()]),
        np.concatenate([nodes.initial for nodes in wide.values()]),
        first.diffuse,
        np.logical_or.reduce([nodes.level for nodes in wide.values()]),
        np.concatenate(priors),
        member,
        tuple(
            "/".join(dict.fromkeys(name for name in names if name != "idle"))
            for names in zip(*(nodes.states for nodes in wide.values()))
        ),
        own,
    )


@dataclass(frozen=True)
class SeriesPosterior:
    """What a series says about the nodes.

    Attributes
    ----------
    weights : ndarray, shape (k, d)
        SeriesPosterior probability of each node and discount.
    discounts : ndarray, shape (d,)
    evidence : ndarray, shape (k, d)
        Log predictive likelihood: the sum over years of the log density of each
        observation given those before it, up to a constant.
    log_likelihood : ndarray, shape (k,)
        Diffuse log likelihood at each node, with a constant variance at its maximum.
    state : ndarray, shape (k, m)
        Filtered state after the last year, in units of the series.
    state_root : ndarray, shape (k, m, m)
        A square root of the filtered state covariance, relative to the variance.
    sum_squares : ndarray, shape (k, d)
        Discounted sum of squared standardised innovations, plus the floor.
    degrees : ndarray, shape (d,)
        Degrees of freedom of the present variance.
    shift : float
        Subtracted from the series before filtering.
    fitted : ndarray, shape (n_years,)
        One-step predictions averaged over nodes, NaN where the state was diffuse.
    """

    nodes: Nodes
    weights: np.ndarray
    discounts: np.ndarray
    evidence: np.ndarray
    log_likelihood: np.ndarray
    state: np.ndarray
    state_root: np.ndarray
    sum_squares: np.ndarray
    degrees: np.ndarray
    shift: float
    fitted: np.ndarray

    def mean(self, parameter: str) -> float:
        """Return the posterior mean of a named parameter, or of ``"discount"``."""
        if parameter == "discount":
            return float(self.weights.sum(axis=0) @ self.discounts)
        return float(self.weights.sum(axis=1) @ self.nodes.parameters[parameter])

    @property
    def spread(self) -> float:
        """SeriesPosterior mean standard deviation of the present innovations."""
        return float((self.weights * np.sqrt(self.sum_squares / self.degrees)).sum())


def root(covariance: np.ndarray) -> np.ndarray:
    """Return R with R R' = covariance for positive semi-definite stacks (..., m, m)."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.clip(values, 0.0, None))[..., None, :]


def simulate(
    posterior: SeriesPosterior, n_ahead: int, n_draws: int, generator: np.random.Generator
) -> np.ndarray:
    """Draw futures of the series.

    Parameters
    ----------
    n_ahead : int
        Years after the last one.

    Returns
    -------
    ndarray, shape (n_draws, n_ahead)
        In the unit of the series.
    """
    nodes = posterior.nodes
    chosen, scale, state = start(posterior, n_draws, generator)
    n_states = state.shape[1]
    transition, design = nodes.transition[chosen], nodes.design[chosen]
    noise_root = root(nodes.state_noise)[chosen]
    observation_scale = scale * np.sqrt(nodes.observation_noise[chosen])
    paths = np.empty((n_draws, n_ahead))
    for step in range(n_ahead):
        shocks = generator.standard_normal((n_draws, n_states))
        state = _apply(transition, state) + scale[:, None] * _apply(noise_root, shocks)
        error = observation_scale * generator.standard_normal(n_draws)
        paths[:, step] = (design * state).sum(axis=1) + error
    return paths + posterior.shift


def start(
    posterior: SeriesPosterior, n_draws: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw where the futures begin.

    Parameters
    ----------
    posterior : SeriesPosterior
        What the series says.
    n_draws : int
        Simulated futures.
    generator : numpy.random.Generator
        Source of the randomness.

    Returns
    -------
    chosen : ndarray of int, shape (n_draws,)
        Node of each draw.
    scale : ndarray, shape (n_draws,)
        Standard deviation of its innovations, relative variances being one.
    state : ndarray, shape (n_draws, m)
        State after the last year.
    """
    cumulated = np.cumsum(posterior.weights.ravel())
    # Stratified choice of nodes: each is drawn in proportion, with little Monte Carlo noise.
    positions = (np.arange(n_draws) + generator.uniform(size=n_draws)) / n_draws
    chosen = np.searchsorted(cumulated / cumulated[-1], generator.permutation(positions))
    chosen, discount = np.divmod(np.minimum(chosen, len(cumulated) - 1), len(posterior.discounts))
    chi_square = generator.chisquare(posterior.degrees[discount])
    scale = np.sqrt(posterior.sum_squares[chosen, discount] / chi_square)
    normal = generator.standard_normal((n_draws, posterior.state.shape[1]))
    state = posterior.state[chosen] + scale[:, None] * _apply(posterior.state_root[chosen], normal)
    return chosen, scale, state


def _apply(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    product: np.ndarray = (matrices * vectors[:, None, :]).sum(axis=2)
    return product


def parameter_share(posterior: SeriesPosterior, n_ahead: int) -> np.ndarray:
    """Split the predictive variance of a state-space model into known unknowns and shocks.

    By the law of total variance, on the model's scale: the spread of the expected path
    over parameter nodes and over the uncertain present state, against the shocks still
    to come.

    Parameters
    ----------
    posterior : SeriesPosterior
        What the series says.
    n_ahead : int
        Steps after its last year.

    Returns
    -------
    ndarray, shape (n_ahead,)
        Share of parameters and state, between 0 and 1.
    """
    nodes = posterior.nodes
    weights = posterior.weights.sum(axis=1)
    # Expected variance at each node; below three degrees of freedom it is infinite, and
    # the shares are those of the scale at three.
    degrees = np.maximum(posterior.degrees, 3.0)
    scale = (posterior.weights * posterior.sum_squares / (degrees - 2.0)).sum(axis=1)
    scale /= np.maximum(weights, np.finfo(float).tiny)
    state = posterior.state
    spread = posterior.state_root @ np.swapaxes(posterior.state_root, 1, 2)
    shocks = np.zeros_like(spread)
    moved = np.swapaxes(nodes.transition, 1, 2)
    shares = np.empty(n_ahead)
    for step in range(n_ahead):
        state = (nodes.transition * state[:, None, :]).sum(axis=2)
        spread = nodes.transition @ spread @ moved
        shocks = nodes.transition @ shocks @ moved + nodes.state_noise
        centre = (nodes.design * state).sum(axis=1)
        between = weights @ (centre - weights @ centre) ** 2
        known = np.einsum("ki,kij,kj->k", nodes.design, spread, nodes.design)
        noise = np.einsum("ki,kij,kj->k", nodes.design, shocks, nodes.design)
        noise = noise + nodes.observation_noise
        unknown = between + weights @ (scale * known)
        total = unknown + weights @ (scale * noise)
        shares[step] = unknown / total if total > 0 else 0.0
    return shares
