"""The nowcast pooled with the seasonal models, and how wide past nowcasts say that it has to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast import artifacts, measures, periods
from forecast.contract import Model
from forecast.errors import DataError
from forecast.hindcast.jobs import side_by_side
from forecast.models.ensemble.widths import CENTRAL, fitted, ratios
from forecast.models.nowcast.engine import YEARS_OPEN, pooled, totals
from forecast.models.nowcast.parts import Parts, parts_of
from forecast.models.nowcast.settings import NowcastSettings
from forecast.models.registry import specification
from forecast.panel import Panel
from forecast.series_key import KEY
from forecast.to_date import is_to_date

#: Persons by which a yearly figure may differ from the sum of its months and be the same.
_ROUNDING = 0.5
#: Draws of a member of the pool are at least so many.
_FEWEST = 100
#: Draws of the nowcast of a past year.
_PAST_DRAWS = 700
#: Fits of a series from which on an answer is kept, and from which on processes save time.
_KEPT, _LONG = 60, 1500


def with_seasonal_models(
    drawn: np.ndarray,
    parts: Parts,
    panel: Panel,
    yearly: Panel | None,
    seed: int,
    settings: NowcastSettings,
) -> None:
    """Pool draws with what each seasonal model says, as wide as past nowcasts ask for, in place.

    Parameters
    ----------
    drawn : ndarray, shape (n_draws, n_series, n_years)
        Totals, newest year first.
    parts : Parts
    panel : Panel
        What is known, by month, quarter or half-year.
    yearly : Panel or None
        Totals of years before.
    seed : int
    settings : NowcastSettings
    """
    past = _past(parts, panel, yearly, settings)
    members, *earlier = _by_members(
        [_Question(parts, panel, len(drawn), seed)]
        + [_Question(*then, _PAST_DRAWS, seed) for then in past.values()]
    )
    there = _pool(drawn, parts, members, seed, settings)
    if not there.any():
        return
    kinds = np.array(parts.kinds)
    sizes = _sizes(parts.sums[:, :-1, -1])
    known = {back: (then, draws) for (back, (then, _)), draws in zip(past.items(), earlier)}
    cases = _past_cases(parts, known, seed, settings)
    rules = settings.widths.model_dump()
    for kind in dict.fromkeys(kinds[there.any(axis=1)]):
        past_sizes, far, weights = (column[cases[0] == kind] for column in cases[1:])
        of_kind = (kinds == kind) & there.any(axis=1)
        learned = fitted(past_sizes, far, sizes[of_kind], rules, weights, settings.width)
        for back in range(there.shape[1]):
            chosen = of_kind & there[:, back]
            if chosen.any():
                values = learned.applied(drawn[:, chosen, back], sizes[chosen])
                if kind != "net":
                    least = np.nanmax(parts.sums[chosen, -1 - back], axis=1)
                    values = np.maximum(values, least)
                drawn[:, chosen, back] = np.round(values) if kind == "count" else values


@dataclass(frozen=True)
class _Question:
    """What the seasonal models are asked: totals of a year that is not over, as known then."""

    parts: Parts
    panel: Panel
    n_draws: int
    seed: int

    @property
    def fits(self) -> int:
        """Series that are fitted, by all members together."""
        return len(self.parts.keys) * len(_members())

    @property
    def recipe(self) -> dict[str, Any]:
        """What decides the answer."""
        return artifacts.recipe(
            what="totals by seasonal models", members=list(_members()), data=self.panel,
            parts=self.parts, draws=self.n_draws, seed=self.seed,
            own=measures.to_toml(self.panel.measures),
        )  # fmt: skip

    def answer(self) -> np.ndarray | None:
        """Return draws of each member, see `by_model`; None if the months are too few."""
        each = max(_FEWEST, -(-self.n_draws // (len(_members()) + 1)))
        try:
            return np.array([
                by_model(self.parts, self.panel, name, each, self.seed) for name in _members()
            ])  # fmt: skip
        except DataError:
            # The growth of past years is all there is.
            return None


def _members() -> Sequence[str]:
    return tuple(specification("seasonal")["members"])


def _by_members(questions: Sequence[_Question]) -> list[np.ndarray | None]:
    """Return the answers of the seasonal models, those of an earlier run where they were kept."""
    answers: dict[int, np.ndarray | None] = {}
    recipes = {at: one.recipe for at, one in enumerate(questions) if one.fits >= _KEPT}
    for at, recipe in recipes.items():
        if (kept := artifacts.lookup(recipe)) is not None:
            answers[at] = kept["totals"]
    asked = [at for at in range(len(questions)) if at not in answers]
    calls = [questions[at].answer for at in asked]
    long = bool(asked) and sum(questions[at].fits for at in asked) >= _LONG
    for at, answer in zip(asked, side_by_side(calls) if long else [call() for call in calls]):
        answers[at] = answer
        if at in recipes and answer is not None:
            artifacts.keep(recipes[at], {"totals": answer})
    return [answers[at] for at in range(len(questions))]


def _pool(
    drawn: np.ndarray,
    parts: Parts,
    members: np.ndarray | None,
    seed: int,
    settings: NowcastSettings,
) -> np.ndarray:
    """Pool draws with those of each seasonal model, in place; return which series and years are.

    Only series that all members can forecast are pooled, so that a pool always is of the same.
    """
    if members is None:
        return np.zeros(drawn.shape[1:], dtype=bool)
    generator, parts_in = np.random.default_rng([seed, len(members)]), parts.parts_in
    there = ~np.isnan(members).any(axis=(0, 1)) & ~np.isnan(drawn).any(axis=0)
    for place, back in np.argwhere(there):
        others = [one[:, place, back] for one in members]
        begun = back > 0 or parts_in[place] > 0
        share = 1.0 / (len(members) + 1) if begun else settings.share_before
        drawn[:, place, back] = pooled(drawn[:, place, back], others, share, generator)
    return np.asarray(there)


def _sizes(totals: np.ndarray) -> np.ndarray:
    """Return the logarithm of 1 + mean total of each series, whatever its sign."""
    known = ~np.isnan(totals)
    mean = np.abs(np.where(known, totals, 0.0)).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.asarray(np.log1p(mean))


def _past(
    parts: Parts, panel: Panel, yearly: Panel | None, settings: NowcastSettings
) -> dict[int, tuple[Parts, Panel]]:
    """Return what was known in years before, after as many parts as are in now, by years ago."""
    past = {}
    for back in range(1, min(settings.widths.years, len(parts.years) - 2) + 1):
        try:
            then = _as_it_was(parts, panel, back)
            past[back] = parts_of(then, int(parts.years[-1]) - back, yearly), then
        except DataError:
            # No year before it to compare with.
            continue
    return past


def _past_cases(
    parts: Parts,
    past: Mapping[int, tuple[Parts, np.ndarray | None]],
    seed: int,
    settings: NowcastSettings,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Nowcast years before and hold them against their totals.

    Parameters
    ----------
    past : mapping
        By years ago: the parts known then, and draws of the seasonal models.

    Returns
    -------
    kinds, sizes, ratios, weights : ndarray, shapes (n_cases,), (n_cases, 3) of the ratios
        See `forecast.models.ensemble.widths.fitted`.
    """
    kinds, sizes = [np.empty(0, dtype=object)], [np.empty(0)]
    ratio, weights = [np.empty((0, len(CENTRAL)))], [np.empty(0)]
    for back, (then, members) in past.items():
        drawn = totals(then, _PAST_DRAWS, seed, settings)
        places = np.array([parts.keys.index(key) for key in then.keys])
        came = parts.sums[places, -1 - back, -1]
        there = _pool(drawn, then, members, seed, settings)[:, 0] & ~np.isnan(came)
        kind, came = np.array(then.kinds, dtype=object)[there], came[there]
        # Between two whole numbers a count may lie anywhere: else intervals of few persons, which
        # hold more than they state, would be narrowed for it.
        jitter = np.random.default_rng([seed, back]).uniform(-0.5, 0.5, len(came))
        kinds.append(kind)
        sizes.append(_sizes(then.sums[there, :-1, -1]))
        ratio.append(ratios(drawn[:, there, 0], came + np.where(kind == "count", jitter, 0.0)))
        weights.append(np.full(len(came), 0.5 ** ((back - 1) / settings.widths.half_life)))
    return (
        np.concatenate(kinds), np.concatenate(sizes), np.concatenate(ratio),
        np.concatenate(weights),
    )  # fmt: skip


