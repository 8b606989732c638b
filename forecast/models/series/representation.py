"""Parameter nodes from statsmodels' state-space models."""

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
