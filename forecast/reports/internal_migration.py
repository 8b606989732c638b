"""Moves between the regions of a country: a heat map, the largest flows, sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from forecast import labels, locations
from forecast.data import package
from forecast.errors import ForecastError
from forecast.language import Language, message, rounded
from forecast.reports import svg
from forecast.reports.series_view import identity
from forecast.reports.svg import ACCENT, INK, MUTED, WASH, drawing, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Lower ends of the classes of colour, in persons, and how dark each is.
CLASSES = ((1, 0.08), (100, 0.22), (500, 0.42), (2_000, 0.68), (10_000, 1.0))
#: How many of the largest flows the table lists.
LARGEST = 8
#: How dark a class has to be for the number of its cell to be written in it.
_CELL, _TEXT = 22, 11.0


@dataclass(frozen=True, eq=False)
class RegionalMoves:
    """Moves between regions of one country in one year.

    Attributes
    ----------
    table : str
        The bundled table.
    regions : tuple of str
        The largest net gain first.
    counts : ndarray, shape (n_regions, n_regions)
        Persons per calendar year, origins in rows, destinations in columns; the diagonal is
        NaN.
    totals : tuple of (int, float)
        All moves in the first and the last year of the table.
    doubted : bool
        Whether a figure of the year is flagged suspect.
    """

    table: str
    country: str
    year: int
    regions: tuple[str, ...]
    counts: np.ndarray
    totals: tuple[tuple[int, float], ...]
    doubted: bool


@cache
def observed_moves() -> dict[str, RegionalMoves]:
    """Return the newest year of moves of each country that has them."""
    known = package.moves()
    known["country"] = known["origin"].map(locations.country_of)
    found = {}
    for (table, country), rows in known.groupby(["table", "country"], sort=True):
        total = rows.groupby("year")["value"].sum()
        year = int(total.index[-1])
        newest = rows[rows["year"] == year]
        square = newest.pivot(index="origin", columns="destination", values="value")
        gain = square.sum(axis=0).sub(square.sum(axis=1), fill_value=0.0)
        order = sorted(gain.index, key=lambda place: (-gain[place], place))
        counts = square.reindex(index=order, columns=order).to_numpy(dtype=float)
        found[str(country)] = RegionalMoves(
            str(table), str(country), year, tuple(order), counts,
            tuple((int(total.index[end]), float(total.iloc[end])) for end in (0, -1)),
            bool(newest["flag"].str.contains("suspect").any()),
        )  # fmt: skip
    return found


def section(country: str, words: Language) -> dict[str, Any] | None:
    """Return what the page shows of the moves inside a country, or None without figures.

    Parameters
    ----------
    country : str
        Code of a country.
    words : Language
        Language of sentences and chart.
    """
    moves = observed_moves().get(country)
    if moves is None:
        return None
    resource = package.resource(moves.table)
    return {
        "identity": identity("moves", country),
        "year": moves.year,
        "source": "; ".join(words.lookup(source["title"]) for source in resource["sources"]),
        "svg": Markup(heat_map(moves, words)),  # noqa: S704  escaped where it is drawn
        "summary": summary(moves, words),
        "caveat": words.lookup(resource["caveats"][0]),
        "classes": [
            {"said": said, "share": round(100 * dark)}
            for said, (_, dark) in zip(class_names(words), CLASSES)
        ],
        "rows": largest(moves, words),
    }


def summary(moves: RegionalMoves, words: Language) -> str:
    """Say how many people moved, and which regions gained and lost the most.

    Parameters
    ----------
    moves : RegionalMoves
        Persons per calendar year; regions are sorted by what they gained.
    words : Language
        Language of the sentences.

    Returns
    -------
    str
    """
    gain = net(moves)
    first, last = moves.totals
    parts = [
        words.say(
            "{count} moves from one region to another in {year}; in {first} there were {then}.",
            count=words.persons(rounded(last[1], 3)),
            year=last[0],
            first=first[0],
            then=words.persons(rounded(first[1], 3)),
        ),
        words.say(
            "{gains} gained the most from the others ({gained}), {loses} lost the most ({lost}).",
            gains=labels.place(moves.regions[0], words),
            gained=words.persons(rounded(gain[0], 3), sign=True),
            loses=labels.place(moves.regions[-1], words),
            lost=words.persons(rounded(gain[-1], 3), sign=True),
        ),
    ]
    if moves.doubted:
        parts.append(words.say("Some figures of this year are disputed."))
    return " ".join(parts)


def net(moves: RegionalMoves) -> np.ndarray:
    """Return what each region gained from the others, shape (n_regions,)."""
    gained: np.ndarray = np.nansum(moves.counts, axis=0) - np.nansum(moves.counts, axis=1)
    return gained


def largest(moves: RegionalMoves, words: Language) -> list[dict[str, str]]:
    """Return the largest flows, each with the smaller one the other way and the difference.

    Parameters
    ----------
    moves : RegionalMoves
        A cell without a figure counts as the smallest.
    words : Language
        Language of places and numbers.

    Returns
    -------
    list of dict
        At most `LARGEST`: ``origin, destination, there, back, net``, all as texts; persons per
        calendar year, ``net`` being there less back.
    """
    counts = np.nan_to_num(moves.counts, nan=-1.0)
    index = np.arange(len(counts))
    # Of each pair the larger direction; of equal ones the first.
    ahead = (counts > counts.T) | ((counts == counts.T) & (index[:, None] < index))
    order = np.argsort(np.where(ahead, -counts, np.inf), axis=None, kind="stable")[:LARGEST]
    rows = []
    for origin, destination in zip(*np.unravel_index(order, counts.shape)):
        there, back = counts[origin, destination], counts[destination, origin]
        rows.append(
            {
                "origin": labels.place(moves.regions[origin], words),
                "destination": labels.place(moves.regions[destination], words),
                "there": words.persons(there),
                "back": words.persons(back),
                "net": words.persons(there - back, sign=True),
            }
        )
    return rows


def class_names(words: Language) -> list[str]:
    """Return what each class of colour stands for."""
    names = []
    for position, (low, _) in enumerate(CLASSES):
        if position + 1 < len(CLASSES):
            high = CLASSES[position + 1][0] - 1
            between = message("{low} to {high}")
            names.append(words.say(between, low=words.persons(low), high=words.persons(high)))
        else:
            names.append(words.say("{low} and more", low=words.persons(low)))
    return names


def heat_map(moves: RegionalMoves, words: Language) -> str:
    """Draw origins in rows and destinations in columns, darker where more people move.

    Parameters
    ----------
    moves : RegionalMoves
        Persons per calendar year, origins in rows.
    words : Language
        Language of places, title and description.

    Returns
    -------
    str
        SVG text.

    Raises
    ------
    ForecastError
        If there is no move to draw.
    """
    if not np.nansum(moves.counts):
        raise ForecastError(f"no moves inside {moves.country} in {moves.year} to draw.")
    places = [labels.place(code, words) for code in moves.regions]
    name = identity("moves", moves.country, moves.year)
    longest = min(6.0 * max(map(len, places)) + 12, 230)
    size, count = _CELL * len(places), len(places)
    with drawing(name, _TEXT):
        figure, axes = svg.canvas(
            longest + size + 8, longest + size + 26, left=longest, right=8, top=longest, bottom=26
        )
        for position, (low, dark) in enumerate(CLASSES):
            high = CLASSES[position + 1][0] if position + 1 < len(CLASSES) else np.inf
            _cells(axes, (moves.counts >= low) & (moves.counts < high), ACCENT, dark)
        _cells(axes, np.isnan(moves.counts), WASH, 1.0)
        axes.set_xlim(0, count)
        axes.set_ylim(count, 0)
        at = [position + 0.5 for position in range(count)]
        svg.label(axes, "top", at, places, INK)
        svg.label(axes, "left", at, places, INK)
        axes.annotate(
            words.say("from (rows) to (columns)"), (0, 0), xycoords="axes fraction",
            xytext=(0, -8), textcoords="offset points", va="top", color=MUTED,
        )  # fmt: skip
        title = words.say(
            "{country}: moves between regions, {year}",
            country=labels.place(moves.country, words),
            year=moves.year,
        )
        return to_svg(figure, name, title, described(moves, words))


def described(moves: RegionalMoves, words: Language) -> str:
    """Describe the heat map: every region with what it gained or lost.

    Parameters
    ----------
    moves : RegionalMoves
        Persons per calendar year.
    words : Language
        Language of the sentence.

    Returns
    -------
    str
        A gain from the other regions is positive.
    """
    listed = "; ".join(
        f"{labels.place(code, words)} {words.persons(rounded(value, 3), sign=True)}"
        for code, value in zip(moves.regions, net(moves))
    )
    return words.say("What each region gained from the others: {listed}.", listed=listed)


def _cells(axes: Axes, mask: np.ndarray, colour: str, dark: float) -> None:
    """Fill the cells of a mask as one shape, so that a class costs one element of the page."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    if not mask.any():
        return
    squares: Sequence[Path] = [
        Path(
            [(x + 0.04, y + 0.04), (x + 0.96, y + 0.04), (x + 0.96, y + 0.96), (x + 0.04, y + 0.96),
             (x + 0.04, y + 0.04)],
            closed=True,
        )
        for y, x in np.argwhere(mask)
    ]  # fmt: skip
    shape = Path.make_compound_path(*squares)
    axes.add_patch(PathPatch(shape, facecolor=colour, alpha=dark, lw=0))
