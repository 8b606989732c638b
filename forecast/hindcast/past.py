"""What the members would have said at earlier origins, and what then happened.

Everything here is learned from a panel that ends at the origin of the forecast: the members
are shown its figures up to an earlier year and held against its own later figures. So the
weights and widths of a forecast rest on nothing that it could not have known, and a backtest
of the ensemble is nested of itself. The origins lie on a fixed grid of the calendar and the
seed is fixed, so that forecasts from neighbouring origins ask for the same earlier ones.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast import artifacts, scales
from forecast.contract import Model
from forecast.errors import DataError
from forecast.exclusions import unused
from forecast.hindcast.members import Question, Said, days_of, name_of
from forecast.panel import Panel, Series
from forecast.series_key import SeriesKey

#: Below this many fits of a series, starting processes costs more than it saves.
_WORTHWHILE = 1500


@dataclass(frozen=True)
class Past:
    """Past forecasts of the series that share one scale, so many steps ahead.

    Attributes
    ----------
    quantiles : ndarray, shape (n_members, n_points, n)
        On the model's scale: rate per 1,000, log(1 + persons) or persons. NaN where a
        member made no forecast.
    observed : ndarray, shape (n,)
    size : ndarray, shape (n,)
        Usual yearly change of the series up to the origin, on that scale.
    origin : ndarray of int, shape (n,)
        Last year that the forecast saw of the series.
    key : list of (source, location, measure)
    """

    quantiles: np.ndarray
    observed: np.ndarray
    size: np.ndarray
    origin: np.ndarray
    key: list[SeriesKey]

    def __len__(self) -> int:
        return len(self.observed)

    def part(self, kept: np.ndarray) -> Past:
        """Return some of the forecasts, chosen by booleans of shape (n,)."""
        keys = [key for key, wanted in zip(self.key, kept) if wanted]
        values = self.quantiles[:, :, kept], self.observed[kept], self.size[kept]
        return Past(*values, self.origin[kept], keys)


def origins(panel: Panel, settings: Mapping[str, Any]) -> list[int]:
    """Return the earlier origins, latest first: the last ones on a grid of the calendar."""
    stride = int(settings["every"]) * panel.step if panel.step == 1 else panel.step
    first = min(int(one.years[0]) for one in panel)
    latest = panel.origin - panel.step
    # Periods are few: every one of them counts.
    start = latest - latest % stride if panel.step == 1 else latest
    return list(range(start, first, -stride))[: int(settings["origins"])]


@dataclass(frozen=True)
class Asked:
    """What the members said on one earlier occasion.

    Attributes
    ----------
    origin : int
        The last year that they were shown.
    said : list of (Said or None)
        One entry per member; None where it was not asked.
    ends : dict of (source, location, measure) to int, optional
        The last year of each series, where they were shown what had been released by some day;
        without it, what is known today up to `origin`.
    """

    origin: int
    said: list[Said | None]
    ends: Mapping[SeriesKey, int] | None = None


def ask_all(
    members: Sequence[str | Model],
    panel: Panel,
    steps: int,
    settings: Mapping[str, Any],
    on_day: Callable[[str], Sequence[str | Model]] | None = None,
) -> list[Asked]:
    """Ask every member on every earlier occasion.

    These are earlier origins. Where a member publishes on given days (`Published`), it has
    said nothing at origins, and everybody is asked on those days too, with the figures of the day.

    Parameters
    ----------
    members : sequence of str or Model
    panel : Panel
        What is known; it ends at the origin of the forecast.
    steps : int
        How many steps ahead they look.
    settings : mapping
        The table ``history`` of ``models/ensemble.toml``.
    on_day : callable, optional
        Members to ask about a day of release, where they are to know less then.

    Returns
    -------
    list of Asked
        Origins from the latest on, then days.
    """
    steps = max(steps, int(settings["steps"]))
    days = sorted({day for one in members for day in days_of(one)})
    grid = origins(panel, settings)
    stride = grid[0] - grid[1] if len(grid) > 1 else 1
    sparse = settings.get("sparse", {})
    occasions: list[tuple[Asked, Panel, list[int], Sequence[str | Model]]] = []
    for origin in grid:
        try:
            seen = panel.until(origin)
        except DataError:
            continue
        nth = [int(sparse.get(name_of(member), 1)) for member in members]
        chosen = [
            position
            for position, member in enumerate(members)
            if (origin // stride) % nth[position] == 0 and not days_of(member)
        ]
        occasions.append((Asked(origin, [None] * len(members)), seen, chosen, members))
    for seen in released(panel, days)[-int(settings["origins"]) :]:
        ends = {one.key: one.origin for one in seen}
        asked = Asked(seen.origin, [None] * len(members), ends)
        theirs = members if on_day is None else on_day(seen.last_release)
        occasions.append((asked, seen, list(range(len(members))), theirs))
    open_questions: list[tuple[Asked, int, Question]] = []
    for asked, seen, chosen, theirs in occasions:
        for position in chosen:
            question = Question(
                theirs[position],
                seen,
                asked.origin + steps * panel.step,
                int(settings["draws"]),
                int(settings["seed"]),
                int(settings["points"]),
            )
            asked.said[position] = question.known()
            if asked.said[position] is None:
                open_questions.append((asked, position, question))
    questions = (question for _, _, question in open_questions)
    answers = _answers(questions, len(open_questions) * len(panel))
    for (asked, position, _), answer in zip(open_questions, answers):
        asked.said[position] = answer
    return [asked for asked, _, _, _ in occasions]


def released(panel: Panel, days: Sequence[str]) -> list[Panel]:
    """Return what was known on earlier days of release, where later figures can judge it."""
    known = panel.to_frame()["as_of"].dropna()
    out = {str(day.date()) for day in known.unique()}
    earlier = [day for day in days if day in out and day < panel.last_release]
    seen = [panel.as_of(day) for day in earlier]
    return [one for one in seen if one.origin < panel.origin]


def _asked(question: Question, cache: bool) -> Said:
    """Ask in another process, with the cache on or off as it is here."""
    with artifacts.caching(cache):
        return question.ask()


def _answers(questions: Iterable[Question], fits: int) -> Iterable[Said]:
    """Ask one after the other, or in several processes where that is worth it."""
    if fits < _WORTHWHILE or multiprocessing.parent_process() is not None:
        return map(Question.ask, questions)
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=-1, max_nbytes=None, batch_size=1, return_as="generator")
    answers: Iterable[Said] = parallel(
        delayed(_asked)(one, artifacts.enabled()) for one in questions
    )
    return answers


@dataclass(frozen=True)
class Truth:
    """The latest figures of a panel on the scale of their models.

    Attributes
    ----------
    series : dict of key to Series
    kinds : dict of key to {"rate", "log", "persons"}
    values : dict of key to ndarray, shape (n_years,)
        NaN in gaps and in years that must not steer.
    """

    series: dict[SeriesKey, Series]
    kinds: dict[SeriesKey, scales.Kind]
    values: dict[SeriesKey, np.ndarray]

    @classmethod
    def of(cls, panel: Panel) -> Truth:
        """Read a panel. Flagged interpolations and figures beyond a break do not count."""
        series, kinds, values = {}, {}, {}
        for one in panel:
            scale = scales.choose(one)
            known = scale.values.copy()
            known[unused(one, "interpolated")] = np.nan
            series[one.key], kinds[one.key], values[one.key] = one, scale.kind, known
        return cls(series, kinds, values)

    def sizes(self, keys: Collection[SeriesKey]) -> dict[SeriesKey, float]:
        """Return the usual yearly change of some series, up to the end."""
        return {key: usual_change(self.values[key]) for key in self.kinds if key in keys}

    def on_scale(self, key: SeriesKey, persons: np.ndarray, at: int) -> np.ndarray:
        """Bring persons of the year at position `at` on the model's scale."""
        one = self.series[key]
        if self.kinds[key] == "log":
            return np.log1p(persons)
        if self.kinds[key] == "rate":
            return np.asarray(persons * 1000.0 / (one.step * one.population[at]))
        return persons

    def pasts(
        self, occasions: Sequence[Asked], keys: Collection[SeriesKey], steps: int, points: int
    ) -> list[Past]:
        """Return the past forecasts of series on one scale, one entry per number of steps ahead.

        A forecast that the same last figure of a series had brought forth at a later
        origin already is left out; not so where the figures were those of another day.
        """
        members = max((len(one.said) for one in occasions), default=0)
        ordered = sorted(occasions, key=lambda one: one.origin)
        rows: list[list[tuple[np.ndarray, float, float, int, SeriesKey]]] = [
            [] for _ in range(steps)
        ]
        for key, one in self.series.items():
            if key not in keys:
                continue
            done: set[int] = set()
            known = self.values[key]
            breaks = np.flatnonzero(one.flagged("break"))
            observed = np.flatnonzero(~np.isnan(one.values))
            for asked in ordered:
                end = asked.origin if asked.ends is None else asked.ends.get(key)
                before = observed[one.years[observed] <= end] if end is not None else observed[:0]
                if not len(before) or (asked.ends is None and before[-1] in done):
                    continue
                last = int(before[-1])
                if asked.ends is not None and one.years[last] != end:
                    # Withdrawn since: steps ahead would be counted from another year.
                    continue
                ahead = [a.values.get(key) if a is not None else None for a in asked.said]
                if all(a is None for a in ahead):
                    continue
                if asked.ends is None:
                    done.add(last)
                size = usual_change(known[: last + 1])
                beyond = breaks[breaks > last]
                stop = min(len(known), int(beyond[0]) if len(beyond) else len(known))
                reached = np.arange(last + 1, min(stop, last + 1 + steps))
                for step, position in enumerate(reached):
                    if np.isnan(known[position]):
                        continue
                    points_said = np.full((members, points), np.nan)
                    for m, a in enumerate(ahead):
                        if a is not None and step < a.shape[1]:
                            points_said[m] = a[:, step]
                    scaled = self.on_scale(key, points_said, int(position))
                    rows[step].append(
                        (scaled, float(known[position]), size, int(one.years[last]), key)
                    )
        return [_past(found, members, points) for found in rows]


def usual_change(values: np.ndarray) -> float:
    """Return the mean absolute change between usable values; NaN for fewer than two."""
    changes = np.abs(np.diff(values[np.isfinite(values)]))
    return float(changes.mean()) if len(changes) else float("nan")


def _past(
    rows: list[tuple[np.ndarray, float, float, int, SeriesKey]], members: int, points: int
) -> Past:
    if not rows:
        none = np.empty(0)
        return Past(np.empty((members, points, 0)), none, none, none.astype(int), [])
    quantiles, observed, size, origin, key = zip(*rows)
    return Past(
        np.stack(quantiles, axis=2),
        np.array(observed),
        np.array(size),
        np.array(origin, dtype=int),
        list(key),
    )
