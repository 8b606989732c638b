"""A map of a country's regions, where their outlines are known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from markupsafe import Markup

from forecast import labels
from forecast.data import package
from forecast.language import Language, message, rounded
from forecast.reports.series_view import SeriesView, identity

_WIDTH, _MARGIN = 320, 4
#: Round numbers that a class may be wide, times a power of ten.
_STEPS = (1, 2, 5)
#: Size of a label per letter and line, and the least side of a unit that is not a dot.
_LETTER, _LINE, _DOT = 7.6, 15, 8
_RATE = message("{year}, median per 1,000 inhabitants")
_PERSONS = message("{year}, median, persons")


def region_map(
    ranked: Sequence[SeriesView], country: str, year: int, words: Language
) -> dict[str, Any] | None:
    """Return the map of a ranked group of regions in a year.

    Parameters
    ----------
    ranked : sequence of SeriesView
        Regions of one source and measure, all forecast for the year.
    country : str
        Code of their country.
    year : int
        Target year.
    words : Language
        Language of unit, classes, note and description.

    Returns
    -------
    dict or None
        ``svg``; ``unit``, what the colours show: medians per 1,000 inhabitants where all
        populations are known, else persons; ``classes``, the legend; ``note``, where the
        units drawn are not the regions of today or of the figures. None where outlines of
        fewer than half of the units are known by the codes of the figures.
    """
    outlines = package.outlines(country)
    by_code = {view.series.location: view for view in ranked}
    shown = {code: parts for code in outlines if (parts := _parts(code, by_code))}
    if len(shown) < 2 or 2 * len(shown) < len(outlines):
        return None
    people = {code: _population(parts) for code, parts in shown.items()}
    rate = all(people.values())
    values = {
        code: float(np.median(sum(view.at(year) for view in parts)))
        * (1000 / people[code] if rate else 1)
        for code, parts in shown.items()
    }
    step = _step(list(values.values()))
    signed = ranked[0].series.signed
    unit = words.say(_RATE if rate else _PERSONS, year=year)
    said = {code: _number(value, signed, rate, words) for code, value in values.items()}
    source, _, measure = ranked[0].key
    return {
        "svg": Markup(  # noqa: S704  escaped where it is drawn
            _svg(
                identity("map", source, measure, country, year),
                outlines,
                {code: _class(value, step, signed) for code, value in values.items()},
                said,
                (f"{labels.place(country, words)}: {unit}", words),
            )
        ),
        "unit": unit,
        "classes": _classes(step, signed, words),
        "note": _note(outlines, shown, ranked, words),
    }


def _parts(code: str, by_code: Mapping[str, SeriesView]) -> list[SeriesView]:
    """Return the series of a unit, or those of all its parts, which add up to it; else none."""
    if code in by_code:
        return [by_code[code]]
    parts = code.split("+")
    return [by_code[part] for part in parts] if all(part in by_code for part in parts) else []


def _population(parts: Sequence[SeriesView]) -> float:
    """Return the newest population of a unit, 0 if one of its parts has none."""
    known = [view.series.population[~np.isnan(view.series.population)] for view in parts]
    return float(sum(each[-1] for each in known)) if all(each.size for each in known) else 0.0


def _step(values: Sequence[float]) -> float:
    """Return a round width of a class, so that the middle value lies in the second from zero."""
    aim = max(float(np.median(np.abs(values))), 1e-9)
    power = 10 ** math.floor(math.log10(aim))
    return float(max(step * power for step in _STEPS if step * power <= aim * (1 + 1e-9)))


def _class(value: float, step: float, signed: bool) -> str:
    side = "loss" if signed and value < 0 else "gain"
    return f"{side}-{min(int(abs(value) / step), 2) + 1}"


def _number(value: float, signed: bool, rate: bool, words: Language) -> str:
    if not rate:
        return words.persons(rounded(value, 3), sign=signed)
    shown = round(value, 1)
    return ("+" if signed and shown > 0 else "") + words.decimal(shown)


def _classes(step: float, signed: bool, words: Language) -> list[dict[str, str]]:
    """Return the legend, from the greatest loss to the greatest gain."""

    def bound(times: int) -> str:
        return words.decimal(round(times * step, 6)) if step < 1000 else words.persons(times * step)

    gains = [("gain-1", f"0 … {bound(1)}"), ("gain-2", f"{bound(1)} … {bound(2)}")]
    found = [*gains, ("gain-3", f"> {bound(2)}")]
    if signed:
        losses = [("loss-2", f"{bound(-2)} … {bound(-1)}"), ("loss-1", f"{bound(-1)} … 0")]
        found = [("loss-3", f"< {bound(-2)}"), *losses, *found]
    return [{"name": name, "said": said} for name, said in found]


def _note(
    outlines: Mapping[str, object],
    shown: Mapping[str, Sequence[SeriesView]],
    ranked: Sequence[SeriesView],
    words: Language,
) -> str:
    """Say where the units drawn are not the regions of today, or not those of the figures."""

    def names(codes: Sequence[str]) -> str:
        # A name may end in an abbreviation, and the sentence has a full stop of its own.
        return words.listed([labels.place(code, words) for code in codes]).removesuffix(".")

    drawn = {view.series.location for parts in shown.values() for view in parts}
    joined = sorted(code for code in shown if "+" in code)
    without = sorted(code for code in outlines if code not in shown)
    beyond = sorted({view.series.location for view in ranked} - drawn)
    sentences = [words.say("Outlines: Natural Earth, simplified; no statement on any boundary.")]
    if joined:
        sentences.append(words.say("Drawn as one: {places}.", places=names(joined)))
    if without:
        sentences.append(words.say("Left grey, without a figure: {places}.", places=names(without)))
    if beyond:
        sentences.append(words.say("Not on the map: {places}.", places=names(beyond)))
    return " ".join(sentences)


def _svg(
    name: str,
    outlines: Mapping[str, Sequence[np.ndarray]],
    classes: Mapping[str, str],
    said: Mapping[str, str],
    heading: tuple[str, Language],
) -> str:
    """Draw the units, large ones first and cities as dots, with the number where it has room."""
    title, words = heading
    every = np.concatenate([part for parts in outlines.values() for part in parts])
    (west, south), (east, north) = every.min(axis=0), every.max(axis=0)
    narrowing = math.cos(math.radians((south + north) / 2))
    scale = (_WIDTH - 2 * _MARGIN) / ((east - west) * narrowing)
    height = (north - south) * scale + 2 * _MARGIN
    corner, by = np.array([west, north]), np.array([narrowing * scale, -scale])
    drawn = {
        code: [(part - corner) * by + _MARGIN for part in parts] for code, parts in outlines.items()
    }
    dots = {code for code, parts in drawn.items() if max(np.ptp(parts[0], axis=0)) < _DOT}
    taken = [_box(*_centre(drawn[code][0]), _DOT) for code in dots]
    shapes: list[str] = []
    texts: list[str] = []
    for code in sorted(drawn, key=lambda code: -_area(drawn[code][0])):
        place, (x, y) = labels.place(code, words), _centre(drawn[code][0])
        number = said.get(code, "–")
        fill = f'style="fill: var(--{classes.get(code, "wash")})"'
        lines = "".join(
            "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in part[:-1]) + "Z" for part in drawn[code]
        )
        kind, where = ("path", f'd="{lines}"')
        if code in dots:
            kind, where = ("circle", f'cx="{x:.1f}" cy="{y:.1f}" r="{_DOT / 2 + 1}"')
        named = f"<title>{escape(f'{place}: {number}')}</title>"
        shapes.append(f"<{kind} {where} {fill}>{named}</{kind}>")
        if code in said and code not in dots:
            tall = np.ptp(drawn[code][0][:, 1]) > 3 * _LINE
            for shift in (0, -_LINE, _LINE) if tall else (0,):
                box = _box(x, y + shift, len(number) * _LETTER / 2)
                if box[0] > 0 and box[2] < _WIDTH and not any(_touch(box, one) for one in taken):
                    taken.append(box)
                    texts.append(
                        f'<text x="{x:.1f}" y="{y + shift + 4:.1f}">{escape(number)}</text>'
                    )
                    break
    listed = "; ".join(
        f"{labels.place(code, words)} {number}" for code, number in sorted(said.items())
    )
    return (
        f'<svg class="map" viewBox="0 0 {_WIDTH} {height:.0f}" role="img" '
        f'aria-labelledby="{name}-t {name}-d">\n<title id="{name}-t">{escape(title)}</title>\n'
        f'<desc id="{name}-d">{escape(listed)}</desc>\n' + "\n".join([*shapes, *texts]) + "\n</svg>"
    )


def _box(x: float, y: float, half: float) -> tuple[float, float, float, float]:
    """Return the sides of a label's place, left, top, right and bottom."""
    return x - half, y - _LINE / 2, x + half, y + _LINE / 2


def _touch(one: Sequence[float], other: Sequence[float]) -> bool:
    apart = one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]
    return not apart


def _area(ring: np.ndarray) -> float:
    x, y = ring.T
    return float(abs(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1])) / 2)


def _centre(ring: np.ndarray) -> tuple[float, float]:
    """Return the centre of gravity of the area within a ring."""
    x, y = (ring - ring[0]).T
    cross = x[:-1] * y[1:] - x[1:] * y[:-1]
    total = float(cross.sum()) * 3
    if not total:
        return float(ring[:, 0].mean()), float(ring[:, 1].mean())
    centre_x = float(((x[:-1] + x[1:]) * cross).sum()) / total + ring[0, 0]
    centre_y = float(((y[:-1] + y[1:]) * cross).sum()) / total + ring[0, 1]
    return float(centre_x), float(centre_y)
