"""A panel as the hierarchical model sees it: rates, their moves, and notes on each series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast import locations
from forecast.contract import FORECAST, NOT_FORECAST, NOTE_COLUMNS
from forecast.models.assembly import note
from forecast.models.hierarchical.law import calm_floor, usual_moves
from forecast.models.series.univariate import MINIMUM_YEARS
from forecast.panel import Panel, Series
from forecast.scales import is_rate
from forecast.series import last_break, usable_years


def now(
    rates: np.ndarray, start: np.ndarray, settings: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the last and the usual move of each series at some year.

    Parameters
    ----------
    rates : ndarray, shape (n, n_years)
    start : ndarray of int, shape (n,)
        Position of the year.

    Returns
    -------
    move, usual : ndarray, shape (n,)
        Where a series has not moved yet, the median move of all stands for it.
    """
    moved = np.abs(np.diff(rates, axis=1))
    typical = float(np.nanmedian(moved)) if (~np.isnan(moved)).any() else 1.0
    every = np.arange(len(rates))
    last = np.abs(rates[every, start] - rates[every, np.maximum(start - 1, 0)])
    last = np.where(np.isnan(last) | (start == 0), typical, last)
    usual = usual_moves(rates, settings)[every, start]
    return last, np.where(np.isnan(usual), typical, usual)


@dataclass(frozen=True, eq=False)
class RatesPanel:
    """Rates of the locations that can be pooled; those without a parent come first.

    Attributes
    ----------
    series : tuple of Series, length n
    rates : ndarray, shape (n, n_years)
        Net migrants per 1,000 population per year; NaN in gaps, in years that a flag keeps
        out, and before a series' last break.
    parent : ndarray of int, shape (n_children,)
        Position of the country of each of the last n_children series.
    group : ndarray of int, shape (n,)
        Countries of a source that covers many, of national sources, and regions each have a
        distribution of their own.
    groups : tuple of str
    """

    series: tuple[Series, ...]
    rates: np.ndarray
    first_year: int
    parent: np.ndarray
    group: np.ndarray
    groups: tuple[str, ...]
    step: int

    @property
    def n_transitions(self) -> int:
        """Number of steps from a year to the next."""
        return int(self.rates.shape[1]) - 1

    @property
    def labels(self) -> list[str]:
        """Names of the locations, with source and measure where a location is there twice."""
        places = [series.location for series in self.series]
        return [
            f"{s.location} {s.measure} ({s.source})" if places.count(s.location) > 1 else s.location
            for s in self.series
        ]

    @property
    def usable(self) -> np.ndarray:
        """Number of usable years of each series, shape (n,)."""
        return np.asarray((~np.isnan(self.rates)).sum(axis=1))

    @property
    def start(self) -> np.ndarray:
        """Position of the last usable year of each series, shape (n,)."""
        from_end: np.ndarray = np.argmax(~np.isnan(self.rates[:, ::-1]), axis=1)
        return np.asarray(self.rates.shape[1] - 1 - from_end)


def reason_against(series: Series) -> str:
    """Say why a series cannot be pooled, empty if it can."""
    if not series.signed:
        return "the hierarchical model is of net rates; use 'flows' or a time-series model."
    if not is_rate(series):
        return (
            "the population is not known in every observed year, so there is no rate to pool. "
            "Add a column population, or use a time-series model."
        )
    if not _usable(series).any():
        return "no usable year: every figure since the last break is flagged out."
    return ""


