"""Placebos: the same forecast where the event was not, and how unusual its own gap is among them.

Three sets. *dates*: the same series at every earlier origin whose window ends before the
event. *places*: comparable series at the date of the event. *others*: comparable series at
earlier origins, as many years apart as the window is long. To hold an event against them is to
assume that, measured by each forecast's own spread, all windows without the event are
exchangeable.

If they are, the rank of the event's gap is uniform and the p-values below are valid however
few the placebos are (Abadie, Diamond and Hainmueller 2010, doi:10.1198/jasa.2009.ap08746).
Overlapping windows of one series stand for the moving blocks of Chernozhukov, Wüthrich and
Zhu (2021, doi:10.1080/01621459.2021.1920957), which are valid approximately; how far is
measured by simulation in ``docs/impact.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from forecast import locations
from forecast.contract import Model
from forecast.errors import DataError, unknown_name
from forecast.impacts.counterfactual import Ruler, Window, windows
from forecast.impacts.event import Event
from forecast.panel import Panel
from forecast.series_key import KEY, SeriesKey

SETS = ("dates", "places", "others")


@dataclass(frozen=True, eq=False)
class Placebos:
    """Gaps of windows without the event.

    Attributes
    ----------
    table : DataFrame
        One row per window: ``source, location, measure, origin, set, gap`` and ``observed,
        expected`` (persons, sum over the window; `expected` is the median).
        `gap` is standardised, of the sum.
    gaps : ndarray, shape (n_placebos, n_years + 1)
        Standardised gaps of each year of the window and of the sum.
    """

    table: pd.DataFrame
    gaps: np.ndarray

    def members(self, name: str) -> np.ndarray:
        """Return which placebos are of a set.

        Parameters
        ----------
        name : {"dates", "places", "others", "all"}
            The set; ``"all"`` are of any.

        Returns
        -------
        ndarray of bool, shape (n_placebos,)

        Examples
        --------
        >>> table = pd.DataFrame({"set": ["dates", "places"]})
        >>> Placebos(table, np.zeros((2, 2))).members("dates").tolist()
        [True, False]
        """
        if name == "all":
            return np.ones(len(self.table), dtype=bool)
        return (self.table["set"] == name).to_numpy()


def comparable(panel: Panel, event: Event) -> list[SeriesKey]:
    """Return the series that an event's series can be compared with.

    The same measure, of the same level (countries or regions), from the event's sources of
    comparison. Without these: from the same source, or from one of the same kind, which is
    one that reports no place that the event's own source reports too (a second figure of
    the same place counts something else).

    Parameters
    ----------
    panel : Panel
        The series to choose from.
    event : Event
        Its series, and perhaps the sources that compare.
    """
    own = event.source, event.location, event.measure
    national = locations.country_of(event.location) == event.location
    reported: dict[str, set[str]] = {}
    for source, location, measure in panel.keys:
        if measure == event.measure:
            reported.setdefault(source, set()).add(location)
    ours = reported.get(event.source, set())
    kind = set(event.comparable) or {
        source for source, places in reported.items() if source == event.source or not places & ours
    }
    return [
        key
        for key in panel.keys
        if key != own
        and key[2] == event.measure
        and key[0] in kind
        and (locations.country_of(key[1]) == key[1]) == national
        and not set(locations.parts(key[1])) & set(locations.parts(event.location))
    ]


def untouched(keys: Sequence[SeriesKey], event: Event) -> list[SeriesKey]:
    """Return the comparable series that the event itself did not touch.

    An event of a country touches its regions; one that hit neighbours names them.

    Parameters
    ----------
    keys : sequence of (source, location, measure)
        Comparable series.
    event : Event
        Its `exclude` names the locations that it may have hit.
    """
    national = locations.country_of(event.location) == event.location
    hit = {*event.exclude, *({event.location} if national else ())}
    return [
        key
        for key in keys
        if not ({key[1], locations.country_of(key[1]), *locations.parts(key[1])} & hit)
    ]


def check_sets(sets: Sequence[str]) -> tuple[str, ...]:
    """Return the sets of placebos asked for, in their order; refuse others."""
    named = [sets] if isinstance(sets, str) else list(sets)
    for name in named:
        if name not in SETS:
            raise unknown_name("set of placebos", name, SETS)
    return tuple(name for name in SETS if name in named)


def placebos(
    model: Model,
    panel: Panel,
    event: Event,
    origin: int,
    steps: Sequence[int],
    *,
    sets: Sequence[str],
    draws: int,
    seed: int,
) -> Placebos:
    """Compute the gaps of every placebo window.

    Parameters
    ----------
    origin : int
        That of the event's own forecast.
    steps : sequence of int
        The years of the window, counted from the origin.
    sets : sequence of {"dates", "places", "others"}
    draws, seed : int
        As for the event's own forecast.
    """
    own = event.source, event.location, event.measure
    alike = comparable(panel, event)
    length = max(steps) - min(steps) + 1
    labelled: list[tuple[str, Window]] = []
    for name, keys, stride in (("dates", [own], 1), ("others", alike, length)):
        if name not in sets or not keys:
            continue
        chosen = _only(panel, keys)
        first = min(int(series.years[0]) for series in chosen)
        for earlier in range(event.start - 1 - max(steps), first, -stride):
            before = windows(model, chosen, earlier, steps, draws, seed)
            labelled += [(name, window) for window in before]
    same_date = untouched(alike, event) if "places" in sets else []
    if same_date:
        elsewhere = windows(model, _only(panel, same_date), origin, steps, draws, seed)
        labelled += [("places", window) for window in elsewhere]
    return _placebos(labelled)


def _only(panel: Panel, keys: Sequence[SeriesKey]) -> Panel:
    wanted = set(keys)
    return panel.without([key for key in panel.keys if key not in wanted])


def _placebos(labelled: Sequence[tuple[str, Window]]) -> Placebos:
    rows = [
        {
            **dict(zip(KEY, window.key)),
            "origin": window.origin,
            "set": name,
            "gap": float(window.gaps[-1]),
            "observed": float(window.columns[0][-1]),
            "expected": float(np.median(window.columns[1][:, -1])),
        }
        for name, window in labelled
    ]
    columns = [*KEY, "origin", "set", "gap", "observed", "expected"]
    gaps = np.array([window.gaps for _, window in labelled])
    return Placebos(pd.DataFrame(rows, columns=columns), gaps)


Direction = Literal["rise", "fall"]
#: The usual level of the test and the power asked for.
LEVEL, POWER = 0.05, 0.80
#: Steps of the search; each halves the interval.
_HALVINGS = 60


@dataclass(frozen=True, slots=True)
class Rank:
    """Where a gap stands among placebo gaps.

    Attributes
    ----------
    placebos : int
        How many placebos there are.
    as_far : int
        Placebos at least as far from their forecast as the event, to either side.
    p_value : float
        Conservative: ties count against the event, and its own place too. Without an effect
        it is `level` or less with a probability of at most `level`.
    p_randomised : float
        Ties, and the event's own place, broken by a random number: without an effect exactly
        uniform, also with few placebos.
    smallest : float
        The smallest conservative p-value that so many placebos can give.
    """

    placebos: int
    as_far: int
    p_value: float
    p_randomised: float
    smallest: float


def rank(gap: float, placebos: np.ndarray, uniform: float) -> Rank:
    """Rank the absolute gap of an event among those of placebos.

    Parameters
    ----------
    gap : float
        Standardised.
    placebos : ndarray, shape (n,)
        Gaps in the same unit.
    uniform : float in [0, 1)
        Breaks ties in `p_randomised`.

    Raises
    ------
    DataError
        If a gap is not a number.
    """
    sizes = _sizes(np.append(placebos, gap))
    size, others = sizes[-1], sizes[:-1]
    total = len(sizes)
    further, equal = int((others > size).sum()), int((others == size).sum())
    return Rank(
        len(others),
        further + equal,
        (1 + further + equal) / total,
        (further + uniform * (1 + equal)) / total,
        1 / total,
    )


def half_width(placebos: np.ndarray, level: float) -> float:
    """Return the standardised gap that a share `level` of events without an effect stays within.

    The conformal quantile: the event counts as a gap without bound, so that few placebos give
    an infinite width rather than a wrong one.

    Parameters
    ----------
    placebos : ndarray, shape (n,)
    level : float in (0, 1)
    """
    sizes = np.sort(_sizes(placebos))
    # A rounding error must not ask for one placebo more.
    position = int(np.ceil(level * (len(sizes) + 1) - 1e-9)) - 1
    return float(sizes[position]) if position < len(sizes) else np.inf


def smallest_effect(
    ruler: Ruler,
    placebos: np.ndarray,
    direction: Direction,
    *,
    level: float = LEVEL,
    power: float = POWER,
) -> float:
    """Return the smallest effect on the sum that would have been seen, in persons.

    What would have come without the event is taken to be as far from the forecast as the
    placebos were from theirs; an effect is seen if it takes the figure beyond the gap that
    only a share `level` of placebos reach.

    Parameters
    ----------
    ruler : Ruler
        That of the event's forecast; its last column is the sum.
    placebos : ndarray, shape (n_placebos,)
        Standardised gaps of the sum.
    direction : {"rise", "fall"}
    power : float
        Share of the cases in which the effect has to be seen.

    Returns
    -------
    float
        Positive for a rise, negative for a fall; NaN if no effect however large would have
        been seen (too few placebos, or a count that cannot fall so far).
    """
    limit = half_width(placebos, 1.0 - level)
    if not np.isfinite(limit) or not len(placebos):
        return float("nan")
    unit = Ruler(ruler.signed, ruler.middle[-1:], ruler.below[-1:], ruler.above[-1:])
    without = unit.persons(placebos[:, None])[:, 0]
    sign = 1.0 if direction == "rise" else -1.0

    def seen(effect: float) -> float:
        moved = without + sign * effect
        if not ruler.signed:
            moved = np.maximum(moved, 0.0)
        return float((np.abs(unit.measure(moved[:, None])[:, 0]) > limit).mean())

    spread = float(np.abs(without - unit.persons(np.zeros(1))).max())
    edge = np.abs(unit.persons(np.array([limit])) - unit.persons(np.array([-limit])))
    most = 4.0 * (spread + float(edge[0])) + 1.0
    if seen(most) < power:
        return float("nan")
    low, high = 0.0, most
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if seen(middle) >= power else (middle, high)
    return sign * high


def _sizes(gaps: np.ndarray) -> np.ndarray:
    if np.isnan(gaps).any():
        raise DataError(f"gap {int(np.isnan(gaps).argmax())} is not a number; it has no rank.")
    return np.abs(gaps)
