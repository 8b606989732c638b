"""Conditional forecasts: what follows for everything else if one series turns out so.

Draws are joint, so a condition on one series says something about the others: draws that
do not meet it are left out, those that meet it in part count for less.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.corridors import with_ends
from forecast.draw_tables import TABLE_KEY
from forecast.errors import DataError
from forecast.language import plain
from forecast.outlook import Forecast
from forecast.scenarios.conditions import Condition, Given, conditions

#: Fewest draws, in effect, that a conditional forecast may rest on.
MINIMUM = 100
#: Largest shape of the Pareto tail of the weights (Vehtari et al. 2024).
LARGEST_SHAPE = 0.7


@dataclass(frozen=True, eq=False)
class Conditional:
    """A forecast given conditions.

    Attributes
    ----------
    conditions : tuple of Condition
    baseline : Forecast
        The forecast as it was.
    forecast : Forecast
        The forecast given the conditions. Under bounds alone its draws are those of the
        baseline that meet them, so there are fewer; under soft conditions as many as before,
        drawn by systematic resampling. The coordinate ``world`` on ``draw`` says which draw of
        the baseline each is, and ``paths.attrs["condition"]`` what was taken for given. If
        the conditions are certain, it is the baseline itself.
    weights : ndarray, shape (n_draws,)
        Weight of each draw of the baseline; they add up to 1.
    chance : float
        Share of the baseline's draws that meet all bounds; 1 if there are none.
    effective : float
        Effective sample size (Kish 1965): 1 / sum of squared weights.
    shape : float
        Shape of the Pareto tail of the weights (below 0: the largest weights are bounded);
        NaN under bounds alone, where it says nothing.
    table : DataFrame
        One row per condition: ``condition, chance``, the share of baseline draws that meet it
        by itself (NaN for soft ones), ``baseline, given``, the medians of its series.
    """

    conditions: tuple[Condition, ...]
    baseline: Forecast
    forecast: Forecast
    weights: np.ndarray
    chance: float
    effective: float
    shape: float
    table: pd.DataFrame

    def comparison(self, level: float = 0.80, years: Sequence[int] | None = None) -> pd.DataFrame:
        """Return baseline and conditional forecast beside each other.

        Parameters
        ----------
        level : float in (0, 1)
            Probability inside the intervals.
        years : sequence of int, optional
            Any forecast years; the target years by default.

        Returns
        -------
        DataFrame
            ``location, measure, source, year, baseline, baseline_lower, baseline_upper, given,
            given_lower, given_upper``: medians and interval ends, persons per year; ``period``
            for ``year`` where figures are not by year.

        Raises
        ------
        DataError
            If the level is no number between 0 and 1.
        UnknownNameError
            If a year is no forecast year.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> outlook = fc.forecast(panel, "naive", (2027,), draws=1000)
        >>> given = fc.condition(outlook, "KAZ immigration 2027 >= 20000")
        >>> given.comparison()["measure"].tolist()
        ['emigration', 'immigration', 'net_migration']
        """
        return beside({"baseline": self.baseline, "given": self.forecast}, level, years)

    def __repr__(self) -> str:
        stated = "; ".join(map(str, self.conditions))
        return f"<Conditional forecast: {stated}; {self.effective:,.0f} draws in effect>"


def beside(
    outlooks: Mapping[str, Forecast], level: float, years: Sequence[int] | None
) -> pd.DataFrame:
    """Return median and interval of several forecasts of the same series, columns by name.

    Parameters
    ----------
    outlooks : mapping of str to Forecast
        By the name of their columns.
    level : float in (0, 1)
        Probability inside the intervals.
    years : sequence of int or None
        Any forecast years; the target years for None.
    """
    parts = []
    for name, outlook in outlooks.items():
        names = {"median": name, "lower": f"{name}_lower", "upper": f"{name}_upper"}
        table = outlook.intervals(level, years).rename(columns=names)
        when = "year" if outlook.frequency == "year" else "period"
        parts.append(table.set_index([*TABLE_KEY, when])[list(names.values())])
    return with_ends(pd.concat(parts, axis=1).reset_index())


def condition(
    outlook: Forecast, given: Given | Iterable[Given], *, minimum: float = MINIMUM, seed: int = 1
) -> Conditional:
    """Return the forecast of all series given what one (or some) of them will be.

    Parameters
    ----------
    outlook : Forecast
    given : Condition, str, mapping, or several of them
        See `forecast.scenarios.conditions.conditions`. A bound (``at_least``, ``at_most``, or
        ``equal`` with a tolerance ``within``) keeps the draws that meet it. ``near`` with
        ``sd`` weighs each draw by the normal density of its distance: what a report with
        this error would teach.
    minimum : float
        Fewest draws in effect.
    seed : int
        Of the resampling under soft conditions.

    Returns
    -------
    Conditional

    Raises
    ------
    DataError
        If a condition is not understood, is about no series or year of the forecast, no draw
        meets it, or what is left is too few draws to say anything.

    Notes
    -----
    It is the answer of the joint distribution of the draws, not of a cause: a high figure in
    one country goes with what went with high figures in the past. A model whose draws are
    independent between series answers that nothing follows.

    References
    ----------
    Kish (1965), Survey Sampling; Vehtari, Simpson, Gelman, Yao & Gabry (2024), Pareto smoothed
    importance sampling, https://jmlr.org/papers/v25/19-556.html; Kitagawa (1996), systematic
    resampling, doi:10.1080/10618600.1996.10474692.

    Examples
    --------
    >>> import forecast as fc
    >>> outlook = fc.forecast(fc.load("kazakhstan"), model="naive", draws=1000)
    >>> given = fc.condition(outlook, "KAZ net_migration 2027 >= 0")
    >>> bool((given.forecast.sample(location="KAZ", measure="net_migration", year=2027) >= 0).all())
    True
    """
    wanted = conditions(given)
    values = [one.values(outlook) for one in wanted]
    logs = np.sum([one.log_weights(drawn) for one, drawn in zip(wanted, values)], axis=0)
    n_draws = len(logs)
    stated = "; ".join(map(str, wanted))
    largest = float(logs.max())
    if math.isinf(largest):
        seen = "; ".join(f"{plain(drawn.min())} to {plain(drawn.max())}" for drawn in values)
        raise DataError(
            f"no draw of {n_draws:,} meets the condition {stated}: to this forecast it is "
            f"impossible (the draws run from {seen}). Loosen it, or ask for more draws."
        )
    weights = np.exp(logs - largest)
    weights /= weights.sum()
    effective = float(1 / np.square(weights).sum())
    soft = not all(one.exact for one in wanted)
    even = bool((logs == largest).all())
    shape = math.nan
    if not even:
        _refuse_few(stated, effective, n_draws, minimum)
    if not even and soft:
        shape = _shape(logs[np.isfinite(logs)])
        _refuse_heavy(stated, shape)
    made = outlook if even else _given(outlook, weights, stated, soft, seed)
    rows = [
        [
            str(one),
            float((one.log_weights(drawn) == 0).mean()) if one.exact else math.nan,
            float(np.median(drawn)),
            float(np.median(one.values(made))),
        ]
        for one, drawn in zip(wanted, values)
    ]
    table = pd.DataFrame(rows, columns=["condition", "chance", "baseline", "given"])
    chance = float(np.isfinite(logs).mean())
    return Conditional(tuple(wanted), outlook, made, weights, chance, effective, shape, table)


def systematic(weights: np.ndarray, seed: int) -> np.ndarray:
    """Return positions resampled in proportion to weights, as many as there are weights.

    Each position comes floor or ceiling of ``n * weight`` times, so that equal weights give
    every position once.

    Parameters
    ----------
    weights : ndarray, shape (n,)
        Zero or more, adding up to 1.

    Returns
    -------
    ndarray of int, shape (n,)
        In rising order.
    """
    size = len(weights)
    start = np.random.default_rng(seed).random()
    cumulative = np.cumsum(weights)
    found = np.searchsorted(cumulative / cumulative[-1], (start + np.arange(size)) / size, "right")
    kept: np.ndarray = np.minimum(found, np.flatnonzero(weights)[-1])
    return kept


def _given(outlook: Forecast, weights: np.ndarray, stated: str, soft: bool, seed: int) -> Forecast:
    """Return the forecast with the draws that the weights leave."""
    worlds = systematic(weights, seed) if soft else np.flatnonzero(weights)
    before = outlook.paths
    numbers = before["world"] if "world" in before.coords else before["draw"]
    paths = before.isel(draw=worlds).assign_coords(
        draw=np.arange(len(worlds)), world=("draw", numbers.to_numpy()[worlds])
    )
    earlier = str(before.attrs.get("condition", ""))
    paths.attrs = {**before.attrs, "condition": "; ".join(filter(None, (earlier, stated)))}
    return dataclasses.replace(outlook, paths=paths, explanation=None)


def _refuse_few(stated: str, effective: float, n_draws: int, minimum: float) -> None:
    """Refuse what rests on too few draws."""
    if effective < minimum * (1 - 1e-9):  # a sum of weights is exact to rounding only
        needed = math.ceil(n_draws * minimum / effective / 1000) * 1000
        raise DataError(
            f"the condition {stated} leaves {effective:,.0f} draws in effect of {n_draws:,}; at "
            f"least {minimum:,.0f} are needed. Ask for about {needed:,} draws, or loosen it."
        )


def _refuse_heavy(stated: str, shape: float) -> None:
    """Refuse weights of which a few draws carry most."""
    if shape > LARGEST_SHAPE:
        raise DataError(
            f"under the condition {stated} few draws carry most of the weight (Pareto shape "
            f"{shape:.2f}, at most {LARGEST_SHAPE} can be trusted). Ask for more draws, or give a "
            "larger sd."
        )


def _shape(logs: np.ndarray) -> float:
    """Return the shape of the generalised Pareto tail of the weights.

    The library takes log likelihoods left out, so logarithms of weights with the other sign.
    NaN where the largest weights are all alike and have no tail.
    """
    from arviz_stats.base import array_stats

    _, shape = array_stats.psislw(-logs)
    return float(shape)
