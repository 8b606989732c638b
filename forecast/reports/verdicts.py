"""Verdicts in words, and the part of a backtest that is about the series of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from forecast.errors import DataError
from forecast.evaluate.calibration import NARROW, WIDE
from forecast.evaluate.verdicts import (
    MISCALIBRATED,
    NO_BETTER,
    SKILFUL,
    TOO_LITTLE,
    Rule,
    says_nothing,
)
from forecast.language import Language, message
from forecast.panel import Panel
from forecast.series_key import KEY, SeriesKey

if TYPE_CHECKING:
    from forecast.evaluate.track import Track

_VERDICTS = {
    SKILFUL: message("better than assuming no change"),
    NO_BETTER: message("not shown to be better than assuming no change"),
    NARROW: message("intervals were too narrow"),
    WIDE: message("intervals were wider than they need be"),
    TOO_LITTLE: message("too few past forecasts to judge"),
}
_CELL = {
    SKILFUL: message("better"),
    NO_BETTER: message("no better"),
    NARROW: message("too narrow"),
    WIDE: message("too wide"),
    TOO_LITTLE: message("too few"),
}


@dataclass(frozen=True, eq=False)
class Judged:
    """What a backtest says of one series so many years ahead.

    Attributes
    ----------
    row : mapping
        The row of ``Track.verdicts`` at the horizon nearest to the one asked for.
    asked : int
        Years ahead that the sentence is about.
    """

    row: Mapping[str, Any]
    asked: int

    @property
    def tried(self) -> int:
        """Years ahead at which the verdict was reached."""
        return int(self.row["horizon"])

    @property
    def far(self) -> bool:
        """Whether so much less was tried that the verdict says nothing of what was asked."""
        return says_nothing(self.tried, self.asked)


def ahead(horizons: Sequence[int], words: Language) -> str:
    """Say how many years ahead.

    Parameters
    ----------
    horizons : sequence of int
        Years ahead; the last one decides between singular and plural.
    words : Language
        Language of the phrase.

    Returns
    -------
    str
    """
    n, years = horizons[-1], words.listed(horizons)
    if words.frequency == "half-year":
        return words.count("{years} half-year ahead", "{years} half-years ahead", n, years=years)
    if words.frequency == "quarter":
        return words.count("{years} quarter ahead", "{years} quarters ahead", n, years=years)
    if words.frequency == "month":
        return words.count("{years} month ahead", "{years} months ahead", n, years=years)
    return words.count("{years} year ahead", "{years} years ahead", n, years=years)


def held(judged: Judged | None, words: Language) -> str:
    """Say in a cell how often the 80 % intervals of one series held; empty without a record.

    The distance at which they were tried is named where it is not the one asked for.

    Parameters
    ----------
    judged : Judged or None
        Verdict at the tried horizon nearest to the one asked for.
    words : Language
        Language of the phrase.

    Returns
    -------
    str
        Share and number of past forecasts, or that it is not known.
    """
    if judged is None:
        return ""
    if judged.far or judged.row["verdict"] == TOO_LITTLE:
        return words.say("not known")
    verdict = words.say(
        "{share} of {n}",
        share=words.share(float(judged.row["coverage"])),
        n=int(judged.row["origins"]),
    )
    if judged.tried == judged.asked:
        return verdict
    return words.say("{verdict} ({when})", verdict=verdict, when=ahead([judged.tried], words))


def in_cell(judged: Judged | None, words: Language) -> str:
    """Give the verdict on one series for a cell of a table; empty without one.

    Parameters
    ----------
    judged : Judged or None
        Verdict at the tried horizon nearest to the one asked for.
    words : Language
        Language of the phrase.

    Returns
    -------
    str
    """
    if judged is None:
        return ""
    if judged.far:
        return words.count(
            "not tried so far ahead (up to {n} year)",
            "not tried so far ahead (up to {n} years)",
            judged.tried,
        )
    verdict = cell(named(judged.row), words)
    if judged.tried == judged.asked:
        return verdict
    return words.say("{verdict} ({when})", verdict=verdict, when=ahead([judged.tried], words))


def named(row: Mapping[str, Any]) -> str:
    """Return the verdict of a row, or on which side its intervals were off."""
    return str(row["calibration" if row["verdict"] == MISCALIBRATED else "verdict"])


def cell(name: str, words: Language) -> str:
    """Return a verdict in a word or two, for a table.

    Parameters
    ----------
    name : str
        A key of `_CELL`, as `named` gives it.
    words : Language
        Language of the word.

    Returns
    -------
    str
    """
    return words.say(_CELL[name])


def legend(words: Language) -> str:
    """Say what the words of the table mean."""
    parts = [
        f"{words.say(_CELL[name])}: {words.say(meaning)}" for name, meaning in _VERDICTS.items()
    ]
    return "; ".join(parts) + "."


def testable(verdicts: Mapping[SeriesKey, Sequence[Mapping[str, Any]]], words: Language) -> str:
    """Say for how many verdicts the intervals of a series could be tested by themselves.

    Parameters
    ----------
    verdicts : mapping of (source, location, measure) to sequence of mapping
        Rows of ``Track.verdicts``, with ``verdict`` and ``power``.
    words : Language
        Language of the sentence.

    Returns
    -------
    str
        Empty if there is no verdict, or all could be tested.
    """
    rows = [row for rows in verdicts.values() for row in rows if row["verdict"] != TOO_LITTLE]
    powers = [float(row["power"]) for row in rows]
    if not rows or min(powers) >= Rule.power:
        return ""
    return words.say(
        "The 80\u202f% intervals of one series by itself could be tested in {tested} of {all} "
        "verdicts with enough past forecasts; in the others, much too narrow ones would have been "
        "noticed in {least} to {most} of cases, and all series of a kind are judged together.",
        tested=sum(power >= Rule.power for power in powers),
        all=len(powers),
        least=words.share(min(powers)),
        most=words.share(max(power for power in powers if power < Rule.power)),
    )


def verdict(judged: Judged | None, words: Language) -> str:
    """Give the verdict on one series with its numbers; empty without one.

    Parameters
    ----------
    judged : Judged or None
        Verdict at the tried horizon nearest to the one asked for.
    words : Language
        Language of the sentence.

    Returns
    -------
    str
    """
    if judged is None:
        return ""
    if judged.far:
        return words.count(
            "Track record: not tried so far ahead, only up to {n} year.",
            "Track record: not tried so far ahead, only up to {n} years.",
            judged.tried,
        )
    row = judged.row
    when = ahead([judged.tried], words)
    name = words.say(_VERDICTS[named(row)])
    if row["verdict"] == TOO_LITTLE:
        return words.say("Track record {when}: {verdict}.", when=when, verdict=name)
    skill = float(row["skill"])
    return words.say(
        "Track record {when}: {verdict} ({error}; the 80\u202f% interval held {coverage} of the "
        "time; past forecasts: {origins}).",
        when=when,
        verdict=name,
        error=_error(skill, words),
        coverage=words.share(float(row["coverage"])),
        origins=int(row["origins"]),
    )


def _error(skill: float, words: Language) -> str:
    if round(100 * skill) == 0:
        return words.say("error the same, within 1\u202f%")
    shape = message("error smaller by {share}") if skill > 0 else message("error larger by {share}")
    return words.say(shape, share=words.share(abs(skill)))


#: How far apart two copies of one figure may be: what writing and reading a table may cost.
_RELATIVE, _PERSONS = 1e-9, 1e-6
_REMEDY = (
    "Give a backtest of the same data (forecast.backtest of the same panel, forecast backtest "
    "with the same --data), or none."
)


def opened(track: Track | str | Path | None) -> Track | None:
    """Return a track that was given as such, or as the folder that it was saved to.

    Raises
    ------
    DataError
        If it is something else, or the folder holds none.
    """
    from forecast.evaluate.track import Track

    if isinstance(track, str | Path):
        return Track.open(track)
    if track is None or isinstance(track, Track):
        return track
    raise DataError(
        f"track is of the type {type(track).__name__}. Give what forecast.backtest returns, the "
        "folder that it was saved to, or None."
    )


def covered(track: Track, history: Panel) -> Track:
    """Return what a backtest says of the series of a forecast, and of no other.

    The backtest may have had more series, and more or fewer years: a record of the same figures
    is wanted, not of the same table. A figure is the same if any of its releases is the one
    that the backtest was scored on, first or latest.

    Parameters
    ----------
    history : Panel
        What the model of the report was shown.

    Raises
    ------
    DataError
        If they have no series with a common year, or a figure is not the same in both.
    """
    from forecast.evaluate.track import Track

    scored = track.table[[*KEY, "year", "observed", "observed_first"]].drop_duplicates()
    seen = history.figures[[*KEY, "year", "value"]].dropna()
    both = scored.dropna(subset=["observed"]).merge(seen, on=[*KEY, "year"])
    if both.empty:
        raise DataError(
            f"the backtest given is of other series ({_some(track.table)}) than this report "
            f"({_some(history.latest)}). {_REMEDY}"
        )
    _check_figures(both)
    keys = pd.MultiIndex.from_frame(both[KEY].drop_duplicates())
    wanted = pd.MultiIndex.from_frame(track.table[KEY]).isin(keys)
    if wanted.all():
        return track
    # A joint score of all locations says nothing about a few of them.
    return Track(track.table[wanted].reset_index(drop=True), track.joint.iloc[:0], track.settings)


def _check_figures(both: pd.DataFrame) -> None:
    """Refuse a figure of which no release is the one that the backtest knew."""
    same = np.zeros(len(both), dtype=bool)
    for name in ("observed", "observed_first"):
        same |= np.isclose(both["value"], both[name], rtol=_RELATIVE, atol=_PERSONS)
    known = both.assign(same=same).groupby([*KEY, "year"])["same"].transform("any")
    other = both[~known].drop_duplicates([*KEY, "year"], keep="last")
    if other.empty:
        return
    first = other.iloc[0]
    more = f" ({len(other) - 1} more figures differ)" if len(other) > 1 else ""
    raise DataError(
        f"the backtest given is of other figures: {_named(first)} in {first['year']} is "
        f"{first['observed']:,.10g} there and {first['value']:,.10g} in the data of this "
        f"forecast{more}. {_REMEDY}"
    )


def _some(table: pd.DataFrame) -> str:
    """Name the first series of a table."""
    series = table[KEY].drop_duplicates()
    names = [_named(row) for _, row in series.head(2).iterrows()]
    return ", ".join(names) + (" ..." if len(series) > 2 else "")


def _named(row: pd.Series) -> str:
    source = f" ({row['source']})" if row["source"] else ""
    return f"{row['measure']} of {row['location']}{source}"
