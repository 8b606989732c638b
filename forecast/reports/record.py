"""The track record on the page: scores of past forecasts, and the largest changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from forecast import labels, locations
from forecast.data.wpp_bulk import SOURCE as UN_SOURCE
from forecast.evaluate.verdicts import SKILFUL
from forecast.hindcast.columns import SCORED
from forecast.language import Language
from forecast.reports.series_view import SeriesView
from forecast.reports.track_charts import described, hedgehog
from forecast.reports.track_charts import figures as reliability
from forecast.reports.verdicts import Judged, ahead, cell, legend, named, testable
from forecast.series_key import KEY, SeriesKey

if TYPE_CHECKING:
    from forecast.evaluate.track import Track

#: Most surprises of countries that the page lists.
SURPRISES = 10
#: Fewest past forecasts that make a chart.
LEAST = 5


@dataclass(frozen=True, eq=False)
class Record:
    """What a backtest says about one model.

    Attributes
    ----------
    model : str
        The model of the report.
    verdicts : dict of (source, location, measure) to list of dict
        Rows of ``Track.verdicts`` by horizon; empty for the reference itself.
    """

    track: Track
    model: str
    verdicts: Mapping[SeriesKey, Sequence[Mapping[str, Any]]]

    def nearest(self, key: SeriesKey, horizon: int) -> Judged | None:
        """Return the verdict at the tried horizon closest to the one asked for.

        A horizon clearly shorter than that (`forecast.evaluate.verdicts.says_nothing`) has none
        to give: the answer then says how far was tried. None if the series was not tried at all.
        """
        rows = self.verdicts.get(key, ())
        row = min(
            rows, key=lambda row: (abs(row["horizon"] - horizon), -row["horizon"]), default=None
        )
        return None if row is None else Judged(row, horizon)


def record(track: Track | None, model: str) -> Record | None:
    """Return the record of a model, or None if the backtest scored no forecast by it.

    Parameters
    ----------
    track : Track or None
        The part of a backtest that is about the series of the report, see
        `forecast.reports.verdicts.covered`.
    model : str
        The model of the report.

    Returns
    -------
    Record or None
        Without verdicts where the model is the reference itself.
    """
    if track is None:
        return None
    ours = track.table[track.table["model"] == model]
    if not (ours["status"] == SCORED).any():
        return None
    verdicts: dict[SeriesKey, list[Mapping[str, Any]]] = {}
    if track.reference not in ("", model):
        judged = track.verdicts()
        for row in judged[judged["model"] == model].sort_values("horizon").to_dict("records"):
            named = {str(name): value for name, value in row.items()}
            verdicts.setdefault(tuple(named[part] for part in KEY), []).append(named)
    return Record(track, model, verdicts)


def coverage(rows: pd.DataFrame, words: Language) -> str:
    """Say how often the 80 % interval held, at the shortest and the longest horizon.

    Parameters
    ----------
    rows : DataFrame
        Of one model from ``Track.calibration``: ``horizon, level, coverage, forecasts``; at least
        one of level 0.8.
    words : Language
        Language of the sentence.

    Returns
    -------
    str
    """
    eighty = rows[rows["level"] == 0.80].sort_values("horizon").to_dict("records")
    shares = [
        words.say(
            "{when}: {share} of {forecasts}",
            when=ahead([int(row["horizon"])], words),
            share=words.share(float(row["coverage"])),
            forecasts=words.persons(int(row["forecasts"])),
        )
        for row in ([eighty[0], eighty[-1]] if len(eighty) > 1 else eighty)
    ]
    return words.say(
        "How often the 80\u202f% interval held in past forecasts: {shares}.",
        shares="; ".join(shares),
    )


def surprise(row: Mapping[str, Any], words: Language) -> str:
    """Tell of one observed figure outside its 95 % interval.

    Parameters
    ----------
    row : mapping
        Of ``Track.surprises``: key, ``year, origin, observed, lower_95, upper_95``, in persons per
        calendar year.
    words : Language
        Language of the sentence.

    Returns
    -------
    str
    """
    low, high, seen = (
        labels.figure(float(row[name]), str(row["measure"]), words, 3)
        for name in ("lower_95", "upper_95", "observed")
    )
    return words.say(
        "{year}, {place}, {measure}: {observed}; the forecast from {origin} had said {low} to "
        "{high} (95\u202f%).",
        place=labels.place(str(row["location"]), words),
        measure=labels.measure(str(row["measure"]), words),
        year=words.period(int(row["year"])),
        origin=words.period(int(row["origin"])),
        observed=seen,
        low=low,
        high=high,
    )


def surprises_of(rows: pd.DataFrame, words: Language) -> list[str]:
    """Tell of the figures outside their 95 % interval: those of countries, then of regions.

    Of countries the most surprising are told, by year.

    Parameters
    ----------
    rows : DataFrame
        ``Track.surprises`` of one model, the most surprising first, each figure once.
    words : Language
        Language of the sentences.

    Returns
    -------
    list of str
        At most `SURPRISES` of countries; of regions one for each country and year.
    """
    national = rows["location"].map(locations.country_of) == rows["location"]
    most = rows[national].head(SURPRISES).sort_values("year", kind="stable")
    sentences = [
        surprise({str(name): value for name, value in row.items()}, words)
        for row in most.to_dict("records")
    ]
    regional = rows[~national]
    country = regional["location"].map(locations.country_of)
    for (year, code), group in regional.groupby(["year", country], sort=True):
        names = [labels.place(place, words) for place in dict.fromkeys(group["location"])]
        sentences.append(
            words.count(
                "{year}, {country}: {n} region ({names}).",
                "{year}, {country}: {n} regions ({names}).",
                len(names),
                country=labels.place(str(code), words),
                year=words.period(int(str(year))),
                names=", ".join(names),
            )
        )
    return sentences


def section(
    found: Record | None, views: Sequence[SeriesView], words: Language
) -> dict[str, Any] | None:
    """Return what the page's section on the track record shows, or None without one.

    Parameters
    ----------
    found : Record or None
        What a backtest says of the model of the page.
    views : sequence of SeriesView
        The series of the page.
    words : Language
        Language of sentences, names and charts.
    """
    if found is None:
        return None
    ours = found.track.select(model=found.model)
    calibration = ours.calibration()
    surprises = ours.surprises().drop_duplicates([*KEY, "year"])
    settings = found.track.settings
    ordered = sorted((s for s in views if s.forecast), key=lambda s: (not s.national, s.country))
    counted = ours.table[ours.table["status"] == SCORED]
    return {
        "origins": tuple(words.period(int(counted["origin"].agg(end))) for end in ("min", "max")),
        "forecasts": words.persons(len(counted)),
        "latest": settings.get("vintage") == "latest",
        "smoothed": bool((counted["source"] == UN_SOURCE).any()),
        "coverage": coverage(calibration, words),
        "levels": [50, 80, 95],
        "reliability": reliability(calibration, words),
        "rows": _by_horizon(found, calibration, words),
        "horizons": sorted(
            {int(row["horizon"]) for rows in found.verdicts.values() for row in rows}
        ),
        "verdicts": _verdict_rows(ordered, found, words) if found.verdicts else [],
        "figures": _figures(ordered, counted, words),
        "surprises": surprises_of(surprises, words),
        "outside": len(surprises),
        "judged": words.persons(len(counted[[*KEY, "year"]].drop_duplicates())),
        "jumps": jumps_of(views, words),
        "legend": " ".join(filter(None, (legend(words), testable(found.verdicts, words)))),
        "failed": len(ours.failures),
    }


def _figures(
    ordered: Sequence[SeriesView], counted: pd.DataFrame, words: Language
) -> list[dict[str, Any]]:
    """Return a hedgehog of every national series that was scored."""
    groups = {tuple(map(str, key)): rows for key, rows in counted.groupby(KEY)}
    figures = []
    for view in ordered:
        if not view.national or len(groups.get(view.key, ())) < LEAST:
            continue
        source, place, measure = view.key
        rows = groups[view.key]
        figures.append(
            {
                "title": f"{labels.place(place, words)}: {labels.measure(measure, words)}",
                "source": labels.source(source, words),
                "svg": Markup(hedgehog(view, rows, words)),  # noqa: S704  escaped where drawn
                "caption": described(rows, words),
            }
        )
    return figures


def _by_horizon(found: Record, calibration: pd.DataFrame, words: Language) -> list[dict[str, Any]]:
    skills: dict[int, float] = {}
    if found.verdicts:
        skill = found.track.skill()
        ours = skill[skill["model"] == found.model]
        skills = dict(zip(ours["horizon"].astype(int), ours["skill"].astype(float)))
    rows = []
    for horizon, group in calibration.groupby("horizon", sort=True):
        shares = dict(zip(group["level"], group["coverage"]))
        years = int(str(horizon))
        rows.append(
            {
                "horizon": ahead([years], words),
                "forecasts": words.persons(int(group["forecasts"].iloc[0])),
                "skill": words.share(skills[years], sign=True) if years in skills else "–",
                "shares": [words.share(float(shares[level])) for level in (0.5, 0.8, 0.95)],
            }
        )
    return rows


def _verdict_rows(
    ordered: Sequence[SeriesView], found: Record, words: Language
) -> list[dict[str, Any]]:
    """Return one row per national series; regions of one source that share it share a row."""
    rows: dict[tuple[object, ...], tuple[list[str], dict[str, Any]]] = {}
    for view in ordered:
        source, place, measure = view.key
        rows_of = found.verdicts.get(view.key, ())
        names = {int(row["horizon"]): named(row) for row in rows_of}
        alone = view.key if view.national else (source, view.country, measure)
        places, _ = rows.setdefault(
            (view.national, alone, *names.items()),
            (
                [],
                {
                    "measure": labels.measure(measure, words),
                    "source": labels.source(source, words),
                    "verdicts": {
                        horizon: {"name": cell(name, words), "skilful": name == SKILFUL}
                        for horizon, name in names.items()
                    },
                },
            ),
        )
        places.append(labels.place(place, words))
    return [{"place": ", ".join(places), **row} for places, row in rows.values()]


#: Flags of figures that do not show what happened.
_ASIDE = ("outlier", "suspect", "interpolated")


def largest(view: SeriesView) -> tuple[int, float, float] | None:
    """Return the year of the largest change since the year before, with both figures.

    Only years from `FIRST_YEAR` on whose figures follow each other without a gap, a new
    level or doubt; None if there is no such pair.
    """
    series = view.series
    good = ~np.isnan(series.values) & (series.years >= view.start())
    for flag in _ASIDE:
        good &= ~series.flagged(flag)
    pairs = good[1:] & good[:-1] & (np.diff(series.years) == 1)
    pairs &= ~series.flagged("break")[1:]
    if not pairs.any():
        return None
    change = np.where(pairs, np.abs(np.diff(series.values)), -1.0)
    at = int(change.argmax())
    return int(series.years[at + 1]), float(series.values[at]), float(series.values[at + 1])


def jumps_of(views: Sequence[SeriesView], words: Language) -> list[str]:
    """Tell of the largest change of each national series that is forecast.

    Parameters
    ----------
    views : sequence of SeriesView
        Those of regions, and those without a forecast, are passed over.
    words : Language
        Language of the sentences.

    Returns
    -------
    list of str
        In the order of `views`; changes from one year to the next, in persons.
    """
    rows = []
    for view in views:
        found = largest(view) if view.national and view.forecast else None
        if found is None:
            continue
        year, before, after = found
        rows.append(
            words.say(
                "{place}, {measure}, {source}: from {before} in {first} to {after} in {year}.",
                place=labels.place(view.series.location, words),
                measure=labels.measure(view.series.measure, words),
                source=labels.source(view.series.source, words),
                before=view.written(before, words, 3),
                first=view.named(year - 1),
                after=view.written(after, words, 3),
                year=view.named(year),
            )
        )
    return rows
