"""Covariates of one place up to an origin, their joint futures, and the Kalman filter with them.

In the filter their effects are states that never change. The design of such a state is the
driver's value, which differs from year to year, so the gains depend on the drivers and are
computed anew (Harvey 1989, section 7.3). The prior of an effect is normal around zero, relative
to the variance of the innovations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from forecast import locations
from forecast.errors import DataError, unknown_name
from forecast.models.series.representation import Nodes, SeriesPosterior, root, start
from forecast.models.series.statespace import DIFFUSE, settle

_COLUMNS = ("location", "measure", "year", "value")
FORMS = ("ratio", "relative", "change", "level")


@dataclass(frozen=True, eq=False)
class Drivers:
    """What is known of the drivers of one place at an origin.

    Attributes
    ----------
    names : tuple of str
        The K drivers.
    years : ndarray of int, shape (n,)
        From the first year in which any is known to the origin.
    values : ndarray, shape (n, K)
        In units of a usual value: mean zero and standard deviation one up to the origin.
        NaN where there is no figure.
    """

    names: tuple[str, ...]
    years: np.ndarray
    values: np.ndarray

    def lagged(self, years: np.ndarray) -> np.ndarray:
        """Return the values of the year before each year, shape (n_years, K).

        Before its first figure a driver stands still at it, and so says nothing; where figures
        are missing later it stands still at the last one.
        """
        filled = pd.DataFrame(self.values).ffill().bfill().to_numpy()
        position = np.clip(np.asarray(years) - 1 - self.years[0], 0, len(self.years) - 1)
        return np.asarray(filled[position])


def check(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return covariates by measure, each a table of years by places, or say what is wrong.

    Raises
    ------
    DataError
        Naming the column, the row and the remedy.
    """
    missing = [name for name in _COLUMNS if name not in table]
    if missing:
        raise DataError(
            f"covariates have no column {missing[0]!r}; give {', '.join(_COLUMNS)}, one row per "
            "place, measure and year."
        )
    kept = table[list(_COLUMNS)].dropna(subset=["value"])
    numbers = pd.to_numeric(kept["value"], errors="coerce")
    if numbers.isna().any():
        row = kept[numbers.isna()].iloc[0]
        raise DataError(
            f"covariate {row['measure']} of {row['location']} in {row['year']} is "
            f"{row['value']!r}; give a number."
        )
    if kept.duplicated(list(_COLUMNS[:3])).any():
        row = kept[kept.duplicated(list(_COLUMNS[:3]))].iloc[0]
        raise DataError(
            f"covariate {row['measure']} of {row['location']} in {row['year']} stands twice. "
            "Keep one row."
        )
    typed = kept.assign(value=numbers.astype(float), year=kept["year"].astype(int))
    return {
        str(measure): rows.pivot(index="year", columns="location", values="value").sort_index()
        for measure, rows in typed.groupby("measure")
    }


def drivers(
    tables: Mapping[str, pd.DataFrame],
    location: str,
    origin: int,
    wanted: Sequence[Mapping[str, Any]],
    minimum: int,
) -> Drivers | None:
    """Return the drivers of a place as they stood at an origin.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        From `check`; rows after the origin are never looked at.
    wanted : sequence of mapping
        ``name, measure, form`` and perhaps ``to`` or ``place``, see ``models/regression.toml``.
    minimum : int
        Fewest years for a driver to be used.

    Returns
    -------
    Drivers or None
        None if no driver of the place has figures enough.
    """
    columns = {}
    for driver in wanted:
        if driver["form"] not in FORMS:
            raise unknown_name(f"form of the driver {driver['name']!r}", driver["form"], FORMS)
        if driver["measure"] not in tables:
            continue
        made = _column(tables[driver["measure"]].loc[:origin], location, driver)
        if len(made) >= minimum and float(made.std()) > 0:
            columns[str(driver["name"])] = (made - made.mean()) / made.std()
    if not columns:
        return None
    joined = pd.DataFrame(columns).sort_index()
    years = np.arange(int(joined.index[0]), origin + 1)
    values = joined.reindex(years).to_numpy(dtype=float)
    return Drivers(tuple(columns), years, values)


def _column(known: pd.DataFrame, location: str, driver: Mapping[str, Any]) -> pd.Series[float]:
    """Return one driver by year, where it can be told."""
    form, nothing = driver["form"], pd.Series(dtype=float)
    place = str(driver.get("place", location))
    if place not in known or place == driver.get("to"):
        return nothing
    own = known[place].dropna()
    if form == "level":
        return own
    if form == "change":
        logs = np.log(own[own > 0])
        followed = pd.Series(logs.index, logs.index).diff() == 1
        return pd.Series(100 * logs.diff()[followed].dropna())
    if form == "ratio":
        against = known[driver["to"]].dropna() if driver["to"] in known else nothing
    else:
        country = locations.country_of(location)
        inside = [code for code in known if code != country and _within(str(code), country)]
        if country == location:
            return nothing
        against = known[inside].mean(axis=1).dropna()
    both = own[own > 0].index.intersection(against[against > 0].index)
    return pd.Series(np.log(own[both] / against[both]), both)


