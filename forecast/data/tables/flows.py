"""Arrivals, departures and saldo: which measure they are, and whether they agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from forecast import locations
from forecast.errors import DataError

Flows = Literal["external", "internal", "all"]
SCOPES = ("external", "internal", "all")
_MEASURES = {
    ("external", "arrivals"): "immigration",
    ("external", "departures"): "emigration",
    ("external", "net"): "net_migration",
    ("internal", "arrivals"): "internal_arrivals",
    ("internal", "departures"): "internal_departures",
    ("internal", "net"): "internal_net",
    ("all", "net"): "net_all_flows",
}
FAMILY = ("arrivals", "departures", "net")
#: Differences up to this many units of rounding are rounding.
_ROUNDING = 1.5


def measure(stated: str, scope: str, code: str) -> tuple[str, str]:
    """Return the measure of a figure, and a remark if it was inferred.

    Parameters
    ----------
    stated : str
        A measure, or one of `FAMILY`.
    scope : str
        Which moves are counted; empty if nothing says it.
    code : str
        The place.

    Returns
    -------
    str
        Empty for arrivals and departures of all flows, of which there is no measure.
    str
    """
    if stated not in FAMILY:
        return stated, ""
    remark = ""
    if not scope:
        if not locations.find(code).is_country:
            raise DataError(
                f"{stated} of {code}: nothing says whether they cross the border of the country, "
                "stay inside it, or both. Say flows='external', 'internal' or 'all'."
            )
        scope = "external"
        remark = (
            f"{stated} of countries are taken for moves across the border "
            f"({_MEASURES[scope, stated]}); nothing says so"
        )
    return _MEASURES.get((scope, stated), ""), remark


def crosscheck(
    figures: Mapping[tuple[str, str, int], Mapping[str, tuple[float, float]]],
) -> tuple[list[str], list[DataError]]:
    """Hold net against arrivals minus departures.

    Parameters
    ----------
    figures : mapping
        By (source, code, year): {arrivals, departures, net} as (persons, rounding).

    Returns
    -------
    list of str
        What was checked and where it disagrees.
    list of DataError
        One if the sign of the net is reversed throughout.
    """
    agree, disagree, reversed_ = 0, [], 0
    for (_, code, year), flows in sorted(figures.items()):
        if any(name not in flows for name in FAMILY):
            continue
        (into, first), (out, second), (net, third) = (flows[name] for name in FAMILY)
        allowed = _ROUNDING * max(first, second, third, 1.0)
        gap = net - (into - out)
        if abs(gap) <= allowed:
            agree += 1
        else:
            reversed_ += abs(net - (out - into)) <= allowed
            disagree.append(f"{code} {year}: {net:,.0f} against {into - out:,.0f}")
    checked = agree + len(disagree)
    if not checked:
        return [], []
    if disagree and reversed_ == len(disagree) and reversed_ > agree and checked >= 2:
        return [], [
            DataError(
                f"the net is departures minus arrivals in {reversed_} of {checked} years, such as "
                f"{disagree[0]}. Positive net means an inflow here: change its sign, or leave it "
                "out."
            )
        ]
    note = f"arrivals - departures = net in {agree} of {checked} figures"
    if disagree:
        more = f" and {len(disagree) - 5} more" if len(disagree) > 5 else ""
        note += f"; not in {'; '.join(disagree[:5])}{more}"
    return [note], []


def totals(
    sums: Iterable[tuple[str, float, float, float]],
) -> list[str]:
    """Say where total rows differ from the sum of the rows above them.

    Parameters
    ----------
    sums : iterable of (heading, stated, summed, rounding)
    """
    checked, wrong = 0, []
    for heading, stated, summed, rounding in sums:
        checked += 1
        if abs(stated - summed) > rounding:
            wrong.append(f"{heading}: {stated:,.6g} stated, {summed:,.6g} summed")
    if not checked:
        return []
    if not wrong:
        return [f"the total row agrees with the rows in {checked} columns"]
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    return [f"the total row differs from the sum of the rows: {'; '.join(wrong[:3])}{more}"]
