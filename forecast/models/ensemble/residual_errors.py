"""A published point forecast gets errors as large as its earlier ones turned out to be.

An office's projection is often a single figure a year. What it published on earlier days can
be held against the figures known today, and the errors say how far to trust the newest one
(dressing: Roulston & Smith 2003, doi:10.1034/j.1600-0870.2003.201378.x). They are pooled over
series, in proportion to a power of the usual change of each, and grow with the steps ahead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast import scales
from forecast.contract import ModelBase
from forecast.hindcast.vintages import Outcomes, released, usual_change
from forecast.models.ensemble.release_revisions import standardised
from forecast.models.ensemble.revisions import LEVELS, SMALL, Law
from forecast.panel import Panel, Series
from forecast.series_key import KEY, SeriesKey

_PAIRS = [*KEY, "kind", "day", "step", "change", "error"]


@dataclass(frozen=True)
class ResidualErrors:
    """How wrong a publisher's figures have been on one scale.

    Attributes
    ----------
    law : Law
        Of errors one step ahead; its correlation is that between neighbouring steps.
    growth : float
        They grow as the steps ahead to this power.
    """

    law: Law
    growth: float

    def add(self, series: Series, paths: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Add errors to draws in persons, shape (n_draws, n_ahead), of the years after a series."""
        scale = scales.choose(series)
        change = float(np.nan_to_num(usual_change(scale.values)))
        draws, ahead = paths.shape
        size = self.law.scale(change) * np.arange(1.0, ahead + 1.0) ** self.growth
        error = size * self.law.draw(draws, ahead, generator)
        if scale.kind == "log":
            return scale.to_persons(scale.logs(paths) + error)
        return np.asarray(paths + scale.to_persons(error))


def dress(
    members: Sequence[ModelBase], panel: Panel, settings: Mapping[str, Any], without: str = ""
) -> list[ModelBase]:
    """Return the members of an ensemble, published ones with what their past errors teach.

    Parameters
    ----------
    members : sequence of ModelBase
    panel : Panel
        Everything that is known.
    settings : mapping
        The table ``published`` of ``models/ensemble.toml``.
    without : str, optional
        A day (YYYY-MM-DD) whose errors do not count: what came out then is to be judged, and
        would be by widths fitted to its own errors.
    """
    return [
        member.with_errors(_by_series(member, panel, settings, without))
        if member.published_days
        else member
        for member in members
    ]


def learn(
    published: ModelBase, panel: Panel, settings: Mapping[str, Any], without: str = ""
) -> dict[str, ResidualErrors]:
    """Compare forecasts published on earlier days with the figures known now.

    Parameters
    ----------
    published : ModelBase
        One with days on which it published. Medians count, where it has other quantiles.
    panel : Panel
        Every release. Days on which it holds none are left out.
    settings : mapping
        `least` pairs are needed; `growth` and `correlation` are what they are pulled towards, or
        taken for where no more than one step ahead can be judged.
    without : str, optional
        A day that does not count.
    """
    pairs = _pairs(published, panel)
    pairs = pairs[pairs["day"] != without]
    found = {}
    for kind, rows in pairs.groupby("kind", sort=True):
        if len(rows) < int(settings["least"]):
            continue
        size = np.log(rows["change"].to_numpy() + SMALL[str(kind)])
        steps = np.log(rows["step"].to_numpy(dtype=float))
        design = np.stack([np.ones(len(rows)), size, steps], axis=1)
        prior = np.array([0.0, 0.5, float(settings["growth"])])
        fitted, ratios = standardised(design, rows["error"].abs().to_numpy(), str(kind), prior)
        sizes = np.quantile(ratios, LEVELS)
        law = Law(
            str(kind), panel.step, float(fitted[0]), float(fitted[1]), sizes,
            _correlation(rows, float(settings["correlation"])), len(rows), panel.last_release,
        )  # fmt: skip
        found[str(kind)] = ResidualErrors(law, max(float(fitted[2]), 0.0))
    return found


def _by_series(
    published: ModelBase, panel: Panel, settings: Mapping[str, Any], without: str
) -> dict[SeriesKey, ResidualErrors]:
    laws = learn(published, panel, settings, without)
    kinds = {one.key: scales.choose(one).kind for one in panel}
    return {key: laws[kind] for key, kind in kinds.items() if kind in laws}


def _correlation(pairs: pd.DataFrame, assumed: float) -> float:
    """Return the correlation of errors at neighbouring steps, where enough are known."""
    keys = [*KEY, "day"]
    later = pairs.assign(step=pairs["step"] - 1)
    both = pairs.merge(later, on=[*keys, "step"], suffixes=("", "_later"))
    if len(both) < 10 or both["error"].nunique() < 2 or both["error_later"].nunique() < 2:
        return assumed
    ranks = both[["error", "error_later"]].rank()
    return float(np.clip(np.corrcoef(ranks["error"], ranks["error_later"])[0, 1], 0.0, 0.95))


def _pairs(published: ModelBase, panel: Panel) -> pd.DataFrame:
    """Return what was published earlier against what is known now, on the scale of the models."""
    outcomes = Outcomes(panel)
    rows = []
    for seen in released(panel, published.published_days):
        day = seen.last_release
        out = published.published(day)
        out = out[(out["quantile"] - 0.5).abs() < 1e-9]
        said = {key: group.set_index("year")["value"] for key, group in out.groupby(KEY)}
        for one in seen:
            latest = panel.find(one.key)
            if latest is None or one.key not in said:
                continue
            change = usual_change(scales.choose(one).values)
            known = outcomes.values[one.key]
            for position in np.flatnonzero((latest.years > one.origin) & ~np.isnan(known)):
                year = int(latest.years[position])
                if year in said[one.key].index:
                    value = outcomes.on_scale(
                        one.key, np.array([float(said[one.key].loc[year])]), int(position)
                    )
                    step = (year - one.origin) // panel.step
                    error = float(known[position] - value[0])
                    rows.append((*one.key, outcomes.kinds[one.key], day, step, change, error))
    return pd.DataFrame(rows, columns=_PAIRS).dropna()
