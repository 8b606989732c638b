"""Earlier occasions: the members of an ensemble run at origins and on days before its own.

Everything here is learned from a panel that ends at the origin of the forecast: the members
are shown its figures up to an earlier year and held against its own later figures. So the
weights and widths of a forecast rest on nothing that it could not have known, and a backtest
of the ensemble is nested of itself. The origins lie on a fixed grid of the calendar and the
seed is fixed, so that forecasts from neighbouring origins ask for the same earlier ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forecast.contract import ModelBase, complete
from forecast.errors import DataError
from forecast.hindcast.jobs import Job, run_all
from forecast.hindcast.members import MemberCache, MemberForecast, member_job
from forecast.hindcast.vintages import released
from forecast.panel import Panel
from forecast.series_key import SeriesKey


@dataclass(frozen=True)
class Occasion:
    """What the members forecast on one earlier occasion.

    Attributes
    ----------
    origin : int
        The last year that they were shown.
    forecasts : list of (MemberForecast or None)
        One entry per member; None where it was not run.
    ends : dict of (source, location, measure) to int, optional
        The last year of each series, where they were shown what had been released by some day;
        without it, what is known today up to `origin`.
    """

    origin: int
    forecasts: list[MemberForecast | None]
    ends: Mapping[SeriesKey, int] | None = None


def origins(panel: Panel, settings: Mapping[str, Any]) -> list[int]:
    """Return the earlier origins, latest first: the last ones on a grid of the calendar.

    Parameters
    ----------
    panel : Panel
        What is known.
    settings : mapping
        ``[history]`` of ``models/ensemble.toml``.
    """
    stride = int(settings["every"]) * panel.step if panel.step == 1 else panel.step
    first = min(int(series.years[0]) for series in panel)
    latest = panel.origin - panel.step
    # Periods are few: every one of them counts.
    start = latest - latest % stride if panel.step == 1 else latest
    return list(range(start, first, -stride))[: int(settings["origins"])]


def run_members(
    members: Sequence[ModelBase],
    panel: Panel,
    steps: int,
    settings: Mapping[str, Any],
    on_day: Callable[[str], Sequence[ModelBase]] | None = None,
) -> list[Occasion]:
    """Run every member on every earlier occasion.

    These are earlier origins. Where a member published on given days
    (`forecast.contract.ModelBase.published_days`), it has said nothing at origins, and all
    members are run on those days too, with the figures of the day.

    Parameters
    ----------
    members : sequence of ModelBase
    panel : Panel
        What is known; it ends at the origin of the forecast.
    steps : int
        How many steps ahead they look.
    settings : mapping
        The table ``history`` of ``models/ensemble.toml``.
    on_day : callable, optional
        Members to run on a day of release, where they are to know less then.

    Returns
    -------
    list of Occasion
        Origins from the latest on, then days.
    """
    steps = max(steps, int(settings["steps"]))
    occasions: list[Occasion] = []
    waiting: list[tuple[Job[MemberForecast], int, int]] = []
    results = MemberCache()
    ready = [complete(member).prepare() for member in members]
    for origin, known, chosen, ends in _occasions(members, panel, settings, on_day):
        occasions.append(Occasion(origin, [None] * len(members), ends))
        for position, member in chosen:
            job = member_job(
                member, known, origin + steps * panel.step,
                int(settings["draws"]), int(settings["seed"]), int(settings["points"]),
            )  # fmt: skip
            kept = results.read(job)
            occasions[-1].forecasts[position] = kept
            if kept is None:
                waiting.append((job, len(occasions) - 1, position))
    # What has still to be compiled is so meanwhile.
    waiting.sort(key=lambda one: not ready[one[2]])
    jobs = (job for job, _, _ in waiting)
    for number, result in run_all(jobs, fits=len(waiting) * len(panel), results=results):
        _, at, position = waiting[number]
        occasions[at].forecasts[position] = result
    return occasions


_Chosen = list[tuple[int, ModelBase]]


def _occasions(
    members: Sequence[ModelBase],
    panel: Panel,
    settings: Mapping[str, Any],
    on_day: Callable[[str], Sequence[ModelBase]] | None,
) -> Iterator[tuple[int, Panel, _Chosen, dict[SeriesKey, int] | None]]:
    """Yield origin, what was known, the members to run, and where series ended on a day."""
    grid = origins(panel, settings)
    stride = grid[0] - grid[1] if len(grid) > 1 else 1
    every = [int(settings.get("sparse", {}).get(member.name, 1)) for member in members]
    for origin in grid:
        try:
            known = panel.until(origin)
        except DataError:
            continue
        chosen = [
            (position, member)
            for position, member in enumerate(members)
            if (origin // stride) % every[position] == 0 and not member.published_days
        ]
        yield origin, known, chosen, None
    days = sorted({day for member in members for day in member.published_days})
    for known in released(panel, days)[-int(settings["origins"]) :]:
        then = members if on_day is None else on_day(known.last_release)
        ends = {series.key: series.origin for series in known}
        yield known.origin, known, list(enumerate(then)), ends
