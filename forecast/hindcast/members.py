"""One member's forecast of a panel, as arrays: made, or read from the cache."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from forecast import artifacts
from forecast.contract import NOT_FORECAST, Model
from forecast.data import inputs
from forecast.errors import ForecastError
from forecast.models.registry import model as find_model
from forecast.panel import Panel
from forecast.series_key import KEY, SeriesKey

#: Seconds that a full set of draws must have cost to be kept; quantiles always are.
SLOW = 0.3


@dataclass(frozen=True)
class Said:
    """What a member says of each series, in steps after the series' own last year.

    Attributes
    ----------
    name : str
    values : dict of (source, location, measure) to ndarray, shape (n_points, n_ahead)
        Draws, or quantiles at probabilities (k + ½)/n_points, in persons.
    parameters : dict of (source, location, measure) to ndarray, shape (n_ahead,)
        Share of the variance that comes from uncertain parameters and present state;
        NaN where the member does not say.
    reasons : dict of (source, location, measure) to str
        Why a series was not forecast.
    failure : str
        Why the member made no forecast at all; empty if it did.
    remarks : dict of (source, location, measure) to str
        What it has to say of a forecast that it made.
    """

    name: str
    values: dict[SeriesKey, np.ndarray]
    parameters: dict[SeriesKey, np.ndarray]
    reasons: dict[SeriesKey, str]
    failure: str
    remarks: dict[SeriesKey, str] = field(default_factory=dict)

    def reaching(self, ahead: Mapping[SeriesKey, int]) -> Said:
        """Return it without the series that it does not follow for so many steps."""
        short = {
            key: f"it ends after {values.shape[1]} of {ahead[key]} steps."
            for key, values in self.values.items()
            if values.shape[1] < ahead.get(key, 0)
        }
        if not short:
            return self
        values, parameters = (
            {key: array for key, array in table.items() if key not in short}
            for table in (self.values, self.parameters)
        )
        return replace(self, values=values, parameters=parameters, reasons=self.reasons | short)


@dataclass(frozen=True)
class Question:
    """What a member is asked: every series of a panel from its own end up to a year.

    Attributes
    ----------
    member : str or Model
        A registered name, or a model of one's own, whose answers are never kept: nothing
        says whether its code has changed.
    panel : Panel
    last : int
        The last target year.
    draws, seed : int
    points : int or None
        Keep so many quantiles instead of the draws.
    """

    member: str | Model
    panel: Panel
    last: int
    draws: int
    seed: int
    points: int | None = None

    @property
    def name(self) -> str:
        """Name of the member."""
        return find_model(self.member).name

    @property
    def key(self) -> dict[str, Any] | None:
        """Everything that decides the answer; None if it must not be kept."""
        member = self.member
        if not isinstance(member, str):
            return None
        model = find_model(member)
        if not type(model).__module__.startswith("forecast.models."):
            return None
        return artifacts.recipe(
            what="member",
            member=member,
            model=model,
            data=self.panel,
            last=self.last,
            draws=self.draws,
            points=self.points,
            seed=self.seed,
        )

    def known(self) -> Said | None:
        """Return the answer if it has been kept."""
        key = self.key
        arrays = None if key is None else artifacts.lookup(key)
        return None if arrays is None else _unpacked(self.name, arrays)

    def ask(self) -> Said:
        """Let the member forecast, and keep what it says where that saves time."""
        started = time.process_time()
        arrays, broken = _made(self)
        key = self.key
        # What broke may work next time; what declined will not.
        slow = self.points is not None or time.process_time() - started > SLOW
        if key is not None and slow and not broken:
            artifacts.keep(key, arrays)
        return _unpacked(self.name, arrays)


def name_of(member: str | Model) -> str:
    """Return the name of a member."""
    return member if isinstance(member, str) else member.name


def days_of(member: str | Model) -> tuple[str, ...]:
    """Return the days (YYYY-MM-DD) on which a member published; none for a model."""
    return () if isinstance(member, str) else find_model(member).published_days


def _made(question: Question) -> tuple[artifacts.Arrays, bool]:
    """Forecast and pack into arrays, the reason of a failure included; say if it broke."""
    panel, points = question.panel, question.points
    series = list(panel)
    longest = max((question.last - one.origin) // panel.step for one in series)
    width = points or question.draws
    values = np.full((len(series), width, longest), np.nan)
    parameters = np.full((len(series), longest), np.nan)
    reasons = [""] * len(series)
    failure, broken = "", False
    try:
        fitted = inputs.fit(find_model(question.member), panel, question.seed)
        # A publisher may not go as far as the last year: what there is counts.
        first = question.last if not days_of(question.member) else panel.origin + panel.step
        wanted = range(first, question.last + 1, panel.step)
        outlook = fitted.forecast(wanted, question.draws)
    except ForecastError as error:
        # Want of data, or a fit that its own diagnostics refuse: the same seed says the same.
        failure = str(error)
    except Exception as error:  # noqa: BLE001
        # A member is foreign code: whatever it raises costs its own weight only, and the
        # reason is told in the notes of the forecast.
        failure, broken = f"{type(error).__name__}: {error}", True
    if failure:
        return {"failure": np.array(failure)}, broken
    drawn = outlook.paths.transpose("series", "draw", "year")
    table, years = drawn.to_numpy(), drawn["year"].to_numpy()
    where = {
        key: position
        for position, key in enumerate(outlook.series[KEY].itertuples(index=False, name=None))
    }
    declined = outlook.notes["status"] == NOT_FORECAST
    why, told = (
        {(n.source, n.location, n.measure): str(n.reason) for n in notes.itertuples()}
        for notes in (outlook.notes[declined], outlook.notes[~declined])
    )
    for position, one in enumerate(series):
        reasons[position] = why.get(one.key, "")
        if one.key not in where:
            reasons[position] = reasons[position] or "the model gave no forecast."
            continue
        ahead = table[where[one.key]][:, years > one.origin]
        # What was published may end earlier than the last target year.
        ahead = ahead[:, np.logical_and.accumulate(np.isfinite(ahead).all(axis=0))]
        if one.origin < question.last and not ahead.shape[1]:
            reasons[position] = "some draws are not finite numbers."
            continue
        if points:
            ahead = np.quantile(ahead, (np.arange(points) + 0.5) / points, axis=0)
        values[position, :, : ahead.shape[1]] = ahead
        if points is None:
            parameters[position, : ahead.shape[1]] = fitted.parameter_share(one.key, ahead.shape[1])
    return {
        "keys": np.array([one.key for one in series], dtype=str),
        "values": values,
        "parameters": parameters,
        "reasons": np.array(reasons, dtype=str),
        "remarks": np.array([told.get(one.key, "") for one in series], dtype=str),
        "failure": np.array(""),
    }, False


def _unpacked(name: str, arrays: artifacts.Arrays) -> Said:
    failure = str(arrays["failure"])
    if failure:
        return Said(name, {}, {}, {}, failure)
    values: dict[SeriesKey, np.ndarray] = {}
    parameters: dict[SeriesKey, np.ndarray] = {}
    reasons: dict[SeriesKey, str] = {}
    remarks: dict[SeriesKey, str] = {}
    for position, (source, location, measure) in enumerate(arrays["keys"].tolist()):
        key = (source, location, measure)
        reason = str(arrays["reasons"][position])
        if reason:
            reasons[key] = reason
            continue
        kept = np.isfinite(arrays["values"][position]).all(axis=0)
        values[key] = arrays["values"][position][:, kept]
        parameters[key] = arrays["parameters"][position][kept]
        remarks[key] = str(arrays["remarks"][position])
    return Said(name, values, parameters, reasons, "", remarks)


__all__ = ["SLOW", "Question", "Said", "SeriesKey"]
