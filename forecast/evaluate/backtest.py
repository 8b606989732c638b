"""The verb `backtest`: forecasts of the past, made as if it were not known yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from forecast.artifacts import digest
from forecast.contract import Model
from forecast.errors import DataError, FitError
from forecast.evaluate.plan import Plan, make
from forecast.evaluate.track import Track
from forecast.hindcast import engine as engines
from forecast.hindcast.columns import JOINT_COLUMNS, conform, ordered
from forecast.hindcast.fold import Fold, Scored
from forecast.hindcast.store import Store
from forecast.hindcast.vintages import Truth, seen
from forecast.models.registry import model as find_model
from forecast.panel import Panel

DEFAULT_MODELS = ("naive", "ets", "theta", "structural", "arima")
DEFAULT_HORIZONS = (1, 3, 5, 7)


def backtest(
    panel: Panel,
    models: Sequence[str | Model] = DEFAULT_MODELS,
    origins: Sequence[int | str] | int | str | None = None,
    horizons: Sequence[int] | int = DEFAULT_HORIZONS,
    seed: int = 1,
    engine: engines.Engine = "local",
    *,
    draws: int = 1000,
    window: int | None = None,
    refit: int = 1,
    vintage: Literal["latest", "as_published"] = "latest",
    jobs: int | None = None,
    scheduler: str | None = None,
    store: str | Path | None = None,
    joint: bool = True,
    strict: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Track:
    """Forecast the past from many origins and score what came of it.

    Parameters
    ----------
    panel : Panel
        Each fold sees its figures up to the origin only.
    models : sequence of str or Model
        Registered names or models of one's own. Include ``"naive"``: skill and verdicts
        are measured against it.
    origins : int or sequence of int
        Last years that a forecast may see, such as ``range(2003, 2019)``; by default the
        last twenty. With ``vintage="as_published"`` a year stands for the first release
        that ends in it, a day (YYYY-MM-DD) for what was out then; by default every release.
    horizons : int or sequence of int
        Years ahead of the origin; multiples of five for five-year panels.
    seed : int
        Source of all randomness; results do not depend on order, processes or engine.
    engine : {"local", "dask"}
        Processes on this machine, or a Dask cluster.
    draws : int
        Simulated futures per forecast, at least 100. They are scored and dropped.
    window : int, optional
        Learn from the last so many years only (sliding window).
    refit : int
        Fit at every k-th origin; the forecasts of the origins between come from the
        earlier fit, looking further ahead (``information_horizon`` says how far).
    vintage : {"latest", "as_published"}
        Learn from the latest figures, or only from those out on the day; the latter are
        scored against the first and the latest figure of each target year.
    jobs : int, optional
        Processes; by default as many as there are processors, if it is worth it.
    scheduler : str, optional
        Address of a Dask scheduler (``engine="dask"``); a local cluster by default.
    store : str or Path, optional
        Folder for finished folds. A run that was killed goes on from there and gives the
        same table.
    joint : bool
        Also score all locations together (energy and variogram score).
    strict : bool
        Raise at the end if a model failed in any fold.
    progress : callable, optional
        Called with (folds done, folds in all).

    Returns
    -------
    Track

    Raises
    ------
    DataError, UnknownNameError
        Before any work, if something asked for cannot be done.
    FitError
        With `strict`, if a fold failed; all others are finished (and stored) by then.

    Examples
    --------
    >>> track = backtest(panel, ["naive", "ets"], range(2003, 2019))  # doctest: +SKIP
    >>> track.skill()                                                 # doctest: +SKIP
    """
    plan = make(panel, models, origins, horizons, vintage, window, refit, draws, seed, joint)
    engines.check(engine, jobs, scheduler)
    kept = Store(Path(store)) if store is not None else None
    total = len(plan.groups) * len(plan.models)
    finished: dict[int, Scored] = {}

    def tell() -> None:
        if progress is not None:
            progress(len(finished), total)

    def missing() -> Iterator[tuple[int, Fold]]:
        for number, fold in enumerate(_folds(panel, plan, kept=kept is not None)):
            known = kept.read(fold) if kept is not None else None
            if known is None:
                yield number, fold
            else:
                finished[number] = known
                tell()

    tell()
    fits = total * len(panel)
    for number, scored in _stored(
        missing(), kept, engine=engine, jobs=jobs, scheduler=scheduler, fits=fits
    ):
        finished[number] = scored
        tell()
    labels = [label for label, _ in plan.models]
    results = [finished[number] for number in sorted(finished)]
    tables = [result.table for result in results if len(result.table)]
    joints = [result.joint for result in results if len(result.joint)]
    if not tables:
        raise DataError(
            "there is nothing to score: no figure lies at these horizons after these origins. "
            "Choose earlier origins or shorter horizons."
        )
    track = Track(
        ordered(tables, labels),
        ordered(joints, labels) if joints else conform(pd.DataFrame(), JOINT_COLUMNS),
        plan.settings(panel, vintage),
    )
    if strict and len(track.failures):
        first = track.failures.iloc[0]
        raise FitError(
            f"{len(track.failures)} forecasts failed, the first by {first['model']} from "
            f"{first['origin']}: {first['reason']} Without strict, they are rows with a reason."
        )
    return track


def _folds(panel: Panel, plan: Plan, *, kept: bool) -> Iterator[Fold]:
    """Make every fold, origin by origin, with the figures it may see cut out beforehand."""
    truth = Truth.of(panel)
    # Before anything is fitted: a model may keep what it has learned on itself.
    settings = {label: digest(find_model(model)) if kept else "" for label, model in plan.models}
    for group in plan.groups:
        first = group[0]
        targets = pd.concat(
            [truth.targets(origin, plan.horizons) for origin in group], ignore_index=True
        )
        try:
            known: Panel | None = seen(panel, first, plan.window)
        except DataError:
            known = None
        if known is not None:
            # Made once here instead of once by every model.
            len(known)
        for label, model in plan.models:
            yield Fold(
                label,
                model,
                first.year,
                first.as_of,
                known,
                targets,
                plan.draws,
                plan.seed,
                plan.joint,
                settings[label],
            )


def _stored(
    folds: Iterator[tuple[int, Fold]],
    store: Store | None,
    *,
    engine: str,
    jobs: int | None,
    scheduler: str | None,
    fits: int,
) -> Iterator[tuple[int, Scored]]:
    """Run the folds and keep each as soon as it is finished."""
    running: dict[int, Fold] = {}

    def remembered() -> Iterator[tuple[int, Fold]]:
        for number, fold in folds:
            running[number] = fold
            yield number, fold

    for number, scored in engines.results(
        remembered(), engine=engine, jobs=jobs, scheduler=scheduler, fits=fits
    ):
        fold = running.pop(number)
        if store is not None:
            store.write(fold, scored)
        yield number, scored