def collect(panel: Panel) -> RatesPanel | None:
    """Return the rates of the net series of a panel, None if it has none with population."""
    chosen = [series for series in panel if not reason_against(series)]
    if not chosen:
        return None
    many = {
        source
        for source in {series.source for series in chosen}
        if len({locations.country_of(s.location) for s in chosen if s.source == source}) > 1
    }
    national: dict[str, int] = {}
    for position, series in enumerate(chosen):
        own = locations.find(series.location).is_country and series.source not in many
        # The register's net stands for the country where there are several.
        if own and (series.measure == "net_migration" or series.location not in national):
            national[series.location] = position
    above = [
        national.get(locations.country_of(series.location), -1)
        if not locations.find(series.location).is_country and series.measure != "internal_net"
        else -1
        for series in chosen
    ]
    order = sorted(range(len(chosen)), key=lambda place: above[place] >= 0)
    placed = {old: new for new, old in enumerate(order)}
    kinds = [_kind(chosen[old], many) for old in order]
    groups = tuple(dict.fromkeys(sorted(kinds)))
    first = min(int(series.years[0]) for series in chosen)
    last = max(series.origin for series in chosen)
    rates = np.full((len(chosen), (last - first) // panel.step + 1), np.nan)
    for row, old in enumerate(order):
        series = chosen[old]
        places = (series.years - first) // panel.step
        rate = 1000.0 * series.values / (panel.step * series.population)
        rates[row, places] = np.where(_usable(series), rate, np.nan)
    return RatesPanel(
        tuple(chosen[old] for old in order), rates, first,
        np.array([placed[above[old]] for old in order if above[old] >= 0], dtype=int),
        np.array([groups.index(kind) for kind in kinds], dtype=int), groups, panel.step,
    )  # fmt: skip


def _kind(series: Series, many: set[str]) -> str:
    if series.measure == "internal_net":
        return "regions, internal"
    if not locations.find(series.location).is_country:
        return "regions"
    return "countries, one source" if series.source in many else "countries, national sources"


def _usable(series: Series) -> np.ndarray:
    keep = usable_years(series)
    keep[: last_break(series)] = False
    return keep


def transitions(pool: RatesPanel, settings: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return what the likelihood reads.

    A year counts if the year before it is known too: a gap stays a gap. Where the move of the
    year before is not known, the group's median move stands for it.

    Parameters
    ----------
    settings : mapping
        The table ``[settings]`` of the model's TOML.

    Returns
    -------
    dict
        ``value, before, move, weight, floor`` of shape (n, n_years - 1), rates per 1,000; the
        floor is that of `forecast.models.hierarchical.law`, and where the weight is zero the rest
        stands for nothing.
    """
    rates = pool.rates
    value, before = rates[:, 1:], rates[:, :-1]
    moved = np.abs(np.diff(rates, axis=1))
    move = np.full_like(value, np.nan)
    move[:, 1:] = moved[:, :-1]
    usual = usual_moves(rates, settings)[:, :-1]
    for group in range(len(pool.groups)):
        rows = pool.group == group
        known = moved[rows][~np.isnan(moved[rows])]
        typical = float(np.median(known)) if len(known) else 1.0
        for moves in (move, usual):
            moves[rows] = np.where(np.isnan(moves[rows]), typical, moves[rows])
    used = ~np.isnan(value) & ~np.isnan(before)
    return {
        "value": np.where(used, value, 0.0),
        "before": np.where(used, before, 0.0),
        "move": np.where(used, move, 1.0) + float(settings["least_move"]),
        "weight": used.astype(float),
        "floor": np.where(used, calm_floor(usual, settings), 1.0),
    }


def notes(panel: Panel, pooled: RatesPanel, words: str, failure: str) -> pd.DataFrame:
    """Return one row per series; see `forecast.contract.NOTE_COLUMNS`.

    Parameters
    ----------
    words : str
        Where the priors come from.
    failure : str
        What the gate says of a fit that is returned marked; empty for a sound one.
    """
    usable = {s.key: int(n) for s, n in zip(pooled.series, pooled.usable)}
    rows = []
    for series in panel:
        reason = reason_against(series)
        if reason:
            rows.append(note(series, NOT_FORECAST, reason))
            continue
        reason = f"pooled with {len(usable) - 1} other series; {words}."
        if usable[series.key] < MINIMUM_YEARS:
            reason = (
                f"{usable[series.key]} usable years: this forecast is mostly borrowed from the "
                f"pool and its priors, and knows little of the place itself; {reason}"
            )
        if failure:
            reason = f"{reason} Marked by its diagnostics: {failure}"
        rows.append(note(series, FORECAST, reason, "rate"))
    return pd.DataFrame(rows, columns=list(NOTE_COLUMNS))
