"""How a rate moves from one year to the next: the transition law, for arrays and for graphs.

Most years are like the year before; a few are not. A calm year keeps the rate, with a normal shock
in proportion to the last move. A stormy year throws it about by a Student-t shock and pulls it to
the location's own mean. The chance of a storm grows with the last move and has a part that all
locations share in a year. The PyMC model, its futures and its replicates all read the law here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

#: Degrees of freedom of a stormy year's shock.
STORM_DEGREES = 2.0


class Parameters(NamedTuple):
    """What the law asks of each location; arrays or tensors that broadcast together.

    Attributes
    ----------
    mean, storm, persistence
        Rate that storms pull to and size of a storm, per 1,000; share of a deviation that a storm
        leaves.
    calm
        Standard deviation of a calm year's shock over the last move.
    chance, echo, shared
        Logit of a storm after a move of 1 per 1,000, its growth with the log of the move, and the
        spread of the years' common part.
    """

    mean: Any
    storm: Any
    persistence: Any
    calm: Any
    chance: Any
    echo: Any
    shared: Any


class Transition(NamedTuple):
    """What a year's rate is drawn from: a normal around the last one, or a Student-t."""

    storm_logit: Any
    calm_scale: Any
    storm_centre: Any
    storm_scale: Any


def transition(
    parameters: Parameters,
    before: Any,
    move: Any,
    floor: Any,
    year: Any,
    storm_floor: float,
    xp: Any = np,
) -> Transition:
    """Return the law of a year's rate given the years before it.

    Parameters
    ----------
    before : array or tensor
        Last year's rate, per 1,000.
    move : array or tensor
        Size of last year's move plus the least move, per 1,000.
    floor : array or tensor
        Least standard deviation of a calm year; see `calm_floor`.
    year : array or tensor
        The year's common part before scaling, standard normal.
    storm_floor : float
        Least scale of a stormy year, per 1,000.
    xp : module
        `numpy`, or `pytensor.tensor` for a graph.
    """
    away = before - parameters.mean
    size = parameters.storm
    return Transition(
        parameters.chance + parameters.echo * xp.log(move) + parameters.shared * year,
        xp.sqrt((parameters.calm * move) ** 2 + floor**2),
        parameters.mean + parameters.persistence * away,
        # A storm grows with the root of the distance from the mean.
        xp.sqrt(size * xp.sqrt(size**2 + away**2) + storm_floor**2),
    )


def usual_moves(rates: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Return the usual move as known after each year: moves that count less the older they are.

    Parameters
    ----------
    rates : ndarray, shape (..., n_years)
        Per 1,000; NaN in gaps, over which the usual move stays.
    settings : mapping
        ``memory``: the weight of the newest move.

    Returns
    -------
    ndarray, shape of `rates`
        Per 1,000; NaN before the first move.
    """
    moved = np.abs(np.diff(rates, axis=-1))
    usual = np.full_like(rates, np.nan)
    for year in range(moved.shape[-1]):
        usual[..., year + 1] = after(usual[..., year], moved[..., year], settings)
    return usual


def after(usual: np.ndarray, moved: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Return the usual move after one more; a missing move changes nothing.

    Parameters
    ----------
    usual : ndarray
        The usual move up to now, per 1,000.
    moved : ndarray
        The move of the year, per 1,000; NaN where there is none.
    settings : mapping
        ``[settings]`` of ``models/hierarchical.toml``.
    """
    weight = float(settings["memory"])
    newer = np.where(np.isnan(usual), moved, weight * moved + (1.0 - weight) * usual)
    return np.where(np.isnan(moved), usual, newer)


def calm_floor(usual: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Return the least standard deviation of a calm year's shock, per 1,000.

    Parameters
    ----------
    usual : ndarray
        The usual move, per 1,000.
    settings : mapping
        ``[settings]`` of ``models/hierarchical.toml``.
    """
    return np.hypot(float(settings["usual_share"]) * usual, float(settings["floor"]))
