"""Breaks and outliers proposed with evidence; nothing is applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast import locations
from forecast.data.breaks.statistics import (
    GROUP,
    LEVEL,
    OUTLIER,
    Reference,
    combine,
    correlation,
    profiles,
    reference,
)
from forecast.errors import DataError
from forecast.panel import Panel, Series
from forecast.series_key import KEY, SeriesKey

#: Years that a series must have, and proposals per series.
MINIMUM_YEARS, MOST = 8, 3
COLUMNS = (
    "scope", "source", "location", "measure", "year", "kind", "expected", "found", "size",
    "statistic", "probability", "adjusted", "declared", "evidence",
)  # fmt: skip
_DECLARED = ("break", "outlier", "suspect", "adjusted", "boundary_change")


@dataclass(frozen=True, slots=True)
class _Usable:
    """The observed years of a series on the scale of the screen."""

    series: Series
    years: np.ndarray
    values: np.ndarray
    scaled: np.ndarray
    floor: float


def screen(panel: Panel, *, level: float = 0.05) -> pd.DataFrame:
    """Propose level breaks and outliers.

    Each series is searched by itself, and series of one source together: the regions of a
    country by measure (a registration campaign strikes all of them in one year), and arrivals
    with departures of one place (a new register changes both).

    Parameters
    ----------
    panel : Panel
        Annual series. Counts are searched on the log scale, nets as they are. Years flagged
        ``interpolated`` are left out.
    level : float
        How often a series without any break may be proposed one, all its years and both
        kinds together.

    Returns
    -------
    DataFrame
        One row per proposal: ``scope`` (``series`` or ``group``), ``source, location,
        measure, year, kind`` (``level break``: from this year on; ``outlier``), ``expected``
        and ``found`` in persons (the level before and after, or the neighbours and the
        year), ``size`` their difference, ``statistic``, ``probability`` (of evidence as
        strong in a series without breaks), ``adjusted`` (the same for the whole panel, by
        Holm), ``declared`` (flags that say so already) and ``evidence`` in words.

    Raises
    ------
    DataError
        If `level` is not between 0 and 1.

    Notes
    -----
    The statistic is a robust sup-type one, compared with the least favourable of five kinds
    of series without breaks (`forecast.data.breaks.statistics`). Holm, S. (1979), A simple
    sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6.
    """
    if not 0 < level < 1:
        raise DataError(f"level is {level!r}; give a probability between 0 and 1, such as 0.05.")
    usable = [one for one in map(_usable, panel) if one is not None]
    rows = [row for one in usable for row in _series(one, level)]
    groups = list(_groups(usable))
    rows += [row for row in (_group(*group) for group in groups) if row["probability"] <= level]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    probabilities = table["probability"].to_numpy(float)
    table["adjusted"] = _holm(probabilities, len(usable) + len(groups))
    return table.sort_values(
        ["probability", "source", "location", "measure", "year"], ignore_index=True
    )


def _usable(series: Series) -> _Usable | None:
    if series.step != 1:
        return None
    seen = ~np.isnan(series.values) & ~series.flagged("interpolated")
    if seen.sum() < MINIMUM_YEARS:
        return None
    years, values = series.years[seen], series.values[seen]
    stated = series.precision[seen]
    rounding = float(np.nanmedian(stated)) if not np.isnan(stated).all() else 1.0
    if series.signed:
        return _Usable(series, years, values, values.astype(float), rounding / 2)
    counted = np.maximum(values, max(rounding / 2, 0.5))
    middle = float(np.median(counted))
    return _Usable(series, years, values, np.log(counted), rounding / 2 / middle)


def _series(one: _Usable, level: float) -> Iterator[dict[str, Any]]:
    """Propose up to three years, the strongest first, each taken out before the next."""
    years, scaled, values = one.years, one.scaled.copy(), one.values.astype(float)
    for _ in range(MOST):
        if len(years) < MINIMUM_YEARS:
            return
        found = profiles(scaled, one.floor)
        expected = reference(len(years))
        sizes = {kind: np.log1p(np.abs(profile)) for kind, profile in found.items()}
        kind, at, chance = _strongest(sizes, expected)
        if chance > level:
            return
        before, after = _sides(values, at, kind)
        yield _row(one, int(years[at]), kind, before, after, float(found[kind][at]), chance)
        if kind == LEVEL:
            # Without the step the series goes on as it usually does.
            scaled[at:] -= scaled[at] - scaled[at - 1] - float(np.median(np.diff(scaled)))
        else:
            keep = np.arange(len(years)) != at
            years, scaled, values = years[keep], scaled[keep], values[keep]


def _strongest(sizes: Mapping[str, np.ndarray], expected: Reference) -> tuple[str, int, float]:
    """Return the kind and the position that chance explains least, and its probability."""
    largest = {kind: int(np.argmax(size)) for kind, size in sizes.items()}
    chances = {
        kind: expected.probability(kind, float(sizes[kind][at])) for kind, at in largest.items()
    }
    kind = min(chances, key=chances.__getitem__)
    return kind, largest[kind], chances[kind]


def _sides(values: np.ndarray, at: int, kind: str) -> tuple[float, float]:
    """Return the level before and after, or that of the neighbours and the value itself."""
    if kind == LEVEL:
        before, after = values[max(0, at - 3) : at], values[at : at + 3]
        return float(np.median(before)), float(np.median(after))
    around = np.concatenate([values[max(0, at - 3) : at], values[at + 1 : at + 4]])
    return float(np.median(around)), float(values[at])


def _row(
    one: _Usable,
    year: int,
    kind: str,
    expected: float,
    found: float,
    statistic: float,
    chance: float,
) -> dict[str, Any]:
    at = int(year - one.series.years[0])
    declared = " ".join(flag for flag in _DECLARED if flag in one.series.flags[at])
    steps = f"{abs(statistic):.1f} times the usual step from year to year"
    what = (
        f"from {year} on about {found:,.0f} instead of {expected:,.0f}, {steps}"
        if kind == LEVEL
        else f"{found:,.0f} between years of about {expected:,.0f}, {steps}"
    )
    return {
        "scope": "series", **dict(zip(KEY, one.series.key)), "year": year,
        "kind": kind, "expected": expected, "found": found, "size": found - expected,
        "statistic": statistic, "probability": chance, "declared": declared,
        "evidence": f"{what}; {_chance(chance)}",
    }  # fmt: skip


def _chance(probability: float) -> str:
    return f"by chance in {100 * probability:.2g} of 100 series without a break"


def _groups(usable: Sequence[_Usable]) -> Iterator[tuple[SeriesKey, list[_Usable]]]:
    """Return series that a change of counting would strike together, with aligned years."""
    regional: dict[SeriesKey, list[_Usable]] = {}
    gross: dict[SeriesKey, list[_Usable]] = {}
    for one in usable:
        source, place, measure = one.series.key
        country = locations.country_of(place)
        if country != place:
            regional.setdefault((source, country, measure), []).append(one)
        for pair in (("immigration", "emigration"), ("internal_arrivals", "internal_departures")):
            if measure in pair:
                gross.setdefault((source, place, " and ".join(pair)), []).append(one)
    for name, members in (*regional.items(), *gross.items()):
        least = GROUP if name in regional else 2
        if len(members) >= least and len(_shared(members)) >= MINIMUM_YEARS:
            yield name, members


def _shared(members: Sequence[_Usable]) -> np.ndarray:
    years = members[0].years
    for one in members[1:]:
        years = np.intersect1d(years, one.years)
    return years


def _group(name: SeriesKey, members: Sequence[_Usable]) -> dict[str, Any]:
    """Return the year in which most series of a group stand out together."""
    years = _shared(members)
    scaled = np.stack([one.scaled[np.isin(one.years, years)] for one in members])
    found = profiles(scaled, np.array([one.floor for one in members]))
    expected = reference(len(years), len(members), correlation(scaled))
    joined = {kind: combine(profile) for kind, profile in found.items()}
    kind, at, chance = _strongest(joined, expected)
    year = int(years[at])
    largest = np.abs(found[kind]).argmax(axis=-1)
    most = int((largest == at).sum())
    flags = {flag for one in members for flag in one.series.flags[year - int(one.series.years[0])]}
    return {
        "scope": "group", **dict(zip(KEY, name)), "year": year, "kind": kind,
        "statistic": float(np.expm1(joined[kind][at])), "probability": chance,
        "declared": " ".join(sorted(flags.intersection(_DECLARED))),
        "evidence": f"{year} is the strongest {kind} of {most} of {len(members)} series; "
        f"{_chance(chance).replace('series', 'groups')}",
    }  # fmt: skip


def _holm(probabilities: np.ndarray, tests: int) -> np.ndarray:
    """Return probabilities adjusted for all tests; later proposals of a series count as tests."""
    order = np.argsort(probabilities, kind="stable")
    adjusted = np.empty(len(probabilities))
    running = 0.0
    for rank, at in enumerate(order):
        running = max(running, min(1.0, (max(tests, len(order)) - rank) * probabilities[at]))
        adjusted[at] = running
    return adjusted


__all__ = ["COLUMNS", "LEVEL", "MINIMUM_YEARS", "OUTLIER", "screen"]
