"""Weights from past scores: CRPS stacking with a pull towards equal weights.

The CRPS of a linear pool is a quadratic function of its weights,

    CRPS(w) = Σ_k w_k E|X_k − y| − ½ Σ_kl w_k w_l E|X_k − X_l|,

convex on the simplex, so the best weights are the solution of a small quadratic programme
(Gneiting & Raftery 2007, doi:10.1198/016214506000001437, section 4.2; stacking of predictive
distributions: Yao et al. 2018, doi:10.1214/17-BA1091). Members that say the same thing share
a weight; one that scores badly alone may still earn some, by covering what others miss.

Calm and stormy series: who learns from whom.

A model that is best for a country of refugee movements need not be so for a calm one, and
one factor on all widths leaves calm series too wide and stormy ones too narrow. Where a
scale has many series they are therefore split by their usual yearly change, and each part
learns from its own past forecasts (for the widths this is Mondrian conformal prediction,
Vovk et al. 2005, doi:10.1007/b106715, section 4.5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecast.contract import ModelBase, meant_for
from forecast.hindcast.quantiles import Hindcasts
from forecast.hindcast.vintages import Outcomes
from forecast.panel import Panel
from forecast.series_key import SeriesKey


def number(n_series: int, least: int, most: int) -> int:
    """Return how many parts so many series make, each of at least `least` series.

    Parameters
    ----------
    n_series : int
        Series that share a scale.
    least : int
        Fewest series that learn weights of their own.
    most : int
        Most parts.

    Returns
    -------
    int
        At least one, even of fewer series than `least`.
    """
    return int(np.clip(n_series // least, 1, most))


def ranked(sizes: np.ndarray, parts: int) -> np.ndarray:
    """Return the part of each series, 0 for the calmest; unknown sizes count as calm.

    Parameters
    ----------
    sizes : ndarray, shape (n_series,)
        Usual size of the changes of each series, on its scale; NaN where it is unknown.
    parts : int
        Into how many parts of about equal number they are divided.

    Returns
    -------
    ndarray of int, shape (n_series,)
        From 0 to ``parts - 1``.
    """
    order = np.argsort(np.argsort(np.nan_to_num(sizes, nan=0.0), kind="stable"), kind="stable")
    return np.asarray(order * parts // max(len(sizes), 1))


def of_series(sizes: Mapping[SeriesKey, float], parts: int) -> dict[SeriesKey, int]:
    """Return the part of every series now.

    Parameters
    ----------
    sizes : mapping of (source, location, measure) to float
        Usual size of the changes of each series, on its scale; NaN where it is unknown.
    parts : int
        See `ranked`.

    Returns
    -------
    dict of (source, location, measure) to int
        In the order of `sizes`; 0 for the calmest.
    """
    parts_of = ranked(np.array(list(sizes.values())), parts)
    return {key: int(part) for key, part in zip(sizes, parts_of)}


def split(hindcasts: Sequence[Hindcasts], parts: int) -> list[list[Hindcasts]]:
    """Split hindcasts by how stormy the series was among the others at its origin.

    Parameters
    ----------
    hindcasts : sequence of Hindcasts
        By steps ahead.

    Returns
    -------
    list of list of Hindcasts
        By part, and by steps ahead.
    """
    if parts == 1:
        return [list(hindcasts)]
    sizes: dict[int, dict[SeriesKey, float]] = {}
    for made in hindcasts:
        for origin, key, size in zip(made.origin.tolist(), made.keys, made.size):
            sizes.setdefault(origin, {})[key] = float(size)
    part = {origin: of_series(by_key, parts) for origin, by_key in sizes.items()}
    by_part: list[list[Hindcasts]] = [[] for _ in range(parts)]
    for made in hindcasts:
        own = np.array(
            [part[origin][key] for origin, key in zip(made.origin.tolist(), made.keys)], dtype=int
        )
        for which, chosen in enumerate(by_part):
            chosen.append(made.where(own == which))
    return by_part


def special(members: Sequence[ModelBase], panel: Panel) -> dict[SeriesKey, str]:
    """Return the names of the members with needs that a series meets, joined by commas.

    Such series learn apart: a member that is there for few of the series of a scale would
    otherwise decide the weights of all.

    Parameters
    ----------
    members : sequence of ModelBase
        Models of the ensemble; those without needs are for every series.
    panel : Panel
        Its series are asked whether they meet the needs.

    Returns
    -------
    dict of (source, location, measure) to str
        Empty text for a series that meets none; every series of the panel is there.
    """
    needing = [(model.name, meant_for(model, panel)) for model in members if model.needs]
    return {
        one.key: ", ".join(name for name, series in needing if one.key in series) for one in panel
    }


def by_scale(members: Sequence[ModelBase], outcomes: Outcomes) -> dict[str, list[SeriesKey]]:
    """Return the series that share a scale and members with needs, by the label of the group.

    Parameters
    ----------
    members : sequence of ModelBase
        Models of the ensemble, see `special`.
    outcomes : Outcomes
        The panel, and the scale of each of its series.

    Returns
    -------
    dict of str to list of (source, location, measure)
        By label, sorted: the scale, or the scale ``with`` names of members.
    """
    needing = special(members, outcomes.panel)
    labels: dict[str, list[SeriesKey]] = {}
    for key, kind in outcomes.kinds.items():
        label = f"{kind} with {needing[key]}" if needing[key] else kind
        labels.setdefault(label, []).append(key)
    return dict(sorted(labels.items()))


@dataclass(frozen=True)
class Terms:
    """What the CRPS of every pool of some members is made of, per past forecast.

    Attributes
    ----------
    distance : ndarray, shape (n_members, n)
        E|X_k − y|; NaN where a member made no forecast.
    apart : ndarray, shape (n_members, n_members, n)
        E|X_k − X_l|.
    """

    distance: np.ndarray
    apart: np.ndarray


def terms(quantiles: np.ndarray, observed: np.ndarray) -> Terms:
    """Return the parts of the CRPS of every linear pool.

    Parameters
    ----------
    quantiles : ndarray, shape (n_members, n_points, n)
        At equally spaced probabilities; NaN where a member made no forecast.
    observed : ndarray, shape (n,)
    """
    members, points, size = quantiles.shape
    ordered = np.sort(quantiles, axis=1)
    own = (2.0 * np.arange(1, points + 1) - points - 1)[:, None]
    apart = np.empty((members, members, size))
    for k in range(members):
        apart[k, k] = 2.0 * (own * ordered[k]).sum(axis=0) / points**2
    both = (2.0 * np.arange(1, 2 * points + 1) - 2 * points - 1)[:, None]
    for k in range(members):
        for m in range(k + 1, members):
            # The mean distance within an equal mixture holds the one between its halves.
            mixed = np.sort(np.concatenate([ordered[k], ordered[m]]), axis=0)
            within = 2.0 * (both * mixed).sum(axis=0) / (2 * points) ** 2
            apart[k, m] = apart[m, k] = 2.0 * within - 0.5 * (apart[k, k] + apart[m, m])
    return Terms(np.abs(ordered - observed).mean(axis=1), apart)


def average(cells: Terms, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average the terms over past forecasts, fairly to members that made only some of them.

    A member that is absent from a forecast is compared with the others where it was there,
    and the ratio of the scores is applied to their average over all forecasts. So a member that is
    costly, young or needs long series can be judged by fewer forecasts.

    Parameters
    ----------
    share : ndarray, shape (n,)
        Weight of each past forecast.

    Returns
    -------
    distance : ndarray, shape (n_members,)
        Infinite for a member that never made a forecast.
    apart : ndarray, shape (n_members, n_members)
    """
    there = np.isfinite(cells.distance)
    members = len(there)
    weighed = np.where(there, share, 0.0)
    # The members present most often set the level; the others are held against them.
    most = weighed.sum(axis=1).max(initial=0.0)
    distance = np.full(members, np.inf)
    apart = np.zeros((members, members))
    if most <= 0.0:
        return distance, apart
    full = weighed.sum(axis=1) >= 0.999 * most
    values = np.where(there, cells.distance, 0.0)
    own = np.einsum("kkn->kn", cells.apart)
    scores = np.where(there, cells.distance - 0.5 * own, 0.0)
    level = (scores[full] * weighed[full]).sum() / weighed[full].sum()
    ratio = np.zeros((members, members))
    for k in range(members):
        for m in range(k, members):
            common = there[k] & there[m] & there[full].all(axis=0)
            mass = np.where(common, share, 0.0)
            if mass.sum() <= 0.0:
                continue
            here = (scores[full] * mass).sum() / (mass.sum() * full.sum())
            ratio[k, m] = level / here if here > 0 else 1.0
            apart[k, m] = apart[m, k] = (
                ratio[k, m] * np.where(common, cells.apart[k, m], 0.0) @ mass / mass.sum()
            )
            if k == m:
                distance[k] = ratio[k, k] * (values[k] @ mass) / mass.sum()
    return distance, apart


