"""Surges of the past: chances that were given, and scores of the upper tail, against what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast import periods
from forecast.contract import FittedBase, Model
from forecast.errors import DataError
from forecast.hindcast.jobs import Failure, Job, run_all
from forecast.hindcast.scoring import Scores
from forecast.hindcast.vintages import Outcomes, origins_latest, seen
from forecast.models.registry import model as find_model
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.scores import SortedDraws, crps
from forecast.series import usual_maximum
from forecast.series_key import KEY, keys_of

#: Columns of the table, in order.
COLUMNS = (
    "model", "location", "measure", "source", "origin", "year", "horizon", "threshold", "observed",
    "surge", "probability", "brier", "tail_crps",
)  # fmt: skip


def surges(
    panel: Panel,
    models: Sequence[str | Model],
    origins: Sequence[int | str] | int | str | None = None,
    horizons: Sequence[int] = (1, 3, 6, 12),
    *,
    years: int = 5,
    draws: int = 1000,
    seed: int = 1,
    jobs: int | None = None,
) -> pd.DataFrame:
    """Give chances of surges from past origins and score them.

    A surge is a figure above the largest of the last years up to the origin, as
    `forecast.draw_tables.surges` has it.

    Parameters
    ----------
    panel : Panel
        Each origin sees its figures up to there only.
    models : sequence of str or Model
        Registered names or models of one's own.
    origins, horizons, draws, seed, jobs
        As of `forecast.evaluate.backtest.backtest`.
    years : int
        Years whose largest figure is the threshold.

    Returns
    -------
    DataFrame
        One row per model, series, origin and horizon: ``threshold, observed`` (persons), ``surge``
        (whether it came), ``probability``, ``brier`` (squared error of the probability) and
        ``tail_crps`` (threshold-weighted CRPS above the threshold, persons).

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> table = surges(panel, ["naive"], [2015, 2018], (1, 3), draws=100)
    >>> bool((table["brier"] <= 1).all())
    True
    """
    found = [(one if isinstance(one, str) else one.name, find_model(one)) for one in models]
    outcomes = Outcomes(panel)
    work = []
    for origin in origins_latest(panel, origins):
        targets = outcomes.targets(origin, horizons)
        known = seen(panel, origin, None)
        limits = {one.key: usual_maximum(one, years) for one in known}
        targets = targets.assign(threshold=[limits.get(key, np.nan) for key in keys_of(targets)])
        for label, model in found:
            keeper = _Surges(Scores(label, origin.year, "", targets, joint=False))
            made_of = keeper.scores.seed(seed)
            work.append(Job(model, known, keeper.scores.years, draws, made_of, keeper))
    results = dict(run_all(work, fits=len(work) * len(panel), processes=jobs))
    tables = [results[number] for number in sorted(results) if len(results[number])]
    if not tables:
        raise DataError("nothing could be forecast and scored. Choose later origins.")
    table = pd.concat(tables, ignore_index=True)[list(COLUMNS)]
    return periods.labelled(table, panel.frequency)


def tail_crps(draws: np.ndarray, observed: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """Return the CRPS that only what lies above a threshold counts in, shape (n,).

    The threshold-weighted CRPS with the chaining function max(x, threshold) (Gneiting & Ranjan
    2011, doi:10.1198/jbes.2010.08110; scoringrules ``twcrps_ensemble``).

    Parameters
    ----------
    draws : ndarray, shape (n_draws, n)
    observed, threshold : ndarray, shape (n,)
        In the unit of the draws.

    Examples
    --------
    >>> tail_crps(np.array([[1.0], [3.0]]), np.array([2.0]), np.array([5.0])).tolist()
    [0.0]
    """
    return crps(SortedDraws.of(np.maximum(draws, threshold)), np.maximum(observed, threshold))


@dataclass(frozen=True)
class _Surges:
    """Keeps the scored chances of one model and origin."""

    scores: Scores

    def keep_failure(self, job: Job[pd.DataFrame], failure: Failure) -> pd.DataFrame:
        return pd.DataFrame(columns=list(COLUMNS))

    def keep(self, job: Job[pd.DataFrame], fitted: FittedBase, outlook: Forecast) -> pd.DataFrame:
        rows = self.scores.targets
        grid = {int(year): place for place, year in enumerate(outlook.paths["year"].to_numpy())}
        values = outlook.paths.transpose("draw", "series", "year").to_numpy()
        place = [outlook.position(key) for key in keys_of(rows)]
        at = [grid.get(int(year)) for year in rows["year"]]
        there = np.array([a is not None and b is not None for a, b in zip(place, at)], dtype=bool)
        rows = rows[there & rows["threshold"].notna().to_numpy()].reset_index(drop=True)
        drawn = np.stack(
            [values[:, outlook.position(key), grid[int(year)]]
             for key, year in zip(keys_of(rows), rows["year"])],
            axis=1,
        )  # fmt: skip
        known = np.isfinite(drawn).all(axis=0)
        rows, drawn = rows[known].reset_index(drop=True), drawn[:, known]
        limit, came = rows["threshold"].to_numpy(), rows["observed"].to_numpy()
        chance = (drawn > limit).mean(axis=0)
        return rows[[*KEY, "origin", "year", "horizon", "threshold", "observed"]].assign(
            model=self.scores.label,
            surge=came > limit,
            probability=chance,
            brier=(chance - (came > limit)) ** 2,
            tail_crps=tail_crps(drawn, came, limit),
        )
