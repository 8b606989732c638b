"""Which members are meant for which series, as their settings say."""

from __future__ import annotations

from collections.abc import Sequence

from forecast.contract import Model
from forecast.hindcast.members import name_of
from forecast.models.specification import is_specified, specification
from forecast.panel import Panel
from forecast.series_key import SeriesKey


def meant_for(member: str | Model, panel: Panel) -> set[SeriesKey]:
    """Return the series that a member is meant for; all of them for a model of one's own.

    A model's TOML may name the only measures that it forecasts (``only``), and measures that the
    source must have of the same location (``needs``).
    """
    stated = specification(member) if isinstance(member, str) and is_specified(member) else {}
    only, needs = stated.get("only"), stated.get("needs", [])
    there = {one.key for one in panel}
    return {
        (source, location, measure)
        for source, location, measure in there
        if (only is None or measure in only)
        and all((source, location, other) in there for other in needs)
    }


def special(members: Sequence[str | Model], panel: Panel) -> dict[SeriesKey, str]:
    """Return the names of the members with needs that a series meets, joined by commas.

    Such series learn apart: a member that is there for few of the series of a scale would
    otherwise decide the weights of all.
    """
    needing = [
        (name_of(member), meant_for(member, panel))
        for member in members
        if isinstance(member, str) and is_specified(member) and "needs" in specification(member)
    ]
    return {
        one.key: ", ".join(name for name, series in needing if one.key in series) for one in panel
    }