def _within(place: str, country: str) -> bool:
    return locations.country_of(place) == country


#: Prior of the persistence: mean and standard deviation. Levels last, growth rates do not.
_PERSISTENCE = (0.7, 0.3)
#: Prior standard deviation of the constant, in standard deviations of the driver.
_CONSTANT = 0.5
#: Share of the observed correlations of surprises that is believed.
_BELIEVED = 0.7


def futures(
    drivers: Drivers, n_ahead: int, n_draws: int, generator: np.random.Generator
) -> np.ndarray:
    """Draw the drivers' values that meet the series in the years ahead.

    Parameters
    ----------
    drivers : Drivers
        Of the place, up to the origin.
    n_ahead : int
        Steps after the series' last year.
    n_draws : int
        Simulated futures.
    generator : numpy.random.Generator
        Source of the randomness.

    Returns
    -------
    ndarray, shape (n_draws, n_ahead, K)
        Lagged: the first year ahead meets the value of the origin, observed or drawn.
    """
    values, size = drivers.values, drivers.values.shape[1]
    fitted = [_fit(values[:, column]) for column in range(size)]
    residuals = np.column_stack([residual for _, _, _, _, residual in fitted])
    mixing = np.linalg.cholesky(_correlation(residuals))
    slopes, scales = np.empty((n_draws, 2, size)), np.empty((n_draws, size))
    for column, (mean, spread, degrees, squares, _) in enumerate(fitted):
        scales[:, column] = np.sqrt(squares / generator.chisquare(degrees, n_draws))
        normal = generator.standard_normal((n_draws, 2))
        slopes[:, :, column] = mean + scales[:, [column]] * (normal @ spread.T)
    # A driver that runs away would say more than any past of it does.
    slopes[:, 1] = np.clip(slopes[:, 1], -1.0, 1.0)
    known = ~np.isnan(values)
    last_known = [int(np.flatnonzero(known[:, column])[-1]) for column in range(size)]
    start = min(last_known)
    current = np.tile(np.where(known[start], values[start], 0.0), (n_draws, 1))
    path = np.empty((n_draws, n_ahead, size))
    for position in range(start, len(values) - 1 + n_ahead):
        if position > start:
            shocks = generator.standard_normal((n_draws, size)) @ mixing.T
            drawn = slopes[:, 0] + slopes[:, 1] * current + scales * shocks
            inside = position < len(values)
            stated = known[position] if inside else np.zeros(size, dtype=bool)
            current = np.where(stated, values[position] if inside else 0.0, drawn)
        ahead = position - (len(values) - 1)
        if 0 <= ahead < n_ahead:
            path[:, ahead] = current
    return path


def _fit(column: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float, np.ndarray]:
    """Regress a driver on its year before.

    Returns
    -------
    mean : ndarray, shape (2,)
        Constant and persistence.
    root : ndarray, shape (2, 2)
        Square root of their covariance relative to the variance of the surprises.
    degrees, squares : float
        Of the variance: inverse gamma.
    residual : ndarray, shape (n - 1,)
        NaN where one of the two years is missing.
    """
    before, after = column[:-1], column[1:]
    paired = ~(np.isnan(before) | np.isnan(after))
    design = np.column_stack([np.ones(paired.sum()), before[paired]])
    # Relative to surprises of half a standard deviation of the driver.
    precision = np.diag([0.25 / _CONSTANT**2, 0.25 / _PERSISTENCE[1] ** 2])
    prior = np.array([0.0, _PERSISTENCE[0]])
    total = design.T @ design + precision
    mean = np.linalg.solve(total, design.T @ after[paired] + precision @ prior)
    error = after[paired] - design @ mean
    off = mean - prior
    degrees = float(paired.sum()) + 2.0
    squares = float(error @ error + off @ precision @ off) + 2.0 * 0.25
    residual = np.full(len(before), np.nan)
    residual[paired] = error
    return mean, np.linalg.cholesky(np.linalg.inv(total)), degrees, squares, residual


def _correlation(residuals: np.ndarray) -> np.ndarray:
    """Return the correlation of the surprises, pulled towards none."""
    whole = residuals[~np.isnan(residuals).any(axis=1)]
    size = residuals.shape[1]
    if size == 1 or len(whole) < 3:
        return np.eye(size)
    found = np.corrcoef(whole.T)
    return np.asarray(_BELIEVED * found + (1 - _BELIEVED) * np.eye(size))


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
