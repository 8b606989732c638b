"""Scores of the forecasts of a backtest against outcomes; the draws are dropped."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast import scores
from forecast.contract import NOT_FORECAST as NOTE_NOT_FORECAST
from forecast.contract import FittedBase
from forecast.errors import DataError
from forecast.hindcast.columns import (
    COLUMNS,
    FAILED,
    JOINT_COLUMNS,
    NOT_COUNTED,
    NOT_FORECAST,
    SCORED,
    conform,
)
from forecast.hindcast.jobs import Failure, Job
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.series_key import KEY, SeriesKey, keys_of

#: Draws that joint scores use: their cost grows with the square of the number.
JOINT_DRAWS = 200


@dataclass(frozen=True)
class Scored:
    """What is kept of a fold of a backtest.

    Attributes
    ----------
    table : DataFrame
        Rows of the score table.
    joint : DataFrame
        Rows of the table of joint scores.
    """

    table: pd.DataFrame
    joint: pd.DataFrame


@dataclass(frozen=True)
class Scores:
    """Keeps the scores of a fold.

    Attributes
    ----------
    label : str
        Name of the model in the score table.
    origin : int
        Last year that the fit may see.
    as_of : str
        Day of the release, empty for the latest figures.
    targets : DataFrame
        What the forecasts are scored on, see `forecast.hindcast.vintages.Outcomes`. It is
        read only after the forecast is made.
    joint : bool
        Whether joint scores over locations are wanted.
    settings : str
        Digest of what the model was made with, before anything was fitted; empty where folds
        are not kept.
    """

    label: str
    origin: int
    as_of: str
    targets: pd.DataFrame
    joint: bool
    settings: str = ""

    def seed(self, seed: int) -> int:
        """Return the seed of this model and origin, in any order and on any engine.

        Parameters
        ----------
        seed : int
            Of the whole backtest.
        """
        name = f"{self.label}\n{self.origin}\n{self.as_of}"
        words = np.frombuffer(hashlib.sha256(name.encode()).digest()[:16], dtype="<u4").tolist()
        return int(np.random.SeedSequence([seed, *words]).generate_state(1)[0])

    @property
    def years(self) -> tuple[int, ...]:
        """The target years."""
        return tuple(sorted(set(self.targets["year"].tolist())))

    def keep_failure(self, job: Job[Scored], failure: Failure) -> Scored:
        """Return rows with the reason; a model that declines for want of data is no fault."""
        status, reason = NOT_FORECAST, str(failure.error)
        if job.known is None:
            until = f"released by {self.as_of}" if self.as_of else f"up to {self.origin}"
            reason = f"no figures {until}"
        elif not isinstance(failure.error, DataError):
            status, reason = FAILED, f"{type(failure.error).__name__}: {failure.error}"
        rows = self.targets.assign(model=self.label, status=status, reason=reason)
        if job.known is not None:
            rows = _with_series(rows, job.known)
        return Scored(conform(rows, COLUMNS), conform(pd.DataFrame(), JOINT_COLUMNS))

    def keep(self, job: Job[Scored], fitted: FittedBase, outlook: Forecast) -> Scored:
        """Score a forecast."""
        assert job.known is not None  # noqa: S101
        targets = self.targets.reset_index(drop=True)
        draws = _draws(outlook, targets)
        rows = _with_series(targets.assign(model=self.label), job.known)
        rows["status"], rows["reason"] = _status(rows, draws, outlook)
        scored = (rows["status"] == SCORED).to_numpy()
        if scored.any():
            observed = rows["observed"].to_numpy()[scored]
            for name, values in scores.score(draws[:, scored], observed).items():
                rows.loc[scored, name] = values
            _against_first(rows, draws, scored)
            with np.errstate(divide="ignore", invalid="ignore"):
                scaled = rows["absolute_error"] / rows["scale"]
            rows["scaled_error"] = scaled.where(np.isfinite(scaled))
            _leave_out(rows, scored)
        joint = _joint(rows, draws, job.known.step) if self.joint else pd.DataFrame()
        return Scored(conform(rows, COLUMNS), conform(joint, JOINT_COLUMNS))


def _leave_out(rows: pd.DataFrame, scored: np.ndarray) -> None:
    """Mark scores that say nothing about a forecast: they are kept, but never counted."""
    last = rows["information_origin"].to_numpy(dtype=float, na_value=np.inf)
    broken = scored & (rows["last_break"].to_numpy() > last)
    reason = (
        "the series starts a new level in " + rows["last_break"].astype(str) + ", after the data"
    )
    rows.loc[broken, "status"], rows.loc[broken, "reason"] = NOT_COUNTED, reason[broken]
    filled = scored & rows["interpolated"].to_numpy()
    rows.loc[filled, "status"] = NOT_COUNTED
    rows.loc[filled, "reason"] = "the figure is interpolated, not observed"


def _draws(outlook: Forecast, targets: pd.DataFrame) -> np.ndarray:
    """Return the draws of every target row, shape (n_draws, n_rows); NaN where there are none."""
    paths = outlook.paths.transpose("draw", "series", "year")
    columns = pd.MultiIndex.from_arrays([paths[name].to_numpy() for name in KEY])
    wanted = pd.MultiIndex.from_frame(targets[KEY])
    series = columns.get_indexer(wanted)
    years = pd.Index(paths["year"].to_numpy()).get_indexer(targets["year"])
    drawn = paths.to_numpy()[:, series, years].astype(float)
    drawn[:, (series < 0) | (years < 0)] = np.nan
    return drawn


def _with_series(rows: pd.DataFrame, panel: Panel) -> pd.DataFrame:
    """Add the last year known of each series and its mean absolute change up to it.

    Months, quarters and half-years change from the same part of the year before.
    """
    origins: dict[SeriesKey, int] = {}
    scales: dict[SeriesKey, float] = {}
    for series in panel:
        changes = np.abs(series.values[series.season :] - series.values[: -series.season])
        changes = changes[~np.isnan(changes)]
        origins[series.key] = series.origin
        scales[series.key] = float(changes.mean()) if len(changes) else np.nan
    keys = keys_of(rows)
    last = pd.array([origins.get(key, pd.NA) for key in keys], dtype="Int64")
    return rows.assign(
        information_origin=last,
        information_horizon=rows["year"].to_numpy() - last,
        scale=[scales.get(key, np.nan) for key in keys],
    )


def _status(
    rows: pd.DataFrame, draws: np.ndarray, outlook: Forecast
) -> tuple[list[str], list[str]]:
    """Return status and reason of every row before it is scored."""
    notes = outlook.notes[outlook.notes["status"] == NOTE_NOT_FORECAST]
    declined = dict(zip(keys_of(notes), notes["reason"]))
    finite = np.isfinite(draws).all(axis=0)
    absent = np.isnan(draws).all(axis=0)
    statuses, reasons = [], []
    unseen = rows["information_origin"].isna().to_numpy()
    for position, key in enumerate(keys_of(rows)):
        if finite[position]:
            status, reason = SCORED, ""
        elif unseen[position]:
            status, reason = NOT_FORECAST, "no figures of this series up to the origin"
        elif key in declined:
            status, reason = NOT_FORECAST, str(declined[key])
        elif absent[position]:
            status, reason = NOT_FORECAST, "the model gave no forecast for this year"
        else:
            status, reason = FAILED, "some draws are not finite numbers"
        statuses.append(status)
        reasons.append(reason)
    return statuses, reasons


def _against_first(rows: pd.DataFrame, draws: np.ndarray, scored: np.ndarray) -> None:
    """Score against the first figure published as well, where releases are respected."""
    published = scored & (rows["as_of"] != "").to_numpy()
    if not published.any():
        return
    first = rows["observed_first"].to_numpy()[published]
    columns = scores.score(draws[:, published], first)
    for name in ("crps", "wis", "absolute_error", "inside_80"):
        rows.loc[published, f"{name}_first"] = columns[name]
    rows["revision"] = rows["observed"] - rows["observed_first"]


def _joint(rows: pd.DataFrame, draws: np.ndarray, step: int) -> pd.DataFrame:
    """Score the draws of all locations together, per source, measure and year."""
    joint_scores = []
    counted = rows[rows["status"] == SCORED]
    # A forecast that stands for a later release as well is scored once for each.
    for (source, measure, origin, as_of, year), group in counted.groupby(
        ["source", "measure", "origin", "as_of", "year"]
    ):
        known = group.dropna(subset=["population"])
        unit, used = ("per 1,000", known) if len(known) > 1 else ("persons", group)
        if len(used) < 2:
            continue
        size = used["population"].to_numpy() * step / 1000.0 if unit == "per 1,000" else 1.0
        joint = draws[:JOINT_DRAWS, used.index] / size
        observed = used["observed"].to_numpy() / size
        names = "\n".join(used["location"])
        joint_scores.append(
            {
                "model": used["model"].iloc[0],
                "measure": measure,
                "source": source,
                "origin": origin,
                "as_of": as_of,
                "year": year,
                "horizon": int(used["horizon"].iloc[0]),
                "locations": len(used),
                "locations_hash": hashlib.sha256(names.encode()).hexdigest()[:12],
                "unit": unit,
                "energy_score": scores.energy_score(joint, observed),
                "variogram_score": scores.variogram_score(joint, observed),
            }
        )
    return pd.DataFrame(joint_scores)
