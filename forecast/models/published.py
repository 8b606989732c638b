"""A forecast that somebody published, taking part in backtests like any other model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from forecast.contract import (
    FORECAST,
    NOT_FORECAST,
    NOTE_COLUMNS,
    FittedBase,
    ModelBase,
    PathErrors,
)
from forecast.errors import DataError
from forecast.horizons import check_years
from forecast.models.assembly import assemble
from forecast.models.series.univariate import series_seed
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.series_key import KEY, SeriesKey

_COLUMNS = ("released", "source", "location", "measure", "year", "quantile", "value")
_UNJUDGED = "a single figure was published, and no figure since says how wrong earlier ones were."


class Published(ModelBase):
    """Quantiles that came out on known days, as a model.

    From a panel it only takes the day of the newest release: the forecast is the one that
    came out that day. Draws follow the published quantiles, interpolated linearly in
    their normal scores, so that the tails beyond the outermost ones are normal. Only the
    single figures are published, so series and years are drawn independently, and joint
    statements mean nothing. Where the median alone is published all draws are equal, and
    scores of intervals stay empty; as a member of an ensemble it gets errors as large as
    those of its earlier ones (`forecast.models.ensemble.residual_errors`).

    Parameters
    ----------
    name : str
        Under which it takes part.
    table : DataFrame
        ``released`` (YYYY-MM-DD), ``source, location, measure, year, quantile, value``,
        in the unit of the panel; `forecast.data.wpp.projections` gives the UN's.
    errors : mapping of (source, location, measure) to PathErrors, optional
        Makes single figures uncertain.
    """

    def __init__(
        self,
        name: str,
        table: pd.DataFrame,
        errors: Mapping[SeriesKey, PathErrors] | None = None,
    ) -> None:
        missing = [column for column in _COLUMNS if column not in table]
        if missing:
            raise DataError(
                f"missing column {missing[0]!r}. A published forecast needs the columns "
                f"{', '.join(_COLUMNS)}."
            )
        self.name = name
        self._table = table[list(_COLUMNS)]
        self._errors = errors

    @property
    def recipe(self) -> dict[str, Any] | None:
        """What was published; None once errors of other releases widen it."""
        if self._errors is not None:
            return None
        return {"published": self.name, "table": self._table.to_csv(float_format="%.17g")}

    @property
    def published_days(self) -> tuple[str, ...]:
        """The days on which a forecast came out (YYYY-MM-DD)."""
        return tuple(sorted({str(day) for day in self._table["released"]}))

    def published(self, day: str) -> pd.DataFrame:
        """Return the rows that came out on a day.

        Parameters
        ----------
        day : str (YYYY-MM-DD)
            One of `published_days`.

        Returns
        -------
        DataFrame
            ``released, source, location, measure, year, quantile, value``; no rows for other days.

        Examples
        --------
        >>> row = {"released": "2024-07-11", "source": "un-wpp", "location": "KAZ", "year": 2030,
        ...        "measure": "net_migration", "quantile": 0.5, "value": -2000.0}
        >>> len(Published("un", pd.DataFrame([row])).published("2024-07-11"))
        1
        """
        return self._table[self._table["released"] == day]

    def with_errors(self, errors: Mapping[SeriesKey, PathErrors]) -> Published:
        """Return a model whose single figures are uncertain; series without errors are declined."""
        return Published(self.name, self._table, errors)

    def fit(self, panel: Panel, seed: int) -> FittedPublished:
        """Find the forecast that was out with the panel's newest release.

        Parameters
        ----------
        panel : Panel
            Only the day of its newest release is looked at.
        seed : int
            Source of all randomness.

        Returns
        -------
        FittedPublished

        Raises
        ------
        DataError
            If none came out on that day.

        Examples
        --------
        >>> import forecast as fc
        >>> row = {"released": "2024-07-11", "source": "un-wpp", "location": "KAZ", "year": 2030,
        ...        "measure": "net_migration", "quantile": 0.5, "value": -2000.0}
        >>> panel = fc.load("central-asia").select(location="KAZ", source="un-wpp")
        >>> fitted = Published("un", pd.DataFrame([row])).fit(panel, seed=1)
        >>> float(fitted.forecast((2030,), draws=100).draws.mean())
        -2000.0
        """
        day = panel.last_release
        out = self.published(day)
        if out.empty:
            days = ", ".join(self.published_days)
            asked = day or "a day that this panel does not name"
            raise DataError(
                f"{self.name!r} published no forecast on {asked}; it did on {days}. "
                "Use vintage='as_published' with such a release."
            )
        return FittedPublished(self.name, panel, seed, out, self._errors)


@dataclass(frozen=True)
class FittedPublished(FittedBase):
    """A published forecast and the panel it is held against.

    Attributes
    ----------
    name : str
        Under which it takes part.
    panel : Panel
        What it was shown.
    seed : int
        Source of all randomness.
    table : DataFrame
        The rows that came out on the day of the panel's newest release.
    errors : mapping of (source, location, measure) to PathErrors or None
        How wrong single figures have been.
    """

    name: str
    panel: Panel
    seed: int
    table: pd.DataFrame
    errors: Mapping[SeriesKey, PathErrors] | None = None

    @property
    def diagnostics(self) -> pd.DataFrame:
        """One row per series: how many years and quantiles were published."""
        grouped = self.table.groupby(KEY)
        counted: pd.DataFrame = grouped.agg(
            years=("year", "nunique"), quantiles=("quantile", "nunique")
        ).reset_index()
        return counted

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        """Draw from the published quantiles; see `forecast.contract.FittedModel`."""
        wanted = check_years(self.panel, years)
        published = {
            key: rows for key, rows in self.table.groupby(KEY) if rows["year"].max() >= wanted[0]
        }
        drawn, notes = {}, []
        for series in self.panel:
            observed = int((~np.isnan(series.values)).sum())
            stated = (*series.key, series.origin, observed)
            if series.key not in published:
                reason = "no forecast of this series was published."
                notes.append((*stated, NOT_FORECAST, reason, "", "", ""))
                continue
            single = len(set(published[series.key]["quantile"])) == 1
            dressing = None if self.errors is None else self.errors.get(series.key)
            if single and self.errors is not None and dressing is None:
                notes.append((*stated, NOT_FORECAST, _UNJUDGED, "", "", ""))
                continue
            notes.append((*stated, FORECAST, "", "", "", ""))
            ahead = np.arange(series.origin + series.step, wanted[-1] + 1, series.step)
            generator = np.random.default_rng(series_seed(self.seed, self.name, series.key))
            paths = _paths(published[series.key], ahead, draws, generator)
            if single and dressing is not None:
                paths = dressing.add(series, paths, generator)
            drawn[series.key] = paths
        table = pd.DataFrame(notes, columns=list(NOTE_COLUMNS))
        if not drawn:
            span = " to ".join(str(year) for year in sorted({wanted[0], wanted[-1]}))
            why = " ".join(sorted(set(table["reason"])))
            raise DataError(f"{self.name!r} covers no series of this panel in {span}: {why}")
        return assemble(self.panel, drawn, wanted, table, model=self.name, seed=self.seed)


def _paths(
    rows: pd.DataFrame, years: np.ndarray, draws: int, generator: np.random.Generator
) -> np.ndarray:
    """Return draws of shape (n_draws, n_years); NaN in years that were not published."""
    paths = np.full((draws, len(years)), np.nan)
    rows = rows.sort_values("quantile")
    published = rows["year"].to_numpy()
    levels, values = rows["quantile"].to_numpy(), rows["value"].to_numpy()
    for position, year in enumerate(years.tolist()):
        here = published == year
        if not here.any():
            continue
        # Stratified: the draws follow the quantiles with little Monte Carlo noise.
        shares = (generator.permutation(draws) + generator.uniform(size=draws)) / draws
        paths[:, position] = _inverse(levels[here], values[here], shares)
    return paths


def _inverse(levels: np.ndarray, values: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return quantiles at `shares`, linear in normal scores between and beyond the known ones."""
    if len(levels) == 1:
        return np.full(len(shares), values[0])
    # Published bounds carry simulation noise; quantiles must not cross.
    known, scores = np.maximum.accumulate(values), ndtri(levels)
    wanted = ndtri(np.clip(shares, ndtr(-6.0), ndtr(6.0)))
    piece = np.clip(np.searchsorted(scores, wanted) - 1, 0, len(scores) - 2)
    slope = (known[piece + 1] - known[piece]) / (scores[piece + 1] - scores[piece])
    return np.asarray(known[piece] + slope * (wanted - scores[piece]))
