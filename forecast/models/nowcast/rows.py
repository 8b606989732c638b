"""What is known of a year when so many of its parts are in, from running sums of all years."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecast.models.nowcast.growth import KNOWN, Rows
from forecast.models.nowcast.settings import NowcastSettings

#: The last quarter of a year counts as recent, its last half as late.
_QUARTER, _HALF_YEAR = 4, 2
#: Added before logarithms: to counts, and as a share of its usual size to an amount.
HALF, SMALL = 0.5, 0.005
#: The largest logarithm that is undone.
_LARGEST = 42.0


@dataclass(frozen=True)
class Sums:
    """Sums since January of every series, on one scale.

    Attributes
    ----------
    sums : ndarray, shape (n_series, n_years, n_parts + 1)
        Persons, after 0, 1, ... parts of the year; the last is the year's total. NaN: not known.
    size : ndarray, shape (n_series,)
        Usual size of a part.
    kind : {"count", "amount", "net"}
        Counts and amounts are on the scale of logarithms, nets in usual sizes of a part.
    """

    sums: np.ndarray
    size: np.ndarray
    kind: str

    @property
    def least(self) -> np.ndarray:
        """What is added before logarithms, so that zero has one; shape (n_series,)."""
        return np.full(len(self.size), HALF) if self.kind == "count" else self.size * SMALL

    def of(self, chosen: np.ndarray) -> Sums:
        """Return some of the series."""
        return Sums(self.sums[chosen], self.size[chosen], self.kind)

    @property
    def parts(self) -> int:
        """Parts of a year."""
        return int(self.sums.shape[2] - 1)

    def scaled(self, persons: np.ndarray, parts: int) -> np.ndarray:
        """Return sums over some parts on the scale: log(persons + half), or usual nets a part.

        Parameters
        ----------
        persons : ndarray, shape (..., n_series)
        parts : int
            Over how many.
        """
        if self.kind == "net":
            return np.asarray(persons / (self.size * parts))
        return np.asarray(np.log(np.maximum(persons, 0.0) + self.least))

    def persons(self, scaled: np.ndarray, parts: int) -> np.ndarray:
        """Return what `scaled` was made of."""
        if self.kind == "net":
            return np.asarray(scaled * self.size * parts)
        return np.asarray(np.maximum(np.exp(np.minimum(scaled, _LARGEST)) - self.least, 0.0))

    def between(self, year: int, first: int, last: int) -> np.ndarray:
        """Return persons after `first` parts of a year up to `last`, NaN for years not there."""
        if year < 0:
            return np.full(len(self.sums), np.nan)
        return np.asarray(self.sums[:, year, last] - self.sums[:, year, first])


def rows(
    sums: Sums,
    seen: np.ndarray,
    year: int,
    part: int,
    group: np.ndarray,
    settings: NowcastSettings,
) -> Rows:
    """Return what is known of one year of every series after so many parts.

    Parameters
    ----------
    sums : Sums
    seen : ndarray, shape (n_series,)
        The part of the year that is in, in persons, as it will be once it is revised.
    year : int
        Position of the year.
    part : int
        Parts that are in.
    group : ndarray of int, shape (n_series,)
    settings : NowcastSettings
        With how many earlier years tell the usual share of the rest, and from where on that of
        last year is unusual.

    Returns
    -------
    Rows
        Of every series; NaN in `rest` or `base` where the year or the one before is not known.
    """
    all_parts, left = sums.parts, sums.parts - part
    rest_before = sums.between(year - 1, part, all_parts)
    base = sums.scaled(rest_before, left)
    known = np.zeros((len(seen), len(KNOWN)))
    known[:, 0] = 1.0
    if part:
        before = sums.scaled(sums.between(year - 1, 0, part), part)
        growth = sums.scaled(seen, part) - before
        recent = max(all_parts // _QUARTER, 1)
        own = _own(sums, year, part, base - before, settings.past)
        plain = np.clip(own, -settings.usual, settings.usual)
        columns = {"growth": growth, "own": plain, "unusual": own - plain}
        if part > recent:
            latest = sums.scaled(sums.between(year, part - recent, part), recent)
            earlier = sums.scaled(sums.between(year - 1, part - recent, part), recent)
            # Of the figures as they are: a revision moves all months alike.
            released = sums.scaled(sums.between(year, 0, part), part) - before
            columns["recent"] = latest - earlier - released
    else:
        half = max(all_parts // _HALF_YEAR, 1) if all_parts > 1 else 1
        totals = [sums.scaled(sums.between(one, 0, all_parts), all_parts)
                  for one in (year - 1, year - 2)]  # fmt: skip
        ends = [sums.scaled(sums.between(one, all_parts - half, all_parts), half)
                for one in (year - 1, year - 2)]  # fmt: skip
        previous = totals[0] - totals[1]
        usual, late = settings.usual, ends[0] - ends[1] - previous
        columns = {
            "previous": np.clip(previous, -usual, usual), "late": np.clip(late, -usual, usual),
        }  # fmt: skip
    for name, values in columns.items():
        known[:, KNOWN.index(name)] = np.nan_to_num(values)
    if part:
        base = np.where(np.isnan(columns["growth"]), np.nan, base)
    rest = sums.scaled(sums.between(year, 0, all_parts) - (seen if part else 0.0), left)
    # The year is compared with the one before; both are counted, so both count by chance.
    noise = 1.0 / (np.maximum(np.nan_to_num(rest_before), 0.0) + 1.0)
    noise = noise if sums.kind == "count" else np.zeros(len(seen))
    series = np.arange(len(seen))
    return Rows(known, base, rest, series, group, np.full(len(seen), year), noise)


def _own(sums: Sums, year: int, part: int, last: np.ndarray, past: int) -> np.ndarray:
    """Return how far a place's usual ratio of rest to part lies from that of the last year."""
    ratios = np.array([
        sums.scaled(sums.between(one, part, sums.parts), sums.parts - part)
        - sums.scaled(sums.between(one, 0, part), part)
        for one in range(max(year - 1 - past, 0), year - 1)
    ]).reshape(-1, len(last))  # fmt: skip
    count = (~np.isnan(ratios)).sum(axis=0)
    usual = np.nansum(ratios, axis=0) / np.maximum(count, 1)
    # One year more says that much more of what is usual.
    return np.asarray(np.where(count > 0, (usual - last) * count / (count + 1.0), 0.0))
