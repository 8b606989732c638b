"""One fold: fit one model to what was known, forecast, score, and drop the draws."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast import scores
from forecast.contract import NOT_FORECAST as NOTE_NOT_FORECAST
from forecast.contract import Model
from forecast.data import inputs
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
from forecast.models.registry import model as find_model
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.series_key import KEY, SeriesKey

#: Draws that joint scores use: their cost grows with the square of the number.
JOINT_DRAWS = 200


@dataclass(frozen=True)
class Fold:
    """One model and what it may see; carries all that a process elsewhere needs.

    Attributes
    ----------
    label : str
        Name of the model in the score table.
    model : str or Model
        A registered name, or the model itself.
    origin : int
        Last year that the fit may see.
    as_of : str
        Day of the release, empty for the latest figures.
    seen : Panel or None
        The figures up to the origin, nothing else; None if there were none.
    targets : DataFrame
        What the forecasts are scored on, see `forecast.hindcast.vintages.Truth`. It is
        read only after the forecast is made.
    draws : int
    seed : int
        Of the whole backtest.
    joint : bool
        Whether joint scores over locations are wanted.
    settings : str
        Digest of what the model was made with, before anything was fitted; empty where folds
        are not kept.
    """

    label: str
    model: str | Model
    origin: int
    as_of: str
    seen: Panel | None
    targets: pd.DataFrame
    draws: int
    seed: int
    joint: bool
    settings: str = ""

    @property
    def fold_seed(self) -> int:
        """Seed that belongs to this model and origin, in any order and on any engine."""
        name = f"{self.label}\n{self.origin}\n{self.as_of}"
        words = np.frombuffer(hashlib.sha256(name.encode()).digest()[:16], dtype="<u4").tolist()
        return int(np.random.SeedSequence([self.seed, *words]).generate_state(1)[0])


@dataclass(frozen=True)
class Scored:
    """What is kept of a fold.

    Attributes
    ----------
    table : DataFrame
        Rows of the score table.
    joint : DataFrame
        Rows of the table of joint scores.
    """

    table: pd.DataFrame
    joint: pd.DataFrame


def run(fold: Fold) -> Scored:
    """Fit, forecast and score one fold; a failure becomes rows with its reason."""
    if fold.seen is None:
        known = f"released by {fold.as_of}" if fold.as_of else f"up to {fold.origin}"
        return _lost(fold, NOT_FORECAST, f"no figures {known}")
    try:
        outlook = forecast(fold)
    except DataError as error:
        # The model declined for want of data; that is not a fault.
        return _lost(fold, NOT_FORECAST, str(error))
    except Exception as error:  # noqa: BLE001
        # The one place that catches everything: a model is foreign code, and whatever it
        # raises must cost its own fold only. The reason is kept and the row is counted.
        return _lost(fold, FAILED, f"{type(error).__name__}: {error}")
    return score(fold, outlook)


def forecast(fold: Fold) -> Forecast:
    """Forecast the target years of a fold from what it has seen."""
    assert fold.seen is not None  # noqa: S101
    years = sorted(set(fold.targets["year"].tolist()))
    fitted = inputs.fit(find_model(fold.model), fold.seen, fold.fold_seed)
    return fitted.forecast(years, fold.draws)


def _lost(fold: Fold, status: str, reason: str) -> Scored:
    rows = fold.targets.assign(model=fold.label, status=status, reason=reason)
    if fold.seen is not None:
        rows = _with_series(rows, fold.seen)
    return Scored(conform(rows, COLUMNS), conform(pd.DataFrame(), JOINT_COLUMNS))


def score(fold: Fold, outlook: Forecast) -> Scored:
    """Score a forecast; see `Fold.targets` for what it is held against."""
    assert fold.seen is not None  # noqa: S101
    targets = fold.targets.reset_index(drop=True)
    draws = _draws(outlook, targets)
    rows = targets.assign(model=fold.label)
    rows = _with_series(rows, fold.seen)
    rows["status"], rows["reason"] = _status(rows, draws, outlook)
    made = (rows["status"] == SCORED).to_numpy()
    if made.any():
        observed = rows["observed"].to_numpy()[made]
        columns = scores.score(draws[:, made], observed)
        for name, values in columns.items():
            rows.loc[made, name] = values
        _against_first(rows, draws, made)
        with np.errstate(divide="ignore", invalid="ignore"):
            scaled = rows["absolute_error"] / rows["scale"]
        rows["scaled_error"] = scaled.where(np.isfinite(scaled))
        _leave_out(rows, made)
    joint = _joint(fold, rows, draws) if fold.joint else pd.DataFrame()
    return Scored(conform(rows, COLUMNS), conform(joint, JOINT_COLUMNS))


def _leave_out(rows: pd.DataFrame, made: np.ndarray) -> None:
    """Mark scores that say nothing about a forecast: they are kept, but never counted."""
    last = rows["information_origin"].to_numpy(dtype=float, na_value=np.inf)
    broken = made & (rows["last_break"].to_numpy() > last)
    reason = (
        "the series starts a new level in " + rows["last_break"].astype(str) + ", after the data"
    )
    rows.loc[broken, "status"], rows.loc[broken, "reason"] = NOT_COUNTED, reason[broken]
    filled = made & rows["interpolated"].to_numpy()
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


def _with_series(rows: pd.DataFrame, known: Panel) -> pd.DataFrame:
    """Add the last year known of each series and its mean absolute change up to it."""
    origins: dict[SeriesKey, int] = {}
    scales: dict[SeriesKey, float] = {}
    for series in known:
        changes = np.abs(np.diff(series.values))
        changes = changes[~np.isnan(changes)]
        origins[series.key] = series.origin
        scales[series.key] = float(changes.mean()) if len(changes) else np.nan
    keys = list(rows[KEY].itertuples(index=False, name=None))
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
    told = {(n.source, n.location, n.measure): str(n.reason) for n in notes.itertuples()}
    finite = np.isfinite(draws).all(axis=0)
    absent = np.isnan(draws).all(axis=0)
    statuses, reasons = [], []
    keys = rows[KEY].itertuples(index=False, name=None)
    unseen = rows["information_origin"].isna().to_numpy()
    for position, key in enumerate(keys):
        if finite[position]:
            status, reason = SCORED, ""
        elif unseen[position]:
            status, reason = NOT_FORECAST, "no figures of this series up to the origin"
        elif key in told:
            status, reason = NOT_FORECAST, told[key]
        elif absent[position]:
            status, reason = NOT_FORECAST, "the model gave no forecast for this year"
        else:
            status, reason = FAILED, "some draws are not finite numbers"
        statuses.append(status)
        reasons.append(reason)
    return statuses, reasons


def _against_first(rows: pd.DataFrame, draws: np.ndarray, made: np.ndarray) -> None:
    """Score against the first figure published as well, where releases are respected."""
    published = made & (rows["as_of"] != "").to_numpy()
    if not published.any():
        return
    first = rows["observed_first"].to_numpy()[published]
    columns = scores.score(draws[:, published], first)
    for name in ("crps", "wis", "absolute_error", "inside_80"):
        rows.loc[published, f"{name}_first"] = columns[name]
    rows["revision"] = rows["observed"] - rows["observed_first"]


def _joint(fold: Fold, rows: pd.DataFrame, draws: np.ndarray) -> pd.DataFrame:
    """Score the draws of all locations together, per source, measure and year."""
    made = []
    counted = rows[rows["status"] == SCORED]
    assert fold.seen is not None  # noqa: S101
    # A forecast that stands for a later release as well is scored once for each.
    for (source, measure, origin, as_of, year), group in counted.groupby(
        ["source", "measure", "origin", "as_of", "year"]
    ):
        known = group.dropna(subset=["population"])
        unit, used = ("per 1,000", known) if len(known) > 1 else ("persons", group)
        if len(used) < 2:
            continue
        size = (
            used["population"].to_numpy() * fold.seen.step / 1000.0 if unit == "per 1,000" else 1.0
        )
        joint = draws[:JOINT_DRAWS, used.index] / size
        observed = used["observed"].to_numpy() / size
        names = "\n".join(used["location"])
        made.append(
            {
                "model": fold.label,
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
    return pd.DataFrame(made)
