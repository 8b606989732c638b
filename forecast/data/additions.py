"""New figures of a table, compared with the releases of a series kept before."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from forecast.data.checks import years
from forecast.data.releases import FIGURE, Release, read_release
from forecast.errors import DataError
from forecast.panel import Panel
from forecast.series_key import KEY

_CONTENT = ("value", "population", "flag", "precision")


def by_day(panel: Panel, as_of: str | dt.date | None) -> dict[str, Panel]:
    """Return the figures by their day of release, in the order of the days.

    Parameters
    ----------
    panel : Panel
        The figures.
    as_of : str (YYYY-MM-DD) or date or None
        Day on which figures without a date came out; today for None.

    Returns
    -------
    dict of str (YYYY-MM-DD) to Panel

    Raises
    ------
    DataError
        If a day is still to come, or before the year of a figure.
    """
    today = years.today()
    day = dt.date.today() if as_of is None else _day(as_of)
    if day > today:
        raise DataError(f"as_of is {day}, which is still to come. Give the day of the release.")
    table = panel.figures
    if as_of is not None and table["as_of"].notna().all():
        raise DataError(
            "the table has the day of release of every figure in its column as_of; "
            f"leave out the day {day}."
        )
    table["as_of"] = table["as_of"].fillna(pd.Timestamp(day))
    late = table["as_of"].max().date()
    if late > today:
        raise DataError(f"column as_of holds {late}, which is still to come. Correct it.")
    years.refuse_before_its_year(table, panel.frequency)
    made = {}
    for when, rows in table.groupby("as_of", sort=True):
        # A series without a figure in a release says nothing; a Panel refuses it.
        seen = rows.groupby(KEY)["value"].transform("count") > 0
        if seen.any():
            kept = rows[seen].reset_index(drop=True)
            made[str(pd.Timestamp(str(when)).date())] = Panel.from_frame(
                kept, step=panel.step, frequency=panel.frequency
            )
    return made


def _day(given: str | dt.date) -> dt.date:
    try:
        return dt.date.fromisoformat(str(given)[:10])
    except ValueError:
        raise DataError(f"as_of is {given!r}; write a day as YYYY-MM-DD.") from None


def news(name: str, kept: list[Release], day: str, part: Panel) -> Panel | None:
    """Return what of a release is not known on its day; None if all of it is.

    Parameters
    ----------
    name : str
        Of the stored series.
    kept : list of Release
        What is there, in the order of the days.
    day : str (YYYY-MM-DD)
        Of the new release.
    part : Panel
        Its figures.

    Returns
    -------
    Panel or None

    Raises
    ------
    DataError
        If the steps differ, or other figures are kept for the same day.
    """
    if kept and kept[0].step != part.step:
        raise DataError(
            f"{name} is kept in steps of {kept[0].step} years, and these figures come in steps of "
            f"{part.step}. Keep them under another name: --name NAME."
        )
    earlier = [release for release in kept if release.as_of <= day]
    if not earlier:
        return part
    known = pd.concat([read_release(release) for release in earlier], ignore_index=True)
    # Releases come in the order of their days, so the last row is what is known on the day.
    known = known.drop_duplicates(list(FIGURE), keep="last")
    table = part.figures
    both = table.merge(known, on=list(FIGURE), how="left", suffixes=("", "_known"), indicator=True)
    there = (both["_merge"] == "both").to_numpy()
    now, before = both[[*_CONTENT]], both[[f"{column}_known" for column in _CONTENT]]
    before = before.set_axis(now.columns, axis=1)
    same = ((now == before) | (now.isna() & before.isna())).all(axis=1).to_numpy()
    if (there & same).all():
        return None
    of_the_day = there & (both["as_of_known"] == pd.Timestamp(day)).to_numpy()
    if (of_the_day & ~same).any():
        row = both[of_the_day & ~same].iloc[0]
        raise DataError(
            f"{name} already has figures of {day}, among them {row['measure']} of "
            f"{row['location']} in {row['year']} ({row['value_known']:g}; now {row['value']:g}). "
            "Releases are never changed; give the day of this one: --as-of YYYY-MM-DD."
        )
    if not of_the_day.any():
        return part
    return Panel.from_frame(
        table[~of_the_day].reset_index(drop=True), step=part.step, frequency=part.frequency
    )