def _as_it_was(parts: Parts, panel: Panel, back: int) -> Panel:
    """Return the panel so many years ago, every series with as many parts of the year as now."""
    year, parts_in = int(parts.years[-1]) - back, dict(zip(parts.keys, parts.parts_in))
    last = {key: periods.number(year, 1, panel.frequency) + n - 1 for key, n in parts_in.items()}
    cut = panel.until(max(last.values()))
    keys = cut.figures[KEY].itertuples(index=False, name=None)
    kept = [at <= last.get(key, at) for key, at in zip(keys, cut.figures["year"])]
    if all(kept):
        return cut
    return Panel(cut.figures[kept].reset_index(drop=True), cut.step, cut.frequency)


def by_model(parts: Parts, panel: Panel, model: str | Model, draws: int, seed: int) -> np.ndarray:
    """Return totals from a model of months, of series that it can forecast.

    Series that are revised, have sums since January, or whose yearly figures are not the sum of
    their months, have none: a model of months knows nothing of that.

    Parameters
    ----------
    parts : Parts
    panel : Panel
        What is known.
    model : str or Model
        Of months, quarters or half-years.
    draws, seed : int

    Returns
    -------
    ndarray, shape (n_draws, n_series, n_years)
        Newest year first, as many as may be open; NaN where there is none or the year is over.
    """
    from forecast.models.run import forecast

    per, year = periods.PER_YEAR[panel.frequency], int(parts.years[-1])
    end = periods.number(year, per, panel.frequency)
    found = np.full((draws, len(parts.keys), YEARS_OPEN + 1), np.nan)
    if panel.origin >= end:
        return found
    outlook = forecast(panel, model, (end,), draws, seed).by("year")
    paths = outlook.paths.transpose("draw", "series", "year")
    differs = np.abs(parts.sums[:, :-1] - parts.seen[:, :-1]) > _ROUNDING
    flags = panel.figures["flag"]
    to_dates = panel.figures[flags.isin([flag for flag in flags.unique() if is_to_date(flag)])]
    apart = set(to_dates[KEY].itertuples(index=False, name=None))
    rows = [
        (place, outlook.position(key))
        for place, key in enumerate(parts.keys)
        if key not in apart and not differs[place].any()
    ]
    for back in range(min(YEARS_OPEN + 1, len(parts.years))):
        if year - back in outlook.horizons:
            values = paths.sel(year=year - back).to_numpy()
            for place, at in rows:
                if at is not None and np.isnan(parts.sums[place, -1 - back, -1]):
                    found[:, place, back] = values[:, at]
    return found
