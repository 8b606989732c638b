"""How the rest of a year grew on the year before, learned from past years of all places at once.

Array kernels. What a year still lacks after `part` of its periods is compared with the same
periods of the year before; a pooled regression says how that change goes with what the year has
shown so far. Its errors have heavy tails, a part that a whole year shares, and counts' own noise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

from forecast.models.nowcast.settings import NowcastSettings

#: What is known of the year so far, by name; a column of `Rows.known` each, after the drift.
KNOWN = ("drift", "growth", "recent", "own", "unusual", "late", "previous")
#: Scales that no drawn error exceeds: a heavy tail of logarithms has no mean in persons.
MOST = 12.0
#: Standardised squared errors beyond this say no more about how restless a place is.
_LARGEST = 9.0


@dataclass(frozen=True)
class Rows:
    """Years of places at one number of periods in.

    Attributes
    ----------
    known : ndarray, shape (n_rows, 7)
        Columns `KNOWN`: 1; growth of the part so far on the year before; how much more its last
        quarter grew; how far the place's usual ratio of rest to part is from last year's, up to
        what is usual, and beyond; how much more the end of last year grew than all of it; its
        growth. Zero where not known.
    base : ndarray, shape (n_rows,)
        The rest of the year before, on the scale.
    rest : ndarray, shape (n_rows,)
        The rest of the year, on the scale; NaN where not known.
    place, group, year : ndarray of int, shape (n_rows,)
        Series, its source and measure, and the year, as positions.
    noise : ndarray, shape (n_rows,)
        Variance that counting alone gives; 0 of nets.
    """

    known: np.ndarray
    base: np.ndarray
    rest: np.ndarray
    place: np.ndarray
    group: np.ndarray
    year: np.ndarray
    noise: np.ndarray

    def of(self, chosen: np.ndarray) -> Rows:
        """Return some of the rows."""
        return Rows(*(column[chosen] for column in vars(self).values()))


@dataclass(frozen=True)
class GrowthLaw:
    """What past years say about the change of the rest.

    Attributes
    ----------
    mean : ndarray, shape (n_groups, 7)
        Coefficients by group.
    covariance : ndarray, shape (n_groups, 7, 7)
    variance, counting : float
        Of an error: `variance` plus `counting` times the noise of counts.
    tails : float
        Degrees of freedom of the errors.
    shared : ndarray, shape (n_groups,)
        Variance of what all places of a group have in common in a year.
    restless : ndarray, shape (n_places,)
        Variance of a place's errors as a multiple of that of all.
    """

    mean: np.ndarray
    covariance: np.ndarray
    variance: float
    counting: float
    tails: float
    shared: np.ndarray
    restless: np.ndarray

    def scale(self, rows: Rows) -> np.ndarray:
        """Return the variance-like scale of the error of each row."""
        scale = self.restless[rows.place] * self.variance + self.counting * rows.noise
        return np.asarray(scale)


def learn(
    rows: Rows, n_groups: int, n_places: int, settings: NowcastSettings, log: bool
) -> GrowthLaw:
    """Learn from past years.

    Parameters
    ----------
    rows : Rows
        Past years whose rest is known; possibly none.
    n_groups, n_places : int
    settings : NowcastSettings
    log : bool
        Whether the scale is that of logarithms.

    Returns
    -------
    GrowthLaw
    """
    prior = settings.prior
    change = rows.rest - rows.base
    start = (prior.error if log else prior.error_of_nets) ** 2
    law = GrowthLaw(
        *_coefficients(rows.of(np.zeros(len(change), bool)), change[:0], change[:0], n_groups,
                       settings),
        start, 1.0, settings.tails, np.full(n_groups, prior.shared**2 * start), np.ones(n_places),
    )  # fmt: skip
    shocks = np.zeros(len(change))
    for _ in range(settings.rounds if len(change) else 0):
        scale = law.scale(rows)
        # A year is judged by what the years before it say, as the year to be nowcast is.
        errors = np.zeros(len(change))
        for year in sorted(set(rows.year.tolist())):
            before, now = rows.year < year, rows.year == year
            mean, _ = _coefficients(
                rows.of(before), (change - shocks)[before], scale[before], n_groups, settings
            )
            errors[now] = (change - np.einsum("ij,ij->i", rows.known, mean[rows.group]))[now]
        shocks, shared = _shocks(rows, errors, scale, law, settings, start)
        variance, counting, tails = _variances(errors - shocks, rows, law, settings, start)
        law = replace(law, variance=variance, counting=counting, tails=tails, shared=shared)
        law = replace(law, restless=_restless(errors - shocks, rows, law, settings))
    mean, covariance = _coefficients(rows, change - shocks, law.scale(rows), n_groups, settings)
    return replace(law, mean=mean, covariance=covariance)


def _coefficients(
    rows: Rows, change: np.ndarray, scale: np.ndarray, n_groups: int, settings: NowcastSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Return coefficients and their covariance by group, each drawn to what all groups say."""
    prior = settings.prior
    centre, spread = (np.array([getattr(one, name) for name in KNOWN])
                      for one in (prior.mean, prior.spread))  # fmt: skip
    overall, inverse = _regress(rows.known, change, scale, centre, np.diag(spread**-2.0), settings)
    near = np.linalg.inv(inverse + np.diag((prior.groups * spread) ** 2))
    fits = [
        _regress(rows.known[mine], change[mine], scale[mine], overall, near, settings)
        for mine in (rows.group == group for group in range(n_groups))
    ]
    return np.array([mean for mean, _ in fits]), np.array([inverse for _, inverse in fits])


