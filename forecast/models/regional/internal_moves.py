"""Internal arrivals, departures and nets of regions: few years, but an exact structure.

What annual balances of the same country say of a region beyond its share in the country's net is
mostly internal migration. So the internal net of region k in unit u is

    net_k = w_k · rest_u + e_k,    Σ_k e_k = 0,

with rest_u drawn by the model of the balances, w_k the region's share in the moves of its
unit and e_k a level learned from the years in which internal nets are known: from the
office's tables and from matrices of moves between regions, whose rows and columns give arrivals
and departures on today's boundaries. Both parts add up to zero over regions, and so do nets.
Arrivals and departures are turnover ± half the net; turnover follows the country's mobility and
a region's own changes, both random walks of its logarithm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast import locations
from forecast.accounts.identities import cover
from forecast.models.regional.partial_pooling import SharedPrior, learn, posterior
from forecast.models.series.representation import simulate
from forecast.panel import Panel, Series

MEASURES = ("internal_arrivals", "internal_departures", "internal_net")
#: Fewest years in which the internal nets of all regions are known.
MINIMUM_YEARS = 3
#: Moves that a region without any counts as: what it is divided by, and starts from.
_LEAST = 0.5


@dataclass(frozen=True, eq=False)
class Moves:
    """Internal migration of the regions of a country.

    Attributes
    ----------
    series : mapping of (location, measure) to Series
    net : DataFrame, years by places
        Internal nets in persons, where those of all places are known.
    turnover : DataFrame, years by places
        Mean of arrivals and departures in the office's own tables.
    mobility : Series of float by year
        All moves between regions; on one definition throughout.
    """

    source: str
    country: str
    places: tuple[str, ...]
    series: Mapping[tuple[str, str], Series]
    net: pd.DataFrame
    turnover: pd.DataFrame
    mobility: pd.Series

    @property
    def origin(self) -> int:
        """The last year with figures of every place."""
        return int(self.turnover.index[-1])


def collect(panel: Panel, matrices: pd.DataFrame) -> list[Moves]:
    """Return internal migration of every country whose regions a panel covers.

    Parameters
    ----------
    matrices : DataFrame
        ``origin, destination, year, value`` of moves between regions, known at the panel's end.
    """
    by_source: dict[str, dict[tuple[str, str], Series]] = {}
    for series in panel:
        if series.measure in MEASURES and series.step == 1:
            by_source.setdefault(series.source, {})[series.location, series.measure] = series
    made = []
    for source, known in sorted(by_source.items()):
        complete = {place for place, _ in known if {(place, one) for one in MEASURES} <= set(known)}
        for country in sorted({locations.country_of(place) for place in complete}):
            places = cover(country, complete)
            if places:
                made.append(_moves(source, country, places, known, matrices))
    return [moves for moves in made if moves is not None]


def _moves(
    source: str,
    country: str,
    places: list[str],
    known: Mapping[tuple[str, str], Series],
    matrices: pd.DataFrame,
) -> Moves | None:
    figures = {key: pd.Series(one.values, index=one.years) for key, one in known.items()}
    into, out, stated = (
        pd.DataFrame({place: figures[place, measure] for place in places}) for measure in MEASURES
    )
    turnover = ((into + out) / 2).dropna()
    if turnover.empty:
        return None
    rows = matrices[matrices[["origin", "destination"]].isin(places).all(axis=1)]
    net, mobility = stated.dropna(), turnover.sum(axis=1)
    if len(rows):
        gained, lost = (
            rows.pivot_table(index="year", columns=end, values="value", aggfunc="sum")
            for end in ("destination", "origin")
        )
        theirs = (gained - lost).reindex(columns=places).dropna()
        net = pd.concat([net, theirs[~theirs.index.isin(net.index)]]).sort_index()
        between = rows.groupby("year")["value"].sum()
        mobility = between if len(between) > len(mobility) else mobility
    series = {key: known[key] for key in known if key[0] in places}
    return Moves(source, country, tuple(places), series, net, turnover, mobility)


def draw(
    moves: Moves,
    rest: Mapping[str, pd.Series],
    rest_ahead: Mapping[str, np.ndarray],
    pool: SharedPrior,
    n_ahead: int,
    n_draws: int,
    generator: np.random.Generator,
) -> dict[tuple[str, str], np.ndarray]:
    """Draw internal arrivals, departures and nets of every region.

    Parameters
    ----------
    rest : mapping of str to Series of float by year
        What each unit's balance said beyond its share in the country's net; empty if there
        is no balance.
    rest_ahead : mapping of str to ndarray, shape (n_draws, n_ahead)
        The same in the years after `Moves.origin`.
    pool : SharedPrior
        How lively regions are.

    Returns
    -------
    dict of (location, measure) to ndarray, shape (n_draws, n_ahead)
    """
    places = list(moves.places)
    size = moves.turnover.mean().clip(lower=_LEAST)
    own = moves.net.copy()
    lean = {}
    for place in places:
        unit = next((unit for unit in rest if _inside(place, unit)), "")
        inside = [other for other in places if unit and _inside(other, unit)]
        lean[place] = unit, float(size[place] / size[inside].sum()) if unit else 0.0
        if unit:
            own[place] = own[place] - lean[place][1] * rest[unit].reindex(own.index)
    own = own.dropna()
    if len(own) < MINIMUM_YEARS:
        own, lean = moves.net, dict.fromkeys(places, ("", 0.0))
    span = range(int(own.index[0]), moves.origin + 1)
    rates = 1000.0 * own.reindex(span) / size
    still = np.zeros(len(rates), dtype=bool)
    theirs = learn(
        [rates[place].to_numpy() for place in places],
        [still] * len(places),
        [0.5 * 1000.0 / size[place] for place in places],
        pool.nodes,
        pool.discounts,
        weight=float(len(places)),
        degrees=pool.degrees,
    )
    paths = np.empty((n_draws, len(places), n_ahead))
    for column, place in enumerate(places):
        known = posterior(
            pool, rates[place].to_numpy(), still, 500.0 / size[place], theirs.variance
        )
        paths[:, column] = simulate(known, n_ahead, n_draws, generator) * size[place] / 1000.0
    net = cancelled(paths)
    for column, place in enumerate(places):
        unit, share = lean[place]
        if unit:
            net[:, column] += share * rest_ahead[unit]
    turnover = _turnover(moves, n_ahead, n_draws, generator)
    # Whoever gains or loses has moved.
    turnover = np.maximum(turnover, np.abs(net) / 2)
    drawn: dict[tuple[str, str], np.ndarray] = {}
    for column, place in enumerate(places):
        into, out = (
            turnover[:, column] + net[:, column] / 2,
            turnover[:, column] - net[:, column] / 2,
        )
        drawn |= {(place, name): one for name, one in zip(MEASURES, (into, out, into - out))}
    return drawn


def _inside(place: str, unit: str) -> bool:
    return set(locations.parts(place)) <= set(locations.parts(unit))


def cancelled(paths: np.ndarray) -> np.ndarray:
    """Make draws of shape (n_draws, n_regions, n_years) add up to zero over regions.

    What is left over is taken out in proportion to each region's variance (from the middle
    68 % of its draws): the minimum-trace projection for independent errors.
    """
    low, high = np.quantile(paths, [0.1587, 0.8413], axis=0)
    variance = ((high - low) / 2) ** 2
    total = variance.sum(axis=0)
    even = np.full_like(variance, 1.0 / len(variance))
    weight = np.where(total > 0, variance / np.where(total > 0, total, 1.0), even)
    return np.asarray(paths - weight * paths.sum(axis=1, keepdims=True))


def _turnover(
    moves: Moves, n_ahead: int, n_draws: int, generator: np.random.Generator
) -> np.ndarray:
    """Draw the mean of arrivals and departures, shape (n_draws, n_regions, n_ahead)."""
    common = _yearly(moves.mobility.index, moves.mobility.to_numpy(dtype=float))
    change = _yearly(moves.turnover.index, moves.turnover.to_numpy(dtype=float))
    own = (change - np.nanmean(change, axis=1, keepdims=True)).ravel()
    width = len(moves.places)
    shared = np.cumsum(_walk(common, (n_draws, 1, n_ahead), generator), axis=2)
    alone = np.cumsum(_walk(own, (n_draws, width, n_ahead), generator), axis=2)
    last = np.maximum(moves.turnover.iloc[-1].to_numpy(dtype=float), _LEAST)
    return np.asarray(last[:, None] * np.exp(shared + alone))


def _yearly(years: pd.Index, moved: np.ndarray) -> np.ndarray:
    """Return changes of the logarithm, those over several years in proportion to one.

    NaN where nobody moved: a region without any moves has not been counted.
    """
    gaps = np.sqrt(np.diff(years.to_numpy())).reshape(-1, *[1] * (moved.ndim - 1))
    return np.asarray(np.diff(np.log(np.where(moved > 0, moved, np.nan)), axis=0) / gaps)


def _walk(
    seen: np.ndarray, shape: tuple[int, int, int], generator: np.random.Generator
) -> np.ndarray:
    """Draw steps as large as those seen, their size as uncertain as their number makes it.

    NaN has not been seen.
    """
    seen = seen[np.isfinite(seen)]
    freedom = max(len(seen), 1)
    scale = np.sqrt(float((seen**2).sum()) / generator.chisquare(freedom, shape[0]))
    return np.asarray(scale[:, None, None] * generator.standard_normal(shape))
