"""Figures of another size than those beside them, or than the bundled ones of the same year."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from forecast.data.checks.contradictions import Inconsistency, in_year
from forecast.panel import Panel
from forecast.series import Series
from forecast.validation import MEASURES

SLIP, BUNDLED = "slip by a power of ten", "far from the bundled figures"
#: Years on each side with which a figure is compared, and how many must be known.
_BESIDE, _LEAST = 4, 4
#: A count slips by this many decimal powers, and this many usual deviations beside; a net is so
#: many times the largest other one.
_POWERS, _DEVIATIONS, _TIMES = 0.85, 5.0, 15.0
#: Among smaller figures (persons) a jump is chance.
_SIZE = 500.0
#: From this many times on in every year, figures contradict the bundled ones.
_FAR = 3.0


def slips(panel: Panel) -> Iterator[Inconsistency]:
    """Figures several times as large or small as the years beside, at the ends as well.

    Two in a row are found too. Years flagged as break or outlier are explained.
    """
    for series in panel:
        sizes = np.abs(series.values)
        seen = np.flatnonzero(sizes > 0)
        if len(seen) <= _LEAST:
            continue
        expected = _net_limit(sizes[seen]) if series.signed else _usual(sizes[seen])
        excused = series.flagged("outlier") | series.flagged("break")
        for at in np.flatnonzero(~np.isnan(expected)):
            position = int(seen[at])
            if not excused[position]:
                size = float(expected[at]) * np.sign(series.values[position])
                yield in_year(SLIP, "warning", series, position, size, series.values[position])


def _usual(sizes: np.ndarray) -> np.ndarray:
    """Return the usual size beside each count that slipped, NaN for the others."""
    powers = np.log10(sizes)
    count = len(sizes)
    offsets = np.array([at for at in range(-_BESIDE, _BESIDE + 1) if at])
    at = np.arange(count)[:, None] + offsets
    beside = np.where((at >= 0) & (at < count), powers[np.clip(at, 0, count - 1)], np.nan)
    usual = _medians(beside)
    spread = _medians(np.abs(beside - usual[:, None]))
    far = np.abs(powers - usual) > _POWERS + _DEVIATIONS * spread
    large = np.maximum(powers, usual) >= np.log10(_SIZE)
    expected: np.ndarray = np.where(far & large, 10.0**usual, np.nan)
    return expected


def _medians(rows: np.ndarray) -> np.ndarray:
    """Return the median of each row without its NaN; NumPy's own takes far longer for few rows."""
    ordered = np.sort(rows, axis=1)
    known = (~np.isnan(rows)).sum(axis=1)
    at = np.arange(len(rows))
    medians: np.ndarray = (ordered[at, (known - 1) // 2] + ordered[at, known // 2]) / 2
    return medians


def _net_limit(sizes: np.ndarray) -> np.ndarray:
    """Return the largest other net, in absolute size, beside each net that slipped, else NaN."""
    ordered = np.sort(sizes)
    # Two slips in a row are held against the largest of the rest.
    rest = ordered[-3] if ordered[-2] > _TIMES * ordered[-3] else ordered[-2]
    expected: np.ndarray = np.where((sizes > _TIMES * rest) & (sizes >= _SIZE), rest, np.nan)
    return expected


@cache
def bundled_figures() -> dict[tuple[str, str, int], float]:
    """Return bundled figures by (location, measure, year): the median size over sources."""
    from forecast.data.package import load

    values: dict[tuple[str, str, int], list[float]] = {}
    for name in ("central-asia", "population", "kazakhstan-internal", "kazakhstan-split"):
        rows = load(name).latest.dropna(subset=["value"])
        for place, measure, year, value in zip(
            rows["location"], rows["measure"], rows["year"].tolist(), rows["value"]
        ):
            values.setdefault((place, measure, year), []).append(abs(float(value)))
    return {key: float(np.median(figures)) for key, figures in values.items()}


def against_bundled(panel: Panel) -> Iterator[Inconsistency]:
    """Compare counts with the bundled ones of the same place and years; several times is far.

    Nets are not compared: offices and the UN differ about them by as much.
    """
    for series in panel:
        if MEASURES[series.measure] or series.step != 1:
            continue
        ratios = _ratios(series)
        if not ratios:
            continue
        sizes = [ratio for _, ratio in ratios]
        if min(sizes) < _FAR and max(sizes) > 1 / _FAR:
            continue
        position = ratios[-1][0]
        value = float(series.values[position])
        yield in_year(BUNDLED, "warning", series, position, value / ratios[-1][1], value)


def _ratios(series: Series) -> list[tuple[int, float]]:
    """Return position and ratio to the bundled figure of each year that has both."""
    bundled = bundled_figures()
    known = ((series.location, series.measure, int(year)) for year in series.years)
    return [
        (position, float(value) / bundled[key])
        for position, (key, value) in enumerate(zip(known, series.values))
        if value > 0 and bundled.get(key, 0.0) > 0
    ]
