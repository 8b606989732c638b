"""Where to and where from: what was probably moved between countries, and who counted what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from forecast import labels
from forecast.language import Language, message, rounded
from forecast.models.mirror.estimate import APPLIED, BETWEEN, ONE, SEVERAL
from forecast.models.mirror.result import Mirror
from forecast.reports import svg
from forecast.reports.svg import ACCENT, INK, MUTED, PAPER, drawing, to_svg

#: Corridors of the chart and of the table, rows of contradictions and of coverage.
DRAWN, LISTED, APART, COVERED = 12, 20, 10, 10
#: A year is shown if it has figures for this share of the corridors that the best year has.
COMPLETE = 0.5
_BASIS = {
    SEVERAL: message("several sources"),
    APPLIED: message("several sources, this year by itself"),
    ONE: message("one source, and what is known of it elsewhere"),
    BETWEEN: message("the years beside it"),
}
_SIDES = {
    "destination": message("arrivals in {country}"),
    "origin": message("departures from {country}"),
    "estimate": message("estimate"),
    "unknown": message("not known who counts"),
}
_WIDTH, _ROW, _TEXT = 640, 32, 12.0
#: Space for names at either side, and for the unit above.
_NAMES, _ABOVE = 170, 30
#: Least room of a band, in mean bands; gap between places, in the least room.
_LEAST, _GAP = 0.55, 0.4
_UNDER_NUMBERS = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.0, "alpha": 0.8}


def section(
    mirror: Mirror | None, countries: Sequence[str], words: Language
) -> dict[str, Any] | None:
    """Return what the annex shows of corridors that touch its countries; None without any.

    Parameters
    ----------
    mirror : Mirror or None
        What was probably moved, of any corridors.
    countries : sequence of str
        Codes of the countries of the page.
    """
    if mirror is None:
        return None
    flows = mirror.flows(0.80)
    ours = _touching(flows, countries)
    counted = ours[ours["counts"] > 0]
    if counted.empty:
        return None
    number = counted.groupby("year").size()
    year = int(number.index[number >= COMPLETE * number.max()].max())
    shown = counted[counted["year"] == year].sort_values("flow", ascending=False)
    listed = shown.head(LISTED)
    apart = _touching(mirror.contradictions(), countries)
    return {
        "year": year,
        "chart": Markup(  # noqa: S704  escaped where it is drawn
            chart(shown.head(DRAWN), year, words)
        ),
        "rows": [_row(row, mirror, words) for _, row in listed.iterrows()],
        "of": len(shown),
        "alone": int((listed["basis"] == ONE).sum()),
        "apart": [_apart(row, words) for _, row in apart.head(APART).iterrows()],
        "all_apart": len(apart),
        "compared": len(_touching(mirror.contradictions(0.0), countries)),
        "coverage": _coverage(mirror, words),
    }


def _touching(table: pd.DataFrame, countries: Sequence[str]) -> pd.DataFrame:
    """Return the rows of corridors with one of the countries at an end."""
    return table[table["origin"].isin(countries) | table["destination"].isin(countries)]


def _row(row: pd.Series, mirror: Mirror, words: Language) -> dict[str, str]:
    told = mirror.told(row["location"], row["year"])
    said = (f"{labels.source(source, words)} {words.persons(value)}" for source, value in told)
    return {
        "corridor": labels.place(row["location"], words),
        **{name: words.persons(rounded(row[name], 3)) for name in ("flow", "lower", "upper")},
        "counted": "; ".join(said),
        "basis": words.say(_BASIS[row["basis"]]),
    }


def _apart(row: pd.Series, words: Language) -> dict[str, Any]:
    both = (("source", "count"), ("other_source", "other_count"))
    return {
        "corridor": labels.place(row["location"], words),
        "year": row["year"],
        "counts": "; ".join(
            f"{labels.source(row[source], words)} {words.persons(row[count])}"
            for source, count in both
        ),
        "ratio": words.decimal(row["ratio"]),
        "expected": words.decimal(row["expected_ratio"]),
        "probability": words.percent(row["probability"]),
    }


def _coverage(mirror: Mirror, words: Language) -> list[dict[str, str]]:
    """Return one row for each that counts and of whom figures say something, most counts first."""
    table = mirror.coverage(0.80)
    table = table[table["learnt"]].sort_values("counts", ascending=False).head(COVERED)
    return [
        {
            "source": labels.source(row["source"], words),
            "side": words.say(
                _SIDES[row["side"]],
                country=labels.place(row["country"], words) if row["country"] else "",
            ),
            **{
                name: words.persons(round(100 * row[name]))
                for name in ("believed", "coverage", "lower", "upper")
            },
        }
        for row in table.to_dict("records")
    ]


def chart(flows: pd.DataFrame, year: int, words: Language) -> str:
    """Draw flows as bands from origins to destinations, as wide as persons moved.

    Parameters
    ----------
    flows : DataFrame
        ``location, origin, destination, flow``, the largest first.
    year : int
        The year of the flows.
    words : Language

    Returns
    -------
    str
        SVG; persons are written at the origin of each band.
    """
    name = f"corridors-{year}"
    size = flows["flow"].to_numpy(dtype=float)
    named = [labels.place(code, words) for code in flows["location"]]
    sides = (("origin", -0.02, "right"), ("destination", 1.02, "left"))
    # A thin band is given room for its number all the same.
    room = np.maximum(size, _LEAST * size.sum() / len(size))
    middle = {side: _stacked(flows, room, side) for side, _, _ in sides}
    top = max(float((centre + room / 2).max()) for centre in middle.values())
    height = _ABOVE + _ROW * max(len(flows), 6)
    with drawing(name, _TEXT):
        figure, axes = svg.canvas(_WIDTH, height, left=_NAMES, right=_NAMES, top=_ABOVE, bottom=8)
        axes.set_xlim(0.0, 1.0)
        axes.set_ylim(top, 0.0)
        along = np.linspace(0.0, 1.0, 33)
        # Level at both ends, so that the number stands in a straight piece.
        bend = np.clip((along - 0.2) / 0.8, 0.0, 1.0)
        bend = bend**2 * (3.0 - 2.0 * bend)
        for position, persons in enumerate(size.tolist()):
            start, end = (middle[side][position] for side, _, _ in sides)
            centre = start + (end - start) * bend
            axes.fill_between(
                along,
                centre - persons / 2,
                centre + persons / 2,
                color=ACCENT,
                alpha=0.45,
                lw=0.6,
                ec=PAPER,
            )
            text = words.persons(rounded(persons, 2))
            axes.text(0.03, start, text, va="center", color=INK, bbox=_UNDER_NUMBERS)
        for side, at, align in sides:
            for code in flows[side].unique():
                rows = np.flatnonzero(flows[side] == code)
                where = float(middle[side][rows].mean())
                text = named[rows[0]].split(" → ")[side == "destination"]
                axes.text(at, where, text, ha=align, va="center", color=INK)
        axes.plot([0, 0, np.nan, 1, 1], [0, top, np.nan, 0, top], color=MUTED, lw=0.8)
        svg.corner(axes, words.say("persons a year"))
        title = words.say("The largest corridors of {year}", year=year)
        numbers = (words.persons(rounded(persons, 3)) for persons in size.tolist())
        return to_svg(figure, name, title, "; ".join(map(" ".join, zip(named, numbers))))


def _stacked(flows: pd.DataFrame, room: np.ndarray, side: str) -> np.ndarray:
    """Return the middle of each band at one side, the places with most persons on top."""
    other = "destination" if side == "origin" else "origin"
    here = flows.groupby(side)["flow"].sum().rank(ascending=False, method="first")
    far = flows.groupby(other)["flow"].sum().rank(ascending=False, method="first")
    order = np.lexsort((flows[other].map(far), flows[side].map(here)))
    codes = flows[side].to_numpy()[order]
    gaps = np.concatenate([[0.0], np.where(codes[1:] != codes[:-1], _GAP * room.min(), 0.0)])
    ends = np.cumsum(room[order] + gaps)
    middle = np.empty(len(flows))
    middle[order] = ends - room[order] / 2
    return middle
