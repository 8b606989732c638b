"""Flags of figures: their names, and since when each is known.

A flag is written by its name, and may carry the day since when it was known:
``outlier@2018-06-30``. Flags of one figure are joined by ``;``. A forecast from an earlier origin
does without a flag that nobody could have set by then.
"""

from __future__ import annotations

import difflib

import pandas as pd

from forecast.errors import DataError
from forecast.series_key import KEY

#: Flags that change what a model makes of a year.
STEERING = ("break", "outlier", "interpolated", "year-to-date")
_OUTLIER, _SINCE = "outlier", "@"


def names_of(text: object) -> frozenset[str]:
    """Return the names among joined flags, without days.

    Examples
    --------
    >>> sorted(names_of("derived;outlier@2018-06-30"))
    ['derived', 'outlier']
    """
    if not isinstance(text, str):
        return frozenset()
    return frozenset(part.split(_SINCE)[0] for part in text.split(";")) - {""}


def clean(text: str, where: str) -> str:
    """Return joined flags in one form; a misspelt one that would steer a model is refused.

    Parameters
    ----------
    text : str
        Flags joined by ``;`` or ``,``.
    where : str
        How the figure is called in messages.

    Raises
    ------
    DataError
        If a name is nearly one of `STEERING`, or its day is not a calendar day.
    """
    parts = [part.strip().lower() for part in text.replace(",", ";").split(";")]
    for part in parts:
        name, has_day, day = part.partition(_SINCE)
        near = difflib.get_close_matches(name, STEERING, n=1, cutoff=0.75)
        if near and name not in STEERING:
            raise DataError(f"{where}: unknown flag {name!r}. Did you mean {near[0]!r}?")
        if has_day and pd.isna(pd.to_datetime(day, format="%Y-%m-%d", errors="coerce")):
            raise DataError(
                f"{where}: {part!r} does not say since when the flag is known. "
                f"Write a day, as in 'outlier{_SINCE}2018-06-30'."
            )
    return ";".join(dict.fromkeys(part for part in parts if part))


def known(kept: pd.DataFrame, whole: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Return figures with only those flags that were known on a day.

    A flag with a day is known from that day on. An outlier without one is known as soon as a
    later figure of its series that is not flagged so is out, which shows that the level did not
    stay; the figures after the last such one keep their flags while nothing newer is cut away.
    Every other flag comes with its figure.

    Parameters
    ----------
    kept : DataFrame
        Figures that were out, with the columns of a Panel.
    whole : DataFrame
        All figures of the panel.
    day : Timestamp
    """
    dated = kept["flag"].str.contains(_SINCE, regex=False)
    undated = kept["flag"].str.contains(rf"(?:^|;){_OUTLIER}(?:;|$)")
    if not (dated.any() or undated.any()):
        return kept
    keys = [kept[name] for name in KEY]
    confirming = ~kept["flag"].str.contains(_OUTLIER, regex=False) & kept["value"].notna()
    confirmed = kept["year"].where(confirming).groupby(keys).transform("max")
    end, last = (
        table[table["value"].notna()].groupby(KEY)["year"].max() for table in (kept, whole)
    )
    cut = pd.MultiIndex.from_frame(kept[KEY]).isin(end.index[end < last.reindex(end.index)])
    early = undated & cut & ~(confirmed > kept["year"])
    flags = [
        ";".join(part for part in text.split(";") if _is_known(part, bool(too_early), day))
        for text, too_early in zip(kept["flag"], early)
    ]
    return kept.assign(flag=pd.Series(flags, kept.index, kept["flag"].dtype))


def _is_known(flag: str, too_early: bool, day: pd.Timestamp) -> bool:
    _, has_day, since = flag.partition(_SINCE)
    if has_day:
        return pd.Timestamp(since) <= day
    return not (too_early and flag == _OUTLIER)