def stack(
    distance: np.ndarray, apart: np.ndarray, pull: float, centre: np.ndarray | None = None
) -> np.ndarray:
    """Return the weights that minimise the CRPS of the pool plus a pull towards other ones.

    Parameters
    ----------
    distance : ndarray, shape (n_members,)
        Mean E|X_k − y|; infinite for members that cannot be judged, which get no weight
        where others can.
    apart : ndarray, shape (n_members, n_members)
        Mean E|X_k − X_l|.
    pull : float
        Strength of the pull, relative to the score of the best single member:
        ``pull * n_members * Σ (w_k − c_k)²``; infinite gives the centre itself.
    centre : ndarray, shape (n_members,), optional
        Weights c that others are pulled to; equal ones by default.

    Returns
    -------
    ndarray, shape (n_members,)
        Not negative, adding to one.
    """
    from scipy.optimize import minimize

    members = len(distance)
    centre = np.full(members, 1.0 / members) if centre is None else centre
    judged = np.isfinite(distance)
    if not np.isfinite(pull) or judged.sum() == 0:
        return centre
    if not judged.all():
        weights = np.zeros(members)
        left = centre[judged].sum()
        inner = centre[judged] / left if left > 0 else None
        weights[judged] = stack(distance[judged], apart[np.ix_(judged, judged)], pull, inner)
        return weights
    best = float(alone(distance, apart).min())
    if best <= 0.0 or members == 1:
        return centre
    d, a = distance / best, apart / best

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        off = w - centre
        value = w @ d - 0.5 * w @ a @ w + pull * members * off @ off
        return float(value), d - a @ w + 2.0 * pull * members * off

    found = minimize(
        loss,
        centre,
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * members,
        constraints={
            "type": "eq",
            "fun": lambda w: w.sum() - 1.0,
            "jac": lambda w: np.ones(members),
        },
        options={"maxiter": 200, "ftol": 1e-10},
    )
    weights = np.clip(found.x, 0.0, None)
    return np.asarray(weights / weights.sum())


