"""The ensemble: all models together, weighted and calibrated by their own past forecasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from forecast import scales
from forecast.accounts.identities import stated
from forecast.accounts.reconcile import reconcile
from forecast.contract import FittedBase, Model, ModelBase
from forecast.errors import DataError, TooShortError
from forecast.hindcast.jobs import run_all
from forecast.hindcast.members import MemberCache, MemberForecast, member_job
from forecast.hindcast.occasions import run_members
from forecast.hindcast.quantiles import collect
from forecast.hindcast.vintages import Outcomes
from forecast.horizons import check_years
from forecast.models.assembly import assemble, by_series
from forecast.models.ensemble import explanation, release_revisions, revisions, stacking
from forecast.models.ensemble import residual_errors as published_errors
from forecast.models.ensemble.joint import Combined, combine
from forecast.models.ensemble.weights import GroupWeights, LearnedWeights, learn
from forecast.models.registry import REGISTRY, specification
from forecast.models.registry import model as find_model
from forecast.models.settings import EnsembleSettings
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

    stated = "ensemble"

    def __init__(
        self,
        members: Sequence[str | Model] | None = None,
        pool: str | None = None,
        settings: Mapping[str, Any] | None = None,
        name: str = "",
    ) -> None:
        self.name = name or self.stated
        self.usual = members is None and pool is None and not settings
        stated = specification(self.stated)
        own = dict(settings or {})
        for table, value in own.items():
            if isinstance(value, Mapping) and isinstance(stated.get(table), dict):
                own[table] = {**stated[table], **value}
        if pool is not None:
            own["pool"] = pool
        if own.get("pool", stated["pool"]) not in ("linear", "quantile"):
            raise DataError(f"pool is {own['pool']!r}; give 'linear' or 'quantile'.")
        checked = EnsembleSettings.of({**stated, **own}, "the settings of the ensemble")
        self.settings: dict[str, Any] = checked.model_dump(exclude_unset=True)
        chosen = [name for name in stated["members"] if name in REGISTRY]
        self.members: Sequence[ModelBase] = [
            find_model(member) for member in (chosen if members is None else members)
        ]
        if not self.members:
            raise DataError("an ensemble needs at least one member; name registered models.")
        self.labels = [member.name for member in self.members]
        if len(set(self.labels)) < len(self.labels) or self.name in self.labels:
            raise DataError(
                f"the members are {', '.join(self.labels)}; each may occur once, "
                f"and {self.name!r} not at all."
            )

    @property
    def recipe(self) -> dict[str, Any] | None:
        """Settings and the recipes of the members; None if one of them has none."""
        members = [member.recipe for member in self.members]
        if None in members:
            return None
        return {"model": self.name, "settings": self.settings, "members": members}

    def fit(self, panel: Panel, seed: int) -> FittedEnsemble:
        """Prepare the members; they are run at earlier origins when it is known how far ahead."""
        if self.usual and panel.frequency != "year" and self.stated == "ensemble":
            return Seasonal(name=self.name).fit(panel, seed)
        members = published_errors.dress(self.members, panel, self.settings["published"])
        return FittedEnsemble(self, panel, seed, members)


class Seasonal(Ensemble):
    """The ensemble of months, quarters and half-years: members and settings of its own TOML.

    `Ensemble` is this one where figures are not by year and nothing else was asked for. It takes
    the same arguments; see ``models/seasonal.toml``.
    """

    stated = "seasonal"
    recipe = Ensemble.recipe

    def fit(self, panel: Panel, seed: int) -> FittedEnsemble:
        """Prepare the members; see `Ensemble.fit`.

        Raises
        ------
        DataError
            Of figures by year.
        """
        from forecast.models.seasonal.models import require_season

        require_season(self.name, panel)
        return super().fit(panel, seed)


@dataclass
class FittedEnsemble(FittedBase):
    """An ensemble that has seen a panel.

    Attributes
    ----------
    model : Ensemble
    panel : Panel
    seed : int
    members : list of ModelBase
        Its members; a published forecast with errors as large as its earlier ones.
    """

    model: Ensemble
    panel: Panel
    seed: int
    members: list[ModelBase]
    _learned: dict[int, LearnedWeights] = field(default_factory=dict)

    @property
    def groups(self) -> dict[SeriesKey, str]:
        """The group of each series: its scale, and how stormy it is among many."""
        return self._furthest.groups

    @property
    def weights(self) -> xr.DataArray:
        """Weight of each member; dimensions ``group, horizon, member``, as far as judged."""
        return self._furthest.table["weight"]

    @property
    def widths(self) -> xr.DataArray:
        """Factor on the distance to the median; dimensions ``group, horizon, level``."""
        return self._furthest.table["factor"]

    @property
    def _furthest(self) -> LearnedWeights:
        least = int(self.model.settings["history"]["steps"])
        return self.learn(max(self._learned, default=least))

    def learn(self, steps: int) -> LearnedWeights:
        """Learn weights and widths up to so many steps ahead, from the panel alone.

        What was asked before changes nothing: each number of steps has weights of its own.

        Parameters
        ----------
        steps : int
            Years (or periods) after the data.

        Returns
        -------
        LearnedWeights

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", measure="immigration")
        >>> small = Ensemble(["naive", "persistence"], settings={"history": {"origins": 4}})
        >>> sorted(small.fit(panel, seed=1).learn(2).table["horizon"].values.tolist())
        [1, 2]
        """
        if steps not in self._learned:
            self._learned[steps] = self._learn(steps)
        return self._learned[steps]

    def _learn(self, steps: int) -> LearnedWeights:
        settings = self.model.settings
        history, grouping = settings["history"], settings["groups"]
        occasions = run_members(self.members, self.panel, steps, history, self._on_day)
        outcomes = Outcomes(self.panel)
        hindcasts = collect(outcomes, occasions, steps, int(history["points"]))
        learned: dict[str, GroupWeights] = {}
        group_of: dict[SeriesKey, str] = {}
        for label, keys in stacking.by_scale(self.members, outcomes).items():
            # Persons of a small and of a large place do not compare.
            persons = outcomes.kinds[keys[0]] == "persons"
            most = 1 if persons else int(grouping["most"])
            parts = stacking.number(len(keys), int(grouping["least"]), most)
            names = [f"{label} {part + 1}/{parts}" if parts > 1 else label for part in range(parts)]
            by_part = stacking.split(hindcasts.by_horizon(set(keys), steps), parts)
            for name, chosen in zip(names, by_part):
                learned[name] = learn(
                    chosen, self.model.labels, self.panel.step, settings, unit=not persons
                )
            sizes = outcomes.sizes(set(keys))
            group_of |= {key: names[at] for key, at in stacking.of_series(sizes, parts).items()}
        return LearnedWeights(learned, group_of)

    def _on_day(self, day: str) -> list[ModelBase]:
        """Return the members as they are judged on a day, published ones by their other days."""
        return published_errors.dress(
            self.model.members, self.panel, self.model.settings["published"], without=day
        )

    @property
    def diagnostics(self) -> pd.DataFrame:
        """One row per group of series, step ahead and member: weight, and its score alone.

        Columns ``group, step, member, weight, relative_crps`` (its own CRPS over that of
        the pool, on past forecasts), ``past_forecasts, independent``.
        """
        table = self._furthest.table
        names = ["weight", "relative_crps", "hindcasts", "independent"]
        rows = table[names].to_dataframe(dim_order=("group", "horizon", "member"))
        rows = rows[rows["weight"].notna()].reset_index()
        rows = rows.rename(columns={"horizon": "step", "hindcasts": "past_forecasts"})
        columns = ["group", "step", "member", "weight", "relative_crps"]
        return rows[[*columns, "past_forecasts", "independent"]].astype({"past_forecasts": int})

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
        learned = self.learn(max(least, -(-max(ahead.values()) // 5) * 5))
        forecasts = self._members_forecasts(wanted[-1], draws, ahead)
        able = [key for key in ahead if any(key in made for made in forecasts)]
        notes = explanation.notes(self.panel, self.members, forecasts, able)
        if not able:
            reason = str(notes["reason"].iloc[0])
            remedy = "" if "Add " in reason else " Add earlier years or more series."
            raise TooShortError(
                f"no series can be forecast by {self.model.name!r}: {reason}{remedy}"
            )
        on_scale = ((one.key, scales.choose(one)) for one in self.panel)
        combined = combine(
            forecasts,
            {key: ahead[key] for key in able},
            {key: scale for key, scale in on_scale if scale.kind == "log"},
            {key: learned.of(key) for key in able},
            str(self.model.settings["pool"]),
            draws,
            np.random.default_rng(np.random.SeedSequence([self.seed, 0x656E73])),
        )
        combined |= self._revised(combined)
        outlook = assemble(
            self.panel,
            {key: one.paths for key, one in combined.items()},
            wanted,
            notes,
            model=self.model.name,
            seed=self.seed,
        )
        coherence = self.model.settings["coherence"]
        if coherence["apply"]:
            # Figures that two offices count a few persons apart must not cost the forecast.
            outlook = reconcile(outlook, coherence["method"], strict=False)
            combined = _obeying(combined, by_series(outlook))
        explained = explanation.tables(self.panel, combined, forecasts, wanted)
        return Forecast(outlook.paths, outlook.horizons, outlook.notes, self.panel, explained)

    def _members_forecasts(
        self, last: int, draws: int, ahead: Mapping[SeriesKey, int]
    ) -> list[MemberForecast]:
        """Return what the members forecast up to a year, each as far as it follows a series."""
        jobs = [member_job(one, self.panel, last, draws, self.seed) for one in self.members]
        # With all their draws, members take some three times as long as at an earlier origin.
        fits = 3 * len(jobs) * len(self.panel)
        forecasts = dict(run_all(jobs, fits=fits, results=MemberCache()))
        return [forecasts[number].reaching(ahead) for number in range(len(jobs))]

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
        return {key: combined[key].revised(drawn) for key, drawn in moved.items()}


def _obeying(
    combined: Mapping[SeriesKey, Combined], paths: Mapping[SeriesKey, np.ndarray]
) -> dict[SeriesKey, Combined]:
    """Return series with draws that obey the accounts; a net is explained by its flows."""
    made = {key: one.reconciled(paths[key]) for key, one in combined.items()}
    for identity in stated(list(combined)):
        if identity.kind == "net":
            net, into, out = identity.keys
            same = paths[net].shape == paths[into].shape == paths[out].shape
            if same and np.allclose(paths[net], paths[into] - paths[out]):
                made[net] = made[into].less(made[out], paths[net])
    return made
