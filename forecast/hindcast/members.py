"""Forecasts of the members of an ensemble: draws or quantiles of each series, and their cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from forecast import artifacts
from forecast.contract import NOT_FORECAST, FittedBase, ModelBase, complete
from forecast.hindcast.jobs import Failure, Job, Results
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.series_key import SeriesKey, keys_of

#: Seconds that a full set of draws must have cost to be kept; quantiles always are.
SLOW = 0.3


@dataclass(frozen=True, eq=False)
class MemberForecast:
    """What a member forecasts of each series, in steps after the series' own last year.

    Attributes
    ----------
    keys : list of (source, location, measure)
        The series it was given.
    persons : ndarray, shape (n_series, n_points, n_steps)
        Draws, or quantiles at probabilities (k + ½)/n_points; NaN beyond what it forecast.
    parameters : ndarray, shape (n_series, n_steps)
        Share of the variance that comes from uncertain parameters and present state;
        NaN where the member does not say.
    reasons : list of str
        Why a series was not forecast; empty where it was.
    remarks : list of str
        What it has to say of a forecast that it made.
    failure : str
        Why the member made no forecast at all; empty if it did.
    broke : bool
        Whether that was a fault of its code: it may work next time.
    """

    name: str
    keys: list[SeriesKey]
    persons: np.ndarray
    parameters: np.ndarray
    reasons: list[str]
    remarks: list[str]
    failure: str = ""
    broke: bool = False

    @classmethod
    def failed(cls, name: str, reason: str, *, broke: bool = False) -> MemberForecast:
        """Return that of a member which made no forecast at all."""
        return cls(name, [], np.empty((0, 0, 0)), np.empty((0, 0)), [], [], reason, broke)

    @cached_property
    def _rows(self) -> dict[SeriesKey, int]:
        return {key: row for row, key in enumerate(self.keys)}

    @cached_property
    def _reached(self) -> np.ndarray:
        return np.asarray(np.isfinite(self.persons).all(axis=1))

    def __contains__(self, key: object) -> bool:
        """Whether a series was forecast."""
        return key in self._rows and not self.reasons[self._rows[key]]

    def of(self, key: SeriesKey) -> np.ndarray:
        """Return the draws or quantiles of a series that it forecast, shape (n_points, n_ahead)."""
        row = self._rows[key]
        return np.asarray(self.persons[row][:, self._reached[row]])

    def parameter_share(self, key: SeriesKey) -> np.ndarray:
        """Return the share of parameters in the variance of a series, shape (n_ahead,)."""
        row = self._rows[key]
        return np.asarray(self.parameters[row][self._reached[row]])

    def reason(self, key: SeriesKey) -> str:
        """Return why a series was not forecast; empty if it was, or was not there."""
        return self.reasons[self._rows[key]] if key in self._rows else ""

    def remark(self, key: SeriesKey) -> str:
        """Return what it says of a series that it forecast."""
        return self.remarks[self._rows[key]] if key in self else ""

    def reaching(self, ahead: Mapping[SeriesKey, int]) -> MemberForecast:
        """Return it without the series that it does not follow for so many steps."""
        reached = dict(zip(self.keys, self._reached.sum(axis=1).tolist()))
        short = {
            key: f"it ends after {reached[key]} of {ahead[key]} steps."
            for key in self.keys
            if key in self and reached[key] < ahead.get(key, 0)
        }
        if not short:
            return self
        reasons = [short.get(key, reason) for key, reason in zip(self.keys, self.reasons)]
        return replace(self, reasons=reasons)

    def arrays(self) -> artifacts.Arrays:
        """Return all of it as arrays of numbers and text, as the cache has them."""
        return {
            "keys": np.array(self.keys, dtype=str),
            "values": self.persons,
            "parameters": self.parameters,
            "reasons": np.array(self.reasons, dtype=str),
            "remarks": np.array(self.remarks, dtype=str),
            "failure": np.array(self.failure),
        }

    @classmethod
    def from_arrays(cls, name: str, arrays: artifacts.Arrays) -> MemberForecast:
        """Make one from what `arrays` returned."""
        return cls(
            name,
            [(source, location, measure) for source, location, measure in arrays["keys"].tolist()],
            arrays["values"], arrays["parameters"], arrays["reasons"].tolist(),
            arrays["remarks"].tolist(), str(arrays["failure"]),
        )  # fmt: skip


@dataclass(frozen=True)
class Members:
    """Keeps draws or quantiles of every series, from its own end up to the last target year.

    Attributes
    ----------
    points : int or None
        Keep so many quantiles instead of the draws.
    """

    points: int | None = None

    def keep_failure(self, job: Job[MemberForecast], failure: Failure) -> MemberForecast:
        """Return the reason, which the notes of the ensemble tell."""
        return MemberForecast.failed(job.model.name, failure.reason, broke=failure.broke)

    def keep(
        self, job: Job[MemberForecast], fitted: FittedBase, outlook: Forecast
    ) -> MemberForecast:
        """Return the forecast of every series of the panel."""
        assert job.known is not None  # noqa: S101
        points, last, series = self.points, job.years[-1], list(job.known)
        longest = max((last - one.origin) // one.step for one in series)
        persons = np.full((len(series), points or job.draws, longest), np.nan)
        parameters = np.full((len(series), longest), np.nan)
        reasons = [""] * len(series)
        drawn = outlook.paths.transpose("series", "draw", "year")
        paths, years = drawn.to_numpy(), drawn["year"].to_numpy()
        where = {key: position for position, key in enumerate(keys_of(outlook.series))}
        declined = outlook.notes["status"] == NOT_FORECAST
        why, remarks = (
            {key: str(reason) for key, reason in zip(keys_of(notes), notes["reason"])}
            for notes in (outlook.notes[declined], outlook.notes[~declined])
        )
        for row, one in enumerate(series):
            reasons[row] = why.get(one.key, "")
            if one.key not in where:
                reasons[row] = reasons[row] or "the model gave no forecast."
                continue
            ahead = paths[where[one.key]][:, years > one.origin]
            # What was published may end earlier than the last target year.
            ahead = ahead[:, np.logical_and.accumulate(np.isfinite(ahead).all(axis=0))]
            if one.origin < last and not ahead.shape[1]:
                reasons[row] = "some draws are not finite numbers."
                continue
            if points:
                ahead = np.quantile(ahead, (np.arange(points) + 0.5) / points, axis=0)
            else:
                share = fitted.parameter_share(one.key, ahead.shape[1])
                parameters[row, : ahead.shape[1]] = share
            persons[row, :, : ahead.shape[1]] = ahead
        keys = [one.key for one in series]
        told = [remarks.get(key, "") for key in keys]
        return MemberForecast(job.model.name, keys, persons, parameters, reasons, told)


def member_job(
    member: ModelBase, panel: Panel, last: int, draws: int, seed: int, points: int | None = None
) -> Job[MemberForecast]:
    """Return the job of a member that forecasts every series of a panel up to a year.

    Parameters
    ----------
    member : ModelBase
        The model.
    panel : Panel
        What it is shown.
    last : int
        The last year to forecast.
    draws : int
        Simulated futures.
    seed : int
        Source of all randomness.
    points : int, optional
        Quantiles to keep of each series and step; all draws by default.
    """
    # A publisher may not go as far as the last year: what there is counts.
    first = panel.origin + panel.step if member.published_days else last
    years = tuple(range(first, last + 1, panel.step))
    return Job(member, panel, years, draws, seed, Members(points))


class MemberCache(Results[MemberForecast]):
    """Forecasts of members in the user's cache, under everything that decides them.

    Of a model that states no recipe none are kept.
    """

    def read(self, job: Job[MemberForecast]) -> MemberForecast | None:
        """Return a forecast that was kept."""
        recipe = _recipe(job)
        arrays = None if recipe is None else artifacts.lookup(recipe)
        if arrays is None:
            return None
        return MemberForecast.from_arrays(job.model.name, arrays)

    def write(self, job: Job[MemberForecast], result: MemberForecast, seconds: float) -> None:
        """Keep a forecast where that saves time."""
        recipe = _recipe(job)
        # What broke may work next time; what declined will not.
        if recipe is None or result.broke:
            return
        if recipe["parts"]["points"] is not None or seconds > SLOW:
            artifacts.keep(recipe, result.arrays())

    def claim(self, job: Job[MemberForecast], wait: bool = False) -> Callable[[], None] | None:
        """Keep other processes from running a job whose forecast is sure to be kept."""
        recipe = _recipe(job)
        if recipe is None or recipe["parts"]["points"] is None:
            return super().claim(job, wait)
        return artifacts.claim(recipe, wait)


def _recipe(job: Job[MemberForecast]) -> dict[str, Any] | None:
    """Return everything that decides a forecast; None if it must not be kept."""
    model = complete(job.model)
    if model.recipe is None or job.known is None or not isinstance(job.keeper, Members):
        return None
    return artifacts.recipe(
        what="member",
        kind=type(model),
        model=model.recipe,
        data=job.known,
        last=job.years[-1],
        draws=job.draws,
        points=job.keeper.points,
        seed=job.seed,
    )