def pull_of(independent: float, strength: float) -> float:
    """Return how strongly weights are pulled towards equality.

    Parameters
    ----------
    independent : float
        About how many separate past forecasts there are; see
        `forecast.models.ensemble.model`.
    strength : float
        Pull at one such forecast, falling in proportion.
    """
    return strength / independent if independent > 0 else float("inf")


def over_steps(averages: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Average the terms of several steps ahead, every step counting alike.

    Parameters
    ----------
    averages : sequence of (ndarray, ndarray)
        What `average` returns, of each step that can be judged.

    Returns
    -------
    distance : ndarray, shape (n_members,)
        In units of the CRPS of the best member at each step; infinite for a member that was
        never judged, for all members where no step has a best one.
    apart : ndarray, shape (n_members, n_members)
    """
    best = [float(alone(*terms).min()) for terms in averages]
    sound = [(d / b, a / b) for (d, a), b in zip(averages, best) if 0.0 < b < np.inf]
    members = len(averages[0][0])
    mean = np.full(members, np.inf)
    if not sound:
        return mean, np.zeros((members, members))
    distance = np.stack([d for d, _ in sound])
    scored = np.isfinite(distance)
    some = scored.any(axis=0)
    mean[some] = np.where(scored, distance, 0.0).sum(axis=0)[some] / scored.sum(axis=0)[some]
    both = scored[:, :, None] & scored[:, None, :]
    apart = np.where(both, np.stack([a for _, a in sound]), 0.0).sum(axis=0)
    return mean, apart / np.maximum(both.sum(axis=0), 1)


def alone(distance: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """Return the CRPS of each member by itself.

    Parameters
    ----------
    distance : ndarray, shape (n_members,)
    apart : ndarray, shape (n_members, n_members)
        As `average` returns them.

    Returns
    -------
    ndarray, shape (n_members,)
    """
    return np.asarray(distance - 0.5 * np.diag(apart))


def smoothed(weights: np.ndarray, neighbours: int) -> np.ndarray:
    """Average the weights of each step with those of its neighbours, less with distance.

    Few past forecasts leave the best weights of one step undecided among many that score
    nearly alike; what differs from one step to the next is then chance, and moves the ends of
    the intervals by far more than the score.

    Parameters
    ----------
    weights : ndarray, shape (n_steps, n_members)
        Each row adding to one.
    neighbours : int
        To each side; 0 changes nothing.

    Returns
    -------
    ndarray, shape (n_steps, n_members)
    """
    steps = np.arange(len(weights))
    kernel = np.maximum(0.0, 1.0 - np.abs(steps[:, None] - steps) / (neighbours + 1.0))
    return np.asarray(kernel @ weights / kernel.sum(axis=1, keepdims=True))
