"""What the past of one series says about its way back, and regressions over many series.

Kernels of `forecast.models.series.pooled`: gaps between the present and past levels, how stormy
the series has been, the median regression of changes, and the regression of their spread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Years that make the recent level.
RECENT = 10
#: Beyond this many mean absolute deviations from the median a value is an excursion.
USUAL = 3.0
#: Share of last year's weight in the recent mean absolute change.
MEMORY = 0.8
#: Names of the gaps and of the measures of storminess, in order.
GAPS = ("all_past", "recent", "excursion")
SPREADS = ("change", "recent_change", "deviation", "recent_deviation", "distance")


@dataclass(frozen=True)
class SeriesPast:
    """One series as it stood at each of its years.

    Attributes
    ----------
    where : ndarray of int, shape (n,)
        Positions of the years that have a usable value and enough past.
    years : ndarray of int, shape (n,)
        Usable years up to there, since the last break.
    value : ndarray, shape (n,)
        The value there.
    gaps : ndarray, shape (n, len(GAPS))
        Mean of all past, mean of the recent past and edge of the usual range, each minus
        the value; the last is zero inside the usual range.
    spreads : ndarray, shape (n, len(SPREADS))
        Mean absolute change (all, recent), standard deviation (all, recent), and distance
        of the value from its mean.
    """

    where: np.ndarray
    years: np.ndarray
    value: np.ndarray
    gaps: np.ndarray
    spreads: np.ndarray


def past(values: np.ndarray, breaks: np.ndarray, minimum: int, step: int = 1) -> SeriesPast:
    """Describe every year of a series by what had been observed up to it.

    Parameters
    ----------
    values : ndarray, shape (n_years,)
        On the model's scale; NaN in years that are missing or must not steer.
    breaks : ndarray of bool, shape (n_years,)
        Years that start a new level; what lies before the last one is forgotten.
    minimum : int
        Usable years since the last break that a description needs.
    step : int
        Years per value.

    Returns
    -------
    SeriesPast
        Row *i* depends on values up to ``where[i]`` only.
    """
    usable = np.flatnonzero(~np.isnan(values))
    starts = np.flatnonzero(breaks)
    window = max(2, -(-RECENT // step))
    where, years, value, gaps, spreads = [], [], [], [], []
    for position in usable:
        before = starts[starts <= position]
        since = usable[(usable <= position) & (usable >= (before[-1] if len(before) else 0))]
        if len(since) < minimum:
            continue
        known = values[since]
        last, mean, middle = known[-1], known.mean(), np.median(known)
        recent = values[since[since > position - window]]
        usual = USUAL * np.abs(known - middle).mean()
        changes = np.abs(np.diff(known))
        ages = (position - since[1:]) * step
        fading = MEMORY**ages
        where.append(position)
        years.append(len(since))
        value.append(last)
        gaps.append(
            (
                mean - last,
                recent.mean() - last,
                np.clip(last, middle - usual, middle + usual) - last,
            )
        )
        spreads.append(
            (
                changes.mean(),
                float(fading @ changes / fading.sum()),
                known.std(),
                recent.std(),
                abs(mean - last),
            )
        )
    return SeriesPast(
        np.array(where, dtype=int),
        np.array(years, dtype=int),
        np.array(value, dtype=float),
        np.array(gaps, dtype=float).reshape(-1, len(GAPS)),
        np.array(spreads, dtype=float).reshape(-1, len(SPREADS)),
    )


def median_regression(
    design: np.ndarray,
    response: np.ndarray,
    weights: np.ndarray,
    ridge: float,
    clusters: np.ndarray,
    smallest: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Regress the median of a response, by iteratively reweighted least squares.

    Parameters
    ----------
    design : ndarray, shape (n, p)
    response : ndarray, shape (n,)
    weights : ndarray, shape (n,)
    ridge : float
        Pull towards zero, as if that many average observations said so.
    clusters : ndarray, shape (n,)
        Observations of one cluster may share their surprise.
    smallest : float
        Residuals below this count as this.

    Returns
    -------
    coefficients : ndarray, shape (p,)
    covariance : ndarray, shape (p, p)
        Sandwich estimate, clustered (Parente & Santos Silva 2016,
        doi:10.1515/jem-2014-0012).
    """
    n_parameters = design.shape[1]
    coefficients = np.zeros(n_parameters)
    size = (design**2 * weights[:, None]).sum(axis=0) * ridge / len(response)
    residual = response
    for _ in range(60):
        reweighted = weights / np.maximum(np.abs(residual), smallest)
        # The pull counts as average observations with a residual of usual size.
        pull = np.diag(size / max(float(np.median(np.abs(residual))), smallest))
        gram = (design * reweighted[:, None]).T @ design + pull
        updated = np.linalg.pinv(gram) @ (design.T @ (reweighted * response))
        moved = np.abs(updated - coefficients).max()
        coefficients = updated
        residual = response - design @ coefficients
        if moved < 1e-7:
            break
    # The curvature of the absolute loss is twice the density of the residuals at zero,
    # counted in a window that holds half of them (Powell 1991, in Barnett et al.,
    # Nonparametric and Semiparametric Methods in Econometrics and Statistics).
    usual = max(float(np.median(np.abs(residual))), smallest)
    near = (np.abs(residual) < usual) / usual
    curvature = (design * (weights * near)[:, None]).T @ design + np.diag(size / usual)
    bread = np.linalg.pinv(curvature)
    scores = design * (weights * np.sign(residual))[:, None]
    _, cluster = np.unique(clusters, return_inverse=True)
    summed = np.zeros((cluster.max() + 1, n_parameters))
    np.add.at(summed, cluster, scores)
    return coefficients, bread @ (summed.T @ summed) @ bread


def spread_regression(
    design: np.ndarray, size: np.ndarray, ridge: float, prior: np.ndarray
) -> np.ndarray:
    """Regress the mean absolute residual on a log-linear design.

    Maximises the Laplace likelihood, −log s − size/s with log s = design · coefficients,
    so that a residual of nearly zero (an interpolated stretch) does not drive the fit as
    it would a regression of log residuals.

    Parameters
    ----------
    design : ndarray, shape (n, p)
    size : ndarray, shape (n,)
        Absolute residuals, above zero.
    ridge : float
        Pull towards `prior`, as if that many observations said so.
    prior : ndarray, shape (p,)

    Returns
    -------
    ndarray, shape (p,)
    """
    coefficients = prior.copy()
    # The level first: with it the Newton steps start near the answer.
    coefficients[0] += np.log(np.mean(size / np.exp(design @ coefficients)))
    pull = ridge * np.eye(len(prior))
    pull[0, 0] = 0.0
    for _ in range(60):
        ratio = size / np.exp(np.clip(design @ coefficients, -30, 30))
        gradient = design.T @ (1.0 - ratio) + pull @ (coefficients - prior)
        curvature = (design * ratio[:, None]).T @ design + pull + 1e-9 * np.eye(len(prior))
        change = np.linalg.solve(curvature, gradient)
        change *= min(1.0, 1.0 / max(np.abs(change).max(), 1e-12))
        coefficients = coefficients - change
        if np.abs(change).max() < 1e-8:
            break
    return coefficients
