"""Data vintages: forecast origins, days of release, and later outcomes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from forecast import periods, scales
from forecast.errors import DataError
from forecast.flags import names_of
from forecast.panel import Panel
from forecast.series import unused
from forecast.series_key import KEY, SeriesKey

#: A year is a shock if the figure moved more than this many times its mean move.
SHOCK = 2.0
#: Years before the first of the origins that are taken by default, and how many are.
_HISTORY, _MOST = 10, 20


@dataclass(frozen=True, order=True)
class Origin:
    """Where a forecast starts.

    Attributes
    ----------
    year : int
        The last year that it may see.
    as_of : str
        The day (YYYY-MM-DD) whose releases it may see; empty: the latest figures.
    """

    year: int
    as_of: str = ""


def origins_latest(panel: Panel, origins: Sequence[int | str] | int | str | None) -> list[Origin]:
    """Return the origins of a backtest on the latest figures.

    By default the last `_MOST` years that leave `_HISTORY` to learn from and one to score; of
    months every third one (at least so many quarters or half-years) after the first three years.

    Parameters
    ----------
    panel : Panel
        The figures.
    origins : int, str, sequence of these, or None
        Years or periods that are asked for.

    Raises
    ------
    DataError
        If an origin is not a year, or leaves nothing to learn from or to score.
    """
    years = panel.latest.loc[panel.latest["value"].notna(), "year"]
    first, last = int(years.min()), int(years.max())
    if origins is None:
        known = sorted(set(years.astype(int)))
        season = periods.PER_YEAR[panel.frequency]
        history, stride = (_HISTORY, 1) if season == 1 else (3 * season, max(1, season // 4))
        usual = known[history - 1 : -1][::-stride][:_MOST]
        return [Origin(year) for year in usual[::-1] or known[:1]]
    chosen = sorted({_year(origin, panel) for origin in _listed(origins)})
    if not chosen:
        raise DataError("the range of origins is empty. Name at least one year.")
    for year in (chosen[0], chosen[-1]):
        if not first <= year < last:
            begin, end, usable, asked = (
                periods.label(one, panel.frequency)
                for one in (first, last, last - panel.step, year)
            )
            raise DataError(
                f"origin {asked} leaves nothing to see or nothing to score: the figures run "
                f"from {begin} to {end}. Choose origins from {begin} to {usable}."
            )
    if panel.step > 1:
        on_grid = set(years.astype(int))
        for year in chosen:
            if year not in on_grid:
                raise DataError(
                    f"origin {year} is not the first year of a {panel.step}-year period of this "
                    f"panel. Choose among {', '.join(map(str, sorted(on_grid)))}."
                )
    return [Origin(year) for year in chosen]


def origins_as_published(
    panel: Panel, origins: Sequence[int | str] | int | str | None
) -> list[Origin]:
    """Return the origins of a backtest that sees only what was out on the day.

    Parameters
    ----------
    panel : Panel
        With release dates in ``as_of``.
    origins : int, str or sequence of these, optional
        A year stands for the first release in which it was the last year known; a day
        (YYYY-MM-DD) for what was out then. By default every release of the panel.

    Raises
    ------
    DataError
        If the panel has no release dates, or a year was never the last one of a release.
    """
    released = panel.figures.dropna(subset=["as_of", "value"])
    if released.empty:
        raise DataError(
            "vintage='as_published' needs release dates, and this panel has none. "
            "Give the column as_of, or use vintage='latest'."
        )
    days = sorted({str(day.date()) for day in released["as_of"]})
    last_year = {day: _last_known(panel.as_of(day)) for day in days}
    end = int(released["year"].max())
    if origins is None:
        return [Origin(last_year[day], day) for day in days if last_year[day] < end]
    chosen = []
    for given in _listed(origins):
        if isinstance(given, str | dt.date):
            day = str(given)
            chosen.append(Origin(_last_known(panel.as_of(day)), day))
            continue
        year = _year(given, panel)
        fitting = [day for day in days if last_year[day] == year]
        if not fitting:
            known = ", ".join(f"{last_year[day]} ({day})" for day in days)
            raise DataError(
                f"no release of this panel ends in {year}, so nothing could be forecast from "
                f"it as published. Releases end in {known}; choose among these, or give a day."
            )
        chosen.append(Origin(year, fitting[0]))
    return sorted(set(chosen))


def _last_known(panel: Panel) -> int:
    """Return the last year that most series know; a few early ones do not date a release."""
    return int(np.median([series.origin for series in panel]))


def _listed(origins: object) -> list[object]:
    """Return origins as a list; one year or day is a list of one."""
    if isinstance(origins, str) or not isinstance(origins, Iterable):
        return [origins]
    return list(origins)


def _year(origin: object, panel: Panel) -> int:
    if isinstance(origin, str) and panel.frequency != "year":
        return periods.read(origin, panel.frequency)
    if not hasattr(origin, "__index__"):
        raise DataError(f"origin is {origin!r}; give calendar years such as range(2003, 2019).")
    year = int(origin.__index__())
    # No figures are so old: a number like that is a year, not the number of a period.
    if panel.frequency != "year" and periods.year_of(year, panel.frequency) < 1500:
        like = periods.label(panel.origin, panel.frequency)
        raise DataError(
            f"origin {year} is a year, and the figures are by {panel.frequency}. Give the last "
            f"{panel.frequency} that a forecast may see, such as {like}."
        )
    return year


def seen(panel: Panel, origin: Origin, window: int | None) -> Panel:
    """Return everything that a forecast from an origin may know, and nothing else.

    Parameters
    ----------
    window : int, optional
        Only the last so many years (sliding window); all by default (expanding window).

    Raises
    ------
    DataError
        If nothing was known.
    """
    known = panel.as_of(origin.as_of) if origin.as_of else panel
    known = known.until(origin.year)
    return known.since(origin.year - window + 1) if window else known


def released(panel: Panel, days: Sequence[str]) -> list[Panel]:
    """Return what was known on earlier days of release, where later figures can judge it.

    Parameters
    ----------
    panel : Panel
        With days of release.
    days : sequence of str (YYYY-MM-DD)
        Days to look at; those without a release are left out.
    """
    dated = panel.figures["as_of"].dropna()
    out = {str(day.date()) for day in dated.unique()}
    earlier = [day for day in days if day in out and day < panel.last_release]
    seen_then = [panel.as_of(day) for day in earlier]
    return [then for then in seen_then if then.origin < panel.origin]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """The figures that forecasts are held against.

    Attributes
    ----------
    panel : Panel
        Every release; the latest figures are the outcomes, the first ones stand beside them.
    """

    panel: Panel

    @cached_property
    def figures(self) -> pd.DataFrame:
        """One row per series and year with an observed value.

        ``source, location, measure, year, observed, observed_first`` and ``population`` in
        persons; ``shock``, whether the figure moved more than `SHOCK` times its mean move;
        ``last_break``, the last year up to this one that starts a new level (0: none);
        ``interpolated``.
        """
        latest = self.panel.latest.dropna(subset=["value"])
        every = self.panel.figures.dropna(subset=["value"])
        first = every.drop_duplicates([*KEY, "year"], keep="first")
        figures = latest.merge(
            first[[*KEY, "year", "value"]],
            on=[*KEY, "year"],
            suffixes=("", "_first"),
            validate="one_to_one",
        ).rename(columns={"value": "observed", "value_first": "observed_first"})
        change = figures.groupby(KEY)["observed"].diff().abs()
        keys = [figures[name] for name in KEY]
        usual = change.groupby(keys).transform("mean")
        flags = figures["flag"].map(names_of)
        broken = flags.map(lambda given: "break" in given)
        return figures[[*KEY, "year", "observed", "observed_first", "population"]].assign(
            shock=change > SHOCK * usual,
            last_break=figures["year"].where(broken, 0).groupby(keys).cummax(),
            interpolated=flags.map(lambda given: "interpolated" in given),
        )

    def targets(self, origin: Origin, horizons: Sequence[int]) -> pd.DataFrame:
        """Return the figures that forecasts from an origin are scored on.

        Columns of `figures` and ``origin, as_of, horizon, calendar_horizon``. The last
        counts from the year of the release, where one is named.
        """
        years = [origin.year + horizon for horizon in horizons]
        rows = self.figures[self.figures["year"].isin(years)].reset_index(drop=True)
        released_in = origin.year
        if origin.as_of:
            year, month = int(origin.as_of[:4]), int(origin.as_of[5:7])
            part = (month - 1) * periods.PER_YEAR[self.panel.frequency] // 12 + 1
            released_in = periods.number(year, part, self.panel.frequency)
        return rows.assign(
            origin=origin.year,
            as_of=origin.as_of,
            horizon=rows["year"] - origin.year,
            calendar_horizon=rows["year"] - released_in,
        )

    @cached_property
    def kinds(self) -> dict[SeriesKey, scales.Kind]:
        """The scale on which each series is modelled."""
        return {series.key: scales.choose(series).kind for series in self.panel}

    @cached_property
    def values(self) -> dict[SeriesKey, np.ndarray]:
        """The latest figures of each series on its scale, shape (n_years,).

        NaN in gaps and where a flag says that a figure is interpolated.
        """
        return {
            series.key: np.where(
                unused(series, "interpolated"), np.nan, scales.choose(series).values
            )
            for series in self.panel
        }

    def sizes(self, keys: Collection[SeriesKey]) -> dict[SeriesKey, float]:
        """Return the usual yearly change of some series, up to the end."""
        return {key: usual_change(self.values[key]) for key in self.kinds if key in keys}

    def on_scale(self, key: SeriesKey, persons: np.ndarray, at: int) -> np.ndarray:
        """Bring persons of the year at position `at` of a series on its scale."""
        series = self.panel.find(key)
        if self.kinds[key] == "log":
            return np.log1p(persons / (1.0 if series is None else series.grain))
        if series is not None and self.kinds[key] == "rate":
            return np.asarray(persons * 1000.0 / (series.step * series.population[at]))
        return persons


def usual_change(values: np.ndarray) -> float:
    """Return the mean absolute change between usable values; NaN for fewer than two."""
    changes = np.abs(np.diff(values[np.isfinite(values)]))
    return float(changes.mean()) if len(changes) else float("nan")
