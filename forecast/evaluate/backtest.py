"""The verb `backtest`: forecasts of the past, made as if it were not known yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from forecast import periods
from forecast.artifacts import digest
from forecast.contract import Model, ModelBase
from forecast.errors import DataError, FitError, unknown_name
from forecast.evaluate.track import Track
from forecast.hindcast.columns import JOINT_COLUMNS, conform, ordered
from forecast.hindcast.jobs import Engine, Job, check_engine, run_all
from forecast.hindcast.scoring import Scored, Scores
from forecast.hindcast.store import Store
from forecast.hindcast.vintages import (
    Origin,
    Outcomes,
    origins_as_published,
    origins_latest,
    seen,
)
from forecast.models.registry import model as find_model
from forecast.panel import Panel

DEFAULT_MODELS = ("naive", "persistence", "ets", "theta", "structural", "arima")
DEFAULT_HORIZONS = (1, 3, 5, 7)
#: Where figures are not by year.
SEASONAL_MODELS = ("seasonal-naive", "seasonal-ets", "seasonal-theta", "seasonal-pooled")


def backtest(
    panel: Panel,
    models: Sequence[str | Model] | None = None,
    origins: Sequence[int | str] | int | str | None = None,
    horizons: Sequence[int] | int | None = None,
    seed: int = 1,
    engine: Engine = "local",
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
    """Forecast the past from many origins and score the forecasts against outcomes.

    Parameters
    ----------
    panel : Panel
        Each fold sees its figures up to the origin only.
    models : sequence of str or Model
        Registered names or models of one's own. Include ``"persistence"``, or
        ``"seasonal-naive"`` where figures are not by year: skill and verdicts are measured
        against it. By default some models of single series.
    origins : int, str or sequence of these
        Last years (or periods such as ``"2018-06"``) that a forecast may see, such as
        ``range(2003, 2019)``; by default the last twenty (of months every third one). With
        ``vintage="as_published"`` a year stands for the first release that ends in it, a day
        (YYYY-MM-DD) for what was out then; by default every release.
    horizons : int or sequence of int
        Years (or periods) ahead of the origin; multiples of five for five-year panels. By default
        1, 3, 5 and 7 years; a quarter, half and whole year of periods, and the next one.
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
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
    >>> track
    <Track: persistence, naive; 3 series, 2 origins, 24 scores, 0 without>
    """
    plan = _plan(panel, models, origins, horizons, vintage, window, refit, draws, seed, joint)
    check_engine(engine, jobs, scheduler)
    store_of_folds = Store(Path(store)) if store is not None else None
    total = len(plan.groups) * len(plan.models)
    finished: dict[int, Scored] = {}
    if progress is not None:
        progress(0, total)
    for number, scored in run_all(
        _folds(panel, plan, stored=store is not None),
        fits=total * len(panel),
        results=store_of_folds,
        engine=engine,
        processes=jobs,
        scheduler=scheduler,
    ):
        finished[number] = scored
        if progress is not None:
            progress(len(finished), total)
    track = _track([finished[number] for number in sorted(finished)], panel, plan, vintage)
    if strict and len(track.failures):
        first = track.failures.iloc[0]
        raise FitError(
            f"{len(track.failures)} forecasts failed, the first by {first['model']} from "
            f"{first['origin']}: {first['reason']} Without strict, they are rows with a reason."
        )
    return track


def _track(folds: Sequence[Scored], panel: Panel, plan: Plan, vintage: str) -> Track:
    """Put the rows of all folds into one track."""
    labels = [label for label, _ in plan.models]
    tables = [fold.table for fold in folds if len(fold.table)]
    joints = [fold.joint for fold in folds if len(fold.joint)]
    if not tables:
        raise DataError(
            "there is nothing to score: no figure lies at these horizons after these origins. "
            "Choose earlier origins or shorter horizons."
        )
    return Track(
        ordered(tables, labels),
        ordered(joints, labels) if joints else conform(pd.DataFrame(), JOINT_COLUMNS),
        plan.settings(panel, vintage),
    )


def _folds(panel: Panel, plan: Plan, *, stored: bool) -> Iterator[Job[Scored]]:
    """Make every fold, origin by origin, with the figures it may see cut out beforehand."""
    outcomes = Outcomes(panel)
    # Before anything is fitted: a model may keep what it has learned on itself.
    settings = {label: digest(model) if stored else "" for label, model in plan.models}
    for group in plan.groups:
        first = group[0]
        targets = pd.concat(
            [outcomes.targets(origin, plan.horizons) for origin in group], ignore_index=True
        )
        try:
            known: Panel | None = seen(panel, first, plan.window)
        except DataError:
            known = None
        if known is not None:
            # Made once here instead of once by every model.
            len(known)
        for label, model in plan.models:
            scores = Scores(label, first.year, first.as_of, targets, plan.joint, settings[label])
            seed = scores.seed(plan.seed)
            yield Job(model, known, scores.years, plan.draws, seed, scores)


@dataclass(frozen=True)
class Plan:
    """What a backtest will do, checked.

    Attributes
    ----------
    models : list of (str, ModelBase)
        Label in the score table, and the model.
    groups : list of list of Origin
        Origins that share a fit, the first of which it sees.
    horizons : tuple of int
        Years ahead of the origin.
    window : int or None
    draws, seed : int
    joint : bool
    """

    models: list[tuple[str, ModelBase]]
    groups: list[list[Origin]]
    horizons: tuple[int, ...]
    window: int | None
    draws: int
    seed: int
    joint: bool

    def settings(self, panel: Panel, vintage: str) -> dict[str, object]:
        """Return what was asked for, as a saved track states it."""
        from forecast import __version__

        return {
            "models": [label for label, _ in self.models],
            "origins": [[o.year, o.as_of] for group in self.groups for o in group],
            "horizons": list(self.horizons),
            "window": self.window,
            "refit": max(len(group) for group in self.groups),
            "draws": self.draws,
            "seed": self.seed,
            "vintage": vintage,
            "step": panel.step,
            **({} if panel.frequency == "year" else {"frequency": panel.frequency}),
            "data_hash": panel.hash,
            "version": __version__,
        }


def _plan(
    panel: Panel,
    models: Sequence[str | Model] | None,
    origins: Sequence[int | str] | int | str | None,
    horizons: Sequence[int] | int | None,
    vintage: str,
    window: int | None,
    refit: int,
    draws: int,
    seed: int,
    joint: bool,
) -> Plan:
    """Check everything that was asked for; see `backtest`."""
    if not isinstance(panel, Panel):
        raise DataError(
            f"backtest() needs a Panel, not {type(panel).__name__}. "
            "Make one with forecast.read(), forecast.load() or Panel.from_frame()."
        )
    yearly = panel.frequency == "year"
    if models is None:
        models = DEFAULT_MODELS if yearly else SEASONAL_MODELS
    if horizons is None:
        season = periods.PER_YEAR[panel.frequency]
        horizons = DEFAULT_HORIZONS if yearly else (1, season // 4 or 1, season // 2, season)
    for name, value, least in (
        ("draws", draws, 100),
        ("seed", seed, 0),
        ("refit", refit, 1),
        ("window", window, 2),
    ):
        if value is not None and (not isinstance(value, int) or value < least):
            raise DataError(f"{name} is {value!r}; give a whole number, {least} or above.")
    if vintage not in ("latest", "as_published"):
        raise unknown_name("vintage", vintage, ["latest", "as_published"])
    if isinstance(models, str) or not len(models):
        raise DataError(f"models is {models!r}; give a list such as ['naive', 'ets'].")
    resolved = [(given, find_model(given)) for given in models]
    labelled = [(given if isinstance(given, str) else m.name, m) for given, m in resolved]
    labels = [label for label, _ in labelled]
    twice = [label for label in labels if labels.count(label) > 1]
    if twice:
        raise DataError(f"two models are called {twice[0]!r}. Give each its own name.")
    chosen = (
        origins_latest(panel, origins)
        if vintage == "latest"
        else origins_as_published(panel, origins)
    )
    groups = [chosen[start : start + refit] for start in range(0, len(chosen), refit)]
    return Plan(labelled, groups, _horizons(panel, horizons), window, draws, seed, joint)


def _horizons(panel: Panel, horizons: Sequence[int] | int) -> tuple[int, ...]:
    horizons = list(horizons) if isinstance(horizons, Iterable) else [horizons]
    if not len(horizons) or not all(hasattr(horizon, "__index__") for horizon in horizons):
        raise DataError(f"horizons are {horizons!r}; give years ahead such as (1, 3, 5, 7).")
    wanted = tuple(sorted({int(horizon) for horizon in horizons}))
    if wanted[0] < 1 or wanted[-1] > 50 * panel.step:
        raise DataError(
            f"horizons are {list(wanted)}: backtests count in years ahead of the origin, "
            f"from 1 to {50 * panel.step}. Calendar years belong to forecast()."
        )
    off = [horizon for horizon in wanted if horizon % panel.step]
    if off:
        raise DataError(
            f"horizon {off[0]} is not a multiple of the panel's {panel.step}-year step. "
            f"Ask for {panel.step}, {2 * panel.step}, ..."
        )
    return wanted
