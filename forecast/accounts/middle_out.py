"""From the middle out: a country's flows make its net, and its regions follow it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecast import validation
from forecast.accounts.identities import Identity
from forecast.panel import Panel
from forecast.series_key import SeriesKey


def nets_from_flows(
    values: np.ndarray,
    forecast: np.ndarray,
    keys: Sequence[SeriesKey],
    identities: Sequence[Identity],
) -> np.ndarray:
    """Make nets that are no part of a total the difference of their flows, in place.

    Parameters
    ----------
    values : ndarray, shape (n_draws, n_series, n_years)
        Draws in persons, with figures already observed in their place.
    forecast : ndarray of bool, shape (n_series, n_years)
    keys : sequence of SeriesKey
    identities : sequence of Identity

    Returns
    -------
    ndarray of bool, shape (n_series, n_years)
        Nets and flows that are settled by it.
    """
    place = {key: position for position, key in enumerate(keys)}
    parts = {key for one in identities if one.kind == "sum" for key, _ in one.terms[1:]}
    settled = np.zeros_like(forecast)
    for identity in identities:
        if identity.kind != "net" or identity.keys[0] in parts:
            continue
        net, into, out = (place[key] for key in identity.keys)
        made = values[:, into] - values[:, out]
        there = forecast[net] & ~np.isnan(made[0])
        values[:, net] = np.where(there, made, values[:, net])
        settled[[net, into, out]] |= there
    return settled


def order_of_the_country(
    values: np.ndarray,
    settled: np.ndarray,
    keys: Sequence[SeriesKey],
    identities: Sequence[Identity],
) -> None:
    """Put the worlds of regions in the order of their country's net, in place.

    World *i* of the regions becomes the one whose sum ranks, on average over the years, as
    the country's net does in world *i*. Each region keeps its draws and their course; less
    is left to be shared out.

    Parameters
    ----------
    values : ndarray, shape (n_draws, n_series, n_years)
        Draws in persons per year, which are changed.
    settled : ndarray of bool, shape (n_series, n_years)
        What must stay as it is.
    keys : sequence of (source, location, measure)
        Of the series.
    identities : sequence of Identity
        Which regions make up which country.
    """
    place = {key: position for position, key in enumerate(keys)}
    for whole, parts, others in _countries(settled.any(axis=1), place, identities):
        total = values[:, parts].sum(axis=1)
        years = settled[whole] & ~np.isnan(total[0])
        if years.any():
            ours, theirs = (
                np.argsort(_height(drawn[:, years]), kind="stable")
                for drawn in (values[:, whole], total)
            )
            turned = values[:, others].copy()
            values[np.ix_(ours, others)] = turned[theirs]


def _height(drawn: np.ndarray) -> np.ndarray:
    """Return the mean rank of each path of shape (n_draws, n_years) over the years."""
    return np.asarray(np.argsort(np.argsort(drawn, axis=0), axis=0).mean(axis=1))


def _countries(
    settled: np.ndarray, place: dict[SeriesKey, int], identities: Sequence[Identity]
) -> list[tuple[int, list[int], list[int]]]:
    """Return columns of each settled total, of its parts, and of all that hangs on them."""
    found = []
    for identity in identities:
        whole, *parts = (place[key] for key in identity.keys)
        net = validation.MEASURES[identity.keys[0][2]]
        if identity.kind != "sum" or not (net and settled[whole]) or settled[parts].any():
            continue
        others = set(parts)
        for below in identities:
            columns = {place[key] for key in below.keys}
            if columns & others and not settled[list(columns)].any():
                others |= columns
        found.append((whole, parts, sorted(others)))
    return found


def handed_down(
    draws: np.ndarray,
    matrix: np.ndarray,
    panel: Panel,
    keys: Sequence[SeriesKey],
    held: np.ndarray,
) -> np.ndarray:
    """Return draws of which those not held share by inhabitants what all leave open on average.

    Parameters
    ----------
    draws : ndarray, shape (n_draws, k)
    matrix : ndarray, shape (m, k)
        Coefficients of the identities.
    panel : Panel
        The last populations. If one of them is not known, nothing is shared.
    keys : sequence of SeriesKey
    held : ndarray of bool, shape (k,)
        Series that stay as they are.
    """
    inhabitants = np.zeros(len(keys))
    for position in np.flatnonzero(~held):
        series = panel.find(keys[int(position)])
        people = np.empty(0) if series is None else series.population
        known = people[~np.isnan(people)]
        if not len(known):
            return draws
        inhabitants[position] = known[-1]
    open_middle = np.median(draws @ matrix.T, axis=0)
    weighted = inhabitants[:, None] * matrix.T
    shift = weighted @ np.linalg.lstsq(matrix @ weighted, open_middle, rcond=None)[0]
    return np.asarray(draws - shift)
