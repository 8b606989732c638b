"""The ensemble: all models together, weighted and calibrated by their own past forecasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from forecast import scales
from forecast.contract import (
    FORECAST,
    NOT_FORECAST,
    NOTE_COLUMNS,
    FittedBase,
    Model,
    ModelBase,
    check_years,
    complete,
    meant_for,
)
from forecast.errors import DataError, TooShortError
from forecast.hindcast import past
from forecast.hindcast.members import Question, Said
from forecast.models.assembly import assemble
from forecast.models.ensemble import (
    explanation,
    groups,
    release_revisions,
    residual_errors,
    revisions,
    scope,
)
from forecast.models.ensemble.joint import Combined, combine
from forecast.models.ensemble.weights import Lessons, learn
from forecast.models.registry import REGISTRY
from forecast.models.registry import model as find_model
from forecast.models.series.univariate import note
from forecast.models.settings import Ensemble as Checked
from forecast.models.specification import specification
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.series_key import SeriesKey


class Ensemble(ModelBase):
    """A pool of models, weighted at each horizon by what they achieved before the origin.

    Parameters
    ----------
    members : sequence of str or Model, optional
        Registered names or models of one's own; by default those that
        ``models/ensemble.toml`` lists and that are registered. A published forecast
        (`forecast.models.published.Published`) takes part with errors as large as those of
        earlier ones: the panel has to hold releases of the days on which they came out.
    pool : {"linear", "quantile"}, optional
        Mixture of distributions, or mean of quantiles.
    settings : mapping, optional
        Tables to put in the place of those in ``models/ensemble.toml``.
    name : str
        What it is called in tables.
    """

    def __init__(
        self,
        members: Sequence[str | Model] | None = None,
        pool: str | None = None,
        settings: Mapping[str, Any] | None = None,
        name: str = "ensemble",
    ) -> None:
        self.name = name
        stated = specification("ensemble")
        own = dict(settings or {})
        for table, value in own.items():
            if isinstance(value, Mapping) and isinstance(stated.get(table), dict):
                own[table] = {**stated[table], **value}
        if pool is not None:
            own["pool"] = pool
        if own.get("pool", stated["pool"]) not in ("linear", "quantile"):
            raise DataError(f"pool is {own['pool']!r}; give 'linear' or 'quantile'.")
        checked = Checked.of({**stated, **own}, "the settings of the ensemble")
        self.settings: dict[str, Any] = checked.model_dump(exclude_unset=True)
        chosen = [name for name in stated["members"] if name in REGISTRY]
        self.members: list[str | ModelBase] = [
            member if isinstance(member, str) else complete(find_model(member))
            for member in (chosen if members is None else members)
        ]
        if not self.members:
            raise DataError("an ensemble needs at least one member; name registered models.")
        self.labels = [find_model(member).name for member in self.members]
        if len(set(self.labels)) < len(self.labels) or self.name in self.labels:
            raise DataError(
                f"the members are {', '.join(self.labels)}; each may occur once, "
                f"and {self.name!r} not at all."
            )

    @property
    def recipe(self) -> dict[str, Any] | None:
        """Settings and the recipes of the members; None if one of them has none."""
        members = [find_model(member).recipe for member in self.members]
        if None in members:
            return None
        return {"model": self.name, "settings": self.settings, "members": members}

    def fit(self, panel: Panel, seed: int) -> FittedEnsemble:
        """Ask the members at earlier origins; see `forecast.contract.Model`."""
        members = residual_errors.dress(self.members, panel, self.settings["published"])
        fitted = FittedEnsemble(self, panel, seed, members)
        fitted.learn(int(self.settings["history"]["steps"]))
        return fitted


@dataclass(frozen=True)
class Taught:
    """What past forecasts teach, up to a number of steps ahead.

    Attributes
    ----------
    lessons : dict of str to Lessons
        Weights and widths by group of series.
    group : dict of (source, location, measure) to str
        The group of each series.
    """

    lessons: dict[str, Lessons]
    group: dict[SeriesKey, str]


@dataclass
class FittedEnsemble(FittedBase):
    """An ensemble that has seen a panel.

    Attributes
    ----------
    model : Ensemble
    panel : Panel
    seed : int
    members : list of str or ModelBase
        Its members; a published forecast with errors as large as its earlier ones.
    taught : dict of int to Taught
        Weights and widths learned from the panel alone, by how many steps ahead.
    """

    model: Ensemble
    panel: Panel
    seed: int
    members: list[str | ModelBase]
    taught: dict[int, Taught] = field(default_factory=dict)

    @property
    def lessons(self) -> dict[str, Lessons]:
        """Weights and widths by group of series, as far ahead as they have been asked for."""
        return self.taught[max(self.taught)].lessons

    @property
    def group(self) -> dict[SeriesKey, str]:
        """The group of each series: its scale, and how stormy it is among many."""
        return self.taught[max(self.taught)].group

    def learn(self, steps: int) -> Taught:
        """Learn weights and widths up to so many steps ahead, from the panel alone.

        What was asked before changes nothing: each number of steps has lessons of its own.
        """
        if steps not in self.taught:
            self.taught[steps] = self._learn(steps)
        return self.taught[steps]

    def _learn(self, steps: int) -> Taught:
        taught = Taught({}, {})
        settings = self.model.settings
        said = past.ask_all(self.members, self.panel, steps, settings["history"], self._on_day)
        truth = past.Truth.of(self.panel)
        grouping = settings["groups"]
        special = scope.special(self.members, self.panel)
        scale = {
            key: f"{kind} with {special[key]}" if special[key] else kind
            for key, kind in truth.kinds.items()
        }
        for label in sorted(set(scale.values())):
            keys = {key for key in scale if scale[key] == label}
            kind = truth.kinds[next(iter(keys))]
            pasts = truth.pasts(said, keys, steps, int(settings["history"]["points"]))
            sizes = truth.sizes(keys)
            # Persons of a small and of a large place do not compare.
            most = 1 if kind == "persons" else int(grouping["most"])
            parts = groups.number(len(sizes), int(grouping["least"]), most)
            names = [f"{label} {part + 1}/{parts}" if parts > 1 else label for part in range(parts)]
            for name, chosen in zip(names, groups.split(pasts, parts)):
                taught.lessons[name] = learn(
                    chosen, len(self.members), self.panel.step, settings, kind != "persons"
                )
            of_series = groups.of_series(sizes, parts)
            taught.group.update({key: names[at] for key, at in of_series.items()})
        return taught

    def _on_day(self, day: str) -> list[str | ModelBase]:
        """Return the members as they are judged on a day, published ones by their other days."""
        return residual_errors.dress(
            self.model.members, self.panel, self.model.settings["published"], without=day
        )

    @property
    def diagnostics(self) -> pd.DataFrame:
        """One row per group of series, step ahead and member: weight, and its score alone.

        Columns ``group, step, member, weight, relative_crps`` (its own CRPS over that of
        the pool, on past forecasts), ``past_forecasts, independent``.
        """
        rows = [
            (kind, step + 1, name, weight, score, lesson.forecasts, lesson.independent)
            for kind, lessons in self.lessons.items()
            for step, lesson in enumerate(lessons.steps)
            for name, weight, score in zip(self.model.labels, lesson.weights, lesson.scores)
        ]
        columns = ["group", "step", "member", "weight", "relative_crps"]
        return pd.DataFrame(rows, columns=[*columns, "past_forecasts", "independent"])

    @property
    def widening(self) -> pd.DataFrame:
        """One row per group, step ahead and level: the factor on the distance to the median."""
        from forecast.models.ensemble.widths import LEVELS

        rows = [
            (kind, step + 1, level, factor, lesson.independent)
            for kind, lessons in self.lessons.items()
            for step, lesson in enumerate(lessons.steps)
            for level, factor in zip(LEVELS, lesson.widening.factors)
        ]
        return pd.DataFrame(rows, columns=["group", "step", "level", "factor", "independent"])

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        """Simulate futures; see `forecast.contract.FittedModel`.

        Raises
        ------
        TooShortError
            If no member can forecast any series.
        """
        wanted = check_years(self.panel, years)
        ahead = {one.key: max(0, (wanted[-1] - one.origin) // one.step) for one in self.panel}
        # Rounded up, so that neighbouring target years ask for the same past forecasts.
        least = int(self.model.settings["history"]["steps"])
        taught = self.learn(max(least, -(-max(ahead.values()) // 5) * 5))
        said = [
            (question.known() or question.ask()).reaching(ahead)
            for question in (
                Question(member, self.panel, wanted[-1], draws, self.seed)
                for member in self.members
            )
        ]
        series = {one.key: one for one in self.panel}
        kinds = {key: scales.choose(one).kind for key, one in series.items()}
        able = [key for key in series if any(key in one.values for one in said)]
        table = self._notes(said, able)
        if not able:
            reason = str(table["reason"].iloc[0])
            remedy = "" if "Add " in reason else " Add earlier years or more series."
            raise TooShortError(
                f"no series can be forecast by {self.model.name!r}: {reason}{remedy}"
            )
        combined = combine(
            said,
            {key: ahead[key] for key in able},
            {key for key, kind in kinds.items() if kind == "log"},
            {key: taught.lessons[taught.group[key]] for key in able},
            str(self.model.settings["pool"]),
            draws,
            np.random.default_rng(np.random.SeedSequence([self.seed, 0x656E73])),
        )
        combined |= self._revised(combined)
        outlook = assemble(
            self.panel,
            {key: one.paths for key, one in combined.items()},
            wanted,
            table,
            model=self.model.name,
            seed=self.seed,
        )
        told = self._explanation(combined, wanted)
        return Forecast(outlook.paths, outlook.horizons, outlook.notes, self.panel, told)

    def _revised(self, combined: Mapping[SeriesKey, Combined]) -> dict[SeriesKey, Combined]:
        """Return the series that revisions to come move."""
        settings = self.model.settings["revisions"]
        paths = {key: one.paths for key, one in combined.items()}
        ahead = {key: drawn.shape[1] for key, drawn in paths.items()}
        awaited = revisions.awaited(self.panel, ahead) if settings["apply"] else {}
        if not awaited:
            return {}
        laws = release_revisions.laws(self.panel, settings)
        seed = np.random.SeedSequence([self.seed, 0x726576])
        moved = revisions.revised(paths, self.panel, awaited, laws, seed)
        return {key: combined[key].moved(drawn) for key, drawn in moved.items()}

    def _explanation(
        self, combined: Mapping[SeriesKey, Combined], years: Sequence[int]
    ) -> pd.DataFrame:
        pieces = []
        for one in self.panel:
            if one.key in combined:
                steps = {year: (year - one.origin) // one.step for year in years}
                pieces.append(
                    explanation.table(one.key, combined[one.key], self.model.labels, steps)
                )
        return pd.concat(pieces, ignore_index=True)

    def _notes(self, said: Sequence[Said], able: Sequence[SeriesKey]) -> pd.DataFrame:
        """Return one row per series; what dropped out, and why, stands in the reason."""
        meant = [meant_for(find_model(member), self.panel) for member in self.members]
        rows = []
        for series in self.panel:
            lost: dict[str, list[str]] = {}
            left = []
            for one, own in zip(said, meant):
                why = one.failure or one.reasons.get(series.key, "")
                if why and series.key in own:
                    lost.setdefault(why, []).append(one.name)
                elif one.remarks.get(series.key):
                    left.append(f"{one.name}: {one.remarks[series.key]}")
            told = [f"without {', '.join(names)}: {why}" for why, names in lost.items()]
            if series.key in able:
                # What the others say of themselves matters where the forecast rests on few.
                told += left if lost else []
                rows.append(note(series, FORECAST, " ".join(told), scales.choose(series)))
            else:
                # Members mostly decline for the same reason; the first one's is told.
                declined = [one.reasons[series.key] for one in said if series.key in one.reasons]
                declined += [
                    why.removeprefix(f"no series can be forecast by {name!r}: ")
                    for why, names in lost.items()
                    for name in names
                ]
                rows.append(note(series, NOT_FORECAST, next(iter(declined), " ".join(told))))
        return pd.DataFrame(rows, columns=list(NOTE_COLUMNS))