def _regress(
    known: np.ndarray,
    change: np.ndarray,
    scale: np.ndarray,
    centre: np.ndarray,
    precision: np.ndarray,
    settings: NowcastSettings,
) -> tuple[np.ndarray, np.ndarray]:
    """Return coefficients and their covariance under errors with heavy tails (iterated weights)."""
    mean = centre
    for _ in range(settings.rounds):
        squares = (change - known @ mean) ** 2 / scale
        weights = (settings.tails + 1) / (settings.tails + squares) / scale
        matrix = known.T @ (known * weights[:, None]) + precision
        mean = np.linalg.solve(matrix, known.T @ (weights * change) + precision @ centre)
    return mean, np.linalg.inv(matrix)


def _shocks(
    rows: Rows,
    errors: np.ndarray,
    scale: np.ndarray,
    law: GrowthLaw,
    settings: NowcastSettings,
    start: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the shock of each row's year, and the variance of shocks by group."""
    prior, n_groups = settings.prior, len(law.shared)
    found, sure = np.zeros(len(errors)), np.zeros(len(errors))
    weights = (law.tails + 1) / (law.tails + errors**2 / scale) / scale
    seen: list[list[float]] = [[] for _ in range(n_groups)]
    for group, year in sorted(set(zip(rows.group.tolist(), rows.year.tolist()))):
        mine = (rows.group == group) & (rows.year == year)
        sure[mine] = weights[mine].sum()
        found[mine] = (weights * errors)[mine].sum() / sure[mine]
        seen[group].append(float(max(found[mine][0] ** 2 - 1.0 / sure[mine][0], 0.0)))
    pull, usual = prior.shared_years, prior.shared**2 * start
    overall = (pull * usual + sum(map(sum, seen)) / n_groups) / (
        pull + sum(map(len, seen)) / n_groups
    )
    shared = np.array([(pull * overall + sum(own)) / (pull + len(own)) for own in seen])
    kept = shared[rows.group]
    return found * kept / (kept + 1.0 / sure), shared


def _variances(
    errors: np.ndarray, rows: Rows, law: GrowthLaw, settings: NowcastSettings, start: float
) -> tuple[float, float, float]:
    """Return the variance of errors, the multiple of counting noise and the tails that fit best."""
    prior, factor = settings.prior, law.restless[rows.place]
    centre = np.log([start, 1.0, settings.tails])
    spread = np.array([prior.error_spread, 1.0, prior.tails_spread])

    def misfit(logs: np.ndarray) -> float:
        variance, counting, tails = np.exp(logs)
        scale = variance * factor + counting * rows.noise
        fit = (tails + 1) / 2 * np.log1p(errors**2 / (tails * scale)) + 0.5 * np.log(scale)
        constant = gammaln((tails + 1) / 2) - gammaln(tails / 2) - 0.5 * np.log(tails)
        pull = ((logs - centre) / spread) ** 2
        return float(fit.sum() - len(errors) * constant + 0.5 * pull.sum())

    corners = np.vstack([centre, centre + 0.5 * np.eye(3)])
    best = minimize(
        misfit, centre, method="Nelder-Mead",
        options={"xatol": 0.01, "fatol": 0.01, "initial_simplex": corners},
    )  # fmt: skip
    variance, counting, tails = np.exp(best.x)
    return float(variance), float(counting), float(tails)


def _restless(
    errors: np.ndarray, rows: Rows, law: GrowthLaw, settings: NowcastSettings
) -> np.ndarray:
    """Return how large the errors of each place are, drawn to that of all."""
    even = replace(law, restless=np.ones_like(law.restless)).scale(rows)
    squares = np.minimum(errors**2 / even, _LARGEST)
    usual = max(float(squares.mean()), 1e-9)
    n_places, pull = len(law.restless), settings.prior.restless_years
    sums = np.bincount(rows.place, squares / usual, n_places)
    return np.asarray((pull + sums) / (pull + np.bincount(rows.place, minlength=n_places)))


def draw(
    law: GrowthLaw, rows: Rows, shocks: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Return draws of the expected rest, on the scale, shape (n_draws, n_rows).

    Counts are still to be drawn around it: the noise of counting is in here only as far as it is
    larger than that of independent events.

    Parameters
    ----------
    law : GrowthLaw
    rows : Rows
        Of the year.
    shocks : ndarray, shape (n_draws, n_groups)
        What all places of a group have in common, of scale 1.
    generator : numpy.random.Generator
    """
    n_draws = len(shocks)
    found = np.zeros((n_draws, len(rows.base)))
    for group in sorted(set(rows.group.tolist())):
        mine = rows.group == group
        root = np.linalg.cholesky(law.covariance[group])
        coefficients = law.mean[group] + generator.standard_normal((n_draws, len(KNOWN))) @ root.T
        shared = shocks[:, [group]] * np.sqrt(law.shared[group])
        found[:, mine] = coefficients @ rows.known[mine].T + shared
    scale = law.restless[rows.place] * law.variance + max(law.counting - 1.0, 0.0) * rows.noise
    errors = heavy(generator, law.tails, found.shape)
    return np.asarray(rows.base + found + errors * np.sqrt(scale))


def heavy(generator: np.random.Generator, tails: float, size: tuple[int, ...]) -> np.ndarray:
    """Return Student errors of scale 1, none larger than `MOST`.

    Parameters
    ----------
    generator : numpy.random.Generator
        Source of the randomness.
    tails : float
        Degrees of freedom; the fewer, the heavier.
    size : tuple of int
        Shape of the result.

    Returns
    -------
    ndarray, shape `size`
        Between -`MOST` and `MOST`.
    """
    return np.asarray(np.clip(generator.standard_t(tails, size), -MOST, MOST))
