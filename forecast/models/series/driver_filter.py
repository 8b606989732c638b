"""The Kalman filter with drivers: their effects are states that never change.

The design of such a state is the driver's value, which differs from year to year, so the
gains depend on the drivers and are computed anew (Harvey 1989, section 7.3). The prior of an
effect is normal around zero, relative to the variance of the innovations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from forecast.models.series.drivers import Drivers
from forecast.models.series.posterior import SeriesPosterior, root, start
from forecast.models.series.representation import Nodes
from forecast.models.series.statespace import DIFFUSE, settle


@dataclass(frozen=True)
class Driven(SeriesPosterior):
    """What a series says about the nodes and the effects of its drivers.

    The nodes are those of the plain model at each prior spread of the effects; the last K
    states of each are the effects, per standard deviation of the driver.

    Attributes
    ----------
    remark : str
        Why the drivers are there.
    """

    drivers: Drivers
    remark: str

    def effects(self) -> np.ndarray:
        """Return the posterior mean of each effect, shape (K,)."""
        size = len(self.drivers.names)
        mean: np.ndarray = self.weights.sum(axis=1) @ self.state[:, -size:]
        return mean


@lru_cache(maxsize=32)
def extended(nodes: Nodes, spreads: tuple[float, ...], drivers: tuple[str, ...]) -> Nodes:
    """Return the nodes at each prior spread, with the effects of drivers as further states.

    Parameters
    ----------
    nodes : Nodes
        Of the model without drivers.
    spreads : tuple of float
        Prior standard deviations of the effects.
    drivers : tuple of str
        Names of the drivers.
    """
    repeats, size, (k, m) = len(spreads), len(drivers), nodes.design.shape
    total = repeats * k
    transition = np.zeros((total, m + size, m + size))
    transition[:, :m, :m] = np.tile(nodes.transition, (repeats, 1, 1))
    transition[:, range(m, m + size), range(m, m + size)] = 1.0
    noise = np.zeros_like(transition)
    noise[:, :m, :m] = np.tile(nodes.state_noise, (repeats, 1, 1))
    initial = np.zeros_like(transition)
    initial[:, :m, :m] = np.tile(nodes.initial, (repeats, 1, 1))
    spread = np.repeat(spreads, k)
    initial[:, range(m, m + size), range(m, m + size)] = spread[:, None] ** 2
    effect = np.zeros(size, dtype=bool)
    return Nodes(
        np.hstack([np.tile(nodes.design, (repeats, 1)), np.zeros((total, size))]),
        transition,
        noise,
        np.tile(nodes.observation_noise, repeats),
        initial,
        np.append(nodes.diffuse, effect),
        np.append(nodes.level, effect),
        np.tile(nodes.log_prior, repeats),
        {
            **{name: np.tile(value, repeats) for name, value in nodes.parameters.items()},
            "weight_drivers": (spread > 0).astype(float),
            "spread": spread,
        },
        nodes.states + drivers,
        {name: np.tile(value, repeats) for name, value in nodes.own.items()},
    )


def condition_on_drivers(
    nodes: Nodes,
    values: np.ndarray,
    years: np.ndarray,
    breaks: np.ndarray,
    drivers: Drivers,
    spreads: Sequence[float],
    floor: float,
    discounts: Sequence[float],
) -> Driven:
    """Weigh nodes and the effects of drivers by a series.

    Parameters
    ----------
    nodes : Nodes
        Of the model without drivers.
    values, years, breaks : ndarray, shape (n_years,)
        As for `forecast.models.series.statespace.condition`.
    spreads : sequence of float
        Prior standard deviations of an effect that are weighed, in units of the innovations.
    floor, discounts
        As for `condition`.
    """
    size = len(drivers.names)
    wide = extended(nodes, tuple(spreads), drivers.names)
    moved = np.swapaxes(wide.transition, 1, 2)
    met = drivers.lagged(years)
    observed = ~np.isnan(values)
    shift = float(values[observed][0])
    state = np.zeros(wide.design.shape)
    covariance = wide.initial + DIFFUSE * np.diag(wide.diffuse.astype(float))
    forget = DIFFUSE * np.diag(wide.level.astype(float))
    innovations = np.full((len(values), len(state)), np.nan)
    variance = np.full_like(innovations, np.nan)
    burned, to_burn = np.zeros(len(values), dtype=bool), int(wide.diffuse.sum())
    design = wide.design.copy()
    for year, value in enumerate(values):
        if year > 0:
            state = (wide.transition @ state[:, :, None])[:, :, 0]
            covariance = wide.transition @ covariance @ moved + wide.state_noise
        if breaks[year] and year > 0:
            covariance = covariance + forget
            to_burn += 1
        if not observed[year]:
            continue
        design[:, -size:] = met[year]
        product = (covariance @ design[:, :, None])[:, :, 0]
        variance[year] = (design * product).sum(axis=1) + wide.observation_noise
        error = value - shift - (design * state).sum(axis=1)
        gain = product / variance[year][:, None]
        state = state + gain * error[:, None]
        covariance = covariance - gain[:, :, None] * product[:, None, :]
        covariance = 0.5 * (covariance + np.swapaxes(covariance, 1, 2))
        if to_burn:
            burned[year] = True
            to_burn -= 1
        else:
            innovations[year] = error
    last = (state, root(covariance), shift)
    found = settle(wide, values, innovations, variance, observed & ~burned, last, floor, discounts)
    return Driven(**vars(found), drivers=drivers, remark="")


def simulate_with_drivers(
    posterior: Driven, ahead: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Draw futures of a series whose drivers take drawn paths.

    Parameters
    ----------
    ahead : ndarray, shape (n_draws, n_ahead, K)
        The drivers that each year ahead meets, see
        `forecast.models.series.drivers.futures`.

    Returns
    -------
    ndarray, shape (n_draws, n_ahead)
        In the unit of the series.
    """
    nodes, (n_draws, n_ahead, size) = posterior.nodes, ahead.shape
    chosen, scale, state = start(posterior, n_draws, generator)
    transition, design = nodes.transition[chosen], nodes.design[chosen]
    noise_root = root(nodes.state_noise)[chosen]
    noise = scale * np.sqrt(nodes.observation_noise[chosen])
    paths = np.empty((n_draws, n_ahead))
    for step in range(n_ahead):
        shocks = generator.standard_normal(state.shape)
        state = (transition @ state[:, :, None])[:, :, 0]
        state = state + scale[:, None] * (noise_root @ shocks[:, :, None])[:, :, 0]
        design[:, -size:] = ahead[:, step]
        paths[:, step] = (design * state).sum(axis=1) + noise * generator.standard_normal(n_draws)
    return paths + posterior.shift
