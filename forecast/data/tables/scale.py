"""Scale: the decimal mark and the unit of a whole table; as stated, else inferred with evidence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecast import measures
from forecast.data.checks.contradictions import bundled_figures
from forecast.data.tables import cells, words
from forecast.data.tables.cells import MOST_PROBLEMS
from forecast.data.tables.labels import Context
from forecast.data.tables.reading import Observation
from forecast.data.tables.words import UNITS, unit_name
from forecast.errors import DataError

#: How near to a round factor the median ratio to known figures must be, and on how many years.
_NEAR, _LEAST = 2.0, 3
#: Below this, figures that all have decimals may be rates per 1,000 inhabitants.
_LARGEST_RATE = 50


def evidence(figures: Sequence[tuple[str, str, int, float]]) -> tuple[float | None, str]:
    """Compare figures with known ones of the same places, measures and years.

    Parameters
    ----------
    figures : sequence of (location, measure, year, value)

    Returns
    -------
    float or None
        1, 1,000 or 1,000,000 if the figures are that many times smaller than known ones.
    str
        The comparison in words.
    """
    known = bundled_figures()
    ratios = [
        known[place, measure, year] / abs(value)
        for place, measure, year, value in figures
        if value and known.get((place, measure, year), 0) > 0
    ]
    if len(ratios) < _LEAST:
        return None, ""
    middle = float(np.median(ratios))
    for factor in UNITS.values():
        if factor / _NEAR <= middle <= factor * _NEAR:
            return (
                factor,
                f"the bundled figures of the same {len(ratios)} years "
                + ("agree" if factor == 1 else f"are {middle:,.4g} times as large"),
            )
    return None, ""


def settle_figures(context: Context) -> None:
    """Read each cell as a figure, by the decimal mark of the whole table."""
    hint = "," if context.grid.delimiter == ";" else ""
    convention = cells.convention(_texts(context), context.options.decimal, hint)
    if convention.clash:
        error = DataError(
            f"{convention.clash[0].strip()!r} and {convention.clash[1].strip()!r} have "
            "different decimal marks. Write all figures in one way, or say decimal=',' or '.'."
        )
        context.problem(0, error)
        return
    decimal, reason = convention.decimal, convention.reason
    if convention.unclear:
        decimal, reason = _unclear(context, convention)
    context.out.decimal = f"{decimal!r} ({reason})" if decimal else reason
    for one in context.observations:
        one.figure = cells.figure(one.cell, decimal or ".")
        if one.figure.state == "unclear":
            context.problem(one.line.number, _not_a_figure(context, one))
            if len(context.out.problems) >= MOST_PROBLEMS:
                break
    marks = sum(bool(one.figure.marks) for one in context.observations)
    if marks:
        context.out.notes[f"footnote marks behind {marks} figures were set aside"] = None


def _not_a_figure(context: Context, observation: Observation) -> DataError:
    label = observation.column.label or f"{observation.column.at + 1}"
    where, cell = f"{context.grid.where(observation.line)}, column {label}", observation.cell
    if isinstance(cell, str):
        return DataError(
            f"{where}: {words.spaced(cell)!r} is not a number. Write persons as digits with a "
            "point for decimals, and leave a missing figure empty."
        )
    return DataError(
        f"{where}: {cell} is not a count of persons. Write digits, and leave a missing figure "
        "empty."
    )


def _unclear(context: Context, convention: cells.Convention) -> tuple[str, str]:
    """Decide a mark that may group digits or stand before decimals, by the unit.

    Returns the decimal mark and how it is known; both empty if nothing decides.
    """
    mark = "," if "," in convention.unclear else "."
    other = "." if mark == "," else ","
    default = context.table_unit()
    stated = {default if one.unit is None else one.unit for one in context.observations}
    whole = stated == {1.0} or (stated == {None} and context.has_package_columns())
    if whole and mark == ",":
        context.out.notes[
            f"the comma of {convention.unclear!r} groups digits, as the figures are persons"
        ] = None
        return other, "the figures are persons"
    # Persons come in decimals only where somebody computed them, and then seldom with three
    # each; a spreadsheet that groups digits by points writes every figure so.
    grouped = whole and context.layout.style != "SDMX-CSV" and _all_could_group(context)
    if mark == "." and context.has_package_columns() and not grouped:
        return mark, "as the columns of the package mean it"
    if convention.decimal == mark and not whole:
        context.out.notes[
            f"the comma of {convention.unclear!r} stands before decimals, as cells are divided by "
            "semicolons"
        ] = None
        return mark, convention.reason
    agreeing = [sign for sign in (mark, other) if _agrees(context, sign)]
    if len(agreeing) == 1:
        does = "stands before decimals" if agreeing[0] == mark else "groups digits"
        context.out.notes[
            f"the {'comma' if mark == ',' else 'point'} of {convention.unclear!r} {does}: so read, "
            "the figures agree with the bundled ones"
        ] = None
        return agreeing[0], "so read, the figures agree with the bundled ones"
    error = DataError(
        f"{convention.unclear!r} may be {convention.unclear.replace(mark, '')} or "
        f"{convention.unclear.replace(mark, '.')}: nothing says whether the "
        f"{'comma' if mark == ',' else 'point'} groups digits or stands before decimals. "
        "Say decimal='.' or decimal=','."
    )
    context.problem(0, error)
    return "", ""


def _texts(context: Context) -> list[str]:
    return [one.cell for one in context.observations if isinstance(one.cell, str)]


def _all_could_group(context: Context) -> bool:
    """Whether each figure is written with one mark that may group its digits."""
    return all(cells.could_group(text) for text in _texts(context) if cells.written(text))


def _agrees(context: Context, decimal: str) -> bool:
    """Whether figures read with a decimal mark are those known of the same years."""
    known = []
    for one in context.observations:
        figure = cells.figure(one.cell, decimal)
        unit = one.unit if one.unit is not None else context.table_unit()
        if figure.state == "number":
            known.append((one.code, one.kept, one.year, figure.value * (unit or 1.0)))
    return evidence(known)[0] == 1.0


def settle_factors(context: Context) -> None:
    """Find by what each figure is multiplied to be persons, and note how that is known.

    A problem is noted if no unit is stated and the figures leave it open, or are no counts.
    """
    observations, title, out = context.observations, context.title_unit, context.out
    amounts = [one for one in observations if _has_decimals(one)]
    observations = [one for one in observations if not _has_decimals(one)]
    given = context.options.units
    stated = sorted({one.unit for one in observations if one.unit is not None})
    if given is not None:
        others = {*stated, *([] if title is None else [title])} - {UNITS[given]}
        out.units = [f"{given}, as told"]
        out.units += [f"the table itself says {unit_name(unit)}" for unit in sorted(others)]
        for one in context.observations:
            one.factor = _factor(one.kept, UNITS[given])
        return
    for one in context.observations:
        one.factor = _factor(one.kept, one.unit or title)
    out.units = [f"{unit_name(unit)}, stated beside the figures" for unit in stated]
    multiplied = {(measures.find(one.kept).unit.en, one.factor) for one in amounts}
    out.units += [
        f"{unit}, as the measure is counted"
        + ("" if factor == 1 else f"; figures are multiplied by {factor:,.12g}")
        for unit, factor in sorted(multiplied)
    ]
    if not observations:
        return
    unstated = [one for one in observations if one.unit is None]
    if title is not None and unstated:
        out.units.append(f"{unit_name(title)}, stated above the table")
    try:
        _refuse_fractions(observations)
        if title is None and unstated:
            inferred, reason = _infer(unstated, context.has_package_columns())
            counted = [measures.known().get(one.kept) for one in unstated]
            # What is read but not kept has no measure, and a misspelt one is said elsewhere.
            units = {one.unit.en for one in counted if one} or {"persons"}
            named = " and ".join(sorted(units)) if inferred == 1.0 else unit_name(inferred)
            out.units.append(f"{named}, {reason}")
            for one in unstated:
                one.factor = inferred
    except DataError as error:
        context.problem(0, error)


def _has_decimals(observation: Observation) -> bool:
    """Whether figures need not be whole: amounts, rates and thousands have a unit of their own."""
    counted = measures.known().get(observation.kept)
    return counted is not None and counted.fractional


def _factor(name: str, stated: float | None) -> float:
    """Return by what figures are multiplied to be in the unit of a measure, itself a multiple."""
    counted = measures.known().get(name)
    if counted is not None and counted.kind == "rate":
        return 1.0
    own = (words.stated(counted.unit.en) if counted else None) or 1.0
    return (stated or own) / own


def _refuse_fractions(observations: Sequence[Observation]) -> None:
    """Refuse figures that are all less than one person: they are rates or shares."""
    known = [one for one in observations if one.figure.state == "number" and one.figure.value]
    if len(known) >= _LEAST and max(abs(one.figure.value) * one.factor for one in known) < 1:
        raise DataError(
            f"all figures are smaller than one person, such as {known[0].figure.value:g}: these "
            "are rates or shares. Give counts of persons, or say units='thousands' if they count "
            "thousands."
        )


def _infer(unstated: Sequence[Observation], contract: bool) -> tuple[float, str]:
    figures = [(one.code, one.kept, one.year, one.figure.value) for one in unstated]
    decimals = [one.figure.decimals for one in unstated]
    broken = sum(places > 0 for places in decimals) > 0.3 * len(decimals)
    if contract:
        largest = max((abs(value) for *_, value in figures if value == value), default=0.0)
        if (
            len(figures) >= _LEAST
            and largest < _LARGEST_RATE
            and all(
                places > 0
                for (*_, value), places in zip(figures, decimals)
                if value and value == value
            )
            and any(places > 0 for places in decimals)
        ):
            raise DataError(
                f"no unit is stated, and all figures have decimals and are below {_LARGEST_RATE}, "
                "as rates per 1,000 are. Give counts of persons, or say units='persons' or "
                "units='thousands'."
            )
        return 1.0, "as the columns of the package mean it"
    factor, comparison = evidence(figures)
    if broken and factor is not None and factor > 1:
        return factor, f"inferred: {comparison}"
    if broken:
        shown = next(value for (*_, value), places in zip(figures, decimals) if places)
        raise DataError(
            f"no unit is stated and figures such as {shown:g} are not whole persons. "
            "Say units='thousands' or units='persons'."
        )
    if factor is not None and factor > 1:
        place, measure, year, value = next(row for row in figures if row[3])
        raise DataError(
            f"no unit is stated, and {comparison}: {measure} of {place} in {year} is {value:g} "
            "here. Say units='thousands' or units='persons'."
        )
    because = (
        f"inferred: {comparison}"
        if factor == 1
        else "inferred: no unit is stated and all are whole numbers"
    )
    return 1.0, because
