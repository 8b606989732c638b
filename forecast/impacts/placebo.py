"""Placebos: the same forecast at dates and in places that the event did not touch.

Three sets. *dates*: the same series at every earlier origin whose window ends before the
event. *places*: comparable series at the date of the event. *others*: comparable series at
earlier origins, as many years apart as the window is long. To hold an event against them is to
assume that, measured by each forecast's own spread, all windows without the event are
exchangeable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast import locations
from forecast.contract import Model
from forecast.errors import unknown_name
from forecast.impacts.counterfactual import Window, windows
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
